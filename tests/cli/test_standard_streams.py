"""Programs that are started with standard streams closed, or with few open files allowed, from the outside.

A closed stream is no reason to lose anything: all is done, the summary is written, and the exit code is the right one.
"""
import itertools
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time
import unittest

from support import process
from support.base import CommandTest
from support.datasets import files_below
from support.process import environment, program, TIMEOUT_S

# Every way to close one, two or three of them.
SUBSETS = [subset for count in (1, 2, 3) for subset in itertools.combinations((0, 1, 2), count)]


def closing(fds):
    """What the child does before it becomes the program."""
    def close():
        for fd in fds:
            os.close(fd)
    return close


def free_port():
    with socket.socket() as holder:
        holder.bind(('127.0.0.1', 0))
        return holder.getsockname()[1]


class StandardStreams(CommandTest):
    def run_closed(self, fds, name, *arguments):
        """Its exit code, and what it wrote to the streams that were open."""
        done = subprocess.run([program(name), *map(str, arguments)], cwd=self.folder, env=environment(), check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT_S, preexec_fn=closing(fds))
        said = (done.stdout + done.stderr).decode(errors='replace')
        self.assertFalse(process.fault_of(said), said)
        return done.returncode, said

    def serve_closed(self, fds, name, *arguments):
        """A server on a port of its own; it listens when this returns."""
        port = free_port()
        process = subprocess.Popen([program(name), '--port', str(port), *map(str, arguments)], cwd=self.folder,
                                   env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, preexec_fn=closing(fds))
        self.addCleanup(lambda: process.poll() is None and process.kill())
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(('127.0.0.1', port)) == 0:
                    return process, port
            time.sleep(0.02)
        self.fail(f'{name} does not listen: exit {process.poll()}')

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(TIMEOUT_S), 0)

    def test_sender(self):
        studies = self.studies()
        receiver = self.receiver('--discard')
        for fds in SUBSETS:
            with self.subTest(closed=fds):
                logs = self.folder / f'logs-{fds}'
                code, said = self.run_closed(fds, 'dicom-sender', f'ANY@127.0.0.1:{receiver.port}', '-r', studies,
                                             '--log-dir', logs, '--threads', 2, '--ledger', f'ledger-{fds}.db')
                self.assertEqual(code, 0, said)
                summary = json.loads(next(logs.glob('dicom_sender_summary_*.json')).read_text())
                self.assertEqual((summary['totals']['stored'], summary['exit_code']), (6, 0))
                self.assertEqual(self.run_closed(fds, 'dicom-sender', 'report', '--ledger', f'ledger-{fds}.db')[0], 0)
        self.assertIn(f'{6 * len(SUBSETS)} stored', receiver.stop().out)

    def test_sender_that_fails(self):
        studies = self.studies()
        for fds in SUBSETS:
            with self.subTest(closed=fds):
                code, said = self.run_closed(fds, 'dicom-sender', '--host', '127.0.0.1', '--port', free_port(), '-r',
                                             studies, '--log-dir', self.folder / f'logs-{fds}', '--retry', 0)
                self.assertEqual(code, 1, said)

    def test_echo_finder_mover(self):
        server, port = self.serve_closed((), 'dicom-archive', '--synthetic', '1x1x3')
        peer = f'ANY@127.0.0.1:{port}'
        study = re.search(r'2\.25\.\d+', self.run_closed((), 'dicom-finder', peer, '--csv')[1]).group()
        for fds in SUBSETS:
            with self.subTest(closed=fds):
                self.assertEqual(self.run_closed(fds, 'dicom-echo', peer)[0], 0)
                self.assertEqual(self.run_closed(fds, 'dicom-finder', peer)[0], 0)
                folder = self.folder / f'fetched-{fds}'
                code, said = self.run_closed(fds, 'dicom-mover', peer, '-k', f'StudyInstanceUID={study}', '--get', '-o', folder,
                                             '--log-dir', self.folder / f'logs-{fds}')
                self.assertEqual(code, 0, said)
                self.assertEqual(len(list(folder.glob('*.dcm'))), 3)
                self.assertEqual(len(list((self.folder / f'logs-{fds}').glob('dicom_mover_summary_*.json'))), 1)
        self.end(server)

    def test_servers(self):
        studies = self.studies()
        for fds in SUBSETS:
            for name in ('dicom-receiver', 'dicom-archive'):
                with self.subTest(closed=fds, program=name):
                    folder = self.folder / f'kept-{name}-{fds}'
                    server, port = self.serve_closed(fds, name, '--output-dir', folder)
                    self.assert_exit(self.send('-r', studies, '--host', '127.0.0.1', '--port', port), 0)
                    self.end(server)
                    self.assertEqual(len([path for path in files_below(folder) if path.suffix == '.dcm']), 6)


class FewFiles(CommandTest):
    def test_few_open_files(self):
        """A clear line, or the work is done; never an assertion."""
        studies = self.studies('1x1x1024:CT')
        for name, *arguments in (('dicom-sender', '--loopback', '-r', studies, '--log-dir', self.logs),
                                 ('dicom-sender', 'report', '--ledger', 'none.db'),
                                 ('dicom-echo', '--loopback'),
                                 ('dicom-finder', '127.0.0.1:9'),
                                 ('dicom-mover', '127.0.0.1:9', '-k', 'PatientID=1', '-o', 'x'),
                                 ('dicom-receiver', '--port', '0', '--discard'),
                                 ('dicom-archive', '--port', '0', '--synthetic', '1x1x1')):
            for limit in (5, 6, 7, 8, 9, 10, 11, 14, 20, 26):
                with self.subTest(program=name, limit=limit):
                    def allow(limit=limit):
                        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
                    done = subprocess.run([program(name), *map(str, arguments)], cwd=self.folder, env=environment(),
                                          stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False,
                                          preexec_fn=allow)
                    who = f'{name} report' if arguments[0] == 'report' else name
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertEqual(done.stderr.decode(), f'{who}: too few files may be open at a time: {limit} '
                                     '(ulimit -n), and 24 more than now are needed\n')


if __name__ == '__main__':
    unittest.main()
