# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=150
#
# The guest is up long before its backends. With wait= their devices wait, each for
# its own domain; without it, the first touch of a window kills the guest.

. /payload/lib.sh
. /payload/wait-arm64.sh

late=15

guest_create dtb=mmio-two-backends && guest_start || bail 'no guest'
load wait=0,3
ok $? 'the module loads, there is no backend'
guest 'modprobe virtio_mmio && modprobe virtio_blk && modprobe virtio_rng'
ok $? 'so do the drivers'
since=$(seconds)
is "$(deferred)" "$FIRST virtio-mmio: waits until domain 0 is ready
$SECOND virtio-mmio: waits until domain 3 is ready" 'the kernel tells which devices wait, and why'
is "$(said $FIRST)" 'waits until domain 0 is ready, by wait=' 'so does the log'
is "$(domain 0 state), $(domain 0 source), $(domain 0 devices)" "waiting, wait=, $FIRST" 'and debugfs'
like "$(guest 'rmmod xen_grant_dma 2>&1')" 'unavailable|in use|busy' 'the module does not leave while devices wait'
like "$(guest 'echo 32752 2>&1 >/sys/module/xen_grant_dma/parameters/ready')" 'Invalid argument' 'ready= takes no id that no domain has'

# Past the 10 s that the kernel waits for an IOMMU.
guest "usleep $(((late - $(seconds) + since) * 1000000))"
try_again $FIRST
is "$(deferred | wc -l)" 2 "after $late s they still wait"
is "$(said $FIRST | wc -l)" 1 'the log told once'

# shellcheck disable=SC2046
backend_start $(std_blk) --device "rng,$NET" || bail 'no backend'
maps_mark
is "$(deferred | wc -l)" 2 'nor does a backend alone make them come up'
ready 0
ok $? 'the user says that domain 0 is ready'
is_up $FIRST
ok $? 'its device comes up'
disk_works 'the disk'
like "$(guest 'dmesg | tail -n 20')" '] xen_grant_dma: domain 0 is ready, by ready=$' 'the log tells who said so'
is "$(domain 0 state), $(domain 0 signal)" 'ready, ready=' 'and debugfs'
is "$(guest 'cat /sys/module/xen_grant_dma/parameters/ready')" 0 'and the parameter'
is "$(deferred)" "$SECOND virtio-mmio: waits until domain 3 is ready" 'the other device waits on'
ready 3 && is_up $SECOND
ok $? 'until its domain is ready, too'
is "$(said $SECOND | tail -n 1)" "grants to domain 3, by iommus of /passthrough/virtio@2000200" 'it gives grants to that'

no_drivers blk rng
ok $? 'the drivers leave'
nothing_left
load wait=x >/dev/null 2>&1
ok "$(not $?)" 'a parameter that makes no sense is refused'
is "$(guest 'dmesg | grep -o "wait=:.*" | sort -u')" \
	'wait=: "x" is not DOMID or DOMID:PORT, with commas between; DOMID: 0 to 32751; PORT: of an event channel' \
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
