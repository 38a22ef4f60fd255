# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 kernels=newest timeout=240
#
# The newest kernel, which maps physical addresses instead of pages.

. /payload/lib.sh
. /payload/fake.sh
. /payload/kernel.sh

# Without init_on_alloc Debian's kernel does not clear all memory by itself.
guest_boot kernel=newest append=init_on_alloc=0 || bail 'no guest'
runs_kernel newest
load force_grant=1
ok $? 'the module loads'
kernel_works

. /payload/own.sh
. /payload/attack.sh
packets_stay
done_testing
