"""Over TLS a peer that misbehaves is dealt with as in clear: the same outcomes, whatever it does."""
import shutil
import signal
import socket
import threading
import time
import unittest

from support.base import ProgramTest
from support.certificates import Certificates
from support.programs import Receiver, run_sender, write_synthetic

STUDIES, EACH = 4, 15


class OverTls(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.addClassCleanup(shutil.rmtree, cls.certificates.folder, ignore_errors=True)

    def setUp(self):
        super().setUp()
        self.studies = self.folder / 'studies'
        write_synthetic(self.studies, f'{STUDIES}x{EACH}x20000:CT', folder_variable='BUILD_DIR')

    def run_both(self, faults, *options, threads=2):
        """The same receiver in clear and over TLS."""
        runs = []
        for tls in (False, True):
            receiver = self.start(Receiver(*faults, *(self.certificates.server.options() if tls else [])))
            trust = self.certificates.trust if tls else []
            runs.append((run_sender(self.studies, port=receiver.port, threads=threads, options=[*options, *trust]),
                         receiver))
            self.assertEqual(runs[-1][0].summary['destination']['tls'], 'checked' if tls else 'none')
        return runs

    def assert_alike(self, faults, *options, **more):
        (clear, _), (encrypted, receiver) = self.run_both(faults, *options, **more)
        self.assertEqual(encrypted.exit_code, clear.exit_code, f'{clear}\n{encrypted}')
        self.assertEqual(self.counts(encrypted), self.counts(clear), f'{clear}\n{encrypted}')
        return encrypted, receiver

    @staticmethod
    def counts(run):
        """The totals but for bytes stored: which instances a fault meets depends upon the order of two threads."""
        return {name: value for name, value in run.summary['totals'].items() if name != 'bytes'}

    def test_aborts(self):
        run, receiver = self.assert_alike(['--abort-after', '7'])
        self.assertEqual((run.total('stored'), len(list(receiver.output.glob('*.dcm')))), (60, 60))

    def test_statuses(self):
        run, _ = self.assert_alike(['--fail-every', '5:C000'])
        self.assertEqual(run.exit_code, 2)

    def test_rejections(self):
        run, _ = self.assert_alike(['--reject-transient', '3'])
        self.assertEqual(run.total('stored'), 60)

    def test_says_nothing_any_more(self):
        run, _ = self.assert_alike(['--stall-after', '5'], '--dimse-timeout', '1', '--retry', '1', threads=1)
        self.assertEqual(run.total('stored'), 60)

    def test_cuts_its_messages(self):
        """Each response in two pieces with Nagle's algorithm on: what is missing is acknowledged at once, not after 40 ms."""
        (clear, _), (encrypted, _) = self.run_both(['--two-writes', '--discard'], threads=1)
        for run in (clear, encrypted):
            self.assertEqual(run.total('stored'), 60)
            self.assertLess(run.summary['response_times_ms']['p50'], 25, run)

    def test_killed_and_back(self):
        """No handshake, connection or association of it is left: what was in doubt goes out again, nothing is lost."""
        receiver = self.start(Receiver('--response-delay', '20', *self.certificates.server.options()))

        def kill_twice(_):
            for _ in range(2):
                time.sleep(0.5)
                receiver.signal(signal.SIGKILL)
                receiver.process.wait()
                receiver.launch()

        run = run_sender(self.studies, port=receiver.port, threads=3, options=['--retry', '20', *self.certificates.trust],
                         during=kill_twice)
        self.assertEqual((run.exit_code, run.total('stored')), (0, 60), run)
        self.assertEqual(len(list(receiver.output.glob('*.dcm'))), 60)

    def test_is_not_there_yet(self):
        """A port that takes connections and ends them at once, as a balancer does whose server starts: it is tried again."""
        with socket.socket() as listener:
            listener.bind(('127.0.0.1', 0))
            listener.listen()
            port = listener.getsockname()[1]
            ended = []

            def end_some():
                for _ in range(2):
                    connection, _ = listener.accept()
                    connection.close()
                    ended.append(time.monotonic())

            thread = threading.Thread(target=end_some, daemon=True)
            thread.start()
            run = run_sender(self.studies, port=port, threads=1, options=['--retry', '1', *self.certificates.trust])
            thread.join(10)
        self.assertEqual((len(ended), run.summary['verdict']), (2, 'stopped'), run)
        self.assertIn('closed the connection during the TLS handshake', run.summary['stop_reason'])


if __name__ == '__main__':
    unittest.main()
