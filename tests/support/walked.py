"""A data set as the list of its elements, in order, by a walk of this module's own (PS3.5 7.1, 7.5): what is compared when
two encodings of a data set have to say the same, to the byte of every value.

A list of (path, VR, value): path is a tuple of tags and item numbers, the value bytes in Little Endian. VR is None in
Implicit VR. Group lengths, delimiters and whether a length was defined are not in it.
"""
import struct
import zlib

from pydicom.datadict import dictionary_has_tag, dictionary_VR

from . import images

LONG = (b'OB', b'OD', b'OF', b'OL', b'OV', b'OW', b'SQ', b'SV', b'UC', b'UN', b'UR', b'UT', b'UV')
WORDS = {'US': 2, 'SS': 2, 'OW': 2, 'AT': 2, 'UL': 4, 'SL': 4, 'FL': 4, 'OF': 4, 'OL': 4, 'FD': 8, 'OD': 8, 'SV': 8,
         'UV': 8, 'OV': 8}
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


def inflate(data):
    return zlib.decompressobj(-15).decompress(data)


def elements(data, syntax_uid):
    if syntax_uid == images.DEFLATED:
        data = inflate(data)
    found = []
    end = _data_set(data, 0, len(data), (), syntax_uid != images.IMPLICIT, syntax_uid == images.BIG_ENDIAN, found)
    assert end == len(data), f'{end} of {len(data)} bytes'
    return found


def _header(data, at, explicit, big):
    """(tag, VR or None, length, where the value begins)"""
    order = '>' if big else '<'
    group, number = struct.unpack_from(order + 'HH', data, at)
    tag = group << 16 | number
    if not explicit or group == 0xFFFE:
        return tag, None, struct.unpack_from(order + 'I', data, at + 4)[0], at + 8
    vr = data[at + 4:at + 6]
    if vr in LONG:
        return tag, vr.decode(), struct.unpack_from(order + 'I', data, at + 8)[0], at + 12
    assert vr.isalpha() and vr.isupper(), f'{tag:08x} at {at} has VR {vr}'
    return tag, vr.decode(), struct.unpack_from(order + 'H', data, at + 6)[0], at + 8


def _data_set(data, at, end, path, explicit, big, found):
    while at < end:
        tag, vr, length, at = _header(data, at, explicit, big)
        if tag == ITEM_END:
            return at
        items = data[at:at + 4] == b'\xfe\xff\x00\xe0' and length >= 8 and vr in (None, 'UN')
        if vr == 'SQ' or length == UNDEFINED or items or (vr is None and _is_sequence(tag)):
            # Under UN: items in Implicit VR Little Endian (PS3.5 6.2.2 note 2).
            as_explicit, as_big = (explicit, big) if vr != 'UN' else (False, False)
            found.append((path + (tag,), vr, None))
            at = _items(data, at, min(end, at + length) if length != UNDEFINED else end, length == UNDEFINED,
                        path + (tag,), as_explicit, as_big, found)
            continue
        assert at + length <= end, f'{tag:08x} at {at}: {length} bytes'
        if tag & 0xFFFF:
            found.append((path + (tag,), vr, _little(data[at:at + length], vr, big)))
        at += length
    return at


def _items(data, at, end, undefined, path, explicit, big, found):
    number = 0
    while at < end:
        tag, _, length, at = _header(data, at, explicit, big)
        if tag == SEQUENCE_END:
            assert undefined
            return at
        assert tag == ITEM, f'{tag:08x} at {at} in {path}'
        found.append((path + (number,), None, None))
        if path[-1] == 0x7FE00010:    # a fragment
            found.append((path + (number,), None, data[at:at + length]))
            at += length
        elif length == UNDEFINED:
            at = _data_set(data, at, end, path + (number,), explicit, big, found)
        else:
            # Until its end; an item of defined length may still hold a delimiter that nothing needs.
            at = _data_set(data, at, at + length, path + (number,), explicit, big, found)
        number += 1
    return at


def _is_sequence(tag):
    return dictionary_has_tag(tag) and dictionary_VR(tag) == 'SQ'


def _little(value, vr, big):
    size = WORDS.get(vr)
    if not big or size is None:
        return value
    whole = len(value) // size * size
    turned = b''.join(value[at:at + size][::-1] for at in range(0, whole, size)) if size > 2 else \
        _turn_words(value[:whole])
    return turned + value[whole:]


def _turn_words(value):
    turned = bytearray(len(value))
    turned[::2], turned[1::2] = value[1::2], value[::2]
    return bytes(turned)
