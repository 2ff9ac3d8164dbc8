"""A query/retrieve provider that does as it is told: its answers to a C-FIND, C-MOVE or C-GET are a test's own generator.

on_find(keys, request), on_move and on_get yield what to do next: a Match, a Store (C-GET only), a Status (pending ones
go on, others end the request), Raw bytes for the connection, or an End. keys is a pydicom data set. Everything asked is
kept in `requests`. It runs on threads of the test process, a daemon thread for each connection.
"""
import collections
import io
import socket
import threading
import warnings

from pydicom.dataset import Dataset
from pydicom.filebase import DicomFileLike
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from . import wire
from .scripted_server import ScriptedServer

Match = collections.namedtuple('Match', 'data status', defaults=(0xFF00,))
"""A data set, or its bytes in Implicit VR Little Endian."""
Store = collections.namedtuple('Store', 'class_uid instance_uid data')
Status = collections.namedtuple('Status', 'status counts comment data', defaults=(None, None, None))
"""counts: (remaining, completed, failed, warning), None where it is to be left out."""
Raw = collections.namedtuple('Raw', 'data')
End = collections.namedtuple('End', '')
"""The TCP connection ends without a word."""
Request = collections.namedtuple('Request', 'kind keys association cancelled move_destination')

KINDS = {wire.C_FIND_RQ: 'find', wire.C_GET_RQ: 'get', wire.C_MOVE_RQ: 'move'}


def encode(dataset):
    """A data set as bytes in Implicit VR Little Endian."""
    if isinstance(dataset, bytes):
        return dataset
    out = DicomFileLike(io.BytesIO())
    out.is_little_endian, out.is_implicit_VR = True, True
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        write_dataset(out, dataset)
    return out.parent.getvalue()


def dataset(**values):
    found = Dataset()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')    # values that are wrong on purpose
        for keyword, value in values.items():
            setattr(found, keyword, value)
    return found


class ScriptedArchive(ScriptedServer):
    ae_title = 'SCRIPTED'

    def __init__(self, on_find=None, on_move=None, on_get=None, refuses=()):
        super().__init__()
        self.refuses = refuses    # abstract syntaxes
        self.proposed = []        # the contexts of each association: (number, abstract, transfer syntaxes)
        self.answers = {'find': on_find, 'move': on_move, 'get': on_get}
        self.requests = []
        self.stored = {}    # status by SOP Instance UID, as a C-GET's sub-operations were answered

    @property
    def associations(self):
        return self.accepted

    def asked(self, kind):
        return [request for request in self.requests if request.kind == kind]

    def _converse(self, connection, number):
        Conversation(self, connection, number).go_on()
        connection.shutdown(socket.SHUT_RDWR)


class Conversation:
    """One association."""

    def __init__(self, archive, connection, number):
        self.archive, self.connection, self.number = archive, connection, number
        self.reader = wire.MessageReader()
        self.waiting = collections.deque()    # messages that came and were not looked at
        self.contexts = {}
        self.ended = False

    def go_on(self):
        if not self._associate():
            return
        while (message := self._next()) is not None:
            what, context, values = message
            if what == 'command' and values['field'] in KINDS:
                keys = self._next()[2]
                self._answer(context, values, keys)

    def _associate(self):
        kind, body = wire.read_pdu(self.connection)
        if kind != wire.ASSOCIATE_RQ:
            return False
        answers = []
        contexts = wire.parse_rq(body)['contexts']
        self.archive.proposed.append(contexts)
        for number, abstract, syntaxes in contexts:
            implicit = wire.IMPLICIT_LITTLE in syntaxes and abstract not in self.archive.refuses
            answers.append((number, 0 if implicit else 4, wire.IMPLICIT_LITTLE))
            if implicit:
                self.contexts[abstract] = number
        accept = wire.associate_ac(body, answers)
        # Role selection (PS3.7 D.3.3.4) is granted as it was asked for.
        user = next(value for kind, value in wire.items(body[68:]) if kind == 0x50)
        roles = b''.join(wire.item(0x54, value) for kind, value in wire.items(user) if kind == 0x54)
        plain = wire.user_information(16384)
        accept = accept[6:-len(plain)] + wire.item(0x50, plain[4:] + roles)
        self.connection.sendall(wire.pdu(wire.ASSOCIATE_AC, accept))
        return True

    def _next(self):
        """The next message; None when the association is over."""
        while not self.waiting:
            kind, body = (None, b'') if self.ended else wire.read_pdu(self.connection)
            if kind == wire.RELEASE_RQ:
                self.connection.sendall(wire.pdu(wire.RELEASE_RP, bytes(4)))
            if kind != wire.P_DATA:
                self.ended = True
                return None
            self.waiting.extend(message for message in self.reader.feed(body) if message[0] != 'begin')
        return self.waiting.popleft()

    def _send(self, context, values, data=None):
        out = wire.fragments(context, wire.command(**values), True, 16384)
        if data is not None:
            out += wire.fragments(context, data, False, 16384)
        self.connection.sendall(out)

    def _answer(self, context, request, keys):
        kind = KINDS[request['field']]
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            keys = read_dataset(io.BytesIO(keys), is_implicit_VR=True, is_little_endian=True)
        asked = Request(kind, keys, self.number, threading.Event(), request.get('move_destination'))
        self.archive.requests.append(asked)
        for action in self.archive.answers[kind](keys, asked):
            self._look_for_cancel(asked)
            if isinstance(action, End):
                self.connection.shutdown(socket.SHUT_RDWR)
                self.ended = True
                return
            if isinstance(action, Raw):
                self.connection.sendall(action.data)
            elif isinstance(action, Store):
                self._store(action)
            else:
                self._respond(context, request, action)

    def _look_for_cancel(self, asked):
        """A C-CANCEL that has come is noted, without waiting for one."""
        self.connection.setblocking(False)
        try:
            if self.connection.recv(1, socket.MSG_PEEK):
                self.connection.settimeout(10)
                message = self._next()
                if message is not None and message[2]['field'] == wire.C_CANCEL_RQ:
                    asked.cancelled.set()
        except BlockingIOError:
            pass
        finally:
            self.connection.settimeout(None)

    def _respond(self, context, request, action):
        data, counts = action.data, (None,) * 4
        if isinstance(action, Status) and action.counts:
            counts = action.counts
        comment = action.comment if isinstance(action, Status) else None
        values = dict(zip(('remaining', 'completed', 'failed', 'warning'), counts))
        self._send(context, {'class_uid': request['class_uid'], 'field': request['field'] | wire.RESPONSE,
                             'replied_id': request['message_id'], 'status': action.status, 'comment': comment,
                             'data_set_type': wire.NO_DATA_SET if data is None else 1, **values},
                   None if data is None else encode(data))

    def _store(self, action):
        self._send(self.contexts[action.class_uid],
                   {'class_uid': action.class_uid, 'field': wire.C_STORE_RQ, 'message_id': 7, 'priority': 0,
                    'data_set_type': 1, 'instance_uid': action.instance_uid}, action.data)
        answer = self._next()
        while answer is not None and answer[2].get('field') == wire.C_CANCEL_RQ:
            self.archive.requests[-1].cancelled.set()
            answer = self._next()
        self.archive.stored[action.instance_uid] = answer[2]['status'] if answer else None
