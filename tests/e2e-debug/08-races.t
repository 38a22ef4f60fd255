# SPDX-License-Identifier: GPL-2.0-only
# rig: kernel=kcsan snapshot=dom0 timeout=200
#
# In a kernel that looks for data races there is none in this module, while two
# processors map, unmap and look on, in all ways.

. /payload/lib.sh
. /payload/fake.sh

# races: what was found, a line for each
races()
{
	guest dmesg | sed -n 's/.*BUG: KCSAN: //p' | sort | uniq -c | sort -rn
}

# only_ours: from here on just what one of the module's functions takes part in, or that of
# the planted race
only_ours()
{
	guest 'echo "!bug_racer" >/sys/kernel/debug/kcsan
		grep -o " [tT] [a-z_0-9]*.\[xen_grant_dma\]" /proc/kallsyms | while read -r type name; do
			echo "!${name%%[!a-z_0-9]*}" >/sys/kernel/debug/kcsan
		done 2>/dev/null
		echo whitelist >/sys/kernel/debug/kcsan
		# Of so many accesses one is watched, for so many microseconds.
		echo 200 >/sys/module/kcsan/parameters/skip_watch
		echo 200 >/sys/module/kcsan/parameters/udelay_task
		grep -c xgd_ /sys/kernel/debug/kcsan'
}

# look: somebody reads what the module shows, all the time
look()
{
	guest 'while [ ! -e /tmp/enough ]; do
			cat /sys/kernel/debug/xen_grant_dma/* >/dev/null
			usleep 20000
		done >/dev/null 2>&1 &'
}

enough()
{
	guest 'touch /tmp/enough; usleep 100000; rm /tmp/enough'
}

guest_boot vcpus=2 memory=512 append=log_buf_len=4M || bail 'no guest'
insmod_bug="insmod $(module xgd_bug) bug=race"
guest "$insmod_bug && dmesg | grep -q 'KCSAN: data-race in bug_racer' && dmesg -c >/dev/null"
ok $? 'a race that is there is found'

for options in '' copy=always 'isolation=page ring_entries=0'; do
	name=${options:-defaults}
	load "backend='*=0'" $options
	ok $? "$name: the module loads"
	cmp_ok "$(only_ours)" -gt 100 "$name: KCSAN knows its functions"
	look
	guest "insmod $(module xgd_fake) mode=scale rounds=2000 && rmmod xgd_fake" 300
	ok $? "$name: two processors map and unmap"
	drivers blk net rng
	# All references are looked at when a device loses its driver.
	guest 'for i in 1 2 3 4; do
			dd if=/dev/vda of=/dev/null bs=4k count=100 skip=$((i * 1000)) iflag=direct 2>/dev/null &
			dd if=/dev/urandom of=/dev/vda bs=64k count=8 seek=$((i * 100)) oflag=direct 2>/dev/null &
		done
		for i in 1 2 3 4 5 6; do
			rmmod virtio_rng && modprobe virtio_rng || exit
		done
		wait' 200
	ok $? "$name: a disk is read and written by eight at a time, while another device comes and goes"
	net_up && tcp_works 256 "$name: "
	no_drivers blk net rng
	enough
	unload
	ok $? "$name: the module leaves"
done
guest "rmmod xgd_bug; $insmod_bug"
like "$(races)" 'data-race in bug_racer' 'one would have been found to the end'
is "$(races | grep -v bug_racer)" '' 'there was no race in it'
[ -z "$(races | grep -v bug_racer)" ] || diag "$(guest 'dmesg | grep -A 30 KCSAN')"
done_testing
