# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=120
#
# What the device tree says of platform devices, right and wrong, is followed, or
# the device does not come up. Two nodes provide grants.

. /payload/lib.sh

# The SPI of the tree's device N is interrupt 32 + N + 1.
devices=
for n in 0 1 2 3 4 5 6 7; do
	devices="$devices --device rng,base=0x$(printf %x $((0x2000000 + n * 0x200))),irq=$((33 + n))"
done
# The kernel waits for 10 s, which on a busy machine may be over before the module comes.
guest_create dtb=decisions append=deferred_probe_timeout=60 || bail 'no guest'
# shellcheck disable=SC2086
backend_start $devices && guest_start || bail 'it does not start'

said() # DEVICE: what the module says of it
{
	guest "dmesg | sed -n 's/.* $1[.]virtio: xen_grant_dma: //p'"
}

status() # DEVICE
{
	guest "cat /sys/bus/platform/devices/$1.virtio/virtio*/status"
}

guest 'modprobe virtio_mmio'
is "$(guest 'ls /sys/bus/virtio/devices | wc -l')" 2 'without the module the devices of good nodes wait'
load
ok $? 'the module loads'
# The kernel probes them in a worker of its own.
guest 'for i in $(seq 30); do
		[ "$(ls /sys/bus/virtio/devices | wc -l)" -eq 8 ] && break
		usleep 100000
	done'
is "$(guest 'ls /sys/bus/virtio/devices | wc -l')" 8 'with it they come up'
drivers rng

is "$(said 2000000)" 'grants to domain 0, by iommus of /passthrough/virtio@2000000' 'the tree names the domain'
is "$(said 2000200)" 'grants to domain 0, by iommus of /passthrough/virtio@2000200' 'by another node, too'
is "$(said 2000400)" 'grants to domain 7, by iommus of /passthrough/virtio@2000400' 'or another domain'
is "$(said 2000600)" 'refused: iommus of /passthrough/virtio@2000600 says 32752, which is not the id of a domain' \
	'an id that no domain has'
is "$(said 2000800)" 'refused: /passthrough/iommu-disabled is disabled' 'a node that is disabled'
is "$(said 2000a00)" 'refused: /passthrough/iommu-wide must have #iommu-cells = <1>' 'a node with two cells'
is "$(said 2000c00)" 'refused: iommus of /passthrough/virtio@2000c00 must be one phandle and one domain id' 'two entries'
is "$(said 2000e00)" 'no grants: no backend is named' 'no entry at all'
for device in 2000600 2000800 2000a00 2000c00; do
	like "$(status $device)" '^0x0*8' "$device, refused, has not come up"
done
like "$(status 2000000)" '^0x0*f' 'the first has'
cmp_ok "$(backend_stat rng0 requests)" -gt 0 'and works'
cmp_ok "$(backend_stat rng0 maps)" -gt 0 'with grants'
is "$(backend_stat rng0 plain)" 0 'only'
is "$(backend_stat rng2 maps)" 0 'what was granted to another domain cannot be mapped'
is "$(guest 'echo alive')" alive 'which hurts nobody else'

no_drivers rng && unload
ok $? 'the module leaves'
guest 'dmesg -c >/dev/null'
load force_grant=1 "backend='2000200.virtio=none'"
drivers rng
is "$(said 2000e00)" 'grants to domain 0, by force_grant=1' 'force_grant=1 reaches what the tree says nothing of'
is "$(said 2000200)" 'no grants: backend=2000200.virtio=none' 'backend= overrides the tree'
is "$(said 2000000)" 'grants to domain 0, by iommus of /passthrough/virtio@2000000' 'the tree overrides force_grant=1'
no_drivers rng && unload
ok $? 'the module leaves again'
guest 'dmesg -c >/dev/null'
load force_grant=1 backend=default=5
drivers rng
is "$(said 2000e00)" 'grants to domain 5, by backend=default=5' 'default= names the domain of what the tree says nothing of'
is "$(said 2000000)" 'grants to domain 0, by iommus of /passthrough/virtio@2000000' 'but of nothing else'
clean_dmesg 'the kernel has nothing to complain of'
no_drivers rng && unload
ok $? 'the module leaves'
done_testing
