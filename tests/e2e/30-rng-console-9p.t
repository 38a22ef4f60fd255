# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=180
#
# Random numbers; a console and a port beside it, whose driver is built in and so
# has to let go of its device once; files that dom0 shares.

. /payload/lib.sh

PORT=/dev/vport1p1

# device TYPE,OPTIONS: one that can use grants
device()
{
	echo "-device $1,disable-legacy=on,iommu_platform=on"
}

# data FILE: some to send
data()
{
	echo "dd if=/dev/urandom of=$1 bs=33000 count=3 2>/dev/null; md5sum <$1"
}

# QEMU writes to the pipes that end in .out and reads from the others.
mkfifo /run/port.in /run/port.out /run/tty.in /run/tty.out
mkdir /run/share
# shellcheck disable=SC2046
guest_boot -- $(std_rng) \
	$(device virtio-serial-pci,addr=4,max_ports=2) \
	-chardev pipe,id=c0,path=/run/tty -device virtconsole,chardev=c0 \
	-chardev pipe,id=c1,path=/run/port -device virtserialport,chardev=c1 \
	-fsdev local,id=f0,path=/run/share,security_model=none \
	$(device virtio-9p-pci,addr=5,fsdev=f0,mount_tag=share) ||
	bail 'no guest'

load force_grant=1 rebind=1
ok $? 'the module loads, and has the console give up its device'
maps_mark

guest "$(data /tmp/data)" >/tmp/sum
head -c 99000 /run/port.out >/tmp/back &
# The driver makes the file a while before it lets anyone open it.
guest "for i in \$(seq 100); do { cat /tmp/data >$PORT; } 2>/dev/null && exit; usleep 100000; done; exit 1" ||
	bail 'the port cannot be written to'
wait $!
is "$(md5sum </tmp/back)" "$(cat /tmp/sum)" 'what the guest writes to the port comes to dom0'
sum=$(eval "$(data /tmp/data)")
guest "head -c 99000 $PORT >/tmp/back &"
cat /tmp/data >/run/port.in
is "$(guest "while [ \$(wc -c </tmp/back) -lt 99000 ]; do usleep 10000; done; md5sum </tmp/back" 10)" "$sum" \
	'what dom0 writes to the port comes to the guest'

head -n 1 /run/tty.out >/tmp/back &
guest 'exec <>/dev/hvc1; stty raw -echo; echo from the guest >&0'
wait $!
is "$(cat /tmp/back)" 'from the guest' 'a line goes out by the console'
echo 'from dom0' >/run/tty.in
is "$(guest 'head -n 1 /dev/hvc1' 10)" 'from dom0' 'a line comes in'
only_grants 'the console'

guest 'for device in /sys/bus/virtio/drivers/virtio_console/virtio*; do
		echo "${device##*/}" >/sys/bus/virtio/drivers/virtio_console/unbind
	done'
is "$(guest 'cat /sys/kernel/debug/xen_grant_dma/devices')" '' 'without its driver it has no references'

maps_mark
drivers rng
ok $? 'the driver of the random number generator loads'
bytes=$(guest 'cat /sys/class/misc/hw_random/rng_current >&2
	dd if=/dev/hwrng bs=512 count=8 2>/dev/null | od -An -v -tx1 | xargs -n 1 | sort | uniq -c | sort -n')
is "$(echo "$bytes" | awk '{ n += $1 } END { print n }')" 4096 'it gives 4 KiB'
cmp_ok "$(echo "$bytes" | awk 'END { print NR }')" -gt 240 'in which nearly all bytes occur'
cmp_ok "$(echo "$bytes" | awk 'END { print $1 }')" -lt 64 'and none very often'
only_grants 'the random number generator'
no_drivers rng
ok $? 'its driver leaves'

maps_mark
sum=$(eval "$(data /run/share/dom0)")
guest 'modprobe -a 9p 9pnet_virtio && mkdir /tmp/share && mount -t 9p -o trans=virtio share /tmp/share'
ok $? 'the guest mounts what dom0 shares'
is "$(guest 'md5sum </tmp/share/dom0')" "$sum" 'it reads what dom0 wrote'
sum=$(guest "$(data /tmp/share/guest)")
is "$(md5sum </run/share/guest)" "$sum" 'dom0 reads what it wrote'
guest 'mkdir /tmp/share/many && cd /tmp/share/many && for i in 1 2 3 4 5 6 7 8 9; do echo $i >$i; done'
is "$(cd /run/share/many && cat 1 2 3 4 5 6 7 8 9 | xargs)" '1 2 3 4 5 6 7 8 9' 'small files arrive, too'
guest 'umount /tmp/share'
ok $? 'it is unmounted'
only_grants 'the file system'
guest 'rmmod 9p 9pnet_virtio'
ok $? 'its driver leaves'

nothing_left
done_testing
