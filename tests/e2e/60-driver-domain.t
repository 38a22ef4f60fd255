# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=280
#
# A backend outside dom0: QEMU runs in a driver domain. The guest names it, and
# neither dom0 nor anybody else can reach what is granted to it; the driver domain
# itself can reach nothing when the drivers are gone.

. /payload/lib.sh
. /payload/driver-domain.sh

# More references than the guest ever has here.
ALL=2048

# What dom0 and the driver domain can map of the guest, whatever it is for.
dom0_maps()
{
	/payload/bin/gntprobe -c "$(guest_id)" $ALL
}

driver_maps()
{
	in_driver "/payload/bin/gntprobe -c $(guest_id) $ALL"
}

# references: how many there are in force, says the guest
references()
{
	guest "awk '\$1 == \"references\" { n += \$2 } END { print n + 0 }' /sys/kernel/debug/xen_grant_dma/devices"
}

guest_boot example=served-guest.cfg || bail 'no guest'
driver_boot || bail 'the driver domain does not boot'

# ---- what cannot work is said, and nothing is left of it ----
before=$(xenstore-ls /local/domain)
while read -r expected words; do
	# shellcheck disable=SC2086
	said=$(/payload/bin/xl-virtio backend $words 2>&1)
	is "$?, $(echo "$said" | wc -l)" '1, 1' "backend $words: status 1, one line"
	like "$said" "^xl-virtio: .*$(echo "$expected" | tr '~' ' ')" "which says why: $(echo "$expected" | tr '~' ' ')"
done <<END
usage:~xl-virtio~backend	driver
there~is~no~domain~nobody	nobody guest rng
there~is~no~domain~4711	driver 4711 rng
domain~0~serves~a~guest~by~its~configuration	0 guest rng
cannot~serve	guest guest rng
only~guests~with~type="pvh"	guest driver rng
no~device~is~named	driver guest
unknown~device:~floppy	driver guest floppy
does~not~begin~with~/	driver guest disk=some.img
keep~is~not~for~other~domains	driver guest rng keep
neither~-o~nor~tables	driver guest rng tables
END
is "$(xenstore-ls /local/domain)" "$before" 'nothing in xenstore is different'

driver_takes_over $(std_blk) $(std_net) || bail 'no backend in the driver domain'

domid=$(driver_id)
cmp_ok "$domid" -gt 0 'the backend is not in dom0'
in_driver backend_alive
ok $? 'it runs in the driver domain'

# Console and xenstore are dom0's, and so are the disks that carry the tools.
of_dom0=$(dom0_maps)
is "$(printf '%s\n' "$of_dom0" | without_pv)" '' 'dom0 can map the PV devices, and nothing else'
is "$(driver_maps)" '' 'the driver domain can map nothing'

in_driver maps_mark
load
ok $? 'the module loads, and is not told who serves'
drivers blk net
ok $? 'the drivers load'
log=$(guest 'dmesg | grep xen_grant_dma')
like "$log" "virtio-pci 0000:00:01.0: xen_grant_dma: grants to domain $domid, by xenstore data/virtio-grants/0000-00-01-0\$" \
	'the log names the domain of the disk, and that xenstore named it'
like "$log" "virtio-pci 0000:00:02.0: xen_grant_dma: grants to domain $domid, by xenstore data/virtio-grants/0000-00-02-0\$" \
	'and of the network'

guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=32 2>/dev/null
	dd if=/tmp/data of=/dev/vda bs=64k oflag=direct 2>/dev/null'
ok $? 'the guest writes to its disk'
sum=$(guest 'md5sum </tmp/data | cut -d" " -f1')
is "$(in_driver 'disk_sum 2048')" "$sum" 'the driver domain finds the same on the disk'
is "$(guest_sum 2048)" "$sum" 'the guest reads it back'
guest "ip addr add $(guest_ip)/24 dev eth0; ip link set eth0 up"
in_driver "wait_for 10 ping -c 1 -W 1 $(guest_ip)"
ok $? 'the network works'
cmp_ok "$(in_driver maps_grant)" -gt 30 'the backend mapped grants'
is "$(in_driver maps_foreign)" 0 'and nothing else'

# Without traffic, the rings and the network's receive buffers are granted.
in_driver 'ip link set tap-guest down'
count=$(references)
cmp_ok "$count" -gt 100 'there are references in force'
is "$(driver_maps | wc -l)" "$count" 'the driver domain can map them all'
is "$(dom0_maps)" "$of_dom0" 'dom0 can map none of them'
is "$(grants | awk -v d="$domid" '$2 != d')" '' 'nobody else does, says Xen'

# Under load, too.
guest '(touch /tmp/busy
	while [ ! -e /tmp/enough ]; do dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null; done
	rm /tmp/busy) &'
in_driver maps_mark
is "$(dom0_maps)" "$of_dom0" 'dom0 can map none while the disk is busy'
cmp_ok "$(in_driver maps_grant)" -gt 10 'and it was busy'
guest 'touch /tmp/enough; while [ -e /tmp/busy ]; do usleep 10000; done'

no_drivers blk net
ok $? 'the drivers leave'
unload
ok $? 'the module leaves'
is "$(driver_maps)" '' 'the driver domain can map nothing any more'
is "$(dom0_maps)" "$of_dom0" 'nor can dom0'
is "$(grants)" '' 'no grant is mapped, says Xen'
clean_dmesg 'the kernel had nothing to complain of'

said=$(/payload/bin/xl-virtio backend "$DRIVER" guest rng 2>&1 >/dev/null)
is "$? $said" '0 ' 'who serves a guest may be asked to do so again'

# A wrong domain: dom0 gets the grants, and QEMU, which gets none, ends.
load 'backend=*=0'
ok $? 'the module loads, with a wrong domain'
guest '(sleep 1; exec modprobe virtio_blk) >/dev/null 2>&1 &'
in_driver 'wait_for 20 backend_gone'
ok $? 'the driver domain cannot map what was granted to dom0'
is "$(driver_maps)" '' 'nothing of it'
/payload/bin/ioreq_wake "$(guest_id)"
is "$(guest 'echo alive')" alive 'the guest lives'
like "$(guest 'dmesg')" 'xen_grant_dma: grants to domain 0, by backend=\*=0$' 'the log names the domain'
isnt "$(guest 'ls /dev/vda 2>/dev/null')" /dev/vda 'the device did not come up'

# The driver domain ends and is created again: it has another number. The module stays.
xl destroy "$DRIVER"
driver_boot || bail 'the driver domain does not boot again'
isnt "$(driver_id)" "$domid" 'the driver domain that is created again is another one'
domid=$(driver_id)
guest "echo '*=$domid' >/sys/module/xen_grant_dma/parameters/backend"
ok $? 'the guest is told which'
like "$(guest dmesg)" "backend= is now \"\*=$domid\", for devices that get their driver from here on" 'the log tells'
guest "$DEVICES_GONE"
in_driver 'modprobe bridge; brctl addbr xenbr0; ip link set xenbr0 up; truncate -s 64M /run/disk.img'
driver_serves disk=/run/disk.img net=bridge=xenbr0 && guest 'echo 1 >/sys/bus/pci/rescan' ||
	bail 'no backend in the driver domain'
in_driver maps_mark
drivers net
guest 'for i in $(seq 50); do [ -b /dev/vda ] && break; usleep 50000; done'
is "$(guest_sum 2048)" "$(in_driver 'disk_sum 2048')" 'the disk works'
is "$(status_of 0000:00:01.0 domid) $(status_of 0000:00:02.0 domid)" "$domid $domid" 'by grants to the new one'
like "$(in_driver 'ls /sys/class/net/xenbr0/brif')" '^xenbr0-v0$' 'its network card is in the bridge there'
cmp_ok "$(in_driver maps_grant)" -gt 10 'which maps grants'
is "$(in_driver maps_foreign)" 0 'and nothing else'
is "$(driver_maps | wc -l)" "$(references)" 'what is granted can be mapped there'
is "$(dom0_maps | without_pv)" '' 'but not in dom0'
done_testing
