"""A server on threads of the test process: it listens on a free port of 127.0.0.1, and each connection has a daemon
thread of its own. A subclass says in _converse what is done on a connection. Over TLS (tls_line.py) nothing of that
is different.
"""
import socket
import threading

from . import tls_line


class ScriptedServer:
    """Use it as a context manager, or stop() it; `port` is where it listens. A bug in _converse is raised at its end."""

    def __init__(self, receive_buffer=0):
        """receive_buffer: bytes of each connection's; 0 = the system's."""
        self.tls = tls_line.server_context()
        self.receive_buffer = receive_buffer
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.listener.bind(('127.0.0.1', 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.connections = []
        self.accepted = 0    # connections so far
        self.errors = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._listen, daemon=True)]

    def __enter__(self):
        self.threads[0].start()
        return self

    def __exit__(self, *unused):
        self.stop()

    def stop(self):
        self.stopping.set()
        with self.lock:
            for connection in [self.listener, *self.connections]:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        for thread in list(self.threads):
            thread.join(5)
        for connection in [self.listener, *self.connections]:
            connection.close()
        if self.errors:
            raise self.errors[0]

    # ---- on its threads ----

    def _listen(self):
        while not self.stopping.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls is not None:
                connection = tls_line.terminate(self.tls, connection, self.receive_buffer)
            with self.lock:
                self.accepted += 1
                thread = threading.Thread(target=self._serve, args=(connection, self.accepted), daemon=True)
                self.connections.append(connection)
                self.threads.append(thread)
            thread.start()

    def _serve(self, connection, number):
        try:
            self._converse(connection, number)
        except OSError:
            pass
        except Exception as error:    # a bug of the peer must not look like a finding
            if not self.stopping.is_set():
                self.errors.append(error)

    def _converse(self, connection, number):
        """All that is done on this connection, the number-th, from 1."""
        raise NotImplementedError
