"""A storage provider that does as it is told: right by default, wrong wherever a test says so.

What it does is a Behaviour: plain values for the negotiation, and one function, on_store, that is asked for each
C-STORE and answers with an action. Everything it saw is kept: associations, stores, and which of them it acknowledged.
It runs on threads of the test process, a daemon thread for each connection.
"""
import collections
import socket
import struct
import time
from dataclasses import dataclass, field

from . import wire
from .scripted_server import ScriptedServer

# ---- actions: what on_store and on_associate return ----

Respond = collections.namedtuple('Respond', 'status comment changes', defaults=(0, None, None))
"""Answer with a status, an Error Comment, and changes to the response's elements (None = left out)."""
Abort = collections.namedtuple('Abort', 'source reason', defaults=(2, 0))
Close = collections.namedtuple('Close', 'reset', defaults=(False,))
"""End the TCP connection without a word: FIN, or RST."""
Silence = collections.namedtuple('Silence', '')
Release = collections.namedtuple('Release', 'answer', defaults=(True,))
"""Ask for release, before (answer=False: instead of) the response."""
Garbage = collections.namedtuple('Garbage', 'data')
Reject = collections.namedtuple('Reject', 'result source reason', defaults=(1, 1))
Twice = collections.namedtuple('Twice', '')
"""Two responses to one request."""
RespondAndClose = collections.namedtuple('RespondAndClose', 'after_s', defaults=(0,))
"""A response, and the end of the TCP connection. Before the data set is complete, that acknowledges nothing."""

PERMANENT, TRANSIENT = 1, 2
RELEASED, ABORTED, LOST = 'released', 'aborted', 'lost'


@dataclass
class Store:
    """A C-STORE as it came: the association's number and the store's within it, both from 1."""
    association: int
    number: int
    total: int
    request: dict
    data: bytes = None
    acknowledged: bool = False

    @property
    def instance_uid(self):
        return self.request.get('instance_uid')


@dataclass
class Association:
    number: int
    request: dict
    begun_s: float
    stores: list = field(default_factory=list)
    end: str = None
    ended_s: float = None


@dataclass
class Behaviour:
    max_pdu: int = 16384                    # advertised; None = the sub-item is left out
    on_associate: object = None             # (number, request) -> None to accept, or an action
    on_context: object = None               # (id, abstract, [syntaxes]) -> (result, syntax), or None: not in the AC
    context_ids: object = None              # id -> id to put in the AC
    on_store: object = None                 # (Store, data complete) -> action
    early: bool = False                     # ask on_store at a data set's first bytes, before it is complete
    chunk: int = 0                          # write that many bytes at a time
    stop_reading: bool = False              # after the AC nothing is read any more
    receive_buffer: int = 0                 # bytes of the socket's, so that more cannot be under way; 0 = the system's
    delay_s: float = 0                      # before each response
    answer_release: bool = True
    answer_on: object = None                # context id -> the one to answer on; it acknowledges all the same
    split_response: bool = False            # the response in two PDUs with a pause between


class ScriptedPeer(ScriptedServer):
    def __init__(self, behaviour=None, **values):
        self.behaviour = behaviour or Behaviour(**values)
        super().__init__(self.behaviour.receive_buffer)
        self.associations = []
        self.stores = []

    def acknowledged(self):
        """{SOP Instance UID: data set} of what was answered with success or a warning."""
        with self.lock:
            return {store.instance_uid: store.data for store in self.stores if store.acknowledged}

    def sent_uids(self):
        """The SOP Instance UIDs of all C-STOREs, in the order they came."""
        with self.lock:
            return [store.instance_uid for store in self.stores]

    # ---- on its threads ----

    def _write(self, connection, data):
        step = self.behaviour.chunk or max(len(data), 1)
        for offset in range(0, len(data), step):
            connection.sendall(data[offset:offset + step])

    def _act(self, connection, action):
        """Do what ends or stalls a connection. True if it did."""
        if isinstance(action, Abort):
            self._write(connection, wire.pdu(wire.ABORT, struct.pack('>xxBB', action.source, action.reason)))
            self._end(connection)
        elif isinstance(action, Close):
            if action.reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                with self.lock:
                    self.connections.remove(connection)
                connection.close()
            else:
                self._end(connection)
        elif isinstance(action, Silence):
            # Reads on and says nothing, until the other side gives up.
            while wire.read_pdu(connection)[0] is not None and not self.stopping.is_set():
                pass
        elif isinstance(action, Garbage):
            self._write(connection, action.data)
            while wire.read_pdu(connection)[0] is not None and not self.stopping.is_set():
                pass
        else:
            return False
        return True

    def _end(self, connection):
        """FIN, and then take what the other side still sends: a close() with bytes unread would be a reset. With a small
        receive buffer only after a while, so that the other side sees the end while it has bytes left to send."""
        connection.shutdown(socket.SHUT_WR)
        if self.behaviour.receive_buffer:
            time.sleep(0.5)
        connection.settimeout(10)
        while connection.recv(65536):
            pass

    def _converse(self, connection, number):
        kind, body = wire.read_pdu(connection)
        if kind != wire.ASSOCIATE_RQ:
            return
        request = wire.parse_rq(body)
        with self.lock:
            association = Association(len(self.associations) + 1, request, time.monotonic())
            self.associations.append(association)
        action = self.behaviour.on_associate and self.behaviour.on_associate(association.number, request)
        if isinstance(action, Reject):
            self._write(connection, wire.pdu(wire.ASSOCIATE_RJ, struct.pack('>xBBB', *action)))
            self._end(connection)
            return
        if action is not None and self._act(connection, action):
            return
        answers = []
        for number, abstract, syntaxes in request['contexts']:
            answer = (0, syntaxes[0])
            if self.behaviour.on_context:
                answer = self.behaviour.on_context(number, abstract, syntaxes)
            if answer is not None:
                number = self.behaviour.context_ids(number) if self.behaviour.context_ids else number
                answers.append((number, *answer))
        self._write(connection, wire.associate_ac(body, answers, self.behaviour.max_pdu))
        if self.behaviour.stop_reading:
            self.stopping.wait()
            return
        association.end = self._messages(connection, association) or LOST
        association.ended_s = time.monotonic()

    def _messages(self, connection, association):
        reader, request, answered_early = wire.MessageReader(), None, False
        while True:
            kind, body = wire.read_pdu(connection)
            if kind == wire.RELEASE_RQ:
                if self.behaviour.answer_release:
                    self._write(connection, wire.pdu(wire.RELEASE_RP, bytes(4)))
                    return RELEASED
                continue
            if kind == wire.ABORT:
                return ABORTED
            if kind == wire.RELEASE_RP:
                return RELEASED
            if kind != wire.P_DATA:
                return LOST
            for what, context, value in reader.feed(body):
                if what == 'command':
                    request = value
                    if request.get('field') == wire.C_ECHO_RQ:
                        self._respond(connection, context, request, Respond())
                    answered_early = False
                    if request.get('field') == wire.C_STORE_RQ:
                        store = self._new_store(association, request)
                elif what == 'begin' and self.behaviour.early:
                    answered_early = True
                    if self._store(connection, association, context, store, False):
                        return LOST
                elif what == 'data':
                    store.data = value
                    if not answered_early and self._store(connection, association, context, store, True):
                        return LOST

    def _new_store(self, association, request):
        with self.lock:
            store = Store(association.number, len(association.stores) + 1, len(self.stores) + 1, request)
            association.stores.append(store)
            self.stores.append(store)
        return store

    def _store(self, connection, association, context, store, complete):
        """Act on a store. True if the connection is over."""
        action = self.behaviour.on_store(store, complete) if self.behaviour.on_store else Respond()
        time.sleep(self.behaviour.delay_s)
        if isinstance(action, Release):
            self._write(connection, wire.pdu(wire.RELEASE_RQ, bytes(4)))
            if not action.answer:
                return False
            action = Respond()
        if self._act(connection, action):
            return True
        closing = action
        twice, closes = isinstance(action, Twice), isinstance(action, RespondAndClose)
        action = Respond() if twice or closes else action
        if closes and not complete:
            pass
        elif action.status in (0, 1, 0x107, 0x116) or action.status >> 12 == 0xB:
            store.acknowledged = not action.changes or set(action.changes) == {'instance_uid'} and \
                action.changes['instance_uid'] is None
        for _ in range(2 if twice else 1):
            self._respond(connection, context, store.request, action)
        if not closes:
            return False
        time.sleep(closing.after_s)
        return self._act(connection, Close())

    def _respond(self, connection, context, request, action):
        values = {'class_uid': request.get('class_uid'), 'field': request['field'] | wire.RESPONSE,
                  'replied_id': request['message_id'], 'data_set_type': wire.NO_DATA_SET, 'status': action.status,
                  'comment': action.comment, 'instance_uid': request.get('instance_uid')}
        changes = dict(action.changes or {})
        context = self.behaviour.answer_on(context) if self.behaviour.answer_on else context
        context = changes.pop('context_id', context)
        body = wire.command(**{**values, **changes})
        if self.behaviour.split_response:
            for piece in (0, 1):
                part = body[:20] if piece == 0 else body[20:]
                self._write(connection, wire.pdu(wire.P_DATA, struct.pack('>IBB', len(part) + 2, context,
                                                                          1 | 2 * piece) + part))
                time.sleep(0.05)
        else:
            self._write(connection, wire.fragments(context, body, True, 16384))
