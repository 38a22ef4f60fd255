#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rig: host needs=build,source,headers-stable-amd64
#
# "make check" passes, and would see mistakes. (Those in build.t are for what
# the compilers see.)

. "$(dirname "$0")/lib.sh"

make_check()
{
	make -s -C "$TOP" check >"$TMP/check" 2>&1 || {
		grep -v '^gcc W=1' "$TMP/check"
		return 1
	}
	says "$TMP/check" '^check: all is well'
}

check '"make check" passes' make_check

for what in checkpatch kernel-doc shellcheck codespell 'reuse lint' dtc; do
	check "it looked at files: $what" says "$TMP/check" "^$what.*: [1-9][0-9]* files"
done
kernels()
{
	grep -cE "sparse: [a-z]+-$1\$" "$TMP/check"
}
check 'it built for all x86 kernels' same "$(have_headers | grep -c amd64)" "$(kernels '(rt-|cloud-)?amd64')"
check 'and all for arm64' same "$(have_headers | grep -c arm64)" "$(kernels '(cloud-arm64|arm64|arm64-16k)')"

git clone -q "$TOP" "$TMP/tree"

# planted CHECK FILE LINE REGEX: with that line in that file, the check fails and
# says so.
planted()
{
	cp "$TMP/tree/$2" "$TMP/good"
	printf '%s\n' "$3" >>"$TMP/tree/$2"
	fails "$TMP/log" "$RIG/check" -c -s "$TMP/tree" "$1"
	cp "$TMP/good" "$TMP/tree/$2"
	says "$TMP/log" "$4"
	says "$TMP/log" "^check: FAILED: $1"
}

check 'checkpatch sees a space before a tab' planted checkpatch src/data/refs.c \
	'int p(int a, 	 int b);
struct dma_map_ops p;' '^src/data/refs.c:[0-9]+: .*:SPACE_BEFORE_TAB:'
check 'and here what may be in another file' says "$TMP/log" '^src/data/refs.c:[0-9]+: .*:CONST_STRUCT:'
check 'kernel-doc sees a parameter without description' planted kernel-doc src/data/refs.c \
	'/**
 * p - q
 */
int p(int a);' "src/data/refs.c:.* 'a' not described in 'p'"
check 'shellcheck sees a forgotten quotation mark' planted scripts tests/rig/env.sh \
	'rm $RIG/x' 'tests/rig/env.sh:.* \[SC2086\]'
check 'a message must be in docs/reference.md' planted texts src/data/refs.c \
	'void p(void) { pr_err("no such message\n"); }' '^refs.c: "no such message" is not in docs/reference.md'
check 'and what is there in the source' planted texts docs/reference.md \
	'- `there is no such message`: so it is' 'no message is like "there is no such message"'
# Not as it is: it would be found here, too.
check 'codespell sees a mistake' planted texts docs/faq.md "$(echo recXieve | tr -d X)" \
	'^docs/faq.md:.* ==> receive'
check 'the manual page is that of docs/reference.md' planted texts docs/reference.md \
	'one more word' '^docs/xen_grant_dma.4 is not what'
check 'dtc sees a device with too little of an address' planted trees dts/mmio.dts \
	'/ { passthrough { virtio@2000000 { reg = <0x2000000 0x200>; }; }; };' \
	'^dts/mmio.dts:.* Warning [(]reg_format[)]: /passthrough/virtio@2000000:reg'
check 'dt-validate sees an IOMMU with two cells' planted trees dts/mmio.dts \
	'&xen_iommu { #iommu-cells = <2>; };' \
	'^dts/mmio.dts: xen-iommu .*: #iommu-cells: 1 was expected'
check 'and a device that gives it two' planted trees tests/rig/arm64/iommus.dts \
	'/ { passthrough { virtio@2000400 { iommus = <&xen_iommu 0 0>; }; }; };' \
	'^tests/rig/arm64/iommus.dts: virtio@2000400 .*: iommus: .* is too long'
check 'and a device that nobody knows' planted trees dts/mmio.dts \
	'/ { passthrough { virtio@2000000 { compatible = "virtio,mmoi"; }; }; };' \
	'^dts/mmio.dts: /passthrough/virtio@2000000: failed to match any schema with compatible: .*mmoi'

finish
