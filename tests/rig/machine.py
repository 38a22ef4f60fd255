# SPDX-License-Identifier: GPL-2.0-only
"""The emulated machine: Xen with dom0 and its agent, booted or restored."""

import contextlib
import fcntl
import hashlib
import inspect
import json
import os
import pathlib
import select
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time

RIG = pathlib.Path(__file__).resolve().parent
TOP = RIG.parent.parent
CACHE = pathlib.Path(os.environ.get('XGD_CACHE') or TOP / '.cache').absolute()
IMAGE = CACHE / 'image'

# The sizes of the disks are part of a snapshot, their content is not.
DISK_SIZE = 128 << 20
PAYLOAD_BLOCK = 64 << 10

SNAPSHOTS = ('dom0', 'guest')
BOOT_SECONDS = 180
SAVE_TRIES = 50
# A machine that says nothing for so long may stand still.
SILENCE_SECONDS = 100
STILL_SECONDS, STILL_TICKS = 20, 8


class Dead(Exception):
    """The machine went away, or does not answer."""


def say(text):
    print(text, file=sys.stderr, flush=True)


class Machine:
    """One QEMU. dom0's agent talks through its standard input and output."""

    cache = CACHE
    image = IMAGE
    # What the fetchers could not get for it.
    missing = CACHE / 'missing'
    program = (RIG / 'qemu', 'x86_64')
    # What the payload has beside the cases' own helpers.
    helpers = ()
    # How many times as long as here a case may take.
    patience = 1

    @staticmethod
    def headers(kernel):
        """The piece that has a kernel's headers."""
        return f'headers-{kernel}-amd64'

    def __init__(self, log, payload=None, restore=None, smp=1, memory=1280,
                 dom0_memory=512, pvh_dom0=False, disk=None, passed=None):
        self.log = pathlib.Path(log)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='xgd-'))
        self.out = self.dir / 'out'
        self.pending = b''
        self.qmp = None
        payload = payload or self.dir / 'payload'
        for file in (payload, self.out):
            with open(file, 'ab') as f:
                f.truncate(DISK_SIZE)

        command = self.qemu(payload, smp, memory, dom0_memory, pvh_dom0)
        if disk:
            # What is written is gone with the machine.
            command += ['-drive', f'if=none,id=disk,file={disk},format=raw,snapshot=on',
                        '-device', 'virtio-blk-pci,drive=disk,addr=8']
        if passed:
            command += ['-device', 'amd-iommu',
                        '-device', f'{passed},addr=9,disable-legacy=on,iommu_platform=on']
        if restore:
            command += ['-incoming', f'exec:cat {restore}']
        # However this process ends, QEMU must not stay.
        command = ['setpriv', '--pdeathsig', 'KILL', *command]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=open(self.log / 'qemu.log', 'wb'),
                                        start_new_session=True)
        if restore:
            try:
                while self.command('query-status')['status'] == 'inmigrate':
                    time.sleep(0.05)
                self.command('cont')
            except Dead:
                self.close()
                raise

    def qemu(self, payload, smp, memory, dom0_memory, pvh_dom0):
        """QEMU's command line."""
        # eager-fpu: where Xen switches floating point and SSE registers lazily, an
        # emulated SVM mixes them up between dom0 and a PVH guest.
        xen = ['console=com1', 'com1=115200,8n1', 'loglvl=all', 'guest_loglvl=all',
               'conring_size=1M', 'bootscrub=0', 'spec-ctrl=eager-fpu',
               f'dom0_mem={dom0_memory}M,max:{dom0_memory}M']
        # smap: a PV dom0 dies early. monitor: Xen crashes in
        # mwait_idle. rdtscp: a PVH guest hangs. xsave: what it says of sizes makes
        # Linux 7.2 oops.
        command = [*self.program, '-machine', 'q35', '-accel', 'tcg',
                   '-cpu', 'EPYC,+svm,-smap,-monitor,-rdtscp,-xsave',
                   '-smp', str(smp), '-m', str(memory),
                   '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none',
                   '-serial', f'file:{self.log / "console.log"}',
                   '-chardev', 'stdio,id=agent,signal=off',
                   '-qmp', f'unix:{self.dir}/qmp,server=on,wait=off']
        platform = ''
        if pvh_dom0:
            # Its addresses are not the machine's: all devices go through the IOMMU.
            xen.append('dom0=pvh')
            command += ['-device', 'amd-iommu']
            platform = ',disable-legacy=on,iommu_platform=on'
        # Not the second serial port: now and then its interrupt is lost, for good.
        command += ['-device', f'virtio-serial-pci,addr=7{platform}',
                    '-device', 'virtserialport,chardev=agent,nr=1']
        command += ['-kernel', IMAGE / 'xen', '-append', ' '.join(xen),
                    '-initrd', f'{IMAGE}/vmlinuz console=hvc0 quiet loglevel=4 panic=1,'
                               f'{IMAGE}/dom0.cpio']
        for slot, (name, file, ro) in enumerate((('tools', IMAGE / 'tools.img', 'on'),
                                                 ('payload', payload, 'on'),
                                                 ('out', self.out, 'off')), 4):
            command += ['-drive', f'if=none,id={name},file={file},format=raw,'
                                  f'readonly={ro},file.locking=off',
                        '-device', f'virtio-blk-pci,drive={name},addr={slot}{platform}']
        return command

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir)

    def send(self, line):
        try:
            self.process.stdin.write(line.encode() + b'\n')
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Dead('the machine is gone') from None

    def lines(self, deadline):
        """The agent's lines, up to and without "rig: ...", which is returned."""
        while True:
            while b'\n' in self.pending:
                line, self.pending = self.pending.split(b'\n', 1)
                line = line.decode(errors='replace').rstrip('\r')
                if line.startswith(('rig: done', 'rig: ready')):
                    return line
                yield line
            left = deadline - time.monotonic()
            if left <= 0:
                raise Dead('no end in time')
            if not select.select([self.process.stdout], [], [], min(left, SILENCE_SECONDS))[0]:
                self.check_silence()
                continue
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise Dead('the machine stopped: Xen or dom0 crashed')
            self.pending += data

    def check_silence(self):
        """Note what a machine does that has not said a word for long. It is gone if it
        does nothing: even one that waits has clocks.

        Now and then an emulated processor waits for an interrupt that does not come.
        """
        with open(self.log / 'silence', 'a') as file:
            ticks = self.ticks()
            time.sleep(STILL_SECONDS)
            ticks = self.ticks() - ticks
            print(f'{time.ctime()}: {ticks} ticks in {STILL_SECONDS} s', file=file)
            for what in ('registers -a', 'lapic', 'irq'):
                print(self.command('human-monitor-command',
                                   **{'command-line': f'info {what}'}), file=file)
        if ticks <= STILL_TICKS:
            raise Dead('the emulated machine stands still')

    def ticks(self):
        """How much processor time the emulator has used, in hundredths of a second."""
        stat = pathlib.Path(f'/proc/{self.process.pid}/stat').read_text().rpartition(')')[2].split()
        return int(stat[11]) + int(stat[12])

    def expect(self, answer, seconds):
        """Wait for an answer of the agent."""
        lines = self.lines(time.monotonic() + seconds)
        said = []
        while True:
            try:
                said.append(next(lines))
            except StopIteration as end:
                if end.value == answer:
                    return
                raise Dead('\n'.join(said + [end.value])) from None

    def terminal(self, listener):
        """A shell in dom0 for who connects, until it ends or he leaves."""
        with listener.accept()[0] as person:
            self.send('terminal ' + person.recv(64).decode())
            mine = self.process.stdout.fileno()
            seen = b''
            while True:
                ready = select.select([person, mine], [], [])[0]
                if person in ready:
                    if not (data := person.recv(4096)):
                        return
                    self.process.stdin.write(data)
                    self.process.stdin.flush()
                if mine in ready:
                    if not (data := os.read(mine, 65536)):
                        return
                    person.sendall(data)
                    seen = (seen + data)[-64:]
                    if b'rig: done' in seen:
                        return

    def command(self, execute, **arguments):
        """A QMP command and its result."""
        if not self.qmp:
            self.qmp = self.connect(f'{self.dir}/qmp')
            self.command('qmp_capabilities')
        try:
            print(json.dumps({'execute': execute, 'arguments': arguments}), file=self.qmp,
                  flush=True)
            while line := self.qmp.readline():
                reply = json.loads(line)
                if 'error' in reply:
                    raise Dead(f'{execute}: {reply["error"]["desc"]}')
                if 'return' in reply:
                    return reply['return']
        except OSError:
            pass
        raise Dead(tail(self.log / 'qemu.log'))

    def connect(self, path):
        with socket.socket(socket.AF_UNIX) as connection:
            while True:
                try:
                    connection.connect(path)
                    return connection.makefile('rw')
                except OSError:
                    if self.process.poll() is not None:
                        raise Dead(tail(self.log / 'qemu.log')) from None
                    time.sleep(0.02)

    def save(self, file):
        """Write a snapshot that can be loaded, then go on.

        One of a processor that is just in a guest (SVM) cannot: cpu_post_load() of QEMU
        refuses it.
        """
        for _ in range(SAVE_TRIES):
            self.write(file)
            try:
                with tempfile.TemporaryDirectory(prefix='xgd-') as log:
                    type(self)(log, restore=file).close()
                return
            except Dead as dead:
                reason = dead
            time.sleep(0.1)
        raise Dead(f'no snapshot can be loaded: {reason}')

    def write(self, file):
        """Write a snapshot, then go on."""
        self.command('stop')
        self.command('migrate', uri=f'exec:cat >{file}')
        while (status := self.command('query-migrate').get('status')) != 'completed':
            if status == 'failed':
                raise Dead('migrate failed')
            time.sleep(0.1)
        self.command('cont')


def snapshot_key(kind):
    """Everything that a snapshot depends on, as one short word."""
    digest = hashlib.sha256()
    digest.update((kind.image / 'base.key').read_bytes())
    for file in sorted({__file__, inspect.getfile(kind)}):
        digest.update(pathlib.Path(file).read_bytes())
    digest.update(subprocess.check_output([*kind.program, '--version']))
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def lock(name):
    """Keep other processes out meanwhile."""
    with open(CACHE / name, 'w') as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def snapshot(name, kind=Machine):
    """The file of a snapshot, made now if there is none."""
    folder = kind.cache / 'snapshot' / snapshot_key(kind)
    with lock(kind.cache / 'snapshot.lock'):
        if not folder.exists():
            make_snapshots(folder, kind)
    return folder / name


def kernel_snapshot(kernel, kind=Machine):
    """The file of a snapshot like "guest", but of a guest with another kernel."""
    start = snapshot('dom0', kind)
    key = hashlib.sha256((kind.image / f'{kernel}.key').read_bytes()).hexdigest()[:16]
    file = start.with_name(f'guest-{kernel}-{key}')
    with lock(kind.cache / 'snapshot.lock'):
        if not file.exists():
            make_kernel_snapshot(file, start, kernel, kind)
    return file


def make_kernel_snapshot(file, start, kernel, kind):
    say(f'booting a guest with the kernel {kernel}')
    for old in file.parent.glob(f'guest-{kernel}-*'):
        old.unlink()
    log = kind.cache / 'log' / f'snapshot-{kernel}'
    log.mkdir(parents=True, exist_ok=True)
    work = file.with_suffix('.new')
    with tempfile.TemporaryDirectory(prefix='xgd-') as folder:
        payload = pathlib.Path(folder) / 'payload'
        sizes = pack(payload, [], [(kind.image / f'guest-{kernel}', f'guest-{kernel}')])
        machine = kind(log, payload, restore=start)
        try:
            machine.send(f'guest {sizes} {kernel}')
            machine.expect('rig: done 0', BOOT_SECONDS * 2)
            machine.save(work)
        except Dead as dead:
            sys.exit(f'rig: no snapshot: {dead}\n{tail(log / "console.log")}')
        finally:
            machine.close()
    work.rename(file)
    say('its snapshot is ready')


def pack(file, members, dom0):
    """A disk with files and folders under other names: for all, and just for dom0.

    These are two archives: guests have no room for kernels that others are booted with.
    The sizes of both, in PAYLOAD_BLOCK, as dom0-agent wants them.
    """
    sizes = []
    with open(file, 'wb') as disk:
        for archive in (members, dom0):
            begin = disk.tell()
            if archive:
                with tarfile.open(fileobj=disk, mode='w', format=tarfile.GNU_FORMAT) as tar:
                    for path, name in archive:
                        tar.add(path, name)
            disk.truncate(-(-disk.tell() // PAYLOAD_BLOCK) * PAYLOAD_BLOCK)
            disk.seek(0, os.SEEK_END)
            sizes.append((disk.tell() - begin) // PAYLOAD_BLOCK)
    if file.stat().st_size > DISK_SIZE:
        sys.exit(f'rig: {file} is larger than {DISK_SIZE} bytes')
    return ' '.join(map(str, sizes))


def make_snapshots(folder, kind):
    begin = time.monotonic()

    def progress(text):
        say(f'{time.monotonic() - begin:4.0f} s  {text}')

    shutil.rmtree(folder.parent, ignore_errors=True)
    work = folder.with_suffix('.new')
    work.mkdir(parents=True)
    progress('booting Xen and dom0')
    machine = kind(work)
    try:
        machine.expect('rig: ready', BOOT_SECONDS)
        progress('dom0 is up; saving')
        machine.save(work / 'dom0')
        progress('booting the guest')
        machine.send('guest')
        machine.expect('rig: done 0', BOOT_SECONDS)
        progress('the guest is up; saving')
        machine.save(work / 'guest')
    except Dead as dead:
        sys.exit(f'rig: no snapshot: {dead}\n{tail(work / "console.log")}')
    finally:
        machine.close()
    work.rename(folder)
    progress('snapshots are ready')


def tail(file, lines=30):
    """The last lines of a log."""
    try:
        return '\n'.join(file.read_text(errors='replace').splitlines()[-lines:])
    except FileNotFoundError:
        return f'{file.name}: none'
