# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=150
#
# What a device may have is limited: it gets along with less, and the others get
# theirs.

. /payload/lib.sh
. /payload/fake.sh

# ---- a disk that wants more than it may have ----
# 32 requests at a time, or a slow kernel has done one before the last comes.
load "backend='*=0'" max_refs=1024 bounce_kb=1024
drivers blk
guest 'dmesg -c >/dev/null; fio --name=limits --filename=/dev/vda --rw=randwrite --bs=124k --iodepth=32 --iodepth_batch=32 \
	--ioengine=libaio --direct=1 --size=32m --verify=crc32c --iomem_align=512 --group_reporting \
	>/tmp/fio.log 2>&1' 100
ok $? 'requests that are too many at a time are done, and verified' "$(guest 'tail -n 5 /tmp/fio.log')"
cmp_ok "$(counter failed)" -gt 0 'some mappings failed on the way'
cmp_ok "$(counter references_max)" -le 1024 'the device never had more references than it may'
like "$(guest dmesg)" 'xen_grant_dma: .* (raise max_refs= if this goes on|raise bounce_kb= if this goes on)' \
	'the log says which limit that was'
cmp_ok "$(guest 'dmesg | grep -c "if this goes on"')" -le 30 'not each time'
no_drivers blk
unload

# hoard: a device that takes all references it can get, and then a read of the disk
hoard()
{
	fake_load mode=hoard
	guest 'cd /run; rm -f sum done; { dd if=/dev/vda bs=64k count=8 iflag=direct 2>/dev/null | md5sum >sum
		echo >done; } >/dev/null 2>&1 &'
	guest 'for i in $(seq 30); do [ -e /run/done ] && exit; usleep 100000; done; exit 1'
}

# pv_net: a network card that is served by xen-netback; Xen's script for it would want a
# whole distribution
pv_net()
{
	local vif

	modprobe xen-netback
	guest 'modprobe xen-netfront'
	cat >/run/vif-hotplug <<-'END'
		#!/bin/sh
		[ "$1" != online ] || xenstore-write "$XENBUS_PATH/hotplug-status" connected
	END
	chmod +x /run/vif-hotplug
	xl network-attach "$GUEST" script=/run/vif-hotplug || return
	vif=vif$(guest_id).0
	wait_for 10 [ -e "/sys/class/net/$vif" ] || return
	ip addr flush dev "tap-$GUEST"
	ip addr add "$(host_ip)/24" dev "$vif"
	ip link set "$vif" up
	wait_for 20 guest '[ -e /sys/class/net/eth0 ]'
	guest "ip addr add $(guest_ip)/24 dev eth0; ip link set eth0 up"
	wait_for 20 guest "ping -c 1 -W 1 $(host_ip)"
}

# ---- a device that takes all it can get ----
load "backend='*=0'"
drivers blk
sum=$(disk_sum 512)
hoard
ok $? 'beside a device that takes all references it may have the disk works'
is "$(guest 'cut -c1-32 /run/sum')" "$sum" 'and gives the right data'
fake_unload
no_drivers blk
unload

# ---- the control: no limit but the table's ----
load "backend='*=0'" max_refs=32768
drivers blk
hoard
isnt $? 0 'without a limit the disk waits'
guest 'timeout 20 dd if=/dev/xvdb of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null'
ok $? 'but a PV disk does not: some references are kept for it'
pv_net
guest "ping -c 5 -s 30000 $(host_ip) >/dev/null"
ok $? 'nor does a PV network card that comes only now' "$(guest 'dmesg | tail -n 5')"
xl network-detach "$GUEST" 0
wait_for 10 [ ! -e "/sys/class/net/vif$(guest_id).0" ]
like "$(guest dmesg)" 'xen_grant_dma: no [0-9]+ more grant references for domain 0: all devices may have 28672, .*max_grant_frames' \
	'the log says what to raise'
fake_unload
guest 'for i in $(seq 100); do [ -e /run/done ] && exit; usleep 100000; done; exit 1'
ok $? 'until the other device has given back what it took'
is "$(guest 'cut -c1-32 /run/sum')" "$sum" 'and nothing is lost'
no_drivers blk
nothing_left
done_testing
