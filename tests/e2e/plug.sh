# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# A slot of a guest, into which QEMU puts a device while the guest runs. Source it
# after lib.sh.

PLUG_QMP=4445
PLUG_DISK=/run/plug.img

# plug_boot [QEMU ARGUMENT...]: a guest with the slot, and with other devices
plug_boot()
{
	truncate -s 64M "$PLUG_DISK"
	guest_boot append=pcie_ports=native -- "$@" \
		-blockdev "driver=file,node-name=plug,filename=$PLUG_DISK,locking=off" \
		-device pcie-root-port,id=plugs,chassis=1,addr=6 \
		-qmp "tcp:127.0.0.1:$PLUG_QMP,server,nowait"
}

# qmp COMMAND [ARGUMENTS]: QEMU does it; its answers
qmp()
{
	local answer

	answer=$({
		echo '{"execute":"qmp_capabilities"}'
		echo "{\"execute\":\"$1\",\"arguments\":{${2-}}}"
		sleep 1
	} | timeout 5 nc 127.0.0.1 $PLUG_QMP)
	echo "$answer"
	[ "$(echo "$answer" | grep -c '"return"')" -eq 2 ]
}

# device_add, device_del: QEMU presses the button of the slot, and Linux waits for 5 s
# whether someone presses it again.
device_add()
{
	qmp device_add '"driver":"virtio-blk-pci","bus":"plugs","id":"plug","drive":"plug",
		"disable-legacy":"on","iommu_platform":true'
}

device_del()
{
	qmp device_del '"id":"plug"'
}

# plug_in, plug_out: the same, until the guest has done its part. It has no other disk.
plug_in()
{
	device_add && wait_for 20 guest '[ -b /dev/vda ]'
}

plug_out()
{
	device_del && wait_for 20 guest '[ ! -e /sys/bus/pci/devices/0000:01:00.0 ]' || return
	# For a second more Linux is busy with the slot. A button pressed meanwhile counts after the
	# next device has come, and takes that away.
	guest 'sleep 3'
}
