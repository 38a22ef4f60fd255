# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=120
#
# The demo, with the module: the device tree names the backends.

MODULE=yes
PARAMETERS=
NET_MB=1
. /payload/lib.sh

guest_create dtb=iommus || bail 'no guest'
# shellcheck disable=SC2046
backend_start $(std_blk) $(std_net) $(std_rng) && guest_start || bail 'it does not start'
. /payload/demo.sh
