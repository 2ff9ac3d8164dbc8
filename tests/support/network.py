"""Ports and listeners.

Where the system lets us, the whole test process moves into a network namespace of its own before anything is started:
storescp and Orthanc can only listen on every interface, and there the loopback device is the only one there is. It also
makes a free port stay free, and the look-up of an unknown host end at once.
"""
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import time

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
TCP_LISTEN = '0A'


def isolate():
    """Move this process into a network namespace with nothing but loopback. False where that is not allowed."""
    if os.environ.get('TESTS_SHARE_NETWORK') or os.environ.get('TESTS_ISOLATED_PID') == str(os.getpid()):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack('16sh22x', b'lo', 0))
        flags = struct.unpack('16sh22x', request)[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack('16sh22x', b'lo', flags | IFF_UP))
    os.environ['TESTS_ISOLATED_PID'] = str(os.getpid())
    return True


@contextlib.contextmanager
def swallowed(*networks):
    """Networks, '10.77.0.1/24' with our own address in them, all of whose other addresses take packets and never answer:
    a device that leads nowhere. AssertionError where that cannot be made: it is no reason to test nothing."""
    assert os.environ.get('TESTS_ISOLATED_PID') == str(os.getpid()), \
        'no network namespace of its own, which this test changes: it has to be run as root, without TESTS_SHARE_NETWORK'
    commands = ['link add swallow0 type veth peer name swallow1', 'link set swallow0 arp off', 'link set swallow1 up',
                'link set swallow0 up', *(f'address add {own} dev swallow0' + ' nodad' * (':' in own) for own in networks)]
    try:
        for command in commands:
            done = subprocess.run(['ip', *command.split()], capture_output=True, text=True, check=False)
            assert done.returncode == 0, f'no network that swallows packets can be made: ip {command}: {done.stderr}'
        yield
    finally:
        subprocess.run(['ip', 'link', 'delete', 'swallow0'], capture_output=True, check=False)


def free_port():
    """A port nobody listens on now. Nothing holds it: whoever starts a server on it tries again if it was taken."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def port_without_answer():
    """A port at which nobody accepts, and the listener's queue is full: the system answers no further connection."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(('127.0.0.1', 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def is_listening(port):
    """Whether somebody listens on this port, without connecting to it: some peers serve one connection at a time."""
    for table in ('/proc/self/net/tcp', '/proc/self/net/tcp6'):
        try:
            with open(table, encoding='ascii') as lines:
                next(lines)
                for line in lines:
                    fields = line.split()
                    if fields[3] == TCP_LISTEN and int(fields[1].rsplit(':', 1)[1], 16) == port:
                        return True
        except FileNotFoundError:
            pass
    return False


def wait_until(condition, timeout_s, what):
    """Poll until condition() is true; its value is returned. AssertionError if it never is."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'{what}: not within {timeout_s} s')
        time.sleep(0.02)


@contextlib.contextmanager
def closed_port():
    """A port that refuses connections: bound, and nobody listens on it."""
    with socket.socket() as holder:
        holder.bind(('127.0.0.1', 0))
        yield holder.getsockname()[1]
