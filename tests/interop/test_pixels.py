"""Compressed files of known pixels to a peer that takes uncompressed ones alone: the pixels that arrive are those that
the encoder was given, or, if it loses some, those that a decoder of others finds."""
import pathlib
import shutil
import tempfile
import unittest

from pydicom.encaps import encapsulate_extended

from support import conversions, datasets, encoders, images, programs, walked
from support.base import ProgramTest

STUDY = '1.2.826.0.1.3680043.2.135.1066.7.77'


def vr_of_pixels(path):
    meta, data_set = datasets.split_part10(path.read_bytes())
    return next(vr for where, vr, _ in walked.elements(data_set, meta[0x10]) if where == (0x7FE00010,))


class Encodings(ProgramTest):
    """Every image in every encoding there is of it, made once."""

    @classmethod
    def setUpClass(cls):
        cls.source = pathlib.Path(tempfile.mkdtemp(prefix='dicom-encoded-'))
        cls.addClassCleanup(shutil.rmtree, cls.source, ignore_errors=True)
        cls.decoded = {}
        cls.encoded = [encoders.encode(cls.source, image, encoder, STUDY)
                       for image in images.IMAGES for encoder in encoders.ENCODERS if encoder.takes(image)]

    def assert_same_pixels(self, of, found):
        """What arrived is what was encoded, in the form that the other elements say."""
        image, encoder = of.image, of.encoder
        self.assertEqual((found.allocated, found.signed, found.samples, found.frames, found.planar),
                         (*self.form(of), image.samples, image.frames, 0))
        if encoder.exact or encoder.near is not None:
            self.assertEqual((found.photometric, found.stored), (image.photometric, image.stored))
            most = images.greatest_difference(found.values, image.pixels())
            self.assertLessEqual(most, encoder.near or 0, 'samples are not those that were encoded')
            return
        reference = self.reference(of)
        ours, theirs = found.values, reference.values
        if found.photometric != reference.photometric:
            ours, theirs = images.to_rgb(found.photometric, ours), images.to_rgb(reference.photometric, theirs)
        self.assertLessEqual(images.greatest_difference(ours, theirs), encoder.off, reference.photometric)

    def reference(self, of):
        """What a decoder of others makes of it."""
        if of.path not in self.decoded:
            self.decoded[of.path] = of.encoder.like(of.path)
        return self.decoded[of.path]

    def form(self, of):
        """Bits Allocated and sign, which the encoder may have changed."""
        header = conversions.header(of.path)
        return int(header.BitsAllocated), header.PixelRepresentation == 1

    def arrive(self, syntax_uid, *options):
        receiver = self.start(programs.Receiver('--accept-syntaxes', syntax_uid))
        run = programs.run_sender(self.source, port=receiver.port, threads=2,
                                  options=['--transcode', 'lossy', *options])
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(self.encoded)), run)
        for of in self.encoded:
            with self.subTest(file=of.path.name):
                path = receiver.output / f'{of.entry.instance_uid}.dcm'
                conversions.assert_only_pixels_changed(of.path, path, syntax_uid)
                self.assert_same_pixels(of, images.read_native(path))
                if syntax_uid != images.IMPLICIT:
                    self.assertEqual(vr_of_pixels(path), 'OB' if self.form(of)[0] == 8 else 'OW')

    def test_to_explicit(self):
        self.arrive(images.EXPLICIT)

    def test_to_implicit(self):
        self.arrive(images.IMPLICIT)

    def test_to_big_endian(self):
        self.arrive(images.BIG_ENDIAN, '-xb')

    def test_the_encoders_cover_every_syntax(self):
        self.assertEqual({of.entry.syntax_uid for of in self.encoded}, {*images.LOSSLESS, *images.LOSSY})
        self.assertGreater(len(self.encoded), 300)


class OffsetTables(ProgramTest):
    def test_an_extended_one_goes_and_what_was_lost_stays_lost(self):
        source = self.subfolder('source')
        image = images.BY_NAME['mono8-frames']
        encoded = encoders.encode(source, image, encoders.BY_NAME['dcmcrle'], STUDY)
        dataset, frames = encoders.codestreams(encoded.path)
        dataset.PixelData, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = encapsulate_extended(frames)
        dataset['PixelData'].is_undefined_length = True
        lost = {'LossyImageCompression': '01', 'LossyImageCompressionRatio': '7',
                'LossyImageCompressionMethod': 'ISO_15444_1'}
        for keyword, value in lost.items():
            setattr(dataset, keyword, value)
        dataset.save_as(encoded.path, write_like_original=False)
        receiver = self.start(programs.Receiver('--accept-syntaxes', images.IMPLICIT))
        run = programs.run_sender(source, port=receiver.port)
        self.assertEqual(run.exit_code, 0, run)
        path, = receiver.files()
        found = conversions.header(path)
        self.assertNotIn('ExtendedOffsetTable', found)
        self.assertNotIn('ExtendedOffsetTableLengths', found)
        self.assertEqual({keyword: str(found[keyword].value) for keyword in lost}, lost)
        self.assertEqual(tuple(images.read_native(path).values), image.pixels())


class RealFiles(ProgramTest):
    """The compressed files of python3-pydicom: as they are found in the world."""

    decoders = {images.RLE: encoders.unpack_rle, images.JPEG_BASELINE: encoders.dcmdjpeg,
                images.JPEG_EXTENDED: encoders.dcmdjpeg, images.JPEG_LOSSLESS_SV1: encoders.dcmdjpeg,
                images.JPEG_LS: encoders.dcmdjpls, images.JPEG_2000_LOSSLESS: encoders.opj_decompress,
                images.JPEG_2000: encoders.opj_decompress}
    # The same image, not compressed, in a file of its own.
    twins = {'MR_small_RLE.dcm': 'MR_small.dcm', 'MR_small_jp2klossless.dcm': 'MR_small.dcm',
             'MR_small_jpeg_ls_lossless.dcm': 'MR_small.dcm', 'rtdose_rle.dcm': 'rtdose.dcm',
             'rtdose_rle_1frame.dcm': 'rtdose_1frame.dcm'}
    # No decoder reads the one; the other's samples are signed or not, depending on whom one believes.
    undecodable = {'JPEG2000-embedded-sequence-delimiter.dcm': 'no JPEG 2000 stream',
                   'J2K_pixelrep_mismatch.dcm': "the stream's samples are unsigned, the data set says signed"}

    def test_to_explicit(self):
        count = 0
        for number, batch in enumerate(datasets.batches()):
            entries = [entry for entry in batch if entry.syntax_uid not in images.UNCOMPRESSED]
            if not entries:
                continue
            folder = self.subfolder(f'batch{number}')
            entries = datasets.copy_files(entries, folder)
            receiver = self.start(programs.Receiver('--accept-syntaxes', images.EXPLICIT))
            run = programs.run_sender(folder, port=receiver.port, options=['--transcode', 'lossy'])
            for entry in entries:
                with self.subTest(file=entry.name):
                    count += self.check(run, entry, receiver.output / f'{entry.instance_uid}.dcm')
        self.assertGreaterEqual(count, 29)

    def check(self, run, entry, path):
        if entry.name in self.undecodable:
            self.assertEqual(run.reason(entry.path), 'failed: undecodable')
            self.assertIn(self.undecodable[entry.name], run.problem(entry.path)['text'])
            self.assertFalse(path.exists())
            return 0
        conversions.assert_only_pixels_changed(entry.path, path, images.EXPLICIT)
        found = images.read_native(path)
        if entry.name in self.twins:
            twin = images.read_native(datasets.find(self.twins[entry.name]).path)
            self.assertEqual(found.values, twin.values)
        reference = self.decoders[entry.syntax_uid](entry.path)
        ours, theirs = found.values, reference.values
        if found.photometric != reference.photometric:
            ours, theirs = images.to_rgb(found.photometric, ours), images.to_rgb(reference.photometric, theirs)
        self.assertLessEqual(images.greatest_difference(ours, theirs), 1)
        return 1


if __name__ == '__main__':
    unittest.main()
