# SPDX-License-Identifier: GPL-2.0-only
"""The x86 machines for benchmarks."""

import machine


class Bench(machine.Machine):
    """As fast as the host is."""

    cache = machine.CACHE / 'bench'
    helpers = tuple(sorted((machine.TOP / 'tests' / 'bench').glob('*.sh')))


class Icount(Bench):
    """Its time is a count of instructions. One processor, 1 ns for each instruction;
    while it is idle time jumps."""

    # Of emulated time there is plenty: a second takes some.
    patience = 4

    def qemu(self, *args):
        """QEMU's command line."""
        return [*super().qemu(*args), '-icount', 'shift=0,sleep=off']
