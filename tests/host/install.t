#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rig: host needs=build,initramfs,kernel-stable,headers-stable-amd64
#
# "make install" puts the module where the kernel's own modprobe looks, which loads it
# before each virtio driver, and it gets into the initramfs, or make says why not. "make
# uninstall" removes it, "make clean" leaves nothing behind, and "make help" knows all that
# make can do.

. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2046,SC2086
"$RIG/fetch" build headers initramfs $(printf 'kernel-%s ' $KERNELS) || :

# A clone of this checkout, with the changes that are not committed.
TREE=$TMP/tree
git clone -q "$TOP" "$TREE"
(cd "$TOP" && git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d 2>/dev/null |
	tar -c -T -) | tar -x -C "$TREE"
git -C "$TREE" status --porcelain --ignored >"$TMP/before"
"$TOP/scripts/acpi/tables" "$TMP/acpi"

# in_tree KERNEL ARGUMENT...: make in the clone.
in_tree()
{
	local kernel=$1

	shift
	(cd "$TREE" && "$RIG/in-build" make -j"$(nproc)" KDIR="/headers/$kernel-amd64" "$@") >"$TMP/log" 2>&1 || {
		tail -n 25 "$TMP/log"
		return 1
	}
}

# system KERNEL: a Debian that has this kernel, as its image package brings it, in $ROOT.
system()
{
	ROOT=$TMP/root-$1
	RELEASE=$(cat "$CACHE/kernel/$1/release")
	MODULES=$ROOT/usr/lib/modules/$RELEASE
	rm -rf "$ROOT"
	cp -al "$CACHE/initramfs" "$ROOT"
	mkdir -p "${MODULES%/*}" "$ROOT/boot" "$ROOT/etc/initramfs-tools/conf.d"
	echo COMPRESSLEVEL=1 >"$ROOT/etc/initramfs-tools/conf.d/fast"
	cp -al "$CACHE/kernel/$1/lib/modules/$RELEASE" "$MODULES"
	# From 7.2 on it is not in /boot.
	cp "$CACHE/kernel/$1"/boot/config-* "$ROOT/boot/" 2>/dev/null ||
		cp "$MODULES/config" "$ROOT/boot/config-$RELEASE"
}

# in_system COMMAND...
in_system()
{
	bwrap --unshare-all --die-with-parent --uid 0 --gid 0 --bind "$ROOT" / --proc /proc --dev /dev \
		--tmpfs /tmp --tmpfs /run --tmpfs /var/tmp --clearenv --setenv PATH /usr/sbin:/usr/bin "$@"
}

# Which modules are drivers of virtio devices? depmod, of "make install", has read all to
# know that.
known()
{
	awk '$1 == "alias" && $2 ~ /^virtio:/ { print $3 }' "$MODULES/modules.alias" |
		sort -u >"$TMP/known"
	says "$TMP/known" '^virtio_blk$'
}

# few: of the kernel's own modules leave what the virtio drivers take. To read all takes
# depmod 7 s each time.
few()
{
	local driver

	while read -r driver; do
		in_system modprobe -S "$RELEASE" -C /nowhere --show-depends "$driver" 2>/dev/null
	done <"$TMP/known" | sed -n 's/^insmod //p' | sed 's/ .*//; s,.*/kernel/,kernel/,' | sort -u >"$TMP/few"
	says "$TMP/few" /virtio_blk &&
		(cd "$MODULES" && find kernel -type f | sort | comm -23 - "$TMP/few" | xargs rm) &&
		in_system depmod "$RELEASE"
}

# What mac80211_hwsim drives is simulated, and nsm's device is Amazon's.
unlisted()
{
	awk '$1 == "softdep" { print $2 }' "$TOP/scripts/xen_grant_dma.conf" | sort >"$TMP/listed"
	grep -vxE 'mac80211_hwsim|nsm' "$TMP/known" | comm -23 - "$TMP/listed"
}

# order MODULE [FOLDER]: the modules that modprobe would load, in that order, on one line.
order()
{
	in_system modprobe ${2:+-d "$2" -C "$2/usr/lib/modprobe.d"} -S "$RELEASE" --show-depends "$1" 2>&1 |
		sed -n 's/^insmod .*\/\([^/ ]*\)[.]ko[^/]*$/\1/p' | tr - _ | xargs
}

# before DRIVER [FOLDER]: modprobe loads our module before it
before()
{
	order "$@" >"$TMP/order"
	says "$TMP/order" "\\<xen_grant_dma .*\\<$1\$"
}

# image NAME COMMAND...: that makes the initramfs /boot/NAME, in which there is all
image()
{
	local name=$1

	shift
	check "$kernel: $name is made" in_system "$@"
	in_system sh -c "mkdir /boot/$name.d && unmkinitramfs /boot/$name /boot/$name.d" || :
	# What is in front of it goes to a folder of its own, and the rest to another.
	for table in ssdt mcfg; do
		check "$kernel: it has the ACPI table $table, in front" cmp "$TMP/acpi/$table.aml" \
			"$ROOT/boot/$name.d/early/kernel/firmware/acpi/$table.aml"
	done
	mv "$ROOT/boot/$name.d" "$ROOT/boot/$name.all"
	mv "$ROOT/boot/$name.all/main" "$ROOT/boot/$name.d"
	rm -r "$ROOT/boot/$name.all"
	check "$kernel: it has the module" test -n "$(find "$ROOT/boot/$name.d" -path "*/$RELEASE/*/xen_grant_dma.ko*")"
	check "$kernel: and modprobe's configuration" cmp "$TOP/scripts/xen_grant_dma.conf" \
		"$ROOT/boot/$name.d/usr/lib/modprobe.d/xen_grant_dma.conf"
	check "$kernel: there, too, it is loaded before virtio_blk" before virtio_blk "/boot/$name.d"
}

# strictly DRIVER: have modprobe do what it would do for it, but for the loading itself:
# the modules that it would load, in that order, on one line. It runs what "install" says
# only when it loads modules, so that is done here.
strictly()
{
	in_system modprobe -S "$RELEASE" --show-depends "$1" 2>/dev/null |
		sed -n 's/^install //p' >"$TMP/commands"
	in_system env "MODPROBE_OPTIONS=-S $RELEASE -n -v" sh -c "$(cat "$TMP/commands")" \
		>"$TMP/strictly" 2>"$TMP/errors" || tail -n 1 "$TMP/errors"
	sed -n 's/^insmod .*\/\([^/ ]*\)[.]ko.*/\1/p' "$TMP/strictly" | tr - _ | xargs
}

strictly_before()
{
	strictly "$1" >"$TMP/order"
	says "$TMP/order" "\\<xen_grant_dma .*\\<$1\$"
}

# The configuration for those who want no driver without it.
strict()
{
	local conf=$TOP/scripts/xen_grant_dma-strict.conf driver

	sed -n 's/^install \([^ ]*\) .*/\1/p' "$conf" | sort >"$TMP/strict"
	check 'the strict configuration of modprobe has the same drivers' cmp "$TMP/listed" "$TMP/strict"
	cp "$conf" "$ROOT/etc/modprobe.d/xen_grant_dma.conf"
	while read -r driver; do
		! grep -qx "$driver" "$TMP/listed" ||
			check "strictly, it is loaded before $driver" strictly_before "$driver"
	done <"$TMP/known"
	mv "$MODULES/updates" "$TMP/updates"
	in_system depmod "$RELEASE"
	strictly virtio_blk >"$TMP/order"
	check 'strictly, without it no driver is loaded' fails "$TMP/said" grep virtio_blk "$TMP/order"
	check 'and modprobe says what is missing' says "$TMP/order" 'xen_grant_dma not found'
	mv "$TMP/updates" "$MODULES/updates"
	in_system depmod "$RELEASE"
	rm "$ROOT/etc/modprobe.d/xen_grant_dma.conf"
}

for kernel in $KERNELS; do
	if [ -e "$CACHE/missing/kernel-$kernel" ] || [ -e "$CACHE/missing/headers-$kernel-amd64" ]; then
		skip "make install for the $kernel kernel" "$(cat "$CACHE/missing/"*"-$kernel"* | head -n 1)"
		continue
	fi
	system "$kernel"
	check "$kernel: make install" in_tree "$kernel" DESTDIR="$ROOT" install
	check "$kernel: it names the kernel" says "$TMP/log" "^Installed for Linux $(echo "$RELEASE" | sed "s/[+]/[+]/")[.]"
	check "$kernel: nothing went wrong on the way" nothing grep -iE 'error' "$TMP/log"
	check "$kernel: the module is where modprobe looks" test -n "$(ls "$MODULES"/updates/xen_grant_dma.ko*)"
	check "$kernel: modprobe finds it" same xen_grant_dma "$(order xen_grant_dma | grep -o 'xen_grant_dma$')"
	check "$kernel, $RELEASE: the virtio drivers are known" known
	check "$kernel: the configuration of modprobe lists them all" nothing unlisted
	while read -r driver; do
		! grep -qx "$driver" "$TMP/listed" || check "$kernel: it is loaded before $driver" before "$driver"
	done <"$TMP/known"
	image initramfs-tools mkinitramfs -o /boot/initramfs-tools "$RELEASE"
	[ "$kernel" != stable ] ||
		image dracut dracut -q --force --no-hostonly --compress 'zstd -1' /boot/dracut "$RELEASE"
	check "$kernel: what the virtio drivers take stays" few
	[ "$kernel" != stable ] || strict

	check "$kernel: make uninstall" in_tree "$kernel" DESTDIR="$ROOT" uninstall
	rm -rf "$ROOT"/boot/*.d
	check "$kernel: leaves nothing of it" nothing find "$ROOT" -name '*xen_grant_dma*'
	check "$kernel: modprobe loads virtio_blk without it" nothing grep xen_grant_dma <<-END
		$(order virtio_blk)
	END

	# Where there is no kernel, as in the making of a package.
	package=$TMP/package-$kernel
	check "$kernel: make install into an empty folder" \
		in_tree "$kernel" DESTDIR="$package" install
	check "$kernel: it has just the module, the configuration, hooks and tables" same \
		"lib/modules/$RELEASE/updates/xen_grant_dma.ko usr/lib/dracut/dracut.conf.d/90-xen_grant_dma.conf usr/lib/modprobe.d/xen_grant_dma.conf usr/share/initramfs-tools/hooks/xen_grant_dma usr/share/xen_grant_dma/acpi/mcfg.aml usr/share/xen_grant_dma/acpi/ssdt.aml" \
		"$(find "$package" -type f -printf '%P\n' | sed 's/[.]ko[.][gx]z/.ko/' | sort | xargs)"
	check "$kernel: make modules_install, as Yocto calls it" \
		in_tree "$kernel" MODLIB="$package/modules" DEPMOD=echo modules_install
	check "$kernel: the module is in the folder of that name" test -n "$(ls "$package"/modules/*/xen_grant_dma.ko*)"
	check "$kernel: make clean" in_tree "$kernel" clean
	git -C "$TREE" status --porcelain --ignored >"$TMP/after"
	check "$kernel: the tree is as it was" cmp "$TMP/before" "$TMP/after"
done

# The tools, which have no kernel.
package=$TMP/package-tools
check 'make install-tools' in_tree stable DESTDIR="$package" install-tools
check 'xgd is there' test -x "$package/usr/sbin/xgd"
check 'make uninstall-tools' in_tree stable DESTDIR="$package" uninstall-tools
check 'leaves nothing of them' nothing find "$package" -type f
check 'make clean-tools' in_tree stable clean-tools
git -C "$TREE" status --porcelain --ignored >"$TMP/after"
check 'leaves the tree as it was' cmp "$TMP/before" "$TMP/after"

# What cannot work is said, and make fails.
system stable
in_system depmod "$RELEASE"
few
after_install()
{
	"$RIG/in-build" "$TOP/scripts/after-install" "$RELEASE" "$ROOT"
}

check 'a module that is not there' fails "$TMP/log" after_install
check 'is missed' says "$TMP/log" '^make install: .*modprobe does not find it'
mkdir -p "$MODULES/updates"
printf '' | "$RIG/in-build" gcc -r -nostdlib -x c - -o "$MODULES/updates/xen_grant_dma.ko"
check 'without its configuration' fails "$TMP/log" after_install
check 'it is not loaded before virtio_blk' says "$TMP/log" \
	'^make install: .*modprobe does not load it before virtio_blk, .*; instead: insmod .*virtio_blk[.]ko'
mkdir -p "$ROOT/usr/lib/modprobe.d"
cp "$TOP/scripts/xen_grant_dma.conf" "$ROOT/usr/lib/modprobe.d/"
check 'with it all is well' after_install
find "$MODULES/kernel/" -name 'virtio_blk.ko*' -delete
sed -i '$a kernel/drivers/block/virtio_blk.ko' "$MODULES/modules.builtin"
check 'where virtio_blk is built in' fails "$TMP/log" after_install
check 'no module is early enough' says "$TMP/log" '^make install: .* has virtio_blk built in'
check 'a kernel that is not installed' fails "$TMP/log" "$TOP/scripts/after-install" 0.0.0-none
check 'is named' says "$TMP/log" '^make install: .*/lib/modules/0.0.0-none has no kernel'

# Debian's kernels, which the module works in, have what the fragment for Yocto asks for.
asked()
{
	grep -v '^# [^C]' "$TOP/packaging/yocto/xen-grant-dma.cfg" | grep -v '^#$' | while read -r line; do
		option=$(echo "$line" | grep -o 'CONFIG_[A-Z_]*')
		case $line in
		"# $option is not set")	! grep "^$option=" "$1" ;;
		"$option="[ym])		grep -q "^$option=[ym]" "$1" ;;
		*)			false ;;
		esac || echo "not so: $line"
	done
}
for kernel in $(have_headers); do
	check "$kernel has what packaging/yocto asks for" nothing asked \
		"$CACHE/build$(readlink "$CACHE/build/headers/$kernel")/include/config/auto.conf"
done

# The tables that the tree writes are those of the sources beside them, and what xl-virtio puts in
# front of a ramdisk is an archive of them.
mkdir "$TMP/tables"
"$TOP/tools/xl-virtio" tables >"$TMP/tables.cpio"
for table in ssdt mcfg; do
	"$RIG/in-build" iasl -p "$TMP/$table" "$TOP/scripts/acpi/$table.asl" >"$TMP/log" 2>&1
	check "the ACPI table $table is that of its source" cmp "$TMP/$table.aml" "$TMP/acpi/$table.aml"
done
"$RIG/in-build" sh -c "cd '$TMP/tables' && cpio -id --quiet <'$TMP/tables.cpio'"
check 'xl-virtio tables prints both, and nothing else' same 'mcfg.aml ssdt.aml' \
	"$(find "$TMP/tables" -type f -printf '%f\n' | sort | xargs)"
check 'as they are' diff "$TMP/acpi" "$TMP/tables/kernel/firmware/acpi"

# What people may want of make, and those names that are for make itself.
targets()
{
	sed -n 's/^[.]PHONY: //p' "$TOP/Makefile" | xargs -n 1 |
		grep -vxE 'all|headers|module|modules_install|install-hooks|tools|clean-tools|help'
}
make -s -C "$TOP" help >"$TMP/help"
for target in $(targets); do
	check "make help tells of $target" says "$TMP/help" "^  make $target "
done

check 'make without headers fails' fails "$TMP/log" make -C "$TREE" KDIR=/nowhere
check 'and says what to do' says "$TMP/log" '^/nowhere is not there: install the headers'

finish
