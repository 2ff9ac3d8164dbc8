"""libdicomnet as others get it: installed into a folder, found by pkg-config, linked by the programs of examples/.

RELEASE_DIR names the folder of an optimized build.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from support import datasets, network, peers
from support.base import ProgramTest

TOP = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = TOP / 'examples'
HEADERS = TOP / 'include' / 'dicomnet'


def declared_names():
    """What the public headers declare: functions that are not inline, and extern data."""
    names = set()
    for header in HEADERS.glob('*.h'):
        text = re.sub(r'/\*.*?\*/', '', header.read_text(), flags=re.DOTALL)
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
    """store_scp, in its own folder."""

    def __init__(self, program):
        super().__init__()
        self.program = program

    def command(self, port):
        return [self.program, str(port), 'EXAMPLE']


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
        libraries = self.flags('--libs')
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


if __name__ == '__main__':
    unittest.main()
