# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=guest timeout=60
#
# The arm64 rig itself: Xen, dom0, a guest, our own backend.

. /payload/lib.sh

is "$(uname -m)" aarch64 'the machine is an arm64 one'
is "$(cat /sys/hypervisor/type)" xen 'dom0 runs on Xen'
like "$(xl list)" '^guest +1 +192 ' 'the guest is there'
is "$(guest 'uname -m')" aarch64 'it answers'
backend_alive
ok $? 'its backend is running'

is "$(guest 'printf "a\n  b | c\n\nd"')" 'a
  b | c

d' 'output of the guest comes back as it was'
guest 'exit 7'
is $? 7 'so does the status'
is "$(guest 'cat /payload/case.t' | md5sum)" "$(md5sum </payload/case.t)" 'the guest has the files of this case'

guest 'modprobe virtio_mmio'
is "$(guest 'cd /sys/bus/virtio/devices && echo *')" 'virtio0 virtio1 virtio2' 'there are three virtio devices'
is "$(backend_sum maps) $(backend_sum plain)" '0 0' 'the backend has seen no address yet'
is "$(probe)" '' 'dom0 can map none of its memory through grants'
is "$(grants)" '' 'and does not'
clean_dmesg 'its kernel has nothing to complain of'

guest 'echo c >/proc/sysrq-trigger' >/dev/null 2>&1
is $? 125 'a panic is noticed'
done_testing
