"""Bad files, bad places, bad names: each has its outcome, and the other files of the run are stored."""
import os
import shutil
import socket
import struct
import threading
import unittest

from support import datasets, network, peers, programs
from support.base import ProgramTest
from support.scripted_peer import ScriptedPeer

QUICK = ('--retry', 1, '--timeout', 5)


class BadFiles(ProgramTest):
    """A folder with two good files and something else; the peer keeps what it acknowledges."""

    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.good = datasets.make_studies(self.source, 1, 2)

    def send(self, *inputs, **options):
        with ScriptedPeer() as peer:
            run = programs.run_sender(*(inputs or [self.source]), port=peer.port, **options)
        self.kept = peer.acknowledged()
        self.associations = len(peer.associations)
        for entry in self.good:
            self.assertEqual(self.kept.get(entry.instance_uid), entry.data_set, f'{entry.name} is stored\n{run}')
        self.assertEqual(run.total('stored'), len(self.kept), run)
        return run

    def assert_outcomes(self, run, expected):
        """All problems of the run are these. Failures among stored files are exit 2, skips are not."""
        self.assertEqual(run.reasons(), expected, run)
        failed = any(outcome.startswith('failed') for outcome in expected.values())
        self.assertEqual(run.exit_code, 2 if failed else 0, run)
        self.assertEqual(len(self.kept), len(self.good), run)

    def write(self, name, data):
        path = os.path.join(os.fsencode(self.source), os.fsencode(name))
        with open(path, 'wb') as file:
            file.write(data)
        return path

    def instance_bytes(self, number=50, **changes):
        path = self.folder / 'template.dcm'
        datasets.make_instance(path, 1, number, **changes)
        return path.read_bytes()

    def test_not_dicom(self):
        self.write('notes.txt', b'nothing of the kind\n' * 100)
        self.write('empty.dcm', b'')
        self.write('short.dcm', b'DICM')
        self.write('zip', (datasets.DATA / 'test_files' / 'zipMR.gz').read_bytes())
        self.assert_outcomes(self.send(), {name: 'skipped: not-dicom'
                                           for name in ('notes.txt', 'empty.dcm', 'short.dcm', 'zip')})

    def test_only_the_magic(self):
        self.write('magic.dcm', bytes(128) + b'DICM')
        run = self.send()
        self.assertEqual(run.reason('magic.dcm'), 'failed: truncated')

    def test_dicomdir(self):
        names = [name for name, why in datasets.LEFT_OUT.items() if why == 'dicomdir']
        self.assertEqual(len(names), 8)
        for number, name in enumerate(names):
            shutil.copyfile(datasets.left_out_path(name), self.source / f'DICOMDIR{number}')
        self.assert_outcomes(self.send(), {f'DICOMDIR{number}': 'skipped: dicomdir' for number in range(8)})

    def test_no_meta(self):
        names = ('ExplVR_BigEndNoMeta.dcm', 'ExplVR_LitEndNoMeta.dcm', 'rtstruct.dcm')
        for name in (*names, 'no_meta.dcm'):
            shutil.copyfile(datasets.left_out_path(name), self.source / name)
        run = self.send()
        # The last begins with a byte too much: nobody reads that.
        self.assert_outcomes(run, {**{name: 'failed: no-meta' for name in names}, 'no_meta.dcm': 'skipped: not-dicom'})
        self.assertIn('--accept-raw', run.stderr)

    def test_no_transfer_syntax(self):
        shutil.copyfile(datasets.left_out_path('meta_missing_tsyntax.dcm'), self.source / 'x.dcm')
        self.assert_outcomes(self.send(), {'x.dcm': 'failed: no-transfer-syntax'})

    def test_truncated(self):
        whole = self.instance_bytes()
        data_set_at = len(whole) - len(datasets.split_part10(whole)[1])
        cuts = {'pixels.dcm': len(whole) - 2, 'far.dcm': len(whole) - 2000, 'value.dcm': data_set_at + 31,
                'header.dcm': data_set_at + 5}
        for name, length in cuts.items():
            self.write(name, whole[:length])
        for name in ('MR_truncated.dcm', 'rtplan_truncated.dcm'):
            shutil.copyfile(datasets.left_out_path(name), self.source / name)
        self.assert_outcomes(self.send(), {name: 'failed: truncated'
                                           for name in (*cuts, 'MR_truncated.dcm', 'rtplan_truncated.dcm')})

    def test_truncated_in_the_meta_information(self):
        """There is no data set at all: not one byte is sent, whichever reason is given."""
        self.write('meta.dcm', self.instance_bytes()[:200])
        run = self.send()
        self.assertIn(run.reason('meta.dcm'), ('failed: truncated', 'failed: no-transfer-syntax', 'failed: no-meta'))

    def test_trailing_data(self):
        self.write('trailing.dcm', self.instance_bytes() + b'\xff' * 10)
        run = self.send()
        self.assertIn(run.reason('trailing.dcm'),
                      ('failed: trailing-data', 'failed: truncated', 'failed: syntax-mismatch'))
        self.assertEqual(run.exit_code, 2)

    def test_another_syntax_than_declared(self):
        shutil.copyfile(datasets.left_out_path('SC_rgb_jpeg.dcm'), self.source / 'mixed.dcm')
        whole = self.instance_bytes()
        self.write('lies.dcm', whole.replace(b'1.2.840.10008.1.2.1\0', b'1.2.840.10008.1.2.2\0', 1))
        run = self.send()
        for name in ('mixed.dcm', 'lies.dcm'):
            self.assertIn(run.reason(name), ('failed: syntax-mismatch', 'failed: truncated'))
        self.assertEqual((run.exit_code, run.total('failed')), (2, 2), run)

    def test_no_uids(self):
        self.write('study.dcm', self.instance_bytes(51, StudyInstanceUID=None))
        self.write('empty-study.dcm', self.instance_bytes(52, StudyInstanceUID=''))
        self.write('instance.dcm', self.instance_bytes(53, SOPInstanceUID=None))
        self.write('class.dcm', self.instance_bytes(54, SOPClassUID=None))
        self.assert_outcomes(self.send(), {
            'study.dcm': 'failed: no-study-uid', 'empty-study.dcm': 'failed: no-study-uid',
            'instance.dcm': 'failed: no-instance-uid', 'class.dcm': 'failed: no-class-uid'})

    def test_palettes(self):
        """They belong to no patient, and so to no study."""
        palettes = sorted((datasets.DATA / 'palettes').glob('*.dcm'))
        for path in palettes:
            shutil.copyfile(path, self.source / path.name)
        run = self.send()
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(palettes) + len(self.good)), run)

    def test_bad_uids(self):
        self.write('long.dcm', self.instance_bytes(51, SOPInstanceUID='1.' + '2' * 64))
        self.write('letters.dcm', self.instance_bytes(52, SOPInstanceUID='1.2.840.abc'))
        self.write('slash.dcm', self.instance_bytes(53, SOPInstanceUID='../../etc/x'))
        self.assert_outcomes(self.send(), {name: 'failed: bad-uid'
                                           for name in ('long.dcm', 'letters.dcm', 'slash.dcm')})

    def test_fragments_of_data_sets(self):
        """pydicom's files for parser tests: nothing of them is sent, and each is accounted for."""
        names = [name for name, why in datasets.LEFT_OUT.items() if why == 'no UIDs']
        for name in names:
            shutil.copyfile(datasets.left_out_path(name), self.source / name)
        run = self.send()
        self.assertEqual(sorted(run.reasons()), sorted(names), run)
        self.assertEqual(len(self.kept), len(self.good))
        self.assertEqual(run.exit_code, 2, run)

    def test_deep_nesting(self):
        """Ten thousand sequences in one another: failed, and no crash."""
        depth = 10_000
        meta, data_set = self.split_template()
        deep = b''.join((struct.pack('<HH2sxxI', 0x0040, 0xA730, b'SQ', 0xFFFFFFFF),
                         struct.pack('<HHI', 0xFFFE, 0xE000, 0xFFFFFFFF))[i % 2] for i in range(2 * depth))
        deep += (struct.pack('<HHI', 0xFFFE, 0xE00D, 0) + struct.pack('<HHI', 0xFFFE, 0xE0DD, 0)) * depth
        pixels = data_set.index(struct.pack('<HH', 0x7FE0, 0x0010))
        self.write('deep.dcm', meta + data_set[:pixels] + deep + data_set[pixels:])
        self.assert_outcomes(self.send(), {'deep.dcm': 'failed: nesting'})

    def split_template(self):
        whole = self.instance_bytes()
        data_set = datasets.split_part10(whole)[1]
        return whole[:len(whole) - len(data_set)], data_set

    def test_unreadable(self):
        path = self.write('secret.dcm', self.instance_bytes())
        os.chmod(path, 0)
        run = self.send(prefix=programs.without_privileges())
        self.assert_outcomes(run, {'secret.dcm': 'failed: unreadable'})
        self.assertIn('EACCES', str(run.problem('secret.dcm')))

    def test_unreadable_folder(self):
        locked = self.source / 'locked'
        locked.mkdir(mode=0)
        self.addCleanup(locked.chmod, 0o700)
        self.assert_outcomes(self.send(prefix=programs.without_privileges()), {'locked': 'failed: unreadable'})

    def test_fifo_and_socket(self):
        os.mkfifo(self.source / 'fifo')
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(self.source / 'socket'))
        run = self.send(timeout_s=30)
        self.assert_outcomes(run, {'fifo': 'skipped: not-a-file', 'socket': 'skipped: not-a-file'})

    def test_fifo_given_by_name(self):
        os.mkfifo(self.source / 'fifo')
        run = self.send(self.source / 'fifo', *[entry.path for entry in self.good], timeout_s=30)
        self.assert_outcomes(run, {'fifo': 'skipped: not-a-file'})

    def test_symlink_loops(self):
        (self.source / 'loop').symlink_to(self.source)
        (self.source / 'self').symlink_to('self')
        (self.source / 'study1' / 'up').symlink_to('..')
        (self.source / 'again.dcm').symlink_to(self.good[0].path)
        self.assert_outcomes(self.send(), {})
        # What only links lead to is found, and once, however many do.
        (outside,) = datasets.make_studies(self.subfolder('outside'), 1, 1, seed=6)
        (self.source / 'out').symlink_to(self.folder / 'outside')
        (self.source / 'out.dcm').symlink_to(outside.path)
        self.assert_outcomes(self.send(), {})
        run = self.send(options=['--follow-symlinks'])
        self.assertEqual(set(self.kept), {entry.instance_uid for entry in [*self.good, outside]}, run)
        self.assertEqual((run.total('files'), run.reasons()), (4, {'self': 'failed: unreadable'}), run)

    def test_duplicates(self):
        shutil.copyfile(self.good[0].path, self.source / 'copy.dcm')
        run = self.send()
        # Which of the two is the first is the walk's business.
        (outcome,) = run.reasons().values()
        self.assertEqual(outcome, 'skipped: duplicate')
        self.assertEqual((run.exit_code, run.total('stored')), (0, 2), run)

    def test_one_uid_for_two_instances(self):
        """At most the first is stored; the other fails, and does not replace it."""
        self.write('a.dcm', self.instance_bytes(60, PatientID='A'))
        self.write('b.dcm', self.instance_bytes(60, PatientID='B'))
        run = self.send()
        reasons = run.reasons()
        self.assertLessEqual(set(reasons), {'a.dcm', 'b.dcm'})
        self.assertTrue(reasons)
        self.assertEqual(set(reasons.values()), {'failed: uid-conflict'}, run)
        ((path, problem),) = run.problems().items()
        other = self.source / ('b.dcm' if path.endswith('a.dcm') else 'a.dcm')
        self.assertIn(f'the other is {other}; --on-conflict', problem['text'], 'the other file is named')
        self.assertIn(str(other), run.stderr)

    def test_one_uid_for_two_instances_as_asked(self):
        self.write('a.dcm', self.instance_bytes(60, PatientID='A'))
        self.write('b.dcm', self.instance_bytes(60, PatientID='B'))
        run = self.send(options=['--on-conflict', 'first'])
        self.assertEqual(list(run.reasons().values()), ['skipped: uid-conflict'], run)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(self.good) + 1), run)
        with ScriptedPeer() as peer:
            run = programs.run_sender(self.source, port=peer.port, options=['--on-conflict', 'all'])
        self.assertEqual((run.reasons(), run.exit_code), ({}, 0), run)
        self.assertEqual(len([store for store in peer.stores if store.acknowledged]), len(self.good) + 2, run)

    def test_strange_names(self):
        names = [b'line\nbreak.dcm', b'\xff\xfe not utf-8.dcm', b'-rf.dcm', b'quo"te\\.dcm', b' ', 'ä漢.dcm'.encode(),
                 b'\x1b[31mred.dcm']
        for number, name in enumerate(names, 70):
            self.write(name, self.instance_bytes(number))
        with ScriptedPeer() as peer:
            run = programs.run_sender(self.source, port=peer.port, options=['-v'])
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(names) + len(self.good)), run)
        self.assertEqual(len(peer.acknowledged()), len(names) + len(self.good))
        self.assertNotIn('\x1b[31m', run.stderr, 'a name must not colour the terminal')

    def test_strange_names_of_bad_files(self):
        for name in (b'line\nbreak.txt', b'\xff\xfe.txt', b'-rf.txt'):
            self.write(name, b'not dicom' * 50)
        run = self.send()
        self.assert_outcomes(run, {os.fsdecode(name): 'skipped: not-dicom'
                                   for name in (b'line\nbreak.txt', b'\xff\xfe.txt', b'-rf.txt')})

    def test_missing_path(self):
        run = self.send(self.source, self.folder / 'nowhere')
        self.assert_outcomes(run, {'nowhere': 'failed: missing'})

    def test_only_a_missing_path(self):
        with ScriptedPeer() as peer:
            run = programs.run_sender(self.folder / 'nowhere', port=peer.port)
        self.assertEqual(run.exit_code, 1, run)
        self.assertIn('nowhere', run.stderr)
        self.assertEqual(peer.associations, [], 'nobody is called for nothing')

    def test_empty_folder(self):
        empty = self.subfolder('empty')
        with ScriptedPeer() as peer:
            run = programs.run_sender(empty, port=peer.port)
        self.assertIn(run.exit_code, (0, 1), run)
        self.assertEqual(peer.associations, [])
        if run.summary is not None:
            self.assertEqual(run.total('files'), 0)


class BadDestinations(ProgramTest):
    """Nothing can be sent: exit 1, soon, and every file is accounted for as not stored."""

    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.entries = datasets.make_studies(self.source, 2, 2)

    def assert_nothing_stored(self, run, *words, within_s=20):
        self.assertEqual(run.exit_code, 1, run)
        self.assertEqual((run.total('files'), run.total('stored')), (4, 0), run)
        self.assertEqual(run.total('failed') + run.total('pending') + run.total('in_doubt'), 4, run)
        said = (run.stderr + str(run.summary)).lower()
        for word in words:
            self.assertIn(word, said, run)
        self.assertLess(run.elapsed_s, within_s)

    def test_unknown_host(self):
        run = programs.run_sender(self.source, host='no-such-host.invalid', port=104, options=QUICK, threads=2)
        self.assert_nothing_stored(run, 'no-such-host.invalid')

    def test_closed_port(self):
        run = programs.run_sender(self.source, port=network.free_port(), options=QUICK, threads=2)
        self.assert_nothing_stored(run, 'refused')

    def test_wrong_ae_title_at_orthanc(self):
        peer = self.start(peers.Orthanc(DicomCheckCalledAet=True))
        run = programs.run_sender(self.source, port=peer.port, ae_title='WRONG', options=QUICK, threads=2)
        self.assert_nothing_stored(run, 'called ae title', within_s=10)
        self.assertEqual(peer.instance_count(), 0)
        run = programs.run_sender(self.source, port=peer.port, ae_title='ORTHANC')
        self.assertEqual((run.exit_code, peer.instance_count()), (0, 4), run)

    def test_wrong_ae_title_at_our_receiver(self):
        receiver = self.start(programs.Receiver('--ae-title', 'ARCHIVE'))
        run = programs.run_sender(self.source, port=receiver.port, ae_title='WRONG', options=QUICK)
        self.assert_nothing_stored(run, 'called ae title', within_s=10)
        self.assertEqual(receiver.files(), [])

    def test_a_peer_that_refuses_everybody(self):
        peer = self.start(peers.Storescp('--refuse', keep=False))
        run = programs.run_sender(self.source, port=peer.port, options=QUICK, threads=2)
        self.assert_nothing_stored(run, 'reject')

    def test_verify_against_a_closed_port(self):
        run = programs.run_sender(self.source, port=network.free_port(), options=[*QUICK, '--verify'])
        self.assert_nothing_stored(run, 'refused')

    def test_storescp_that_is_killed_in_mid_run(self):
        """Killed while instances come in: what the summary calls stored was acknowledged, the rest is not."""
        peer = self.start(peers.Storescp(fork=False))
        many = datasets.make_studies(self.subfolder('many'), 2, 400, seed=2)

        def kill_soon():
            network.wait_until(lambda: len(peer.received()) >= 20, 20, 'twenty instances')
            peer.process.kill()
        killer = threading.Thread(target=kill_soon)
        killer.start()
        run = programs.run_sender(self.folder / 'many', port=peer.port, ae_title=peer.ae_title,
                                  options=[*QUICK, '--give-up-after', 3])
        killer.join()
        kept = len(peer.received())
        if run.exit_code != 0:    # a very quick run may have been through already
            self.assertEqual(run.exit_code, 2, run)
            self.assertLessEqual(run.total('stored'), kept)
            self.assertEqual(run.total('files'), len(many))


if __name__ == '__main__':
    unittest.main()
