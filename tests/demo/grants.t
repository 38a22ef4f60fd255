# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=120
#
# The demo, with the module.

MODULE=yes
. /payload/demo.sh
