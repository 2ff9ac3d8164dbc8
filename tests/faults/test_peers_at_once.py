"""Every row of the table of misbehaving peers against eight workers at once: whatever the peer does, the invariants
hold, what it acknowledged is all that is called stored, and the run ends in time."""
import unittest

from support import datasets
from support.bad_peer import SLACK_S, BadPeerTest
from support.scripted_peer import (PERMANENT, TRANSIENT, Abort, Close, Garbage, Reject, Release, Respond, Silence,
                                   Twice)

THREADS = 8
# Silence costs a timeout, a failed association a pause of 1, 2, 4 s and so on before the next.
TIMEOUTS = ['--timeout', 1, '--retry', 3]


def now_and_then(action):
    """Act on every seventh store at first, answer all others as they should be: also those of instances that were lost
    twice and go last, alone. To lose one of these would be poison."""
    return lambda store, complete: action if store.total % 7 == 3 and store.total < 36 else Respond()


def on_some_associations(action):
    return lambda number, request: action if number in (2, 3, 6) else None


class EightWorkers(BadPeerTest):
    def setUp(self):
        super().setUp()
        for entry in self.entries:
            entry.path.unlink()
        self.entries = datasets.make_studies(self.source / 'more', THREADS, 5, 20_000, seed=11)

    def rows(self, rows, limit_s, **common):
        """Each row's behaviour: all are stored in spite of it, and it is over in time."""
        for name, behaviour in rows.items():
            with self.subTest(name):
                run = self.send(threads=THREADS, options=TIMEOUTS, **{**common, **behaviour})
                self.assert_all_stored(run)
                self.assertLess(run.elapsed_s, limit_s + SLACK_S, run)

    def test_ends_of_associations(self):
        self.rows({str(action): {'on_store': now_and_then(action)} for action in
                   (Abort(), Abort(source=0, reason=0), Close(), Close(reset=True), Release(), Release(answer=False))},
                  limit_s=10)

    def test_ends_while_the_data_set_comes(self):
        self.rows({str(action): {'on_store': now_and_then(action)} for action in (Abort(), Close(), Close(reset=True))},
                  limit_s=10, early=True, max_pdu=4096)

    def test_silence(self):
        self.rows({'no response': {'on_store': now_and_then(Silence())},
                   'no AC': {'on_associate': on_some_associations(Silence())},
                   'no release': {'answer_release': False}}, limit_s=15)

    def test_nothing_is_read(self):
        """On any association, ever: it is given up, and nothing is called stored. Each instance has its turn, in six
        rounds of 2 s (the timeout, and as long for the end of the connection), and 10 s long they are tried alone."""
        datasets.make_instance(self.source / 'large.dcm', 1, 90, 8_000_000)
        self.entries.append(datasets.read_entry(self.source / 'large.dcm'))
        run = self.send(threads=THREADS, stop_reading=True, max_pdu=0, options=['--timeout', 1, '--retry', 1])
        self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
        self.assertLess(run.elapsed_s, 45 + SLACK_S, run)

    def test_wrong_answers(self):
        wrong = {'replied_id': 4711}, {'instance_uid': '1.2.3.4.5'}, {'context_id': 99}, {'field': 0x0001}
        self.rows({str(changes): {'on_store': now_and_then(Respond(changes=changes))} for changes in wrong} |
                  {'twice': {'on_store': now_and_then(Twice())}}, limit_s=10)

    def test_garbage(self):
        answers = {'text': b'ERROR: out of cheese\n', 'unknown type': b'\x0a\x00\x00\x00\x00\x04abcd',
                   'endless': b'\x04\x00\xff\xff\xff\xf0' + bytes(100),
                   'empty PDV': b'\x04\x00\x00\x00\x00\x04\x00\x00\x00\x00',
                   'PDV of 1': b'\x04\x00\x00\x00\x00\x05\x00\x00\x00\x01\x01',
                   'no PDV': b'\x04\x00\x00\x00\x00\x00',
                   'PDV past the PDU': b'\x04\x00\x00\x00\x00\x06\x00\x00\x01\x00\x01\x03'}
        self.rows({name: {'on_store': now_and_then(Garbage(data))} for name, data in answers.items()}, limit_s=15)
        self.rows({'instead of an AC': {'on_associate': on_some_associations(Garbage(b'HTTP/1.1 400 Bad\r\n\r\n'))}},
                  limit_s=15)

    def test_oddities_that_are_tolerated(self):
        self.rows({'early': {'early': True, 'max_pdu': 4096}, 'bytes': {'chunk': 1}, 'pieces': {'split_response': True},
                   'no UID': {'on_store': lambda *store: Respond(changes={'instance_uid': None})},
                   'slow': {'delay_s': 0.2}}, limit_s=5)

    def test_rejections(self):
        self.rows({'transient': {'on_associate': on_some_associations(Reject(TRANSIENT, 3, 2))}}, limit_s=10)
        run = self.send(threads=THREADS, on_associate=lambda *request: Reject(PERMANENT, 1, 7))
        self.assertEqual((run.exit_code, run.total('pending')), (1, len(self.entries)), run)
        self.assertLessEqual(len(self.peer.associations), THREADS)
        self.assertLess(run.elapsed_s, SLACK_S)

    def test_contexts(self):
        ways = {'refused': lambda *context: (3, ''), 'missing': lambda *context: None,
                'another syntax': lambda *context: (0, '1.2.840.10008.1.2.4.70')}
        for name, on_context in ways.items():
            with self.subTest(name):
                run = self.send(threads=THREADS, on_context=on_context)
                self.assert_outcomes(run, {index: 'failed: unsupported' for index in range(len(self.entries))})
                self.assertLessEqual(len(self.peer.associations), THREADS, 'no loop')
                self.assertLess(run.elapsed_s, SLACK_S)

    def test_nothing_works_at_all(self):
        """The same on each association, for ever: all is failed, in doubt or pending, and it ends."""
        for action in (Abort(), Close(), Silence(), Garbage(b'nonsense')):
            with self.subTest(str(action)):
                run = self.send(threads=THREADS, options=['--timeout', 1, '--retry', 1],
                                on_store=lambda store, complete, what=action: what)
                self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
                self.assertLess(run.elapsed_s, 25 + SLACK_S, run)


if __name__ == '__main__':
    unittest.main()
