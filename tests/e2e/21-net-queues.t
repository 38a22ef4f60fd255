# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=240
#
# Two processors, each with a queue of its own to the disk and the network: both are
# at work at a time.

. /payload/lib.sh

# both COMMAND COMMAND: on the first and on the second processor, at a time
both()
{
	guest "taskset -c 0 sh -c '$1' & first=\$!; taskset -c 1 sh -c '$2' && wait \$first"
}

# busy NAME: which interrupts of this name come in numbers
busy()
{
	guest "awk '\$NF ~ /$1/ && \$2 + \$3 > 5 { print \$NF }' /proc/interrupts | xargs"
}

# QEMU makes a tap with several queues itself.
# shellcheck disable=SC2046
guest_boot vcpus=2 -- $(std_blk num-queues=2) \
	-netdev tap,id=n0,ifname=tap-queues,queues=2,script=no,downscript=no \
	-device virtio-net-pci,netdev=n0,mq=on,vectors=6,disable-legacy=on,iommu_platform=on,addr=2,romfile= ||
	bail 'no guest'
ip link del "tap-$GUEST"
ip addr add "$(host_ip)/24" dev tap-queues
ip link set tap-queues up

load force_grant=1
ok $? 'the module loads'
drivers blk net
ok $? 'the drivers load'
maps_mark

guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null'
sum=$(guest 'md5sum </tmp/data')
both 'dd if=/tmp/data of=/dev/vda bs=16k oflag=direct 2>/dev/null' \
	'dd if=/tmp/data of=/dev/vda bs=16k oflag=direct seek=64 2>/dev/null'
ok $? 'both processors write to the disk'
is "$(disk_sum 1024)  -" "$sum" 'dom0 finds what the first wrote'
is "$(disk_sum 1024 1024)  -" "$sum" 'and what the second wrote'
is "$(both 'dd if=/dev/vda bs=16k count=64 skip=64 iflag=direct 2>/dev/null | md5sum' \
	'dd if=/dev/vda bs=16k count=64 iflag=direct 2>/dev/null | md5sum')" "$sum
$sum" 'each reads what the other wrote'
is "$(busy 'virtio0-req')" 'virtio0-req.0 virtio0-req.1' 'both queues of the disk were used'

net_up
ok $? 'the network works'
eval "$(receive 1 /tmp/1) &"
eval "$(receive 2 /tmp/2) &"
both "nc $(host_ip) 1 </tmp/data" "nc $(host_ip) 2 </tmp/data"
ok $? 'both processors send by TCP'
is "$(md5sum </tmp/1)" "$sum" 'dom0 gets what the first sent'
is "$(md5sum </tmp/2)" "$sum" 'and what the second sent'
is "$(busy 'virtio1-output')" 'virtio1-output.0 virtio1-output.1' 'both queues out were used'
guest "for cpu in 0 1; do taskset -c \$cpu ping -q -c 10 -A $(host_ip); done" >/dev/null
is "$(busy 'virtio1-input')" 'virtio1-input.0 virtio1-input.1' 'both queues in, too'

only_grants 'all this'
is "$(counter failed) $(counter refused)" '0 0' 'no mapping failed'
no_drivers blk net
ok $? 'the drivers leave'
nothing_left
done_testing
