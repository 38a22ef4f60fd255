# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=180
#
# A backend that maps each reference once and keeps it (docs/backends.md): with
# copy=always that is right, and without it costs memory, but neither data nor safety.

. /payload/lib.sh
. /payload/own.sh

backend_kill TERM
# shellcheck disable=SC2046
backend_start --keep-grants $(std_blk) $(std_net) $(std_rng) || bail 'no backend'

# verified: what fio writes to the disk it reads again, in pieces of all lengths
verified()
{
	guest 'fio --minimal --filename=/dev/vda --direct=1 --verify=crc32c --verify_fatal=1 --rw=randwrite \
		--bssplit=512/40:4k/30:16k/15:64k/10:256k/5 --name=kept --ioengine=io_uring --iodepth=32 \
		--offset=33m --size=2m >/tmp/fio 2>&1 || { cat /tmp/fio; false; }' 100
}

# of_disk COUNTER: of the first device only
of_disk()
{
	guest "sed -n '1,/late /p' /sys/kernel/debug/xen_grant_dma/devices" | awk -v name="$1" '$1 == name { print $2 }'
}

# ---- permanent grants ----
load "backend='virtio-mmio.0=0:copy,*=0'"
drivers blk net
is "$(of_disk copy)" always 'an entry of backend= has all data of its device copied'
like "$(guest dmesg)" 'virtio-mmio.0: xen_grant_dma: grants to domain 0, by backend=virtio-mmio.0=0:copy' \
	'the log says so'
is "$(guest "grep -c 'copy  *needed' /sys/kernel/debug/xen_grant_dma/devices")" 1 'not of another device'
verified
ok $? 'what is written can be read'
maps=$(backend_stat blk0 maps) pages=$(of_disk private_pages)
requests=$(backend_stat blk0 requests)
verified && verified
ok $? 'again, and again'
diag "$(backend_stats | grep blk0)"
requests=$(($(backend_stat blk0 requests) - requests))
cmp_ok "$requests" -gt 300 'in some hundred requests'
cmp_ok "$(($(backend_stat blk0 maps) - maps))" -lt $((requests / 20)) 'which took hardly any more maps'
is "$(backend_stat blk0 pages)" "$(backend_stat blk0 mapped)" 'no page was mapped twice'
cmp_ok "$(($(of_disk private_pages) - pages))" -le 256 'there are hardly more private pages'
is "$(of_disk late_total)" 0 'the backend was never late'
no_drivers blk && drivers blk && verified
ok $? 'bound anew it works as before'
net_up
ok $? 'so does the network, of which not all is copied'
no_drivers blk net
nothing_left

# ---- the same backend, and a guest that does not know ----
load 'backend=virtio-mmio.0=0'
drivers blk
verified && verified
ok $? 'without copy=always data is right, too'
cmp_ok "$(of_disk late_total)" -gt 0 'although references are revoked that the backend keeps'
is "$(of_disk copy)" always 'from the first of them on all is copied'
late=$(of_disk late)
diag "pages that the backend keeps: $late"
verified
ok $? 'so it goes on'
is "$(of_disk late)" "$late" 'and costs no more memory'
no_drivers blk
all_back
ok $? 'all comes back when the device is reset'
nothing_left
done_testing
