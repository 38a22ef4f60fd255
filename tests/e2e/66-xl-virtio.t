# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=400
#
# What xl-virtio writes is all that xl needs for virtio over grants: it starts QEMU and
# ends it, also when a guest reboots.

. /payload/lib.sh
. /payload/xl.sh

bridge_up

# ---- what cannot work is said, and nothing is left of it ----
guest_config example=guest.cfg
config=$(guest_config_file)
truncate -s 1M /run/some.img
cp "$config" /run/hvm.cfg
sed -i 's/"pvh"/"hvm"/' /run/hvm.cfg
echo 'nonsense' >/run/nonsense.cfg
sed 's/^memory = .*/memory = 96/' "$config" >/run/small.cfg
sed 's/^memory = .*/memory = 600000/' "$config" >/run/huge.cfg
{ cat /run/small.cfg; echo 'max_grant_frames = 48'; } >/run/few.cfg
{ cat "$config"; echo 'device_model_args_pv = [ "-snapshot" ]'; } >/run/args.cfg
before=$(traces_of_guests)
many=$(seq 32 | sed 's/.*/rng/' | xargs)
# shellcheck disable=SC2086
while read -r file expected words; do
	rm -f /run/out.cfg
	said=$(xl-virtio "$file" $(eval echo $words) -o /run/out.cfg 2>&1)
	is "$?, $(echo "$said" | wc -l)" '1, 1' "$words: status 1, one line"
	like "$said" "^xl-virtio: .*$(echo "$expected" | tr '~' ' ')" "which says why: $(echo "$expected" | tr '~' ' ')"
done <<END
/run/none.cfg		/run/none.cfg~is~not~there		rng
/run/nonsense.cfg		xl~does~not~take~/run/nonsense.cfg		rng
/run/hvm.cfg		only~guests~with~type="pvh"		rng
/run/small.cfg		memory=96~is~too~little:~128,~or~max_grant_frames=48		rng
/run/huge.cfg		memory=600000~is~too~much:~523264~at~most		rng
/run/args.cfg		has~device_model_args_pv=~already		rng
$config		no~device~is~named
$config		unknown~device:~floppy		floppy
$config		/run/none.img~is~not~there		disk=/run/none.img
$config		/run~is~no~file		disk=/run
$config		disk=:~unknown:~rw		disk=/run/some.img,rw
$config		xenbr9~is~no~bridge		net=bridge=xenbr9
$config		lo~is~no~bridge		net=bridge=lo
$config		net=~has~no~bridge=		net=mac=00:16:3e:00:00:01
$config		no~address~of~a~network~card		net=bridge=xenbr0,mac=01:02
$config		/run/none~is~no~folder		9p=/run/none,tag=x
$config		9p=~has~no~tag=		9p=/run
$config		more~than~31~devices		\$many
$config		QEMU~ends~when~virtio-scsi~is~given~a~grant		rng -- -device virtio-scsi-pci,addr=5
END
is "$(ls /run/out.cfg* 2>&1 | grep -v 'No such')" '' 'no configuration is written'
xl-virtio /run/few.cfg rng >/run/out
ok $? 'with fewer grant frames there is enough memory'
printf '#!/bin/sh\nsleep 2\n' >/run/xl
chmod +x /run/xl
mkdir /run/tmp
TMPDIR=/run/tmp PATH=/run:$PATH timeout -s INT 1 xl-virtio "$config" rng -o /run/out.cfg 2>/dev/null
is $? 130 'SIGINT ends it'
is "$(ls -d /run/tmp/* /run/out.cfg* 2>/dev/null)" '' 'and leaves no file'
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

# ---- another one beside it, with tables from outside and devices of all kinds ----
mkdir /run/shared
(
	GUEST=second
	DISK=/run/second.img
	guest_config
	ramdisk=$(sed -n 's/.*ramdisk = "\(.*\)"/\1/p' "$(guest_config_file)")
	xl-virtio "$(guest_config_file)" rng tables -o /run/out.cfg
	tail -c +$(($(xl-virtio tables | wc -c) + 1)) "$ramdisk" >/run/ramdisk
	sed -i 's,ramdisk = .*,ramdisk = "/run/ramdisk",' "$(guest_config_file)"
	echo 'from outside' >/run/shared/file
	guest_xl disk=$DISK,format=raw net=bridge=xenbr0,mac=00:16:3e:00:00:07 9p=/run/shared,tag=x,ro \
		console=/run/second.socket gpu,vnc=unix:/run/second.vnc keyboard tablet keep tables || exit
	# The console's driver is built in: it had its device, plain, before the module came.
	maps_mark
	load rebind=1 && drivers blk net || exit
	guest 'ls /sys/bus/pci/devices | wc -l; cat /sys/class/net/eth0/address
		modprobe 9pnet_virtio; modprobe 9p; mkdir /tmp/x; mount -t 9p -o trans=virtio x /tmp/x; cat /tmp/x/file'
) >/run/second.log 2>&1
ok $? 'a second guest runs' "$(cat /run/second.log)"
is "$(tail -n 3 /run/second.log | xargs)" '8 00:16:3e:00:00:07 from outside' \
	'with seven devices, the address of its network card, and a folder'
like "$(cat /run/second.log)" '^xl-virtio: .* has the tables already' 'a ramdisk gets the tables once'
is "$(ls -d /run/second.socket /run/second.vnc | wc -l)" 2 'QEMU listens for its console and its screen'
is "$(pidof xen-qemu-system-i386 | wc -w)" 2 'each has its QEMU'
is "$(ls /sys/class/net/xenbr0/brif | xargs)" 'xenbr0-v0 xenbr0-v1' 'and its place in the bridge'
works_on
like "$(cat "/proc/$(GUEST=second; qemu_pid)/maps")" libxgd-keep 'it has the library that keeps what it maps'
is "$(xenstore-ls "/local/domain/$(GUEST=second; guest_id)/data/virtio-grants" | grep -c '0:copy')" 7 \
	'and its guest is told so, for each device'
is "$(GUEST=second; maps_foreign)" 0 'since the module is there the backend of the second maps no plain address'

# ---- reboot from inside ----
for i in 1 2; do
	id=$(guest_id)
	pid=$(qemu_pid)
	guest 'reboot -f' 5
	wait_for 60 another_domain "$id" && guest_again
	ok $? "reboot $i: there is a new domain" || bail 'no new domain'
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
