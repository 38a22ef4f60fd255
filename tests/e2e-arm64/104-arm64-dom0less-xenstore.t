# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=none dom0less=wait-mmio xenstore timeout=90
#
# Under dom0less a guest that is to have xenstore gets it some time after it has
# booted. What dom0 writes there is seen all the same.

. /payload/lib.sh
. /payload/dom0less-arm64.sh

waits()
{
	[ -n "$(result since)" ]
}

dom0less_guest
wait_for 60 waits
ok $? 'the guest loads the module and its drivers, without xenstore'
# shellcheck disable=SC2046
backend_start $(std_blk)
ok $? 'the backend starts'
maps_mark
/usr/lib/xen/bin/init-dom0less >/dev/null
ok $? 'the guest gets xenstore'
/payload/bin/virtio-ready -x 1
ok $? 'dom0 tells there that the backend is ready'
dom0less_works 'xenstore data/virtio-ready/0'
done_testing
