#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rig: host
#
# "make install" puts the module where modprobe loads it before each virtio
# driver, "make uninstall" removes it, "make clean" leaves nothing behind, and
# "make help" knows all that make can do.

. "$(dirname "$0")/lib.sh"

"$RIG/fetch" build headers "kernel-$DOM0_KERNEL"

# A clone of this checkout, with the changes that are not committed.
TREE=$TMP/tree
git clone -q "$TOP" "$TREE"
(cd "$TOP" && git ls-files -z | xargs -0 ls -d 2>/dev/null | tar -c -T -) | tar -x -C "$TREE"
git -C "$TREE" status --porcelain --ignored >"$TMP/before"

# in_tree KERNEL ARGUMENT...: make in the clone.
in_tree()
{
	local kernel=$1

	shift
	(cd "$TREE" && "$RIG/in-build" make -j"$(nproc)" KDIR="/headers/$kernel" "$@") >"$TMP/log" 2>&1 || {
		tail -n 25 "$TMP/log"
		return 1
	}
}

# A system with the virtio drivers of the stable kernel, and no other.
RELEASE=$(cat "$CACHE/kernel/$DOM0_KERNEL/release")
FROM=$CACHE/kernel/$DOM0_KERNEL/lib/modules/$RELEASE
ROOT=$TMP/root
MODULES=$ROOT/lib/modules/$RELEASE
mkdir -p "$MODULES/kernel" "$ROOT/etc"
cp "$FROM"/modules.* "$MODULES"
find "$FROM/kernel/" -name '*virtio*.ko*' -exec cp {} "$MODULES/kernel" \;

# Which modules are drivers of virtio devices? depmod reads all to know that.
KNOWN=$CACHE/virtio-drivers.$RELEASE
virtio_drivers()
{
	[ ! -e "$KNOWN" ] || return 0
	mkdir -p "$TMP/all/lib/modules"
	cp -al "$FROM" "$TMP/all/lib/modules/$RELEASE"
	"$RIG/in-build" depmod -b "$TMP/all" "$RELEASE"
	awk '$1 == "alias" && $2 ~ /^virtio:/ { print $3 }' "$TMP/all/lib/modules/$RELEASE/modules.alias" |
		sort -u >"$TMP/known"
	says "$TMP/known" '^virtio_blk$'
	mv "$TMP/known" "$KNOWN"
}
check 'the virtio drivers of the kernel are known' virtio_drivers

# What mac80211_hwsim drives is simulated, and nsm's device is Amazon's.
unlisted()
{
	awk '$1 == "softdep" { print $2 }' "$TOP/scripts/xen_grant_dma.conf" | sort >"$TMP/listed"
	grep -vxE 'mac80211_hwsim|nsm' "$KNOWN" | comm -23 - "$TMP/listed"
}
check 'the configuration of modprobe lists them all' nothing unlisted

# order MODULE: the modules that modprobe would load, in that order, on one line.
order()
{
	"$RIG/in-build" modprobe -d "$ROOT" -C "$ROOT/etc/modprobe.d" -S "$RELEASE" \
		--show-depends "$1" 2>&1 | sed -n 's/^insmod .*\/\([^/ ]*\)[.]ko[^/]*$/\1/p' |
		tr - _ | xargs
}

check 'make install' in_tree "$DOM0_KERNEL-amd64" DESTDIR="$ROOT" install
check 'the module is in lib/modules' test -f "$MODULES/updates/xen_grant_dma.ko"
check 'the configuration is in etc/modprobe.d' \
	cmp "$TOP/scripts/xen_grant_dma.conf" "$ROOT/etc/modprobe.d/xen_grant_dma.conf"
check 'nothing went wrong on the way' nothing grep -iE 'warning|error|skipping depmod' "$TMP/log"
check 'modprobe finds it' same xen_grant_dma "$(order xen_grant_dma)"
while read -r driver; do
	[ -n "$(find "$MODULES/kernel" -name "$(echo "$driver" | tr _ '?').ko*")" ] || continue
	order "$driver" >"$TMP/order"
	check "it is loaded before $driver" says "$TMP/order" "\<xen_grant_dma .*\<$driver\$"
done <"$KNOWN"

# ---- the strict example ----
sed -n 's/^install \([^ ]*\) .*/\1/p' "$TOP/scripts/xen_grant_dma-strict.conf" | sort >"$TMP/strict"
check 'the strict configuration of modprobe has the same drivers' cmp "$TMP/listed" "$TMP/strict"
cp "$TOP/scripts/xen_grant_dma-strict.conf" "$ROOT/etc/modprobe.d/xen_grant_dma.conf"

# strictly DRIVER: have modprobe do what it would do for it, but for the loading itself:
# the modules that it would load, in that order, on one line. It runs what "install" says
# only when it loads modules, so that is done here.
strictly()
{
	"$RIG/in-build" modprobe -d "$ROOT" -C "$ROOT/etc/modprobe.d" -S "$RELEASE" \
		--show-depends "$1" 2>/dev/null | sed -n 's/^install //p' >"$TMP/commands"
	"$RIG/in-build" env "MODPROBE_OPTIONS=-d $ROOT -C $ROOT/etc/modprobe.d -S $RELEASE -n -v" \
		sh "$TMP/commands" >"$TMP/strictly" 2>"$TMP/errors" || tail -n 1 "$TMP/errors"
	sed -n 's/^insmod .*\/\([^/ ]*\)[.]ko.*/\1/p' "$TMP/strictly" | tr - _ | xargs
}
while read -r driver; do
	[ -n "$(find "$MODULES/kernel" -name "$(echo "$driver" | tr _ '?').ko*")" ] || continue
	strictly "$driver" >"$TMP/order"
	check "strictly, it is loaded before $driver" says "$TMP/order" "\<xen_grant_dma .*\<$driver\$"
done <"$TMP/strict"
mv "$MODULES/updates" "$TMP/updates"
"$RIG/in-build" depmod -b "$ROOT" "$RELEASE"
strictly virtio_blk >"$TMP/order"
check 'strictly, without it no driver is loaded' fails "$TMP/said" grep virtio_blk "$TMP/order"
check 'and modprobe says what is missing' says "$TMP/order" 'xen_grant_dma not found'
mv "$TMP/updates" "$MODULES/updates"
"$RIG/in-build" depmod -b "$ROOT" "$RELEASE"
check 'make uninstall' in_tree "$DOM0_KERNEL-amd64" DESTDIR="$ROOT" uninstall
check 'leaves nothing of it' nothing find "$ROOT" -name '*xen_grant_dma*'
check 'modprobe loads virtio_blk alone' same virtio_blk "$(order virtio_blk)"

# Where there is no kernel, as in the making of a package.
for series in $KERNELS; do
	package=$TMP/package-$series
	check "$series: make install into an empty folder" \
		in_tree "$series-amd64" DESTDIR="$package" install
	release=$(cat "$CACHE/build$(readlink "$CACHE/build/headers/$series-amd64")/include/config/kernel.release")
	check "$series: it has just the module and the configuration" same \
		"etc/modprobe.d/xen_grant_dma.conf lib/modules/$release/updates/xen_grant_dma.ko" \
		"$(find "$package" -type f -printf '%P\n' | sort | xargs)"
	check "$series: make clean" in_tree "$series-amd64" clean
	git -C "$TREE" status --porcelain --ignored >"$TMP/after"
	check "$series: the tree is as it was" cmp "$TMP/before" "$TMP/after"
done

# What people may want of make, and those names that are for make itself.
targets()
{
	sed -n 's/^[.]PHONY: //p' "$TOP/Makefile" | xargs -n 1 | grep -vxE 'all|headers|module|help'
}
make -s -C "$TOP" help >"$TMP/help"
for target in $(targets); do
	check "make help tells of $target" says "$TMP/help" "^  make $target "
done

check 'make without headers fails' fails "$TMP/log" make -C "$TREE" KDIR=/nowhere
check 'and says what to do' says "$TMP/log" '^/nowhere is not there: install the headers'

finish
