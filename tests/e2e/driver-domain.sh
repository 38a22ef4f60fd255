# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# A backend that does not run in dom0: a PV guest, the driver domain, runs QEMU
# for the guest under test. Source it after lib.sh. The functions of guest.sh and
# lib.sh that look at a backend (backend_alive, maps_grant, disk_sum, ...) run in
# the driver domain unchanged: in_driver maps_grant.

DRIVER=driver

# driver_id: its domain
driver_id()
{
	(GUEST=$DRIVER && guest_id)
}

# in_driver COMMAND [SECONDS]: run it in the driver domain, with our functions
in_driver()
{
	(GUEST=$DRIVER && guest "export GUEST=guest; . /payload/lib.sh; $1" ${2+"$2"})
}

# driver_boot: have the driver domain run
driver_boot()
{
	(GUEST=$DRIVER && guest_create type=pv memory=256 && guest_start)
}

# The guest lets go of its devices.
DEVICES_GONE='for i in /sys/bus/pci/devices/0000:00:*; do
		[ -e $i/virtio* ] && echo 1 >$i/remove
	done'

# driver_takes_over [QEMU ARGUMENT...]: move the backend of the running guest into
# the driver domain. The guest sees its devices go and come.
driver_takes_over()
{
	guest "$DEVICES_GONE"
	backend_kill TERM && driver_backend_start "$@" && guest 'echo 1 >/sys/bus/pci/rescan'
}

# driver_backend_start [QEMU ARGUMENT...]: serve the guest from the driver domain.
# Does what libxl does for a stub domain.
driver_backend_start()
{
	local domid id dir each

	domid=$(driver_id)
	id=$(guest_id)
	dir=/local/domain/$domid

	# Xen is to let the driver domain emulate devices for the guest ...
	/payload/bin/set_target "$domid" "$id" || return
	# ... which finds out here whom it may serve, ...
	xenstore-write "$dir/target" "$id"
	xenstore-chmod "$dir/target" "n$domid"
	# ... and leaves word of itself there.
	for each in "$dir/device-model/$id" "$dir/backend"; do
		xenstore-write "$each" ''
		xenstore-chmod "$each" "n$domid" "r$id"
	done

	(GUEST=$DRIVER && guest "
		# Any domain but dom0 has to ask for what QEMU does.
		modprobe xen-privcmd unrestricted=1
		modprobe -a xen-evtchn xen-gntdev xenfs tun
		mount -t xenfs xenfs /proc/xen
		# It reserves address space for all grants there may be.
		echo 1 >/proc/sys/vm/overcommit_memory

		export GUEST=guest
		. /tools/rig/guest.sh
		guest_set id $id
		guest_set memory $(guest_get memory)
		guest_set vcpus $(guest_get vcpus)
		backend_start $*")
}
