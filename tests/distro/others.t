# SPDX-License-Identifier: GPL-2.0-only
# rig: host
#
# Packages for other distributions are built by Debian's rpmbuild and makepkg, and have what
# Debian's packages have.

. "$(dirname "$0")/../host/lib.sh"

# list KIND: the files of its packages, but for what each distribution has elsewhere:
# documents, compressed manual pages, and hooks of another tool
list()
{
	sed 's,^[.]/,,; s,^usr/bin/,usr/sbin/,; s/[.]gz$//' "$CACHE/$1/files" |
		grep -vE '^[.]|^usr/share/(doc|licenses|lintian|initramfs-tools)/|^usr/lib/(debug|[.]build-id)/' | sort
}

list deb >"$TMP/deb"
check "Debian's packages are there" says "$TMP/deb" '^usr/src/xen_grant_dma-[0-9.]*/src/main[.]c$'
check 'with their tools' says "$TMP/deb" '^usr/sbin/xl-virtio$'
for kind in rpm pkg; do
	check "make $kind" "$RIG/packages" $kind
	list $kind >"$TMP/$kind"
	check "make $kind: the same files" diff -u "$TMP/deb" "$TMP/$kind"
done

finish
