"""The test case for runs against a peer that misbehaves."""
from . import datasets, invariants, programs
from .base import ProgramTest
from .scripted_peer import Respond, ScriptedPeer

# All timeouts of a run against a silent peer; and what sanitizers and two busy cores may add to an end in time.
TIMEOUT_S = 1
SLACK_S = 5


def once(action, at=1):
    """Act on the at-th store of the whole run, answer all others as they should be."""
    return lambda store, complete: action if store.total == at else Respond()


def on_instance(uid, action):
    return lambda store, complete: action if store.instance_uid == uid else Respond()


class BadPeerTest(ProgramTest):
    count = 6

    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.entries = datasets.make_studies(self.source, 1, self.count, 20_000)

    def send(self, options=(), threads=1, during=None, **behaviour):
        """Run against a peer that behaves so. What is true of every run is checked here."""
        with ScriptedPeer(**behaviour) as peer:
            run = programs.run_sender(self.source, port=peer.port, threads=threads, options=options, timeout_s=90,
                                      during=during and (lambda process: during(process, peer)))
        self.assertEqual(run.total('files'), len(self.entries), run)
        self.peer = peer
        invariants.check(run, [self.source], self.entries, peer)
        return run

    def assert_all_stored(self, run, associations=None):
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(self.entries)), run)
        if associations is not None:
            self.assertEqual(len(self.peer.associations), associations, run)

    def assert_outcomes(self, run, expected):
        """These problems and no others; by the entry's index."""
        self.assertEqual(run.reasons(), {self.entries[index].path.name: outcome for index, outcome in expected.items()},
                         run)
        self.assertEqual(run.exit_code, 2 if len(expected) < len(self.entries) else 1, run)

    def assert_sent_once(self, but=()):
        """Economical: what was acknowledged is not sent again."""
        sent = self.peer.sent_uids()
        twice = {uid for uid in sent if sent.count(uid) > 1}
        self.assertLessEqual(twice, set(but), 'sent more than once')
