"""dicom-receiver: what it answers is in its access log, what it acknowledges is kept, whatever the other side does."""
import contextlib
import hashlib
import os
import pathlib
import re
import resource
import signal
import socket
import struct
import subprocess
import time
import unittest

from support import datasets, kept, network, peers, programs, wire
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


def resident_kb(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS:'))


class SilentConnections(ReceiverTest):
    def test_a_silent_connection_costs_little(self):
        """At most 16 KB of memory each until there is an association."""
        receiver = self.start(programs.Receiver('--acse-timeout', '60', keep=False, folder_variable='RELEASE_DIR'))
        with contextlib.ExitStack() as stack:
            def connect(count):
                for _ in range(count):
                    stack.enter_context(socket.create_connection(('127.0.0.1', receiver.port)))
                # Who comes last is answered, so all before it have been taken.
                with wire.Client(receiver.port, [VERIFICATION]) as client:
                    self.assertEqual(client.echo()['status'], SUCCESS)
                    self.assertTrue(client.release())
            connect(50)
            before = resident_kb(receiver.process.pid)
            connect(400)
            self.assertLess((resident_kb(receiver.process.pid) - before) / 400, 16)

    def test_a_request_that_is_never_whole_ends(self):
        """A byte a moment moves, and is no request: the ACSE timeout counts from the connection."""
        receiver = self.start(programs.Receiver('--acse-timeout', '0.5', keep=False))
        request = wire.associate_rq('ANY-SCP', 'TESTS', [(1, *CONTEXT[:1], [CONTEXT[1]])])
        with socket.create_connection(('127.0.0.1', receiver.port)) as peer:
            with self.assertRaises(OSError):
                for byte in request * 2:
                    peer.sendall(bytes([byte]))
                    time.sleep(0.05)


class Syntaxes(ReceiverTest):
    def test_every_syntax_of_the_standard_is_taken(self):
        """As the table of UIDs has them: a receiver and an archive keep bytes, whatever they mean."""
        table = (pathlib.Path(__file__).parents[2] / 'src' / 'wire' / 'uid_table.h').read_text(encoding='ascii')
        syntaxes = re.findall(r'"([0-9.]+)", "[^"]*",\n "[^"]*", DICOMNET_UID_KIND_TRANSFER_SYNTAX', table)
        self.assertGreater(len(syntaxes), 60)
        for new in ('1.2.840.10008.1.2.4.201', '1.2.840.10008.1.2.4.110', '1.2.840.10008.1.2.8.1'):
            self.assertIn(new, syntaxes)
        for server in (programs.Receiver(), programs.Archive()):
            peer = self.start(server)
            with wire.Client(peer.port, [(datasets.CT_IMAGE, syntax) for syntax in syntaxes]) as client:
                self.assertEqual(sorted(syntax for _, syntax in client.accepted), sorted(syntaxes))
                self.assertTrue(client.release())


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

    def test_names_of_any_bytes(self):
        receiver = self.start(programs.Receiver(log=True, keep=False))
        request = wire.associate_rq('ANY', 'TESTS', [(1, CONTEXT[0], [CONTEXT[1]])])
        with socket.create_connection(('127.0.0.1', receiver.port)) as client:
            client.sendall(request.replace(b'TESTS', b'T\xff"\n\x01'))
            self.assertEqual(wire.read_pdu(client)[0], wire.ASSOCIATE_AC)
        receiver.terminate()
        opened = kept.read_log(receiver.access_log)[1]
        self.assertEqual((opened['event'], opened['calling_ae']), ('association.opened', 'T\ufffd"\n\x01'))

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
        done = programs.run('dicom-receiver', '--discard', '--port', 0, '--access-log', self.folder / 'x' / 'y')
        self.assertEqual(done.code, 1)
        self.assertRegex(done.err, r"^dicom-receiver: --access-log: '.*/x/y': No such file or directory\n$")


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
        self.assertEqual(self.associations(), 3)
        answered = [line['association'] for line in kept.answers(self.lines)]
        self.assertEqual(answered, 7 * [1] + 4 * [2] + [3], 'the eighth is kept and not answered: it goes last, alone')

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
            done = programs.run('dicom-receiver', '--discard', '--port', 0, '--fail-every', value)
            self.assertEqual((done.code, done.err), (
                1, f"dicom-receiver: --fail-every: '{value}' is not N:HEX, N from 1 to 1000000, such as 10:A700\n"))


class Keeping(ReceiverTest):
    """The folder it keeps instances in."""

    def assert_status(self, receiver, entry, status):
        with wire.Client(receiver.port, [CONTEXT]) as client:
            response = self.store(client, entry)
            self.assertEqual(response['status'], status, response)
            client.release()
            return response

    def assert_kept(self, receiver, *entries, temporaries=False):
        """These and nothing else."""
        self.assertEqual(kept.read_folder(receiver.output, temporaries),
                         {entry.instance_uid: entry.data_set for entry in entries})

    def test_the_same_instance_again(self):
        receiver = self.start(programs.Receiver())
        first, other = self.instance(1), self.instance(2)
        self.assert_status(receiver, first, SUCCESS)
        before = (receiver.output / f'{first.instance_uid}.dcm').stat()
        self.assert_status(receiver, first, SUCCESS)
        response = self.assert_status(receiver, other._replace(instance_uid=first.instance_uid), MISMATCH)
        self.assertEqual(response['comment'], 'another data set with this SOP Instance UID is kept')
        after = (receiver.output / f'{first.instance_uid}.dcm').stat()
        self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns), 'not rewritten')
        self.assert_kept(receiver, first)

    def test_names(self):
        """What is no UID is no name: nothing is made outside the folder, and two of them do not meet."""
        receiver = self.start(programs.Receiver())
        around = sorted(receiver.folder.iterdir())
        entry = self.instance()
        wrong = ['../../evil', '/tmp/evil', '..', '.', '1..2', '1.2/../../3', 'a b', '1.2.' + '3' * 59 + '.', '\x01']
        for uid in wrong:
            self.assert_status(receiver, entry._replace(instance_uid=uid), SUCCESS)
        names = [path.name for path in receiver.output.iterdir()]
        self.assertEqual(len(names), len(wrong))
        for name in names:
            self.assertRegex(name, r'^hash-[0-9a-f]{16}\.dcm$')
        self.assertEqual(sorted(receiver.folder.iterdir()), around)
        # Cut to 64 characters it would be the UID of something else.
        self.assert_status(receiver, entry._replace(instance_uid='1.2.' + '3' * 61), 0xC000)
        self.assertEqual(len(list(receiver.output.iterdir())), len(wrong))

    def test_planted_symlinks(self):
        """Neither a temporary nor a final name is ever written through."""
        receiver = self.start(programs.Receiver())
        outside = self.folder / 'outside'
        outside.write_bytes(b'precious')
        entry, other = self.instance(1), self.instance(2)
        (receiver.output / f'{entry.instance_uid}.dcm').symlink_to(outside)
        for number in range(5):
            (receiver.output / f'.tmp-{receiver.process.pid}-{number}').symlink_to(outside)
        self.assert_status(receiver, entry, MISMATCH)
        self.assert_status(receiver, other, SUCCESS)
        self.assertEqual(outside.read_bytes(), b'precious')
        planted = [path for path in receiver.output.iterdir() if path.is_symlink()]
        self.assertEqual(len(planted), 6, 'they are nobody\'s to remove')
        for path in planted:
            path.unlink()
        self.assert_kept(receiver, other)

    def test_permissions(self):
        """Nobody but user and group reads what is about patients, whatever the umask; --mode is taken as it is."""
        for options, file_mode in (((), 0o640), (('--mode', '600'), 0o600), (('--mode', '664'), 0o664)):
            for make in (lambda *words: programs.Receiver(*words, log=True), programs.Archive):
                with self.subTest(options, server=make):
                    server = make(*options)
                    server.output = server.folder / 'deep' / 'received'
                    server.options[server.options.index('--output-dir') + 1] = str(server.output)
                    umask = os.umask(0)
                    try:
                        self.start(server)
                    finally:
                        os.umask(umask)
                    with wire.Client(server.port, [CONTEXT]) as client:
                        self.assertEqual(self.store(client, self.instance())['status'], SUCCESS)
                    server.terminate()
                    modes = {path.name: path.stat().st_mode & 0o777 for path in server.folder.rglob('*')}
                    instance, = [name for name in modes if name.endswith('.dcm')]
                    self.assertEqual(modes.pop(instance), file_mode, modes)
                    self.assertEqual({name: oct(mode) for name, mode in modes.items() if mode not in (0o640, 0o750)}, {})
                    self.assertEqual((modes['deep'], modes['received']), (0o750, 0o750))

    def test_full_disk(self):
        """A limit on the size of files stands for it. The association is kept, and goes on when there is room."""
        receiver = self.start(programs.Receiver())
        large, small = self.instance(1, 900_000), self.instance(2, 5_000)
        room = resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE)
        with wire.Client(receiver.port, [CONTEXT]) as client:
            resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, (300_000, room[1]))
            response = self.store(client, large)
            self.assertEqual(response['status'], OUT_OF_RESOURCES, response)
            self.assertIn('File too large', response['comment'])
            self.assertEqual(self.store(client, small)['status'], SUCCESS)
            self.assert_kept(receiver, small)
            resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, room)
            self.assertEqual(self.store(client, large)['status'], SUCCESS)
            self.assertTrue(client.release())
        self.assert_kept(receiver, small, large)

    def test_no_room_for_the_access_log(self):
        """What is not in the log is not acknowledged, and no line is torn."""
        receiver = self.start(programs.Receiver(log=True))
        entries = datasets.make_studies(self.subfolder('source'), 1, 30)
        room = resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE)
        with wire.Client(receiver.port, [CONTEXT]) as client:
            for entry in entries[:-1]:
                self.assertEqual(self.store(client, entry)['status'], SUCCESS)
            limit = receiver.access_log.stat().st_size + 50
            self.assertGreater(limit, entries[-1].path.stat().st_size, 'the instance itself is to fit')
            resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, (limit, room[1]))
            self.assertEqual(self.store(client, entries[-1])['status'], OUT_OF_RESOURCES)
            self.assertEqual(len(kept.answers(kept.read_log(receiver.access_log))), 29)
            resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, room)
            self.assertEqual(self.store(client, entries[-1])['status'], SUCCESS)
        self.assert_kept(receiver, *entries)
        self.assertEqual(len(kept.answers(kept.read_log(receiver.access_log))), 30)
        self.assertEqual(receiver.terminate(), 1)

    def test_peers_that_die_in_a_data_set(self):
        """Nothing of the instance is left, under no name; the next peer is served."""
        receiver = self.start(programs.Receiver(log=True))
        entry = self.instance(1, 200_000)
        for end in ('fin', 'reset', 'abort', 'garbage'):
            with wire.Client(receiver.port, [CONTEXT]) as client:
                self.begin_store(client, entry, 100_000)
                network.wait_until(lambda: list(receiver.output.iterdir()), 20, 'a temporary file')
                if end == 'reset':
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                elif end == 'abort':
                    client.socket.sendall(wire.pdu(wire.ABORT, bytes(4)))
                elif end == 'garbage':
                    client.socket.sendall(bytes(100))
            network.wait_until(lambda: not list(receiver.output.iterdir()), 20, f'{end}: an empty folder')
        self.assertEqual(kept.answers(kept.read_log(receiver.access_log)), [])
        self.assert_status(receiver, entry, SUCCESS)
        self.assert_kept(receiver, entry)

    def begin_store(self, client, entry, length):
        """A C-STORE-RQ and the first bytes of its data set."""
        client.send(client.accepted[CONTEXT], {
            'class_uid': entry.class_uid, 'field': wire.C_STORE_RQ, 'priority': 0, 'data_set_type': 1,
            'instance_uid': entry.instance_uid})
        message = wire.fragments(client.accepted[CONTEXT], entry.data_set, False, client.max_pdu)
        client.socket.sendall(message[:length])

    def test_killed_in_a_data_set(self):
        """What a killed receiver leaves does not disturb the next one, and is no instance."""
        receiver = self.start(programs.Receiver())
        entry = self.instance(1, 200_000)
        for left_over in range(1, 4):
            with wire.Client(receiver.port, [CONTEXT]) as client:
                self.begin_store(client, entry, 150_000)
                network.wait_until(lambda: len(list(receiver.output.iterdir())) == left_over, 20, 'a temporary file')
                receiver.kill()
            receiver.start()
        self.assert_kept(receiver, temporaries=True)
        self.assert_status(receiver, entry, SUCCESS)
        self.assert_kept(receiver, entry, temporaries=True)

    def calls(self, *options, times=1):
        """The system calls of one store that matter, in order, as (name, arguments); of the last of so many."""
        trace = self.folder / 'trace'
        receiver = self.start(programs.Receiver(
            *options, folder_variable='RELEASE_DIR',
            prefix=['strace', '-D', '-f', '-yy', '-o', trace, '-e', 'trace=mkdir,openat,write,fsync,renameat2']))
        entry = self.instance()
        for _ in range(times):
            self.assert_status(receiver, entry, SUCCESS)
        receiver.stop()
        found = re.findall(r'^\d+ +(\w+)\((.*)\) = ', trace.read_text(errors='replace'), re.MULTILINE)
        begun = [number for number, call in enumerate(found) if call[0] == 'openat' and '.tmp-' in call[1]][-1]
        return found[begun:], entry, found[:begun]

    def test_order_of_things(self):
        """Temporary name, write, rename, answer."""
        calls, entry, _ = self.calls()
        names = [name for name, _ in calls]
        renamed = names.index('renameat2')
        self.assertIn(f'{entry.instance_uid}.dcm', calls[renamed][1])
        self.assertIn('O_EXCL', calls[0][1])
        self.assertIn('O_NOFOLLOW', calls[0][1])
        self.assertNotIn('fsync', names)
        written = [number for number, (name, text) in enumerate(calls) if name == 'write' and '.tmp-' in text]
        answered = next(number for number, (name, text) in enumerate(calls) if name == 'write' and 'TCP' in text)
        self.assertLess(max(written), renamed)
        self.assertLess(renamed, answered)

    def test_sync(self):
        """fsync of the file before it gets its name, of the folder before the answer; also of a folder it made."""
        calls, entry, before = self.calls('--sync')
        synced = [(number, text) for number, (name, text) in enumerate(calls) if name == 'fsync']
        renamed = [name for name, _ in calls].index('renameat2')
        answered = next(number for number, (name, text) in enumerate(calls) if name == 'write' and 'TCP' in text)
        self.assertEqual(len(synced), 2, calls)
        (file_at, file), (folder_at, folder) = synced
        self.assertIn('.tmp-', file)
        self.assertIn('/received>', folder)
        self.assertTrue(file_at < renamed < folder_at < answered, calls)
        made = [name for name, _ in before].index('mkdir')
        self.assertIn('fsync', [name for name, _ in before[made:]])

    def test_sync_of_what_is_there(self):
        """The same instance again: its file may be of a receiver that was killed before its own fsync."""
        calls, entry, _ = self.calls('--sync', times=2)
        answered = next(number for number, (name, text) in enumerate(calls) if name == 'write' and 'TCP' in text)
        synced = [text for name, text in calls[:answered] if name == 'fsync']
        self.assertIn(f'/{entry.instance_uid}.dcm>', ''.join(synced[:-1]))
        self.assertIn('/received>', synced[-1])


class Requests(ReceiverTest):
    """Commands that contradict what was agreed, or cannot be answered."""

    def servers(self):
        return (self.start(programs.Receiver()), self.start(programs.Archive()))

    def test_another_class_than_its_context(self):
        entry = self.instance()
        for server in self.servers():
            with self.subTest(server.name), wire.Client(server.port, [CONTEXT]) as client:
                client.send(client.accepted[CONTEXT], {
                    'class_uid': '1.2.840.10008.5.1.4.1.1.4', 'field': wire.C_STORE_RQ, 'priority': 0,
                    'data_set_type': 1, 'instance_uid': entry.instance_uid}, entry.data_set)
                answer = client.response()
                self.assertEqual((answer['status'], server.files()), (0x0122, []), answer)
                self.assertEqual(self.store(client, entry)['status'], SUCCESS)

    def test_without_a_message_id(self):
        """No answer could say what it answers: the association ends, and nothing is kept."""
        entry = self.instance()
        store = {'class_uid': entry.class_uid, 'field': wire.C_STORE_RQ, 'priority': 0, 'data_set_type': 1,
                 'instance_uid': entry.instance_uid}
        echo = {'class_uid': wire.VERIFICATION, 'field': wire.C_ECHO_RQ, 'data_set_type': wire.NO_DATA_SET}
        for server in self.servers():
            for context, command, data in ((CONTEXT, store, entry.data_set), (VERIFICATION, echo, None)):
                with self.subTest(server.name, field=command['field']), \
                        wire.Client(server.port, [CONTEXT, VERIFICATION]) as client:
                    client.socket.sendall(wire.fragments(client.accepted[context], wire.command(**command), True, 16384))
                    with contextlib.suppress(OSError):    # it may be gone already
                        client.socket.sendall(wire.fragments(client.accepted[context], data or b'', False, 16384))
                    self.assertIsNone(client.response())
                    self.assertEqual(server.files(), [])


class Silence(ReceiverTest):
    """Peers that say nothing, or not all of it."""

    def assert_closed(self, connection):
        """The receiver ends it, with or without a word."""
        connection.settimeout(20)
        while connection.recv(4096):
            pass

    def test_before_the_association(self):
        """ARTIM: it bounds the whole time until a request is there, not the time between bytes."""
        receiver = self.start(programs.Receiver('--acse-timeout', 0.5, keep=False))
        request = wire.associate_rq('ANY', 'TESTS', [(1, CONTEXT[0], [CONTEXT[1]])])
        silent, half, slow = [socket.create_connection(('127.0.0.1', receiver.port)) for _ in range(3)]
        with silent, half, slow:
            half.sendall(request[:40])
            with self.assertRaises(OSError):    # one byte at a time: long before the last nobody takes it any more
                for byte in request[:-1]:
                    slow.send(bytes([byte]))
                    time.sleep(0.02)
            self.assert_closed(silent)
            self.assert_closed(half)
        receiver.terminate()
        self.assertEqual(receiver.log().count('no association was agreed within the ACSE timeout'), 3)

    def test_in_an_association(self):
        """Between messages a peer may take its time; in the middle of one it may not."""
        receiver = self.start(programs.Receiver('--acse-timeout', 0.3, '--network-timeout', 0.5, keep=False))
        entry = self.instance()
        with wire.Client(receiver.port, [CONTEXT, VERIFICATION]) as idle, \
                wire.Client(receiver.port, [CONTEXT]) as stuck:
            stuck.send(stuck.accepted[CONTEXT], {'class_uid': entry.class_uid, 'field': wire.C_STORE_RQ,
                                                 'priority': 0, 'data_set_type': 1, 'instance_uid': '1.2.3'})
            self.assert_closed(stuck.socket)
            self.assertEqual(idle.echo()['status'], SUCCESS)

    def test_idle_associations_end(self):
        """Who keeps an association and says nothing has it taken away; who goes on asking keeps it, and so does who waits."""
        for name, options in (('dicom-receiver', ('--idle-timeout', 1)), ('dicom-archive', ('--timeout', 1))):
            with self.subTest(name):
                server = programs.Receiver(*options, '--max-associations', 3, keep=False) \
                    if name == 'dicom-receiver' else \
                    programs.Archive(*options, '--max-associations', 3, synthetic='1x1x1')
                self.start(server)
                silent = [wire.Client(server.port, [VERIFICATION]) for _ in range(2)]
                busy = wire.Client(server.port, [VERIFICATION])
                with contextlib.ExitStack() as stack:
                    for client in (*silent, busy):
                        stack.enter_context(client)
                    with wire.Client(server.port, [VERIFICATION]) as late:
                        self.assertEqual(late.reject, (2, 3, 2))
                    for _ in range(10):
                        self.assertEqual(busy.echo()['status'], SUCCESS)
                        time.sleep(0.3)
                    for client in silent:
                        self.assertEqual(wire.read_pdu(client.socket)[0], wire.ABORT)
                    with wire.Client(server.port, [VERIFICATION]) as late:
                        self.assertEqual(late.echo()['status'], SUCCESS)
                    self.assertTrue(busy.release())
                server.terminate()
                self.assertEqual(server.log().count('within the idle timeout'), 2, server.log())

    def test_many_idle_associations_end(self):
        """All of them, also those that fell silent in the middle of a PDU; and there is room again."""
        receiver = self.start(programs.Receiver('--idle-timeout', 1, '--max-associations', 60, keep=False))
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(wire.Client(receiver.port, [VERIFICATION])) for _ in range(60)]
            for client in clients[::3]:
                echo = wire.command(class_uid=wire.VERIFICATION, field=wire.C_ECHO_RQ, data_set_type=wire.NO_DATA_SET,
                                    message_id=1)
                client.socket.sendall(wire.fragments(client.accepted[VERIFICATION], echo, True, 16384)[:40])
            for client in clients:
                self.assert_closed(client.socket)
            with wire.Client(receiver.port, [VERIFICATION]) as late:
                self.assertEqual(late.echo()['status'], SUCCESS)
        receiver.terminate()
        self.assertEqual(receiver.log().count('within the idle timeout'), 60)

    def test_a_server_that_is_told_to_stop_waits_for_nobody(self):
        """Whatever its peers are at: they get an A-ABORT and a second to close."""
        for server in (programs.Receiver('--timeout', 0, keep=False), programs.Archive('--timeout', 0)):
            with self.subTest(server.name), contextlib.ExitStack() as stack:
                self.start(server)
                request = wire.associate_rq('ANY', 'TESTS', [(1, CONTEXT[0], [CONTEXT[1]])])
                silent, half = [stack.enter_context(socket.create_connection(('127.0.0.1', server.port)))
                                for _ in range(2)]
                half.sendall(request[:40])
                idle, cut, leaving = [stack.enter_context(wire.Client(server.port, [CONTEXT, VERIFICATION]))
                                      for _ in range(3)]
                cut.send(cut.accepted[CONTEXT], {'class_uid': CONTEXT[0], 'field': wire.C_STORE_RQ, 'priority': 0,
                                                 'data_set_type': 1, 'instance_uid': '1.2.3'})
                leaving.socket.sendall(wire.pdu(wire.RELEASE_RQ, bytes(4)))
                self.assertEqual(server.terminate(), 0)    # within STOP_TIMEOUT_S, although no timeout is set
                self.assertEqual(wire.read_pdu(idle.socket)[0], wire.ABORT)
                self.assert_closed(silent)

    def test_a_server_that_is_told_to_stop_does_not_wait_until_a_peer_reads(self):
        archive = self.start(programs.Archive('--timeout', 0, synthetic='1x1x3000:64K'))
        command = programs.mover_command(archive, self.folder / 'logs', '--all', '--get', '--output-dir',
                                         self.folder / 'got', '--timeout', 0)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=programs.environment()) as mover:
            try:
                network.wait_until(lambda: len(list(self.folder.glob('got/*.dcm'))) > 3, 20, 'some instances')
                mover.send_signal(signal.SIGSTOP)
                time.sleep(1)    # the line fills
                self.assertEqual(archive.terminate(), 0)
            finally:
                mover.send_signal(signal.SIGCONT)
                mover.kill()

    def test_an_answer_that_takes_its_time_is_no_idleness(self):
        receiver = self.start(programs.Receiver('--idle-timeout', 0.5, '--response-delay', 2000, keep=False))
        with wire.Client(receiver.port, [CONTEXT]) as client:
            self.assertEqual(self.store(client, self.instance())['status'], SUCCESS)
            self.assertTrue(client.release())

    def test_silent_connections_keep_nobody_out(self):
        """There may be so many: the oldest that has asked for nothing goes. One that has an association stays."""
        receiver = self.start(programs.Receiver('--max-connections', 4, keep=False))
        with wire.Client(receiver.port, [VERIFICATION]) as first, contextlib.ExitStack() as stack:
            silent = [stack.enter_context(socket.create_connection(('127.0.0.1', receiver.port))) for _ in range(5)]
            for connection in silent[:2]:
                self.assert_closed(connection)
            with wire.Client(receiver.port, [VERIFICATION]) as late:
                self.assertEqual(late.echo()['status'], SUCCESS)
            self.assertEqual(first.echo()['status'], SUCCESS)

    def test_many_do_not_delay_an_echo(self):
        """256 of them: some said nothing, some half a request, some opened an association and then fell silent."""
        receiver = self.start(programs.Receiver(keep=False))
        request = wire.associate_rq('ANY', 'TESTS', [(1, CONTEXT[0], [CONTEXT[1]])])
        with contextlib.ExitStack() as stack:
            for number in range(256):
                connection = stack.enter_context(socket.create_connection(('127.0.0.1', receiver.port)))
                connection.sendall((b'', request[:50], request)[number % 3])
            begun = time.monotonic()
            with wire.Client(receiver.port, [VERIFICATION]) as client:
                self.assertEqual(client.echo()['status'], SUCCESS)
                self.assertTrue(client.release())
            self.assertLess(time.monotonic() - begun, 1)


if __name__ == '__main__':
    unittest.main()
