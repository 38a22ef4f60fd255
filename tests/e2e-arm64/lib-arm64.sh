# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What lib.sh does in another way on arm64, and what there is only here.

# The devices' drivers find them once this is loaded.
TRANSPORT=virtio_mmio
TRANSPORT_DRIVER=/sys/bus/platform/drivers/virtio-mmio
WINDOWS='0x2000000 0x20005ff'

allow_plain()
{
	backend_kill TERM
	# shellcheck disable=SC2046
	backend_start --allow-plain $(std_blk) $(std_net) $(std_rng) || bail 'no backend'
}

name_of()
{
	case $1 in
	blk)	echo 2000000.virtio ;;
	net)	echo 2000200.virtio ;;
	rng)	echo 2000400.virtio ;;
	esac
}

# Count from here. An xgd-backend that has just started is at zero.
maps_mark()
{
	if by_qemu; then
		guest_set mark "$(wc -l <"$(guest_get trace)")"
	else
		guest_set mark_grant "$(backend_sum maps)"
		guest_set mark_foreign "$(backend_sum plain)"
	fi
}

# How often the backend mapped a grant, or plain memory; an xgd-backend counts the
# plain addresses that it saw.
maps_grant()
{
	if by_qemu; then
		maps '>='
	else
		difference "$(backend_sum maps)" "$(guest_get mark_grant)"
	fi
}

maps_foreign()
{
	if by_qemu; then
		maps '<'
	else
		difference "$(backend_sum plain)" "$(guest_get mark_foreign)"
	fi
}

by_qemu()
{
	[ -n "$(guest_get trace)" ]
}

difference()
{
	echo $((${1:-0} - ${2:-0}))
}

# The standard guest of a snapshot has no backend yet.
if [ -n "$(guest_id)" ] && [ -z "$(guest_get pid)" ]; then
	# shellcheck disable=SC2046
	backend_start $(std_blk) $(std_net) $(std_rng) || bail 'no backend'
fi
