# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 needs=qemu timeout=120
#
# QEMU on virtio-mmio: disk, network and random numbers of one guest at the same
# time, over grants, as the tree says.

. /payload/lib.sh

guest_create example=arm-guest.cfg dtb=iommus || bail 'no guest'
# shellcheck disable=SC2046
qemu_start $(qemu_blk device) $(qemu_net device) $(qemu_rng device) && guest_start || bail 'it does not start'
maps_mark
load
ok $? 'the module loads'
drivers blk net rng
ok $? 'the drivers load'
for device in 2000000 2000200 2000400; do
	like "$(guest "dmesg | grep $device.virtio")" \
		"xen_grant_dma: grants to domain 0, by iommus of /passthrough/virtio@$device" "$device: as the tree says"
done
net_up
ok $? 'the network works'

guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=64 2>/dev/null
	dd if=/dev/hwrng of=/tmp/random bs=64 count=64 2>/dev/null &
	dd if=/tmp/data of=/dev/vda bs=64k oflag=direct 2>/dev/null
	wait'
ok $? 'the guest writes to its disk and asks for random numbers'
sum=$(guest 'md5sum </tmp/data | cut -d" " -f1')
is "$(disk_sum 4096)" "$sum" 'dom0 finds on the disk what the guest wrote'
is "$(guest_sum 4096)" "$sum" 'the guest reads it back'
cmp_ok "$(guest 'gzip </tmp/random | wc -c')" -ge 4096 'random numbers came, which do not compress'

guest 'dd if=/dev/vda of=/dev/null bs=128k count=64 iflag=direct 2>/dev/null &'
tcp_works 2048

diag "maps: $(maps_grant) of grants, $(maps_foreign) of memory"
only_grants 'all this'
no_drivers blk net rng
ok $? 'the drivers leave'
nothing_left
done_testing
