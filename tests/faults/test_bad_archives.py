"""Archives that misbehave, names that want out of the output folder: dicom-finder and dicom-mover tell the truth."""
import json
import shutil
import signal
import struct
import subprocess
import pathlib
import threading
import time
import unittest

from support import network, programs, wire
from support.base import ProgramTest
from support.scripted_archive import End, Match, Raw, ScriptedArchive, Status, Store, dataset, encode

CT = '1.2.840.10008.5.1.4.1.1.2'
DONE = Status(0)


def instance_bytes(uid):
    return encode(dataset(SOPClassUID=CT, SOPInstanceUID=uid, StudyInstanceUID='1.2', SeriesInstanceUID='1.2.1'))


def lists(*uids, class_uid=CT):
    """An on_find for one study of one series with these instances."""
    def on_find(keys, _request):
        level = keys.QueryRetrieveLevel
        if level == 'STUDY':
            yield Match(dataset(QueryRetrieveLevel=level, StudyInstanceUID='1.2'))
        elif level == 'SERIES':
            yield Match(dataset(QueryRetrieveLevel=level, StudyInstanceUID='1.2', SeriesInstanceUID='1.2.1'))
        else:
            for uid in uids:
                yield Match(dataset(QueryRetrieveLevel=level, StudyInstanceUID='1.2', SeriesInstanceUID='1.2.1',
                                    SOPInstanceUID=uid, SOPClassUID=class_uid))
        yield DONE
    return on_find


def silent_until(release):
    """An on_move that answers nothing until the event is set, and then hangs up."""
    def on_move(_keys, _request):
        release.wait(20)
        yield End()
    return on_move


def wanted_of(keys, uids):
    """Which of these instances a retrieval is for."""
    named = keys.get('SOPInstanceUID')
    return list(uids) if not named else [named] if isinstance(named, str) else list(named)


def gets(*uids):
    """An on_get that sends what it is asked for."""
    def on_get(keys, _request):
        for uid in wanted_of(keys, uids):
            yield Store(CT, uid, instance_bytes(uid))
        yield Status(0, (None, len(uids), 0, 0))
    return on_get


class Finder(ProgramTest):
    def find(self, on_find, *options, timeout_s=60):
        with ScriptedArchive(on_find) as archive:
            return programs.run('dicom-finder', f'SCRIPTED@127.0.0.1:{archive.port}', *options,
                                        timeout_s=timeout_s), archive

    def test_it_dies_after_some_matches(self):
        def on_find(_keys, _request):
            yield Match(dataset(StudyInstanceUID='1.2'))
            yield Match(dataset(StudyInstanceUID='1.3'))
            yield End()
        done, _ = self.find(on_find, '--json')
        self.assertEqual(done.code, 2, done)
        self.assertEqual([match['0020000D']['Value'] for match in json.loads(done.out)], [['1.2'], ['1.3']])
        self.assertIn('closed the connection', done.err)

    def test_it_fails_with_a_comment_that_moves_the_cursor(self):
        def on_find(_keys, _request):
            yield Status(0xA700, comment='full\x1b[2J of it')
        done, _ = self.find(on_find)
        self.assertEqual((done.code, done.out), (1, ''), done)
        self.assertIn('status A700', done.err)
        self.assertNotIn('\x1b', done.err)

    def test_matches_that_are_none(self):
        for name, data in (('cut', b'\x08\x00\x52\x00\xff\x00\x00\x00STUDY'),
                           ('deep', b'\x08\x00\x40\x11\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff' * 10_000),
                           ('no data set', None)):
            with self.subTest(name):
                done, _ = self.find(lambda _keys, _request, data=data: iter((Status(0xFF00, data=data),)))
                self.assertEqual((done.code, done.out), (1, ''), done)
                self.assertEqual(done.err.count('\n'), 1, done)

    def test_it_says_nothing(self):
        def on_find(_keys, _request):
            time.sleep(3)
            yield End()
        done, _ = self.find(on_find, '--dimse-timeout', '1')
        self.assertEqual(done.code, 1, done)
        self.assertIn('within the DIMSE timeout', done.err)

    def test_it_does_not_stop_when_the_limit_is_reached(self):
        def on_find(_keys, _request):
            for number in range(500):
                yield Match(dataset(StudyInstanceUID=f'1.{number}'))
            yield DONE
        done, archive = self.find(on_find, '--limit', '3', '--csv')
        self.assertEqual((done.code, len(done.out.splitlines())), (0, 4), done)
        self.assertTrue(archive.requests[0].cancelled.is_set())

    def test_interrupted_it_asks_the_peer_to_stop(self):
        for stops in (True, False):
            released = threading.Event()

            def on_find(_keys, request, stops=stops, released=released):
                while not (request.cancelled.is_set() if stops else released.wait(0.02)):
                    yield Match(dataset(StudyInstanceUID='1.2'))
                    time.sleep(0.02)
                yield Status(0xFE00)
            with self.subTest(stops=stops), ScriptedArchive(on_find) as archive:
                process = subprocess.Popen([programs.program('dicom-finder'), f'A@127.0.0.1:{archive.port}', '--json'],
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=programs.environment())
                network.wait_until(lambda archive=archive: archive.asked('find'), 20, 'a C-FIND')
                time.sleep(0.2)
                process.send_signal(signal.SIGINT)
                cancelled = archive.requests[0].cancelled.wait(10)
                process.send_signal(signal.SIGINT if not stops else 0)
                out, err = process.communicate(timeout=15)
                released.set()
                self.assertTrue(cancelled)
                self.assertEqual((process.returncode, err.count(b'\n')), (130, 1), err)
                self.assertEqual(f'{len(json.loads(out))} match', err.decode().removesuffix('es\n').strip())

    def test_ten_thousand_matches_and_a_slow_reader(self):
        """Memory stays where it is, and every match comes."""
        value = encode(dataset(StudyInstanceUID='1.2', StudyDescription='x' * 64, PatientName='A^B'))
        sizes = []

        def on_find(_keys, _request):
            for number in range(10_000):
                yield Match(value)
                if number in (1_000, 9_000):
                    sizes.append(memory_kb(process.pid))
            yield DONE
        for options in ((), ('--json',)):
            with self.subTest(options), ScriptedArchive(on_find) as archive:
                sizes.clear()
                process = subprocess.Popen([programs.program('dicom-finder', 'RELEASE_DIR'),
                                            f'SCRIPTED@127.0.0.1:{archive.port}', *options],
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=programs.environment())
                time.sleep(0.3)
                out, err = process.communicate(timeout=60)
                self.assertEqual((process.returncode, err), (0, b'10000 matches\n'))
                self.assertEqual(out.count(b'x' * 64), 10_000)
                self.assertLess(sizes[1] - sizes[0], 300, sizes)

    def test_the_reader_of_the_output_goes_away(self):
        def on_find(_keys, request):
            while not request.cancelled.is_set():
                yield Match(dataset(StudyInstanceUID='1.2', StudyDescription='x' * 64))
            yield Status(0xFE00)
        with ScriptedArchive(on_find) as archive:
            command = f'{programs.program("dicom-finder")} SCRIPTED@127.0.0.1:{archive.port} --csv | head -n 1'
            done = subprocess.run(['bash', '-o', 'pipefail', '-c', command], capture_output=True, timeout=60,
                                  check=False, env=programs.environment(), text=True)
        self.assertEqual((done.returncode, done.stdout.count('\n')), (1, 1), done)
        self.assertIn('standard output: Broken pipe', done.stderr)


def memory_kb(pid):
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('RssAnon:'):
            return int(line.split()[1])
    raise ValueError(pid)


class Mover(ProgramTest):
    def setUp(self):
        super().setUp()
        self.output = self.folder / 'deep' / 'output'

    def get(self, archive, *options, code=0):
        run = programs.run_mover(archive, '-k', 'PatientID=1', '--get', '-o', self.output, *options)
        self.assertEqual(run.exit_code, code, run)
        return run

    def kept(self):
        return sorted(path.name for path in self.output.iterdir())

    def test_names_that_want_out(self):
        uids = ('../evil', '/tmp/evil', '..', '.', '1.2/../../x', '1.2.3')
        with ScriptedArchive(lists(*uids), on_get=gets(*uids)) as archive:
            run = self.get(archive)
        self.assertEqual(run.total('stored'), 6, run)
        self.assertEqual(sorted(path.name for path in (self.folder / 'deep').iterdir()), ['output'])
        names = self.kept()
        self.assertEqual(names[0], '1.2.3.dcm')
        self.assertRegex(' '.join(names[1:]), r'^(hash-[0-9a-f]{16}\.dcm ?){5}$')

    def test_what_did_not_come_is_asked_for_again(self):
        uids = [f'1.2.1.{number}' for number in range(1, 6)]

        def on_get(keys, _request):
            wanted = wanted_of(keys, uids)
            for uid in wanted[:2]:
                yield Store(CT, uid, instance_bytes(uid))
            yield Status(0, (None, len(wanted), 0, 0))    # says more than it does
        with ScriptedArchive(lists(*uids), on_get=on_get) as archive:
            run = self.get(archive)
        self.assertEqual((run.total('stored'), run.summary['rounds']), (5, 3), run)
        asked = archive.asked('get')
        self.assertEqual([request.keys.QueryRetrieveLevel for request in asked], ['STUDY', 'IMAGE', 'IMAGE'])
        self.assertEqual(list(asked[1].keys.SOPInstanceUID), uids[2:])

    def test_what_never_comes_is_named(self):
        uids = ['1.2.1.1', '1.2.1.2']
        with ScriptedArchive(lists(*uids, '1.2.1.3'), on_get=gets(*uids)) as archive:
            run = self.get(archive, '--retry', '0', code=2)
        self.assertEqual([entry['instance'] for entry in run.summary['missing']], ['1.2.1.3'], run)
        self.assertIn('1.2.1.3', run.stderr)

    def test_what_was_not_listed_is_refused_and_counted(self):
        with ScriptedArchive(lists('1.2.1.1'), on_get=gets('1.2.1.1', '1.2.1.9')) as archive:
            run = self.get(archive)
        self.assertEqual((run.total('stored'), run.total('unlisted'), run.total('refused')), (1, 1, 0), run)
        self.assertEqual((self.kept(), archive.stored), (['1.2.1.1.dcm'], {'1.2.1.1': 0, '1.2.1.9': 0x0124}))

    def test_what_comes_under_the_uid_and_is_something_else(self):
        """Nothing of it is kept or counted as there, and the summary names what is missing, and why."""
        good = instance_bytes('1.2.1.1')
        for name, data, status in (('empty', b'', 0xC000), ('random', bytes(range(256)) * 8, 0xC000),
                                   ('cut', good[:-3], 0xC000), ('another instance', instance_bytes('1.2.1.2'), 0xA900),
                                   ('longer by a NUL and more', instance_bytes('1.2.1.1\0x'), 0xA900),
                                   ('another class', good.replace(CT.encode(), CT[:-1].encode() + b'4'), 0xA900)):
            def on_get(_keys, _request, data=data):
                yield Store(CT, '1.2.1.1', data)
                yield DONE
            with self.subTest(name), ScriptedArchive(lists('1.2.1.1'), on_get=on_get) as archive:
                run = self.get(archive, '--retry', '0', code=1)
                self.assertEqual((archive.stored['1.2.1.1'], self.kept()), (status, []), run)
                self.assertEqual((run.total('stored'), run.total('missing'), run.total('refused')), (0, 1, 1), run)
                self.assertEqual(run.summary['missing'][0]['status'], f'0x{status:04X}', run)

    def test_it_dies_half_way(self):
        """In the middle of an instance: that one leaves nothing behind, and the next association brings the rest."""
        uids = [f'1.2.1.{number}' for number in range(1, 5)]

        def on_get(keys, request):
            for uid in wanted_of(keys, uids):
                if request.association == 2 and uid == uids[2]:
                    half = instance_bytes(uid)[:20]
                    command = wire.command(class_uid=CT, field=wire.C_STORE_RQ, message_id=9, priority=0,
                                           data_set_type=1, instance_uid=uid)
                    yield Raw(wire.fragments(3, command, True, 16384) +
                              wire.pdu(wire.P_DATA, struct.pack('>IBB', len(half) + 2, 3, 0) + half))
                    yield End()
                    return
                yield Store(CT, uid, instance_bytes(uid))
            yield DONE
        with ScriptedArchive(lists(*uids), on_get=on_get) as archive:
            run = self.get(archive)
        self.assertEqual((run.total('stored'), run.summary['rounds']), (4, 2), run)
        self.assertEqual(self.kept(), [f'{uid}.dcm' for uid in uids])
        self.assertIsNone(run.summary['requests'][0]['status'], run)

    def test_one_that_cannot_be_sent_does_not_keep_the_others(self):
        """The peer gives up at it, whatever else it was asked for: in the end it is asked for alone."""
        uids = [f'1.2.1.{number}' for number in range(1, 5)]

        def on_get(keys, _request):
            for uid in wanted_of(keys, uids):
                if uid == uids[0]:
                    yield Status(0xC000)
                    return
                yield Store(CT, uid, instance_bytes(uid))
            yield DONE
        with ScriptedArchive(lists(*uids), on_get=on_get) as archive:
            run = self.get(archive, '--retry', '2', code=2)
        self.assertEqual([(entry['instance'], entry['comment']) for entry in run.summary['missing']],
                         [(uids[0], 'C-GET: status C000 (unable to process)')], run)

    def test_a_different_one_is_there_already(self):
        """What is kept is not overwritten; a name that no instance has taken is found out when it comes."""
        with ScriptedArchive(lists('1.2.1.1', '1.2.1.2'), on_get=gets('1.2.1.1', '1.2.1.2')) as archive:
            self.output.mkdir(parents=True)
            (self.output / '1.2.1.2.dcm').symlink_to('/etc/passwd')
            run = self.get(archive, '--retry', '0', code=2)
        entry, = run.summary['missing']
        self.assertEqual((entry['instance'], entry['status'] is not None), ('1.2.1.2', True), run)
        self.assertEqual(run.total('refused'), 1, run)

    def test_the_list_fails(self):
        def on_find(_keys, _request):
            yield Status(0xA900, comment='no such key')
        with ScriptedArchive(on_find, on_get=gets()) as archive:
            run = self.get(archive, code=1)
        self.assertIn('A900', run.summary['stop_reason'], run)
        self.assertIn('no such key', run.summary['stop_reason'], run)

    def test_the_list_is_begun_anew_if_it_breaks_off(self):
        def on_find(keys, request):
            if request.association == 1:
                yield Match(dataset(QueryRetrieveLevel='STUDY', StudyInstanceUID='1.2'))
                yield End()
                return
            yield from lists('1.2.1.1', '1.2.1.2')(keys, request)
        with ScriptedArchive(on_find, on_get=gets('1.2.1.1', '1.2.1.2')) as archive:
            run = self.get(archive)
        self.assertEqual((run.total('matches'), run.total('listed'), run.total('stored')), (1, 2, 2), run)

    def test_matches_without_keys_are_left_out(self):
        def on_find(keys, request):
            if keys.QueryRetrieveLevel == 'IMAGE':
                yield Match(dataset(InstanceNumber='1'))
            yield from lists('1.2.1.1')(keys, request)
        with ScriptedArchive(on_find, on_get=gets('1.2.1.1')) as archive:
            run = self.get(archive)
        self.assertEqual(run.total('listed'), 1, run)
        self.assertIn('left out', run.stderr)

    def test_a_class_that_is_not_named_can_come_all_the_same(self):
        with ScriptedArchive(lists('1.2.1.1', class_uid=''), on_get=gets('1.2.1.1')) as archive:
            run = self.get(archive)
        self.assertEqual(run.total('stored'), 1, run)

    def test_the_peer_is_down(self):
        class Nobody:
            ae_title, port = 'NOBODY', network.free_port()
        run = programs.run_mover(Nobody, '-k', 'PatientID=1', '--get', '-o', self.output, '--retry', '0')
        self.assertEqual((run.exit_code, run.summary['verdict']), (1, 'stopped'), run)


class ThirdParty(ProgramTest):
    def move(self, on_move, *uids, code):
        with ScriptedArchive(lists(*uids), on_move=on_move) as archive:
            run = programs.run_mover(archive, '-k', 'PatientID=1', '--move-dest', 'ELSEWHERE', '--retry', '1')
        self.assertEqual(run.exit_code, code, run)
        return run, archive

    def test_what_failed_there_is_asked_for_again(self):
        def on_move(keys, _request):
            if keys.QueryRetrieveLevel == 'STUDY':
                yield Status(0xFF00, (1, 2, 0, 0))
                yield Status(0xB000, (None, 2, 1, 0), data=dataset(FailedSOPInstanceUIDList=['1.2.1.2']))
            else:
                yield Status(0, (None, 1, 0, 0))
        run, archive = self.move(on_move, '1.2.1.1', '1.2.1.2', '1.2.1.3', code=0)
        first, second = archive.asked('move')
        self.assertEqual((first.move_destination, second.keys.SOPInstanceUID), ('ELSEWHERE', '1.2.1.2'))
        self.assertEqual(run.total('stored'), 3, run)

    def test_a_success_that_sent_less_is_none(self):
        run, _ = self.move(lambda _keys, _request: iter((Status(0, (None, 1, 0, 0)),)), '1.2.1.1', '1.2.1.2', code=1)
        self.assertEqual(run.total('missing'), 2, run)

    def test_failures_without_names_leave_all_in_doubt(self):
        run, _ = self.move(lambda _keys, _request: iter((Status(0xB000, (None, 1, 1, 0)),)), '1.2.1.1', '1.2.1.2',
                           code=1)
        self.assertEqual(run.total('missing'), 2, run)

    def test_unknown_destination_stops_at_once(self):
        run, archive = self.move(lambda _keys, _request: iter((Status(0xA801),)), '1.2.1.1', code=1)
        self.assertEqual((len(archive.asked('move')), run.summary['verdict']), (1, 'stopped'), run)

    def test_out_of_resources_is_asked_again(self):
        answers = iter((Status(0xA702), Status(0, (None, 1, 0, 0))))
        run, archive = self.move(lambda _keys, _request: iter((next(answers),)), '1.2.1.1', code=0)
        self.assertEqual(len(archive.asked('move')), 2, run)


class Here(ProgramTest):
    """C-MOVE to the mover itself."""

    def start_mover(self, archive, port, *options):
        logs = pathlib.Path(self.subfolder('logs'))
        return subprocess.Popen(programs.mover_command(archive, logs, '-k', 'PatientID=1', '-o', self.folder / 'output',
                                                       '--receive-port', port, *options),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=programs.environment())

    def visit(self, client):
        """What becomes of an association, and of a store of the listed instance and of one that is not listed."""
        if client.answer != wire.ASSOCIATE_AC:
            return client.reject
        answers = [client.store(CT, wire.IMPLICIT_LITTLE, uid, instance_bytes(uid)) for uid in ('1.2.1.9', '1.2.1.1')]
        client.release()
        return [answer['status'] for answer in answers]

    def visited(self, *visits, options=()):
        """Run the mover; while it waits for its C-MOVE to be answered, these come: (called AE, calling AE) each."""
        port, outcomes = network.free_port(), []

        def on_move(_keys, _request):
            for called, calling in visits:
                with wire.Client(port, [(CT, wire.IMPLICIT_LITTLE)], called_ae=called, calling_ae=calling) as client:
                    outcomes.append(self.visit(client))
            yield Status(0, (None, 1, 0, 0))
        with ScriptedArchive(lists('1.2.1.1'), on_move=on_move) as archive:
            run = programs.run_mover(archive, '-k', 'PatientID=1', '-o', self.folder / 'output', '--receive-port', port,
                                     '--receive-ae', 'HERE', '--retry', '0', *options)
        return run, outcomes

    def test_a_stranger_has_nothing_to_give(self):
        run, outcomes = self.visited(('ELSEWHERE', 'STRANGER'))
        self.assertEqual((outcomes, run.exit_code, run.total('missing')), ([(1, 1, 7)], 1, 1), run)

    def test_only_what_was_asked_for_is_taken(self):
        run, outcomes = self.visited(('HERE', 'SCRIPTED'))
        self.assertEqual((outcomes, run.exit_code, run.total('unlisted')), ([[0x0124, 0]], 0, 1), run)
        self.assertEqual([path.name for path in (self.folder / 'output').iterdir()], ['1.2.1.1.dcm'])

    def test_only_who_is_allowed_may_send(self):
        run, outcomes = self.visited(('HERE', 'STRANGER'), options=('--allow-from', 'SCRIPTED'))
        self.assertEqual((outcomes, run.exit_code), ([(1, 1, 3)], 1), run)
        for allowed in ('SCRIPTED', '127.0.0.1', 'localhost'):
            with self.subTest(allowed):
                shutil.rmtree(self.folder / 'output')
                run, outcomes = self.visited(('HERE', 'SCRIPTED'),
                                             options=('--allow-from', '192.0.2.1', '--allow-from', allowed))
                self.assertEqual((outcomes, run.exit_code), ([[0x0124, 0]], 0), run)

    def test_nobody_can_be_allowed_who_is_nobody(self):
        run, _ = self.visited(options=('--allow-from', 'no-such-host-anywhere.invalid'))
        self.assertEqual(run.exit_code, 1, run)
        self.assertIn("--allow-from: 'no-such-host-anywhere.invalid'", run.stderr)

    def test_instances_that_come_after_the_answer(self):
        port = network.free_port()

        def on_move(_keys, _request):
            thread.start()
            yield Status(0, (None, 1, 0, 0))

        def send():
            time.sleep(0.5)
            with wire.Client(port, [(CT, wire.IMPLICIT_LITTLE)], called_ae='HERE') as client:
                client.store(CT, wire.IMPLICIT_LITTLE, '1.2.1.1', instance_bytes('1.2.1.1'))
                client.release()
        thread = threading.Thread(target=send, daemon=True)
        with ScriptedArchive(lists('1.2.1.1'), on_move=on_move) as archive:
            run = programs.run_mover(archive, '-k', 'PatientID=1', '-o', self.folder / 'output', '--receive-port', port,
                                     '--receive-ae', 'HERE')
            thread.join()
        self.assertEqual((run.exit_code, run.total('stored'), run.summary['rounds']), (0, 1, 1), run)

    def test_interrupted_it_asks_the_peer_to_stop(self):
        def on_move(_keys, request):
            while not request.cancelled.wait(0.02):
                yield Status(0xFF00, (1, 0, 0, 0))
            yield Status(0xFE00, (1, 0, 0, 0))
        with ScriptedArchive(lists('1.2.1.1'), on_move=on_move) as archive:
            process = self.start_mover(archive, network.free_port())
            network.wait_until(lambda: archive.asked('move'), 20, 'a C-MOVE')
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, err)
        summary = json.loads(out)
        self.assertEqual((summary['verdict'], summary['requests'][0]['status']), ('interrupted', '0xFE00'))

    def test_interrupted_twice_it_does_not_wait(self):
        release = threading.Event()
        with ScriptedArchive(lists('1.2.1.1'), on_move=silent_until(release)) as archive:
            process = self.start_mover(archive, network.free_port())
            network.wait_until(lambda: archive.asked('move'), 20, 'a C-MOVE')
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=15)
            release.set()
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(json.loads(out)['totals']['missing'], 1)

    def test_silence_ends_in_time(self):
        release = threading.Event()
        with ScriptedArchive(lists('1.2.1.1'), on_move=silent_until(release)) as archive:
            process = self.start_mover(archive, network.free_port(), '--dimse-timeout', '1', '--retry', '0')
            out, err = process.communicate(timeout=20)
            release.set()
        self.assertEqual(process.returncode, 1, err)
        self.assertIn('within the DIMSE timeout', json.loads(out)['stop_reason'])


if __name__ == '__main__':
    unittest.main()
