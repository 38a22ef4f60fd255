# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=300
#
# What xl-virtio writes is all that xl needs for virtio over grants: it starts QEMU and
# ends it, also when a guest reboots.

. /payload/lib.sh
. /payload/xl.sh

bridge_up

# ---- what cannot work is said, and nothing is left of it ----
guest_config
config=$(guest_config_file)
truncate -s 1M /run/some.img
cp "$config" /run/hvm.cfg
sed -i 's/"pvh"/"hvm"/' /run/hvm.cfg
echo 'nonsense' >/run/nonsense.cfg
sed 's/^memory = .*/memory = 96/' "$config" >/run/small.cfg
{ cat /run/small.cfg; echo 'max_grant_frames = 48'; } >/run/few.cfg
{ cat "$config"; echo 'device_model_args_pv = [ "-snapshot" ]'; } >/run/args.cfg
before=$(traces_of_guests)
many=$(seq 32 | sed 's/.*/rng/' | xargs)
# shellcheck disable=SC2086
while read -r file expected words; do
	rm -f /run/out.cfg
	said=$(xl-virtio "$file" $(eval echo $words) -o /run/out.cfg 2>&1)
	is "$?, $(echo "$said" | wc -l)" '1, 1' "$words: status 1, one line"
	like "$said" "^xl-virtio: .*$(echo "$expected" | tr _ ' ')" "which says why: $expected"
done <<END
/run/none.cfg		/run/none.cfg_is_not_there	rng
/run/nonsense.cfg	xl_does_not_take_/run/nonsense.cfg	rng
/run/hvm.cfg		only_guests_with_type="pvh"	rng
/run/small.cfg		memory=96_is_too_little:_128,_or_max_grant_frames=48	rng
/run/args.cfg		has_device_model_args_pv=_already	rng
$config			no_device_is_named
$config			unknown_device:_floppy		floppy
$config			/run/none.img_is_not_there	disk=/run/none.img
$config			/run_is_no_file			disk=/run
$config			disk=:_unknown:_rw		disk=/run/some.img,rw
$config			xenbr9_is_no_bridge		net=bridge=xenbr9
$config			lo_is_no_bridge			net=bridge=lo
$config			net=_has_no_bridge=		net=mac=00:16:3e:00:00:01
$config			no_address_of_a_network_card	net=bridge=xenbr0,mac=01:02
$config			/run/none_is_no_folder		9p=/run/none,tag=x
$config			9p=_has_no_tag=			9p=/run
$config			more_than_31_devices		\$many
END
is "$(ls /run/out.cfg* 2>&1 | grep -v 'No such')" '' 'no configuration is written'
xl-virtio /run/few.cfg rng >/run/out
ok $? 'with fewer grant frames there is enough memory'
printf '#!/bin/sh\nsleep 10\n' >/run/xl
chmod +x /run/xl
mkdir -p /run/tmp
TMPDIR=/run/tmp PATH=/run:$PATH setsid xl-virtio "$config" rng -o /run/out.cfg >/dev/null 2>&1 &
pid=$!
wait_for 5 test -e /run/tmp/*/json
kill -INT -- -$pid
wait $pid
is "$(ls /run/tmp /run/out.cfg* 2>/dev/null | xargs)" /run/tmp: 'SIGINT leaves no file'
is "$(traces_of_guests)" "$before" 'nor is there a domain, a QEMU or a network interface more than before'

# ---- two commands ----
guest_xl disk=$DISK net=bridge=xenbr0 rng || bail 'no guest'
like "$(ls /sys/class/net/xenbr0/brif)" '^xenbr0-v0$' 'its network card is in the bridge'
works blk net rng
only_grants 'all this'

said=$(xl-virtio "$config" rng 2>&1)
is "$? $said" '1 xl-virtio: guest runs already' 'a guest that runs is not set up anew'

xl pause guest && xl unpause guest
ok $? 'the guest is paused and unpaused'
works_on

before=$(ls /run/saved* 2>/dev/null)
said=$(xl save guest /run/saved 2>&1)
isnt $? 0 'xl save fails' "$said"
diag "$said"
works_on

# ---- another one beside it ----
(
	GUEST=second
	DISK=/run/second.img
	guest_config
	guest_xl disk=$DISK net=bridge=xenbr0 || exit
	load "backend='*=0'" && drivers blk
) >/run/second.log 2>&1
ok $? 'a second guest runs' "$(cat /run/second.log)"
is "$(pidof xen-qemu-system-i386 | wc -w)" 2 'each has its QEMU'
is "$(ls /sys/class/net/xenbr0/brif | xargs)" 'xenbr0-v0 xenbr0-v1' 'and its place in the bridge'
works_on
is "$(GUEST=second; DISK=/run/second.img; maps_foreign)" 0 'the backend of the second mapped no plain address'

# ---- reboot from inside ----
for i in 1 2 3; do
	id=$(guest_id)
	pid=$(qemu_pid)
	guest 'reboot -f' 1
	wait_for 30 another_domain "$id" && guest_again
	ok $? "reboot $i: there is a new domain"
	isnt "$(qemu_pid)" "$pid" "reboot $i: with a new QEMU"
	is "$(guest 'ls /sys/bus/pci/devices | xargs')" \
		'0000:00:00.0 0000:00:01.0 0000:00:02.0 0000:00:03.0' "reboot $i: the devices are the same"
	works blk
	only_grants "reboot $i"
done

# ---- the ends ----
GUEST=second
xl destroy second
wait_for 10 gone second
ok $? 'the second guest is destroyed'
is "$(ls /sys/class/net/xenbr0/brif | wc -l)" 1 'its network card left with it'
GUEST=guest
works_on

kill -KILL "$(qemu_pid)"
wait_for 10 gone_process "$(qemu_pid)"
like "$(xl list)" '^guest ' 'the guest outlives its QEMU'
xl destroy guest
wait_for 10 gone guest
wait_for 10 no_traces
is "$(traces_of_guests)" Domain-0 'destroyed, there is no domain, no QEMU, no network interface, and no word in xenstore'
done_testing
