# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 kernels=stable-16k timeout=120
#
# Pages of 16K: what is granted is what was mapped. Granting by the kernel's number
# of a page, as if that were Xen's, exposes a frame somewhere else. So all free
# memory is filled with a text; no grant may show it, but that of a buffer with it.

. /payload/lib.sh

text=this-is-nobodys-business

# shows: the grants that show the text, of all there are
shows()
{
	/payload/bin/gntprobe -t $text "$(guest_id)" 2048 | without_pv
}

guest_create kernel=stable-16k || bail 'no guest'
# shellcheck disable=SC2046
backend_start --never-unmap $(std_blk) $(std_net) $(std_rng) && guest_start || bail 'it does not start'
# A message of the kernel that memory ran out is to reach the log.
guest "dmesg -n 4
	mkdir /mnt; mount -t tmpfs -o size=90% fill /mnt
	yes $text.................................... | head -c 1048576 >/tmp/fill
	while awk '/MemFree/ { exit \$2 < 40960 }' /proc/meminfo; do
		cat /tmp/fill >>/mnt/fill || break
	done
	ls -l /mnt/fill >/run/filled
	umount /mnt
	dmesg -n 1" 60
cmp_ok "$(guest "awk '{ print int(\$5 / 1048576) }' /run/filled")" -gt 32 'so many MiB are filled'

load 'backend=*=0'
ok $? 'the module loads'
drivers blk net rng
ok $? 'the drivers load'
cmp_ok "$(probe | wc -l)" -gt 6 'there are grants'
is "$(shows)" '' 'none of them shows what is not in a buffer'

guest 'dd if=/tmp/fill of=/dev/vda bs=64k count=4 oflag=direct 2>/dev/null'
ok $? 'the text is written to the disk'
isnt "$(shows)" '' 'the grants of these buffers, which the backend keeps, show it'
done_testing
