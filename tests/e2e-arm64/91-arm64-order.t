# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=150
#
# The module before the devices, after them, and too late. Two nodes provide
# grants.

. /payload/lib.sh

said() # DEVICE: what the module says of it
{
	guest "dmesg | sed -n 's/.* $1[.]virtio: xen_grant_dma: //p'"
}

# Of the tree's devices, the two that these are for.
first=2000000 second=2000200
devices=
for n in 0 1 2 3 4 5 6 7; do
	devices="$devices --device rng,base=0x$(printf %x $((0x2000000 + n * 0x200))),irq=$((33 + n))"
done

# up: how many of the two have come up
up='ls -d /sys/bus/platform/devices/2000[02]00.virtio/virtio* 2>/dev/null | wc -l'

# begin: forget what was until now
begin()
{
	guest 'dmesg -c >/dev/null'
	for n in 0 1; do
		guest_set "maps$n" "$(backend_stat rng$n maps)"
		guest_set "plain$n" "$(backend_stat rng$n plain)"
	done
}

# both_work WHEN: over grants, and nothing else, since then
both_work()
{
	local n

	drivers rng
	is "$(said $first | tail -n 1)" "grants to domain 0, by iommus of /passthrough/virtio@$first" "$1: the first gets grants"
	is "$(said $second | tail -n 1)" "grants to domain 0, by iommus of /passthrough/virtio@$second" "$1: so does the second"
	for n in 0 1; do
		cmp_ok "$(backend_stat rng$n maps)" -gt "$(guest_get maps$n)" "$1: the backend mapped some of device $n"
		is "$(backend_stat rng$n plain)" "$(guest_get plain$n)" "$1: and has seen no plain address"
	done
}

# ---- the devices, 5 s later the module ----
# The kernel waits for 10 s from the last driver that was loaded, which on a busy
# machine may be over before the test begins.
guest_create dtb=decisions append=deferred_probe_timeout=60 || bail 'no guest'
# shellcheck disable=SC2086
backend_start $devices && guest_start || bail 'it does not start'
begin
guest "modprobe virtio_mmio
	usleep 5000000
	echo \"after 5 s: \$($up)\"
	insmod /payload/stable/xen_grant_dma.ko
	since=\$(cut -d. -f1 /proc/uptime)
	until [ \"\$($up)\" = 2 ] || [ \$((\$(cut -d. -f1 /proc/uptime) - since)) -gt 20 ]; do
		usleep 50000
	done
	echo \"waited: \$((\$(cut -d. -f1 /proc/uptime) - since))\"" >/tmp/order
like "$(cat /tmp/order)" '^after 5 s: 0$' 'the devices of both nodes wait for the module'
cmp_ok "$(sed -n 's/^waited: //p' /tmp/order)" -le 2 'and come up at once when it is there'
is "$(guest 'dmesg | grep -c "deferred probe timeout"')" 0 'the kernel has not given up waiting'
both_work 'devices before the module'

# ---- the module, then the devices ----
no_drivers rng
guest 'rmmod virtio_mmio' && unload
ok $? 'the drivers and the module leave'
is "$(guest "$up")" 0 'so do the devices'
begin
load
ok $? 'the module loads'
is "$(guest "modprobe virtio_mmio; $up")" 2 'with it there, devices come up without delay'
both_work 'the module before the devices'
clean_dmesg 'the kernel has nothing to complain of'
guest_destroy

# ---- too late: the kernel has given up ----
# A second instead of ten, to save time.
guest_create dtb=decisions append=deferred_probe_timeout=1 || bail 'no second guest'
# shellcheck disable=SC2086
backend_start $devices && guest_start || bail 'it does not start'
guest "modprobe virtio_mmio; until [ \"\$($up)\" = 2 ]; do usleep 100000; done" 30
ok $? 'after its time the kernel has the devices come up without the module'
cmp_ok "$(guest 'dmesg | grep -c "deferred probe timeout"')" -gt 0 'which it says'
guest 'modprobe virtio_rng'
wait_for 20 grep -q '^rng0: needs reset' "$(guest_get log)"
ok $? 'their driver uses plain addresses, which the backend refuses'
load
ok $? 'the module loads'
like "$(said $first)" "^left without grants: it got its driver before this module, which would grant to domain 0, by iommus of /passthrough/virtio@$first" \
	'it says which device it could not help'
like "$(said 2000600)" '^left without grants: .* which would have refused it; unbind it, or use rebind=1$' \
	'and which it would have refused'
is "$(backend_sum maps)" 0 'and changes nothing under a driver'
unload
ok $? 'it leaves'

begin
load rebind=1
ok $? 'it loads with rebind=1'
like "$(said $first)" '^unbinding and binding its driver again, as rebind=1 says$' 'and does what that says'
both_work 'bound again'
is "$(guest 'ls -d /sys/bus/platform/devices/2000600.virtio/virtio*/driver 2>/dev/null')" '' \
	'a device that the tree is wrong about has lost its driver'
no_drivers rng
guest 'rmmod virtio_mmio' && unload
ok $? 'the drivers and the module leave'

# The bus came too early, but its drivers did not.
guest 'modprobe virtio_mmio'
is "$(guest "$up")" 2 'the kernel does not wait any more'
begin
load
both_work 'the module between devices and drivers'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
