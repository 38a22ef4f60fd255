# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What is built from Debian's source packages; to be sourced after env.sh and apt.sh.

# get_source DIR PACKAGE VERSION: a source package of Debian, which is in the cache of
# sources, with its patches, in DIR/source.
get_source()
{
	local dir=$1 files file

	rm -rf "$dir"
	mkdir -p "$dir/source"
	files=$(apt_source_files "$2" "$3")
	set -- --strip-components 1
	for file in $files; do
		tar -x -C "$dir/source" --no-same-owner "$@" -f "$file"
		set --
	done
	apply_series "$dir" debian/patches
}

# apply_series DIR FOLDER [COUNT]: the patches of a quilt series to DIR/source, where FOLDER
# is seen; just the first COUNT of them
apply_series()
{
	# shellcheck disable=SC2016
	in_source "$1" '
		grep -v "^#" "$1/series" | awk NF | head -n "$2" | while read -r patch rest; do
			patch -s -p1 <"$1/$patch"
		done' "$2" "${3-9999}"
}

# in_source DIR SCRIPT [ARGUMENT...]: run it in DIR/source, with the tools of build.
in_source()
{
	local dir=$1 script=$2
	shift 2

	(cd "$dir/source" && telling "$dir/log" nice "$RIG/in-build" sh -ec "$script" sh "$@") || {
		tail -n 30 "$dir/log" >&2
		return 1
	}
}

# qemu_version SERIES...: the best version whose source can be had, of series as regular
# expressions, best first
qemu_version()
{
	local series version tried=

	for series; do
		for version in $(apt_sources qemu | grep -E "^([0-9]+:)?$series[.]"); do
			if apt_have_source qemu "$version"; then
				echo "$version"
				return 0
			fi
			tried="$tried $version"
		done
	done
	gone "the source of any QEMU that is wanted:$tried"
}
