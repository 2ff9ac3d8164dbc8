"""What is compressed and converted has the pixels that were encoded, and nothing else of the data set has changed.

The pixels are known, the encoders other people's: DCMTK's, GDCM's, OpenJPEG's, OpenJPH's. Where a codec loses, what
DCMTK's own decoder makes of it is the measure.
"""
import dataclasses
import pathlib
import re
import shutil
import subprocess
import unittest

import pydicom

from support import base, pictures
from support.pictures import Picture
from support.process import build_folder, environment

EXPLICIT_LITTLE, IMPLICIT_LITTLE = '1.2.840.10008.1.2.1', '1.2.840.10008.1.2'

GREY_8 = Picture(8, 8)
GREY_8_ODD = Picture(8, 8, frames=3)
GREY_8_SIGNED = Picture(8, 8, signed=True)
GREY_16 = Picture(16, 16)
GREY_12 = Picture(16, 12, frames=2)
SIGNED_16 = Picture(16, 16, signed=True)
SIGNED_12 = Picture(16, 12, signed=True)
GREY_32 = Picture(32, 32)
RGB_8 = Picture(8, 8, samples=3, photometric='RGB', frames=2)
RGB_16 = Picture(16, 16, samples=3, photometric='RGB')
RGB_32 = Picture(32, 32, samples=3, photometric='RGB', frames=2)
YBR_8 = Picture(8, 8, samples=3, photometric='YBR_FULL')
PALETTE = Picture(8, 8, photometric='PALETTE COLOR')

# What may differ between what lies there and what comes out, beside Pixel Data.
MAY_CHANGE = {'PhotometricInterpretation', 'PlanarConfiguration', 'BitsAllocated'}


class DecodedPixels(base.ProgramTest):
    """Files converted by the way that the sender takes."""

    def convert(self, path, syntax=EXPLICIT_LITTLE):
        """The converted file, read; or the text that says why it is none."""
        output = self.folder / 'converted.dcm'
        output.unlink(missing_ok=True)
        done = subprocess.run([build_folder() / 'tests' / 'support' / 'recode', path, syntax, output], timeout=60,
                              capture_output=True, text=True, env=environment(), check=False)
        if done.returncode != 0:
            self.assertEqual(done.returncode, 1, done.stderr)
            return done.stderr.strip()
        return pydicom.dcmread(output)

    def assert_rest_is_unchanged(self, path, converted):
        stored = pydicom.dcmread(path)
        self.assertEqual([element.tag for element in stored], [element.tag for element in converted])
        for element in stored:
            if element.keyword not in MAY_CHANGE and element.keyword != 'PixelData':
                self.assertEqual(element.value, converted[element.tag].value, element)

    def assert_decodes(self, picture, path, photometric=None, syntax=EXPLICIT_LITTLE):
        converted = self.convert(path, syntax)
        self.assertIsInstance(converted, pydicom.Dataset, (picture, converted))
        self.assertEqual(converted.file_meta.TransferSyntaxUID, syntax)
        self.assertEqual(converted.PixelData.hex(), picture.pack(picture.numbers()).hex(), picture)
        self.assertEqual(converted.PhotometricInterpretation, photometric or picture.photometric)
        self.assertEqual(converted['PixelData'].VR, 'OW' if picture.bits_allocated > 8 or
                         syntax == IMPLICIT_LITTLE else 'OB')
        if picture.samples > 1:
            self.assertEqual(converted.PlanarConfiguration, 0)
        self.assert_rest_is_unchanged(path, converted)

    def encode(self, picture, *command, planar=0):
        """The picture as a program makes it of a native file."""
        native, coded = self.folder / 'native.dcm', self.folder / 'coded.dcm'
        coded.unlink(missing_ok=True)
        picture.write_native(native, planar)
        pictures.run(*command, native, coded)
        self.assertNotEqual(pydicom.dcmread(coded, stop_before_pixels=True).file_meta.TransferSyntaxUID,
                            EXPLICIT_LITTLE)
        return coded


class Lossless(DecodedPixels):
    def test_rle_of_dcmtk(self):
        for picture in (GREY_8, GREY_8_ODD, GREY_8_SIGNED, GREY_16, GREY_12, SIGNED_16, SIGNED_12, GREY_32, RGB_8,
                        RGB_16, RGB_32, YBR_8, PALETTE):
            for planar in (0, 1) if picture.samples > 1 else (0,):
                with self.subTest(picture=picture, planar=planar):
                    self.assert_decodes(picture, self.encode(picture, 'dcmcrle', planar=planar))

    def test_jpeg_of_dcmtk(self):
        for option in ('+e1', '+el'):
            for picture in (GREY_8, GREY_8_ODD, GREY_16, GREY_12, SIGNED_16, SIGNED_12, RGB_8, YBR_8, PALETTE):
                with self.subTest(option=option, picture=picture):
                    self.assert_decodes(picture, self.encode(picture, 'dcmcjpeg', option))
            # One frame: of more, dcmcjpeg mixes up the planes.
            with self.subTest(option=option, planar=1):
                one = dataclasses.replace(RGB_8, frames=1)
                self.assert_decodes(one, self.encode(one, 'dcmcjpeg', option, planar=1))

    def test_jpeg_ls_of_dcmtk(self):
        for picture in (GREY_8, GREY_8_ODD, GREY_16, GREY_12, SIGNED_16, SIGNED_12, RGB_8, RGB_16, PALETTE):
            # With colour by plane, of words, dcmcjpls writes what it cannot read either.
            for option in ('+il',) if picture.samples == 1 else ('+iv', '+il', '+is', '+in')[:4 if picture == RGB_8 else 3]:
                with self.subTest(option=option, picture=picture):
                    self.assert_decodes(picture, self.encode(picture, 'dcmcjpls', '+el', option))

    def test_syntaxes_of_gdcm(self):
        for option, pictures_of in (
                ('--rle', (dataclasses.replace(GREY_8, rows=30, columns=40), GREY_16, GREY_12, SIGNED_16, RGB_8)),
                ('--jpeg', (GREY_8, GREY_8_ODD, GREY_16, GREY_12, RGB_8)),
                ('--jpegls', (GREY_8, GREY_16, GREY_12, RGB_8)),
                ('--j2k', (GREY_8, GREY_8_ODD, GREY_16, GREY_12, SIGNED_16, SIGNED_12, RGB_8))):
            for picture in pictures_of:
                with self.subTest(option=option, picture=picture):
                    self.assert_decodes(picture, self.encode(picture, 'gdcmconv', option))

    def test_jpeg_2000_of_openjpeg(self):
        for picture in (GREY_8, GREY_8_ODD, GREY_8_SIGNED, GREY_16, GREY_12, SIGNED_16, SIGNED_12, PALETTE, RGB_16):
            with self.subTest(picture=picture):
                streams = pictures.open_jpeg(picture, self.folder)
                coded = picture.write_encapsulated(self.folder / 'coded.dcm', pictures.JPEG_2000, streams)
                self.assert_decodes(picture, coded)
        streams = pictures.open_jpeg(RGB_8, self.folder)
        coded = RGB_8.write_encapsulated(self.folder / 'coded.dcm', pictures.JPEG_2000, streams, 'YBR_RCT')
        self.assert_decodes(RGB_8, coded, 'RGB')

    @unittest.skipUnless(shutil.which('ojph_compress'), 'openjph-tools is not installed')
    def test_htj2k_of_openjph(self):
        for picture in (GREY_8, GREY_8_ODD, GREY_16, GREY_12, RGB_8):
            with self.subTest(picture=picture):
                streams = pictures.open_jph(picture, self.folder)
                coded = picture.write_encapsulated(self.folder / 'coded.dcm', pictures.HTJ2K, streams,
                                                   'YBR_RCT' if picture.samples > 1 else None)
                self.assert_decodes(picture, coded, picture.photometric)

    def test_other_syntaxes_that_it_goes_out_in(self):
        self.assert_decodes(GREY_12, self.encode(GREY_12, 'dcmcrle'), syntax=IMPLICIT_LITTLE)
        self.assert_decodes(RGB_8, self.encode(RGB_8, 'dcmcrle'), syntax=IMPLICIT_LITTLE)


class Lossy(DecodedPixels):
    """The same samples as DCMTK's programs decode, without converting colours."""

    def assert_decodes_as(self, path, command, photometric):
        decoded = self.folder / 'decoded.dcm'
        pictures.run(*command, path, decoded)
        converted = self.convert(path)
        self.assertIsInstance(converted, pydicom.Dataset, converted)
        self.assertEqual(converted.PixelData.hex(), pydicom.dcmread(decoded).PixelData.hex())
        self.assertEqual(converted.PhotometricInterpretation, photometric)
        self.assertEqual(converted.LossyImageCompression, '01')
        self.assert_rest_is_unchanged(path, converted)

    def test_jpeg(self):
        decode = ('dcmdjpeg', '+cn', '+px')
        self.assert_decodes_as(self.encode(GREY_8_ODD, 'dcmcjpeg', '+eb'), decode, 'MONOCHROME2')
        self.assert_decodes_as(self.encode(Picture(16, 12), 'dcmcjpeg', '+ee'), decode, 'MONOCHROME2')
        for option, photometric in (('+s4', 'YBR_FULL'), ('+s2', 'YBR_FULL'), ('+n2', 'YBR_FULL')):
            with self.subTest(option=option):
                self.assert_decodes_as(self.encode(RGB_8, 'dcmcjpeg', '+eb', '+cy', option), decode, photometric)
        self.assert_decodes_as(self.encode(RGB_8, 'dcmcjpeg', '+eb', '+cr'), decode, 'RGB')

    def test_jpeg_ls(self):
        for picture in (GREY_8, GREY_12, RGB_8):
            with self.subTest(picture=picture):
                coded = self.encode(picture, 'dcmcjpls', '+en', '+md', '3')
                self.assert_decodes_as(coded, ('dcmdjpls',), picture.photometric)
                converted = self.convert(coded).PixelData
                size = picture.bits_allocated // 8
                for at, number in enumerate(picture.numbers()):
                    self.assertLessEqual(abs(int.from_bytes(converted[at * size:at * size + size], 'little') - number), 3)


class HeaderAndStream(DecodedPixels):
    """Where the header and the stream do not say the same."""

    def jpeg_2000(self, picture, photometric=None, **changes):
        streams = pictures.open_jpeg(picture, self.folder)
        return picture.write_encapsulated(self.folder / 'coded.dcm', pictures.JPEG_2000, streams, photometric, **changes)

    def assert_refused(self, path, text):
        self.assertTrue(str(self.convert(path)).endswith(text), self.convert(path))

    def test_what_contradicts(self):
        self.assert_refused(self.jpeg_2000(SIGNED_12, PixelRepresentation=0),
                            "the stream's samples are signed, the data set says unsigned")
        self.assert_refused(self.jpeg_2000(GREY_12, PixelRepresentation=1),
                            "frame 1 of 2: the stream's samples are unsigned, the data set says signed")
        self.assert_refused(self.jpeg_2000(dataclasses.replace(RGB_8, frames=1), 'YBR_FULL'),
                            'the stream has a component transformation, the data set says YBR_FULL')
        self.assert_refused(self.jpeg_2000(GREY_16, Rows=30),
                            'the stream has 29 rows and 37 columns, the data set says 30 and 37')
        self.assert_refused(self.jpeg_2000(GREY_16, BitsAllocated=8, BitsStored=8, HighBit=7),
                            'the stream has 16 bits a sample, the data set says 8 bits allocated')
        coded = self.encode(dataclasses.replace(RGB_8, frames=1), 'dcmcjpeg', '+eb', '+cy')
        data = pydicom.dcmread(coded)
        data.PhotometricInterpretation = 'RGB'
        data.save_as(coded)
        self.assert_refused(coded, 'the stream says that its colours are YCbCr, the data set says RGB')

    def test_what_is_too_much_or_nothing(self):
        self.assert_refused(self.jpeg_2000(GREY_16, Rows=65535, Columns=65535),
                            'a frame has 8191 MiB uncompressed, more than the 1,024 that are decoded')
        self.assert_refused(self.jpeg_2000(GREY_16, NumberOfFrames=2000000),
                            '1 fragments cannot be matched to 2000000 frames')
        self.assert_refused(self.jpeg_2000(GREY_16, NumberOfFrames=3000000),
                            'uncompressed Pixel Data has 6139 MiB, more than the 4 GiB - 2 that are possible')
        self.assert_refused(self.jpeg_2000(GREY_16, NumberOfFrames=2), '1 fragments cannot be matched to 2 frames')
        self.assert_refused(self.jpeg_2000(GREY_16, BitsAllocated=1, BitsStored=1, HighBit=0),
                            'Bits Allocated is 1, and not 8, 12, 16 or 32')

    def test_12_bits_allocated(self):
        coded = self.jpeg_2000(Picture(16, 12), BitsAllocated=12)
        converted = self.convert(coded)
        self.assertEqual((converted.BitsAllocated, converted.BitsStored, converted.HighBit), (16, 12, 11))
        self.assertEqual(converted.PixelData, Picture(16, 12).pack(Picture(16, 12).numbers()))
        self.assert_rest_is_unchanged(coded, converted)

    def test_8_bits_in_words(self):
        """A stream of fewer bits than are allocated: the samples are the same numbers."""
        coded = self.encode(GREY_8, 'dcmcjpeg', '+e1')
        data = pydicom.dcmread(coded)
        data.BitsAllocated = 16
        data.save_as(coded)
        expected = b''.join(bytes((number, 0)) for number in GREY_8.numbers())
        self.assertEqual(self.convert(coded).PixelData, expected)


class WhatCodecsMakeUp(DecodedPixels):
    """Streams of which a part is missing, where the codec alone would say nothing and fill in black."""

    def write(self, stream):
        return GREY_8.write_encapsulated(self.folder / 'coded.dcm', pictures.JPEG_2000, [bytes(stream)])

    def parts_of(self, *arguments):
        """A codestream and where its tile-parts begin."""
        stream, = pictures.open_jpeg(GREY_8, self.folder, *arguments)
        return stream, [match.start() for match in re.finditer(b'\xff\x90\x00\x0a', stream)]

    def assert_refused(self, stream, text):
        converted = self.convert(self.write(stream))
        self.assertTrue(str(converted).endswith(text), converted)

    def test_tiles_of_jpeg_2000(self):
        stream, parts = self.parts_of('-t', '20,20')
        self.assertEqual(len(parts), 4)
        self.assert_decodes(GREY_8, self.write(stream))
        self.assert_refused(stream[:parts[3]] + b'\xff\xd9', 'tile 3 of 4 is missing')
        self.assert_refused(stream[:parts[0]] + stream[parts[1]:], 'tile 0 of 4 is missing')
        self.assert_refused(stream[:parts[3]], 'tile 3 of 4 is missing')
        self.assert_refused(stream[:-40], 'Tile part length size inconsistent with stream length')

    def test_tile_parts_of_jpeg_2000(self):
        stream, parts = self.parts_of('-TP', 'R')
        self.assertEqual(len(parts), 3)
        self.assert_decodes(GREY_8, self.write(stream))
        self.assert_refused(stream[:parts[2]] + b'\xff\xd9', 'tile 0 has 2 of its 3 parts')

    def test_jpeg_2000_that_only_lacks_its_end(self):
        stream, _ = self.parts_of('-t', '20,20')
        self.assertEqual(stream[-2:], b'\xff\xd9')
        self.assert_decodes(GREY_8, self.write(stream[:-2]))
        self.assert_decodes(GREY_8, self.write(stream[:-2] + b'\0'))

    def test_jpeg_2000_in_a_file_of_its_own(self):
        """A JP2 file where the codestream alone belongs."""
        raw, coded = self.folder / 'picture.raw', self.folder / 'picture.jp2'
        raw.write_bytes(GREY_8.raw_frames()[0])
        pictures.run('opj_compress', '-i', raw, '-o', coded, '-n', '3', '-F', f'{GREY_8.columns},{GREY_8.rows},1,8,u')
        self.assert_decodes(GREY_8, self.write(coded.read_bytes()))

    def test_scans_of_jpeg(self):
        coded = self.encode(dataclasses.replace(RGB_8, frames=1), 'dcmcjpeg', '+eb', '+cr')
        data = coded.read_bytes()
        at = data.index(b'\xff\xda\x00\x0c\x03')
        coded.write_bytes(data[:at] + b'\xff\xda\x00\x0a\x02' + data[at + 5:at + 9] + data[at + 11:])
        fragment = data.rindex(b'\xfe\xff\x00\xe0', 0, at)
        changed = bytearray(coded.read_bytes())
        length = int.from_bytes(changed[fragment + 4:fragment + 8], 'little')
        changed[fragment + 4:fragment + 8] = (length - 2).to_bytes(4, 'little')
        coded.write_bytes(changed)
        converted = self.convert(coded)
        self.assertTrue(str(converted).endswith('component 3 of 3 is in no scan of the JPEG stream'), converted)


class RealFiles(DecodedPixels):
    def test_rle_twins(self):
        """Files of python3-pydicom that lie there both compressed and not."""
        folder = pathlib.Path(pydicom.__file__).parent / 'data' / 'test_files'
        for coded, native in (('MR_small_RLE.dcm', 'MR_small.dcm'), ('MR_small_jp2klossless.dcm', 'MR_small.dcm'),
                              ('MR_small_jpeg_ls_lossless.dcm', 'MR_small.dcm'), ('rtdose_rle.dcm', 'rtdose.dcm'),
                              ('rtdose_rle_1frame.dcm', 'rtdose_1frame.dcm')):
            with self.subTest(coded=coded):
                self.assertEqual(self.convert(folder / coded).PixelData, pydicom.dcmread(folder / native).PixelData)

    def test_an_icon_that_is_compressed(self):
        coded = self.encode(GREY_8, 'dcmcjpeg', '+e1')
        data = pydicom.dcmread(coded)
        icon = pydicom.Dataset()
        icon.SamplesPerPixel, icon.Rows, icon.Columns, icon.BitsAllocated = 1, 29, 37, 8
        icon.PixelData = data.PixelData
        icon['PixelData'].VR, icon['PixelData'].is_undefined_length = 'OB', True
        data.IconImageSequence = [icon]
        data.save_as(coded)
        self.assertIn('an image inside a sequence, such as an icon, is compressed too', str(self.convert(coded)))
