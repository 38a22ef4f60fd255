# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 needs=qemu timeout=120
#
# What iommu-map says of PCI functions, right and wrong, is followed, or the device
# does not come up. Functions of a device share an entry, as iommu-map-mask says.
# What can be meant in two ways is followed and told; what has no meaning for PCI, but
# speaks of grants, is refused.

. /payload/lib.sh
. /payload/fake.sh
. /payload/pci-arm64.sh

guest_create dtb=pci-decisions || bail 'no guest'
devices=
for function in 1.0,multifunction=on 1.1 2 3 4 5 6 7; do
	devices="$devices $(qemu_rng pci "$(at $function)")"
done
# shellcheck disable=SC2086
qemu_start $devices && guest_start || bail 'it does not start'
BRIDGE=/passthrough/pcie@10000000

manual_binding
load
transports 8
ok $? 'eight functions have a transport'
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
is "$(said 00:05.0)" "iommu-map of $BRIDGE counts up to domain 9 for ID 0x28: that entry begins with domain 1 for ID 0x20; if this one is meant for all, write an entry of length 1 for each function
grants to domain 9, by iommu-map of $BRIDGE" 'the id counts up within an entry, which is told'
first=$(fake_first)
cmp_ok "$first" -gt 0 'it holds a buffer'
is "$(seen_pages "$first")" '' 'dom0 can map nothing that was granted to another'
unbind 00:05.0 xgd_fake
unbind 00:02.0 virtio_rng
bind 00:05.0 xgd_fake
is "$(said 00:05.0 | wc -l)" 3 'which is told once for this map'
unbind 00:05.0 xgd_fake
bind 00:07.0 virtio_rng
is "$(said 00:07.0)" "iommu-map of $BRIDGE has entries for ID 0x38 that do not agree, <0x38 ... 0x0 1> and <0x38 ... 0x3 1>: the first counts
grants to domain 0, by iommu-map of $BRIDGE" 'entries that do not agree are told, and the first counts'
is "$(random 00:07.0)" 4096 'the function works'
unbind 00:07.0 virtio_rng
bind 00:06.0 virtio_rng
is "$(said 00:06.0)" "no grants: 0xffffffff in iommu-map of $BRIDGE" 'an id that stands for no grants'
unbind 00:06.0 virtio_rng

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
guest_destroy

# ---- iommus where iommu-map should be ----
guest_create dtb=pci-iommus || bail 'no second guest'
# shellcheck disable=SC2046
qemu_start $(qemu_rng pci "$(at 1)") $(qemu_rng pci "$(at 2)") && guest_start || bail 'it does not start'
manual_binding
load
transports 2
ok $? 'two functions have a transport'
maps_mark
for function in 00:01.0 00:02.0; do
	bind $function virtio_rng >/dev/null
	ok "$(not $?)" "$function: the driver does not bind"
done
write='means grants, but a PCI function gets them by iommu-map of its host bridge: write iommu-map ='
is "$(said 00:01.0)" "refused: iommus of $BRIDGE $write <0x8 PROVIDER DOMID 1> to $BRIDGE" 'the host bridge has iommus and no iommu-map'
is "$(said 00:02.0)" "refused: iommus of $BRIDGE/function@2,0 $write <0x10 PROVIDER DOMID 1> to $BRIDGE" 'a function has iommus'
is "$(maps_grant) $(maps_foreign)" '0 0' 'the backend mapped nothing'
unload
load "backend='00:01.0=0,*=none'"
bind 00:01.0 virtio_rng
is "$(random 00:01.0)" 4096 'backend= overrides that, too'
only_grants 'this'
unbind 00:01.0 virtio_rng
nothing_left
done_testing
