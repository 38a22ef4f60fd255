#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""messages.py SOURCES: is docs/reference.md true of the source? What is not is printed.

All that a user can see is there: messages of the log, parameters, files in debugfs and
tracepoints; and what is there is in the source. In the document `N`, `M`, `P`, `ADDRESS`
and `...` stand for what differs.
"""

import pathlib
import re
import sys

TOP = pathlib.Path(sys.argv[1])
DOC = (TOP / 'docs' / 'reference.md').read_text()
# What the document has of others.
FOREIGN = {'device must provide VIRTIO_F_ACCESS_PLATFORM',
           'deferred probe timeout, ignoring dependency', 'rmmod: ... in use'}

STRING = r'"(?:[^"\\]|\\.)*"'
LEVELS = '(?:err|warn|info|notice)'
CALL = re.compile(r'\b(pr_' + LEVELS + r'|dev_' + LEVELS + r'|dev_err_probe|xgd_refuse_err)'
                  r'(?:_ratelimited|_once)?\((?:[^";]*?)((?:' + STRING + r'\s*|[A-Z]\w*\s*)+)')


def literal(text):
    """What C makes of strings that stand side by side."""
    joined = ''.join(re.findall(STRING, text)).replace('""', '')
    return joined[1:-1].replace('\\n', '').replace('\\"', '"')


def messages():
    for file in sorted(TOP.glob('src/**/*.[ch]')):
        for name, text in CALL.findall(file.read_text()):
            said = literal(text)
            said = said.replace('/%s/parameters', '/xen_grant_dma/parameters')
            if name == 'xgd_refuse_err':
                said = f'refused: {said}'
            # Lines that only go on, and the frame of what is refused.
            if re.sub(r'%\w+', '', said.removeprefix('refused: ')).strip(' =:'):
                yield file.name, said


def pattern(code):
    """The messages that a line of the document is about."""
    words = re.split(r'(\.\.\.|\b[NMP]\b|\bADDRESS\b)', ' '.join(code.split()))
    return re.compile(''.join('.*' if i % 2 else re.escape(word) for i, word in enumerate(words)))


def main():
    wrong = []
    chapter = DOC.split('## What the log says')[1]
    # What has no space is a parameter or the like.
    codes = {' '.join(code.split()) for code in re.findall(r'`([^`]*)`', chapter) if ' ' in code}
    patterns = {code: pattern(code) for code in codes}
    used = set()
    for file, said in messages():
        found = {code for code, regex in patterns.items() if regex.fullmatch(said)}
        used |= found
        if not found:
            wrong.append(f'{file}: "{said}" is not in docs/reference.md')
    source = ''.join(file.read_text() for file in TOP.glob('src/**/*.[ch]'))
    for code in sorted(codes - used - FOREIGN):
        # What a message is given as an argument.
        longest = max(re.split(r'\.\.\.|\b[NMP]\b', code.removeprefix('no grants: ')), key=len).strip()
        if longest not in source:
            wrong.append(f'docs/reference.md: no message is like "{code}"')
    parameters = set(re.findall(r'^module_param_cb\((\w+)', source, re.M))
    told = set(re.findall(r'^- `(\w+)=?`', DOC.split('## Files')[0], re.M))
    wrong += [f'parameter {name}: either in the source or in the document' for name in parameters ^ told]
    for name in re.findall(r'debugfs_create_file\("(\w+)"', source) + \
            re.findall(r'(?:TRACE_EVENT\(|DEFINE_EVENT\(\w+, )(\w+)', source):
        if f'`{name}`' not in DOC:
            wrong.append(f'`{name}` is not in docs/reference.md')
    for line in wrong:
        print(line)
    return bool(wrong)


if __name__ == '__main__':
    sys.exit(main())
