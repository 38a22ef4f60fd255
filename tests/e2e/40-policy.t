# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest timeout=120
#
# Which devices get grants, and for which domain.

. /payload/lib.sh

allow_plain
blk=$(name_of blk) rng=$(name_of rng)

dmesg_of() # DEVICE: what our module said of it
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
is "$(dmesg_of "$blk")" 'no grants: no backend is named' 'without parameters a device is left alone, and the log says so'
read_disk
ok $? 'it works'
xgd_install
like "$(guest 'xgd check; echo " $?"')" "^WARNING: $blk [(]vda[)] has no grants: no backend is named" 'xgd check says so'
is "$(maps_grant)" 0 'with no grants'
cmp_ok "$(maps_foreign)" -gt 0 'but foreign maps'
is "$(guest 'cat /sys/kernel/debug/xen_grant_dma/devices')" '' 'no device is attached'
is "$(status_of "$blk" verdict): $(status_of "$blk" reason)" 'plain: no backend is named' 'its state, for programs, is "plain"'
is "$(status_of "$rng" verdict):$(status_of "$rng" driver)" 'none:' 'that of a device without a driver "none"'

# ---- force_grant ----
with force_grant=1
drivers blk net rng
is "$(dmesg_of "$blk")" 'grants to domain 0, by force_grant=1' 'force_grant=1: one line tells the domain and the source'
is "$(guest 'dmesg | grep -c "grants to domain 0, by force_grant=1"')" 3 'all devices get grants'
read_disk
ok $? 'the disk works'
is "$(status_of "$blk" verdict) $(status_of "$blk" domid), $(status_of "$blk" source)" \
	'granted 0, force_grant=1' 'its state is "granted"'
is "$(status_of '' granted) $(status_of '' plain) $(status_of '' none)" '3 0 0' 'they are counted'
is "$(guest 'xgd check; echo $?')" 'OK: all is well
0' 'xgd check has nothing to say'
is "$(maps_foreign)" 0 'with no foreign maps'
cmp_ok "$(maps_grant)" -gt 0 'but grants'

# ---- backend= ----
with "backend='${blk#0000:}=0,*=none'"
drivers blk rng
is "$(dmesg_of "$blk")" "grants to domain 0, by backend=${blk#0000:}=0" 'backend= by short PCI address, or by name'
is "$(dmesg_of "$rng")" 'no grants: backend=*=none' 'backend=*=none for the rest'
with "backend=$rng=none" force_grant=1
drivers blk rng
is "$(dmesg_of "$rng")" "no grants: backend=$rng=none" 'none overrides force_grant=1'
is "$(dmesg_of "$blk")" 'grants to domain 0, by force_grant=1' 'for this device only'
with "backend='virtio0=0'"
drivers blk rng
is "$(dmesg_of "$blk")" 'grants to domain 0, by backend=virtio0=0' 'backend= by name of the virtio device'
is "$(dmesg_of "$rng")" 'no grants: no backend is named' 'and no other device'
with "backend='*=0'"
drivers blk rng
is "$(guest 'dmesg | grep -c "grants to domain 0, by backend=\*=0"')" 2 'backend=* for all'

# ---- a wrong domain ----
# QEMU ends at the first reference that it cannot map, and Xen would have the guest
# wait for its answer for ever. Our own backend stops the device.
backend_gives_up()
{
	backend_gone || grep -q '^blk0: needs reset' "$(guest_get log)"
}

with "backend='$blk=5,*=0'"
drivers rng
is "$(dmesg_of "$rng")" 'grants to domain 0, by backend=*=0' 'a device of the right domain'
clean_dmesg 'the kernel had nothing to complain of so far'
# The driver goes on with what it reads from a backend that is gone, 255 everywhere.
# shellcheck disable=SC2034
KNOWN='UBSAN: shift-out-of-bounds in drivers.block.virtio_blk'
before=$(probe)
guest '(sleep 1; exec modprobe virtio_blk) >/dev/null 2>&1 &'
wait_for 20 backend_gives_up
ok $? 'the backend cannot map what was granted to another domain'
is "$(probe)" "$before" 'nor can dom0 map anything more than before'
backend_alive || /payload/bin/ioreq_wake "$(guest_id)"
is "$(guest 'echo alive')" alive 'the guest lives'
is "$(dmesg_of "$blk")" "grants to domain 5, by backend=$blk=5" 'the log names the domain'
if backend_alive; then
	like "$(guest 'cat /sys/bus/virtio/devices/virtio0/status')" '^0x0*4' 'the device does nothing until it is reset'
else
	isnt "$(guest 'ls /dev/vda 2>/dev/null')" /dev/vda 'the device did not come up'
fi
done_testing
