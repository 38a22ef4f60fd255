# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 timeout=240
#
# What people see, type and hear: a screen, a keyboard, a tablet, a sound card. And the
# devices that QEMU has for other machines than this: it says so.

. /payload/lib.sh
. /payload/xl.sh
. /payload/plug.sh

# there FILE MODULE...: these drivers, until the guest has this device
there()
{
	local file=$1

	shift
	guest "modprobe -a $* && for i in \$(seq 100); do [ -c $file ] && exit; usleep 100000; done; exit 1"
}

# event NAME: the guest's file of an input device
event()
{
	guest "for event in /sys/class/input/event*; do
			! grep -q '$1' \$event/device/name || echo /dev/input/\${event##*/}
		done"
}

# events TYPE FILE: codes and values of these, as they came
events()
{
	guest "od -An -v -t u2 -w24 $2" | awk -v type="$1" '$9 == type { print $10, $11 }'
}

# came COUNT FILE: so many events
came()
{
	guest "[ \$(wc -c <$2) -ge $(($1 * 24)) ]"
}

# ---- what QEMU does not have for a PVH guest ----
GUEST=other
guest_create
while read -r device expected; do
	# shellcheck disable=SC2086
	backend_start $(echo "$device" | tr '~' ' ') >/dev/null 2>&1
	like "$(backend_log)" "$(echo "$expected" | tr '~' ' ')" "${device##*~}: QEMU says why it does not start"
done <<END
-object~memory-backend-ram,id=m0,size=16M~-device~virtio-pmem-pci,memdev=m0	failed~to~populate~ram~at~0
-object~memory-backend-ram,id=m0,size=16M~-device~virtio-mem-pci,memdev=m0	failed~to~populate~ram~at~0
-device~virtio-iommu-pci	Check~your~machine~implements~a~hotplug~handler~for~the~virtio-iommu-pci~device
-chardev~null,id=c0~-device~vhost-user-fs-pci,chardev=c0,tag=x	'vhost-user-fs-pci'~is~not~a~valid~device~model~name
-device~vhost-vsock-pci,guest-cid=3	'vhost-vsock-pci'~is~not~a~valid~device~model~name
END
guest_destroy
GUEST=guest

# ---- a guest for people ----
bridge_up
guest_config
QEMU_MORE="-qmp tcp:127.0.0.1:$PLUG_QMP,server,nowait -audiodev wav,id=sound,path=/run/sound.wav
	-device virtio-sound-pci,audiodev=sound,disable-legacy=on,iommu_platform=on,addr=10"
guest_xl gpu keyboard tablet rng || bail 'no guest'
load
ok $? 'the module loads'
maps_mark

# ---- a screen ----
there /dev/fb0 virtio-gpu
ok $? 'the guest has a screen'
guest 'printf "\033[?25l" >/dev/tty1'
size=$(guest 'tr , " " </sys/class/graphics/fb0/virtual_size')
# shown SEED: is that picture what QEMU shows?
shown()
{
	qmp screendump '"filename":"/run/screen.ppm"' >/dev/null && /payload/bin/picture ppm $size "$1" | cmp /run/screen.ppm -
}
for seed in 1 2; do
	guest "/payload/bin/picture fb $size $seed >/dev/fb0"
	wait_for 20 shown $seed
	ok $? "picture $seed, $size: dom0 sees what the guest draws" "$(shown $seed 2>&1)"
done
! shown 1 >/dev/null
ok $? 'and not what it drew before'
only_grants 'the screen'

# ---- a keyboard, a tablet ----
maps_mark
there /dev/input/event1 evdev virtio_input
ok $? 'the guest has a keyboard and a tablet'
guest "cat $(event Keyboard) >/tmp/keys &"
for key in g r a n t ret; do
	qmp send-key "\"keys\":[{\"type\":\"qcode\",\"data\":\"$key\"}]" >/dev/null
done
wait_for 10 came 24 /tmp/keys
is "$(events 1 /tmp/keys | awk '$2 { print $1 }' | xargs)" '34 19 30 49 20 28' 'the guest gets what is typed: "grant" and return'
guest "cat $(event Tablet) >/tmp/moves &"
qmp input-send-event '"events":[{"type":"abs","data":{"axis":"x","value":12345}},{"type":"abs","data":{"axis":"y","value":23456}}]' >/dev/null
wait_for 10 came 3 /tmp/moves
is "$(events 3 /tmp/moves | xargs)" '0 12345 1 23456' 'and to where the tablet is moved'
only_grants 'keyboard and tablet'

# ---- sound ----
# All but silence.
FRAMES='od -An -v -t x4 -w4 | grep -v 00000000 | md5sum'
maps_mark
there /dev/snd/pcmC0D0p virtio_snd
ok $? 'the guest has a sound card'
sum=$(guest "dd if=/dev/urandom of=/tmp/sound bs=4000 count=40 2>/dev/null
	aplay -q -D hw:0,0 -t raw -f S16_LE -r 44100 -c 2 /tmp/sound >/tmp/aplay 2>&1 || cat /tmp/aplay >&2
	{ $FRAMES; } </tmp/sound")
only_grants 'sound'
guest 'rmmod virtio_snd'
# It writes the rest of its file when it ends.
kill "$(qemu_pid)"
wait_for 10 gone_process "$(qemu_pid)"
is "$(tail -c +45 /run/sound.wav | sh -c "$FRAMES")" "$sum" 'dom0 has recorded what the guest played'
clean_dmesg 'the kernel has nothing to complain of'
xl destroy guest
done_testing
