# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the cases are written with. They run in dom0; see tests/rig/inside/guest.sh
# for guests and backends.

. /tools/rig/guest.sh

# ---- TAP -------------------------------------------------------------------

TESTS=0

# plan COUNT, at the start, or done_testing, at the end
plan()
{
	echo "1..$1"
}

done_testing()
{
	last_checks
	echo "1..$TESTS"
	exit 0
}

# What every case ends with.
last_checks()
{
	:
}

# diag TEXT: a comment, each line of it; of a long text the end
diag()
{
	printf '%s\n' "$1" | tail -n 40 | cut -c1-200 | sed 's/^/# /'
}

# bail WHY: nothing else makes sense any more
bail()
{
	echo "Bail out! $1"
	state
	exit 0
}

skip()
{
	TESTS=$((TESTS + 1))
	echo "ok $TESTS - $1 # SKIP $2"
}

# skip_all WHY: before the first test, of a case that cannot be run here
skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

# ok STATUS NAME
ok()
{
	TESTS=$((TESTS + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $TESTS - $2"
		return 0
	fi
	echo "not ok $TESTS - $2"
	[ -z "${3-}" ] || diag "$3"
	state
	return 1
}

# not STATUS: the opposite, for ok
not()
{
	[ "$1" -eq 0 ] && echo 1 || echo 0
}

is()
{
	[ "$1" = "$2" ]
	ok $? "$3" "seen:     $1
expected: $2"
}

isnt()
{
	[ "$1" != "$2" ]
	ok $? "$3" "seen: $1"
}

# like TEXT REGEX NAME: some line of the text matches
like()
{
	printf '%s\n' "$1" | grep -Eq -- "$2"
	ok $? "$3" "seen:
$1
expected: $2"
}

unlike()
{
	! printf '%s\n' "$1" | grep -Eq -- "$2"
	ok $? "$3" "seen:
$1
not expected: $2"
}

# cmp_ok NUMBER -eq|-ne|-lt|-le|-gt|-ge NUMBER NAME
cmp_ok()
{
	test "$1" "$2" "$3"
	ok $? "$4" "seen:     $1
expected: $2 $3"
}

# The last words of all who may know why a test failed.
state()
{
	[ -n "$(guest_id)" ] || return 0
	if [ -z "$(guest_get dead)" ]; then
		diag "guest's dmesg:
$(guest 'dmesg | tail -n 15' 10)"
	else
		diag "guest's console:
$(tail -n 30 "/var/log/xen/console/guest-$GUEST.log")"
	fi
	backend_alive || diag 'the backend is not running'
	[ ! -s "$(guest_get log)" ] || diag "backend's log:
$(tail -n 10 "$(guest_get log)")"
}

# clean_dmesg NAME: the guest's kernel never complained, but of the emulated
# processor while it booted, and of backends that are late
clean_dmesg()
{
	is "$(guest 'dmesg | awk "
		/Run .init as init process/ { bad = \"\" }
		/WARNING: g.e. .* still in use/ { next }
		/WARNING:|BUG:|Oops|Call Trace|DMA-API:|blocked for more/ { bad = bad \"\\n\" \$0 }
		END { printf \"%s\", bad }"')" '' "$1"
}

# runs_kernel ROLE: that is the guest's kernel
runs_kernel()
{
	is "$(guest 'uname -r')" "$(cat "/payload/guest-$1/release")" "the guest runs the $1 kernel, $(cat "/payload/guest-$1/release")"
}

# memory_free: the guest's, in KiB
memory_free()
{
	guest "awk '/MemFree/ { print \$2 }' /proc/meminfo"
}

# ---- the guest's drivers ---------------------------------------------------

# name_of blk|net|rng: what the guest's kernel calls a standard device
name_of()
{
	case $1 in
	blk)	echo 0000:00:01.0 ;;
	net)	echo 0000:00:02.0 ;;
	rng)	echo 0000:00:03.0 ;;
	esac
}

# The driver of the bus that they are on.
TRANSPORT_DRIVER=/sys/bus/pci/drivers/virtio-pci

# Where their registers and their configuration space are.
WINDOWS='0xfd000000 0xfdffffff 0x7ff0000000 0x7fffffffff'

# allow_plain: before any driver is loaded, have a backend that takes plain
# addresses, too. QEMU always does.
allow_plain()
{
	:
}

# module NAME: the guest's file of a module
module()
{
	echo "/payload/$(guest_get kernel)/$1.ko"
}

# load [PARAMETER...]: our module
load()
{
	guest "insmod $(module xen_grant_dma) $*"
}

unload()
{
	guest 'rmmod xen_grant_dma'
}

# drivers blk|net|rng|...: the drivers of virtio devices; blk and net wait for theirs
drivers()
{
	local name script=${TRANSPORT:+"modprobe $TRANSPORT || exit;"}

	for name; do
		script="$script modprobe virtio_$name || exit;"
		case $name in
		blk)	script="$script for i in \$(seq 50); do [ -b /dev/vda ] && break; usleep 50000; done;" ;;
		net)	script="$script for i in \$(seq 50); do [ -e /sys/class/net/eth0 ] && break; usleep 50000; done;" ;;
		esac
	done
	guest "$script"
}

# no_drivers blk|net|rng|...: and out again
no_drivers()
{
	local name script=

	for name; do
		script="$script rmmod virtio_$name || exit;"
	done
	guest "$script"
}

# net_up: addresses on both ends, $(host_ip) and $(guest_ip)
net_up()
{
	guest "ip addr add $(guest_ip)/24 dev eth0; ip link set eth0 up" &&
		wait_for 10 ping -c 1 -W 1 "$(guest_ip)"
}

# receive PORT FILE: a command that waits for what is sent by TCP, once
receive()
{
	# nc would give up when its input ends.
	echo "rm -f /tmp/nothing-$1; mkfifo /tmp/nothing-$1; nc -l -p $1 <>/tmp/nothing-$1 >$2"
}

# tcp_works KBYTES [PREFIX]: that much data goes to the guest and back unharmed; what
# the tests' names begin with. One way at a time: nc does not read while it writes.
tcp_works()
{
	local sum

	dd if=/dev/urandom of=/tmp/there bs=1k count="$1" 2>/dev/null
	sum=$(md5sum </tmp/there)
	guest "$(receive 7 /tmp/there) &"
	wait_for 20 nc "$(guest_ip)" 7 </tmp/there
	is "$(guest 'md5sum </tmp/there')" "$sum" "${2-}what dom0 sends by TCP arrives"
	eval "$(receive 7 /tmp/back) &"
	guest "nc $(host_ip) 7 </tmp/there"
	wait $!
	is "$(md5sum </tmp/back)" "$sum" "${2-}so does what the guest sends"
}

# ---- what the backend did --------------------------------------------------

# Count from here. An xgd-backend that has just started is at zero.
maps_mark()
{
	if by_qemu; then
		guest_set mark "$(wc -l <"$(guest_get trace)")"
	else
		guest_set mark_grant "$(backend_sum maps)"
		guest_set mark_foreign "$(backend_sum plain)"
	fi
}

# How often the backend mapped a grant, or guest memory past the grant table,
# since the mark. QEMU numbers its maps: a grant by its page, all of them above
# memory, and memory by its MiB. An xgd-backend counts the plain addresses that
# it saw.
maps_grant()
{
	if by_qemu; then
		maps '>='
	else
		difference "$(backend_sum maps)" "$(guest_get mark_grant)"
	fi
}

maps_foreign()
{
	if by_qemu; then
		maps '<'
	else
		difference "$(backend_sum plain)" "$(guest_get mark_foreign)"
	fi
}

by_qemu()
{
	[ -n "$(guest_get trace)" ]
}

difference()
{
	echo $((${1:-0} - ${2:-0}))
}

maps()
{
	awk -v mark="$(guest_get mark)" -v pages="$(($(guest_get memory) * 256))" \
		"NR > mark && \$NF + 0 $1 pages { n++ } END { print n + 0 }" "$(guest_get trace)"
}

# only_grants WHAT: since the mark the backend mapped grants, and nothing else
only_grants()
{
	cmp_ok "$(maps_grant)" -gt 0 "$1: the backend mapped grants"
	is "$(maps_foreign)" 0 "$1: and nothing else"
}

# counter NAME: what the module counts, of all devices together
counter()
{
	guest "awk '\$1 == \"$1\" { n += \$2 } END { print n + 0 }' /sys/kernel/debug/xen_grant_dma/devices"
}

# status_of DEVICE KEY: what the module's file for programs has of a virtio device, by the
# address of its parent; with '' for DEVICE, of all
status_of()
{
	guest 'cat /sys/kernel/debug/xen_grant_dma/status' | awk -v device="$1" -v key="$2" '
		BEGIN			{ on = device == "" }
		$1 == "device"		{ on = $2 == device }
		on && $1 == key		{ sub(/^[^ ]* /, ""); print }'
}

# xgd_install: the tool, for the guest
xgd_install()
{
	guest 'ln -sf /payload/xgd /bin/xgd'
}

# ---- what an xgd-backend tells of itself --------------------------------------

xgd_backend_ready()
{
	grep -q '^ready' "$(guest_get log)"
}

# backend_stats: the counters of all devices, now: "NAME KEY=NUMBER...".
backend_stats()
{
	local log report

	log=$(guest_get log)
	report=$(($(grep -c '^stats .* end$' "$log") + 1))
	kill -USR1 "$(guest_get pid)" &&
		wait_for 10 grep -q "^stats $report end" "$log" &&
		sed -n "/ end\$/d; s/^stats $report //p" "$log"
}

# backend_stat NAME KEY: one number of it.
backend_stat()
{
	backend_stats | sed -n "s/^$1 .*\\b$2=\\([0-9]*\\).*/\\1/p"
}

# backend_sum KEY: of all devices.
backend_sum()
{
	backend_stats | awk -v key="$1" '
		{ for (i = 2; i <= NF; i++) if (index($i, key "=") == 1) n += substr($i, length(key) + 2) }
		END { print n + 0 }'
}

# ---- what Xen and a backend can see of the guest's grants --------------------

# grants: those that are mapped right now, as Xen tells: "REFERENCE BY rw|ro MAPS".
# Those of the rig's own PV devices are left out.
grants()
{
	xl dmesg -c >/dev/null
	xl debug-keys g
	xl dmesg | awk -v id="$(guest_id)" '
		/grant-table for remote d/ { on = $0 ~ "remote d" id " " }
		on && $2 ~ /^\[0x/ {
			gsub(/[][]/, "", $2)
			pin = $5 + 0
			print $2 + 0, $3, pin % 65536 % 256 ? "rw" : "ro", pin % 256 + int(pin / 256) % 256
		}' | without_pv
}

# probe [COUNT [FIRST [OPTION]]]: the references that can be mapped from dom0:
# "REFERENCE rw|ro".
probe()
{
	/payload/bin/gntprobe -c ${3:+"$3"} "$(guest_id)" "${1-2048}" "${2-0}" | without_pv
}

# all_back: wait until the guest has back all that its drivers had, also what the backend
# was late to let go of
all_back()
{
	wait_for 15 guest '[ -z "$(cat /sys/kernel/debug/xen_grant_dma/devices)" ]'
}

# nothing_left: the drivers are gone, and so is all that was granted for them
nothing_left()
{
	is "$(guest 'cat /sys/kernel/debug/xen_grant_dma/devices')" '' 'no device is left with a reference'
	is "$(grants)" '' 'the backend maps no grant any more'
	is "$(probe)" '' 'and could map none'
	unload
	ok $? 'the module leaves'
	clean_dmesg 'the kernel has nothing to complain of'
}

# The references of the console, of xenstore and of the rings of PV disks.
pv_references()
{
	echo 0 1
	xenstore-ls "/local/domain/$(guest_id)/device" |
		sed -n 's/^ *ring-ref[0-9]* = "\(.*\)"$/\1/p'
}

without_pv()
{
	awk -v list="$(pv_references | xargs)" '
		BEGIN { n = split(list, ref); while (n) pv[ref[n--]] = 1 }
		!($1 in pv)'
}

# ---- data ------------------------------------------------------------------

# part [KBYTES [FROM]]: dd's words for it
part()
{
	echo "bs=64k iflag=count_bytes,skip_bytes count=${1-$((DISK_MB << 10))}k skip=${2-0}k"
}

# disk_right WHAT: the guest writes and reads; the data is right
disk_right()
{
	guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
		dd if=/tmp/data of=/dev/vda bs=4k oflag=direct 2>/dev/null
		dd if=/dev/vda bs=4k count=256 iflag=direct 2>/dev/null | cmp - /tmp/data' 60
	ok $? "$1: the guest reads what it wrote"
	is "$(disk_sum 1024)" "$(guest 'md5sum </tmp/data | cut -d" " -f1')" "$1: dom0 finds the same"
}

# disk_sum [KBYTES [FROM]] / guest_sum [KBYTES [FROM]]: checksum of the standard
# disk, as dom0 has it and as the guest reads it, past its cache.
disk_sum()
{
	# shellcheck disable=SC2046
	dd if="$DISK" $(part "$@") 2>/dev/null | md5sum | cut -d' ' -f1
}

guest_sum()
{
	guest "blockdev --flushbufs /dev/vda
		dd if=/dev/vda $(part "$@") 2>/dev/null | md5sum | cut -d' ' -f1"
}

# The standard guest of a snapshot gets the case's files only now.
[ -z "$(guest_id)" ] || guest_payload || bail 'the guest does not get the files of the case'

# What differs on the arm64 machine, and with the debug kernel.
[ ! -e /payload/lib-arm64.sh ] || . /payload/lib-arm64.sh
[ "$KERNEL" != debug ] || . /payload/debug.sh
