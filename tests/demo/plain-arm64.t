# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=120
#
# The demo, without the module. The devices, which wait for it, come up without it
# after a second, not ten; and the backend takes what addresses it gets, as QEMU does.

MODULE=no
NET_MB=1
. /payload/lib.sh

guest_create dtb=iommus append=deferred_probe_timeout=1 || bail 'no guest'
# shellcheck disable=SC2046
backend_start --allow-plain $(std_blk) $(std_net) $(std_rng) && guest_start || bail 'it does not start'
. /payload/demo.sh
