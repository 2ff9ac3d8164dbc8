"""`dicom-sender report`: what it says of a ledger, in its three forms."""
import csv
import io
import json
import pathlib
import re
import shutil
import sqlite3
import subprocess
import unittest

from support import process, programs
from support.datasets import files_below, write_instance
from support.process import program, run
from support.ledger_test import LedgerTest, alter


class Report(LedgerTest):
    def setUp(self):
        super().setUp()
        self.source = self.studies('2x3x4096:CT')
        (self.source / 'a,"readme"').write_text('no DICOM')
        write_instance(self.source / 'no-study', study=None)
        self.to()
        self.resume(self.source, code=2, stored=6, skipped=1, failed=1)

    def test_text(self):
        out = self.report().out
        self.assertRegex(out, rf'(?m)^destination  ANY-SCP@127\.0\.0\.1:{self.peer.port}$')
        self.assertRegex(out, r'(?m)^sessions     1, the last \S+ ended, exit code 2$')
        self.assertRegex(out, r'(?m)^  files\s+8   in 2 studies$')
        self.assertRegex(out, r'(?m)^  stored\s+6 ')
        self.assertRegex(out, r'(?m)^  failed    no-study-uid\s+1   no Study Instance UID$')
        self.assertRegex(out, r'(?m)^2 studies are complete$')
        self.assertNotIn('readme', out)

    def test_files(self):
        self.assertIn(f'  failed    {self.source}/no-study\n            no Study Instance UID\n',
                      self.report('--failed').out)
        self.assertIn('a,"readme"', self.report('--skipped').out)
        self.assertNotIn('files\n', self.report('--pending', '--warned').out)

    def test_studies_that_are_not_complete(self):
        self.to('--discard', '--status', 'C000')
        alter(files_below(self.source / 'study-1')[0])
        self.resume(self.source, code=2, stored=5, earlier_stored=5, failed=2, earlier_failed=1, skipped=1,
                    earlier_skipped=1)
        out = self.report().out
        self.assertRegex(out, r'(?m)^  2\.25\.\d+ +2 of 3 stored, 1 failed$')
        self.assertRegex(out, r'(?m)^1 study is complete$')
        self.assertRegex(out, r'(?m)^  failed    status .*: 0xC000$')

    def test_where_nothing_can_be_written(self):
        """A ledger that was put away, where SQLite cannot make the files it wants beside it."""
        away = self.folder / 'away'
        away.mkdir()
        shutil.copyfile(self.ledger, away / 'move 100%.db?')
        (away / 'move 100%.db?').chmod(0o444)
        away.chmod(0o555)
        self.addCleanup(away.chmod, 0o755)
        done = subprocess.run([*programs.without_privileges(), program('dicom-sender'), 'report', '--ledger', away / 'move 100%.db?'],
                              check=False, capture_output=True, text=True, env=process.environment(),
                              timeout=process.TIMEOUT_S)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertEqual(done.stdout.split('\n', 1)[1], self.report().out.split('\n', 1)[1])
        self.assertEqual(len(list(away.iterdir())), 1)

    def test_after_a_session_that_did_not_end(self):
        """What it had not looked at is not in the ledger, so that no study is known to be complete."""
        database = sqlite3.connect(self.ledger)
        database.execute('UPDATE session SET ended_us = NULL, verdict = NULL, exit_code = NULL')
        database.commit()
        database.close()
        out = self.report().out
        self.assertRegex(out, r'(?m)^sessions     1, the last \S+ did not come to its end; ')
        self.assertRegex(out, r'(?m)^2 studies have nothing left over of what was looked at so far$')
        self.assertNotIn('complete', out)

    def test_json(self):
        report = json.loads(self.report('--json').out)
        self.assertEqual((report['schema_version'], report['running']), (1, False))
        self.assertEqual({name: report['totals'][name] for name in ('files', 'stored', 'failed', 'skipped', 'studies')},
                         {'files': 8, 'stored': 6, 'failed': 1, 'skipped': 1, 'studies': 2})
        self.assertEqual(sorted((row['state'], row['reason'], row['files']) for row in report['reasons']),
                         [('failed', 'no-study-uid', 1), ('skipped', 'not-dicom', 1)])
        self.assertEqual([(row['files'], row['stored']) for row in report['studies']], [(3, 3), (3, 3)])
        self.assertEqual(report['sessions'][0]['exit_code'], 2)
        self.assertNotIn('files', report)
        files = json.loads(self.report('--json', '--failed', '--skipped').out)['files']
        self.assertEqual({row['path']: row['reason'] for row in files},
                         {f'{self.source}/no-study': 'no-study-uid', f'{self.source}/a,"readme"': 'not-dicom'})

    def test_csv(self):
        rows = list(csv.DictReader(io.StringIO(self.report('--csv').out)))
        self.assertEqual(len(rows), 8)
        self.assertEqual({row['path'] for row in rows}, set(map(str, files_below(self.source))))
        self.assertEqual({row['status'] for row in rows if row['state'] == 'stored'}, {'0x0000'})
        rows = list(csv.DictReader(io.StringIO(self.report('--csv', '--failed').out)))
        self.assertEqual([row['reason'] for row in rows], ['no-study-uid'])

    def test_documented_schema(self):
        """docs/ledger.md names every column, and its queries run."""
        text = (pathlib.Path(__file__).parents[2] / 'docs' / 'ledger.md').read_text(encoding='utf-8')
        for table in ('file', 'session', 'destination'):
            for _, column, *_ in self.rows(f'PRAGMA table_info({table})'):
                self.assertIn(f'`{column}`', text)
        questions = re.findall(r'sqlite3 move\.db "([^"]+)"', text)
        self.assertGreater(len(questions), 4)
        for question in questions:
            self.rows(question)

    def test_help(self):
        result = run('dicom-sender', 'report', '--help')
        self.assert_exit(result, 0)
        for name in ('--ledger', '--failed', '--warned', '--skipped', '--pending', '--json', '--csv'):
            self.assertIn(name, result.out)
        self.assertIn('dicom-sender report', run('dicom-sender', '--help').out)


class Everything(LedgerTest):
    """What no short run leaves behind: the rows of a real ledger are replaced by made ones."""

    ODD_PATH = b'/archive/caf\xe9'
    # (state, status, reason, study)
    FILES = [('stored', 0, None, '1.1'), ('warned', 0xB000, 'status', '1.1'), ('skipped', None, 'duplicate', '1.1'),
             ('failed', 0xA900, 'status', '1.2'), ('failed', 0xC001, 'status', '1.2'),
             ('failed', 0xC001, 'status', '1.2'), ('warned', 0xB007, 'status', '1.2'),
             ('in_doubt', None, 'connection', '1.3'), ('pending', None, 'interrupted', '1.4'),
             ('pending', None, 'interrupted', '1.4'), ('failed', None, 'no-study-uid', None)]

    def setUp(self):
        super().setUp()
        self.to()
        self.resume(self.studies('1x1x4096:CT'), stored=1)
        self.replace((f'/archive/{number}.dcm', *row) for number, row in enumerate(self.FILES))

    def replace(self, rows):
        """In place of all there is: (path, state, status, reason, study); data sets of 1000 bytes."""
        database = sqlite3.connect(self.ledger)
        with database:
            database.execute('DELETE FROM file')
            database.executemany('INSERT INTO file (path, state, status, reason, study, data_bytes, text, attempts, '
                                 "ended_us, session) VALUES (?, ?, ?, ?, ?, 1000, 'because', 1, 1e15, 1)", rows)
        database.close()

    def json(self, *filters):
        return json.loads(self.report('--json', *filters).out)

    def test_filters(self):
        """Each shows its own, in all three forms; pending means all that is to be sent yet; several add up."""
        everything = ('--failed', '--warned', '--skipped', '--pending')
        for filters, states in ((('--failed',), {'failed'}), (('--warned',), {'warned'}), (('--skipped',), {'skipped'}),
                                (('--pending',), {'pending', 'in_doubt'}),
                                (('--warned', '--skipped'), {'warned', 'skipped'}),
                                (everything, {state for state, *_ in self.FILES} - {'stored'})):
            with self.subTest(filters):
                wanted = [f'/archive/{number}.dcm' for number, row in enumerate(self.FILES) if row[0] in states]
                self.assertEqual([row['path'] for row in self.json(*filters)['files']], wanted)
                rows = csv.DictReader(io.StringIO(self.report('--csv', *filters).out))
                self.assertEqual([row['path'] for row in rows], wanted)
                files = self.report(*filters).out.partition('\nfiles\n')[2]
                self.assertEqual(re.findall(r'(?m)^  \w+ +(/archive/\S+)$', files), wanted)

    def test_totals(self):
        self.assertEqual(self.json()['totals'], {'files': 11, 'stored': 1, 'warned': 2, 'failed': 4, 'skipped': 1,
                                                 'in_doubt': 1, 'pending': 2, 'bytes': 3000, 'studies': 4})
        totals = self.report().out.partition('\nby reason\n')[0]
        self.assertEqual(dict(re.findall(r'(?m)^  (\w+(?: doubt)?) +(\d+)', totals)),
                         {'files': '11', 'stored': '1', 'warned': '2', 'failed': '4', 'skipped': '1', 'in doubt': '1',
                          'pending': '2'})
        self.assertIn('   3.0 KB with the warned ones', totals)

    def test_totals_by_reason(self):
        """A line for each state, reason and status, the most frequent of a state first."""
        rows = [(row['state'], row['reason'], row['status'], row['files']) for row in self.json()['reasons']]
        self.assertEqual(rows[:3], [('failed', 'status', '0xC001', 2), *sorted(rows[1:3], key=str)])
        self.assertEqual(set(rows), {
            ('failed', 'status', '0xC001', 2), ('failed', 'status', '0xA900', 1), ('failed', 'no-study-uid', None, 1),
            ('in_doubt', 'connection', None, 1), ('pending', 'interrupted', None, 2), ('skipped', 'duplicate', None, 1),
            ('warned', 'status', '0xB000', 1), ('warned', 'status', '0xB007', 1)})
        self.assertEqual(len(rows), 8)
        lines = self.report().out.partition('\nby reason\n')[2].partition('\n\n')[0].splitlines()
        self.assertEqual(len(lines), 8)
        self.assertRegex(lines[0], r'^  failed +status +2   \w.*: 0xC001$')

    def test_totals_by_study(self):
        """Those with the most left over come first; skipped and warned ones leave nothing over."""
        keys = ('study', 'files', 'stored', 'warned', 'failed', 'skipped', 'in_doubt', 'pending', 'bytes')
        self.assertEqual([tuple(row[key] for key in keys) for row in self.json()['studies']],
                         [('1.2', 4, 0, 1, 3, 0, 0, 0, 1000), ('1.4', 2, 0, 0, 0, 0, 0, 2, 0),
                          ('1.3', 1, 0, 0, 0, 0, 1, 0, 0), ('1.1', 3, 1, 1, 0, 1, 0, 0, 2000)])
        studies = self.report().out.partition('\nstudies that are not complete\n')[2].splitlines()
        self.assertEqual([line.split() for line in studies[:3]], [
            '1.2 0 of 4 stored, 1 warned, 3 failed'.split(), '1.4 0 of 2 stored, 2 pending'.split(),
            '1.3 0 of 1 stored, 1 in doubt'.split()])
        self.assertEqual(studies[3:], ['', '1 study is complete'])

    def test_many_studies(self):
        self.replace((f'/{number}', 'failed' if number < 25 else 'stored', None, None, f'1.{number}')
                     for number in range(30))
        out = self.report().out
        self.assertEqual(len(re.findall(r'(?m)^  1\.\d+ +0 of 1 stored, 1 failed$', out)), 20)
        self.assertIn('\n  ... and 5 more (--json lists all)\n\n5 studies are complete\n', out)
        self.assertEqual(len(self.json()['studies']), 30)

    def test_texts_of_any_bytes(self):
        """CSV quotes what RFC 4180 wants quoted; JSON has the bytes too if they are not UTF-8; people see one line."""
        names = ['/a,b', '/say "no"', '/two\nlines', '/a\rreturn', '/plain \x1b[31m']
        self.replace([(name, 'failed', None, 'status', None) for name in names] +
                     [(self.ODD_PATH, 'failed', None, 'status', None)])
        done = subprocess.run([program('dicom-sender'), 'report', '--ledger', self.ledger, '--csv'], check=True,
                              env=process.environment(), capture_output=True, timeout=process.TIMEOUT_S)
        rows = list(csv.DictReader(io.StringIO(done.stdout.decode('latin-1'), newline='')))
        self.assertEqual([row['path'].encode('latin-1') for row in rows], [*map(str.encode, names), self.ODD_PATH])
        for field in (b'"/a,b"', b'"/say ""no"""', b'"/two\nlines"', b'"/a\rreturn"', b'/plain \x1b[31m'):
            self.assertIn(b'\n' + field + b',', done.stdout)
        files = self.json('--failed')['files']
        self.assertEqual([row['path'] for row in files], [*names, '/archive/caf\ufffd'])
        self.assertEqual([row.get('path_hex') for row in files], [None] * len(names) + [self.ODD_PATH.hex()])
        shown = self.report('--failed').out
        self.assertNotIn('\x1b', shown)
        self.assertNotIn('\r', shown)
        self.assertEqual(len(shown.partition('\nfiles\n')[2].splitlines()), 2 * (len(names) + 1))

    def test_standard_output_is_full(self):
        for form in ((), ('--json',), ('--csv',)):
            with self.subTest(form), open('/dev/full', 'wb') as full:
                done = subprocess.run([program('dicom-sender'), 'report', '--ledger', self.ledger, *form], stdout=full,
                                      stderr=subprocess.PIPE, text=True, check=False, timeout=process.TIMEOUT_S,
                                      env=process.environment())
                self.assertEqual((done.returncode, done.stderr),
                                 (1, 'dicom-sender report: standard output: No space left on device\n'))

    def test_damaged(self):
        """What is still readable is no report: it ends with 1."""
        self.replace((f'/{number}' + 500 * 'x', 'failed', None, 'status', '1.2') for number in range(100))
        whole = self.ledger.read_bytes()
        self.ledger.write_bytes(whole[:len(whole) // 2] + b'\x55' * (len(whole) - len(whole) // 2))
        for form in ((), ('--json',), ('--csv',)):
            with self.subTest(form):
                error = self.report(*form, code=1).err
                self.assertRegex(error, r"^dicom-sender report: '.*move\.db'.*: database disk image is malformed\n$")


if __name__ == '__main__':
    unittest.main()
