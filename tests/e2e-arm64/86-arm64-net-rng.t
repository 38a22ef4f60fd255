# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=guest timeout=120
#
# Network, random numbers and a disk, at the same time, over
# grants.

. /payload/lib.sh

backend_kill TERM
backend_start $(std_blk queues=4) $(std_net) $(std_rng) || bail 'no backend'
load 'backend=*=0'
ok $? 'the module loads'
drivers blk net rng
ok $? 'the drivers load'
net_up
ok $? 'the network works'

guest 'dd if=/dev/vda of=/dev/null bs=128k count=64 iflag=direct 2>/dev/null &
	dd if=/dev/hwrng of=/dev/null bs=64 count=200 2>/dev/null &
	wait'
ok $? 'disk and random numbers work at the same time'
tcp_works 1024
ping -c 5 -i 0.2 -s 1400 "$(guest_ip)" >/dev/null
ok $? 'and so do large pings'

diag "$(backend_stats)"
is "$(backend_sum plain) $(backend_sum failures)" '0 0' 'the backend saw nothing but grants'
cmp_ok "$(backend_stat net0 maps)" -gt 100 'some for the network'
cmp_ok "$(backend_stat rng0 maps)" -gt 100 'some for random numbers'
clean_dmesg 'the kernel has nothing to complain of'
no_drivers blk net rng
ok $? 'the drivers leave'
is "$(backend_sum mapped)" 0 'the backend holds nothing any more'
is "$(probe)" '' 'and can map nothing'
unload
ok $? 'the module leaves'
done_testing
