# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 kernels=6.1 timeout=150
#
# A disk over grants on the oldest kernel.

. /payload/lib.sh
. /payload/blk-arm64.sh

guest_boot kernel=6.1 || bail 'no guest'
like "$(guest 'uname -r')" '^6[.]1[.]' 'the guest runs 6.1'
load 'backend=*=0'
ok $? 'the module loads'
blk_over_grants
done_testing
