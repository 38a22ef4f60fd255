# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What dom0 and its guests do alike at their start; sourced by their /init.

# After the merged /usr comes busybox for all that is not there.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/xen/bin
export HOME=/ TERM=dumb

mount_basics()
{
	mkdir -p /proc /sys /dev /run /tmp /var/log /etc /payload
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev 2>/dev/null
	mkdir -p /dev/pts /dev/shm
	mount -t devpts -o mode=620 pts /dev/pts
	mount -t tmpfs run /run
	mount -t tmpfs tmp /tmp
	mount -t debugfs debug /sys/kernel/debug
	mount -t tracefs tracing /sys/kernel/tracing
	echo 'root:x:0:0:root:/:/bin/sh' >/etc/passwd
	ip link set lo up
	# fq_codel takes an emulated processor for a congested network, and drops.
	echo pfifo_fast >/proc/sys/net/core/default_qdisc
}

# mount_tools DISK: programs and modules. The initramfs' own modules stay in
# place where the tools have none for this kernel.
mount_tools()
{
	modprobe squashfs
	mkdir /tools
	mount -t squashfs -o ro "$1" /tools || return 1
	ln -s /tools/usr /usr
	ln -s /usr/lib64 /lib64
	if [ -d "/usr/lib/modules/$(uname -r)" ]; then
		rm -rf /lib/modules
		ln -s /usr/lib/modules /lib/modules
	fi
}

# unpack_payload DISK BLOCKS [SKIP]: an archive of this many blocks of 64 KiB, after SKIP
# of them. The host writes them while the machine stands still in a snapshot: what was
# read before does not count.
unpack_payload()
{
	[ "$2" != 0 ] || return 0
	blockdev --flushbufs "$1"
	# A system call may take long.
	dd if="$1" bs=64k skip="${3-0}" count="$2" 2>/dev/null | tar -x -C /payload
}
