# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Virtio-pci functions, one by one. A function is named by bus, device and function:
# 00:01.0.

TRANSPORT=

# at DEVICE[.FUNCTION]: the properties of a device of QEMU's there
at()
{
	echo "disable-legacy=on,addr=$1"
}

# manual_binding: from here on no virtio driver binds by itself
manual_binding()
{
	guest 'echo 0 >/sys/bus/virtio/drivers_autoprobe
		modprobe -a virtio_blk virtio_net virtio_rng'
}

# transports COUNT: until so many functions have a virtio device
transports()
{
	guest "for i in \$(seq 50); do
			[ \"\$(ls /sys/bus/virtio/devices | wc -l)\" -eq $1 ] && exit
			usleep 100000
		done
		exit 1"
}

# bind_script FUNCTION DRIVER: for the guest
bind_script()
{
	echo "(cd /sys/bus/pci/devices/0000:$1 && echo virtio* >/sys/bus/virtio/drivers/$2/bind)"
}

bind()
{
	guest "$(bind_script "$1" "$2")"
}

unbind()
{
	guest "$(bind_script "$1" "$2" | sed 's/bind)/unbind)/')"
}

# random FUNCTION: how many random bytes, of 4096, it gives
random()
{
	guest "cd /sys/class/misc/hw_random
		ls /sys/bus/pci/devices/0000:$1/virtio*/driver/module >/dev/null || exit
		grep -o 'virtio_rng[.0-9]*' rng_available | tail -n 1 >rng_current
		dd if=/dev/hwrng bs=64 count=64 2>/dev/null | gzip | wc -c" | awk '{ print ($1 >= 4096) ? 4096 : $1 }'
}

# said FUNCTION: what the module says of it
said()
{
	guest "dmesg | sed -n 's/.*0000:$1: xen_grant_dma: //p'"
}
