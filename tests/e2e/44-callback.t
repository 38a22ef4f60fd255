# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=80
#
# Others may use virtio's callback, too: those before the module are asked and put
# back. And the test of the tests: with plain DMA every oracle for grants says no.

. /payload/lib.sh

hook() # PARAMETER of xgd_hook
{
	guest "cat /sys/module/xgd_hook/parameters/$1"
}

guest "insmod $(module xgd_hook)"
load force_grant=1
is "$(hook installed)" 0 'the module has put itself before the callback that was there'
drivers rng
is "$(hook calls)" 1 'which is still asked'
no_drivers rng
unload
is "$(hook installed)" 1 'and which the kernel asks again when the module is gone'
drivers rng
is "$(hook calls)" 2 'as it does'
no_drivers rng

# rmmod while the callback runs, for a device that is bound through sysfs: nothing that
# the kernel counts, and no device that has grants, keeps the module then.
drivers rng
load
bound=$(guest 'cd /sys/bus/virtio/drivers/virtio_rng && rng=$(echo virtio*) && echo $rng >unbind || exit
	echo 3000 >/sys/module/xgd_hook/parameters/pause_ms
	echo $rng >bind &
	until [ "$(cat /sys/module/xgd_hook/parameters/calls)" -eq 4 ]; do usleep 10000; done
	rmmod xen_grant_dma && echo "unloaded, $(ls -d $rng)"
	wait')
is "${bound% *}" 'unloaded,' 'the module is unloaded while its callback runs'
like "$bound" 'virtio[0-9]+$' 'it waited until the device was bound'
guest 'usleep 100000; echo 0 >/sys/module/xgd_hook/parameters/pause_ms'
ok $? 'and the guest goes on'
no_drivers rng

# The second copy comes after the module, which is to have no private pages here.
load force_grant=1 isolation=page
guest "sed s/xgd_hook/xgd_plai/g $(module xgd_hook) >/tmp/plain.ko; insmod /tmp/plain.ko plain=1"
ok $? 'plain DMA takes the place of the module'
maps_mark
drivers blk
is "$(guest 'dmesg | grep -c "grants to domain 0"')" 2 'the module believes it has the device'
guest 'dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null'
is "$(maps_grant)" 0 'but there are no grants'
cmp_ok "$(maps_foreign)" -gt 0 'only foreign maps'
is "$(grants)" '' 'Xen knows of no grant'
is "$(probe)" '' 'and dom0 can map none'
is "$(guest 'awk "\$1 == \"references\" { print \$2 }" /sys/kernel/debug/xen_grant_dma/devices')" 0 \
	'nor does debugfs show one'
done_testing
