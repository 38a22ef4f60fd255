# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest timeout=150
#
# A network over grants: packets of all sizes, and TCP both ways. The data have
# checksums of their own, as those of TCP are left out between guest and dom0.

. /payload/lib.sh

# pings SIZE...: each so many bytes with its headers; those that are lost
pings()
{
	local size

	for size; do
		ping -q -c 2 -i 0.1 -W 3 -s $((size - 28)) "$(guest_ip)" >/dev/null || echo "$size"
	done
}

load force_grant=1
ok $? 'the module loads'
drivers net
ok $? 'the driver loads'
maps_mark
net_up
ok $? 'dom0 reaches the guest'

# In pieces of 1500 bytes ...
is "$(pings 64 65 127 128 511 512 1023 1499 1500 1501 4096 4097 9000 16384 32768 65535)" '' \
	'packets of 64 bytes to 64 KiB get through'
# ... and in one.
guest 'ip link set eth0 mtu 65521' && ip link set "tap-$GUEST" mtu 65521
ok $? 'frames can be as long as packets'
is "$(pings 4095 4096 4097 16384 32768 65521)" '' 'packets that are not cut get through'
guest 'ip link set eth0 mtu 1500' && ip link set "tap-$GUEST" mtu 1500

tcp_works 1024

guest 'iperf3 -s -1 >/tmp/iperf 2>&1 &'
wait_for 20 iperf3 -c "$(guest_ip)" --bidir -t 2
ok $? 'the network bears some load'

only_grants 'all this'
is "$(counter failed) $(counter refused)" '0 0' 'no mapping failed'
no_drivers net
ok $? 'the driver leaves'
nothing_left
done_testing
