# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=60
#
# The control run: without the module the same devices work through foreign maps,
# which shows that counting maps tells one from the other.

. /payload/lib.sh

maps_mark
drivers blk net rng
ok $? 'the drivers load'
is "$(guest 'cut -c34 /sys/bus/virtio/devices/*/features | sort -u')" 1 'all devices offer ACCESS_PLATFORM'

guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
	dd if=/tmp/data of=/dev/vda bs=64k oflag=direct 2>/dev/null'
ok $? 'the guest writes to its disk'
sum=$(guest 'md5sum </tmp/data | cut -d" " -f1')
is "$(disk_sum 1024)" "$sum" 'dom0 finds the same on the disk'
is "$(guest_sum 1024)" "$sum" 'the guest reads it back'

net_up
ok $? 'the network works'
is "$(guest 'dd if=/dev/hwrng bs=16 count=4 2>/dev/null | wc -c')" 64 'so does the random number generator'

cmp_ok "$(maps_foreign)" -gt 10 'the backend mapped guest memory past the grant table'
is "$(maps_grant)" 0 'and not a single grant'
is "$(grants)" '' 'Xen knows of none'
is "$(probe)" '' 'none could be mapped'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
