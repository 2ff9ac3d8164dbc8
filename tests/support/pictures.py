"""Pictures with known pixels, and their encoding by programs of other people: DCMTK, GDCM, OpenJPEG, OpenJPH."""
import dataclasses
import random
import struct
import subprocess

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

# pydicom's dictionary is older than HTJ2K.
pydicom.uid.UID_dictionary.setdefault('1.2.840.10008.1.2.4.201', ('HTJ2K Lossless', 'Transfer Syntax', '', '', 'HTJ2K'))

EXPLICIT_LITTLE = '1.2.840.10008.1.2.1'
SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7'
JPEG_LS, JPEG_2000, HTJ2K = '1.2.840.10008.1.2.4.80', '1.2.840.10008.1.2.4.90', '1.2.840.10008.1.2.4.201'


@dataclasses.dataclass(frozen=True)
class Picture:
    """What the pixels are like. Bits allocated is 8, 16 or 32."""
    bits_allocated: int = 16
    bits_stored: int = 16
    signed: bool = False
    samples: int = 1
    frames: int = 1
    photometric: str = 'MONOCHROME2'
    rows: int = 29
    columns: int = 37

    @property
    def sample_count(self):
        return self.rows * self.columns * self.samples * self.frames

    def numbers(self):
        """The samples, colour by pixel: smooth with some noise, and the extremes of what the bits hold."""
        source = random.Random(repr(self))
        low = -(1 << (self.bits_stored - 1)) if self.signed else 0
        high = low + (1 << self.bits_stored) - 1
        span = high - low
        numbers = [low + (index * span // self.sample_count + source.randrange(span // 16 + 1)) % (span + 1)
                   for index in range(self.sample_count)]
        numbers[:4] = [low, high, high, low]
        return numbers

    def pack(self, numbers):
        letter = {8: 'b', 16: 'h', 32: 'i'}[self.bits_allocated]
        packed = struct.pack(f'<{len(numbers)}{letter if self.signed else letter.upper()}', *numbers)
        return packed + bytes(len(packed) % 2)

    def planes(self, numbers):
        """Colour by plane, frame by frame."""
        size = self.sample_count // self.frames
        frames = [numbers[at:at + size] for at in range(0, len(numbers), size)]
        return [number for frame in frames for sample in range(self.samples) for number in frame[sample::self.samples]]

    def dataset(self, syntax=EXPLICIT_LITTLE, planar=0):
        """All but the pixels."""
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(SECONDARY_CAPTURE), UID('1.2.3.4.5.6')
        meta.TransferSyntaxUID = UID(syntax)
        data = FileDataset(None, Dataset(), file_meta=meta, preamble=bytes(128))
        data.is_little_endian, data.is_implicit_VR = True, False
        data.SOPClassUID, data.SOPInstanceUID = SECONDARY_CAPTURE, '1.2.3.4.5.6'
        data.StudyInstanceUID, data.SeriesInstanceUID = '1.2.3.4', '1.2.3.4.1'
        data.PatientName, data.PatientID, data.Modality = 'Test^Picture', 'picture', 'OT'
        data.SamplesPerPixel, data.PhotometricInterpretation = self.samples, self.photometric
        if self.samples > 1:
            data.PlanarConfiguration = planar
        if self.frames > 1:
            data.NumberOfFrames = self.frames
        data.Rows, data.Columns = self.rows, self.columns
        data.BitsAllocated, data.BitsStored, data.HighBit = self.bits_allocated, self.bits_stored, self.bits_stored - 1
        data.PixelRepresentation = int(self.signed)
        if self.photometric == 'PALETTE COLOR':
            for colour in ('Red', 'Green', 'Blue'):
                setattr(data, f'{colour}PaletteColorLookupTableDescriptor', [256, 0, 8])
                setattr(data, f'{colour}PaletteColorLookupTableData', bytes(range(256)))
        data.add_new(0x00090010, 'LO', 'A private creator')
        data.add_new(0x00091001, 'OB', b'\x01\x02\x03\x04')
        return data

    def write_native(self, path, planar=0):
        """A file in Explicit VR Little Endian."""
        data = self.dataset(planar=planar)
        data.PixelData = self.pack(self.planes(self.numbers()) if planar else self.numbers())
        data['PixelData'].VR = 'OB' if self.bits_allocated == 8 else 'OW'
        data.save_as(path, write_like_original=False)
        return path

    def write_encapsulated(self, path, syntax, frames, photometric=None, **changes):
        """A file with these frames, one fragment each."""
        data = self.dataset(syntax)
        data.PixelData = encapsulate(list(frames))
        data['PixelData'].is_undefined_length = True
        data['PixelData'].VR = 'OB'
        data.PhotometricInterpretation = photometric or self.photometric
        for name, value in changes.items():
            setattr(data, name, value)
        data.save_as(path, write_like_original=False)
        return path

    def raw_frames(self):
        """Native frames without padding."""
        packed = self.pack(self.numbers())
        size = self.sample_count // self.frames * self.bits_allocated // 8
        return [packed[at:at + size] for at in range(0, size * self.frames, size)]


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, (command, done.stdout, done.stderr)


def open_jpeg(picture, folder, *arguments):
    """The codestreams that opj_compress makes of the picture's frames."""
    streams = []
    for number, frame in enumerate(picture.raw_frames()):
        raw, coded = folder / f'{number}.raw', folder / f'{number}.j2k'
        if picture.bits_allocated > 8:  # opj_compress reads big endian
            frame = b''.join(frame[at:at + 2][::-1] for at in range(0, len(frame), 2))
        if picture.samples > 1:  # and colour by plane
            size = picture.bits_allocated // 8
            pixels = [frame[at:at + size] for at in range(0, len(frame), size)]
            frame = b''.join(pixel for sample in range(3) for pixel in pixels[sample::3])
        raw.write_bytes(frame)
        sign = 's' if picture.signed else 'u'
        run('opj_compress', '-i', raw, '-o', coded, '-F',
            f'{picture.columns},{picture.rows},{picture.samples},{picture.bits_stored},{sign}', '-n', '3', *arguments)
        streams.append(coded.read_bytes())
    return streams


def open_jph(picture, folder):
    """The HTJ2K codestreams that ojph_compress makes of the picture's frames, lossless."""
    streams = []
    for number, frame in enumerate(picture.raw_frames()):
        coded = folder / f'{number}.j2c'
        kind = 'P6' if picture.samples > 1 else 'P5'
        if picture.bits_allocated > 8:
            frame = b''.join(frame[at:at + 2][::-1] for at in range(0, len(frame), 2))
        source = folder / f'{number}.{"ppm" if picture.samples > 1 else "pgm"}'
        source.write_bytes(f'{kind} {picture.columns} {picture.rows} {(1 << picture.bits_stored) - 1}\n'.encode() + frame)
        run('ojph_compress', '-i', source, '-o', coded, '-reversible', 'true')
        streams.append(coded.read_bytes())
    return streams


def pixels_of(path):
    return pydicom.dcmread(path).PixelData


