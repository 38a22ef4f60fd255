# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 needs=qemu timeout=120
#
# What iommu-map says of PCI functions, right and wrong, is followed, or the device
# does not come up. Functions of a device share an entry, as iommu-map-mask says.

. /payload/lib.sh
. /payload/fake.sh
. /payload/pci-arm64.sh

guest_create dtb=pci-decisions || bail 'no guest'
devices=
for function in 1.0,multifunction=on 1.1 2 3 4 5; do
	devices="$devices $(qemu_rng pci "$(at $function)")"
done
# shellcheck disable=SC2086
qemu_start $devices && guest_start || bail 'it does not start'
BRIDGE=/passthrough/pcie@10000000

manual_binding
load
transports 6
ok $? 'six functions have a transport'
maps_mark
bind 00:01.1 virtio_rng
is "$(said 00:01.1)" "grants to domain 0, by iommu-map of $BRIDGE" 'the second function of a device uses the entry of the first'
is "$(random 00:01.1)" 4096 'and works'
unbind 00:01.1 virtio_rng
bind 00:02.0 virtio_rng
is "$(said 00:02.0)" "grants to domain 0, by iommu-map of $BRIDGE" 'an entry may name another node'
is "$(random 00:02.0)" 4096 'the function works'
only_grants 'all this'

for function in 00:03.0 00:04.0; do
	bind $function virtio_rng >/dev/null
	ok "$(not $?)" "$function: the driver does not bind"
	like "$(guest "cat /sys/bus/pci/devices/0000:$function/virtio*/status")" '^0x0*8' 'the device has not come up'
done
is "$(said 00:03.0)" "refused: iommu-map of $BRIDGE says 32752, which is not the id of a domain" 'an id that no domain has'
is "$(said 00:04.0)" 'refused: /passthrough/iommu-disabled is disabled' 'a node that is disabled'
is "$(maps_foreign)" 0 'and no plain address was used'

fake_load mode=hold also=4
bind 00:05.0 xgd_fake
is "$(said 00:05.0)" "grants to domain 7, by iommu-map of $BRIDGE" 'the id counts up within an entry'
first=$(fake_first)
cmp_ok "$first" -gt 0 'it holds a buffer'
is "$(seen_pages "$first")" '' 'dom0 can map nothing that was granted to another'
unbind 00:05.0 xgd_fake
unbind 00:02.0 virtio_rng

# ---- what overrides the tree ----
guest 'rmmod xgd_fake && rmmod xen_grant_dma && dmesg -c >/dev/null'
load force_grant=1 "backend='00:03.0=0,00:01.0=none'"
bind 00:03.0 virtio_rng
is "$(said 00:03.0)" 'grants to domain 0, by backend=00:03.0=0' 'backend= overrides a wrong entry'
is "$(random 00:03.0)" 4096 'and the function works'
bind 00:01.0 virtio_rng
is "$(said 00:01.0)" 'no grants: backend=00:01.0=none' 'or a right one'
unbind 00:01.0 virtio_rng
unbind 00:03.0 virtio_rng
nothing_left
done_testing
