#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Copy kernel modules and all they depend on, uncompressed, into one folder.

modules.py MODULES OUT NAME...: MODULES is a kernel's lib/modules/RELEASE, OUT
gets the modules and the modules.dep that modprobe reads. A name that the kernel
has built in is passed over; a name that ends in '?' may be missing altogether.
"""

import lzma
import pathlib
import re
import sys


def plain(name):
    return name.split('.ko')[0].replace('-', '_')


def content(path):
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == '.xz' else data


def main():
    source, out = (pathlib.Path(p) for p in sys.argv[1:3])
    found = {plain(p.name): p for p in (source / 'kernel').rglob('*.ko*')}
    builtin = {plain(pathlib.Path(line).name)
               for line in (source / 'modules.builtin').read_text().split()}
    needs = {}

    def copy(name):
        name, optional = name.removesuffix('?'), name.endswith('?')
        name = plain(name)
        if name in needs or name in builtin:
            return
        if name not in found:
            if optional:
                return
            sys.exit(f'modules.py: {source} has no {name}')
        data = content(found[name])
        (out / f'{name}.ko').write_bytes(data)
        depends = re.search(rb'\0depends=([^\0]*)\0', data).group(1).decode()
        needs[name] = [plain(n) for n in depends.split(',') if n]
        for each in needs[name]:
            copy(each)

    def closure(name):
        for each in needs[name]:
            if each in needs:
                yield each
                yield from closure(each)

    out.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[3:]:
        copy(name)
    with open(out / 'modules.dep', 'w') as dep:
        for name in sorted(needs):
            # modprobe inserts from the end: of what is there twice the last counts.
            order = dict.fromkeys(reversed(list(closure(name))))
            print(f'{name}.ko:', *(f'{n}.ko' for n in reversed(order)), file=dep)


main()
