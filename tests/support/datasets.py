"""The data sets that travel in these tests: the real files of Debian's python3-pydicom, and synthetic CT studies."""
import collections
import io
import os
import pathlib
import shutil
import struct
import warnings
import zlib

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset


DATA = pathlib.Path(pydicom.__file__).parent / 'data'

DEFLATED = '1.2.840.10008.1.2.1.99'
BIG_ENDIAN = '1.2.840.10008.1.2.2'
EXPLICIT_LITTLE = '1.2.840.10008.1.2.1'
IMPLICIT_LITTLE = '1.2.840.10008.1.2'
CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2'

# Every file of the package that is no instance one can send, and what is wrong with it. What a sender says of it is the
# reason in RELIABILITY's words, where that is decided: (state, reason).
LEFT_OUT = {
    # Not files of instances.
    'dicomdirtests/DICOMDIR': 'dicomdir',
    'dicomdirtests/DICOMDIR-bigEnd': 'dicomdir',
    'dicomdirtests/DICOMDIR-empty.dcm': 'dicomdir',
    'dicomdirtests/DICOMDIR-implicit': 'dicomdir',
    'dicomdirtests/DICOMDIR-nooffset': 'dicomdir',
    'dicomdirtests/DICOMDIR-nopatient': 'dicomdir',
    'dicomdirtests/DICOMDIR-reordered': 'dicomdir',
    'dicomdirtests/TINY_ALPHA/DICOMDIR': 'dicomdir',
    # No preamble or no file meta information.
    'ExplVR_BigEndNoMeta.dcm': 'no meta',
    'ExplVR_LitEndNoMeta.dcm': 'no meta',
    'no_meta.dcm': 'no meta',
    'rtstruct.dcm': 'no meta',
    'meta_missing_tsyntax.dcm': 'no transfer syntax',
    # The end is missing.
    'MR_truncated.dcm': 'truncated',
    'rtplan_truncated.dcm': 'truncated',
    # Begins in Explicit VR, as it says, and goes on in Implicit VR from (0008,0008).
    'SC_rgb_jpeg.dcm': 'syntax mismatch',
    # Fragments of data sets, made to test a parser: no SOP Class, SOP Instance or Study Instance UID.
    'chrSQEncoding.dcm': 'no UIDs',
    'chrSQEncoding1.dcm': 'no UIDs',
    'UN_sequence.dcm': 'no UIDs',
    'empty_charset_LEI.dcm': 'no UIDs',
    'nested_priv_SQ.dcm': 'no UIDs',
    'no_meta_group_length.dcm': 'no UIDs',
    'priv_SQ.dcm': 'no UIDs',
    # The same bytes as SC_jpeg_no_color_transform_2.dcm.
    'SC_rgb_jpeg_app14_dcmd.dcm': 'same file',
}
# The palettes/ folder is left out as a whole: colour palettes have no Study Instance UID, as they belong to no study.

# Of files that are one instance in several encodings (the same SOP Instance UID, other bytes), the one that goes with
# the main set. The others are in further batches: see batches().
PREFERRED = (
    'MR_small_jpeg_ls_lossless.dcm', 'SC_rgb_rle_32bit_2frame.dcm', 'rtdose_expb.dcm', 'liver_1frame.dcm', 'rtplan.dcm',
    'JPEG2000-embedded-sequence-delimiter.dcm', 'JPGExtended.dcm',
)

# What Orthanc cannot read after all: DCMTK 3.6.7 finds (7fe0,0010) in Explicit VR where (300c,0002) has implicit items.
ORTHANC_REFUSES = {'rtdose_rle.dcm': 0xC000, 'rtdose_rle_1frame.dcm': 0xC000}

SYNTAX_NAMES_THAT_MUST_OCCUR = {
    '1.2.840.10008.1.2': 'Implicit VR Little Endian', EXPLICIT_LITTLE: 'Explicit VR Little Endian',
    BIG_ENDIAN: 'Explicit VR Big Endian', DEFLATED: 'Deflated Explicit VR Little Endian',
    '1.2.840.10008.1.2.4.50': 'JPEG Baseline', '1.2.840.10008.1.2.4.51': 'JPEG Extended',
    '1.2.840.10008.1.2.4.80': 'JPEG-LS Lossless', '1.2.840.10008.1.2.4.90': 'JPEG 2000 Lossless',
    '1.2.840.10008.1.2.4.91': 'JPEG 2000', '1.2.840.10008.1.2.5': 'RLE Lossless',
}

Entry = collections.namedtuple('Entry', 'path name class_uid instance_uid study_uid syntax_uid data_set')


def split_part10(data):
    """(meta, data set) of a Part 10 file: meta as {element number: text}, the data set as raw bytes.

    Group 2 is walked element by element; its length element is not believed, and nothing behind it is parsed.
    """
    if data[128:132] != b'DICM':
        raise ValueError('no DICM at byte 128')
    offset, meta = 132, {}
    while offset + 8 <= len(data) and data[offset:offset + 2] == b'\x02\x00':
        element = struct.unpack_from('<H', data, offset + 2)[0]
        if data[offset + 4:offset + 6] in (b'OB', b'OW', b'UN', b'SQ', b'UT'):
            length, header = struct.unpack_from('<I', data, offset + 8)[0], 12
        else:
            length, header = struct.unpack_from('<H', data, offset + 6)[0], 8
        meta[element] = data[offset + header:offset + header + length].decode('latin-1').rstrip('\0 ')
        offset += header + length
    return meta, data[offset:]


def same_data_set(sent, received):
    """Byte for byte; a data set of odd length may have got the one NUL that makes it even (PS3.5 A.5)."""
    return received == sent or (len(sent) % 2 == 1 and received == sent + b'\0')


def read_entry(path, name=None):
    path = pathlib.Path(path)
    meta, data_set = split_part10(path.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=['SOPClassUID', 'SOPInstanceUID',
                                                                                'StudyInstanceUID'])
        return Entry(path, name or path.name, str(header.SOPClassUID), str(header.SOPInstanceUID),
                     str(header.StudyInstanceUID), meta[0x10], data_set)


def short_name(path):
    """What LEFT_OUT calls a file: its path below test_files or charset_files."""
    return str(pathlib.PurePath(*path.relative_to(DATA).parts[1:]))


def package_files():
    """Every file of the package's test data that looks like DICOM by its name or its first bytes."""
    for part in ('charset_files', 'test_files'):
        for folder, _, names in os.walk(DATA / part):
            for name in sorted(names):
                path = pathlib.Path(folder) / name
                if name.endswith('.dcm') or path.read_bytes()[128:132] == b'DICM':
                    yield path


_batches = []


def batches():
    """The complete files, in batches without two different files of one SOP Instance UID. The first is the main set."""
    if not _batches:
        entries = [read_entry(path, short_name(path)) for path in package_files() if short_name(path) not in LEFT_OUT]
        entries.sort(key=lambda entry: (entry.name not in PREFERRED, entry.name))
        for entry in entries:
            for batch in _batches:
                if entry.instance_uid not in batch:
                    batch[entry.instance_uid] = entry
                    break
            else:
                _batches.append({entry.instance_uid: entry})
    return [list(batch.values()) for batch in _batches]


def real_files():
    """About a hundred and twenty instances as they are found in the world, no two with the same SOP Instance UID."""
    return batches()[0]


def find(name):
    """A complete file of the package by its name."""
    return next(entry for batch in batches() for entry in batch if entry.name == name)


def copy_files(entries, folder):
    """Copy them below the folder, as they are called in the package. The copies' entries."""
    copies = []
    for entry in entries:
        target = pathlib.Path(folder) / entry.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(entry.path, target)
        copies.append(entry._replace(path=target))
    return copies


def left_out_path(name):
    for part in ('charset_files', 'test_files'):
        path = DATA / part / name
        if path.exists():
            return path
    raise FileNotFoundError(name)


# ---- synthetic studies ----

def uid(*numbers):
    return '1.2.826.0.1.3680043.2.135.1066.7.' + '.'.join(str(number) for number in numbers)


def make_instance(path, study=1, instance=1, size=4096, seed=1, **changes):
    """Write a small valid CT image whose file is about this long. changes: keywords to set, None deletes."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CT_IMAGE
    meta.MediaStorageSOPInstanceUID = uid(seed, study, instance)
    meta.TransferSyntaxUID = EXPLICIT_LITTLE
    meta.ImplementationClassUID = uid(0)
    dataset = FileDataset(str(path), Dataset(), file_meta=meta, preamble=bytes(128))
    dataset.is_little_endian, dataset.is_implicit_VR = True, False
    columns = 32 if size < 1_000_000 else 512
    rows = max(1, (size - 1000) // (2 * columns))
    values = {
        'SOPClassUID': CT_IMAGE, 'SOPInstanceUID': uid(seed, study, instance), 'StudyDate': '20200101',
        'StudyTime': '120000', 'AccessionNumber': str(study), 'Modality': 'CT', 'Manufacturer': 'TESTS',
        'ReferringPhysicianName': '', 'PatientName': f'SYNTHETIC^{study}', 'PatientID': f'S{seed}-{study}',
        'PatientBirthDate': '', 'PatientSex': 'O', 'StudyInstanceUID': uid(seed, study), 'StudyID': str(study),
        'SeriesInstanceUID': uid(seed, study, 0, 1), 'SeriesNumber': '1', 'FrameOfReferenceUID': uid(seed, study, 0, 2),
        'PositionReferenceIndicator': '', 'InstanceNumber': str(instance),
        'ImageType': ['ORIGINAL', 'PRIMARY', 'AXIAL'],
        'ImagePositionPatient': [0, 0, instance], 'ImageOrientationPatient': [1, 0, 0, 0, 1, 0],
        'PixelSpacing': [1, 1], 'SliceThickness': '1', 'KVP': '120', 'AcquisitionNumber': '1',
        'SamplesPerPixel': 1, 'PhotometricInterpretation': 'MONOCHROME2', 'Rows': rows, 'Columns': columns,
        'BitsAllocated': 16, 'BitsStored': 12, 'HighBit': 11, 'PixelRepresentation': 0, 'RescaleIntercept': '0',
        'RescaleSlope': '1', 'PixelData': bytes([instance % 251, study % 16]) * (rows * columns), **changes,
    }
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')    # values that are wrong on purpose
        for keyword, value in values.items():
            if value is not None:
                setattr(dataset, keyword, value)
        dataset['PixelData'].VR = 'OW'
        dataset.save_as(path, write_like_original=False)
    return path


def meta_information(instance_uid, syntax_uid=EXPLICIT_LITTLE, class_uid=CT_IMAGE):
    """Preamble and file meta information."""
    meta = element(2, 0x0002, 'UI', class_uid.encode()) + element(2, 0x0003, 'UI', instance_uid.encode())
    meta += element(2, 0x0010, 'UI', syntax_uid.encode())
    return bytes(128) + b'DICM' + element(2, 0x0000, 'UL', struct.pack('<I', len(meta))) + meta


def identity(instance_uid, study_uid, class_uid=CT_IMAGE):
    """The elements without which nothing is sent."""
    return element(8, 0x0016, 'UI', class_uid.encode()) + element(8, 0x0018, 'UI', instance_uid.encode()) + \
        element(0x20, 0x000D, 'UI', study_uid.encode())


def write_plain(path, instance_uid, study_uid, pixels=b''):
    """The smallest instance there is, three UIDs, and after them as many pixels as are wanted."""
    pixel_data = element(0x7FE0, 0x0010, 'OW', pixels) if pixels else b''
    with open(path, 'wb') as file:
        file.write(meta_information(instance_uid) + identity(instance_uid, study_uid) + pixel_data)
    return Entry(path, os.path.basename(path), CT_IMAGE, instance_uid, study_uid, EXPLICIT_LITTLE,
                 identity(instance_uid, study_uid) + pixel_data)


def make_studies(folder, studies, instances, size=4096, seed=1):
    """n studies of m instances of about this size, a folder for each. Their entries."""
    entries = []
    for study in range(1, studies + 1):
        place = pathlib.Path(folder) / f'study{study}'
        place.mkdir(parents=True, exist_ok=True)
        for instance in range(1, instances + 1):
            entries.append(read_entry(make_instance(place / f'{instance:05}.dcm', study, instance, size, seed)))
    return entries


# ---- comparing what a peer rewrites ----

def elements(data_set, syntax_uid):
    """A data set as {tag: value}, without what carries no information: group lengths, trailing padding, the choice
    between known and unknown lengths. Sequences become lists of the same."""
    if syntax_uid == DEFLATED:
        try:
            data_set = zlib.decompressobj(-15).decompress(data_set)
        except zlib.error:
            pass    # Orthanc names the syntax and keeps the data set inflated
        syntax_uid = EXPLICIT_LITTLE
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return _plain(pydicom.dcmread(_file_of(data_set, syntax_uid)))


def _file_of(data_set, syntax_uid):
    meta = struct.pack('<HH2sH', 2, 0x10, b'UI', len(syntax_uid) + len(syntax_uid) % 2) + syntax_uid.encode()
    meta += b'\0' * (len(syntax_uid) % 2)
    head = struct.pack('<HH2sHI', 2, 0, b'UL', 4, len(meta))
    return io.BytesIO(bytes(128) + b'DICM' + head + meta + data_set)


def _plain(dataset):
    plain = {}
    for tag in dataset.keys():
        if tag.element == 0 or tag == 0xFFFCFFFC:
            continue
        raw = dataset.get_item(tag)
        value = getattr(raw, 'value', None)
        if getattr(raw, 'VR', None) == 'SQ' or not isinstance(value, (bytes, type(None))):
            element = dataset[tag]
            value = [_plain(item) for item in element.value] if element.VR == 'SQ' else str(element.value)
        elif isinstance(value, bytes):
            value = value.rstrip(b'\0 ')
        plain[int(tag)] = value if value else b''
    return plain


def files_below(folder):
    return sorted(path for path in pathlib.Path(folder).rglob('*') if path.is_file())


def element(group, number, vr, value):
    """One element in Explicit VR Little Endian, its value padded to an even length."""
    if len(value) % 2:
        value += b'\0' if vr in ('UI', 'OB') else b' '
    if vr in ('OB', 'OW', 'SQ', 'UN', 'UT'):
        return struct.pack('<HH2s2xI', group, number, vr.encode(), len(value)) + value
    return struct.pack('<HH2sH', group, number, vr.encode(), len(value)) + value


def write_instance(path, instance='1.2.3.4', study='1.2.3', sop_class='1.2.840.10008.5.1.4.1.1.2'):
    """The smallest instance there is; study=None leaves the Study Instance UID out."""
    meta = element(2, 0x0002, 'UI', sop_class.encode()) + element(2, 0x0003, 'UI', instance.encode())
    meta += element(2, 0x0010, 'UI', b'1.2.840.10008.1.2.1')
    data = element(8, 0x0016, 'UI', sop_class.encode()) + element(8, 0x0018, 'UI', instance.encode())
    if study is not None:
        data += element(0x20, 0x000D, 'UI', study.encode())
    path.write_bytes(bytes(128) + b'DICM' + element(2, 0x0000, 'UL', struct.pack('<I', len(meta))) + meta + data)
    return path
