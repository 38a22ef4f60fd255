#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""archive.py FOLDER: an archive of tiny packages on 127.0.0.1, for fetch.t.

stdin says what it has, a line each:

  deb SUITE ARCHITECTURE PACKAGE VERSION [depends=LIST] [FILE...]   a package with
                FILEs, or with one of its own; FILE=FROM has what is in FROM
  source SUITE PACKAGE VERSION                                      a source package

Its address is written to FOLDER/address when it is ready. FOLDER/answers, which is read
for each request, has lines "STATUS GLOB [TIMES]": files whose names match have that
answer, for as many times. FOLDER/log has a line for each request: "STATUS NAME".
"""

import collections
import fnmatch
import hashlib
import http.server
import io
import pathlib
import sys
import tarfile
import urllib.parse

ARCHITECTURES = 'amd64', 'arm64'


def tar(members, mode):
    """A tar file of {name: content}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as file:
        for name, data in members.items():
            member = tarfile.TarInfo('./' + name)
            member.size = len(data)
            member.mode = 0o644
            file.addfile(member, io.BytesIO(data))
    return out.getvalue()


def deb(control, members):
    out = b'!<arch>\n'
    for name, data in (('debian-binary', b'2.0\n'),
                       ('control.tar', tar({'control': control.encode()}, 'w')),
                       ('data.tar', tar(members, 'w'))):
        out += f'{name:<16}{0:<12}{0:<6}{0:<6}{"100644":<8}{len(data):<10}`\n'.encode()
        out += data + b'\n' * (len(data) % 2)
    return out


class Archive:
    def __init__(self, lines):
        self.files = {}
        self.lists = collections.defaultdict(str)
        for line in lines:
            kind, *words = line.split()
            {'deb': self.add_package, 'source': self.add_source}[kind](*words)
        for suite in {path.split('/')[0] for path in self.lists}:
            self.add_suite(suite)

    def add_package(self, suite, arch, package, version, *words):
        depends = ''
        members = {}
        for word in words:
            name, _, value = word.partition('=')
            if name == 'depends':
                depends = 'Depends: ' + value.replace(',', ', ').replace('(', ' (= ') + '\n'
            else:
                members[name] = pathlib.Path(value).read_bytes() if value else package.encode()
        control = (f'Package: {package}\nVersion: {version}\nArchitecture: {arch}\n'
                   f'Maintainer: x\nDescription: x\n{depends}')
        if package.startswith(('xen', 'libxen')):
            control += 'Source: xen\n'
        data = deb(control, members or {f'usr/share/{package}-{version}': b'x'})
        path = f'pool/{suite}/{package}_{version.replace(":", ".")}_{arch}.deb'
        self.files[path] = data
        self.lists[f'{suite}/main/binary-{arch}/Packages'] += (
            f'{control}Filename: {path}\nSize: {len(data)}\n'
            f'SHA256: {hashlib.sha256(data).hexdigest()}\n\n')

    def add_source(self, suite, package, version):
        upstream = version.split(':')[-1]
        stem = f'{package}_{upstream}'
        sums = ''
        for name in (f'{stem}.dsc', f'{package}_{upstream.rpartition("-")[0]}.orig.tar.xz',
                     f'{stem}.debian.tar.xz'):
            data = tar({f'{package}/README': b'x'}, 'w:xz')
            self.files[f'pool/{suite}/{name}'] = data
            sums += f' {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n'
        self.lists[f'{suite}/main/source/Sources'] += (
            f'Package: {package}\nBinary: {package}\nVersion: {version}\nFormat: 3.0 (quilt)\n'
            f'Maintainer: x\nArchitecture: any\nDirectory: pool/{suite}\n'
            f'Checksums-Sha256:\n{sums}\n')

    def add_suite(self, suite):
        names = [f'main/binary-{arch}/Packages' for arch in ARCHITECTURES] + ['main/source/Sources']
        release = (f'Suite: {suite}\nCodename: {suite}\nComponents: main\n'
                   f'Architectures: {" ".join(ARCHITECTURES)}\n'
                   'Date: Sat, 01 Jan 2022 00:00:00 UTC\nSHA256:\n')
        for name in names:
            data = self.lists[f'{suite}/{name}'].encode()
            self.files[f'dists/{suite}/{name}'] = data
            release += f' {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n'
        self.files[f'dists/{suite}/Release'] = release.encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    archive = folder = None
    seen = collections.Counter()

    def status(self, path):
        name = path.rpartition('/')[2]
        for line in (self.folder / 'answers').read_text().splitlines():
            status, glob, *times = line.split()
            if fnmatch.fnmatchcase(name, glob):
                self.seen[line, name] += 1
                if not times or self.seen[line, name] <= int(times[0]):
                    return int(status)
        return 200 if path in self.archive.files else 404

    def do_GET(self):
        path = urllib.parse.unquote(self.path).lstrip('/')
        status = self.status(path)
        data = self.archive.files[path] if status == 200 else b''
        with open(self.folder / 'log', 'a') as log:
            print(status, path.rpartition('/')[2], file=log)
        self.send_response(status)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


def main():
    Handler.folder = pathlib.Path(sys.argv[1])
    Handler.archive = Archive(sys.stdin)
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        address = Handler.folder / 'address.new'
        address.write_text('http://127.0.0.1:%d\n' % server.server_address[1])
        address.rename(Handler.folder / 'address')
        server.serve_forever()


main()
