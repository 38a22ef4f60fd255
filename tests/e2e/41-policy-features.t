# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=90
#
# Devices that do not offer what grants need, and a driver that was there first:
# virtio_console is part of the kernel.

. /payload/lib.sh
. /payload/fake.sh

dmesg_of() # ADDRESS: what our module said of a PCI function
{
	guest "dmesg | sed -n 's/.*$1: xen_grant_dma: //p'"
}

guest_boot -- \
	-drive "if=none,id=d0,file=$DISK,format=raw,file.locking=off" \
	-device virtio-blk-pci,drive=d0,disable-legacy=on,addr=1 \
	-chardev null,id=c0 \
	-device virtio-serial-pci,disable-legacy=on,iommu_platform=on,addr=2 \
	-device virtconsole,chardev=c0 \
	$(std_rng) || bail 'no guest'

bound() # the driver of the console
{
	guest 'basename "$(readlink /sys/bus/pci/devices/0000:00:02.0/virtio*/driver)"'
}
is "$(bound)" virtio_console 'virtio_console has its device before the module comes'

maps_mark
load force_grant=1
is "$(dmesg_of 0000:00:02.0)" 'left without grants: it got its driver before this module, which would grant to domain 0, by force_grant=1; unbind and bind it, or use rebind=1' \
	'the module says that it leaves it alone'
is "$(status_of 0000:00:02.0 verdict), $(status_of 0000:00:02.0 driver)" 'left, virtio_console' \
	'its state, for programs, is "left"'
is "$(status_of 0000:00:02.0 reason)" \
	'it got its driver before this module, which would grant to domain 0, by force_grant=1' 'with the reason'
is "$(guest 'echo hello >/dev/hvc1 && echo done' 10)" done 'the console still works'
is "$(maps_grant)" 0 'without grants'

drivers rng
guest 'modprobe virtio_blk'
like "$(dmesg_of 0000:00:01.0)" '^refused: it does not offer VIRTIO_F_ACCESS_PLATFORM' \
	'access_platform=require refuses a device without the feature'
is "$(guest 'ls /dev/vda 2>/dev/null; cat /sys/bus/pci/devices/0000:00:01.0/virtio*/status')" 0x00000083 \
	'it does not come up, and the device is told'
is "$(status_of 0000:00:01.0 verdict)" refused 'its state is "refused"'
like "$(status_of 0000:00:01.0 reason)" '^it does not offer VIRTIO_F_ACCESS_PLATFORM' 'with the reason'
like "$(dmesg_of 0000:00:03.0)" '^grants to' 'other devices do'
is "$(status_of '' none) $(status_of '' granted) $(status_of '' plain) $(status_of '' left) $(status_of '' refused)" \
	'0 1 0 1 1' 'all are counted'
is "$(guest 'cat /sys/kernel/debug/xen_grant_dma/status' | grep -c '^device ')" \
	"$(guest 'ls /sys/bus/virtio/devices | wc -l')" 'there is one for each virtio device of the system'

# What people see of that. How many references there are is another matter.
xgd_install
screen=$(guest xgd)
is "$(echo "$screen" | sed -n '4,$p' | sed 's/  *[0-9][0-9]*  *0  *0  / N 0 0 /; s/   */ /g')" \
	"DEVICE DRIVER NAME BACKEND GRANTS ISOLATION COPY REFS LATE FAILED BY
0000:00:01.0 - - - NO - - - - - $(status_of 0000:00:01.0 reason)
0000:00:02.0 virtio_console - - NO - - - - - $(status_of 0000:00:02.0 reason)
0000:00:03.0 virtio_rng - dom0 yes byte needed N 0 0 force_grant=1" 'xgd shows all on one screen'
like "$screen" 'xen_grant_dma 0[.][0-9].*Linux [0-9].*references [0-9]' 'with the versions'
is "$(guest 'xgd check' | sed 's/: it.*;/;/; s/: it.*//') $(guest 'xgd check >/dev/null; echo $?')" \
	'PROBLEM: 0000:00:01.0 is refused; 0000:00:02.0 has no grants 2' 'xgd check says what is the matter'
like "$(guest 'xgd status -j')" '"verdict": "left"' 'xgd status -j has it, too'
like "$(guest 'xgd report')" '^force_grant=Y' 'xgd report has the parameters'

guest 'rmmod virtio_blk; rmmod virtio_rng' && unload
ok $? 'the module unloads'
like "$(guest 'xgd check')" '^PROBLEM: the module is not loaded' 'xgd check says that it is gone'

maps_mark
load force_grant=1 access_platform=prefer rebind=1
like "$(dmesg_of 0000:00:02.0)" '^unbinding and binding its driver again' 'rebind=1: the log tells'
like "$(dmesg_of 0000:00:02.0)" '^grants to domain 0' 'the console gets grants'
is "$(bound)" virtio_console 'and its driver back'
is "$(guest 'echo hello >/dev/hvc1 && echo done' 10)" done 'it works'
cmp_ok "$(maps_grant)" -gt 0 'with grants'

drivers blk
like "$(dmesg_of 0000:00:01.0)" '^grants to' 'access_platform=prefer uses grants without the feature'
guest 'dd if=/dev/urandom of=/dev/vda bs=64k count=4 oflag=direct 2>/dev/null'
is "$(guest_sum 256)" "$(disk_sum 256)" 'the disk works'
is "$(maps_foreign)" 0 'no foreign maps'

is "$(status_of 0000:00:01.0 verdict), $(status_of 0000:00:01.0 source)" 'granted, force_grant=1' 'its state is "granted"'
guest 'rmmod virtio_blk'
is "$(status_of 0000:00:01.0 verdict)" none 'without its driver it is "none"'

fake_load version_1=0
is "$(status_of xgd-fake verdict)" refused 'a device that comes later is in the list'
like "$(guest 'dmesg | grep xgd-fake')" 'xen_grant_dma: refused: a legacy device cannot use grants' \
	'a legacy device is refused even so'
guest 'rmmod xgd_fake'
is "$(status_of xgd-fake verdict)" '' 'and leaves it when it goes'

# ---- devices that are no Xen backend's ----
# rules RULES: what backend= is to be
rules()
{
	guest "dmesg -c >/dev/null; echo '$1' >/sys/module/xen_grant_dma/parameters/backend"
}
foreign='it is not on virtio-pci or virtio-mmio, so no Xen backend serves it'
rules '*=0'
fake_load mode=hold transport=virtio_vdpa
is "$(fake_log)" "no grants: $foreign" 'neither "*" nor force_grant=1 counts for a device that is on no transport of virtio'
like "$(guest dmesg)" 'xgd_fake: holds plain address' 'it works as without the module'
is "$(status_of xgd-fake verdict), $(status_of xgd-fake reason)" "plain, $foreign" 'its state has it, too'
guest 'rmmod xgd_fake'
rules 'xgd-fake=0'
fake_load mode=hold transport=virtio_vdpa
is "$(fake_log)" "refused: $foreign, but backend=xgd-fake=0 says that one does" 'where it is named it is refused'
guest 'rmmod xgd_fake'

# ---- two devices with one parent ----
number=$(guest 'ls -d /sys/bus/virtio/devices/* | wc -l')
rules "virtio$((number + 1))=5,*=0"
fake_load mode=hold twin=1
is "$(guest 'dmesg | sed -n "s/^.*xgd-fake: xen_grant_dma: //p"')" "grants to domain 0, by backend=*=0
refused: another virtio device has the same parent, which is served in another way: by grants to domain 0, by backend=*=0" \
	'two devices with one parent cannot have two domains'
guest 'rmmod xgd_fake'
rules "virtio$number=0:page,*=0"
fake_load mode=hold twin=1
is "$(guest 'dmesg | grep -c "refused: another"')" 1 'nor be isolated in two ways'
guest 'rmmod xgd_fake'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
