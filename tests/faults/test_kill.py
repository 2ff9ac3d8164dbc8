"""kill -9 of the sender at any moment, and the same command again: nothing is lost, nothing acknowledged is sent twice.

What was sent is told by the receiver's access log, what is known to be stored by the ledger that the killed run left
behind; each row of it is compared with that log. KILL_ROUNDS changes the number of rounds, KILL_SEED repeats a run (its
moments of killing, as far as a machine can repeat them). RELEASE_DIR names the folder of an optimized build: sanitizers
would leave no time to hit.
"""
import collections
import json
import os
import pathlib
import random
import sqlite3
import statistics
import subprocess
import time

from support import datasets, encoders, images, kept, network, programs
from support.base import ProgramTest
from support.process import guarded

ROUNDS = int(os.environ.get('KILL_ROUNDS', '100'))
SEED = int(os.environ.get('KILL_SEED', random.SystemRandom().randrange(1 << 32)))
STUDIES, INSTANCES, THREADS, WINDOW = 8, 250, 8, 1
FILES = STUDIES * INSTANCES
# One drain: what the main thread is writing down, and what the workers collect meanwhile (OUTBOX_MAX, each).
# At tens of thousands a second it is as long as the system lets the main thread wait: that is held to its median.
BOUND = THREADS * WINDOW + 2 * 64 * THREADS
# Milliseconds before each answer: the first leaves short runs, the others long ones to be hit in the middle.
RESPONSE_DELAYS = (0, 1, 3)


class WitnessReceiver(programs.Receiver):
    """dicom-receiver whose access log is the witness."""

    def __init__(self, delay_ms, *options):
        super().__init__('--quiet', '--response-delay', delay_ms, *options, keep=False, log=True,
                         folder_variable='RELEASE_DIR')
        self.delayed = delay_ms > 0
        self.read = 0

    def lines(self):
        with open(self.access_log, 'rb') as log:
            log.seek(self.read)
            text = log.read()
        return len(text), [json.loads(line) for line in text.splitlines()] if text[-1:] in (b'', b'\n') else None

    def take_answers(self):
        """The stores that were acknowledged since the last call, once all associations have ended. A connection whose
        process was killed before it asked for an association has an end only."""
        def all_ended():
            nonlocal taken, lines
            taken, lines = self.lines()
            of = {event: {line['association'] for line in lines or () if line['event'] == f'association.{event}'}
                  for event in ('opened', 'released', 'aborted', 'lost')}
            return lines is not None and of['opened'] <= of['released'] | of['aborted'] | of['lost']
        taken, lines = 0, None
        network.wait_until(all_ended, 10, 'the associations to end')
        self.read += taken
        return [line for answers in kept.acknowledged(lines).values() for line in answers]


def count_sent(answers):
    """{SOP Instance UID: times acknowledged}"""
    return collections.Counter(line['instance'] for line in answers)


def rows_of(ledger, columns='instance, message_id, data_bytes'):
    """{(SOP Instance UID, Message ID, bytes)} of what this ledger calls stored; none if it was not made yet."""
    if not ledger.exists():
        return set()
    database = sqlite3.connect(f'file:{ledger}?mode=rw', uri=True)  # for writing: what was begun is rolled back
    try:
        return set(database.execute(f"SELECT {columns} FROM file WHERE state = 'stored'"))
    except sqlite3.OperationalError as error:
        assert 'no such table' in str(error), error
        return set()
    finally:
        database.close()


def stored_in(ledger):
    return {uid for uid, _, _ in rows_of(ledger)}


class KillTheSender(ProgramTest):
    rounds = ROUNDS
    files = FILES
    receiver_options = ()

    def setUp(self):
        super().setUp()
        self.source = self.folder / 'source'
        self.make_source()
        self.receivers = [self.start(WitnessReceiver(delay, *self.receiver_options)) for delay in RESPONSE_DELAYS]
        self.random = random.Random(SEED)

    def make_source(self):
        programs.write_synthetic(self.source, f'{STUDIES}x{INSTANCES}x1K:CT', seed=7)

    def run_to_the_end(self, receiver, ledger):
        run = programs.run_sender(self.source, port=receiver.port, threads=THREADS, options=['--ledger', ledger],
                                  folder_variable='RELEASE_DIR')
        self.assertEqual((run.exit_code, run.total('stored'), run.total('files')), (0, self.files, self.files), run)
        return run

    def run_and_kill(self, receiver, ledger, after_s):
        """Begin a run and kill it; whether it was still there to be killed."""
        command = [programs.program('dicom-sender', 'RELEASE_DIR'), '--host', '127.0.0.1', '--port', str(receiver.port),
                   '--threads', str(THREADS), '--ledger', str(ledger), '--log-dir', str(self.folder / 'logs'), '--quiet',
                   '--recursive', str(self.source)]
        process = subprocess.Popen(guarded(command), stdin=subprocess.DEVNULL, env=programs.environment())
        time.sleep(after_s)
        process.kill()
        return process.wait() < 0

    def measure(self, receiver):
        """How long a whole run takes."""
        ledger = self.folder / f'measure-{receiver.port}.db'
        elapsed_s = self.run_to_the_end(receiver, ledger).elapsed_s
        self.assertEqual(count_sent(receiver.take_answers()), dict.fromkeys(stored_in(ledger), 1))
        return elapsed_s

    def compare(self, ledger, answers):
        """Each row that says stored is one store of the access log: this instance, Message ID and length."""
        told = {(line['instance'], line['message_id'], line['bytes']) for line in answers}
        self.assertEqual(sorted(rows_of(ledger) - told)[:3], [], 'called stored, and never acknowledged')

    def one_round(self, number, receiver, whole_s):
        """Kill it, once or twice, and let it end. Returns how many were stored at the last kill, and sent again."""
        ledger = self.folder / f'round-{number}.db'
        known = set()
        answers = []
        for kill in range(1 + (number % 5 == 4)):
            killed = self.run_and_kill(receiver, ledger, self.random.uniform(0, whole_s * (1 - kill / 2)))
            answers += (answers_now := receiver.take_answers())
            now = count_sent(answers_now)
            self.assertFalse(known & set(now), 'sent again, though the ledger had them as stored')
            before, known = known, stored_in(ledger)
            self.assertLessEqual(before, known, 'what was stored is forgotten')
            self.compare(ledger, answers)
            self.assertTrue(killed or len(known) == self.files)
            if receiver.delayed:
                self.assertLessEqual(len(set(now) - known), BOUND, 'acknowledged, and not in the ledger')
        run = self.run_to_the_end(receiver, ledger)
        answers += (answers_now := receiver.take_answers())
        self.assertFalse(known & set(count_sent(answers_now)), 'sent again, though the ledger had them as stored')
        self.assertEqual(run.summary['totals']['earlier']['stored'], len(known), run)
        self.compare(ledger, answers)
        self.assertEqual(len(stored_in(ledger)), self.files)
        self.assertEqual(set(count_sent(answers)), stored_in(ledger), 'the access log and the ledger tell the same')
        for path in self.folder.glob(f'{ledger.name}*'):
            path.unlink()
        return len(known), len(answers) - self.files

    def test_kill_at_any_moment(self):
        whole_s = [self.measure(receiver) for receiver in self.receivers]
        print(f'\nkill -9 of the sender: {self.rounds} rounds, KILL_SEED={SEED}', flush=True)
        results = []
        for number in range(self.rounds):
            which = number % len(self.receivers)
            with self.subTest(round=number, seed=SEED):
                results.append((which, *self.one_round(number, self.receivers[which], whole_s[which])))
        extras = [extra for _, _, extra in results]
        midway = sum(0 < known < self.files for _, known, _ in results)
        print(f'{midway} of them in the middle; sent again: median {statistics.median(extras)}, most {max(extras)}',
              flush=True)
        # The test must hit something: moments before the first and after the last store prove little.
        self.assertGreater(midway, self.rounds / 3)
        self.assertLess(statistics.median(extras), BOUND, extras)
        # With 3 ms for each answer hardly more is on its way than is in flight.
        slow = [extra for which, _, extra in results if which == len(RESPONSE_DELAYS) - 1]
        self.assertLess(statistics.median(slow), 100, slow)


class KillWhileConverting(KillTheSender):
    """The receiver takes Implicit VR Little Endian alone: all is converted, and one study is decompressed."""

    rounds = max(ROUNDS // 5, 6)
    compressed = 60
    files = FILES + compressed
    receiver_options = ('--accept-syntaxes', images.IMPLICIT)

    def make_source(self):
        super().make_source()
        place = self.source / 'compressed'
        place.mkdir()
        encoded = encoders.encode(place, images.BY_NAME['mono12-frames'], encoders.BY_NAME['dcmcrle'], '1.2.3.4.5')
        original, meta = encoded.entry.data_set, encoded.entry
        for number in range(self.compressed):
            # UIDs of the same length: nothing else of the file changes.
            uid = f'{meta.instance_uid[:-4]}{1000 + number}'
            (place / f'{number}.dcm').write_bytes(datasets.meta_information(uid, meta.syntax_uid, meta.class_uid) +
                                                  original.replace(meta.instance_uid.encode(), uid.encode()))
        encoded.path.unlink()

    def compare(self, ledger, answers):
        """And what it says of the transfer syntax is what the receiver saw. The length of what was sent is not the
        file's."""
        told = {(line['instance'], line['message_id'], line['syntax']) for line in answers}
        rows = rows_of(ledger, 'instance, message_id, sent_syntax')
        self.assertEqual(sorted(rows - told)[:3], [], 'called stored, and never acknowledged so')

    def run_and_kill(self, receiver, ledger, after_s):
        killed = super().run_and_kill(receiver, ledger, after_s)
        network.wait_until(lambda: not orphans(), 5, 'the decoders of the sender that was killed to end')
        return killed


def orphans():
    """dicom-decoder processes whose parent is gone."""
    found = []
    for folder in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            if (folder / 'comm').read_text().strip() == 'dicom-decoder':
                parent = int((folder / 'stat').read_text().rsplit(')', 1)[1].split()[1])
                if parent == 1:
                    found.append(folder.name)
        except OSError:
            pass
    return found
