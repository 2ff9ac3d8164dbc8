"""SIGHUP and a closed terminal end a run in the same good order as SIGTERM, in every program; and not one that was
started to ignore them."""
import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
import time
import unittest

from support import datasets, network, programs
from support.base import ProgramTest
from support.scripted_peer import RELEASED, ScriptedPeer, Silence

END_S = 20


def setUpModule():
    """Whoever runs the tests may ignore SIGHUP, and what it starts would inherit that."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Senders(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.entries = datasets.make_studies(self.source, 1, 30, 20_000)

    def send(self, during, prefix=()):
        with ScriptedPeer(delay_s=0.1) as peer:
            run = programs.run_sender(self.source, port=peer.port, prefix=prefix,
                                      during=lambda process: during(process, peer))
        self.peer = peer
        return run

    @staticmethod
    def hang_up(process, peer):
        network.wait_until(lambda: len(peer.stores) >= 3, END_S, 'three stores')
        process.send_signal(signal.SIGHUP)

    def test_a_signal(self):
        run = self.send(self.hang_up)
        self.assertEqual((run.exit_code, run.summary['verdict']), (130, 'interrupted'), run)
        self.assertIn('SIGHUP', run.summary['stop_reason'])
        self.assertGreaterEqual(run.total('stored'), 3)
        self.assertGreater(run.total('pending'), 0)
        self.assertEqual(run.total('in_doubt'), 0, 'what was under way was finished')
        self.assertEqual([association.end for association in self.peer.associations], [RELEASED])

    def test_two_signals_are_two(self):
        def hang_up_twice(process, peer):
            self.hang_up(process, peer)
            time.sleep(0.02)
            process.send_signal(signal.SIGHUP)
        run = self.send(hang_up_twice)
        self.assertEqual((run.exit_code, run.summary['verdict']), (130, 'interrupted'), run)

    def test_nohup(self):
        run = self.send(self.hang_up, prefix=['nohup'])
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(self.entries)), run)

    def test_a_terminal_that_is_closed(self):
        """All three streams are the terminal; the kernel sends the signal, and no word arrives any more."""
        logs = self.folder / 'logs'
        with ScriptedPeer(delay_s=0.1) as peer:
            ours, theirs = pty.openpty()

            def take_terminal():
                os.setsid()
                fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
            command = [programs.program('dicom-sender'), '--json', '--host', '127.0.0.1', '--port', str(peer.port),
                       '--recursive', '--log-dir', str(logs), str(self.source)]
            with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=take_terminal,
                                  env=dict(programs.environment(), TERM='xterm')) as process:
                os.close(theirs)
                network.wait_until(lambda: len(peer.stores) >= 3, END_S, 'three stores')
                os.close(ours)
                self.assertEqual(process.wait(END_S), 130)
        summary = json.loads(next(logs.glob('*summary*')).read_text(encoding='utf-8'))
        self.assertEqual((summary['verdict'], summary['totals']['in_doubt']), ('interrupted', 0))
        self.assertEqual([association.end for association in peer.associations], [RELEASED])


class Others(ProgramTest):
    def ends(self, command, ready, exit_code):
        """`ready` says, of its standard output so far, that it is at work."""
        with subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=programs.environment()) as process:
            try:
                if ready is not None:
                    self.assertIn(ready, process.stdout.readline().decode())
                else:
                    time.sleep(1)
                process.send_signal(signal.SIGHUP)
                stdout, stderr = process.communicate(timeout=END_S)
            except BaseException:
                process.kill()
                raise
        self.assertEqual(process.returncode, exit_code, stderr.decode()[-2000:] + stdout.decode()[-500:])
        return stdout.decode()

    def test_receiver(self):
        said = self.ends([programs.program('dicom-receiver'), '--port', 0, '--discard'], 'listening', 0)
        self.assertIn('0 associations', said)

    def test_archive(self):
        self.ends([programs.program('dicom-archive'), '--port', 0, '--synthetic', '1x1x1'], 'instance', 0)

    def test_finder_and_mover(self):
        """At a peer that takes the association and says nothing."""
        mover = ['dicom-mover', '-k', 'StudyInstanceUID=1.2.3', '--get', '--output-dir', self.folder / 'out', '--log-dir',
                 self.folder / 'logs']
        for command in (['dicom-finder'], mover):
            with self.subTest(command[0]), ScriptedPeer(on_associate=lambda number, request: Silence()) as peer:
                self.ends([programs.program(command[0]), f'ANY@127.0.0.1:{peer.port}', *command[1:]], None, 130)
        summary = json.loads(next((self.folder / 'logs').glob('*summary*')).read_text(encoding='utf-8'))
        self.assertIn('SIGHUP', summary['stop_reason'])


if __name__ == '__main__':
    unittest.main()
