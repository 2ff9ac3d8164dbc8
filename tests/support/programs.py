"""Our own programs, as a user runs them, and what is true of every run of them."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import jsonschema

from . import network, tls_line
from .process import Result, Running, environment, fault_of, odd_system, program, run, without_privileges  # noqa: F401

MOVER_SCHEMA = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'mover_summary.schema.json'
STOP_TIMEOUT_S = 10


def write_synthetic(folder, spec, seed=1, folder_variable='RELEASE_DIR'):
    """Files of made-up studies, STUDIESxINSTANCESxSIZE[:CT|MR|SC]: study-N/image-N.dcm."""
    subprocess.run([program('dicom-sender', folder_variable), '--synthetic', spec, '--output-dir', str(folder),
                    '--synthetic-seed', str(seed), '--quiet'], check=True)


class ProgramRun:
    """One run of a program that prints a summary: how it ended and what it reported."""

    def __init__(self, exit_code, stdout, stderr, log_dir):
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
        self.log_dir = log_dir
        self.summary = json.loads(stdout) if stdout.strip() else None
        self.events = [json.loads(line) for path in sorted(log_dir.glob('dicom_*.log'))
                       for line in path.read_text(encoding='utf-8').splitlines()]

    def total(self, name):
        return self.summary['totals'][name]

    def said(self, event):
        """The records of this event, in order."""
        return [record for record in self.events if record['event'] == event]


class SenderRun(ProgramRun):
    """One run of dicom-sender."""

    def __init__(self, exit_code, stdout, stderr, elapsed_s, log_dir):
        super().__init__(exit_code, stdout, stderr, log_dir)
        self.elapsed_s = elapsed_s

    def problems(self):
        """{path: entry} of every file that is not simply stored. An entry gets the state whose list it stands in."""
        found = {}
        for state in ('failed', 'in_doubt', 'pending', 'warned', 'skipped'):
            for entry in self.summary[state]:
                path = os.fsdecode(bytes.fromhex(entry['path_hex'])) if 'path_hex' in entry else entry['path']
                assert path not in found, f'listed twice: {path!r}'
                found[path] = dict(entry, state=state)
        return found

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
        command += ['--host', host, '--port', str(port), '--ae-title', ae_title,
                    *map(str, tls_line.requestor_options())]
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
            over_tls = port is not None and tls_line.requestor_options()
            assert run.summary['destination']['tls'] == 'checked' or not over_tls, f'in clear: {run}'
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
    if run.summary['options']['dry_run']:  # what could be sent is pending, and no fault
        assert states['stored'] + states['warned'] + states['in_doubt'] == run.summary['totals']['earlier']['stored'] + \
            run.summary['totals']['earlier']['warned'], f'a run that sends nothing has stored something: {run}'
        return
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


class MoverRun(ProgramRun):
    """One run of dicom-mover."""

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


class Receiver(Running):
    """dicom-receiver on a port that it picks itself and prints. Started again, it takes the same one.

    It keeps what comes in self.output; with keep=False, or with options that say what becomes of it, it does not. With
    log=True it writes an access log; kept.py reads it.
    """

    name = 'dicom-receiver'
    start_timeout_s = 20

    def __init__(self, *options, keep=True, log=False, folder_variable='BUILD_DIR', prefix=(), env=None):
        super().__init__(self.name, prefix=prefix, folder_variable=folder_variable, env=env)
        self.program_command = self.command
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='dicom-peer-'))
        self.cwd = self.folder
        self.output = self.folder / 'received'
        self.access_log = self.folder / 'access.log'
        self.options = [str(option) for option in (*tls_line.acceptor_options(), *options)]
        if not {'--output-dir', '--discard'} & set(self.options):
            self.options += self.destination(keep)
        self.options += ['--access-log', str(self.access_log)] if log else []
        self.port = None
        self.exit_code = None

    def destination(self, keep):
        return ['--output-dir', str(self.output)] if keep else ['--discard']

    def launch(self):
        """Start it without waiting for it; again at the same port if it was killed."""
        for file in self.outputs:
            file.close()
        self.command = [*self.program_command, '--port', str(self.port or 0), *self.options]
        return super().start()

    def start(self):
        """Start it, and wait until it listens."""
        self.launch()
        try:
            network.wait_until(self.ready, self.start_timeout_s, f'{self.name} to listen')
        except AssertionError as error:
            text = self.log()
            self.stop()
            raise AssertionError(f'{error}\n{text[-3000:]}') from None
        return self

    def ready(self):
        assert self.process.poll() is None, f'{self.name} ends with {self.process.returncode}:\n{self.log()}'
        found = re.search(r'^listening on \S*:(\d+)$', self.text(0), re.MULTILINE)
        self.port = int(found.group(1)) if found else self.port
        return found is not None

    def files(self):
        """Every file below its output folder, whatever it is called."""
        return sorted(path for path in self.output.rglob('*') if path.is_file()) if self.output.exists() else []

    def terminate(self, number=signal.SIGTERM):
        """SIGTERM, as a service manager ends it. Its exit code."""
        self.process.send_signal(number)
        self.exit_code = self.process.wait(STOP_TIMEOUT_S)
        return self.exit_code

    def stop(self, number=signal.SIGTERM):
        """End it in good order: how it ended. None if it has ended before. Its folder goes with it."""
        result = None
        try:
            if self.process is not None and self.process.poll() is None:
                self.terminate(number)
                result = Result(self.command, self.exit_code, self.text(0), self.text(1))
        except subprocess.TimeoutExpired:
            pass
        text = self.log()
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not fault_of(text), fault_of(text)
        return result


class Archive(Receiver):
    """dicom-archive, over a folder of its own or, with synthetic='4x2x50', over nothing.

    destinations: pairs (AE, port) that a C-MOVE may name.
    """

    name = 'dicom-archive'
    ae_title = 'ARCHIVE'    # which it answers to, as to any

    def __init__(self, *options, synthetic=None, destinations=(), folder_variable='BUILD_DIR'):
        self.synthetic = synthetic
        super().__init__(*options, folder_variable=folder_variable)
        for ae_title, port in destinations:
            self.options += ['--peer', f'{ae_title}=127.0.0.1:{port}']

    def destination(self, keep):
        return ['--synthetic', self.synthetic] if self.synthetic else super().destination(keep)

    def files(self):
        """The instances it keeps."""
        return [path for path in super().files() if not path.name.startswith('index.sqlite')]

    def memory_kb(self):
        """What it has in memory now."""
        status = pathlib.Path(f'/proc/{self.process.pid}/status').read_text(encoding='ascii')
        return int(re.search(r'VmRSS:\s+(\d+)', status).group(1))
