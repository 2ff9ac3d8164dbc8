"""--ledger: what a second run does, and who may use a ledger."""
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import unittest

from support import process
from support.datasets import files_below, write_instance
from support.process import program, run, Running
from support.programs import Receiver
from support.ledger_test import LedgerTest, alter


class Resume(LedgerTest):
    def test_what_is_stored_is_not_opened(self):
        studies = self.studies('2x3x4096:CT')
        self.to()
        self.resume(studies, stored=6)
        # A file that was opened would now be no DICOM at all; by its facts alone it is as it was.
        victim = files_below(studies)[0]
        before = victim.stat()
        with open(victim, 'r+b') as file:
            file.write(bytes(before.st_size))
        os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
        summary = self.resume(studies, stored=6, earlier_stored=6)
        self.assertEqual(summary['associations'], [])
        self.assertEqual(summary['ledger'], str(self.ledger))
        self.assertEqual(summary['rates']['session']['instances_per_s'], 0)
        self.assertIn(' 6 stored', self.peer.stop().out)

    def test_from_another_folder(self):
        studies = self.studies('1x2x4096:CT')
        self.to()
        self.resume(studies, stored=2)
        result = self.send(*self.arguments('.'), cwd=studies)
        self.assertIn('all by earlier sessions', result.err)
        result = self.send(*self.arguments(f'.//./{studies.name}/'), cwd=self.folder)
        self.assertIn('all by earlier sessions', result.err)
        self.assertEqual(len(self.rows()), 2)

    def test_a_changed_file_is_sent_again(self):
        studies = self.studies('1x3x4096:CT')
        self.to()
        self.resume(studies, stored=3)
        alter(files_below(studies)[1])
        self.resume(studies, stored=3, earlier_stored=2)
        self.resume(studies, stored=3, earlier_stored=3)

    def test_a_file_of_another_size_is_sent_again(self):
        """Also if its time of modification was set back."""
        studies = self.studies('1x3x4096:CT')
        path = files_below(studies)[1]
        self.to()
        self.resume(studies, stored=3)
        before = path.stat()
        with open(path, 'ab') as file:
            file.write(struct.pack('<HH2sxxI', 0xFFFC, 0xFFFC, b'OB', 2) + bytes(2))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.resume(studies, stored=3, earlier_stored=2)
        self.assertEqual(self.rows('SELECT DISTINCT size_bytes FROM file ORDER BY 1'),
                         [(before.st_size,), (before.st_size + 14,)])

    def test_what_was_added(self):
        studies = self.studies('1x3x4096:CT')
        self.to()
        self.resume(studies, stored=3)
        write_instance(studies / 'new.dcm')
        self.resume(studies, stored=4, earlier_stored=3)

    def test_failed_for_good(self):
        studies = self.studies('1x3x4096:CT')
        truncated = files_below(studies)[0]
        self.to('--discard', '--status', 'C000')
        os.truncate(truncated, truncated.stat().st_size - 10)
        self.resume(studies, code=1, failed=3)
        self.to()
        summary = self.resume(studies, code=1, failed=3, earlier_failed=3)
        self.assertEqual({entry['reason'] for entry in summary['failed']}, {'status', 'truncated'})
        self.assertTrue(all(entry['earlier'] for entry in summary['failed']))
        self.assertIn('C000', str(summary['failed']))
        self.resume('--retry-failed', studies, code=2, stored=2, failed=1)
        self.resume(studies, code=2, stored=2, failed=1, earlier_stored=2, earlier_failed=1)

    def test_what_is_next(self):
        """Whoever stopped a run, or sees failures, reads what the same command would do."""
        studies = self.studies('1x2x4096:CT')
        truncated = files_below(studies)[0]
        self.to().stop()
        result = self.send('--retry', '0', *self.arguments(studies), cwd=self.folder)
        self.assert_exit(result, 1)
        self.assertRegex(result.err, r'  next +the same command again goes on from here: what is stored is not sent again\n')
        self.to()
        os.truncate(truncated, truncated.stat().st_size - 10)
        result = self.send(*self.arguments(studies), cwd=self.folder)
        self.assert_exit(result, 2)
        self.assertRegex(result.err, r'  next +the same command again tries what may succeed by now; --retry-failed all')
        truncated.unlink()
        result = self.send(*self.arguments(studies), cwd=self.folder)
        self.assert_exit(result, 0)
        self.assertNotIn('  next ', result.err)

    def test_warned(self):
        studies = self.studies('1x2x4096:CT')
        self.to('--discard', '--status', 'B000')
        self.resume(studies, warned=2)
        self.resume(studies, warned=2, earlier_warned=2)

    def test_skipped(self):
        studies = self.studies('1x1x4096:CT')
        (studies / 'readme').write_text('no DICOM')
        raw = write_instance(studies / 'raw')
        raw.write_bytes(raw.read_bytes()[132:])
        self.to()
        self.resume(studies, code=2, stored=1, skipped=1, failed=1)
        self.resume(studies, code=2, stored=1, skipped=1, failed=1, earlier_stored=1, earlier_skipped=1, earlier_failed=1)
        self.resume('--accept-raw', studies, stored=2, skipped=1, earlier_stored=1, earlier_skipped=1)

    def test_the_peer_was_down(self):
        studies = self.studies('1x2x4096:CT')
        self.to()
        port = self.peer.port
        self.peer.stop()
        self.resume('--retry', 0, studies, code=1, pending=2)
        self.peer = self.start(Receiver('--discard', '--port', port))
        self.resume(studies, stored=2)

    def test_interrupted(self):
        studies = self.studies('2x50x4096:CT')
        self.to('--discard', '--response-delay', '50')
        sender = self.start(Running('dicom-sender', '--log-dir', self.logs, *map(str, self.arguments('-v', studies))))
        sender.wait_for('stored', which=1)
        sender.signal(signal.SIGINT)
        self.assert_exit(sender.wait(), 130)
        stored = dict(self.rows('SELECT state, count(*) FROM file GROUP BY state'))
        self.assertEqual(set(stored), {'stored', 'pending'})
        self.resume(studies, stored=100, earlier_stored=stored['stored'])
        self.assertIn(' 100 stored', self.peer.stop().out)

    def test_twins(self):
        """The same UID in another file than the one that was stored: compared; never sent a second time."""
        studies = self.studies('1x3x4096:CT')
        same, other, gone = files_below(studies)
        self.to()
        self.resume(studies, stored=3)
        shutil.copyfile(same, studies / 'same')
        shutil.copyfile(other, studies / 'other')
        alter(studies / 'other')
        gone.rename(studies / 'renamed')
        summary = self.resume(studies, code=2, stored=3, earlier_stored=3, skipped=1, failed=1)
        self.assertEqual({os.path.basename(entry['path']): entry['reason']
                          for entry in summary['failed'] + summary['skipped']},
                         {'same': 'duplicate', 'other': 'uid-conflict'})
        self.assertIn(' 3 stored', self.peer.stop().out)

    def test_conflicts(self):
        """What --on-conflict says now counts, and not what it said when the file failed or was skipped."""
        studies = self.studies('1x1x4096:CT')
        path = files_below(studies)[0]
        shutil.copyfile(path, studies / 'other')
        alter(studies / 'other')
        self.to()
        self.resume(studies, code=2, stored=1, failed=1)
        self.resume(studies, code=2, stored=1, failed=1, earlier_stored=1, earlier_failed=1)
        self.resume('--on-conflict', 'first', studies, stored=1, skipped=1, earlier_stored=1)
        self.resume('--on-conflict', 'first', studies, stored=1, skipped=1, earlier_stored=1, earlier_skipped=1)
        self.resume('--on-conflict', 'all', studies, stored=2, earlier_stored=1)
        self.assertIn(' 2 stored', self.peer.stop().out)

    def test_the_same_path_twice(self):
        """It has one row from the first session on, and the duplicate of itself stays stored in it."""
        studies = self.studies('1x2x4096:CT')
        path = files_below(studies)[0]
        listed = self.folder / 'list'
        listed.write_bytes(2 * (os.fsencode(path) + b'\n'))
        self.to()
        for given, skipped in ((path, path), 1), ((studies, path), 1), (('--files-from', listed), 1), ((studies,), 0):
            stored = 2 if studies in given else 1
            self.resume(*given, stored=stored, **({'skipped': skipped} if skipped else {}))
            self.assertEqual(self.rows('SELECT state FROM file'), stored * [('stored',)], given)
            self.resume(*given, stored=stored + skipped, earlier_stored=stored + skipped)
            for file in self.folder.glob(self.ledger.name + '*'):
                file.unlink()

    def test_the_same_bad_path_twice(self):
        path = self.folder / 'no.dcm'
        path.write_text('nothing of the kind')
        self.to()
        self.resume(path, self.folder / '.' / 'no.dcm', f'{self.folder}//no.dcm', '/nowhere', '/nowhere', code=1, skipped=3,
                    failed=2)
        self.assertEqual(self.rows('SELECT state FROM file ORDER BY state'), [('failed',), ('skipped',)])

    def test_two_rows_of_one_path(self):
        """A folder that changes while it is read may give a name twice. The next session leaves the row that counts."""
        studies = self.studies('1x3x4096:CT')
        self.to()
        self.resume(studies, stored=3)
        with contextlib.closing(sqlite3.connect(self.ledger)) as database, database:
            database.executescript('CREATE TEMP TABLE copy AS SELECT * FROM file;'
                                   "UPDATE copy SET id = id + 10, state = 'skipped', reason = 'duplicate';"
                                   'INSERT INTO file SELECT * FROM copy')
        self.resume(studies, stored=3, earlier_stored=3)
        self.assertEqual(self.rows('SELECT state FROM file'), 3 * [('stored',)])

    def test_a_stored_file_that_is_gone_stays_stored(self):
        studies = self.studies('1x2x4096:CT')
        path = files_below(studies)[0]
        self.to()
        self.resume(studies, stored=2)
        path.unlink()
        self.resume(path, code=1, failed=1)
        self.assertEqual(self.rows('SELECT state FROM file'), [('stored',), ('stored',)])

    def test_names_of_any_bytes(self):
        path = os.fsencode(self.folder / 'caf') + b'\xe9\n'
        write_instance(self.folder / 'plain')
        os.rename(self.folder / 'plain', path)
        self.to()
        self.resume(os.fsdecode(path), stored=1)
        self.resume(os.fsdecode(path), stored=1, earlier_stored=1)
        self.assertEqual(self.rows('SELECT path FROM file'), [(path,)])
        files = json.loads(self.report('--json', '--pending', '--failed').out)['files']
        self.assertEqual(files, [])

    def test_dry_run(self):
        studies = self.studies('1x3x4096:CT')
        self.to()
        self.resume('--dry-run', studies, pending=3)
        self.assertFalse(self.ledger.exists())
        self.resume(studies, stored=3)
        alter(files_below(studies)[0])
        self.resume('--dry-run', studies, stored=2, earlier_stored=2, pending=1)
        self.assertEqual(len(self.rows('SELECT * FROM session')), 1)
        self.resume(studies, stored=3, earlier_stored=2)


class WhoMayUseIt(LedgerTest):
    def refused(self, line, *arguments):
        """One line, exit 1, and the file is as it was."""
        before = self.ledger.read_bytes() if self.ledger.is_file() else None
        result = self.send(*self.arguments(*arguments))
        self.assert_exit(result, 1)
        self.assertEqual(result.out, '')
        self.assertRegex(result.err, rf"\Adicom-sender: --ledger: '{self.ledger}'{line}\n\Z")
        self.assertEqual(self.ledger.read_bytes() if self.ledger.is_file() else None, before)

    def test_another_destination(self):
        studies = self.studies('1x2x4096:CT')
        self.to()
        port = self.peer.port
        self.resume(studies, stored=2)
        self.refused(rf' belongs to ANY-SCP@127\.0\.0\.1:{port}; to use it with OTHER@127\.0\.0\.1:{port} all the same: '
                     '--allow-other-destination', '-a', 'OTHER', studies)
        self.refused(' belongs to .*', '--host', 'localhost', studies)
        self.refused(' belongs to .*', '--port', '1', studies)
        self.resume('-a', 'OTHER', '--allow-other-destination', studies, stored=2, earlier_stored=2)
        self.resume('-a', 'OTHER', studies, stored=2, earlier_stored=2)
        self.refused(rf' belongs to OTHER@.*', studies)

    def test_two_processes(self):
        studies = self.studies('1x20x4096:CT')
        self.to('--discard', '--response-delay', '500')
        first = self.start(Running('dicom-sender', '--log-dir', self.logs, *map(str, self.arguments('-v', studies))))
        first.wait_for('stored', which=1)
        self.refused(rf' is in use by another process: pid {first.process.pid} on \S+, session \d+T\d+Z_[0-9a-f]{{4}}, '
                     r'since [-0-9]+T[:0-9]+Z', studies)
        self.assertIn('is running: pid', self.report().out)
        self.assertTrue(json.loads(self.report('--json').out)['running'])
        first.process.kill()
        first.process.wait()
        self.assertIn('did not come to its end', self.report().out)
        known = len(self.rows())
        self.assertGreater(known, 0)
        self.to()
        self.resume(studies, stored=20, earlier_stored=known)

    def test_no_ledger(self):
        studies = self.studies('1x1x4096:CT')
        self.to()
        self.ledger.write_text('These are my notes; please leave them alone.\n' * 100)
        self.refused(' is no ledger', studies)
        self.report_refuses(' is no ledger')
        self.ledger.unlink()
        self.ledger.mkdir()
        self.refused(': Is a directory', studies)
        self.report_refuses(' is no regular file')
        self.refused(' is no regular file', '--dry-run', studies)
        self.ledger.rmdir()
        os.mkfifo(self.ledger)
        self.refused(' is no regular file', studies)
        self.report_refuses(' is no regular file')
        self.refused(' is no regular file', '--dry-run', studies)

    def report_refuses(self, line):
        result = self.report(code=1)
        self.assertEqual((result.out, result.err), ('', f"dicom-sender report: '{self.ledger}'{line}\n"))

    def test_another_kind(self):
        """A place that is a URL is no path, and its password is not for the terminal or a log."""
        studies = self.studies('1x1x4096:CT')
        self.to()
        for place, shown in (('postgresql://me:secret@db.example/sent', 'postgresql'), ('S3+x://sent', 'S3+x')):
            with self.subTest(place):
                line = f'{shown}://...: this build has no ledger of that kind; it takes the path of a file\n'
                result = self.send('-H', '127.0.0.1', '-p', self.peer.port, '-r', '--ledger', place, studies)
                self.assertEqual((result.code, result.out, result.err), (1, '', f'dicom-sender: --ledger: {line}'))
                result = run('dicom-sender', 'report', '--ledger', place)
                self.assertEqual((result.code, result.out, result.err), (1, '', f'dicom-sender report: {line}'))
        place = self.folder / 'c:' / 'move.db'    # no URL: it has one slash
        place.parent.mkdir()
        result = self.send('-H', '127.0.0.1', '-p', self.peer.port, '-r', '--ledger', 'c:/move.db', studies,
                           cwd=self.folder)
        self.assert_exit(result, 0)
        self.assertTrue(place.is_file())

    def test_another_database(self):
        self.to()
        database = sqlite3.connect(self.ledger)
        database.execute('CREATE TABLE patients (name TEXT)')
        database.close()
        self.refused(' is no ledger, but a database of something else', self.studies('1x1x4096:CT'))
        self.report_refuses(' is no ledger, but a database of something else')

    def test_another_version(self):
        studies = self.studies('1x1x4096:CT')
        self.to()
        self.resume(studies, stored=1)
        database = sqlite3.connect(self.ledger)
        database.execute('PRAGMA user_version = 7')
        database.close()
        self.refused(' has schema version 7; this program knows version 1', studies)
        self.report_refuses(' has schema version 7; this program knows version 1')

    def test_damaged(self):
        studies = self.studies('2x30x4096:CT')
        self.to()
        self.resume(studies, stored=60)
        whole = self.ledger.read_bytes()
        self.ledger.write_bytes(whole[:100] + b'\x55' * (len(whole) - 100))
        self.refused(' is damaged: database disk image is malformed', studies)
        self.ledger.write_bytes(whole[:4096])
        self.refused('.*: database disk image is malformed', studies)

    def test_damaged_where_its_rows_are(self):
        """What cannot be read is not taken for what was never stored: nothing is sent."""
        studies = self.studies('2x30x4096:CT')
        self.to()
        self.resume(studies, stored=60)
        self.resume(studies, stored=60, earlier_stored=60)
        self.to()
        data, size = bytearray(self.ledger.read_bytes()), 4096
        last = max(at for at in range(0, len(data), size) if data[at] == 0x0d and b'.dcm' in data[at:at + size])
        data[last + 3:last + 5] = b'\xff\xff'  # the number of its cells
        self.ledger.write_bytes(data)
        for dry in ((), ('--dry-run',)):
            result = self.send(*self.arguments(*dry, studies))
            self.assertNotEqual(result.code, 0, result)
            self.assertIn(f"the ledger '{self.ledger}' cannot be read: database disk image is malformed", result.err)
        self.assertIn(' 0 stored', self.peer.stop().out)

    def test_no_place_for_it(self):
        self.to()
        result = self.send(*self.arguments('--ledger', self.folder / 'none' / 'a.db', self.studies('1x1x4096:CT')))
        self.assert_wrong(result, f"dicom-sender: --ledger: '{self.folder}/none/a.db': No such file or directory")

    def test_options(self):
        for arguments, line in (
                (('--retry-failed', '.'), '--retry-failed: it belongs to --ledger, which is missing'),
                (('--allow-other-destination', '.'), '--allow-other-destination: it belongs to --ledger, which is missing'),
                (('--synthetic', '1x1x1K:CT', '--ledger', 'x'),
                 '--synthetic makes no files that a ledger could know: give either it or --ledger')):
            self.assert_wrong(self.send('--loopback', *arguments), f'dicom-sender: {line}')
        self.assert_wrong(run('dicom-sender', 'report', '--failed'), 'dicom-sender report: give --ledger FILE')
        self.assert_wrong(run('dicom-sender', 'report', '--ledger', 'x', '--json', '--csv'),
                          'dicom-sender report: --json and --csv exclude each other')
        self.assert_wrong(run('dicom-sender', 'report', '--ledger', '/nonexistent'),
                          "dicom-sender report: '/nonexistent': No such file or directory")


class FullDisk(LedgerTest):
    def test_it_may_not_grow(self):
        """The run stops, says so, ends with neither 0 nor 1, and what was noted stands."""
        studies = self.studies('4x200x1024:CT')
        receiver = self.to('--discard', '--response-delay', '2')  # time to see that it stops
        done = subprocess.run(['prlimit', '--fsize=200000', program('dicom-sender'), '--log-dir', self.logs,
                               '--log-level', 'error', *map(str, self.arguments('-t', '4', studies))], check=False,
                              capture_output=True, text=True, env=process.environment(), timeout=process.TIMEOUT_S)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, rf"the ledger '{self.ledger}' cannot be written: .*(full|disk I/O error)")
        self.assertRegex(done.stderr, r'it lacks the outcomes of \d+ files')
        known = self.rows("SELECT count(*) FROM file WHERE state = 'stored'")[0][0]
        self.resume('-t', '4', studies, stored=800, earlier_stored=known)
        self.assertEqual(self.rows('SELECT count(*) FROM file'), [(800,)])
        sent = int(receiver.stop().out.split(' stored')[0].split()[-1])
        self.assertLess(sent, 800 + 400, 'it went on sending')


    def test_it_is_removed(self):
        """SQLite would go on in a file that has no name any more, and the run would end as if all were noted."""
        studies = self.studies('1x40x1024:CT')
        self.to('--discard', '--response-delay', '20')
        sender = self.start(Running('dicom-sender', '--log-dir', self.logs, *map(str, self.arguments('-v', studies))))
        sender.wait_for('stored', which=1)
        self.ledger.rename(self.folder / 'elsewhere')
        result = sender.wait()
        self.assert_exit(result, 2)
        self.assertIn(f"the ledger '{self.ledger}' was moved or removed while it was in use", result.err)


if __name__ == '__main__':
    unittest.main()
