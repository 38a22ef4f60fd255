# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the network between dom0 and the guest costs the whole machine, the programs at
# both ends included.

# shellcheck source=tests/bench/bench.sh
. /payload/bench.sh

# The runs of a second each take long.
REPEATS=${REPEATS:-3}
[ -z "$QUICK" ] || REPEATS=1
FEW=64
MANY=1088
BURST=/payload/bin/udp_burst

udp_to_guest()
{
	"$BURST" send "$(guest_ip)" 9 "$1" || bail 'packets to the guest are lost'
}

udp_from_guest()
{
	guest "$BURST send $(host_ip) 9 $1" || bail 'packets from the guest are lost'
}

# udp NAME FUNCTION: as for the disk, a few packets and then many. For each 32 there is
# one back.
udp()
{
	local few i packets=$(((MANY - FEW) * 33 / 32))

	step "network: $1"
	"$2" $FEW
	spent "$2" $FEW
	few=$spent_busy
	for i in $(seq "$REPEATS"); do
		spent "$2" $MANY
		value net "$1" 'instructions per packet' $(((spent_busy - few) / packets))
	done
}

# tcp NAME [-R]: iperf3 always runs for a second; it and its start count, too.
tcp()
{
	local name=$1 i bytes
	shift

	step "network: $name"
	for i in $(seq "$REPEATS"); do
		# The server in the guest is not done at once.
		sleep 1
		spent iperf_run "$@"
		bytes=$(sed -n '/"sum_received"/,/}/s/.*"bytes":[^0-9]*\([0-9]*\).*/\1/p' /run/iperf)
		value net "$name" 'instructions per KiB' $((spent_busy / (bytes >> 10)))
		value net "$name" 'MiB per second' "$(awk "BEGIN { printf \"%.1f\", $bytes / 1048576 / $spent_time * 1e9 }")"
	done
}

iperf_run()
{
	iperf3 -c "$(guest_ip)" -t 1 -J "$@" >/run/iperf || bail "iperf3: $(tail -n 5 /run/iperf)"
}

# pv_net: a card that is served by xen-netback
pv_net()
{
	local vif

	modprobe xen-netback
	guest 'modprobe xen-netfront'
	chmod +x /payload/vif-hotplug
	xl network-attach "$GUEST" script=/payload/vif-hotplug || bail 'no card'
	vif=vif$(guest_id).0
	wait_for 10 [ -e "/sys/class/net/$vif" ] || bail 'no vif'
	ip addr flush dev "tap-$GUEST"
	ip addr add "$(host_ip)/24" dev "$vif"
	ip link set "$vif" up
	wait_for 20 guest '[ -e /sys/class/net/eth0 ]'
}

# shellcheck disable=SC2046
bench_guest $(std_net "$(net_options)")
case $VARIANT in
pv)	pv_net ;;
*)	variant_load; drivers net ;;
esac
net_up || bail 'no network'
memory_idle network
guest "iperf3 -s >/dev/null 2>&1 &
	$BURST receive $(guest_ip) 9 >/dev/null 2>&1 &"
"$BURST" receive "$(host_ip)" 9 &
receiver=$!
sleep 1
udp '64-byte packets to the guest' udp_to_guest
udp '64-byte packets from the guest' udp_from_guest
tcp 'TCP to the guest'
tcp 'TCP from the guest' -R
memory_peak network
kill $receiver
done_testing
