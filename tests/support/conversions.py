"""Which transfer syntax may become which, written down a second time, by hand; and what a conversion may change.

    stored                                            if refused, in this order           from
    Explicit VR LE / Implicit VR LE                   the other                           uncompressed
    Deflated, Explicit VR BE                          Explicit VR LE, Implicit VR LE      uncompressed
    RLE, JPEG lossless, JPEG-LS lossless,
    JPEG 2000 lossless, HTJ2K lossless                Explicit VR LE, Implicit VR LE      lossless
    JPEG, JPEG-LS near-lossless, JPEG 2000, HTJ2K     Explicit VR LE, Implicit VR LE      lossy
    all others                                        none

What is stored in one of the four uncompressed syntaxes is offered in the other ones of them too, last of all.
"""
import collections
import warnings

import pydicom

from . import datasets, images, walked

# An entry of datasets, and the samples that a decoder finds in it; None if there is no decoder.
File = collections.namedtuple('File', 'entry pixels')

LEVELS = ('never', 'uncompressed', 'lossless', 'lossy')

# What decompression may change besides the pixels: (0028,0004) Photometric Interpretation, (0028,0006) Planar
# Configuration, (0028,0100) Bits Allocated, (7FE0,0001) and (7FE0,0002) the Extended Offset Table. Values that a file may
# lack are added: no others.
MAY_CHANGE = {0x00280004, 0x00280006, 0x00280100, 0x7FE00001, 0x7FE00002, 0x7FE00010}


def outcomes(stored, transcode='lossless'):
    """The syntaxes in which a file may go out, the best first."""
    level = LEVELS.index(transcode)
    usual = [images.EXPLICIT, images.IMPLICIT]
    usual += [images.BIG_ENDIAN, images.DEFLATED] if stored in images.UNCOMPRESSED else []
    needed = 1 if stored in images.UNCOMPRESSED else 2 if stored in images.LOSSLESS else 3 if stored in images.LOSSY else 4
    return [stored] + ([syntax for syntax in usual if syntax != stored] if level >= needed else [])


def expected(stored, accepted, transcode='lossless'):
    """In which syntax a file reaches a peer that takes only these; None if in none."""
    return next((syntax for syntax in outcomes(stored, transcode) if syntax in accepted), None)


def header(path):
    """What a file says before its pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return pydicom.dcmread(path, stop_before_pixels=True)


def values(path):
    """{path of an element: value} of a file's data set, its pixels left out."""
    meta, data_set = datasets.split_part10(path.read_bytes())
    return {where: value for where, _, value in walked.elements(data_set, meta[0x10]) if where[0] not in MAY_CHANGE}


def assert_only_pixels_changed(source, arrived, syntax_uid):
    """The same instance in this syntax, with all its values but what describes how the pixels lie there."""
    meta_before, meta = (datasets.split_part10(path.read_bytes())[0] for path in (source, arrived))
    assert meta[0x10] == syntax_uid, meta
    assert (meta[0x02], meta[0x03]) == (meta_before[0x02], meta_before[0x03]), meta
    before, after = values(source), values(arrived)
    changed = [where for where in before.keys() | after.keys() if before.get(where) != after.get(where)]
    assert not changed, f'{source.name}: {[[hex(tag) for tag in where] for where in changed]}'
