# SPDX-License-Identifier: GPL-2.0-only
# rig: kernel=debug snapshot=guest timeout=120
#
# Mapping and unmapping take no lock in the common case: the kernel's own statistics
# of locks tell.

. /payload/lib.sh

ROUNDS=5000

# taken: which locks of ours and of the grant table were taken, and how often
taken()
{
	# class: con-bounces contentions 4 waiting times acq-bounces acquisitions ...
	guest 'cat /proc/lock_stat' | awk '
		/^ *[^ ]*(xgd|gnttab|bounce->lock|late->lock|grant)[^ ]*:/ { print $1, $9 }'
}

total()
{
	taken | awk '{ n += $2 } END { print n + 0 }'
}

load "backend='*=0'"
guest 'echo 1 >/proc/sys/kernel/lock_stat; echo 0 >/proc/lock_stat'
guest "insmod $(module xgd_fake) mode=scale rounds=$ROUNDS" 300
ok $? "three times $ROUNDS buffers of 16 bytes, 4 KiB and 64 KiB are mapped and unmapped"
like "$(guest dmesg)" 'scale map 64 KiB' 'all went well'
diag "$(taken)"
cmp_ok "$(total)" -gt 0 'locks are counted: some were taken to set up the device'
cmp_ok "$(total)" -lt 100 'but not for each mapping'
guest 'echo 0 >/proc/lock_stat; rmmod xgd_fake'
guest "insmod $(module xgd_fake) mode=hoard"
diag "$(taken)"
cmp_ok "$(total)" -gt 100 'where each mapping needs more references they are taken'
guest 'rmmod xgd_fake'
unload
clean_dmesg 'the kernel has nothing to complain of'
done_testing
