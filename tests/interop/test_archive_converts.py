"""dicom-archive converts what who asked for it does not take as it lies: C-MOVE to storescp, Orthanc and dicom-receiver,
C-GET by getscu, odil and dicom-mover; what arrives says the same, element by element."""
import re
import subprocess

from support import datasets, peers, programs, wire
from support.base import ProgramTest

IMPLICIT, EXPLICIT, BIG, DEFLATED = wire.IMPLICIT_LITTLE, datasets.EXPLICIT_LITTLE, datasets.BIG_ENDIAN, datasets.DEFLATED
KEPT = {'implicit': IMPLICIT, 'explicit': EXPLICIT, 'big': BIG, 'deflated': DEFLATED}
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
