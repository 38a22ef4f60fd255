#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rig: host
#
# The version is that of MODULE_VERSION wherever it is written.

. "$(dirname "$0")/lib.sh"

version=$(sed -n 's/^MODULE_VERSION("\(.*\)");$/\1/p' "$TOP/src/main.c")
check 'the module has a version' sh -c 'echo "$1" | grep -Eqx "[0-9]+([.][0-9]+)+"' sh "$version"
check 'dkms.conf has it' same "$version" "$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$TOP/dkms.conf")"
check 'CHANGELOG.md begins with it' same "$version" "$(sed -n 's/^## //p' "$TOP/CHANGELOG.md" | head -n 1)"
check 'debian/changelog has it' same "$version" "$(sed -n '1s/^xen-grant-dma (\(.*\)-[^-]*) .*/\1/p' "$TOP/debian/changelog")"
check 'the RPM spec has it' same "$version" "$(sed -n 's/^Version:[[:blank:]]*//p' "$TOP/packaging/rpm/xen-grant-dma.spec")"
check 'the PKGBUILD has it' same "$version" "$(sed -n 's/^pkgver=//p' "$TOP/packaging/arch/PKGBUILD")"
check 'the recipe for Yocto has it' same "xen-grant-dma_$version.bb" "$(cd "$TOP/packaging/yocto" && echo ./*.bb | sed 's,./,,')"
check 'it knows the text of the licence' same \
	"$(md5sum <"$TOP/LICENSES/GPL-2.0-only.txt" | cut -d' ' -f1)" \
	"$(sed -n 's/^LIC_FILES_CHKSUM = .*md5=\(.*\)"$/\1/p' "$TOP"/packaging/yocto/*.bb)"

finish
