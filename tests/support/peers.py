"""Other people's DICOM programs, started on free loopback ports and always stopped again.

Every server runs under a limit on the size of the files it writes and is killed by the kernel if the test process dies.
Use them as context managers, or with addCleanup(peer.stop).
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

from . import network
from .process import build_folder, guarded

STOP_TIMEOUT_S = 10


class Server:
    """A child process that listens. Subclasses give command(port) and say when it is ready."""

    start_timeout_s = 20

    def __init__(self):
        self.process = None
        self.port = None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='dicom-peer-'))
        self.log_path = self.folder / 'log'

    def command(self, port):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ)

    def ready(self):
        return network.is_listening(self.port)

    def start(self):
        for attempt in range(3):
            self.port = network.free_port()
            with open(self.log_path, 'ab') as log:
                # A session of its own: what the server forks ends with it.
                self.process = subprocess.Popen(guarded(self.command(self.port)), stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log, env=self.environment(), start_new_session=True,
                                                cwd=self.folder)
            try:
                network.wait_until(lambda: self.ready() or self.process.poll() is not None, self.start_timeout_s,
                                   f'{self.command(self.port)[0]} to listen')
            except AssertionError:
                self.stop()
                raise
            if self.process.poll() is None:
                return self
        text = self.log()
        self.stop()
        raise AssertionError(f'{self.command(self.port)[0]} does not start:\n{text[-2000:]}')

    def log(self):
        return self.log_path.read_text(errors='replace') if self.log_path.exists() else ''

    def stop(self):
        if self.process is not None:
            if self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(STOP_TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self if self.process is not None else self.start()

    def __exit__(self, *unused):
        self.stop()


class Line(Server):
    """The way to a port of this machine, long, narrow or broken as delay_proxy.c can make it. Options: its own."""

    def __init__(self, to_port, *options):
        super().__init__()
        self.to_port, self.options = to_port, [str(option) for option in options]

    def command(self, port):
        return [str(build_folder() / 'tests/support/delay-proxy'), '--listen', str(port), '--to',
                f'127.0.0.1:{self.to_port}', *self.options]


class Storescp(Server):
    """DCMTK's storescp. By default it accepts every storage class and syntax and keeps data sets bit for bit.

    keep=False receives and forgets (--ignore); stock=True gives no option beyond that, as it comes out of the box.
    """

    ae_title = 'STORESCP'

    def __init__(self, *options, keep=True, stock=False, fork=False, nodelay=None):
        super().__init__()
        self.output = self.folder / 'received'
        self.output.mkdir()
        self.options = [*options]
        if not stock:
            self.options += ['+xa', '--promiscuous']
        self.options += ['+B', '-od', str(self.output)] if keep else ['--ignore']
        if fork:
            self.options.append('--fork')
        self.nodelay = nodelay

    def command(self, port):
        return ['storescp', '-aet', self.ae_title, *self.options, str(port)]

    def environment(self):
        environment = dict(os.environ)
        environment.pop('TCP_NODELAY', None)
        if self.nodelay is not None:
            # Without it DCMTK leaves Nagle's algorithm on, as with "0".
            environment['TCP_NODELAY'] = '1' if self.nodelay else '0'
        return environment

    def received(self):
        """Paths of what it keeps."""
        return sorted(path for path in self.output.iterdir() if path.is_file())


class SelectiveStorescp(Storescp):
    """storescp with a profile: these classes, in these transfer syntaxes (UIDs), and nothing else."""

    def __init__(self, class_uids, syntax_uids, *options, **more):
        super().__init__('-xf', 'profile.cfg', 'Only', *options, stock=True, **more)
        syntaxes = [f'TransferSyntax{number} = {uid}' for number, uid in enumerate(syntax_uids, 1)]
        classes = [f'PresentationContext{number} = {uid}\\Some' for number, uid in enumerate(class_uids, 1)]
        (self.folder / 'profile.cfg').write_text('\n'.join([
            '[[TransferSyntaxes]]', '[Some]', *syntaxes, '[[PresentationContexts]]', '[Storage]', *classes,
            '[[Profiles]]', '[Only]', 'PresentationContexts = Storage', '']))


class OdilStorage(Server):
    """A storage provider on odil, which answers on another context of the class: see odil_storage.py."""

    def command(self, port):
        return ['/usr/bin/python3', '-B', str(pathlib.Path(__file__).with_name('odil_storage.py')), str(port)]

    def stored(self):
        return re.findall(r'^stored (\S+)$', self.log(), re.MULTILINE)


class Dcmqrscp(Server):
    """DCMTK's dcmqrscp with one archive of its own. destinations: pairs (AE, port) that a C-MOVE may name."""

    ae_title = 'DCMQRSCP'

    def __init__(self, destinations=(), *options):
        super().__init__()
        self.storage = self.folder / 'archive'
        self.storage.mkdir()
        self.destinations = list(destinations)
        self.options = list(options)

    def command(self, port):
        hosts = [f'peer{number} = ({ae}, 127.0.0.1, {at})' for number, (ae, at) in enumerate(self.destinations)]
        path = self.folder / 'dcmqrscp.cfg'
        path.write_text('\n'.join([
            f'NetworkTCPPort = {port}', 'MaxPDUSize = 131072', 'MaxAssociations = 16',
            'HostTable BEGIN', *hosts, 'HostTable END', 'VendorTable BEGIN', 'VendorTable END',
            'AETable BEGIN', f'{self.ae_title} {self.storage} RW (100, 1024mb) ANY', 'AETable END', '']))
        return ['dcmqrscp', '-c', str(path), *self.options]

    def index(self, files):
        """Put files into its archive, as dcmqridx does. It must not be storing at the same time."""
        copies = []
        for number, file in enumerate(files):
            copies.append(self.storage / f'{number}.dcm')
            shutil.copy(file, copies[-1])
        subprocess.run(['dcmqridx', str(self.storage), *map(str, copies)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=60)


class Orthanc(Server):
    """Orthanc as Debian packages it, with a storage folder and a database of its own, open to all."""

    ae_title = 'ORTHANC'
    program = '/usr/sbin/Orthanc'

    def __init__(self, modalities=None, **settings):
        super().__init__()
        self.http_port = None
        self.modalities = modalities or {}
        self.settings = settings

    def command(self, port):
        self.http_port = network.free_port()
        storage = self.folder / 'storage'
        configuration = {
            'Name': 'tests',
            'StorageDirectory': str(storage),
            'IndexDirectory': str(storage),
            'HttpServerEnabled': True,
            'HttpPort': self.http_port,
            'RemoteAccessAllowed': False,
            'AuthenticationEnabled': False,
            'HttpThreadsCount': 4,
            'DicomServerEnabled': True,
            'DicomAet': self.ae_title,
            'DicomPort': port,
            'DicomCheckCalledAet': False,
            'DicomAlwaysAllowEcho': True,
            'DicomAlwaysAllowStore': True,
            'DicomAlwaysAllowFind': True,
            'DicomAlwaysAllowMove': True,
            'DicomAlwaysAllowGet': True,
            'UnknownSopClassAccepted': True,
            'AcceptedTransferSyntaxes': ['*'],
            'OverwriteInstances': False,
            'StableAge': 1,
            'ConcurrentJobs': 2,
            'Plugins': [],
            'DicomModalities': {name: [ae, '127.0.0.1', at] for name, (ae, at) in self.modalities.items()},
            **self.settings,
        }
        path = self.folder / 'orthanc.json'
        path.write_text(json.dumps(configuration))
        return [self.program, str(path)]

    def ready(self):
        if not (network.is_listening(self.port) and network.is_listening(self.http_port)):
            return False
        try:
            self.get('/system')
            return True
        except (OSError, ValueError):
            return False

    def request(self, method, path, body=None):
        request = urllib.request.Request(f'http://127.0.0.1:{self.http_port}{path}', data=body, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read()

    def get(self, path):
        return json.loads(self.request('GET', path))

    def post(self, path, value):
        return json.loads(self.request('POST', path, json.dumps(value).encode()) or b'null')

    def statistics(self):
        return self.get('/statistics')

    def instance_count(self):
        return int(self.statistics()['CountInstances'])

    def study_count(self):
        return int(self.statistics()['CountStudies'])

    def instances(self):
        """Orthanc's own ID of each instance, by SOP Instance UID."""
        return {entry['MainDicomTags']['SOPInstanceUID']: entry['ID'] for entry in self.get('/instances?expand')}

    def file(self, instance_id):
        """The Part 10 file as Orthanc keeps it."""
        return self.request('GET', f'/instances/{instance_id}/file')

    def add_file(self, data):
        """Put a file in through REST. Its Orthanc ID."""
        return json.loads(self.request('POST', '/instances', data))['ID']

    def clear(self):
        for patient in self.get('/patients'):
            self.request('DELETE', f'/patients/{patient}')

    def add_modality(self, name, ae_title, port):
        self.request('PUT', f'/modalities/{name}',
                     json.dumps({'AET': ae_title, 'Host': '127.0.0.1', 'Port': port}).encode())

    def echo(self, modality):
        """C-ECHO to a modality: whether it worked."""
        try:
            self.request('POST', f'/modalities/{modality}/echo', b'{}')
            return True
        except urllib.error.HTTPError:
            return False

    def store(self, modality, instance_ids):
        """C-STORE these instances to a modality, and wait. The answer's counts."""
        return self.post(f'/modalities/{modality}/store', {'Resources': list(instance_ids), 'Synchronous': True})


def run_client(*command, timeout_s=120, environment=None):
    """Run a DCMTK client to its end: the CompletedProcess, with text output (both streams in stdout)."""
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout_s, check=False, errors='replace',
                          env=environment)
