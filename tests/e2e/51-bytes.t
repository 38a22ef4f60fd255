# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest also=newest,arm64:newest timeout=240

. /payload/lib.sh
. /payload/fake.sh
. /payload/bytes.sh
done_testing
