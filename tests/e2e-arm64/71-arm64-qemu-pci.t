# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 needs=qemu timeout=150
#
# QEMU's virtio-pci behind a host bridge whose iommu-map names, for each function, a
# domain or none: dts/pci.dts.

. /payload/lib.sh
. /payload/fake.sh
. /payload/pci-arm64.sh

# The wait for the module is not to end while we look.
guest_create dtb=pci append=deferred_probe_timeout=100 || bail 'no guest'
# shellcheck disable=SC2046
qemu_start $(qemu_blk pci "$(at 1)") $(qemu_rng pci "$(at 2)") $(qemu_net pci "$(at 3),romfile=") \
	-device pci-bridge,id=first,chassis_nr=1,addr=4 \
	-device pci-bridge,id=second,chassis_nr=2,bus=first,addr=1 \
	$(qemu_rng pci "$(at 6),bus=second") $(qemu_rng pci "$(at 5)") &&
	guest_start || bail 'it does not start'
BRIDGE=/passthrough/pcie@10000000

is "$(guest 'cd /sys/bus/pci/drivers/virtio-pci && echo 0*')" 0000:00:05.0 \
	'without the module only the function has a transport that iommu-map leaves out'
manual_binding
load
ok $? 'the module loads'
transports 5
ok $? 'with it all five have'

# ---- grants to domain 0 ----
bind 00:01.0 virtio_blk && bind 00:03.0 virtio_net && bind 02:06.0 virtio_rng
ok $? 'the drivers of three functions bind'
for function in 00:01.0 00:03.0 02:06.0; do
	is "$(said $function)" "grants to domain 0, by iommu-map of $BRIDGE" "$function: as the tree says"
done
guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=64 2>/dev/null
	dd if=/tmp/data of=/dev/vda bs=64k oflag=direct 2>/dev/null'
ok $? 'the guest writes to its disk'
sum=$(guest 'md5sum </tmp/data | cut -d" " -f1')
is "$(disk_sum 4096)" "$sum" 'dom0 finds on the disk what the guest wrote'
is "$(guest_sum 4096)" "$sum" 'the guest reads it back'
net_up
ok $? 'the network works'
is "$(random 02:06.0)" 4096 'random numbers come, from behind two bridges'
diag "maps: $(maps_grant) of grants, $(maps_foreign) of memory"
only_grants 'all this'

# ---- come and go ----
guest "for i in 1 2 3; do
		echo 0000:02:06.0 >/sys/bus/pci/drivers/virtio-pci/unbind || exit
		echo 0000:02:06.0 >/sys/bus/pci/drivers/virtio-pci/bind || exit
		$(bind_script 02:06.0 virtio_rng) || exit
	done
	for i in 1 2 3; do
		echo 1 >/sys/bus/pci/devices/0000:02:06.0/remove || exit
		echo 1 >/sys/bus/pci/rescan || exit
		$(bind_script 02:06.0 virtio_rng) || exit
	done" 60
ok $? 'transport unbound and bound, function removed and found again, three times each'
is "$(said 02:06.0 | grep -c "^grants to domain 0, by iommu-map of $BRIDGE\$")" 7 'each time by the tree'
is "$(random 02:06.0)" 4096 'it still works'
only_grants 'all this, too'

# ---- no entry ----
unbind 02:06.0 virtio_rng && unbind 00:03.0 virtio_net
maps_mark
bind 00:05.0 virtio_rng
ok $? 'the driver binds of a function that iommu-map leaves out'
is "$(random 00:05.0)" 4096 'it works'
is "$(said 00:05.0)" '' 'the module says nothing of it'
unlike "$(guest 'cat /sys/kernel/debug/xen_grant_dma/devices')" '00:05' 'and does nothing for it'
is "$(maps_grant)" 0 'the backend maps no grants'
cmp_ok "$(maps_foreign)" -gt 0 'but memory'
unbind 00:05.0 virtio_rng

# ---- another domain ----
# QEMU would end at the first ring that is not granted to its domain, so the driver
# is one that gives it none.
fake_load mode=hold also=4
for function in 02:06.0 00:02.0; do
	bind $function xgd_fake
	ok $? "$function: a driver that just maps a buffer binds"
	first=$(fake_first)
	held_pages "$first" rw >/run/held-$function
	seen_pages "$first" >/run/seen-$function
	unbind $function xgd_fake
done
is "$(cat /run/seen-02:06.0)" "$(cat /run/held-02:06.0)" 'its buffer is granted to domain 0'
is "$(said 00:02.0)" "grants to domain 3, by iommu-map of $BRIDGE" "00:02.0: domain 3, as the tree says"
is "$(cat /run/seen-00:02.0)" '' 'and dom0 can map nothing of its buffer'
fake_unload
backend_alive
ok $? 'the backend goes on'
unbind 00:01.0 virtio_blk
ok $? 'the last driver leaves'
nothing_left
done_testing
