"""dicom-receiver: what it answers is in its access log, and what it acknowledges is kept, whatever the other side does."""
import hashlib
import time
import unittest

from support import datasets, kept, peers, programs, wire
from support.base import ProgramTest

CONTEXT = (datasets.CT_IMAGE, datasets.EXPLICIT_LITTLE)
VERIFICATION = (wire.VERIFICATION, wire.IMPLICIT_LITTLE)
SUCCESS, OUT_OF_RESOURCES, MISMATCH = 0x0000, 0xA700, 0xA900


class ReceiverTest(ProgramTest):
    def instance(self, number=1, size=4096):
        return datasets.read_entry(datasets.make_instance(self.folder / f'{number}.dcm', 1, number, size))

    def store(self, client, entry):
        """Store it; the response."""
        return client.store(entry.class_uid, entry.syntax_uid, entry.instance_uid, entry.data_set)


class AccessLog(ReceiverTest):
    def test_lines(self):
        receiver = self.start(programs.Receiver(log=True))
        first, second = self.instance(1), self.instance(2)
        with wire.Client(receiver.port, [CONTEXT], called_ae='ARCHIVE', calling_ae='SCANNER') as client:
            own_port = client.socket.getsockname()[1]
            self.assertEqual(self.store(client, first)['status'], SUCCESS)
            # It is there as soon as the answer is, not some time later.
            self.assertEqual(len(kept.answers(kept.read_log(receiver.access_log))), 1)
            changed = second._replace(instance_uid=first.instance_uid)
            self.assertEqual(self.store(client, changed)['status'], MISMATCH)
            self.assertTrue(client.release())
        self.assertEqual(receiver.terminate(), 0)
        listening, opened, answered, refused, ended = kept.read_log(receiver.access_log)
        self.assertEqual((listening['event'], listening['address'], listening['port']),
                         ('receiver.listening', '127.0.0.1', receiver.port))
        visit = {'association': 1, 'peer': f'127.0.0.1:{own_port}', 'calling_ae': 'SCANNER', 'called_ae': 'ARCHIVE'}
        for line in (opened, answered, refused, ended):
            self.assertRegex(line.pop('time'), r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$')
        self.assertEqual(opened, {'event': 'association.opened', **visit})
        self.assertEqual(answered, {
            'event': 'store.answered', **visit, 'message_id': 1, 'class': first.class_uid,
            'instance': first.instance_uid, 'syntax': first.syntax_uid, 'status': '0x0000',
            'bytes': len(first.data_set), 'sha256': hashlib.sha256(first.data_set).hexdigest()})
        self.assertEqual((refused['status'], refused['message_id'], refused['sha256']),
                         ('0xA900', 2, hashlib.sha256(second.data_set).hexdigest()))
        self.assertIn('another data set', refused['comment'])
        self.assertEqual((ended['event'], ended['text']), ('association.released', 'released'))

    def test_ends_of_associations(self):
        receiver = self.start(programs.Receiver('--ae-title', 'ARCHIVE', log=True, keep=False))
        with wire.Client(receiver.port, [CONTEXT], called_ae='OTHER') as client:
            self.assertEqual(client.answer, wire.ASSOCIATE_RJ)
        with wire.Client(receiver.port, [CONTEXT], called_ae='ARCHIVE') as client:
            client.socket.sendall(wire.pdu(wire.ABORT, bytes(4)))
        with wire.Client(receiver.port, [CONTEXT], called_ae='ARCHIVE'):
            pass
        with wire.Client(receiver.port, [CONTEXT], called_ae='ARCHIVE', calling_ae='\xe4\x7f"'):
            receiver.terminate()
        ends = {line['association']: line for line in kept.read_log(receiver.access_log)
                if line['event'] not in ('receiver.listening', 'association.opened')}
        self.assertEqual([ends[number]['event'] for number in (1, 2, 3, 4)],
                         ['association.rejected', 'association.aborted', 'association.lost', 'association.aborted'])
        self.assertIn('called AE title', ends[1]['text'])
        self.assertEqual(ends[1]['called_ae'], 'OTHER')

    def test_from_other_clients(self):
        """storescu's stores, and several associations at once from our own sender."""
        receiver = self.start(programs.Receiver(log=True))
        entries = datasets.make_studies(self.subfolder('source'), 4, 10)
        run = programs.run_sender(self.folder / 'source', port=receiver.port, threads=4)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(entries)), run)
        lines = kept.check(run, entries, receiver)
        self.assertEqual(len(kept.answers(lines)), len(entries))
        done = peers.run_client('storescu', '127.0.0.1', receiver.port, entries[0].path)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(len(kept.answers(kept.read_log(receiver.access_log))), len(entries) + 1)

    def test_it_is_appended_to(self):
        receiver = self.start(programs.Receiver(log=True, keep=False))
        receiver.terminate()
        receiver.start()
        receiver.terminate()
        self.assertEqual([line['event'] for line in kept.read_log(receiver.access_log)], ['receiver.listening'] * 2)

    def test_a_log_that_cannot_be_opened(self):
        done = programs.run_program('dicom-receiver', '--discard', '--port', 0, '--access-log', self.folder / 'x' / 'y')
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^dicom-receiver: --access-log: '.*/x/y': No such file or directory\n$")


class Faults(ReceiverTest):
    """What it does wrong on purpose, seen by our own sender, by storescu and by a plain client."""

    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.entries = datasets.make_studies(self.source, 1, 12)

    def send(self, *options, sender=(), **arguments):
        self.receiver = self.start(programs.Receiver(*options, log=True))
        run = programs.run_sender(self.source, port=self.receiver.port, options=sender, **arguments)
        self.lines = kept.check(run, self.entries, self.receiver)
        return run

    def associations(self):
        return sum(line['event'] == 'association.opened' for line in self.lines)

    def test_fail_every(self):
        run = self.send('--fail-every', '5:A900')
        self.assertEqual((run.exit_code, run.total('stored'), run.total('failed')), (2, 10, 2), run)
        self.assertEqual([line['status'] for line in kept.answers(self.lines)],
                         ['0xA900' if number % 5 == 0 else '0x0000' for number in range(1, 13)])
        self.assertEqual(len(kept.read_folder(self.receiver.output)), 10, 'what fails is not kept')

    def test_fail_every_with_a_warning(self):
        run = self.send('--fail-every', '6:B000')
        self.assertEqual((run.exit_code, run.total('warned'), run.total('stored')), (0, 2, 10), run)
        self.assertEqual(len(kept.read_folder(self.receiver.output)), 12, 'a warning means stored')

    def test_fail_every_seen_by_storescu(self):
        receiver = self.start(programs.Receiver('--fail-every', '1:C001', log=True))
        done = peers.run_client('storescu', '-v', '127.0.0.1', receiver.port, self.entries[0].path)
        self.assertIn('CannotUnderstand', done.stdout)

    def test_abort_after(self):
        """The instance whose answer was an abort is kept: sent again, it is found identical."""
        run = self.send('--abort-after', 5)
        self.assertEqual((run.exit_code, run.total('stored')), (0, 12), run)
        self.assertGreaterEqual(self.associations(), 3)
        self.assertEqual(len(kept.answers(self.lines)), 12, 'nothing is answered twice')

    def test_abort_after_seen_by_storescu(self):
        receiver = self.start(programs.Receiver('--abort-after', 2, log=True))
        done = peers.run_client('storescu', '127.0.0.1', receiver.port, *[entry.path for entry in self.entries[:4]])
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(kept.answers(kept.read_log(receiver.access_log))), 2)
        self.assertEqual(len(kept.read_folder(receiver.output)), 3)

    def test_stall_after(self):
        run = self.send('--stall-after', 7, sender=['--dimse-timeout', 0.5])
        self.assertEqual((run.exit_code, run.total('stored')), (0, 12), run)
        self.assertEqual(self.associations(), 2)
        self.assertEqual(len(kept.answers(self.lines)), 12)

    def test_reject_transient(self):
        run = self.send('--reject-transient', 1)
        self.assertEqual((run.exit_code, run.total('stored')), (0, 12), run)
        self.assertEqual([line['event'] for line in self.lines if line['event'].startswith('association')],
                         ['association.rejected', 'association.opened', 'association.released'])

    def test_reject_transient_seen_by_echoscu(self):
        receiver = self.start(programs.Receiver('--reject-transient', 2, keep=False))
        ends = [peers.run_client('echoscu', '127.0.0.1', receiver.port).returncode for _ in range(4)]
        self.assertEqual([end == 0 for end in ends], [False, False, True, True])

    def test_two_writes(self):
        """Nagle's algorithm holds the second piece back until the first is acknowledged: 40 ms for each response to who
        leaves that to the system. Our sender does not, and so is never held up: half of that is far from both."""
        run = self.send('--two-writes')
        self.assertEqual((run.exit_code, run.total('stored')), (0, 12), run)
        self.assertLess(run.summary['response_times_ms']['p50'], 20, run)
        with wire.Client(self.receiver.port, [CONTEXT], quickack=False) as client:
            times = []
            for entry in self.entries:
                begun = time.monotonic()
                self.assertEqual(self.store(client, entry)['status'], SUCCESS)
                times.append(time.monotonic() - begun)
        self.assertGreater(sorted(times)[len(times) // 2], 0.020, 'the fault is not there')

    def test_wrong_values(self):
        for value in ('A700', '5:', ':A700', '0:A700', '5:XYZ', '5:A7000', 'x:A700', '1000001:A700'):
            done = programs.run_program('dicom-receiver', '--discard', '--port', 0, '--fail-every', value)
            self.assertEqual((done.returncode, done.stderr), (
                1, f"dicom-receiver: --fail-every: '{value}' is not N:HEX, N from 1 to 1000000, such as 10:A700\n"))


if __name__ == '__main__':
    unittest.main()
