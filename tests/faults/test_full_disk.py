"""A disk that is full: a small one, mounted for the test. Nothing that was said of it is taken back, and when there is room
again the work goes on."""
import os
import sqlite3
import subprocess
import time
import unittest

from support import datasets, kept, network, programs
from support.base import ProgramTest

SMALL, LARGE = '256k', '32m'
PAUSE_SEEN_S = 3


class FullDisk(ProgramTest):
    def setUp(self):
        super().setUp()
        self.disk = self.subfolder('disk')
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={SMALL}', 'tmpfs', self.disk], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest(f'no disk may be mounted here, so only limits of file sizes are tried: {done.stderr.strip()}')
        self.addCleanup(subprocess.run, ['umount', '--lazy', self.disk], check=True)
        self.source = self.subfolder('source')
        self.ledger = self.disk / 'ledger.db'

    def make_room(self):
        subprocess.run(['mount', '-o', f'remount,size={LARGE}', self.disk], check=True)

    def fill(self):
        """Take all that is left of it."""
        with self.assertRaises(OSError), open(self.disk / 'filler', 'wb', buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def rows(self):
        """[(SOP Instance UID, state)] of the ledger."""
        database = sqlite3.connect(f'file:{self.ledger}?mode=ro', uri=True)
        try:
            return database.execute('SELECT instance, state FROM file').fetchall()
        finally:
            database.close()

    def send(self, receiver, **options):
        return programs.run_sender(self.source, port=receiver.port, threads=4, options=['--ledger', self.ledger],
                                   **options)

    def test_ledger(self):
        """It fills up in mid-run: that stops, says why, and what the ledger has stands. With room, the next completes it."""
        entries = datasets.make_studies(self.source, 4, 200, 200)
        receiver = self.start(programs.Receiver('-q', '--response-delay', 2, log=True))
        run = self.send(receiver)
        self.assertEqual((run.exit_code, run.summary['verdict']), (2, 'stopped'), run)
        self.assertRegex(run.stderr, 'cannot be written: .*(full|disk I/O error)')
        kept.check(run, entries, receiver)
        known = {uid for uid, state in self.rows() if state == 'stored'}
        self.assertLessEqual(known, set(kept.acknowledged(kept.read_log(receiver.access_log))))
        self.assertGreater(len(known), 0)
        self.make_room()
        run = self.send(receiver)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
        self.assertEqual(run.summary['totals']['earlier']['stored'], len(known), run)
        self.assertEqual(sorted(self.rows()), sorted((entry.instance_uid, 'stored') for entry in entries))
        times = kept.acknowledged(kept.read_log(receiver.access_log))
        self.assertEqual([uid for uid in known if len(times[uid]) != 1], [], 'what it had was not sent again')

    def test_ledger_from_the_start(self):
        datasets.make_studies(self.source, 1, 3)
        receiver = self.start(programs.Receiver('-q', log=True))
        self.fill()
        run = self.send(receiver)
        self.assertEqual((run.exit_code, run.summary), (1, None), run)
        self.assertRegex(run.stderr, r"\Adicom-sender: --ledger: '.*/ledger.db': .*(full|No space left|I/O error).*\n\Z")
        self.assertEqual(kept.answers(kept.read_log(receiver.access_log)), [], 'nothing was sent')
        os.unlink(self.disk / 'filler')
        self.assertEqual(self.send(receiver).exit_code, 0)

    def test_receiver(self):
        """A700 while it is full, and not a part of a file is left; all workers pause; then all is stored."""
        entries = datasets.make_studies(self.source, 4, 10, 20_000)
        receiver = programs.Receiver('-q', log=True)
        receiver.output = self.disk / 'received'
        receiver.options[receiver.options.index('--output-dir') + 1] = str(receiver.output)
        self.start(receiver)

        def make_room(process):
            """Once all pause, for 5 s: who is refused while others are stored comes again after 1 s and 2 s."""
            seen = []

            def is_paused():
                log = receiver.access_log.read_bytes()
                seen[:] = seen if seen and seen[0] == len(log) else [len(log), time.monotonic()]
                return log.count(b'"0xA700"') >= 3 and time.monotonic() - seen[1] > PAUSE_SEEN_S
            network.wait_until(is_paused, 60, 'a pause')
            kept.read_folder(receiver.output, temporaries=True)
            self.make_room()
        run = programs.run_sender(self.source, port=receiver.port, threads=4, during=make_room)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
        self.assertGreaterEqual(len(run.said('session.paused')), 1, run)
        kept.check(run, entries, receiver)

    def test_synthetic_files(self):
        """It fills up while they are written: those that are there are whole, and it is said which one is not."""
        place = self.disk / 'studies'
        done = subprocess.run([programs.program('dicom-sender'), '--synthetic', '1x100x20000', '--output-dir', place],
                              capture_output=True, text=True, env=programs.environment(), check=False, timeout=60)
        files = [path for path in place.rglob('*') if path.is_file()]
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(f"--output-dir: '{place}/study-1/image-{len(files) + 1}.dcm': No space left on device\n", done.stderr)
        self.assertIn(f'wrote 1 study, {len(files)} instances, ', done.stderr)
        self.assertEqual(len({path.stat().st_size for path in files}), 1, 'each of them is whole')

    def test_access_log(self):
        """What cannot be noted is not acknowledged: A700. The receiver says at its end that lines are missing."""
        entries = datasets.make_studies(self.source, 1, 40)
        receiver = programs.Receiver('-q')
        receiver.access_log = self.disk / 'access.log'
        receiver.options += ['--access-log', str(receiver.access_log)]
        self.start(receiver)
        self.fill()
        run = programs.run_sender(self.source, port=receiver.port, options=['--retry', 0])
        self.assertEqual(run.exit_code, 2, run)
        self.assertEqual({entry['status'] for entry in run.summary['failed']}, {'0xA700'}, run)
        self.assertEqual(run.total('stored'), len(kept.answers(kept.read_log(receiver.access_log))), run)
        self.make_room()
        run = programs.run_sender(self.source, port=receiver.port)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
        kept.check(run, entries, receiver)
        self.assertEqual(receiver.terminate(), 1)
        self.assertIn('No space left on device', receiver.log())


if __name__ == '__main__':
    unittest.main()
