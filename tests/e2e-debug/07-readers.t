# SPDX-License-Identifier: GPL-2.0-only
# rig: kernel=debug snapshot=guest timeout=240
#
# Somebody reads all that the module shows, again and again, while it comes and goes.

. /payload/lib.sh

ROUNDS=40
PARAMETERS=/sys/module/xen_grant_dma/parameters
SHOWN=/sys/kernel/debug/xen_grant_dma

guest "for i in 1 2; do
		(while [ ! -e /tmp/enough ]; do
			cat $SHOWN/* $PARAMETERS/* 2>/dev/null
		done) >/tmp/read.\$i 2>&1 &
	done"
insmod="insmod $(module xen_grant_dma) backend=*=0"
# While a file is open the module cannot go: it is tried again.
guest "for i in \$(seq $ROUNDS); do
		$insmod && usleep \$((i * 5000)) || exit
		until rmmod xen_grant_dma 2>/dev/null; do :; done
	done; : >/tmp/enough" 200
ok $? "the module comes and goes $ROUNDS times"
cmp_ok "$(guest 'cat /tmp/read.* | grep -c "^references "')" -gt 0 'there was something to read meanwhile'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
