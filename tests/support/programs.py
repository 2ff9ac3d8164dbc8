"""Our own programs, as a user runs them. BUILD_DIR names the build folder they come from."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import jsonschema

from . import network, peers

MOVER_SCHEMA = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'mover_summary.schema.json'

SANITIZER_MARKS = ('AddressSanitizer', 'LeakSanitizer', 'ThreadSanitizer', 'runtime error:', 'Assertion `')


def write_synthetic(folder, spec, seed=1, folder_variable='RELEASE_DIR'):
    """Files of made-up studies, STUDIESxINSTANCESxSIZE[:CT|MR|SC]: study-N/image-N.dcm."""
    subprocess.run([program('dicom-sender', folder_variable), '--synthetic', spec, '--output-dir', str(folder),
                    '--synthetic-seed', str(seed), '--quiet'], check=True)


def program(name, folder_variable='BUILD_DIR'):
    folder = os.environ.get(folder_variable)
    if not folder:
        raise RuntimeError(f'set {folder_variable} to the build folder')
    path = pathlib.Path(folder).absolute() / 'src' / 'programs' / name
    if not path.exists():
        raise RuntimeError(f'{path} is not there: build first')
    return str(path)


def without_privileges():
    """What to put before a command so that file permissions count for it even if the tests run as root.

    It stays root: its programs may lie below a folder that is closed to everybody else.
    """
    if os.geteuid() != 0:
        return ()
    capabilities = '-dac_override,-dac_read_search'
    return ('setpriv', f'--bounding-set={capabilities}', f'--inh-caps={capabilities}', '--')


def environment():
    values = dict(os.environ, HOME='/nonexistent', LC_ALL='C.UTF-8')
    values.pop('XDG_CONFIG_HOME', None)
    values.setdefault('UBSAN_OPTIONS', 'print_stacktrace=1:halt_on_error=1')
    return values


def fault_of(text):
    """The report of a sanitizer or an assert in what a program wrote, or ''."""
    return text[-4000:] if any(mark in text for mark in SANITIZER_MARKS) else ''


class SenderRun:
    """One run of dicom-sender: how it ended and what it reported."""

    def __init__(self, exit_code, stdout, stderr, elapsed_s, log_dir):
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
        self.elapsed_s = elapsed_s
        self.log_dir = log_dir
        self.summary = json.loads(stdout) if stdout.strip() else None
        self.events = [json.loads(line) for path in sorted(log_dir.glob('dicom_sender_*.log'))
                       for line in path.read_text(encoding='utf-8').splitlines()]

    def total(self, name):
        return self.summary['totals'][name]

    def problems(self):
        """{path: entry} of every file that is not simply stored. An entry gets the state whose list it stands in."""
        found = {}
        for state in ('failed', 'in_doubt', 'pending', 'warned', 'skipped'):
            for entry in self.summary[state]:
                path = os.fsdecode(bytes.fromhex(entry['path_hex'])) if 'path_hex' in entry else entry['path']
                assert path not in found, f'listed twice: {path!r}'
                found[path] = dict(entry, state=state)
        return found

    def said(self, event):
        """The records of this event, in order."""
        return [record for record in self.events if record['event'] == event]

    def problem(self, path):
        """The entry of this file, told by the last part of its path."""
        found = [entry for name, entry in self.problems().items() if os.path.basename(name) == os.path.basename(path)]
        assert len(found) == 1, f'{path}: {len(found)} entries\n{self}'
        return found[0]

    def reason(self, path):
        """'failed: truncated', 'skipped: not-dicom'."""
        entry = self.problem(path)
        return f'{entry["state"]}: {entry["reason"]}'

    def reasons(self):
        """{file name: 'failed: truncated'} of all problems."""
        return {os.path.basename(path): f'{entry["state"]}: {entry["reason"]}'
                for path, entry in self.problems().items()}

    def __str__(self):
        return (f'exit {self.exit_code} after {self.elapsed_s:.1f} s\n{self.stderr[-3000:]}\n'
                f'{json.dumps((self.summary or {}).get("totals"))}\n'
                f'{json.dumps(self.problems() if self.summary else {})[:3000]}')


def run_sender(*inputs, port=None, ae_title='ANY-SCP', threads=1, options=(), timeout_s=120, recursive=True,
               host='127.0.0.1', prefix=(), folder_variable='BUILD_DIR', during=None):
    """Run dicom-sender to its end. Its logs go to a temporary folder that is removed again. `during` is called with the
    process while it runs, before its output is read.

    Every run is held to what is true of all of them: the summary's totals add up, the exit code is the one that
    belongs to them, nothing was reported by a sanitizer.
    """
    command = [*prefix, program('dicom-sender', folder_variable), '--json', '--no-progress', '--threads', str(threads)]
    if port is not None:
        command += ['--host', host, '--port', str(port), '--ae-title', ae_title]
    command += ['--recursive'] if recursive else []
    for path in inputs:
        command += ['--input', os.fspath(path)]
    log_dir = pathlib.Path(tempfile.mkdtemp(prefix='dicom-logs-'))
    command += ['--log-dir', str(log_dir), *map(str, options)]
    try:
        begun = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment()) as process:
            try:
                if during is not None:
                    during(process)
                stdout, stderr = process.communicate(timeout=timeout_s)
            except BaseException:
                process.kill()
                raise
        elapsed_s = time.monotonic() - begun
        stderr = stderr.decode(errors='replace')
        assert process.returncode >= 0 and not fault_of(stderr), f'exit {process.returncode}\n{stderr[-6000:]}'
        run = SenderRun(process.returncode, stdout.decode('utf-8'), stderr, elapsed_s, log_dir)
        if run.summary is not None:
            check_totals(run, '--strict' in command)
        return run
    finally:
        shutil.rmtree(log_dir, ignore_errors=True)


def check_totals(run, strict=False):
    """What RELIABILITY calls total and honest, as far as a summary alone can show it."""
    totals = run.summary['totals']
    states = {name: totals[name] for name in ('stored', 'warned', 'failed', 'skipped', 'in_doubt', 'pending')}
    assert totals['files'] == sum(states.values()), f'the totals do not add up: {run}'
    for name in ('failed', 'in_doubt', 'pending', 'warned', 'skipped'):
        assert len(run.summary[name]) == states[name], f'the list of {name} is not the whole of them: {run}'
    assert run.summary['exit_code'] == run.exit_code, run
    sent = states['stored'] + (0 if strict else states['warned'])
    not_stored = states['failed'] + states['in_doubt'] + states['pending']
    not_stored += states['warned'] + states['skipped'] if strict else 0
    if run.exit_code == 0:
        assert not_stored == 0, f'exit 0, and not all stored: {run}'
    elif run.exit_code == 2:
        # One that was stopped has not seen every file; and what cannot be written of a run fails it.
        unwritten = re.search('the event log is not complete|the summary \'|standard output: ', run.stderr)
        assert sent > 0 and (not_stored > 0 or run.summary['verdict'] == 'stopped' or unwritten), f'exit 2: {run}'
    elif run.exit_code == 1:
        assert sent == 0, f'exit 1, and some are stored: {run}'
    else:
        assert run.exit_code == 130, f'an exit code of its own: {run}'


class MoverRun:
    """One run of dicom-mover: how it ended and what it reported."""

    def __init__(self, exit_code, stdout, stderr, log_dir):
        self.exit_code = exit_code
        self.stderr = stderr
        self.summary = json.loads(stdout) if stdout.strip() else None
        self.events = [json.loads(line) for path in sorted(log_dir.glob('dicom_mover_*.log'))
                       for line in path.read_text(encoding='utf-8').splitlines()]

    def total(self, name):
        return self.summary['totals'][name]

    def __str__(self):
        return f'exit {self.exit_code}\n{self.stderr[-3000:]}\n{json.dumps(self.summary)[:3000]}'


def mover_command(peer, log_dir, *arguments, folder_variable='BUILD_DIR'):
    return [program('dicom-mover', folder_variable), f'{peer.ae_title}@127.0.0.1:{peer.port}', '--json',
            '--no-progress', '--log-dir', str(log_dir), *map(str, arguments)]


def run_mover(peer, *arguments, timeout_s=60, folder_variable='BUILD_DIR'):
    """Run dicom-mover to its end. Every run is held to what is true of all of them."""
    log_dir = pathlib.Path(tempfile.mkdtemp(prefix='dicom-logs-'))
    try:
        command = mover_command(peer, log_dir, *arguments, folder_variable=folder_variable)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False,
                              env=environment())
        stderr = done.stderr.decode(errors='replace')
        assert done.returncode >= 0 and not fault_of(stderr), f'exit {done.returncode}\n{stderr[-6000:]}'
        run = MoverRun(done.returncode, done.stdout.decode('utf-8'), stderr, log_dir)
        if run.summary is not None:
            check_retrieval(run)
        return run
    finally:
        shutil.rmtree(log_dir, ignore_errors=True)


def check_retrieval(run):
    """The totals add up, the exit code is the one that belongs to them, and the form is the documented one."""
    summary, totals = run.summary, run.summary['totals']
    jsonschema.validate(summary, json.loads(MOVER_SCHEMA.read_text(encoding='utf-8')))
    assert totals['listed'] == totals['present'] + totals['stored'] + totals['missing'], run
    assert sum(entry['count'] for entry in summary['missing']) == totals['missing'], run
    there = totals['present'] + totals['stored']
    right = {0: totals['missing'] == 0 < totals['listed'] and summary['verdict'] == 'complete', 1: there == 0,
             2: there > 0 and (totals['missing'] > 0 or summary['verdict'] == 'stopped'),
             130: summary['verdict'] == 'interrupted'}
    assert summary['exit_code'] == run.exit_code and right[run.exit_code], run


def run_program(name, *arguments, timeout_s=60):
    """Run one of the other programs to its end: the CompletedProcess with text output."""
    done = subprocess.run([program(name), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=timeout_s, check=False, errors='replace', env=environment())
    assert done.returncode >= 0 and not fault_of(done.stderr), done.stderr[-6000:]
    return done


class Receiver(peers.Server):
    """dicom-receiver on a port that it picks itself and prints. Started again, it takes the same one.

    With log=True it writes an access log; kept.py reads it.
    """

    name = 'dicom-receiver'

    def __init__(self, *options, keep=True, log=False, folder_variable='BUILD_DIR', prefix=()):
        super().__init__()
        self.output = self.folder / 'received'
        self.access_log = self.folder / 'access.log'
        self.options = [str(option) for option in options]
        self.options += ['--output-dir', str(self.output)] if keep else ['--discard']
        self.options += ['--access-log', str(self.access_log)] if log else []
        self.folder_variable = folder_variable
        self.prefix = prefix
        self.exit_code = None

    def start(self):
        """Start it; again at the same port if it was killed."""
        command = [*self.prefix, program(self.name, self.folder_variable), '--port', str(self.port or 0)]
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(peers.guarded([*command, *self.options]), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=environment(), start_new_session=True,
                                            cwd=self.folder)
        try:
            network.wait_until(self.ready, self.start_timeout_s, f'{self.name} to listen')
        except AssertionError as error:
            text = self.log()
            self.stop()
            raise AssertionError(f'{error}\n{text[-3000:]}') from None
        return self

    def ready(self):
        assert self.process.poll() is None, f'{self.name} ends with {self.process.returncode}:\n{self.log()}'
        for number in re.findall(r'(?:port[ :=]+|:)(\d{2,5})\b', self.log()):
            if network.is_listening(int(number)):
                self.port = int(number)
                return True
        return False

    def files(self):
        """Every file below its output folder, whatever it is called."""
        return sorted(path for path in self.output.rglob('*') if path.is_file()) if self.output.exists() else []

    def kill(self):
        """kill -9: nothing is tidied up."""
        self.process.kill()
        self.process.wait()

    def terminate(self):
        """SIGTERM, as a service manager ends it. Its exit code."""
        self.process.terminate()
        self.exit_code = self.process.wait(peers.STOP_TIMEOUT_S)
        return self.exit_code

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.terminate()
        text = self.log()
        super().stop()
        assert not fault_of(text), fault_of(text)


class Archive(Receiver):
    """dicom-archive, over a folder of its own or, with synthetic='4x2x50', over nothing.

    destinations: pairs (AE, port) that a C-MOVE may name.
    """

    name = 'dicom-archive'
    ae_title = 'ARCHIVE'    # which it answers to, as to any

    def __init__(self, *options, synthetic=None, destinations=(), folder_variable='BUILD_DIR'):
        super().__init__(*options, keep=True, folder_variable=folder_variable)
        self.options = [str(option) for option in options]
        self.options += ['--synthetic', synthetic] if synthetic else ['--output-dir', str(self.output)]
        for ae_title, port in destinations:
            self.options += ['--peer', f'{ae_title}=127.0.0.1:{port}']

    def files(self):
        """The instances it keeps."""
        return [path for path in super().files() if not path.name.startswith('index.sqlite')]

    def memory_kb(self):
        """What it has in memory now."""
        status = pathlib.Path(f'/proc/{self.process.pid}/status').read_text(encoding='ascii')
        return int(re.search(r'VmRSS:\s+(\d+)', status).group(1))
