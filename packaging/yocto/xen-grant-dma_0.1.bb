# SPDX-License-Identifier: GPL-2.0-only
#
# From the tarball of "make dist", in a folder of the layer that is called xen-grant-dma.
# What the kernel must have is in xen-grant-dma.cfg, for the kernel's recipe:
#	SRC_URI += "file://xen-grant-dma.cfg"

SUMMARY = "Virtio over Xen grants for guests"
LICENSE = "GPL-2.0-only"
LIC_FILES_CHKSUM = "file://LICENSES/GPL-2.0-only.txt;md5=b234ee4d69f5fce4486a80fdaf4a4263"

inherit module

SRC_URI = "file://xen_grant_dma-${PV}.tar.gz"
# Since Yocto 5.1 sources are unpacked into a folder of their own.
S = "${@d.getVar('UNPACKDIR') or d.getVar('WORKDIR')}/xen_grant_dma-${PV}"

EXTRA_OEMAKE += "KDIR=${STAGING_KERNEL_DIR}"

do_install:append() {
	install -D -m 644 ${S}/scripts/xen_grant_dma.conf ${D}${nonarch_libdir}/modprobe.d/xen_grant_dma.conf
}
FILES:${PN} += "${nonarch_libdir}/modprobe.d"
