# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=guest timeout=120
#
# A backend that unmaps nothing until it is told to: what it was given stays kept,
# whatever happens to drivers and devices meanwhile.

. /payload/lib.sh

devices=/sys/kernel/debug/xen_grant_dma/devices
name=$(name_of blk)

# all_kept: what Xen says is mapped and what the module says is late are as many
all_kept()
{
	is "$(counter late)" "$(grants | wc -l)" "$1: each page that the backend maps is kept"
}

let_go()
{
	kill -USR2 "$(guest_get pid)"
	wait_for 15 guest "! grep -q 'late *[1-9]' $devices"
}

read_disk()
{
	guest 'dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null'
}

backend_kill TERM
# shellcheck disable=SC2046
backend_start --never-unmap $(std_blk) $(std_net) $(std_rng) || bail 'no backend'
load 'backend=*=0'
drivers blk
read_disk
ok $? 'the disk works'
cmp_ok "$(counter late)" -gt 0 'what the backend keeps of a read is late'

# ---- the driver, then the transport ----
# Each wait for the backend takes 2 s.
guest "echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/unbind"
ok $? 'the driver is unbound'
all_kept 'no driver'
like "$(guest "cat $devices")" 'state +waiting for its backend' 'the device waits for its backend'
guest 'echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/bind'
ok $? 'and bound again'
sum=$(guest_sum 256)
is "$sum" "$(disk_sum 256)" 'the disk works'
guest "echo $name >$TRANSPORT_DRIVER/unbind"
ok $? 'the transport is unbound'
all_kept 'no device'
like "$(unload 2>&1)" 'unavailable|in use|busy' 'the module does not leave'
guest "echo $name >$TRANSPORT_DRIVER/bind"
ok $? 'the transport is bound again'
wait_for 10 guest '[ -b /dev/vda ]'
is "$(guest_sum 256)" "$sum" 'the disk works'
is "$(guest "grep -c 'state *waiting' $devices")" 2 'the device is there three times: twice it waits'

# ---- the backend lets go ----
let_go
ok $? 'the backend lets go, and nothing is late any more'
is "$(guest "grep -c state $devices")" 1 'the device is there once'
read_disk
ok $? 'the disk works'
no_drivers blk
ok $? 'the driver leaves'
all_kept 'the end'
let_go
ok $? 'the backend lets go again'
nothing_left
done_testing
