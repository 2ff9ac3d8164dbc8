"""A peer that says that it has no room (A700) and means certain files, however many: the others are stored, these are tried
as often as --retry says, and an end is in sight. A peer that is full pauses everybody all the same."""
import time
import unittest

from support import datasets
from support.bad_peer import SLACK_S, BadPeerTest
from support.scripted_peer import Respond

NO_ROOM = Respond(0xA700, 'no')
# Two pauses, 5 and 10 s, and the tries after them; and what a busy machine may add.
TWO_PAUSES_S = 15 + 5 + SLACK_S


class NoRoomForFiles(BadPeerTest):
    def make(self, *studies):
        """Studies of so many instances each. Returns lists of their indices."""
        for entry in self.source.rglob('*.dcm'):
            entry.unlink()
        self.entries, groups = [], []
        for number, each in enumerate(studies):
            made = datasets.make_studies(self.source / str(number), 1, each, 4_000, seed=60 + number)
            groups.append(list(range(len(self.entries), len(self.entries) + each)))
            self.entries += made
        return groups

    def refuse(self, indices, **values):
        bad = {self.entries[index].instance_uid for index in indices}
        run = self.send(on_store=lambda store, complete: NO_ROOM if store.instance_uid in bad else Respond(), **values)
        self.assert_outcomes(run, dict.fromkeys(indices, 'failed: status'))
        self.assert_sent_once(but=bad)
        resumed = [record['text'] for record in run.said('session.resumed')]
        self.assertFalse([text for text in resumed if 'stores again' in text], 'it always stored')
        return run

    def test_many_at_the_head(self):
        group, = self.make(60)
        run = self.refuse(group[:30])
        self.assertLess(run.elapsed_s, TWO_PAUSES_S, run)
        sent = self.peer.sent_uids()
        self.assertEqual({sent.count(self.entries[index].instance_uid) for index in group[:30]}, {3}, 'as --retry says')

    def test_many_scattered(self):
        group, = self.make(120)
        run = self.refuse(group[3::4])
        self.assertEqual(run.said('session.paused'), [], run)
        self.assertLess(run.elapsed_s, 6 + SLACK_S, run)

    def test_five_of_25(self):
        group, = self.make(25)
        for bad in (group[:5], group[10:15], group[20:]):
            with self.subTest(bad):
                self.assertLess(self.refuse(bad).elapsed_s, TWO_PAUSES_S)

    def test_a_whole_study(self):
        """With one thread, the first or the last of all."""
        for studies, number in (((30, 10, 10, 10), 0), ((10, 10, 10, 9), 3)):
            with self.subTest(studies):
                groups = self.make(*studies)
                self.assertLess(self.refuse(groups[number]).elapsed_s, TWO_PAUSES_S)

    def test_retry_counts(self):
        group, = self.make(20)
        for retry in (0, 1, 4):
            with self.subTest(retry):
                self.refuse(group[:4], options=['--retry', retry])
                sent = self.peer.sent_uids()
                self.assertEqual({sent.count(self.entries[index].instance_uid) for index in group[:4]}, {1 + retry})

    def leave_refused(self):
        """A first run leaves only these behind: they go on alone. Its options."""
        _, bad = self.make(10, 12)
        ledger = ['--ledger', self.subfolder('ledger') / 'l', '--allow-other-destination']
        self.refuse(bad, options=ledger)
        self.source /= '1'
        self.entries = [self.entries[index] for index in bad]
        return ledger

    def test_resume(self):
        """Nothing is left but what was refused before, and nothing is stored: it is the files all the same."""
        ledger = self.leave_refused()
        run = self.send(on_store=lambda *store: NO_ROOM, options=ledger, threads=4)
        self.assert_outcomes(run, dict.fromkeys(range(12), 'failed: status'))
        self.assertEqual(len(run.said('session.paused')), 2, run)
        self.assertLess(run.elapsed_s, TWO_PAUSES_S, run)

    def test_resume_with_something_new(self):
        """A peer that refuses that as well may be full: all pause, and nothing fails."""
        ledger = self.leave_refused()
        self.entries += datasets.make_studies(self.source / 'new', 1, 15, 4_000, seed=77)
        run = self.send(on_store=lambda *store: NO_ROOM, options=[*ledger, '--give-up-after', 20])
        self.assertEqual((run.exit_code, run.total('pending')), (1, 27), run)

    def test_full_in_mid_run(self):
        """Nothing fails: it is full for twelve seconds, and refuses instances of studies of which it has stored some."""
        self.make(*[6] * 12)
        begun = []

        def on_store(store, complete):
            begun.append(time.monotonic())
            return NO_ROOM if len(begun) > 20 and begun[-1] - begun[20] < 12 else Respond()
        run = self.send(threads=4, on_store=on_store)
        self.assert_all_stored(run)
        self.assertGreaterEqual(len(run.said('session.paused')), 1, run)
        self.assertIn('stores again', run.said('session.resumed')[-1]['text'])
        self.assertLess(len(self.peer.stores) - len(self.entries), 30, 'few stores in vain')

    def test_full_from_the_first(self):
        self.make(*[10] * 4)
        run = self.send(threads=4, on_store=lambda *store: NO_ROOM, options=['--give-up-after', 8])
        self.assertEqual((run.exit_code, run.total('pending')), (1, 40), run)
        self.assertLess(len(self.peer.stores), 20, 'all pause')


if __name__ == '__main__':
    unittest.main()
