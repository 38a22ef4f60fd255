# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=300 needs=patched-qemu
#
# A descriptor with a reference to which nothing is granted costs its device, until that is
# reset, and nobody else. Debian's QEMU ends, and so it does when it sees a SCSI disk.

. /payload/lib.sh

DEBIAN=$QEMU

bad_state()
{
	guest 'cat /sys/module/xgd_bad/parameters/state'
}

bad_is()
{
	[ "$(bad_state)" = "$1" ]
}

# ---- with the patches ----
. /payload/patched.sh
# shellcheck disable=SC2046
patched_boot $(std_blk) $(std_net) $(std_rng) || bail 'no guest'
load "'backend=0000:00:02.0=77,*=0'"
ok $? 'the module loads, and grants the memory of the network card to somebody else'
drivers blk
guest "insmod $(module xgd_bad)"
ok $? 'a driver has made one bad descriptor'
wait_for 10 bad_is broken
ok $? 'its device asks for a reset' "$(bad_state)"
is "$(guest_sum 1024)" "$(disk_sum 1024)" 'the disk goes on'
guest 'rmmod xgd_bad'
like "$(backend_log)" 'Cannot write to descriptor' 'QEMU says so'
drivers rng
is "$(guest 'dd if=/dev/hwrng bs=512 count=2 2>/dev/null | wc -c')" 1024 'with its own driver the device works again'
guest 'modprobe virtio_net'
wait_for 10 grep -q 'Cannot map' "$(guest_get log)"
ok $? 'rings that QEMU cannot map: it says so'
is "$(guest_sum 1024)" "$(disk_sum 1024)" 'and the disk goes on'
backend_alive
ok $? 'QEMU is there'
no_drivers rng
guest_destroy

# ---- as Debian has it: the tests see what they are to see ----
QEMU=$DEBIAN
# shellcheck disable=SC2046
guest_boot -- $(std_blk) $(std_rng) || bail 'no second guest'
load "'backend=*=0'"
drivers blk
guest "insmod $(module xgd_bad)"
wait_for 10 backend_gone
ok $? "Debian's QEMU ends of one bad descriptor"
guest_destroy

truncate -s 8M /run/scsi.img
# shellcheck disable=SC2046
guest_boot -- $(std_blk) $(scsi) || bail 'no third guest'
load "'backend=*=0'"
guest 'modprobe virtio_scsi &'
wait_for 10 backend_gone
ok $? 'and of a SCSI disk'
like "$(backend_log)" 'Tried to access a grant reference without mapping it' 'of which it says why'
xl destroy "$(guest_id)"
done_testing
