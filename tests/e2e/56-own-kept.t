# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest also=newest timeout=300
#
# A backend that completes requests as it ought to, but unmaps nothing, and writes to
# it later, once the guest has looked at what it got. Then the driver and the module
# come and go, while everything is kept.

. /payload/lib.sh
. /payload/own.sh
. /payload/attack.sh

dd if=/dev/urandom of="$DISK" bs=1M count=1 conv=notrunc 2>/dev/null

# changed: how many of the pages that the guest has read are not as they were
changed()
{
	guest "dd if=/dev/vda bs=64k count=16 2>/dev/null | cmp -l - /tmp/data |
		awk '{ page[int((\$1 - 1) / 4096)] } END { for (i in page) n++; print n + 0 }'" 120
}

# attack_blk: to the pages that the guest has cached of its disk
attack_blk()
{
	guest 'dd if=/dev/vda of=/tmp/data bs=64k count=16 iflag=direct 2>/dev/null
		sleep 1000 </dev/vda >/dev/null 2>&1 & echo $! >/run/holder'
	is "$(guest 'md5sum </tmp/data')" "$(dd if="$DISK" bs=1M count=1 2>/dev/null | md5sum)" \
		"$1: the guest reads what is on the disk"
	tell keep
	# It reads ahead, too.
	guest 'dd if=/dev/vda of=/dev/null bs=64k count=16 2>/dev/null; sleep 1'
	diag "the backend writes to $(tell scribble) that it has kept"
}

begin() # NAME PARAMETER...
{
	hostile_start
	load "$2" "${3-}"
	drivers blk net
	net_up
	grow_net
	attack_blk "$1"
}

end()
{
	guest 'kill $(cat /run/holder)'
	tell release
	no_drivers blk net
	all_back
	ok $? "$1: when the backend lets go all comes back"
	unload
}

# ---- copies ----
begin copy 'backend=*=0:copy' ring_entries=0
is "$(changed)" 0 'copy: not one page of what the guest has read changes'
is "$(attack_net)" "$sum" 'copy: nor does a packet'
like "$(tell writable)" '^0 of [1-9]' 'copy: what is there to read cannot be mapped for writing'
end copy

# ---- the default ----
begin byte 'backend=*=0'
pages=$(changed)
diag "$pages pages changed: those that the backend had when it was found to keep one"
cmp_ok "$pages" -le 64 'byte: only what was in flight when the backend was caught can change'
like "$(guest dmesg)" 'still maps a buffer after its use' 'byte: the log tells of it'
cmp_ok "$(guest 'dmesg | grep -c "still in use"')" -le 4 "byte: and the kernel does not for each page, of $(counter late_total)"
is "$(attack_net)" "$sum" 'byte: no packet changes'
# Small pieces lie behind rings, which can be written. Nobody reads these copies again.
like "$(tell writable)" '^[1-9][0-9]* of [1-9][0-9]*, on [1-4] pages' \
	'byte: what is there to read and can be written lies behind rings'
is "$(changed)" "$pages" 'byte: nothing more changes when the backend writes to it'
is "$(guest 'dd if=/dev/vda bs=64k count=8 iflag=direct 2>/dev/null | md5sum')" \
	"$(dd if="$DISK" bs=64k count=8 2>/dev/null | md5sum)" 'byte: the disk works'
works net
ok $? 'byte: and so does the network'

# ---- the driver and the module, while all is kept ----
guest 'kill $(cat /run/holder)'
rebind blk && works blk
ok $? 'unbound and bound again the disk works'
no_drivers blk net
late=$(counter late)
cmp_ok "$late" -gt 0 'without a driver there are still pages that the backend has'
is "$late" "$(grants | wc -l)" 'as many as Xen says'
like "$(unload 2>&1)" 'unavailable|in use|busy' 'the module does not leave'
diag "the backend writes to $(tell scribble)"
tell release
all_back
ok $? 'a while later it lets go, and all comes back'
nothing_left

# ---- the control: now the guest's kernel is anybody's ----
# hurts COMMAND...: it changes something, or the guest dies
hurts()
{
	[ "$("$@")" -gt 100 ] || [ -n "$(guest_get dead)" ]
}

begin page 'backend=*=0' isolation=page
hurts changed
ok $? 'page: what the guest has read changes under its hands'
done_testing
