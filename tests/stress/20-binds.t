# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=2400
#
# A driver bound and unbound a thousand times, each time with some work.

. /payload/lib.sh

load "backend='*=0'"
drivers blk rng
references=$(counter references)
memory=$(memory_free)
slab=$(guest "awk '/^Slab/ { print \$2 }' /proc/meminfo")
guest 'dmesg -n 1; cd /sys/bus/virtio/drivers/virtio_rng || exit
	rng=$(echo virtio*)
	for i in $(seq 1000); do
		echo "$rng" >unbind && echo "$rng" >bind || exit
		dd if=/dev/hwrng of=/dev/null bs=64 count=1 2>/dev/null || exit
		echo $i >/run/cycles
	done' 1800
ok $? 'bound a thousand times'
diag "$(guest 'cat /run/cycles') cycles"
cmp_ok "$(counter references)" -le "$references" 'there are no more references in use than before'
now=$(memory_free)
diag "MemFree: $memory KiB, now $now KiB; slab: $slab KiB, now $(guest "awk '/^Slab/ { print \$2 }' /proc/meminfo") KiB"
cmp_ok $((memory - now)) -lt 4096 'less than 4 MiB of memory went somewhere'
is "$(maps_foreign)" 0 'the backend never saw a plain address'
no_drivers blk rng
nothing_left
done_testing
