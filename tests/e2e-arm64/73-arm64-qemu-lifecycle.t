# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=guest needs=qemu timeout=150
#
# Unbind and bind drivers and transports, and remove the module, while QEMU holds the
# rings: it lets go of them some time after the reset.

. /payload/lib.sh

backend_kill TERM
# shellcheck disable=SC2046
qemu_start $(qemu_blk device) $(qemu_net device) $(qemu_rng device) || bail 'no backend'

wait_disk='for i in $(seq 50); do [ -b /dev/vda ] && break; usleep 50000; done; [ -b /dev/vda ]'
read_disk='dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null'

# late_most COMMAND: run it in the guest; the highest late_total that was to be seen
late_most()
{
	guest "touch /run/looking
		(while [ -e /run/looking ]; do
			grep -hs late_total /sys/kernel/debug/xen_grant_dma/devices
		done >/run/late) &
		$1
		status=\$?
		rm /run/looking
		wait
		[ \$status -eq 0 ] || exit \$status
		sort -k2n /run/late | awk 'END { print \$2 + 0 }'"
}

load "'backend=*=0'"
drivers blk net rng || bail 'no drivers'
late=$(late_most 'rmmod virtio_blk')
ok $? 'the driver leaves'
cmp_ok "$late" -gt 0 'QEMU still held rings of it, which was counted'
late=$(late_most 'rmmod virtio_net')
cmp_ok "$late" -gt 0 'likewise with the network'
no_drivers rng
ok $? 'the last driver leaves'
nothing_left

load "'backend=*=0'"
maps_mark
drivers blk net rng || bail 'no drivers'
guest "for i in 1 2 3 4 5; do
		echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/unbind || exit
		echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/bind || exit
		$wait_disk || exit
		$read_disk || exit
	done" 60
ok $? 'the driver unbound and bound 5 times, each time the disk works'
guest "cd /sys/bus/platform/drivers/virtio-mmio
	for i in 1 2 3 4 5; do
		for device in *.virtio; do
			echo \$device >unbind || exit
			echo \$device >bind || exit
		done
		$wait_disk || exit
		$read_disk || exit
	done" 60
ok $? 'all transports unbound and bound 5 times'
guest "for i in 1 2 3; do
		rmmod virtio_blk && rmmod virtio_net && rmmod virtio_rng || exit
		rmmod xen_grant_dma || exit
		insmod /payload/stable/xen_grant_dma.ko 'backend=*=0' || exit
		modprobe -a virtio_blk virtio_net virtio_rng || exit
		$wait_disk || exit
		$read_disk || exit
	done" 60
ok $? 'the module removed and loaded 3 times'
net_up
ok $? 'the network works'
guest 'dd if=/dev/urandom of=/dev/vda bs=64k count=16 oflag=direct 2>/dev/null'
is "$(guest_sum 1024)" "$(disk_sum 1024)" 'what the guest writes is on the disk'
diag "maps: $(maps_grant) of grants, $(maps_foreign) of memory"
only_grants 'all this'
no_drivers blk net rng
ok $? 'the drivers leave'
nothing_left
done_testing
