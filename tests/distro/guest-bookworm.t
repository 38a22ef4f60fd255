# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=none memory=3500 dom0_memory=900 disk=bookworm timeout=2400
#
# A guest whose root is a granted disk, by two commands, and what its user does there:
# bookworm: the kernel before the newest, and then the newest; its initramfs is dracut's.

. /payload/lib.sh
. /payload/xl.sh
. /payload/debian.sh

debian_case
