# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=60
#
# The rig itself: Xen, dom0, a guest, and the way to talk to it.

. /payload/lib.sh

is "$(cat /sys/hypervisor/type)" xen 'dom0 runs on Xen'
like "$(cat /proc/xen/capabilities)" control_d 'it is the control domain'
like "$(xl list)" '^guest +1 +192 ' 'the guest is there'
like "$(guest 'cat /sys/hypervisor/uuid')" '-' 'the guest runs on Xen'
backend_alive
ok $? 'its backend is running'

is "$(guest 'printf "a\n  b | c\n\nd"')" 'a
  b | c

d' 'output of the guest comes back as it was'
is "$(guest "echo \"it's \\\$HOME\"")" "it's \$HOME" 'quotes reach the guest'
guest 'exit 7'
is $? 7 'so does the status'
guest 'sleep 100 &'
is $? 0 'what is left in the background does not hold a command up'
is "$(guest 'yes abcdefghijklmnopqrstuvwxyz | head -n 1000' | md5sum)" \
	"$(yes abcdefghijklmnopqrstuvwxyz | head -n 1000 | md5sum)" 'long output is complete'
guest 'sleep 30' 2 >/dev/null
cmp_ok $? -ne 0 'a command that takes too long is ended'
is "$(guest 'echo still here')" 'still here' 'and the guest goes on'

is "$(guest 'cat /payload/case.t' | md5sum)" "$(md5sum </payload/case.t)" 'the guest has the files of this case'
is "$(guest 'cd /sys/bus/virtio/devices && echo *')" 'virtio0 virtio1 virtio2' 'there are three virtio devices'
is "$(probe)" '' 'dom0 can map none of its memory through grants'
is "$(grants)" '' 'and does not'
clean_dmesg 'its kernel has nothing to complain of'

guest 'echo c >/proc/sysrq-trigger' >/dev/null 2>&1
is $? 125 'a panic is noticed'
done_testing
