# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest timeout=60
#
# What can be seen: tracepoints and debugfs.

. /payload/lib.sh
. /payload/fake.sh

TRACE=/sys/kernel/tracing
name=$(name_of blk)
load "backend='*=0'"
guest "echo 1 >$TRACE/events/xen_grant_dma/enable"
ok $? 'the tracepoints can be enabled'
drivers blk
guest 'dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null'

field() # NAME: of the first device in debugfs
{
	guest "awk '\$1 == \"$1\" { sub(/^ *$1 */, \"\"); print; exit }' /sys/kernel/debug/xen_grant_dma/devices"
}
is "$(guest 'head -n 1 /sys/kernel/debug/xen_grant_dma/devices')" "$name" 'debugfs names the device'
is "$(field state)" attached 'its state'
is "$(field domid)" 0 'its domain'
is "$(field source)" 'backend=*=0' 'and where that came from'
is "$(field mappings)" 1 'the ring is mapped'
references=$(field references)
is "$(probe | wc -l)" "$references" 'it counts the references that dom0 can map'
cmp_ok "$(field references_max)" -ge $((references + 16)) 'the most at once, with a read of 64 KiB'
cmp_ok "$(field bytes_total)" -ge 262144 'bytes'
is "$(field failed)$(field refused)$(field late)" 000 'no failures, and nothing late'

# Somebody still maps the rings when the driver goes.
keep_all
kept=$(keep_look | wc -l)
no_drivers blk
keep_end
all_back
ok $? 'in the end no reference is left'
trace=$(guest "grep -o 'xgd_.*' $TRACE/trace")
for event in alloc map unmap free late revoke; do
	like "$trace" "^xgd_$event: $name domid=0 " "event xgd_$event"
done
like "$trace" '^xgd_map: .* addr=0x8[0-9a-f]* size=[0-9]*(4096|8192|6384|2768|5536) rw$' 'a read has data that the backend may write'
like "$trace" '^xgd_map: .* size=16 ro$' 'the head of the request is read-only'
cmp_ok "$(printf '%s\n' "$trace" | grep -c xgd_late)" -ge "$kept" 'each reference of the rings was late'
is "$(printf '%s\n' "$trace" | grep -c xgd_revoke)" "$(printf '%s\n' "$trace" | grep -c xgd_late)" 'and was revoked'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
