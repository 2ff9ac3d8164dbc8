"""PDUs and DIMSE commands in the few lines that a scripted peer and a plain client need (PS3.8 9.3, PS3.7 E)."""
import socket
import struct

VERIFICATION = '1.2.840.10008.1.1'
IMPLICIT_LITTLE = '1.2.840.10008.1.2'
EXPLICIT_LITTLE = '1.2.840.10008.1.2.1'
APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1'
IMPLEMENTATION = '1.2.826.0.1.3680043.2.135.1066.101'

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)
C_STORE_RQ, C_ECHO_RQ = 0x0001, 0x0030
C_FIND_RQ, C_GET_RQ, C_MOVE_RQ, C_CANCEL_RQ = 0x0020, 0x0010, 0x0021, 0x0FFF
RESPONSE = 0x8000
NO_DATA_SET = 0x0101

# Command elements by name: element number in group 0000, and how the value is written.
ELEMENTS = {
    'class_uid': (0x0002, 'UI'), 'field': (0x0100, 'US'), 'message_id': (0x0110, 'US'), 'replied_id': (0x0120, 'US'),
    'priority': (0x0700, 'US'), 'data_set_type': (0x0800, 'US'), 'status': (0x0900, 'US'), 'comment': (0x0902, 'LO'),
    'instance_uid': (0x1000, 'UI'), 'move_destination': (0x0600, 'AE'), 'remaining': (0x1020, 'US'),
    'completed': (0x1021, 'US'), 'failed': (0x1022, 'US'), 'warning': (0x1023, 'US'),
}
NAMES = {element: (name, kind) for name, (element, kind) in ELEMENTS.items()}


def pdu(kind, body):
    return struct.pack('>BxI', kind, len(body)) + body


def item(kind, body):
    return struct.pack('>BxH', kind, len(body)) + body


def items(body):
    """(kind, value) of each item in a run of items."""
    offset = 0
    while offset + 4 <= len(body):
        kind, length = struct.unpack_from('>BxH', body, offset)
        yield kind, body[offset + 4:offset + 4 + length]
        offset += 4 + length


def user_information(max_pdu):
    body = b'' if max_pdu is None else item(0x51, struct.pack('>I', max_pdu))
    return item(0x50, body + item(0x52, IMPLEMENTATION.encode()) + item(0x55, b'TESTS'))


def associate_rq(called_ae, calling_ae, contexts, max_pdu=16384):
    """contexts: [(id, abstract syntax, [transfer syntaxes])]."""
    body = struct.pack('>HH16s16s32x', 1, 0, called_ae.ljust(16).encode(), calling_ae.ljust(16).encode())
    body += item(0x10, APPLICATION_CONTEXT.encode())
    for number, abstract, syntaxes in contexts:
        body += item(0x20, struct.pack('>B3x', number) + item(0x30, abstract.encode()) +
                     b''.join(item(0x40, syntax.encode()) for syntax in syntaxes))
    return pdu(ASSOCIATE_RQ, body + user_information(max_pdu))


def associate_ac(rq_body, contexts, max_pdu=16384):
    """contexts: [(id, result, transfer syntax)]."""
    body = rq_body[:68] + item(0x10, APPLICATION_CONTEXT.encode())
    for number, result, syntax in contexts:
        body += item(0x21, struct.pack('>BxBx', number, result) + item(0x40, syntax.encode()))
    return pdu(ASSOCIATE_AC, body + user_information(max_pdu))


def parse_rq(body):
    """What a requestor asks: called and calling AE, contexts as (id, abstract, [syntaxes]), maximum PDU length."""
    found = {'called_ae': body[4:20].decode().strip(), 'calling_ae': body[20:36].decode().strip(), 'contexts': [],
             'max_pdu': None}
    for kind, value in items(body[68:]):
        if kind == 0x20:
            abstract, syntaxes = '', []
            for sub_kind, sub_value in items(value[4:]):
                if sub_kind == 0x30:
                    abstract = sub_value.decode().rstrip('\0')
                elif sub_kind == 0x40:
                    syntaxes.append(sub_value.decode().rstrip('\0'))
            found['contexts'].append((value[0], abstract, syntaxes))
        elif kind == 0x50:
            for sub_kind, sub_value in items(value):
                if sub_kind == 0x51:
                    found['max_pdu'] = struct.unpack('>I', sub_value)[0]
    return found


def parse_ac(body):
    """Accepted contexts as {id: (result, syntax)} and the maximum PDU length."""
    contexts, max_pdu = {}, None
    for kind, value in items(body[68:]):
        if kind == 0x21:
            syntax = next((v.decode().rstrip('\0') for k, v in items(value[4:]) if k == 0x40), '')
            contexts[value[0]] = (value[2], syntax)
        elif kind == 0x50:
            max_pdu = next((struct.unpack('>I', v)[0] for k, v in items(value) if k == 0x51), None)
    return contexts, max_pdu


def command(**values):
    """A command set; values by the names of ELEMENTS. None leaves an element out."""
    body = b''
    for element, name, kind in sorted((ELEMENTS[name][0], name, ELEMENTS[name][1]) for name in values):
        value = values[name]
        if value is None:
            continue
        if kind == 'US':
            raw = struct.pack('<H', value)
        else:
            raw = value.encode()
            raw += (b'\0' if kind == 'UI' else b' ') * (len(raw) % 2)
        body += struct.pack('<HHI', 0, element, len(raw)) + raw
    return struct.pack('<HHII', 0, 0, 4, len(body)) + body


def parse_command(body):
    found, offset = {}, 0
    while offset + 8 <= len(body):
        _, element, length = struct.unpack_from('<HHI', body, offset)
        raw = body[offset + 8:offset + 8 + length]
        offset += 8 + length
        if element in NAMES:
            name, kind = NAMES[element]
            found[name] = struct.unpack('<H', raw)[0] if kind == 'US' else raw.decode('latin-1').rstrip('\0 ')
    return found


def fragments(context_id, data, is_command, max_pdu):
    """P-DATA-TFs of at most max_pdu bytes that carry these bytes, one PDV each."""
    size = min((max_pdu or 65536) - 6, 1 << 20)
    out = []
    for offset in range(0, max(len(data), 1), size):
        piece = data[offset:offset + size]
        control = (1 if is_command else 0) | (2 if offset + size >= len(data) else 0)
        out.append(pdu(P_DATA, struct.pack('>IBB', len(piece) + 2, context_id, control) + piece))
    return b''.join(out)


def read_exactly(connection, length):
    """That many bytes, or None when the other side has ended."""
    parts = []
    while length > 0:
        part = connection.recv(min(length, 1 << 20))
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b''.join(parts)


def read_pdu(connection):
    """(kind, body) of the next PDU, or (None, b'') at the end."""
    header = read_exactly(connection, 6)
    if header is None:
        return None, b''
    kind, length = struct.unpack('>BxI', header)
    body = read_exactly(connection, length)
    return (None, b'') if body is None else (kind, body)


class MessageReader:
    """Puts PDVs together to messages. feed() takes a P-DATA body and yields what becomes complete:
    ('command', context, values) and ('data', context, bytes); of a data set also ('begin', context, b'') at its first
    bytes, before it is complete."""

    def __init__(self):
        self.parts = []

    def feed(self, body):
        offset = 0
        while offset + 6 <= len(body):
            length, context, control = struct.unpack_from('>IBB', body, offset)
            if not control & 1 and not self.parts:
                yield 'begin', context, b''
            self.parts.append(body[offset + 6:offset + 4 + length])
            offset += 4 + length
            if control & 2:
                whole, self.parts = b''.join(self.parts), []
                yield ('command', context, parse_command(whole)) if control & 1 else ('data', context, whole)


class Client:
    """A storage user that sends data sets exactly as they are, one store at a time. To check peers and receivers."""

    def __init__(self, port, contexts, called_ae='ANY-SCP', calling_ae='TESTS', timeout_s=20, quickack=True):
        self.quickack = quickack
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.proposed = {2 * i + 1: context for i, context in enumerate(contexts)}
        self.socket.sendall(associate_rq(called_ae, calling_ae,
                                         [(n, abstract, [syntax]) for n, (abstract, syntax) in self.proposed.items()]))
        self.answer, body = read_pdu(self.socket)
        self.accepted, self.max_pdu, self.reject = {}, 16384, None
        if self.answer == ASSOCIATE_AC:
            results, self.max_pdu = parse_ac(body)
            self.accepted = {self.proposed[n]: n for n, (result, _) in results.items() if result == 0}
        elif self.answer == ASSOCIATE_RJ:
            self.reject = tuple(body[1:4])
        self.message_id = 0
        self.reader = MessageReader()

    def send(self, context_id, values, data=None):
        self.message_id += 1
        out = fragments(context_id, command(message_id=self.message_id, **values), True, self.max_pdu)
        if data is not None:
            out += fragments(context_id, data, False, self.max_pdu)
        self.socket.sendall(out)

    def response(self):
        """The next command set that comes; None if the association ends instead."""
        while True:
            # A peer that writes its response in two pieces waits for our acknowledgement in between.
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, int(self.quickack))
            kind, body = read_pdu(self.socket)
            if kind != P_DATA:
                return None
            for what, _, value in self.reader.feed(body):
                if what == 'command':
                    return value

    def store(self, class_uid, syntax_uid, instance_uid, data):
        """C-STORE. The response, or None."""
        self.send(self.accepted[(class_uid, syntax_uid)],
                  {'class_uid': class_uid, 'field': C_STORE_RQ, 'priority': 0, 'data_set_type': 1,
                   'instance_uid': instance_uid}, data)
        return self.response()

    def echo(self):
        self.send(self.accepted[(VERIFICATION, IMPLICIT_LITTLE)],
                  {'class_uid': VERIFICATION, 'field': C_ECHO_RQ, 'data_set_type': NO_DATA_SET})
        return self.response()

    def release(self):
        self.socket.sendall(pdu(RELEASE_RQ, bytes(4)))
        kind, _ = read_pdu(self.socket)
        self.close()
        return kind == RELEASE_RP

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
