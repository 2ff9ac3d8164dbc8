"""The k-th call of a kind fails, for every k of a run of five files: no crash, no hang, and what is said is true.

libfailing_calls.so (tests/support) goes before the C library of one program, of the build without sanitizers; the other
side is left alone. Each run is held to the same: the program ends by itself and not by a signal; exit code 0 means that
all five instances are kept, byte for byte; what the summary calls stored is kept.

One signal is left: libuv ends the process if it cannot make its own pipe or start the four threads of its pool. That is
before anything is sent, and a run may end so if nothing is kept.

With a ledger it is held to more: what it calls stored is kept, exit code 0 means that it has all five, and the next run
sends the others and nothing else.
"""
import concurrent.futures
import contextlib
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from support import datasets, network, programs
from support.base import ProgramTest

STUDIES, INSTANCES = 1, 5
RUN_TIMEOUT_S = 60
LANES = 2
LIBUV_ABORTS_MAX = 5
QUICK = ('--retry', 2, '--timeout', 5)


def preload(folder, kind, at):
    """What to put before a command so that its call number `at` fails."""
    library = pathlib.Path(os.environ['RELEASE_DIR']).absolute() / 'tests' / 'support' / 'libfailing_calls.so'
    return ['env', f'LD_PRELOAD={library}', f'FAILING_CALL={kind}', f'FAILING_AT={at}',
            f'FAILING_MARK={folder / "mark"}', f'FAILING_COUNT={folder / "count"}']


class Lane:
    """Runs one after the other, in a folder of their own: each says whether its call was reached."""

    def __init__(self, files, wanted, kind):
        self.files, self.wanted, self.kind = files, wanted, kind
        self.libuv_aborts = 0
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='dicom-failing-'))
        self.stack = contextlib.ExitStack()
        self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)

    def is_libuvs(self, exit_code, said):
        """True if libuv ended the program before it did or said anything."""
        found = exit_code == -signal.SIGABRT and not said
        self.libuv_aborts += found
        return found

    def reached(self):
        mark = self.folder / 'mark'
        found = mark.exists()
        mark.unlink(missing_ok=True)
        return found

    def send(self, port, prefix=(), options=(), files=None):
        """A run of dicom-sender. Its exit code, its summary or None, and what it said."""
        logs = self.folder / 'logs'
        command = [*prefix, programs.program('dicom-sender', 'RELEASE_DIR'), '--json', '--no-progress', '--threads', '2',
                   '--host', '127.0.0.1', '--port', str(port), '--recursive', '--log-dir', logs,
                   *(('--input', self.files) if files is None else files), *map(str, QUICK), *map(str, options)]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=RUN_TIMEOUT_S,
                                  check=False, env=programs.environment())
        finally:
            shutil.rmtree(logs, ignore_errors=True)
        stderr = done.stderr.decode(errors='replace')
        if not self.is_libuvs(done.returncode, stderr or done.stdout):
            assert done.returncode >= 0 and not programs.fault_of(stderr), f'exit {done.returncode}\n{stderr[-3000:]}'
            assert done.returncode == 0 or stderr or done.stdout, f'exit {done.returncode} without a word'
        # The log may have lost a line: it is looked at in other tests.
        return programs.SenderRun(done.returncode, done.stdout.decode(), stderr, 0, self.folder / 'none')

    def judge(self, run, receiver, before=0):
        """Hold what the sender says to what is kept (`before` of it since an earlier run); and empty that folder."""
        kept = [datasets.split_part10(path.read_bytes())[-1] for path in receiver.files() if path.suffix == '.dcm']
        assert len(kept) == len(set(kept)) and set(kept) <= self.wanted, f'{len(kept)} files are kept\n{run}'
        assert run.exit_code >= 0 or len(kept) == before, f'ended by a signal when {len(kept)} were kept'
        assert run.exit_code != 0 or set(kept) == self.wanted, f'exit 0, and {len(kept)} are kept\n{run}'
        if run.summary is not None:
            self.check_totals(run)
            assert run.total('stored') + run.total('warned') <= len(kept), f'{len(kept)} are kept\n{run}'
            assert run.total('files') == len(self.wanted) or run.exit_code != 0, run
        for path in receiver.files():
            path.unlink()

    def check_totals(self, run):
        programs.check_totals(run)

    def close(self):
        self.stack.close()


class SenderLane(Lane):
    """The sender's calls fail; a receiver runs beside it all the time."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.receiver = self.stack.enter_context(programs.Receiver())

    def run(self, at):
        run = self.send(self.receiver.port, preload(self.folder, self.kind, at))
        self.judge(run, self.receiver)
        return self.reached()


class ListsLane(Lane):
    """The sender's calls fail, and nobody is there to send to: so all five are in the summary's lists, or it says that it
    could not hold them."""

    def check_totals(self, run):
        said = re.search('the summary.*: Cannot allocate memory', run.stderr)
        assert said or len(run.summary['pending']) == run.total('pending'), run
        if not said:
            super().check_totals(run)

    def run(self, at):
        run = self.send(network.free_port(), preload(self.folder, self.kind, at), ['--retry', 0])
        assert run.exit_code == 1 or self.libuv_aborts, run
        if run.summary is not None:
            self.check_totals(run)
        return self.reached()


class LedgerLane(SenderLane):
    """The sender's calls fail while it keeps a ledger; the same command again makes up for it."""

    def check_totals(self, run):
        """What is stored and not in the ledger makes for exit code 2, although nothing failed."""
        if 'cannot be written' in run.stderr:
            assert run.exit_code in (1, 2), run
        else:
            super().check_totals(run)

    def stored(self):
        """{SOP Instance UID} that the ledger calls stored. Nothing is in what is not even an empty database."""
        ledger = self.folder / 'ledger.db'
        if not ledger.exists() or ledger.stat().st_size == 0:
            return set()
        database = sqlite3.connect(f'file:{ledger}?mode=ro', uri=True)
        try:
            return {uid for uid, in database.execute("SELECT instance FROM file WHERE state IN ('stored', 'warned')")}
        except sqlite3.OperationalError as error:
            assert 'no such table' in str(error), error
            return set()
        finally:
            database.close()

    def begin(self, options):
        """What earlier sessions have stored: nothing."""
        return set()

    def run(self, at):
        options = ('--ledger', self.folder / 'ledger.db')
        before = self.begin(options)
        run = self.send(self.receiver.port, preload(self.folder, self.kind, at), options)
        reached, known = self.reached(), self.stored()
        kept = {path.stem for path in self.receiver.files() if path.suffix == '.dcm'}
        self.judge(run, self.receiver, len(before))
        assert before <= known <= kept, f'{len(known)} are stored in the ledger, and {len(kept)} are kept\n{run}'
        assert run.exit_code != 0 or len(known) == len(self.wanted), f'exit 0, and {len(known)} are in the ledger\n{run}'
        again = self.send(self.receiver.port, options=options)
        sent = {path.stem for path in self.receiver.files()}
        assert again.exit_code == 0 and again.total('stored') == len(self.wanted), again
        assert again.summary['totals']['earlier']['stored'] == len(known), f'of {len(known)}\n{again}'
        assert not sent & known and self.stored() == sent | known, again
        for path in [*self.receiver.files(), *self.folder.glob('ledger.db*')]:
            path.unlink()
        return reached


class ResumeLane(LedgerLane):
    """The sender's calls fail when it finds a ledger with two files, one of which has two rows."""

    def begin(self, options):
        first, second, *_ = sorted(self.files.rglob('*.dcm'))
        run = self.send(self.receiver.port, options=(first, second, *options), files=())
        assert run.total('stored') == 2, run
        with contextlib.closing(sqlite3.connect(self.folder / 'ledger.db')) as database, database:
            database.executescript('DROP INDEX file_path; CREATE TEMP TABLE copy AS SELECT * FROM file LIMIT 1;'
                                   'UPDATE copy SET id = id + 10; INSERT INTO file SELECT * FROM copy')
        return self.stored()


class ReportLane(LedgerLane):
    """Calls of `dicom-sender report` fail: it says all, or why not."""

    FORMS = ((), ('--json', '--pending'), ('--csv', '--failed'))

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.send(self.receiver.port, options=('--ledger', self.folder / 'ledger.db', '/nowhere/caf\udce9'))
        whole = [self.report(form) for form in self.FORMS]
        assert not any(done.returncode for done in whole), whole
        self.whole = [done.stdout for done in whole]

    def report(self, form, prefix=()):
        command = [*prefix, programs.program('dicom-sender', 'RELEASE_DIR'), 'report', '--ledger',
                   str(self.folder / 'ledger.db'), *form]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=RUN_TIMEOUT_S,
                              check=False, env=programs.environment())

    def run(self, at):
        counts, reached = [], False
        for form, whole in zip(self.FORMS, self.whole):
            done = self.report(form, preload(self.folder, self.kind, at))
            counts.append(int((self.folder / 'count').read_text(encoding='ascii')))
            reached |= self.reached()
            assert done.returncode in (0, 1), done
            assert done.stdout == whole if done.returncode == 0 else done.stderr.startswith(b'dicom-sender report: '), done
        (self.folder / 'count').write_text(str(max(counts)), encoding='ascii')
        return reached


class FailingReceiver(programs.Receiver):
    """One whose calls fail. Without a port: it said why and ended."""

    def __init__(self, prefix):
        super().__init__('--sync', prefix=prefix, folder_variable='RELEASE_DIR')

    def start(self):
        self.output.mkdir()
        self.launch()
        end = time.monotonic() + self.start_timeout_s
        while time.monotonic() < end and self.process.poll() is None and self.port is None:
            found = re.search(r'^listening on .*:(\d+)$', self.log(), re.MULTILINE)
            self.port = int(found.group(1)) if found else None
            time.sleep(0.005)
        return self


class ReceiverLane(Lane):
    """The receiver's calls fail; each run has one of its own."""

    def run(self, at):
        receiver = FailingReceiver(preload(self.folder, self.kind, at))
        with receiver:
            if receiver.port is not None:
                self.judge(self.send(receiver.port), receiver)
                assert receiver.terminate() >= 0, f'the receiver ended by signal {-receiver.exit_code}'
            elif not self.is_libuvs(receiver.process.wait(RUN_TIMEOUT_S), receiver.log()):
                assert receiver.process.returncode == 1 and receiver.log(), f'no port: {receiver.log()}'
        return self.reached()


class FailingCalls(ProgramTest):
    def setUp(self):
        super().setUp()
        self.files = self.subfolder('files')
        self.wanted = {entry.data_set for entry in datasets.make_studies(self.files, STUDIES, INSTANCES)}
        self.assertEqual(len(self.wanted), STUDIES * INSTANCES)

    def fail_each(self, lane_class, kind):
        """Let each call fail once: as many as a run makes in which none does."""
        counting = lane_class(self.files, self.wanted, kind)
        try:
            self.assertFalse(counting.run(0))
            calls = int((counting.folder / 'count').read_text(encoding='ascii'))
        finally:
            counting.close()
        lanes = []

        def run_lane(first):
            lane, reached = lane_class(self.files, self.wanted, kind), 0
            lanes.append(lane)
            try:
                for at in range(first, calls + 1, LANES):
                    try:
                        reached += lane.run(at)
                    except (AssertionError, subprocess.TimeoutExpired) as error:
                        raise AssertionError(f'{kind} {at} fails: {error}') from error
            finally:
                lane.close()
            return reached

        with concurrent.futures.ThreadPoolExecutor(max_workers=LANES) as pool:
            reached = sum(pool.map(run_lane, range(1, LANES + 1)))
        print(f'{lane_class.__name__} {kind}: {reached} calls failed', flush=True)
        self.assertGreater(reached, 0.9 * calls - 1, f'of {calls}')
        self.assertLessEqual(sum(lane.libuv_aborts for lane in lanes), LIBUV_ABORTS_MAX)

    def test_sender_memory(self):
        self.fail_each(SenderLane, 'malloc')

    def test_sender_memory_for_lists(self):
        self.fail_each(ListsLane, 'malloc')

    def test_sender_descriptors(self):
        self.fail_each(SenderLane, 'open')

    def test_sender_reads(self):
        self.fail_each(SenderLane, 'read')

    def test_sender_writes(self):
        self.fail_each(SenderLane, 'write')

    def test_sender_closes(self):
        self.fail_each(SenderLane, 'close')

    def test_sender_stats(self):
        self.fail_each(SenderLane, 'stat')

    def test_sender_threads(self):
        self.fail_each(SenderLane, 'thread')

    def test_ledger_memory(self):
        self.fail_each(LedgerLane, 'malloc')

    def test_ledger_descriptors(self):
        self.fail_each(LedgerLane, 'open')

    def test_ledger_reads(self):
        self.fail_each(LedgerLane, 'read')

    def test_ledger_writes(self):
        self.fail_each(LedgerLane, 'write')

    def test_ledger_closes(self):
        self.fail_each(LedgerLane, 'close')

    def test_ledger_fsync(self):
        self.fail_each(LedgerLane, 'fsync')

    def test_ledger_stats(self):
        self.fail_each(LedgerLane, 'stat')

    def test_resume_memory(self):
        self.fail_each(ResumeLane, 'malloc')

    def test_resume_descriptors(self):
        self.fail_each(ResumeLane, 'open')

    def test_resume_reads(self):
        self.fail_each(ResumeLane, 'read')

    def test_resume_writes(self):
        self.fail_each(ResumeLane, 'write')

    def test_resume_fsync(self):
        self.fail_each(ResumeLane, 'fsync')

    def test_report_memory(self):
        self.fail_each(ReportLane, 'malloc')

    def test_report_reads(self):
        self.fail_each(ReportLane, 'read')

    def test_report_descriptors(self):
        self.fail_each(ReportLane, 'open')

    def test_receiver_memory(self):
        self.fail_each(ReceiverLane, 'malloc')

    def test_receiver_descriptors(self):
        self.fail_each(ReceiverLane, 'open')

    def test_receiver_reads(self):
        self.fail_each(ReceiverLane, 'read')

    def test_receiver_writes(self):
        self.fail_each(ReceiverLane, 'write')

    def test_receiver_closes(self):
        self.fail_each(ReceiverLane, 'close')

    def test_receiver_fsync(self):
        self.fail_each(ReceiverLane, 'fsync')

    def test_receiver_renames(self):
        self.fail_each(ReceiverLane, 'rename')


if __name__ == '__main__':
    unittest.main()
