#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rig: host needs=build,headers-stable-amd64
#
# The tests on this host can fail, kbuild builds what it should, when it should, and what the
# archive does not serve is told.

. "$(dirname "$0")/lib.sh"

"$RIG/fetch" build headers-$DOM0_KERNEL-amd64

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

# That of run, which would have prove stop where a case cannot go on.
tap()
{
	python3 - "$RIG/run" "$TMP/tap" <<-END | sed 's/ *#.*//' | xargs
		import importlib.machinery, importlib.util, pathlib, sys
		sys.path.insert(0, str(pathlib.Path(sys.argv[1]).parent))
		sys.argv, file = ["run"], sys.argv[2]
		loader = importlib.machinery.SourceFileLoader("run", "$RIG/run")
		run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
		try:
		    loader.exec_module(run)
		except SystemExit:
		    pass
		tap = run.Tap(file)
		tap.line("ok 1 - x")
		tap.line("Bail out! y")
		assert tap.failed and not tap.plan
	END
}
check 'a case that cannot go on fails, and only that' same 'ok 1 - x not ok 2 - the case goes on: y' "$(tap)"

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

# Cases in a cache that lacks something.
LACKS=$TMP/lacks
mkdir -p "$LACKS/missing" "$LACKS/arm64/missing"
# lacking EXPECTED CASE [VARIABLE...]: what run says of a case there, in one line
lacking()
{
	local expected=$1 case=$2

	shift 2
	same "$expected" "$(env XGD_CACHE="$LACKS" "$@" "$RIG/run" "$case" | xargs)"
}
why='the archive does not serve this'
echo "$why" >"$LACKS/missing/machine"
check 'a case without its machine is skipped' lacking "1..0 # SKIP $why" "$TOP/tests/e2e/10-blk.t"
check 'with STRICT=y it fails' lacking "not ok 1 - all that it takes is there # $why 1..1" \
	"$TOP/tests/e2e/10-blk.t" STRICT=y
echo 'failed: building it' >"$LACKS/missing/machine"
check 'without what could not be built it fails' lacking \
	'not ok 1 - all that it takes is there # failed: building it 1..1' "$TOP/tests/e2e/10-blk.t"
rm "$LACKS/missing/machine"
echo "$why" >"$LACKS/missing/kernel-newest"
check 'without its kernel it is skipped' lacking "1..0 # SKIP $why" "$TOP/tests/e2e/64-kernel-newest.t"
rm "$LACKS/missing/kernel-newest"
echo "$why" >"$LACKS/missing/headers-newest-amd64"
check 'without the headers of it, too' lacking "1..0 # SKIP $why" "$TOP/tests/e2e/64-kernel-newest.t"
echo "$why" >"$LACKS/arm64/missing/machine"
check 'the arm64 machine is another' lacking "1..0 # SKIP $why" "arm64:$TOP/tests/e2e/10-blk.t"
echo "$why" >"$LACKS/missing/source"
check 'a case on the host needs what it says' lacking "1..0 # SKIP $why" "$TOP/tests/host/intree.t"

# What the end of "make test" says of some results.
touch -d '1 minute ago' "$TMP/since"
rm -rf "$LACKS/log" "$LACKS/arm64/log"
# tap NAME LINE...: of a case that has run
tap()
{
	mkdir -p "$LACKS/log/$1"
	file=$LACKS/log/$1/tap
	shift
	printf '%s\n' "$@" >"$file"
}
summary()
{
	XGD_CACHE=$LACKS "$RIG/summary" "$TMP/since" >"$TMP/summary"
	same "$1" "$(tail -n 1 "$TMP/summary")"
}
tap good 'ok 1 - a' 'ok 2 - b' '1..2'
tap some 'ok 1 - a' 'ok 2 - b # SKIP no such thing' '1..2'
tap first '1..0 # SKIP the moon'
tap second '1..0 # SKIP the moon'
check 'what passed and what was skipped is counted' summary '3 passed, 0 failed, 3 skipped'
check 'files that were not run are told, with the reason' says "$TMP/summary" \
	'^NOT RUN: 2 files of tests, as the moon: first second$'
check 'so are tests' says "$TMP/summary" '^NOT RUN: tests of some: no such thing$'
tap bad 'ok 1 - a' 'not ok 2 - b' '# expected: c' '1..2'
check 'a test that failed is counted' summary '4 passed, 1 failed, 3 skipped'
check 'and what it said is shown' says "$TMP/summary" '^# expected: c$'
tap bad 'ok 1 - a'
check 'a file without its plan has failed' summary '4 passed, 1 failed, 3 skipped'
tap bad 'ok 1 - a' '1..2'
check 'so has one with fewer tests than planned' summary '4 passed, 1 failed, 3 skipped'
cp -p "$TMP/since" "$TMP/since.empty"
tap good-newest 'ok 1 - a' '1..1'
printf '%s\n' 'amd64 tests/e2e/good.t' 'arm64 arm64:tests/e2e/some.t' >"$TMP/since"
touch -r "$TMP/since.empty" "$TMP/since"
check 'where cases are named no others are counted' summary '4 passed, 0 failed, 1 skipped'

# What a case complains of, while its tests are still to come, holds up no other.
# host_case NAME COMMANDS
host_case()
{
	printf '# rig: host\n%s\necho ok 1\necho 1..1\n' "$2" >"$TMP/$1.t"
}
host_case slow "echo building >&2; sleep 5; echo slow >>$TMP/order"
host_case one "sleep 1; echo one >>$TMP/order"
host_case two "echo two >>$TMP/order"
order()
{
	JOBS=2 "$RIG/harness" "$TMP/slow.t" "$TMP/one.t" "$TMP/two.t" >"$TMP/complaints" 2>&1 || return
	same 'one two slow' "$(xargs <"$TMP/order")"
}
check 'a case that complains and goes on holds up no other' order
check 'what it complains of is seen' says "$TMP/complaints" '^building$'

finish
