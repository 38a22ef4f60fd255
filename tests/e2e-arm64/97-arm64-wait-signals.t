# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=150
#
# By which a domain tells that it is ready: an event channel, xenstore, and the
# parameter at the worst of all moments. The guest has two processors, and eight
# devices of eight domains, which dom0 all plays, behind two nodes.

. /payload/lib.sh
. /payload/wait-arm64.sh

devices=
for n in 0 1 2 3 4 5 6 7; do
	devices="$devices --device rng,base=0x$(printf %x $((0x2000000 + n * 0x200))),irq=$((33 + n))"
done

guest_create dtb=eight-backends vcpus=2 && guest_start || bail 'no guest'
signal_open
key=/local/domain/$(guest_id)/data/virtio-ready

# ---- too early, and wrong ----
xenstore-write "$key/1" 0
load "wait=0:$PORT,1,2:$((PORT + 40)),3,4,5,6,7"
guest 'modprobe virtio_mmio'
is "$(deferred | wc -l)" 8 'all devices wait'
like "$(guest dmesg)" "xen_grant_dma: event channel $((PORT + 40)) does not lead to domain 2: " 'an event channel that is not there is reported'
signal_send
wait_for 10 guest "dmesg | grep 'event channel $PORT: an event, but domain 0 does not serve this guest: ignored'"
ok $? 'an event before there is a backend is ignored'
xenstore-write "$key/1" yes
is "$(deferred | wc -l)" 8 'so is a key that is not 1'

# ---- in time ----
# shellcheck disable=SC2086
backend_start $devices || bail 'no backend'
is "$(deferred | wc -l)" 8 'a backend alone changes nothing'
signal_send
is_up 2000000.virtio
ok $? 'the event channel makes a device come up'
is "$(domain 0 signal)" "event channel $PORT" 'as debugfs says'
is "$(deferred | wc -l)" 7 'just this one'
xenstore-write "$key/1" 1
is_up 2000200.virtio
ok $? 'xenstore makes the next come up'
is "$(domain 1 signal)" 'xenstore data/virtio-ready/1' 'as debugfs says'
is "$(deferred | wc -l)" 6 'just this one'
guest 'for n in 2 3 4 5 6 7; do echo $n >/sys/module/xen_grant_dma/parameters/ready; done'
is_up 2000e00.virtio
ok $? 'the parameter does for the last'
guest 'rmmod virtio_mmio && rmmod xen_grant_dma'
ok $? 'the drivers leave'

# ---- before the module is there ----
signal_send
load "wait=0:$PORT,1"
guest 'modprobe virtio_mmio'
is_up 2000000.virtio && is_up 2000200.virtio
ok $? 'what was told before the load, in both ways, counts'
guest 'rmmod virtio_mmio && rmmod xen_grant_dma'
ok $? 'the drivers leave'

# ---- at the same time as the probe ----
# One processor probes a device while the other says that its domain is ready. What
# came too late for the probe must wake the device.
guest '
	delay() { left=$(($1)); while [ $left -gt 0 ]; do left=$((left - 1)); done; }
	modprobe virtio_mmio
	dmesg -c >/dev/null
	for try in $(seq 12); do
		(cd /sys/bus/platform/drivers/virtio-mmio && for n in 0 2 4 6 8 a c e; do
			echo 2000${n}00.virtio >unbind
		done)
		insmod /payload/stable/xen_grant_dma.ko wait=0,1,2,3,4,5,6,7
		m=0
		for n in 0 2 4 6 8 a c e; do
			(delay $try*20; echo $m >/sys/module/xen_grant_dma/parameters/ready) &
			delay 80
			echo 2000${n}00.virtio >/sys/bus/platform/drivers_probe
			m=$((m + 1))
		done 2>/dev/null
		wait
		for i in $(seq 60); do
			[ $(ls -d /sys/bus/platform/devices/2000?00.virtio/virtio* | wc -l) -eq 8 ] && break
			usleep 50000
		done
		ls -d /sys/bus/platform/devices/2000?00.virtio/virtio* | wc -l
		rmmod xen_grant_dma || exit
	done >/tmp/race 2>/tmp/race-errors' 120
ok $? 'a probe and a signal at the same time, 12 times with 8 devices'
is "$(guest 'sort /tmp/race | uniq -c | tr -s " "')" ' 12 8' 'no device is left behind'
waited=$(guest 'dmesg | grep -c "waits until"')
diag "$waited of 96 probes came before the signal"
cmp_ok "$waited" -gt 9 'some probes came before the signal'
cmp_ok "$waited" -lt 87 'some came after it'

signal_close
clean_dmesg 'the kernel has nothing to complain of'
done_testing
