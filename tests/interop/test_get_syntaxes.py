"""dicom-mover --get fetches instances in every transfer syntax of the standard, as they lie there."""
import pathlib
import re
import struct
import zlib

from support import datasets, peers, programs
from support.base import ProgramTest

UID_TABLE = pathlib.Path(__file__).parents[2] / 'src' / 'wire' / 'uid_table.h'
ROW = re.compile(r'^\{"([\d.]+)", "(\w+)",\n "[^"]*", DICOMNET_UID_KIND_TRANSFER_SYNTAX, ([^}]*)\},$', re.MULTILINE)
STORAGE = '1.2.840.10008.5.1.4.1.1.'
# What a data set of a C-STORE cannot have: a mail, XML, live video over RTP.
NO_DATA_SET = ('1.2.840.10008.1.2.6.', '1.2.840.10008.1.2.7.')
# Options of dcmqrscp, each of which has it take and send one more transfer syntax.
OF_DCMQRSCP = {'+xs': '1.2.840.10008.1.2.4.70', '+xv': '1.2.840.10008.1.2.4.90', '+xt': '1.2.840.10008.1.2.4.80',
               '+xr': '1.2.840.10008.1.2.5', '+xn': '1.2.840.10008.1.2.4.102', '+x5': '1.2.840.10008.1.2.4.108'}


def transfer_syntaxes():
    """{UID: its flags}"""
    return {uid: flags for uid, _, flags in ROW.findall(UID_TABLE.read_text(encoding='ascii'))
            if not uid.startswith(NO_DATA_SET)}


def encode(elements, flags):
    """(group, element, VR, value): the data set as a transfer syntax with these flags has it; None: encapsulated."""
    order = '>' if 'BIG_ENDIAN' in flags else '<'
    data = b''
    for group, number, vr, value in elements:
        if value is None:
            frame = bytes(range(64))
            data += struct.pack('<HH2s2xI', group, number, b'OB', 0xFFFFFFFF)
            data += struct.pack('<HHIHHI', 0xFFFE, 0xE000, 0, 0xFFFE, 0xE000, len(frame)) + frame
            data += struct.pack('<HHI', 0xFFFE, 0xE0DD, 0)
            continue
        value = value.encode() + (b'\0' if vr == 'UI' else b' ') * (len(value) % 2)
        if 'IMPLICIT_VR' in flags:
            data += struct.pack('<HHI', group, number, len(value)) + value
        else:
            data += struct.pack(f'{order}HH2sH', group, number, vr.encode(), len(value)) + value
    if 'DEFLATED' in flags:
        deflate = zlib.compressobj(wbits=-15)
        data = deflate.compress(data) + deflate.flush()
        data += b'\0' * (len(data) % 2)
    return data


class EverySyntax(ProgramTest):
    def write(self, syntax_uid, flags, number, class_uid):
        elements = [(8, 0x16, 'UI', class_uid), (8, 0x18, 'UI', datasets.uid(7, number)), (8, 0x60, 'CS', 'OT'),
                    (0x10, 0x10, 'PN', 'SYNTAX^EVERY'), (0x10, 0x20, 'LO', 'S7'), (0x20, 0xD, 'UI', datasets.uid(7)),
                    (0x20, 0xE, 'UI', datasets.uid(7, 0, 1)), (0x20, 0x13, 'IS', str(number))]
        if 'ENCAPSULATED' in flags:
            elements.append((0x7FE0, 0x10, 'OB', None))
        path = self.source / f'{number:03}.dcm'
        path.write_bytes(datasets.meta_information(datasets.uid(7, number), syntax_uid, class_uid) +
                         encode(elements, flags))
        return path, *datasets.split_part10(path.read_bytes())

    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')

    def get(self, archive, entries):
        """All of it, each byte for byte in its own syntax. The run. entries: of write."""
        output = self.folder / 'got'
        run = programs.run_mover(archive, '--all', '--get', '-o', output)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
        for path, meta, data_set in entries:
            got_meta, got = datasets.split_part10((output / f'{meta[0x03]}.dcm').read_bytes())
            self.assertEqual(got_meta[0x10], meta[0x10], path)
            self.assertTrue(datasets.same_data_set(data_set, got), meta[0x10])
        return run

    def archive(self):
        return self.start(programs.Archive('--import', self.source, '--transcode', 'never'))

    def test_of_one_class(self):
        entries = [self.write(uid, flags, number, STORAGE + '7')
                   for number, (uid, flags) in enumerate(transfer_syntaxes().items(), 1)]
        self.assertGreater(len(entries), 50)
        run = self.get(self.archive(), entries)
        self.assertEqual(run.summary['rounds'], 1, run)

    def test_of_fifteen_classes(self):
        """Each lies in a syntax of its own, also in one that shares its context with others."""
        uids = sorted(transfer_syntaxes())
        classes = [STORAGE + end for end in ('1', '1.1', '1.2', '2', '4', '6.1', '3.1', '7', '12.1', '12.2', '20', '128',
                                             '77.1.4', '77.1.1', '481.1')]
        for first in range(0, len(uids), len(classes)):
            with self.subTest(first=first):
                for path in datasets.files_below(self.folder):
                    path.unlink()
                entries = [self.write(uid, transfer_syntaxes()[uid], number, class_uid)
                           for number, (uid, class_uid) in enumerate(zip(uids[first:], classes), 1)]
                run = self.get(self.archive(), entries)
                self.assertEqual(run.summary['rounds'], 1, run)

    def test_from_dcmqrscp(self):
        """It decompresses nothing, and sends all in the first context of the class that it accepted."""
        for number, (option, uid) in enumerate(OF_DCMQRSCP.items()):
            with self.subTest(option=option):
                entries = [self.write(syntax, transfer_syntaxes()[syntax], 10 * number + i, STORAGE + '7')
                           for i, syntax in enumerate((uid, datasets.EXPLICIT_LITTLE))]
                archive = self.start(peers.Dcmqrscp((), option))
                archive.index([path for path, _, _ in entries])
                self.get(archive, entries)
                archive.stop()

    def test_from_orthanc(self):
        """What its DCMTK knows; Debian's 3.6.7 has neither HTJ2K nor JPEG XL."""
        entries = [self.write(syntax, transfer_syntaxes()[syntax], number, STORAGE + '7')
                   for number, syntax in enumerate((*OF_DCMQRSCP.values(), '1.2.840.10008.1.2.4.107',
                                                    '1.2.840.10008.1.2.4.100', datasets.EXPLICIT_LITTLE), 1)]
        archive = self.start(peers.Orthanc())
        for path, _, _ in entries:
            archive.add_file(path.read_bytes())
        self.get(archive, entries)
