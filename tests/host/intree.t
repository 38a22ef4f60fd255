#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rig: host needs=build,source,headers-stable-amd64
#
# The same folder, linked into the tree of a kernel, configures and builds there:
# as a module, and built in with XEN_GRANT_DMA_FORCE.
#
# What is built in is not linked into a whole kernel, which takes 4 minutes on
# two processors: the folder's built-in.a is what is looked at.

. "$(dirname "$0")/lib.sh"

"$RIG/fetch" build source "headers-$DOM0_KERNEL-amd64"

TREE=$CACHE/source
HERE=drivers/xen/grant-dma

# Two runs must not use the trees at the same time.
exec 7>"$CACHE/intree.lock"
flock 7

# What was built of other sources is of no use.
cmp -s "$CACHE/source.debs" "$CACHE/intree/made-of" || rm -rf "$CACHE/intree"
mkdir -p "$CACHE/intree"
cp "$CACHE/source.debs" "$CACHE/intree/made-of"

"$RIG/into-tree"

# configure LINE...: a small kernel for Xen guests in the folder $out.
configure()
{
	mkdir -p "$out"
	cat >"$TMP/config" <<-END
		CONFIG_64BIT=y
		CONFIG_CPU_MITIGATIONS=n
		CONFIG_MODULES=y
		CONFIG_PRINTK=y
		CONFIG_SMP=y
		CONFIG_PCI=y
		CONFIG_HYPERVISOR_GUEST=y
		CONFIG_PARAVIRT=y
		CONFIG_XEN=y
		CONFIG_XEN_PVH=y
		CONFIG_VIRTIO_MENU=y
		CONFIG_VIRTIO_PCI=y
		CONFIG_DEBUG_FS=y
		CONFIG_FTRACE=y
		CONFIG_ENABLE_DEFAULT_TRACERS=y
		CONFIG_WERROR=y
	END
	printf '%s\n' "$@" >>"$TMP/config"
	# The same again would make everything new.
	cmp -s "$TMP/config" "$out/asked-for" ||
		kernel KCONFIG_ALLCONFIG="$TMP/config" allnoconfig
	cp "$TMP/config" "$out/asked-for"
}

# kernel ARGUMENT...: make in the kernel's tree.
kernel()
{
	cd "$TREE"
	"$RIG/in-build" make -j"$(nproc)" O="$out" W=1 "$@" >"$TMP/log" 2>&1 || {
		tail -n 25 "$TMP/log"
		return 1
	}
}

# build TARGET: without a warning of gcc or sparse. What is not linked with a kernel lacks
# symbols, of course.
build()
{
	kernel KBUILD_MODPOST_WARN=1 C=1 CF=-Wsparse-error "$HERE/$1"
	! grep -i 'warning: ' "$TMP/log" |
		grep -vE 'modpost: .*(undefined!|unresolved symbol)|vmlinux.o is missing'
}

# set_to SYMBOL VALUE: in the configuration.
set_to()
{
	says "$out/.config" "^CONFIG_$1=$2\$"
}

# default OBJECT Y|N: of force_grant, in words and in the variable.
default()
{
	strings_of "$1" | grep '^.*parm=force_grant:' >"$TMP/parm"
	says "$TMP/parm" "[(]default: $2[)]"
	# The variable is 1 and in .data, or 0 and in .bss.
	"$RIG/in-build" nm "$1" | grep 'xgd_force_grant$' >"$TMP/nm"
	case $2 in
	Y)	says "$TMP/nm" ' [Dd] ' ;;
	N)	says "$TMP/nm" ' [Bb] ' ;;
	esac
}

strings_of()
{
	"$RIG/in-build" objcopy -O binary --only-section .modinfo --set-section-flags .modinfo=alloc \
		"$1" "$TMP/modinfo"
	tr '\0' '\n' <"$TMP/modinfo"
}

# The symbols that the module takes from the kernel and that Debian's does not
# export.
unexported()
{
	"$RIG/in-build" nm -u "$1" | awk '{ print $2 }' | sort >"$TMP/used"
	"$RIG/in-build" awk '{ print $2 }' "/headers/stable-amd64/Module.symvers" | sort >"$TMP/exported"
	says "$TMP/used" '^gnttab_'
	comm -23 "$TMP/used" "$TMP/exported"
}

out=$CACHE/intree/m
check 'as a module: it configures' configure CONFIG_XEN_GRANT_DMA=m
check 'XEN_GRANT_DMA is set' set_to XEN_GRANT_DMA m
check 'XEN_GRANT_DMA_FORCE is there, and off' says "$out/.config" \
	'^# CONFIG_XEN_GRANT_DMA_FORCE is not set'
check 'it builds without a warning' build xen_grant_dma.ko
check 'force_grant is off' default "$out/$HERE/xen_grant_dma.ko" N
check 'modinfo knows it as part of the tree' same Y \
	"$("$RIG/in-build" modinfo -F intree "$out/$HERE/xen_grant_dma.ko" 2>&1)"
check 'it takes just what kernels export' nothing unexported "$out/$HERE/xen_grant_dma.ko"

# There highmem would be copied by addresses that it does not have.
not_offered()
{
	says "$out/.config" '^CONFIG_XEN=y' && says "$out/.config" '^CONFIG_VIRTIO=y' &&
		! grep -w CONFIG_XEN_GRANT_DMA "$out/.config"
}
out=$CACHE/intree/32
rm -f "$out/asked-for"
check 'for 32 bits: it configures' configure CONFIG_64BIT=n CONFIG_MPENTIUM4=y CONFIG_HIGHMEM64G=y \
	CONFIG_XEN_GRANT_DMA=m
check 'XEN_GRANT_DMA is not there to be set' not_offered

# Built in, and with what is for device trees, which Debian's kernels for x86 do
# not have. The tools for building are the same.
[ -d "$CACHE/intree/y" ] || cp -a "$out" "$CACHE/intree/y"
out=$CACHE/intree/y
check 'built in, forced: it configures' configure CONFIG_XEN_GRANT_DMA=y \
	CONFIG_XEN_GRANT_DMA_FORCE=y CONFIG_OF=y CONFIG_IOMMU_SUPPORT=y CONFIG_VIRTIO_IOMMU=y
check 'XEN_GRANT_DMA is set' set_to XEN_GRANT_DMA y
check 'XEN_GRANT_DMA_FORCE is set' set_to XEN_GRANT_DMA_FORCE y
check 'so is OF_IOMMU' set_to OF_IOMMU y
check 'it builds without a warning' build ''
missing()
{
	"$RIG/in-build" ar t "$out/$HERE/built-in.a" >"$TMP/parts"
	(cd "$TOP" && find src -name '*.c') | while read -r source; do
		grep -q "${source%.c}.o\$" "$TMP/parts" || echo "$source"
	done
}
check 'built-in.a has every source' nothing missing
check 'force_grant is on' default "$out/$HERE/src/params.o" Y

finish
