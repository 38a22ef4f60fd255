# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=none dom0less=wait-mmio channel=dom0 timeout=90
#
# Xen starts dom0 and the guest at the same time, without xenstore. The backend comes
# up at some time, the module in the guest at another; the guest is told by a static
# event channel. In whatever order, the disk works.
#
# tests/rig/repeat runs this many times.

. /payload/lib.sh
. /payload/dom0less-arm64.sh

dom0less_guest
usleep $(($(od -An -N1 -tu1 /dev/urandom) * 8000))
loaded=$(result load)
# shellcheck disable=SC2046
backend_start $(std_blk)
ok $? 'the backend starts'
maps_mark
usleep $(($(od -An -N1 -tu1 /dev/urandom) * 8000))
/payload/bin/virtio-ready -p 11
ok $? 'and tells so by a static event channel'
dom0less_works
[ "$loaded" != 0 ] || is "$(result ignored)" 1 "Xen's own event came too early, and was ignored"
done_testing
