"""dicom-finder and dicom-mover with Orthanc and dcmqrscp: they find what pydicom reads in the files, and fetch it all."""
import collections
import csv
import io
import json
import pathlib
import re
import signal
import subprocess
import tempfile
import shutil
import unittest

import pydicom

from support import datasets, network, peers, programs
from support.base import ProgramTest

STUDY_KEYS = ('StudyDate', 'StudyTime', 'AccessionNumber', 'PatientName', 'PatientID', 'StudyInstanceUID')
MANY = 3_000


def find(peer, *options):
    return programs.run('dicom-finder', f'{peer.ae_title}@127.0.0.1:{peer.port}', *options)


def matches_of(done):
    """The matches of --json, as pydicom reads the DICOM JSON Model."""
    assert done.code == 0, done
    return [pydicom.Dataset.from_json(match) for match in json.loads(done.out)]


def attributes(source, keys):
    return tuple(str(source.get(key, '') or '') for key in keys)


class QueryTest(ProgramTest):
    """Two archives with the same studies, which are made once for all tests of a class."""

    studies, instances = 3, 4

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix='dicom-test-'))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        cls.entries = datasets.make_studies(cls.place, cls.studies, cls.instances, 2000)
        # A name of Western Europe and one of Japan, each in its own character set.
        cls.entries += [datasets.read_entry(datasets.make_instance(
            cls.place / f'{number}.dcm', number, 1, 2000, SpecificCharacterSet=charset, PatientName=name,
            StudyDate='20210203', StudyDescription=description))
            for number, charset, name, description in ((8, 'ISO_IR 100', 'Müller^Jörg', 'Schädel, "nativ"'),
                                                       (9, 'ISO_IR 192', 'Yamada^Tarou=山田^太郎', ''))]
        cls.port = network.free_port()    # where a mover of these tests receives
        cls.storescp = peers.Storescp(nodelay=True).start()
        cls.addClassCleanup(cls.storescp.stop)
        known = {'mover': ('MOVER', cls.port), 'storescp': (cls.storescp.ae_title, cls.storescp.port)}
        cls.orthanc = peers.Orthanc(modalities=known, DefaultEncoding='Utf8')
        cls.dcmqrscp = peers.Dcmqrscp(known.values())
        cls.archives = (cls.orthanc, cls.dcmqrscp)
        for archive in cls.archives:
            archive.start()
            cls.addClassCleanup(archive.stop)
        cls.dcmqrscp.index([entry.path for entry in cls.entries])
        for entry in cls.entries:
            cls.orthanc.add_file(entry.path.read_bytes())
        cls.headers = [pydicom.dcmread(entry.path, stop_before_pixels=True) for entry in cls.entries]

    def expected(self, keys, select=lambda header: True):
        return sorted({attributes(header, keys) for header in self.headers if select(header)})


class Finder(QueryTest):
    def assert_finds(self, keys, expected, *options, archives=None):
        wanted = [word for key in keys for word in ('-k', key)]
        for archive in archives or self.archives:
            with self.subTest(archive=archive.ae_title, options=options):
                found = matches_of(find(archive, '--json', *wanted, *options))
                self.assertEqual(sorted(attributes(match, keys) for match in found), expected)

    def test_every_study(self):
        self.assert_finds(STUDY_KEYS, self.expected(STUDY_KEYS), archives=[self.orthanc])
        # dcmqrscp answers in the bytes of the file and does not say in which set they are.
        self.assert_finds(STUDY_KEYS[:3], self.expected(STUDY_KEYS[:3]))

    def test_wildcards_ranges_and_lists(self):
        uids = [self.headers[0].StudyInstanceUID, self.headers[-1].StudyInstanceUID]
        for key, select in (('PatientName=SYNTHETIC^?', lambda header: str(header.PatientName).startswith('SYNTHETIC')),
                            ('StudyDate=20210101-', lambda header: header.StudyDate >= '20210101'),
                            ('0008,0050=2', lambda header: header.AccessionNumber == '2'),
                            ('StudyInstanceUID=' + '\\'.join(uids), lambda header: header.StudyInstanceUID in uids),
                            ('(0010,0020)=NOBODY', lambda header: False)):
            # The key that selects comes last: it wins over the one without a value.
            self.assert_finds(('StudyInstanceUID',), self.expected(('StudyInstanceUID',), select), '-k', key)

    def test_a_name_that_is_not_ascii(self):
        self.assert_finds(('StudyInstanceUID',), self.expected(('StudyInstanceUID',),
                                                              lambda header: 'Müller' in str(header.PatientName)),
                          '-k', 'PatientName=Müller*', archives=[self.orthanc])

    def test_down_to_the_instances(self):
        header = self.headers[0]
        series = ('StudyInstanceUID', 'SeriesInstanceUID', 'Modality')
        self.assert_finds(series[1:],
                          self.expected(series[1:], lambda one: one.StudyInstanceUID == header.StudyInstanceUID), '-L',
                          'series', '-k', f'0020,000D={header.StudyInstanceUID}')
        self.assert_finds(('SOPInstanceUID', 'InstanceNumber'),
                          self.expected(('SOPInstanceUID', 'InstanceNumber'),
                                        lambda one: one.SeriesInstanceUID == header.SeriesInstanceUID),
                          '-L', 'image', '-k', f'StudyInstanceUID={header.StudyInstanceUID}',
                          '-k', f'SeriesInstanceUID={header.SeriesInstanceUID}')

    def test_patients(self):
        self.assert_finds(('PatientID',), self.expected(('PatientID',)), '-P', '-L', 'patient')

    def test_csv_and_table_say_the_same(self):
        done = find(self.orthanc, '--csv', '-k', 'PatientName=*ller*')
        row, = csv.DictReader(io.StringIO(done.out))
        self.assertEqual((row['PatientName'], row['StudyDescription']), ('Müller^Jörg', 'Schädel, "nativ"'), done)
        table = find(self.orthanc, '-k', 'PatientName=*ller*').out.splitlines()
        self.assertEqual(len(table), 2)
        self.assertEqual(re.split(' {2,}', table[0]), list(row))
        self.assertEqual(table[1].index(row['StudyInstanceUID']), table[0].index('StudyInstanceUID'))

    def test_a_file_of_keys(self):
        path = self.folder / 'keys'
        path.write_text('# the second\nAccessionNumber=2\n\nPatientID\n')
        self.assert_finds(('PatientID',), self.expected(('PatientID',), lambda header: header.AccessionNumber == '2'),
                          '--query-file', path)

    def test_a_limit(self):
        for archive in self.archives:
            done = find(archive, '--json', '--limit', 2)
            self.assertEqual(len(matches_of(done)), 2, done)
            self.assertRegex(done.err, r'2 matches; there (are|may be) more \(--limit\)')


class Mover(QueryTest):
    def assert_kept(self, folder, entries):
        """Exactly these instances, their data sets byte for byte, and nothing else."""
        kept = {path.name: datasets.split_part10(path.read_bytes()) for path in folder.iterdir()}
        self.assertEqual(sorted(kept), sorted(f'{entry.instance_uid}.dcm' for entry in entries))
        for entry in entries:
            meta, data_set = kept[f'{entry.instance_uid}.dcm']
            self.assertEqual((meta[0x03], meta[0x10]), (entry.instance_uid, entry.syntax_uid))
            self.assertTrue(datasets.same_data_set(entry.data_set, data_set), f'{entry.name}: the data set has changed')

    def here(self, output):
        return '-c', 'MOVER', '--receive-port', self.port, '--output-dir', output

    def of_study(self, number):
        return [entry for entry in self.entries if entry.study_uid == datasets.uid(1, number)]

    def test_to_itself(self):
        for archive in self.archives:
            for name, options, entries in (
                    ('studies', ('-k', 'PatientName=SYNTHETIC*'), self.entries[:12]),
                    ('study', ('-k', f'StudyInstanceUID={datasets.uid(1, 2)}'), self.of_study(2)),
                    ('series', ('-L', 'series', '-k', f'StudyInstanceUID={datasets.uid(1, 1)}',
                                '-k', f'SeriesInstanceUID={datasets.uid(1, 1, 0, 1)}'), self.of_study(1)),
                    ('image', ('-L', 'image', '-k', f'StudyInstanceUID={datasets.uid(1, 1)}',
                               '-k', f'SeriesInstanceUID={datasets.uid(1, 1, 0, 1)}',
                               '-k', f'SOPInstanceUID={datasets.uid(1, 1, 3)}'), self.entries[2:3]),
                    ('patient', ('-P', '-L', 'patient', '-k', 'PatientID=S1-3'), self.of_study(3))):
                with self.subTest(archive=archive.ae_title, level=name):
                    output = self.folder / archive.ae_title / name
                    run = programs.run_mover(archive, *options, *self.here(output))
                    self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
                    self.assert_kept(output, entries)

    def test_what_is_there_is_not_asked_for(self):
        output = self.folder / 'output'
        run = programs.run_mover(self.orthanc, '-k', 'PatientName=SYNTHETIC*', *self.here(output))
        for entry in (self.entries[0], self.entries[7]):
            (output / f'{entry.instance_uid}.dcm').unlink()
        run = programs.run_mover(self.orthanc, '-k', 'PatientName=SYNTHETIC*', *self.here(output))
        self.assertEqual((run.exit_code, run.total('present'), run.total('stored')), (0, 10, 2), run)
        self.assertEqual([(request['level'], request['instances']) for request in run.summary['requests']],
                         [('IMAGE', 1)] * 2)
        self.assert_kept(output, self.entries[:12])

    def test_with_get(self):
        for archive in self.archives:
            with self.subTest(archive=archive.ae_title):
                output = self.folder / archive.ae_title
                run = programs.run_mover(archive, '-k', 'PatientName=SYNTHETIC*', '--get', '-o', output)
                self.assertEqual((run.exit_code, run.total('stored')), (0, 12), run)
                self.assert_kept(output, self.entries[:12])

    def test_each_instance_comes_as_it_lies_there(self):
        """Compressed, Implicit VR and Big Endian ones, to the mover and with C-GET."""
        names = ('SC_rgb_rle_32bit_2frame.dcm', 'J2K_pixelrep_mismatch.dcm', 'GDCMJ2K_TextGBR.dcm', 'rtplan.dcm',
                 'ExplVR_BigEnd.dcm')
        entries = [entry for entry in datasets.copy_files(datasets.real_files(), self.subfolder('real'))
                   if entry.name in names]
        self.assertEqual(len({entry.syntax_uid for entry in entries}), 4)
        with peers.Orthanc(modalities={'mover': ('MOVER', self.port)}) as archive:
            for entry in entries:
                archive.add_file(entry.path.read_bytes())
            for name, options in (('move', self.here(self.folder / 'move')), ('get', ('--get', '-o', self.folder / 'get'))):
                with self.subTest(name):
                    run = programs.run_mover(archive, '--all', *options)
                    self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
                    self.assert_kept(self.folder / name, entries)

    def test_to_a_third_party(self):
        for archive, number in ((self.orthanc, 1), (self.dcmqrscp, 2)):
            with self.subTest(archive=archive.ae_title):
                run = programs.run_mover(archive, '-k', f'StudyInstanceUID={datasets.uid(1, number)}',
                                         '--move-dest', self.storescp.ae_title)
                self.assertEqual((run.exit_code, run.total('stored')), (0, self.instances), run)
                received = {datasets.split_part10(path.read_bytes())[0][0x03] for path in self.storescp.received()}
                self.assertLessEqual({entry.instance_uid for entry in self.of_study(number)}, received)

    def test_a_destination_that_nobody_knows(self):
        run = programs.run_mover(self.dcmqrscp, '-k', f'StudyInstanceUID={datasets.uid(1, 1)}', '--move-dest', 'NOBODY')
        self.assertEqual((run.exit_code, run.summary['verdict'], run.summary['rounds']), (1, 'stopped', 1), run)
        self.assertEqual(run.summary['requests'][0]['status'], '0xA801', run)
        self.assertIn('move destination unknown', run.summary['stop_reason'])
        self.assertNotIn('--get', run.summary['stop_reason'])

    def test_nobody_knows_who_asks(self):
        run = programs.run_mover(self.dcmqrscp, '-k', f'StudyInstanceUID={datasets.uid(1, 1)}', '-o',
                                 self.folder / 'output', '--receive-ae', 'STRANGER')
        self.assertEqual((run.exit_code, run.summary['verdict']), (1, 'stopped'), run)
        self.assertIn('tell the peer this AE title', run.summary['stop_reason'])

    def test_no_match(self):
        for archive in self.archives:
            run = programs.run_mover(archive, '-k', 'PatientName=NOBODY', '-o', self.folder / 'output', '--get')
            self.assertEqual((run.exit_code, run.total('matches'), run.summary['verdict']), (1, 0, 'complete'), run)


class Many(ProgramTest):
    """3,000 small instances in Orthanc, and in dicom-archive."""

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix='dicom-test-'))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        programs.write_synthetic(cls.place / 'studies', f'3x{MANY // 3}x2048:CT')
        cls.port = network.free_port()
        cls.orthanc = peers.Orthanc(modalities={'mover': ('MOVER', cls.port)}).start()
        cls.addClassCleanup(cls.orthanc.stop)
        run = programs.run_sender(cls.place / 'studies', port=cls.orthanc.port, threads=3,
                                  folder_variable='RELEASE_DIR')
        assert run.total('stored') == MANY, run
        cls.data_sets = {}
        for path in (cls.place / 'studies').rglob('*.dcm'):
            meta, data_set = datasets.split_part10(path.read_bytes())
            cls.data_sets[meta[0x03]] = data_set

    def setUp(self):
        super().setUp()
        self.output = self.folder / 'output'
        self.options = ('--all', '-c', 'MOVER', '--receive-port', self.port, '-o', self.output)

    def assert_all_kept(self):
        kept = {}
        for path in self.output.glob('*.dcm'):
            meta, data_set = datasets.split_part10(path.read_bytes())
            self.assertEqual(path.name, f'{meta[0x03]}.dcm')
            kept[meta[0x03]] = data_set
        self.assertEqual(kept.keys(), self.data_sets.keys())
        self.assertEqual([uid for uid, data_set in kept.items() if data_set != self.data_sets[uid]], [])

    def begin(self):
        """Start a mover and wait until it is in the middle."""
        process = subprocess.Popen(programs.mover_command(self.orthanc, self.folder / 'logs', *self.options),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=programs.environment())
        network.wait_until(lambda: self.output.exists() and sum(1 for _ in self.output.glob('*.dcm')) > MANY // 10, 30,
                           'the first instances')
        self.assertIsNone(process.poll())
        return process

    def archive(self):
        return self.start(programs.Archive('--import', self.place / 'studies', '--move-threads', 3,
                                           destinations=[('MOVER', self.port)], folder_variable='RELEASE_DIR'))

    def test_all_of_them(self):
        self.fetch_all(self.orthanc)

    def test_all_of_them_from_dicom_archive(self):
        self.fetch_all(self.archive())

    def test_all_of_them_from_dicom_archive_with_get(self):
        run = programs.run_mover(self.archive(), '--all', '--get', '-o', self.output)
        self.assertEqual((run.exit_code, run.total('stored'), run.summary['rounds']), (0, MANY, 1), run)
        self.assert_all_kept()

    def fetch_all(self, archive):
        run = programs.run_mover(archive, *self.options)
        self.assertEqual((run.exit_code, run.total('stored'), run.summary['rounds']), (0, MANY, 1), run)
        self.assert_all_kept()
        events = collections.Counter(event['event'] for event in run.events)
        self.assertEqual((events['retrieval.stored'], events['retrieval.listed']), (MANY, 1))
        self.assertEqual((run.events[0]['event'], run.events[-1]['event']), ('session.started', 'session.ended'))

    def test_killed_and_run_again(self):
        process = self.begin()
        process.kill()
        process.communicate()
        for path in self.output.glob('*.dcm'):    # whatever has a final name is whole
            meta, data_set = datasets.split_part10(path.read_bytes())
            self.assertEqual(data_set, self.data_sets[meta[0x03]], path.name)
        run = programs.run_mover(self.orthanc, *self.options)
        self.assertEqual((run.exit_code, run.total('present') + run.total('stored')), (0, MANY), run)
        self.assertGreater(run.total('present'), MANY // 10)
        self.assert_all_kept()

    def test_cancelled_half_way(self):
        process = self.begin()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        summary = json.loads(out)
        self.assertEqual(summary['verdict'], 'interrupted')
        self.assertEqual(summary['totals']['stored'], sum(1 for _ in self.output.glob('*.dcm')))
        self.assertLess(summary['totals']['stored'], MANY // 3, 'the peer stops in the middle of a study')
        self.assertEqual([path.name for path in self.output.iterdir() if path.suffix != '.dcm'], [])


if __name__ == '__main__':
    unittest.main()
