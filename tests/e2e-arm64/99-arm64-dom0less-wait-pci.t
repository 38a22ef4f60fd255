# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=none dom0less=wait-pci append=deferred_probe_timeout=-1 needs=qemu timeout=90
#
# As 98-arm64-dom0less-wait.t, with QEMU and virtio-pci: there is not even a host
# bridge before the backend is up. The kernel is told to wait without end for the
# module, which may be late, too.
#
# tests/rig/repeat runs this many times.

. /payload/lib.sh
. /payload/dom0less-arm64.sh
. /payload/pci-arm64.sh

dom0less_guest
usleep $(($(od -An -N1 -tu1 /dev/urandom) * 8000))
# shellcheck disable=SC2046
qemu_start $(qemu_blk pci "$(at 1)")
ok $? 'the backend starts'
usleep $(($(od -An -N1 -tu1 /dev/urandom) * 8000))
/payload/bin/virtio-ready -p 11
ok $? 'and tells so by a static event channel'
dom0less_works
done_testing
