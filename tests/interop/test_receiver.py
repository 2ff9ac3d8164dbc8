"""storescu, dcmsend, echoscu and Orthanc as clients of dicom-receiver; and dicom-echo to all of them."""
import subprocess
import time
import unittest

from support import datasets, network, peers, programs, wire
from support.base import ProgramTest

# storescu proposes what it is told to, one syntax for all: the option for each.
STORESCU_OPTIONS = {
    '1.2.840.10008.1.2': '-xi', datasets.EXPLICIT_LITTLE: '-xe', datasets.BIG_ENDIAN: '-xb', datasets.DEFLATED: '-xd',
    '1.2.840.10008.1.2.4.50': '-xy', '1.2.840.10008.1.2.4.51': '-xx', '1.2.840.10008.1.2.4.80': '-xt',
    '1.2.840.10008.1.2.4.90': '-xv', '1.2.840.10008.1.2.4.91': '-xw', '1.2.840.10008.1.2.5': '-xr',
}


def read_folder(paths):
    """{SOP Instance UID: (syntax, data set)} of Part 10 files."""
    found = {}
    for path in paths:
        meta, data_set = datasets.split_part10(path.read_bytes())
        assert meta[0x03] not in found, f'{path}: twice'
        found[meta[0x03]] = (meta[0x10], data_set)
    return found


class ReceiverTest(ProgramTest):
    def assert_tidy(self, receiver, count):
        """As many files as instances, each named by its UID: nothing temporary is left."""
        files = receiver.files()
        self.assertEqual(len(files), count, files)
        for path in files:
            uid = datasets.split_part10(path.read_bytes())[0][0x03]
            self.assertIn(uid, path.name)
            self.assertEqual(path.read_bytes()[:128], bytes(128), 'the preamble is zero')


class FromClients(ReceiverTest):
    def both(self, store):
        """Let a client store to storescp +B and to dicom-receiver: both keep what it sends, so both must keep the same.

        DCMTK's clients write data sets anew before they send them, so that the files are no measure of what was sent.
        """
        reference = self.start(peers.Storescp(fork=True))
        receiver = self.start(programs.Receiver())
        for peer in (reference, receiver):
            store(peer.port)
        expected = read_folder(reference.received())
        self.assertTrue(expected)
        kept = read_folder(receiver.files())
        self.assertEqual(sorted(kept), sorted(expected))
        for uid, (syntax_uid, data_set) in expected.items():
            self.assertEqual(kept[uid][0], syntax_uid, uid)
            self.assertTrue(kept[uid][1] == data_set, f'{uid}: the data set has changed')
        self.assert_tidy(receiver, len(expected))
        self.assertEqual(receiver.terminate(), 0)

    def test_storescu_with_real_files(self):
        by_syntax = {}
        for entry in datasets.real_files():
            by_syntax.setdefault(entry.syntax_uid, []).append(entry.path)

        def store(port):
            for syntax_uid, paths in by_syntax.items():
                done = peers.run_client('storescu', '-R', STORESCU_OPTIONS[syntax_uid], '127.0.0.1', port, *paths)
                self.assertEqual(done.returncode, 0, done.stdout)
        self.both(store)

    def test_dcmsend_with_real_files(self):
        source = self.subfolder('source')
        datasets.copy_files(datasets.real_files(), source)

        def store(port):
            done = peers.run_client('dcmsend', '+sd', '+r', '--no-halt', '-dn', '127.0.0.1', port, source)
            self.assertEqual(done.returncode, 0, done.stdout)
        self.both(store)

    def test_several_dcmsend_at_once(self):
        sources = []
        for number in range(1, 5):
            sources.append(self.subfolder(f'source{number}'))
            datasets.make_studies(sources[-1], 2, 15, 30_000, seed=number)

        def store(port):
            clients = [subprocess.Popen(['dcmsend', '+sd', '+r', '127.0.0.1', str(port), str(source)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                       for source in sources]
            for client in clients:
                self.assertEqual(client.wait(60), 0)
        self.both(store)

    def test_data_sets_exactly_as_they_are_in_real_files(self):
        """Over one association with a context for each class and syntax, untouched."""
        receiver = self.start(programs.Receiver('--max-pdu', 4096))
        entries = datasets.real_files()
        with wire.Client(receiver.port, sorted({(e.class_uid, e.syntax_uid) for e in entries})) as client:
            for entry in entries:
                data_set = entry.data_set + bytes(len(entry.data_set) % 2)
                response = client.store(entry.class_uid, entry.syntax_uid, entry.instance_uid, data_set)
                self.assertEqual(response['status'], 0, entry.name)
            self.assertTrue(client.release())
        kept = read_folder(receiver.files())
        self.assertEqual(len(kept), len(entries))
        for entry in entries:
            self.assertEqual(kept[entry.instance_uid][0], entry.syntax_uid, entry.name)
            self.assertTrue(datasets.same_data_set(entry.data_set, kept[entry.instance_uid][1]), entry.name)
        self.assert_tidy(receiver, len(entries))

    def test_orthanc(self):
        receiver = self.start(programs.Receiver('--ae-title', 'RECEIVER'))
        orthanc = self.start(peers.Orthanc(modalities={'receiver': ('RECEIVER', receiver.port)}))
        self.assertTrue(orthanc.echo('receiver'))
        entries = [entry for entry in datasets.real_files() if entry.syntax_uid != datasets.DEFLATED]
        ids = [orthanc.add_file(entry.path.read_bytes()) for entry in entries]
        answer = orthanc.store('receiver', ids)
        self.assertEqual((answer['InstancesCount'], answer['FailedInstancesCount']), (len(entries), 0))
        kept = read_folder(receiver.files())
        self.assertEqual(sorted(kept), sorted(entry.instance_uid for entry in entries))
        for entry in entries:
            # Orthanc, too, writes data sets anew: by value, and in the syntax of the file.
            syntax_uid, data_set = kept[entry.instance_uid]
            self.assertEqual(syntax_uid, entry.syntax_uid, entry.name)
            self.assertEqual(datasets.elements(data_set, syntax_uid),
                             datasets.elements(entry.data_set, syntax_uid), entry.name)
        self.assert_tidy(receiver, len(entries))

    def test_echoscu(self):
        receiver = self.start(programs.Receiver())
        self.assertEqual(peers.run_client('echoscu', '--repeat', 5, '127.0.0.1', receiver.port).returncode, 0)

    def test_the_same_instance_again(self):
        """The same bytes are acknowledged again, others under the same UID are refused and the first stay."""
        receiver = self.start(programs.Receiver())
        first = datasets.read_entry(datasets.make_instance(self.folder / '1.dcm', 1, 1))
        other = datasets.read_entry(datasets.make_instance(self.folder / '2.dcm', 1, 1, PatientID='OTHER'))
        with wire.Client(receiver.port, [(first.class_uid, first.syntax_uid)]) as client:
            statuses = [client.store(e.class_uid, e.syntax_uid, e.instance_uid, e.data_set)['status']
                        for e in (first, first, other)]
            client.release()
        self.assertEqual(statuses, [0, 0, 0xA900])
        self.assertEqual(read_folder(receiver.files())[first.instance_uid][1], first.data_set)
        self.assert_tidy(receiver, 1)


class WhatItRefuses(ReceiverTest):
    def setUp(self):
        super().setUp()
        self.entry = datasets.read_entry(datasets.make_instance(self.folder / 'one.dcm'))
        self.context = (self.entry.class_uid, self.entry.syntax_uid)

    def test_more_associations_than_allowed(self):
        receiver = self.start(programs.Receiver('--max-associations', 2))
        first, second = (wire.Client(receiver.port, [self.context]) for _ in range(2))
        with wire.Client(receiver.port, [self.context]) as third:
            self.assertEqual(third.answer, wire.ASSOCIATE_RJ)
            self.assertEqual(third.reject, (2, 3, 2), 'transient, presentation provider, local limit exceeded')
        done = peers.run_client('storescu', '127.0.0.1', receiver.port, self.entry.path)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('Rejected Transient', done.stdout)
        self.assertTrue(first.release())
        with wire.Client(receiver.port, [self.context]) as fourth:
            self.assertEqual(fourth.answer, wire.ASSOCIATE_AC, 'there is room again')
            fourth.release()
        second.release()

    def test_the_status_it_is_told_to_answer(self):
        receiver = self.start(programs.Receiver('--status', 'A700'))
        done = peers.run_client('storescu', '-v', '127.0.0.1', receiver.port, self.entry.path)
        self.assertRegex(done.stdout, r'(?i)a700|out ?of ?resources', done.stdout)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(receiver.files(), [])

    def test_another_ae_title(self):
        receiver = self.start(programs.Receiver('--ae-title', 'ARCHIVE'))
        wrong = peers.run_client('storescu', '-aec', 'WRONG', '127.0.0.1', receiver.port, self.entry.path)
        self.assertNotEqual(wrong.returncode, 0)
        self.assertIn('Called AE Title Not Recognized', wrong.stdout)
        self.assertEqual(receiver.files(), [])
        right = peers.run_client('storescu', '-aec', 'ARCHIVE', '127.0.0.1', receiver.port, self.entry.path)
        self.assertEqual(right.returncode, 0, right.stdout)
        self.assert_tidy(receiver, 1)

    def test_nothing_is_left_of_an_instance_cut_short(self):
        receiver = self.start(programs.Receiver())
        client = wire.Client(receiver.port, [self.context])
        # The whole command, and of the data set only a first part.
        client.socket.sendall(wire.fragments(client.accepted[self.context], wire.command(
            class_uid=self.entry.class_uid, field=wire.C_STORE_RQ, message_id=1, priority=0, data_set_type=1,
            instance_uid=self.entry.instance_uid), True, 16384))
        client.socket.sendall(wire.fragments(client.accepted[self.context], self.entry.data_set, False, 1024)[:1030])
        client.close()
        self.assertEqual(peers.run_client('echoscu', '127.0.0.1', receiver.port).returncode, 0)
        network.wait_until(lambda: receiver.files() == [], 5, 'the output folder to be empty')
        self.assertEqual(receiver.terminate(), 0)
        self.assertEqual(receiver.files(), [])

    def test_discard_keeps_nothing(self):
        receiver = self.start(programs.Receiver(keep=False))
        done = peers.run_client('storescu', '127.0.0.1', receiver.port, self.entry.path)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(receiver.files(), [])


class Living(ReceiverTest):
    def test_it_prints_its_port_and_ends_in_good_order(self):
        receiver = self.start(programs.Receiver())
        self.assertIn(str(receiver.port), receiver.log())
        self.assertEqual(receiver.terminate(), 0)

    def test_it_ends_while_an_association_is_open(self):
        receiver = self.start(programs.Receiver())
        with wire.Client(receiver.port, [(wire.VERIFICATION, wire.IMPLICIT_LITTLE)]) as client:
            self.assertEqual(client.echo()['status'], 0)
            begun = time.monotonic()
            self.assertEqual(receiver.terminate(), 0)
            self.assertLess(time.monotonic() - begun, 5)

    def test_a_port_in_use(self):
        receiver = self.start(programs.Receiver())
        done = programs.run('dicom-receiver', '--discard', '--port', receiver.port)
        self.assertEqual(done.code, 1)
        self.assertIn(str(receiver.port), done.err)


class Echo(ProgramTest):
    def assert_answered(self, port, ae_title):
        done = programs.run('dicom-echo', '--host', '127.0.0.1', '--port', port, '--ae-title', ae_title)
        self.assertEqual(done.code, 0, done.err)
        self.assertRegex(done.out, r'\d+(\.\d+)? ?(ms|s|us)\b', 'it says the round-trip time')

    def test_storescp(self):
        peer = self.start(peers.Storescp())
        self.assert_answered(peer.port, peer.ae_title)

    def test_orthanc(self):
        peer = self.start(peers.Orthanc())
        self.assert_answered(peer.port, peer.ae_title)

    def test_our_own_receiver(self):
        receiver = self.start(programs.Receiver('--ae-title', 'ARCHIVE'))
        self.assert_answered(receiver.port, 'ARCHIVE')
        done = programs.run('dicom-echo', f'pacs://WRONG@127.0.0.1:{receiver.port}')
        self.assertEqual(done.code, 1)
        self.assertIn('called AE title', done.err)

    def test_a_closed_port(self):
        done = programs.run('dicom-echo', f'ANY-SCP@127.0.0.1:{network.free_port()}')
        self.assertEqual(done.code, 1)
        self.assertIn('refused', done.err)
        self.assertEqual(len(done.err.strip().splitlines()), 1, done.err)


if __name__ == '__main__':
    unittest.main()
