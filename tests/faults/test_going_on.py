"""How a run goes on: the rows of the status policy, a peer without room, one that takes fewer associations or ends them
after so many stores, one that is away for a while, and when it is given up."""
import collections
import signal
import time
import unittest

from support import datasets, network, programs
from support.bad_peer import SLACK_S, BadPeerTest, on_instance
from support.scripted_peer import TRANSIENT, Abort, Close, Reject, Respond

NO_ROOM = Respond(0xA700, 'disk full')


class Statuses(BadPeerTest):
    """Each row of the status policy: what becomes of one instance that gets it, and how often it is sent."""
    count = 4

    def one(self, status, options=()):
        """Answer one instance of four with this status. How it ended, how often it was sent, on which associations."""
        bad = self.entries[1]
        run = self.send(on_store=on_instance(bad.instance_uid, Respond(status, 'because')), options=options)
        self.assertEqual(run.total('stored'), len(self.entries) - 1, run)
        entry = run.problem(bad.path)
        self.assertEqual((entry['status'], entry['comment']), (f'0x{status:04X}', 'because'), run)
        sent = [store for store in self.peer.stores if store.instance_uid == bad.instance_uid]
        return run.reason(bad.path), len(sent), len({store.association for store in sent})

    def test_warnings(self):
        for status in (0x0001, 0x0107, 0x0116, 0xB000, 0xB006, 0xB007, 0xBFFF):
            with self.subTest(f'{status:04X}'):
                self.assertEqual(self.one(status), ('warned: status', 1, 1))

    def test_final(self):
        for status in (0xA900, 0xA9FF, 0xC000, 0xCFFF, 0x0111, 0x0112, 0x0115, 0x0117, 0x0119, 0x0121):
            with self.subTest(f'{status:04X}'):
                self.assertEqual(self.one(status), ('failed: status', 1, 1))

    def test_once_more_on_a_new_association(self):
        for status in (0x0210, 0x0211, 0x0212, 0xFF00, 0xFE00, 0xD123):
            with self.subTest(f'{status:04X}'):
                self.assertEqual(self.one(status), ('failed: status', 2, 2))

    def test_twice_more_on_new_associations(self):
        self.assertEqual(self.one(0x0110), ('failed: status', 3, 3))

    def test_no_room_for_one_instance(self):
        for status in (0xA700, 0x0213):
            with self.subTest(f'{status:04X}'):
                self.assertEqual(self.one(status, ['--retry', 2])[:2], ('failed: status', 3))

    def test_nothing_is_tried_again(self):
        for status in (0xA700, 0x0110, 0x0211, 0x4321):
            with self.subTest(f'{status:04X}'):
                self.assertEqual(self.one(status, ['--retry', 0]), ('failed: status', 1, 1))

    def test_strict(self):
        run = self.send(on_store=on_instance(self.entries[1].instance_uid, Respond(0xB000)), options=['--strict'])
        self.assertEqual((run.exit_code, run.total('warned')), (2, 1), run)
        run = self.send(on_store=lambda *store: Respond(0xB000), options=['--strict'])
        self.assertEqual((run.exit_code, run.total('warned')), (1, 4), run)
        (self.source / 'notes.txt').write_text('no DICOM')
        with programs.Receiver(keep=False) as receiver:
            run = programs.run_sender(self.source, port=receiver.port, options=['--strict'])
            self.assertEqual((run.exit_code, run.total('skipped')), (2, 1), run)
            self.assertEqual(programs.run_sender(self.source, port=receiver.port).exit_code, 0)

    def test_no_sop_instance_uid(self):
        run = self.send(on_store=lambda *store: Respond(changes={'instance_uid': None}))
        self.assert_all_stored(run)
        notes = [record for record in run.said('session.note') if 'SOP Instance UID' in record['text']]
        self.assertEqual(len(notes), 1, 'one warning')


class ManyStudies(BadPeerTest):
    """Eight studies for eight workers."""
    studies, each = 8, 6

    def setUp(self):
        super().setUp()
        for entry in self.entries:
            entry.path.unlink()
        self.entries = datasets.make_studies(self.source / 'more', self.studies, self.each, 8_000, seed=3)


class NoRoom(ManyStudies):
    def test_for_twenty_seconds(self):
        """All workers pause, one store is tried now and then, all go on: nothing fails, hardly anything is sent."""
        begun = []

        def on_store(store, complete):
            begun.append(time.monotonic())
            return NO_ROOM if begun[-1] - begun[0] < 20 else Respond()
        run = self.send(threads=8, on_store=on_store)
        self.assert_all_stored(run)
        self.assertGreaterEqual(len(run.said('session.paused')), 2, run)
        self.assertEqual(len(run.said('session.resumed')), 1, run)
        self.assertIn('out of resources', run.said('session.paused')[0]['text'])
        self.assertIn('warning: the peer is out of resources: all workers pause; next try in 5.0 s\n', run.stderr)
        self.assertEqual(run.stderr.count('next try in'), 1, 'one cause once')
        refused = len(self.peer.stores) - len(self.entries)
        self.assertLess(refused, 40, 'stores in vain: each worker has few, and each pause ends with one')
        self.assertLess(run.elapsed_s, 20 + 20 + SLACK_S, run)

    def test_interrupted_in_a_pause(self):
        def interrupt(process, peer):
            while len(peer.stores) < 3:
                time.sleep(0.05)
            time.sleep(1)
            process.send_signal(signal.SIGINT)
        run = self.send(threads=8, on_store=lambda *store: NO_ROOM, during=interrupt)
        self.assertEqual((run.exit_code, run.total('pending')), (130, len(self.entries)), run)
        self.assertEqual(len(run.said('session.paused')), 1, run)
        self.assertLess(run.elapsed_s, 3 + SLACK_S)

    def test_given_up_in_a_pause(self):
        run = self.send(threads=8, on_store=lambda *store: NO_ROOM, options=['--give-up-after', 2])
        self.assertEqual((run.exit_code, run.total('pending')), (1, len(self.entries)), run)
        self.assertIn('given up after 2 s', run.summary['stop_reason'])
        self.assertLess(run.elapsed_s, 2 + SLACK_S)

    def test_for_the_instances_of_one_study(self):
        """The others are stored meanwhile: three instances fail by themselves, and nobody waits long for them."""
        bad = {entry.instance_uid for entry in self.entries[:3]}
        run = self.send(threads=8, options=['--retry', 2], delay_s=0.02,
                        on_store=lambda store, complete: NO_ROOM if store.instance_uid in bad else Respond())
        self.assert_outcomes(run, {0: 'failed: status', 1: 'failed: status', 2: 'failed: status'})


class NoRoomForThreeInstances(BadPeerTest):
    """All there is: whatever is tried after a pause was refused before."""
    count = 3

    def test_no_room_for_a_while(self):
        """A pause costs no attempts, also if there is only one more."""
        begun = []

        def on_store(store, complete):
            begun.append(time.monotonic())
            return NO_ROOM if begun[-1] - begun[0] < 8 else Respond()
        run = self.send(options=['--retry', 1], on_store=on_store)
        self.assert_all_stored(run)
        sent = self.peer.sent_uids()
        self.assertGreater(max(map(sent.count, sent)), 2, 'refused twice')


class NoRoomForTheLast(BadPeerTest):
    """The peer has stored all others, and the last three it never takes: that is their own matter."""
    count = 8

    def test_no_room(self):
        bad = {entry.instance_uid for entry in self.entries[-3:]}
        run = self.send(options=['--retry', 1], on_store=lambda store, complete:
                        NO_ROOM if store.instance_uid in bad else Respond())
        self.assert_outcomes(run, dict.fromkeys(range(5, 8), 'failed: status'))
        self.assertEqual((len(run.said('session.paused')), len(run.said('session.resumed'))), (2, 1), run)
        self.assert_sent_once(but=bad)
        self.assertLess(len(self.peer.stores), 5 + 3 * 4)


class Lessons(ManyStudies):
    def test_not_authorised(self):
        run = self.send(threads=8, on_store=lambda *store: Respond(0x0124), delay_s=0.05)
        self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
        self.assertLessEqual(len(self.peer.stores), 3 + 2 * 8, 'three in a row, and what was under way then')
        self.assertGreater(run.total('pending'), 20, run)

    def test_class_not_supported(self):
        """What one worker learns counts for all, also for those whose associations are still being agreed."""
        run = self.send(threads=8, on_associate=lambda number, request: time.sleep(1 if number > 1 else 0),
                        on_store=lambda store, complete: Respond(0x0122))
        self.assertEqual((run.exit_code, run.total('failed')), (1, len(self.entries)), run)
        self.assertEqual(len(self.peer.stores), 1)

    def make_one_study(self):
        for entry in self.entries:
            entry.path.unlink()
        self.entries = datasets.make_studies(self.source / 'one', 1, 30, 8_000, seed=7)

    def test_end_after_the_same_number_of_stores(self):
        """Twice the same: from then on associations are released before."""
        self.make_one_study()
        run = self.send(on_store=lambda store, complete: Respond() if store.number <= 5 else Abort())
        self.assert_all_stored(run)
        ends = [association.end for association in self.peer.associations]
        self.assertEqual(len([end for end in ends if end != 'released']), 2, ends)
        self.assertEqual(max(len(association.stores) for association in self.peer.associations[2:]), 5)

    def test_away_between_the_same_number_of_stores(self):
        """It goes down, still accepts a connection and ends that too, and comes back: it does not do so on purpose."""
        for action in (Close(), Close(reset=True), Abort()):
            with self.subTest(str(action)):
                self.make_one_study()
                run = self.send(on_associate=lambda number, request, what=action: what if number == 2 else None,
                                on_store=lambda store, complete, what=action:
                                what if store.association in (1, 3) and store.number > 5 else Respond())
                self.assert_all_stored(run)
                self.assertEqual(len(run.said('association.retry')), 1, run)
                stores = [len(association.stores) for association in self.peer.associations]
                self.assertEqual(stores, [6, 0, 6, 20], run)
                self.assertEqual(run.said('session.note'), [], run)

    def test_poison_and_its_neighbours(self):
        """One instance in each of three studies ends its association: sent three times, the last time alone."""
        poison = {self.entries[index].instance_uid for index in (2, 13, 24)}
        run = self.send(threads=3, on_store=lambda store, complete:
                        Abort() if store.instance_uid in poison else Respond())
        self.assert_outcomes(run, {index: 'failed: poison' for index in (2, 13, 24)})
        sent = self.peer.sent_uids()
        others = max(store.total for store in self.peer.stores if store.instance_uid not in poison)
        for uid in poison:
            self.assertEqual(sent.count(uid), 3)
            last = [store for store in self.peer.stores if store.instance_uid == uid][-1]
            alone = next(one for one in self.peer.associations if one.number == last.association)
            self.assertEqual(len(alone.stores), 1, 'alone in an association of its own')
            self.assertGreater(last.total, others, 'when all else is sent')
        self.assert_sent_once(but=poison)

    def test_most_per_association(self):
        for limit, check in (('2', lambda stores: len(stores) <= 2),
                             ('20K', lambda stores: len(stores) <= 3)):
            with self.subTest(limit):
                run = self.send(options=['--max-per-association', limit])
                self.assert_all_stored(run)
                self.assertTrue(all(check(one.stores) for one in self.peer.associations))
                self.assertTrue(all(one.end == 'released' for one in self.peer.associations))
        run = self.send(options=['--max-per-association', '1s'], delay_s=0.05)
        self.assert_all_stored(run)
        self.assertGreaterEqual(len(self.peer.associations), 2)


class FewerAssociations(ManyStudies):
    def test_three_of_eight(self):
        """It takes three at a time: the others are not asked for again and again."""
        with programs.Receiver('--max-associations', 3, '--response-delay', 100, keep=False) as receiver:
            run = programs.run_sender(self.source, port=receiver.port, threads=8)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(self.entries)), run)
        self.assertLessEqual(len(run.said('association.rejected')), 5 + 1, run)

    def test_grown_again(self):
        """After ten seconds one more is asked for."""
        begun = time.monotonic()

        def on_associate(number, request):
            return Reject(TRANSIENT, 3, 2) if number > 1 and time.monotonic() - begun < 5 else None
        with_time = datasets.make_studies(self.source / 'long', 2, 60, 2_000, seed=8)
        self.entries += with_time
        run = self.send(threads=2, on_associate=on_associate, delay_s=0.1)
        self.assert_all_stored(run)
        self.assertEqual(run.summary['peak_workers'], 2, run)
        self.assertLessEqual(len(run.said('association.rejected')), 2, run)

    def test_none_at_all_for_a_while(self):
        begun = time.monotonic()
        run = self.send(threads=8, options=['--retry', 1], on_associate=lambda *request:
                        Reject(TRANSIENT, 3, 2) if time.monotonic() - begun < 6 else None)
        self.assert_all_stored(run)

    def test_none_at_all(self):
        run = self.send(threads=8, on_associate=lambda *request: Reject(TRANSIENT, 3, 2),
                        options=['--give-up-after', 3])
        self.assertEqual((run.exit_code, run.total('pending')), (1, len(self.entries)), run)
        self.assertLess(run.elapsed_s, 3 + SLACK_S)


class Outages(ManyStudies):
    studies, each = 8, 60

    def test_nobody_there(self):
        port = network.free_port()
        run = programs.run_sender(self.source, port=port, threads=8, options=['--retry', 1])
        self.assertEqual((run.exit_code, run.total('pending')), (1, len(self.entries)), run)
        self.assertLess(run.elapsed_s, 3 + SLACK_S)
        run = programs.run_sender(self.source, port=port, threads=8, options=['--give-up-after', 4])
        self.assertEqual(run.exit_code, 1, run)
        self.assertIn('given up after 4 s', run.summary['stop_reason'])
        self.assertGreater(run.elapsed_s, 4)
        self.assertLess(run.elapsed_s, 4 + SLACK_S)
        self.assert_jitter(run, workers=8)

    def assert_jitter(self, run, workers):
        """Each waits 1 s, then 2 s, a tenth more or less, so that they do not all come back at once."""
        delays_ms = collections.defaultdict(list)
        for record in run.said('association.retry'):
            delays_ms[record['worker']].append(record['delay_ms'])
        self.assertEqual(len(delays_ms), workers)
        for number, base_ms in enumerate((1000, 2000)):
            waited_ms = [of_worker[number] for of_worker in delays_ms.values()]
            self.assertGreaterEqual(min(waited_ms), 0.9 * base_ms)
            self.assertLessEqual(max(waited_ms), 1.1 * base_ms)
            self.assertGreater(len(set(waited_ms)), workers // 2, waited_ms)

    def test_back_without_an_answer(self):
        """It comes back, takes a store, and is gone again: the waiting begins anew, as it was there."""
        receiver = self.start(programs.Receiver('--response-delay', 100, log=True))

        def take_away(process):
            for number, delay in ((1, '60000'), (2, '100')):
                network.wait_until(lambda many=number: receiver.access_log.read_bytes().count(b'association.opened') >= many
                                   or process.poll() is not None, 60, 'an association')
                time.sleep(0.5)
                receiver.kill()
                time.sleep(2)
                receiver.options[1] = delay
                receiver.start()
        for entry in self.entries[40:]:
            entry.path.unlink()
        run = programs.run_sender(self.source, port=receiver.port, during=take_away)
        self.assertEqual((run.exit_code, run.total('stored')), (0, 40), run)
        delays_ms = [record['delay_ms'] for record in run.said('association.retry')]
        self.assertGreaterEqual(len(delays_ms), 3, delays_ms)
        self.assertLess(max(delays_ms), 4500, delays_ms)

    def test_ten_times(self):
        """The receiver is killed ten times in a run, and is away for 0.5 to 20 s: nobody has to help."""
        away_s = (0.5, 0.5, 1, 1, 2, 3, 4, 1, 20, 0.5)
        receiver = self.start(programs.Receiver('--response-delay', 200))
        ended_after = []

        def take_away(process):
            for number, seconds in enumerate(away_s):
                enough = len(receiver.files()) + 4
                network.wait_until(lambda many=enough: len(receiver.files()) >= many or process.poll() is not None, 100,
                                   'some stores')
                ended_after.extend([number] if process.poll() is not None else [])
                receiver.kill()
                time.sleep(seconds)
                receiver.start()
        run = programs.run_sender(self.source, port=receiver.port, threads=8, during=take_away, timeout_s=200,
                                  options=['--quiet'])
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(self.entries)), run)
        self.assertEqual(ended_after, [], 'each outage is in mid-run')
        self.assertEqual(run.said('session.note'), [], 'it was not taken for a peer that ends associations on purpose')
        received = {path.stem: path for path in receiver.files() if path.suffix == '.dcm'}
        for entry in self.entries:
            self.assertEqual(datasets.read_entry(received[entry.instance_uid]).data_set, entry.data_set)


if __name__ == '__main__':
    unittest.main()
