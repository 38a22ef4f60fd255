#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# inside.sh OLD-KERNEL NEW-KERNEL SUITE: runs in the new Debian, which has the old one; the new
# one is in that suite. Its TAP goes to /tap.

OLD=$1
NEW=$2
SUITE=$3
TESTS=0
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

# check NAME COMMAND...
check()
{
	local name=$1

	shift
	TESTS=$((TESTS + 1))
	if "$@" >/tmp/said 2>&1; then
		echo "ok $TESTS - $name"
	else
		echo "not ok $TESTS - $name"
		tail -n 30 /tmp/said | sed 's/^/# /'
	fi >>/tap
}

# apt COMMAND...
apt()
{
	apt-get -qq -y "$@" </dev/null
}

# initramfs_has KERNEL: the module and what loads it first
initramfs_has()
{
	lsinitramfs "/boot/initrd.img-$1" >/tmp/files
	grep -E "/xen_grant_dma[.]ko([.][xgz]*)?$" /tmp/files && grep /modprobe.d/xen_grant_dma.conf /tmp/files
}

# comes_first KERNEL: before virtio_blk
comes_first()
{
	modprobe -S "$1" --show-depends virtio_blk >/tmp/order 2>&1
	cat /tmp/order
	grep -nE 'xen_grant_dma|/virtio_blk[.]ko' /tmp/order | head -n 1 | grep xen_grant_dma
}

is_built()
{
	dkms status | tee /tmp/status | grep -q "^xen_grant_dma/.*, $1, .*: installed" || {
		cat /tmp/status /var/lib/dkms/xen_grant_dma/*/build/make.log
		return 1
	}
}

# works_for KERNEL
works_for()
{
	check "$1: the module is built" is_built "$1"
	check "$1: modprobe loads it before virtio_blk" comes_first "$1"
	check "$1: it is in the initramfs" initramfs_has "$1"
}

# module_of KERNEL: it is there
module_of()
{
	find "/lib/modules/$1" -name 'xen_grant_dma*' 2>/dev/null | grep .
}

not()
{
	! "$@"
}

# leftovers: files of ours are there
leftovers()
{
	find / -xdev \( -path /packages -o -path /proc -o -path /sys -o -path /var/log -o -path /tmp \
		-o -path /var/cache/apt \) -prune -o \
		\( -iname '*xen[_-]grant[_-]dma*' -o -name 'xgd*' -o -name 'xl-virtio*' -o -name 'virtio-ready*' \) -print | grep .
}

check 'apt gets its lists' apt update
check 'the module is installed' apt install /packages/xen-grant-dma-dkms_*.deb
works_for "$OLD"

check "the next kernel is installed: $NEW" apt install -t "$SUITE" "linux-image-$NEW" "linux-headers-$NEW"
works_for "$NEW"
works_for "$OLD"

check 'the kernel before is purged' apt purge "linux-image-$OLD" "linux-headers-$OLD"
check 'with it its module goes' not module_of "$OLD"
check 'for the other it stays' is_built "$NEW"

check 'the tools are installed' apt install /packages/xen-grant-dma-tools_*.deb
check 'xgd says what is so: there is no module' sh -c 'xgd check; [ $? -ge 2 ]'
check 'xl-virtio says how it is called' sh -c 'xl-virtio --help | grep "^usage: xl-virtio"'
for page in xgd xl-virtio virtio-ready; do
	check "$page has a manual page" man -w $page
done

check 'the module is removed' apt remove xen-grant-dma-dkms
check 'it is not there any more' not module_of "$NEW"
check 'nor in the initramfs' not initramfs_has "$NEW"
check 'it is installed again' apt install /packages/xen-grant-dma-dkms_*.deb
works_for "$NEW"
check 'files of ours are found' leftovers
check 'all is purged' apt purge xen-grant-dma-dkms xen-grant-dma-tools
check 'nothing is left' not leftovers
check 'nor in the initramfs' not initramfs_has "$NEW"
echo "1..$TESTS" >>/tap
