# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For cases in which a device waits for its backend.

# The devices of dts/mmio-two-backends.dts: of domain 0, and of domain 3.
FIRST=2000000.virtio
SECOND=2000200.virtio

# said DEVICE: what the module says of it
said()
{
	guest "dmesg | sed -n 's/.* $1: xen_grant_dma: //p'"
}

# deferred: the devices that wait, and why, as the kernel tells
deferred()
{
	guest 'cat /sys/kernel/debug/devices_deferred' | tr '\t' ' '
}

# domain DOMID KEY: what the module tells of a domain in debugfs
domain()
{
	guest "sed -n '/^domain $1\$/,/^domain/s/^  $2 *//p' /sys/kernel/debug/xen_grant_dma/backends"
}

# ready DOMID: by the parameter
ready()
{
	guest "echo $1 >/sys/module/xen_grant_dma/parameters/ready"
}

# try_again DEVICE: have the kernel probe it now, three times
try_again()
{
	guest "for i in 1 2 3; do
			echo $1 2>/dev/null >/sys/bus/platform/drivers_probe
		done"
}

# is_up DEVICE [SECONDS]: until it has a transport
is_up()
{
	guest "for i in \$(seq $((${2-5} * 20))); do
			[ -e /sys/bus/platform/devices/$1/virtio* ] && exit
			usleep 50000
		done
		exit 1"
}

# disk_works NAME: what the guest writes is on the disk, over grants and nothing else
disk_works()
{
	guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
		for i in $(seq 50); do [ -b /dev/vda ] && break; usleep 50000; done
		dd if=/tmp/data of=/dev/vda bs=64k oflag=direct 2>/dev/null'
	is "$(guest_sum 1024) $(disk_sum 1024)" "$(guest 'md5sum </tmp/data' | sed 's/ .*//; s/.*/& &/')" "$1"
	only_grants "$1"
}

# signal_open: give the guest an event channel; $PORT is its end
signal_open()
{
	mkfifo /run/signal
	/payload/bin/evtchn_signal "$(guest_id)" </run/signal >/run/port &
	exec 9>/run/signal
	wait_for 5 test -s /run/port
	PORT=$(cat /run/port)
}

signal_send()
{
	echo >&9
}

signal_close()
{
	exec 9>&-
	rm /run/signal /run/port
}
