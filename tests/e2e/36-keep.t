# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=200
#
# QEMU as it is, with libxgd-keep: it maps what it has mapped before only once, and lets go
# of it when its guest does not use it any more.

. /payload/lib.sh

export XGD_KEEP_STATS=/run/keep XGD_KEEP_PAGES=512 XGD_KEEP_SECONDS=2
QEMU=/payload/libexec/xen-grant-dma/qemu-keep

# kept KEY: what the library tells, once it has told something new
kept()
{
	rm -f /run/keep
	wait_for 5 test -e /run/keep
	sed -n "s/^$1 //p" /run/keep
}

# idle: nothing is kept any more
idle()
{
	[ "$(kept kept)" = 0 ]
}

guest_boot || bail 'no guest'
load "backend='*=0:copy'"
drivers blk net rng
wait_for 10 idle
ok $? 'what the drivers have begun with is let go'
rings=$(grants)
disk_right 'kept'
diag "$(kept mapped) pages mapped, $(sed -n 's/^reused //p' /run/keep) times one was there already"
cmp_ok "$(kept reused)" -gt $((10 * $(kept mapped))) 'ten times as much is reused as is mapped'

# ---- what is idle ----
wait_for 10 idle
ok $? 'after some seconds nothing is kept'
is "$(grants)" "$rings" 'dom0 maps just the rings'
disk_right 'again'
net_up
ok $? 'the network works'
tcp_works 256
cmp_ok "$(kept kept)" -le 512 'no more pages are kept than may be'
is "$(counter failed) $(counter late_total)" '0 0' 'the guest notices nothing'
only_grants 'all this'

# ---- the guest lets go ----
no_drivers net
guest 'echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/unbind'
ok $? 'the driver is unbound while its pages are kept'
guest 'echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/bind; for i in $(seq 50); do [ -b /dev/vda ] && break; usleep 50000; done'
disk_right 'bound again'
is "$(counter failed)" 0 'no mapping failed'
no_drivers blk rng
wait_for 10 idle
# The guest looks now and then whether pages are back.
all_back
nothing_left

# ---- a limit that is too small ----
guest_destroy
export XGD_KEEP_PAGES=4
guest_boot || bail 'no second guest'
is "$(grants)" '' 'a new guest, and nothing is mapped'
load "backend='*=0:copy'"
drivers blk
disk_right 'with four pages'
guest 'dd if=/dev/vda of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null'
cmp_ok "$(kept kept)" -le 4 'no more than four are kept'
cmp_ok "$(kept too_many)" -gt 0 'the others went at once'
no_drivers blk
wait_for 10 idle
unload
ok $? 'the module leaves when it is idle'

# ---- a guest that promises nothing ----
load "backend='*=0'"
drivers blk
disk_right 'without :copy'
like "$(guest dmesg)" 'domain 0 still maps a buffer after its use' 'the guest sees that pages are kept, and copies from then on'
disk_right 'and then'

# ---- no guest ----
xl destroy "$GUEST"
backend_kill TERM
no_domain()
{
	[ "$(xl list | awk 'NR > 1 { print $1 }')" = Domain-0 ]
}
wait_for 10 no_domain
ok $? 'when the guest and QEMU are gone nothing holds its memory' "$(xl list)"
done_testing
