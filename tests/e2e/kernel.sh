# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What each kernel must be able to do, once the module is loaded. Source it after
# lib.sh and fake.sh.

# kernel_works: blk, net, rng, the DMA API and a freeze; then all goes
kernel_works()
{
	local sum

	maps_mark
	drivers blk net rng
	ok $? 'the drivers load'
	is "$(guest 'dmesg | grep -c "xen_grant_dma: grants to domain 0, by force_grant=1"')" 3 'three devices use grants'

	guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
		dd if=/tmp/data of=/dev/vda bs=64k oflag=direct 2>/dev/null'
	ok $? 'the guest writes to its disk'
	sum=$(guest 'md5sum </tmp/data | cut -d" " -f1')
	is "$(disk_sum 1024)" "$sum" 'dom0 finds the same on the disk'
	is "$(guest_sum 1024)" "$sum" 'the guest reads it back'

	net_up
	ok $? 'dom0 reaches the guest'
	tcp_works 1024

	is "$(guest 'dd if=/dev/hwrng bs=16 count=4 2>/dev/null | wc -c')" 64 'there are random numbers'
	only_grants 'all this'
	is "$(counter failed) $(counter refused)" '0 0' 'no mapping failed'

	no_drivers blk net rng
	ok $? 'the drivers leave'
	fake_checks
	fake_load mode=hold
	guest 'echo 0 >/sys/module/suspend/parameters/pm_test_delay
		echo devices >/sys/power/pm_test && echo freeze >/sys/power/state'
	ok $? 'devices are frozen and thawed'
	like "$(guest dmesg)" 'xgd-fake: xen_grant_dma: its driver kept 1 mappings for domain 0' 'the log names who kept a mapping'
	fake_unload
	nothing_left
}
