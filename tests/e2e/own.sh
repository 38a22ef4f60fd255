# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# xgd-backend as the backend of the standard guest, on x86, too: there the guest's
# devices of QEMU go, and virtio-mmio devices come whose windows tests/guest's
# xgd_mmio opens. Source it after lib.sh. On arm64 all this is so anyway.

[ -z "${TRANSPORT-}" ] || return 0

TRANSPORT=virtio_mmio
TRANSPORT_DRIVER=/sys/bus/platform/drivers/virtio-mmio
WINDOWS='0xf0000000 0xf00005ff'

name_of()
{
	case $1 in
	blk)	echo virtio-mmio.0 ;;
	net)	echo virtio-mmio.1 ;;
	rng)	echo virtio-mmio.2 ;;
	esac
}

# place N: where the guest has window N, and its event channel
place()
{
	printf 'base=%#x,port=%s\n' $((0xf0000000 + $1 * 0x200)) "$(guest_get ports | cut -d, -f$(($1 + 1)))"
}

# The arguments of the standard devices. One is added to the device's properties:
# std_blk queues=4
std_blk()
{
	echo "--device blk,$(place 0),file=$DISK${1:+,$1}"
}

std_net()
{
	echo "--device net,$(place 1),file=tap-$GUEST${1:+,$1}"
}

std_rng()
{
	echo "--device rng,$(place 2)${1:+,$1}"
}

backend_start()
{
	backend_new
	/payload/bin/xgd-backend --domid "$(guest_id)" "$@" >"$(guest_get log)" 2>&1 </dev/null &
	guest_set pid $!
	backend_wait xgd_backend_ready
}

guest 'for i in 1 2 3; do echo 1 >/sys/bus/pci/devices/0000:00:0$i.0/remove || exit; done' &&
	backend_kill TERM &&
	guest "insmod /payload/$(guest_get kernel)/xgd_mmio.ko base=0xf0000000,0xf0000200,0xf0000400" ||
	bail 'the guest keeps the devices of QEMU'
guest_set ports "$(guest 'cat /sys/module/xgd_mmio/parameters/port')"
# shellcheck disable=SC2046
backend_start $(std_blk) $(std_net) $(std_rng) || bail 'no backend'
