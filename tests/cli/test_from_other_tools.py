"""docs/manual/from-other-tools.md tells the truth: every row of its tables is run, and its meaning checked.

The second column is what is typed; the third one what must come of it, in one of the forms of CHECKS below. The peer at
127.0.0.1:11112 is a receiver for those who store, and an archive for the others; 11113 is where a retrieval comes in.
"""
import json
import pathlib
import re
import shlex
import socket
import struct
import subprocess
import unittest

from support import process
from support.base import CommandTest
from support.certificates import Certificates
from support.datasets import write_instance
from support.process import environment, program, run, Running, TIMEOUT_S
from support.programs import Receiver

PAGE = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'manual' / 'from-other-tools.md'
ROW = re.compile(r'^\| `([^`]+)` \| `([^`]+)` \| ([^|`]+) \|$', re.MULTILINE)


def rows():
    return [(here, what.strip()) for _, here, what in ROW.findall(PAGE.read_text(encoding='utf-8'))]


def free_port():
    with socket.socket() as holder:
        holder.bind(('127.0.0.1', 0))
        return holder.getsockname()[1]


def implicit(tag, value):
    value += b'\0' * (len(value) % 2)
    return struct.pack('<HHI', tag >> 16, tag & 0xFFFF, len(value)) + value


class FromOtherTools(CommandTest):
    def setUp(self):
        super().setUp()
        self.receive_port, self.serve_port = free_port(), free_port()
        self.workstation = self.receiver('--output-dir', self.folder / 'workstation')
        self.archive = self.start(Running('dicom-archive', '--port', '0', '--synthetic', '1x1x3', '--peer',
                                          f'WORKSTATION=127.0.0.1:{self.workstation.port}', '--peer',
                                          f'MOVESCU=127.0.0.1:{self.receive_port}', '--peer',
                                          f'STORESCP=127.0.0.1:{self.receive_port}'))
        self.archive_port = self.archive.wait_for(r'^listening on 127\.0\.0\.1:(\d+)$').group(1)
        found = json.loads(run('dicom-finder', f'127.0.0.1:{self.archive_port}', '--json', '-L', 'series', '-k',
                               'PatientID').out)[0]
        self.uids = {'1.2.3.1': found['0020000E']['Value'][0], '1.2.3': found['0020000D']['Value'][0],
                     '4711': found['00100020']['Value'][0]}

    def make_inputs(self, folder):
        """A folder of its own for each row: its files, and what it writes."""
        folder.mkdir()
        (folder / 'studies' / 'a' / 'b').mkdir(parents=True)
        image = write_instance(folder / 'image.dcm', instance='1.2.3.4')
        (folder / 'studies' / 'image.dcm').write_bytes(image.read_bytes())
        write_instance(folder / 'studies' / 'a' / 'two.dcm', instance='1.2.3.5')
        write_instance(folder / 'studies' / 'a' / 'b' / 'three.dcm', instance='1.2.3.6')
        data = image.read_bytes()
        (folder / 'raw').write_bytes(data[144 + struct.unpack_from('<I', data, 140)[0]:])
        study = self.uids['1.2.3']
        (folder / 'keys.txt').write_text(f'# one study\nStudyInstanceUID={study}\n')
        syntax = b'\x02\0\x10\0UI\x12\0' + b'1.2.840.10008.1.2\0'
        (folder / 'query.dcm').write_bytes(bytes(128) + b'DICM' + b'\x02\0\0\0UL\x04\0' + struct.pack('<I', len(syntax)) +
                                           syntax + implicit(0x00080052, b'STUDY ') +
                                           implicit(0x0020000D, study.encode()))

    def words(self, here, port):
        """What is typed, with this test's ports and UIDs."""
        words = shlex.split(here)
        for theirs, ours in {'11112': str(port), '11113': str(self.receive_port), '11114': str(self.serve_port),
                             **self.uids}.items():
            pattern = rf'(?<![\d.]){re.escape(theirs)}(?![\d.])'
            words = [re.sub(pattern, ours, word) for word in words]
        return words[0], words[1:]

    def run_here(self, here, port, folder):
        name, arguments = self.words(here, port)
        return run(name, *arguments, cwd=folder)

    # ---- the forms of the third column ----

    def certificates(self, folder):
        """ca.pem, and cert.pem with key.pem of its own."""
        made = Certificates(folder)
        (folder / 'ca.pem').write_bytes(made.root.certificate.read_bytes())
        (folder / 'cert.pem').write_bytes(made.server.certificate.read_bytes())
        (folder / 'key.pem').write_bytes(made.server.key.read_bytes())
        return made

    def check_stored(self, here, folder, count, tls, called, calling):
        more = self.certificates(folder).server.options() if tls else []
        receiver = self.start(Receiver('--output-dir', str(folder / 'got'), '--access-log', str(folder / 'access.log'),
                                       *more))
        result = self.run_here(here, receiver.port, folder)
        receiver.stop()
        self.assertEqual(result.code, 0, result)
        got = list((folder / 'got').glob('*.dcm'))
        self.assertEqual(len(got), int(count), result)
        records = [json.loads(line) for line in (folder / 'access.log').read_text().splitlines()]
        accepted = [record for record in records if 'called_ae' in record]
        self.assertTrue(accepted or not got, records)
        for record in accepted:
            self.assertEqual((record['called_ae'], record['calling_ae']),
                             (called or 'ANY-SCP', calling or 'DICOM_SENDER'), result)

    def check_refused(self, here, folder, words):
        """One line that says so, and nobody is called."""
        with socket.socket() as peer:
            peer.bind(('127.0.0.1', 0))
            peer.listen()
            peer.settimeout(0)
            name, arguments = self.words(here, peer.getsockname()[1])
            result = run(name, *arguments, cwd=folder)
            self.assertEqual((result.code, result.out, result.err.count('\n')), (1, '', 1), result)
            self.assertIn(words, result.err)
            self.assertRaises(BlockingIOError, peer.accept)

    def check_answered(self, here, folder):
        result = self.run_here(here, self.archive_port, folder)
        self.assertEqual(result.code, 0, result)
        self.assertIn('answered: status 0000', result.out)

    def check_matches(self, here, folder, count):
        result = self.run_here(here, self.archive_port, folder)
        self.assertEqual(result.code, 0, result)
        self.assertRegex(result.err, rf'(?m)^{count} match')

    def check_kept(self, here, folder, count, where):
        result = self.run_here(here, self.archive_port, folder)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(len(list((folder / where).glob('*.dcm'))), int(count), result)

    def check_sent(self, here, folder, count):
        kept = self.folder / 'workstation'
        for path in kept.glob('*.dcm'):
            path.unlink()
        result = self.run_here(here, self.archive_port, folder)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(len(list(kept.glob('*.dcm'))), int(count), result)

    def check_listens(self, here, folder, tls, title):
        trust = self.certificates(folder).trust if tls else []
        name, arguments = self.words(here, 0)
        server = self.start(Running(name, *arguments, cwd=folder))
        server.wait_for(rf'^listening on [\d.]+:{self.serve_port}$')
        self.assertEqual(run('dicom-echo', '127.0.0.1', self.serve_port, '-aec', title or 'ANY', *trust).code, 0)
        if title:
            self.assertEqual(run('dicom-echo', '127.0.0.1', self.serve_port, '-aec', 'WRONG').code, 1)
        if '--dicom' in here or '-dicom' in here:
            self.assertIn('1 match\n', run('dicom-finder', '127.0.0.1', self.serve_port, '-L', 'image', '-aec',
                                              title or 'ANY').err)
        server.signal(15)
        self.assertEqual(server.wait().code, 0)

    CHECKS = ((r'(\d+) stored( over TLS)?(?: at (\S+))?(?: by (\S+))?', check_stored), (r'refused: (.+)', check_refused),
              (r'answered', check_answered), (r'(\d+) match(?:es)?', check_matches), (r'(\d+) in (\S+)', check_kept),
              (r'(\d+) sent to WORKSTATION', check_sent), (r'listens( over TLS)?(?: as (\S+))?', check_listens))

    def test_every_row(self):
        self.assertGreater(len(rows()), 90)
        for number, (here, what) in enumerate(rows()):
            with self.subTest(here=here, what=what):
                found = [(check, match) for form, check in self.CHECKS if (match := re.fullmatch(form, what))]
                self.assertEqual(len(found), 1, 'what happens is said in no form that is known')
                folder = self.folder / str(number)
                self.make_inputs(folder)
                check, match = found[0]
                check(self, here, folder, *match.groups())

    def test_every_row_is_read(self):
        """A row that the pattern does not understand would not be run."""
        lines = [line for line in PAGE.read_text(encoding='utf-8').splitlines() if line.startswith('| `')]
        self.assertEqual(len(lines), len(rows()))


class NothingIsMisread(CommandTest):
    """Each option that DCMTK's own help names is taken or refused by name: never read as another one, or as a file."""

    TOOLS = (('storescu', 'dicom-sender'), ('dcmsend', 'dicom-sender'), ('echoscu', 'dicom-echo'),
             ('findscu', 'dicom-finder'), ('movescu', 'dicom-mover'), ('getscu', 'dicom-mover'),
             ('storescp', 'dicom-receiver'), ('dcmrecv', 'dicom-receiver'), ('dcmqrscp', 'dicom-archive'))
    SAME = ('-h', '--help', '--version', '-q', '--quiet', '-v', '--verbose', '-d', '--debug')

    def test_options_of_dcmtk(self):
        for theirs, ours in self.TOOLS:
            text = subprocess.run([theirs, '--help'], capture_output=True, text=True, check=False,
                                  timeout=TIMEOUT_S).stdout
            words = re.findall(r'^ {2,12}((?:[-+][A-Za-z0-9=]+ +)?--[a-z0-9-]+)', text, re.MULTILINE)
            self.assertGreater(len(words), 15, theirs)
            for word in ' '.join(words).split():
                if word in self.SAME:
                    continue
                with self.subTest(tool=theirs, word=word):
                    done = subprocess.run([program(ours), word, '', 'nowhere', '1'], cwd=self.folder, env=environment(),
                                          capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                                          stdin=subprocess.DEVNULL)
                    said = done.stderr
                    self.assertEqual(done.returncode, 1, said)
                    self.assertNotIn('unknown option', said)
                    self.assertFalse(process.fault_of(said), said)
                    # The empty argument behind it is refused, as its value or as an argument; or the word itself is.
                    self.assertTrue(word in said or 'an argument is empty' in said, said)


if __name__ == '__main__':
    unittest.main()
