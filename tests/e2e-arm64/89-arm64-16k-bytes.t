# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 kernels=stable-16k timeout=150
#
# As 51-bytes, in a guest with pages of 16 KiB: there, too, a Xen page has 4 KiB.

. /payload/lib.sh
. /payload/fake.sh

guest_create kernel=stable-16k || bail 'no guest'
guest_start || bail 'it does not start'
. /payload/bytes.sh
done_testing
