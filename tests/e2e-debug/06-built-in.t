# SPDX-License-Identifier: GPL-2.0-only
# rig: kernel=built-in snapshot=dom0 timeout=200
#
# A kernel that has the module and the virtio drivers built in: what the command line
# says holds from the first driver on.

. /payload/lib.sh

SYS=/sys/module/xen_grant_dma/parameters

# boot WORD...: the guest, with these words on its kernel's command line
boot()
{
	guest_boot $(printf 'append=%s ' "$@") -- $(std_blk) $(std_net) $(std_rng) \
		-device virtio-keyboard-pci,disable-legacy=on,iommu_platform=on,addr=4 \
		-chardev null,id=c0 -device virtio-serial-pci,disable-legacy=on,iommu_platform=on,addr=5 \
		-device virtconsole,chardev=c0 || bail 'no guest'
}

# verdicts: of all devices, by their address
verdicts()
{
	guest 'awk "\$1 == \"device\" { d = \$2 } \$1 == \"verdict\" { print d, \$2 }" /sys/kernel/debug/xen_grant_dma/status' |
		sort | sed 's/0000:00:0\(.\).0 /\1 /' | xargs
}

boot 'xen_grant_dma.backend=00:04.0=0:copy,*=0' xen_grant_dma.isolation=page xen_grant_dma.max_refs=2048
runs_kernel built-in
is "$(verdicts)" '1 granted 2 granted 3 granted 4 granted 5 granted' 'all devices have grants, each from its first probe'
only_grants 'since QEMU runs'
is "$(guest "cat $SYS/backend $SYS/isolation $SYS/max_refs | xargs")" '00:04.0=0:copy,*=0 page 2048' \
	'the parameters are those of the command line'
is "$(status_of 0000:00:04.0 copy)" always 'the first rule holds for the keyboard'
guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
	dd if=/tmp/data of=/dev/vda bs=64k oflag=direct 2>/dev/null'
is "$(disk_sum 1024)" "$(guest 'md5sum </tmp/data | cut -d" " -f1')" 'the disk works'
net_up
ok $? 'the network works'
is "$(guest 'dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c')" 256 'random numbers come'
is "$(guest 'grep -c "QEMU Virtio Keyboard" /proc/bus/input/devices')" 1 'the keyboard is there'
is "$(maps_foreign)" 0 'in all this not one plain address'
guest "echo '*=none' >$SYS/backend"
is "$(guest "cat $SYS/backend")" '*=none' 'backend= can be written'
clean_dmesg 'the kernel has nothing to complain of'
guest_destroy

boot 'xen_grant_dma.backend=*=nonsense'
like "$(guest dmesg)" 'xen_grant_dma: backend=: "\*=nonsense" is not SELECTOR=DOMID' 'a value that makes no sense is told'
is "$(guest 'ls /sys/kernel/debug/xen_grant_dma 2>/dev/null')" '' 'and the module does not run'
clean_dmesg 'the kernel has nothing else to complain of'
guest_destroy

boot
is "$(verdicts)" '1 plain 2 plain 3 plain 4 plain 5 plain' 'where nothing is asked for, nothing is granted'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
