#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rig: host needs=qemu,build,inside,kernel-stable,headers-stable-amd64
#
# Outside Xen, in plain QEMU, the module does not load, and says why.

. "$(dirname "$0")/lib.sh"

"$RIG/fetch" qemu build "headers-$DOM0_KERNEL-amd64" inside "kernel-$DOM0_KERNEL"
"$RIG/kbuild" -w "$DOM0_KERNEL-amd64" "$CACHE/strict/$DOM0_KERNEL-amd64"

mkdir -p "$TMP/root/bin" "$TMP/root/proc"
cp "$CACHE/inside/usr/bin/busybox" "$TMP/root/bin"
"$RIG/in-build" strip -g -o "$TMP/root/xen_grant_dma.ko" \
	"$CACHE/strict/$DOM0_KERNEL-amd64/xen_grant_dma.ko"

# Busybox's insmod tries twice, in two ways.
cat >"$TMP/insmod.c" <<'END'
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>

int main(void)
{
	if (syscall(SYS_finit_module, 0, "force_grant=1", 0))
		printf("insmod: %s\n", strerror(errno));
	else
		printf("insmod: loaded\n");
	return 0;
}
END
"$RIG/in-build" gcc -Os -static -s -o "$TMP/root/bin/insmod" "$TMP/insmod.c"

cat >"$TMP/root/init" <<'END'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
/bin/insmod </xen_grant_dma.ko
$b dmesg | $b sed -n 's/^.*\] xen_grant_dma: /dmesg: /p'
echo "modules: $($b cat /proc/modules)."
echo 'end'
$b poweroff -f
END
chmod 755 "$TMP/root/init"
(cd "$TMP/root" && find . | "$RIG/in-build" cpio -o -H newc --quiet | gzip -1) >"$TMP/initrd"

boot()
{
	timeout 120 "$RIG/qemu" x86_64 -accel tcg -m 256 -nodefaults -no-user-config -no-reboot \
		-display none -serial stdio -kernel "$CACHE/kernel/$DOM0_KERNEL/vmlinuz" \
		-initrd "$TMP/initrd" -append 'console=ttyS0 quiet panic=-1' \
		</dev/null 2>&1 | tr -d '\r' >"$TMP/console"
	says "$TMP/console" '^end$'
}

check 'a guest of plain QEMU runs' boot
check 'insmod fails: no such device' says "$TMP/console" '^insmod: No such device$'
check 'the module is not there afterwards' says "$TMP/console" '^modules: [.]$'

# What the kernel says of each module that is not its own does not count.
lines()
{
	sed -n 's/^dmesg: //p' "$TMP/console" |
		grep -vE '^(loading out-of-tree module|module verification failed)' || true
}
check 'the log has one line that says so' same 'this is no Xen guest, so there is nothing to do' \
	"$(lines)"

finish
