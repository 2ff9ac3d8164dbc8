"""dicom-finder and dicom-mover from the outside: options, errors in one line, and what is left behind."""
import fcntl
import json
import os
import struct
import subprocess
import termios
import unittest

from support.base import CommandTest
from support.network import closed_port
from support.process import run
from support.programs import Receiver
from support.programs import program
from support.scripted_archive import Match, ScriptedArchive, Status, dataset

HERE = ('-k', 'PatientID=1', '-o', 'x')


class WrongOptions(CommandTest):
    """Nobody is asked, nothing is made."""

    def says(self, name, line, *arguments):
        with self.subTest(arguments=arguments):
            self.assert_wrong(run(name, *arguments, cwd=self.folder), f'{name}: {line}')
            self.assertEqual(list(self.folder.iterdir()), [])

    def test_keys(self):
        for name, rest in (('dicom-finder', ()), ('dicom-mover', ('-o', 'x'))):
            self.says(name, "--key: 'PatientNam' is neither a keyword of the standard nor a tag like 0010,0020; near "
                      "to it: PatientName, PatientID, PatientSex", '-k', 'PatientNam=X', *rest, 'pacs://h')
            self.says(name, "--key: '=1' begins with no key: it is KEY or KEY=VALUE", '-k', '=1', *rest, 'pacs://h')
            self.says(name, "-k: '' is empty", '-k', '', *rest, 'pacs://h')
            self.says(name, "--query-file: 'nowhere': No such file or directory", '--query-file', 'nowhere', *rest,
                      'pacs://h')

    def test_levels_and_models(self):
        for name, rest in (('dicom-finder', ()), ('dicom-mover', HERE)):
            self.says(name, "-L: 'frame' is not one of patient, study, series, image", '-L', 'frame', *rest)
            self.says(name, '--level patient: the study root has no such level; --patient-root has',
                      '-L', 'PATIENT', '-S', *rest)
            self.says(name, '--patient-root and --study-root exclude each other', '-PS', *rest)

    def test_destinations(self):
        for name, rest in (('dicom-finder', ()), ('dicom-mover', HERE)):
            self.says(name, 'no destination: give --host HOST [--port PORT] [--ae-title AE], or pacs://[AE@]HOST[:PORT], '
                      '[AE@]HOST:PORT or [AE@]HOST PORT, or --peer NAME, or a default peer in '
                      '/nonexistent/.config/dicom-sender/peers.json', '-v', *rest)
            self.says(name, f"unexpected argument 'b' (see {name} --help)", 'a', 'b', *rest)
            self.says(name, "'h:2' and 'h:1' both name a destination; give one", 'h:1', 'h:2', *rest)

    def test_what_excludes_what(self):
        self.says('dicom-finder', '--json and --csv exclude each other', '--json', '--csv', 'h')
        mover = 'dicom-mover'
        self.says(mover, 'nothing to ask for: give --key KEY=VALUE or --query-file FILE', '-o', 'x', 'h')
        self.says(mover, '--get and --move-dest exclude each other: C-GET sends to who asks', '-k', 'PatientID=1',
                  '--get', '--move-dest', 'A', 'h')
        self.says(mover, '--get needs no receiver: --receive-port, --receive-ae and --receive-bind belong to C-MOVE',
                  *HERE, '--get', '--receive-port', '1', 'h')


class Narrow(CommandTest):
    """A variable that is not set must not fetch everything."""

    REST = ': give one a value, as StudyInstanceUID=1.2.3, or --all for everything that the peer has'

    def move(self, *options):
        """What the peer was asked, and the result."""
        def on_find(_keys, _request):
            yield Status(0)
        with ScriptedArchive(on_find) as archive:
            result = run('dicom-mover', f'A@127.0.0.1:{archive.port}', '--get', '-o', self.folder / 'x', '--log-dir',
                         self.logs, *options)
            return archive.associations, result

    def test_keys_that_narrow_nothing(self):
        empty = self.folder / 'keys'
        for options, what in ((('-k', '0020,000D='), ': 0020,000D has no value'),
                              (('-k', 'Modality'), ': Modality is a key of a level below --level'),
                              (('-k', 'Modality=CT'), ': Modality is a key of a level below --level'),
                              (('-k', 'SeriesInstanceUID=1.2'), ': SeriesInstanceUID is a key of a level below --level'),
                              (('-k', 'PatientID=*'), ': PatientID is only wildcards'),
                              (('-k', 'PatientID=1\\*'), ': PatientID is only wildcards'),
                              (('-k', 'PatientName=?*^*'), ': PatientName is only wildcards'),
                              (('-k', 'PatientID= '), ': PatientID has no value'),
                              (('-k', 'StudyInstanceUID=\\'), ': StudyInstanceUID has no value'),
                              (('-k', 'SpecificCharacterSet=ISO_IR 100'), ': SpecificCharacterSet is nothing to find by'),
                              (('-k', 'RetrieveAETitle=THERE'), ': RetrieveAETitle is nothing to find by'),
                              (('-k', 'QueryRetrieveView=CLASSIC'), ': QueryRetrieveView is nothing to find by'),
                              (('--query-file', empty), ': the query file has no key with a value')):
            for text in ('', '# nothing\n', 'StudyInstanceUID=\n') if options[0] == '--query-file' else ('',):
                empty.write_text(text)
                with self.subTest(options=options, text=text):
                    associations, result = self.move(*options)
                    self.assertEqual((associations, result.code, result.out), (0, 1, ''), result)
                    self.assert_wrong(result, f'dicom-mover: no key narrows this retrieval{what}{self.REST}')

    def test_keys_that_do(self):
        for options in (('-k', 'PatientID=1'), ('-k', 'PatientName=A*'), ('-k', 'StudyDate=20240101-'),
                        ('-k', 'StudyInstanceUID=', '-k', 'AccessionNumber=7'), ('-L', 'series', '-k', 'Modality=CT'),
                        ('--all',), ('--all', '-k', 'StudyInstanceUID=')):
            with self.subTest(options=options):
                associations, result = self.move(*options)
                self.assertEqual((associations, result.code), (1, 1), result)
                self.assertIn('nothing matches', result.err)

    def test_what_no_find_needs(self):
        for options in (('-k', 'PatientID=1'), ('-k', 'StudyInstanceUID='), ('-k', 'StudyInstanceUID=1.2.*'),
                        ('-L', 'series', '-k', 'SeriesInstanceUID=1.2'),
                        ('-L', 'series', '-k', 'StudyInstanceUID=1\\2', '-k', 'SeriesInstanceUID=1.2'),
                        ('-P', '-k', 'StudyInstanceUID=1.2')):
            with self.subTest(options=options):
                associations, result = self.move('--no-find', *options)
                self.assertEqual((associations, result.code), (0, 1), result)
                self.assertIn('--no-find: the keys must name what is wanted', result.err)


class Runs(CommandTest):
    def test_nobody_is_there(self):
        with closed_port() as port:
            found = run('dicom-finder', f'A@127.0.0.1:{port}')
            moved = run('dicom-mover', f'A@127.0.0.1:{port}', '-k', 'PatientID=1', '--get', '-o', self.folder / 'x',
                        '--retry', '0', '--log-dir', self.logs, '-q')
        self.assertEqual((found.code, found.out), (1, ''), found)
        self.assertIn('refused', found.err)
        self.assertEqual((moved.code, moved.out), (1, ''), moved)
        self.assertIn('retrieval stopped', moved.err)

    def test_a_folder_that_cannot_be(self):
        (self.folder / 'file').write_text('')
        path = self.folder / 'file' / 'x'
        result = run('dicom-mover', 'A@127.0.0.1:1', '-k', 'PatientID=1', '--get', '-o', path, '--log-dir', self.logs)
        self.assert_wrong(result, f'dicom-mover: {path}: Not a directory')

    def test_a_port_that_is_taken(self):
        receiver = self.start(Receiver('--discard'))
        result = run('dicom-mover', 'A@127.0.0.1:1', '-k', 'PatientID=1', '-o', self.folder / 'x', '--log-dir', self.logs,
                     '--receive-port', receiver.port)
        self.assert_wrong(result, f'dicom-mover: 127.0.0.1:{receiver.port}: Address already in use')

    def find(self, *options, **more):
        def on_find(keys, _request):
            self.keys = keys
            yield Match(dataset(StudyInstanceUID='1.2', PatientName='DOE^JANE', StudyDate='20240131'))
            yield Status(0)
        with ScriptedArchive(on_find) as archive:
            return run('dicom-finder', f'A@127.0.0.1:{archive.port}', *options, **more)

    def test_output_and_words_are_apart(self):
        result = self.find('--csv')
        self.assertEqual((result.code, result.err), (0, '1 match\n'), result)
        self.assertEqual(result.out.splitlines()[1], '20240131,,DOE^JANE,,,,,,,1.2')
        self.assertEqual(self.find('-q', '--csv').err, '')
        self.assertIn('association.opened', self.find('-v').err)

    def test_a_terminal_that_is_too_narrow(self):
        for columns, lines in ((300, 2), (80, 10)):
            shown, terminal = os.openpty()
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 25, columns, 0, 0))
            with ScriptedArchive(lambda *_: iter((Match(dataset(StudyInstanceUID='1.2')), Status(0)))) as archive:
                done = subprocess.run([program('dicom-finder'), f'A@127.0.0.1:{archive.port}'], stdout=terminal,
                                      stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False, timeout=30)
            text = os.read(shown, 10_000).decode().splitlines()
            os.close(shown)
            os.close(terminal)
            self.assertEqual((done.returncode, len(text)), (0, lines), text)
            self.assertTrue(lines == 2 or text[-1].split() == ['StudyInstanceUID', '1.2'], text)

    def test_what_is_asked(self):
        keys = self.folder / 'keys'
        keys.write_text('# a comment\nPatientID=1\nStudyDate=20240101\n')
        self.find('--query-file', keys, '-k', 'StudyDate=20250101-', '-k', 'Modality', '-k', 'PatientName=Müller*')
        asked = self.keys
        self.assertEqual((asked.QueryRetrieveLevel, asked.PatientID, asked.StudyDate, asked.Modality),
                         ('STUDY', '1', '20250101-', ''))
        self.assertEqual((asked.SpecificCharacterSet, asked.PatientName), ('ISO_IR 192', 'Müller*'))

    def test_a_summary_and_an_event_log(self):
        def on_find(_keys, _request):
            yield Status(0)
        with ScriptedArchive(on_find) as archive:
            result = run('dicom-mover', f'A@127.0.0.1:{archive.port}', '-k', 'PatientName=SECRET', '--get',
                         '-o', self.folder / 'x', '--log-dir', self.logs, '--json')
        self.assertEqual(result.code, 1, result)
        summary_path, = self.logs.glob('dicom_mover_summary_*.json')
        log_path, = self.logs.glob('dicom_mover_2*.log')
        self.assertEqual(json.loads(summary_path.read_text()), json.loads(result.out))
        self.assertEqual(json.loads(log_path.read_text().splitlines()[-1])['event'], 'session.ended')
        self.assertNotIn('SECRET', summary_path.read_text() + log_path.read_text() + result.err)
        self.assertIn('nothing matches these keys', result.err)


if __name__ == '__main__':
    unittest.main()
