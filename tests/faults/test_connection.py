"""Connections that are cut, receivers that die or hang: nothing is claimed that is not so, and all is stored at last.

What the sender says is compared with the receiver's access log and with the files it keeps.
"""
import collections
import concurrent.futures
import os
import random
import signal
import time
import unittest

from support import datasets, kept, network, programs
from support.base import ProgramTest
from support.cutting_proxy import DOWN, UP, Cut, CuttingProxy

# An association with this many of the smallest instances has more than 1,500 bytes from the sender, and 800 back.
INSTANCES = 5
OFFSETS_UP, OFFSETS_DOWN = 1500, 750
# When the association has been agreed, at the latest.
AGREED_UP, AGREED_DOWN = 300, 250
THREADS = 250

SEED = int(os.environ.get('TESTS_SEED', random.randrange(1 << 32)))


def make_small_studies(folder, studies, instances):
    """As small as they come, so that 1,500 bytes are a whole association and more."""
    entries = []
    for study in range(1, studies + 1):
        for instance in range(1, instances + 1):
            entries.append(datasets.write_plain(folder / f'{study}-{instance}.dcm', datasets.uid(3, study, instance),
                                                datasets.uid(3, study)))
    return entries


class Cuts(ProgramTest):
    """The connection ends after each number of bytes; every worker of a run has one of these cuts, on its first."""

    def send_through_cuts(self, cuts, *options):
        """One run with a worker and a study for each cut. The run, and the receiver's log."""
        source = self.folder / f'source{len(os.listdir(self.folder))}'
        source.mkdir()
        entries = make_small_studies(source, len(cuts), INSTANCES)
        receiver = self.start(programs.Receiver('-q', log=True))
        with CuttingProxy(receiver.port, cuts) as proxy:
            run = programs.run_sender(source, port=proxy.port, threads=len(cuts), timeout_s=60,
                                      options=['--timeout', 10, *options])
            self.assertEqual(proxy.waiting, [], 'there was a connection for each cut')
        self.unreached += proxy.unreached
        lines = kept.check(run, entries, receiver)
        times = collections.Counter(line['instance'] for line in kept.answers(lines))
        self.assertLessEqual(max(times.values()), 2, 'sent again at most once, as each was cut at most once')
        return run, receiver, source, entries

    def cut_everywhere(self, direction, offsets):
        self.unreached = []
        for begin in range(0, offsets, THREADS):
            cuts = [Cut(direction, offset, offset % 2 == 1) for offset in range(begin, min(begin + THREADS, offsets))]
            run, receiver, _, entries = self.send_through_cuts(cuts)
            self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
            receiver.stop()

    def test_up(self):
        self.cut_everywhere(UP, OFFSETS_UP)
        self.assertLess(len(self.unreached), OFFSETS_UP // 50, 'they are within the association')

    def test_down(self):
        self.cut_everywhere(DOWN, OFFSETS_DOWN)
        self.assertLess(len(self.unreached), OFFSETS_DOWN // 50)

    def test_without_another_try(self):
        """What was cut is not stored, or in doubt, and never more than that; sending everything again completes it."""
        self.unreached = []
        cuts = [Cut(UP, offset, False) for offset in range(AGREED_UP, OFFSETS_UP, 11)]
        cuts += [Cut(DOWN, offset, False) for offset in range(AGREED_DOWN, OFFSETS_DOWN, 7)]
        run, receiver, source, entries = self.send_through_cuts(cuts, '--retry', 0)
        self.assertIn(run.exit_code, (0, 2), run)
        self.assertGreater(run.total('failed') + run.total('in_doubt'), 0, run)
        again = programs.run_sender(source, port=receiver.port, threads=8)
        self.assertEqual((again.exit_code, again.total('stored')), (0, len(entries)), again)
        kept.check(again, entries, receiver)


class Receivers(ProgramTest):
    """A receiver that is killed, or stopped for longer than the sender waits, at a random moment of a run."""

    STUDIES, INSTANCES, THREADS = 8, 12, 4
    OPTIONS = ('--timeout', 1, '--retry', 6)

    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.entries = make_small_studies(self.source, self.STUDIES, self.INSTANCES)

    def run_rounds(self, rounds, disturb):
        """Some at a time: most of a round is waiting."""
        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            futures = [pool.submit(self.run_round, number, disturb) for number in range(rounds)]
            return [future.result() for future in futures]

    def run_round(self, number, disturb):
        """How many stores had been answered when it was disturbed, and the run."""
        dice = random.Random(SEED + number)
        first, then_s = dice.randrange(len(self.entries) - 10), dice.uniform(0, 0.01)
        receiver = programs.Receiver('-q', '--response-delay', 10, log=True)
        with receiver, concurrent.futures.ThreadPoolExecutor(1) as pool:
            sender = pool.submit(programs.run_sender, self.source, port=receiver.port, threads=self.THREADS,
                                 options=self.OPTIONS, timeout_s=90)
            network.wait_until(lambda: receiver.access_log.read_bytes().count(b'store.answered') >= first, 60,
                               f'{first} answers')
            time.sleep(then_s)
            answered = receiver.access_log.read_bytes().count(b'store.answered')
            disturb(receiver)
            run = sender.result()
            what = f'seed {SEED}, round {number}: after {answered} answers\n{run}'
            self.assertEqual((run.exit_code, run.total('stored')), (0, len(self.entries)), what)
            lines = kept.check(run, self.entries, receiver, temporaries=True)
            times = collections.Counter(line['instance'] for line in kept.answers(lines))
            again = sum(times.values()) - len(times)
            self.assertLessEqual(again, 2 * self.THREADS, f'more was sent again than was in flight: {what}')
            return answered, run

    @staticmethod
    def kill(receiver):
        receiver.kill()
        receiver.start()

    @staticmethod
    def hold(receiver):
        os.kill(receiver.process.pid, signal.SIGSTOP)
        time.sleep(1.8)
        os.kill(receiver.process.pid, signal.SIGCONT)

    def test_killed(self):
        rounds = self.run_rounds(30, self.kill)
        self.assertGreater(sum(0 < answered < len(self.entries) for answered, _ in rounds), 20, 'most in mid-run')

    def test_stopped(self):
        rounds = self.run_rounds(10, self.hold)
        self.assertGreater(sum(0 < answered < len(self.entries) for answered, _ in rounds), 5, 'most in mid-run')
        # Whoever waits for ever gets through such a stop as well.
        gave_up = [{record['reason'] for record in run.said('store.retried')} for _, run in rounds]
        self.assertGreater(gave_up.count({'connection'}), 5, 'it does not wait for longer than it was told')


if __name__ == '__main__':
    unittest.main()
