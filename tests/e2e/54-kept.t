# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest timeout=120
#
# A backend that keeps buffers after their use, to change them when they were
# checked: from the first on that is seen, it gets copies.

. /payload/lib.sh
. /payload/fake.sh

copied()
{
	guest "sed -n 's/^ *copy *//p' /sys/kernel/debug/xen_grant_dma/devices"
}

load 'backend=xgd-fake=0'
fake_load mode=pieces
keep 0 2048
step unmap
like "$(guest dmesg)" 'xgd-fake: xen_grant_dma: domain 0 still maps a buffer after its use; until the driver is bound again all its data is copied' \
	'the log tells of the first buffer that the backend keeps'
is "$(guest 'dmesg | grep -c "after its use; until"')" 1 'once'
is "$(copied)" always 'from then on all is copied'
keep_end

step again
keep 0 2048
cmp_ok "$(grep -c . /run/kept)" -gt 200 'the backend keeps new buffers, too'
step unmap
echo 'fill 0x11' >&3
keep_look >/dev/null
step again
fake_told 'a backend that writes after the use of a buffer'
keep_end
fake_unload
all_back
ok $? 'what was kept is given back in the end'

fake_load mode=pieces
is "$(copied)" needed 'bound again, the device is trusted again'
fake_unload
unload
ok $? 'the module leaves'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
