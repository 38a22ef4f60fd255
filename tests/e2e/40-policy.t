# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=120
#
# Which devices get grants, and for which domain.

. /payload/lib.sh

dmesg_of() # ADDRESS: what our module said of a PCI function
{
	guest "dmesg | sed -n 's/.*$1: xen_grant_dma: //p'"
}

forget() # all that was logged
{
	guest 'dmesg -c >/dev/null'
}

with() # PARAMETER...: a fresh start with these
{
	guest 'for m in virtio_blk virtio_net virtio_rng xen_grant_dma; do rmmod $m 2>/dev/null; done'
	forget
	load "$@" || bail "the module does not load with $*"
	maps_mark
}

read_disk()
{
	guest 'dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null'
}

# ---- nothing asked for ----
with
drivers blk
is "$(dmesg_of 0000:00:01.0)" 'no grants: no backend is named' 'without parameters a device is left alone, and the log says so'
read_disk
ok $? 'it works'
is "$(maps_grant)" 0 'with no grants'
cmp_ok "$(maps_foreign)" -gt 0 'but foreign maps'
is "$(guest 'cat /sys/kernel/debug/xen_grant_dma/devices')" '' 'no device is attached'

# ---- force_grant ----
with force_grant=1
drivers blk net rng
is "$(dmesg_of 0000:00:01.0)" 'grants to domain 0, by force_grant=1' 'force_grant=1: one line tells the domain and the source'
is "$(guest 'dmesg | grep -c "grants to domain 0, by force_grant=1"')" 3 'all devices get grants'
read_disk
ok $? 'the disk works'
is "$(maps_foreign)" 0 'with no foreign maps'
cmp_ok "$(maps_grant)" -gt 0 'but grants'

# ---- backend= ----
with "backend='00:01.0=0,*=none'"
drivers blk rng
is "$(dmesg_of 0000:00:01.0)" 'grants to domain 0, by backend=00:01.0=0' 'backend= by short PCI address'
is "$(dmesg_of 0000:00:03.0)" 'no grants: backend=*=none' 'backend=*=none for the rest'
with 'backend=0000:00:03.0=none' force_grant=1
drivers blk rng
is "$(dmesg_of 0000:00:03.0)" 'no grants: backend=0000:00:03.0=none' 'none overrides force_grant=1'
is "$(dmesg_of 0000:00:01.0)" 'grants to domain 0, by force_grant=1' 'for this device only'
with "backend='virtio0=0'"
drivers blk rng
is "$(dmesg_of 0000:00:01.0)" 'grants to domain 0, by backend=virtio0=0' 'backend= by name'
is "$(dmesg_of 0000:00:03.0)" 'no grants: no backend is named' 'and no other device'
with "backend='*=0'"
drivers blk rng
is "$(guest 'dmesg | grep -c "grants to domain 0, by backend=\*=0"')" 2 'backend=* for all'

# ---- a wrong domain ----
with "backend='00:01.0=5,*=0'"
drivers rng
is "$(dmesg_of 0000:00:03.0)" 'grants to domain 0, by backend=*=0' 'a device of the right domain'
clean_dmesg 'the kernel had nothing to complain of so far'
before=$(probe)
# QEMU ends at the first reference that it cannot map, and Xen would have the
# guest wait for its answer for ever.
guest '(sleep 1; exec modprobe virtio_blk) >/dev/null 2>&1 &'
wait_for 20 backend_gone
ok $? 'the backend cannot map what was granted to another domain'
is "$(probe)" "$before" 'nor can dom0 map anything more than before'
/payload/bin/ioreq_wake "$(guest_id)"
is "$(guest 'echo alive')" alive 'the guest lives'
is "$(dmesg_of 0000:00:01.0)" 'grants to domain 5, by backend=00:01.0=5' 'the log names the domain'
isnt "$(guest 'ls /dev/vda 2>/dev/null')" /dev/vda 'the device did not come up'
done_testing
