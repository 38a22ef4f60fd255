# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=150
#
# The guest's kernel hands over to another one (kexec), with its devices at work. Xen
# stops the domain at that point for the tools, so what the next kernel would find in
# the grant table can be looked at.

. /payload/lib.sh

# stopped: the domain has shut down to be started again in place; Xen's code for that is 5
stopped()
{
	[ "$(xl list -v "$GUEST" | awk 'NR == 2 { print $5, $8 }')" = '---sS- 5' ]
}

load "backend='*=0'"
drivers blk net rng
net_up
guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
	dd if=/tmp/data of=/dev/vda bs=64k oflag=direct 2>/dev/null'
sum=$(guest 'md5sum </tmp/data | cut -d" " -f1')
cmp_ok "$(probe | wc -l)" -gt 30 'dom0 can map what is granted'
guest 'kexec -s -l --reuse-cmdline /tools/guest-stable/bzImage'
ok $? 'another kernel is loaded'
guest 'while :; do dd if=/dev/vda of=/dev/null bs=4k count=64 iflag=direct 2>/dev/null; done >/dev/null &
	(usleep 500000; kexec -e) >/dev/null 2>&1 &'
wait_for 60 stopped
ok $? 'the old one has handed over' "$(xl list -v)"
is "$(probe)" '' 'it left nothing granted'
is "$(grants)" '' 'and the backend maps nothing any more'
is "$(disk_sum 1024)" "$sum" 'what was written is on the disk'
backend_alive
ok $? 'the backend lives'
done_testing
