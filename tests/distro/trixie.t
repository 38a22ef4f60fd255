# SPDX-License-Identifier: GPL-2.0-only
# rig: host
#
# The packages in trixie, while its kernel is replaced by that of backports.

. "$(dirname "$0")/packages.sh"
packages trixie "$(kernel 1 '6[.]12[.].*[+]deb13[.0-9]*')" "$(kernel 1 '[0-9.]*[+]deb13[.0-9]*')" trixie-backports
