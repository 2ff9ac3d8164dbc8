"""dicom-archive converts what who asked for it does not take as it lies: C-MOVE to storescp, Orthanc and dicom-receiver,
C-GET by getscu, odil and dicom-mover; what arrives says the same, element by element."""
import pathlib
import re
import subprocess

import pydicom
from support import datasets, peers, pictures, programs, wire
from support.base import ProgramTest

IMPLICIT, EXPLICIT, BIG, DEFLATED = wire.IMPLICIT_LITTLE, datasets.EXPLICIT_LITTLE, datasets.BIG_ENDIAN, datasets.DEFLATED
UID_TABLE = pathlib.Path(__file__).parents[2] / 'src' / 'wire' / 'uid_table.h'
KEPT = {'implicit': IMPLICIT, 'explicit': EXPLICIT, 'big': BIG, 'deflated': DEFLATED}
STORAGE_CLASSES = re.findall(r'^\{"(1\.2\.840\.10008\.5\.1\.4\.1\.1\.[\d.]+)", "\w*Storage"', UID_TABLE.read_text('ascii'),
                             re.MULTILINE)
WRITE = {'implicit': '+ti', 'explicit': '+te', 'big': '+tb', 'deflated': '+td'}    # of dcmconv


class ConvertTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.entries = {}
        for number, (name, syntax) in enumerate(KEPT.items()):
            made = datasets.make_instance(self.folder / f'{name}.dcm', study=1, instance=number)
            path = self.source / f'{name}.dcm'
            subprocess.run(['dcmconv', WRITE[name], str(made), str(path)], check=True, timeout=60)
            self.entries[name] = datasets.read_entry(path)
            self.assertEqual(self.entries[name].syntax_uid, syntax)

    def archive(self, *arguments, destinations=()):
        return self.start(programs.Archive('--import', self.source, *arguments, destinations=destinations))

    def move(self, archive, destination):
        """(completed, failed), status and Error Comment of a C-MOVE of everything, and the failed UIDs."""
        done = peers.run_client('movescu', '-d', '-S', '-aem', destination, '-k', 'QueryRetrieveLevel=STUDY', '-k',
                                f'StudyInstanceUID={self.entries["explicit"].study_uid}', '127.0.0.1', archive.port)
        return self.result(done.stdout)

    @staticmethod
    def result(text):
        last = {}
        for name, value in re.findall(r'^D: (Completed Suboperations|Failed Suboperations|DIMSE Status|Error Comment) *: '
                                      r'(.*)$', text, re.MULTILINE):
            last[name] = value
        return (int(last['Completed Suboperations']), int(last['Failed Suboperations']), last['DIMSE Status'][:6],
                ''.join(re.findall(r'\(0000,0902\) LO \[([^]]*)\]', text)[-1:]).strip())

    def check_arrived(self, files, names=tuple(KEPT)):
        """Exactly these instances have come: untouched if in their own syntax, else of the same elements. How many
        came in another one."""
        wanted = {self.entries[name].instance_uid: self.entries[name] for name in names}
        arrived = [datasets.read_entry(path) for path in files]
        self.assertEqual(sorted(entry.instance_uid for entry in arrived), sorted(wanted))
        for entry in arrived:
            kept = wanted[entry.instance_uid]
            if entry.syntax_uid == kept.syntax_uid:
                self.assertTrue(datasets.same_data_set(kept.data_set, entry.data_set), entry.name)
            else:
                self.assert_same_elements(kept, entry)
        return sum(entry.syntax_uid != wanted[entry.instance_uid].syntax_uid for entry in arrived)

    def assert_same_elements(self, kept, arrived):
        """As DCMTK sees them: dcmconv writes both in Implicit VR Little Endian, without group lengths."""
        texts = []
        for number, entry in enumerate((kept, arrived)):
            path = self.folder / f'compared-{number}'
            subprocess.run(['dcmconv', '+ti', '-g', '+e', str(entry.path), str(path)], check=True, timeout=60)
            texts.append(datasets.split_part10(path.read_bytes())[1])
        self.assertEqual(*texts, f'{arrived.name} in {arrived.syntax_uid}')


class Refused(ConvertTest):
    def test_the_error_comment_names_class_and_syntax(self):
        receiver = self.start(programs.Receiver('--accept-syntaxes', 'big'))
        archive = self.archive('--transcode', 'never', destinations=[('RECEIVER', receiver.port)])
        completed, failed, status, comment = self.move(archive, 'RECEIVER')
        self.assertEqual((completed, failed, status), (1, 3, '0xb000'))
        self.assertRegex(comment, '^not taken: CTImage, (Implicit|Explicit|DeflatedExplicit)VRLittleEndian$')
        self.check_arrived(receiver.files(), ['big'])

    def test_and_that_of_a_get(self):
        """getscu +xi offers Explicit VR Little Endian and nothing else (DCMTK 3.6.7), whatever it says."""
        archive = self.archive('--transcode', 'never')
        folder = self.subfolder('got')
        done = peers.run_client('getscu', '-d', '-S', '+xi', '+B', '-od', folder, '-k', 'QueryRetrieveLevel=STUDY', '-k',
                                f'StudyInstanceUID={self.entries["explicit"].study_uid}', '127.0.0.1', archive.port)
        self.assertRegex(done.stdout, r'\(0000,0902\) LO \[not taken: CTImage, [A-Za-z]+VR')
        self.check_arrived(folder.iterdir(), ['explicit'])


class Moved(ConvertTest):
    """What is kept in four syntaxes, to peers each of which takes only some: all of it arrives."""

    def check_move(self, archive, name, files, untouched):
        completed, failed, status, comment = self.move(archive, name)
        self.assertEqual((completed, failed, status, comment), (4, 0, '0x0000', ''))
        self.assertEqual(self.check_arrived(files()), 4 - untouched)

    def test_to_those_that_take_some(self):
        """storescp takes the three uncompressed ones if nothing is said, with +xd all four."""
        storescp = {name: self.start(peers.Storescp(*options, stock=True))
                    for name, options in (('STOCK', ()), ('XI', ('+xi',)), ('XD', ('+xd',)))}
        receivers = {word.upper(): self.start(programs.Receiver('--accept-syntaxes', word))
                     for word in KEPT}
        archive = self.archive(destinations=[(name, peer.port) for name, peer in {**storescp, **receivers}.items()])
        for name, untouched in (('STOCK', 3), ('XI', 1), ('XD', 4)):
            with self.subTest(storescp=name):
                self.check_move(archive, name, storescp[name].received, untouched)
        for name, receiver in receivers.items():
            with self.subTest(receiver=name):
                self.check_move(archive, name, receiver.files, 1)

    def test_to_orthanc(self):
        for syntax in (IMPLICIT, EXPLICIT):
            with self.subTest(syntax), peers.Orthanc(AcceptedTransferSyntaxes=[syntax]) as orthanc:
                archive = self.archive(destinations=[('ORTHANC', orthanc.port)])
                self.assertEqual(self.move(archive, 'ORTHANC')[:3], (4, 0, '0x0000'))
                folder = self.subfolder(syntax)
                for number, instance in enumerate(orthanc.instances().values()):
                    (folder / f'{number}').write_bytes(orthanc.file(instance))
                self.assertEqual(self.check_arrived(folder.iterdir()), 3)

    def test_what_is_kept_stays(self):
        receiver = self.start(programs.Receiver('--accept-syntaxes', 'implicit'))
        archive = self.archive(destinations=[('RECEIVER', receiver.port)])
        before = {path.name: path.read_bytes() for path in archive.files()}
        self.assertEqual(self.move(archive, 'RECEIVER')[0], 4)
        self.assertEqual({path.name: path.read_bytes() for path in archive.files()}, before)
        self.assertEqual(len(before), 4)
        self.assertIn('4 sent, 0 stored, 0 refused, 3 converted', archive.stop().out)

    def test_over_several_associations(self):
        """Made-up instances too."""
        receiver = self.start(programs.Receiver('--accept-syntaxes', 'implicit'))
        archive = self.start(programs.Archive('--move-threads', 3, synthetic='2x5x4:20K',
                                              destinations=[('RECEIVER', receiver.port)]))
        run = programs.run_mover(archive, '--all', '--move-dest', 'RECEIVER')
        self.assertEqual((run.exit_code, run.total('stored')), (0, 40), run)
        arrived = [datasets.read_entry(path) for path in receiver.files()]
        self.assertEqual({entry.syntax_uid for entry in arrived}, {IMPLICIT})
        self.assertEqual(len(arrived), 40)


class ManyClasses(ProgramTest):
    def test_fallbacks_share_contexts_where_there_are_too_few(self):
        """60 classes as they lie leave 68 contexts, and three fallbacks of each would be 180."""
        source = self.subfolder('source')
        for number, class_uid in enumerate(STORAGE_CLASSES[:60], 1):
            uid = datasets.uid(8, number)
            (source / f'{number}.dcm').write_bytes(
                datasets.meta_information(uid, EXPLICIT, class_uid) +
                b''.join(datasets.element(*parts) for parts in (
                    (8, 0x16, 'UI', class_uid.encode()), (8, 0x18, 'UI', uid.encode()), (0x10, 0x20, 'LO', b'S8'),
                    (0x20, 0xD, 'UI', datasets.uid(8).encode()), (0x20, 0xE, 'UI', datasets.uid(8, 0, 1).encode()))))
        receiver = self.start(programs.Receiver('--accept-syntaxes', 'implicit'))
        archive = self.start(programs.Archive('--import', source, destinations=[('RECEIVER', receiver.port)]))
        run = programs.run_mover(archive, '--all', '--move-dest', 'RECEIVER')
        self.assertEqual((run.exit_code, run.total('stored')), (0, 60), run)
        self.assertEqual({datasets.split_part10(path.read_bytes())[0][0x10] for path in receiver.files()}, {IMPLICIT})
        self.assertEqual(len(receiver.files()), 60)


class Got(ConvertTest):
    def test_by_getscu(self):
        """It offers +xi: Explicit alone; +xd: Deflated and the three uncompressed ones, of which one is chosen."""
        archive = self.archive()
        for options, untouched in (('+xi',), 1), (('+xd',), 1):
            with self.subTest(options):
                folder = self.subfolder(f'got{options[0]}')
                done = peers.run_client('getscu', '-d', '-S', *options, '+B', '-od', folder, '-k',
                                        'QueryRetrieveLevel=STUDY', '-k',
                                        f'StudyInstanceUID={self.entries["explicit"].study_uid}', '127.0.0.1', archive.port)
                self.assertEqual(self.result(done.stdout)[:2], (4, 0), done.stdout[-2000:])
                self.assertEqual(self.check_arrived(folder.iterdir()), 4 - untouched)

    def test_by_dicom_mover(self):
        """It offers each: all come untouched."""
        output = self.folder / 'got'
        run = programs.run_mover(self.archive(), '--all', '--get', '-o', output)
        self.assertEqual((run.exit_code, run.total('stored')), (0, 4), run)
        self.assertEqual(self.check_arrived(datasets.files_below(output)), 0)


class Compressed(ProgramTest):
    """What is compressed, to those that take Explicit VR Little Endian alone: known pixels, encoded by others."""

    PICTURE = pictures.Picture(16, 12, frames=3)
    ENCODERS = {'rle': ('dcmcrle',), 'jpeg-lossless': ('dcmcjpeg', '+e1'), 'jpeg-ls': ('dcmcjpls',)}

    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.uids = {}

    def add(self, name, coded):
        """Into the source, with a SOP Instance UID of its own."""
        data = pydicom.dcmread(coded)
        self.uids[name] = data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = \
            datasets.uid(9, len(self.uids) + 1)
        data.save_as(self.source / f'{name}.dcm')

    def encode(self, name, *command, picture=PICTURE):
        coded = self.folder / 'coded.dcm'
        pictures.run(*command, picture.write_native(self.folder / 'native.dcm'), coded)
        self.add(name, coded)

    def add_lossless(self):
        for name, command in self.ENCODERS.items():
            self.encode(name, *command)
        for name, syntax, frames in (('jpeg-2000', '1.2.840.10008.1.2.4.90', pictures.open_jpeg(self.PICTURE, self.folder)),
                                     ('htj2k', '1.2.840.10008.1.2.4.201', pictures.open_jph(self.PICTURE, self.folder))):
            self.add(name, self.PICTURE.write_encapsulated(self.folder / 'coded.dcm', syntax, frames))

    def check_pixels(self, files, names, syntax=EXPLICIT):
        arrived = {data.SOPInstanceUID: data for data in map(pydicom.dcmread, files)}
        self.assertEqual(sorted(arrived), sorted(self.uids[name] for name in names))
        for name in names:
            self.assertEqual(arrived[self.uids[name]].file_meta.TransferSyntaxUID, syntax, name)
            self.assertEqual(arrived[self.uids[name]].PixelData, self.PICTURE.pack(self.PICTURE.numbers()), name)

    def move(self, archive, destination):
        done = peers.run_client('movescu', '-d', '-S', '-aem', destination, '-k', 'QueryRetrieveLevel=STUDY', '-k',
                                'StudyInstanceUID=1.2.3.4', '127.0.0.1', archive.port)
        return ConvertTest.result(done.stdout)

    def test_moved_and_got(self):
        self.add_lossless()
        storescp = self.start(peers.Storescp('+xi', stock=True))
        receiver = self.start(programs.Receiver('--accept-syntaxes', 'explicit'))
        archive = self.start(programs.Archive('--import', self.source, destinations=[
            ('RECEIVER', receiver.port), ('STORESCP', storescp.port)]))
        self.assertEqual(self.move(archive, 'RECEIVER'), (5, 0, '0x0000', ''))
        self.check_pixels(receiver.files(), self.uids)
        self.assertEqual(self.move(archive, 'STORESCP'), (5, 0, '0x0000', ''))
        self.check_pixels(storescp.received(), self.uids, IMPLICIT)
        folder = self.subfolder('got')
        peers.run_client('getscu', '-S', '+xi', '+B', '-od', folder, '-k', 'QueryRetrieveLevel=STUDY', '-k',
                         'StudyInstanceUID=1.2.3.4', '127.0.0.1', archive.port)
        self.check_pixels(folder.iterdir(), self.uids)

    def test_what_lost_already_only_if_that_is_allowed(self):
        self.encode('jpeg', 'dcmcjpeg', '+eb', picture=pictures.Picture(8, 8))
        receiver = self.start(programs.Receiver('--accept-syntaxes', 'uncompressed'))
        for transcode, expected in (('lossless', (0, 1, '0xa702', 'not taken: SecondaryCaptureImage, JPEGBaseline8Bit')),
                                    ('lossy', (1, 0, '0x0000', ''))):
            archive = self.start(programs.Archive('--import', self.source, '--transcode', transcode,
                                                  destinations=[('RECEIVER', receiver.port)]))
            self.assertEqual(self.move(archive, 'RECEIVER'), expected)
        data, = map(pydicom.dcmread, receiver.files())
        self.assertEqual((data.file_meta.TransferSyntaxUID, data.LossyImageCompression), (EXPLICIT, '01'))

    def test_one_that_cannot_be_decoded_costs_the_others_nothing(self):
        """Neither if that shows before its first byte, nor in mid-instance, which ends the association."""
        large = pictures.Picture(16, 12, frames=3, rows=300, columns=400)    # not all of it is read at once
        frames = pictures.open_jph(large, self.folder)
        good, self.source = self.source, self.subfolder('bad')
        # A series is sent in the order of syntaxes, then in the order in which it came: this is its first.
        self.add('late', large.write_encapsulated(self.folder / 'coded.dcm', '1.2.840.10008.1.2.4.201',
                                                  frames[:2] + [b'no codestream']))
        self.source = good
        self.add('early', large.write_encapsulated(self.folder / 'coded.dcm', '1.2.840.10008.1.2.4.201',
                                                   [b'no codestream'] + frames[1:]))
        self.add_lossless()
        receiver = self.start(programs.Receiver('--accept-syntaxes', 'explicit'))
        archive = self.start(programs.Archive(destinations=[('RECEIVER', receiver.port)]))
        for folder in (self.folder / 'bad', good):
            self.assertEqual(programs.run_sender(folder, port=archive.port).exit_code, 0)
        completed, failed, status, comment = self.move(archive, 'RECEIVER')
        self.assertEqual((completed, failed, status), (5, 2, '0xb000'))
        self.assertIn('frame 3', comment)
        self.check_pixels(receiver.files(), [name for name in self.uids if name not in ('late', 'early')])
