"""Instances at which the peer aborts, closes, is silent or answers rubbish: however many stand in a row, all else is
stored, they are tried alone at the end, and the run says which they are. A peer that does so at all of them is given up
in foreseeable time."""
import time
import unittest

from support import datasets, programs
from support.bad_peer import SLACK_S, BadPeerTest
from support.scripted_peer import Abort, Close, Garbage, Respond, ScriptedPeer, Silence

KINDS = (Abort(), Close(), Close(reset=True), Garbage(b'nonsense'), Respond(changes={'replied_id': 4711}))


class BadInstances(BadPeerTest):
    def setUp(self):
        super().setUp()
        for entry in self.entries:
            entry.path.unlink()

    def make(self, studies, each, bad):
        """Studies of so many instances, the first `bad` of each of which are bad."""
        self.entries = datasets.make_studies(self.source / 'made', studies, each, 4_000, seed=21)
        by_study = {}
        for index, entry in enumerate(self.entries):
            by_study.setdefault(entry.study_uid, []).append(index)
        self.bad = {index for of_study in by_study.values() for index in of_study[:bad]}

    def uids(self):
        return {self.entries[index].instance_uid for index in self.bad}

    def run_with(self, action=Abort(), **values):
        uids = self.uids()
        return self.send(on_store=lambda store, complete: action if store.instance_uid in uids else Respond(), **values)

    def assert_poisoned(self, run, reason='failed: poison', times=3):
        self.assert_outcomes(run, dict.fromkeys(self.bad, reason))
        self.assert_sent_once(but=self.uids())
        sent = self.peer.sent_uids()
        last_good = max(store.total for store in self.peer.stores if store.instance_uid not in self.uids())
        for uid in self.uids():
            self.assertEqual(sent.count(uid), times, run)
            last = [store for store in self.peer.stores if store.instance_uid == uid][-1]
            self.assertEqual(len(self.peer.associations[last.association - 1].stores), 1, 'alone')
            self.assertGreater(last.total, last_good, 'when all else is sent')

    def test_in_a_row(self):
        for bad in (3, 30):
            for options in ((), ('--scan-first',)):
                for threads in (1, 8):
                    with self.subTest(bad=bad, options=options, threads=threads):
                        self.make(1, bad + 12, bad)
                        run = self.run_with(threads=threads, options=options)
                        self.assert_poisoned(run)
                        self.assertLess(run.elapsed_s, 8 + SLACK_S, run)

    def test_kinds(self):
        for action in KINDS:
            with self.subTest(str(action)):
                self.make(1, 8, 4)
                self.assert_poisoned(self.run_with(action))

    def test_silence(self):
        """Each silence costs a timeout, so the others are sent first."""
        self.make(1, 10, 4)
        run = self.run_with(Silence(), options=['--dimse-timeout', 1])
        self.assert_poisoned(run, 'failed: no-response')
        self.assertLess(run.elapsed_s, 3 * 4 * 2.5 + SLACK_S, run)

    def test_at_the_head_of_each_study(self):
        for threads in (1, 8):
            with self.subTest(threads=threads):
                self.make(20, 10, 3)
                self.assert_poisoned(self.run_with(threads=threads))

    def test_scattered(self):
        self.make(1, 200, 0)
        self.bad = set(range(5, 200, 10))
        run = self.run_with(threads=1)
        self.assertEqual(len(self.bad), 20)
        self.assert_poisoned(run)
        self.assertLess(run.elapsed_s, 8 + SLACK_S, run)

    def test_with_a_window(self):
        """What was in flight beside them is stored."""
        self.make(1, 30, 3)
        run = self.run_with(options=['--window', 4])
        self.assert_outcomes(run, dict.fromkeys(self.bad, 'failed: poison'))

    def test_as_often_as_told(self):
        for retry, times in ((1, 2), (2, 3), (5, 6)):
            with self.subTest(retry=retry):
                self.make(1, 8, 3)
                self.assert_poisoned(self.run_with(options=['--retry', retry]), times=times)

    def test_no_retry(self):
        """No second attempt of what was in flight: it is in doubt. All else goes on over new associations."""
        self.make(1, 6, 3)
        for action in KINDS:
            with self.subTest(str(action)):
                run = self.run_with(action, options=['--retry', 0])
                self.assertEqual(set(run.reasons().values()), {'in_doubt: connection'}, run)
                self.assertEqual((run.total('in_doubt'), run.exit_code), (3, 2), run)
                self.assert_sent_once()
        run = self.run_with(Silence(), options=['--retry', 0, '--timeout', 1])
        self.assertEqual(set(run.reasons().values()), {'in_doubt: no-response'}, run)
        self.assert_sent_once()

    def test_no_retry_in_the_middle_of_a_data_set(self):
        """It cannot be stored, so it is not in doubt. It is larger than what the sockets hold, and the peer reads nothing
        for a moment before it aborts: so it cannot all be on its way by then."""
        self.make(1, 2, 0)
        large = datasets.read_entry(datasets.make_instance(self.source / 'large.dcm', 9, 1, 20_000_000))
        self.entries.append(large)
        self.bad = {2}
        run = self.run_with(Abort(), early=True, max_pdu=16384, receive_buffer=65536, delay_s=0.3,
                            options=['--retry', 0])
        self.assert_outcomes(run, {2: 'failed: no-response'})

    def test_again_with_a_ledger(self):
        """What was poison is known to be, and costs the next run nothing; --retry-failed tries it again."""
        self.make(3, 10, 3)
        ledger = ['--ledger', self.subfolder('ledger') / 'ledger.db', '--allow-other-destination']
        self.assert_poisoned(self.run_with(options=ledger))
        with ScriptedPeer() as peer:
            run = programs.run_sender(self.source, port=peer.port, options=ledger)
            self.assertEqual((run.exit_code, run.total('stored'), run.total('failed')), (2, 21, 9), run)
            self.assertEqual(peer.stores, [], run)
            run = programs.run_sender(self.source, port=peer.port, options=[*ledger, '--retry-failed'])
            self.assertEqual((run.exit_code, run.total('stored')), (0, 30), run)
            self.assertEqual(set(peer.sent_uids()), self.uids())

    def test_nothing_else(self):
        """It ends, whether each is tried or the peer is given up, and says why. It is if it leaves it to us to end the
        connection, as that takes a second each time."""
        self.make(4, 4, 4)
        for action in KINDS:
            with self.subTest(str(action)):
                run = self.run_with(action, threads=4)
                self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
                if action in KINDS[:3] or 'answers no store' not in str(run.summary['stop_reason']):
                    self.assertEqual(set(run.reasons().values()), {'failed: poison'}, run)
                self.assertLess(run.elapsed_s, 40 + SLACK_S, run)
        run = self.run_with(Silence(), threads=4, options=['--dimse-timeout', 1])
        self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
        self.assertIn('answers no store', run.summary['stop_reason'])
        self.assertLess(run.elapsed_s, 40 + SLACK_S, run)

    def test_given_up(self):
        """A peer that aborts each of very many stores is given up after the time allowed."""
        self.make(2, 120, 120)
        run = self.run_with(threads=2, options=['--give-up-after', 3])
        self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
        self.assertIn('answers no store', run.summary['stop_reason'])
        self.assertGreater(run.total('pending') + run.total('in_doubt'), 0, run)
        self.assertLess(run.elapsed_s, 8 + SLACK_S, run)

    def test_a_peer_that_is_ill_for_a_while(self):
        """It aborts everything for two seconds and is well again: nothing is lost."""
        self.make(4, 30, 0)
        begun = []

        def on_store(store, complete):
            begun.append(time.monotonic())
            return Abort() if 10 < store.total and begun[-1] - begun[10] < 2 else Respond()
        self.assert_all_stored(self.send(threads=2, on_store=on_store, delay_s=0.01))


if __name__ == '__main__':
    unittest.main()
