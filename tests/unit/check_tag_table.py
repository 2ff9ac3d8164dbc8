#!/usr/bin/python3
"""Check src/wire/tag_table.h (the argument) against pydicom's dictionary. Exits 77 (skipped) if pydicom is missing."""
import re
import sys

try:
    from pydicom.datadict import DicomDictionary
    from pydicom._version import __dicom_version__
except ImportError:
    print('pydicom is not installed')
    sys.exit(77)

text = open(sys.argv[1], encoding='ascii').read()
rows = [(int(tag, 16), vr, keyword) for tag, vr, keyword in
        re.findall(r'^\{0x([0-9A-F]{8}), "([A-Z]{2})", "(\w+)"\},$', text, re.MULTILINE)]
table = {tag: (vr, keyword) for tag, vr, keyword in rows}
wrong = []
if text.count('\n{') != len(rows):
    wrong.append('a row cannot be read')
if [row[0] for row in rows] != sorted(table):
    wrong.append('the rows are not in ascending order, or a tag stands twice')
if len({keyword.lower() for _, keyword in table.values()}) != len(table):
    wrong.append('two keywords differ in case only')
edition = re.search(r'edition (\w+)', text).group(1)
theirs = {tag: (vr, keyword) for tag, (vr, _vm, _name, _retired, keyword) in DicomDictionary.items()
          if keyword and tag >> 16 not in (0x0000, 0xFFFE)}
if edition == __dicom_version__:
    wrong += ['(%04X,%04X) is not in both' % (tag >> 16, tag & 0xFFFF) for tag in set(table) ^ set(theirs)]
for tag in set(table) & set(theirs):
    if table[tag][1] != theirs[tag][1] or table[tag][0] not in theirs[tag][0].split(' or '):
        wrong.append('(%04X,%04X): %s, not %s' % (tag >> 16, tag & 0xFFFF, table[tag], theirs[tag]))
print(*wrong, '%d rows of edition %s: %d wrong' % (len(rows), edition, len(wrong)), sep='\n')
sys.exit(1 if wrong else 0)
