# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What a disk over grants is to do, whatever the guest's pages are.

# blk_over_grants: the module is loaded, no driver is
blk_over_grants()
{
	local sum

	drivers blk
	ok $? 'the driver loads'
	guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=64 2>/dev/null
		dd if=/tmp/data of=/dev/vda bs=64k oflag=direct 2>/dev/null'
	ok $? 'the guest writes 4 MiB to its disk'
	sum=$(guest 'md5sum </tmp/data | cut -d" " -f1')
	is "$(disk_sum 4096)" "$sum" 'dom0 finds the same on the disk'
	is "$(guest_sum 4096)" "$sum" 'the guest reads it back'

	# Pieces of pages, at odd places in them.
	guest 'dd if=/tmp/data of=/dev/vda bs=512 count=64 seek=16385 skip=3 oflag=direct 2>/dev/null'
	ok $? 'it writes single sectors'
	is "$(dd if="$DISK" bs=512 skip=16385 count=64 2>/dev/null | md5sum)" \
		"$(guest 'dd if=/tmp/data bs=512 skip=3 count=64 2>/dev/null | md5sum')" 'dom0 finds them'

	diag "$(backend_stats)"
	cmp_ok "$(backend_stat blk0 read)" -ge $((4 << 20)) 'the backend has read it all'
	cmp_ok "$(maps_grant)" -gt 10 'through grants'
	is "$(maps_foreign)" 0 'and not one plain address'
	is "$(backend_sum failures)" 0 'each address it has seen was good'
	clean_dmesg 'the kernel has nothing to complain of'

	no_drivers blk
	ok $? 'the driver leaves'
	is "$(backend_sum mapped)" 0 'the backend holds nothing any more'
	is "$(probe)" '' 'and can map nothing'
	unload
	ok $? 'the module leaves'
}
