# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest timeout=150
#
# A file system on a disk over grants: made, filled and checked in the guest; dom0
# finds the same files in the same order there.

. /payload/lib.sh

# What ext4 needs without saying so comes first.
EXT4='modprobe -qa crc32c_generic; modprobe ext4'

# sums DIR: the checksum of each file
sums()
{
	echo "cd $1 && find . -type f -print0 | sort -z | xargs -0 md5sum"
}

load force_grant=1
ok $? 'the module loads'
drivers blk
ok $? 'the driver loads'
maps_mark

guest "$EXT4 && /usr/sbin/mke2fs -q -F -t ext4 /dev/vda && mkdir /tmp/disk && mount -t ext4 /dev/vda /tmp/disk"
ok $? 'a file system is made and mounted' || bail 'there is no file system'
guest 'cd /tmp/disk && mkdir small large && i=0
	while [ $i -lt 120 ]; do
		printf "%0$((i * 90 + 3))d" $i >small/$i
		i=$((i + 1))
	done
	for i in 1 2 3; do
		dd if=/dev/urandom of=large/$i bs=64k count=$((i * 16)) 2>/dev/null || exit
	done
	rm small/*3 && sync'
ok $? 'it is filled'
sums=$(guest "$(sums /tmp/disk)")
cmp_ok "$(echo "$sums" | wc -l)" -eq 111 'the files are there'
guest 'umount /tmp/disk'
ok $? 'it is unmounted'

guest 'blockdev --flushbufs /dev/vda; e2fsck -fn /dev/vda >/tmp/fsck 2>&1 || { cat /tmp/fsck; false; }'
ok $? 'the guest finds no error in it'
guest 'mount -t ext4 /dev/vda /tmp/disk'
is "$(guest "$(sums /tmp/disk)")" "$sums" 'read again, the files are the same'
guest 'umount /tmp/disk'

e2fsck -fn "$DISK" >/tmp/fsck 2>&1
ok $? 'dom0 finds no error in it' "$(cat /tmp/fsck)"
eval "$EXT4" && modprobe loop && mkdir -p /tmp/disk && mount -t ext4 -o ro,loop "$DISK" /tmp/disk
ok $? 'dom0 can mount it'
is "$(eval "$(sums /tmp/disk)")" "$sums" 'and finds the same files'

only_grants 'all this'
is "$(counter failed) $(counter refused)" '0 0' 'no mapping failed'
no_drivers blk
ok $? 'the driver leaves'
nothing_left
done_testing
