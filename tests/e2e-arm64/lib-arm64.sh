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

# The standard guest of a snapshot has no backend yet.
if [ -n "$(guest_id)" ] && [ -z "$(guest_get pid)" ]; then
	# shellcheck disable=SC2046
	backend_start $(std_blk) $(std_net) $(std_rng) || bail 'no backend'
fi
