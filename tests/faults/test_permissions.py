"""What the programs leave behind is about patients: who may read it, and where it must not be written."""
import subprocess
import unittest

from support import datasets, programs
from support.base import ProgramTest


class Permissions(ProgramTest):
    def modes(self, folder):
        return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob('*')}

    def run_with_umask(self, umask, *command, **options):
        return subprocess.run([str(word) for word in command], capture_output=True, timeout=60, check=False,
                              env={**programs.environment(), **options}, text=True, umask=umask)

    def test_sender(self):
        """Ledger, event log and summary, and the folders they are in: user and group at most, less under a umask."""
        source = self.subfolder('source')
        datasets.make_studies(source, 1, 2)
        for umask, file_mode, folder_mode in ((0, 0o640, 0o750), (0o077, 0o600, 0o700)):
            with self.subTest(umask=oct(umask)):
                out = self.folder / f'out{umask}'
                out.mkdir()
                done = self.run_with_umask(umask, programs.program('dicom-sender'), '--loopback', '-r', source,
                                           '--log-dir', out / 'deep' / 'logs', '--ledger', out / 'ledger.db')
                self.assertEqual(done.returncode, 0, done)
                modes = self.modes(out)
                self.assertEqual(len(modes), 5, modes)
                for name, mode in modes.items():
                    self.assertEqual(oct(mode), oct(folder_mode if (out / name).is_dir() else file_mode), name)

    def test_the_summary_is_drafted_in_its_folder_alone(self):
        """Under a name that was not there, by the folder's descriptor: a link that somebody plants leads nowhere."""
        source, logs, trace = self.subfolder('source'), self.subfolder('logs'), self.folder / 'trace'
        datasets.make_studies(source, 1, 1)
        # LeakSanitizer cannot run under strace.
        done = self.run_with_umask(0, 'strace', '-f', '-e', 'trace=openat,rename,renameat,renameat2', '-o', trace,
                                   programs.program('dicom-sender', 'RELEASE_DIR'), '--loopback', '-r', source,
                                   '--log-dir', logs, ASAN_OPTIONS='detect_leaks=0')
        self.assertEqual(done.returncode, 0, done)
        calls = trace.read_text(encoding='utf-8', errors='replace')
        self.assertRegex(calls, r'openat\(\d+, "dicom_sender_summary[^"/]*\.tmp", [A-Z_|]*O_EXCL[A-Z_|]*O_NOFOLLOW')
        self.assertRegex(calls, r'renameat2?\(\d+, "dicom_sender_summary[^"/]*\.tmp", \d+, "dicom_sender_summary[^"/]*\.json"')
        self.assertEqual(sorted(path.suffix for path in logs.iterdir()), ['.json', '.log'])

    def test_temporary_folder_that_is_not_there(self):
        source = self.subfolder('source')
        datasets.make_studies(source, 1, 1)
        missing = self.folder / 'no such folder'
        done = self.run_with_umask(0, programs.program('dicom-sender'), '--loopback', '-r', source, '--log-dir',
                                   self.folder / 'logs', TMPDIR=str(missing))
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(f"TMPDIR: '{missing}': No such file or directory", done.stderr)
        self.assertEqual(done.stderr.count('\n'), 1, done.stderr)


if __name__ == '__main__':
    unittest.main()
