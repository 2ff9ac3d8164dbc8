"""What the tests of the command line share: the built programs, a receiver, temporary folders, a little data.

BUILD_DIR names the build folder. Uses nothing but Python's own library.
"""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

BUILD = pathlib.Path(os.environ.get('BUILD_DIR', 'build/asan')).absolute()
TIMEOUT_S = 60
FAULTS = ('AddressSanitizer', 'LeakSanitizer', 'ThreadSanitizer', ': runtime error:', 'Assertion `')


def program(name):
    return str(BUILD / 'src' / 'programs' / name)


def environment(**more):
    """No peers file of whoever runs the tests, no colour settings, and a sanitizer's report ends a program."""
    values = {key: value for key, value in os.environ.items() if key not in ('XDG_CONFIG_HOME', 'NO_COLOR')}
    values.update(HOME='/nonexistent', LC_ALL='C.UTF-8', UBSAN_OPTIONS='print_stacktrace=1:halt_on_error=1')
    values.update(more)
    return values


class Result:
    """How a command ended."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    def __str__(self):
        return f'{" ".join(map(str, self.command))}\nexit {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}'


def run(name, *arguments, cwd=None, env=None, stdin=b'', timeout_s=TIMEOUT_S):
    """Run a program of ours to its end. A sanitizer's report or a crash is an error of the test."""
    command = [program(name), *map(os.fspath, map(str_or_path, arguments))]
    done = subprocess.run(command, cwd=cwd, env=env or environment(), input=stdin, capture_output=True,
                          timeout=timeout_s, check=False)
    result = Result(command, done.returncode, done.stdout.decode(errors='replace'), done.stderr.decode(errors='replace'))
    assert done.returncode >= 0 and not any(fault in result.err for fault in FAULTS), str(result)
    return result


def str_or_path(value):
    return value if isinstance(value, (str, bytes, os.PathLike)) else str(value)


class Running:
    """A program of ours in the background; leave() ends it, whatever happened."""

    def __init__(self, name, *arguments, cwd=None, env=None):
        self.command = [program(name), *map(str, arguments)]
        self.files = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]
        self.process = subprocess.Popen(self.command, cwd=cwd, env=env or environment(), stdin=subprocess.DEVNULL,
                                        stdout=self.files[0], stderr=self.files[1], start_new_session=True)

    def text(self, which):
        return os.pread(self.files[which].fileno(), 1 << 22, 0).decode(errors='replace')

    def wait_for(self, pattern, which=0, timeout_s=TIMEOUT_S):
        """Until this has been written; the match."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            match = re.search(pattern, self.text(which), re.MULTILINE)
            if match:
                return match
            assert self.process.poll() is None, f'ended with {self.process.returncode}: {self.text(1)}'
            time.sleep(0.02)
        raise AssertionError(f'no {pattern!r} within {timeout_s} s:\n{self.text(0)}{self.text(1)}')

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout_s=TIMEOUT_S):
        code = self.process.wait(timeout_s)
        result = Result(self.command, code, self.text(0), self.text(1))
        assert code >= 0 and not any(fault in result.err for fault in FAULTS), str(result)
        return result

    def leave(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for file in self.files:
            file.close()


class Receiver(Running):
    """dicom-receiver on a free port of the loopback device."""

    def __init__(self, *arguments):
        super().__init__('dicom-receiver', '--port', '0', *arguments)
        try:
            self.port = int(self.wait_for(r'^listening on 127\.0\.0\.1:(\d+)$').group(1))
        except BaseException:
            self.leave()
            raise

    def stop(self, number=signal.SIGTERM):
        self.signal(number)
        return self.wait()


class CommandTest(unittest.TestCase):
    """A temporary folder, which is where the logs go, and programs that end with the test."""

    maxDiff = 4000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='dicom-cli-'))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.logs = self.folder / 'logs'

    def start(self, running):
        self.addCleanup(running.leave)
        return running

    def receiver(self, *arguments):
        return self.start(Receiver(*(arguments or ('--discard',))))

    def send(self, *arguments, **more):
        """dicom-sender with the test's own log folder."""
        return run('dicom-sender', '--log-dir', self.logs, *arguments, **more)

    def studies(self, specification='2x3x4096:CT', name='studies', seed=1):
        """A folder of synthetic studies, STUDIESxINSTANCESxBYTES:CLASS."""
        path = self.folder / name
        subprocess.run([program('dicom-sender'), '--synthetic', specification, '--output-dir', str(path), '--synthetic-seed',
                        str(seed), '--quiet'], check=True, timeout=TIMEOUT_S)
        return path

    def assert_wrong(self, result, line):
        """Exit 1, nothing on standard output, and exactly this line on standard error."""
        self.assertEqual((result.code, result.out, result.err), (1, '', line + '\n'), result)

    def assert_exit(self, result, code):
        self.assertEqual(result.code, code, result)


def files_below(folder):
    return sorted(path for path in pathlib.Path(folder).rglob('*') if path.is_file())


def element(group, number, vr, value):
    """One element in Explicit VR Little Endian, its value padded to an even length."""
    if len(value) % 2:
        value += b'\0' if vr in ('UI', 'OB') else b' '
    if vr in ('OB', 'OW', 'SQ', 'UN', 'UT'):
        return struct.pack('<HH2s2xI', group, number, vr.encode(), len(value)) + value
    return struct.pack('<HH2sH', group, number, vr.encode(), len(value)) + value


def write_instance(path, instance='1.2.3.4', study='1.2.3', sop_class='1.2.840.10008.5.1.4.1.1.2'):
    """The smallest instance there is; study=None leaves the Study Instance UID out."""
    meta = element(2, 0x0002, 'UI', sop_class.encode()) + element(2, 0x0003, 'UI', instance.encode())
    meta += element(2, 0x0010, 'UI', b'1.2.840.10008.1.2.1')
    data = element(8, 0x0016, 'UI', sop_class.encode()) + element(8, 0x0018, 'UI', instance.encode())
    if study is not None:
        data += element(0x20, 0x000D, 'UI', study.encode())
    path.write_bytes(bytes(128) + b'DICM' + element(2, 0x0000, 'UL', struct.pack('<I', len(meta))) + meta + data)
    return path


@contextlib.contextmanager
def closed_port():
    """A port that refuses connections: bound, and nobody listens on it."""
    with socket.socket() as holder:
        holder.bind(('127.0.0.1', 0))
        yield holder.getsockname()[1]
