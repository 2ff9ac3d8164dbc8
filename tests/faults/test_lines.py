"""Lines that are long, narrow or broken, in clear and over TLS: all is stored at last, byte for byte."""
import sys
import unittest

from support import datasets, kept, programs
from support.base import ProgramTest
from support.peers import Line
from support.tls_line import over_tls


class Lines(ProgramTest):
    STUDIES, INSTANCES, SIZE = 4, 15, 20_000

    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        self.entries = datasets.make_studies(self.source, self.STUDIES, self.INSTANCES, self.SIZE)
        self.bytes = sum(entry.path.stat().st_size for entry in self.entries)

    def send(self, *line, threads=2, options=(), receiver=()):
        receiver = self.start(programs.Receiver(*receiver, log=True))
        run = programs.run_sender(self.source, port=self.start(Line(receiver.port, *line)).port, threads=threads,
                                  options=options)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(self.entries)), run)
        kept.check(run, self.entries, receiver)
        return run

    def opened(self, run):
        return len(run.said('association.opened'))

    def test_narrow(self):
        """Four associations share it: together they are no faster than it is."""
        run = self.send('--rtt', 40, '--mbit', 4, threads=4)
        self.assertGreater(run.summary['times']['transfer_s'], self.bytes / 500_000)

    def test_cut_after_some_bytes(self):
        run = self.send('--cut-bytes', 200_000)
        self.assertGreater(self.opened(run), self.bytes // 200_000)

    def test_cut_after_some_time(self):
        run = self.send('--rtt', 10, '--cut-ms', 700, receiver=['--response-delay', '40'], options=['--retry', 5])
        self.assertGreater(self.opened(run), 2)

    def test_cut_before_anything_is_agreed(self):
        """Another time it may do better: what fails is not the files."""
        receiver = self.start(programs.Receiver('--discard'))
        run = programs.run_sender(self.source, port=self.start(Line(receiver.port, '--cut-bytes', 100)).port,
                                  options=['--retry', 1])
        self.assertEqual((run.exit_code, run.total('pending')), (1, len(self.entries)), run)


globals().update(over_tls(sys.modules[__name__]))

if __name__ == '__main__':
    unittest.main()
