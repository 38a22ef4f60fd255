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

# The kernels under test. dom0 always runs the second.
KERNELS='6.1 6.12 7.2'
DOM0_KERNEL=6.12

# What is being done, with the seconds since the script began.
RIG_BEGIN=$(date +%s)
say()
{
	printf '%4d s  %s\n' $(($(date +%s) - RIG_BEGIN)) "$*" >&2
}

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}
