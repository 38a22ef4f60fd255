# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=2400
#
# For ten minutes fio on a disk and iperf3 on a network, which both check their data,
# while other devices come and go, QEMU plugs a disk in and out, something takes all
# references it may have, and the module is loaded anew.

. /payload/lib.sh
. /payload/fake.sh
. /payload/plug.sh

MINUTES=10
ROUND=60	# seconds, after which the module is loaded anew

begin()
{
	load "backend='*=0'" && drivers blk net rng && net_up || return
	guest "cd /run; rm -f stop fio net; {
		while [ ! -e stop ]; do
			fio --name=stress --filename=/dev/vda --rw=randrw --bssplit=512/20:4k/40:64k/20:128k/20 \
				--iodepth=16 --ioengine=io_uring --direct=1 --size=2m --offset_increment=1m \
				--verify=crc32c --verify_fatal=1 --randseed=\$\$ >fio.log 2>&1 || { echo bad >>fio; break; }
			echo good >>fio
		done; } >/dev/null 2>&1 &
		iperf3 -s -D >/dev/null 2>&1
		while [ ! -e stop ]; do
			echo virtio2 >/sys/bus/virtio/drivers/virtio_rng/unbind
			echo virtio2 >/sys/bus/virtio/drivers/virtio_rng/bind
			timeout 60 dd if=/dev/hwrng of=/dev/null bs=64 count=4 2>/dev/null && echo good >>rng || echo bad >>rng
			[ -b /dev/vdb ] && dd if=/dev/vdb of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null && echo good >>plug
			insmod /payload/stable/xgd_fake.ko mode=hoard && rmmod xgd_fake && echo good >>hoard || echo bad >>hoard
		done >/dev/null 2>&1 &"
}

end()
{
	guest 'touch /run/stop; for i in $(seq 300); do [ -z "$(pidof fio)" ] && [ ! -e /sys/module/xgd_fake ] && break
		usleep 200000; done; sleep 2; killall iperf3; cat /run/fio >>/run/fio.all; true' 100
	no_drivers blk net rng && unload
}

# Goes on through all rounds. The guest takes some 6 s for each.
plug()
{
	while [ ! -e /run/plug.stop ]; do
		device_add >>/run/qmp && echo in >>/run/plugged
		sleep 9
		device_del >>/run/qmp && echo out >>/run/plugged
		sleep 9
	done
}

# shellcheck disable=SC2046
plug_boot $(std_blk) $(std_net) $(std_rng) || bail 'no guest'
plug &
started=$(seconds)
rounds=0 bytes=0 memory=
while [ $(($(seconds) - started)) -lt $((MINUTES * 60)) ]; do
	begin || { ok 1 'all comes up'; break; }
	until=$(($(seconds) + ROUND))
	while [ "$(seconds)" -lt $until ]; do
		timeout 60 iperf3 -c "$(guest_ip)" --bidir -b 4M -t 10 --connect-timeout 5000 -J >/run/iperf 2>&1
		sent=$(awk '/"sum_received"/ { on = 1 } on && /"bytes"/ { gsub(/[^0-9]/, ""); print; exit }' /run/iperf)
		bytes=$((bytes + ${sent:-0}))
	done
	rounds=$((rounds + 1))
	end || { ok 1 "round $rounds: all goes" "$(guest 'lsmod; cat /sys/kernel/debug/xen_grant_dma/devices')"; break; }
	is "$(probe | wc -l)" 0 "round $rounds: dom0 can map nothing"
	memory=${memory:-$(memory_free)}
done
touch /run/plug.stop
wait $!
diag "disk plugged $(sort /run/plugged | uniq -c | xargs), read $(guest 'grep -c good /run/plug') times"
diag "$rounds times loaded; fio runs: $(guest 'sort /run/fio.all | uniq -c' | xargs); rng bound: $(
	guest 'sort /run/rng | uniq -c' | xargs); all references taken: $(guest 'sort /run/hoard | uniq -c' | xargs); iperf3: $bytes bytes one way"
is "$(guest 'grep -c bad /run/fio.all /run/rng /run/hoard')" '/run/fio.all:0
/run/rng:0
/run/hoard:0' 'nothing went wrong'
cmp_ok "$(guest 'grep -c good /run/fio.all')" -ge "$rounds" 'fio has verified its data again and again'
cmp_ok "$bytes" -gt 1000000 'iperf3 has sent data'
cmp_ok "$(guest 'grep -c good /run/plug')" -ge "$rounds" 'the disk that QEMU plugs in was read'
cmp_ok "$(grep -c out /run/plugged)" -ge "$rounds" 'and taken away, again and again'
now=$(memory_free)
diag "MemFree after the first round: $memory KiB, now $now KiB"
cmp_ok $((memory - now)) -lt 4096 'less than 4 MiB of memory went somewhere'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
