#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rig: host needs=build,headers-stable-amd64
#
# The module builds for every kernel without a warning, and a warning would be
# seen. What the sources must and must not have.

. "$(dirname "$0")/lib.sh"

"$RIG/fetch" build headers || :
"$RIG/fetch-arm64" headers || :
cd "$TOP"

for kernel in $(all_headers); do
	[ -h "$CACHE/build/headers/$kernel" ] ||
		skip "$kernel: no warning from gcc, modpost and sparse" 'the archive does not serve its headers'
done
for kernel in $(have_headers); do
	check "$kernel: no warning from gcc W=1, modpost and sparse" \
		"$RIG/kbuild" -w "$kernel" "$CACHE/strict/$kernel"
done
for kernel in $(have_headers tests); do
	check "$kernel: none for the modules of the tests" \
		"$RIG/kbuild" -w -m tests/guest "$kernel" "$CACHE/strict/$kernel-guest"
done

# A module that is built in no time.
mkdir -p "$TMP/small/src" "$TMP/small/include" "$TMP/small/scripts"
cp Makefile Kconfig "$TMP/small"
cat >"$TMP/small/Kbuild" <<-END
	obj-m := xen_grant_dma.o
	xen_grant_dma-y := src/main.o src/more.o
END
printf '%s\n' '#include <linux/module.h>' '#include <linux/spinlock.h>' '#include <linux/mm.h>' \
	'MODULE_DESCRIPTION("nothing");' 'MODULE_LICENSE("GPL");' >"$TMP/small/src/main.c"
sed '/^MODULE/d' "$TMP/small/src/main.c" >"$TMP/small/src/more.c"

# planted KERNEL MAIN MORE: with these lines in its two sources the build fails. What it
# says goes to $TMP/planted.
planted()
{
	local tree=$TMP/tree

	rm -rf "$tree" "$TMP/out"
	cp -r "$TMP/small" "$tree"
	echo "$2" >>"$tree/src/main.c"
	echo "${3-}" >>"$tree/src/more.c"
	fails "$TMP/log" "$RIG/kbuild" -w -s "$tree" "$1" "$TMP/out" -k || return
	cp "$TMP/out/log" "$TMP/planted"
}

# Of each compiler, and of the checkers of each series, one.
for kernel in $(have_headers tests | grep -e amd64 -e newest); do
	check "$kernel: a build with two mistakes fails" planted "$kernel" \
		'static int __init p(void) { int x; return 0; } late_initcall(p);' \
		'int p(char __iomem *x); int p(char __iomem *x) { return *x; }'
	check "$kernel: gcc saw an unused variable" says "$TMP/planted" 'main.c:.* error: unused variable .*x'
	check "$kernel: sparse saw I/O memory used as memory" says "$TMP/planted" \
		'more.c:.* error: dereference of noderef expression'
done
check 'a lock that is kept fails the build' planted stable-amd64 \
	'void p(spinlock_t *x); void p(spinlock_t *x) { spin_lock(x); }'
check 'sparse saw it' says "$TMP/planted" "main.c:.* error: context imbalance in 'p'"
check 'so does a symbol that is not exported' planted stable-amd64 \
	'struct mm_struct *p(void); struct mm_struct *p(void) { return &init_mm; }'
check 'modpost saw it' says "$TMP/planted" 'ERROR: modpost: .*init_mm.* undefined'

# The parameters that modinfo shows without their default.
undocumented()
{
	"$RIG/in-build" modinfo -F parm "$1" | grep -v '(default: [^)]*)'
}

names()
{
	"$RIG/in-build" modinfo -F parm "$1" | cut -d: -f1 | sort | xargs
}

module=$CACHE/strict/stable-amd64/xen_grant_dma.ko
check 'modinfo shows every parameter' same \
	'access_platform backend bounce_kb copy copy_max force_grant isolation keep_refs mark_lasting max_refs rebind ring_entries rw_grants take_over' "$(names "$module")"
check 'and the default of each' nothing undocumented "$module"

default()
{
	"$RIG/in-build" modinfo -F parm "$1" >"$TMP/parm"
	says "$TMP/parm" "^force_grant:.*[(]default: $2[)]"
}

check 'force_grant is off' default "$module" N
check 'FORCE_GRANT=y builds without a warning' \
	"$RIG/kbuild" -w stable-amd64 "$CACHE/strict/stable-amd64-force" FORCE_GRANT=y
check 'and makes force_grant=1 the default' \
	default "$CACHE/strict/stable-amd64-force/xen_grant_dma.ko" Y

# circle FOLDER NM: the files of a module that was built there which call each other in a circle
circle()
{
	(cd "$1" && "$RIG/in-build" "$2" -A src/*.o src/*/*.o) | awk '
		{ split($1, file, ":"); name = $NF; type = $(NF - 1) }
		type ~ /^[TDBR]$/ { from[name] = file[1] }
		type == "U" { uses[file[1] " " name] }
		END {
			for (use in uses) {
				split(use, word, " ")
				if (word[2] in from)
					print word[1], from[word[2]]
			}
		}' >"$TMP/uses"
	says "$TMP/uses" '^src/data/dma.o src/data/refs.o$' && { tsort "$TMP/uses" >/dev/null; } 2>&1
}

check 'no file uses one that uses it' nothing circle "$CACHE/strict/stable-amd64" nm
for kernel in $(have_headers | grep arm64 | head -n 1); do
	check "$kernel: nor does one of those that are for device trees" \
		nothing circle "$CACHE/strict/$kernel" aarch64-linux-gnu-nm
done

check 'no test of a kernel version outside src/compat' nothing \
	git grep -nE 'LINUX_VERSION|KERNEL_VERSION|RHEL_' -- \
	'*.[ch]' '*.mk' Kbuild '*/Kbuild' Makefile '*/Makefile' Kconfig ':!src/compat'

# REUSE.toml does so for those that cannot.
unlicensed()
{
	sed -n '/^path = \[/,/\]/p' REUSE.toml | grep -o '"[^"]*"' | sed 's/"\(.*\)"/:!\1/' >"$TMP/named"
	# shellcheck disable=SC2046
	git ls-files -z -- . ':!LICENSES' $(cat "$TMP/named") | xargs -0 grep -L 'SPDX[-]License-Identifier: '
}
check 'every file names its licence' nothing unlicensed

# The hosts that this machine's apt uses, and those that everybody knows.
mirrors()
{
	{
		apt-get indextargets --format '$(SITE)' | awk -F/ '{ print $3 }'
		printf '%s.debian.org\n' deb security snapshot ftp http
	} | sort -u | grep -v '^$'
}
mirrors >"$TMP/mirrors"
check 'no file names a mirror' nothing git grep -nF -f "$TMP/mirrors" -- ':!tests/host/build.t'

finish
