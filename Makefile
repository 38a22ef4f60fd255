# SPDX-License-Identifier: GPL-2.0-only

KVER		?= $(shell uname -r)
KDIR		?= /lib/modules/$(KVER)/build
DESTDIR		?=
FORCE_GRANT	?= n

# What the module itself is made with.
KBUILD	= $(MAKE) -C $(KDIR) M=$(CURDIR) CONFIG_XEN_GRANT_DMA=m

# What the kernel that KDIR belongs to calls itself, and modprobe's folder is called. (That
# in include/config/kernel.release is another one with Debian 12.)
RELEASE	= $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
MODULES	= $(DESTDIR)/lib/modules/$(RELEASE)

# Modules are signed where the key is at hand. With Debian's headers it is not.
SIG_KEY	= $(shell sed -n 's/^CONFIG_MODULE_SIG_KEY="\(.*\)"/\1/p' $(KDIR)/include/config/auto.conf)
SIGN	= $(if $(filter pkcs11:%,$(SIG_KEY))$(wildcard $(SIG_KEY) $(SIG_KEY:%=$(KDIR)/%)),,CONFIG_MODULE_SIG_ALL=)

# Not in /etc, which is the administrator's: dracut leaves that out of generic images.
CONF	= $(DESTDIR)/usr/lib/modprobe.d/xen_grant_dma.conf

# Hooks for what makes an initramfs. The ACPI tables are for PVH guests, on x86.
HOOK	= $(DESTDIR)/usr/share/initramfs-tools/hooks/xen_grant_dma
DRACUT	= $(DESTDIR)/usr/lib/dracut/dracut.conf.d/90-xen_grant_dma.conf
TABLES	= $(DESTDIR)/usr/share/xen_grant_dma
X86	= $(shell sed -n 's/^CONFIG_X86_64=//p' $(KDIR)/include/config/auto.conf)

.PHONY: all headers module modules_install install install-hooks install-dkms tools install-tools uninstall uninstall-tools clean clean-tools
.PHONY: help demo test quick shell test-debug test-distro test-qemu stress bench check docs tag dist deb rpm pkg distclean

all: module

headers:
	@test -d $(KDIR) || { echo "$(KDIR) is not there: install the headers of the running kernel (Debian: apt install linux-headers-$(KVER)), or say KDIR="; exit 1; }

module: headers
	$(KBUILD) $(if $(filter y,$(FORCE_GRANT)),KCFLAGS='$(KCFLAGS) -DCONFIG_XEN_GRANT_DMA_FORCE=1') modules

# As the makefiles of other modules have it: by kbuild, which is told the rest (Yocto does).
modules_install: headers
	$(KBUILD) $@

install: module install-hooks
	$(KBUILD) INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=updates INSTALL_MOD_STRIP=1 $(SIGN) modules_install
	@scripts/after-install "$(RELEASE)" "$(DESTDIR)"

install-hooks:
	install -D -m 644 scripts/xen_grant_dma.conf $(CONF)
	install -D -m 755 scripts/initramfs-tools/xen_grant_dma $(HOOK)
	install -D -m 644 scripts/dracut/xen_grant_dma.conf $(DRACUT)
	$(if $(X86),scripts/acpi/tables $(TABLES)/acpi)

# For packages, with X86=y or X86=: instead of the module its sources, for dkms.
SOURCES	= $(DESTDIR)/usr/src/xen_grant_dma-$(VERSION)

install-dkms: install-hooks
	install -d $(SOURCES)
	cp -R Kbuild Makefile dkms.conf src include $(SOURCES)
	install -D -m 644 -t $(DESTDIR)/usr/share/man/man4 docs/xen_grant_dma.4

# The tools, for guests and for dom0. They take Xen's headers (Debian: libxen-dev).
LIBEXEC	= $(DESTDIR)/usr/libexec/xen-grant-dma

tools:
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o scripts/virtio-ready scripts/virtio-ready.c
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o tools/set-target tools/set-target.c
	$(MAKE) -C tools/keep

install-tools: tools
	install -D -m 755 -t $(DESTDIR)/usr/sbin tools/xgd tools/xl-virtio scripts/virtio-ready
	install -D -m 755 -t $(LIBEXEC) tools/keep/qemu-keep tools/qemu-virtio tools/set-target
	install -D -m 644 -t $(LIBEXEC) tools/keep/libxgd-keep.so
	scripts/acpi/tables $(DESTDIR)/usr/share/xl-virtio
	install -D -m 644 tools/xgd.bash $(DESTDIR)/usr/share/bash-completion/completions/xgd
	install -D -m 644 -t $(DESTDIR)/usr/share/man/man8 tools/xgd.8 tools/virtio-ready.8 tools/xl-virtio.8

uninstall-tools:
	rm -f $(addprefix $(DESTDIR)/usr/sbin/,xgd xl-virtio virtio-ready) \
		$(addprefix $(DESTDIR)/usr/share/man/man8/,xgd.8 xl-virtio.8 virtio-ready.8) \
		$(DESTDIR)/usr/share/bash-completion/completions/xgd
	rm -rf $(LIBEXEC) $(DESTDIR)/usr/share/xl-virtio

clean-tools:
	rm -f scripts/virtio-ready tools/set-target
	$(MAKE) -C tools/keep clean

uninstall: headers
	rm -f $(MODULES)/updates/xen_grant_dma.ko* $(CONF) $(HOOK) $(DRACUT)
	rm -rf $(TABLES)
	@scripts/after-install -u "$(RELEASE)" "$(DESTDIR)"

clean: headers
	$(KBUILD) clean

# Drawings and the manual page of the module, which are committed.
docs:
	@tests/rig/docs

VERSION	= $(shell sed -n 's/^MODULE_VERSION("\(.*\)");$$/\1/p' src/main.c)

# The version that the sources name is what is committed now.
tag:
	@git diff --quiet HEAD || { echo 'there are changes that are not committed'; exit 1; }
	@sh tests/host/version.t >/dev/null || { echo 'not all files name the version $(VERSION): tests/host/version.t'; exit 1; }
	git tag -a -m 'xen_grant_dma $(VERSION)' v$(VERSION)

# Under the name that packagers expect: this version, if it has its tag, or what is committed.
DISTDIR	?= .
REF	?= $(shell git rev-parse -q --verify refs/tags/v$(VERSION) >/dev/null && echo v$(VERSION) || echo HEAD)

dist:
	git archive --prefix=xen_grant_dma-$(VERSION)/ -o $(DISTDIR)/xen_grant_dma-$(VERSION).tar.gz $(REF)
	@[ $(REF) != HEAD ] || echo 'this is what is committed now; the version $(VERSION) has no tag yet: make tag'

deb rpm pkg:
	@tests/rig/packages $@

distclean:
	rm -rf .cache xen_grant_dma-*.tar.gz

demo:
	@ARCH=$(ARCH) tests/rig/demo

test:
	@JOBS=$(JOBS) ARCH=$(ARCH) STRICT=$(STRICT) KEEP=$(KEEP) tests/rig/test $(TESTS)

quick:
	@JOBS=$(JOBS) KEEP=$(KEEP) tests/rig/quick

shell:
	@ARCH=$(ARCH) KERNEL=$(KERNEL) tests/rig/shell

test-debug:
	@JOBS=$(JOBS) KERNEL=debug STRICT=$(STRICT) KEEP=$(KEEP) tests/rig/test $(TESTS)

test-distro:
	@JOBS=$(JOBS) KEEP=$(KEEP) tests/rig/test-distro $(TESTS)

test-qemu:
	@contrib/qemu/build
	@JOBS=$(JOBS) STRICT=$(STRICT) KEEP=$(KEEP) tests/rig/test tests/qemu/*.t

stress:
	@JOBS=$(JOBS) tests/rig/test tests/stress/*.t

bench:
	@JOBS=$(JOBS) BENCH="$(BENCH)" VARIANTS="$(VARIANTS)" QUICK=$(QUICK) tests/bench/bench

check:
	@tests/rig/check

help:
	@echo 'For a Xen guest:'
	@echo '  make               build the module for the running kernel, or for KDIR='
	@echo '  make install       install it, and have it loaded before the virtio drivers'
	@echo '  make uninstall     remove both'
	@echo '  make install-tools xgd for guests, xl-virtio and virtio-ready for dom0'
	@echo '  make uninstall-tools  remove them'
	@echo '  make install-dkms  for packages: the sources, for dkms, and what goes with them; DESTDIR=, X86=y'
	@echo '  make clean         remove what was built'
	@echo
	@echo 'Without Xen at hand (x86, everything is set up in .cache, which can be removed):'
	@echo '  make demo          show virtio over grants on real Xen, in emulation; ARCH=arm64'
	@echo '  make test          all tests; ARCH=amd64 or ARCH=arm64 for those of one machine,'
	@echo '                     TESTS="tests/e2e/10-blk.t ..." for some (on x86 unless ARCH= says'
	@echo '                     more), JOBS=N; STRICT=y: what the archive does not serve is a'
	@echo '                     failure; KEEP=y: the machine of a failed case stays to be looked at'
	@echo '  make quick         what one wants between two edits; three minutes'
	@echo '  make shell         a terminal in dom0 and a guest; ARCH=, KERNEL=oldest or newest'
	@echo '  make test-debug    KUnit suites, and most x86 cases again, in a kernel that checks itself'
	@echo '  make test-distro   the packages in Debian 12 and 13, from installation to purge, and'
	@echo '                     guests of both, whose root is a granted disk; TESTS="CASE..."'
	@echo '  make test-qemu     QEMU with the patches of contrib/qemu, as backend; builds it first'
	@echo '  make stress        load for an hour, while devices and the module come and go'
	@echo '  make bench         what it costs, in instructions, beside its peers; 15 minutes.'
	@echo '                     BENCH="micro scale blk net" for parts, QUICK=y for less of them'
	@echo '  make check         checkpatch, sparse, all warnings and the device trees, for all kernels'
	@echo '  make docs          draw the drawings and make the manual page again, after a change'
	@echo '  make tag           give the version that the sources name its git tag, v$(VERSION)'
	@echo '  make dist          a tarball of that version, or of what is committed if it has no tag'
	@echo '  make deb           Debian packages of what is committed, in .cache/deb'
	@echo '  make rpm           packages for Fedora and its like, in .cache/rpm'
	@echo '  make pkg           packages for Arch, in .cache/pkg'
	@echo '  make distclean     remove .cache and tarballs'
	@echo
	@echo 'FORCE_GRANT=y makes force_grant=1 the default of the module.'
