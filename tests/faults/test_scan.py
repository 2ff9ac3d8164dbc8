"""A scan over storage that is slow, fails or hangs: who waits for whom, and what becomes of the run."""
import os
import pathlib
import shutil
import signal
import time
import unittest

from support import programs
from support.base import ProgramTest

STUDIES, EACH = 12, 40
HANG_MS = 20_000


class SlowStorage(ProgramTest):
    def setUp(self):
        super().setUp()
        self.tree = self.subfolder('tree').absolute()
        programs.write_synthetic(self.tree, f'{STUDIES}x{EACH}x1K')
        self.assertEqual(len(list(self.tree.rglob('*.dcm'))), STUDIES * EACH)

    def slow(self, us=0, odd=''):
        library = pathlib.Path(os.environ['RELEASE_DIR']).absolute() / 'tests' / 'support' / 'libslow_storage.so'
        return ['env', f'LD_PRELOAD={library}', f'SLOW_TREE={self.tree}', f'SLOW_US={us}', f'SLOW_ODD={odd}',
                f'SLOW_COUNT={self.folder}/count']

    def scan(self, *options, us=0, odd='', inputs=None, prefix=(), **more):
        return programs.run_sender(*(inputs or [self.tree]), options=['--dry-run', *options],
                                   prefix=[*prefix, *self.slow(us, odd)], folder_variable='RELEASE_DIR', **more)

    def at_once(self):
        """The most calls that waited at the same time."""
        words = (self.folder / 'count').read_text(encoding='ascii').split()
        return int(words[words.index('at_once') + 1])

    def assert_all(self, run, files=STUDIES * EACH):
        self.assertEqual(run.exit_code, 0, run)
        self.assertEqual(run.total('pending'), files, run)

    def test_a_local_tree_takes_two(self):
        run = self.scan()
        self.assert_all(run)
        self.assertEqual(run.summary['scan']['scanners'], 2, run)

    def test_a_slow_tree_takes_many(self):
        run = self.scan(us=5000)
        self.assert_all(run)
        self.assertGreater(run.summary['scan']['scanners'], 8, run)
        self.assertGreater(self.at_once(), 8)
        self.assertGreater(run.summary['scan']['storage_s'], 0.5 * run.summary['scan']['busy_s'], run)
        ended = run.said('scan.ended')[0]
        self.assertEqual(ended['scanners'], run.summary['scan']['scanners'], run)

    def test_folders_are_read_side_by_side(self):
        """Eight at a time, although each of them holds one file."""
        for study in self.tree.iterdir():
            for number, file in enumerate(sorted(study.iterdir())):
                (study / f'{number}').mkdir()
                file.rename(study / f'{number}' / 'x')
        run = self.scan('--scan-threads', '8', us=5000)
        self.assert_all(run)
        self.assertEqual(run.summary['scan']['scanners'], 8, run)
        self.assertEqual(self.at_once(), 8)

    def test_a_number_that_was_given(self):
        run = self.scan('--scan-threads', '1', us=1000)
        self.assert_all(run)
        self.assertEqual(run.summary['scan']['scanners'], 1, run)
        self.assertEqual(self.at_once(), 1)

    def test_a_list_is_looked_at_side_by_side(self):
        listed = self.folder / 'list'
        paths = sorted(map(str, self.tree.rglob('*.dcm')))
        listed.write_text('\r\n'.join(paths) + '\r\n', encoding='utf-8')
        run = self.scan('--files-from', listed, '--scan-threads', '16', us=5000, inputs=['/dev/null'])
        self.assertEqual((run.total('pending'), run.total('skipped')), (len(paths), 1), run)
        self.assertGreater(self.at_once(), 8)

    def test_errors(self):
        run = self.scan(us=200, odd='open study-2/image-3.dcm ESTALE; read study-2/image-4.dcm EIO; '
                                    'open study-3/image-5.dcm EAGAIN; folder study-7 EIO; open study-9/image-1.dcm ENOENT')
        self.assertEqual(run.exit_code, 2, run)
        problems = {path: entry for path, entry in run.problems().items() if entry['state'] == 'failed'}
        reasons = {os.path.relpath(path, self.tree): (entry['reason'], entry['error'])
                   for path, entry in problems.items()}
        self.assertEqual({path: reason for path, (reason, _error) in reasons.items()},
                         {'study-2/image-3.dcm': 'unreadable', 'study-2/image-4.dcm': 'unreadable',
                          'study-3/image-5.dcm': 'unreadable', 'study-7': 'unreadable',
                          'study-9/image-1.dcm': 'missing'}, run)
        self.assertEqual(run.total('pending'), (STUDIES - 1) * EACH - 4, run)
        self.assertNotIn('Traceback', run.stderr)

    def interrupted(self, odd):
        """Interrupted when all but what hangs is found, it ends soon. What it found."""
        def interrupt(process):
            time.sleep(4)
            self.interrupted_at = time.monotonic()
            process.send_signal(signal.SIGINT)
        run = self.scan(odd=odd, during=interrupt)
        took_s = time.monotonic() - self.interrupted_at
        self.assertEqual(run.exit_code, 130, run)
        self.assertLess(took_s, HANG_MS / 1e3 / 2, 'it waited for what hangs')
        return run.total('files')

    def test_two_files_hang(self):
        """More than there are scanners at first: they are replaced. Pieces of 16 wait for the files in them."""
        found = self.interrupted(f'open study-2/image-3.dcm hang={HANG_MS}; read study-5/image-4.dcm hang={HANG_MS}')
        self.assertGreaterEqual(found, STUDIES * EACH - 2 * 16)

    def test_three_folders_hang(self):
        found = self.interrupted(f'folder study-2 hang={HANG_MS}; list study-5 hang={HANG_MS}; '
                                 f'folder study-7 hang={HANG_MS}')
        self.assertGreaterEqual(found, (STUDIES - 3 - 3) * EACH)  # study-1, -10 and so on do not fit the rules

    def test_a_hang_that_ends(self):
        run = self.scan(odd='open study-2/image-3.dcm hang=1500; folder study-4 hang=1500')
        self.assert_all(run)

    def test_few_descriptors(self):
        for limit in (64, 40):
            with self.subTest(limit):
                run = self.scan('--scan-threads', '64', us=2000, prefix=['prlimit', f'--nofile={limit}'])
                self.assert_all(run)

    def test_a_folder_that_disappears(self):
        """Each file of it is found and readable, or missing; its neighbours are all there."""
        gone = self.tree / 'study-6'

        def remove(_process):
            time.sleep(0.3)
            shutil.rmtree(gone)
        run = self.scan('--scan-threads', '2', us=3000, during=remove)
        rest = [entry for path, entry in run.problems().items() if not path.startswith(f'{gone}')]
        self.assertEqual(len(rest), (STUDIES - 1) * EACH, run)
        self.assertTrue(all(entry['state'] == 'pending' for entry in rest), run)
        lost = [entry for path, entry in run.problems().items() if path.startswith(f'{gone}')]
        self.assertTrue(all(entry['state'] == 'pending' or entry['reason'] in ('missing', 'unreadable')
                            for entry in lost), run)


if __name__ == '__main__':
    unittest.main()
