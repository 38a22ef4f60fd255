# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=180
#
# Other ways to the same devices: a disk and a network with packed rings, and a
# transitional disk, which has a legacy interface beside the modern one and so cannot
# offer ACCESS_PLATFORM.

. /payload/lib.sh

OTHER=/run/other.img
pattern=/payload/bin/pattern
LARGEST=140000

# feature ADDRESS BIT: whether the driver has agreed to it
feature()
{
	guest "cut -c$(($2 + 1)) /sys/bus/pci/devices/0000:00:$1/virtio*/features"
}

truncate -s "${DISK_MB}M" "$OTHER"
# shellcheck disable=SC2046
guest_boot -- $(std_blk packed=on) $(std_net packed=on) \
	-drive "if=none,id=d1,file=$OTHER,format=raw,file.locking=off" \
	-device virtio-blk-pci,drive=d1,disable-legacy=off,addr=4 ||
	bail 'no guest'

load force_grant=1 access_platform=prefer
ok $? 'the module loads'
drivers blk net
ok $? 'the drivers load'
is "$(feature 01.0 34) $(feature 02.0 34) $(feature 04.0 34)" '1 1 0' 'two devices have packed rings'
is "$(feature 01.0 33) $(feature 02.0 33) $(feature 04.0 33)" '1 1 0' 'the transitional one does not offer ACCESS_PLATFORM'
maps_mark

guest "$pattern write /dev/vda $LARGEST" >/dev/null && $pattern check "$DISK" $LARGEST
ok $? 'packed: dom0 finds what the guest writes'
guest "$pattern read /dev/vda $LARGEST"
ok $? 'packed: the guest can read it'
only_grants 'the disk with packed rings'

maps_mark
net_up
ok $? 'packed: the network works'
is "$(for size in 36 1472 1473 65507; do
	ping -q -c 2 -i 0.1 -W 3 -s $size "$(guest_ip)" >/dev/null || echo $size
done)" '' 'packed: packets of 64 bytes to 64 KiB get through'
tcp_works 512 'packed: '
only_grants 'the network with packed rings'

maps_mark
guest "$pattern write /dev/vdb $LARGEST" >/dev/null && $pattern check "$OTHER" $LARGEST
ok $? 'transitional: dom0 finds what the guest writes'
guest "$pattern read /dev/vdb $LARGEST"
ok $? 'transitional: the guest can read it'
only_grants 'the transitional disk'

is "$(counter failed) $(counter refused)" '0 0' 'no mapping failed'
no_drivers blk net
ok $? 'the drivers leave'
nothing_left
done_testing
