"""kill -9 of the sender at any moment, and the same command again: nothing is lost, nothing acknowledged is sent twice.

What was sent is counted from the receiver's own log, what is known to be stored is read from the ledger the killed run
left behind. KILL_ROUNDS changes the number of rounds, KILL_SEED repeats a run (its moments of killing, as far as a
machine can repeat them). RELEASE_DIR names the folder of an optimized build: sanitizers would leave no time to hit.
"""
import collections
import os
import random
import re
import sqlite3
import statistics
import subprocess
import time

from support import network, peers, programs
from support.base import ProgramTest

ROUNDS = int(os.environ.get('KILL_ROUNDS', '100'))
SEED = int(os.environ.get('KILL_SEED', random.SystemRandom().randrange(1 << 32)))
STUDIES, INSTANCES, THREADS, WINDOW = 8, 250, 8, 1
FILES = STUDIES * INSTANCES
# One drain: what the main thread is writing down, and what the workers collect meanwhile (OUTBOX_MAX, each).
# At tens of thousands a second it is as long as the system lets the main thread wait: that is held to its median.
BOUND = THREADS * WINDOW + 2 * 64 * THREADS
# Milliseconds before each answer: the first leaves short runs, the others long ones to be hit in the middle.
RESPONSE_DELAYS = (0, 1, 3)


class CountingReceiver(programs.Receiver):
    """dicom-receiver that says what it stores; its own log is the witness."""

    def __init__(self, delay_ms):
        super().__init__('--debug', '--response-delay', delay_ms, keep=False, folder_variable='RELEASE_DIR')
        self.delayed = delay_ms > 0
        self.read = 0

    def text(self):
        with open(self.log_path, 'rb') as log:
            log.seek(self.read)
            return log.read().decode()

    def take_sent(self):
        """{SOP Instance UID: times stored} since the last call, once all associations have ended."""
        def all_ended():
            text = self.text()
            return text.count(' association.opened ') == len(re.findall(r' association\.(?:released|aborted|lost) ', text))
        network.wait_until(all_ended, 10, 'the associations to end')
        text = self.text()
        self.read += len(text.encode())
        return collections.Counter(re.findall(r' receiver\.stored instance=(\S+) .*status=0x0000', text))


def stored_in(ledger):
    """The SOP Instance UIDs that this ledger calls stored; none if it was not made yet."""
    if not ledger.exists():
        return set()
    database = sqlite3.connect(f'file:{ledger}?mode=rw', uri=True)  # its process may have been killed at making it: this rolls back
    try:
        return {uid for uid, in database.execute("SELECT instance FROM file WHERE state = 'stored'")}
    except sqlite3.OperationalError as error:
        assert 'no such table' in str(error), error
        return set()
    finally:
        database.close()


class KillTheSender(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.folder / 'source'
        made = os.path.join(os.environ['RELEASE_DIR'], 'tests', 'support', 'make-studies')
        subprocess.run([made, str(self.source), f'{STUDIES}x{INSTANCES}x1K:CT', '--seed', '7'], check=True,
                       stdout=subprocess.DEVNULL)
        self.receivers = [self.start(CountingReceiver(delay)) for delay in RESPONSE_DELAYS]
        self.random = random.Random(SEED)

    def run_to_the_end(self, receiver, ledger):
        run = programs.run_sender(self.source, port=receiver.port, threads=THREADS, options=['--ledger', ledger],
                                  folder_variable='RELEASE_DIR')
        self.assertEqual((run.exit_code, run.total('stored'), run.total('files')), (0, FILES, FILES), run)
        return run

    def run_and_kill(self, receiver, ledger, after_s):
        """Begin a run and kill it; whether it was still there to be killed."""
        command = [programs.program('dicom-sender', 'RELEASE_DIR'), '--host', '127.0.0.1', '--port', str(receiver.port),
                   '--threads', str(THREADS), '--ledger', str(ledger), '--log-dir', str(self.folder / 'logs'), '--quiet',
                   '--recursive', str(self.source)]
        process = subprocess.Popen(peers.guarded(command), stdin=subprocess.DEVNULL, env=programs.environment())
        time.sleep(after_s)
        process.kill()
        return process.wait() < 0

    def measure(self, receiver):
        """How long a whole run takes."""
        ledger = self.folder / f'measure-{receiver.port}.db'
        elapsed_s = self.run_to_the_end(receiver, ledger).elapsed_s
        self.assertEqual(receiver.take_sent(), dict.fromkeys(stored_in(ledger), 1))
        return elapsed_s

    def one_round(self, number, receiver, whole_s):
        """Kill it, once or twice, and let it end. Returns how many were stored at the last kill, and sent again."""
        ledger = self.folder / f'round-{number}.db'
        known = set()
        sent = collections.Counter()
        for kill in range(1 + (number % 5 == 4)):
            killed = self.run_and_kill(receiver, ledger, self.random.uniform(0, whole_s * (1 - kill / 2)))
            now = receiver.take_sent()
            self.assertFalse(known & set(now), 'sent again, though the ledger had them as stored')
            before, known = known, stored_in(ledger)
            sent += now
            self.assertLessEqual(before, known, 'what was stored is forgotten')
            self.assertLessEqual(known, set(sent), 'called stored, and never sent')
            self.assertTrue(killed or len(known) == FILES)
            if receiver.delayed:
                self.assertLessEqual(len(set(now) - known), BOUND, 'acknowledged, and not in the ledger')
        run = self.run_to_the_end(receiver, ledger)
        now = receiver.take_sent()
        self.assertFalse(known & set(now), 'sent again, though the ledger had them as stored')
        self.assertEqual(run.summary['totals']['earlier']['stored'], len(known), run)
        self.assertEqual(len(stored_in(ledger)), FILES)
        sent += now
        self.assertEqual(len(sent), FILES, 'not everything arrived')
        for path in self.folder.glob(f'{ledger.name}*'):
            path.unlink()
        return len(known), sum(sent.values()) - FILES

    def test_kill_at_any_moment(self):
        whole_s = [self.measure(receiver) for receiver in self.receivers]
        print(f'\nkill -9 of the sender: {ROUNDS} rounds, KILL_SEED={SEED}', flush=True)
        results = []
        for number in range(ROUNDS):
            which = number % len(self.receivers)
            with self.subTest(round=number, seed=SEED):
                results.append((which, *self.one_round(number, self.receivers[which], whole_s[which])))
        extras = [extra for _, _, extra in results]
        midway = sum(0 < known < FILES for _, known, _ in results)
        print(f'{midway} of them in the middle; sent again: median {statistics.median(extras)}, most {max(extras)}',
              flush=True)
        # The test must hit something: moments before the first and after the last store prove little.
        self.assertGreater(midway, ROUNDS / 3)
        self.assertLess(statistics.median(extras), BOUND, extras)
        # With 3 ms for each answer hardly more is on its way than is in flight.
        slow = [extra for which, _, extra in results if which == len(RESPONSE_DELAYS) - 1]
        self.assertLess(statistics.median(slow), 100, slow)
