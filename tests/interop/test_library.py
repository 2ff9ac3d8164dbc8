"""libdicomnet as others get it: installed into a folder, found by pkg-config, linked by the programs of examples/.

RELEASE_DIR names the folder of an optimized build.
"""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

from support import datasets, network, peers
from support.base import ProgramTest
from support.cutting_proxy import UP, Cut, CuttingProxy

TOP = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = TOP / 'examples'
HEADERS = TOP / 'include' / 'dicomnet'


def declared_names():
    """What the public headers declare: functions that are not inline, and extern data."""
    names = set()
    for header in HEADERS.glob('*.h'):
        text = re.sub(r'/\*.*?\*/', '', header.read_text(), flags=re.DOTALL)
        text = re.sub(r'^#ifdef __cplusplus\n.*?^#endif\n', '', text, flags=re.DOTALL | re.MULTILINE)
        text = re.sub(r'^#(?:.*\\\n)*.*', '', text, flags=re.MULTILINE)
        text = re.sub(r'static inline[^{;]*\{(?:[^{}]|\{[^{}]*\})*\}', '', text)
        while re.search(r'\{[^{}]*\}', text):
            text = re.sub(r'\{[^{}]*\}', '', text)
        for declaration in text.split(';'):
            name = (re.match(r'\s*extern\b.*?(\w+)(?:\[[^\]]*\])?\s*$', declaration, re.DOTALL)
                    or re.match(r'[\w\s*]+?\b(\w+)\(', declaration.strip(), re.DOTALL))
            if name:
                names.add(name.group(1))
    return names


class Example(peers.Server):
    """One of the examples that listen, in a folder of its own. With file_limit_kb, a file of its may not grow beyond
    that: as on a full disk."""

    def __init__(self, program, *arguments, file_limit_kb=None):
        super().__init__()
        self.program = program
        self.arguments = [str(argument) for argument in arguments]
        self.file_limit_kb = file_limit_kb

    def command(self, port):
        command = [self.program, str(port), 'EXAMPLE', *self.arguments]
        if self.file_limit_kb is None:
            return command
        return ['bash', '-c', f"trap '' XFSZ; ulimit -f {self.file_limit_kb}; exec \"$0\" \"$@\"", *command]


def make_odd_files(folder):
    """What lies among DICOM files and is none: paths."""
    paths = [folder / name for name in ('empty.dcm', 'folder.dcm', 'text.dcm', 'cut.dcm', 'fifo.dcm', 'meta.dcm')]
    empty, subfolder, text, cut, fifo, meta = paths
    whole = datasets.make_instance(folder / 'whole.dcm').read_bytes()
    (folder / 'whole.dcm').unlink()
    empty.write_bytes(b'')
    subfolder.mkdir()
    text.write_text('no DICOM at all\n' * 100)
    cut.write_bytes(whole[:200])    # in the meta header
    os.mkfifo(fifo)
    meta.write_bytes(whole[:len(whole) - len(datasets.split_part10(whole)[1])])    # and no data set
    return paths


def make_huge_file(path):
    """One of 80 MB."""
    whole = datasets.make_instance(path).read_bytes()
    value = os.urandom(1_000_000) * 80
    path.write_bytes(whole + struct.pack('<HH2sH', 0x7FE1, 0x10, b'LO', 6) + b'TESTS '
                     + struct.pack('<HH2sHI', 0x7FE1, 0x1010, b'OB', 0, len(value)) + value)
    return path


class Library(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix='dicom-library-'))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        release = os.environ['RELEASE_DIR']
        subprocess.run(['meson', 'install', '-C', release, '--no-rebuild', '--quiet', '--destdir', cls.place],
                       check=True, capture_output=True)
        config, = cls.place.rglob('dicomnet.pc')
        cls.library = config.parents[1]
        cls.prefix = cls.library.parents[1]
        cls.config = config

    def flags(self, *options):
        """What pkg-config says, for a library that was installed into a folder on the way to its real place."""
        done = subprocess.run(['pkg-config', f'--define-variable=prefix={self.prefix}', *options, 'dicomnet'],
                              env=dict(os.environ, PKG_CONFIG_PATH=str(self.config.parent)), capture_output=True,
                              text=True, check=True)
        return done.stdout.split()

    def build(self, name, static=False):
        program = self.folder / name
        # Nothing of src/, and none of the project's own definitions.
        libraries = self.flags('--libs', *(['--static'] if static else []))
        if static:
            libraries = [str(self.library / 'libdicomnet.a') if flag == '-ldicomnet' else flag for flag in libraries]
        command = ['cc', '-std=gnu17', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror', *self.flags('--cflags'),
                   '-o', program, EXAMPLES / f'{name}.c', f'-Wl,-rpath,{self.library}', *libraries]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return str(program)

    def send(self, program, port, ae_title, path):
        return subprocess.run([program, '127.0.0.1', str(port), ae_title, path], capture_output=True, text=True,
                              timeout=30, check=False)

    def find(self, program, peer, *arguments):
        return subprocess.run([program, '127.0.0.1', str(peer.port), peer.ae_title, *arguments], capture_output=True,
                              text=True, timeout=30, check=False)

    def send_many(self, program, peer, paths, port=None):
        return subprocess.run([program, '127.0.0.1', str(port or peer.port), peer.ae_title, *paths],
                              capture_output=True, text=True, timeout=60, check=False)

    def run_tool(self, *command, fails=False):
        """A program of DCMTK: what it says."""
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode != 0, fails, done.stdout)
        return done.stdout

    def test_examples_meet_each_other_and_dcmtk(self):
        entry, = datasets.make_studies(self.folder / 'studies', 1, 1, size=300000)
        path = next((self.folder / 'studies').rglob('*.dcm'))
        sent = datasets.split_part10(path.read_bytes())
        for static in False, True:
            with self.subTest(static=static):
                scu, scp = self.build('echo_and_store_scu', static), self.build('store_scp', static)
                linked = subprocess.run(['ldd', scu], capture_output=True, text=True, check=True).stdout
                self.assertEqual('libdicomnet.so.0' in linked, not static, linked)
                server = self.start(Example(scp))
                done = self.send(scu, server.port, 'EXAMPLE', path)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertRegex(done.stdout, r'echo: answered(.|\n)*store: answered, status 0000')
                kept, = server.folder.glob('*.dcm')
                meta, data_set = datasets.split_part10(kept.read_bytes())
                self.assertEqual(data_set, sent[1])
                self.assertEqual([meta[key] for key in (0x02, 0x03, 0x10)], [sent[0][key] for key in (0x02, 0x03, 0x10)])
                kept.unlink()
                self.assertEqual(self.send(scu, server.port, 'WRONG', path).returncode, 1)
                subprocess.run(['storescu', '-aec', 'EXAMPLE', '127.0.0.1', str(server.port), path], check=True,
                               capture_output=True, timeout=30)
                self.assertEqual(len(list(server.folder.glob('*.dcm'))), 1)
                storescp = self.start(peers.Storescp())
                done = self.send(scu, storescp.port, storescp.ae_title, path)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertEqual(self.send(scu, network.free_port(), 'NOBODY', path).returncode, 1)

    def test_store_scu_sends_what_the_file_holds_or_nothing(self):
        scu = self.build('echo_and_store_scu')
        odd = make_odd_files(self.folder)
        huge = make_huge_file(self.folder / 'huge.dcm')
        storescp = self.start(peers.Storescp())
        for path in (*odd, self.folder / 'not there'):
            with self.subTest(path=path.name):
                done = self.send(scu, storescp.port, storescp.ae_title, path)
                self.assertEqual((done.returncode, done.stdout), (2, ''), done.stderr)
                self.assertIn(str(path), done.stderr)
        self.assertEqual(storescp.received(), [])
        done = self.send(scu, storescp.port, storescp.ae_title, huge)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        received, = storescp.received()
        self.assertEqual(datasets.split_part10(received.read_bytes())[1], datasets.split_part10(huge.read_bytes())[1])
        orthanc = self.start(peers.Orthanc())
        path = datasets.make_instance(self.folder / 'one.dcm')
        done = self.send(scu, orthanc.port, orthanc.ae_title, path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(orthanc.instance_count(), 1)
        self.assertEqual(orthanc.log().count('Association Received'), orthanc.log().count('Association Release'))

    def test_store_scp_keeps_what_it_holds(self):
        """A second copy breaks off, a disk is full, a folder has the name: what is there stays, and nothing is left."""
        path = datasets.make_instance(self.folder / 'one.dcm', size=3_000_000)
        entry = datasets.read_entry(path)
        scp, scu = self.build('store_scp'), self.build('echo_and_store_scu')
        server = self.start(Example(scp))
        self.assertEqual(self.send(scu, server.port, 'EXAMPLE', path).returncode, 0)
        kept = server.folder / f'{entry.instance_uid}.dcm'
        before = kept.read_bytes()
        self.assertEqual(datasets.split_part10(before)[1], entry.data_set)
        for reset in False, True:
            with CuttingProxy(server.port, [Cut(UP, 1_000_000, reset)]) as proxy:
                self.assertEqual(self.send(scu, proxy.port, 'EXAMPLE', path).returncode, 1)
            network.wait_until(lambda: not list(server.folder.glob('incoming-*')), 10, 'the partial file to go')
            self.assertEqual(kept.read_bytes(), before)
        self.assertEqual(self.send(scu, server.port, 'EXAMPLE', path).returncode, 0)
        self.assertEqual(kept.read_bytes(), before)
        (server.folder / kept.name).unlink()
        (server.folder / kept.name).mkdir()
        done = self.send(scu, server.port, 'EXAMPLE', path)
        self.assertEqual(done.returncode, 1)
        self.assertIn('status A700', done.stdout)
        self.assertEqual(list(server.folder.glob('incoming-*')), [])

        full = self.start(Example(scp, file_limit_kb=1000))
        small = datasets.make_instance(self.folder / 'small.dcm', instance=2, size=20000)
        self.assertEqual(self.send(scu, full.port, 'EXAMPLE', small).returncode, 0)
        done = self.send(scu, full.port, 'EXAMPLE', path)
        self.assertEqual(done.returncode, 1)
        self.assertIn('status A700', done.stdout)
        self.assertEqual([path.name for path in full.folder.glob('*') if path.name != 'log'],
                         [f'{datasets.read_entry(small).instance_uid}.dcm'])

    def test_store_scp_takes_names_that_are_no_paths_only(self):
        server = self.start(Example(self.build('store_scp')))
        path = datasets.make_instance(self.folder / 'one.dcm')
        subprocess.run(['dcmodify', '-nb', '-ma', 'SOPInstanceUID=../1.2', path], check=True, capture_output=True)
        done = subprocess.run(['storescu', '-aec', 'EXAMPLE', '127.0.0.1', str(server.port), path], timeout=30,
                              capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertEqual([path.name for path in server.folder.glob('*')], ['log'])

    def test_find_scu(self):
        entries = datasets.make_studies(self.folder / 'studies', 3, 2)
        dcmqrscp = peers.Dcmqrscp()
        dcmqrscp.index([entry.path for entry in entries])
        orthanc = self.start(peers.Orthanc())
        for entry in entries:
            orthanc.add_file(entry.path.read_bytes())
        scu = self.build('find_scu')
        for peer in self.start(dcmqrscp), orthanc:
            with self.subTest(peer=peer.ae_title):
                done = self.find(scu, peer, 'STUDY', 'PatientName=SYNTHETIC*', 'StudyInstanceUID')
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(set(re.findall(r'^  StudyInstanceUID: (\S+)$', done.stdout, re.MULTILINE)),
                                 {entry.study_uid for entry in entries})
                self.assertEqual(done.stdout.count('\n  PatientName: SYNTHETIC^'), 3)
                done = self.find(scu, peer, 'IMAGE', f'StudyInstanceUID={entries[0].study_uid}', '0008,0018')
                self.assertEqual(set(re.findall(r'^  SOPInstanceUID: (\S+)$', done.stdout, re.MULTILINE)),
                                 {entry.instance_uid for entry in entries[:2]} if peer is orthanc else set())
                self.assertEqual(self.find(scu, peer, 'STUDY', 'PatientName=NOBODY').stdout, '')
        for keys in (['NoSuchKeyword'], ['ReferencedStudySequence=x']):
            self.assertEqual(self.find(scu, orthanc, 'STUDY', *keys).returncode, 2)
        orthanc.stop()
        self.assertEqual(self.find(scu, orthanc, 'STUDY').returncode, 1)

    def test_query_retrieve_scp(self):
        entries = datasets.make_studies(self.folder / 'studies', 3, 4)
        folder = self.subfolder('archive')
        for number, entry in enumerate(entries):
            shutil.copy(entry.path, folder / f'{number}.dcm')
        make_odd_files(folder)
        storescp = self.start(peers.Storescp())
        server = Example(self.build('query_retrieve_scp'), folder, f'STORESCP=127.0.0.1:{storescp.port}')
        self.start(server)
        wanted = [entry for entry in entries if entry.study_uid == entries[0].study_uid]
        ask = ['-S', '-aec', 'EXAMPLE', '-k', 'QueryRetrieveLevel=STUDY', '127.0.0.1', str(server.port)]

        done = self.run_tool('findscu', *ask, '-k', 'StudyInstanceUID', '-k', 'PatientName=synth*')
        self.assertEqual(done.count('StudyInstanceUID'), 0, 'names are matched with their case')
        done = self.run_tool('findscu', *ask, '-k', 'StudyInstanceUID', '-k', 'PatientName=SYNTH*')
        self.assertEqual(len(re.findall(r'StudyInstanceUID *\n', done)), 3, done)
        one = ['-k', f'StudyInstanceUID={wanted[0].study_uid}']
        place = self.subfolder('got')
        self.run_tool('getscu', *ask, *one, '-od', place)
        got = sorted(datasets.read_entry(path).instance_uid for path in place.iterdir())
        self.assertEqual(got, sorted(entry.instance_uid for entry in wanted))
        self.run_tool('movescu', *ask, *one, '-aem', 'STORESCP')
        received = {datasets.read_entry(path).instance_uid: datasets.read_entry(path).data_set
                    for path in storescp.received()}
        self.assertEqual(received, {entry.instance_uid: entry.data_set for entry in wanted})
        done = self.run_tool('movescu', *ask, *one, '-aem', 'NOBODY', fails=True)
        self.assertIn('MoveDestinationUnknown', done)
        (folder / '0.dcm').unlink()    # since it was read
        storescp.stop()
        done = self.run_tool('movescu', '-v', *ask, *one, '-aem', 'STORESCP', fails=True)
        self.assertIn('OutOfResourcesSubOperations', done.replace(' ', ''))

        orthanc = self.start(peers.Orthanc({'example': ('EXAMPLE', server.port)}))
        query = orthanc.post('/modalities/example/query', {'Level': 'Study', 'Query': {'PatientName': 'SYNTH*'}})
        self.assertEqual(len(orthanc.get(f'/queries/{query["ID"]}/answers')), 3)

    def test_store_many(self):
        entries = datasets.make_studies(self.folder / 'studies', 5, 20)
        odd = make_odd_files(self.folder)
        program = self.build('store_many')
        orthanc = self.start(peers.Orthanc())
        done = self.send_many(program, orthanc, [entry.path for entry in entries])
        self.assertEqual((done.returncode, done.stdout), (0, '100 of 100 files stored\n'), done.stderr)
        self.assertEqual(set(orthanc.instances()), {entry.instance_uid for entry in entries})
        storescp = self.start(peers.Storescp(fork=True))
        done = self.send_many(program, storescp, [*odd, *(entry.path for entry in entries)])
        self.assertEqual((done.returncode, done.stdout), (1, f'100 of {100 + len(odd)} files stored\n'), done.stderr)
        for path in odd:
            self.assertIn(str(path), done.stderr)
        self.assertEqual({datasets.read_entry(path).instance_uid: datasets.read_entry(path).data_set
                          for path in storescp.received()},
                         {entry.instance_uid: entry.data_set for entry in entries})
        self.assertEqual(self.send_many(program, storescp, odd).returncode, 2)
        with CuttingProxy(storescp.port, [Cut(UP, 20000, False)] * 4) as proxy:
            done = self.send_many(program, storescp, [entry.path for entry in entries], proxy.port)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(re.findall(r'no answer', done.stderr)), 4, done.stderr)

    def test_exports_what_the_headers_declare_and_nothing_else(self):
        done = subprocess.run(['nm', '-D', '--defined-only', self.library / 'libdicomnet.so'], capture_output=True,
                              text=True, check=True)
        exported = {name for name in re.findall(r' [TDRB] (\S+)@@DICOMNET_0\.1$', done.stdout, re.MULTILINE)}
        others = re.findall(r' [A-Za-z] \S+$', done.stdout.replace(' A DICOMNET_0.1', ''), re.MULTILINE)
        self.assertEqual([name for name in others if '@@DICOMNET_0.1' not in name], [])
        self.assertGreater(len(exported), 100)
        self.assertEqual(exported, declared_names())

    def test_every_header_is_installed(self):
        installed = self.prefix / 'include' / 'dicomnet'
        self.assertEqual({path.name for path in installed.iterdir()}, {path.name for path in HEADERS.glob('*.h')})
        for path in installed.iterdir():
            for name in re.findall(r'#include "([^"]+)"', path.read_text()):
                self.assertTrue((installed / name).exists(), f'{path.name} includes {name}')

    def test_the_documents_name_the_examples(self):
        """docs/library.md shows one as it is (cli/test_documents.py compares), and links all of them."""
        page = (TOP / 'docs' / 'library.md').read_text(encoding='utf-8')
        for path in EXAMPLES.glob('*.c'):
            self.assertIn(f'(../examples/{path.name})', page, f'{path.name} is not in docs/library.md')
        for path in HEADERS.glob('*.h'):
            self.assertIn(f'`{path.name}`', page, f'{path.name} is not in docs/library.md')


if __name__ == '__main__':
    unittest.main()
