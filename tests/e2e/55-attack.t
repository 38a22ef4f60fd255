# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest also=newest timeout=240
#
# While a disk is at work, a program in dom0 tries all references that a guest can have,
# again and again, and looks for what the guest never handed over. It also stands in
# the way of unmaps: pages stay mapped that should be revoked.

. /payload/lib.sh

SECRET=-xgd-secret-
ALL=32768	# 64 frames, of 512 references each

id=$(guest_id)
PV=$(pv_references | xargs | tr ' ' ,)

# reach [OPTION]... DOMID COUNT: the references that dom0 can map
reach()
{
	/payload/bin/gntprobe -x "$PV" "$@"
}

# attack: until /run/attack is gone. All are mapped together, for a moment, and read;
# then those at the low end, where the guest takes them, one by one.
attack()
{
	local times=0

	: >/run/found
	: >/run/seen
	while [ -e /run/attack ]; do
		reach -c -t $SECRET "$id" $ALL >>/run/found
		reach "$id" 1024 >>/run/seen
		times=$((times + 1))
		echo $times >/run/times
	done
}

attack_begin()
{
	: >/run/attack
	attack &
	attacker=$!
}

attack_end()
{
	rm /run/attack
	wait $attacker
	diag "$(cat /run/times) times dom0 tried all $ALL references; of 1024 one by one it mapped $(wc -l </run/seen)"
}

nothing_granted()
{
	[ -z "$(reach -c "$id" $ALL)" ]
}

# Most of the guest's memory has the secret in it.
guest "yes $SECRET | head -c 33554432 >/tmp/secret"
ok $? 'the guest has a secret'

# The guest's programs come from a PV disk, which is disabled for good when an unmap is
# disturbed: all that is needed is read before.
load "backend='*=0'"
drivers blk
ok $? 'the driver loads'
guest "fio --name=warm --filename=/dev/vda --rw=randread --bs=4k --ioengine=libaio --iodepth=2 \
	--direct=1 --io_size=64k --size=4m --verify=crc32c --verify_state_save=0 >/dev/null 2>&1
	fio --name=warm --filename=/dev/vda --rw=randwrite --bs=4k --ioengine=libaio --iodepth=2 \
	--direct=1 --size=64k --verify=crc32c --verify_fatal=1 >/dev/null 2>&1"
no_drivers blk
wait_for 5 nothing_granted
ok $? "before the disk is at work dom0 can map none of $ALL references" "$(reach -c "$id" $ALL)"
attack_begin
drivers blk
ok $? 'it loads again'
for job in 'rw=randrw --bs=512-64k' 'rw=write --bs=4k' 'rw=randread --bs=4k --iomem_align=512'; do
	guest "fio --name=attack --filename=/dev/vda --$job --iodepth=16 --ioengine=libaio --direct=1 \
		--size=2m --verify=crc32c --verify_fatal=1 --random_generator=tausworthe >/tmp/fio.log 2>&1" 100
	ok $? "fio finds its data: --$job" "$(guest 'tail -n 5 /tmp/fio.log')"
done
diag "late_total $(counter late_total), copied_total $(counter copied_total), copy $(
	guest "sed -n 's/^ *copy *//p' /sys/kernel/debug/xen_grant_dma/devices")"
no_drivers blk
ok $? 'the driver leaves'
drivers blk
ok $? 'and comes back'
no_drivers blk
attack_end
cmp_ok "$(wc -l </run/seen)" -gt 50 'meanwhile dom0 has mapped what it could'
is "$(cat /run/found)" '' 'it never saw the secret'

# The same search finds what is handed over.
drivers blk
attack_begin
for _ in 1 2 3 4 5 6 7 8 9 10; do
	guest "dd if=/tmp/secret of=/dev/vda bs=1M count=16 oflag=direct 2>/dev/null" 100
	[ ! -s /run/found ] || break
done
attack_end
isnt "$(cat /run/found)" '' 'but when the guest writes it to the disk'
no_drivers blk
all_back
is "$(reach -c "$id" $ALL)" '' "after all this it can map none of $ALL references"
nothing_left
done_testing
