# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# A private apt, to be sourced: it downloads Debian packages and unpacks them
# into folders of the cache. It runs no maintainer script and never touches the
# packages of the machine. The mirrors are those of the machine's own apt.
#
# Packages come from bookworm (for its 6.1 kernel), trixie and
# trixie-backports (for the newest kernel). Where a package is in several, apt
# takes trixie's, or bookworm's where trixie has none.
#
# Archives lag and lose files. What cannot be had is told by the status $GONE, and why
# by a line in $APT_HOME/gone; everything else that goes wrong is an error like any.
#
# apt_for arm64 makes all that follows mean packages of that architecture, in an
# apt of its own: who tests on one downloads no lists of the other.

: "${CACHE:?set CACHE before sourcing apt.sh}"

APT_ARCH=amd64
APT_HOME=$CACHE/apt

# For tests, of an archive of their own:
#
#   XGD_APT_SITE	its address; it is trusted
#   XGD_APT_OPTIONS	lines for apt.conf
#   XGD_APT_PAUSES	the pauses, in seconds, before what failed is tried again

APT_PAUSES=${XGD_APT_PAUSES-5 20}

# gone WHAT: it cannot be had
gone()
{
	echo "the archive does not serve $1" >"$APT_HOME/gone"
	return "$GONE"
}

# apt_run COMMAND...: a command of apt. What it has read it is to keep for the next one,
# whatever the machine's own settings are: those of containers say no, and each command
# takes seconds.
apt_run()
{
	local command=$1
	shift

	APT_CONFIG=$APT_HOME/apt.conf "$command" -o "Dir::Cache::pkgcache=$APT_HOME/pkgcache.bin" \
		-o "Dir::Cache::srcpkgcache=$APT_HOME/srcpkgcache.bin" "$@"
}

# apt_write FILE: stdin, if that is not what it has. Apt reads everything again after
# some of its files were written.
apt_write()
{
	cat >"$1.new"
	if cmp -s "$1.new" "$1"; then
		rm "$1.new"
	else
		mv "$1.new" "$1"
	fi
}

# apt_try LOG COMMAND...: again after a pause, unless the archive has just answered that
# it has no such file.
apt_try()
{
	local log=$1 pause
	shift

	for pause in $APT_PAUSES ''; do
		: >"$log"
		telling "$log" apt_run "$@" && return 0
		[ -n "$pause" ] || break
		! apt_failed "$log" | grep -q . || apt_failed "$log" | grep -qv ' 404 ' || break
		sleep "$pause"
	done
	return 1
}

# apt_failed LOG: the lines about the files that could not be had
apt_failed()
{
	grep '^E: Failed to fetch [a-z+]*:' "$1"
}

# apt_for ARCHITECTURE
apt_for()
{
	APT_ARCH=$1
	APT_HOME=$CACHE/apt
	[ "$1" = amd64 ] || APT_HOME=$CACHE/$1/apt
}

# The site that serves a suite on this machine, or nothing.
apt_site()
{
	apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(SITE)' |
		awk -v re="$1" '$1 == "Packages" && $2 ~ re { print $3; exit }'
}

apt_init()
{
	local site=${XGD_APT_SITE-} security= suite
	local trust=signed-by=/usr/share/keyrings/debian-archive-keyring.gpg

	if [ -n "$site" ]; then
		trust=trusted=yes
	else
		site=$(apt_site '^(bookworm|trixie|stable|oldstable)$')
		security=$(apt_site '^(bookworm|trixie|stable|oldstable)-security$')
	fi
	if [ -z "$site" ]; then
		echo "apt: this machine's apt lists neither bookworm nor trixie; add one of them to /etc/apt" >&2
		return 1
	fi

	mkdir -p "$APT_HOME/lists/partial" "$APT_HOME/archives/partial" "$APT_HOME/sources"
	apt_write "$APT_HOME/status" </dev/null
	for suite in trixie trixie-backports bookworm ${security:+trixie-security bookworm-security}; do
		[ "${suite#*-}" != security ] || site=$security
		echo "deb [$trust] $site $suite main"
		echo "deb-src [$trust] $site $suite main"
	done | apt_write "$APT_HOME/sources.list"
	apt_write "$APT_HOME/apt.conf" <<-END
		Dir::Etc::SourceList "$APT_HOME/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "$APT_HOME/preferences";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::State::Lists "$APT_HOME/lists";
		Dir::State::status "$APT_HOME/status";
		Dir::Cache::archives "$APT_HOME/archives";
		APT::Architecture "$APT_ARCH";
		APT::Architectures { "$APT_ARCH"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Debug::NoLocking "true";
		${XGD_APT_OPTIONS-}
	END
	if [ ! -e "$APT_HOME/updated" ] ||
	   [ -n "$(find "$APT_HOME/updated" -mmin +720)" ]; then
		# What was read before does as well.
		if apt_try "$APT_HOME/update.log" apt-get -q -o APT::Update::Error-Mode=any update; then
			touch "$APT_HOME/updated"
		elif [ ! -e "$APT_HOME/updated" ]; then
			cat "$APT_HOME/update.log" >&2
			gone 'its lists of packages'
			return
		fi
	fi
}

# apt_suites RELEASE: its lines for a sources.list, with all that belongs to it
apt_suites()
{
	grep "^deb .* $1\\(-[a-z]*\\)* main" "$APT_HOME/sources.list"
}

# apt_names REGEX: the packages that are named so, and are more than a name.
apt_names()
{
	local names

	names=$(apt_run apt-cache pkgnames | grep -E "^$1\$")
	# shellcheck disable=SC2086
	[ -z "$names" ] || apt_run apt-cache -q show --no-all-versions $names 2>/dev/null |
		awk '$1 == "Package:" { print $2 }' | sort -V
}

# The newest package whose name matches an extended regular expression.
apt_newest()
{
	apt_names "$1" | tail -n 1
}

# What a package depends on, itself.
apt_depends()
{
	apt_run apt-cache depends "$1" | awk '$1 == "Depends:" { print $2 }'
}

# Header packages depend on their kernel image, whose tools run only at installation.
APT_LEAVE='^(linux-image|linux-base|initramfs-tools|dracut|klibc|systemd|udev|libsystemd-shared)'

# apt_closure PACKAGE...: "name version" of each and of all they depend on, but for
# APT_LEAVE.
apt_closure()
{
	apt_run apt-get -qq -s install "$@" 2>"$APT_HOME/closure.log" >"$APT_HOME/closure" || {
		cat "$APT_HOME/closure.log" >&2
		gone "all that these depend on: $*"
		return
	}
	awk '$1 == "Inst" { gsub(/[(]/, ""); print $2, $3 }' "$APT_HOME/closure" |
		grep -vE "$APT_LEAVE"
}

# apt_install DIR PACKAGE...: these and all they depend on, into DIR.
apt_install()
{
	local dir=$1
	shift

	apt_closure "$@" >"$APT_HOME/list" && apt_unpack "$dir" <"$APT_HOME/list"
}

# apt_alone PACKAGE...: "name version" of just these.
apt_alone()
{
	apt_run apt-cache -q show --no-all-versions "$@" |
		awk '$1 == "Package:" { pkg = $2 } $1 == "Version:" { print pkg, $2 }'
}

# apt_have PACKAGE...: these can be had, and are in the cache of packages now.
apt_have()
{
	apt_alone "$@" >"$APT_HOME/have" && [ "$(wc -l <"$APT_HOME/have")" -eq $# ] &&
		apt_download <"$APT_HOME/have"
}

# The name of a package's file, up to its architecture: apt writes the colon of an
# epoch as %3a.
apt_file()
{
	echo "${1%%:*}_$(echo "$2" | sed 's/:/%3a/g')"
}

# apt_download: the packages that stdin lists as "name version", if they are not in
# the cache of packages.
apt_download()
{
	local pkg version want=

	while read -r pkg version; do
		set -- "$APT_HOME/archives/$(apt_file "$pkg" "$version")"_*.deb
		[ -e "$1" ] || want="$want $pkg=$version"
	done
	[ -n "$want" ] || return 0
	# shellcheck disable=SC2086
	(cd "$APT_HOME/archives" && apt_try "$APT_HOME/download.log" apt-get -q download $want) ||
		gone "$(apt_failed "$APT_HOME/download.log" | sed 's,^[^/]*//[^ ]*/\([^/ ]*\) .*,\1,' | xargs)"
}

# apt_sources PACKAGE: the versions of a source package, newest first.
apt_sources()
{
	apt_run apt-cache showsrc --only-source "$1" |
		awk '$1 == "Version:" { print $2 }' | sort -urV
}

# apt_source_files PACKAGE VERSION: its original source, and Debian's part, if they
# are in the cache of sources.
apt_source_files()
{
	local package=$1 version=${2#*:}

	set -- "$APT_HOME/sources/${package}_${version%-*}".orig.tar.* \
		"$APT_HOME/sources/${package}_$version".debian.tar.*
	[ -e "$1" ] && [ -e "$2" ] && echo "$1 $2"
}

# apt_have_source PACKAGE VERSION: it can be had, and is in the cache of sources now.
# The archive at hand may lack just the .dsc, without which apt is not content, but
# this is.
apt_have_source()
{
	local package=$1 version=$2 new=$APT_HOME/sources/new log=$APT_HOME/source.log

	! apt_source_files "$package" "$version" >/dev/null || return 0
	rm -rf "$new"
	mkdir "$new"
	(cd "$new" && apt_try "$log" apt-get -q source --download-only "$package=$version") ||
		{ apt_failed "$log" | grep -q '[.]dsc ' && ! apt_failed "$log" | grep -qv '[.]dsc '; } ||
		return 1
	mv "$new"/*.tar.* "$APT_HOME/sources/"
	rm -rf "$new"
	apt_source_files "$package" "$version" >/dev/null
}

# apt_unpack DIR: the packages that stdin lists as "name version", into DIR.
# DIR.debs lists what is there already.
apt_unpack()
{
	local dir=$1 todo=$1.todo pkg version

	mkdir -p "$dir"
	touch "$dir.debs"
	# base-files has the links /bin, /lib and so on: it goes first.
	sort -u | grep -vxFf "$dir.debs" | sort -k1,1 |
		awk '$1 == "base-files" { print; next } { rest = rest $0 "\n" } END { printf "%s", rest }' >"$todo"
	apt_download <"$todo" || return
	while read -r pkg version; do
		set -- "$APT_HOME/archives/$(apt_file "$pkg" "$version")"_*.deb
		dpkg-deb --fsys-tarfile "$1" |
			tar -x --keep-directory-symlink --no-same-owner --no-same-permissions -C "$dir" || return 1
	done <"$todo"
	cat "$todo" >>"$dir.debs"
	rm -f "$todo"
}
