# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# The pieces that a fetcher puts into the cache; to be sourced after apt.sh, with STAMP
# and MISSING set, and the functions contents and get_piece.
#
#   STAMP/PIECE		what it was made from
#   MISSING/PIECE	why it is not there: "the archive does not serve ...", or
#			"failed: ..."; it is tried again each time

: "${STAMP:?set STAMP before sourcing pieces.sh}" "${MISSING:?set MISSING, too}"

mkdir -p "$STAMP" "$MISSING"

# Functions run here must not be part of a condition: that would turn -e off in them.
# need PIECE: have it in the cache when this returns. $GONE: it cannot be had.
need()
{
	local status

	[ "$(cat "$STAMP/$1" 2>/dev/null)" != "$(contents "$1")" ] || return 0
	say "fetching $1${APT_FOR-}"
	rm -f "$APT_HOME/gone" "$STAMP/$1"
	set +e
	(set -e; get_piece "$1")
	status=$?
	set -e
	case $status in
	0)	contents "$1" >"$STAMP/$1"
		rm -f "$MISSING/$1"
		say "fetched $1${APT_FOR-}" ;;
	"$GONE")
		cat "$APT_HOME/gone" >"$MISSING/$1"
		say "no $1${APT_FOR-}: $(cat "$MISSING/$1")" ;;
	*)	echo "failed: fetching or building $1${APT_FOR-}" >"$MISSING/$1"
		say "$1${APT_FOR-} went wrong" ;;
	esac
	return $status
}

# need_all PIECE...: as many as can be had. The status is that of the worst: $GONE, or
# that of an error.
need_all()
{
	local piece status worst=0

	for piece; do
		set +e
		(set -e; need "$piece")
		status=$?
		set -e
		case $status:$worst in
		0:*)		;;
		"$GONE":0)	worst=$GONE ;;
		"$GONE":*)	;;
		*)		worst=$status ;;
		esac
	done
	return "$worst"
}
