"""Archives that list less than they have, or talk without an end: dicom-mover says what is missing, and comes to an end."""
import fcntl
import itertools
import json
import os
import pathlib
import resource
import signal
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest

from support import network, programs, wire
from support.base import ProgramTest
from support.scripted_archive import End, Match, Raw, ScriptedArchive, Status, Store, dataset, encode

CT = '1.2.840.10008.5.1.4.1.1.2'
FIND_STUDY_ROOT = '1.2.840.10008.5.1.4.1.2.2.1'
DONE = Status(0)
LONG = '1.2.' + '3' * 64    # no UID: 68 characters


def instance_bytes(uid, series='1.2.1', study='1.2', filling=0):
    more = {'PatientComments': 'x' * filling} if filling else {}
    return encode(dataset(SOPClassUID=CT, SOPInstanceUID=uid, StudyInstanceUID=study, SeriesInstanceUID=series, **more))


class Study:
    """One study; what of it is listed, and how, is for a test to say: series = {uid: [instance uids]}."""

    def __init__(self, series, said=None, series_said=(), instead=None, class_uid=CT):
        self.series, self.said, self.series_said = series, said, dict(series_said)
        self.instead = instead or {}    # answers by level or by (level, series uid)
        self.class_uid = class_uid

    def on_find(self, keys, _request):
        level, series = keys.QueryRetrieveLevel, str(keys.get('SeriesInstanceUID', ''))
        if (other := self.instead.get((level, series), self.instead.get(level))) is not None:
            yield from other
            return
        if level == 'STUDY':
            yield Match(dataset(QueryRetrieveLevel=level, StudyInstanceUID='1.2',
                                **({'NumberOfStudyRelatedInstances': str(self.said)} if self.said is not None else {})))
        elif level == 'SERIES':
            for uid in self.series:
                said = {'NumberOfSeriesRelatedInstances': str(self.series_said[uid])} if uid in self.series_said else {}
                yield Match(dataset(QueryRetrieveLevel=level, StudyInstanceUID='1.2', SeriesInstanceUID=uid, **said))
        else:
            for uid in self.series.get(series, ()):
                yield Match(dataset(QueryRetrieveLevel=level, StudyInstanceUID='1.2', SeriesInstanceUID=series,
                                    SOPInstanceUID=uid, SOPClassUID=self.class_uid))
        yield DONE


def gets(series, leave_out=(), counts=True):
    """An on_get that sends what it has of what it is asked for."""
    def on_get(keys, _request):
        wanted, named = str(keys.get('SeriesInstanceUID', '')), keys.get('SOPInstanceUID')
        named = [named] if isinstance(named, str) else named
        sent = [(owner, uid) for owner, uids in series.items() for uid in uids
                if wanted in ('', owner) and (not named or uid in named) and uid not in leave_out]
        for owner, uid in sent:
            yield Store(CT, uid, instance_bytes(uid, owner))
        yield Status(0, (None, len(sent), 0, 0) if counts else None)
    return on_get


def environment():
    return programs.environment()


def bytes_in(pipe):
    return struct.unpack('i', fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


class MoverTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.output = self.folder / 'output'

    def get(self, archive, *options, code=0, key='StudyInstanceUID=1.2', **more):
        run = programs.run_mover(archive, '-k', key, '--get', '-o', self.output, *options, **more)
        self.assertEqual(run.exit_code, code, run)
        totals = run.summary['totals']
        self.assertEqual(totals['listed'], totals['present'] + totals['stored'] + totals['missing'], run)
        self.assertEqual(sum(entry['count'] for entry in run.summary['missing']), totals['missing'], run)
        return run

    def kept(self):
        return sorted(path.name for path in self.output.iterdir())


class NotListed(MoverTest):
    """What a peer does not list is asked for all the same; what it never sends is missing."""

    ALL = {'1.2.1': ['1.2.1.1', '1.2.1.2'], '1.2.2': ['1.2.2.1', '1.2.2.2', '1.2.2.3']}
    NAMES = sorted(f'{uid}.dcm' for uids in ALL.values() for uid in uids)

    def both(self, study, level, more=None, missing=1, unfit=None):
        """With a peer that sends what it did not list, and with one that does not."""
        everything = dict(self.ALL, **(more or {}))
        with ScriptedArchive(study.on_find, on_get=gets(everything)) as archive:
            run = self.get(archive)
        asked = [request.keys.QueryRetrieveLevel for request in archive.asked('get')]
        self.assertIn(level, asked, run)
        self.assertEqual((self.kept(), run.total('stored')), (self.NAMES, len(self.NAMES)), run)
        for path in self.output.iterdir():
            path.unlink()
        with ScriptedArchive(study.on_find, on_get=gets(everything, leave_out=self.ALL['1.2.2'])) as archive:
            run = self.get(archive, '--retry', '0', code=2)
        self.assertEqual((run.total('stored'), run.total('missing')), (2, missing), run)
        self.assertIsNone(run.summary['missing'][0]['instance'], run)
        return run

    def test_a_series_uid_that_is_too_long(self):
        study = Study({'1.2.1': self.ALL['1.2.1'], LONG: []})
        run = self.both(study, 'STUDY')
        self.assertIn('left out', run.stderr)
        self.assertIn('1 instance of study 1.2', run.stderr)

    def test_a_series_uid_that_is_too_long_and_a_number(self):
        self.both(Study({'1.2.1': self.ALL['1.2.1'], LONG: []}, series_said={LONG: 3}), 'STUDY', missing=3)

    def test_a_series_uid_that_is_empty_or_a_wildcard(self):
        for uid in ('', '*', '1.2.?'):
            with self.subTest(uid):
                self.both(Study({'1.2.1': self.ALL['1.2.1'], uid: []}), 'STUDY')
                for path in self.output.iterdir():
                    path.unlink()

    def test_the_instances_of_a_series_are_not_listed(self):
        for name, answer in (('empty', [DONE]), ('refused', [Status(0xA700)]), ('not supported', [Status(0x0122)]),
                             ('cannot', [Status(0xC001)]), ('unknown', [Status(0xA900)])):
            with self.subTest(name):
                study = Study(self.ALL, instead={('IMAGE', '1.2.2'): answer})
                self.both(study, 'SERIES')
                for path in self.output.iterdir():
                    path.unlink()

    def test_the_list_of_a_series_breaks_off(self):
        """What it named is not all that there is, also if that is there already."""
        first = Match(dataset(QueryRetrieveLevel='IMAGE', StudyInstanceUID='1.2', SeriesInstanceUID='1.2.2',
                              SOPInstanceUID='1.2.2.1', SOPClassUID=CT))
        for end in (Status(0xA700), Status(0xC001), Status(0xFE00), Status(0xB000), End()):
            with self.subTest(end):
                study = Study(self.ALL, instead={('IMAGE', '1.2.2'): [first, end]})
                with ScriptedArchive(study.on_find, on_get=gets(self.ALL)) as archive:
                    run = self.get(archive)
                    self.assertEqual((self.kept(), run.total('unlisted')), (self.NAMES, 0), run)
                    for uid in self.ALL['1.2.2'][1:]:
                        (self.output / f'{uid}.dcm').unlink()
                    run = self.get(archive)
                    self.assertEqual((self.kept(), run.total('stored')), (self.NAMES, 2), run)
                for path in self.output.iterdir():
                    path.unlink()

    def test_the_list_of_series_breaks_off(self):
        first = Match(dataset(QueryRetrieveLevel='SERIES', StudyInstanceUID='1.2', SeriesInstanceUID='1.2.1'))
        study = Study(self.ALL, instead={'SERIES': [first, Status(0xA700)]})
        with ScriptedArchive(study.on_find, on_get=gets(self.ALL)) as archive:
            self.get(archive)
            for uid in self.ALL['1.2.2']:
                (self.output / f'{uid}.dcm').unlink()
            self.get(archive)
        self.assertEqual(self.kept(), self.NAMES)

    def test_a_match_names_several(self):
        """Each of several instances is wanted; several series are no key to ask with."""
        both = Match(dataset(QueryRetrieveLevel='IMAGE', StudyInstanceUID='1.2', SeriesInstanceUID='1.2.1',
                             SOPInstanceUID=self.ALL['1.2.1'], SOPClassUID=CT))
        study = Study(self.ALL, instead={('IMAGE', '1.2.1'): [both, DONE]})
        with ScriptedArchive(study.on_find, on_get=gets(self.ALL, leave_out=['1.2.1.2'])) as archive:
            run = self.get(archive, '--retry', '0', code=2)
        self.assertEqual([entry['instance'] for entry in run.summary['missing']], ['1.2.1.2'], run)
        both = Match(dataset(QueryRetrieveLevel='SERIES', StudyInstanceUID='1.2', SeriesInstanceUID=['1.2.1', '1.2.2']))
        study = Study(self.ALL, instead={'SERIES': [both, DONE]})
        with ScriptedArchive(study.on_find, on_get=gets(self.ALL)) as archive:
            self.get(archive)
        self.assertEqual(self.kept(), self.NAMES)

    def test_the_instances_of_a_series_are_counted_and_not_listed(self):
        study = Study(self.ALL, instead={('IMAGE', '1.2.2'): [DONE]}, series_said={'1.2.2': 3})
        self.both(study, 'SERIES', missing=3)

    def test_it_hangs_up_when_instances_are_asked_for(self):
        for retry in (0, 2):
            with self.subTest(retry=retry):
                study = Study(self.ALL, instead={'IMAGE': [End()]})
                with ScriptedArchive(study.on_find, on_get=gets(self.ALL)) as archive:
                    run = self.get(archive, '--retry', retry)
                self.assertEqual((self.kept(), run.total('missing')), (self.NAMES, 0), run)
                for path in self.output.iterdir():
                    path.unlink()

    def test_the_series_are_not_listed(self):
        for name, answer in (('empty', [DONE]), ('refused', [Status(0xA900)])):
            with self.subTest(name):
                study = Study(self.ALL, said=5, instead={'SERIES': answer})
                with ScriptedArchive(study.on_find, on_get=gets(self.ALL)) as archive:
                    run = self.get(archive)
                self.assertEqual([request.keys.QueryRetrieveLevel for request in archive.asked('get')], ['STUDY'], run)
                self.assertEqual((self.kept(), run.total('stored')), (self.NAMES, 5), run)
                with ScriptedArchive(study.on_find, on_get=gets({})) as archive:
                    run = self.get(archive, '--retry', '0', code=1)
                self.assertEqual(run.total('missing'), 5, run)
                for path in self.output.iterdir():
                    path.unlink()

    def test_it_counts_more_than_it_lists(self):
        less = {'1.2.1': self.ALL['1.2.1'], '1.2.2': []}
        self.both(Study(less, said=5), 'STUDY', missing=3)

    def test_the_count_of_a_series_is_more_than_its_list(self):
        less = {'1.2.1': self.ALL['1.2.1'], '1.2.2': self.ALL['1.2.2'][:1]}
        study = Study(less, series_said={'1.2.2': 3})
        with ScriptedArchive(study.on_find, on_get=gets(self.ALL)) as archive:
            run = self.get(archive)
        self.assertEqual(self.kept(), self.NAMES, run)
        for path in self.output.iterdir():
            path.unlink()
        with ScriptedArchive(study.on_find, on_get=gets(self.ALL, leave_out=self.ALL['1.2.2'][1:])) as archive:
            run = self.get(archive, '--retry', '0', code=2)
        self.assertEqual((run.total('stored'), run.total('missing'), run.total('unnamed')), (3, 2, 2), run)

    def test_it_says_itself_that_more_failed(self):
        """All that is listed came, and the peer speaks of two that could not be sent; one of them it names."""
        def on_get(keys, request):
            actions = list(gets({'1.2.1': ['1.2.1.1']})(keys, request))
            yield from actions[:-1]
            yield Status(0xB000, (None, 1, 2, 0), data=dataset(FailedSOPInstanceUIDList=['1.2.1.7']))
        with ScriptedArchive(Study({'1.2.1': ['1.2.1.1']}).on_find, on_get=on_get) as archive:
            run = self.get(archive, '--retry', '1', code=2)
        self.assertEqual((run.total('stored'), run.total('missing')), (1, 2), run)
        self.assertIn('1.2.1.7', [entry['instance'] for entry in run.summary['missing']], run)

    def test_numbers_that_agree_leave_nothing_open(self):
        study = Study(self.ALL, said=5, series_said={'1.2.1': 2, '1.2.2': 3})
        with ScriptedArchive(study.on_find, on_get=gets(self.ALL)) as archive:
            run = self.get(archive)
        self.assertEqual((len(archive.asked('get')), run.total('stored'), run.total('unnamed')), (1, 5, 0), run)

    def test_a_series_that_is_said_to_be_empty(self):
        study = Study({'1.2.1': self.ALL['1.2.1'], '1.2.3': []}, series_said={'1.2.3': 0})
        with ScriptedArchive(study.on_find, on_get=gets(self.ALL, leave_out=self.ALL['1.2.2'])) as archive:
            run = self.get(archive)
        self.assertEqual((run.total('stored'), run.total('missing')), (2, 0), run)


class WithoutFind(MoverTest):
    ALL = NotListed.ALL

    def test_it_asks_for_what_the_keys_name(self):
        with ScriptedArchive(on_get=gets(self.ALL)) as archive:
            run = self.get(archive, '--no-find')
        self.assertEqual((len(archive.asked('find')), len(archive.asked('get'))), (0, 1), run)
        self.assertEqual((self.kept(), run.total('stored')), (NotListed.NAMES, 5), run)

    def test_by_c_move(self):
        port = network.free_port()

        def on_move(_keys, _request):
            with wire.Client(port, [(CT, wire.IMPLICIT_LITTLE)], called_ae='DICOM_MOVER') as client:
                for uid in ('1.2.1.1', '1.2.1.2'):
                    client.store(CT, wire.IMPLICIT_LITTLE, uid, instance_bytes(uid))
                client.release()
            yield Status(0, (None, 2, 0, 0))
        with ScriptedArchive(on_move=on_move) as archive:
            run = programs.run_mover(archive, '-k', 'StudyInstanceUID=1.2', '--no-find', '-o', self.output,
                                     '--receive-port', port)
        self.assertEqual((run.exit_code, run.total('stored')), (0, 2), run)
        self.assertEqual(self.kept(), ['1.2.1.1.dcm', '1.2.1.2.dcm'])

    def test_what_comes_late_is_of_the_part_that_was_asked_for(self):
        """Each series is asked for by itself, and comes after the answer: nothing is missing, and nothing comes twice."""
        series = {f'1.2.{number}': [f'1.2.{number}.1'] for number in range(1, 4)}
        port, senders = network.free_port(), []

        def send(owner, destination):
            with wire.Client(port, [(CT, wire.IMPLICIT_LITTLE)], called_ae=destination) as client:
                client.store(CT, wire.IMPLICIT_LITTLE, series[owner][0], instance_bytes(series[owner][0], owner))
                client.release()

        def on_move(keys, request):
            senders.append(threading.Timer(0.3, send, (keys.SeriesInstanceUID, request.move_destination)))
            senders[-1].start()
            yield Status(0, (None, 1, 0, 0))
        with ScriptedArchive(Study(series, instead={'IMAGE': [DONE]}).on_find, on_move=on_move) as archive:
            run = programs.run_mover(archive, '-k', 'StudyInstanceUID=1.2', '-o', self.output, '--receive-port', port)
        for sender in senders:
            sender.join()
        self.assertEqual((run.exit_code, run.total('stored'), run.total('listed'), len(senders)), (0, 3, 3, 3), run)

    def test_several_studies_and_one_that_is_not_there(self):
        def on_get(keys, request):
            if keys.StudyInstanceUID == '1.2':
                yield from gets(self.ALL)(keys, request)
            else:
                yield Status(0, (None, 0, 0, 0))
        with ScriptedArchive(on_get=on_get) as archive:
            run = self.get(archive, '--no-find', '--retry', '0', key='StudyInstanceUID=1.2\\1.3', code=2)
        self.assertEqual((run.total('matches'), run.total('stored'), run.total('missing')), (2, 5, 1), run)
        self.assertEqual(run.summary['missing'][0]['study'], '1.3', run)

    def test_less_came_than_it_says(self):
        def on_get(keys, request):
            yield from list(gets(self.ALL)(keys, request))[:-1]
            yield Status(0, (None, 7, 0, 0))
        with ScriptedArchive(on_get=on_get) as archive:
            run = self.get(archive, '--no-find', '--retry', '0', code=2)
        self.assertEqual((run.total('stored'), run.total('missing')), (5, 2), run)

    def test_instances_by_their_uids(self):
        with ScriptedArchive(on_get=gets(self.ALL)) as archive:
            run = self.get(archive, '--no-find', '-L', 'image', '-k', 'SeriesInstanceUID=1.2.1', '-k',
                           'SOPInstanceUID=1.2.1.1\\1.2.1.9', '--retry', '0', code=2)
        self.assertEqual([entry['instance'] for entry in run.summary['missing']], ['1.2.1.9'], run)

    def test_a_third_party(self):
        for counts, code, stored in (((None, 5, 0, 0), 0, 5), (None, 0, 1), ((None, 0, 0, 0), 1, 0)):
            with self.subTest(counts=counts), ScriptedArchive(
                    on_move=lambda _keys, _request, counts=counts: iter((Status(0, counts),))) as archive:
                run = programs.run_mover(archive, '-k', 'StudyInstanceUID=1.2', '--no-find', '--move-dest', 'THERE',
                                         '--retry', '0')
                self.assertEqual((run.exit_code, run.total('stored')), (code, stored), run)
                self.assertNotIn('0 B', run.stderr)

    def test_the_peer_refuses_to_be_asked(self):
        """Then it goes by the keys by itself, if they name what is wanted."""
        with ScriptedArchive(on_get=gets(self.ALL), refuses=(FIND_STUDY_ROOT,)) as archive:
            run = self.get(archive)
            self.assertEqual(run.total('stored'), 5, run)
            run = self.get(archive, key='PatientID=1', code=1)
        self.assertIn('does not accept C-FIND', run.summary['stop_reason'])

    def test_the_first_c_find_fails(self):
        study = Study(self.ALL, instead={'STUDY': [Status(0x0122)]})
        with ScriptedArchive(study.on_find, on_get=gets(self.ALL)) as archive:
            run = self.get(archive)
        self.assertEqual(run.total('stored'), 5, run)


class Again(MoverTest):
    """What is under the names already."""

    UIDS = ['1.2.1.1', '1.2.1.2', '1.2.1.3', '1.2.1.4']

    def fetch(self, archive, **more):
        return self.get(archive, **more)

    def test_what_is_spoiled_is_fetched_again(self):
        study = Study({'1.2.1': self.UIDS}, said=4)
        with ScriptedArchive(study.on_find, on_get=gets(study.series)) as archive:
            self.fetch(archive)
            right = {path.name: path.read_bytes() for path in self.output.iterdir()}
            first, second, third, fourth = (self.output / f'{uid}.dcm' for uid in self.UIDS)
            first.write_bytes(b'')
            second.write_bytes(right[second.name][:-20])
            third.write_bytes(right[fourth.name])
            run = self.fetch(archive)
            self.assertEqual({path.name: path.read_bytes() for path in self.output.iterdir()}, right)
            self.assertEqual((run.total('present'), run.total('stored'), run.total('replaced')), (1, 3, 3), run)
            run = self.fetch(archive)
            self.assertEqual((run.total('present'), run.total('stored')), (4, 0), run)

    def test_what_cannot_come_again_stays_and_is_missing(self):
        study = Study({'1.2.1': self.UIDS}, said=4)
        with ScriptedArchive(study.on_find, on_get=gets(study.series)) as archive:
            self.fetch(archive)
        cut = self.output / '1.2.1.2.dcm'
        cut.write_bytes(cut.read_bytes()[:-20])
        with ScriptedArchive(study.on_find, on_get=gets({})) as archive:
            run = self.get(archive, '--retry', '0', code=2)
        self.assertEqual((run.total('present'), run.total('missing')), (3, 1), run)
        self.assertTrue(cut.exists())

    def test_the_only_copy_of_another_instance_gets_its_own_name(self):
        with ScriptedArchive(Study({'1.2.9': ['1.2.9.9']}).on_find, on_get=gets({'1.2.9': ['1.2.9.9']})) as archive:
            self.fetch(archive)
        other = (self.output / '1.2.9.9.dcm').read_bytes()
        (self.output / '1.2.9.9.dcm').rename(self.output / '1.2.1.1.dcm')
        with ScriptedArchive(Study({'1.2.1': ['1.2.1.1']}).on_find, on_get=gets({'1.2.1': ['1.2.1.1']})) as archive:
            self.fetch(archive)
        self.assertEqual(self.kept(), ['1.2.1.1.dcm', '1.2.9.9.dcm'])
        self.assertEqual((self.output / '1.2.9.9.dcm').read_bytes(), other)
        self.assertNotEqual((self.output / '1.2.1.1.dcm').read_bytes(), other)

    def test_text_and_a_folder_under_the_name(self):
        study = Study({'1.2.1': self.UIDS[:2]})
        self.output.mkdir()
        (self.output / '1.2.1.1.dcm').write_text('hello\n')
        (self.output / '1.2.1.2.dcm').mkdir()
        with ScriptedArchive(study.on_find, on_get=gets(study.series)) as archive:
            run = self.get(archive, '--retry', '0', code=2)
        self.assertEqual([entry['instance'] for entry in run.summary['missing']], ['1.2.1.2'], run)


class Repeated(MoverTest):
    def test_a_uid_is_looked_into_once(self):
        """A peer that answers each level once for each instance."""
        series = {f'1.2.{number}': [f'1.2.{number}.{i}' for i in range(4)] for number in range(1, 4)}

        def on_find(keys, request):
            for action in Study(series).on_find(keys, request):
                yield from [action] * (12 if isinstance(action, Match) else 1)
        with ScriptedArchive(on_find, on_get=gets(series)) as archive:
            run = self.get(archive)
        self.assertEqual(len(archive.asked('find')), 1 + 1 + 3, run)
        self.assertEqual((run.total('matches'), run.total('series'), run.total('stored')), (1, 3, 12), run)


class Endless(MoverTest):
    """The peer never comes to an end by itself."""

    def assert_stops(self, run, text):
        self.assertIn(text, json.dumps(run.summary), run)

    def test_matches(self):
        def on_find(_keys, _request):
            for number in itertools.count():
                yield Match(dataset(StudyInstanceUID=f'1.2.{number}'))
        with ScriptedArchive(on_find) as archive:
            run = self.get(archive, '--max-matches', '100', '--dimse-timeout', '1', key='PatientID=1', code=1)
        self.assertIn('more than 100 matches', run.summary['stop_reason'])
        self.assertTrue(archive.requests[0].cancelled.is_set())

    def test_the_same_match(self):
        def on_find(_keys, _request):
            while True:
                yield Match(dataset(StudyInstanceUID='1.2'))
                time.sleep(0.01)
        with ScriptedArchive(on_find) as archive:
            run = self.get(archive, '--stall-timeout', '1', '--retry', '0', key='PatientID=1', code=1)
        self.assertIn('nothing new', run.summary['stop_reason'])

    def test_matches_for_the_finder(self):
        def on_find(_keys, _request):
            for number in itertools.count():
                yield Match(dataset(StudyInstanceUID=f'1.2.{number}'))
        with ScriptedArchive(on_find) as archive:
            done = programs.run('dicom-finder', f'A@127.0.0.1:{archive.port}', '--max-matches', '50', '--csv',
                                        '--dimse-timeout', '1')
            self.assertEqual((done.code, len(done.out.splitlines())), (2, 51), done)
            self.assertIn('more than 50 matches', done.err)
            done = programs.run('dicom-finder', f'A@127.0.0.1:{archive.port}', '--limit', '3', '--csv',
                                        '--dimse-timeout', '1')
            self.assertEqual((done.code, len(done.out.splitlines())), (0, 4), done)

    def stalls(self, actions, *options, text='nothing new', **more):
        with ScriptedArchive(Study({'1.2.1': ['1.2.1.1']}).on_find, on_get=actions) as archive:
            run = self.get(archive, '--stall-timeout', '1', '--retry', '0', *options, **more)
        self.assertIn(text, run.summary['stop_reason'], run)
        return run

    def test_pending_answers(self):
        def on_get(_keys, _request):
            while True:
                yield Status(0xFF00, (1, 0, 0, 0))
                time.sleep(0.01)
        self.stalls(on_get, code=1)

    def test_pending_answers_that_count_in_circles(self):
        def on_get(_keys, _request):
            for number in itertools.count():
                yield Status(0xFF00, (1, number % 3, 0, 0))
                time.sleep(0.01)
        self.stalls(on_get, code=1)

    def test_the_same_instance(self):
        def on_get(_keys, _request):
            while True:
                yield Store(CT, '1.2.1.1', instance_bytes('1.2.1.1'))
        with ScriptedArchive(Study({'1.2.1': ['1.2.1.1']}).on_find, on_get=on_get) as archive:
            run = self.get(archive, '--stall-timeout', '1', '--retry', '0', code=0)
        self.assertEqual(run.total('stored'), 1, run)

    def test_strangers(self):
        def on_get(_keys, _request):
            for number in itertools.count():
                uid = f'1.2.7.{number}'
                yield Store(CT, uid, instance_bytes(uid))
        run = self.stalls(on_get, '--stall-timeout', '600', text='not asked for', code=1)
        self.assertLess(run.total('unlisted'), 1100)
        self.assertEqual(self.kept(), [])

    def test_more_than_is_allowed_of_what_is_not_listed(self):
        def on_get(_keys, _request):
            for number in itertools.count():
                uid = f'1.2.7.{number}'
                yield Store(CT, uid, instance_bytes(uid))
        with ScriptedArchive(on_get=on_get) as archive:
            run = self.get(archive, '--no-find', '--max-matches', '20', code=2)
        self.assertIn('--max-matches', run.summary['stop_reason'])
        self.assertLess(run.total('stored'), 30)

    def test_one_instance(self):
        """It ends when there is no room any more, and leaves nothing behind."""
        def on_get(_keys, _request):
            yield Raw(wire.fragments(5, wire.command(class_uid=CT, field=wire.C_STORE_RQ, message_id=9, priority=0,
                                                     data_set_type=1, instance_uid='1.2.1.1'), True, 16384))
            pdu = wire.pdu(wire.P_DATA, struct.pack('>IBB', 16000 + 2, 5, 0) + bytes(16000))
            while True:
                yield Raw(pdu * 64)
        limit = 4 << 20
        with ScriptedArchive(Study({'1.2.1': ['1.2.1.1']}).on_find, on_get=on_get) as archive:
            logs = pathlib.Path(self.subfolder('logs'))
            command = programs.mover_command(archive, logs, '-k', 'StudyInstanceUID=1.2', '--get', '-o', self.output,
                                             '--retry', '0')
            done = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environment(),
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn('no room', json.loads(done.stdout)['stop_reason'])
        self.assertEqual(self.kept(), [])


class Signals(MoverTest):
    """The first signal ends it within the DIMSE timeout, whatever the peer does; others do not make it worse."""

    def start(self, archive, *options, program='dicom-mover'):
        if program == 'dicom-mover':
            logs = tempfile.mkdtemp(dir=self.folder)
            command = programs.mover_command(archive, logs, '-k', 'StudyInstanceUID=1.2', *options)
        else:
            command = [programs.program(program), f'A@127.0.0.1:{archive.port}', *options]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())

    def ends_by(self, archive, kind, *options, number=signal.SIGTERM, program='dicom-mover'):
        process = self.start(archive, '--dimse-timeout', '2', *options, program=program)
        network.wait_until(lambda: archive.asked(kind), 20, f'a C-{kind.upper()}')
        time.sleep(0.3)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(programs.fault_of(err.decode()), '')
        return out

    @staticmethod
    def endless_matches(_keys, _request):
        for number in itertools.count():
            yield Match(dataset(StudyInstanceUID=f'1.2.{number}'))

    @staticmethod
    def endless_answers(_keys, _request):
        while True:
            yield Status(0xFF00, (1, 0, 0, 0))

    @staticmethod
    def endless_instances(_keys, _request):
        for number in itertools.count():
            uid = f'1.2.1.{number % 5}'
            yield Store(CT, uid, instance_bytes(uid))

    def test_while_it_lists(self):
        with ScriptedArchive(self.endless_matches) as archive:
            self.ends_by(archive, 'find', '--get', '-o', self.output, '--max-matches', '0')

    def test_while_it_is_told_and_told(self):
        study = Study({'1.2.1': ['1.2.1.1']})
        with ScriptedArchive(study.on_find, on_move=self.endless_answers, on_get=self.endless_answers) as archive:
            self.ends_by(archive, 'move', '-o', self.output, '--receive-port', network.free_port())
            self.ends_by(archive, 'get', '-o', self.output, '--get')
            self.ends_by(archive, 'move', '--move-dest', 'THERE', number=signal.SIGINT)

    def test_while_instances_come(self):
        study = Study({'1.2.1': ['1.2.1.1', '1.2.1.7']})
        with ScriptedArchive(study.on_find, on_get=self.endless_instances) as archive:
            self.ends_by(archive, 'get', '-o', self.output, '--get')

    def test_the_finder(self):
        with ScriptedArchive(self.endless_matches) as archive:
            process = self.start(archive, '--dimse-timeout', '2', '--csv', '--max-matches', '0', program='dicom-finder')
            reader = threading.Thread(target=process.stdout.read, daemon=True)
            reader.start()
            network.wait_until(lambda: archive.asked('find'), 20, 'a C-FIND')
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(20), 130)
            reader.join(10)
            process.stdout.close()
            process.stderr.close()

    def test_the_finder_whose_reader_has_stopped(self):
        """Nobody reads, and nobody closes the pipe."""
        def some_matches(_keys, _request):
            yield from itertools.islice(self.endless_matches(None, None), 5_000)
            yield DONE
        for answers in (self.endless_matches, some_matches):
            for options in ((), ('--csv',), ('--json',)):
                for count in (1, 2):
                    with self.subTest(answers=answers, options=options, count=count), \
                            ScriptedArchive(answers) as archive:
                        process = self.start(archive, '--dimse-timeout', '4', '--max-matches', '0', *options,
                                             program='dicom-finder')
                        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
                        network.wait_until(lambda out=process.stdout: bytes_in(out) > 0, 60, 'a full pipe')
                        time.sleep(0.2)
                        for _ in range(count):
                            process.send_signal(signal.SIGINT)
                            time.sleep(0.1)
                        try:
                            self.assertEqual(process.wait(20), 130)
                        finally:
                            process.kill()
                            process.stdout.close()
                        with process.stderr as err:
                            self.assertIn(b'not whole', err.read())

    def test_three_in_a_row_are_two(self):
        """The third does not kill: the summary is there, and the exit code is that of an interruption."""
        release = threading.Event()

        def on_move(_keys, _request):
            release.wait(30)
            yield End()
        study = Study({'1.2.1': ['1.2.1.1']})
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number), ScriptedArchive(study.on_find, on_move=on_move) as archive:
                process = self.start(archive, '-o', self.output, '--receive-port', network.free_port())
                network.wait_until(lambda archive=archive: archive.asked('move'), 20, 'a C-MOVE')
                for _ in range(5):
                    process.send_signal(number)
                    time.sleep(0.01)
                out, err = process.communicate(timeout=20)
                release.set()
                self.assertEqual(process.returncode, 130, err)
                self.assertEqual(json.loads(out)['verdict'], 'interrupted')


class ThirdParty(ProgramTest):
    def test_a_cancelled_move_counts_what_was_sent(self):
        uids = [f'1.2.1.{number}' for number in range(30)]

        def on_move(_keys, request):
            sent = 0
            while not request.cancelled.wait(0.05):
                sent = min(sent + 1, 7)
                yield Status(0xFF00, (30 - sent, sent, 0, 0))
            yield Status(0xFE00, (23, 7, 0, 0))
        with ScriptedArchive(Study({'1.2.1': uids}).on_find, on_move=on_move) as archive:
            process = subprocess.Popen(programs.mover_command(archive, pathlib.Path(self.subfolder('logs')), '-k',
                                                              'StudyInstanceUID=1.2', '--move-dest', 'THERE'),
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
            network.wait_until(lambda: archive.asked('move'), 20, 'a C-MOVE')
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        summary = json.loads(out)
        self.assertEqual((process.returncode, summary['totals']['stored'], summary['totals']['missing']), (130, 7, 23), err)
        self.assertEqual(sum(entry['count'] for entry in summary['missing']), 23, summary['missing'])

    def test_a_warning_without_counts_says_that_something_failed(self):
        with ScriptedArchive(Study({'1.2.1': ['1.2.1.1']}).on_find,
                             on_move=lambda _keys, _request: iter((Status(0xB000),))) as archive:
            run = programs.run_mover(archive, '-k', 'StudyInstanceUID=1.2', '--move-dest', 'THERE', '--retry', '0')
        self.assertEqual((run.exit_code, run.total('stored'), run.total('missing')), (1, 0, 1), run)

    def test_one_that_broke_off_counts_too(self):
        def on_move(_keys, _request):
            yield Status(0xFF00, (2, 3, 0, 0))
            yield End()
        uids = [f'1.2.1.{number}' for number in range(5)]
        with ScriptedArchive(Study({'1.2.1': uids}).on_find, on_move=on_move) as archive:
            run = programs.run_mover(archive, '-k', 'StudyInstanceUID=1.2', '--move-dest', 'THERE', '--retry', '0')
        self.assertEqual((run.exit_code, run.total('stored'), run.total('missing')), (2, 3, 2), run)


class Contexts(MoverTest):
    def test_every_syntax_is_offered(self):
        """For one class, which is known: the current ones among them."""
        with ScriptedArchive(Study({'1.2.1': ['1.2.1.1']}).on_find, on_get=gets({'1.2.1': ['1.2.1.1']})) as archive:
            self.get(archive)
        offered = {syntax for _, abstract, syntaxes in archive.proposed[-1] if abstract == CT for syntax in syntaxes}
        self.assertGreaterEqual(offered, {wire.IMPLICIT_LITTLE, '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2',
                                          '1.2.840.10008.1.2.1.99', '1.2.840.10008.1.2.5', '1.2.840.10008.1.2.4.107'})
        singles = [syntaxes for _, abstract, syntaxes in archive.proposed[-1] if abstract == CT]
        self.assertTrue(all(len(syntaxes) == 1 for syntaxes in singles), singles)


class Reports(ProgramTest):
    def test_a_full_disk_under_the_summary_is_no_success(self):
        if not os.path.exists('/dev/full'):
            self.skipTest('no /dev/full')
        with ScriptedArchive(Study({'1.2.1': ['1.2.1.1']}).on_find, on_get=gets({'1.2.1': ['1.2.1.1']})) as archive, \
                open('/dev/full', 'wb') as full:
            done = subprocess.run(programs.mover_command(archive, pathlib.Path(self.subfolder('logs')), '-k',
                                                         'StudyInstanceUID=1.2', '--get', '-o', self.folder / 'output'),
                                  stdout=full, stderr=subprocess.PIPE, timeout=60, check=False, env=environment())
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(b'standard output', done.stderr)


if __name__ == '__main__':
    unittest.main()
