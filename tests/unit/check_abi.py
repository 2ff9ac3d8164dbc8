"""check_abi - the names that libdicomnet.so exports, and the layout of all that its headers declare, against a list.

check_abi COMPILER HEADERS VERSION_SCRIPT LIST [--renew]

A program that was linked with an older libdicomnet of the same soname relies on what LIST says. What is added is no
harm to it; what is gone, has moved or has another size is. Either way LIST is to be renewed on purpose.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

DIE = re.compile(r'^ <(\w+)><(\w+)>: Abbrev Number: \d+(?: \((\w+)\))?')
ATTRIBUTE = re.compile(r'^ +<\w+> +(DW_AT_\w+) *: (.*)$')


def entries(text):
    """(depth, tag, {attribute: text}) of what readelf shows of the debugging information."""
    found = None
    for line in text.splitlines():
        begin, attribute = DIE.match(line), ATTRIBUTE.match(line)
        if begin:
            if found and found[1]:
                yield found
            found = (int(begin.group(1), 16), begin.group(3), {})
        elif attribute and found:
            found[2][attribute.group(1)] = attribute.group(2).strip()
    if found and found[1]:
        yield found


def name_of(attributes):
    return re.sub(r'^\(.*?\): ', '', attributes.get('DW_AT_name', ''))


def number_of(attributes, key):
    return int(re.sub(r'^\(.*?\) *', '', attributes.get(key, '0')).split()[0], 0)


def layout(compiler, headers):
    """A line for each struct, member and enumerator of the public headers."""
    with tempfile.TemporaryDirectory() as folder:
        source, built = pathlib.Path(folder, 'all.c'), pathlib.Path(folder, 'all.o')
        source.write_text(''.join(f'#include "dicomnet/{path.name}"\n' for path in sorted(headers.glob('*.h'))),
                          encoding='ascii')
        subprocess.run([compiler, '-c', '-g', '-gdwarf-4', '-fno-eliminate-unused-debug-types', '-D_GNU_SOURCE', '-I',
                        headers.parent, '-o', built, source], check=True)
        text = subprocess.run(['readelf', '--debug-dump=info', built], capture_output=True, text=True,
                              check=True).stdout
    inside = None
    for depth, tag, attributes in entries(text):
        name = name_of(attributes)
        if depth == 1:
            inside = None
            if tag == 'DW_TAG_structure_type' and name.startswith('dicomnet_') and 'DW_AT_byte_size' in attributes:
                inside = f'struct {name}'
                yield f'{inside}: {number_of(attributes, "DW_AT_byte_size")} bytes'
            elif tag == 'DW_TAG_enumeration_type':
                inside = 'enum'
        elif depth == 2 and inside == 'enum' and tag == 'DW_TAG_enumerator' and name.startswith('DICOMNET_'):
            yield f'{name} = {number_of(attributes, "DW_AT_const_value")}'
        elif depth == 2 and inside and tag == 'DW_TAG_member':
            yield f'{inside}.{name} at {number_of(attributes, "DW_AT_data_member_location")}'


def main():
    compiler, headers, version_script, kept, *renew = sys.argv[1:]
    kept = pathlib.Path(kept)
    names = re.findall(r'^ +(\w+);$', pathlib.Path(version_script).read_text(encoding='ascii'), re.MULTILINE)
    lines = [f'function or object {name}' for name in sorted(names)]
    lines += sorted(set(layout(compiler, pathlib.Path(headers))))
    if renew:
        kept.write_text('\n'.join(lines) + '\n', encoding='ascii')
        return 0
    before = kept.read_text(encoding='ascii').splitlines()
    gone, new = sorted(set(before) - set(lines)), sorted(set(lines) - set(before))
    for line in gone:
        print(f'gone:  {line}')
    for line in new:
        print(f'added: {line}')
    if gone or new:
        print(f'The binary interface is not what {kept.name} says. If that is meant (what is gone needs a new soname once '
              f'there has been a release), renew the list:\n  {" ".join(["python3", *sys.argv])} --renew')
    return 1 if gone or new else 0


if __name__ == '__main__':
    sys.exit(main())
