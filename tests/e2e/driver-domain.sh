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
	(GUEST=$DRIVER && guest_create example=driver.cfg type=pv memory=256 && guest_start)
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

# driver_backend_start [QEMU ARGUMENT...]: serve the guest from the driver domain, with QEMU
# as the rig has it.
driver_backend_start()
{
	local id

	id=$(guest_id)
	# As many devices as a guest of the rig has, for what is said in xenstore.
	/payload/bin/xl-virtio backend "$DRIVER" guest rng rng rng >/run/serve || return
	# All but QEMU.
	sed '/^for qemu/,$d' /run/serve >/run/prepare
	(GUEST=$DRIVER && guest "
		$(cat /run/prepare)
		set +e
		export GUEST=guest
		. /tools/rig/guest.sh
		guest_set id $id
		guest_set memory $(guest_get memory)
		guest_set vcpus $(guest_get vcpus)
		backend_start $*")
}

# driver_serves DEVICE...: serve the guest, which has no devices, as xl-virtio has it
driver_serves()
{
	local id memory

	id=$(guest_id)
	memory=$(guest_get memory)
	/payload/bin/xl-virtio backend "$DRIVER" guest "$@" -- \
		-trace xen_remap_bucket -D /var/log/trace-serves.log >/run/serve || return
	(GUEST=$DRIVER && guest "
		cat >/run/serve <<'SERVE'
$(cat /run/serve)
SERVE
		sh /run/serve </dev/null >/run/serve.log 2>&1 || { cat /run/serve.log; exit 1; }
		export GUEST=guest
		. /tools/rig/guest.sh
		guest_set id $id
		guest_set memory $memory
		guest_set trace /var/log/trace-serves.log
		guest_set mark 0
		guest_set pid \$(pidof xen-qemu-system-i386)")
}
