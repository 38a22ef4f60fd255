# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=240 needs=patched-qemu
#
# The QEMU of contrib/qemu serves what Debian's does: a disk, the network, random numbers
# and a console; and a SCSI disk, of which Debian's dies. When a guest is gone, whatever it
# was doing, nothing of it is mapped.

. /payload/lib.sh
. /payload/patched.sh

dd if=/dev/urandom of=/run/scsi.img bs=64k count=128 2>/dev/null
dd if=/dev/urandom of="$DISK" bs=1M count="$DISK_MB" 2>/dev/null
mkfifo /run/port.in /run/port.out

scsi_drivers()
{
	guest "cd /payload/stable && modprobe virtio_scsi && insmod sd_mod.ko &&
		for i in \$(seq 100); do [ -b /dev/sda ] && exit; usleep 100000; done; exit 1" 30
}

# gone: Xen has no domain but dom0, not even one that is dying
gone()
{
	[ "$(xl list | wc -l)" -eq 2 ]
}

# ---- each of them works ----
# shellcheck disable=SC2046
patched_boot $(std_blk) $(std_net) $(std_rng) $(scsi) \
	-device virtio-serial-pci,addr=5,disable-legacy=on,iommu_platform=on \
	-chardev pipe,id=c1,path=/run/port -device virtserialport,chardev=c1 || bail 'no guest'
load "'backend=*=0'" rebind=1
ok $? 'the module loads'
maps_mark
drivers blk net rng
is "$(guest_sum)" "$(disk_sum)" 'disk: the guest reads what dom0 has'
guest 'dd if=/dev/urandom of=/tmp/x bs=4k count=300 2>/dev/null; dd if=/tmp/x of=/dev/vda bs=4k oflag=direct seek=5' 2>/dev/null
is "$(dd if="$DISK" bs=4k skip=5 count=300 2>/dev/null | md5sum)" "$(guest 'md5sum </tmp/x')" 'disk: dom0 finds what the guest wrote'
guest 'dd if=/tmp/x of=/dev/vda bs=1200k oflag=direct seek=3' 2>/dev/null
is "$(dd if="$DISK" bs=1200k skip=3 count=1 2>/dev/null | md5sum)" "$(guest 'md5sum </tmp/x')" 'disk: the same, all at once'
net_up
ok $? 'the network works'
tcp_works 1024 'network: '
is "$(guest 'dd if=/dev/hwrng bs=512 count=8 2>/dev/null | tee /tmp/b | wc -c')" 4096 'random numbers: 4 KiB'
cmp_ok "$(guest 'od -An -v -tx1 /tmp/b | xargs -n 1 | sort -u | wc -l')" -gt 240 'random numbers: nearly all bytes occur'
head -c 65536 /run/port.out >/tmp/back &
# The driver makes the file a while before it lets anyone open it.
guest 'for i in $(seq 100); do { head -c 65536 /tmp/x >$(echo /dev/vport*); } 2>/dev/null && exit
	usleep 100000; done; exit 1' || bail 'the port cannot be written to'
wait $!
is "$(md5sum </tmp/back)" "$(guest 'head -c 65536 /tmp/x | md5sum')" 'port: what the guest writes comes to dom0'
scsi_drivers
ok $? 'the driver of the SCSI disk has it'
is "$(guest 'blockdev --flushbufs /dev/sda; md5sum </dev/sda')" "$(md5sum </run/scsi.img)" 'SCSI disk: the guest reads what dom0 has'
guest 'dd if=/tmp/x of=/dev/sda bs=100k conv=fsync seek=3' 2>/dev/null
is "$(dd if=/run/scsi.img bs=100k count=12 skip=3 2>/dev/null | md5sum)" "$(guest 'md5sum </tmp/x')" 'SCSI disk: dom0 finds what the guest wrote'
only_grants 'all this'
cmp_ok "$(copies)" -gt 1000 'most of it is copied'
diag "$(maps_grant) maps, $(copies) copies"
guest 'rmmod sd_mod'
no_drivers blk net rng scsi
guest 'for device in /sys/bus/virtio/drivers/virtio_console/virtio*; do echo "${device##*/}" >/sys/bus/virtio/drivers/virtio_console/unbind; done'
all_back
nothing_left

# ---- a guest that is gone in the middle ----
load "'backend=*=0'"
drivers blk net rng
guest '{ while :; do dd if=/dev/vda of=/dev/null bs=256k iflag=direct; done & dd if=/dev/hwrng of=/dev/null bs=512 & } >/dev/null 2>&1'
backend_alive
ok $? 'QEMU is there, and busy'
gone
ok "$(not $?)" 'the domain is listed'
xl destroy "$(guest_id)"
backend_kill TERM
wait_for 20 gone
ok $? 'the domain is gone, which it would not be with a grant mapped' "$(xl list)"
done_testing
