# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=none memory=1600 dom0_memory=900 timeout=240
#
# A guest is saved and restored: it goes on in a new domain, with an empty grant
# table. What was mapped is granted again. There is no real backend: libxl cannot
# restore one for a PVH guest; dom0 looks with gntprobe.

. /payload/lib.sh
. /payload/fake.sh

# seen: what dom0 can map, and what is in it, whatever the references are
seen()
{
	probe 2048 0 -d
}

# restore: in a new domain
restore()
{
	xl restore -e /run/saved >/run/restore.log 2>&1 || return
	guest_set id "$(xl domid "$GUEST")"
	kill "$(guest_get holder)"
	guest_set tty "$(xenstore-read "/local/domain/$(guest_id)/console/tty")"
	sleep 1000000 <>"$(guest_get tty)" >/dev/null 2>&1 &
	guest_set holder $!
}

guest_create || bail 'no guest'
guest_start || bail 'it does not start'
load 'backend=xgd-fake=0'
fake_load mode=pieces
was=$(seen)
first=$(guest_id)
cmp_ok "$(echo "$was" | wc -l)" -gt 100 'dom0 sees the buffers of a device'

# ---- a suspend that is cancelled: the domain goes on ----
xl save -c "$GUEST" /run/saved >/run/save.log 2>&1
ok $? 'the guest is saved and goes on' "$(cat /run/save.log)"
is "$(guest_id)" "$first" 'in the same domain'
is "$(seen)" "$was" 'dom0 sees what it saw'

# ---- a new domain ----
xl save "$GUEST" /run/saved >/run/save.log 2>&1
ok $? 'the guest is saved' "$(cat /run/save.log)"
restore
ok $? 'and restored' "$(cat /run/restore.log)"
isnt "$(guest_id)" "$first" 'in a new domain'
is "$(seen)" "$was" 'dom0 sees there what it saw before'
is "$(guest 'dmesg | grep -c "xgd-fake: xen_grant_dma: its driver kept 72 mappings for domain 0 across a freeze or reset"')" 2 \
	'the log names who kept mappings, both times'
guest 'echo unmap >/sys/module/xgd_fake/parameters/step'
is "$(probe | wc -l)" "$(counter references)" 'unmapped, the private pages are left'
fake_unload
fake_told 'after all this'
is "$(probe)" '' 'nothing can be mapped any more'
unload
ok $? 'the module leaves'
clean_dmesg 'the kernel has nothing to complain of'

# ---- a grant table of version 2, which Linux has in PV guests only ----
guest_destroy
guest_create type=pv memory=128 append=grant_table.version=2 && guest_start || bail 'no PV guest'
like "$(guest dmesg)" 'Grant tables using version 2 layout' 'a guest whose grant table has version 2'
load 'backend=xgd-fake=0'
fake_load mode=pieces
was=$(seen)
cmp_ok "$(echo "$was" | wc -l)" -gt 100 'dom0 sees the buffers of a device'
keep 0 2048
guest 'dmesg -c >/dev/null'
xl save -c "$GUEST" /run/saved >/run/save.log 2>&1
ok $? 'the guest is saved and goes on, while a backend maps them' "$(cat /run/save.log)"
keep_end
is "$(seen)" "$was" 'once it has let go dom0 sees what it saw'
unlike "$(guest dmesg)" 'still in use' 'the kernel did not try to end any of it'
guest 'echo unmap >/sys/module/xgd_fake/parameters/step'
fake_unload
fake_told 'after that'
is "$(probe)" '' 'nothing can be mapped any more'
unload
ok $? 'the module leaves'
done_testing
