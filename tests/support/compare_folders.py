#!/usr/bin/python3
"""Compare two folders of DICOM files: the same instances, each data set byte for byte the same.

compare_folders.py SENT RECEIVED

Instances are matched by their SOP Instance UID. The file meta information is not compared, as whoever keeps an instance
writes its own; the transfer syntax in it is. Uses nothing but Python's own library.
"""
import os
import struct
import sys

LONG_VRS = (b'OB', b'OW', b'UN', b'SQ', b'UT', b'OF', b'OD', b'OL', b'UC', b'UR', b'OV', b'SV', b'UV')


def split(data):
    """A Part 10 file: its meta information {element: value}, and where its data set begins."""
    if data[128:132] != b'DICM':
        raise ValueError('not a DICOM file')
    meta, at = {}, 132
    while at + 8 <= len(data) and data[at:at + 2] == b'\x02\x00':
        element = struct.unpack_from('<H', data, at + 2)[0]
        if data[at + 4:at + 6] in LONG_VRS:
            length, at = struct.unpack_from('<I', data, at + 8)[0], at + 12
        else:
            length, at = struct.unpack_from('<H', data, at + 6)[0], at + 8
        meta[element] = data[at:at + length]
        at += length
    return meta, at


def read_folder(folder):
    """{SOP Instance UID: path} of all files below."""
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, 'rb') as file:
                meta, _ = split(file.read(64 * 1024))
            uid = meta[0x0003].rstrip(b'\0 ').decode('ascii')
            if uid in found:
                raise ValueError(f'{path}: the same SOP Instance UID as {found[uid]}')
            found[uid] = path
    return found


def same(sent_path, received_path):
    """Whether data set and transfer syntax are the same, and how many bytes the data set has."""
    with open(sent_path, 'rb') as file:
        sent = file.read()
    with open(received_path, 'rb') as file:
        received = file.read()
    sent_meta, sent_at = split(sent)
    received_meta, received_at = split(received)
    syntaxes = (sent_meta[0x0010].rstrip(b'\0'), received_meta[0x0010].rstrip(b'\0'))
    return syntaxes[0] == syntaxes[1] and sent[sent_at:] == received[received_at:], len(sent) - sent_at


def main():
    sent, received = read_folder(sys.argv[1]), read_folder(sys.argv[2])
    problems = [f'not received: {sent[uid]}' for uid in sorted(sent.keys() - received.keys())]
    problems += [f'received and never sent: {received[uid]}' for uid in sorted(received.keys() - sent.keys())]
    total = 0
    for uid in sorted(sent.keys() & received.keys()):
        equal, size = same(sent[uid], received[uid])
        total += size
        if not equal:
            problems.append(f'not the same data set: {sent[uid]} and {received[uid]}')
    for problem in problems[:20]:
        print(problem)
    if problems or not sent:
        print(f'{len(problems)} of {len(sent)} instances differ')
        return 1
    print(f'demo passed: {len(sent)} of {len(sent)} instances arrived, '
          f'all {total / 1e6:.1f} MB of data sets byte for byte as they were sent')
    return 0


if __name__ == '__main__':
    sys.exit(main())
