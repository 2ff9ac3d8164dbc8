"""Who takes part in the bench's retrievals: archives, and the programs that ask and fetch.

A run counts only if every instance, or every match, came. What is fetched is kept in memory (tmpfs), in pages that were
used just before: how fast a disk is, and how fast a virtual machine gets memory, is nothing that is measured here.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from contest import DCMTK_PDU, Contestant, Failed, Receiver
from contest import Orthanc as StoringOrthanc
from support import network, peers

CALLER = 'BENCH'
MEMORY = pathlib.Path('/dev/shm' if os.access('/dev/shm', os.W_OK) else tempfile.gettempdir())
ZEROS = bytes(1 << 20)


def fill(build, peer, folder):
    """Store a folder in an archive."""
    logs = peer.folder / 'filling'
    subprocess.run([build.program('dicom-sender'), '-q', '-r', '-t', '2', '--log-dir', str(logs), '--host', '127.0.0.1',
                    '--port', str(peer.port), '--ae-title', peer.ae_title, str(folder)], check=True)


class Archive(Receiver):
    """dicom-archive, with a folder or synthetic. Retrievals go to `port_back`."""

    ae_title = 'ARCHIVE'
    name = 'dicom-archive'

    def __init__(self, build, port_back, synthetic=None):
        super().__init__(build)
        self.port_back, self.synthetic = port_back, synthetic

    def command(self, port):
        source = ['--synthetic', self.synthetic] if self.synthetic else ['--output-dir', str(self.folder / 'kept')]
        return [self.build.program('dicom-archive'), '--port', str(port), '--ae-title', self.ae_title, *source,
                '--peer', f'{CALLER}=127.0.0.1:{self.port_back}']

    def check(self, files):
        """What was retrieved is counted where it came to."""


class Dcmqrscp(peers.Dcmqrscp):
    name = 'dcmqrscp'

    def __init__(self, port_back):
        super().__init__([(CALLER, port_back)])

    def command(self, port):
        command = super().command(port)
        path = self.folder / 'dcmqrscp.cfg'
        path.write_text(path.read_text().replace('(100, 1024mb)', '(1000, 2000mb)'))
        return command

    def check(self, files):
        """What was retrieved is counted where it came to."""


class Orthanc(StoringOrthanc):
    name = 'Orthanc, stock'

    def __init__(self, port_back):
        super().__init__(modalities={'bench': (CALLER, port_back)})

    def check(self, files):
        """What was retrieved is counted where it came to."""


class Retrieval(Contestant):
    """Fetches the one study of a folder to itself."""

    received = MEMORY / f'dicom-bench-received-{os.getpid()}'

    def prepare(self, work, data):
        shutil.rmtree(self.received, ignore_errors=True)
        self.received.mkdir()
        pages = self.received / 'pages'
        with open(pages, 'wb') as file:
            for _ in range(int(data.bytes * 1.2) // len(ZEROS) + 1):
                file.write(ZEROS)
        pages.unlink()

    def check(self, work, files, output):
        came = sum(1 for path in self.received.iterdir() if path.is_file() and not path.name.startswith('.'))
        shutil.rmtree(self.received)
        if came != files:
            raise Failed(f'{self.name}: {came} of {files} instances came')
        return {}


class Mover(Retrieval):
    def __init__(self, build, study, port_back, *options):
        self.build, self.study, self.port_back, self.options = build, study, port_back, options
        self.name = ' '.join(['dicom-mover', *options])

    def command(self, peer, folder, work):
        to = [] if '--get' in self.options else ['--receive-port', str(self.port_back)]
        return [self.build.program('dicom-mover'), '--host', '127.0.0.1', '--port', str(peer.port), '--ae-title',
                peer.ae_title, '--calling-ae', CALLER, '--quiet', '--no-progress', '--log-dir', str(work / 'logs'),
                '-k', f'StudyInstanceUID={self.study}', '--output-dir', str(self.received), *to, *self.options]


class Movescu(Retrieval):
    name = 'movescu'

    def __init__(self, study, port_back):
        self.study, self.port_back = study, port_back

    def environment(self):
        return super().environment() | {'TCP_NODELAY': '1'}

    def command(self, peer, folder, work):
        return ['movescu', '-S', '-aet', CALLER, '-aec', peer.ae_title, '-aem', CALLER, '-pdu', DCMTK_PDU, '+P',
                str(self.port_back), '-od', str(self.received), '-k', 'QueryRetrieveLevel=STUDY', '-k',
                f'StudyInstanceUID={self.study}', '127.0.0.1', str(peer.port)]


class Finder(Contestant):
    """Lists every study."""

    name = 'dicom-finder'

    def __init__(self, build):
        self.build = build

    def command(self, peer, folder, work):
        return [self.build.program('dicom-finder'), '--host', '127.0.0.1', '--port', str(peer.port), '--ae-title',
                peer.ae_title, '--csv', '-k', 'StudyInstanceUID', '-k', 'PatientName', '-k', 'StudyDate']

    def check(self, work, files, output):
        lines = [line for line in output.splitlines() if re.search(r'\d\.\d', line)]
        if len(lines) != files:
            raise Failed(f'{self.name}: {len(lines)} of {files} matches came')
        return {}


class Findscu(Contestant):
    name = 'findscu'

    def command(self, peer, folder, work):
        return ['findscu', '-S', '-aec', peer.ae_title, '-k', 'QueryRetrieveLevel=STUDY', '-k', 'StudyInstanceUID', '-k',
                'PatientName', '-k', 'StudyDate', '127.0.0.1', str(peer.port)]

    def environment(self):
        return super().environment() | {'TCP_NODELAY': '1'}

    def check(self, work, files, output):
        came = len(re.findall(r'\(0020,000d\)', output))
        if came not in (files, files + 1):  # it may repeat what it asked
            raise Failed(f'{self.name}: {came} of {files} matches came')
        return {}


class Matches:
    """What a query brings, in the place of a folder of files."""

    name = 'matches'
    folder = pathlib.Path()
    bytes = 0

    def __init__(self, spec):
        self.spec = spec
        self.files = int(spec.split('x')[0])

    def warm(self):
        """There is nothing to warm."""


def free_port():
    return network.free_port()
