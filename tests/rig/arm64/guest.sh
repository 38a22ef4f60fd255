# SPDX-License-Identifier: GPL-2.0-only

# From here: what is different on arm64, where a guest's virtio devices are those
# of a device tree and of xgd-backend, or of QEMU where a case asks for it.

# Where the devices of the trees beside this file are.
BLK=base=0x2000000,irq=33
NET=base=0x2000200,irq=34
RNG=base=0x2000400,irq=35

# The arguments of the standard devices. One is added to the device's properties.
std_blk()
{
	echo "--device blk,$BLK,file=$DISK${1:+,$1}"
}

std_net()
{
	echo "--device net,$NET,file=tap-$GUEST${1:+,$1}"
}

std_rng()
{
	echo "--device rng,$RNG${1:+,$1}"
}

QEMU=/usr/libexec/qemu-system-aarch64

# RAM is where QEMU takes it to be, PCI is where dts/pci.dts says. The devices of
# virtio-mmio get the places of the trees, in the order of the arguments.
qemu_machine()
{
	echo "-machine xenpvh,pci-ecam-base=0x10000000,pci-ecam-size=0x10000000,pci-mmio-base=0x23000000,pci-mmio-size=0x10000000,pci-intx-irq-base=36" \
		"-global virtio-mmio.force-legacy=false"
}

# guest_create [kernel=KERNEL] [vcpus=N] [memory=MB] [dtb=NAME] [virtio=DEVICE]
# [append=WORD]... [example=NAME]: a domain, paused, with no backend yet. DEVICE is as in xl.cfg.
guest_create()
{
	local kernel=stable vcpus=1 memory=192 dtb=plain virtio= append= example= boot tree preload= config=/run/guest/$GUEST/config

	while [ $# -gt 0 ]; do
		case $1 in
		kernel=*)	kernel=${1#*=} ;;
		vcpus=*)	vcpus=${1#*=} ;;
		memory=*)	memory=${1#*=} ;;
		dtb=*)		dtb=${1#*=} ;;
		virtio=*)	virtio=${1#*=} ;;
		append=*)	append="$append ${1#*=}" ;;
		example=*)	example=${1#*=} ;;
		*)		echo "guest_create: unknown option: $1" >&2; return 1 ;;
		esac
		shift
	done
	boot=/tools/guest-$kernel
	[ -d "$boot" ] || boot=/payload/guest-$kernel
	[ -d "$boot" ] || { echo "guest_create: no kernel $kernel here: name it in the case's header" >&2; return 1; }
	tree=/tools/dtb/$dtb.dtb
	[ -e "$tree" ] || tree=/payload/dtb/$dtb.dtb

	guest_set kernel "$kernel"
	guest_set vcpus "$vcpus"
	guest_set memory "$memory"
	guest_set seq 0
	cat >"$config" <<-END
		name = "$GUEST"
		kernel = "$boot/vmlinuz"
		ramdisk = "$boot/initramfs"
		extra = "console=hvc0 quiet loglevel=4 oops=panic net.ifnames=0$append"
		memory = $memory
		vcpus = $vcpus
		device_tree = "$tree"
		nr_spis = 16
		virtio = [ ${virtio:+"\"$virtio\""} ]
		disk = [ "format=raw,vdev=xvda,access=ro,backendtype=phy,script=/tools/rig/block-hotplug,target=/dev/vda",
			 "format=raw,vdev=xvdb,access=ro,backendtype=phy,script=/tools/rig/block-hotplug,target=/dev/vdb" ]
	END
	like_example "$example"
	# Xen before 4.19 does not know nr_spis.
	[ ! -e /tools/rig/nr_spis.so ] || preload=/tools/rig/nr_spis.so
	LD_PRELOAD=$preload xl create -q -p -e "$config" >/run/guest/"$GUEST"/xl.log 2>&1 || {
		cat "/run/guest/$GUEST/xl.log" >&2
		return 1
	}
	guest_set id "$(xl domid "$GUEST")"
}

# backend_start [ARGUMENT...]: the domain's virtio devices. The snapshot of the
# standard guest has none: it has not looked for them yet.
backend_start()
{
	[ -e /payload/case.t ] || return 0
	backend_new
	/payload/bin/xgd-backend --domid "$(guest_id)" "$@" >"$(guest_get log)" 2>&1 </dev/null &
	guest_set pid $!
	backend_wait xgd_backend_ready
}
