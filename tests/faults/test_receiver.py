"""dicom-receiver: what it answers is in its access log, and what it acknowledges is kept, whatever the other side does."""
import hashlib
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


if __name__ == '__main__':
    unittest.main()
