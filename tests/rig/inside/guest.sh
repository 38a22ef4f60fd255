# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Guests and their backends, as seen from dom0. Each function acts on the guest
# that $GUEST names; what is known of it lies in /run/guest/$GUEST, one value a
# file, so that subshells and later shells agree.

GUEST=${GUEST-guest}

# The file that all guests' virtio-blk devices are kept in.
DISK=${DISK-/run/disk.img}
DISK_MB=64

# The kernel of guests that are not said to have another.
KERNEL=stable
[ ! -e /run/kernel ] || read -r KERNEL </run/kernel

# How many times as long as with stock kernels anything may take.
case $KERNEL in
debug|kcsan)	PATIENCE=6 ;;
*)		PATIENCE=1 ;;
esac

# About as long as anything takes with two emulated machines on a busy processor.
GUEST_TIMEOUT=${GUEST_TIMEOUT-60}

# guest_get KEY / guest_set KEY VALUE
guest_get()
{
	local value=

	read -r value 2>/dev/null <"/run/guest/$GUEST/$1"
	echo "$value"
}

guest_set()
{
	mkdir -p "/run/guest/$GUEST"
	echo "$2" >"/run/guest/$GUEST/$1"
}

guest_id()
{
	guest_get id
}

# Whole seconds since dom0 booted.
seconds()
{
	local up

	read -r up </proc/uptime
	echo "${up%%.*}"
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for()
{
	local end=$(($(seconds) + $1 * PATIENCE))
	shift

	until "$@" >/dev/null 2>&1; do
		[ "$(seconds)" -lt "$end" ] || return 1
		usleep 100000
	done
}

# qemu_blk|qemu_net|qemu_rng pci|device PROPERTIES: QEMU's arguments for a device
# on virtio-pci or virtio-mmio.
qemu_blk()
{
	echo "-drive if=none,id=d0,file=$DISK,format=raw,file.locking=off" \
		"-device virtio-blk-$1,drive=d0,iommu_platform=on${2:+,$2}"
}

qemu_net()
{
	echo "-netdev tap,id=n0,ifname=tap-$GUEST,script=no,downscript=no" \
		"-device virtio-net-$1,netdev=n0,iommu_platform=on${2:+,$2}"
}

qemu_rng()
{
	echo "-device virtio-rng-$1,iommu_platform=on${2:+,$2}"
}

# The arguments of the standard devices. One is added to the device's properties:
# std_blk packed=on
std_blk()
{
	qemu_blk pci "disable-legacy=on,addr=1${1:+,$1}"
}

std_net()
{
	qemu_net pci "disable-legacy=on,addr=2,romfile=${1:+,$1}"
}

std_rng()
{
	qemu_rng pci "disable-legacy=on,addr=3${1:+,$1}"
}

# guest_config [kernel=SERIES] [vcpus=N] [memory=MB] [type=pvh|pv] [append=WORD]...
# [example=NAME]: what a domain is to be, in $(guest_config_file).
guest_config_file()
{
	echo "/run/guest/$GUEST/config"
}

# like_example NAME: the configuration becomes that of examples/, which keeps all that it
# says but for what the rig says of a domain's kernel, memory and disks. Its network would
# be a PV one, for which the rig has no scripts.
like_example()
{
	local config

	[ -n "$1" ] || return 0
	config=$(guest_config_file)
	awk '
		FNR == 1 || /^(#|$)/	{ key = "" }
		/^[a-z_]+ = /		{ key = $1 }
		NR == FNR		{ text[key] = text[key] $0 "\n"; next }
		key == "vif"		{ next }
		key in text		{ if (!there[key]++) printf "%s", text[key]; next }
					{ print }
		END			{ for (key in text) if (!there[key]) printf "%s", text[key] }
	' "$config" "/payload/examples/$1" >"$config.new" && mv "$config.new" "$config"
}

guest_config()
{
	local kernel=$KERNEL vcpus=1 memory=192 type=pvh append= example= boot

	while [ $# -gt 0 ]; do
		case $1 in
		kernel=*)	kernel=${1#*=} ;;
		vcpus=*)	vcpus=${1#*=} ;;
		memory=*)	memory=${1#*=} ;;
		type=*)		type=${1#*=} ;;
		append=*)	append="$append ${1#*=}" ;;
		example=*)	example=${1#*=} ;;
		*)		echo "guest_config: unknown option: $1" >&2; return 1 ;;
		esac
		shift
	done
	# A kernel that checks itself has to remember much.
	if [ "$kernel" = debug ]; then
		[ "$memory" -ge 512 ] || memory=512
		append="$append page_poison=1 kasan_multi_shot"
	fi
	boot=/tools/guest-$kernel
	[ -d "$boot" ] || boot=/payload/guest-$kernel
	[ -d "$boot" ] || { echo "guest_config: no kernel $kernel here: name it in the case's header" >&2; return 1; }

	guest_set kernel "$kernel"
	guest_set vcpus "$vcpus"
	guest_set memory "$memory"
	guest_set seq 0
	# Without tsc_mode a PVH guest hangs on an emulated processor.
	cat >"$(guest_config_file)" <<-END
		name = "$GUEST"
		type = "$type"
		kernel = "$boot/vmlinuz"
		ramdisk = "$boot/initramfs"
		extra = "console=hvc0 quiet loglevel=4 oops=panic net.ifnames=0$append"
		memory = $memory
		vcpus = $vcpus
		tsc_mode = "native"
		disk = [ "format=raw,vdev=xvda,access=ro,backendtype=phy,script=/tools/rig/block-hotplug,target=/dev/vda",
			 "format=raw,vdev=xvdb,access=ro,backendtype=phy,script=/tools/rig/block-hotplug,target=/dev/vdb" ]
	END
	like_example "$example"
}

# guest_create [OPTION]...: a domain, paused, with no backend yet.
guest_create()
{
	guest_config "$@" || return
	xl create -q -p -e "$(guest_config_file)" >/run/guest/"$GUEST"/xl.log 2>&1 || {
		cat "/run/guest/$GUEST/xl.log" >&2
		return 1
	}
	guest_set id "$(xl domid "$GUEST")"
}

# backend_start [QEMU ARGUMENT...]: the domain's virtio devices.
backend_start()
{
	qemu_start "$@"
}

# backend_new: before a backend starts. Its log is a new one, and what it is to
# serve is there.
backend_new()
{
	guest_set starts $(($(guest_get starts) + 1))
	guest_set log "/var/log/backend-$GUEST-$(guest_get starts).log"
	guest_set trace ''

	[ -e "$DISK" ] || truncate -s "${DISK_MB}M" "$DISK"
	if [ ! -e "/sys/class/net/tap-$GUEST" ]; then
		tunctl -t "tap-$GUEST" >/dev/null
		ip addr add "$(host_ip)/24" dev "tap-$GUEST"
		ip link set "tap-$GUEST" up
	fi
}

# backend_wait COMMAND: until it succeeds or the backend is gone.
backend_wait()
{
	wait_for "$GUEST_TIMEOUT" backend_settled "$1"
	backend_alive || {
		echo "backend_start: no backend:" >&2
		backend_log >&2
		return 1
	}
}

backend_settled()
{
	! backend_alive || "$1"
}

# qemu_start [ARGUMENT...]: QEMU as the backend. It notes in a file each time that
# it maps a grant or other memory of the guest.
qemu_start()
{
	local id memory trace

	id=$(guest_id)
	memory=$(guest_get memory)
	backend_new
	trace=/var/log/trace-$GUEST-$(guest_get starts).log
	guest_set trace "$trace"
	guest_set mark 0

	xenstore-rm "device-model/$id/state" 2>/dev/null
	# shellcheck disable=SC2046
	"$QEMU" -xen-domid "$id" -xen-attach -name "$GUEST" \
		-nodefaults -no-user-config -display none -monitor none -no-shutdown \
		$(qemu_machine "$memory") -m "$memory" -smp "$(guest_get vcpus)" \
		-trace xen_remap_bucket -D "$trace" "$@" >"$(guest_get log)" 2>&1 </dev/null &
	guest_set pid $!
	backend_wait qemu_running
}

qemu_running()
{
	[ "$(xenstore-read "device-model/$(guest_id)/state" 2>/dev/null)" = running ]
}

QEMU=/usr/libexec/xen-qemu-system-i386

# qemu_machine MB: the machine, with this much RAM.
qemu_machine()
{
	echo "-machine xenpvh,ram-low-base=0,ram-low-size=$(($1 << 20)),ram-high-base=0x100000000,ram-high-size=0,pci-ecam-base=0x7ff0000000,pci-ecam-size=0x10000000,pci-mmio-base=0xfd000000,pci-mmio-size=0x1000000"
}

backend_alive()
{
	kill -0 "$(guest_get pid)" 2>/dev/null
}

backend_kill()
{
	kill "-${1-KILL}" "$(guest_get pid)" 2>/dev/null
	wait_for 10 backend_gone
}

backend_gone()
{
	! backend_alive
}

backend_log()
{
	cat "$(guest_get log)"
}

# The two ends of the guest's network.
host_ip()
{
	echo "10.0.$(guest_id).1"
}

guest_ip()
{
	echo "10.0.$(guest_id).2"
}

# guest_start: let it run, until it serves commands.
guest_start()
{
	local tty

	tty=$(xenstore-read "/local/domain/$(guest_id)/console/tty")
	guest_set tty "$tty"
	# xenconsoled replaces the terminal when its last user has closed it.
	sleep 1000000 <>"$tty" >/dev/null 2>&1 &
	guest_set holder $!
	xl unpause "$(guest_id)"
	/tools/rig/guest-ask "/run/guest/$GUEST" $((3 * GUEST_TIMEOUT * PATIENCE)) && guest_payload
}

# guest_payload: the files of the case, in the guest's /payload. A guest that was
# started for a snapshot gets them later.
guest_payload()
{
	[ -e /run/payload-size ] || return 0
	guest ". /rig/common.sh; unpack_payload /dev/xvdb $(cat /run/payload-size)"
}

# guest_boot [OPTION]... [-- QEMU ARGUMENT...]: all of the above, with the options
# of guest_config. Without arguments for QEMU there are the standard devices.
guest_boot()
{
	local options=

	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	[ $# -eq 0 ] || shift
	# shellcheck disable=SC2086
	guest_create $options || return
	# shellcheck disable=SC2046
	[ $# -gt 0 ] || set -- $(std_blk) $(std_net) $(std_rng)
	backend_start "$@" && guest_start
}

guest_destroy()
{
	xl destroy "$(guest_id)"
	backend_kill
	kill "$(guest_get holder)" 2>/dev/null
	ip link del "tap-$GUEST" 2>/dev/null
	rm -rf "/run/guest/$GUEST"
}

# guest COMMAND [SECONDS]: run it in the guest; its output, its status.
guest()
{
	/tools/rig/guest-ask "/run/guest/$GUEST" $((${2-$GUEST_TIMEOUT} * PATIENCE)) "$1"
}

# What the kernels of the guests said, for the host's logs.
save_guest_logs()
{
	local dir

	cp /var/log/xen/console/* /var/log/ 2>/dev/null
	for dir in /run/guest/*/; do
		[ -e "$dir/tty" ] || continue
		GUEST=$(basename "$dir")
		[ -n "$(guest_get dead)" ] || guest dmesg 10 >"/var/log/dmesg-$GUEST.log" 2>&1
	done
}
