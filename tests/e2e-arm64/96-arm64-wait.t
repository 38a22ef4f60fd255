# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=150
#
# The guest is up long before its backends. With wait= their devices wait, each for
# its own domain; without it, the first touch of a window kills the guest. Devices that
# are not to use grants can wait, too.

. /payload/lib.sh
. /payload/wait-arm64.sh

late=15
# The tree says nothing of the first, and names a domain for the second.
NAMED=2000400.virtio
PLAIN=2000600.virtio

guest_create dtb=wait-names && guest_start || bail 'no guest'
load "wait=0,3,$NAMED=5,5" "backend=$PLAIN=none"
ok $? 'the module loads, there is no backend'
guest 'modprobe virtio_mmio && modprobe virtio_blk && modprobe virtio_rng'
ok $? 'so do the drivers'
since=$(seconds)
is "$(deferred)" "$FIRST virtio-mmio: waits until domain 0 is ready
$SECOND virtio-mmio: waits until domain 3 is ready
$NAMED platform: supplier xen-domain.5 not ready
$PLAIN virtio-mmio: waits until domain 5 is ready" 'the kernel tells which devices wait, and why'
is "$(said $FIRST)" 'waits until domain 0 is ready, by wait=' 'so does the log'
is "$(domain 0 state), $(domain 0 source), $(domain 0 devices)" "waiting, wait=, $FIRST" 'and debugfs'
is "$(said $NAMED)" 'waits until domain 5 is ready, by wait=' 'a device that wait= names waits, too'
is "$(domain 5 devices)" "$NAMED $PLAIN" 'beside one that the tree names'
is "$(guest 'cat /sys/module/xen_grant_dma/parameters/wait')" "0,3,5,$NAMED=5" 'the parameter can be read'
like "$(guest 'rmmod xen_grant_dma 2>&1')" 'unavailable|in use|busy' 'the module does not leave while devices wait'
like "$(guest 'echo 32752 2>&1 >/sys/module/xen_grant_dma/parameters/ready')" 'Invalid argument' 'ready= takes no id that no domain has'

# Past the 10 s that the kernel waits for an IOMMU.
left=$((late - $(seconds) + since))
[ $left -le 0 ] || guest "usleep $((left * 1000000))"
try_again $FIRST
try_again $NAMED
is "$(deferred | wc -l)" 4 "after $late s they still wait"
is "$(said $FIRST | wc -l)" 1 'the log told once'

# shellcheck disable=SC2046
backend_start --allow-plain $(std_blk) --device "rng,$NET" \
	--device rng,base=0x2000400,irq=35 --device rng,base=0x2000600,irq=36 || bail 'no backend'
maps_mark
is "$(deferred | wc -l)" 4 'nor does a backend alone make them come up'
ready 0
ok $? 'the user says that domain 0 is ready'
is_up $FIRST
ok $? 'its device comes up'
disk_works 'the disk'
like "$(guest 'dmesg | tail -n 20')" '] xen_grant_dma: domain 0 is ready, by ready=$' 'the log tells who said so'
is "$(domain 0 state), $(domain 0 signal)" 'ready, ready=' 'and debugfs'
is "$(guest 'cat /sys/module/xen_grant_dma/parameters/ready')" 0 'and the parameter'
is "$(deferred | head -n 1) $(deferred | wc -l)" "$SECOND virtio-mmio: waits until domain 3 is ready 3" 'the others wait on'
ready 3 && is_up $SECOND
ok $? 'until its domain is ready, too'
is "$(said $SECOND | tail -n 1)" "grants to domain 3, by iommus of /passthrough/virtio@2000200" 'it gives grants to that'

is "$(guest "ls -d /sys/bus/platform/devices/$NAMED/virtio* /sys/bus/platform/devices/$PLAIN/virtio* 2>/dev/null")" '' \
	'those that are not to use grants wait on'
like "$(guest 'rmmod xen_grant_dma 2>&1')" 'unavailable|in use|busy' 'and keep the module'
ready 5 && is_up $NAMED && is_up $PLAIN
ok $? 'until theirs is ready'
is "$(said $NAMED | tail -n 1)" 'no grants: no backend is named' 'they have no grants'
is "$(said $PLAIN | tail -n 1)" "no grants: backend=$PLAIN=none" 'each for its reason'
for n in 1 2; do
	cmp_ok "$(backend_stat rng$n plain)" -gt 0 "and work: rng$n"
done
is "$(deferred)" '' 'nothing waits any more'
is "$(guest 'ls -d /sys/bus/platform/devices/xen-domain.* 2>/dev/null')" '' 'nothing is left of the gate'

no_drivers blk rng
ok $? 'the drivers leave'
nothing_left
guest 'dmesg -c >/dev/null'
load "wait=$NAMED=0,$NAMED=3"
ok $? 'a device that has its driver does not keep the module from loading'
like "$(guest dmesg)" "$NAMED: xen_grant_dma: does not wait for domain 0: it got its driver before this module" \
	'the log says that it does not wait'
unload
ok $? 'nor from leaving'
load wait=x >/dev/null 2>&1
ok "$(not $?)" 'a parameter that makes no sense is refused'
is "$(guest 'dmesg | grep -o "wait=:.*" | sort -u')" \
	'wait=: "x" is not DOMID, DOMID:PORT or DEVICE=DOMID, with commas between; DOMID: 0 to 32751; PORT: of an event channel; DEVICE: the name of a platform device' \
	'and the log tells what would be right'

# ---- the control ----
backend_kill TERM
guest 'rmmod virtio_mmio'
load
guest 'modprobe virtio_mmio'
like "$(grep -A 40 'Internal error' "/var/log/xen/console/guest-$GUEST.log")" 'pc : virtio_mmio_probe' \
	'without waiting: the first touch of the window'
like "$(guest_get dead)" 'panicked' 'kills the guest'
done_testing
