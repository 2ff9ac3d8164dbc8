"""What the encoders of others make of an image: DCMTK, GDCM, OpenJPEG and OpenJPH, as Debian packages them. And what
their decoders make of it again. Nothing here uses code of this project.

Each of ENCODERS turns a file of images.native() into one of a compressed transfer syntax. GDCM gives what it compresses
with loss another SOP Instance UID; all others keep it.
"""
import collections
import pathlib
import subprocess
import tempfile
import warnings

import pydicom
from pydicom.encaps import encapsulate, generate_pixel_data_frame

from . import datasets, images

# EXACT: every sample comes back. NEAR: none is off by more than that. LIKE: as that decoder has it, but for `off`.
Encoder = collections.namedtuple('Encoder', 'name syntax takes encode exact near like off')


def call(*command):
    """Run a program of others; what it says is in the error if it fails."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                          check=False)
    assert done.returncode == 0, f'{command}\n{(done.stdout + done.stderr).decode(errors="replace")[-2000:]}'


def _tool(*words):
    """A program that is called with the two files."""
    def encode(source, target, _):
        call(*words, source, target)
    return encode


def _frames_by_plane(image):
    """Each frame as bytes, colour by plane; in as few for a sample as it needs, which is how OpenJPEG reads them."""
    values, length = image.pixels(), image.frame_length()
    width = 8 if image.stored <= 8 else image.allocated
    for begin in range(0, len(values), length):
        frame = values[begin:begin + length]
        yield images.to_bytes(images.planes_of(frame, length) if image.samples == 3 else frame, width, image.signed)


def replace_pixels(source, target, syntax_uid, frames, photometric=None, lossy=False, offsets=True):
    """The same data set with these codestreams as its pixels, a fragment for each frame."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        dataset = pydicom.dcmread(source)
        # pydicom does not know the later ones of this family: it writes the data set as one that it does know.
        dataset.file_meta.TransferSyntaxUID = images.JPEG_2000
        dataset.PixelData = encapsulate(frames, has_bot=offsets)
        dataset['PixelData'].VR, dataset['PixelData'].is_undefined_length = 'OB', True
        if photometric:
            dataset.PhotometricInterpretation = photometric
        if 'PlanarConfiguration' in dataset:
            dataset.PlanarConfiguration = 0
        if lossy:
            dataset.LossyImageCompression, dataset.LossyImageCompressionRatio = '01', '10'
        dataset.save_as(target, write_like_original=False)
    data_set = datasets.split_part10(pathlib.Path(target).read_bytes())[1]
    pathlib.Path(target).write_bytes(datasets.meta_information(str(dataset.SOPInstanceUID), syntax_uid,
                                                               str(dataset.SOPClassUID)) + data_set)


def _openjpeg(syntax_uid, *options, colour='YBR_RCT', lossy=False, offsets=True):
    """opj_compress makes each codestream, pydicom the file."""
    def encode(source, target, image):
        frames = []
        with tempfile.TemporaryDirectory() as folder:
            raw, stream = pathlib.Path(folder) / 'in.rawl', pathlib.Path(folder) / 'out.j2k'
            for frame in _frames_by_plane(image):
                raw.write_bytes(frame)
                form = f'{image.columns},{image.rows},{image.samples},{image.stored},{"us"[image.signed]}'
                mct = () if image.samples == 1 else ('-mct', int(image.photometric == 'RGB' and colour is not None))
                call('opj_compress', '-i', raw, '-F', form, '-o', stream, '-n', 4, *mct, *options)
                frames.append(stream.read_bytes())
        replace_pixels(source, target, syntax_uid, frames, colour if image.photometric == 'RGB' else None, lossy,
                       offsets)
    return encode


def _openjph(syntax_uid, *options, colour='YBR_RCT', lossy=False):
    """ojph_compress makes each codestream, pydicom the file. Colour it reads from PPM alone, signed samples from a file
    of bare planes."""
    def encode(source, target, image):
        frames, length = [], image.frame_length()
        values = image.pixels()
        with tempfile.TemporaryDirectory() as folder:
            raw, picture = pathlib.Path(folder) / 'in.yuv', pathlib.Path(folder) / 'in.ppm'
            stream = pathlib.Path(folder) / 'out.j2c'
            for begin in range(0, len(values), length):
                frame = images.to_bytes(values[begin:begin + length], 8 if image.stored <= 8 else 16, image.signed)
                if image.samples == 3:
                    picture.write_bytes(b'P6 %d %d 255\n' % (image.columns, image.rows) + frame)
                    given = (picture, '-colour_trans', str(image.photometric == 'RGB').lower())
                else:
                    raw.write_bytes(frame)
                    given = (raw, '-dims', f'{{{image.columns},{image.rows}}}', '-num_comps', 1, '-signed',
                             str(image.signed).lower(), '-bit_depth', image.stored, '-downsamp', '{1,1}')
                call('ojph_compress', '-o', stream, *options, '-i', *given)
                frames.append(stream.read_bytes())
        replace_pixels(source, target, syntax_uid, frames, colour if image.photometric == 'RGB' else None, lossy)
    return encode


# ---- decoders ----

def codestreams(path):
    """The encapsulated frames of a file."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        dataset = pydicom.dcmread(path)
    return dataset, list(generate_pixel_data_frame(dataset.PixelData, int(dataset.get('NumberOfFrames') or 1)))


def _decoded(*words):
    """A program that writes a native file."""
    def decode(path):
        with tempfile.TemporaryDirectory() as folder:
            target = pathlib.Path(folder) / 'native.dcm'
            call(*words, path, target)
            return images.read_native(target)
    return decode


dcmdjpeg = _decoded('dcmdjpeg')
dcmdjpls = _decoded('dcmdjpls')
dcmdrle = _decoded('dcmdrle')
gdcm = _decoded('gdcmconv', '--raw')


def opj_decompress(path):
    """Frame by frame, as bare samples."""
    dataset, frames = codestreams(path)
    samples, signed = int(dataset.SamplesPerPixel), dataset.PixelRepresentation == 1
    length, values = int(dataset.Rows) * int(dataset.Columns) * samples, []
    with tempfile.TemporaryDirectory() as folder:
        stream, raw = pathlib.Path(folder) / 'in.j2k', pathlib.Path(folder) / 'out.rawl'
        for frame in frames:
            stream.write_bytes(frame)
            call('opj_decompress', '-i', stream, '-o', raw)
            data = raw.read_bytes()
            planes = images.from_bytes(data, 8 * len(data) // length, signed)
            if signed:
                planes = [_with_sign(value, int(dataset.BitsStored)) for value in planes]
            values += images.from_planes(planes, length, samples) if samples == 3 else planes
    # What the codestream's colour transform was given is what comes out of it.
    colour = 'RGB' if dataset.PhotometricInterpretation in ('YBR_RCT', 'YBR_ICT') else dataset.PhotometricInterpretation
    return images.Pixels(str(colour), 0, int(dataset.BitsAllocated), int(dataset.BitsStored), signed, samples,
                         len(frames), values)


def _with_sign(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


def ojph_expand(path):
    """Frame by frame, as PGM and PPM; unsigned."""
    dataset, frames = codestreams(path)
    samples, values = int(dataset.SamplesPerPixel), []
    with tempfile.TemporaryDirectory() as folder:
        stream = pathlib.Path(folder) / 'in.j2c'
        picture = pathlib.Path(folder) / ('out.ppm' if samples == 3 else 'out.pgm')
        for frame in frames:
            stream.write_bytes(frame)
            call('ojph_expand', '-i', stream, '-o', picture)
            _, form, most, data = picture.read_bytes().split(b'\n', 3)
            assert form.split() == [b'%d' % dataset.Columns, b'%d' % dataset.Rows], form
            if int(most) < 256:
                values += data
            else:
                values += [data[at] << 8 | data[at + 1] for at in range(0, len(data), 2)]
    colour = 'RGB' if dataset.PhotometricInterpretation in ('YBR_RCT', 'YBR_ICT') else dataset.PhotometricInterpretation
    return images.Pixels(str(colour), 0, int(dataset.BitsAllocated), int(dataset.BitsStored), False, samples,
                         len(frames), values)


def unpack_rle(path):
    """RLE Lossless by the book (PS3.5 Annex G), in place of a decoder."""
    dataset, frames = codestreams(path)
    allocated, samples, signed = int(dataset.BitsAllocated), int(dataset.SamplesPerPixel), \
        dataset.PixelRepresentation == 1
    length, octets, values = int(dataset.Rows) * int(dataset.Columns), allocated // 8, []
    for frame in frames:
        count = int.from_bytes(frame[:4], 'little')
        assert count == samples * octets, f'{path}: {count} segments'
        begins = [int.from_bytes(frame[4 * n + 4:4 * n + 8], 'little') for n in range(count)] + [len(frame)]
        segments = [_unpack_bits(frame[begin:end])[:length] for begin, end in zip(begins, begins[1:])]
        # The most significant octet of each sample comes first.
        planes = []
        for sample in range(samples):
            octet_planes = segments[sample * octets:(sample + 1) * octets][::-1]
            planes += images.from_bytes(bytes(octet for of_one in zip(*octet_planes) for octet in of_one), allocated,
                                        signed)
        values += images.from_planes(planes, length * samples, samples)
    return images.Pixels(str(dataset.PhotometricInterpretation), 0, allocated, int(dataset.BitsStored), signed, samples,
                         len(frames), values)


def _unpack_bits(data):
    found, at = bytearray(), 0
    while at < len(data):
        count = data[at]
        if count < 128:
            found += data[at + 1:at + 2 + count]
            at += count + 2
        else:
            if count > 128:
                found += data[at + 1:at + 2] * (257 - count)
            at += 2 if count > 128 else 1
    return bytes(found)


# ---- the table ----

def _any(_):
    return True


def _by_plane_in_frames(image):
    """dcmcjpeg puts the samples of all frames but the first in a wrong order: every decoder finds the same."""
    return image.planar == 1 and image.frames > 1


def _dcmcjpeg(image):
    return not _by_plane_in_frames(image)


def _not_signed(image):
    """ojph_compress takes signed samples for unsigned ones."""
    return not image.signed


def _rgb(image):
    return image.photometric == 'RGB' and not _by_plane_in_frames(image)


def _plain8(image):
    return image.allocated == 8 and _unsigned(image) and not _by_plane_in_frames(image)


def _unsigned(image):
    return not image.signed and image.photometric != 'PALETTE COLOR'


def _encoder(name, syntax, encode, takes=_any, near=None, like=None, off=0):
    return Encoder(name, syntax, takes, encode, near is None and like is None, near, like, off)


ENCODERS = (
    _encoder('dcmcjpeg-el', images.JPEG_LOSSLESS, _tool('dcmcjpeg', '+el', '+un'), _dcmcjpeg),
    _encoder('dcmcjpeg-el-predictor-1', images.JPEG_LOSSLESS, _tool('dcmcjpeg', '+el', '+sv', 1, '+un'), _dcmcjpeg),
    _encoder('dcmcjpeg-e1', images.JPEG_LOSSLESS_SV1, _tool('dcmcjpeg', '+e1', '+un'), _dcmcjpeg),
    _encoder('dcmcjpeg-fragments', images.JPEG_LOSSLESS_SV1, _tool('dcmcjpeg', '+e1', '+fs', 1, '+un'), _dcmcjpeg),
    _encoder('gdcm-jpeg', images.JPEG_LOSSLESS_SV1, _tool('gdcmconv', '--jpeg')),
    _encoder('dcmcjpls', images.JPEG_LS, _tool('dcmcjpls', '+un')),
    _encoder('dcmcjpls-by-sample', images.JPEG_LS, _tool('dcmcjpls', '+is', '+un'), _rgb),
    _encoder('dcmcjpls-by-plane', images.JPEG_LS, _tool('dcmcjpls', '+in', '+un'), _rgb),
    _encoder('gdcm-jpegls', images.JPEG_LS, _tool('gdcmconv', '--jpegls')),
    _encoder('dcmcrle', images.RLE, _tool('dcmcrle', '+un')),
    _encoder('gdcm-rle', images.RLE, _tool('gdcmconv', '--rle'), lambda image: image.rows % 2 == 0),
    _encoder('gdcm-j2k', images.JPEG_2000_LOSSLESS, _tool('gdcmconv', '--j2k')),
    _encoder('openjpeg', images.JPEG_2000_LOSSLESS, _openjpeg(images.JPEG_2000_LOSSLESS)),
    _encoder('openjpeg-tiles', images.JPEG_2000_LOSSLESS,
             _openjpeg(images.JPEG_2000_LOSSLESS, '-t', '16,16', offsets=False)),
    _encoder('openjpeg-no-transform', images.JPEG_2000_LOSSLESS, _openjpeg(images.JPEG_2000_LOSSLESS, colour=None), _rgb),
    _encoder('openjph', images.HTJ2K_LOSSLESS,
             _openjph(images.HTJ2K_LOSSLESS, '-reversible', 'true', '-prog_order', 'LRCP'), _not_signed),
    _encoder('openjph-rpcl', images.HTJ2K_RPCL, _openjph(images.HTJ2K_RPCL, '-reversible', 'true'), _not_signed),
    _encoder('dcmcjpls-near', images.JPEG_LS_NEAR, _tool('dcmcjpls', '+en', '+md', 2, '+un'), _unsigned, near=2),
    _encoder('gdcm-jpegls-near', images.JPEG_LS_NEAR, _tool('gdcmconv', '--jpegls', '--lossy', '-e', 3), _unsigned,
             near=3),
    _encoder('dcmcjpeg-eb', images.JPEG_BASELINE, _tool('dcmcjpeg', '+eb', '+un'), _plain8, like=dcmdjpeg, off=2),
    _encoder('dcmcjpeg-eb-rgb', images.JPEG_BASELINE, _tool('dcmcjpeg', '+eb', '+cr', '+un'), _rgb, like=dcmdjpeg, off=1),
    _encoder('dcmcjpeg-eb-444', images.JPEG_BASELINE, _tool('dcmcjpeg', '+eb', '+s4', '+un'), _rgb, like=dcmdjpeg, off=2),
    _encoder('gdcm-jpeg-lossy', images.JPEG_BASELINE, _tool('gdcmconv', '--jpeg', '--lossy', '-q', 90), _plain8,
             like=gdcm, off=3),
    _encoder('dcmcjpeg-ee', images.JPEG_EXTENDED, _tool('dcmcjpeg', '+ee', '+un'),
             lambda image: image.samples == 1 and image.photometric != 'PALETTE COLOR', like=dcmdjpeg, off=2),
    _encoder('gdcm-j2k-lossy', images.JPEG_2000, _tool('gdcmconv', '--j2k', '--lossy', '-r', 5), _unsigned,
             like=opj_decompress, off=1),
    _encoder('openjpeg-lossy', images.JPEG_2000, _openjpeg(images.JPEG_2000, '-I', '-r', '6', colour='YBR_ICT', lossy=True),
             lambda image: image.photometric != 'PALETTE COLOR', like=opj_decompress, off=1),
    _encoder('openjph-lossy', images.HTJ2K, _openjph(images.HTJ2K, '-qstep', '0.01', colour='YBR_ICT', lossy=True),
             _unsigned, like=ojph_expand, off=1),
)
BY_NAME = {encoder.name: encoder for encoder in ENCODERS}

# Which of ENCODERS stands for its transfer syntax where one of each is enough.
OF_EACH_SYNTAX = tuple(BY_NAME[name] for name in (
    'dcmcrle', 'dcmcjpeg-eb', 'dcmcjpeg-ee', 'dcmcjpeg-el', 'dcmcjpeg-e1', 'dcmcjpls', 'dcmcjpls-near', 'openjpeg',
    'openjpeg-lossy', 'openjph', 'openjph-rpcl', 'openjph-lossy'))

Encoded = collections.namedtuple('Encoded', 'path image encoder entry')


def encode(folder, image, encoder, study_uid):
    """A file of this image in the encoder's transfer syntax."""
    path = pathlib.Path(folder) / f'{image.name}.{encoder.name}.dcm'
    with tempfile.TemporaryDirectory() as place:
        source = images.native(pathlib.Path(place) / 'native.dcm', image, study_uid)
        encoder.encode(source, path, image)
    entry = datasets.read_entry(path)
    assert entry.syntax_uid == encoder.syntax, f'{path.name}: {entry.syntax_uid}'
    return Encoded(path, image, encoder, entry)
