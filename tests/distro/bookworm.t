# SPDX-License-Identifier: GPL-2.0-only
# rig: host
#
# The packages in bookworm, while a kernel is replaced by the next one.

. "$(dirname "$0")/packages.sh"
packages bookworm "$(kernel 2 '6[.]1[.]0-[0-9]*')" "$(kernel 1 '6[.]1[.]0-[0-9]*')" bookworm
