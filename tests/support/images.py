"""Images whose every pixel is known, as files in Explicit VR Little Endian; and the pixels of a native file, as samples.

Samples are integers, in the order frame, row, pixel, sample: colour by pixel, whatever the file's Planar Configuration.
"""
import array
import collections
import functools
import pathlib
import struct
import sys
import warnings

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import generate_uid

IMPLICIT = '1.2.840.10008.1.2'
EXPLICIT = '1.2.840.10008.1.2.1'
DEFLATED = '1.2.840.10008.1.2.1.99'
BIG_ENDIAN = '1.2.840.10008.1.2.2'
RLE = '1.2.840.10008.1.2.5'
JPEG_BASELINE, JPEG_EXTENDED, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1 = (f'1.2.840.10008.1.2.4.{n}' for n in (50, 51, 57, 70))
JPEG_LS, JPEG_LS_NEAR = '1.2.840.10008.1.2.4.80', '1.2.840.10008.1.2.4.81'
JPEG_2000_LOSSLESS, JPEG_2000 = '1.2.840.10008.1.2.4.90', '1.2.840.10008.1.2.4.91'
HTJ2K_LOSSLESS, HTJ2K_RPCL, HTJ2K = (f'1.2.840.10008.1.2.4.{n}' for n in (201, 202, 203))

UNCOMPRESSED = (IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED)
LOSSLESS = (RLE, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1, JPEG_LS, JPEG_2000_LOSSLESS, HTJ2K_LOSSLESS, HTJ2K_RPCL)
LOSSY = (JPEG_BASELINE, JPEG_EXTENDED, JPEG_LS_NEAR, JPEG_2000, HTJ2K)

SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7'
MULTIFRAME = {1: '1.2.840.10008.5.1.4.1.1.7.1', 8: '1.2.840.10008.5.1.4.1.1.7.2', 16: '1.2.840.10008.5.1.4.1.1.7.3',
              24: '1.2.840.10008.5.1.4.1.1.7.4'}


class Image(collections.namedtuple('Image', 'name photometric allocated stored signed planar frames rows columns')):
    """What an image is; its pixels follow from it."""

    @property
    def samples(self):
        return 1 if self.photometric in ('MONOCHROME1', 'MONOCHROME2', 'PALETTE COLOR') else 3

    @functools.cache
    def pixels(self):
        """All samples, frame by frame, row by row, pixel by pixel: ramps with some noise, from the least value that can
        be stored to the greatest."""
        low = -(1 << self.stored - 1) if self.signed else 0
        high = low + (1 << self.stored) - 1
        values, seed = [], 12345
        for frame in range(self.frames):
            for row in range(self.rows):
                for column in range(self.columns):
                    for sample in range(self.samples):
                        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
                        ramp = (row * (sample + 1) + column * (3 - sample) + 7 * frame) / (
                            3 * (self.rows + self.columns) + 7 * self.frames)
                        values.append(low + int(ramp * (high - low)) + (seed >> 16) % 5)
        values[0], values[-1] = low, high
        return tuple(min(max(value, low), high) for value in values)

    def frame_length(self):
        """In samples."""
        return self.rows * self.columns * self.samples


def _image(name, photometric, allocated, stored, signed=False, planar=0, frames=1, rows=44, columns=37):
    return Image(name, photometric, allocated, stored, signed, planar, frames, rows, columns)


IMAGES = (
    _image('mono8', 'MONOCHROME2', 8, 8),
    _image('mono8-odd', 'MONOCHROME2', 8, 8, rows=45),
    _image('mono8-signed', 'MONOCHROME2', 8, 8, signed=True),
    _image('mono8-frames', 'MONOCHROME2', 8, 8, frames=5),
    _image('mono8-in-16', 'MONOCHROME2', 16, 8),
    _image('mono12', 'MONOCHROME2', 16, 12),
    _image('mono12-frames', 'MONOCHROME2', 16, 12, frames=3),
    _image('mono12-signed', 'MONOCHROME2', 16, 12, signed=True),
    _image('mono16', 'MONOCHROME2', 16, 16),
    _image('mono16-signed', 'MONOCHROME2', 16, 16, signed=True),
    _image('mono16-frames', 'MONOCHROME1', 16, 16, frames=4),
    _image('rgb', 'RGB', 8, 8),
    _image('rgb-odd', 'RGB', 8, 8, rows=45, frames=3),
    _image('rgb-planes', 'RGB', 8, 8, planar=1),
    _image('rgb-planes-frames', 'RGB', 8, 8, planar=1, frames=3),
    _image('ybr', 'YBR_FULL', 8, 8),
    _image('ybr-planes', 'YBR_FULL', 8, 8, planar=1),
    _image('palette', 'PALETTE COLOR', 8, 8),
)
BY_NAME = {image.name: image for image in IMAGES}


def to_bytes(values, allocated, signed):
    """Samples as native Little Endian."""
    words = array.array({8: 'bB', 16: 'hH', 32: 'iI'}[allocated][not signed], values)
    if sys.byteorder == 'big':
        words.byteswap()
    return words.tobytes()


def from_bytes(data, allocated, signed):
    """Native bytes as a list of samples."""
    words = array.array({8: 'bB', 16: 'hH', 32: 'iI'}[allocated][not signed], data)
    if sys.byteorder == 'big':
        words.byteswap()
    return words.tolist()


def planes_of(values, frame_length, samples=3):
    """From colour by pixel to colour by plane, in each frame."""
    planes = []
    for begin in range(0, len(values), frame_length):
        for sample in range(samples):
            planes += values[begin + sample:begin + frame_length:samples]
    return planes


def from_planes(values, frame_length, samples=3):
    """And back."""
    mixed = []
    for begin in range(0, len(values), frame_length):
        plane = frame_length // samples
        for number in range(plane):
            mixed += [values[begin + sample * plane + number] for sample in range(samples)]
    return mixed


def dataset_of(image, study_uid, instance_uid=None):
    """The data set of an image, in Explicit VR Little Endian."""
    multiframe = MULTIFRAME[24 if image.samples == 3 else image.allocated]
    class_uid = SECONDARY_CAPTURE if image.frames == 1 else multiframe
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = class_uid, instance_uid or generate_uid()
    meta.TransferSyntaxUID, meta.ImplementationClassUID = EXPLICIT, '1.2.826.0.1.3680043.2.135.1066.7.0'
    dataset = FileDataset('', Dataset(), file_meta=meta, preamble=bytes(128))
    dataset.is_little_endian, dataset.is_implicit_VR = True, False
    values = {
        'SOPClassUID': class_uid, 'SOPInstanceUID': meta.MediaStorageSOPInstanceUID, 'StudyDate': '20200101',
        'StudyTime': '120000', 'AccessionNumber': '1', 'Modality': 'OT', 'ConversionType': 'WSD',
        'ReferringPhysicianName': '', 'PatientName': f'KNOWN^{image.name.upper()}', 'PatientID': 'PIXELS',
        'PatientBirthDate': '', 'PatientSex': 'O', 'StudyInstanceUID': study_uid, 'StudyID': '1',
        'SeriesInstanceUID': study_uid + '.1', 'SeriesNumber': '1', 'InstanceNumber': '1', 'ImageType':
        ['DERIVED', 'SECONDARY'], 'SamplesPerPixel': image.samples, 'PhotometricInterpretation': image.photometric,
        'Rows': image.rows, 'Columns': image.columns, 'BitsAllocated': image.allocated, 'BitsStored': image.stored,
        'HighBit': image.stored - 1, 'PixelRepresentation': int(image.signed),
    }
    if image.frames > 1:
        values.update(NumberOfFrames=str(image.frames), BurnedInAnnotation='NO', FrameIncrementPointer=0x00181063,
                      FrameTime='40', RescaleIntercept='0', RescaleSlope='1', RescaleType='US',
                      PresentationLUTShape='IDENTITY')
    if image.samples == 3:
        values['PlanarConfiguration'] = image.planar
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    if image.photometric == 'PALETTE COLOR':
        for number, colour in enumerate(('Red', 'Green', 'Blue')):
            setattr(dataset, f'{colour}PaletteColorLookupTableDescriptor', [256, 0, 16])
            table = struct.pack('<256H', *((257 * index + 4369 * number) & 0xFFFF for index in range(256)))
            setattr(dataset, f'{colour}PaletteColorLookupTableData', table)
            dataset[f'{colour}PaletteColorLookupTableDescriptor'].VR = 'US'
            dataset[f'{colour}PaletteColorLookupTableData'].VR = 'OW'
    pixels = image.pixels()
    if image.planar:
        pixels = planes_of(pixels, image.frame_length())
    data = to_bytes(pixels, image.allocated, image.signed)
    dataset.PixelData = data + b'\0' * (len(data) % 2)
    dataset['PixelData'].VR = 'OB' if image.allocated == 8 else 'OW'
    return dataset


def native(path, image, study_uid, instance_uid=None):
    """Write it as a file in Explicit VR Little Endian."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        dataset_of(image, study_uid, instance_uid).save_as(path, write_like_original=False)
    return pathlib.Path(path)


# ---- native files ----

Pixels = collections.namedtuple('Pixels', 'photometric planar allocated stored signed samples frames values')


def read_native(path):
    """The Pixels of a file in one of the four uncompressed transfer syntaxes."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        dataset = pydicom.dcmread(path)
        syntax, data = str(dataset.file_meta.TransferSyntaxUID), dataset.PixelData
        vr, planar = dataset['PixelData'].VR, int(dataset.get('PlanarConfiguration', 0))
    assert syntax in UNCOMPRESSED, f'{path}: {syntax}'
    samples, allocated = int(dataset.SamplesPerPixel), int(dataset.BitsAllocated)
    frames, length = int(dataset.get('NumberOfFrames') or 1), int(dataset.Rows) * int(dataset.Columns) * samples
    size = frames * length * allocated // 8
    assert len(data) == size + size % 2, f'{path}: {len(data)} bytes of pixels in the place of {size}'
    if syntax == BIG_ENDIAN and vr == 'OW':
        words = array.array('H', data)
        words.byteswap()
        data = words.tobytes()
    values = from_bytes(data[:size], allocated, dataset.PixelRepresentation == 1)
    if planar:
        values = from_planes(values, length, samples)
    return Pixels(str(dataset.PhotometricInterpretation), planar, allocated, int(dataset.BitsStored),
                  dataset.PixelRepresentation == 1, samples, frames, values)


def to_rgb(photometric, values):
    """YBR_FULL as RGB (PS3.3 C.7.6.3.1.2); RGB as it is."""
    if photometric == 'RGB':
        return values
    assert photometric == 'YBR_FULL', photometric
    mixed = []
    for y, blue, red in zip(values[::3], values[1::3], values[2::3]):
        blue, red = blue - 128, red - 128
        mixed += [min(max(round(value), 0), 255) for value in
                  (y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue)]
    return mixed


def greatest_difference(ours, theirs):
    assert len(ours) == len(theirs), (len(ours), len(theirs))
    return max(abs(one - other) for one, other in zip(ours, theirs))
