# SPDX-License-Identifier: GPL-2.0-only
# rig: kernel=forced kernels=granting snapshot=dom0 timeout=300
#
# Kernels that have grants of their own (CONFIG_XEN_VIRTIO), which take_over=1 replaces:
# one that forces them on all devices, and one that does not.

. /payload/lib.sh

BLK=0000:00:01.0
PLUG="unbinding and binding its driver again, as rebind=1 says"

# said: what the module says of the disk, since dmesg was cleared
said()
{
	guest "dmesg | sed -n 's/.* $BLK: xen_grant_dma: //p'"
}

# own: how often the kernel's own code has given the disk its operations
own()
{
	guest "dmesg | grep -c '$BLK: Using dom0 as backend'"
}

# disk_works WHAT: what is written is there, by grants and nothing else
disk_works()
{
	local sum

	maps_mark
	guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
		dd if=/tmp/data of=/dev/vda bs=64k oflag=direct 2>/dev/null'
	sum=$(guest 'md5sum </tmp/data | cut -d" " -f1')
	is "$(guest_sum 1024) $(disk_sum 1024)" "$sum $sum" "$1: the disk works"
	only_grants "$1"
}

# ---- a kernel that forces grants ----
guest_boot || bail 'no guest'
runs_kernel forced
load >/dev/null 2>&1
ok "$(not $?)" 'the module does not load by itself'
like "$(guest dmesg)" 'xen_grant_dma: this kernel has its own grant DMA \(CONFIG_XEN_VIRTIO\); take_over=1 replaces it' \
	'and says why, and what to do'

load take_over=1
ok $? 'with take_over=1 it does'
guest 'dmesg -c >/dev/null'
drivers blk
is "$(said)" 'grants to domain 0, by CONFIG_XEN_VIRTIO_FORCE_GRANT' 'it forces what the kernel forces'
disk_works 'taken over'
is "$(counter domid) $(counter failed) $(own)" '0 0 0' 'the kernel'\''s own code has no part in it'
no_drivers blk && unload
ok $? 'driver and module leave'
load take_over=1 "backend='*=none'"
guest 'dmesg -c >/dev/null'
drivers rng
like "$(guest dmesg)" '0000:00:03.0: xen_grant_dma: no grants: backend=\*=none' 'but for what the user excludes'
no_drivers rng && unload
ok $? 'driver and module leave again'

guest 'dmesg -c >/dev/null'
drivers blk
is "$(own)" 1 'then the kernel'\''s own code serves the device'
disk_works 'given back'

# ---- the device has its driver already ----
load take_over=1
ok $? 'the module loads beside a device that the kernel serves'
is "$(said)" 'served by the kernel'\''s own grants: it got its driver before this module; unbind and bind it, or use rebind=1' \
	'it says by whom the device is served'
disk_works 'left alone'
unload
ok $? 'the module leaves'
disk_works 'as before'

guest 'dmesg -c >/dev/null'
load take_over=1 rebind=1
ok $? 'it loads with rebind=1'
is "$(said)" "$PLUG
grants to domain 0, by CONFIG_XEN_VIRTIO_FORCE_GRANT" 'and takes the device over'
guest 'for i in $(seq 50); do [ -b /dev/vda ] && break; usleep 50000; done'
disk_works 'bound again'
cmp_ok "$(counter mapped_total)" -gt 0 'it is the module that maps'
no_drivers blk && unload
ok $? 'driver and module leave'
# The kernel's own code was at work while the driver was unbound, and QEMU was late: it
# does not use the device any more, but nor has it plain addresses.
maps_mark
guest 'modprobe virtio_blk'
is "$(maps_foreign)" 0 'no plain address is used after that'
clean_dmesg 'the kernel has nothing to complain of'
guest_destroy

# ---- a kernel that does not ----
guest_boot kernel=granting || bail 'no second guest'
runs_kernel granting
load >/dev/null 2>&1
ok "$(not $?)" 'the module does not load by itself there, either'
load take_over=1
ok $? 'with take_over=1 it does'
drivers rng
like "$(guest dmesg)" '0000:00:03.0: xen_grant_dma: no grants: no backend is named' 'nobody forces anything there'
no_drivers rng && unload
ok $? 'driver and module leave'
guest 'dmesg -c >/dev/null'
load take_over=1 "backend='*=0'"
drivers blk
is "$(said)" 'grants to domain 0, by backend=*=0' 'backend= names a domain'
disk_works 'named'
no_drivers blk
nothing_left
done_testing
