# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Which of Debian's kernels have which role; to be sourced after apt.sh.
#
#   oldest	bookworm's: the oldest that the module is for
#   stable	trixie's; dom0 has this one, too
#   newest	the newest that there is, as a rule backports'
#
# On arm64 stable is the small one for clouds, and stable-16k has pages of 16 KiB. What
# is taken when the cache is filled stays until stamp/ is removed from it.

: "${STAMP:?set STAMP before sourcing kernels.sh}"

# How many releases of a role are tried, newest first, where the archive lacks files.
KERNEL_TRIES=4

# kernel_flavour ROLE: what the names of its packages end with
kernel_flavour()
{
	case $APT_ARCH:$1 in
	amd64:*)		echo amd64 ;;
	arm64:stable)		echo cloud-arm64 ;;
	arm64:*-16k)		echo arm64-16k ;;
	arm64:*)		echo arm64 ;;
	esac
}

# kernel_releases ROLE: what stands between "linux-image-" and the flavour, best first
kernel_releases()
{
	local series flavour

	flavour=$(kernel_flavour "$1")
	case $1 in
	oldest)		series='6[.]1[.]0-[0-9]+' ;;
	stable*)	series='6[.]12[.][0-9]+[+]deb13([.][0-9]+)?' ;;
	newest)		series='[0-9.]+[+]deb13([.][0-9]+)?' ;;
	*)		die "no kernel has this role: $1" ;;
	esac
	apt_names "linux-image-$series-$flavour" |
		sed "s/^linux-image-//; s/-$flavour\$//" | sort -rV | head -n $KERNEL_TRIES
}

# kernel_images RELEASE FLAVOUR: its packages. From 7.2 on linux-image itself is empty.
kernel_images()
{
	echo "linux-image-$1-$2"
	apt_depends "linux-image-$1-$2" | grep -E '^linux-(base|binary|modules)-[0-9]' || :
}

# kernel_choose ROLE image|headers: of which release image and headers, or just the
# headers, can be had.
kernel_choose()
{
	local role=$1 flavour release list

	flavour=$(kernel_flavour "$role")
	for release in $(kernel_releases "$role"); do
		list=linux-headers-$release-$flavour
		[ "$2" = headers ] || list="$list $(kernel_images "$release" "$flavour")"
		# shellcheck disable=SC2086
		apt_have $list || continue
		echo "$release" >"$STAMP/release-$role"
		return 0
	done
	gone "a kernel for the role \"$role\" ($APT_ARCH): $(kernel_releases "$role" | xargs)"
}

# kernel_release ROLE: the one that was chosen
kernel_release()
{
	[ -e "$STAMP/release-$1" ] || kernel_choose "$1" headers || return
	cat "$STAMP/release-$1"
}

# kernel_unpack ROLE DIR: image and modules
kernel_unpack()
{
	local role=$1 dir=$2 release image

	mkdir -p "${dir%/*}"
	rm -rf "$dir" "$dir.debs"
	kernel_choose "$role" image || return
	release=$(kernel_release "$role")
	# shellcheck disable=SC2046
	apt_alone $(kernel_images "$release" "$(kernel_flavour "$role")") | apt_unpack "$dir" || return
	# Where the archive has moved /lib to /usr/lib, a link makes both the same.
	[ -d "$dir/lib/modules" ] || ln -s usr/lib "$dir/lib"
	ls "$dir/lib/modules" >"$dir/release"
	for image in "$dir"/boot/vmlinuz-* "$dir"/lib/modules/*/vmlinuz; do
		[ ! -e "$image" ] || cp "$image" "$dir/vmlinuz"
	done
}

# kernel_headers ROLE [FLAVOUR]: the package
kernel_headers()
{
	local release

	release=$(kernel_release "$1") || return
	echo "linux-headers-$release-${2-$(kernel_flavour "$1")}"
}

# kernel_link ROLE FLAVOUR: its headers are found as headers/ROLE-FLAVOUR in the build
# folder.
kernel_link()
{
	mkdir -p "$CACHE/build/headers"
	ln -sfn "/usr/src/$(kernel_headers "$1" "$2")" "$CACHE/build/headers/${1%-16k}-$2"
}
