# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 kernels=7.2 timeout=180
#
# The newest kernel, which maps physical addresses instead of pages.

. /payload/lib.sh
. /payload/fake.sh
. /payload/kernel.sh

# Without init_on_alloc Debian's kernel does not clear all memory by itself.
guest_boot kernel=7.2 append=init_on_alloc=0 || bail 'no guest'
like "$(guest 'uname -r')" '^7[.]2[.]' 'the guest runs 7.2'
load force_grant=1
ok $? 'the module loads'
kernel_works
done_testing
