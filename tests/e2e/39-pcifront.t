# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=none memory=1400 passed=virtio-rng-pci timeout=200
#
# A virtio device of the machine itself that is passed through to a PV guest: what serves
# it is no Xen backend, and it works as it does without the module.

. /payload/lib.sh

PASSED=0000:00:09.0

modprobe xen-pciback
xl pci-assignable-add $PASSED
like "$(xl pci-assignable-list)" "$PASSED" 'the device can be given to a guest'
GUEST=guest
guest_config type=pv memory=256 append=iommu=soft append=initcall_blacklist=print_s5_reset_status_mmio
echo "pci = [ '$PASSED' ]" >>"$(guest_config_file)"
xl create -q -p -e "$(guest_config_file)" >/run/guest/$GUEST/xl.log 2>&1
ok $? 'there is a PV guest with it' "$(cat /run/guest/$GUEST/xl.log)" || bail 'no guest'
guest_set id "$(xl domid $GUEST)"
guest_start || bail 'it does not start'
guest 'modprobe xen-pcifront; for i in $(seq 100); do ls /sys/bus/virtio/devices | grep -q . && break; usleep 100000; done'
device=$(guest 'cd /sys/bus/pci/devices && echo *')
like "$device" '^[0-9a-f:]*[.]0$' "the guest's pcifront shows it"

load
ok $? 'the module loads; a PV guest grants to domain 0 what nothing else names'
drivers rng
ok $? 'the driver loads'
is "$(status_of "$device" verdict), $(status_of "$device" reason)" \
	'plain, it is passed through, so no Xen backend serves it' 'it has no grants, for the reason that is true'
is "$(guest 'dd if=/dev/hwrng bs=64 count=8 2>/dev/null | wc -c')" 512 'it works'
is "$(guest 'cat /sys/kernel/debug/xen_grant_dma/devices')" '' 'and nothing was granted for it'

# Who names it knows what he does.
guest "rmmod virtio_rng; echo '$device=0' >/sys/module/xen_grant_dma/parameters/backend; modprobe virtio_rng"
like "$(guest dmesg)" "$device: xen_grant_dma: grants to domain 0, by backend=$device=0" 'a rule that names it is followed'
done_testing
