# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Buffers of all kinds and sizes, and a backend that reads and writes all that it can
# reach while they are mapped: it gets what it was handed, and no byte beside it.
# Source it after lib.sh and fake.sh, with a guest.

# ---- the default ----
load 'backend=xgd-fake=0'
fake_load mode=pieces
like "$(guest dmesg)" 'xgd_fake: 72 buffers are mapped' 'buffers of all kinds are mapped'
is "$(guest "sed -n 's/^ *isolation *//p' /sys/kernel/debug/xen_grant_dma/devices")" byte 'isolation=byte is the default'
cmp_ok "$(texts '-xgd-handed-')" -gt 30 'dom0 finds what it was handed'
is "$(texts '-xgd-canary-')" 0 'and nothing of what is beside it'
step unmap
is "$(probe | wc -l)" "$(counter references)" 'after the unmap it reaches the private pages, and no others'
is "$(counter mappings)" 0 'which nothing is mapped in'
fake_unload
fake_told 'a backend that only looks'

fake_load mode=pieces
attack
step sync
keep_end
step unmap
fake_unload
fake_told 'a backend that writes to all it can reach'
is "$(probe)" '' 'it reaches nothing afterwards'
is "$(guest 'cat /sys/kernel/debug/xen_grant_dma/devices')" '' 'no device is left'
unload

# ---- everything copied ----
load 'backend=xgd-fake=0' copy=always
fake_load mode=pieces
is "$(texts '-xgd-canary-')" 0 'copy=always: nothing of what is beside the buffers'
attack
step sync
step unmap
echo 'fill 0x11' >&3
keep_look >/dev/null
fake_unload
fake_told 'a backend that also writes after the unmap'
keep_end
all_back
ok $? 'what it kept is given back'
unload

# ---- backends that write to all they map ----
load 'backend=xgd-fake=0' rw_grants=1
fake_load mode=pieces
is "$(probe | grep -c ro)" 0 'rw_grants=1: all is granted for writing'
attack
keep_end
step unmap
fake_unload
fake_told 'even then it gets nothing beside the buffers' 'what the device wrote'
unload

# ---- the control ----
load 'backend=xgd-fake=0' isolation=page
fake_load mode=pieces only_pages=1
cmp_ok "$(texts '-xgd-canary-')" -gt 30 'isolation=page: dom0 reads what is beside the buffers'
attack
keep_end
step unmap
fake_unload
like "$(fake_tap)" '^not ok [0-9]+ - what lies beside the buffers is as it was' 'and writes to it'
unload
clean_dmesg 'the kernel has nothing to complain of'
