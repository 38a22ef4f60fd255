#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rig: host
#
# make tag, make dist: a tarball is of what its name says.

. "$(dirname "$0")/lib.sh"

version=$(sed -n 's/^MODULE_VERSION("\(.*\)");$/\1/p' "$TOP/src/main.c")
git clone -q "$TOP" "$TMP/clone"
cd "$TMP/clone"
# What is not committed yet counts, too.
(cd "$TOP" && git ls-files -z | xargs -0 ls -d 2>/dev/null | tar -cT -) | tar -x
git config user.name tester
git config user.email tester@localhost
git tag -d "v$version" >/dev/null 2>&1 || :
git commit -qam 'as it is' || :

# in_tarball: the commit that git says it is of
in_tarball()
{
	gzip -dc "xen_grant_dma-$version.tar.gz" | git get-tar-commit-id
}
check 'make dist, without a tag' sh -c 'make -s dist >"$1"' sh "$TMP/log"
check 'says that there is none' says "$TMP/log" "the version $version has no tag yet: make tag"
check 'and has what is committed' same "$(git rev-parse HEAD)" "$(in_tarball)"
echo >>README.md
check 'make tag does not tag what is not committed' fails "$TMP/log" make -s tag
check 'it says so' says "$TMP/log" 'there are changes that are not committed'
sed -i '1s/(.*)/(9.9-1)/' debian/changelog
git commit -qam 'two versions'
check 'nor what names two versions' fails "$TMP/log" make -s tag
check 'and says how to see where' says "$TMP/log" "not all files name the version $version: tests/host/version.t"
check 'there is no tag' same '' "$(git tag)"
git reset -q --hard HEAD~1
check 'else it tags' make -s tag
echo >>README.md
git commit -qam 'later'
check 'make dist has the version then' sh -c 'make -s dist >"$1"' sh "$TMP/log"
check 'and not what came later' same "$(git rev-parse "v$version^{commit}") " "$(in_tarball) $(cat "$TMP/log")"

finish
