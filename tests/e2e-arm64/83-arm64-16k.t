# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 kernels=stable-16k timeout=150
#
# A disk over grants in a guest whose pages are four of Xen's.

. /payload/lib.sh
. /payload/blk-arm64.sh

guest_boot kernel=stable-16k || bail 'no guest'
is "$(guest 'grep -m1 KernelPageSize /proc/self/smaps | tr -s " "')" 'KernelPageSize: 16 kB' 'the guest has pages of 16K'
load 'backend=*=0'
ok $? 'the module loads'
blk_over_grants
done_testing
