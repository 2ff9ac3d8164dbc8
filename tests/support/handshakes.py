"""Handshakes of TLS that fail, in turns and as often as wanted: of our requestor with a server that spoils them, and of
our servers with clients that do. What a process uses, before and after.
"""
import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess

from . import network, wire
from .certificates import Certificates, connect_with_openssl
from .process import build_folder, environment, fault_of
from .scripted_server import ScriptedServer

TIMEOUT_S = 20
# Memory that was freed is used again at once, so that what a program has in memory means something under a sanitizer.
AT_ONCE = {'ASAN_OPTIONS': 'detect_stack_use_after_return=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64'}


class Identities:
    """Those of a CA that is trusted, for the right name and for another, and one of a CA that nobody knows."""

    def __init__(self):
        self.known, self.unknown = Certificates(), Certificates()
        self.elsewhere = self.known.make('elsewhere', self.known.root, 'DNS:elsewhere.example')

    def remove(self):
        self.known.remove()
        self.unknown.remove()


def use_of(pid):
    """(descriptors, resident bytes)"""
    status = pathlib.Path(f'/proc/{pid}/status').read_text(encoding='ascii')
    return len(os.listdir(f'/proc/{pid}/fd')), int(re.search(r'VmRSS:\s*(\d+)', status)[1]) * 1024


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    connection.close()


# ---- our requestor ----

class SpoilingServer(ScriptedServer):
    """Each connection's handshake fails, in another way than that of the one before."""

    WAYS = 5

    def __init__(self, identities):
        super().__init__()
        self.contexts = [self._context(identity) for identity in
                         (identities.unknown.server, identities.elsewhere, identities.known.server)]

    @staticmethod
    def _context(identity):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.chain, identity.key)
        return context

    def _converse(self, connection, number):
        way = number % self.WAYS
        connection.settimeout(TIMEOUT_S)
        with self.lock:
            self.connections.remove(connection)
        with connection:
            if way < 2:
                with self.contexts[way].wrap_socket(connection, server_side=True) as line:
                    line.recv(1)
                return
            hello = connection.recv(16384)
            if way == 2:
                connection.sendall(wire.pdu(wire.ABORT, bytes(4)))
                connection.recv(1)
            elif way == 4:
                connection.sendall(self._flight(hello)[:700])
            if way > 2:
                reset(connection)

    def _flight(self, hello):
        """What the server of whom nothing is wrong says to this."""
        received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        line = self.contexts[2].wrap_bio(received, to_send, server_side=True)
        received.write(hello)
        try:
            line.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return to_send.read()


def fail_as_requestor(identities, count, warm):
    """So many associations of the library's, one after another. {text: times}, (descriptors before, after), (bytes ...)"""
    with SpoilingServer(identities) as server:
        command = [build_folder() / 'tests/support/failing-handshakes', server.port, count, warm,
                   identities.known.root.certificate]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=60 + count,
                              env=environment(**AT_ONCE))
    assert done.returncode == 0 and not fault_of(done.stderr), f'exit {done.returncode}\n{done.stdout}{done.stderr}'
    figures = {name: (int(before), int(after)) for name, before, after in
               re.findall(r'^(descriptors|resident) (\d+) (\d+)$', done.stdout, re.MULTILINE)}
    ends = {text: int(times) for times, text in re.findall(r'^(\d+) (.*)$', done.stdout, re.MULTILINE)}
    return ends, figures['descriptors'], figures['resident']


# ---- our servers ----

class SpoilingClient:
    """Each handshake with the server at this port, which wants a certificate of its clients, fails in another way."""

    def __init__(self, identities, port):
        self.port = port
        self.wrong_ca = self._context(identities.unknown.root, identities.known.server)
        self.no_certificate = self._context(identities.known.root)
        self.certificate_unknown = self._context(identities.known.root, identities.unknown.server)
        self.ways = [self.untrusted, self.another_name, self.without_certificate, self.unknown_certificate, self.clear,
                     self.reset_in_hello, self.reset_after_flight]

    @staticmethod
    def _context(root, identity=None):
        context = ssl.create_default_context(cafile=root.certificate)
        if identity:
            context.load_cert_chain(identity.chain, identity.key)
        return context

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port), TIMEOUT_S)

    def speak(self, context, name='localhost'):
        """True if the server lets it in: in TLS 1.3 it says so, or the contrary, only later."""
        try:
            with self.connect() as connection, context.wrap_socket(connection, server_hostname=name) as line:
                line.sendall(wire.associate_rq('ANY', 'TESTS', [(1, wire.VERIFICATION, [wire.IMPLICIT_LITTLE])]))
                return bool(line.recv(1))
        except (ssl.SSLError, ConnectionError):
            return False

    def untrusted(self):
        return self.speak(self.wrong_ca)

    def another_name(self):
        return self.speak(self.no_certificate, 'elsewhere.example')

    def without_certificate(self):
        return self.speak(self.no_certificate)

    def unknown_certificate(self):
        return self.speak(self.certificate_unknown)

    def clear(self):
        with self.connect() as connection:
            connection.sendall(wire.associate_rq('ANY', 'TESTS', [(1, wire.VERIFICATION, [wire.IMPLICIT_LITTLE])]))
            try:
                return wire.read_pdu(connection)[0] == wire.ASSOCIATE_AC
            except ConnectionError:
                return False

    def hello(self):
        to_send = ssl.MemoryBIO()
        line = self.no_certificate.wrap_bio(ssl.MemoryBIO(), to_send, server_hostname='localhost')
        try:
            line.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return to_send.read()

    def reset_in_hello(self):
        with self.connect() as connection:
            connection.sendall(self.hello()[:100])
            reset(connection)

    def reset_after_flight(self):
        with self.connect() as connection:
            connection.sendall(self.hello())
            connection.recv(1)
            reset(connection)

    def fail(self, count):
        """So many, in turns; and one of openssl's own client for each hundred."""
        for number in range(count):
            way = self.ways[number % len(self.ways)]
            assert not way(), f'{way.__name__} came in'
            if number % 100 == 0:
                connect_with_openssl(self.port, '-tls1_2', '-cipher', 'AES128-SHA')


def fail_at_server(identities, receiver, count, warm):
    """Against a program of ours that listens. (descriptors before, after), (resident bytes before, after)"""
    client = SpoilingClient(identities, receiver.port)
    pid = receiver.process.pid
    client.fail(warm)
    before = use_of(pid)
    client.fail(count - warm)
    network.wait_until(lambda: use_of(pid)[0] <= before[0], TIMEOUT_S, f'{before[0]} descriptors, as before')
    return tuple(zip(before, use_of(pid)))


def server_options(identities):
    return [*identities.known.server.options(), '--tls-client-ca', identities.known.root.certificate]
