# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# A Debian whose root is a granted disk, used as a person uses it: at its console. Source it
# after lib.sh and xl.sh. The case has disk=RELEASE.

GUEST=debian
CONSOLE=/run/console
BOOT=/run/boot
# So much that the kernel does not have to forget what it knows of a file system: ext4 of 6.1.192
# oopses then (ext4_mb_load_buddy_gfp, a page that is not there is not looked for).
MEMORY=1800

# What a person would have: a file like examples/guest.cfg.
debian_config()
{
	guest_set memory $MEMORY
	guest_set dead y
	guest_set trace "/var/log/trace-$GUEST.log"
	guest_set log "/var/log/xen/qemu-dm-$GUEST.log"
	# Without tsc_mode a PVH guest hangs on an emulated processor, where all takes ten times
	# as long as Debian thinks that it may.
	cat >/run/debian.cfg <<-END
		name = "$GUEST"
		type = "pvh"
		kernel = "$BOOT/vmlinuz"
		ramdisk = "$BOOT/initrd.img"
		extra = "root=/dev/vda console=hvc0 loglevel=4 mitigations=off systemd.default_device_timeout_sec=1200 systemd.default_timeout_start_sec=1200"
		memory = $MEMORY
		vcpus = 1
		tsc_mode = "native"
	END
}

# fetch_kernel: what Debian says is its newest, from its disk, while the guest is down
fetch_kernel()
{
	# What ext4 needs without saying so comes first.
	modprobe -qa crc32c_generic
	modprobe ext4
	mkdir -p $BOOT /mnt
	mount -t ext4 -o ro,noload /dev/vdd /mnt || return
	cp -L /mnt/vmlinuz /mnt/initrd.img $BOOT/ && basename "$(readlink /mnt/vmlinuz)" | sed 's/^vmlinuz-//' >/run/release
	umount /mnt
}

debian_start()
{
	xl-virtio /run/debian.cfg disk=/dev/vdd net=bridge=xenbr0 rng -o /run/debian-virtio.cfg -- \
		-trace xen_remap_bucket -D "$(guest_get trace)" &&
		xl create -q /run/debian-virtio.cfg </dev/null
}

# debian_again: there is a new domain; get to know it
debian_again()
{
	local tty

	guest_set id "$(xl domid $GUEST)"
	guest_set mark 0
	guest_set pid "$(qemu_pid)"
	tty=$(xenstore-read "/local/domain/$(guest_id)/console/tty")
	guest_set tty "$tty"
	# xenconsoled replaces the terminal when its last user has closed it.
	[ -z "$(guest_get holder)" ] || kill "$(guest_get holder)" 2>/dev/null
	: >$CONSOLE
	stty raw -echo <"$tty"
	cat <"$tty" >>$CONSOLE 2>/dev/null &
	guest_set holder $!
}

# typed TEXT: a line
typed()
{
	printf '%s\n' "$1" >"$(guest_get tty)"
}

# seen FROM REGEX: is it on the console, from this byte on?
seen()
{
	tail -c "+$1" $CONSOLE | tr -d '\r' | grep -qE "$2"
}

# log_in: as root, who has no password
log_in()
{
	wait_for 900 seen 1 'login: *$' || return
	typed root
	wait_for 400 seen 1 '# *$' || return
	typed 'exec env TERM=dumb PS1= sh'
	typed 'stty -echo'
	typed "echo logged''-in"
	# bash says a word to the terminal on that line before it goes.
	wait_for 300 seen 1 'logged-in$'
}

# run COMMAND [SECONDS]: what it says, and its status
run()
{
	local from

	from=$(($(wc -c <$CONSOLE) + 1))
	typed "$1"
	typed "status=\$?; echo; echo rig''-done \$status"
	if wait_for "${2-200}" seen "$from" '^rig-done [0-9]'; then
		tail -c "+$from" $CONSOLE | tr -d '\r' | sed '/^rig-done/,$d' | sed '$d'
		return "$(tail -c "+$from" $CONSOLE | tr -d '\r' | sed -n 's/^rig-done \([0-9]*\).*/\1/p')"
	fi
	tail -c "+$from" $CONSOLE
	return 1
}

# regex TEXT: what is like this text, and nothing else
regex()
{
	echo "$1" | sed 's/[.+*]/\\&/g'
}

# all_right WHAT RELEASE: devices and data
all_right()
{
	local sum said

	is "$(run 'uname -r')" "$2" "$1: the kernel is $2"
	is "$(run 'findmnt -no SOURCE /')" /dev/vda "$1: its root is a virtio disk"
	said=$(run 'xgd check' 60)
	ok $? "$1: xgd check finds nothing wrong" "$said"
	is "$(run 'xgd' 60 | awk '/^0000:/ { print $2, $3, $4, $5, $(NF - 1) }' | sed 's/ e[^ ]* / NIC /' | sort)" \
		"$(printf '%s\n' 'virtio_blk vda dom0 yes xenstore' 'virtio_net NIC dom0 yes xenstore' \
			'virtio_rng - dom0 yes xenstore')" \
		"$1: all its devices have grants, since xenstore says so"

	run 'card=$(ls /sys/class/net | grep -vx lo); ip link set "$card" up; ip addr add 10.0.0.2/24 dev "$card"'
	ok $? "$1: there is a network card" "$(run 'ip link')"
	dd if=/dev/urandom of=/run/data bs=64k count=16 2>/dev/null
	sum=$(md5sum </run/data | cut -d' ' -f1)
	nc -l -p 4000 </run/data >/dev/null 2>&1 &
	is "$(run "bash -c 'cat </dev/tcp/10.0.0.1/4000 >/root/data'; sync; echo 3 >/proc/sys/vm/drop_caches; md5sum </root/data | cut -d' ' -f1" 100)" \
		"$sum" "$1: what comes by the network can be read from the disk"
	only_grants "$1, from the first instruction on"
}

# debian_case: all of it
debian_case()
{
	local release next id

	bridge_up
	ip addr add 10.0.0.1/24 dev xenbr0
	debian_config
	fetch_kernel
	ok $? 'its disk has a kernel' || bail 'no kernel'
	release=$(cat /run/release)
	debian_start
	ok $? 'two commands: xl-virtio, xl create' || bail 'no guest'
	debian_again
	log_in
	ok $? 'there is a login' || bail 'no login'
	all_right 'first start' "$release"

	# More of these has 66-xl-virtio.
	id=$(guest_id)
	typed reboot
	wait_for 400 another_domain "$id"
	ok $? 'rebooted from inside, there is another domain' || bail 'no reboot'
	debian_again
	log_in
	ok $? 'and a login' || bail 'no login'
	all_right 'after a reboot' "$release"

	next=$(run 'ls /root/next | cat' | sed -n 's/^linux-image-\(.*\)_.*_.*/\1/p' | head -n 1)
	isnt "$next" '' 'there are packages of another kernel'
	run 'DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends install /root/next/*.deb >/root/apt.log 2>&1' 2000
	ok $? "the kernel $next is installed" "$(run 'tail -n 40 /root/apt.log')"
	like "$(run 'dkms status' 60)" "$(regex "$next, x86_64: installed")" 'dkms has built the module for it'
	like "$(run "{ lsinitramfs /boot/initrd.img-$next || lsinitrd /boot/initrd.img-$next; } 2>/dev/null | grep xen_grant_dma.ko" 300)" "$(regex "$next")" 'its initramfs has the module'
	only_grants 'with all that'

	typed poweroff
	wait_for 1500 gone $GUEST
	ok $? 'the guest goes down, and its domain is gone'
	fetch_kernel
	ok $? 'its disk has that kernel'
	debian_start
	ok $? 'it is started again'
	debian_again
	log_in
	ok $? 'there is a login' || bail 'no login'
	all_right 'with the other kernel' "$next"

	xl destroy $GUEST
	wait_for 60 gone $GUEST
	wait_for 60 no_traces
	ok $? 'destroyed, it leaves no domain, QEMU or network interface' "$(traces_of_guests; xenstore-ls /local/domain/0)"
	done_testing
}
