# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=none memory=3500 dom0_memory=900 disk=trixie timeout=2400
#
# A guest whose root is a granted disk, by two commands, and what its user does there:
# trixie: its kernel, and then that of backports; its initramfs is that of initramfs-tools.

. /payload/lib.sh
. /payload/xl.sh
. /payload/debian.sh

debian_case
