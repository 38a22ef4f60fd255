# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# The device of xgd_fake.ko, which no backend serves: dom0 plays the backend with
# gntprobe. Source it after lib.sh.

# fake_load [PARAMETER...] / fake_unload
fake_load()
{
	guest "insmod $(module xgd_fake) $*"
}

fake_unload()
{
	guest 'rmmod xgd_fake'
}

# all_references: how many references a device can get when it may have all
all_references()
{
	load "backend='*=0'" max_refs=32768
	fake_load mode=hoard
	guest 'dmesg | sed -n "s/.*xgd_fake: # after \([0-9]*\) mappings/\1/p" | tail -n 1'
	fake_unload
	unload
}

# fake_log: what the module decided for the device
fake_log()
{
	guest 'dmesg | sed -n "s/^.*xgd-fake: xen_grant_dma: //p" |
		grep -E "^(grants to|no grants|left|refused)" | tail -n 1'
}

# fake_checks: go through the DMA API and pass on the results
fake_checks()
{
	local result number dash name before file=/run/fake-checks

	before=$(guest 'dmesg | wc -l')
	fake_load
	ok $? 'a device that tries the DMA API is there'
	guest "dmesg | tail -n +$((before + 1)) | sed -n 's/^.*xgd_fake: //p'" >$file
	while read -r result number dash name; do
		case $result in
		ok)	ok 0 "$name" ;;
		not)	ok 1 "${name#- }" ;;
		'#')	diag "$number $dash $name" ;;
		esac
	done <$file
	is "$(sed -n 's/^1\.\.//p' $file)" "$(grep -Ec '^(not )?ok ' $file)" 'all checks ran'
	fake_unload
	ok $? 'the device goes'
}

# fake_first: the first reference of those that the device holds
fake_first()
{
	guest 'dmesg | sed -n "s/^.*xgd_fake: holds references \([0-9]*\) to .*/\1/p" | tail -n 1'
}

# held_pages FIRST rw|ro [xgd]: what gntprobe -d is to show of the buffer that the
# device holds, but for the checksums; xgd if it is a copy
held_pages()
{
	local i

	for i in $(seq 0 15); do
		echo "$(($1 + i)) $2 ${3-XGD} page $i"
	done
}

# seen_pages FIRST: what it shows
seen_pages()
{
	/payload/bin/gntprobe -d "$(guest_id)" 16 "$1" | sed -E 's/ [0-9a-f]{8} / /'
}

# keep FIRST COUNT: map references and keep them mapped; keep_look: what is there
# now, as gntprobe -d tells; keep_end
keep()
{
	rm -f /run/keep
	mkfifo /run/keep
	/payload/bin/gntprobe -dk -x "$(pv_references | xargs | tr ' ' ,)" "$(guest_id)" "$2" "$1" \
		</run/keep >/run/kept &
	KEEPER=$!
	exec 3>/run/keep
	wait_for 60 grep -q kept /run/kept
}

# keep_all: whatever can be mapped now
keep_all()
{
	# shellcheck disable=SC2046
	keep $(probe | awk 'NR == 1 { first = $1 } END { print first, $1 - first + 1 }')
}

keep_look()
{
	: >/run/kept
	echo >&3
	wait_for 60 grep -q kept /run/kept
	grep -v kept /run/kept
}

keep_end()
{
	exec 3>&-
	wait "$KEEPER"
}

# fake_tap: what the device's module told last, of the buffers of mode=pieces
fake_tap()
{
	guest 'dmesg' | sed -n 's/^.*xgd_fake: //p' | awk '
		/buffers are mapped/	{ told = "" }
		/^(ok|not ok|#) /	{ told = told $0 "\n" }
		/^1[.][.]/		{ last = told }
		END			{ printf "%s", last }'
}

# fake_told WHO [BUT]: all its tests are good, but for those whose name begins so
fake_told()
{
	local told

	told=$(fake_tap)
	cmp_ok "$(echo "$told" | grep -c '^ok ')" -ge 1 "$1: there are results"
	unlike "$(echo "$told" | grep -v " - ${2-^}")" '^not ok' "$1: no harm is done"
	diag "$(echo "$told" | grep -E '^(ok|not ok|#)')"
}

# ---- buffers amid other data (mode=pieces) ----

# texts WHAT: in how many of the pages that dom0 can map this text is
texts()
{
	/payload/bin/gntprobe -t "$1" "$(guest_id)" 2048 | wc -l
}

# attack: write to all that can be written; told is how many pages there were
attack()
{
	keep 0 2048
	diag "dom0 maps $(grep -c rw /run/kept) pages to write and $(grep -c ro /run/kept) to read"
	echo 'fill 0xee' >&3
	keep_look >/dev/null
}

step() # NAME
{
	guest "echo $1 >/sys/module/xgd_fake/parameters/step"
}
