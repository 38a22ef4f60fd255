# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the benchmarks are written with; see lib.sh for the rest. They run in dom0 on
# the machine that counts instructions, once for each VARIANT:
#
#   none	virtio without our module: the backend maps the guest's memory
#   byte, page	with it; the name is that of isolation=
#   no-rings	as byte, with ring_entries=0: nothing lies behind rings
#   options	as byte, with what pays on QEMU's command line
#   keep	with copy=always and libxgd-keep
#   keep-options	the same with what pays on QEMU's command line
#   own	as byte, with xgd-backend in place of QEMU
#   own-kept	the same with copy=always and xgd-backend --keep-grants
#   patched	as byte, with the QEMU of contrib/qemu
#   patched-kept	the same with copy=always, mark_lasting=1 and keep-grants=
#   intree	with the kernel's own grant DMA
#   pv, pv-persistent	the PV drivers, the disk with and without persistent grants
#
# "# step:" lines are for people. "# value: GROUP|WHAT|VARIANT|UNIT|VALUE" is a result;
# that of each repeat is a line of its own.

. /payload/lib.sh

# QEMU's trace event for a map.
EVENT=xen_remap_bucket
case $VARIANT in
patched*)
	# shellcheck source=tests/e2e/patched.sh
	. /payload/patched.sh
	EVENT=xen_grants_map
	;;
esac

step()
{
	echo "# step: $*"
}

# value GROUP WHAT UNIT VALUE
value()
{
	echo "# value: $1|$2|$VARIANT|$3|$4"
}

# variant_load: what gives the guest's devices their DMA operations
variant_load()
{
	case $VARIANT in
	none)	;;
	intree)	guest 'insmod /payload/stable/intree.ko' ;;
	own)	load 'backend=*=0' ;;
	patched) load 'backend=*=0' ;;
	patched-kept) load 'backend=*=0:copy' mark_lasting=1 ;;
	own-kept|keep*) load 'backend=*=0:copy' ;;
	no-rings) load 'backend=*=0' ring_entries=0 ;;
	options) load 'backend=*=0' ;;
	*)	load 'backend=*=0' isolation="$VARIANT" || bail 'the module does not load' ;;
	esac
}

# memory_now WHAT FIELD...: what the module says that its devices take together
memory_now()
{
	local what=$1 field seen unit
	shift

	for field; do
		case $field in
		references*)	unit=references ;;
		private*)	unit='private pages' ;;
		*)		unit='metadata bytes' ;;
		esac
		seen=$(guest "cat /sys/kernel/debug/xen_grant_dma/devices /sys/kernel/debug/xen_grant_dma/shared |
			awk '\$1 == \"$field\" { n += \$2 } END { print n }'")
		value memory "$what" "$unit" "$seen"
	done
}

# memory_idle NAME / memory_peak NAME: the driver is there, or has been busy
memory_idle()
{
	grants_used || return 0
	memory_now "$1, idle" references private_pages metadata_bytes
}

memory_peak()
{
	grants_used || return 0
	memory_now "$1, peak" references_max private_max metadata_max
	memory_now "$1, peak, all devices share" table_bytes
}

grants_used()
{
	guest '[ -e /sys/module/xen_grant_dma ]'
}

# bench_guest ARGUMENT...: a guest with these devices, whose backend does as
# backend_does says.
bench_guest()
{
	mkfifo /run/monitor.in /run/monitor.out
	cat /run/monitor.out >/dev/null &
	case $VARIANT in
	keep*)	QEMU=/payload/libexec/xen-grant-dma/qemu-keep ;;
	esac
	guest_boot -- "$@" -chardev pipe,id=monitor,path=/run/monitor -mon chardev=monitor ||
		bail 'no guest'
	backend_does "trace-event $EVENT off"
}

# blk_options / net_options: what pays on QEMU's command line, where that is measured
blk_options()
{
	case $VARIANT in
	*options) echo ioeventfd=off,indirect_desc=off ;;
	esac
}

net_options()
{
	case $VARIANT in
	*options) echo ioeventfd=off ;;
	esac
}

# own_backend: xgd-backend has the standard devices from here on
own_backend()
{
	# shellcheck source=tests/e2e/own.sh
	. /payload/own.sh
	[ "$VARIANT" = own-kept ] || return 0
	backend_kill TERM
	# shellcheck disable=SC2046
	backend_start --keep-grants $(std_blk) $(std_net) $(std_rng) || bail 'no backend'
}

# backend_does COMMAND: of QEMU's monitor
backend_does()
{
	echo "$1" >/run/monitor.in
}

# spent COMMAND...: the ns that pass meanwhile, and of these, which are instructions, those
# that are not idle, those of dom0 and those of the guest, into $spent_...
spent()
{
	local before after

	before=$(/payload/bin/cpu_time "$(guest_id)")
	"$@"
	after=$(/payload/bin/cpu_time "$(guest_id)")
	# shellcheck disable=SC2086
	set -- $before $after
	spent_time=$(($5 - $1))
	spent_busy=$(($6 - $2))
	spent_dom0=$(($7 - $3))
	spent_guest=$(($8 - $4))
}
