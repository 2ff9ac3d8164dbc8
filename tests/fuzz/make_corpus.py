#!/usr/bin/python3
"""Write the seeds of the fuzz targets: corpus/TARGET/NAME.

make_corpus.py [FOLDER]

Everything is made here, from tests/support/wire.py and a few lines that write elements. What each target takes for an
input is at the top of its source.
"""
import pathlib
import struct
import sys
import zlib

TOP = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(TOP.parent.parent))
from tests.support import wire  # noqa: E402

CT = '1.2.840.10008.5.1.4.1.1.2'
MR = '1.2.840.10008.5.1.4.1.1.4'
DEFLATED = '1.2.840.10008.1.2.1.99'
BIG_ENDIAN = '1.2.840.10008.1.2.2'
JPEG = '1.2.840.10008.1.2.4.50'


# ---- PDUs ----

def store_rq(message_id, uid, data=b'\x08\x00\x16\x00UI\x02\x001.', context=1, max_pdu=4096):
    rq = wire.command(class_uid=CT, field=wire.C_STORE_RQ, message_id=message_id, priority=0, data_set_type=1,
                      instance_uid=uid)
    return wire.fragments(context, rq, True, max_pdu) + wire.fragments(context, data, False, max_pdu)


def store_rsp(message_id, uid, status=0, context=1, comment=None, **more):
    rsp = wire.command(class_uid=CT, field=wire.C_STORE_RQ | wire.RESPONSE, replied_id=message_id,
                       data_set_type=wire.NO_DATA_SET, status=status, comment=comment, instance_uid=uid, **more)
    return wire.fragments(context, rsp, True, 4096)


def echo_rq(message_id=1, context=3):
    return wire.fragments(context, wire.command(class_uid=wire.VERIFICATION, field=wire.C_ECHO_RQ,
                                                message_id=message_id, data_set_type=wire.NO_DATA_SET), True, 4096)


def associate_rq(max_pdu=16384, extra=b''):
    rq = wire.associate_rq('RECEIVER', 'CLIENT', [(1, CT, [wire.EXPLICIT_LITTLE, wire.IMPLICIT_LITTLE]),
                                                  (3, wire.VERIFICATION, [wire.IMPLICIT_LITTLE])], max_pdu)
    return wire.pdu(wire.ASSOCIATE_RQ, rq[6:] + extra)


def counted(value):
    return struct.pack('>H', len(value)) + value


def identity(kind, primary, secondary=b'', wanted=0):
    """A user identity sub-item of a request (PS3.7 Table D.3-14)."""
    return wire.item(0x58, bytes([kind, wanted]) + counted(primary) + counted(secondary))


def associate_ac(results=((1, 0, wire.EXPLICIT_LITTLE), (3, 0, wire.IMPLICIT_LITTLE), (5, 3, '')), max_pdu=16384,
                 sub_items=b''):
    fixed = struct.pack('>HH16s16s32x', 1, 0, b'SERVER'.ljust(16), b'CLIENT'.ljust(16))
    ac = wire.associate_ac(fixed, results, max_pdu)
    return wire.pdu(wire.ASSOCIATE_AC, ac[6:] + (wire.item(0x50, sub_items) if sub_items else b''))


ASYNC = wire.item(0x53, struct.pack('>HH', 4, 1))
ROLE = wire.item(0x54, struct.pack('>H', len(CT)) + CT.encode() + b'\1\0')
REJECT = wire.pdu(wire.ASSOCIATE_RJ, b'\0\2\3\2')
ABORT = wire.pdu(wire.ABORT, b'\0\0\2\6')
RELEASE_RQ = wire.pdu(wire.RELEASE_RQ, bytes(4))
RELEASE_RP = wire.pdu(wire.RELEASE_RP, bytes(4))


def pdv(data, context=1, control=3, length=None):
    return struct.pack('>IBB', len(data) + 2 if length is None else length, context, control) + data


def pdu_streams():
    yield 'associate-rq', associate_rq()
    yield 'associate-ac', associate_ac()
    yield 'short-ones', REJECT + ABORT + RELEASE_RQ + RELEASE_RP
    yield 'store', store_rq(1, '1.2.3.1', bytes(range(256)) * 40) + store_rsp(1, '1.2.3.1')
    yield 'echo', echo_rq()
    rq = wire.command(field=wire.C_STORE_RQ, data_set_type=1)
    yield 'command-in-pdvs', wire.pdu(wire.P_DATA, pdv(rq[:9], control=1) + pdv(b'', control=1) + pdv(rq[9:]) +
                                      pdv(b'', control=0) + pdv(b'ab', control=0) + pdv(b'', control=2))
    yield 'no-field', wire.pdu(wire.P_DATA, pdv(b''))
    yield 'long-command', b''.join(wire.pdu(wire.P_DATA, pdv(bytes(4000), control=1)) for _ in range(5))
    yield 'data-first', wire.pdu(wire.P_DATA, pdv(b'ab', control=2))
    yield 'other-context', wire.pdu(wire.P_DATA, pdv(rq) + pdv(b'ab', context=3, control=2))
    yield 'unknown-type', b'\x0a\0\0\0\0\0'
    yield 'wrong-length', b'\x05\0\0\0\0\5'
    yield 'long-associate', b'\x01\0\0\4\0\1'
    yield 'long-data', b'\x04\0\0\x20\0\0'
    yield 'short-data', b'\x04\0\0\0\0\5'
    yield 'pdv-too-short', wire.pdu(wire.P_DATA, pdv(b'ab', length=1))
    yield 'pdv-too-long', wire.pdu(wire.P_DATA, pdv(b'ab', length=5))
    yield 'pdv-rest', wire.pdu(wire.P_DATA, pdv(b'ab') + b'\0\0\0')
    yield 'cut', store_rq(1, '1.2.3.1')[:-1]


def associates():
    def rq(body):
        return b'\0' + body

    def ac(body):
        return b'\1' + body
    fixed, name = associate_rq()[6:74], wire.item(0x10, wire.APPLICATION_CONTEXT.encode())
    user = wire.user_information(16384)
    context = wire.item(0x20, b'\1\0\0\0' + wire.item(0x30, CT.encode()) + wire.item(0x40, b'1.2 \0'))
    yield 'rq', rq(associate_rq()[6:])
    yield 'ac', ac(associate_ac()[6:])
    yield 'all-items', rq(associate_rq(extra=wire.item(0x50, ASYNC + ROLE + wire.item(0x58, b'\1\0\0\0')) +
                                       wire.item(0x77, b'what'))[6:])
    yield 'ac-async', ac(associate_ac(sub_items=ASYNC + ROLE)[6:])
    yield 'no-user', rq(fixed + name + context)
    yield 'no-name', rq(fixed + context + user)
    yield 'no-context', rq(fixed + name + user)
    yield 'too-short', rq(fixed[:-1])
    yield 'item-too-long', rq(fixed + name + user + b'\x20\0\xff\xff')
    yield 'item-cut', rq(fixed + name + user + b'\x20\0')
    yield 'context-cut', rq(fixed + name + wire.item(0x20, b'\1\0\0') + user)
    yield 'context-bare', rq(fixed + name + wire.item(0x20, b'\1\0\0\0') + user)
    yield 'context-sub-item-cut', rq(fixed + name + wire.item(0x20, b'\1\0\0\0\x30\0\0') + user)
    yield 'context-mixed', rq(fixed + name + wire.item(0x20, b'\1\0\0\0' + wire.item(0x30, CT.encode()) + wire.item(
        0x40, b'1.2') + wire.item(0x41, b'?') + wire.item(0x40, b'1.3')) + user)
    yield 'context-class-between', rq(fixed + name + wire.item(0x20, b'\1\0\0\0' + wire.item(0x40, b'1.2') + wire.item(
        0x30, CT.encode()) + wire.item(0x40, b'1.3')) + user)
    yield 'context-two-classes', rq(fixed + name + wire.item(0x20, b'\1\0\0\0' + 2 * (
        wire.item(0x30, CT.encode()) + wire.item(0x40, b'1.2')) + wire.item(0x30, b'1.2.3')) + user)
    yield 'even-context', rq(fixed + name + context.replace(b'\1\0\0\0', b'\2\0\0\0') + user)
    yield 'same-context', rq(fixed + name + context + context + user)
    yield 'contexts-130', rq(fixed + name + user + b''.join(context.replace(b'\1\0\0\0', bytes([n % 256, 0, 0, 0]))
                                                           for n in range(1, 260, 2)))
    yield 'roles-130', rq(fixed + name + context + wire.item(0x50, b''.join(
        wire.item(0x54, struct.pack('>H', 3) + b'1.2' + b'\0\1') for _ in range(130))))
    yield 'role-cut', rq(fixed + name + context + wire.item(0x50, wire.item(0x54, b'\0\7\1\2')))
    yield 'max-len-cut', rq(fixed + name + context + wire.item(0x50, wire.item(0x51, b'\0\0')))
    yield 'async-cut', rq(fixed + name + context + wire.item(0x50, wire.item(0x53, b'\0\0')))
    name_alone, with_passcode = identity(1, b'alice'), identity(2, b'alice', b'secret', 1)
    yield 'identity-name', rq(fixed + name + context + wire.item(0x50, name_alone))
    yield 'identity-passcode', rq(fixed + name + context + wire.item(0x50, with_passcode))
    yield 'identity-twice', rq(fixed + name + context + wire.item(0x50, name_alone + with_passcode))
    yield 'identity-token', rq(fixed + name + context + wire.item(0x50, identity(5, b'eyJ.' * 300, wanted=1)))
    yield 'identity-unknown', rq(fixed + name + context + wire.item(0x50, identity(255, b'', b'?')))
    yield 'identity-cut', rq(fixed + name + context + wire.item(0x50, wire.item(0x58, with_passcode[4:-1])))
    yield 'identity-one-length', rq(fixed + name + context + wire.item(0x50, wire.item(0x58, name_alone[4:-2])))
    yield 'identity-response', ac(associate_ac(sub_items=wire.item(0x59, counted(b'ticket')))[6:])
    yield 'identity-response-empty', ac(associate_ac(sub_items=wire.item(0x59, counted(b'')))[6:])
    yield 'identity-response-cut', ac(associate_ac(sub_items=wire.item(0x59, b'\0\7ticket'))[6:])
    yield 'user-cut', rq(fixed + name + context + wire.item(0x50, b'\x51\0\0\4'))


def commands():
    def element(number, value, group=0):
        return struct.pack('<HHI', group, number, len(value)) + value
    yield 'store-rq', wire.command(class_uid=CT, field=1, message_id=7, priority=2, data_set_type=1, instance_uid='1.2')
    yield 'store-rsp', wire.command(class_uid=CT, field=0x8001, replied_id=7, status=0xA700, comment='no room',
                                    data_set_type=0x101, instance_uid='1.2')
    yield 'echo-rq', echo_rq()[12:]
    yield 'all', b''.join(element(n, b'\1\0') for n in (0x100, 0x110, 0x120, 0x700, 0x800, 0x900, 0x903, 0x1020,
                                                         0x1021, 0x1022, 0x1023, 0x1031)) + \
        element(0x600, b'DESTINATION ') + element(0x1030, b'ORIGINATOR') + element(0x902, b'x' * 70)
    yield 'offending', element(0x100, b'\x20\x80') + element(0x901, b'\x10\0\x20\0\x08\0\x52\0' * 6)
    yield 'unsorted', element(0x1000, b'1.2.3') + element(0x100, b'\x30\0') + element(1, b'?', group=9)
    yield 'header-cut', element(0x100, b'\x30\0') + b'\0\0\0\1'
    yield 'value-cut', element(0x100, b'\x30\0') + struct.pack('<HHI', 0, 2, 99)
    yield 'number-cut', element(0x100, b'\x30')
    yield 'no-field', element(0x110, b'\1\0')
    yield 'huge-length', struct.pack('<HHI', 0, 0x100, 0xffffffff) + b'\0\0'


# ---- identifiers: a byte for the syntax (0 = Implicit, 1 = Explicit VR), then the data set ----

def identifiers():
    def tag(group, number):
        return struct.pack('<HH', group, number)

    def implicit(group, number, value, length=None):
        return tag(group, number) + struct.pack('<I', len(value) if length is None else length) + value

    def explicit(group, number, vr, value, length=None):
        length = len(value) if length is None else length
        head = struct.pack('<HI', 0, length) if vr in (b'SQ', b'UN', b'OW', b'ZZ') else struct.pack('<H', length)
        return tag(group, number) + vr + head + value

    open_end, item_end, sequence_end = 0xffffffff, implicit(0xfffe, 0xe00d, b''), implicit(0xfffe, 0xe0dd, b'')

    def item(value):
        return implicit(0xfffe, 0xe000, value)
    level, name = implicit(8, 0x52, b'STUDY '), implicit(0x10, 0x10, b'DOE^*\\A ')
    yield 'implicit', b'\0' + implicit(8, 0, b'\4\0\0\0') + level + name + implicit(0x20, 0xd, b'') + \
        implicit(0x28, 0x10, b'\0\2') + implicit(9, 0x10, b'MAKER ') + implicit(9, 0x1001, b'??')
    yield 'explicit', b'\1' + explicit(8, 5, b'CS', b'ISO_IR 100') + explicit(0x28, 0x10, b'US', b'\0\2') + \
        explicit(0x28, 0x1201, b'OW', b'\1\2') + explicit(0x72, 0x72, b'FD', bytes(16)) + explicit(0x72, 0x99, b'ZZ', b'')
    yield 'sequence', b'\0' + level + implicit(0x40, 0x275, item(implicit(0x40, 9, b'1 ')) + item(b''))
    yield 'sequence-explicit', b'\1' + explicit(0x40, 0x275, b'SQ', item(explicit(0x40, 9, b'SH', b'1 ')))
    yield 'open-ends', b'\1' + explicit(0x40, 0x275, b'SQ', implicit(0xfffe, 0xe000, explicit(
        0x40, 9, b'SH', b''), open_end) + item_end + item(b'') + sequence_end, open_end)
    yield 'unknown-sequence', b'\1' + explicit(8, 0x52, b'UN', b'STUDY ') + explicit(
        0x40, 0x275, b'UN', item(implicit(0x40, 9, b'')) + sequence_end, open_end)
    yield 'unsorted', b'\0' + name + level + level + implicit(0x10, 0x20, b'')
    yield 'backwards', b'\0' + b''.join(implicit(0x11, 0x2000 - n, b'') for n in range(110))
    yield 'odd', b'\0' + implicit(0x10, 0x10, b'DOE') + implicit(0x20, 0xd, b'1')
    yield 'deep', b'\0' + (tag(0x40, 0x275) + b'\xff' * 4 + tag(0xfffe, 0xe000) + b'\xff' * 4) * 20
    yield 'cut', b'\0' + level + name[:9]
    yield 'header-cut', b'\1' + explicit(0x28, 0x1201, b'OW', b'')[:10]
    yield 'item-cut', b'\0' + implicit(0x40, 0x275, item(b'')[:6])
    yield 'too-long', b'\0' + implicit(0x40, 0x275, implicit(0xfffe, 0xe000, b'', 4))
    yield 'no-vr', b'\1' + implicit(8, 0x52, b'SERIES')
    yield 'end-alone', b'\0' + sequence_end
    yield 'fragments', b'\1' + explicit(0x7fe0, 0x10, b'OW', b'', open_end)
    yield 'no-end', b'\0' + implicit(0x40, 0x275, b'', open_end)


# ---- files ----

LONG = ('OB', 'OW', 'SQ', 'UN', 'UT')
UNDEFINED = 0xffffffff


def el(tag, vr, value=b'', length=None, order='<'):
    """One element; vr None: in Implicit VR."""
    length = len(value) if length is None else length
    head = struct.pack(order + 'HH', tag >> 16, tag & 0xffff)
    if vr is None:
        return head + struct.pack(order + 'I', length) + value
    if vr in LONG:
        return head + vr.encode() + b'\0\0' + struct.pack(order + 'I', length) + value
    return head + vr.encode() + struct.pack(order + 'H', length & 0xffff) + value


def uid(text):
    return text.encode() + b'\0' * (len(text) % 2)


def item(value=b'', length=None, element=0xe000, order='<'):
    return struct.pack(order + 'HHI', 0xfffe, element, len(value) if length is None else length) + value


ITEM_END, SEQUENCE_END = item(element=0xe00d), item(element=0xe0dd)


def names(explicit=True, order='<', instance='1.2.3.4.5'):
    return b''.join(el(tag, 'UI' if explicit else None, uid(text), order=order) for tag, text in (
        (0x00080016, CT), (0x00080018, instance), (0x0020000d, '1.2.3.4'), (0x0020000e, '1.2.3.4.1')))


def meta(syntax=wire.EXPLICIT_LITTLE, class_uid=CT):
    body = el(0x00020001, 'OB', b'\0\1') + el(0x00020002, 'UI', uid(class_uid)) + \
        el(0x00020003, 'UI', uid('1.2.3.4.5')) + (el(0x00020010, 'UI', uid(syntax)) if syntax is not None else b'')
    return bytes(128) + b'DICM' + el(0x00020000, 'UL', struct.pack('<I', len(body))) + body


def nested(depth, explicit=True):
    vr = 'SQ' if explicit else None
    begin, end = el(0x00081140, vr, length=UNDEFINED) + item(length=UNDEFINED), ITEM_END + SEQUENCE_END
    return begin * depth + end * depth


def files():
    pixels = el(0x7fe00010, 'OW', bytes(16))
    sequence = el(0x00081140, 'SQ', item(el(0x00081150, 'UI', uid(MR))) + item(
        el(0x00081150, 'UI', uid(MR)) + ITEM_END, length=UNDEFINED))
    fragments = el(0x7fe00010, 'OB', length=UNDEFINED) + item() + item(b'abcd') + SEQUENCE_END
    unknown = el(0x00091001, 'UN', length=UNDEFINED) + item(el(0x00091002, None, b'ab')) + SEQUENCE_END
    unknown_explicit = el(0x00091001, 'UN', length=UNDEFINED) + item(el(0x00091002, 'LO', b'ab')) + SEQUENCE_END
    big = names(order='>') + el(0x00081140, 'SQ', item(el(0x00081150, 'UI', uid(MR), order='>'), order='>'), order='>')
    plain = meta() + names()
    yield 'plain', b'\0' + plain + pixels
    yield 'sequences', b'\0' + plain + sequence + nested(3) + pixels
    yield 'fragments', b'\0' + meta(JPEG) + names() + fragments
    yield 'implicit', b'\0' + meta(wire.IMPLICIT_LITTLE) + names(False) + nested(2, False) + \
        el(0x00091001, None, item(el(0x00091002, None, b'ab'))) + el(0x7fe00010, None, bytes(8))
    yield 'big-endian', b'\0' + meta(BIG_ENDIAN) + big + el(0x7fe00010, 'OW', bytes(4), order='>')
    yield 'big-endian-unknown', b'\0' + meta(BIG_ENDIAN) + names(order='>') + el(
        0x00091001, 'UN', length=UNDEFINED, order='>') + item(el(0x00091002, 'LO', b'ab', order='>'), order='>') + \
        item(element=0xe0dd, order='>')
    yield 'unknown', b'\0' + plain + unknown + unknown_explicit + pixels
    yield 'unknown-defined', b'\0' + plain + el(0x00091001, 'UN', item(el(0x00091002, 'LO', b'ab'))) + pixels
    yield 'no-vr', b'\0' + plain + el(0x00091001, None, b'ab') + el(0x00091003, None, item(b'')) + pixels
    yield 'private-vr', b'\0' + plain + el(0x00091001, 'ZZ', b'ab') + struct.pack('<HH2sHI', 9, 0x1002, b'ZY', 0, 2) + \
        b'ab' + pixels
    yield 'first-no-vr', b'\0' + meta() + names(False)
    yield 'first-has-vr', b'\0' + meta(wire.IMPLICIT_LITTLE) + names()
    yield 'nested-70', b'\0' + plain + nested(70)
    yield 'cut-value', b'\0' + (plain + pixels)[:-3]
    yield 'cut-header', b'\0' + plain + pixels[:10]
    yield 'cut-long-header', b'\0' + plain + el(0x00091001, 'UN', b'')[:9]
    yield 'cut-sequence', b'\0' + plain + nested(2)[:-8]
    yield 'trailing-zeros', b'\0' + plain + pixels + bytes(6)
    yield 'trailing-zeros-long', b'\0' + plain + pixels + bytes(40)
    yield 'trailing', b'\0' + plain + pixels + b'\1\2\3'
    yield 'trailing-text', b'\0' + plain + pixels + b'hello, world!'
    yield 'padding', b'\0' + plain + pixels + el(0xfffcfffc, 'OB', bytes(8))
    yield 'stray-item-end', b'\0' + plain + ITEM_END
    yield 'stray-sequence-end', b'\0' + plain + el(0x00081140, 'SQ', length=UNDEFINED) + ITEM_END + SEQUENCE_END
    yield 'item-end-in-defined', b'\0' + plain + el(0x00081140, 'SQ', item(ITEM_END)) + pixels
    yield 'not-an-item', b'\0' + plain + el(0x00081140, 'SQ', length=UNDEFINED) + names()
    yield 'broken-in-defined', b'\0' + plain + el(0x00081140, 'SQ', item(b'\1\2\3\4\5\6\7\x08\x09\x0a')) + pixels
    yield 'sequence-too-long', b'\0' + plain + el(0x00081140, 'SQ', item(el(0x00081140, 'SQ', length=900))) + pixels
    yield 'fragment-undefined', b'\0' + meta(JPEG) + names() + el(0x7fe00010, 'OB', length=UNDEFINED) + item(
        length=UNDEFINED)
    yield 'text-undefined', b'\0' + plain + el(0x00091001, 'UT', length=UNDEFINED) + item(b'ab') + SEQUENCE_END
    yield 'odd', b'\0' + plain + el(0x00100010, 'PN', b'abc')
    yield 'huge-length', b'\0' + plain + el(0x00091001, 'OB', length=0xfffffff0)
    yield 'dicomdir', b'\0' + meta(class_uid='1.2.840.10008.1.3.10') + names()
    record = el(0x00041400, 'UL', bytes(4)) + el(0x00041410, 'US', b'\xff\xff') + el(0x00041500, 'CS', b'SUB\\..\\IM1 ')
    yield 'dicomdir-records', b'\0' + meta(class_uid='1.2.840.10008.1.3.10') + \
        el(0x00041220, 'SQ', item(record) + item(record + ITEM_END, length=UNDEFINED) + item(record))
    strange = b''.join(struct.pack('<HH2sH', 9, 0x1001 + 2 * i, vr, 2) + b'ab' +
                       struct.pack('<HH2sHI', 9, 0x1002 + 2 * i, vr, 0, 2) + b'ab'
                       for i, vr in enumerate((b'  ', b'\0\0', b'--', b'??', b'ox')))
    yield 'strange-vrs', b'\0' + plain + strange + pixels
    yield 'strange-vrs-nested', b'\0' + plain + el(0x00081140, 'SQ', item(strange + ITEM_END, length=UNDEFINED) +
                                                   SEQUENCE_END, length=UNDEFINED) + strange[:10] + pixels
    yield 'strange-vrs-deflated', b'\4' + names() + strange + pixels
    yield 'strange-vrs-first', b'\0' + meta() + names().replace(b'UI', b'  ') + pixels
    yield 'native-in-jpeg', b'\0' + meta(JPEG) + names() + pixels
    yield 'jpeg-in-native', b'\0' + plain + fragments
    yield 'no-fragments-end', b'\0' + meta(JPEG) + names() + fragments[:-8] + pixels
    yield 'unknown-syntax', b'\0' + meta('1.2.3.4') + b'nobody knows.!'
    yield 'no-syntax-raw', b'\1' + meta(None) + names(False) + el(0x7fe00010, None, bytes(8))
    yield 'preamble-raw', b'\1' + bytes(128) + b'DICM' + names(order='>')
    yield 'palette', b'\0' + meta(class_uid='1.2.840.10008.5.1.4.39.1') + \
        el(0x00080016, 'UI', uid('1.2.840.10008.5.1.4.39.1')) + el(0x00080018, 'UI', b'1.2.')
    yield 'no-syntax', b'\0' + meta(None) + names()
    yield 'bad-syntax', b'\0' + meta('1..2') + names()
    yield 'long-uid', b'\0' + meta() + el(0x00080016, 'UI', uid(CT)) + el(0x00080018, 'UI', b'1.' * 70)
    yield 'bad-uid', b'\0' + meta() + el(0x00080016, 'UI', uid(CT)) + el(0x00080018, 'UI', b'1.2x')
    yield 'no-names', b'\0' + meta() + el(0x00100010, 'PN', b'ab')
    yield 'empty-data-set', b'\0' + meta()
    yield 'meta-cut', b'\0' + meta()[:150]
    yield 'meta-undefined', b'\0' + bytes(128) + b'DICM' + el(0x00020001, 'OB', length=UNDEFINED)
    yield 'raw-explicit', b'\3' + names() + pixels
    yield 'raw-implicit', b'\1' + names(False)
    yield 'raw-refused', b'\0' + names(False)
    yield 'raw-big-endian', b'\1' + names(order='>')
    yield 'raw-meta', b'\1' + meta()[132:] + names() + pixels
    yield 'incomplete', b'\2' + meta() + names()[:-34] + pixels
    yield 'not-dicom', b'\0' + b'hello, world! ' * 20 + b'bye'
    yield 'empty', b'\0'
    yield 'large', b'\0' + plain + el(0x00091001, 'OB', bytes(9000)) + sequence + pixels
    yield 'deflate', b'\4' + names() + sequence + nested(3) + pixels
    yield 'deflate-odd', b'\4' + names() + el(0x00100010, 'PN', b'abc')
    yield 'deflate-cut', b'\4' + names() + pixels[:10]
    yield 'deflate-large', b'\4' + names() + el(0x00091001, 'OB', bytes(20000)) + unknown + pixels
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = deflate.compress(names() + pixels) + deflate.flush()
    yield 'deflated-trailing', b'\0' + meta(DEFLATED) + deflated + bytes(20)
    yield 'deflated-trailer', b'\0' + meta(DEFLATED) + deflated + bytes(8)
    yield 'deflated-cut', b'\0' + meta(DEFLATED) + deflated[:20]
    yield 'deflated-broken', b'\0' + meta(DEFLATED) + b'\xff' * 20
    yield 'element-explicit', b'\x08' + el(0x00080018, 'UI', b'1.2.3.')
    yield 'element-long', b'\x08' + el(0x00091001, 'UN', b'ab')
    yield 'element-implicit', b'\x08' + el(0x00080018, None, b'1.2.3.')
    yield 'element-big-endian', b'\x08' + el(0x00080018, 'UI', b'1.2.3.', order='>')
    yield 'element-undefined', b'\x08' + el(0x00081140, 'SQ', length=UNDEFINED)


# ---- recode: see the flags at the top of its source ----

def recode_rows(explicit, order='<'):
    """A data set with something of everything."""
    def one(tag, name, value=b'', length=None):
        return el(tag, name if explicit else None, value, length, order)

    def items(*values):
        return b''.join(item(value, order=order) for value in values)
    sequence = items(one(0x00081150, 'UI', uid(MR)), b'', one(0x00283006, 'OW', b'abcd'))
    item_end, sequence_end = item(element=0xe00d, order=order), item(element=0xe0dd, order=order)
    return (one(0x00080000, 'UL', struct.pack(order + 'I', 60)) + names(explicit, order) +
            one(0x00081140, 'SQ', sequence) + one(0x00081199, 'SQ', length=UNDEFINED) +
            item(length=UNDEFINED, order=order) + one(0x00189810, 'SS', b'ab') + item_end +
            items(one(0x00100010, 'PN', b'a^b ')) + sequence_end + one(0x00090010, 'LO', b'ME') +
            one(0x00091001, 'UN', b'abcdef') + one(0x00280103, 'US', b'\1\1') + one(0x00280106, 'SS', b'ab') +
            one(0x0028a001, 'UN', b'ab') + one(0x00420011, 'OB', b'abcd') + one(0x00720072, 'FD', b'12345678') +
            one(0x00720078, 'UL', b'abcd') + one(0x50000010, 'US', b'ab') + one(0x54001004, 'US', b'\0\x08') +
            one(0x60003000, 'OW', b'ab') + one(0x7fe00010, 'OW', bytes(300)))


def recodes():
    implicit, explicit, big, compressed = range(4)

    def way(source, target, data, step=5, flags=0):
        return bytes([source | target << 2 | flags | step << 5]) + data
    for source, data in enumerate((recode_rows(False), recode_rows(True), recode_rows(True, '>'))):
        for target in (implicit, explicit, big):
            yield f'way-{source}-{target}', way(source, target, data, source + target)
            yield f'deflated-{source}-{target}', way(source, target, data, flags=16)
    unknown = el(0x00091001, 'UN', length=UNDEFINED)
    fragments = el(0x7fe00010, 'OB', length=UNDEFINED) + item() + item(b'abcd') + SEQUENCE_END
    open_sequence = el(0x00081140, None, length=UNDEFINED)
    yield 'unknown', way(explicit, big, unknown + item(el(0x00280010, None, b'ab')) + item(
        el(0x00280010, None, b'ab') + ITEM_END, length=UNDEFINED) + SEQUENCE_END)
    yield 'unknown-explicit', way(explicit, implicit, unknown + item(el(0x00280010, 'US', b'ab')) + SEQUENCE_END)
    yield 'unknown-big', way(big, explicit, el(0x00091001, 'UN', length=UNDEFINED, order='>') + item(
        el(0x00280010, 'US', b'ab', order='>'), order='>') + item(element=0xe0dd, order='>'))
    yield 'fragments', way(compressed, explicit, names() + el(0x00280004, 'CS', b'YBR_RCT ') + fragments)
    yield 'fragments-big', way(compressed, big, names() + fragments + el(0xfffcfffc, 'OB', bytes(2)))
    yield 'fragments-implicit', way(compressed, implicit, el(0x7fe00001, 'OB', bytes(8)) + fragments)
    yield 'fragments-none', way(compressed, implicit, names())
    yield 'fragments-twice', way(compressed, implicit, fragments + fragments)
    yield 'fragments-cut', way(compressed, implicit, fragments[:-8])
    yield 'fragments-of-fragments', way(compressed, implicit, fragments[:12] + item(length=UNDEFINED) + SEQUENCE_END)
    yield 'fragments-in-explicit', way(explicit, implicit, fragments)
    yield 'dropped-sequence', way(compressed, explicit, el(0x00280004, 'SQ', length=UNDEFINED) + item(
        el(0x00081150, 'UI', uid(MR)) + ITEM_END, length=UNDEFINED) + SEQUENCE_END + fragments)
    yield 'zeros', way(implicit, explicit, names(False) + bytes(50))
    yield 'zeros-few', way(implicit, explicit, names(False) + bytes(3))
    yield 'no-items', way(implicit, explicit, el(0x00081140, None, b'what') + el(0x00081140, None, b'what else?'))
    yield 'no-items-explicit', way(explicit, implicit, el(0x00081140, 'SQ', b'what else?'))
    yield 'delimiter-length', way(implicit, explicit, open_sequence + item(length=UNDEFINED) + item(
        element=0xe00d, length=4) + item(element=0xe0dd, length=2) + names(False))
    yield 'delimiters-needless', way(implicit, explicit, el(0x00081140, None, item(
        el(0x00283006, None, b'ab') + ITEM_END) + SEQUENCE_END))
    yield 'zeros-between', way(implicit, explicit, names(False) + bytes(40) + names(False))
    yield 'deep', way(implicit, explicit, nested(64, False))
    yield 'too-deep', way(implicit, explicit, nested(65, False))
    yield 'odd', way(explicit, implicit, el(0x00100010, 'PN', b'abc'))
    yield 'odd-twice', way(explicit, big, el(0x00280010, 'US', b'abc') + el(0x00280011, 'US', b'a'))
    yield 'no-vr', way(explicit, implicit, el(0x00100010, '??', b'ab'))
    yield 'undefined', way(explicit, implicit, el(0x00100010, 'UT', length=UNDEFINED))
    yield 'stray', way(implicit, explicit, ITEM_END)
    yield 'stray-in-item', way(implicit, explicit, open_sequence + item(SEQUENCE_END, length=UNDEFINED))
    yield 'cut', way(implicit, explicit, names(False)[:-5])
    yield 'cut-in-item', way(implicit, explicit, open_sequence + item(length=UNDEFINED))
    yield 'too-long', way(explicit, implicit, el(0x00081140, 'SQ', item(el(0x00100010, 'PN', b'ab', 40))))
    yield 'empty', way(implicit, explicit, b'')


# ---- runs ----

SEND, PIECES, DEAF, FINISH, CLOSE, WAIT, USER_RELEASE, USER_ABORT = range(8)


def step(what, data=b'', how=0, n=None):
    return struct.pack('<BH', what | how << 3, len(data) if n is None else n) + data


def client_runs():
    ac = step(SEND, associate_ac())
    uids = [f'1.2.3.{i}' for i in range(1, 9)]
    answers = [step(SEND, store_rsp(i + 1, uid_)) for i, uid_ in enumerate(uids)]
    release = step(SEND, RELEASE_RP) + step(CLOSE)
    yield 'one', b'\0\2' + ac + answers[0] + release
    yield 'five', b'\4\x0b' + ac + b''.join(answers[:5]) + release
    yield 'window', b'\x1c\x0b' + step(SEND, associate_ac(sub_items=ASYNC)) + b''.join(answers[3::-1]) + answers[4] + \
        release
    yield 'pieces', b'\2\x0b' + step(PIECES, associate_ac(), how=2) + b''.join(
        step(PIECES, store_rsp(i, uids[i - 1])) for i in (1, 2, 3)) + release
    yield 'early-response', b'\x80\x07' + step(DEAF, associate_ac()) + step(DEAF, store_rsp(1, uids[0])) + release
    yield 'response-too-early', b'\0\2' + step(SEND, associate_ac() + store_rsp(1, uids[0])) + release
    yield 'twice', b'\2\2' + ac + answers[0] + answers[0]
    yield 'wrong-uid', b'\0\2' + ac + step(SEND, store_rsp(1, '9.9'))
    yield 'no-uid', b'\0\2' + ac + step(SEND, store_rsp(1, None)) + release
    yield 'wrong-id', b'\0\2' + ac + step(SEND, store_rsp(9, uids[0]))
    yield 'wrong-context', b'\0\2' + ac + step(SEND, store_rsp(1, uids[0], context=3))
    yield 'no-status', b'\0\2' + ac + step(SEND, store_rsp(1, uids[0], status=None))
    yield 'statuses', b'\3\2' + ac + b''.join(step(SEND, store_rsp(i + 1, uids[i], status=s, comment='why'))
                                              for i, s in enumerate((0xA700, 0xB000, 0xC001, 0xFF00))) + release
    yield 'echo-response', b'\0\2' + ac + step(SEND, echo_rq())
    yield 'rejected', b'\0\2' + step(SEND, REJECT)
    yield 'aborted', b'\2\2' + ac + answers[0] + step(SEND, ABORT)
    yield 'refused', b'\x40\2'
    yield 'source-fails', b'\x21\x0b' + ac + answers[0]
    yield 'no-context', b'\0\2' + step(SEND, associate_ac([(1, 3, ''), (3, 4, '')])) + release
    yield 'unusable', b'\0\2' + step(SEND, associate_ac(max_pdu=12))
    yield 'tiny-pdus', b'\0\3' + step(SEND, associate_ac(max_pdu=16)) + answers[0] + release
    yield 'no-limit', b'\0\7' + step(SEND, associate_ac(max_pdu=0)) + answers[0] + release
    yield 'silent', b'\0\2'
    yield 'silent-after-ac', b'\0\2' + ac
    yield 'deaf', b'\x80\7' + step(DEAF, associate_ac()) + step(WAIT, how=1, n=9000)
    yield 'closes', b'\2\2' + ac + answers[0] + step(CLOSE)
    yield 'finishes', b'\2\2' + ac + answers[0] + step(FINISH)
    yield 'release-asked', b'\2\2' + ac + answers[0] + step(SEND, RELEASE_RQ)
    yield 'release-collides', b'\0\2' + ac + step(SEND, store_rsp(1, uids[0])) + step(SEND, RELEASE_RQ) + release
    yield 'user-releases', b'\3\2' + ac + step(USER_RELEASE) + answers[0] + release
    yield 'user-aborts', b'\3\2' + ac + step(USER_ABORT)
    yield 'aborts-before-ac', b'\3\2' + step(USER_ABORT) + ac
    yield 'data-set-in-response', b'\0\2' + ac + step(SEND, wire.fragments(1, wire.command(
        field=0x8001, replied_id=1, data_set_type=1, status=0, instance_uid=uids[0]), True, 4096) +
        wire.fragments(1, b'ab', False, 4096)) + release
    yield 'second-ac', b'\0\2' + ac + ac
    yield 'unknown-pdu', b'\0\2' + ac + step(SEND, b'\x0a\0\0\0\0\0')


def receiver_runs():
    rq = step(SEND, associate_rq())
    release = step(SEND, RELEASE_RQ)
    yield 'store', b'\0' + rq + step(SEND, store_rq(1, '1.2.3')) + release
    for kind in (1, 2, 5):
        asks = associate_rq(extra=wire.item(0x50, identity(kind, b'alice', b'secret' * (kind == 2), 1)))
        yield f'identity-{kind}', b'\0' + step(SEND, asks) + step(SEND, store_rq(1, '1.2.3')) + release
    yield 'identity-cut', b'\0' + step(SEND, asks[:-3]) + step(CLOSE)
    yield 'keep', b'\1' + rq + step(SEND, store_rq(1, '1.2.3')) + step(SEND, store_rq(2, '1.2.3')) + \
        step(SEND, store_rq(3, '1.2.3', b'other bytes!')) + release
    yield 'keep-odd-names', b'\1' + rq + step(SEND, store_rq(1, '../../x')) + step(SEND, store_rq(2, '1..2')) + \
        step(SEND, store_rq(3, None)) + step(SEND, store_rq(4, '1/2'))
    yield 'keep-cut', b'\1' + rq + step(SEND, store_rq(1, '1.2.3')[:-4]) + step(CLOSE)
    yield 'two-clients', b'\1' + rq + step(SEND, associate_rq(), how=1) + step(SEND, store_rq(1, '1.2.3')[:-4]) + \
        step(SEND, store_rq(1, '1.2.3'), how=1) + step(SEND, store_rq(1, '1.2.3')[-4:])
    yield 'one-too-many', b'\2' + rq + step(SEND, associate_rq(), how=1) + release
    yield 'delayed', b'\4' + rq + step(SEND, store_rq(1, '1.2.3')) + step(SEND, store_rq(2, '1.2.4')) + \
        step(WAIT, n=50) + release
    yield 'refuse', b'\x09' + rq + step(SEND, store_rq(1, '1.2.3')) + release
    yield 'stop', b'\x11' + rq + step(SEND, store_rq(1, '1.2.3')[:-4])
    yield 'echo', b'\0' + rq + step(SEND, echo_rq()) + release
    yield 'find', b'\0' + rq + step(SEND, wire.fragments(1, wire.command(field=0x20, message_id=1, data_set_type=1),
                                                         True, 4096) + wire.fragments(1, b'ab', False, 4096)) + release
    yield 'get', b'\0' + rq + step(SEND, wire.fragments(1, wire.command(field=0x10, message_id=1, data_set_type=0x101),
                                                        True, 4096))
    yield 'cancel', b'\0' + rq + step(SEND, wire.fragments(1, wire.command(field=0xfff, replied_id=1,
                                                                           data_set_type=0x101), True, 4096)) + release
    yield 'no-data-set', b'\0' + rq + step(SEND, wire.fragments(1, wire.command(
        field=1, class_uid=CT, message_id=1, data_set_type=0x101, instance_uid='1.2'), True, 4096))
    yield 'response', b'\0' + rq + step(SEND, store_rsp(1, '1.2.3'))
    yield 'many-deaf', b'\x20' + rq + step(DEAF, b''.join(echo_rq(i) for i in range(1, 300)))
    yield 'window', b'\x40' + step(SEND, associate_rq(extra=wire.item(0x50, ASYNC))) + \
        step(SEND, b''.join(store_rq(i, f'1.2.{i}') for i in range(1, 9))) + release
    yield 'pieces', b'\0' + step(PIECES, associate_rq(), how=4) + step(PIECES, store_rq(1, '1.2.3')) + release
    yield 'silent', b'\0' + step(WAIT, n=5000)
    yield 'silent-inside', b'\0' + rq + step(SEND, store_rq(1, '1.2.3')[:-4]) + step(WAIT, n=9000)
    yield 'finish', b'\0' + rq + step(SEND, store_rq(1, '1.2.3')) + step(FINISH)
    yield 'abort', b'\1' + rq + step(SEND, store_rq(1, '1.2.3')[:-4]) + step(SEND, ABORT)
    yield 'unusable', b'\0' + step(SEND, associate_rq(max_pdu=12))
    yield 'too-long', b'\0' + rq + step(SEND, b'\x04\0\0\0\x20\0')
    yield 'unknown-pdu', b'\0' + rq + step(SEND, b'\x0a\0\0\0\0\0')
    yield 'old-version', b'\0' + step(SEND, associate_rq().replace(b'\0\1\0\0RECEIVER', b'\0\2\0\0RECEIVER'))
    yield 'other-application', b'\0' + step(SEND, associate_rq().replace(b'1.2.840.10008.3.1.1.1',
                                                                         b'1.2.840.10008.3.1.1.9'))



# ---- an archive ----

STUDY_ROOT = '1.2.840.10008.5.1.4.1.2.2.'


def key(group, number, value=b''):
    value += b' ' * (len(value) % 2)
    return struct.pack('<HHI', group, number, len(value)) + value


def query(field, context, level, *keys, message_id=1, **more):
    rq = wire.command(field=field, class_uid=STUDY_ROOT + str(context // 2 + 1), message_id=message_id, priority=0,
                      data_set_type=1, **more)
    return wire.fragments(context, rq, True, 4096) + \
        wire.fragments(context, key(8, 0x52, level) + b''.join(keys), False, 4096)


def archive_runs():
    contexts = [(1, STUDY_ROOT + '1'), (3, STUDY_ROOT + '2'), (5, STUDY_ROOT + '3'), (7, CT), (9, MR)]
    rq = wire.associate_rq('ARCHIVE', 'CLIENT', [(n, name, [wire.EXPLICIT_LITTLE if n > 5 else wire.IMPLICIT_LITTLE])
                                                 for n, name in contexts])
    roles = b''.join(wire.item(0x54, struct.pack('>H', len(name)) + name.encode() + b'\0\1') for name in (CT, MR))
    open_ = step(SEND, wire.pdu(wire.ASSOCIATE_RQ, rq[6:] + wire.item(0x50, wire.item(0x51, struct.pack('>I', 4096)) +
                                                                       roles)))
    release = step(SEND, RELEASE_RQ)
    cancel = wire.fragments(1, wire.command(field=0xfff, replied_id=1, data_set_type=0x101), True, 4096)
    # The second made-up study; the same each time.
    study = key(0x20, 0x0D, b'2.25.313735331542294360669739972077588622132')
    finds = {
        'studies': (b'STUDY', key(8, 0x20), key(8, 0x61), key(0x10, 0x10), key(0x20, 0x0D), key(0x20, 0x1208)),
        'names': (b'STUDY', key(0x10, 0x10, b'*A?er^*'), key(0x10, 0x20, b'SYN*')),
        'dates': (b'STUDY', key(8, 0x20, b'20150101-20190101'), key(8, 0x30, b'-1200')),
        'series': (b'SERIES', key(8, 0x60, b'CT\\MR'), study, key(0x20, 0x11, b'1')),
        'images': (b'IMAGE', key(8, 0x18), key(0x28, 0x10, b'')),
        'japanese': (b'STUDY', key(8, 5, b'\\ISO 2022 IR 87'), key(0x10, 0x10, b'A=\033$B;3ED\033(B^*')),
        'unknown': (b'STUDY', key(0x10, 0x9999, b'x'), key(0x08, 0x1140, b'\xfe\xff\0\xe0\0\0\0\0')),
        'nobody': (b'IMAGE', key(0x10, 0x10, b"'; DROP TABLE patient; --")),
        'no-level': (b'',), 'wrong-level': (b'PATIENT', key(0x10, 0x20, b'1')),
    }
    for name, (level, *keys) in finds.items():
        yield f'find-{name}', b'\0' + open_ + step(SEND, query(0x20, 1, level, *keys)) + release
    yield 'find-cancelled', b'\x04' + open_ + step(DEAF, query(0x20, 1, b'IMAGE', key(8, 0x18)) + cancel) + release
    yield 'find-stopped', b'\x06' + open_ + step(DEAF, query(0x20, 1, b'IMAGE', key(8, 0x18)))
    yield 'get', b'\0' + open_ + step(SEND, query(0x10, 5, b'STUDY', study)) + \
        b''.join(step(SEND, store_rsp(n, None, context=context)) for n in (1, 2) for context in (7, 9)) + release
    yield 'get-closed', b'\0' + open_ + step(SEND, query(0x10, 5, b'STUDY', study)) + step(CLOSE)
    yield 'get-without-key', b'\0' + open_ + step(SEND, query(0x10, 5, b'STUDY', key(0x10, 0x20, b'\xff')))
    for name, flags in (('hung-up', b'\0'), ('refused', b'\x08'), ('stopped', b'\2')):
        yield f'move-{name}', flags + open_ + step(SEND, query(0x21, 3, b'STUDY', study,
                                                               move_destination='DESTINATION'))
    yield 'move-unknown', b'\0' + open_ + step(SEND, query(0x21, 3, b'STUDY', study, move_destination='NOBODY'))
    yield 'move-wait', b'\0' + open_ + step(DEAF, query(0x21, 3, b'STUDY', study, move_destination='DESTINATION') +
                                            cancel) + step(WAIT, n=9000)
    whole = names()
    kept = [step(SEND, store_rq(n, f'1.2.{n}', names(instance=f'1.2.{n}'), context=7)) for n in (1, 2)]
    listed = step(SEND, query(0x20, 1, b'IMAGE', key(8, 0x18), message_id=3))
    yield 'keep', b'\1' + open_ + kept[0] + kept[1] + listed + release
    yield 'keep-twice', b'\1' + open_ + kept[0] + kept[0] + listed + \
        step(SEND, query(0x10, 5, b'STUDY', key(0x20, 0x0D, b'1.2.3.4'), message_id=4))
    yield 'keep-another-uid', b'\1' + open_ + step(SEND, store_rq(1, '1.2.3', whole, context=7)) + listed + release
    yield 'keep-odd-names', b'\1' + open_ + step(SEND, store_rq(1, '../../x', whole, context=7)) + \
        step(SEND, store_rq(2, '1..2', whole, context=7))
    yield 'not-kept', b'\0' + open_ + step(SEND, store_rq(1, '1.2.3', whole, context=7)) + release


# ---- ledgers ----

LOG, WHOLE, CUT, READ_ONLY, OTHER, ALLOW, RETRY, REPEAT = (1 << bit for bit in range(8))
PAGE = 4096  # SQLite's; the header is 100 bytes, pages of tables begin with their kind and the number of their cells


def patch(offset, data):
    return struct.pack('<HB', offset, len(data)) + data


def ledgers():
    yield 'plain', b'\0'
    yield 'plain-read-only', bytes([READ_ONLY])
    yield 'retry', bytes([RETRY])
    yield 'other', bytes([OTHER])
    yield 'other-allowed', bytes([OTHER | ALLOW])
    yield 'killed', bytes([LOG])
    yield 'empty', bytes([WHOLE])
    yield 'empty-repeat', bytes([WHOLE | REPEAT])
    yield 'repeat', bytes([REPEAT])
    yield 'notes', bytes([WHOLE]) + b'my notes\n' * 100
    yield 'header-only', bytes([WHOLE]) + b'SQLite format 3\0'
    yield 'zeros', bytes([WHOLE]) + bytes(PAGE)
    yield 'cut-first-page', bytes([CUT]) + struct.pack('<H', 1000)
    yield 'cut-one-page', bytes([CUT]) + struct.pack('<H', PAGE)
    yield 'cut-two-pages', bytes([CUT]) + struct.pack('<H', 2 * PAGE)
    yield 'cut-log', bytes([LOG | CUT]) + struct.pack('<H', PAGE + 100)
    yield 'cut-log-header', bytes([LOG | CUT]) + struct.pack('<H', 20)
    yield 'no-magic', b'\0' + patch(0, b'X')
    yield 'page-size', b'\0' + patch(16, b'\1\1')
    yield 'page-size-512', b'\0' + patch(16, b'\2\0')
    yield 'no-log', b'\0' + patch(18, b'\1\1')
    yield 'other-format', b'\0' + patch(18, b'\3\3')
    yield 'free-list', b'\0' + patch(32, struct.pack('>II', 3, 9))
    yield 'schema-format', b'\0' + patch(44, struct.pack('>I', 9))
    yield 'utf-16', b'\0' + patch(56, struct.pack('>I', 2))
    yield 'version', b'\0' + patch(60, struct.pack('>I', 2))
    yield 'application', b'\0' + patch(68, bytes(4))
    yield 'no-tables', b'\0' + patch(60, bytes(4)) + patch(68, bytes(4)) + patch(103, bytes(2))
    yield 'destination', b'\0' + patch(2 * PAGE - 4, b'A\n\x1bB')
    yield 'no-tables-of-ours', b'\0' + patch(103, bytes(2))
    for page in range(1, 6):
        yield f'page-{page}-kind', b'\0' + patch(page * PAGE, b'\x05')
        yield f'page-{page}-empty', b'\0' + patch(page * PAGE + 3, bytes(2))
        yield f'page-{page}-many', b'\0' + patch(page * PAGE + 3, b'\xff\xff')
        yield f'page-{page}-cells', b'\0' + patch(page * PAGE + 8, b'\0\1\xff\xff')
        yield f'page-{page}-tail', b'\0' + patch((page + 1) * PAGE - 100, b'\x1b\n\xff' * 33)
    # Indexes can be made, and the rows not be used.
    yield 'schema-column', bytes([CUT]) + b'statuus'
    # One index can be made and the other cannot.
    yield 'row-cells', b'\0' + patch(4 * PAGE - 100, b'\xf6\x08\x1b\x0a\x7f\x63' + b'\x1b\x0a\xff' * 20)
    for offset in (0, 4, 8, 12, 16, 24, 32, 40, 56, 100, 200):
        yield f'log-{offset}', bytes([LOG]) + patch(offset, b'\xff' * 4)


# ---- the decoder's process, and the fragments of a file ----

def answer(frame_len, status=0, text=b'', photometric=b'MONOCHROME2', magic=0x44434431):
    return struct.pack('<IIQ17s256s7x', magic, status, frame_len, photometric, text)


def number(tag, value):
    return el(tag, 'US', struct.pack('<H', value))


def picture(frames=1, bits=8, samples=1, photometric=b'MONOCHROME2 '):
    return names() + number(0x00280002, samples) + el(0x00280004, 'CS', photometric) + number(0x00280006, 0) + \
        el(0x00280008, 'IS', f'{frames} '.encode()[:2]) + number(0x00280010, 4) + number(0x00280011, 4) + \
        number(0x00280100, bits) + number(0x00280101, 8) + number(0x00280102, 7) + number(0x00280103, 0)


def decoders():
    yield 'frame', b'\0\x10' + answer(16) + bytes(range(16))
    yield 'failed', b'\0\x10' + answer(0, 1, b'no codec for this transfer syntax')
    yield 'cut', b'\0\x10' + answer(16) + bytes(15)
    yield 'more', b'\0\x10' + answer(16) + bytes(17)
    yield 'failed-and-more', b'\0\x10' + answer(0, 1) + b'.'
    yield 'half', b'\0\x10' + answer(16)[:100]
    yield 'nothing', b'\0\x10'
    yield 'other-length', b'\0\x10' + answer(17) + bytes(17)
    yield 'other-status', b'\0\x10' + answer(0, 2)
    yield 'other-magic', b'\0\x10' + answer(16, magic=1)
    yield 'text-without-end', b'\0\x10' + answer(0, 1, b'x' * 256)
    yield 'text-of-control', b'\0\x10' + answer(0, 1, b'\x1b[2J')
    yield 'no-colours', b'\0\x10' + answer(16, photometric=b'') + bytes(16)
    fragments = item(b'\xff\xd8ab') + item(b'cd') + item(b'\xff\xd8ef') + item(b'ghij')
    begin = b'\1' + picture(2)
    pixel_data = el(0x7fe00010, 'OB', length=UNDEFINED)
    yield 'one-frame', b'\1' + picture() + pixel_data + item() + fragments + SEQUENCE_END
    yield 'one-each', b'\1' + picture(4) + pixel_data + item() + fragments + SEQUENCE_END
    yield 'starts', begin + pixel_data + item() + fragments + SEQUENCE_END
    yield 'basic-table', begin + pixel_data + item(struct.pack('<II', 0, 34)) + fragments + SEQUENCE_END
    yield 'basic-table-beside', begin + pixel_data + item(struct.pack('<II', 0, 33)) + fragments + SEQUENCE_END
    table = el(0x7fe00001, 'OV', struct.pack('<QQ', 0, 22)) + el(0x7fe00002, 'OV', struct.pack('<QQ', 22, 22))
    yield 'extended-table', begin + table + pixel_data + item() + fragments + SEQUENCE_END
    yield 'too-few', b'\1' + picture(9) + pixel_data + item() + fragments + SEQUENCE_END
    yield 'no-items', begin + pixel_data + SEQUENCE_END
    yield 'colour', b'\1' + picture(1, 16, 3, b'YBR_FULL_422') + pixel_data + item() + fragments + SEQUENCE_END
    yield 'twelve-bits', b'\1' + picture(1, 12) + pixel_data + item() + fragments + SEQUENCE_END
    icon = el(0x00880200, 'SQ', item(pixel_data + item() + item(b'ab') + SEQUENCE_END))
    yield 'icon', b'\1' + picture() + icon + pixel_data + item() + fragments + SEQUENCE_END
    yield 'no-pixels', b'\1' + picture()
    yield 'native', b'\1' + picture() + el(0x7fe00010, 'OB', bytes(16))


# ---- TLS ----

def tls_lines():
    """Steps of fuzz_tls: handshakes that succeed, messages, and what comes in between."""
    hands = bytes([0, 1, 0, 1, 0])
    talk = bytes([4 | 5 << 3, 0, 5 | 3 << 3, 1])
    for how in range(8):
        yield f'whole-{how}', bytes([how]) + hands + talk * 2
        yield f'ends-{how}', bytes([how]) + hands + talk + bytes([7, how & 1, 0, 1])
        yield f'held-{how}', bytes([how]) + hands + bytes([4 | how & 1 | 9 << 3, 6]) + talk + bytes([how & 1])
    for place in (0, 3, 5, 9, 40, 80, 200, 600):
        changed = bytes([2]) + struct.pack('<H', place)
        yield f'hello-changed-{place}', bytes([1]) + changed + hands
        yield f'answer-changed-{place}', bytes([0, 0]) + changed + hands
        yield f'message-changed-{place}', bytes([1]) + hands + bytes([4 | 5 << 3]) + changed
    for name, said in (('clear', b'\1\0\0\0\0\xcd\0\1\0\0'), ('http', b'GET / HTTP/1.1\r\n'), ('alert', b'\x15\3\3\0\2\2\x28'),
                       ('record', b'\x16\3\1\x40\0\1\0\x3f\xfc'), ('empty', b'\x17\3\3\0\0' * 40), ('hello', b'\x16\3\1\0\4\1\0\0\0')):
        for how in (0, 1):
            yield f'{name}-{how}', bytes([how, 3, len(said)]) + said
            yield f'{name}-later-{how}', bytes([how]) + hands + bytes([3, len(said)]) + said + talk


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else TOP / 'corpus'
    targets = {
        'pdu_stream': [(name, b'\x10\x07' + stream) for name, stream in pdu_streams()],
        'associate': associates(), 'command': commands(), 'identifier': identifiers(), 'file': files(), 'client': client_runs(),
        'recode': recodes(), 'receiver': receiver_runs(), 'archive': archive_runs(), 'ledger': ledgers(), 'decoder': decoders(), 'tls': tls_lines(),
    }
    for target, seeds in targets.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for name, seed in seeds:
            (folder / target / name).write_bytes(seed)


if __name__ == '__main__':
    main()
