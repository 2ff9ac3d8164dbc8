"""A name server that does not answer: every program ends with its connect timeout, and when it is interrupted. None
waits for the look-up, which here takes a minute."""
import signal
import subprocess
import time
import unittest

from support import datasets, programs
from support.base import ProgramTest

LOOKUP_MS = 60_000
IN_TIME_S = 30  # half of what the look-up takes: whoever waits for it is late
HOST = 'PACS@nowhere.example:104'


class LookUps(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        datasets.make_studies(self.source, 8, 1, 20_000)

    def commands(self):
        logs = ('--log-dir', self.folder / 'logs')
        return {'dicom-sender': (HOST, self.source, '--recursive', '--threads', 8, '--retry', 0, *logs),
                'dicom-echo': (HOST,),
                'dicom-finder': (HOST, '-k', 'PatientID=1'),
                'dicom-mover': (HOST, '-k', 'StudyInstanceUID=1.2.3', '--get', '--output-dir', self.folder / 'out',
                                *logs)}

    def run_all(self, options, during=None):
        for name, arguments in self.commands().items():
            with self.subTest(name):
                command = [*programs.odd_system(lookup_ms=LOOKUP_MS), programs.program(name, 'RELEASE_DIR'),
                           *map(str, arguments), *options]
                begun = time.monotonic()
                with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, env=programs.environment()) as process:
                    try:
                        if during is not None:
                            during(process)
                        said = process.communicate(timeout=IN_TIME_S)[0].decode()
                    except BaseException:
                        process.kill()
                        raise
                self.assertLess(time.monotonic() - begun, IN_TIME_S)
                yield name, process.returncode, said

    def test_end_with_the_connect_timeout(self):
        for name, code, said in self.run_all(['--connect-timeout', '0.5']):
            self.assertEqual(code, 1, said)
            self.assertIn("not connected to 'nowhere.example': the host name was not looked up within the connect timeout",
                          said, name)

    def test_end_when_interrupted(self):
        def interrupt(process):
            time.sleep(1.5)
            process.send_signal(signal.SIGINT)
        for name, code, said in self.run_all(['--connect-timeout', '0'], interrupt):
            self.assertIn(code, (130, -signal.SIGINT), f'{name}: {said}')


if __name__ == '__main__':
    unittest.main()
