# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=120
#
# Drivers with ways of their own: one that maps a buffer twice at a time.

. /payload/lib.sh

CRYPTO=0000:00:04.0

# crypto: have its driver bound anew; what the kernel says of its results, which it
# compares with those that are right, of buffers split in all ways
crypto()
{
	guest "for i in \$(seq 50); do
			! grep -q '^virtio_crypto ' /proc/modules || rmmod virtio_crypto 2>/dev/null || usleep 100000
		done
		dmesg -c >/dev/null
		[ -e /sys/module/crypto_engine ] || insmod $(module crypto_engine)
		insmod $(module virtio_crypto)"
	guest 'for i in $(seq 100); do
			awk "/^driver/ { on = /virtio_crypto_aes_cbc/ }
				on && /^selftest.*passed/ { print \$3; good = 1 }
				END { exit !good }" /proc/crypto && break
			dmesg | grep "alg: .*virtio_crypto_aes_cbc" && break
			usleep 100000
		done' 60
}

guest_boot -- $(std_rng) \
	-object cryptodev-backend-builtin,id=y0 \
	-device virtio-crypto-pci,cryptodev=y0,disable-legacy=on,iommu_platform=on,addr=4 ||
	bail 'no guest'

# ---- virtio_crypto: mapped twice, so copied twice, and the second copy back wins ----
load "backend=$CRYPTO=0:page"
maps_mark
is "$(crypto)" passed 'virtio_crypto: with :page its results are right'
only_grants virtio_crypto
is "$(status_of $CRYPTO isolation) $(status_of $CRYPTO copy)" 'page needed' 'pages are granted as they are, for this device'
clean_dmesg 'the kernel has nothing to complain of'

guest "echo '*=0' >/sys/module/xen_grant_dma/parameters/backend"
ok $? 'the rules can be changed'
like "$(guest dmesg)" 'backend= is now "\*=0", for devices that get their driver from here on' 'the log tells'
drivers rng
is "$(status_of 0000:00:03.0 isolation)" byte 'other devices have what is the default'
like "$(crypto)" 'alg: .*failed' 'virtio_crypto: without it they are not, so the test sees what it is to see'

done_testing
