# SPDX-License-Identifier: GPL-2.0-only
# rig: kernel=debug snapshot=dom0 timeout=1000
#
# Millions of mappings, drivers bound and the module loaded, while requests for memory
# fail that they make. e2e-debug/04-faults.t is less of this.

. /payload/lib.sh
. /payload/fake.sh
. /payload/faults.sh

faults_boot
faults 20
faults_maps 200 2
faults_maps 10 500
faults_maps 10 500 max_refs=1024 bounce_kb=1024
faults_binds
faults_loads 3
faults_end
done_testing
