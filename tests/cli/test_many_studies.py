"""Memory does not grow with the number of studies; the summary lists the first ten thousand of them and says so."""
import json
import os
import pathlib
import re
import subprocess
import unittest

import jsonschema

from support import programs
from support.base import ProgramTest

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'summary.schema.json'
LISTED_MAX = 10_000
# Both past what is listed: what one has more than the other is what grows.
FEW, MANY = 11_000, 61_000
# Of a UID in a set: eight bytes, half of the places free, and the old table beside the new one while it grows.
BYTES_A_STUDY = 48
SLACK_KB = 1500


class ManyStudies(ProgramTest):
    def run_sender(self, *options):
        """The build without sanitizers. Its summary, what it said on standard output, and its largest memory in KB."""
        logs = self.folder / 'logs'
        command = [programs.program('dicom-sender', 'RELEASE_DIR'), '--no-progress', '--log-level', 'error', '--log-dir', logs]
        done = subprocess.run(['/usr/bin/time', '-f', 'peak %M', *command, *map(str, options)], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=300, check=False, text=True, env=programs.environment())
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        path = max(logs.glob('*summary*'), key=os.path.getmtime)
        summary = json.loads(path.read_text(encoding='utf-8'))
        jsonschema.validate(summary, json.loads(SCHEMA.read_text(encoding='utf-8')))
        self.assertLess(path.stat().st_size, 12_000_000)
        path.unlink()
        return summary, done.stdout, int(re.search(r'^peak (\d+)$', done.stderr, re.MULTILINE)[1])

    def assert_flat(self, few_kb, many_kb, bytes_a_study=BYTES_A_STUDY):
        self.assertLess(many_kb - few_kb, (MANY - FEW) * bytes_a_study / 1024 + SLACK_KB, (few_kb, many_kb))

    def test_sent(self):
        _, _, few_kb = self.run_sender('--loopback', '--synthetic', f'{FEW}x1x100')
        summary, _, many_kb = self.run_sender('--loopback', '--synthetic', f'{MANY}x1x100')
        self.assertEqual((summary['totals']['stored'], summary['totals']['studies']), (MANY, MANY))
        self.assertEqual((len(summary['studies']), summary['all_listed']['studies']), (LISTED_MAX, False))
        self.assert_flat(few_kb, many_kb)

    def test_dry_run(self):
        _, _, few_kb = self.run_sender('--dry-run', '--synthetic', f'{FEW}x1x100')
        summary, said, many_kb = self.run_sender('--dry-run', '--synthetic', f'{MANY}x1x100')
        self.assertEqual((summary['totals']['pending'], summary['totals']['studies']), (MANY, MANY))
        self.assertEqual((len(summary['pending']), summary['all_listed']['pending']), (LISTED_MAX, False))
        studies = re.findall(r'^study (\S+): ', said, re.MULTILINE)
        self.assertEqual((len(studies), len(set(studies))), (MANY, MANY), 'each is told, once')
        # Each instance and each study has a place in an array that grows by doubling, and its UID one in a set.
        self.assert_flat(few_kb, many_kb, 120)

    def test_files_and_a_ledger(self):
        """Found on disk, sent with a ledger, and once more when nothing is left."""
        source = self.subfolder('source')
        programs.write_synthetic(source, f'{FEW}x1x128:CT')
        ledger = self.folder / 'ledger.db'
        for earlier in (0, FEW):
            summary, _, peak_kb = self.run_sender('--loopback', '--recursive', '--ledger', ledger, source)
            self.assertEqual((summary['totals']['stored'], summary['totals']['earlier']['stored']), (FEW, earlier))
            self.assertFalse(summary['all_listed']['studies'])
            self.assertLess(peak_kb, 64 * 1024)


if __name__ == '__main__':
    unittest.main()
