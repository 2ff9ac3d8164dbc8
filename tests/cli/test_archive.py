"""dicom-archive: what it prints, how it ends, what it refuses."""
import re
import signal
import time
import unittest

from support import process
from support.base import CommandTest
from support.datasets import element, write_instance
from support.process import run

LISTENING = r'^listening on 127\.0\.0\.1:(\d+)$'


class Archive(CommandTest):
    def archive(self, *arguments):
        running = self.start(process.Running('dicom-archive', '--port', '0', *arguments))
        running.port = int(running.wait_for(LISTENING).group(1))
        return running

    def test_stops_at_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            archive = self.archive('--synthetic', '3x2x5')
            archive.signal(number)
            result = archive.wait()
            self.assertEqual((result.code, result.err), (0, ''), result)
            self.assertEqual(re.sub(LISTENING, 'listening', result.out, flags=re.MULTILINE).splitlines(),
                             ['2 patients, 3 studies, 6 series, 30 instances', 'listening',
                              '0 associations, 0 queries, 0 matches, 0 retrieves, 0 sent, 0 stored, 0 refused'])

    def test_quiet(self):
        archive = self.archive('--synthetic', '1x1x1', '-q')
        archive.signal(signal.SIGTERM)
        self.assertEqual(len(archive.wait().out.splitlines()), 1)

    def test_port_in_use(self):
        archive = self.archive('--synthetic', '1x1x1')
        result = run('dicom-archive', '--synthetic', '1x1x1', '--port', archive.port)
        self.assert_wrong(result, f'dicom-archive: 127.0.0.1:{archive.port}: Address already in use')

    def test_folder_that_cannot_be_made(self):
        (self.folder / 'file').write_text('in the way')
        path = self.folder / 'file' / 'x'
        self.assert_wrong(run('dicom-archive', '--output-dir', path, '--port', 0), f'dicom-archive: {path}: Not a directory')

    def test_an_index_that_is_a_symbolic_link(self):
        folder, elsewhere = self.folder / 'kept', self.folder / 'elsewhere'
        folder.mkdir()
        (folder / 'index.sqlite').symlink_to(elsewhere)
        result = run('dicom-archive', '--output-dir', folder, '--port', 0)
        self.assert_wrong(result, f'dicom-archive: {folder}/index.sqlite: it is a symbolic link, which is not followed')
        self.assertFalse(elsewhere.exists())

    def test_wrong_peers(self):
        for peer in ('A', 'A=h', 'A=h:0', 'A=h:x', 'A=:104', '=h:104', 'A=h:65536', 'A=::1:104', 'A=[]:104',
                     'SEVENTEEN_LETTERS=h:1', 'A=h:1x'):
            result = run('dicom-archive', '--synthetic', '1x1x1', '--peer', 'OK=h:1', '--peer', peer)
            self.assert_wrong(result, f"dicom-archive: --peer: '{peer}' is not AE=HOST:PORT")

    def test_import_of_several_folders(self):
        for number in range(2):
            (self.folder / f'source{number}').mkdir()
            write_instance(self.folder / f'source{number}' / 'x', instance=f'1.2.3.{number}')
        archive = self.archive('--output-dir', self.folder / 'kept', '--import', self.folder / 'source0', '--import',
                               self.folder / 'source1')
        archive.signal(signal.SIGTERM)
        self.assertIn('imported 2, failed 0\n1 patient, 1 study, 1 series, 2 instances\n', archive.wait().out)

    def test_signals_before_it_listens(self):
        """While it takes in files: their copy, which may be of patients, goes with it."""
        source, temporary = self.folder / 'source', self.folder / 'temporary'
        source.mkdir()
        temporary.mkdir()
        for number in range(1500):
            write_instance(source / str(number), instance=f'1.2.3.{number}')
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            archive = self.start(process.Running('dicom-archive', '--port', '0', '--dicom', source,
                                                 env=process.environment(TMPDIR=str(temporary))))
            while not list(temporary.glob('*/1.2.3.*')):
                self.assertIsNone(archive.process.poll())
                time.sleep(0.01)
            archive.signal(number)
            result = archive.wait()
            self.assertEqual((result.code, result.out, result.err),
                             (0, '', 'dicom-archive: stopped before it listened\n'), result)
            self.assertEqual(list(temporary.iterdir()), [])

    def test_import_says_what_it_took(self):
        source = self.folder / 'source' / 'below'
        source.mkdir(parents=True)
        for number in range(3):
            write_instance(source / str(number), instance=f'1.2.3.{number}')
        write_instance(source / 'again', instance='1.2.3.1')
        write_instance(source / 'no study', instance='1.2.4', study=None)
        (source / 'notes').write_text('no DICOM')
        different = write_instance(source / 'z different', instance='1.2.3.2')
        different.write_bytes(different.read_bytes() + element(0x20, 0x0013, 'IS', b'7'))
        for expected in ('imported 4, failed 2', 'imported 4, failed 2'):
            archive = self.archive('--output-dir', self.folder / 'kept', '--import', source.parent)
            archive.signal(signal.SIGTERM)
            result = archive.wait()
            self.assertIn(f'{expected}\n1 patient, 1 study, 1 series, 3 instances\n', result.out)
            self.assertIn('uid-conflict', result.err)
            self.assertIn('no-study-uid', result.err)
        self.assertEqual(sorted(path.name for path in (self.folder / 'kept').glob('*.dcm')),
                         [f'1.2.3.{number}.dcm' for number in range(3)])


if __name__ == '__main__':
    unittest.main()
