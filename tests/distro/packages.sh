# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# The packages in a Debian of their own, from the first installation to a purge; to be
# sourced. mmdebstrap makes that Debian, and it is gone afterwards; what it downloads stays
# in the cache.

. "$(dirname "$0")/../rig/env.sh"
. "$TOP/tests/rig/apt.sh"

# kernel NUMBER REGEX: the NUMBERth newest whose release is like this, with headers
kernel()
{
	apt_names "linux-headers-$2-cloud-amd64" | tail -n "$1" | head -n 1 | sed 's/^linux-headers-//'
}

# packages RELEASE OLD-KERNEL NEW-KERNEL SUITE-OF-THE-NEW-KERNEL
packages()
{
	local release=$1 cache=$CACHE/distro/$1 tmp

	mkdir -p "$cache/archives"
	tmp=$(mktemp -d "$cache/XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 1' HUP INT TERM
	cp "$CACHE"/deb/*.deb "$TOP/tests/distro/inside.sh" "$tmp"
	apt_suites "$release" | mmdebstrap --quiet --variant=minbase --skip=essential/unlink --skip=download/empty \
		--aptopt='APT::Install-Recommends "false"' \
		--include="initramfs-tools,kmod,dpkg-dev,man-db,linux-image-$2,linux-headers-$2" \
		--setup-hook='mkdir -p "$1/var/cache/apt/archives"' \
		--setup-hook="sync-in '$cache/archives' /var/cache/apt/archives" \
		--customize-hook='mkdir "$1/packages"' \
		--customize-hook="sync-in '$tmp' /packages" \
		--customize-hook="chroot \"\$1\" sh /packages/inside.sh $2 $3 $4" \
		--customize-hook="sync-out /var/cache/apt/archives '$cache/archives'" \
		--customize-hook="copy-out /tap '$tmp'" \
		"$release" /dev/null - >"$tmp/log" 2>&1 || {
		sed 's/^/# /' "$tmp/log" | tail -n 40
		echo "Bail out! no Debian to try them in"
		exit 1
	}
	cat "$tmp/tap"
}

apt_init
