"""The test case all whole-program tests build on."""
import pathlib
import shutil
import tempfile
import unittest

from . import network

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
