"""Where the time of a run goes: for each kind a peer, or a machine, that takes it; and the line that says what holds the run."""
import contextlib
import os
import re
import socket
import subprocess
import threading
import time
import unittest

from support import datasets, network, programs
from support.base import ProgramTest
from support.scripted_peer import Close, Respond, ScriptedPeer, Silence

KINDS = ('scanning', 'storage', 'converting', 'connecting', 'negotiating', 'writing', 'waiting', 'paused', 'idle')
LIMIT = re.compile(r'^  limit +(\d+) %   (.*)$', re.MULTILINE)
OUT_OF_RESOURCES = 0xA700


class TimeTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')

    def send(self, port, options=(), studies=1, instances=3, size=20_000, sources=None, **more):
        if sources is None:
            datasets.make_studies(self.source, studies, instances, size)
        run = programs.run_sender(*([self.source] if sources is None else sources), port=port, options=options, **more)
        self.check_sums(run)
        return run

    def check_sums(self, run):
        """Each moment of a worker is counted once: the kinds add up to its time, and the workers to the whole."""
        summary = run.summary
        for worker in summary['workers']:
            self.assertEqual(set(worker['time_s']), set(KINDS))
            self.assertAlmostEqual(sum(worker['time_s'].values()), worker['there_s'], delta=1e-4, msg=run)
            self.assertLessEqual(worker['there_s'], summary['times']['duration_s'] + 0.01, run)
            self.assertLessEqual(worker['store_s'], worker['there_s'] + 1e-4, run)
        for kind in KINDS:
            self.assertAlmostEqual(sum(worker['time_s'][kind] for worker in summary['workers']),
                                   summary['time_s'][kind], delta=1e-3, msg=run)

    def assert_held_by(self, run, kind, words, least=0.6):
        """This kind is the largest, by far, and the console's line says so with its figure."""
        spent = run.summary['time_s']
        share = spent[kind] / sum(spent.values())
        self.assertEqual(max(spent, key=spent.get), kind, f'{spent}\n{run}')
        self.assertGreater(share, least, f'{spent}\n{run}')
        percent, said = LIMIT.search(run.stderr).groups()
        self.assertAlmostEqual(int(percent), 100 * share, delta=1, msg=run)
        self.assertIn(words, said)
        for other in KINDS:
            shown = re.search(rf'\b{other} (\d+) %', said)
            if other != kind and spent[other] / sum(spent.values()) > 0.02:
                self.assertAlmostEqual(int(shown[1]), 100 * spent[other] / sum(spent.values()), delta=1, msg=run)


class Peers(TimeTest):
    def test_waiting_for_a_slow_peer(self):
        with ScriptedPeer(delay_s=0.3) as peer:
            run = self.send(peer.port, instances=6)
        self.assert_held_by(run, 'waiting', "the peer's answers")
        self.assertEqual(run.exit_code, 0, run)

    def test_waiting_for_a_silent_peer(self):
        """Nothing is ever answered: that is no idle worker."""
        with ScriptedPeer(on_store=lambda store, complete: Silence()) as peer:
            run = self.send(peer.port, ['--dimse-timeout', 3, '--retry', 0], instances=1)
        self.assert_held_by(run, 'waiting', "the peer's answers")

    def test_waiting_with_a_window(self):
        """Several stores under way at a time: their waiting is not counted several times."""
        with programs.Receiver('-q', '--window', 8, '--response-delay', 200, keep=False) as receiver:
            run = self.send(receiver.port, ['--window', 8], instances=24)
        self.assert_held_by(run, 'waiting', "the peer's answers")

    def test_writing(self):
        """The peer reads slowly: through a relay that takes a few bytes at a time."""
        with ScriptedPeer() as peer, SlowRelay(peer.port, bytes_per_s=6_000_000) as relay:
            run = self.send(relay.port, instances=1, size=20_000_000)
        self.assertEqual(run.exit_code, 0, run)
        self.assert_held_by(run, 'writing', "the network, or the peer's reading", least=0.5)

    def test_connecting(self):
        """Nobody accepts, and the queue of the listener is full."""
        with network.port_without_answer() as port:
            run = self.send(port, ['--connect-timeout', 2, '--retry', 0])
        self.assert_held_by(run, 'connecting', 'connecting to the peer')

    def test_negotiating(self):
        def late(number, request):
            time.sleep(1.5)
        with ScriptedPeer(on_associate=late) as peer:
            run = self.send(peer.port)
        self.assertEqual(run.exit_code, 0, run)
        self.assert_held_by(run, 'negotiating', 'requests for an association')

    def test_negotiating_in_vain(self):
        with ScriptedPeer(on_associate=lambda number, request: Silence()) as peer:
            run = self.send(peer.port, ['--acse-timeout', 2, '--retry', 0])
        self.assert_held_by(run, 'negotiating', 'requests for an association')

    def test_paused(self):
        """Out of resources at first: all workers pause, and are not idle."""
        answers = iter([OUT_OF_RESOURCES] * 3)
        with ScriptedPeer(on_store=lambda store, complete: Respond(next(answers, 0))) as peer:
            run = self.send(peer.port, ['--retry', 5], instances=6)
        self.assertEqual(run.exit_code, 0, run)
        self.assert_held_by(run, 'paused', 'pauses and back-off')

    def test_back_off(self):
        """Nobody listens at first."""
        with socket.socket() as reserved:
            reserved.bind(('127.0.0.1', 0))
            run = self.send(reserved.getsockname()[1], ['--give-up-after', 4])
        self.assertEqual(run.exit_code, 1, run)
        self.assert_held_by(run, 'paused', 'pauses and back-off')

    def test_an_association_that_ends_is_no_idle_time(self):
        """Each store is answered by the end of the connection: waiting and back-off, and nothing is idle."""
        with ScriptedPeer(on_store=lambda store, complete: Close(), delay_s=0.3) as peer:
            run = self.send(peer.port, ['--retry', 1], instances=2)
        self.assertLess(run.summary['time_s']['idle'], 0.2 * sum(run.summary['time_s'].values()), run)

    def test_idle(self):
        """One study is much larger than the others, and belongs to one worker."""
        datasets.make_studies(self.source / 'large', 1, 30, 4096, seed=5)
        datasets.make_studies(self.source, 3, 1, 4096)
        with programs.Receiver('-q', '--response-delay', 100, keep=False) as receiver:
            run = self.send(receiver.port, sources=[self.source], threads=4)
        self.assertEqual(run.exit_code, 0, run)
        self.assert_held_by(run, 'idle', 'too little to do', least=0.5)


class Machines(TimeTest):
    def test_scanning(self):
        """A list of files that comes slowly."""
        entries = datasets.make_studies(self.source, 1, 4)
        with programs.Receiver('-q', keep=False) as receiver:
            command = [programs.program('dicom-sender'), '--json', '--no-progress', '--host', '127.0.0.1', '--port',
                       str(receiver.port), '--log-dir', str(self.folder / 'logs'), '--files-from', '-']
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=programs.environment()) as process:
                for entry in entries:
                    process.stdin.write(os.fsencode(entry.path) + b'\n')
                    process.stdin.flush()
                    time.sleep(0.5)
                stdout, stderr = process.communicate(timeout=60)
        run = programs.SenderRun(process.returncode, stdout.decode(), stderr.decode(), 0, self.folder / 'logs')
        self.assertEqual(run.exit_code, 0, run)
        self.check_sums(run)
        self.assert_held_by(run, 'scanning', 'the scan')

    def test_scanning_first(self):
        """With --scan-first too, though no worker was there yet."""
        datasets.make_studies(self.source, 1, 40, 2_000_000)
        with programs.Receiver('-q', keep=False) as receiver:
            run = self.send(receiver.port, ['--scan-first'], sources=[self.source], folder_variable='RELEASE_DIR',
                            prefix=programs.odd_system(read_bytes_per_s=60_000_000))
        self.assertGreater(run.summary['time_s']['scanning'], 0.5 * run.summary['times']['scan_s'], run)

    def test_storage(self):
        with programs.Receiver('-q', keep=False) as receiver:
            run = self.send(receiver.port, instances=4, size=2_000_000, folder_variable='RELEASE_DIR',
                            prefix=programs.odd_system(read_bytes_per_s=8_000_000))
        self.assertEqual(run.exit_code, 0, run)
        self.assert_held_by(run, 'storage', 'the storage', least=0.5)

    def test_a_wall_clock_that_jumps(self):
        """Durations are those of a clock that does not: a day ahead or back while it runs changes none."""
        for jump_s in (86400, -86400):
            with self.subTest(jump_s=jump_s), ScriptedPeer(delay_s=0.3) as peer:
                run = self.send(peer.port, instances=5, folder_variable='RELEASE_DIR',
                                prefix=programs.odd_system(jump_after_ms=600, jump_s=jump_s))
                self.assertEqual(run.exit_code, 0, run)
                self.assertGreater(run.summary['times']['duration_s'], 1.4, run)
                self.assertLess(run.summary['times']['duration_s'], 60, run)
                self.assertRegex(run.stderr, r'session complete after \d+\.\d s')
                self.assertGreater(run.summary['rates']['session']['instances_per_s'], 0.05, run)
                self.assert_held_by(run, 'waiting', "the peer's answers")


class Words(TimeTest):
    def test_one_worker_is_no_range(self):
        with ScriptedPeer(delay_s=0.1) as peer:
            run = self.send(peer.port)
        self.assertRegex(run.stderr, r'\n  workers +1   busy \d+ %\n')

    def test_peak_workers(self):
        """Also of a run that is over before anybody has looked."""
        for threads in (1, 3):
            with self.subTest(threads=threads), programs.Receiver('-q', keep=False) as receiver:
                run = self.send(receiver.port, studies=3, instances=1, threads=threads)
                self.assertGreaterEqual(run.summary['peak_workers'], 1, run)
                self.assertLessEqual(run.summary['peak_workers'], threads, run)


class SlowRelay:
    """Passes a connection on, from the sender to the peer so many bytes a second."""

    def __init__(self, port, bytes_per_s):
        self.to, self.bytes_per_s = port, bytes_per_s
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.listener.bind(('127.0.0.1', 0))
        self.listener.listen(4)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.listener.close()
        self.thread.join(10)

    def _run(self):
        source, _ = self.listener.accept()
        with source, socket.create_connection(('127.0.0.1', self.to)) as target:
            back = threading.Thread(target=self._pass_on, args=(target, source, 65536, 0), daemon=True)
            back.start()
            self._pass_on(source, target, 16384, 16384 / self.bytes_per_s)
            back.join(10)

    @staticmethod
    def _pass_on(source, target, size, pause_s):
        with contextlib.suppress(OSError):
            while data := source.recv(size):
                target.sendall(data)
                time.sleep(pause_s)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


if __name__ == '__main__':
    unittest.main()
