#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Unpack the kernel in a bzImage, as libxl would do it on the emulated processor.

vmlinux.py IMAGE OUT: OUT is the ELF file that IMAGE carries (boot protocol 2.08:
payload_offset and payload_length), or IMAGE itself if that is none.
"""

import pathlib
import shutil
import struct
import subprocess
import sys

RIG = pathlib.Path(__file__).resolve().parent

# How a payload begins, and what unpacks it.
PACKERS = {b'\x1f\x8b': 'gzip', b'\xfd7zXZ\x00': 'xz', b'\x28\xb5\x2f\xfd': 'zstd'}


def main():
    image, out = (pathlib.Path(p) for p in sys.argv[1:3])
    data = image.read_bytes()
    if data[0x202:0x206] != b'HdrS':
        shutil.copy(image, out)
        return
    start, length = struct.unpack_from('<II', data, 0x248)
    start += (data[0x1f1] + 1) * 512
    # The last four bytes tell how long it is unpacked.
    payload = data[start:start + length - 4]
    packer = next((p for magic, p in PACKERS.items() if payload.startswith(magic)), None)
    if not packer:
        sys.exit(f'vmlinux.py: {image} is packed in a way that is not known here')
    done = subprocess.run([RIG / 'in-build', packer, '-dc'], input=payload,
                          stdout=subprocess.PIPE, check=False)
    if done.returncode or not done.stdout.startswith(b'\x7fELF'):
        sys.exit(f'vmlinux.py: {packer} does not unpack {image}')
    out.write_bytes(done.stdout)


main()
