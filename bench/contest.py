"""Who takes part in the bench, and how one run of theirs is measured.

A contestant is a program with its settings that sends a folder to a peer. A run counts only if every file of that
folder was stored, by what the contestant says and by what the peer says: anything else raises Failed.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / 'tests'))

from support import network, peers  # noqa: E402  (the path has to be there first)

TIMEOUT_S = 1800
TICKS_PER_S = os.sysconf('SC_CLK_TCK')
DCMTK_PDU = '131072'


class Failed(Exception):
    """A run that did not store everything: it is no throughput."""


class Build:
    """The programs of one build folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()

    def program(self, name):
        return str(self.folder / 'src' / 'programs' / name)

    def tool(self, name):
        return str(self.folder / 'bench' / name)

    def support(self, name):
        return str(self.folder / 'tests' / 'support' / name)


# ---- peers ----


class Receiver(peers.Server):
    """Our own receiver, which keeps nothing. Its last line says what it has stored."""

    ae_title = 'RECEIVER'
    name = 'dicom-receiver --discard'
    counts = True

    def __init__(self, build, *options):
        super().__init__()
        self.build = build
        self.options = options

    def command(self, port):
        return [self.build.program('dicom-receiver'), '--port', str(port), '--discard', *self.options]

    def check(self, files):
        self.process.terminate()
        self.process.wait(peers.STOP_TIMEOUT_S)
        totals = re.search(r'(\d+) associations?, (\d+) stored, (\d+) refused', self.log())
        if not totals or (int(totals[2]), int(totals[3])) != (files, 0):
            raise Failed(f'{self.name}: {totals[0] if totals else self.log()[-500:]}, expected {files} stored')


class Sink(Receiver):
    """The bare sink: it answers, and does no more. Its last line has the form of our receiver's."""

    ae_title = 'SINK'
    name = 'bare sink'

    def command(self, port):
        return [self.build.tool('sink'), str(port)]


class Storescp(peers.Storescp):
    """DCMTK's storescp with --fork --ignore: stock, or tuned."""

    counts = False

    def __init__(self, tuned):
        super().__init__(*(['-pdu', DCMTK_PDU] if tuned else []), stock=True, keep=False, fork=True,
                         nodelay=True if tuned else None)
        self.name = 'storescp --fork --ignore, ' + ('tuned' if tuned else 'stock')

    def check(self, files):
        """It keeps nothing to be counted: what its clients say is all there is."""


class Orthanc(peers.Orthanc):
    name = 'Orthanc, stock'
    counts = True

    def check(self, files):
        stored = self.instance_count()
        self.clear()
        if stored != files:
            raise Failed(f'Orthanc has {stored} instances, expected {files}')


class Proxy(peers.Server):
    """A long line before another peer, and a narrow one if `mbit` says how many millions of bits a second it takes."""

    def __init__(self, build, peer, rtt_ms, mbit=None):
        super().__init__()
        self.build, self.peer, self.rtt_ms = build, peer, rtt_ms
        self.narrow = ['--mbit', str(mbit)] if mbit else []
        self.ae_title, self.counts = peer.ae_title, peer.counts

    def command(self, port):
        return [self.build.support('delay-proxy'), '--listen', str(port), '--to', f'127.0.0.1:{self.peer.port}',
                '--rtt', str(self.rtt_ms), *self.narrow]


# ---- contestants ----


class Contestant:
    """command() sends a folder to a peer; check() gives what else is known of the run, or raises Failed."""

    needs_peer = True
    own_peer = None  # starts a peer of its own, in the place of the contest's

    def environment(self):
        values = dict(os.environ, HOME='/nonexistent', LC_ALL='C.UTF-8')
        values.pop('TCP_NODELAY', None)
        values.pop('XDG_CONFIG_HOME', None)
        return values

    def prepare(self, work, data):
        """Before the clock starts."""

    def check(self, work, files, output):
        return {}


class Sender(Contestant):
    """dicom-sender with so many threads."""

    def __init__(self, build, threads, *options):
        self.build, self.threads, self.options = build, threads, options
        plural = 's' if threads != 1 else ''
        self.name = ' '.join(['dicom-sender', f'{threads} thread{plural}', *options])

    def command(self, peer, folder, work):
        return [self.build.program('dicom-sender'), '--json', '--no-progress', '-r', '-t', str(self.threads),
                '--host', '127.0.0.1', '--port', str(peer.port), '--ae-title', peer.ae_title,
                '--log-dir', str(work / 'logs'), *self.options, str(folder)]

    def check(self, work, files, output):
        summary = json.loads(output)
        totals = summary['totals']
        if (totals['stored'], totals['files'], summary['sums_match']) != (files, files, True):
            raise Failed(f'{self.name}: {totals}')
        return {'transfer_s': summary['times']['transfer_s'], 'scan_s': summary['times']['scan_s'],
                'response_ms': summary['response_times_ms'],
                'first_store': min((study['first'] for study in summary['studies'] if study['first']), default=None)}


class Dcmtk(Contestant):
    """dcmsend or storescu, stock or tuned."""

    def __init__(self, program, tuned):
        self.program, self.tuned = program, tuned
        self.name = f'{program} {"tuned" if tuned else "stock"}'

    def environment(self):
        values = super().environment()
        if self.tuned:
            values['TCP_NODELAY'] = '1'
        return values

    def command(self, peer, folder, work):
        options = ['-pdu', DCMTK_PDU, '--max-send-pdu', DCMTK_PDU] if self.tuned else []
        if self.program == 'dcmsend' and not peer.counts:
            options += ['--create-report-file', str(work / 'report')]
        return [self.program, *options, '+sd', '+r', '-aec', peer.ae_title, '127.0.0.1', str(peer.port), str(folder)]

    def check(self, work, files, output):
        """storescu ends with an error if a store fails. dcmsend does not: if the peer cannot count, its report can."""
        if re.search(r'^[EF]:', output, re.MULTILINE):
            raise Failed(f'{self.name}: {output[-500:]}')
        if (work / 'report').exists():
            report = (work / 'report').read_text(errors='replace')
            sent = re.search(r'with status SUCCESS\s*: (\d+)', report)
            if not sent or int(sent[1]) != files:
                raise Failed(f'{self.name}: {report[-500:]}')
        return {}


class Floor(Contestant):
    """The bare loop. It brings its own receiving side, and times itself without its look for files."""

    needs_peer = False

    def __init__(self, build, connections):
        self.build, self.connections = build, connections
        self.name = f'floor, {connections} connection{"s" if connections != 1 else ""}'

    def command(self, peer, folder, work):
        return [self.build.tool('floor'), '--connections', str(self.connections), str(folder)]

    def check(self, work, files, output):
        figures = json.loads(output)
        if figures['files'] != files:
            raise Failed(f'{self.name}: {figures}')
        return {'wall_s': figures['wall_s'], 'cpu_s': figures['sender_cpu_s'],
                'receiver_cpu_s': figures['receiver_cpu_s']}


# ---- one run ----


def process_tree(pid):
    pids = [pid]
    for at in pids:
        try:
            pids += map(int, pathlib.Path(f'/proc/{at}/task/{at}/children').read_text().split())
        except FileNotFoundError:
            pass
    return pids


def tree_cpu_s(pid):
    """CPU seconds of a process, its children, and those of its children that are over."""
    ticks = 0
    for one in process_tree(pid):
        try:
            fields = pathlib.Path(f'/proc/{one}/stat').read_text().rpartition(')')[2].split()
        except FileNotFoundError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS_PER_S


def tree_peak_bytes(pid):
    """The highest peak memory among a process and those of its children that still run."""
    peak = 0
    for one in process_tree(pid):
        try:
            found = re.search(r'VmHWM:\s*(\d+)', pathlib.Path(f'/proc/{one}/status').read_text())
        except FileNotFoundError:
            continue
        peak = max(peak, int(found[1]) * 1024 if found else 0)
    return peak


def measured(build, command, work, environment=None, prefix=(), exit_codes=(0,)):
    """Run a command to its end: (what was measured, its output). Failed if its exit code is none of these."""
    figures_path = work / 'figures'
    with open(work / 'output', 'w+', encoding='utf-8', errors='replace') as out, \
            open(work / 'errors', 'w+', encoding='utf-8', errors='replace') as errors:
        process = subprocess.Popen([build.tool('measure'), str(figures_path), *prefix, *command],
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=errors, env=environment)
        try:
            process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failed(f'{command[0]}: not over after {TIMEOUT_S} s') from None
        out.seek(0)
        errors.seek(0)
        output, complaints = out.read(), errors.read()
    if process.returncode not in exit_codes:
        raise Failed(f'{" ".join(command)}: exit {process.returncode}\n{(output + complaints)[-800:]}')
    figures = json.loads(figures_path.read_text())
    return {'wall_s': figures['wall_s'], 'cpu_s': figures['user_s'] + figures['system_s'],
            'user_s': figures['user_s'], 'system_s': figures['system_s'], 'peak_bytes': figures['peak_bytes'],
            'switches': figures['switches']}, output or complaints


def run_once(build, contestant, peer, through, data):
    """One run of a contestant against a peer that has been started (through a proxy, if there is one)."""
    with tempfile.TemporaryDirectory(prefix='dicom-bench-') as name:
        work = pathlib.Path(name)
        contestant.prepare(work, data)
        cpu_before_s = tree_cpu_s(peer.process.pid) if peer else 0
        begun = time.time()
        command = contestant.command(through or peer, data.folder, work)
        run, output = measured(build, command, work, contestant.environment())
        run |= {'begun': begun, 'files': data.files, 'bytes': data.bytes}
        run |= contestant.check(work, data.files, output)
        if peer:
            time.sleep(0.05)  # for it to end its association
            run['receiver_cpu_s'] = tree_cpu_s(peer.process.pid) - cpu_before_s
            run['receiver_peak_bytes'] = tree_peak_bytes(peer.process.pid)
            peer.check(data.files)
        run['instances_per_s'] = data.files / run['wall_s']
        run['megabytes_per_s'] = data.bytes / 1e6 / run['wall_s']
        return run


# ---- the data ----


class Data:
    """A tree of synthetic studies, made once. `spec` is what --synthetic takes: STUDIESxINSTANCESxSIZE."""

    def __init__(self, name, spec, seed):
        self.name, self.spec, self.seed = name, spec, seed
        self.files = self.count(spec)
        self.folder = None
        self.bytes = 0

    @staticmethod
    def count(spec):
        studies, instances, _ = spec.split('x')
        return int(studies) * int(instances)

    def make(self, build, cache):
        self.folder = cache / f'{self.name}-{self.spec}'
        done = cache / f'{self.name}-{self.spec}.made'
        if not done.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            cache.mkdir(parents=True, exist_ok=True)
            begun = time.monotonic()
            subprocess.run([build.program('dicom-sender'), '--synthetic', f'{self.spec}:CT', '--output-dir',
                            str(self.folder), '--synthetic-seed', str(self.seed), '--quiet'], check=True)
            size = sum(entry.stat().st_size for study in os.scandir(self.folder) for entry in os.scandir(study.path))
            done.write_text(json.dumps({'bytes': size, 'made_in_s': round(time.monotonic() - begun, 2)}))
        self.bytes = json.loads(done.read_text())['bytes']

    def warm(self):
        """Into the page cache, all of it: no figure here is one of a disk."""
        buffer = bytearray(1 << 20)
        for study in os.scandir(self.folder):
            for entry in os.scandir(study.path):
                with open(entry.path, 'rb', buffering=0) as file:
                    while file.readinto(buffer):
                        pass

    def remove(self, cache):
        (cache / f'{self.name}-{self.spec}.made').unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
