# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 kernels=7.2 timeout=150
#
# A disk over grants on the newest kernel.

. /payload/lib.sh
. /payload/blk-arm64.sh

guest_boot kernel=7.2 memory=256 || bail 'no guest'
like "$(guest 'uname -r')" '^7[.]2[.]' 'the guest runs 7.2'
load 'backend=*=0'
ok $? 'the module loads'
blk_over_grants
done_testing
