"""TLS between our programs and the tests' own peers, so that the same tests run in clear and over TLS.

While certificates are in use (use(), or a test class made by over_tls()), every connection of a ScriptedServer and every
Receiver speaks TLS, and run_sender asks for it. What a scripted peer does to its connection reaches the other side: an
end (FIN) becomes close_notify and FIN, or the FIN alone, and a reset is a reset.
"""
import select
import socket
import ssl
import struct
import threading

from .certificates import Certificates

CHUNK = 65536

_certificates = None
_bare = False


def use(certificates, bare=False):
    """From now on TLS with these; None = in clear. bare: connections end without close_notify."""
    global _certificates, _bare
    _certificates, _bare = certificates, bare


def requestor_options():
    return _certificates.trust if _certificates else []


def acceptor_options():
    return _certificates.server.options() if _certificates else []


def server_context():
    """For the TLS side of the peers' connections; None = in clear."""
    if _certificates is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificates.server.chain, _certificates.server.key)
    return context


def over_tls(module, *names, bare=False):
    """{name: class}: the test cases of a module, each of them over TLS; with names, those classes and tests alone."""
    found = {}
    for name, case in vars(module).items():
        if not isinstance(case, type) or case.__module__ != module.__name__:
            continue
        tests = [test for test in dir(case) if test.startswith('test_')]
        wanted = tests if not names or name in names else [test for test in tests if test in names]
        if wanted:
            new = f'{name}OverTls{"WithoutCloseNotify" if bare else ""}'
            left_out = {test: None for test in tests if test not in wanted}
            found[new] = type(new, (_OverTls, case), {'bare': bare, '__module__': module.__name__, **left_out})
    assert set(names) <= {*vars(module), *(test for case in found.values() for test in dir(case))}, names
    return found


class _OverTls:
    bare = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        certificates = Certificates()
        cls.addClassCleanup(certificates.remove)
        use(certificates, cls.bare)
        cls.addClassCleanup(use, None)


# ---- a connection ----

def terminate(context, connection, receive_buffer=0):
    """What is said in clear on the socket that is returned goes over TLS on `connection`, which is given away."""
    ours, theirs = _tcp_pair(receive_buffer)
    threading.Thread(target=_Line(context, connection, theirs).run, daemon=True).start()
    return ours


def _tcp_pair(receive_buffer):
    with socket.create_server(('127.0.0.1', 0)) as listener:
        if receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    for side in ours, theirs:
        side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receive_buffer:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, receive_buffer)
    return ours, theirs


class _Line:
    """Both directions of a connection. A side is read only when all that was read of it before has gone on."""

    def __init__(self, context, far, near):
        self.far, self.near = far, near    # over TLS; in clear
        self.bare = _bare
        self.received, self.to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.received, self.to_send, server_side=True)
        self.to_far, self.to_near = b'', b''
        self.up = False
        self.ends = set()           # sides that have said that this was all
        self.passed_on = set()      # those of which the other side knows

    def run(self):
        try:
            for side in self.far, self.near:
                side.setblocking(False)
            while len(self.passed_on) < 2:
                self._turn()
        except ssl.SSLError:
            self._send(self.far, self.to_send.read())    # an alert, perhaps
        except OSError:
            for side in self.far, self.near:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        finally:
            self.far.close()
            self.near.close()

    def _turn(self):
        """Wait until something can be done, and do it."""
        reads = [side for side, waits in ((self.far, self.to_near), (self.near, self.to_far or not self.up))
                 if not waits and side not in self.ends]
        writes = [side for side, waits in ((self.far, self.to_far), (self.near, self.to_near)) if waits]
        watch = [side for side in (self.far, self.near) if side not in self.ends or side in writes]
        readable, writable, _ = select.select(reads, writes, []) if watch else ([], [], [])
        if self.far in readable:
            self._take_far(self.far.recv(CHUNK))
        if self.near in readable:
            self._take_near(self.near.recv(CHUNK))
        if self.far in writable:
            self.to_far = self._send(self.far, self.to_far)
        if self.near in writable:
            self.to_near = self._send(self.near, self.to_near)
        self.to_far += self.to_send.read()
        self._pass_end(self.far, self.near, self.to_near)
        self._pass_end(self.near, self.far, self.to_far)

    def _take_far(self, data):
        if data:
            self.received.write(data)
        else:
            self.received.write_eof()
        try:
            if not self.up:
                self.tls.do_handshake()
                self.up = True
            while True:
                plain = self.tls.read(CHUNK)
                if not plain:
                    break
                self.to_near += plain
        except ssl.SSLWantReadError:
            return
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            pass
        self.ends.add(self.far)

    def _take_near(self, data):
        if data:
            self.tls.write(data)
            return
        self.ends.add(self.near)
        if not self.bare:
            try:
                self.tls.unwrap()
            except ssl.SSLWantReadError:
                pass    # for the other side's: it may still have something to say

    def _pass_end(self, of, to, waits):
        if of in self.ends and of not in self.passed_on and not waits:
            to.shutdown(socket.SHUT_WR)
            self.passed_on.add(of)

    @staticmethod
    def _send(side, data):
        """What is left of it."""
        try:
            return data[side.send(data):]
        except BlockingIOError:
            return data
