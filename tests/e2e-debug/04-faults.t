# SPDX-License-Identifier: GPL-2.0-only
# rig: kernel=debug snapshot=dom0 timeout=120
#
# Requests for memory fail while buffers are mapped, drivers are bound and the module
# is loaded. tests/stress/31-faults.t is more of this.

. /payload/lib.sh
. /payload/fake.sh
. /payload/faults.sh

faults_boot
faults 20
faults_maps 20 2
faults_maps 1 50 max_refs=1024 bounce_kb=1024
faults_binds
faults_loads 30
faults_end
done_testing
