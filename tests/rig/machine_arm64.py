# SPDX-License-Identifier: GPL-2.0-only
"""The arm64 machine, always emulated."""

import re
import subprocess

import machine


def cpio(files):
    """An archive of {name: content} in the format that the kernel unpacks."""
    out = b''
    for name, data in [*files.items(), ('TRAILER!!!', b'')]:
        mode = 0o040755 if data is None else 0o100644
        data = data or b''
        fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out += b'070701' + ''.join(f'{f:08x}' for f in fields).encode() + name.encode() + b'\0'
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return out


class Arm64(machine.Machine):
    """As the x86 machine, but for what QEMU and Xen are told."""

    cache = machine.CACHE / 'arm64'
    image = cache / 'image'
    missing = cache / 'missing'
    program = (machine.RIG / 'qemu', 'aarch64')
    patience = 2
    helpers = tuple(sorted((machine.TOP / 'tests' / 'e2e-arm64').glob('*.sh')))

    # Where QEMU puts what Xen boots dom0 from.
    KERNEL = 0x60000000
    INITRAMFS = 0x66000000

    # And what it boots a second domain from.
    DOMU_KERNEL = 0x68000000
    DOMU_INITRAMFS = 0x6b000000
    DOMU_TREE = 0x6e000000

    # What the tree that Xen boots by has more, for this domain.
    DOM0LESS = machine.TOP / 'examples' / 'arm-dom0less.dtsi'

    @staticmethod
    def headers(kernel):
        return f'headers-{kernel}'

    def __init__(self, *args, dom0less=None, **kwargs):
        self.dom0less = dom0less
        super().__init__(*args, **kwargs)

    def qemu(self, payload, smp, memory, dom0_memory, pvh_dom0):
        """QEMU's command line."""
        xen = ['console=dtuart', 'dtuart=/pl011@9000000', 'loglvl=all', 'guest_loglvl=all',
               'conring_size=1M', 'bootscrub=0', f'dom0_mem={dom0_memory}M', 'dom0_max_vcpus=1']
        # neoverse-n1: cortex-a57 has no 16K pages.
        command = [*self.program,
                   '-machine', 'virt,virtualization=on,gic-version=3', '-accel', 'tcg',
                   '-cpu', 'neoverse-n1', '-smp', str(smp), '-m', str(memory),
                   '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none',
                   '-global', 'virtio-mmio.force-legacy=false',
                   '-serial', f'file:{self.log / "console.log"}',
                   '-chardev', 'stdio,id=agent,signal=off',
                   '-device', 'virtio-serial-device,bus=virtio-mmio-bus.31',
                   '-device', 'virtconsole,chardev=agent',
                   '-qmp', f'unix:{self.dir}/qmp,server=on,wait=off',
                   '-kernel', self.image / 'xen', '-append', ' '.join(xen),
                   '-device', f'guest-loader,addr={self.KERNEL:#x},'
                              f'kernel={self.image / "vmlinuz"},'
                              'bootargs=console=hvc0 quiet loglevel=4 panic=1',
                   '-device', f'guest-loader,addr={self.INITRAMFS:#x},'
                              f'initrd={self.image / "dom0.cpio"}']
        for slot, (name, file, ro) in enumerate((('tools', self.image / 'tools.img', 'on'),
                                                 ('payload', payload, 'on'),
                                                 ('out', self.out, 'off'))):
            command += ['-drive', f'if=none,id={name},file={file},format=raw,'
                                  f'readonly={ro},file.locking=off',
                        '-device', f'virtio-blk-device,drive={name},bus=virtio-mmio-bus.{slot}']
        if self.dom0less:
            command += self.second_domain(command, *self.dom0less)
        return command

    def second_domain(self, command, tree, script, channel, append, xenstore):
        """Have Xen start a guest with a partial device tree, which runs a script.

        Its kernel's command line ends with append. Its port 10 is an event channel to
        port 11 of dom0: Xen makes the end whose node comes first, "guest" or "dom0",
        and then connects the other, which gets an event by that. With xenstore it has
        one as soon as init-dom0less ran in dom0.
        """
        in_build = machine.RIG / 'in-build'

        def dtc(*args):
            subprocess.run([in_build, 'dtc', '-q', *args], cwd=self.dir, check=True)

        files = {'payload': None, 'payload/guest.sh': script.read_bytes()}
        for module in (self.cache / 'payload' / 'stable').glob('*.ko'):
            files[f'payload/{module.name}'] = module.read_bytes()
        base = (self.image / 'dom0less.cpio').read_bytes()
        (self.dir / 'initramfs').write_bytes(base + cpio(files))
        dtc('-O', 'dtb', '-o', 'partial.dtb', tree)

        # QEMU's own tree, with one more node.
        subprocess.run([*command, '-machine', 'dumpdtb=' + str(self.dir / 'machine.dtb')],
                       check=True, stdin=subprocess.DEVNULL, capture_output=True)
        dtc('-O', 'dts', '-o', 'machine.dts', 'machine.dtb')
        more = self.DOM0LESS.read_text()
        loaders = []
        for addr, file in ((self.DOMU_KERNEL, self.image / 'vmlinuz'),
                           (self.DOMU_INITRAMFS, self.dir / 'initramfs'),
                           (self.DOMU_TREE, self.dir / 'partial.dtb')):
            more, sized = re.subn(f'(reg = <0x0 {addr:#x} 0x0) [^>]*>',
                                  rf'\1 {file.stat().st_size:#x}>', more)
            assert sized == 1, f'{self.DOM0LESS} has nothing at {addr:#x}'
            loaders += ['-device', f'loader,file={file},addr={addr:#x},force-raw=on']
        more = more.replace('console=ttyAMA0', f'console=ttyAMA0 quiet loglevel=4 {append}')
        if xenstore:
            more = more.replace('"no-xenstore"', '"enabled"')
        if channel == 'dom0':
            end = re.search(r'\t\tdom0_end: .*?\};\n', more, re.DOTALL).group()
            more = more.replace(end, '').replace('\t\tdomU1 {', end + '\t\tdomU1 {')
        with open(self.dir / 'machine.dts', 'a') as dts:
            dts.write(more)
        dtc('-I', 'dts', '-O', 'dtb', '-o', 'machine.dtb', 'machine.dts')
        return [*loaders, '-dtb', self.dir / 'machine.dtb']
