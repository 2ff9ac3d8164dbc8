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
from support.harness import element

PEAK_BYTES_MAX = 64 * 1024 * 1024
UNDEFINED = 0xFFFFFFFF
SEQUENCE_END = struct.pack('<HHI', 0xFFFE, 0xE0DD, 0)
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
    deflated = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = deflated.compress(data_set(30)) + deflated.flush()
    meta_end = len(whole) - len(data_set(1, pixels))
    return {
        'notes.txt': (b'nothing of the kind\n' * 100, 'skipped: not-dicom'),
        'empty.dcm': (b'', 'skipped: not-dicom'),
        'short.dcm': (b'DICM', 'skipped: not-dicom'),
        'DICOMDIR': (datasets.left_out_path('dicomdirtests/DICOMDIR').read_bytes(), 'skipped: dicomdir'),
        'no-preamble.dcm': (data_set(2, pixels), 'skipped: no-meta'),
        'no-meta.dcm': (bytes(128) + b'DICM' + data_set(3, pixels), 'skipped: no-meta'),
        'no-syntax.dcm': (whole.replace(element(2, 0x10, 'UI', datasets.EXPLICIT_LITTLE.encode()), b''),
                          'skipped: no-transfer-syntax'),
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
        'trailing-zeros.dcm': (instance(9, pixels) + bytes(16), 'failed: trailing-data'),
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
        'nested-65.dcm': (instance(19, nested(65)), 'skipped: nesting'),
        'nested-100000.dcm': (instance(22, nested(100_000)), 'skipped: nesting'),
        'nested-100000-exactly.dcm': (instance(23, nested(100_000, True)), 'skipped: nesting'),
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
        'letters-in-series.dcm': (instance(48, element(0x20, 0x0E, 'UI', b'1.x\0') + pixels), 'stored'),
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
                good.append(datasets.read_entry(path))
            else:
                expected[name] = outcome
        return expected, good

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
        self.assertEqual(run.summary['header_warnings']['bad_series_uid'], 1)
        self.assertGreaterEqual(run.summary['header_warnings']['meta_differs'], 2)
        flawed = [record for record in run.events if 'warning' in record]
        self.assertEqual({(os.path.basename(record['path']), record['level'], record['warning']) for record in flawed},
                         {('other-uid-in-meta.dcm', 'warn', META_DIFFERS),
                          ('letters-in-series.dcm', 'warn', 'the Series Instance UID is no UID'),
                          ('leading-zero.dcm', 'warn', f'a UID has a component with a leading zero; {META_DIFFERS}')})
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
        rows = bad_files()
        taken = {'no-preamble.dcm': '--accept-raw', 'no-study.dcm': '--allow-incomplete'}
        for name in taken:
            (self.source / name).write_bytes(rows[name][0])
        receiver = self.start(programs.Receiver(log=True))
        run = programs.run_sender(self.source, port=receiver.port, options=taken.values())
        self.assertEqual((run.exit_code, run.total('stored')), (0, 2), run)
        have = kept.read_folder(receiver.output)
        self.assertEqual(have[datasets.uid(4, 1, 2)], rows['no-preamble.dcm'][0])


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
        receiver = self.start(programs.Receiver(keep=False, folder_variable='RELEASE_DIR'))
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
        return run, int(re.search(r', (\d+) bytes$', receiver.log().rstrip())[1])

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
