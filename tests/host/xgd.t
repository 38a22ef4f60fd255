#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rig: host needs=inside
#
# xgd says the same with mawk and with busybox's shell and awk. The systems are made by hand,
# after docs/status.md: one with each verdict, one where all is well, one without the module.
# What it says of real devices is seen in tests/e2e/41-policy-features.t.

. "$(dirname "$0")/lib.sh"

XGD=$TOP/tools/xgd
"$RIG/fetch" inside
BUSYBOX=$CACHE/inside/usr/bin/busybox

# system NAME: a new folder $ROOT with a /proc and a /sys
system()
{
	ROOT=$TMP/$1
	mkdir -p "$ROOT/proc/sys/kernel" "$ROOT/sys/bus/virtio/devices"
	echo 6.12.48 >"$ROOT/proc/sys/kernel/osrelease"
}

# device ADDRESS NAME [DRIVER [block|net NODE]]: a virtio device in sysfs
device()
{
	local path=$ROOT/sys/devices/pci0000:00/$1/$2

	mkdir -p "$path"
	ln -s "../../../devices/pci0000:00/$1/$2" "$ROOT/sys/bus/virtio/devices/$2"
	[ -z "${3-}" ] || {
		mkdir -p "$ROOT/sys/bus/virtio/drivers/$3"
		ln -s "../../../../bus/virtio/drivers/$3" "$path/driver"
	}
	[ -z "${4-}" ] || mkdir -p "$path/$4/$5"
}

# module VERSION: it is loaded, and its status is what comes in
module()
{
	mkdir -p "$ROOT/sys/module/xen_grant_dma" "$ROOT/sys/kernel/debug/xen_grant_dma"
	echo "$1" >"$ROOT/sys/module/xen_grant_dma/version"
	cat >"$ROOT/sys/kernel/debug/xen_grant_dma/status"
}

# xgd SHELL ARGUMENT...: by dash and mawk, or by busybox alone
xgd()
{
	local shell=$1

	shift
	if [ "$shell" = busybox ]; then
		mkdir -p "$TMP/bin"
		for name in awk basename cat readlink sed grep uname dmesg sleep; do
			ln -sf "$BUSYBOX" "$TMP/bin/$name"
		done
		PATH=$TMP/bin "$BUSYBOX" sh "$XGD" -r "$ROOT" "$@"
	else
		mkdir -p "$TMP/mawk"
		ln -sf "$(command -v mawk)" "$TMP/mawk/awk"
		PATH=$TMP/mawk:$PATH dash "$XGD" -r "$ROOT" "$@"
	fi
}

# ends STATUS SHELL ARGUMENT...: what xgd says is in $TMP/out, and it ends so
ends()
{
	local expected=$1 status=0

	shift
	xgd "$@" >"$TMP/out" 2>&1 || status=$?
	same "$expected" "$status" || {
		cat "$TMP/out"
		return 1
	}
}

# screen SYSTEM SHELL: it is the one that is kept
screen()
{
	ROOT=$TMP/$1
	ends 0 "$2" status
	diff -u "$TOP/tests/host/xgd/$1.txt" "$TMP/out"
}

# monitored SYSTEM SHELL STATUS LINE
monitored()
{
	ROOT=$TMP/$1
	ends "$3" "$2" check
	same "$4" "$(cat "$TMP/out")"
}

# parsed SYSTEM SHELL EXPRESSION: of the JSON, as Python has it
parsed()
{
	ROOT=$TMP/$1
	ends 0 "$2" status -j
	python3 -c 'import json, sys
j = json.load(open(sys.argv[1]))
if not eval(sys.argv[2]):
    sys.exit("not so: %s\n%s" % (sys.argv[2], j))' "$TMP/out" "$3"
}

system well
device 0000:00:01.0 virtio0 virtio_blk block vda
device 0000:00:02.0 virtio1 virtio_net net eth0
device 0000:00:03.0 virtio2
module 0.1 <"$TOP/tests/host/xgd/well.status"

system each
device 0000:00:01.0 virtio0 virtio_blk block vda
device 0000:00:02.0 virtio1 virtio_net net eth0
device 0000:00:05.0 virtio4 virtio_console
module 0.1 <"$TOP/tests/host/xgd/each.status"

system missing
device 0000:00:01.0 virtio0 virtio_blk block vda
device 0000:00:02.0 virtio1

system empty
module 0.1 <<-END
	format 1
	references 0
	references_limit 14336
END

system other
module 9 <<-END
	format 2
END

system hidden
mkdir -p "$ROOT/sys/module/xen_grant_dma"

for shell in mawk busybox; do
	for name in well each missing empty; do
		check "$shell: the screen of \"$name\"" screen "$name" "$shell"
	done
	check "$shell: check, all is well" monitored well "$shell" 0 'OK: all is well'
	check "$shell: check, no device" monitored empty "$shell" 0 'OK: all is well'
	check "$shell: check, no module" monitored missing "$shell" 2 \
		'PROBLEM: the module is not loaded; 0000:00:01.0 (vda) has no grants: the module is not loaded'
	check "$shell: check, a status of another format" monitored other "$shell" 3 \
		'xgd: the module has another format of its status: 2'
	check "$shell: JSON of all" parsed well "$shell" \
		'j["exit"] == 0 and j["references"] == 596 and [d.get("node") for d in j["devices"]] == ["vda", "eth0", None]'
	check "$shell: JSON of a text with quotes" parsed each "$shell" \
		'j["exit"] == 2 and j["devices"][2]["reason"] == "a \"name\" with a \\ in it"'
	ROOT=$TMP/hidden
	check "$shell: debugfs is not mounted" ends 3 "$shell" check
	check "$shell: and it says so" says "$TMP/out" 'debugfs has to be mounted'
	ROOT=$TMP/each
	check "$shell: report" ends 0 "$shell" report
	check "$shell: the report has the status" says "$TMP/out" '^verdict refused$'
	check "$shell: a word that is none" ends 3 "$shell" nonsense
done

finish
