# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 also=newest timeout=120
#
# A PV guest: its memory belongs to no backend, so without any parameter grants are
# used. No virtio transport reaches a PV guest here: the device is our own. What
# looks contiguous to the guest is not, so each page must be granted by itself.

. /payload/lib.sh
. /payload/fake.sh

# memory_is MB: what the guest has
memory_is()
{
	[ "$(xl list | awk -v name="$GUEST" '$1 == name { print $3 }')" = "$1" ]
}

# frames FIRST: the machine frames behind 16 references from FIRST, as Xen knows them
frames()
{
	keep "$1" 16
	xl dmesg -c >/dev/null
	xl debug-keys g
	keep_end
	xl dmesg | awk -v id="$(guest_id)" -v first="$1" '
		/grant-table for remote d/ { on = $0 ~ "remote d" id " " }
		on && $2 ~ /^\[0x/ {
			gsub(/[][]/, "", $2)
			if ($2 + 0 >= first && $2 + 0 < first + 16)
				print $4 + 0
		}'
}

# Without init_on_alloc Debian's kernel does not clear all memory by itself.
# Since 6.16 x86 reads a register of AMD's chipset at boot, which a PV guest may not map.
guest_create type=pv memory=128 append=init_on_alloc=0 \
	append=initcall_blacklist=print_s5_reset_status_mmio && guest_start || bail 'no PV guest'
is "$(guest 'cat /sys/hypervisor/guest_type')" PV 'the guest is a PV guest'

# Memory that was given back and got again is scattered over the machine.
xl mem-set "$GUEST" 72m
wait_for 20 memory_is 72
xl mem-set "$GUEST" 128m
wait_for 20 memory_is 128
ok $? 'most of its memory was exchanged'

load max_refs=32768
ok $? 'the module loads without naming a backend'

fake_load mode=hold
first=$(fake_first)
frames "$first" >/run/frames
is "$(wc -l </run/frames)" 16 'there is a buffer of 16 pages'
isnt "$(awk 'NR > 1 && $1 != last + 1 { n++ } { last = $1 } END { print n + 0 }' /run/frames)" 0 \
	'which are scattered over the machine'
is "$(seen_pages "$first")" "$(held_pages "$first" rw)" 'dom0 sees the pages of a buffer, in order, and may write'
is "$(probe 2048 0 -z | wc -l)" 16 'and no other, but private pages that are empty'
fake_unload
is "$(probe)" '' 'and none when it is unmapped'

fake_load mode=hold readonly=1
first=$(fake_first)
is "$(seen_pages "$first")" "$(held_pages "$first" ro)" 'dom0 can only read what is mapped for reading'
fake_unload

fake_load mode=leave
is "$(probe 2048 0 -z | wc -l)" 16 'a driver that does not unmap'
fake_unload
is "$(probe)" '' 'leaves nothing behind'

fake_load mode=pieces
keep 0 2048
echo 'fill 0xee' >&3
keep_look >/dev/null
keep_end
fake_unload
fake_told 'a backend that writes to all it can reach'

# Last: the kernel's free references are in no order afterwards.
fake_checks
is "$(fake_log)" 'grants to domain 0, by PV guest' 'the log names domain and source'
is "$(probe; probe 512 $((32768 - 512)))" '' 'nothing can be mapped any more'
unload
ok $? 'the module leaves'

load "backend='*=none'"
fake_load mode=hold
is "$(fake_log)" 'no grants: backend=*=none' 'backend=*=none is obeyed'
like "$(guest dmesg)" 'xgd_fake: holds plain address' 'the device gets plain addresses'
is "$(probe)" '' 'nothing can be mapped'
fake_unload
unload
ok $? 'the module leaves, again'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
