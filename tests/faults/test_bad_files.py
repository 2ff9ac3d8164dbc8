"""Every kind of bad file at once among 500 good ones, files that change under way, and files that are far too much.

Each bad file has its reason, each good one is stored byte for byte. The receiver's access log and its folder are asked.
"""
import json
import os
import re
import shutil
import socket
import struct
import threading
import unittest
import zlib

from support import datasets, kept, network, programs
from support.base import ProgramTest
from support.datasets import element

PEAK_BYTES_MAX = 64 * 1024 * 1024
UNDEFINED = 0xFFFFFFFF
SEQUENCE_END = struct.pack('<HHI', 0xFFFE, 0xE0DD, 0)
ITEM = struct.pack('<HHI', 0xFFFE, 0xE000, 0)
JPEG = '1.2.840.10008.1.2.4.50'
ZEROS = {'zeros.dcm': 16, 'zeros-odd.dcm': 5001, 'zeros-implicit.dcm': 64}  # behind the last element
PALETTE = '1.2.840.10008.5.1.4.39.1'
ITEM_END = struct.pack('<HHI', 0xFFFE, 0xE00D, 0)


def header(group, number, vr, length):
    """An element's header with a long length, whatever follows."""
    return struct.pack('<HH2sxxI', group, number, vr.encode(), length)


def nested(depth, defined=False):
    """Sequences in one another, with undefined lengths or with exact ones."""
    parts = []
    for level in range(depth):
        left = (depth - level - 1) * 20
        parts.append(header(0x0040, 0xA730, 'SQ', left + 8 if defined else UNDEFINED))
        parts.append(struct.pack('<HHI', 0xFFFE, 0xE000, left if defined else UNDEFINED))
    return b''.join(parts) + (b'' if defined else (ITEM_END + SEQUENCE_END) * depth)


def deflate(data):
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = deflater.compress(data) + deflater.flush()
    return data + bytes(len(data) % 2)


def sequence(content):
    """A sequence of undefined length with one item of undefined length: `content` must end that."""
    return header(0x0021, 0x1010, 'SQ', UNDEFINED) + ITEM[:4] + struct.pack('<I', UNDEFINED) + content + SEQUENCE_END


def icon(pixels):
    return header(0x0088, 0x0200, 'SQ', UNDEFINED) + ITEM[:4] + struct.pack('<I', UNDEFINED) + pixels + ITEM_END + \
        SEQUENCE_END


def implicit(data_set):
    """A data set of short elements, in Implicit VR Little Endian."""
    out, offset = b'', 0
    while offset < len(data_set):
        length = struct.unpack_from('<H', data_set, offset + 6)[0]
        out += data_set[offset:offset + 4] + struct.pack('<I', length) + data_set[offset + 8:offset + 8 + length]
        offset += 8 + length
    return out


# Elements whose VR does not exist, in the order of their tags: their length in 16 bits, and in 32.
STRANGE_VRS = [struct.pack('<HH2sH', 0x0021, 0x1000 + number, vr, 4) + b'text' if number % 2 == 0 else
               struct.pack('<HH2sxxI', 0x0021, 0x1000 + number, vr, 4) + b'text'
               for number, vr in enumerate((b'  ', b'  ', b'\0\0', b'\0\0', b'--', b'??', b'lo', b'ob'))]


def bad_files():
    """{name: (bytes, outcome)}: RELIABILITY's rows. Outcome 'stored' is a file that is odd and still good."""
    def data_set(number, more=b'', **uids):
        uid = datasets.uid(4, 1, number)
        return datasets.identity(uids.get('instance', uid), uids.get('study', datasets.uid(4, 1)),
                                 uids.get('class_uid', datasets.CT_IMAGE)) + more

    def instance(number, more=b'', syntax=datasets.EXPLICIT_LITTLE, **uids):
        return datasets.meta_information(datasets.uid(4, 1, number), syntax) + data_set(number, more, **uids)

    pixels = element(0x7FE0, 0x0010, 'OW', bytes(1000))
    whole = instance(1, pixels)
    without_study = datasets.identity(datasets.uid(4, 1, 20), '').replace(element(0x20, 0x000D, 'UI', b''), b'')
    without_instance = element(8, 0x16, 'UI', datasets.CT_IMAGE.encode()) + element(0x20, 0x0D, 'UI', b'1.2.3')
    deflated = deflate(data_set(30))
    text = element(0x0021, 0x1011, 'LO', b'text')
    fragments = header(0x7FE0, 0x0010, 'OB', UNDEFINED) + ITEM + ITEM[:4] + struct.pack('<I', 4) + \
        b'\xff\xd8\xff\xd9' + SEQUENCE_END
    meta_end = len(whole) - len(data_set(1, pixels))
    return {
        'notes.txt': (b'nothing of the kind\n' * 100, 'skipped: not-dicom'),
        'empty.dcm': (b'', 'skipped: not-dicom'),
        'short.dcm': (b'DICM', 'skipped: not-dicom'),
        'DICOMDIR': (datasets.left_out_path('dicomdirtests/DICOMDIR').read_bytes(), 'skipped: dicomdir'),
        'no-preamble.dcm': (data_set(2, pixels), 'failed: no-meta'),
        'no-meta.dcm': (bytes(128) + b'DICM' + data_set(3, pixels), 'failed: no-meta'),
        'no-syntax.dcm': (whole.replace(element(2, 0x10, 'UI', datasets.EXPLICIT_LITTLE.encode()), b''),
                          'failed: no-transfer-syntax'),
        'cut-in-meta.dcm': (whole[:meta_end - 5], 'failed: truncated'),
        'cut-in-header.dcm': (whole[:meta_end + 5], 'failed: truncated'),
        'cut-in-value.dcm': (whole[:meta_end + 20], 'failed: truncated'),
        'cut-in-pixels.dcm': (whole[:-2], 'failed: truncated'),
        'length-past-the-end.dcm': (instance(4, header(0x7FE0, 0x0010, 'OW', 2000) + bytes(1000)), 'failed: truncated'),
        'length-of-4-gb.dcm': (instance(5, header(0x7FE0, 0x0010, 'OW', 0xFFFFFFFE) + bytes(1000)),
                               'failed: truncated'),
        'uid-of-4-gb.dcm': (datasets.meta_information(datasets.uid(4, 1, 6), '1.2.840.10008.1.2') +
                            struct.pack('<HHI', 0x0008, 0x0018, 0xFFFFFFFE) + bytes(1000), 'failed: truncated'),
        'no-sequence-end.dcm': (instance(7, header(0x0040, 0xA730, 'SQ', UNDEFINED)), 'failed: truncated'),
        'no-fragment-end.dcm': (instance(8, header(0x7FE0, 0x0010, 'OB', UNDEFINED) +
                                         struct.pack('<HHI', 0xFFFE, 0xE000, 100) + bytes(100),
                                         '1.2.840.10008.1.2.4.50'), 'failed: truncated'),
        'stray-delimiter.dcm': (instance(49, pixels + SEQUENCE_END), 'failed: bad-delimiter'),
        'wrong-delimiter.dcm': (instance(50, sequence(text + SEQUENCE_END) + pixels), 'failed: bad-delimiter'),
        'no-delimiter.dcm': (instance(51, sequence(text + ITEM_END)[:-8] + pixels), 'failed: bad-delimiter'),
        'native-in-jpeg.dcm': (instance(52, pixels, JPEG), 'failed: syntax-mismatch'),
        'jpeg-in-native.dcm': (instance(53, fragments), 'failed: syntax-mismatch'),
        'jpeg-in-deflated.dcm': (datasets.meta_information(datasets.uid(4, 1, 54), datasets.DEFLATED) +
                                 deflate(data_set(54, fragments)), 'failed: syntax-mismatch'),
        'jpeg-icon-in-native.dcm': (instance(55, icon(fragments) + pixels), 'failed: syntax-mismatch'),
        'unknown-in-jpeg.dcm': (instance(982, fragments.replace(b'OB', b'UN', 1), JPEG), 'failed: syntax-mismatch'),
        'endless-text.dcm': (instance(983, header(0x0040, 0xA160, 'UT', UNDEFINED) + SEQUENCE_END + pixels),
                             'failed: syntax-mismatch'),
        'letters-in-study.dcm': (instance(56, study='1.2.x'), 'failed: bad-uid'),
        'long-study.dcm': (instance(57, study='1.' + '2' * 63), 'failed: bad-uid'),
        'letters-in-series.dcm': (instance(48, element(0x20, 0x0E, 'UI', b'1.x\0') + pixels), 'failed: bad-uid'),
        'photo.jpg': (b'\xff\xd8\xff\xe0\0\x10JFIF' + bytes(range(256)) * 9, 'skipped: not-dicom'),
        'archive.zip': (b'PK\3\4\x14\0\x08\0\x08\0' + bytes(range(256)) * 9, 'skipped: not-dicom'),
        'begins-like-one.bin': (b'\x08\0' + bytes(range(1, 255)) * 9, 'skipped: not-dicom'),
        'trailing-ones.dcm': (instance(10, pixels) + b'\xff' * 10, 'failed: trailing-data'),
        'other-syntax.dcm': (instance(11, pixels, datasets.BIG_ENDIAN), 'failed: syntax-mismatch'),
        'other-syntax-large.dcm': (instance(26, pixels * 100, datasets.BIG_ENDIAN), 'failed: syntax-mismatch'),
        'big-endian.dcm': (datasets.meta_information(datasets.uid(4, 1, 27)) +
                           struct.pack('>HH2sH', 0x0008, 0x0016, b'UI', 4) + b'1.2\0', 'failed: syntax-mismatch'),
        'implicit-after-all.dcm': (datasets.meta_information(datasets.uid(4, 1, 12)) +
                                   struct.pack('<HHI', 0x0008, 0x0018, 4) + b'1.2\0', 'failed: syntax-mismatch'),
        'odd.dcm': (instance(13, header(0x7FE0, 0x0010, 'OB', 3) + b'abc'), 'failed: odd-length'),
        'no-study.dcm': (datasets.meta_information(datasets.uid(4, 1, 20)) + without_study, 'failed: no-study-uid'),
        'empty-study.dcm': (instance(14, study=''), 'failed: no-study-uid'),
        'no-instance.dcm': (datasets.meta_information(datasets.uid(4, 1, 21)) + without_instance,
                            'failed: no-instance-uid'),
        'no-class.dcm': (instance(15, class_uid=''), 'failed: no-class-uid'),
        'long-uid.dcm': (instance(16, instance='1.' + '2' * 63), 'failed: bad-uid'),
        'letters-in-uid.dcm': (instance(17, instance='1.2.abc'), 'failed: bad-uid'),
        'slashes-in-uid.dcm': (instance(18, instance='../../x'), 'failed: bad-uid'),
        'nested-65.dcm': (instance(19, nested(65)), 'failed: nesting'),
        'nested-100000.dcm': (instance(22, nested(100_000)), 'failed: nesting'),
        'nested-100000-exactly.dcm': (instance(23, nested(100_000, True)), 'failed: nesting'),
        'cut-deflated.dcm': (datasets.meta_information(datasets.uid(4, 1, 24), datasets.DEFLATED) + deflated[:-9],
                             'failed: truncated'),
        'not-deflated.dcm': (instance(25, pixels, datasets.DEFLATED), 'failed: syntax-mismatch'),
        # Odd, and still good.
        'nested-64.dcm': (instance(40, nested(64)), 'stored'),
        'padding.dcm': (instance(41, pixels + header(0xFFFC, 0xFFFC, 'OB', 100) + bytes(100)), 'stored'),
        'wrong-meta-length.dcm': (instance(42)[:140] + b'\xff\xff\0\0' + instance(42)[144:], 'stored'),
        'unknown-syntax.dcm': (instance(43, pixels, '1.2.3.4.5.6'), 'stored'),
        'other-uid-in-meta.dcm': (instance(44, instance=datasets.uid(4, 1, 45)), 'stored'),
        'implicit-in-between.dcm': (instance(47, struct.pack('<HHI', 0x0028, 0x0010, 2) + b'\1\0' + pixels), 'stored'),
        'palette.dcm': (instance(58, class_uid=PALETTE).replace(element(0x20, 0x0D, 'UI',
                                                                        datasets.uid(4, 1).encode()), b''), 'stored'),
        'native-icon-in-jpeg.dcm': (instance(59, icon(pixels) + fragments, JPEG), 'stored'),
        'float-in-jpeg.dcm': (instance(60, header(0x7FE0, 0x0008, 'OF', 8) + bytes(8), JPEG), 'stored'),
        'unknown-syntax-unread.dcm': (datasets.meta_information(datasets.uid(4, 1, 61), '1.2.3.4.5.7') +
                                      b'\xca\xfe' * 99, 'stored'),
        **{f'vr-{number}.dcm': (instance(62 + number, strange + element(0x28, 0x10, 'US', b'\1\0') + pixels), 'stored')
           for number, strange in enumerate(STRANGE_VRS)},
        'vr-nested.dcm': (instance(70, sequence(STRANGE_VRS[1] + text + ITEM_END) + pixels), 'stored'),
        'vr-mixed.dcm': (instance(71, b''.join(STRANGE_VRS) + pixels), 'stored'),
        'zeros.dcm': (instance(9, pixels) + bytes(ZEROS['zeros.dcm']), 'stored'),
        'zeros-odd.dcm': (instance(72, pixels) + bytes(ZEROS['zeros-odd.dcm']), 'stored'),
        'zeros-implicit.dcm': (datasets.meta_information(datasets.uid(4, 1, 73), '1.2.840.10008.1.2') +
                               implicit(data_set(73)) + bytes(ZEROS['zeros-implicit.dcm']), 'stored'),
        'leading-zero.dcm': (instance(46, instance='1.2.03.4'), 'stored'),
    }


META_DIFFERS = 'the file meta information names other UIDs than the data set'


class AmongGoodOnes(ProgramTest):
    STUDIES, INSTANCES = 25, 20
    NAMES = ('line\nbreak.dcm', '-rf.dcm', 'quo"te\\.dcm', ' ', 'ä漢.dcm', os.fsdecode(b'\xff\xfe.dcm'))

    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')

    def make_good_files(self):
        entries = []
        for study in range(1, self.STUDIES + 1):
            folder = self.source / f'study{study}'
            folder.mkdir()
            for number in range(1, self.INSTANCES + 1):
                name = self.NAMES[number] if study == 1 and number < len(self.NAMES) else f'{number}.dcm'
                pixels = bytes([number, study]) * (number * study * 17)
                entries.append(datasets.write_plain(folder / name, datasets.uid(2, study, number),
                                                    datasets.uid(2, study), pixels))
        return entries

    def make_bad_files(self):
        """Spread over the folders of the good ones. What is expected: {name: outcome}, and the good ones' entries."""
        expected, good = {}, []
        for number, (name, (data, outcome)) in enumerate(bad_files().items()):
            path = self.source / f'study{number % self.STUDIES + 1}' / name
            path.write_bytes(data)
            if outcome == 'stored':
                good.append(self.entry_of(path, data))
            else:
                expected[name] = outcome
        return expected, good

    @staticmethod
    def entry_of(path, data):
        """What is to be kept of a file that is odd and still good."""
        meta, data_set = datasets.split_part10(data)
        match = re.search(rb'\x08\0\x18\0(?:UI..|....)([0-9.]+)', data_set, re.DOTALL)
        uid = match[1].decode() if match else meta[3]
        data_set = data_set[:len(data_set) - ZEROS.get(path.name, 0)]
        return datasets.Entry(path, path.name, '', uid, '', meta[0x10], data_set)

    def make_what_is_no_file(self):
        os.mkfifo(self.source / 'fifo')
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(self.source / 'socket'))
        (self.source / 'loop').symlink_to(self.source)
        (self.source / 'link.dcm').symlink_to('study1/1.dcm')
        (self.source / 'dangling.dcm').symlink_to('nowhere')
        return {'fifo': 'skipped: not-a-file', 'socket': 'skipped: not-a-file', 'zero': 'skipped: not-a-file'}

    def make_conflicts(self, good):
        """The same instance twice: of each pair one is taken, and which is chance."""
        shutil.copyfile(good[40].path, self.source / 'copy.dcm')
        twice = [datasets.write_plain(self.source / f'{name}.dcm', datasets.uid(5, 1), datasets.uid(5), name.encode())
                 for name in ('ab', 'cd')]
        return twice

    def test_every_row(self):
        good = self.make_good_files()
        expected, odd = self.make_bad_files()
        expected.update(self.make_what_is_no_file())
        twice = self.make_conflicts(good)
        locked = datasets.write_plain(self.source / 'locked.dcm', datasets.uid(6, 1), datasets.uid(6)).path
        locked.chmod(0)
        expected['locked.dcm'] = 'failed: unreadable'
        receiver = self.start(programs.Receiver('-q', log=True))
        run = programs.run_sender(self.source, '/dev/zero', port=receiver.port, threads=8,
                                  prefix=programs.without_privileges())
        reasons = run.reasons()
        copies = [reasons.pop(name) for name in ('copy.dcm', good[40].path.name) if name in reasons]
        self.assertEqual(copies, ['skipped: duplicate'])
        conflicts = {name: reasons.pop(name) for name in ('ab.dcm', 'cd.dcm') if name in reasons}
        self.assertEqual(set(conflicts.values()), {'failed: uid-conflict'}, run)
        for name, outcome in expected.items():
            self.assertEqual(reasons.pop(name, 'stored'), outcome, name)
        self.assertEqual(reasons, {}, 'nothing else has a problem')
        self.assertEqual(run.exit_code, 2, run)
        self.assertEqual(run.summary['header_warnings']['leading_zero_uid'], 1)
        self.assertEqual(run.summary['header_warnings']['unknown_vr'], len(STRANGE_VRS) + 3)
        self.assertEqual(run.summary['header_warnings']['zero_tail'], 3)
        self.assertGreaterEqual(run.summary['header_warnings']['meta_differs'], 2)
        flawed = [record for record in run.events if 'warning' in record]
        self.assertEqual({(os.path.basename(record['path']), record['level'], record['warning']) for record in flawed},
                         {('other-uid-in-meta.dcm', 'warn', META_DIFFERS),
                          ('palette.dcm', 'warn', META_DIFFERS),
                          ('leading-zero.dcm', 'warn', f'a UID has a component with a leading zero; {META_DIFFERS}'),
                          *((name, 'warn', 'zeros follow the last element') for name in bad_files()
                            if name[:5] == 'zeros'),
                          *((name, 'warn', 'an element has a VR that does not exist') for name in bad_files()
                            if name[:3] == 'vr-' or name == 'implicit-in-between.dcm')})
        have = kept.read_folder(receiver.output)
        for entry in good + odd:
            self.assertTrue(have.pop(entry.instance_uid, None) == entry.data_set, f'{entry.path} is kept as it is')
        for entry in twice:
            have.pop(entry.instance_uid, None)
        self.assertEqual(list(have), [], 'and nothing else')
        lines = kept.read_log(receiver.access_log)
        self.assertEqual(set(kept.acknowledged(lines)) - {twice[0].instance_uid},
                         {entry.instance_uid for entry in good + odd})
        self.assertEqual(len(kept.answers(lines)), run.total('stored'), 'each was sent once')

    def test_options_that_let_more_pass(self):
        """Each is failed by a reason that names the option, and with it each is kept as it lies."""
        rows = bad_files()
        data_set = datasets.identity(datasets.uid(4, 1, 90), datasets.uid(4, 1), datasets.CT_IMAGE)
        rows['implicit.dcm'] = implicit(data_set), 'failed: no-meta'
        taken = {'no-preamble.dcm': '--accept-raw', 'no-meta.dcm': '--accept-raw', 'no-syntax.dcm': '--accept-raw',
                 'implicit.dcm': '--accept-raw', 'no-study.dcm': '--allow-incomplete',
                 'letters-in-study.dcm': '--allow-incomplete', 'long-study.dcm': '--allow-incomplete',
                 'letters-in-series.dcm': '--allow-incomplete'}
        for name in taken:
            (self.source / name).write_bytes(rows[name][0])
        receiver = self.start(programs.Receiver(log=True))
        run = programs.run_sender(self.source, port=receiver.port)
        self.assertEqual((run.exit_code, run.total('failed')), (1, len(taken)), run)
        self.assertEqual(run.reasons(), {name: rows[name][1] for name in taken}, run)
        for option in set(taken.values()):
            self.assertIn(option, run.stderr)
        run = programs.run_sender(self.source, port=receiver.port, options=set(taken.values()))
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(taken)), run)
        have = kept.read_folder(receiver.output)
        self.assertEqual(have[datasets.uid(4, 1, 2)], rows['no-preamble.dcm'][0])
        self.assertEqual(have[datasets.uid(4, 1, 3)], rows['no-meta.dcm'][0][132:])
        self.assertEqual(have[datasets.uid(4, 1, 90)], rows['implicit.dcm'][0])
        self.assertEqual(have[datasets.uid(4, 1, 57)], rows['long-study.dcm'][0][-len(have[datasets.uid(4, 1, 57)]):])

    def test_refusals_say_what_was_found(self):
        words = {'native-in-jpeg.dcm': 'Pixel Data is native', 'jpeg-in-native.dcm': 'Pixel Data is encapsulated',
                 'stray-delimiter.dcm': 'a stray sequence delimiter', 'no-fragment-end.dcm': 'a delimiter is missing',
                 'letters-in-study.dcm': 'the Study Instance UID; --allow-incomplete'}
        rows = bad_files()
        for name in words:
            (self.source / name).write_bytes(rows[name][0])
        receiver = self.start(programs.Receiver(log=True))
        run = programs.run_sender(self.source, port=receiver.port)
        self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
        texts = {os.path.basename(path): entry['text'] for path, entry in run.problems().items()}
        for name, part in words.items():
            self.assertIn(part, texts[name])
            self.assertIn(part, run.stderr, 'on the console too')
        self.assertNotIn(b'association', receiver.access_log.read_bytes(),
                         'and the peer was not asked')


class UnderWay(ProgramTest):
    """Files that change after they were scanned: failed, never half stored; the others do not pay."""

    COUNT = 20

    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.entries = [datasets.write_plain(self.source / f'{number:02}.dcm', datasets.uid(2, 1, number),
                                             datasets.uid(2, 1), bytes(300_000)) for number in range(self.COUNT)]

    def change(self, change, expected):
        """`change` happens to the last files when the first answer is out, as everything has been scanned by then."""
        receiver = self.start(programs.Receiver('--response-delay', 40, log=True))
        sender = threading.Thread(target=self.send, args=(receiver,))
        sender.start()
        network.wait_until(lambda: b'store.answered' in receiver.access_log.read_bytes(), 30, 'an answer')
        for entry in self.entries[-3:]:
            change(entry.path)
        sender.join()
        run = self.run_result
        self.assertEqual(set(run.reasons()), {entry.path.name for entry in self.entries[-3:]}, run)
        self.assertEqual(set(run.reasons().values()), {expected}, run)
        self.assertEqual((run.exit_code, run.total('stored')), (2, self.COUNT - 3), run)
        have = kept.read_folder(receiver.output)
        self.assertEqual(have, {entry.instance_uid: entry.data_set for entry in self.entries[:-3]})

    def send(self, receiver):
        self.run_result = programs.run_sender(self.source, port=receiver.port, options=['--scan-first'])

    def test_vanished(self):
        self.change(os.unlink, 'failed: vanished')

    def test_shorter(self):
        self.change(lambda path: os.truncate(path, 100_000), 'failed: changed')

    def test_longer(self):
        self.change(lambda path: os.truncate(path, 500_000), 'failed: changed')

    def test_touched(self):
        self.change(lambda path: os.utime(path, (1, 1)), 'failed: changed')
        self.assertEqual({entry['text'] for entry in self.run_result.problems().values()},
                         {'changed while it was being sent: the file is no longer as it was scanned'})

    def test_replaced(self):
        def replace(path):
            shutil.copyfile(self.entries[0].path, self.folder / 'other')
            os.replace(self.folder / 'other', path)
        self.change(replace, 'failed: changed')


class FarTooMuch(ProgramTest):
    """Sizes that are lies, and one that is true: the optimized program, and the most memory that it ever had."""

    GB = 1 << 30

    def send(self, *options):
        """The run, with its peak memory, and the bytes of data sets that came; the receiver keeps nothing."""
        receiver = self.start(programs.Receiver(keep=False, log=True, folder_variable='RELEASE_DIR'))
        figures = self.folder / 'figures.json'
        measure = os.path.join(os.environ['RELEASE_DIR'], 'bench', 'measure')
        run = programs.run_sender(self.source, port=receiver.port, options=options, folder_variable='RELEASE_DIR',
                                  prefix=(os.path.abspath(measure), figures))
        peak = json.loads(figures.read_text())['peak_bytes']
        self.assertLess(peak, PEAK_BYTES_MAX, 'peak memory')
        with open(f'/proc/{receiver.process.pid}/status', encoding='ascii') as lines:
            receiver_peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith('VmHWM'))
        self.assertLess(receiver_peak, PEAK_BYTES_MAX, 'peak memory of the receiver')
        self.assertEqual(receiver.terminate(), 0)
        records = map(json.loads, receiver.access_log.read_text().splitlines())
        return run, sum(record['bytes'] for record in records if record['event'] == 'store.answered')

    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')

    def write(self, name, number, parts, syntax=datasets.EXPLICIT_LITTLE):
        """An instance of these parts; a number is a hole of so many bytes."""
        uid = datasets.uid(9, number)
        with open(self.source / name, 'wb') as file:
            file.write(datasets.meta_information(uid, syntax))
            if syntax != datasets.DEFLATED:
                file.write(datasets.identity(uid, datasets.uid(9)))
            for part in parts:
                if isinstance(part, int):
                    file.seek(part, os.SEEK_CUR)
                    file.truncate()
                else:
                    file.write(part)
        return (self.source / name).stat().st_size

    def deflate(self, number, *parts):
        """A deflated data set of these parts; a number is so many zeros."""
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
        out = [deflater.compress(datasets.identity(datasets.uid(9, number), datasets.uid(9)))]
        for part in parts:
            if isinstance(part, int):
                out += [deflater.compress(bytes(1 << 20)) for _ in range(part >> 20)]
            else:
                out.append(deflater.compress(part))
        return b''.join(out) + deflater.flush()

    def test_lies(self):
        """Nesting, lengths and bombs: none is sent, nothing is believed."""
        rows = bad_files()
        expected = {}
        for name in ('nested-100000.dcm', 'nested-100000-exactly.dcm', 'length-of-4-gb.dcm', 'uid-of-4-gb.dcm'):
            (self.source / name).write_bytes(rows[name][0])
            expected[name] = rows[name][1]
        self.write('bomb.dcm', 1, [self.deflate(1, header(0x7FE0, 0x0010, 'OW', 0xFFFFFFFE), self.GB // 8)],
                   datasets.DEFLATED)
        expected['bomb.dcm'] = 'failed: truncated'
        size = self.write('sparse.dcm', 2, [header(0x0009, 0x1001, 'OB', 5 * self.GB // 2), 5 * self.GB // 2,
                                            header(0x7FE0, 0x0010, 'OW', 3 * self.GB), 2 * self.GB])
        self.assertGreater(size, 4.5 * self.GB)
        expected['sparse.dcm'] = 'failed: truncated'
        run, came = self.send()
        self.assertEqual(run.reasons(), expected, run)
        self.assertEqual((run.exit_code, run.total('stored'), came), (1, 0, 0), run)

    def test_true_sizes(self):
        """A whole instance of 4.5 GB is streamed, and a small one that inflates to half a gigabyte goes as it is: the
        structure check gives up following it before that."""
        half = self.GB // 2
        self.write('inflates.dcm', 1, [self.deflate(1, header(0x7FE0, 0x0010, 'OW', half), half)], datasets.DEFLATED)
        size = self.write('sparse.dcm', 2, [header(0x0009, 0x1001, 'OB', 5 * half), 5 * half,
                                            header(0x7FE0, 0x0010, 'OW', 4 * half), 4 * half])
        self.assertGreater(size, 4.5 * self.GB)
        run, came = self.send('--threads', 2)
        self.assertEqual((run.exit_code, run.total('stored')), (0, 2), run)
        self.assertEqual(came, run.total('bytes'))
        self.assertGreater(came, 4.5 * self.GB)


if __name__ == '__main__':
    unittest.main()
