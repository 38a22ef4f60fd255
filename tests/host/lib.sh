# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# TAP for the tests that run on this host; to be sourced by them.

set -eu
. "$(dirname "$0")/../rig/env.sh"
RIG=$TOP/tests/rig

# In the cache, so that the build folder sees it, too.
TMP=$(mktemp -d "$CACHE/host.XXXXXX")
trap 'rm -rf "$TMP"' EXIT
trap 'exit 1' HUP INT TERM

TESTS=0
FAILED=0

# check NAME COMMAND...: one test. It says what the command said if that fails.
check()
{
	local name=$1 status

	shift
	TESTS=$((TESTS + 1))
	set +e
	(set -e; "$@") >"$TMP/said" 2>&1
	status=$?
	set -e
	if [ $status -eq 0 ]; then
		echo "ok $TESTS - $name"
	else
		FAILED=$((FAILED + 1))
		echo "not ok $TESTS - $name"
		tail -n 30 "$TMP/said" | sed 's/^/# /'
	fi
}

# skip NAME REASON: a test that cannot be run here
skip()
{
	TESTS=$((TESTS + 1))
	echo "ok $TESTS - $1 # SKIP $2"
}

# finish: the plan, and whether all went well.
finish()
{
	echo "1..$TESTS"
	exit $((FAILED > 0))
}

# same EXPECTED SAW
same()
{
	[ "$1" != "$2" ] || return 0
	printf 'expected: %s\nsaw: %s\n' "$1" "$2"
	return 1
}

# says FILE REGEX: some line of the file is like this.
says()
{
	grep -qE -e "$2" "$1" || {
		printf 'expected: a line like "%s"\nsaw, in the end:\n' "$2"
		tail -n 20 "$1"
		return 1
	}
}

# fails FILE COMMAND...: the command, whose output goes to the file, fails.
fails()
{
	local file=$1

	shift
	"$@" >"$file" 2>&1 || return 0
	printf 'expected: that this fails: %s\nsaw, in the end:\n' "$*"
	tail -n 20 "$file"
	return 1
}

# nothing COMMAND...: the command prints nothing, not even a complaint.
nothing()
{
	local saw

	saw=$("$@" 2>&1 || true)
	[ -n "$saw" ] || return 0
	printf 'expected: nothing\nsaw:\n%s\n' "$saw"
	return 1
}
