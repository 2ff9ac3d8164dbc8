"""dicom-sender's exit codes, console, summary and log, against dicom-receiver."""
import json
import os
import pathlib
import re
import shutil
import signal
import unittest

import jsonschema

from support import datasets, process
from support.base import CommandTest
from support.datasets import write_instance
from support.network import closed_port
from support.process import run, Running

LOG_KEYS = ['time', 'level', 'event', 'session', 'worker', 'association', 'study']


class SenderTest(CommandTest):
    def to(self, receiver):
        return ('--host', '127.0.0.1', '--port', receiver.port, '--ae-title', 'PACS')

    def summary(self):
        paths = list(self.logs.glob('dicom_sender_summary_*.json'))
        self.assertEqual(len(paths), 1, paths)
        return json.loads(paths[0].read_text(encoding='utf-8'))

    def totals(self):
        return self.summary()['totals']

    def events(self):
        paths = [path for path in self.logs.glob('dicom_sender_*.log')]
        self.assertEqual(len(paths), 1, paths)
        return [json.loads(line) for line in paths[0].read_text(encoding='utf-8').splitlines()]

    def assert_totals(self, **expected):
        totals = self.totals()
        wanted = dict.fromkeys(('stored', 'warned', 'failed', 'skipped', 'in_doubt', 'pending'), 0)
        wanted.update(expected)
        self.assertEqual({name: totals[name] for name in wanted}, wanted)
        self.assertEqual(totals['files'], sum(wanted.values()))


class ExitCodes(SenderTest):
    def test_all_stored(self):
        studies = self.studies('2x3x4096:CT')
        receiver = self.receiver('--output-dir', self.folder / 'received')
        result = self.send(*self.to(receiver), '-r', studies, '-t', '2')
        self.assert_exit(result, 0)
        self.assert_totals(stored=6)
        self.assertEqual(len(datasets.files_below(self.folder / 'received')), 6)
        self.assertIn('6 stored', receiver.stop().out)

    def test_some_failed(self):
        studies = self.studies('1x3x4096:CT')
        write_instance(studies / 'no-study.dcm', study=None)
        result = self.send(*self.to(self.receiver()), '-r', studies)
        self.assert_exit(result, 2)
        self.assert_totals(stored=3, failed=1)
        self.assertIn('no-study', result.err)

    def test_skipped_is_no_failure(self):
        studies = self.studies('1x2x4096:CT')
        (studies / 'readme.txt').write_text('not DICOM')
        self.assert_exit(self.send(*self.to(self.receiver()), '-r', studies), 0)
        self.assert_totals(stored=2, skipped=1)

    def test_all_failed(self):
        result = self.send(*self.to(self.receiver('--discard', '--status', 'C000')), '-r', self.studies())
        self.assert_exit(result, 1)
        self.assert_totals(failed=6)
        self.assertIn('C000', result.err)

    def test_warnings_are_stored(self):
        self.assert_exit(self.send(*self.to(self.receiver('--discard', '--status', 'B000')), '-r', self.studies()), 0)
        self.assert_totals(warned=6)

    def test_nothing_listens(self):
        with closed_port() as port:
            result = self.send('--host', '127.0.0.1', '--port', port, '--retry', '0', '-r', self.studies())
        self.assert_exit(result, 1)
        self.assertRegex(result.err, 'refused')
        totals = self.totals()
        self.assertEqual((totals['files'], totals['stored'], totals['warned']), (6, 0, 0))

    def test_unknown_host(self):
        result = self.send('--host', 'no-such-host.invalid', '--retry', '0', '-r', self.studies())
        self.assert_exit(result, 1)
        self.assertRegex(result.err, 'resolved|looked up')    # by what the resolver says

    def test_wrong_ae_title(self):
        result = self.send(*self.to(self.receiver('--discard', '--ae-title', 'OTHER')), '-r', self.studies())
        self.assert_exit(result, 1)
        self.assertRegex(result.err, '(?i)called AE title')
        self.assertEqual(self.totals()['stored'], 0)

    def test_missing_path(self):
        result = self.send(*self.to(self.receiver()), self.folder / 'missing')
        self.assert_exit(result, 1)
        self.assertIn('missing', result.err)
        self.assert_totals(failed=1)

    def test_missing_path_beside_good_ones(self):
        result = self.send(*self.to(self.receiver()), '-r', self.folder / 'missing', self.studies())
        self.assert_exit(result, 2)
        self.assert_totals(stored=6, failed=1)

    def test_empty_folder(self):
        empty = self.folder / 'empty'
        empty.mkdir()
        result = self.send(*self.to(self.receiver()), empty)
        self.assert_exit(result, 1)
        self.assert_totals()

    def test_log_dir_not_writable(self):
        (self.folder / 'file').write_text('in the way')
        receiver = self.receiver()
        result = run('dicom-sender', '--log-dir', self.folder / 'file' / 'logs', *self.to(receiver), '-r',
                     self.studies())
        self.assertEqual((result.code, result.out), (1, ''), result)
        self.assertEqual(result.err, f"dicom-sender: --log-dir: '{self.folder}/file/logs': Not a directory\n")
        self.assertIn('0 associations', receiver.stop().out)

    def test_interrupted(self):
        """Ctrl-C: the stores in flight end, the rest is pending, and the receiver has as many as the summary says."""
        receiver = self.receiver('--output-dir', self.folder / 'received', '--response-delay', '200')
        sender = self.start(Running('dicom-sender', '--log-dir', self.logs, *self.to(receiver), '-v', '-r',
                                    self.studies('2x50x4096:CT'), '-t', '2'))
        sender.wait_for('stored', which=1)
        sender.signal(signal.SIGINT)
        result = sender.wait()
        self.assert_exit(result, 130)
        totals = self.totals()
        self.assertEqual(totals['stored'] + totals['pending'], 100)
        self.assertGreater(totals['stored'], 0)
        self.assertGreater(totals['pending'], 0)
        self.assertEqual(len(datasets.files_below(self.folder / 'received')), totals['stored'])

    def test_interrupted_twice(self):
        receiver = self.receiver('--discard', '--response-delay', '30000')
        sender = self.start(Running('dicom-sender', '--log-dir', self.logs, *self.to(receiver), '-d', '-r',
                                    self.studies()))
        sender.wait_for('C-STORE|dimse.sent|association.opened', which=1)
        sender.signal(signal.SIGINT)
        sender.wait_for('interrupt', which=1)
        sender.signal(signal.SIGINT)
        self.assert_exit(sender.wait(timeout_s=15), 130)

    def test_verify(self):
        self.assert_exit(self.send(*self.to(self.receiver()), '--verify', '-r', self.studies()), 0)
        self.assert_totals(stored=6)


class Destinations(SenderTest):
    def test_forms(self):
        studies = self.studies('1x1x4096:CT')
        receiver = self.receiver('--discard', '--ae-title', 'PACS')
        peers = self.folder / 'config' / 'dicom-sender' / 'peers.json'
        peers.parent.mkdir(parents=True)
        peers.write_text(json.dumps({'default': 'main', 'peers': {
            'main': {'host': '127.0.0.1', 'port': receiver.port, 'ae_title': 'PACS'}}}))
        env = process.environment(XDG_CONFIG_HOME=str(self.folder / 'config'))
        for arguments in (('-H', '127.0.0.1', '-p', receiver.port, '-a', 'PACS'), (f'pacs://PACS@127.0.0.1:{receiver.port}',),
                          (f'PACS@127.0.0.1:{receiver.port}',), ('--config', peers), ('--config', peers, '--peer', 'main'),
                          ('--peer', 'main'), (), (f'pacs://127.0.0.1:{receiver.port}', '-aec', 'PACS')):
            with self.subTest(arguments=arguments):
                self.assert_exit(self.send(*arguments, '-i', studies, '-r', env=env), 0)
        self.assertIn('8 stored', receiver.stop().out)

    def test_loopback(self):
        self.assert_exit(self.send('--loopback', '-r', self.studies(), '-t', '4'), 0)
        self.assert_totals(stored=6)


class Inputs(SenderTest):
    def test_folder_without_recursive(self):
        studies = self.studies('1x2x4096:CT')
        top = self.folder / 'top'
        top.mkdir()
        write_instance(top / 'one')
        studies.rename(top / 'below')
        self.assert_exit(self.send('--loopback', top), 0)
        self.assert_totals(stored=1)

    def test_pattern_and_glob(self):
        folder = self.folder / 'files'
        folder.mkdir()
        for number, name in enumerate(('a.dcm', 'b.dcm', 'c.img')):
            write_instance(folder / name, instance=f'1.2.{number + 1}')
        self.assert_exit(self.send('--loopback', folder, '--pattern', '*.dcm'), 0)
        self.assert_totals(stored=2)
        self.clear_logs()
        self.assert_exit(self.send('--loopback', f'{folder}/*.img'), 0)
        self.assert_totals(stored=1)

    def clear_logs(self):
        for path in datasets.files_below(self.logs):
            path.unlink()

    def test_files_from(self):
        names = [self.folder / 'one', self.folder / 'with space', self.folder / 'with\nnewline']
        for number, path in enumerate(names):
            write_instance(path, instance=f'1.2.{number + 1}')
        lines = b'\n'.join(os.fsencode(path) for path in names[:2]) + b'\n'
        self.assert_exit(self.send('--loopback', '--files-from', '-', stdin=lines), 0)
        self.assert_totals(stored=2)
        self.clear_logs()
        with_nul = b'\0'.join(os.fsencode(path) for path in names)
        self.assert_exit(self.send('--loopback', '--files-from', '-', '-0', stdin=with_nul), 0)
        self.assert_totals(stored=3)
        self.clear_logs()
        (self.folder / 'list').write_bytes(lines)
        self.assert_exit(self.send('--loopback', '--files-from', self.folder / 'list'), 0)
        self.assert_totals(stored=2)

    def test_dash_names(self):
        write_instance(self.folder / '-dash')
        self.assert_exit(self.send('--loopback', '--', '-dash', cwd=self.folder), 0)
        self.assert_totals(stored=1)


class Output(SenderTest):
    def test_json(self):
        result = self.send('--loopback', '--json', '-r', self.studies())
        self.assert_exit(result, 0)
        document = json.loads(result.out)
        self.assertEqual(document['totals']['stored'], 6)
        self.assertEqual(document, self.summary())

    def test_nothing_on_standard_output(self):
        for options in ((), ('-v',), ('-d',), ('-q',)):
            with self.subTest(options=options):
                self.assertEqual(self.send('--loopback', '-r', self.studies(), *options).out, '')

    def test_quiet(self):
        result = self.send('--loopback', '-q', '-r', self.studies())
        self.assertEqual((result.code, result.out, result.err), (0, '', ''), result)

    def test_verbose(self):
        result = self.send('--loopback', '-v', '-r', self.studies())
        lines = [line for line in result.err.splitlines() if ' ... ' in line]
        self.assertEqual(len(lines), 6, result)
        for line in lines:
            self.assertRegex(line, r'^\[\s*\d+/6\+?\] .+ \([0-9.]+ [KMG]?B\) \.\.\. stored \([0-9.]+ s\)')
        self.assertRegex(result.err, r'\b2\.25\.\d+')

    def test_debug(self):
        result = self.send('--loopback', '-d', '-r', self.studies())
        for word in ('association.requested', 'association.opened', 'association.context', 'dimse.sent', 'dimse.received'):
            self.assertIn(word, {event['event'] for event in self.events()}, word)
        self.assertIn('1.2.840.10008.5.1.4.1.1.2', result.err + 'CTImageStorage', result)

    def test_log_level_counts_for_the_console_too(self):
        """Unless -q, -v or -d say what is shown; and other tools' "critical" is understood."""
        studies = self.studies()
        self.assertIn('debug dimse.sent', self.send('--loopback', '-ll', 'debug', '-r', studies).err)
        self.assertNotIn('dimse.sent', self.send('--loopback', '-ll', 'info', '-r', studies).err)
        self.assertIn(' info  association.opened', self.send('--loopback', '-ll', 'info', '-r', studies).err)
        self.assertNotIn('association.opened', self.send('--loopback', '-ll', 'critical', '-r', studies).err)
        self.assertNotIn('dimse.sent', self.send('--loopback', '-ll', 'debug', '-q', '-r', studies).err)

    def test_no_control_characters_without_a_terminal(self):
        result = self.send('--loopback', '-r', self.studies())
        self.assertNotIn('\x1b', result.err)
        self.assertNotIn('\r', result.err)

    def test_words_at_the_end(self):
        studies = self.studies()
        write_instance(studies / 'no-study.dcm', study=None)
        text = self.send('--loopback', '-r', studies).err
        for word in ('stored', 'failed', 'skipped', 'MB/s', 'no-study.dcm', 'Study Instance UID', 'dicom_sender_summary_'):
            self.assertIn(word, text)

    def test_dry_run(self):
        """It needs no destination, and says studies, sizes and contexts."""
        result = self.send('--dry-run', '-r', self.studies())
        self.assert_exit(result, 0)
        self.assertEqual(result.out.count('study 2.25.'), 2, result)
        self.assertIn('3 instances', result.out)
        self.assertIn('CTImageStorage as ExplicitVRLittleEndian', result.out)
        self.assertRegex(result.out, r'\n +6 .* CTImageStorage  Explicit VR Little Endian  as it lies; if refused: '
                                     r'Implicit VR Little Endian')
        self.assertEqual(self.totals()['stored'], 0)

    def test_dry_run_says_what_could_become_of_files(self):
        """By class and syntax, as the options allow it; the same in the summary."""
        studies = self.studies('1x2x4096:CT')
        result = self.send('--dry-run', '-r', studies, '-xi', '--transcode', 'never')
        self.assert_exit(result, 1)
        self.assertNotIn('lies in', result.out)
        self.assertEqual(self.summary()['forecast'], [])
        shutil.rmtree(self.logs)
        result = self.send('--dry-run', '-r', studies, '-xi')
        self.assert_exit(result, 0)
        self.assertRegex(result.out, r'\n +2 .* CTImageStorage  Explicit VR Little Endian  converted to Implicit VR Little '
                                     r'Endian\n')
        forecast = self.summary()['forecast']
        self.assertEqual([(pair['syntax'], pair['files'], pair['ways'], pair['answer']) for pair in forecast],
                         [('1.2.840.10008.1.2.1', 2, ['1.2.840.10008.1.2'], None)])

    def test_probe(self):
        """Asks for real, stores nothing, and says what the peer would take; 0 if that is all, 1 nothing, 2 some."""
        studies = self.studies('1x2x4096:CT')
        for name, options, accepted, code, fate, sent in (
                ('as-it-lies', (), 'explicit,implicit', 0, 'as it lies', '1.2.840.10008.1.2.1'),
                ('converted', (), 'implicit', 0, 'converted to Implicit VR Little Endian', '1.2.840.10008.1.2'),
                ('never', ('--transcode', 'never'), 'implicit', 1, 'refused: .* --transcode uncompressed would .*', None),
                ('asked', ('-xe',), 'implicit', 1, 'refused: .*', None),
                ('none', (), 'rle', 1, 'refused: .*', None)):
            with self.subTest(name):
                shutil.rmtree(self.logs, ignore_errors=True)
                receiver = self.receiver('--accept-syntaxes', accepted)
                result = self.send('--probe', *options, *self.to(receiver), '-r', studies)
                self.assert_exit(result, code)
                self.assertRegex(result.out, rf'\n +2 .* CTImageStorage  Explicit VR Little Endian  {fate}\n')
                self.assertIn(' 0 stored', receiver.stop().out)
                summary = self.summary()
                self.assertEqual([(pair['files'], pair['answer']['sent_syntax']) for pair in summary['forecast']],
                                 [(2, sent)])
                self.assertEqual((summary['totals']['pending'], summary['exit_code']), (2, code))
                answers = [event for event in self.events() if event['event'] == 'probe.answered']
                self.assertEqual([(event['instances'], event.get('sent_syntax')) for event in answers], [(2, sent)])

    def test_probe_of_what_is_taken_in_part(self):
        studies = self.studies('1x1x4096:CT')
        names = datasets.uid(7, 2), datasets.uid(7)
        (studies / 'jpeg.dcm').write_bytes(datasets.meta_information(names[0], '1.2.840.10008.1.2.4.50') +
                                           datasets.identity(*names))
        receiver = self.receiver('--accept-syntaxes', 'implicit')
        result = self.send('--probe', '-v', *self.to(receiver), '-r', studies)
        self.assert_exit(result, 2)
        self.assertRegex(result.out, r'(?m)^    .*/image-1.dcm  converted to Implicit VR Little Endian$')
        self.assertRegex(result.out, r'(?m)^    .*/jpeg.dcm  refused: .* --transcode lossy would convert it$')

    def test_probe_needs_a_peer(self):
        studies = self.studies('1x1x4096:CT')
        self.assert_exit(self.send('--probe', '-r', studies), 1)
        result = self.send('--probe', 'pacs://127.0.0.1:1', '--retry', '0', '-r', studies)
        self.assert_exit(result, 1)
        self.assertIn('probe stopped after', result.err)
        self.assertEqual(result.out, '')
        self.assert_exit(self.send('--probe', '--loopback', '-r', studies), 0)

    def test_dry_run_exit_codes(self):
        studies = self.studies()
        write_instance(studies / 'no-study.dcm', study=None)
        self.assert_exit(self.send('--dry-run', '-r', studies), 2)
        empty = self.folder / 'empty'
        empty.mkdir()
        self.assert_exit(self.send('--dry-run', empty), 1)
        self.assert_exit(self.send('--dry-run', 'pacs://h:0', '-r', studies), 1)

    def test_quiet_dry_run(self):
        """It says why it ends with 2, also if that is only as --strict minds what is skipped."""
        studies = self.studies()
        (studies / 'readme').write_text('no DICOM')
        result = self.send('-q', '--dry-run', '-r', studies)
        self.assertEqual((result.code, result.err), (0, ''))
        result = self.send('-q', '--dry-run', '--strict', '-r', studies)
        self.assert_exit(result, 2)
        self.assertIn('  skipped              1 ', result.err)

    def test_dry_run_connects_to_nobody(self):
        receiver = self.receiver()
        self.assert_exit(self.send('--dry-run', *self.to(receiver), '-r', self.studies()), 0)
        self.assertIn('0 associations', receiver.stop().out)

    def test_fewer_studies_than_threads(self):
        self.assert_exit(self.send('--loopback', '-r', self.studies('1x2x4096:CT'), '-t', '8'), 0)
        self.assertIn('session.note', [event['event'] for event in self.events()])


class Files(SenderTest):
    def test_log(self):
        self.send('--loopback', '-r', self.studies())
        events = self.events()
        for event in events:
            self.assertEqual(list(event)[:len(LOG_KEYS)], LOG_KEYS)
        self.assertEqual(events[0]['event'], 'session.started')
        self.assertEqual(events[-1]['event'], 'session.ended')
        self.assertEqual(events[-1]['stored'], 6)
        self.assertEqual(len({event['session'] for event in events}), 1)
        self.assertNotIn('debug', {event['level'] for event in events})

    def test_log_level(self):
        self.send('--loopback', '-r', self.studies(), '--log-level', 'error')
        self.assertEqual(self.events(), [])

    def test_default_log_folder(self):
        self.assert_exit(run('dicom-sender', '--loopback', '-r', self.studies(), cwd=self.folder), 0)
        names = sorted(path.name for path in (self.folder / 'logs').iterdir())
        self.assertEqual(len(names), 2, names)
        session = names[0][len('dicom_sender_'):-len('.log')]
        self.assertEqual(names, [f'dicom_sender_{session}.log', f'dicom_sender_summary_{session}.json'])

    def test_summary(self):
        studies = self.studies()
        write_instance(studies / 'no-study.dcm', study=None)
        (studies / 'readme.txt').write_text('not DICOM')
        self.send('--loopback', '-r', studies, '-t', '2')
        summary = self.summary()
        self.assertEqual(summary['exit_code'], 2)
        self.assertEqual([pathlib.Path(entry['path']).name for entry in summary['failed']], ['no-study.dcm'])
        self.assertEqual([entry['reason'] for entry in summary['failed'] + summary['skipped']],
                         ['no-study-uid', 'not-dicom'])


class ThreadsAuto(SenderTest):
    """--threads auto: what it arrives at is said, and a peer with room for two is not asked for more again and again."""

    def test_it_finds_the_room_there_is(self):
        for _ in range(3):  # it judges by what it measures, and a busy machine may deceive it
            receiver = self.receiver('--discard', '--max-associations', '2', '--response-delay', '5')
            result = self.send(*self.to(receiver), '--synthetic', '8x30x4K:CT', '--threads', 'auto', '--duration', '6')
            self.assert_exit(result, 0)
            summary = self.summary()
            if summary['threads_auto']['chosen'] == 2:
                break
            shutil.rmtree(self.logs)
        self.assertEqual(summary['threads_auto'], {'chosen': 2, 'settled': True}, result.err)
        self.assertIn('chosen by --threads auto', result.err)
        self.assertEqual(summary['peak_workers'], 2)
        rejected = [entry for entry in summary['associations'] if entry['end']['kind'] == 'rejected']
        self.assertIn(len(rejected), range(1, 4), rejected)
        self.assertEqual(sum(worker['stored'] for worker in summary['workers']), summary['totals']['stored'])

    def test_one_study_is_one_worker(self):
        result = self.send('--loopback', '--synthetic', '1x3x4K:CT', '--threads', 'auto')
        self.assert_exit(result, 0)
        self.assertEqual(self.summary()['threads_auto'], {'chosen': 1, 'settled': False})
        self.assertEqual([worker['stored'] for worker in self.summary()['workers']], [3])


class Ramp(SenderTest):
    """--ramp: a session for each number of threads, a table, a knee, one document for all."""

    def document(self):
        paths = list(self.logs.glob('dicom_sender_ramp_*.json'))
        self.assertEqual(len(paths), 1, paths)
        document = json.loads(paths[0].read_text(encoding='utf-8'))
        schema = pathlib.Path(__file__).parents[2] / 'docs' / 'ramp.schema.json'
        jsonschema.validate(document, json.loads(schema.read_text(encoding='utf-8')))
        return document

    def test_synthetic(self):
        receiver = self.receiver()
        result = self.send(*self.to(receiver), '--synthetic', '4x5x4K:CT', '--ramp', '1,2,4', '--json')
        self.assert_exit(result, 0)
        document = self.document()
        self.assertEqual(json.loads(result.out), document)
        self.assertEqual([step['threads'] for step in document['ramp']], [1, 2, 4])
        self.assertEqual([step['stored'] for step in document['ramp']], [20, 20, 20])
        self.assertIn(document['knee'], (1, 2, 4))
        self.assertRegex(result.err, r'threads +instances/s +MB/s +median ms +p99 ms +busy\n')
        self.assertEqual(len(re.findall(r'(?m)^ +[124] +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +\d+ %', result.err)), 3, result)
        self.assertRegex(result.err, rf'knee at {document["knee"]} thread')
        summaries = [json.loads(path.read_text(encoding='utf-8'))
                     for path in self.logs.glob('dicom_sender_summary_*.json')]
        self.assertEqual({entry['session']: entry['options']['threads'] for entry in summaries},
                         {step['session']: step['threads'] for step in document['ramp']})
        studies = {study['uid'] for entry in summaries for study in entry['studies']}
        self.assertEqual(len(studies), 12, 'each step has fresh UIDs')
        self.assertIn('60 stored', receiver.stop().out)

    def test_files_over_loopback(self):
        self.assert_exit(self.send('--loopback', '--ramp', '2,1', '-q', '-r', self.studies()), 0)
        self.assertEqual([(step['threads'], step['stored']) for step in self.document()['ramp']], [(2, 6), (1, 6)])

    def test_a_step_that_fails_does_not_count(self):
        studies = self.studies()
        write_instance(studies / 'no-study.dcm', study=None)
        result = self.send('--loopback', '--ramp', '1,2', '-r', studies)
        self.assert_exit(result, 2)
        document = self.document()
        self.assertIsNone(document['knee'])
        self.assertEqual([step['counts'] for step in document['ramp']], [False, False])
        self.assertEqual(result.err.count('does not count: 1 not stored'), 2, result)
        self.assertIn('no-study.dcm', result.err)

    def test_it_ends_if_nothing_is_stored(self):
        result = self.send(*self.to(self.receiver('--discard', '--status', 'C000')), '--ramp', '1,2,4', '--synthetic',
                           '2x2x4K:CT')
        self.assert_exit(result, 1)
        self.assertEqual(len(self.document()['ramp']), 1)

    def test_interrupted(self):
        """Ctrl-C ends all steps, not one."""
        sender = self.start(Running('dicom-sender', '--log-dir', self.logs, '--loopback', '--ramp', '1,2,4',
                                    '--synthetic', '4x5x4K:CT', '--duration', '60', '-v', '--no-progress'))
        sender.wait_for('stored', which=1)
        sender.signal(signal.SIGINT)
        self.assert_exit(sender.wait(), 130)
        document = self.document()
        self.assertEqual([(step['threads'], step['exit_code']) for step in document['ramp']], [(1, 130)])
        self.assertEqual(document['exit_code'], 130)

    def test_contradictions(self):
        for arguments, says in ((('-t', '2'), '--threads'), (('--dry-run',), '--dry-run')):
            result = self.send('--loopback', '--ramp', '1,2', '--synthetic', '1x1x4K', *arguments)
            self.assert_exit(result, 1)
            self.assertIn(f'--ramp and {says} exclude each other', result.err)
        for value in ('', '0', '1,', '1,,2', '1,257', 'a', ','.join(['1'] * 17)):
            result = self.send('--loopback', '--ramp', value, '--synthetic', '1x1x4K')
            self.assertIn('is not 1 to 16 numbers from 1 to 256', result.err)
        result = self.send('--loopback', '--ramp', '1', '--files-from', '-')
        self.assertIn('more than once', result.err)


if __name__ == '__main__':
    unittest.main()
