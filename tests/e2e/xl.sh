# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Guests whose QEMU xl starts, as xl-virtio says. Source it after lib.sh.

PATH=/payload/bin:$PATH

bridge_up()
{
	modprobe bridge
	brctl addbr xenbr0
	ip link set xenbr0 up
}

# What QEMU is told beside that, for devices of which xl-virtio does not know.
QEMU_MORE=

# guest_xl DEVICE...: of guest_config's configuration; it runs then
guest_xl()
{
	local out=/run/$GUEST.cfg

	[ -e "$DISK" ] || truncate -s "${DISK_MB}M" "$DISK"
	guest_set trace "/var/log/trace-$GUEST.log"
	guest_set log "/var/log/xen/qemu-dm-$GUEST.log"
	# shellcheck disable=SC2086
	xl-virtio "$(guest_config_file)" "$@" -o "$out" -- $QEMU_MORE \
		-trace xen_remap_bucket -D "/var/log/trace-$GUEST.log" || return
	# It stays, for reboots.
	xl create -q -p "$out" >"/run/guest/$GUEST/xl.log" 2>&1 </dev/null || {
		cat "/run/guest/$GUEST/xl.log" "$(guest_get log)"
		return 1
	}
	guest_again
}

# guest_again: get to know a domain that is new
guest_again()
{
	[ -z "$(guest_get holder)" ] || kill "$(guest_get holder)"
	# What was there before went down.
	rm -f "/run/guest/$GUEST/dead"
	guest_set id "$(xl domid "$GUEST")"
	guest_set seq 0
	guest_set mark 0
	guest_set pid "$(qemu_pid)"
	guest_start
}

qemu_pid()
{
	xenstore-read "/local/domain/$(guest_id)/image/device-model-pid"
}

# another_domain ID: it is not that one any more
another_domain()
{
	local id

	id=$(xl domid "$GUEST") && [ "$id" != "$1" ] &&
		[ "$(xenstore-read "/local/domain/0/device-model/$id/state")" = running ]
}

gone()
{
	! xl domid "$1"
}

gone_process()
{
	! kill -0 "$1"
}

# works blk|net|rng...: the module and these drivers, with data
works()
{
	load
	ok $? 'the module loads, and xenstore tells it who serves'
	drivers "$@"
	ok $? "the drivers load: $*"
	works_on
	for each; do
		case $each in
		net)	ip addr add "$(host_ip)/24" dev xenbr0
			net_up
			ok $? 'the network works' ;;
		rng)	is "$(guest 'dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c')" 256 'random numbers come' ;;
		esac
	done
}

# works_on: the disk does
works_on()
{
	guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=8 2>/dev/null
		dd if=/tmp/data of=/dev/vda bs=64k oflag=direct conv=fsync 2>/dev/null'
	ok $? 'the guest writes to its disk'
	is "$(disk_sum 512)" "$(guest 'md5sum </tmp/data | cut -d" " -f1')" 'dom0 finds the same in the file'
}

# traces_of_guests: domains, QEMUs, network interfaces, and what xenstore says of them
traces_of_guests()
{
	xl list | awk 'NR > 1 { print $1 }'
	pidof xen-qemu-system-i386
	ls -d /sys/class/net/*-v* /sys/class/net/tap* /sys/class/net/vif* 2>/dev/null
	xenstore-list /local/domain/0/device-model 2>/dev/null
	# A QEMU that ends after libxl has tidied up leaves names of its console with nothing in them.
	xenstore-ls /local/domain/0/backend 2>/dev/null | grep -v '= ""$'
}

no_traces()
{
	[ "$(traces_of_guests)" = Domain-0 ]
}
