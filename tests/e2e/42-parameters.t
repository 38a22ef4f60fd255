# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest timeout=120
#
# Parameters: what is wrong stops the load, with a line that names it.

. /payload/lib.sh

# refused PARAMETER WORD...: the load fails with "Invalid argument", and some line
# of the log has each word
refused()
{
	local parameter=$1 said log word

	guest 'dmesg -c >/dev/null'
	said=$(load "$parameter" 2>&1)
	like "$said" 'Invalid argument|invalid parameter' "$parameter: insmod fails"
	log=$(guest dmesg)
	shift
	for word; do
		printf '%s\n' "$log" | grep -qF -- "$word"
		ok $? "$parameter: the log says $word" "$log"
	done
	is "$(guest 'ls /sys/module | grep -c xen_grant_dma')" 0 "$parameter: nothing stays loaded"
}

refused "backend='*=0,blk'" '"blk"' 'SELECTOR=DOMID'
refused "backend='*=40000'" '"*=40000"' '0 to 32751'
refused "backend='00:01.0=x'" '"00:01.0=x"'
refused "backend='=1'" '"=1"'
refused "backend='*=0,,'" '""'
refused "backend='*=0,'" '""'
refused "backend='*=0:copied'" '"*=0:copied"' 'SELECTOR=DOMID:copy'
refused "backend='*=:copy'" '"*=:copy"'
refused "backend='*=none:copy'" '"*=none:copy"'
refused "backend='*=0:copy:page'" '"*=0:copy:page"' 'SELECTOR=DOMID:page'
refused "backend='*=-1'" '"*=-1"'
refused isolation=bit '"bit"' isolation=byte isolation=page
refused copy=no '"no"' copy=needed copy=always
refused copy_max=262145 '"262145"' '0 to 262144'
refused isolation= '""' isolation=byte
refused bounce_kb=1023 '"1023"' '1024 to 1048576'
refused bounce_kb=9999999 '"9999999"'
refused max_refs=lots '"lots"' '1024 to 16777216, or 0'
refused keep_refs=all '"all"' '1 to 16777216, or 0'
refused ring_entries=255 '"255"' '256 to 32768, or 0'
refused rw_grants=ro '"ro"' '0 or 1'
refused access_platform=maybe '"maybe"' access_platform=require access_platform=prefer
refused force_grant=sure '"sure"' '0 or 1'
refused rebind=2x '"2x"' '0 or 1'

show() # PARAMETER
{
	guest "cat /sys/module/xen_grant_dma/parameters/$1"
}
load
is "$(show backend)" '' 'default of backend'
is "$(show force_grant)$(show rebind)$(show take_over)" NNN 'defaults of the switches'
is "$(show access_platform)" require 'default of access_platform'
is "$(show isolation) $(show bounce_kb) $(show max_refs) $(show keep_refs) $(show rw_grants)" 'byte 16384 0 0 N' 'defaults of what limits a backend'
is "$(show copy) $(show copy_max) $(show ring_entries)" 'needed 0 256' 'defaults of what is copied, and where to'
unload
load "backend='0000:00:01.0=3,virtio1=none,virtio2=0:copy,*=0'" force_grant access_platform=prefer
is "$(show backend)" '0000:00:01.0=3,virtio1=none,virtio2=0:copy,*=0' 'backend is shown as given'
is "$(show force_grant)" Y 'a switch needs no value'
is "$(show access_platform)" prefer 'access_platform is shown as given'
guest '{ echo 1 >/sys/module/xen_grant_dma/parameters/force_grant; } 2>/dev/null'
isnt $? 0 'parameters cannot be changed later'

# ---- but one ----
write() # RULES
{
	guest "dmesg -c >/dev/null; echo '$1' >/sys/module/xen_grant_dma/parameters/backend" 2>&1
}
is "$(guest 'stat -c %a /sys/module/xen_grant_dma/parameters/backend')" 600 'backend is for root alone'
write 'virtio2=4:page,*=none'
ok $? 'backend can be changed'
is "$(show backend)" 'virtio2=4:page,*=none' 'it is shown as written'
is "$(guest 'dmesg | sed -n "s/.*xen_grant_dma: //p"')" \
	'backend= is now "virtio2=4:page,*=none", for devices that get their driver from here on' 'the log tells'
like "$(write '*=0,*=5:paged')" 'Invalid argument' 'what makes no sense is refused'
like "$(guest dmesg)" 'backend=: "\*=5:paged" is not SELECTOR=DOMID' 'the log names it'
is "$(show backend)" 'virtio2=4:page,*=none' 'and the old rules stay'
write ''
is "$(show backend)" '' 'there can be none'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
