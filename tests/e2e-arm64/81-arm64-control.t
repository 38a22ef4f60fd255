# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=120
#
# The control run: the tree wants grants, nobody gives them. The devices wait for
# a driver of the tree's "xen,grant-dma" node, and after 10 s come up with plain
# addresses, all the same. A backend that takes none but grants refuses them; one
# that takes all serves them, which shows that it can tell one from the other.

. /payload/lib.sh

guest_create dtb=iommus || bail 'no guest'
# shellcheck disable=SC2046
backend_start $(std_blk) $(std_net) $(std_rng) && guest_start || bail 'it does not start'

guest 'modprobe virtio_mmio'
ok $? 'the driver of virtio-mmio loads'
is "$(guest 'ls /sys/bus/virtio/devices')" '' 'but no device comes up'
like "$(guest 'cat /sys/kernel/debug/devices_deferred')" '2000000[.]virtio' 'they wait'
since=$(seconds)
guest 'until [ -e /sys/bus/virtio/devices/virtio2 ]; do usleep 100000; done' 30
ok $? 'until they come up without'
diag "after $(($(seconds) - since)) s"

# It waits for the partition table, in vain.
guest 'modprobe virtio_blk >/dev/null 2>&1 &'
wait_for 20 grep -q '^blk0: needs reset' "$(guest_get log)"
ok $? 'the backend refuses the disk'
like "$(backend_stats)" '^blk0 requests=0 .* maps=0 .* plain=[1-9][0-9]* failures=[1-9]' \
	'as it has seen plain addresses, and mapped nothing'
like "$(guest 'cat /sys/bus/virtio/devices/virtio0/status')" '^0x0*4[0-9a-f]$|^0x0*c[0-9a-f]$' \
	'the device tells its driver that it needs a reset'
backend_alive
ok $? 'the backend goes on'
is "$(grants)" '' 'Xen knows of no grant'
guest_destroy

guest_create dtb=plain || bail 'no second guest'
# shellcheck disable=SC2046
backend_start --allow-plain $(std_blk) $(std_net) $(std_rng) && guest_start || bail 'it does not start'
drivers blk
ok $? 'with a backend that takes all the driver loads'
guest 'dd if=/dev/urandom of=/dev/vda bs=64k count=16 oflag=direct 2>/dev/null'
is "$(guest_sum 1024)" "$(disk_sum 1024)" 'and the disk works'
cmp_ok "$(backend_stat blk0 plain)" -gt 10 'over plain addresses'
is "$(backend_stat blk0 maps)" 0 'and not a single grant'
done_testing
