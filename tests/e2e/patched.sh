# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
#
# The QEMU of contrib/qemu as the backend, in a case with needs=patched-qemu. Source it
# after lib.sh. What it maps and copies is told by other trace events than those of
# Debian's QEMU.

QEMU=/payload/patched-qemu

# patched_boot QEMU-ARGUMENT...: a guest with these devices
patched_boot()
{
	guest_boot -- "$@" -trace xen_grants_map -trace xen_grants_copy
}

# A SCSI disk, of a file.
scsi()
{
	echo '-device virtio-scsi-pci,id=s,iommu_platform=on,disable-legacy=on,addr=4' \
		'-drive if=none,id=s0,file=/run/scsi.img,format=raw,file.locking=off -device scsi-hd,bus=s.0,drive=s0'
}

maps_grant()
{
	traced xen_grants_map
}

maps_foreign()
{
	traced xen_remap_bucket
}

# How often it copied since the mark.
copies()
{
	traced xen_grants_copy
}

# traced EVENT: how often that was since the mark. A failure's name is longer.
traced()
{
	awk -v mark="$(guest_get mark)" -v event="$1" \
		'NR > mark { for (i = 1; i <= NF; i++) n += $i == event }
		END { print n + 0 }' "$(guest_get trace)"
}
