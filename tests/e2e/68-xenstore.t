# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=200
#
# Without a word of the guest's own, xenstore says who serves its devices, also one that
# comes while it runs. backend= knows better. What cannot be followed is refused.

. /payload/lib.sh
. /payload/plug.sh

DISK_KEY=0000-00-01-0 NET_KEY=0000-00-02-0 RNG_KEY=0000-00-03-0 PLUG_KEY=0000-01-00-0

# says KEY VALUE: in the guest's folder of xenstore
says()
{
	xenstore-write "/local/domain/$(guest_id)/data/virtio-grants/$1" "$2"
}

# log_of DEVICE: the last word of it
log_of()
{
	guest "dmesg | grep '$1: xen_grant_dma: ' | tail -n 1"
}

# shellcheck disable=SC2046
plug_boot $(std_net) $(std_rng) || bail 'no guest'
maps_mark
! xenstore-write "/local/domain/$(guest_id)/data/virtio-grants/0000:00:02.0" 0 2>/dev/null
ok $? 'xenstore takes no address of PCI for the name of a key'

# ---- it is believed ----
says $NET_KEY 0
says $RNG_KEY 0:copy
load
ok $? 'the module loads, with no backend='
drivers net rng
ok $? 'the drivers load'
like "$(log_of 0000:00:02.0)" "grants to domain 0, by xenstore data/virtio-grants/$NET_KEY\$" \
	'the log names the device, the domain and xenstore'
is "$(status_of 0000:00:02.0 domid) $(status_of 0000:00:02.0 copy)" '0 needed' 'the network has grants'
is "$(status_of 0000:00:03.0 domid) $(status_of 0000:00:03.0 copy)" '0 always' 'the rng, too, and copies all'
like "$(guest 'sh /payload/xgd status')" "^0000:00:02.0 .* dom0 .* xenstore data/virtio-grants/$NET_KEY\$" 'xgd shows it'
net_up
ok $? 'the network works'
is "$(guest 'dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c')" 256 'random numbers come'

# ---- a disk that comes while the guest runs ----
says $PLUG_KEY 0:page
guest 'modprobe virtio_blk'
plug_in >/run/qmp || bail "no disk: $(cat /run/qmp)"
like "$(log_of 0000:01:00.0)" "grants to domain 0, by xenstore data/virtio-grants/$PLUG_KEY\$" \
	'a disk that is plugged in finds its own backend'
is "$(status_of 0000:01:00.0 isolation)" page 'with the option that is its own'
head -c 1048576 /dev/urandom >/run/text
dd if=/run/text of="$PLUG_DISK" bs=1M conv=notrunc 2>/dev/null
is "$(guest 'dd if=/dev/vda bs=64k count=16 iflag=direct 2>/dev/null | md5sum')" "$(md5sum </run/text)" 'it can be read'
cmp_ok "$(maps_grant)" -gt 10 'the backend mapped grants'
is "$(maps_foreign)" 0 'and nothing else'

# ---- what cannot be followed ----
while read -r value expected; do
	no_drivers rng
	says $RNG_KEY "$value"
	guest 'modprobe virtio_rng'
	like "$(guest 'dmesg | tail -n 4')" \
		"0000:00:03.0: xen_grant_dma: refused: xenstore data/virtio-grants/$RNG_KEY says \"$expected\": write DOMID, DOMID:copy, DOMID:page or none; DOMID: 0 to 32751\$" \
		"$expected: one line says what to write"
	is "$(guest 'ls /sys/bus/virtio/drivers/virtio_rng | grep -c virtio[0-9]')" 0 "$expected: the device does not come up"
done <<'VALUES'
dom0		dom0
32752		32752
0:fast		0:fast
99999999999999999999999999999999999999	99999999999999999999999999999999
VALUES
no_drivers rng
says $RNG_KEY ''
guest 'modprobe virtio_rng'
like "$(guest 'dmesg | tail -n 4')" 'virtio-grants/0000-00-03-0 says "": write DOMID' 'so is nothing at all'
like "$(guest 'sh /payload/xgd status')" '^0000:00:03.0 .* NO' 'xgd shows that it has no grants'
no_drivers rng

# ---- who else is heard ----
says $RNG_KEY none
guest 'modprobe virtio_rng'
like "$(log_of 0000:00:03.0)" "no grants: xenstore data/virtio-grants/$RNG_KEY\$" 'xenstore can say that there are none'
no_drivers rng
says $RNG_KEY 77
guest "echo 00:03.0=0 >/sys/module/xen_grant_dma/parameters/backend"
guest 'modprobe virtio_rng'
like "$(log_of 0000:00:03.0)" 'grants to domain 0, by backend=00:03.0=0$' 'backend= wins'
no_drivers rng
guest "echo default=88 >/sys/module/xen_grant_dma/parameters/backend"
says $RNG_KEY 0
guest 'modprobe virtio_rng'
like "$(log_of 0000:00:03.0)" 'grants to domain 0, by xenstore' 'but not by what it says of devices that nothing names'
no_drivers rng
guest "echo default=0 >/sys/module/xen_grant_dma/parameters/backend"
xenstore-rm "/local/domain/$(guest_id)/data/virtio-grants"
guest 'modprobe virtio_rng'
like "$(log_of 0000:00:03.0)" 'grants to domain 0, by backend=default=0$' 'which is heard where xenstore is silent'
no_drivers rng net blk
nothing_left
done_testing
