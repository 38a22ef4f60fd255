# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=120
#
# QEMU gives a guest a disk while it runs, and takes it away: unused, and at work.

. /payload/lib.sh
. /payload/plug.sh

# shellcheck disable=SC2046
plug_boot $(std_rng) || bail 'no guest'
load "backend='*=0'"
drivers rng
before=$(probe | wc -l)
guest 'modprobe virtio_blk'
maps_mark

for use in unused 'at work'; do
	plug_in >/run/qmp || bail "no disk: $(cat /run/qmp)"
	ok 0 "$use: the guest finds a disk"
	like "$(guest 'dmesg | grep "0000:01:00.0: xen_grant_dma" | tail -n 1')" \
		'grants to domain 0, by backend=\*=0' "$use: it has grants"
	head -c 1048576 /dev/urandom >/run/text
	dd if=/run/text of="$PLUG_DISK" bs=1M conv=notrunc 2>/dev/null
	is "$(guest 'dd if=/dev/vda bs=64k count=16 iflag=direct 2>/dev/null | md5sum')" "$(md5sum </run/text)" \
		"$use: and reads what is on it"
	if [ "$use" = 'at work' ]; then
		guest 'fio --name=plug --filename=/dev/vda --rw=randwrite --bssplit=512/30:4k/40:64k/30 --iodepth=16 \
			--ioengine=libaio --direct=1 --time_based --runtime=120 >/tmp/fio.log 2>&1 &
			for i in $(seq 600); do read -r w </sys/block/vda/stat; set -- $w; [ "$5" -gt 500 ] && exit; usleep 100000; done; exit 1' 90
		ok $? "$use: fio writes to it"
	fi
	is "$(plug_out >/run/qmp; echo $?)" 0 "$use: it is taken away" "$(cat /run/qmp)"
	wait_for 10 guest '[ ! -e /sys/kernel/debug/xen_grant_dma ] || ! grep -q 0000:01:00.0 /sys/kernel/debug/xen_grant_dma/devices'
	ok $? "$use: nothing is left of it"
	if [ "$use" = 'at work' ]; then
		# Before its end it may be read from the PV disk, by grants.
		wait_for 10 guest '[ -z "$(pidof fio)" ]'
		ok $? 'fio ends, too'
	fi
	# Of the other device private pages may have gone since.
	cmp_ok "$(probe | wc -l)" -le "$before" "$use: nor can dom0 map any of it"
done
like "$(guest 'cat /tmp/fio.log')" 'error' 'with an error'
is "$(maps_foreign)" 0 'the backend mapped nothing but grants'
guest 'dd if=/dev/hwrng of=/dev/null bs=64 count=4 2>/dev/null'
ok $? 'other devices work'
no_drivers blk rng
nothing_left
done_testing
