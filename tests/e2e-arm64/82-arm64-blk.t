# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=guest timeout=120
#
# A disk over grants on virtio-mmio, the backend given by parameter.

. /payload/lib.sh
. /payload/blk-arm64.sh

load 'backend=*=0'
ok $? 'the module loads'
blk_over_grants
done_testing
