# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=300 needs=patched-qemu
#
# With mark_lasting=1 the guest says which references last, and the QEMU of contrib/qemu keeps
# them mapped, up to a limit and until a reset. One that does not is no backend for that: the
# disk does nothing.

. /payload/lib.sh

DEBIAN=$QEMU
. /payload/patched.sh

# boot PAGES: a guest whose backend keeps so many
boot()
{
	# shellcheck disable=SC2046
	patched_boot -machine keep-grants="$1" $(std_blk) $(std_net) $(std_rng) || bail 'no guest'
	load "'backend=*=0:copy'" mark_lasting=1
	ok $? 'the module loads'
	maps_mark
	drivers blk net rng
}

boot 2048
disk_right 'kept'
maps_mark
disk_right 'kept, again'
cmp_ok "$(maps_grant)" -lt 100 'hardly anything is mapped for 512 requests'
is "$(copies)" 0 'and nothing copied by Xen'
net_up
tcp_works 256 'network: '
guest 'echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/unbind'
ok $? 'the driver is unbound while pages are kept'
guest 'echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/bind; for i in $(seq 50); do [ -b /dev/vda ] && break; usleep 50000; done'
disk_right 'bound again'
is "$(counter failed)" 0 'no mapping failed'
no_drivers blk net rng
all_back
nothing_left
guest_destroy

boot 4
rings=$(grants | wc -l)
disk_right 'with four pages'
cmp_ok "$(grants | wc -l)" -le $((rings + 4 + 8)) 'no more are kept'
no_drivers blk net rng
all_back
nothing_left
guest_destroy

# ---- who does not know it ----
for QEMU in "$QEMU" "$DEBIAN"; do
	# shellcheck disable=SC2046
	guest_boot -- $(std_blk) || bail 'no guest'
	load "'backend=*=0:copy'" mark_lasting=1
	guest '(modprobe virtio_blk; dd if=/dev/vda of=/tmp/first bs=4k count=1 iflag=direct) >/dev/null 2>&1 &
		sleep 10'
	is "$(guest 'cat /tmp/first 2>/dev/null | wc -c')" 0 "$QEMU, without keep-grants=: nothing is read"
	[ "$QEMU" = "$DEBIAN" ] || like "$(backend_log)" 'bogus descriptor|Cannot map|zero sized buffers' "$QEMU, without keep-grants=: and the log says why"
	xl destroy "$(guest_id)"
	guest_destroy 2>/dev/null
done
done_testing
