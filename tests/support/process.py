"""Programs of ours as processes: where they are built, what they run with, how they ended.

BUILD_DIR names the build folder; RELEASE_DIR that of the build without sanitizers.
"""
import os
import pathlib
import re
import subprocess
import tempfile
import time

TIMEOUT_S = 60
FILE_LIMIT_BYTES = 512 * 1024 * 1024

# What sanitizers are told, wherever the tests start a program, and what their reports and a failed assert() say.
SANITIZERS = {'ASAN_OPTIONS': 'detect_stack_use_after_return=1',
              'UBSAN_OPTIONS': 'print_stacktrace=1:halt_on_error=1',
              'LSAN_OPTIONS': f'suppressions={pathlib.Path(__file__).parent / "lsan.supp"}:print_suppressions=0',
              'TSAN_OPTIONS': f'halt_on_error=0:exitcode=66:suppressions={pathlib.Path(__file__).parent / "tsan.supp"}'}
SANITIZER_MARKS = ('AddressSanitizer', 'LeakSanitizer', 'ThreadSanitizer', ': runtime error:', 'Assertion `')


def build_folder(variable='BUILD_DIR'):
    folder = os.environ.get(variable)
    if not folder:
        raise RuntimeError(f'set {variable} to the build folder')
    return pathlib.Path(folder).absolute()


def program(name, folder_variable='BUILD_DIR'):
    path = build_folder(folder_variable) / 'src' / 'programs' / name
    if not path.exists():
        raise RuntimeError(f'{path} is not there: build first')
    return str(path)


def environment(**more):
    """No peers file of whoever runs the tests, no colour settings, and a sanitizer's report ends a program."""
    values = {key: value for key, value in os.environ.items() if key not in ('XDG_CONFIG_HOME', 'NO_COLOR')}
    return {**values, **SANITIZERS, 'HOME': '/nonexistent', 'LC_ALL': 'C.UTF-8', **more}


def odd_system(**values):
    """What to put before a command of the build without sanitizers so that its system is odd (odd_system.c says how)."""
    library = build_folder('RELEASE_DIR') / 'tests' / 'support' / 'libodd_system.so'
    return ['env', f'LD_PRELOAD={library}', *(f'ODD_{name.upper()}={value}' for name, value in values.items())]


def guarded(command):
    """The command, under a limit on file size and dying with this process. Both exec: the pid is its own."""
    return ['prlimit', f'--fsize={FILE_LIMIT_BYTES}', '--core=0', 'setpriv', '--pdeathsig', 'KILL', '--', *command]


def without_privileges():
    """What to put before a command so that file permissions count for it even if the tests run as root.

    It stays root: its programs may lie below a folder that is closed to everybody else.
    """
    if os.geteuid() != 0:
        return ()
    capabilities = '-dac_override,-dac_read_search'
    return ('setpriv', f'--bounding-set={capabilities}', f'--inh-caps={capabilities}', '--')


def fault_of(text):
    """The report of a sanitizer or an assert in what a program wrote, or ''."""
    return text[-4000:] if any(mark in text for mark in SANITIZER_MARKS) else ''


class Result:
    """How a command ended."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    def __str__(self):
        return f'{" ".join(map(str, self.command))}\nexit {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}'


def run(name, *arguments, cwd=None, env=None, stdin=b'', timeout_s=TIMEOUT_S):
    """Run a program of ours to its end. A sanitizer's report or a crash is an error of the test."""
    command = [program(name), *words(arguments)]
    done = subprocess.run(command, cwd=cwd, env=env or environment(), input=stdin, capture_output=True,
                          timeout=timeout_s, check=False)
    result = Result(command, done.returncode, done.stdout.decode(errors='replace'), done.stderr.decode(errors='replace'))
    assert done.returncode >= 0 and not fault_of(result.err), str(result)
    return result


def words(arguments):
    """What is given to a program: text, bytes and paths as they are, numbers as text."""
    return [os.fspath(value) if isinstance(value, (str, bytes, os.PathLike)) else str(value) for value in arguments]


class Running:
    """A program of ours in the background. stop() ends it, whatever happened."""

    def __init__(self, name, *arguments, cwd=None, env=None, prefix=(), folder_variable='BUILD_DIR'):
        self.command = [*prefix, program(name, folder_variable), *words(arguments)]
        self.cwd, self.env = cwd, env
        self.process = None
        self.outputs = []

    def start(self):
        self.outputs = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]
        self.process = subprocess.Popen(guarded(self.command), cwd=self.cwd, env=self.env or environment(),
                                        stdin=subprocess.DEVNULL, stdout=self.outputs[0], stderr=self.outputs[1],
                                        start_new_session=True)
        return self

    def text(self, which):
        """What it has written so far: 0 to standard output, 1 to standard error."""
        return os.pread(self.outputs[which].fileno(), 1 << 26, 0).decode(errors='replace') if self.outputs else ''

    def log(self):
        return self.text(0) + self.text(1)

    def wait_for(self, pattern, which=0, timeout_s=TIMEOUT_S):
        """Until this has been written; the match."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            match = re.search(pattern, self.text(which), re.MULTILINE)
            if match:
                return match
            assert self.process.poll() is None, f'ended with {self.process.returncode}: {self.log()}'
            time.sleep(0.02)
        raise AssertionError(f'no {pattern!r} within {timeout_s} s:\n{self.log()}')

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout_s=TIMEOUT_S):
        """How it ended. A sanitizer's report or a crash is an error of the test."""
        code = self.process.wait(timeout_s)
        result = Result(self.command, code, self.text(0), self.text(1))
        assert code >= 0 and not fault_of(result.err), str(result)
        return result

    def kill(self):
        """kill -9: nothing is tidied up."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        for file in self.outputs:
            file.close()
        self.outputs = []

    def __enter__(self):
        return self if self.process is not None else self.start()

    def __exit__(self, *unused):
        self.stop()
