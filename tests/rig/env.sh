# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Where things are; to be sourced by the rig's scripts, which have set -e.

RIG=$(cd "$(dirname "$0")" && pwd)
TOP=$(cd "$RIG/../.." && pwd)

# All that is downloaded or built lives in this one folder.
CACHE=${XGD_CACHE:-$TOP/.cache}
case $CACHE in
/*)	;;
*)	CACHE=$PWD/$CACHE ;;
esac
mkdir -p "$CACHE"

# The kernels under test, on x86 and on arm64, by their roles: kernels.sh says which
# those are. dom0 always runs the same.
KERNELS='oldest stable newest'
ARM64_KERNELS='stable stable-16k oldest newest'
DOM0_KERNEL=stable

# arm64_headers KERNEL: the short name of an arm64 kernel's headers
arm64_headers()
{
	case $1 in
	stable)	echo stable-cloud-arm64 ;;
	*-16k)	echo "${1%-16k}-arm64-16k" ;;
	*)	echo "$1-arm64" ;;
	esac
}

# The headers that the module must build with, and those that the modules of the
# tests must, too.
all_headers()
{
	local each

	for each in $KERNELS; do
		echo "$each-amd64"
		[ "${1-}" = tests ] || printf '%s\n' "$each-rt-amd64" "$each-cloud-amd64"
	done
	for each in $ARM64_KERNELS; do
		arm64_headers "$each"
	done
}

# have_headers [tests]: those of them that the archive serves
have_headers()
{
	local each

	for each in $(all_headers "$@"); do
		[ ! -h "$CACHE/build/headers/$each" ] || echo "$each"
	done
}

# The status that says that the archive does not serve something: EX_TEMPFAIL.
GONE=75

# What is being done, with the seconds since the first script began.
export RIG_BEGIN="${RIG_BEGIN:-$(date +%s)}"
say()
{
	printf '%4d s  %s\n' $(($(date +%s) - RIG_BEGIN)) "$*" >&2
}

# telling LOG COMMAND...: run it, with its output to the end of that file, whose last line is
# told every ten seconds
telling()
{
	local log=$1 teller status=0
	shift

	touch "$log"
	while sleep 10 2>/dev/null && kill -0 $$ 2>/dev/null; do
		say "  ... $(tail -n 1 "$log" | tr -d '\r' | cut -c1-100)"
	done >/dev/null &
	teller=$!
	"$@" >>"$log" 2>&1 || status=$?
	kill "$teller" 2>/dev/null
	wait "$teller" 2>/dev/null || :
	return $status
}

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}
