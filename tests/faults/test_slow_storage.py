"""Storage that is slow, odd or hangs, as a NAS may be: what the scan opened is opened once, files are read before their
turn, what fails fails alone, and what hangs holds up nothing else. Figures are counts of calls, not times."""
import os
import pathlib
import re
import shutil
import signal
import threading
import time
import unittest

from support import datasets, kept, network, programs
from support.base import ProgramTest

FEW = 400   # open files: a few are kept, and what is not is read ahead
FEWER = 64  # none can be kept


def slow_storage(folder, count=None, us=1000, odd=None, files=None):
    """What to put before a command so that the storage below the folder answers after so many microseconds."""
    library = pathlib.Path(os.environ['RELEASE_DIR']).absolute() / 'tests' / 'support' / 'libslow_storage.so'
    limit = ['bash', '-c', f'ulimit -n {files}; exec "$@"', 'bash'] if files is not None else []
    said = [f'SLOW_COUNT={count}'] if count else []
    rules = [f'SLOW_ODD={odd}'] if odd else []
    return [*limit, 'env', f'LD_PRELOAD={library}', f'SLOW_TREE={folder}', f'SLOW_US={us}', *said, *rules]


class StorageTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.count = self.folder / 'count'
        self.entries = []

    def make(self, studies, instances, size=4096):
        self.entries = datasets.make_studies(self.source, studies, instances, size)
        return self.entries

    def send(self, receiver, options=(), threads=1, during=None, **storage):
        return programs.run_sender(self.source, port=receiver.port, options=options, threads=threads, during=during,
                                   prefix=slow_storage(self.source, self.count, **storage),
                                   folder_variable='RELEASE_DIR')

    def counted(self, name):
        return int(re.search(rf'\b{name} (\d+)', self.count.read_text(encoding='ascii')).group(1))

    def receiver(self, *options, **more):
        return self.start(programs.Receiver(*options, folder_variable='RELEASE_DIR', **more))

    def assert_kept(self, receiver, entries):
        self.assertEqual(kept.read_folder(receiver.output), {entry.instance_uid: entry.data_set for entry in entries})


class OpenedOnce(StorageTest):
    def test_small_files(self):
        """Opened by the scan, read by the scan, and sent from what it has."""
        entries = self.make(4, 30)
        receiver = self.receiver()
        run = self.send(receiver, threads=4)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
        self.assertEqual((self.counted('opens'), self.counted('reads')), (len(entries), len(entries)))
        self.assert_kept(receiver, entries)

    def test_large_files(self):
        entries = self.make(2, 10, 300_000)
        receiver = self.receiver()
        run = self.send(receiver, threads=2)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
        self.assertEqual((self.counted('opens'), self.counted('reads')), (len(entries), len(entries)))
        self.assert_kept(receiver, entries)

    def test_few_descriptors(self):
        """There is no descriptor to spare: each file is opened again when it is sent."""
        entries = self.make(3, 40)
        receiver = self.receiver()
        run = self.send(receiver, threads=8, files=FEWER)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
        self.assertEqual(self.counted('opens'), 2 * len(entries))
        self.assert_kept(receiver, entries)


class ReadAhead(StorageTest):
    def test_one_worker_reads_many_at_a_time(self):
        for size in (4096, 200_000):
            shutil.rmtree(self.source)
            self.source.mkdir()
            entries = self.make(1, 160, size)
            receiver = self.receiver()
            run = self.send(receiver, files=FEW, us=5000, options=['--scan-first'])
            self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
            self.assertGreaterEqual(self.counted('at_once'), 6, self.count.read_text())
            self.assert_kept(receiver, entries)
            receiver.stop()

    def test_large_files_are_read_in_pieces(self):
        """Several MiB ahead of what is sent, and each MiB once."""
        entries = self.make(1, 8, 7_000_000)
        receiver = self.receiver()
        run = self.send(receiver, us=20_000)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
        self.assertEqual((self.counted('opens'), self.counted('reads')), (8, 8 * 7))
        self.assertGreaterEqual(self.counted('at_once'), 4, self.count.read_text())
        self.assert_kept(receiver, entries)

    def test_fast_storage_is_not_read_ahead(self):
        """A thread is started for whoever asks for a reading; here nobody does."""
        entries = self.make(2, 100)
        receiver = self.receiver()
        seen = []

        def look(process):
            while process.poll() is None and len(seen) < 1000:
                try:
                    seen.append(len(os.listdir(f'/proc/{process.pid}/task')))
                except OSError:
                    break
        run = self.send(receiver, files=FEW, us=0, options=['--scan-first'], during=look)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
        self.assertLess(max(seen), 12, 'the main thread, the worker, the scan and who looks names up')


class Limit(StorageTest):
    def test_the_storage_is_named(self):
        """With what opening a file takes, whether it is the scan that waits for it or the workers."""
        self.make(8, 20)
        receiver = self.receiver()
        run = self.send(receiver, threads=8, us=5000)
        share, milliseconds, scanning, storage = map(float, re.search(
            r'^  limit +(\d+) %   the storage: ([\d.]+) ms to open a file \(scanning (\d+) %, storage (\d+) %\)',
            run.stderr, re.MULTILINE).groups())
        self.assertGreaterEqual(milliseconds, 5, run)
        self.assertAlmostEqual(share, scanning + storage, delta=1.1)
        spent = run.summary['time_s']
        self.assertAlmostEqual(share, 100 * (spent['scanning'] + spent['storage']) / sum(spent.values()), delta=1)


class Changes(StorageTest):
    """Files that change while they wait, open or read ahead: each ends as if it were opened only now."""

    def change(self, change, expected, files=None):
        entries = self.make(1, 60)
        victims = entries[-3:]
        receiver = self.receiver('--response-delay', 40, log=True)
        runs = []
        sender = threading.Thread(target=lambda: runs.append(
            self.send(receiver, files=files, us=2000, options=['--scan-first'])))
        sender.start()
        network.wait_until(lambda: b'store.answered' in receiver.access_log.read_bytes(), 60, 'an answer')
        for entry in victims:
            change(entry.path)
        sender.join()
        run = runs[0]
        self.assertEqual(run.reasons(), {entry.path.name: expected for entry in victims}, run)
        self.assertEqual((run.exit_code, run.total('stored')), (2, len(entries) - 3), run)
        self.assert_kept(receiver, entries[:-3])
        receiver.stop()
        shutil.rmtree(self.source)
        self.source.mkdir()

    def replace(self, path):
        shutil.copyfile(self.entries[0].path, self.folder / 'other')
        os.replace(self.folder / 'other', path)

    def make_fifo(self, path):
        os.unlink(path)
        os.mkfifo(path)

    def test_all(self):
        for files in (None, FEW):
            for change, expected in ((os.unlink, 'failed: vanished'), (self.replace, 'failed: changed'),
                                     (lambda path: os.truncate(path, 1000), 'failed: changed'),
                                     (lambda path: os.utime(path, (1, 1)), 'failed: changed'),
                                     (self.make_fifo, 'failed: changed')):
                with self.subTest(files=files, expected=expected):
                    self.change(change, expected, files)

    def test_a_folder_disappears(self):
        """What is not sent yet of it has vanished; the other study goes on."""
        entries = self.make(2, 40)
        receiver = self.receiver('--response-delay', 40, log=True)
        runs = []
        sender = threading.Thread(target=lambda: runs.append(
            self.send(receiver, threads=2, us=2000, options=['--scan-first'])))
        sender.start()
        network.wait_until(lambda: b'store.answered' in receiver.access_log.read_bytes(), 60, 'an answer')
        shutil.rmtree(entries[0].path.parent)
        sender.join()
        run = runs[0]
        self.assertEqual(set(run.reasons().values()), {'failed: vanished'}, run)
        self.assertEqual({pathlib.Path(path).parent for path in run.problems()}, {entries[0].path.parent})
        self.assertEqual(run.exit_code, 2, run)


class Errors(StorageTest):
    """An error of the file system is the file's reason, and the others are sent."""

    def test_reading_fails(self):
        entries = self.make(2, 20)
        victim = entries[7]
        for error in ('ESTALE', 'EIO', 'EAGAIN', 'ETIMEDOUT'):
            for call in ('read', 'open'):
                for files, us in ((FEWER, 0), (FEW, 2000)):
                    with self.subTest(error=error, call=call, files=files):
                        receiver = self.receiver()
                        name = f'{victim.path.parent.name}/{victim.path.name}'
                        run = self.send(receiver, files=files, us=us, odd=f'{call} {name} {error}@2')
                        if run.exit_code == 0:  # it was kept by the scan, and not opened or read again
                            self.assertEqual(files, FEW, run)
                            self.assertEqual(self.counted('odd'), 0, run)
                            continue
                        self.assertEqual(run.reasons(), {victim.path.name: 'failed: unreadable'}, run)
                        self.assertEqual(run.total('stored'), len(entries) - 1, run)
                        receiver.stop()


class Hangs(StorageTest):
    """A read that does not come back: the file fails after the network timeout, and nothing waits for it longer."""

    def test_the_others_go_on(self):
        entries = self.make(2, 150)
        victim = entries[145]
        for threads in (1, 2):
            with self.subTest(threads=threads):
                receiver = self.receiver()
                name = f'{victim.path.parent.name}/{victim.path.name}'
                run = self.send(receiver, threads=threads, files=FEW, us=2000, odd=f'read {name} hang=100000@2',
                                options=['--scan-first', '--network-timeout', 1])
                self.assertEqual(self.counted('odd') if self.count.exists() else 1, 1, run)
                self.assertEqual(run.reasons(), {victim.path.name: 'failed: unreadable'}, run)
                self.assertIn('its storage has not answered for 1 s', run.problem(victim.path)['text'])
                self.assertEqual(run.total('stored'), len(entries) - 1, run)
                self.assertLess(run.elapsed_s, 60, 'nobody waits for what hangs')
                receiver.stop()

    def test_in_the_middle_of_a_file(self):
        """What was sent of it is of no use: its association is aborted, and the others get another one."""
        entries = self.make(1, 12, 7_000_000)
        victim = entries[5]
        receiver = self.receiver()
        name = f'{victim.path.parent.name}/{victim.path.name}'
        run = self.send(receiver, us=5000, odd=f'read {name} hang=100000@5', options=['--network-timeout', 1])
        self.assertEqual(run.reasons(), {victim.path.name: 'failed: unreadable'}, run)
        self.assertIn('its storage did not answer in time', run.problem(victim.path)['text'])
        self.assert_kept(receiver, [entry for entry in entries if entry is not victim])
        self.assertLess(run.elapsed_s, 60, run)

    def test_interrupted(self):
        """Ctrl-C while a worker waits for it: the run ends, and the file is still to be sent."""
        entries = self.make(1, 200)
        victim = entries[190]
        receiver = self.receiver(log=True)
        name = f'{victim.path.parent.name}/{victim.path.name}'

        def interrupt(process):
            def waits():
                stored = receiver.access_log.read_bytes().count(b'store.answered')
                seen.append((stored, time.monotonic()))
                first = next(at for count, at in seen if count == stored)
                return stored > 100 and time.monotonic() - first > 2
            seen = []
            network.wait_until(waits, 60, 'nothing to go on')
            process.send_signal(signal.SIGINT)
        run = self.send(receiver, files=FEW, us=2000, odd=f'read {name} hang=100000@2', options=['--scan-first'],
                        during=interrupt)
        self.assertEqual(run.exit_code, 130, run)
        self.assertEqual(set(run.reasons().values()), {'pending: interrupted'}, run)
        self.assertIn(victim.path.name, run.reasons())
        self.assertLess(run.elapsed_s, 60, run)

    def test_interrupted_twice_in_the_middle_of_a_file(self):
        """The first Ctrl-C lets what is under way go on, the second ends it: the file is still to be sent."""
        entries = self.make(1, 8, 7_000_000)
        victim = entries[5]
        receiver = self.receiver(log=True)
        name = f'{victim.path.parent.name}/{victim.path.name}'

        def interrupt(process):
            network.wait_until(lambda: receiver.access_log.read_bytes().count(b'store.answered') == 5, 60, 'five')
            for wait_s in (2, 1):
                time.sleep(wait_s)
                process.send_signal(signal.SIGINT)
        run = self.send(receiver, us=5000, odd=f'read {name} hang=100000@5', during=interrupt)
        self.assertEqual(run.exit_code, 130, run)
        self.assertEqual(set(run.reasons().values()), {'pending: interrupted'}, run)
        self.assertEqual(set(run.reasons()), {entry.path.name for entry in entries[5:]}, run)
        self.assertLess(run.elapsed_s, 45, run)


if __name__ == '__main__':
    unittest.main()
