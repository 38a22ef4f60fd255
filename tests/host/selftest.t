#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rig: host
#
# The tests on this host can fail, and kbuild builds what it should, when it
# should.

. "$(dirname "$0")/lib.sh"

"$RIG/fetch" build headers

# verdict EXPECTED COMMAND...: what a test of that command comes to.
verdict()
{
	local expected=$1 saw

	shift
	# $0 is where lib.sh looks for the rest.
	# shellcheck disable=SC2016
	saw=$(sh -c '. "${0%/*}/lib.sh"; check x "$@"; finish' "$0" "$@" && echo 'exit 0' || echo 'exit 1')
	echo "$saw"
	same "$expected" "$(echo "$saw" | grep -v '^#' | xargs)"
}

good='ok 1 - x 1..1 exit 0'
bad='not ok 1 - x 1..1 exit 1'
echo 'a line' >"$TMP/file"
: >"$TMP/empty"

check 'a command that succeeds' verdict "$good" true
check 'a command that fails' verdict "$bad" false
check 'a command that is not there' verdict "$bad" no-such-command
check 'the same' verdict "$good" same 'a b' 'a b'
check 'not the same' verdict "$bad" same 'a b' 'a  b'
check 'a file that says it' verdict "$good" says "$TMP/file" '^a l.ne$'
check 'a file that does not' verdict "$bad" says "$TMP/file" '^line$'
check 'a file that is not there' verdict "$bad" says "$TMP/none" a
check 'failure expected, and seen' verdict "$good" fails "$TMP/log" false
check 'failure expected, but none' verdict "$bad" fails "$TMP/log" true
check 'nothing expected, and seen' verdict "$good" nothing cat "$TMP/empty"
check 'nothing expected, but something' verdict "$bad" nothing cat "$TMP/file"

# kbuild, with sources that are built in no time.
mkdir -p "$TMP/tree/src" "$TMP/tree/include" "$TMP/tree/scripts"
cp "$TOP/Makefile" "$TOP/Kconfig" "$TMP/tree"
cat >"$TMP/tree/Kbuild" <<END
obj-m := xen_grant_dma.o
xen_grant_dma-y := src/main.o
END
cat >"$TMP/tree/src/main.c" <<END
#include <linux/module.h>
MODULE_DESCRIPTION("nothing");
MODULE_LICENSE("GPL");
END
build()
{
	"$RIG/kbuild" "$@" -s "$TMP/tree" "$DOM0_KERNEL-amd64" "$TMP/out"
}
made()
{
	stat -c %Y.%i "$TMP/out/xen_grant_dma.ko"
}

check 'kbuild builds the module' build
first=$(made)
check 'and not again without need' build
check 'which is seen by the file' same "$first" "$(made)"
echo '/* */' >>"$TMP/tree/src/main.c"
check 'it does when a source has changed' build
again()
{
	[ "$first" != "$(made)" ] || { echo "expected: another file than $first"; return 1; }
}
check 'which is seen by the file' again
echo 'int p(' >>"$TMP/tree/src/main.c"
check 'it fails when the source is wrong' fails "$TMP/log" build
check 'it shows why' says "$TMP/log" 'src/main.c:.* error: '
check 'and keeps no module of before' test ! -e "$TMP/out/xen_grant_dma.ko"
check 'it fails again: nothing is remembered as good' fails "$TMP/log" build
mkdir "$TMP/foreign"
check 'it leaves the folders of others alone' fails "$TMP/log" \
	"$RIG/kbuild" "$DOM0_KERNEL-amd64" "$TMP/foreign"
check 'a kernel that is not there is an error' fails "$TMP/log" "$RIG/kbuild" 5.4-amd64 "$TMP/out2"
check 'which names what to run' says "$TMP/log" 'no headers of 5.4-amd64: run .*/fetch headers'

finish
