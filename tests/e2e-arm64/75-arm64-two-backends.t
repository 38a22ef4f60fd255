# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=90
#
# The example with two backends, dts/mmio-two-backends.dts: what is granted to one
# domain is not for the other.

. /payload/lib.sh
. /payload/blk-arm64.sh

guest_create dtb=mmio-two-backends || bail 'no guest'
# shellcheck disable=SC2046
backend_start $(std_blk) --device "rng,$NET" && guest_start || bail 'it does not start'
load
ok $? 'the module loads'
blk_over_grants
is "$(guest 'dmesg | sed -n "s/.* 2000000.virtio: xen_grant_dma: //p"')" \
	'grants to domain 0, by iommus of /passthrough/virtio@2000000' 'the first device is that of domain 0'

load
drivers rng
wait_for 10 grep -q '^rng0: needs reset' "$(guest_get log)"
ok $? 'which cannot serve the second'
is "$(guest 'dmesg | sed -n "s/.* 2000200.virtio: xen_grant_dma: //p"')" \
	'grants to domain 3, by iommus of /passthrough/virtio@2000200' 'whose backend is another'
like "$(backend_stats)" '^rng0 requests=0 .* maps=0 .* plain=0 failures=[1-9]' 'it saw references, and could map none'
is "$(probe)" '' 'none at all'
no_drivers rng
ok $? 'the driver leaves'
nothing_left
done_testing
