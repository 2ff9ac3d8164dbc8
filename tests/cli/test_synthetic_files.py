"""dicom-sender --synthetic SPEC --output-dir DIR: files instead of stores."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from support import datasets
from support.base import CommandTest
from support.datasets import files_below
from support.process import Running, environment, program, run

NOBODY = 65534


class SyntheticFiles(CommandTest):
    def write(self, spec, folder, *more):
        return run('dicom-sender', '--synthetic', spec, '--output-dir', folder, *more, cwd=self.folder)

    def contents(self, folder):
        return {str(path.relative_to(folder)): path.read_bytes() for path in files_below(folder)}

    def test_what_is_written(self):
        folder = self.folder / 'new' / 'studies'
        result = self.write('2x3x4K:MR', folder)
        self.assert_exit(result, 0)
        self.assertEqual(result.out, '')
        self.assertRegex(result.err, rf'\Awrote 2 studies, 6 instances, 2\d\.\d KB, in \S+ s: {re.escape(str(folder))}\n\Z')
        self.assertEqual(sorted(self.contents(folder)),
                         [f'study-{study}/image-{image}.dcm' for study in (1, 2) for image in (1, 2, 3)])
        entries = [datasets.read_entry(path) for path in files_below(folder)]
        self.assertEqual(len({entry.study_uid for entry in entries}), 2)
        self.assertEqual(len({entry.instance_uid for entry in entries}), 6)
        self.assertEqual({entry.class_uid for entry in entries}, {'1.2.840.10008.5.1.4.1.1.4'})
        self.assertEqual([path.name for path in self.folder.iterdir()], ['new'], 'no log, no summary')

    def test_they_can_be_sent(self):
        self.assert_exit(self.write('2x3x4K', self.folder / 'studies', '--quiet'), 0)
        receiver = self.receiver('--output-dir', self.folder / 'received')
        self.assert_exit(self.send('--host', '127.0.0.1', '--port', receiver.port, '-r', self.folder / 'studies'), 0)
        self.assertEqual(sorted(datasets.read_entry(path).data_set for path in files_below(self.folder / 'received')),
                         sorted(datasets.read_entry(path).data_set for path in files_below(self.folder / 'studies')))

    def test_the_same_number_makes_the_same_files(self):
        for name, more in ('first', []), ('second', ['--synthetic-seed', 1]), ('other', ['--synthetic-seed', 2]):
            result = self.write('2x2x2K', self.folder / name, '--quiet', *more)
            self.assertEqual((result.code, result.out, result.err), (0, '', ''), result)
        self.assertEqual(self.contents(self.folder / 'first'), self.contents(self.folder / 'second'))
        self.assertFalse(set(self.contents(self.folder / 'first').values()) &
                         set(self.contents(self.folder / 'other').values()))

    def test_repeat_makes_more_studies(self):
        self.assert_exit(self.write('2x1x2K', self.folder / 'twice', '--repeat', 2), 0)
        self.assert_exit(self.write('4x1x2K', self.folder / 'four'), 0)
        self.assertEqual(self.contents(self.folder / 'twice'), self.contents(self.folder / 'four'))

    def test_what_is_there_is_left_alone(self):
        folder = self.folder / 'studies'
        (folder / 'study-1').mkdir(parents=True)
        (folder / 'study-1' / 'image-3.dcm').write_text('mine', encoding='ascii')
        result = self.write('1x4x2K', folder)
        self.assert_exit(result, 2)
        self.assertIn(f"dicom-sender: --output-dir: '{folder}/study-1/image-3.dcm': File exists\n", result.err)
        self.assertIn('wrote 1 study, 2 instances, ', result.err)
        self.assertEqual(self.contents(folder)['study-1/image-3.dcm'], b'mine')
        self.assertEqual(len(files_below(folder)), 3)
        self.assert_wrong(self.write('1x4x2K', folder),
                          f"dicom-sender: --output-dir: '{folder}/study-1/image-1.dcm': File exists")

    def test_no_folder_can_be_made(self):
        (self.folder / 'file').write_text('', encoding='ascii')
        self.assert_wrong(self.write('1x1x2K', self.folder / 'file'),
                          f"dicom-sender: --output-dir: '{self.folder}/file': Not a directory")

    @unittest.skipUnless(os.geteuid() == 0, 'only root can become somebody else')
    def test_no_permission(self):
        folder = tempfile.mkdtemp(prefix='dicom-cli-')
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        done = subprocess.run([program('dicom-sender'), '--synthetic', '1x1x2K', '--output-dir', folder], user=NOBODY,
                              capture_output=True, text=True, env=environment(), cwd='/', check=False, timeout=60)
        self.assertEqual((done.returncode, done.stderr),
                         (1, f"dicom-sender: --output-dir: '{folder}/study-1': Permission denied\n"))

    def test_interrupted(self):
        folder = self.folder / 'studies'
        running = self.start(Running('dicom-sender', '--synthetic', '1000x1000x64K', '--output-dir', folder))
        while not (folder / 'study-1' / 'image-5.dcm').exists():
            self.assertIsNone(running.process.poll())
        running.signal(signal.SIGTERM)
        result = running.wait()
        self.assert_exit(result, 130)
        written = files_below(folder)
        self.assertRegex(result.err, rf'\Adicom-sender: interrupted\nwrote 1 study, {len(written)} instances, .*\n\Z')
        self.assertEqual(len({path.stat().st_size for path in written}), 1, 'each of them is whole')

    def test_it_sends_to_nobody(self):
        for more, text in ((['h:104'], "'h:104' names a destination, and --output-dir sends to nobody; give one"),
                           (['--host', 'h'], '--output-dir writes files and sends to nobody: give either it or --host'),
                           (['-c', 'A@h:1'], '--output-dir writes files and sends to nobody: give either it or --connect'),
                           (['--peer', 'p'], '--output-dir writes files and sends to nobody: give either it or --peer'),
                           (['--loopback'], '--output-dir writes files and sends to nobody: give either it or --loopback'),
                           (['--verify'], '--output-dir writes files and sends to nobody: give either it or --verify'),
                           (['--ramp', '1,2'], '--output-dir and --ramp exclude each other'),
                           (['-t', '2'], '--output-dir writes files and sends to nobody: give either it or --threads'),
                           (['--window', '2'], '--output-dir writes files and sends to nobody: give either it or --window'),
                           (['--retry', '1'], '--output-dir writes files and sends to nobody: give either it or --retry'),
                           (['--priority', 'high'], '--output-dir writes files and sends to nobody: give either it or --priority'),
                           (['--max-pdu', '16384'], '--output-dir writes files and sends to nobody: give either it or --max-pdu'),
                           (['--calling-ae', 'ME'], '--output-dir writes files and sends to nobody: give either it or --calling-ae'),
                           (['--dry-run'], '--output-dir and --dry-run exclude each other'),
                           (['--duration', '1'], '--output-dir and --duration exclude each other'),
                           (['--json'], '--output-dir and --json exclude each other')):
            self.assert_wrong(self.write('1x1x2K', self.folder / 'd', *more), 'dicom-sender: ' + text)
        self.assert_wrong(run('dicom-sender', '--output-dir', 'd', 'x', cwd=self.folder),
                          'dicom-sender: --output-dir: it belongs to --synthetic, which is missing')
        self.assert_wrong(run('dicom-sender', '--synthetic-seed', 2, '--synthetic', '1x1x2K', '--loopback', cwd=self.folder),
                          'dicom-sender: --synthetic-seed: it belongs to --output-dir, which is missing')
        self.assertFalse((self.folder / 'd').exists())


if __name__ == '__main__':
    unittest.main()
