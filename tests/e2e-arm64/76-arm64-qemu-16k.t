# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 kernels=stable-16k needs=qemu timeout=150
#
# QEMU for a guest whose pages are four of Xen's.

. /payload/lib.sh

guest_create kernel=stable-16k dtb=iommus || bail 'no guest'
# shellcheck disable=SC2046
qemu_start $(qemu_blk device) $(qemu_net device) $(qemu_rng device) && guest_start || bail 'it does not start'
is "$(guest 'grep -m1 KernelPageSize /proc/self/smaps | tr -s " "')" 'KernelPageSize: 16 kB' 'the guest has pages of 16K'
maps_mark
load
ok $? 'the module loads'
drivers blk net rng
ok $? 'the drivers load'
guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=64 2>/dev/null
	dd if=/tmp/data of=/dev/vda bs=64k oflag=direct 2>/dev/null
	dd if=/tmp/data of=/dev/vda bs=512 count=64 seek=16385 skip=3 oflag=direct 2>/dev/null'
ok $? 'the guest writes to its disk, and single sectors'
sum=$(guest 'md5sum </tmp/data | cut -d" " -f1')
is "$(disk_sum 4096)" "$sum" 'dom0 finds on the disk what the guest wrote'
is "$(dd if="$DISK" bs=512 skip=16385 count=64 2>/dev/null | md5sum)" \
	"$(guest 'dd if=/tmp/data bs=512 skip=3 count=64 2>/dev/null | md5sum')" 'the sectors, too'
is "$(guest_sum 4096)" "$sum" 'the guest reads it back'
net_up
ok $? 'the network works'
is "$(guest 'dd if=/dev/hwrng bs=64 count=16 2>/dev/null | wc -c')" 1024 'random numbers come'
diag "maps: $(maps_grant) of grants, $(maps_foreign) of memory"
only_grants 'all this'
no_drivers blk net rng
ok $? 'the drivers leave'
nothing_left
done_testing
