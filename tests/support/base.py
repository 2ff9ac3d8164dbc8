"""The test cases all whole-program tests build on."""
import pathlib
import shutil
import tempfile
import unittest

from . import network, process, programs

network.isolate()


class ProgramTest(unittest.TestCase):
    """A temporary folder for each test, peers that stop with it, and comparisons of what was sent with what came."""

    longMessage = True
    maxDiff = 4000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='dicom-test-'))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, server):
        """Start a peer for as long as this test runs."""
        self.addCleanup(server.stop)
        server.start()
        return server

    def subfolder(self, name):
        path = self.folder / name
        path.mkdir()
        return path


class CommandTest(ProgramTest):
    """What the tests of the command line share: a folder for the logs, a receiver, a little data."""

    def setUp(self):
        super().setUp()
        self.logs = self.folder / 'logs'

    def receiver(self, *arguments):
        return self.start(programs.Receiver(*(arguments or ('--discard',))))

    def send(self, *arguments, **more):
        """dicom-sender with the test's own log folder."""
        return process.run('dicom-sender', '--log-dir', self.logs, *arguments, **more)

    def studies(self, specification='2x3x4096:CT', name='studies', seed=1):
        """A folder of synthetic studies, STUDIESxINSTANCESxBYTES:CLASS."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        programs.write_synthetic(path, specification, seed, 'BUILD_DIR')
        return path

    def assert_wrong(self, result, line):
        """Exit 1, nothing on standard output, and exactly this line on standard error."""
        self.assertEqual((result.code, result.out, result.err), (1, '', line + '\n'), result)

    def assert_exit(self, result, code):
        self.assertEqual(result.code, code, result)
