#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rig: host
#
# The fetchers, with an archive that lacks files: what cannot be had is named, all else
# is fetched, an older kernel or Xen is taken where that is possible. The packages are
# tiny, and come from this host.

. "$(dirname "$0")/lib.sh"

CACHE=$TMP/cache
SERVER=$TMP/server
mkdir "$CACHE" "$SERVER"
GONE=75

# ---- the archive ----

# list SCRIPT NAME...: the packages in the lists of a fetcher
list()
{
	local script=$1 name

	shift
	eval "$(awk -v quote="'" '
		$0 ~ "^[A-Z_]+=" quote	{ on = 1; seen = 0 }
		on			{ print; seen += split($0, part, quote) - 1 }
		seen == 2		{ on = 0 }' "$RIG/$script")"
	for name; do
		eval "printf '%s\n' \$$name"
	done
}

# any ARCHITECTURE VERSION: stdin lists packages with nothing to say of them
any()
{
	sed 's,/.*,,; /xen/d; /^base-files$/d; /^busybox-static$/d' | sort -u |
		sed "s/.*/deb trixie $1 & $2/"
}

# kernel SUITE ARCHITECTURE FLAVOUR RELEASE...
kernel()
{
	local suite=$1 arch=$2 flavour=$3 release

	shift 3
	for release; do
		echo "deb $suite $arch linux-image-$release-$flavour 1 boot/vmlinuz-$release lib/modules/$release-$flavour/modules.dep"
		echo "deb $suite $arch linux-headers-$release-$flavour 1 depends=linux-kbuild-$release"
		echo "deb $suite $arch linux-kbuild-$release 1"
	done
}

# xen SUITE VERSION SERIES: its source, and its packages for both machines
xen()
{
	local each lib=libxen-dev

	echo "source $1 xen $2"
	for each in amd64 arm64; do
		echo "deb $1 $each xen-hypervisor-$3-$each $2"
		echo "deb $1 $each xen-utils-$3 $2 depends=libxenmisc$3($2),xen-utils-common($2)"
		echo "deb $1 $each xen-utils-common $2"
		echo "deb $1 $each xenstore-utils $2 depends=libxendevicemodel1"
		echo "deb $1 $each libxen-dev $2 depends=libxenmisc$3($2),libxendevicemodel1($2)"
		echo "deb $1 $each libxenmisc$3 $2"
		echo "deb $1 $each libxendevicemodel1 $2"
	done
}

mkdir -p "$TMP/linux/Documentation/devicetree/bindings"
(cd "$TMP/linux/Documentation/devicetree/bindings" && mkdir iommu pci virtio)
tar -cJf "$TMP/linux.tar.xz" -C "$TMP" linux
{
	for arch in amd64 arm64; do
		echo "deb trixie $arch base-files 1 usr/bin/x usr/src/x"
		echo "deb trixie $arch busybox-static 1 usr/bin/busybox"
	done
	list fetch QEMU COMPILER CHECKERS PLOTTER INSIDE | any amd64 1
	list fetch-arm64 CROSS QEMU_TOOLS | any amd64 1
	list fetch-arm64 SYSROOT INSIDE QEMU_LIBS QEMU_SYSROOT | any arm64 1
	echo 'deb trixie-backports amd64 dt-schema 2'
	echo 'deb trixie amd64 qemu-system-xen 1'
	for flavour in amd64 rt-amd64 cloud-amd64; do
		kernel bookworm amd64 $flavour 6.1.0-40 6.1.0-41
		kernel trixie amd64 $flavour 6.12.9+deb13 6.12.10+deb13
		kernel trixie-backports amd64 $flavour 7.3.4+deb13 7.3.5+deb13
	done
	for flavour in arm64 arm64-16k cloud-arm64; do
		kernel bookworm arm64 $flavour 6.1.0-41
		kernel trixie arm64 $flavour 6.12.10+deb13
		kernel trixie-backports arm64 $flavour 7.3.5+deb13
	done
	kernel trixie amd64 arm64 6.1.0-41 6.12.10+deb13 7.3.5+deb13
	echo "deb trixie amd64 linux-source-6.12 1 usr/src/linux-source-6.12.tar.xz=$TMP/linux.tar.xz"
	xen bookworm 4.17.5-1 4.17
	xen trixie 4.20.4-1 4.20
	echo 'source bookworm qemu 1:7.2-1'
	echo 'source trixie qemu 1:10.0.13-1'
	echo 'source trixie-backports qemu 1:11.1.3-1'
} | sort -u >"$TMP/list"

: >"$SERVER/answers"
python3 "$(dirname "$0")/archive.py" "$SERVER" <"$TMP/list" &
server=$!
trap 'kill $server; rm -rf "$TMP"' EXIT
until [ -e "$SERVER/address" ]; do
	sleep 0.1
done

# fetch NAME STATUS SCRIPT PIECE...: one test: the fetcher's status
fetch()
{
	local name=$1 expected=$2 script=$3 status=0

	shift 3
	: >"$SERVER/log"
	XGD_CACHE=$CACHE XGD_APT_SITE=$(cat "$SERVER/address") XGD_APT_PAUSES='0 0' XGD_APT_OPTIONS='
		Acquire::Retries "0"; Acquire::http::Proxy "DIRECT";' \
		"$RIG/$script" "$@" >"$TMP/fetched" 2>&1 || status=$?
	check "$name: status $expected" ended "$expected" $status
}

ended()
{
	[ "$1" = "$2" ] || tail -n 30 "$TMP/fetched"
	same "$1" "$2"
}

# lacks PIECE REGEX: it is missing, for this reason
lacks()
{
	says "$CACHE/${ARM}missing/$1" "$2"
}

# asked FILE: the answers there were for it
asked()
{
	awk -v name="$1" '$2 == name { print $1 }' "$SERVER/log" | xargs
}

# version_of FOLDER REGEX: of the packages that are unpacked there
version_of()
{
	grep -E "^$2 " "$CACHE/$1.debs" | cut -d' ' -f2 | sort -u | xargs
}

# names FOLDER: what is in it
names()
{
	(cd "$1" && echo ./* | sed 's,[.]/,,g')
}

answers()
{
	printf '%s\n' "$@" | grep . >"$SERVER/answers" || :
}

# ---- x86 ----
ARM=
answers '503 *Packages*' '503 *Sources*'
fetch 'no lists' $GONE fetch qemu
check 'that is told' lacks qemu '^the archive does not serve its lists of packages$'

answers '404 *.deb'
fetch 'a package that is not there' $GONE fetch qemu
check 'it is named' lacks qemu '^the archive does not serve .*qemu-system-x86_1_amd64.deb'
check 'the archive was asked just once' same 404 "$(asked qemu-system-x86_1_amd64.deb)"

fetch 'no package at all' $GONE fetch all plot
for each in qemu:base-files_1_amd64.deb inside:fio_1_amd64.deb build:sparse_1_amd64.deb \
	headers-oldest-amd64: headers-stable-rt-amd64: headers-newest-cloud-amd64: \
	source: plot:; do
	check "${each%%:*} is named as missing" lacks "${each%%:*}" "^the archive does not serve .*${each#*:}"
done
check 'the oldest kernel: those that were tried' lacks kernel-oldest \
	'^the archive does not serve a kernel for the role "oldest" [(]amd64[)]: 6.1.0-41 6.1.0-40$'
check 'the stable kernel' lacks kernel-stable '6.12.10[+]deb13 6.12.9[+]deb13$'
check 'the newest kernel' lacks kernel-newest '7.3.5[+]deb13 7.3.4[+]deb13'

# What is there is fetched in spite of each that is not.
answers '404 qemu-system-arm_*' '404 fio_*' '404 shellcheck_*' '404 gnuplot-nox_*' \
	'404 linux-image-6.1.0-*' '404 linux-headers-6.12.*-rt-amd64_*' \
	'404 linux-image-7.3.5+deb13-amd64_*'
fetch 'some are there' $GONE fetch all plot
check 'the others are named' same \
	'headers-stable-rt-amd64 inside kernel-oldest plot qemu source' \
	"$(names "$CACHE/missing")"
check 'qemu, by its file' lacks qemu ' qemu-system-arm_1_amd64.deb$'
check 'inside, by its file' lacks inside ' fio_1_amd64.deb$'
check 'source, by its file' lacks source ' shellcheck_1_amd64.deb$'
check 'plot, by its file' lacks plot ' gnuplot-nox_1_amd64.deb$'
check 'there is no folder of what is missing' test ! -e "$CACHE/kernel/oldest/vmlinuz"
check 'an older newest kernel is taken' same 7.3.4+deb13-amd64 "$(cat "$CACHE/kernel/newest/release")"
check 'and headers of the same release' same /usr/src/linux-headers-7.3.4+deb13-amd64 \
	"$(readlink "$CACHE/build/headers/newest-amd64")"
check 'headers of the stable kernel, though one flavour is missing' same \
	/usr/src/linux-headers-6.12.10+deb13-cloud-amd64 "$(readlink "$CACHE/build/headers/stable-cloud-amd64")"

answers '503 qemu-system-arm_*' '503 fio_* 1' '404 linux-image-6.1.0-41-*' '404 linux-image-7.3.*'
fetch 'what fails for ever' $GONE fetch all plot
check 'it is tried three times' same '503 503 503' "$(asked qemu-system-arm_1_amd64.deb)"
check 'what fails for the moment is tried again' same '503 200' "$(asked fio_1_amd64.deb)"
check 'nothing else is missing then' same qemu "$(ls "$CACHE/missing")"
check 'what there was is kept' same 7.3.4+deb13-amd64 "$(cat "$CACHE/kernel/newest/release")"
check 'an older oldest kernel is taken' same 6.1.0-40-amd64 "$(cat "$CACHE/kernel/oldest/release")"
check 'the sources are there' test -d "$CACHE/source/bindings/virtio"

answers
fetch 'all is there' 0 fetch all plot
check 'nothing is missing' nothing ls "$CACHE/missing"
fetch 'what is there already' 0 fetch all plot
check 'the archive is not asked' nothing cat "$SERVER/log"
check 'and nothing is done' nothing cat "$TMP/fetched"

# ---- arm64 ----
ARM=arm64/
answers '404 xen_*' '404 qemu_*' '404 linux-image-6.1.*'
fetch 'no sources' $GONE fetch-arm64 all
for each in xen-source sysroot inside xen; do
	check "$each: the versions that were tried" lacks $each \
		'^the archive does not serve any Xen for arm64, with its source: 4.20.4-1 4.17.5-1$'
done
check 'qemu: those of QEMU' lacks qemu \
	'^the archive does not serve the source of any QEMU that is wanted: 1:10.0.13-1 1:11.1.3-1$'
check 'each was asked for once by a piece' same 404 "$(asked qemu_11.1.3.orig.tar.xz)"
check 'all else is fetched' same 'inside kernel-oldest qemu sysroot xen xen-source' \
	"$(names "$CACHE/arm64/missing")"

# of_version VERSION: all that is there of Xen is of that
of_version()
{
	same "$1" "$(cat "$CACHE/arm64/stamp/version-xen")" &&
		same "$1" "$(version_of arm64/sysroot '(lib)?xen.*')" &&
		same "$1" "$(version_of arm64/inside '(lib)?xen.*')"
}

answers '404 xen_4.20.4.orig.tar.xz'
fetch 'no source of the newest Xen' 0 fetch-arm64 sysroot inside
check 'all of the older one is taken' of_version 4.17.5-1
check 'tools and libraries' test -e "$CACHE/arm64/inside/usr/share/xen-utils-4.17-4.17.5-1" \
	-a -e "$CACHE/arm64/sysroot/usr/share/libxen-dev-4.17.5-1"
answers
echo 'other packages' >"$CACHE/arm64/stamp/xen-source"
fetch 'the newest Xen is there now' 0 fetch-arm64 sysroot inside
check 'what was taken is kept' of_version 4.17.5-1
rm -r "$CACHE/arm64/stamp"
answers '404 xen_4.20.4-1.dsc'
fetch 'stamp/ is removed, the newest lacks just its .dsc' 0 fetch-arm64 sysroot inside
check 'the newest is taken' of_version 4.20.4-1
check 'nothing is left of the older' nothing find "$CACHE/arm64/sysroot" "$CACHE/arm64/inside" -name '*4.17*'
rm -r "$CACHE/arm64/stamp" "$CACHE/arm64/apt/archives"
answers '404 xenstore-utils_4.20.4-1_arm64.deb'
fetch 'one tool is not there' 0 fetch-arm64 sysroot inside
check 'all of the older is taken, again' of_version 4.17.5-1

fetch 'a source that cannot be built' 1 fetch-arm64 xen
check 'is a failure' lacks xen '^failed: fetching or building xen for arm64$'
check 'of that alone' same 'kernel-oldest qemu xen' "$(names "$CACHE/arm64/missing")"

finish
