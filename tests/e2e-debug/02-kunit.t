# SPDX-License-Identifier: GPL-2.0-only
# rig: kernel=debug snapshot=guest timeout=240
#
# The KUnit suites, in a guest on real Xen. Their backend is a program in dom0.

. /payload/lib.sh

SUITES='xgd_refs xgd_bounce xgd_revoke xgd_dma xgd_room xgd_backend xgd_backend_of'

# The suites say which requests for memory are to fail; all sorts may.
faults 100
mailbox=/local/domain/$(guest_id)/data/xgd-unit
# shellcheck disable=SC2046
{
	wait_for 60 xenstore-exists "$mailbox"
	exec /payload/bin/unit_backend "$(guest_id)" $(xenstore-read "$mailbox")
} >/run/backend 2>&1 &
guest "insmod $(module xgd_kunit)" 200
ok $? 'the module with the suites loads' "$(cat /run/backend)"
for suite in $SUITES; do
	guest "cat /sys/kernel/debug/kunit/$suite/results" >/run/results
	like "$(cat /run/results)" "^ok [0-9]+ $suite\$" "$suite: all is well"
	diag "$(grep -vE '^ *(KTAP|#.*(initializing|speed))' /run/results)"
	# A suite of which some tests did not run must not pass.
	is "$(grep -cE '^    ok [0-9]+ ' /run/results)" "$(sed -n 's/^    1[.][.]//p' /run/results)" \
		"$suite: each test was run, and passed"
done
guest 'rmmod xgd_kunit'
ok $? 'the module leaves'
done_testing
