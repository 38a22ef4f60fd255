# SPDX-License-Identifier: GPL-2.0-only
"""The x86 machine whose time is a count of instructions, for benchmarks."""

import machine


class Icount(machine.Machine):
    """One processor, 1 ns for each instruction; while it is idle time jumps."""

    cache = machine.CACHE / 'bench'
    # Of emulated time there is plenty: a second takes some.
    patience = 4
    helpers = tuple(sorted((machine.TOP / 'tests' / 'bench').glob('*.sh')))

    def qemu(self, *args):
        """QEMU's command line."""
        return [*super().qemu(*args), '-icount', 'shift=0,sleep=off']
