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
# apt_for arm64 makes all that follows mean packages of that architecture, in an
# apt of its own: who tests on one downloads no lists of the other.

: "${CACHE:?set CACHE before sourcing apt.sh}"

APT_ARCH=amd64
APT_HOME=$CACHE/apt

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
	local site security key suite

	site=$(apt_site '^(bookworm|trixie|stable|oldstable)$')
	security=$(apt_site '^(bookworm|trixie|stable|oldstable)-security$')
	key=/usr/share/keyrings/debian-archive-keyring.gpg
	if [ -z "$site" ]; then
		echo "apt: this machine's apt lists neither bookworm nor trixie; add one of them to /etc/apt" >&2
		return 1
	fi

	mkdir -p "$APT_HOME/lists/partial" "$APT_HOME/archives/partial"
	: >"$APT_HOME/status"
	for suite in trixie trixie-backports bookworm; do
		echo "deb [signed-by=$key] $site $suite main"
		echo "deb-src [signed-by=$key] $site $suite main"
	done >"$APT_HOME/sources.list"
	if [ -n "$security" ]; then
		for suite in trixie-security bookworm-security; do
			echo "deb [signed-by=$key] $security $suite main"
			echo "deb-src [signed-by=$key] $security $suite main"
		done >>"$APT_HOME/sources.list"
	fi
	cat >"$APT_HOME/apt.conf" <<-END
		Dir::Etc::SourceList "$APT_HOME/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::State::Lists "$APT_HOME/lists";
		Dir::State::status "$APT_HOME/status";
		Dir::Cache::archives "$APT_HOME/archives";
		Dir::Cache::pkgcache "$APT_HOME/pkgcache.bin";
		Dir::Cache::srcpkgcache "$APT_HOME/srcpkgcache.bin";
		APT::Architecture "$APT_ARCH";
		APT::Architectures { "$APT_ARCH"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Debug::NoLocking "true";
	END
	if [ ! -e "$APT_HOME/updated" ] ||
	   [ -n "$(find "$APT_HOME/updated" -mmin +720)" ]; then
		APT_CONFIG=$APT_HOME/apt.conf apt-get -q update >"$APT_HOME/update.log" 2>&1 || {
			cat "$APT_HOME/update.log" >&2
			return 1
		}
		touch "$APT_HOME/updated"
	fi
}

# The newest package whose name matches an extended regular expression.
apt_newest()
{
	APT_CONFIG=$APT_HOME/apt.conf apt-cache pkgnames | grep -E "^$1\$" | sort -V | tail -n 1
}

# What a package depends on, itself.
apt_depends()
{
	APT_CONFIG=$APT_HOME/apt.conf apt-cache depends "$1" | awk '$1 == "Depends:" { print $2 }'
}

# apt_closure PACKAGE...: "name version" of each and of all they depend on.
# Header packages depend on their kernel image, whose tools run only at
# installation: those are left out.
apt_closure()
{
	APT_CONFIG=$APT_HOME/apt.conf apt-get -qq -s install "$@" |
		awk '$1 == "Inst" { gsub(/[(]/, ""); print $2, $3 }' |
		grep -vE '^(linux-image|linux-base|initramfs-tools|dracut|klibc|systemd|udev|libsystemd-shared)'
}

# apt_alone PACKAGE...: "name version" of just these.
apt_alone()
{
	APT_CONFIG=$APT_HOME/apt.conf apt-cache -q show --no-all-versions "$@" |
		awk '$1 == "Package:" { pkg = $2 } $1 == "Version:" { print pkg, $2 }'
}

# apt_unpack DIR: the packages that stdin lists as "name version", into DIR.
# DIR.debs lists what is there already.
apt_unpack()
{
	local dir=$1 todo=$1.todo pkg version deb want=

	mkdir -p "$dir"
	touch "$dir.debs"
	# base-files has the links /bin, /lib and so on: it goes first.
	sort -u | grep -vxFf "$dir.debs" | sort -k1,1 |
		awk '$1 == "base-files" { print; next } { rest = rest $0 "\n" } END { printf "%s", rest }' >"$todo"
	: >"$todo.files"
	while read -r pkg version; do
		# apt writes the colon of an epoch as %3a in file names.
		deb=${pkg%%:*}_$(echo "$version" | sed 's/:/%3a/g')
		set -- "$APT_HOME/archives/$deb"_*.deb
		[ -e "$1" ] || want="$want $pkg=$version"
		echo "$deb" >>"$todo.files"
	done <"$todo"
	if [ -n "$want" ]; then
		# shellcheck disable=SC2086
		(cd "$APT_HOME/archives" && APT_CONFIG=$APT_HOME/apt.conf apt-get -q download $want) >"$dir.log" 2>&1 || {
			cat "$dir.log" >&2
			return 1
		}
	fi
	while read -r deb; do
		set -- "$APT_HOME/archives/$deb"_*.deb
		dpkg-deb --fsys-tarfile "$1" |
			tar -x --keep-directory-symlink --no-same-owner --no-same-permissions -C "$dir" || return 1
	done <"$todo.files"
	cat "$todo" >>"$dir.debs"
	rm -f "$todo" "$todo.files"
}
