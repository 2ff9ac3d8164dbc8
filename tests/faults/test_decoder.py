"""Compressed files that are damaged, and decoders that are killed or are none: a file fails, and costs nobody else."""
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import time

import pydicom

from support import base, network, pictures, process, programs
from support.pictures import Picture

EXPLICIT_LITTLE = '1.2.840.10008.1.2.1'
COPIES = 300

# What a frame may not end with: what no codec says, but a fault of the decoder's own code or of its protocol does.
FAULTS = re.compile(r'exit code|not to be trusted|did not come to an end')


def seeds(folder):
    """Small files in each kind of compression, by name."""
    made = {}
    grey, colour = Picture(16, 12, rows=64, columns=64), Picture(8, 8, samples=3, photometric='RGB', frames=3)
    native = {'grey': grey.write_native(folder / 'grey.dcm'), 'colour': colour.write_native(folder / 'colour.dcm')}
    for name, command in {'jpeg_baseline': ('dcmcjpeg', '+eb'), 'jpeg_lossless': ('dcmcjpeg', '+e1'),
                          'jpeg_ls': ('dcmcjpls', '+el'), 'rle': ('dcmcrle',)}.items():
        for kind in native if name != 'jpeg_baseline' else ('colour',):
            made[f'{name}_{kind}'] = folder / f'{name}_{kind}.dcm'
            pictures.run(*command, native[kind], made[f'{name}_{kind}'])
    for name, syntax, encode in (('jpeg_2000', pictures.JPEG_2000, pictures.open_jpeg),
                                 ('htj2k', pictures.HTJ2K, pictures.open_jph)):
        for kind, picture in (('grey', grey), ('colour', colour)):
            made[f'{name}_{kind}'] = picture.write_encapsulated(
                folder / f'{name}_{kind}.dcm', syntax, encode(picture, folder), 'YBR_RCT' if kind == 'colour' else None)
    return made


def damage(data, source):
    """The file with bytes flipped, cut out or put in, or with other lengths, behind its meta information."""
    data = bytearray(data)
    first = 132 + 200
    pixels = max(data.find(b'\xe0\x7f\x10\x00'), first)
    kind = source.randrange(6)
    if kind == 0:    # bits of the pixels
        for _ in range(source.randrange(1, 12)):
            data[source.randrange(pixels, len(data))] ^= 1 << source.randrange(8)
    elif kind == 1:    # near the beginning of a frame, where the codecs have their headers
        for _ in range(source.randrange(1, 4)):
            data[min(pixels + source.randrange(160), len(data) - 1)] = source.randrange(256)
    elif kind == 2:    # the last fragment ends early: its length says so, and so all else is right
        at = data.rfind(b'\xfe\xff\x00\xe0')
        length = struct.unpack_from('<I', data, at + 4)[0]
        left = source.randrange(length // 2) * 2
        struct.pack_into('<I', data, at + 4, left)
        del data[at + 8 + left:at + 8 + length]
    elif kind == 3:    # the file ends early
        del data[source.randrange(pixels, len(data)):]
    elif kind == 4:    # the length of an item is another
        places = [match.start() for match in re.finditer(b'\xfe\xff\x00\xe0', data)]
        struct.pack_into('<I', data, source.choice(places) + 4, source.choice((0, 2, source.randrange(1 << 32))))
    else:    # what the header says of the image
        at = data.find(source.choice((b'\x28\x00\x10\x00US', b'\x28\x00\x11\x00US', b'\x28\x00\x02\x00US',
                                      b'\x28\x00\x00\x01US', b'\x28\x00\x01\x01US', b'\x28\x00\x03\x01US')))
        struct.pack_into('<H', data, at + 8, source.choice((0, 1, 3, 12, 16, 32, 255, source.randrange(1 << 16))))
    return bytes(data)


def decoders_of(pid):
    """The pids of the decoders that a process has."""
    found = []
    for folder in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            stat = (folder / 'stat').read_text()
        except OSError:
            continue
        name, rest = stat[stat.index('(') + 1:stat.rindex(')')], stat[stat.rindex(')') + 2:].split()
        if name == 'dicom-decoder' and int(rest[1]) == pid and rest[0] != 'Z':
            found.append(int(folder.name))
    return found


class DamagedFiles(base.ProgramTest):
    """300 of them, each decoded or refused, by one decoder after the other as the sender keeps them."""

    def make_copies(self):
        copies = []
        source = random.Random(20)
        made = seeds(self.subfolder('seeds'))
        folder = self.subfolder('damaged')
        for number in range(COPIES):
            name = sorted(made)[number % len(made)]
            data = made[name].read_bytes().replace(b'1.2.3.4.5.6\0', f'1.2.3.4.{number + 100}'.encode().ljust(12, b'\0'))
            copies.append(folder / f'{number:03}_{name}.dcm')
            copies[-1].write_bytes(damage(data, source))
        return folder, copies

    def test_each_is_decoded_or_refused(self):
        folder, copies = self.make_copies()
        done = subprocess.run([process.build_folder() / 'tests' / 'support' / 'recode', '--each', EXPLICIT_LITTLE,
                               *copies], capture_output=True, text=True, timeout=300, env=process.environment(),
                              check=False)
        self.assertEqual((done.returncode, process.fault_of(done.stderr)), (1, ''), done.stderr[-3000:])
        refused = done.stderr.splitlines()
        self.assertEqual(len(refused) + len(done.stdout.splitlines()), COPIES)
        self.assertGreater(len(refused), COPIES / 3, 'most damage is found')
        self.assertGreater(len(done.stdout.splitlines()), COPIES / 20, 'some is not, or has changed nothing')
        self.assertEqual([line for line in refused if FAULTS.search(line)], [])
        self.assert_the_sender_agrees(folder)

    def assert_the_sender_agrees(self, folder):
        peer = self.start(programs.Receiver('--accept-syntaxes', 'explicit'))
        run = programs.run_sender(folder, port=peer.port, threads=2, options=('--transcode', 'lossy'), timeout_s=300)
        programs.check_totals(run)
        self.assertEqual(run.total('files'), COPIES)
        self.assertEqual(run.total('stored') + run.total('failed') + run.total('skipped'), COPIES)
        self.assertIn('undecodable', {entry['reason'] for entry in run.problems().values()})
        self.assertNotIn('in_doubt', {entry['state'] for entry in run.problems().values()})
        self.assertEqual([entry for entry in run.problems().values() if FAULTS.search(str(entry))], [])


class KilledDecoders(base.ProgramTest):
    def test_killed_in_mid_file(self):
        """What was stored is right, what failed says that the decoder was killed, and nothing is left behind."""
        picture = Picture(16, 12, rows=256, columns=256, frames=20)
        native, coded = picture.write_native(self.folder / 'native.dcm'), self.folder / 'coded.dcm'
        pictures.run('dcmcjpeg', '+e1', native, coded)
        folder = self.subfolder('files')
        for number in range(24):
            data = coded.read_bytes().replace(b'1.2.3.4.5.6\0', f'1.2.3.4.{number + 100}'.encode().ljust(12, b'\0'))
            (folder / f'{number:02}.dcm').write_bytes(data)
        peer = self.start(programs.Receiver('--accept-syntaxes', 'explicit'))
        killed, seen = [], set()

        def kill(sender):
            while sender.poll() is None:
                time.sleep(0.4)
                for decoder in decoders_of(sender.pid):
                    seen.update(self.descriptors_of(decoder))
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(decoder, signal.SIGKILL)
                        killed.append(decoder)

        run = programs.run_sender(folder, port=peer.port, threads=2, timeout_s=300, during=kill)
        programs.check_totals(run)
        self.assertGreater(run.total('failed'), 0, f'no decoder was killed while it decoded, of {len(killed)}')
        self.assertEqual(run.total('stored') + run.total('failed'), 24)
        self.assertLessEqual(run.total('failed'), len(killed))
        for entry in run.problems().values():
            self.assertEqual(entry['reason'], 'undecodable')
            self.assertIn('the decoder was killed (signal 9)', str(entry))
        expected = pydicom.dcmread(native).PixelData
        kept = [path for path in peer.output.rglob('*') if path.is_file()]
        self.assertEqual(len(kept), run.total('stored'))
        for path in kept:
            self.assertEqual(pydicom.dcmread(path).PixelData, expected)
        self.assertEqual([pid for pid in killed if pathlib.Path(f'/proc/{pid}').exists()], [])
        self.assertLessEqual(len(seen), 4, seen)

    @staticmethod
    def descriptors_of(pid):
        """The numbers of its descriptors: its socket, two that lead nowhere, and a file."""
        try:
            return set(os.listdir(f'/proc/{pid}/fd'))
        except OSError:
            return set()


class BrokenInMidFile(base.ProgramTest):
    def test_others_pay_nothing(self):
        """The third of five frames is broken: half of the file has gone out when that shows."""
        picture = Picture(16, 12, rows=128, columns=128, frames=5)
        native, coded = picture.write_native(self.folder / 'native.dcm'), self.folder / 'coded.dcm'
        pictures.run('dcmcrle', native, coded)
        folder = self.subfolder('files')
        for number in range(9):
            data = bytearray(coded.read_bytes().replace(b'1.2.3.4.5.6\0', f'1.2.3.4.{number + 100}'.encode() + b'\0'))
            if number == 4:
                third = [match.start() for match in re.finditer(b'\xfe\xff\x00\xe0', data)][3]
                data[third + 8] = 3    # segments
            (folder / f'{number}.dcm').write_bytes(data)
        for options in ((), ('--window', '4')):
            with self.subTest(options=options):
                peer = self.start(programs.Receiver('--accept-syntaxes', 'explicit'))
                run = programs.run_sender(folder, port=peer.port, options=options)
                self.assertEqual((run.total('stored'), run.total('failed')), (8, 1), run)
                (path, entry), = run.problems().items()
                self.assertEqual((pathlib.Path(path).name, entry['reason']), ('4.dcm', 'undecodable'))
                self.assertIn('frame 3 of 5: the RLE header says 3 segments, the data set makes 2', str(entry))
                expected = pydicom.dcmread(native).PixelData
                kept = [path for path in peer.output.rglob('*') if path.is_file()]
                self.assertEqual([path for path in kept if pydicom.dcmread(path).PixelData != expected], [])
                self.assertEqual(len(kept), 8)


FAKE = """#!/usr/bin/python3
import os, socket, struct, sys
count = sys.argv[0] + '.count'
with open(count, 'a') as file:
    file.write('.')
if os.path.getsize(count) > 1:
    os.execv(REAL, ['dicom-decoder'])
link = socket.socket(fileno=0)
request, descriptors, *_ = socket.recv_fds(link, 4096, 4)
frame_len = struct.unpack_from('<Q', request, 24)[0]
def response(length, status=0, text=b''):
    return struct.pack('<IIQ17s256s7x', 0x44434431, status, length, b'MONOCHROME2', text)
"""


class OthersInItsPlace(base.ProgramTest):
    """A program that speaks the protocol, and then does not: its file fails, and the next has a decoder again."""

    def setUp(self):
        super().setUp()
        picture = Picture(16, 12)
        native = picture.write_native(self.folder / 'native.dcm')
        self.files = [self.folder / name for name in ('first.dcm', 'second.dcm')]
        for path in self.files:
            pictures.run('dcmcrle', native, path)

    def convert(self, lines):
        """What the first file fails with; the second one is converted."""
        fake = self.folder / 'fake'
        fake.write_text(FAKE.replace('REAL', repr(process.program('dicom-decoder'))) + lines)
        fake.chmod(0o700)
        done = subprocess.run([process.build_folder() / 'tests' / 'support' / 'recode', '--each', EXPLICIT_LITTLE,
                               *self.files], capture_output=True, text=True, timeout=60, check=False,
                              env=process.environment(DECODER=str(fake)))
        (self.folder / 'fake.count').unlink()
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (1, 1), done.stdout + done.stderr)
        line, = done.stderr.splitlines()
        self.assertTrue(line.startswith(str(self.files[0])), line)
        return line.partition('to that transfer syntax: ')[2]

    def test_what_they_answer(self):
        mistrusted = 'the decoder is not to be trusted: '
        for lines, text in {
                'link.sendall(response(frame_len) + bytes(frame_len) + b"more"); link.recv(1)':
                    mistrusted + 'it said more than it was asked for',
                'link.sendall(response(frame_len) + bytes(frame_len // 2))':
                    'the decoder ended without an answer (exit code 0)',
                'link.sendall(response(frame_len - 1) + bytes(frame_len - 1)); link.recv(1)':
                    mistrusted + 'its answer has a frame of another size',
                'link.sendall(response(2 ** 63)); link.recv(1)':
                    mistrusted + 'its answer has a frame of another size',
                'link.sendall(response(0, 1, b"\\x1b[2J")); link.recv(1)':
                    mistrusted + 'its answer holds a text that is none',
                'link.sendall(response(0, 1, b"x" * 256)); link.recv(1)':
                    mistrusted + 'its answer holds a text that is none',
                'link.sendall(response(0, 7)); link.recv(1)':
                    mistrusted + 'its answer has a status that does not exist',
                'link.sendall(os.urandom(100000)); link.recv(1)':
                    mistrusted + 'its answer is none of this protocol',
                'os.kill(os.getpid(), 11)': 'the decoder crashed on this frame (signal 11)',
                'sys.exit(3)': 'the decoder ended without an answer (exit code 3)'}.items():
            with self.subTest(lines=lines):
                self.assertEqual(self.convert(lines), text)

    def test_one_that_never_answers(self):
        started = time.monotonic()
        self.assertEqual(self.convert('link.recv(1)'), 'the decoder did not come to an end within 10000 ms')
        self.assertLess(time.monotonic() - started, 20)

    def test_the_sender_without_one(self):
        """Alone in its folder; the file fails, and says what is missing."""
        alone = self.subfolder('alone') / 'dicom-sender'
        shutil.copy(process.program('dicom-sender'), alone)
        peer = self.start(programs.Receiver('--accept-syntaxes', 'explicit'))
        done = subprocess.run([alone, '--host', '127.0.0.1', '--port', str(peer.port), '--ae-title', 'ANY-SCP',
                               '--log-dir', self.folder / 'logs', self.files[0]], capture_output=True, text=True,
                              timeout=60, env=process.environment(), check=False)
        self.assertEqual((done.returncode, process.fault_of(done.stderr)), (1, ''), done.stderr)
        self.assertIn('the program that decodes cannot be started: No such file or directory', done.stdout + done.stderr)
        network.wait_until(lambda: peer.process.poll() is None, 1, 'the receiver to go on')
