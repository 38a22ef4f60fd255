# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the demo does, with the module or without ($MODULE, loaded with $PARAMETERS):
# real I/O on a disk, a network card and a random number generator. Runs in dom0.
# "# step:" lines are for people, and "# row:" lines for the table: device, backend,
# source, bytes, checksums of both sides, grant maps, plain maps.

FILES=/tmp/files
MB=8
NET_MB=${NET_MB-4}

step()
{
	echo "# step: $*"
}

# row blk|net|rng BYTES GUEST-SUM DOM0-SUM
row()
{
	local domid=- source=-

	if [ "$MODULE" = yes ]; then
		domid=$(debugfs "$(name_of "$1")" domid)
		source=$(debugfs "$(name_of "$1")" source)
	fi
	echo "# row: virtio-$1|$domid|$source|$2|$3|$4|$(maps_grant)|$(maps_foreign)"
	[ "$3" = "$4" ]
	ok $? "$1: both sides have the same data"
	if [ "$MODULE" = yes ]; then
		is "$(maps_foreign)" 0 "$1: the backend mapped nothing but grants"
		cmp_ok "$(maps_grant)" -gt 0 "$1: and did map grants"
	else
		is "$(maps_grant)" 0 "$1: without the module there are no grants"
	fi
}

# debugfs ADDRESS FIELD: what the module says of a device
debugfs()
{
	guest "awk '/^[^ ]/ { on = \$1 == \"$1\" } on && \$1 == \"$2\" { sub(/^ *$2 */, \"\"); print }' \
		/sys/kernel/debug/xen_grant_dma/devices"
}

if [ "$MODULE" = yes ]; then
	step "loading xen_grant_dma${PARAMETERS:+ $PARAMETERS}"
	# shellcheck disable=SC2086
	load $PARAMETERS || bail 'the module does not load'
fi

step "disk: making a file system, $MB files of 1 MiB, checking it"
maps_mark
drivers blk
# What ext4 needs without saying so comes first.
EXT4='modprobe -qa crc32c_generic; modprobe ext4'
guest "$EXT4; /usr/sbin/mke2fs -q -F -t ext4 /dev/vda && mkdir -p $FILES && mount -t ext4 /dev/vda $FILES &&
	for i in \$(seq $MB); do
		dd if=/dev/urandom of=$FILES/\$i bs=64k count=16 2>/dev/null || exit
	done
	umount $FILES && e2fsck -fn /dev/vda >/dev/null 2>&1"
ok $? 'the file system is made, filled and clean'
sum=$(guest "mount -t ext4 -o ro /dev/vda $FILES && cat $FILES/[0-9]* | md5sum | cut -c1-8; umount $FILES")
eval "$EXT4; modprobe loop"
mkdir -p $FILES
mount -t ext4 -o ro,loop "$DISK" $FILES
row blk $((MB << 20)) "$sum" "$(cat $FILES/[0-9]* | md5sum | cut -c1-8)"
umount $FILES

step "network: $NET_MB MiB by TCP from the guest to dom0"
maps_mark
drivers net
net_up
# With an input that does not end: at its end nc would close the connection.
mkfifo /tmp/input
nc -l -p 5001 <>/tmp/input >/tmp/received &
server=$!
usleep 200000
guest "dd if=/dev/urandom of=/tmp/sent bs=64k count=$((NET_MB * 16)) 2>/dev/null; nc $(host_ip) 5001 </tmp/sent"
wait $server
row net $((NET_MB << 20)) "$(guest 'md5sum </tmp/sent | cut -c1-8')" \
	"$(md5sum </tmp/received | cut -c1-8)"

step 'random numbers: 4 KiB'
maps_mark
drivers rng
bytes=$(guest 'dd if=/dev/hwrng bs=64 count=64 2>/dev/null | wc -c')
row rng "$bytes" - -
is "$bytes" 4096 'rng: the bytes came'

clean_dmesg 'the kernel of the guest has nothing to complain of'
done_testing
