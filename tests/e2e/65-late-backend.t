# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest timeout=120
#
# A backend that does not let go in time: the pages are kept, and nothing else
# suffers. A backend that is killed: all is reclaimed.

. /payload/lib.sh
. /payload/fake.sh

# How many references there are to be had.
free_references()
{
	fake_load
	fake_unload
	guest 'dmesg | sed -n "s/.*xgd_fake: # after \([0-9]*\) mappings/\1/p" | tail -n 1'
}

devices=/sys/kernel/debug/xen_grant_dma/devices

# ---- a backend that is late ----
load 'backend=xgd-fake=0' max_refs=32768
free=$(free_references)
fake_load mode=hold
first=$(fake_first)
keep "$first" 16
was=$(keep_look)
is "$(echo "$was" | wc -l)" 16 'a backend maps 16 pages'

begin=$(seconds)
fake_unload
ok $? 'the driver leaves'
cmp_ok $(($(seconds) - begin)) -le 4 'and waits for the backend for about 2 s, not more'
is "$(guest "sed -n '/late /s/.* //p' $devices")" 16 'the module counts 16 late references'
like "$(guest "cat $devices")" 'state +waiting for its backend' 'of a device that is gone'
is "$(status_of xgd-fake verdict) $(status_of xgd-fake late), $(status_of '' gone)" 'gone 16, 1' 'its state, for programs, is "gone"'
xgd_install
like "$(guest 'xgd check')" 'xgd-fake is gone, but its backend still maps 16 pages' 'xgd check says so'
like "$(guest 'rmmod xen_grant_dma 2>&1')" 'Resource temporarily unavailable' 'the module does not leave'
is "$(counter late_total) $(counter unpinned_total)" '16 0' 'all their pages could be kept'

# Whatever is free goes to other users now, the kernel's own and others.
is "$(free_references)" $((free - 16)) 'their references are not free, and the device goes on with the others'
guest 'mkdir /tmp/fill && mount -t tmpfs -o size=100% fill /tmp/fill &&
	dd if=/dev/zero of=/tmp/fill/zero bs=1M count=$(awk "/MemAvailable/ { print int(\$2 / 1024) - 8 }" /proc/meminfo) 2>/dev/null'
ok $? 'all free memory is given to others'
is "$(keep_look)" "$was" 'nobody got the pages that the backend sees'
guest 'umount /tmp/fill'

guest 'usleep 1000000'
late=$(guest 'dmesg | sed -n "s/.*xgd-fake: xen_grant_dma: //p" | grep "pages"')
like "$late" '^domain 0 still maps 16 pages 1[0-9]{3} ms after their use; they are kept until it lets go$' \
	'the log tells after a second'
is "$(echo "$late" | wc -l)" 1 'once'

keep_end
wait_for 15 guest "[ -z \"\$(cat $devices)\" ]"
ok $? 'once the backend lets go the pages are reclaimed'
like "$(guest 'dmesg | tail -n 1')" 'domain 0 has let go of all pages after [0-9]+ ms' 'the log says so'
is "$(free_references)" "$free" 'all references are free again'
nothing_left

# ---- its device is bound again meanwhile ----
load force_grant=1
drivers blk
sum=$(guest_sum 256)
count=$(probe | wc -l)
keep_all
is "$(keep_look | wc -l)" "$count" 'a backend keeps the rings'
no_drivers blk
is "$(counter late)" "$count" 'they are late'
drivers blk
ok $? 'the driver is bound to the same device again'
is "$(guest_sum 256)" "$sum" 'and works'
is "$(guest "grep state $devices" | sed 's/ *state *//' | sort)" 'attached
waiting for its backend' 'the device is there twice'
keep_end
wait_for 15 guest "! grep waiting $devices"
ok $? 'once the backend lets go it is there once'
is "$(counter late)" 0 'with no late reference'

# ---- a backend that is killed ----
no_drivers blk
unload
load force_grant=1
drivers blk rng
guest 'dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null'
cmp_ok "$(grants | wc -l)" -gt 3 'the backend maps the rings'
backend_kill KILL
ok $? 'the backend is killed'
is "$(grants)" '' 'which ends its maps'
# shellcheck disable=SC2086
/payload/bin/ioreq_null "$(guest_id)" $WINDOWS >/run/null &
wait_for 5 grep -q serving /run/null
no_drivers blk rng
ok $? 'the drivers leave'
nothing_left
done_testing
