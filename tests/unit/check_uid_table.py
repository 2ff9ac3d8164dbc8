#!/usr/bin/python3
"""Check src/wire/uid_table.h (the argument) against pydicom's dictionary.

Rows are compared one by one; the flags with what pydicom's own UID class says of a transfer syntax, and with the
storage classes that pydicom.uid lists by name. Exits 77 (skipped) if pydicom is missing.
"""
import re
import sys

try:
    import pydicom.uid
    from pydicom._uid_dict import UID_dictionary
    from pydicom._version import __dicom_version__
except ImportError:
    print('pydicom is not installed')
    sys.exit(77)

ROW = re.compile(r'^\{"([^"]*)", "([^"]*)",\n "((?:[^"\\]|\\.)*)", (DICOMNET_UID_KIND_\w+), ([^}]*)\},$', re.MULTILINE)
KINDS = {'SOP Class': 'DICOMNET_UID_KIND_SOP_CLASS', 'Meta SOP Class': 'DICOMNET_UID_KIND_META_SOP_CLASS',
         'Transfer Syntax': 'DICOMNET_UID_KIND_TRANSFER_SYNTAX'}

wrong = []


def expect(is_so, text):
    if not is_so:
        wrong.append(text)


text = open(sys.argv[1], encoding='ascii').read()
rows = [(uid, keyword, name, kind, set(flags.split(' | ')) - {'0'}) for uid, keyword, name, kind, flags in
        ROW.findall(text)]
table = {row[0]: row for row in rows}
uids = [row[0] for row in rows]

expect(text.count('\n{') == len(rows), 'a row cannot be read')
expect(len(table) == len(rows), 'a UID stands twice')
expect(uids == sorted(uids), 'the rows are not in the order of strcmp')
edition = re.search(r'edition (\w+)', text).group(1)
if edition >= __dicom_version__:
    expect(set(table) >= set(UID_dictionary), 'missing: %s' % (set(UID_dictionary) - set(table)))
if edition != __dicom_version__:
    print('the table is of edition %s, pydicom of %s: only common rows are compared' % (edition, __dicom_version__))

for uid in set(table) & set(UID_dictionary):
    _, keyword, name, kind, flags = table[uid]
    its_name, its_type, _info, retired, its_keyword = UID_dictionary[uid]
    expect(name.replace('\\"', '"') == its_name and keyword == its_keyword, '%s: other name or keyword' % uid)
    expect(kind == KINDS.get(its_type, 'DICOMNET_UID_KIND_OTHER'), '%s: other kind' % uid)
    expect(('DICOMNET_UID_RETIRED' in flags) == (retired == 'Retired'), '%s: retired or not' % uid)
    is_class = kind == 'DICOMNET_UID_KIND_SOP_CLASS'
    expect('DICOMNET_UID_STORAGE' not in flags or is_class, '%s: storage, and no SOP class' % uid)
    expect(('DICOMNET_UID_QUERY_RETRIEVE' in flags) == (is_class and uid.startswith('1.2.840.10008.5.1.4.1.2.')),
           '%s: query/retrieve or not' % uid)
    for word in ('Query', '- FIND', '- MOVE', '- GET', 'Print Management', 'Worklist', 'Directory', 'Commitment'):
        expect(word not in name or 'DICOMNET_UID_STORAGE' not in flags, '%s: %s is not storage' % (uid, name))

# Classes that are named as storage constants in pydicom.uid, a list kept by hand there.
named = {uid for name, uid in vars(pydicom.uid).items() if isinstance(uid, pydicom.uid.UID) and 'Storage' in name}
expect(len(named) > 100, 'pydicom.uid names %d storage classes' % len(named))
for uid in named - {'1.2.840.10008.1.3.10'}:
    expect('DICOMNET_UID_STORAGE' in table[uid][4], '%s %s: not marked as storage' % (uid, table[uid][2]))

# What pydicom says of the syntaxes it can read; the rest has no pixel data of its own or is no binary encoding.
strange = {'1.2.840.10008.1.2.4.94', '1.2.840.10008.1.2.4.95', '1.2.840.10008.1.2.4.204', '1.2.840.10008.1.2.4.205',
           '1.2.840.10008.1.2.6.1', '1.2.840.10008.1.2.6.2',
           '1.2.840.10008.1.2.7.1', '1.2.840.10008.1.2.7.2', '1.2.840.10008.1.2.7.3', '1.2.840.10008.1.20'}
syntaxes = {uid for uid in table if table[uid][3] == 'DICOMNET_UID_KIND_TRANSFER_SYNTAX'}
for uid in syntaxes - strange:
    flags, its = table[uid][4], pydicom.uid.UID(uid)
    if uid not in UID_dictionary:  # newer than this pydicom: it cannot tell
        continue
    expect(('DICOMNET_UID_ENCAPSULATED' in flags) == its.is_encapsulated, '%s: encapsulated or not' % uid)
    expect(('DICOMNET_UID_BIG_ENDIAN' in flags) != its.is_little_endian, '%s: endianness' % uid)
    expect(('DICOMNET_UID_IMPLICIT_VR' in flags) == its.is_implicit_VR, '%s: implicit or not' % uid)
    expect(('DICOMNET_UID_DEFLATED' in flags) == its.is_deflated, '%s: deflated or not' % uid)
    lossless = re.search(r'Lossless|Little Endian|Big Endian', table[uid][2]) and 'Near' not in table[uid][2]
    expect(('DICOMNET_UID_LOSSY' in flags) == (not lossless), '%s: lossy or not' % uid)

for line in wrong:
    print(line)
print('%d rows of edition %s: %d wrong' % (len(rows), edition, len(wrong)))
sys.exit(1 if wrong else 0)
