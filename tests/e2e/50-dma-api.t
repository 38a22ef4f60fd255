# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest timeout=150
#
# The DMA API as a driver sees it, on a device of our own; and what the domain it
# is granted to sees, page by page.

. /payload/lib.sh
. /payload/fake.sh

load 'backend=xgd-fake=0' max_refs=32768
ok $? 'the module loads'

# holds rw|ro TEXT WHAT [PARAMETER...]: dom0 sees a buffer, and may read or write it.
# TEXT is XGD if its memory is granted, and xgd if it is a copy.
holds()
{
	local first access=$1 text=$2 what=$3 readonly=

	shift 3
	[ "$access" = rw ] || readonly=readonly=1
	fake_load mode=hold $readonly "$@"
	first=$(fake_first)
	is "$(seen_pages "$first")" "$(held_pages "$first" "$access" "$text")" "$what"
}

holds rw XGD 'dom0 sees the pages of a buffer, in order, and may write'
is "$(probe 2048 0 -z | wc -l)" 16 'and no other, but private pages that are empty'
fake_unload
is "$(probe)" '' 'and none when it is unmapped'

holds ro XGD 'it can only read what is mapped for reading'
fake_unload
holds rw xgd "it gets a copy of the kernel's own memory if it may write" memory=kernel
fake_unload
holds ro XGD 'and the memory itself if it may only read' memory=kernel
fake_unload
holds rw xgd 'a copy of what is mapped for longer than its use' skip_sync=1
fake_unload
holds ro xgd "and of memory that stands for another domain's" memory=foreign
fake_unload
holds rw XGD 'what is allocated for the device is granted' memory=pages
fake_unload
holds ro XGD 'and only to be read if the device only reads' memory=pages
fake_unload
is "$(probe)" '' 'none of it is left'

fake_load mode=leave
is "$(probe 2048 0 -z | wc -l)" 16 'a driver that does not unmap'
fake_unload
is "$(probe)" '' 'leaves nothing behind'
is "$(guest 'cat /sys/kernel/debug/xen_grant_dma/devices')" '' 'no device is left'

fake_load mode=give-up
is "$(guest 'dmesg | sed -n "s/.*xgd_fake: freed //p"')" 'a grant' 'what a driver left to the kernel is freed as it was made when its probe fails'
is "$(probe)" '' 'and cannot be mapped any more'
fake_unload

# Last: the kernel's free references are in no order afterwards.
fake_checks
is "$(fake_log)" 'grants to domain 0, by backend=xgd-fake=0' 'the log names domain and source'
is "$(probe; probe 512 $((32768 - 512)))" '' 'nothing can be mapped any more'
unload
ok $? 'the module leaves'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
