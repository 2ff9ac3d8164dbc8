"""docs/logs.md and the records that real runs write: each event and each field that it names is there, and no other."""
import collections
import json
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import unittest

from support import datasets, network, programs
from support.base import ProgramTest
from support.scripted_peer import TRANSIENT, Abort, Close, Reject, Respond, ScriptedPeer, Silence

PAGE = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'logs.md'
FIRST_KEYS = ('time', 'level', 'event', 'session', 'worker', 'association', 'study')
END_S = 60

# What only peers or machines do that are too odd to be had here; other tests have them.
ODD_EVENTS = {'association.extended', 'association.flaw', 'retrieval.unlisted', 'retrieval.spoiled', 'receiver.stored',
              'receiver.refused'}
ODD_FIELDS = {
    'session.note': {'field_level', 'echo_us', 'threads', 'error', 'instances_per_s', 'bytes_per_s', 'stores'},
    'association.requested': {'identity', 'window_invoked', 'window_performed'},
    'association.accepted': {'identity', 'window_invoked', 'window_performed'},
    'association.released': {'error'}, 'association.opened': {'tls', 'user'}, 'association.rejected': {'user'},
    'association.proposed': {'role'}, 'association.context': {'role'},
}
# Of messages and of files each record has those that mean something for it: all are seen, but not with every event.
SHARED = ('dimse.', 'store.', 'file.')
ODD_SHARED = {'error_id', 'offending', 'originator_ae', 'originator_id', 'move_destination', 'remaining', 'completed',
              'failed', 'warning'}


def documented():
    """{event: its fields}."""
    page = PAGE.read_text(encoding='utf-8')
    table = page.split('| event | fields |\n|---|---|\n')[1].split('\n\n')[0]
    rows = re.findall(r'^\| `([\w.]+)` \| (.*) \|$', table, re.MULTILINE)
    assert len(rows) == table.count('\n') + 1
    return {event: set(re.findall(r'`(\w+)`', fields)) for event, fields in rows}


class Documentation(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.entries = datasets.make_studies(self.source, 2, 4, 20_000)
        self.events = []

    def send(self, *options, port=None, during=None, sources=None):
        run = programs.run_sender(*(sources or [self.source]), port=port, during=during,
                                  options=['--log-level', 'trace', '--timeout', 10, *options])
        self.events += run.events
        return run

    def answers(self, *statuses):
        """What becomes of the stores, in the order they come."""
        answers = iter(statuses)
        return lambda store, complete: next(answers, Respond())

    def send_in_every_way(self):
        (self.source / 'notes.txt').write_text('no DICOM')
        data = self.entries[0].path.read_bytes()
        (self.source / 'cut.dcm').write_bytes(data[:-100])
        (self.source / 'copy.dcm').write_bytes(data)
        ledger = self.folder / 'ledger.db'
        odd = self.answers(Respond(0xB000, 'coerced'), Respond(0xA900, 'no such thing'), Respond(0x0110, 'perhaps later'))
        with ScriptedPeer(on_store=odd) as peer:
            self.send('--ledger', ledger, port=peer.port)
            self.send('--ledger', ledger, '--verify', port=peer.port)
        with ScriptedPeer(on_store=self.answers(*[Respond(0xA700)] * 6)) as peer:
            self.send('--retry', 5, port=peer.port)
        with ScriptedPeer(on_store=self.answers(Abort(), Close())) as peer:
            self.send(port=peer.port)
        with ScriptedPeer(on_associate=lambda number, request: Reject(TRANSIENT, 3, 2) if number == 1 else None) as peer:
            self.send(port=peer.port)
        with ScriptedPeer(on_store=lambda store, complete: Silence()) as peer:
            def interrupt_twice(process):
                network.wait_until(lambda: peer.stores and peer.stores[0].data, END_S, 'a store')
                process.send_signal(signal.SIGINT)
                network.wait_until(lambda: True, END_S, 'a moment')
                process.send_signal(signal.SIGINT)
            self.send(port=peer.port, during=interrupt_twice)
        with socket.socket() as reserved:
            reserved.bind(('127.0.0.1', 0))
            self.send('--retry', 0, port=reserved.getsockname()[1])

    def convert_in_every_way(self):
        """Converted, known from an earlier session, and asked for only."""
        ledger = self.folder / 'converted.db'
        receiver = self.start(programs.Receiver('--accept-syntaxes', 'implicit'))
        for _ in range(2):
            self.send('--ledger', ledger, '--on-conflict', 'first', port=receiver.port)
        self.send('--probe', port=receiver.port)
        self.send('--probe', '--transcode', 'never', port=receiver.port)

    def move_in_every_way(self):
        archive = self.start(programs.Archive(synthetic='2x2x3', destinations=[('DICOM_MOVER', 1)]))
        out = ['--output-dir', self.folder / 'out', '--log-level', 'trace']
        self.events += programs.run_mover(archive, '-k', 'StudyDate=19000101-', '--get', *out).events
        with socket.socket() as reserved:
            reserved.bind(('127.0.0.1', 0))
            port = reserved.getsockname()[1]
        self.events += programs.run_mover(archive, '-k', 'StudyDate=19000101-', '--receive-port', port, '--retry', 1,
                                          '--output-dir', self.folder / 'other', '--log-level', 'trace').events

    def test_records_and_page(self):
        named = documented()
        self.send_in_every_way()
        self.convert_in_every_way()
        self.move_in_every_way()
        seen = collections.defaultdict(set)
        for record in self.events:
            self.assertEqual(tuple(record)[:len(FIRST_KEYS)], FIRST_KEYS)
            self.assertIn(record['event'], named)
            fields = set(record) - set(FIRST_KEYS)
            self.assertLessEqual(fields, named[record['event']], record)
            seen[record['event']] |= fields
        self.assertEqual(set(named) - set(seen) - ODD_EVENTS, set(), 'named, and in no record')
        for event, fields in seen.items():
            if not event.startswith(SHARED):
                self.assertEqual(named[event] - fields - ODD_FIELDS.get(event, set()), set(), event)
        for group in SHARED:
            shared = set().union(*(fields for event, fields in named.items() if event.startswith(group)))
            found = set().union(*(fields for event, fields in seen.items() if event.startswith(group)))
            odd = ODD_SHARED if group == 'dimse.' else {'warning'}
            self.assertEqual(shared - found - odd - {'warning', 'message_id', 'read_us', 'write_us', 'wait_us', 'status',
                                                     'comment'}, set(), group)


class Words(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.subfolder("it's a \u00fc folder")
        self.entries = datasets.make_studies(self.source, 2, 1, 500)

    def test_a_dry_run(self):
        """-v lists the files below their studies; and nothing in the log reads like a failure."""
        run = programs.run('dicom-sender', '--dry-run', '-v', '-r', '--log-level', 'trace', '--log-dir',
                                   self.folder / 'logs', self.source)
        self.assertEqual(run.code, 0, run.err)
        for entry in self.entries:
            self.assertIn(f'\n    {entry.path}  as it lies; if refused: ', run.out)
        self.assertEqual(len(re.findall(r'^study \S+: 1 instance, [\d.]+ (B|KB)$', run.out, re.MULTILINE)), 2, run.out)
        self.assertNotIn('0.0 MB', run.out)
        log = next((self.folder / 'logs').glob('*.log')).read_text(encoding='utf-8')
        self.assertNotIn('failed"', log.replace('"failed":', ''))
        self.assertEqual(log.count('"file.pending"'), 2)
        quiet = programs.run('dicom-sender', '--dry-run', '-r', '--log-dir', self.folder / 'logs', self.source)
        self.assertNotIn(str(self.entries[0].path), quiet.out)

    def test_options_can_be_pasted_back(self):
        options = ['--retry', '1', '--strict', '--max-per-association', '5', '--on-conflict', 'first', '--give-up-after', '7']
        run = programs.run_sender(self.source, options=['--loopback', *options])
        given = run.said('session.started')[0]['options']
        self.assertEqual(given, run.summary['options']['given'])
        self.assertIn(str(self.source), shlex.split(given))
        for name, value in (('strict', True), ('on_conflict', 'first'), ('give_up_after_s', 7),
                            ('max_per_association', {'stores': 5, 'bytes': 0, 'seconds': 0})):
            self.assertEqual(run.summary['options'][name], value, name)
        pasted = subprocess.run(['sh', '-c', f'{shlex.quote(programs.program("dicom-sender"))} {given}'], check=False, text=True,
                                capture_output=True, timeout=END_S, env=programs.environment())
        self.assertEqual(pasted.returncode, 0, pasted.stderr)
        self.assertEqual(json.loads(pasted.stdout)['options'], run.summary['options'])

    def test_bytes_that_are_no_text(self):
        name = b'a\xff\n\x27b'
        folder = bytes(self.folder) + b'/' + name
        self.source.rename(folder.decode(errors='surrogateescape'))
        run = programs.run_sender(folder.decode(errors='surrogateescape'), options=['--loopback'])
        self.assertEqual(run.exit_code, 0, run)
        printed = subprocess.run(['bash', '-c', f'printf %s\\\\0 {run.summary["options"]["given"]}'], check=True,
                                 capture_output=True).stdout.split(b'\0')
        self.assertIn(folder, printed)

    def test_warned_is_stored(self):
        with ScriptedPeer(on_store=lambda store, complete: Respond(0xB000)) as peer:
            run = programs.run_sender(self.source, port=peer.port)
        self.assertEqual((run.exit_code, run.total('warned')), (0, 2), run)
        self.assertRegex(run.stderr, r'\n  stored +2   ')
        self.assertRegex(run.stderr, r'\n  warned +2   of those stored, ')


if __name__ == '__main__':
    unittest.main()
