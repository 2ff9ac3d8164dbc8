"""Files in every transfer syntax to peers that take some: what may be converted arrives with the same pixels, in the
syntax that comes first; what may not fails as unsupported, with its class, its syntax and what the peer does take.

The syntaxes that a peer accepts are those that its manual, or its configuration, says.
"""
import collections
import pathlib
import re
import shutil
import tempfile
import unittest

from support import conversions, datasets, encoders, images, peers, programs
from support.base import ProgramTest

STUDY = '1.2.826.0.1.3680043.2.135.1066.7.78'
IMAGE = images.BY_NAME['mono8-frames']
CLASS = images.MULTIFRAME[8]

# They can become no other: MPEG-2, HEVC, JPEG XL, and one that nobody knows.
OPAQUE = ('1.2.840.10008.1.2.4.100', '1.2.840.10008.1.2.4.107', '1.2.840.10008.1.2.4.110',
          '1.2.826.0.1.3680043.2.135.1066.7.99')
STOCK = (images.EXPLICIT, images.IMPLICIT, images.BIG_ENDIAN)
# What DCMTK 3.6.7 knows and these tests make.
DCMTK = (*images.UNCOMPRESSED, images.RLE, images.JPEG_BASELINE, images.JPEG_EXTENDED, images.JPEG_LOSSLESS_SV1,
         images.JPEG_LS, images.JPEG_LS_NEAR, images.JPEG_2000_LOSSLESS, images.JPEG_2000, *OPAQUE[:2])

# storescp's options of the heading "preferred network transfer syntaxes": the one that is preferred is taken beside the
# uncompressed ones; +xi takes nothing else, +xa all that it knows.
STORESCP = {
    '+x=': STOCK,
    '+xe': STOCK,
    '+xb': STOCK,
    '+xi': (images.IMPLICIT,),
    '+xd': (images.DEFLATED, *STOCK),
    '+xs': (images.JPEG_LOSSLESS_SV1, *STOCK),
    '+xy': (images.JPEG_BASELINE, *STOCK),
    '+xx': (images.JPEG_EXTENDED, *STOCK),
    '+xv': (images.JPEG_2000_LOSSLESS, *STOCK),
    '+xw': (images.JPEG_2000, *STOCK),
    '+xt': (images.JPEG_LS, *STOCK),
    '+xu': (images.JPEG_LS_NEAR, *STOCK),
    '+xr': (images.RLE, *STOCK),
    '+xa': DCMTK,
}

File = conversions.File


def make_files(folder):
    """One file in each transfer syntax, all of the same pixels."""
    files = []
    for syntax, option in ((images.EXPLICIT, '+te'), (images.IMPLICIT, '+ti'), (images.BIG_ENDIAN, '+tb'),
                           (images.DEFLATED, '+td')):
        path = folder / f'{syntax}.dcm'
        images.native(path, IMAGE, STUDY)
        encoders.call('dcmconv', option, path, path)
        files.append(File(datasets.read_entry(path), IMAGE.pixels()))
    for encoder in encoders.OF_EACH_SYNTAX:
        encoded = encoders.encode(folder, IMAGE, encoder, STUDY)
        files.append(File(encoded.entry, encoder.like(encoded.path).values if encoder.like else
                          encoders.dcmdjpls(encoded.path).values if encoder.near else IMAGE.pixels()))
    for syntax in OPAQUE:
        path, source = folder / f'{syntax}.dcm', folder / 'native'
        encoders.replace_pixels(images.native(source, IMAGE, STUDY), path, syntax, [b'nobody can read this'])
        source.unlink()
        files.append(File(datasets.read_entry(path), None))
    return files


class Matrix(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.source = pathlib.Path(tempfile.mkdtemp(prefix='dicom-syntaxes-'))
        cls.addClassCleanup(shutil.rmtree, cls.source, ignore_errors=True)
        cls.files = make_files(cls.source)

    def send(self, peer, *options):
        return programs.run_sender(self.source, port=peer.port, ae_title=getattr(peer, 'ae_title', 'ANY-SCP'),
                                   options=options)

    def check(self, run, kept, accepted, transcode='lossless'):
        """kept: {SOP Instance UID: path} of what has arrived."""
        self.assertEqual(run.total('files'), len(self.files), run)
        self.assertEqual(run.summary['totals']['failed'] + run.total('stored'), len(self.files), run)
        for file in self.files:
            entry = file.entry
            with self.subTest(file=entry.name):
                syntax = conversions.expected(entry.syntax_uid, accepted, transcode)
                if syntax is None:
                    self.check_refused(run, entry, accepted)
                    self.assertNotIn(entry.instance_uid, kept)
                    continue
                self.assertIn(entry.instance_uid, kept, run)
                self.check_arrived(file, kept[entry.instance_uid], syntax)
        return len(kept)

    def check_refused(self, run, entry, accepted):
        self.assertEqual(run.reason(entry.path), 'failed: unsupported')
        text = run.problem(entry.path)['text']
        for uid in (CLASS, entry.syntax_uid):
            self.assertRegex(text, rf'(?<![\d.]){re.escape(uid)}(?![\d.])')
        offered = {other.entry.syntax_uid for other in self.files} | {*images.UNCOMPRESSED}
        taken = [uid for uid in accepted if uid in offered]
        named = [uid for uid in taken if re.search(rf'takes .*(?<![\d.]){re.escape(uid)}(?![\d.])', text)]
        more = re.search(r' and (\d+) more', text)
        self.assertEqual(len(named) + (int(more[1]) if more else 0), len(taken), f'what the peer does take: {text}')
        self.assertGreaterEqual(len(named), min(len(taken), 6))

    def check_arrived(self, file, path, syntax):
        meta, data_set = datasets.split_part10(path.read_bytes())
        self.assertEqual(meta[0x10], syntax)
        if syntax == file.entry.syntax_uid:
            self.assertTrue(datasets.same_data_set(file.entry.data_set, data_set), 'not as it lies')
            return
        conversions.assert_only_pixels_changed(file.entry.path, path, syntax)
        self.assertLessEqual(images.greatest_difference(images.read_native(path).values, file.pixels),
                             1 if file.entry.syntax_uid in images.LOSSY else 0)


class ToStorescp(Matrix):
    def arrive(self, peer, accepted, transcode='lossless'):
        with peer:
            run = self.send(peer, '--transcode', transcode)
            kept = {}
            for path in peer.received():
                kept[datasets.split_part10(path.read_bytes())[0][0x03]] = path
            self.check(run, kept, accepted, transcode)

    def test_each_preference(self):
        for option, accepted in STORESCP.items():
            with self.subTest(peer=option):
                self.arrive(peers.Storescp(option, '--promiscuous', stock=True), accepted)

    def test_each_level_of_transcode(self):
        for option in ('+x=', '+xi'):
            for transcode in conversions.LEVELS:
                with self.subTest(peer=option, transcode=transcode):
                    self.arrive(peers.Storescp(option, '--promiscuous', stock=True), STORESCP[option], transcode)

    def test_one_syntax_alone(self):
        for syntax in (*images.UNCOMPRESSED, images.JPEG_LOSSLESS_SV1, images.JPEG_2000):
            with self.subTest(only=syntax):
                self.arrive(peers.SelectiveStorescp([CLASS], [syntax]), (syntax,))


class ToOrthanc(Matrix):
    """Orthanc parses what it receives; what is compared are values and pixels."""

    def arrive(self, accepted, transcode='lossless'):
        peer = self.start(peers.Orthanc(AcceptedTransferSyntaxes=list(accepted)))
        run = self.send(peer, '--transcode', transcode)
        kept = {}
        for instance_uid, number in peer.instances().items():
            kept[instance_uid] = self.folder / instance_uid
            kept[instance_uid].write_bytes(peer.file(number))
        self.check(run, kept, accepted, transcode)

    def check_arrived(self, file, path, syntax):
        self.assertEqual(datasets.split_part10(path.read_bytes())[0][0x10], syntax)
        if syntax in images.UNCOMPRESSED:
            self.assertLessEqual(images.greatest_difference(images.read_native(path).values, file.pixels),
                                 1 if file.entry.syntax_uid in images.LOSSY else 0)

    def test_explicit_alone(self):
        self.arrive((images.EXPLICIT,), 'lossy')

    def test_implicit_alone(self):
        self.arrive((images.IMPLICIT,))

    def test_big_endian_alone(self):
        self.arrive((images.BIG_ENDIAN,))

    def test_jpeg_alone(self):
        self.arrive((images.JPEG_BASELINE, images.JPEG_EXTENDED, images.JPEG_LOSSLESS, images.JPEG_LOSSLESS_SV1))

    def test_jpeg_2000_and_implicit(self):
        self.arrive((images.JPEG_2000_LOSSLESS, images.JPEG_2000, images.IMPLICIT))

    def test_jpeg_ls_and_rle_and_explicit(self):
        self.arrive((images.JPEG_LS, images.JPEG_LS_NEAR, images.RLE, images.EXPLICIT), 'uncompressed')


class ToReceiver(Matrix):
    def arrive(self, accepted, transcode='lossless', *options):
        receiver = programs.Receiver('--accept-syntaxes', ','.join(accepted))
        with receiver:
            run = self.send(receiver, '--transcode', transcode, *options)
            self.check(run, {path.stem: path for path in receiver.files()}, accepted, transcode)

    def test_each_syntax_alone(self):
        for syntax in (*images.UNCOMPRESSED, *images.LOSSLESS, *images.LOSSY, *OPAQUE):
            with self.subTest(only=syntax):
                self.arrive((syntax,), 'lossy')

    def test_compressed_ones_beside_each_uncompressed_one(self):
        for syntax in images.UNCOMPRESSED:
            with self.subTest(beside=syntax):
                self.arrive((syntax, images.JPEG_LOSSLESS_SV1, images.JPEG_2000, images.HTJ2K_LOSSLESS))

    def test_all(self):
        """Nothing is converted that need not be."""
        self.arrive((*images.UNCOMPRESSED, *images.LOSSLESS, *images.LOSSY, *OPAQUE), 'lossy')


class UncompressedIntoFive(ProgramTest):
    """The four uncompressed forms of one image, to five peers that take only some of them: twenty stores, of which others
    manage fewer. Each is counted by what the peer has got."""

    def setUp(self):
        super().setUp()
        self.source = self.subfolder('source')
        for name, option in (('explicit', '+te'), ('implicit', '+ti'), ('big', '+tb'), ('deflated', '+td')):
            path = images.native(self.source / f'{name}.dcm', images.BY_NAME['mono12'], STUDY)
            encoders.call('dcmconv', option, path, path)

    def ours(self, peer):
        run = programs.run_sender(self.source, port=peer.port, ae_title=peer.ae_title)
        self.assertEqual((run.exit_code, run.total('stored')), (0, 4), run)

    def dcmsend(self, peer):
        peers.run_client('dcmsend', '-nh', '+sd', '-aec', peer.ae_title, '127.0.0.1', peer.port, self.source)

    def storescu(self, peer):
        peers.run_client('storescu', '-nh', '+sd', '-aec', peer.ae_title, '127.0.0.1', peer.port, self.source)

    def test_twenty_of_twenty(self):
        stored = collections.Counter()
        for accepted in (*((syntax,) for syntax in images.UNCOMPRESSED), (images.EXPLICIT, images.IMPLICIT)):
            for send in (self.ours, self.dcmsend, self.storescu):
                with peers.SelectiveStorescp([images.SECONDARY_CAPTURE], accepted) as peer:
                    send(peer)
                    stored[send.__name__] += len(peer.received())
        print(f'\nof 20 uncompressed files stored: {dict(stored)}', flush=True)
        self.assertEqual(stored['ours'], 20)
        self.assertLess(max(stored['dcmsend'], stored['storescu']), 20)


if __name__ == '__main__':
    unittest.main()
