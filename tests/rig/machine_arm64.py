# SPDX-License-Identifier: GPL-2.0-only
"""The arm64 machine, always emulated."""

import machine


class Arm64(machine.Machine):
    """As the x86 machine, but for what QEMU and Xen are told."""

    cache = machine.CACHE / 'arm64'
    image = cache / 'image'
    program = 'qemu-system-aarch64'
    patience = 2
    helpers = tuple(sorted((machine.TOP / 'tests' / 'e2e-arm64').glob('*.sh')))

    # Where QEMU puts what Xen boots dom0 from.
    KERNEL = 0x60000000
    INITRAMFS = 0x66000000

    def qemu(self, payload, smp, memory, dom0_memory, pvh_dom0):
        """QEMU's command line."""
        xen = ['console=dtuart', 'dtuart=/pl011@9000000', 'loglvl=all', 'guest_loglvl=all',
               'conring_size=1M', 'bootscrub=0', f'dom0_mem={dom0_memory}M', 'dom0_max_vcpus=1']
        # neoverse-n1: cortex-a57 has no 16K pages.
        command = [self.program,
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
        return command
