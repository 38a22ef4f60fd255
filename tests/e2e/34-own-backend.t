# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=120
#
# The project's own backend on x86: a disk, a network and random numbers on
# virtio-mmio, over grants.

. /payload/lib.sh
. /payload/own.sh

pattern=/payload/bin/pattern

load "backend='virtio-mmio.0=0,virtio-mmio.1=0,virtio-mmio.2=0'"
ok $? 'the module loads'
drivers blk net rng
ok $? 'the drivers load'
maps_mark

like "$(guest "$pattern write /dev/vda")" '^[0-9]+$' \
	'the guest writes requests of all sizes to its disk'
$pattern check "$DISK"
ok $? 'dom0 finds them in the file'
guest "$pattern read /dev/vda"
ok $? 'the guest reads them back, and nothing beside them is written'
guest 'fio --minimal --filename=/dev/vda --direct=1 --verify=crc32c --verify_fatal=1 --rw=write \
	--bssplit=512/60:4k/20:16k/10:64k/5:128k/5 --name=many --ioengine=io_uring --iodepth=32 \
	--offset=33m --size=2m >/tmp/fio 2>&1 || { cat /tmp/fio; false; }'
ok $? 'what it writes 32 at a time it can read'
net_up
ok $? 'dom0 reaches the guest'
tcp_works 1024
guest 'dd if=/dev/hwrng of=/dev/null bs=64 count=20 2>/dev/null'
ok $? 'there are random numbers'

only_grants 'all this'
is "$(backend_sum failures)" 0 'each address that the backend saw was good'
diag "$(backend_stats)"
no_drivers blk net rng
ok $? 'the drivers leave'
is "$(backend_sum mapped)" 0 'the backend holds nothing any more'
nothing_left

# ---- each grant mapped but once ----
backend_kill TERM
# shellcheck disable=SC2046
backend_start --keep-grants $(std_blk) $(std_net) $(std_rng) || bail 'no backend'
load 'backend=*=0'
drivers rng
random='dd if=/dev/hwrng of=/dev/null bs=64 count=20 2>/dev/null'
guest "$random"
ok $? 'with --keep-grants there are random numbers'
maps=$(backend_stat rng0 maps)
guest "$random"
ok $? 'and more of them'
diag "$(backend_stats)"
is "$(backend_stat rng0 maps)" "$maps" 'without any more maps'
no_drivers rng
ok $? 'the driver leaves'
is "$(backend_sum mapped)" 0 'the backend holds nothing any more'
nothing_left
done_testing
