# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest also=newest timeout=300
#
# A backend that completes requests before it serves them, twice, under wrong names,
# or with wrong lengths. The device may stop; the guest goes on, and once the driver
# is bound anew the device works. Nothing that was granted is left behind.

. /payload/lib.sh
. /payload/own.sh
. /payload/attack.sh

# use DEVICE: a command that makes the driver use its device, and ends in time
use()
{
	case $1 in
	blk)	echo 'timeout 2 dd if=/dev/vda of=/dev/null bs=4k count=8 iflag=direct 2>&1 | tail -n 1' ;;
	net)	echo "timeout 2 ping -q -c 3 -i 0.2 -W 1 $(host_ip) 2>&1 | grep transmitted" ;;
	rng)	echo 'timeout 2 dd if=/dev/hwrng of=/dev/null bs=64 count=4 2>&1 | tail -n 1' ;;
	esac
}

# attack DEVICE ATTACK: and then all is to be well
attack()
{
	local lines seen

	tell "$2" "${1}0"
	lines=$(guest 'dmesg | wc -l')
	seen=$(guest "$(use "$1")
		dmesg | tail -n +$((lines + 1)) | sed 's/^[^]]*] //' | grep -v xen_grant_dma | tail -n 2")
	tell none "${1}0"
	rebind "$1" && works "$1"
	ok $? "$1, $2: the guest goes on, and the device does once its driver is bound anew"
	clean_dmesg "$1, $2: no crash"
	diag "the guest saw: $(echo "$seen" | xargs)"
}

hostile_start
load 'backend=*=0'
drivers blk net rng
net_up
for attack in twice id-range id-free length index; do
	attack rng $attack
	attack net $attack
done
# A request of a disk that is never completed is waited for, for ever: see 58.
for attack in twice length; do
	attack blk $attack
done

# ---- completed early, and written to afterwards ----
tell keep
attack rng early
attack blk early
diag "the backend writes to $(tell scribble) of requests that it completed early"
for device in blk rng; do
	works $device
	ok $? "$device works"
done
tell release
no_drivers blk net rng
ok $? 'the drivers leave'
all_back
nothing_left
done_testing
