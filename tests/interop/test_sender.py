"""dicom-sender to storescp and to Orthanc: nothing lost, data sets byte for byte, and figures that agree."""
import subprocess
import unittest

from support import datasets, peers, programs
from support.base import ProgramTest

THREADS = (1, 8)


class SenderTest(ProgramTest):
    def assert_all_stored(self, run, entries):
        self.assertEqual(run.exit_code, 0, run)
        self.assertEqual(run.total('files'), len(entries), run)
        self.assertEqual(run.total('stored'), len(entries), run)
        # A deflated data set of odd length travels with the NUL that makes it even.
        sent_bytes = sum(len(entry.data_set) + len(entry.data_set) % 2 for entry in entries)
        self.assertIn(run.total('bytes'), (sent_bytes, sum(len(entry.data_set) for entry in entries)), run)
        self.assertEqual(run.problems(), {}, run)

    def assert_same(self, entry, meta, data_set):
        self.assertEqual(meta[0x10], entry.syntax_uid, entry.name)
        self.assertTrue(datasets.same_data_set(entry.data_set, data_set), f'{entry.name}: the data set has changed')

    def assert_kept_bit_for_bit(self, entries, peer):
        """What storescp +B keeps is exactly what was in the files."""
        received = {}
        for path in peer.received():
            meta, data_set = datasets.split_part10(path.read_bytes())
            received[meta[0x03]] = (meta, data_set)
        self.assertEqual(sorted(received), sorted(entry.instance_uid for entry in entries))
        for entry in entries:
            meta, data_set = received[entry.instance_uid]
            self.assertEqual(meta[0x02], entry.class_uid, entry.name)
            self.assert_same(entry, meta, data_set)


class ToOdil(SenderTest):
    def test_answers_on_another_context_of_the_class(self):
        """One class in two transfer syntaxes: every response comes on the second context. All is stored, at once."""
        source = self.subfolder('source')
        for number in range(1, 7):
            path = source / f'{number}.dcm'
            datasets.make_instance(path, 1, number)
            if number % 2 == 0:
                subprocess.run(['dcmconv', '+ti', path, path], check=True)
        peer = self.start(peers.OdilStorage())
        run = programs.run_sender(source, port=peer.port)
        self.assertEqual((run.exit_code, run.total('stored')), (0, 6), run)
        self.assertEqual(len(run.summary['associations']), 1, run)
        self.assertEqual(len(set(peer.stored())), 6)
        self.assertEqual(len(peer.stored()), 6, 'nothing is sent twice')


class ToStorescp(SenderTest):
    def send(self, make_entries, threads, **options):
        source = self.subfolder('source')
        entries = make_entries(source)
        # One process serves one association; with several at once each gets its own.
        peer = self.start(peers.Storescp(fork=threads > 1, **options))
        run = programs.run_sender(source, port=peer.port, ae_title=peer.ae_title, threads=threads)
        self.assert_all_stored(run, entries)
        self.assert_kept_bit_for_bit(entries, peer)

    def test_real_files_over_one_association(self):
        self.send(lambda folder: datasets.copy_files(datasets.real_files(), folder), 1)

    def test_real_files_over_eight_associations(self):
        self.send(lambda folder: datasets.copy_files(datasets.real_files(), folder), 8)

    def test_synthetic_studies_over_one_association(self):
        self.send(lambda folder: datasets.make_studies(folder, 3, 40, 16384), 1)

    def test_synthetic_studies_over_eight_associations(self):
        self.send(lambda folder: datasets.make_studies(folder, 12, 20, 65536), 8)

    def test_large_instances_in_small_pdus(self):
        source = self.subfolder('source')
        entries = [datasets.read_entry(datasets.make_instance(source / f'{number}.dcm', 1, number, 5_000_001 + number))
                   for number in range(1, 5)]
        peer = self.start(peers.Storescp('--max-pdu', '4096'))
        run = programs.run_sender(source, port=peer.port, ae_title=peer.ae_title)
        self.assert_all_stored(run, entries)
        self.assert_kept_bit_for_bit(entries, peer)

    def test_every_encoding_of_the_same_instance(self):
        """The files that share a SOP Instance UID with one of the main set, in runs of their own."""
        for number, batch in enumerate(datasets.batches()[1:], 2):
            with self.subTest(batch=number), peers.Storescp() as peer:
                source = self.subfolder(f'source{number}')
                entries = datasets.copy_files(batch, source)
                run = programs.run_sender(source, port=peer.port, ae_title=peer.ae_title)
                self.assert_all_stored(run, entries)
                self.assert_kept_bit_for_bit(entries, peer)

    def test_a_stock_storescp_refuses_what_is_compressed(self):
        """Out of the box it takes the uncompressed syntaxes only: the rest fails for that reason, and nothing else, if
        nothing may be converted."""
        taken = ('1.2.840.10008.1.2', datasets.EXPLICIT_LITTLE, datasets.BIG_ENDIAN)
        source = self.subfolder('source')
        entries = datasets.copy_files(datasets.real_files(), source)
        stored = [entry for entry in entries if entry.syntax_uid in taken]
        refused = [entry for entry in entries if entry.syntax_uid not in taken]
        peer = self.start(peers.Storescp(stock=True))
        run = programs.run_sender(source, port=peer.port, ae_title=peer.ae_title, options=['--transcode', 'never'])
        self.assertEqual(run.exit_code, 2, run)
        self.assertEqual((run.total('stored'), run.total('failed')), (len(stored), len(refused)), run)
        for entry in refused:
            self.assertEqual(run.reason(entry.path), 'failed: unsupported')
        self.assert_kept_bit_for_bit(stored, peer)


class ToOrthanc(SenderTest):
    def send(self, make_entries, threads):
        source = self.subfolder('source')
        entries = make_entries(source)
        peer = self.start(peers.Orthanc())
        run = programs.run_sender(source, port=peer.port, ae_title=peer.ae_title, threads=threads)
        self.assert_all_stored(run, entries)
        self.assertEqual(peer.instance_count(), run.total('stored'))
        self.assertEqual(peer.study_count(), len({entry.study_uid for entry in entries}))
        ids = peer.instances()
        self.assertEqual(sorted(ids), sorted(entry.instance_uid for entry in entries))
        return entries, [datasets.split_part10(peer.file(ids[entry.instance_uid])) for entry in entries]

    # Orthanc parses what it receives and writes it again: lengths of sequences and items, group lengths and the order
    # of what is out of order may come out otherwise, and a deflated data set comes out inflated. That is so for these,
    # whoever sends them; their elements are compared by value instead. Of all others every byte is.
    rewritten = {
        '693_J2KI.dcm', 'JPEG2000-embedded-sequence-delimiter.dcm', 'JPGExtended.dcm', 'MR_small_jpeg_ls_lossless.dcm',
        'SC_rgb_gdcm_KY.dcm', 'SC_rgb_jpeg_lossy_gdcm.dcm', 'chrJapMulti.dcm', 'chrKoreanMulti.dcm',
        'dicomdirtests/98892001/CT2N/6293', 'dicomdirtests/98892001/CT2N/6924', 'dicomdirtests/98892001/CT5N/2062',
        'dicomdirtests/98892001/CT5N/2392', 'dicomdirtests/98892001/CT5N/2693', 'dicomdirtests/98892001/CT5N/3023',
        'dicomdirtests/98892001/CT5N/3353', 'image_dfl.dcm', 'liver_1frame.dcm', 'reportsi.dcm', 'waveform_ecg.dcm',
    }

    def send_real_files(self, threads):
        entries, kept = self.send(lambda folder: datasets.copy_files(datasets.real_files(), folder), threads)
        for entry, (meta, data_set) in zip(entries, kept):
            if entry.name in self.rewritten:
                self.assertEqual(meta[0x10], entry.syntax_uid, entry.name)
                self.assertEqual(datasets.elements(data_set, meta[0x10]),
                                 datasets.elements(entry.data_set, entry.syntax_uid), entry.name)
            else:
                self.assert_same(entry, meta, data_set)

    def send_synthetic(self, threads, *shape):
        entries, kept = self.send(lambda folder: datasets.make_studies(folder, *shape), threads)
        for entry, (meta, data_set) in zip(entries, kept):
            self.assert_same(entry, meta, data_set)

    def test_real_files_over_one_association(self):
        self.send_real_files(1)

    def test_real_files_over_eight_associations(self):
        self.send_real_files(8)

    def test_synthetic_studies_over_one_association(self):
        self.send_synthetic(1, 3, 30, 16384)

    def test_synthetic_studies_over_eight_associations(self):
        self.send_synthetic(8, 12, 20, 32768)

    def test_what_orthanc_cannot_read_fails_with_its_status(self):
        source = self.subfolder('source')
        bad = datasets.copy_files([datasets.find('rtdose_rle_1frame.dcm')], source)[0]
        good = datasets.copy_files([datasets.find('MR_small.dcm')], source)[0]
        peer = self.start(peers.Orthanc())
        run = programs.run_sender(source, port=peer.port, ae_title=peer.ae_title)
        self.assertEqual(run.exit_code, 2, run)
        self.assertEqual(run.reason(bad.path), 'failed: status')
        self.assertIn('C000', str(run.problem(bad.path)).upper())
        self.assertEqual(list(peer.instances()), [good.instance_uid])

    def test_orthanc_that_takes_no_compressed_syntax(self):
        """Contexts refused by configuration: exactly their files fail, for that reason, if nothing may be converted."""
        source = self.subfolder('source')
        entries = datasets.copy_files(datasets.real_files()[:40], source)
        taken = ['1.2.840.10008.1.2', datasets.EXPLICIT_LITTLE]
        peer = self.start(peers.Orthanc(AcceptedTransferSyntaxes=taken))
        refused = [entry for entry in entries if entry.syntax_uid not in taken]
        self.assertTrue(refused)
        run = programs.run_sender(source, port=peer.port, ae_title=peer.ae_title, threads=2,
                                  options=['--transcode', 'never'])
        self.assertEqual(run.exit_code, 2, run)
        self.assertEqual(peer.instance_count(), len(entries) - len(refused))
        self.assertEqual(run.total('stored'), len(entries) - len(refused), run)
        for entry in refused:
            self.assertEqual(run.reason(entry.path), 'failed: unsupported')


class TheFiles(unittest.TestCase):
    """The set of real files is what it claims to be."""

    def test_there_are_about_a_hundred_in_every_encoding(self):
        entries = datasets.real_files()
        self.assertGreaterEqual(len(entries), 100)
        self.assertEqual(len({entry.instance_uid for entry in entries}), len(entries))
        self.assertLessEqual(set(datasets.SYNTAX_NAMES_THAT_MUST_OCCUR), {entry.syntax_uid for entry in entries})
        self.assertTrue(any(len(entry.data_set) % 2 for entry in entries), 'one of odd length')
        self.assertEqual(datasets.find('SC_rgb_rle_32bit_2frame.dcm') in entries, True, 'one of several frames')

    def test_those_left_out_are_there(self):
        for name in datasets.LEFT_OUT:
            self.assertTrue(datasets.left_out_path(name).exists())


class MadeUp(SenderTest):
    """--synthetic: instances that lie on no disk."""

    def send(self, peer, spec, count, *options, threads=4):
        run = programs.run_sender(port=peer.port, ae_title=getattr(peer, 'ae_title', 'ANY-SCP'), threads=threads,
                                  recursive=False, options=['--synthetic', spec, *options])
        self.assertEqual((run.exit_code, run.total('stored'), run.total('files')), (0, count, count), run)
        return run

    def test_into_storescp_and_found_valid(self):
        for sop_class in ('CT', 'MR', 'SC'):
            with self.subTest(sop_class=sop_class):
                peer = self.start(peers.Storescp(fork=True))
                self.send(peer, f'3x4x20K:{sop_class}', 12)
                received = list(peer.received())
                self.assertEqual(len(received), 12)
                for path in received:
                    said = subprocess.run(['dciodvfy', str(path)], capture_output=True, text=True, check=False)
                    self.assertNotIn('Error', said.stdout + said.stderr, path)

    def test_into_orthanc(self):
        peer = self.start(peers.Orthanc())
        self.send(peer, '3x10x20K', 30)
        self.assertEqual((peer.instance_count(), peer.study_count()), (30, 3))
        self.send(peer, '3x10x20K', 60, '--repeat', 2)
        self.assertEqual((peer.instance_count(), peer.study_count()), (90, 9), 'every run has UIDs of its own')

    def test_several_operations_at_a_time(self):
        """A window that is granted, and one that is not: storescp knows none."""
        receiver = self.start(programs.Receiver('--window', 8))
        run = self.send(receiver, '4x50x10K', 200, '--window', 16, '-d', threads=2)
        self.assertRegex(run.stderr, r'association\.opened .* window=8\b')
        self.assertEqual(len(receiver.files()), 200)
        run = self.send(self.start(peers.Storescp(fork=True)), '4x5x10K', 20, '--window', 16, '-d', threads=2)
        self.assertRegex(run.stderr, r'association\.opened .* window=1\b')
        self.assertNotRegex(run.stderr, r'association\.opened .* window=16\b')


if __name__ == '__main__':
    unittest.main()
