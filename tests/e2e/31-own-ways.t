# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=120
#
# Drivers with ways of their own: one that maps a buffer twice at a time, and one that
# does not take the feature that its device offers, as it tells the backend addresses.

. /payload/lib.sh

CRYPTO=0000:00:04.0
BALLOON=0000:00:05.0

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
	-device virtio-crypto-pci,cryptodev=y0,disable-legacy=on,iommu_platform=on,addr=4 \
	-device virtio-balloon-pci,disable-legacy=on,iommu_platform=on,addr=5 ||
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
# ---- virtio_balloon: a page's address is not what a grant can stand for ----
balloon()
{
	guest 'rmmod virtio_balloon 2>/dev/null; dmesg -c >/dev/null; modprobe virtio_balloon
		dmesg | sed -n "s/.*'$BALLOON': xen_grant_dma: //p"'
}
said="a balloon tells its backend the addresses of pages, which grants cannot stand for; without grants: backend=$BALLOON=none, and no iommu_platform=on in QEMU"
is "$(balloon)" "refused: $said" 'virtio_balloon: refused, for the reason that is true'
is "$(status_of $BALLOON verdict), $(status_of $BALLOON reason)" "refused, $said" 'its state has it, too'
guest "echo '$BALLOON=none,*=0' >/sys/module/xen_grant_dma/parameters/backend"
is "$(balloon)" "no grants: backend=$BALLOON=none" 'virtio_balloon: with the rule it is left alone'
like "$(guest dmesg)" 'virtio_balloon virtio[0-9]*: virtio: device refuses features' \
	'and is refused by its device, which offers what its driver does not take'
guest 'rmmod virtio_balloon'

drivers rng
is "$(status_of 0000:00:03.0 isolation)" byte 'other devices have what is the default'
crypto >/dev/null
# For a moment /proc/crypto can have what was before.
wait_for 20 guest 'dmesg | grep -q "alg: .*virtio_crypto_aes_cbc.*failed"'
ok $? 'virtio_crypto: without it they are not, so the test sees what it is to see'

unload() # with what parameters it was loaded, it can go only without devices
{
	guest 'for i in $(seq 50); do
			rmmod virtio_crypto 2>/dev/null
			[ -e /sys/module/virtio_crypto ] || break
			usleep 100000
		done
		rmmod virtio_rng; rmmod xen_grant_dma'
}
unload
load force_grant=1 access_platform=prefer
is "$(balloon)" "refused: $said" 'virtio_balloon: nor does access_platform=prefer change that'
done_testing
