# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=120
#
# The demo, with the module.

MODULE=yes
PARAMETERS=backend=*=0
. /payload/lib.sh
. /payload/demo.sh
