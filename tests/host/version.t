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

finish
