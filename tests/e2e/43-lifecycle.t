# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest timeout=150
#
# Load, unload, bind, unbind, in any order, again and again.

. /payload/lib.sh

allow_plain
NAME=$(name_of blk)
read_disk()
{
	guest 'dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null'
}
wait_disk='for i in $(seq 50); do [ -b /dev/vda ] && break; usleep 50000; done; [ -b /dev/vda ]'
references() # that dom0 could map now
{
	probe | wc -l
}

is "$(references)" 0 'at first nothing can be mapped'
memory=$(guest "awk '/MemAvailable/ { print \$2 }' /proc/meminfo")

# ---- load and unload ----
# All that it shows is read meanwhile; where there is wait=, of sixteen domains.
guest "cd /sys/module
	while [ ! -e /tmp/read ]; do
		cat xen_grant_dma/parameters/* /sys/kernel/debug/xen_grant_dma/*
	done >/dev/null 2>&1 &
	for i in \$(seq 50); do
		insmod $(module xen_grant_dma) force_grant=1 wait=$(seq -s , 16) || exit
		until rmmod xen_grant_dma 2>/dev/null; do :; done
	done
	touch /tmp/read
	wait" 60
ok $? 'loaded and unloaded 50 times, read by others meanwhile'

# ---- in use ----
load force_grant=1
drivers blk net rng
like "$(unload 2>&1)" 'unavailable|in use|busy' 'unloading while devices use it is refused'
read_disk
ok $? 'and does no harm'
cmp_ok "$(references)" -gt 10 'their rings can be mapped'

# ---- the driver ----
maps_mark
guest "dmesg -c >/dev/null
	for i in \$(seq 10); do
		echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/unbind || exit
		echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/bind || exit
		$wait_disk || exit
		dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null || exit
	done" 60
ok $? 'the driver unbound and bound 10 times, each time the disk works'
is "$(guest "dmesg | grep -c '$NAME: xen_grant_dma: grants to domain 0'")" 10 'each time one line'
is "$(guest "dmesg | grep xen_grant_dma | grep -vc 'grants to domain'")" 0 'and no other'

# ---- the transport ----
guest "for i in \$(seq 5); do
		echo $NAME >$TRANSPORT_DRIVER/unbind || exit
		echo $NAME >$TRANSPORT_DRIVER/bind || exit
		$wait_disk || exit
		dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null || exit
	done" 60
ok $? 'the transport unbound and bound 5 times'
times=15

# ---- the PCI function itself ----
if [ -z "${TRANSPORT-}" ]; then
	guest "for i in 1 2 3; do
			echo 1 >/sys/bus/pci/devices/$NAME/remove || exit
			echo 1 >/sys/bus/pci/rescan || exit
			$wait_disk || exit
			dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null || exit
		done" 60
	ok $? 'the PCI function removed and found again 3 times'
	times=18
fi
is "$(maps_foreign)" 0 'in all this not one foreign map'
is "$(guest "dmesg | grep -c '$NAME: xen_grant_dma: grants to domain 0'")" $times 'each time by decision'

# ---- the rules, meanwhile ----
guest "(cd /sys/module/xen_grant_dma/parameters
	while [ ! -e /tmp/enough ]; do
		echo '*=0:copy,a=1,b=2,c=none' >backend
		echo 'x=none,*=0:page' >backend
		echo '*=0,,' >backend
		usleep 20000
	done 2>/dev/null
	rm /tmp/enough) &
	for i in \$(seq 5); do
		echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/unbind || exit
		echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/bind || exit
		$wait_disk || exit
		dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null || exit
	done
	touch /tmp/enough; while [ -e /tmp/enough ]; do usleep 10000; done" 60
ok $? 'the rules changed while the driver was unbound and bound 5 times, each time the disk works'
is "$(guest "dmesg | sed -n 's/.*$NAME: xen_grant_dma: //p' | tail -n 5 | grep -vxE 'grants to domain 0, by backend=[*]=0:(copy|page)'")" '' \
	'each time by one rule or the other'

# ---- all goes ----
no_drivers blk net rng
ok $? 'the drivers unload'
is "$(references)" 0 'once they are gone dom0 can map nothing'
is "$(guest 'cat /sys/kernel/debug/xen_grant_dma/devices')" '' 'no device is left'
unload
ok $? 'the module unloads'
maps_mark
drivers blk
read_disk
ok $? 'without it the disk works'
is "$(maps_grant)" 0 'without grants: the DMA operations are as they were'
no_drivers blk

after=$(guest "awk '/MemAvailable/ { print \$2 }' /proc/meminfo")
cmp_ok $((memory - after)) -lt 4096 'less than 4 MiB of memory went somewhere'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
