# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=none memory=9700 dom0_memory=700 timeout=300
#
# A guest with so much memory that half of it is above 4 GiB: the PCI bus, which is where
# it is for small guests, is not in the way.

# So much memory takes an emulated machine long.
GUEST_TIMEOUT=240
. /payload/lib.sh
. /payload/xl.sh

bridge_up
guest_config memory=8192
guest_xl disk=$DISK net=bridge=xenbr0 rng || bail 'no guest'
cmp_ok "$(guest "awk '/MemTotal/ { print int(\$2 / 1024) }' /proc/meminfo")" -ge 7800 'the guest has its memory'
like "$(guest 'grep "System RAM" /proc/iomem')" '^100000000-' 'some of it above 4 GiB'

works blk net rng
only_grants 'all this'
# What is allocated comes from the top.
guest 'dd if=/dev/urandom of=/tmp/more bs=1M count=24 2>/dev/null; dd if=/tmp/more of=/dev/vda bs=1M oflag=direct 2>/dev/null'
is "$(guest 'md5sum </tmp/more | cut -d" " -f1')" "$(disk_sum 24576)" '24 MiB are on the disk'
only_grants 'with that'
like "$(guest 'grep -h virtio /proc/interrupts | tr -s " "')" 'MSI-?X.*virtio' 'interrupts are MSI-X'
xl destroy guest
wait_for 10 gone guest
done_testing
