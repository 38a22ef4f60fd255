# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both keep timeout=120
#
# For "make shell": a guest whose devices use grants.

. /payload/lib.sh

load "'backend=*=0'" && drivers blk net rng && net_up
ok $? 'the module and the drivers of disk, network and random numbers are loaded'
is "$(guest 'dmesg | grep -c "xen_grant_dma: grants to domain 0"')" 3 'three devices use grants'
done_testing
