"""An output that cannot be written whole is never exit code 0: standard output on a full disk, a log and a summary that may
not grow."""
import subprocess
import unittest

from support import datasets, programs
from support.base import ProgramTest

END_S = 60


class FullOutputs(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.logs = self.folder / 'logs'
        self.count = len(datasets.make_studies(self.source, 2, 3))

    def run_into(self, path, *command, prefix=()):
        """The exit code, and what was said on standard error."""
        name, *rest = command
        with open(path, 'wb') as out:
            done = subprocess.run([*prefix, programs.program(name), *map(str, rest)], stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=subprocess.PIPE, timeout=END_S, check=False, errors='replace',
                                  env=programs.environment())
        self.assertGreaterEqual(done.returncode, 0, done.stderr)
        self.assertEqual(programs.fault_of(done.stderr), '')
        return done.returncode, done.stderr

    def assert_fails_when_full(self, *command, exit_code=1):
        """It ends with 0 when there is room, and not when there is none; and says why, once."""
        code, said = self.run_into('/dev/null', *command)
        self.assertEqual(code, 0, said)
        code, said = self.run_into('/dev/full', *command)
        self.assertEqual(code, exit_code, said)
        self.assertEqual(said.count('standard output: '), 1, said)
        self.assertIn(command[0], said)

    def test_help_and_version(self):
        for name in ('sender', 'echo', 'finder', 'mover', 'receiver', 'archive'):
            for option in ('--help', '--version'):
                with self.subTest(name=name, option=option):
                    self.assert_fails_when_full(f'dicom-{name}', option)

    def test_sender(self):
        sender = ['dicom-sender', '--log-dir', self.logs, '--no-progress', '--recursive']
        self.assert_fails_when_full(*sender, '--loopback', '--json', self.source, exit_code=2)
        self.assert_fails_when_full(*sender, '--dry-run', self.source)
        self.assert_fails_when_full(*sender, '--dry-run', '--json', self.source, exit_code=2)
        self.assert_fails_when_full(*sender, '--loopback', '--ramp', '1,2', '--json', self.source, exit_code=2)

    def test_report(self):
        ledger = self.folder / 'ledger.db'
        code, said = self.run_into('/dev/null', 'dicom-sender', '--loopback', '--log-dir', self.logs, '-r', '--ledger',
                                   ledger, self.source)
        self.assertEqual(code, 0, said)
        for options in ([], ['--json'], ['--csv']):
            with self.subTest(options):
                self.assert_fails_when_full('dicom-sender', 'report', '--ledger', ledger, *options)

    def test_those_that_ask(self):
        archive = self.start(programs.Archive(synthetic='2x1x3'))
        peer = f'{archive.ae_title}@127.0.0.1:{archive.port}'
        self.assert_fails_when_full('dicom-echo', peer)
        self.assert_fails_when_full('dicom-echo', peer, '--repeat', 3)
        for options in ([], ['--json'], ['--csv']):
            with self.subTest(options):
                self.assert_fails_when_full('dicom-finder', peer, *options)
        mover = ['dicom-mover', peer, '--log-dir', self.logs, '--get', '--level', 'study', '-k', 'StudyDate=19000101-']
        self.assert_fails_when_full(*mover, '--output-dir', self.folder / 'out', '--json', exit_code=2)

    def test_a_log_and_a_summary_that_may_not_grow(self):
        for size, what in ((300, 'the event log is not complete'), (300, 'the summary ')):
            code, said = self.run_into('/dev/null', 'dicom-sender', '--loopback', '--log-dir', self.logs, '-r', self.source,
                                       prefix=['prlimit', f'--fsize={size}'])
            self.assertEqual(code, 2, said)
            self.assertIn(what, said)
            self.assertIn(f'stored {self.count:15}'[:7], said)
        archive = self.start(programs.Archive(synthetic='1x1x3'))
        code, said = self.run_into('/dev/null', 'dicom-mover', f'{archive.ae_title}@127.0.0.1:{archive.port}', '--log-dir',
                                   self.logs, '--get', '-k', 'StudyDate=19000101-', '--output-dir', self.folder / 'out',
                                   prefix=['prlimit', '--fsize=1500'])
        self.assertIn('the summary ', said)
        self.assertNotIn(code, (0, 130), said)


if __name__ == '__main__':
    unittest.main()
