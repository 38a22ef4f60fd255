# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 kernels=newest timeout=150
#
# A disk over grants on the newest kernel.

. /payload/lib.sh
. /payload/blk-arm64.sh

guest_boot kernel=newest memory=256 || bail 'no guest'
runs_kernel newest
load 'backend=*=0'
ok $? 'the module loads'
blk_over_grants
done_testing
