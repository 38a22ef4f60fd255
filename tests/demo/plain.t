# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=120
#
# The demo, without the module.

MODULE=no
. /payload/lib.sh
. /payload/demo.sh
