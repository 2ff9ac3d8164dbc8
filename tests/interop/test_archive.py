"""findscu, movescu, getscu, storescu, echoscu and Orthanc as clients of dicom-archive; answers compared with pydicom's
reading of the same files."""
import contextlib
import fnmatch
import os
import pathlib
import re
import shutil
import sqlite3
import struct
import subprocess
import time
import unittest
import warnings

import odil
import pydicom
from support import datasets, kept, network, peers, programs, wire
from support.base import ProgramTest

LEVELS = ('PATIENT', 'STUDY', 'SERIES', 'IMAGE')
UNIQUE = dict(zip(LEVELS, ('PatientID', 'StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID')))
STUDY_FIND, STUDY_MOVE = '1.2.840.10008.5.1.4.1.2.2.1', '1.2.840.10008.5.1.4.1.2.2.2'


def text_of(header, keyword):
    """An attribute as text: values joined by backslashes, names and numbers as they are written."""
    value = header.get(keyword)
    if value is None:
        return ''
    values = value if isinstance(value, pydicom.multival.MultiValue) else [value]
    return '\\'.join('' if part is None else str(part) for part in values).strip(' \0')


def read_header(source):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        header = pydicom.dcmread(source, stop_before_pixels=True, force=True)
        header.decode()
    return header


def element(tag, value, padding=b' '):
    """In Implicit VR Little Endian."""
    value += padding * (len(value) % 2)
    return struct.pack('<HHI', tag >> 16, tag & 0xFFFF, len(value)) + value


class ArchiveTest(ProgramTest):
    def find(self, archive, level, *keys, root='-S', options=()):
        """What findscu gets: the last lines it says, and the matches as pydicom data sets."""
        folder = pathlib.Path(self.folder / 'matches')
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        words = [word for key in (f'QueryRetrieveLevel={level}', *keys) for word in ('-k', key)]
        done = peers.run_client('findscu', '-v', root, '-X', '-od', folder, *options, *words, '127.0.0.1', archive.port)
        return done.stdout, [read_header(path) for path in sorted(folder.iterdir())]

    def find_values(self, archive, level, keyword, *keys, root='-S'):
        """One attribute of all matches, sorted."""
        if not any(key.split('=')[0] == keyword for key in keys):
            keys = (*keys, keyword)
        said, matches = self.find(archive, level, *keys, root=root)
        self.assertIn('Received Final Find Response (Success)', said)
        return sorted(text_of(match, keyword) for match in matches)

    def move(self, archive, destination, *keys, level='STUDY', options=()):
        """movescu's output and its last counts: (remaining, completed, failed, warning) as far as they were said."""
        words = [word for key in (f'QueryRetrieveLevel={level}', *keys) for word in ('-k', key)]
        done = peers.run_client('movescu', '-d', '-S', '-aem', destination, *options, *words, '127.0.0.1',
                                archive.port)
        counts = [re.findall(rf'{name} Suboperations +: (\w+)', done.stdout)[-1:] for name in
                  ('Remaining', 'Completed', 'Failed', 'Warning')]
        return done, tuple(int(count[0]) if count and count[0].isdigit() else None for count in counts)


class RealFiles(ArchiveTest):
    """Files as they are found in the world, imported; asked for in many ways."""

    def setUp(self):
        super().setUp()
        source = self.subfolder('source')
        self.entries = datasets.copy_files(datasets.real_files(), source)
        self.headers = {entry.instance_uid: read_header(entry.path) for entry in self.entries}
        self.storescp = self.start(peers.Storescp(fork=True))
        self.archive = self.start(programs.Archive('--import', source, '--move-threads', 3,
                                                   destinations=[('STORESCP', self.storescp.port)]))
        self.assertIn(f'imported {len(self.entries)}, failed 0', self.archive.log())

    def entities(self, level):
        """{unique key: [the headers of its instances]}. A patient is an ID and a name."""
        found = {}
        for header in self.headers.values():
            key = text_of(header, UNIQUE[level])
            if level == 'SERIES':
                key = text_of(header, 'StudyInstanceUID'), key
            found.setdefault(key, []).append(header)
        return found

    def test_every_attribute_is_what_pydicom_reads(self):
        keywords = {
            'PATIENT': ('PatientName', 'PatientID', 'PatientBirthDate', 'PatientSex'),
            'STUDY': ('StudyInstanceUID', 'StudyDate', 'StudyTime', 'AccessionNumber', 'StudyID', 'StudyDescription',
                      'ReferringPhysicianName', 'PatientName'),
            'SERIES': ('StudyInstanceUID', 'SeriesInstanceUID', 'Modality', 'SeriesNumber', 'SeriesDescription',
                       'BodyPartExamined', 'Manufacturer'),
            'IMAGE': ('SOPInstanceUID', 'SOPClassUID', 'InstanceNumber', 'Rows', 'Columns', 'ImageType',
                      'NumberOfFrames'),
        }
        for level, names in keywords.items():
            _, matches = self.find(self.archive, level, *names, root='-P')
            known = self.entities(level)
            found = set()
            for match in matches:
                key = text_of(match, UNIQUE[level])
                key = (text_of(match, 'StudyInstanceUID'), key) if level == 'SERIES' else key
                found.add(key)
                for name in names:
                    self.assertIn(text_of(match, name), {text_of(header, name) for header in known[key]},
                                  f'{level} {key}: {name}')
            self.assertEqual(found, set(known), level)

    def test_keys_match_what_they_should(self):
        """Those with all instances matching are found, none without any."""
        def both(*rules):
            return lambda header: all(rule(header) for rule in rules)

        def like(keyword, pattern, fold=False):
            def rule(header):
                values = text_of(header, keyword).split('\\')
                return any(fnmatch.fnmatchcase(v.lower() if fold else v, pattern.lower() if fold else pattern)
                           for v in values)
            return rule

        def between(keyword, first, last):
            return lambda header: bool(text_of(header, keyword)) and first <= text_of(header, keyword) <= last

        name = next(text_of(header, 'PatientName') for header in self.headers.values()
                    if text_of(header, 'PatientName').isascii() and '^' in text_of(header, 'PatientName'))
        studies = sorted(self.entities('STUDY'))
        cases = [
            ('STUDY', (), lambda header: True),
            ('STUDY', ('StudyDate=20040101-20041231',), between('StudyDate', '20040101', '20041231')),
            ('STUDY', ('StudyDate=20040101-',), between('StudyDate', '20040101', '99999999')),
            ('STUDY', ('StudyDate=-20040101',), between('StudyDate', '0', '20040101')),
            ('STUDY', (f'PatientName={name.upper()}',), like('PatientName', name, fold=True)),
            ('STUDY', (f'PatientName={name[:3]}*',), like('PatientName', name[:3] + '*', fold=True)),
            ('STUDY', ('PatientName=*^*',), like('PatientName', '*^*')),
            ('STUDY', ('PatientID=?*',), like('PatientID', '?*')),
            ('STUDY', ('StudyInstanceUID=' + '\\'.join(studies[::3]),),
             lambda header: text_of(header, 'StudyInstanceUID') in studies[::3]),
            ('SERIES', ('Modality=CT',), like('Modality', 'CT')),
            ('SERIES', ('Modality=CT\\MR',), lambda header: text_of(header, 'Modality') in ('CT', 'MR')),
            ('SERIES', ('Modality=ct',), lambda header: False),
            ('SERIES', ('Modality=R*',), like('Modality', 'R*')),
            ('SERIES', (f'StudyInstanceUID={studies[0]}',), like('StudyInstanceUID', studies[0])),
            ('IMAGE', ('SOPClassUID=1.2.840.10008.5.1.4.1.1.2',), like('SOPClassUID', '1.2.840.10008.5.1.4.1.1.2')),
            ('IMAGE', ('Rows=512', 'Modality=*'), like('Rows', '512')),
            ('IMAGE', (f'StudyInstanceUID={studies[0]}', 'Modality=CT'),
             both(like('StudyInstanceUID', studies[0]), like('Modality', 'CT'))),
        ]
        for level, keys, rule in cases:
            key = UNIQUE[level]
            found = set(self.find_values(self.archive, level, key, *keys))
            certain = {text_of(headers[0], key) for headers in self.entities(level).values() if all(map(rule, headers))}
            possible = {text_of(headers[0], key) for headers in self.entities(level).values() if any(map(rule, headers))}
            self.assertLessEqual(certain, found, keys)
            self.assertLessEqual(found, possible, keys)

    def test_computed_attributes(self):
        _, matches = self.find(self.archive, 'STUDY', 'StudyInstanceUID', 'ModalitiesInStudy',
                               'NumberOfStudyRelatedInstances', 'NumberOfStudyRelatedSeries')
        for match in matches:
            headers = self.entities('STUDY')[text_of(match, 'StudyInstanceUID')]
            self.assertEqual(int(match.NumberOfStudyRelatedInstances), len(headers))
            self.assertEqual(int(match.NumberOfStudyRelatedSeries),
                             len({text_of(header, 'SeriesInstanceUID') for header in headers}))
            self.assertEqual(text_of(match, 'ModalitiesInStudy').split('\\'),
                             sorted({text_of(header, 'Modality') for header in headers}))

    def test_what_is_moved_and_got_is_what_was_imported(self):
        got = self.subfolder('got')
        for study in self.entities('STUDY'):
            done, counts = self.move(self.archive, 'STORESCP', f'StudyInstanceUID={study}')
            self.assertEqual(done.returncode, 0, done.stdout[-3000:])
            self.assertEqual(counts[1:], (len(self.entities('STUDY')[study]), 0, 0))
        for entry in self.entries:
            if entry.syntax_uid != datasets.EXPLICIT_LITTLE:
                continue
            done = peers.run_client('getscu', '-S', '+B', '-od', got, '-k', 'QueryRetrieveLevel=IMAGE', '-k',
                                    f'SOPInstanceUID={entry.instance_uid}', '127.0.0.1', self.archive.port)
            self.assertEqual(done.returncode, 0, done.stdout[-3000:])
        by_uid = {entry.instance_uid: entry for entry in self.entries}
        moved = {}
        for path in [*self.storescp.received(), *got.iterdir()]:
            meta, data_set = datasets.split_part10(path.read_bytes())
            moved[meta[0x03]] = moved.get(meta[0x03], 0) + 1
            self.assertEqual(meta[0x10], by_uid[meta[0x03]].syntax_uid)
            self.assertTrue(datasets.same_data_set(by_uid[meta[0x03]].data_set, data_set), meta[0x03])
        expected = {entry.instance_uid: 1 + (entry.syntax_uid == datasets.EXPLICIT_LITTLE) for entry in self.entries}
        self.assertEqual(moved, expected)

    def test_orthanc(self):
        orthanc = self.start(peers.Orthanc(modalities={'archive': ('ARCHIVE', self.archive.port)}))
        self.archive.stop()
        archive = self.start(programs.Archive('--import', self.folder / 'source', '--ae-title', 'ARCHIVE',
                                              destinations=[('ORTHANC', orthanc.port)]))
        orthanc.add_modality('archive', 'ARCHIVE', archive.port)
        self.assertTrue(orthanc.echo('archive'))
        query = orthanc.post('/modalities/archive/query', {'Level': 'Study', 'Query': {'PatientName': '', 'StudyDate': ''}})
        answers = orthanc.get(f'/queries/{query["ID"]}/answers?expand&simplify')
        self.assertEqual({answer['StudyInstanceUID'] for answer in answers}, set(self.entities('STUDY')))
        # Orthanc refuses some of these, and big endian it does not propose to take.
        orthanc.post(f'/queries/{query["ID"]}/retrieve', {'TargetAet': 'ORTHANC', 'Synchronous': True})
        kept = orthanc.instances()
        self.assertGreaterEqual(len(kept), len(self.entries) * 9 // 10)
        for entry in self.entries:
            if entry.instance_uid in kept:
                data_set = datasets.split_part10(orthanc.file(kept[entry.instance_uid]))[1]
                self.assertEqual(datasets.elements(data_set, entry.syntax_uid),
                                 datasets.elements(entry.data_set, entry.syntax_uid), entry.name)


class Storing(ArchiveTest):
    def store(self, archive, *paths):
        done = peers.run_client('storescu', '-xe', '127.0.0.1', archive.port, *paths)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_stored_instances_are_found_at_once_and_after_kill_9(self):
        paths = [datasets.make_instance(self.folder / f'{n}.dcm', study=n % 3, instance=n) for n in range(9)]
        archive = self.start(programs.Archive())
        self.assertEqual(peers.run_client('echoscu', '127.0.0.1', archive.port).returncode, 0)
        self.store(archive, *paths)
        expected = sorted(str(read_header(path).SOPInstanceUID) for path in paths)
        self.assertEqual(self.find_values(archive, 'IMAGE', 'SOPInstanceUID'), expected)
        archive.kill()
        archive.start()
        self.assertEqual(self.find_values(archive, 'IMAGE', 'SOPInstanceUID'), expected)
        # A file without a row, as after a death between the two; a row without a file; a file that is none.
        archive.kill()
        with sqlite3.connect(archive.output / 'index.sqlite') as index:
            index.execute('DELETE FROM instance WHERE SOPInstanceUID = ?', (expected[0],))
        index.close()
        (archive.output / f'{expected[1]}.dcm').unlink()
        (archive.output / 'notes.txt').write_text('no DICOM')
        archive.start()
        left = [uid for uid in expected if uid != expected[1]]
        self.assertEqual(self.find_values(archive, 'IMAGE', 'SOPInstanceUID'), left)
        archive.terminate()
        # A ruined index is not overwritten unasked.
        (archive.output / 'index.sqlite').write_bytes(b'ruined, and long enough for SQLite to see that' * 100)
        done = programs.run('dicom-archive', '--port', 0, '--output-dir', archive.output)
        self.assertEqual(done.code, 1)
        self.assertIn('--reindex', done.err)
        archive.options.append('--reindex')
        archive.start()
        self.assertEqual(self.find_values(archive, 'IMAGE', 'SOPInstanceUID'), left)

    def test_the_same_again_and_what_cannot_be_kept(self):
        path = datasets.make_instance(self.folder / 'a.dcm')
        meta, data_set = datasets.split_part10(path.read_bytes())
        uid, class_uid = meta[0x03], meta[0x02]
        archive = self.start(programs.Archive())
        context = (class_uid, datasets.EXPLICIT_LITTLE)
        with wire.Client(archive.port, [context]) as client:
            for instance_uid, data, status in (
                    (uid, data_set, 0), (uid, data_set, 0), (uid, data_set[:-2] + b'\xAA\xBB', 0xA900),
                    ('1.2.3', data_set, 0xA900),            # not the data set's UID
                    ('1.2.4', data_set[:100], 0xC000),      # ends inside an element
                    ('../../evil', data_set, 0xA900), ('/tmp/evil', data_set, 0xA900), ('..', data_set, 0xA900)):
                response = client.store(*context, instance_uid, data)
                self.assertEqual(response['status'], status, (instance_uid, response))
            self.assertTrue(client.release())
        self.assertEqual([file.name for file in archive.files()], [f'{uid}.dcm'])
        self.assertEqual([p.name for p in archive.folder.iterdir()], ['received'])
        self.assertEqual(self.find_values(archive, 'IMAGE', 'SOPInstanceUID'), [uid])

    def test_names_are_found_in_any_character_set(self):
        archive = self.start(programs.Archive())
        names = {'ISO_IR 100': 'Buc^Jérôme', 'ISO_IR 192': 'Müller^Änne', 'ISO_IR 144': 'Люкceмбypг'}
        for number, (character_set, name) in enumerate(names.items()):
            path = datasets.make_instance(self.folder / f'{number}.dcm', study=number, instance=number)
            header = pydicom.dcmread(path)
            header.SpecificCharacterSet, header.PatientName, header.PatientID = character_set, name, str(number)
            header.save_as(path)
            self.store(archive, path)
        self.assertEqual(self.find_values(archive, 'STUDY', 'PatientName', 'SpecificCharacterSet=ISO_IR 192'),
                         sorted(names.values()))
        self.assertEqual(self.find_values(archive, 'STUDY', 'PatientName', 'SpecificCharacterSet=ISO_IR 192',
                                          'PatientName=Buc^J?rôme'), [names['ISO_IR 100']])
        # Case does not count in names, nor do accents, whatever the character set of the file is.
        for key, expected in (('müller*', 'ISO_IR 192'), ('MÜLLER^ÄNNE', 'ISO_IR 192'), ('muller^*', 'ISO_IR 192'),
                              ('BUC^JÉRÔME', 'ISO_IR 100'), (names['ISO_IR 144'].upper(), 'ISO_IR 144')):
            self.assertEqual(self.find_values(archive, 'STUDY', 'PatientName', 'SpecificCharacterSet=ISO_IR 192',
                                              f'PatientName={key}'), [names[expected]], key)


class Syntaxes(ArchiveTest):
    """A requestor of a C-GET that lists other syntaxes first gets instances as they lie all the same."""

    def get_with_odil(self, archive, study, *syntaxes):
        """How many instances of the study come."""
        contexts = odil.AssociationParameters.PresentationContext
        association = odil.Association()
        association.set_peer_host('127.0.0.1')
        association.set_peer_port(archive.port)
        association.update_parameters().set_calling_ae_title('ODIL').set_called_ae_title('ARCHIVE') \
            .set_presentation_contexts([
                contexts(odil.registry.StudyRootQueryRetrieveInformationModelGet, [wire.IMPLICIT_LITTLE],
                         contexts.Role.SCU),
                contexts(datasets.CT_IMAGE, list(syntaxes), contexts.Role.SCP)])
        association.associate()
        keys = odil.DataSet()
        keys.add(odil.registry.QueryRetrieveLevel, ['STUDY'])
        keys.add(odil.registry.StudyInstanceUID, [study])
        user = odil.GetSCU(association)
        user.set_affected_sop_class(odil.registry.StudyRootQueryRetrieveInformationModelGet)
        got = user.get(keys)
        association.release()
        return len(got)

    def test_get(self):
        for stored in (datasets.EXPLICIT_LITTLE, wire.IMPLICIT_LITTLE):
            source = self.subfolder(stored)
            for number in range(3):
                path = datasets.make_instance(source / f'{number}.dcm', study=1, instance=number)
                header = pydicom.dcmread(path)
                header.file_meta.TransferSyntaxUID = stored
                header.is_implicit_VR = stored == wire.IMPLICIT_LITTLE
                header.save_as(path)
            archive = self.start(programs.Archive('--import', source))
            with self.subTest(stored):
                study, = self.find_values(archive, 'STUDY', 'StudyInstanceUID')
                self.assertEqual(self.get_with_odil(archive, study, wire.IMPLICIT_LITTLE, datasets.EXPLICIT_LITTLE), 3)
                self.assertEqual(self.get_with_odil(archive, study, datasets.DEFLATED, datasets.EXPLICIT_LITTLE,
                                                    datasets.BIG_ENDIAN, wire.IMPLICIT_LITTLE), 3)
                for only in (wire.IMPLICIT_LITTLE, datasets.EXPLICIT_LITTLE, datasets.BIG_ENDIAN):    # converted if need be
                    self.assertEqual(self.get_with_odil(archive, study, only), 3)
                folder = self.subfolder(f'got-{stored}')
                peers.run_client('getscu', '-S', '-od', folder, '-k', 'QueryRetrieveLevel=STUDY', '-k',
                                 f'StudyInstanceUID={study}', '127.0.0.1', archive.port)
                self.assertEqual(len(list(folder.iterdir())), 3)


class Synthetic(ArchiveTest):
    def test_the_instances_are_valid_and_what_was_said_of_them(self):
        storescp = self.start(peers.Storescp(fork=True))
        archive = self.start(programs.Archive('--move-threads', 4, synthetic='8x3x2:8K',
                                              destinations=[('STORESCP', storescp.port)]))
        self.assertIn('8 studies, 24 series, 48 instances', archive.log())
        keywords = ('PatientName', 'PatientID', 'StudyDate', 'StudyDescription', 'Modality', 'SeriesDescription',
                    'SeriesNumber', 'InstanceNumber', 'SOPInstanceUID', 'StudyInstanceUID')
        _, matches = self.find(archive, 'IMAGE', *keywords)
        by_uid = {match.SOPInstanceUID: match for match in matches}
        self.assertEqual(len(by_uid), 48)
        self.assertEqual({str(match.Modality) for match in matches}, {'CT', 'MR'})
        for study in {match.StudyInstanceUID for match in matches}:
            done, counts = self.move(archive, 'STORESCP', f'StudyInstanceUID={study}')
            self.assertEqual((done.returncode, counts[1:]), (0, (6, 0, 0)), done.stdout[-2000:])
        self.assertEqual(len(storescp.received()), 48)
        for path in storescp.received():
            header = read_header(path)
            for keyword in keywords:
                self.assertEqual(text_of(header, keyword), text_of(by_uid[header.SOPInstanceUID], keyword), keyword)
            said = subprocess.run(['dciodvfy', path], capture_output=True, text=True, check=False)
            self.assertNotIn('Error', said.stderr + said.stdout)
        # The same ones the next time.
        again = self.start(programs.Archive(synthetic='8x3x2:8K'))
        self.assertEqual(self.find_values(again, 'IMAGE', 'SOPInstanceUID'), sorted(by_uid))

    def test_what_is_refused(self):
        archive = self.start(programs.Archive(synthetic='2x1x1'))
        study = self.find_values(archive, 'STUDY', 'StudyInstanceUID')[0]
        done, _ = self.move(archive, 'NOBODY', f'StudyInstanceUID={study}')
        self.assertIn('0xa801', done.stdout)
        done, _ = self.move(archive, 'NOBODY', 'StudyInstanceUID=')
        self.assertIn('0xa801', done.stdout)
        for level, root in (('PATIENT', '-S'), ('NONSENSE', '-P'), ('', '-P')):
            said, matches = self.find(archive, level, 'PatientID', root=root)
            self.assertIn('DataSetDoesNotMatchSOPClass', said)
            self.assertEqual(matches, [])
        said, matches = self.find(archive, 'STUDY', 'StudyInstanceUID', 'StudyComments', options=['-d'])
        self.assertIn('0xff01', said)
        self.assertEqual(len(matches), 2)
        self.assertEqual(self.find_values(archive, 'STUDY', 'StudyInstanceUID', 'PatientName=nobody'), [])
        path = datasets.make_instance(self.folder / 'a.dcm')
        self.assertNotEqual(peers.run_client('storescu', '-xe', '127.0.0.1', archive.port, path).returncode, 0)

    def test_a_move_that_cannot_be(self):
        archive = self.start(programs.Archive('--move-threads', 2, synthetic='2x3x4',
                                              destinations=[('GONE', network.free_port())]))
        study = self.find_values(archive, 'STUDY', 'StudyInstanceUID')[0]
        done, counts = self.move(archive, 'GONE', f'StudyInstanceUID={study}')
        self.assertIn('0xa702', done.stdout)
        self.assertEqual(counts, (None, 0, 12, 0))
        done, counts = self.move(archive, 'GONE', 'StudyInstanceUID=1.2.3')
        self.assertEqual((done.returncode, counts[1:]), (0, (0, 0, 0)))

    def test_a_destination_that_aborts(self):
        """What was under way has failed and is listed; a new association takes up the rest."""
        receiver = self.start(programs.Receiver('--abort-after', 3, log=True))
        archive = self.start(programs.Archive('--move-threads', 2, synthetic='1x4x10:4K',
                                              destinations=[('RECEIVER', receiver.port)]))
        study = self.find_values(archive, 'STUDY', 'StudyInstanceUID')[0]
        done, counts = self.move(archive, 'RECEIVER', f'StudyInstanceUID={study}')
        self.assertEqual(counts, (None, 30, 10, 0))
        self.assertRegex(done.stdout, '(?i)0xb000')
        self.assertIn('aborted by the peer', done.stdout)
        failed, = re.findall(r'\(0008,0058\) UI \[([^]]*)\]', done.stdout)
        answered = list(kept.acknowledged(kept.read_log(receiver.access_log)))
        self.assertEqual(sorted(failed.split('\\') + answered), self.find_values(archive, 'IMAGE', 'SOPInstanceUID'))

    def test_many_clients_at_once(self):
        receiver = self.start(programs.Receiver())
        archive = self.start(programs.Archive('--move-threads', 2, synthetic='6x2x20:4K',
                                              destinations=[('RECEIVER', receiver.port)]))
        studies = self.find_values(archive, 'STUDY', 'StudyInstanceUID')
        commands = []
        for number, study in enumerate(studies):
            keys = ['-S', '-k', 'QueryRetrieveLevel=STUDY', '-k', f'StudyInstanceUID={study}', '127.0.0.1',
                    str(archive.port)]
            got = self.subfolder(f'got{number}')
            commands += [['movescu', '-aem', 'RECEIVER', *keys], ['getscu', '-od', str(got), *keys],
                         ['findscu', *keys]]
        clients = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                   for command in commands]
        self.assertEqual([client.wait(60) for client in clients], [0] * len(clients))
        self.assertEqual(len(receiver.files()), 240)
        self.assertEqual(sum(len(list(self.folder.glob(f'got{n}/*'))) for n in range(6)), 240)

    def test_cancelled_half_way(self):
        storescp = self.start(peers.Storescp(fork=True, keep=False))
        archive = self.start(programs.Archive('--move-threads', 2, synthetic='2x10x500:2K',
                                              destinations=[('STORESCP', storescp.port)]))
        study = self.find_values(archive, 'STUDY', 'StudyInstanceUID')[0]
        said, _ = self.find(archive, 'IMAGE', f'StudyInstanceUID={study}', 'SOPInstanceUID',
                            options=['--cancel', '5', '-d'])
        self.assertRegex(said, '(?i)0xfe00')
        done, counts = self.move(archive, 'STORESCP', f'StudyInstanceUID={study}', options=['--cancel', '5'])
        self.assertRegex(done.stdout, '(?i)0xfe00')
        self.assertEqual(sum(counts), 5000)
        self.assertGreater(counts[0], 0)
        # It goes on serving.
        self.assertEqual(len(self.find_values(archive, 'STUDY', 'StudyInstanceUID')), 2)

    def test_a_client_that_dies_in_mid_move(self):
        receiver = self.start(programs.Receiver('--response-delay', 20, keep=False, log=True))
        archive = self.start(programs.Archive('--move-threads', 4, synthetic='1x8x500:2K',
                                              destinations=[('RECEIVER', receiver.port)]))
        study = self.find_values(archive, 'STUDY', 'StudyInstanceUID')[0]
        with wire.Client(archive.port, [(STUDY_MOVE, wire.IMPLICIT_LITTLE)]) as client:
            client.send(1, {'class_uid': STUDY_MOVE, 'field': 0x21, 'priority': 0, 'data_set_type': 1,
                            'move_destination': 'RECEIVER'},
                        element(0x00080052, b'STUDY') + element(0x0020000D, study.encode(), b'\0'))
            self.assertEqual(client.response()['status'], 0xFF00)
        network.wait_until(lambda: receiver.access_log.read_text().count('association.aborted') == 4, 10,
                           'its lanes to end')
        self.assertEqual(len(self.find_values(archive, 'STUDY', 'StudyInstanceUID')), 1)
        self.assertEqual(archive.terminate(), 0)
        sent, = re.findall(r'1 retrieve, (\d+) sent', archive.log())
        self.assertLess(int(sent), 4000)


class Hostile(ArchiveTest):
    def query(self, client, identifier):
        client.send(client.accepted[(STUDY_FIND, wire.IMPLICIT_LITTLE)],
                    {'class_uid': STUDY_FIND, 'field': 0x20, 'priority': 0, 'data_set_type': 1}, identifier)

    def test_ten_thousand_nested_sequences(self):
        archive = self.start(programs.Archive(synthetic='2x1x1'))
        opening = struct.pack('<HHIHHI', 0x0008, 0x1140, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
        closing = struct.pack('<HHIHHI', 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        level = element(0x00080052, b'STUDY')
        with wire.Client(archive.port, [(STUDY_FIND, wire.IMPLICIT_LITTLE)]) as client:
            for depth in (3, 10000):
                self.query(client, level + opening * depth + closing * depth)
                response = client.response()
                while response is not None and response['status'] in (0xFF00, 0xFF01):
                    response = client.response()
                self.assertEqual(response['status'], 0 if depth == 3 else 0xC000)
            self.assertTrue(client.release())
        self.assertEqual(len(self.find_values(archive, 'STUDY', 'StudyInstanceUID')), 2)

    def longest_echo_s(self, archive, seconds):
        """The slowest of the echoes of so many seconds, each over an association of its own."""
        longest, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            begun = time.monotonic()
            with wire.Client(archive.port, [(wire.VERIFICATION, wire.IMPLICIT_LITTLE)]) as client:
                self.assertEqual(client.echo()['status'], 0)
                self.assertTrue(client.release())
            longest = max(longest, time.monotonic() - begun)
            time.sleep(0.01)
        return longest

    def test_a_list_of_names_that_nobody_has(self):
        """As long as may be, against many studies: it takes its time and nobody else's, and ends when it is cancelled."""
        archive = self.start(programs.Archive(synthetic='5000x1x1:4K', folder_variable='RELEASE_DIR'))
        slow = b'\\'.join(b'*A*A*A*A*A*A*%06d' % number for number in range(1000))
        identifier = element(0x00080052, b'STUDY') + element(0x00100010, slow)
        idle = min(self.longest_echo_s(archive, 0.3) for _ in range(3))
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(wire.Client(archive.port, [(STUDY_FIND, wire.IMPLICIT_LITTLE)]))
                       for _ in range(4)]
            for client in clients:
                self.query(client, identifier)
            # 0.1 s is what is wanted on a machine of its own; one that is shared is slow in the same way without it.
            self.assertLess(self.longest_echo_s(archive, 3), 0.1 + 5 * idle)
            for client in clients[1:]:
                client.socket.sendall(wire.fragments(1, wire.command(
                    class_uid=STUDY_FIND, field=wire.C_CANCEL_RQ, replied_id=1, data_set_type=wire.NO_DATA_SET),
                    True, 16384))
                self.assertEqual(client.response()['status'], 0xFE00)
            clients[0].close()    # it goes without a word, and its query with it
            for client in clients[1:]:
                self.assertTrue(client.release())
        network.wait_until(lambda: self.cpu_s(archive, 0.3) < 0.1, 20, 'it to rest')

    @staticmethod
    def cpu_s(server, seconds):
        """The processor time it takes in so many seconds."""
        def ticks():
            fields = pathlib.Path(f'/proc/{server.process.pid}/stat').read_text(encoding='ascii').rsplit(')', 1)[1].split()
            return int(fields[11]) + int(fields[12])
        before = ticks()
        time.sleep(seconds)
        return (ticks() - before) / os.sysconf('SC_CLK_TCK')

    def test_more_values_than_may_be(self):
        archive = self.start(programs.Archive(synthetic='2x1x1'))
        names = b'\\'.join(b'N%d' % number for number in range(1001))
        uids = b'\\'.join(b'1.2.%d' % number for number in range(10001))
        with wire.Client(archive.port, [(STUDY_FIND, wire.IMPLICIT_LITTLE)]) as client:
            for tag, value, name in ((0x00100010, names, 'PatientName'), (0x0020000D, uids, 'StudyInstanceUID')):
                self.query(client, element(0x00080052, b'STUDY') + element(tag, value, b'\0'))
                answer = client.response()
                self.assertEqual(answer['status'], 0xA700)
                self.assertIn(f'{name}: more than', answer['comment'])
            self.query(client, element(0x00080052, b'STUDY') + element(0x00100010, names[:-6]))
            self.assertEqual(client.response()['status'], 0)

    def test_ten_thousand_matches_for_a_slow_reader(self):
        archive = self.start(programs.Archive(synthetic='10000x1x1:4K'))
        before = archive.memory_kb()
        identifier = b''.join(element(tag, value) for tag, value in
                              ((0x00080052, b'STUDY'), (0x00100010, b''), (0x0020000D, b'')))
        with wire.Client(archive.port, [(STUDY_FIND, wire.IMPLICIT_LITTLE)]) as slow:
            self.query(slow, identifier)
            # Whoever else comes is served while that one does not read.
            self.assertEqual(len(self.find_values(archive, 'STUDY', 'StudyInstanceUID', 'PatientID=SYN000001')), 1)
            self.assertEqual(peers.run_client('echoscu', '127.0.0.1', archive.port).returncode, 0)
            statuses = {}
            for _ in range(10001):
                response = slow.response()
                statuses[response['status']] = statuses.get(response['status'], 0) + 1
            self.assertEqual(statuses, {0xFF00: 10000, 0: 1})
            self.assertLess(archive.memory_kb() - before, 8 * 1024)
            self.assertTrue(slow.release())


if __name__ == '__main__':
    unittest.main()
