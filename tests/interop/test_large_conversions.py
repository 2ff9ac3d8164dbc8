"""Large instances converted on their way: in the memory of a small one, and every byte as it has to be."""
import hashlib
import pathlib
import struct
import subprocess
import unittest

from support import datasets, encoders, images, kept, programs
from support.base import ProgramTest

MIB = 1 << 20
# Of the sender, and of all its decoders together: libraries, buffers, some frames.
SENDER_MAX, DECODER_MAX = 24 * MIB, 64 * MIB
CT, MULTIFRAME = datasets.CT_IMAGE, images.MULTIFRAME[8]
STUDY, INSTANCE = '1.2.826.0.1.3680043.2.135.1066.7.80', '1.2.826.0.1.3680043.2.135.1066.7.80.1'
ROWS = COLUMNS = 512


class Watched:
    """The most memory that a process and its children have had, seen from outside until it ends."""

    def __init__(self):
        self.sender = self.decoders = 0

    def __call__(self, process):
        while process.poll() is None:
            self.sender = max(self.sender, peak_of(process.pid))
            children = pathlib.Path(f'/proc/{process.pid}/task').glob('*/children')
            pids = {pid for path in children for pid in read(path).split()}
            self.decoders = max(self.decoders, sum(peak_of(pid) for pid in pids))
            try:
                process.wait(0.01)
            except subprocess.TimeoutExpired:
                pass


def read(path):
    try:
        return path.read_text()
    except OSError:
        return ''


def peak_of(pid):
    found = [line for line in read(pathlib.Path(f'/proc/{pid}/status')).splitlines() if line.startswith('VmHWM')]
    return int(found[0].split()[1]) * 1024 if found else 0


def header(frames):
    """(tag, VR, value) of an image of so many frames of 8 bits."""
    text = [(0x00080016, 'UI', MULTIFRAME), (0x00080018, 'UI', INSTANCE), (0x00080060, 'CS', 'OT'),
            (0x0020000D, 'UI', STUDY), (0x0020000E, 'UI', STUDY + '.2'), (0x00280004, 'CS', 'MONOCHROME2'),
            (0x00280008, 'IS', str(frames))]
    words = [(0x00280002, 1), (0x00280010, ROWS), (0x00280011, COLUMNS), (0x00280100, 8), (0x00280101, 8),
             (0x00280102, 7), (0x00280103, 0)]
    return sorted([(tag, vr, value.encode()) for tag, vr, value in text] +
                  [(tag, 'US', struct.pack('<H', value)) for tag, value in words])


def padded(vr, value):
    return value + (b'\0' if vr == 'UI' else b' ') * (len(value) % 2)


def implicit(tag, value):
    return struct.pack('<HHI', tag >> 16, tag & 0xFFFF, len(value)) + value


def explicit(tag, vr, value, big=False):
    order = '>' if big else '<'
    return struct.pack(f'{order}HH2sH', tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value


class Large(ProgramTest):
    frames = 4096    # 1 GiB

    def send(self, path, syntax_uid):
        """To a receiver that takes this syntax alone. What its access log says of the store."""
        receiver = self.start(programs.Receiver('--accept-syntaxes', syntax_uid, keep=False, log=True,
                                                folder_variable='RELEASE_DIR'))
        watched = Watched()
        run = programs.run_sender(path, port=receiver.port, folder_variable='RELEASE_DIR', timeout_s=300,
                                  options=['--syntax', syntax_uid], during=watched)
        self.assertEqual((run.exit_code, run.total('stored')), (0, 1), run)
        self.assertLess(watched.sender, SENDER_MAX)
        self.assertLess(watched.decoders, DECODER_MAX)
        line, = kept.answers(kept.read_log(receiver.access_log))
        return line['bytes'], line['sha256'], watched

    def write_implicit(self):
        """Sparse: zeros that lie nowhere on the disk."""
        path, size = self.folder / 'large.dcm', self.frames * ROWS * COLUMNS
        with open(path, 'wb') as file:
            file.write(datasets.meta_information(INSTANCE, images.IMPLICIT, MULTIFRAME))
            for tag, vr, value in header(self.frames):
                file.write(implicit(tag, padded(vr, value)))
            file.write(struct.pack('<HHI', 0x7FE0, 0x0010, size))
            file.truncate(file.tell() + size)
        return path

    def expect(self, start, frame, count):
        digest, length = hashlib.sha256(start), len(start) + len(frame) * count
        for _ in range(count):
            digest.update(frame)
        return length, digest.hexdigest()

    def test_implicit_to_explicit(self):
        length, digest, _ = self.send(self.write_implicit(), images.EXPLICIT)
        start = b''.join(explicit(tag, vr, padded(vr, value)) for tag, vr, value in header(self.frames))
        start += struct.pack('<HH2sHI', 0x7FE0, 0x0010, b'OW', 0, self.frames * ROWS * COLUMNS)
        self.assertEqual((length, digest), self.expect(start, bytes(ROWS * COLUMNS), self.frames))

    def test_thousands_of_frames_decompressed(self):
        image = images.Image('large', 'MONOCHROME2', 8, 8, False, 0, 1, ROWS, COLUMNS)
        small = encoders.encode(self.folder, image, encoders.BY_NAME['dcmcrle'], STUDY)
        _, (stream,) = encoders.codestreams(small.path)
        small.path.unlink()
        path = self.folder / 'frames.dcm'
        with open(path, 'wb') as file:
            file.write(datasets.meta_information(INSTANCE, images.RLE, MULTIFRAME))
            for tag, vr, value in header(self.frames):
                file.write(explicit(tag, vr, padded(vr, value)))
            file.write(struct.pack('<HH2sHI', 0x7FE0, 0x0010, b'OB', 0, 0xFFFFFFFF))
            file.write(struct.pack('<HHI', 0xFFFE, 0xE000, 0))
            fragment = struct.pack('<HHI', 0xFFFE, 0xE000, len(stream)) + stream
            for _ in range(self.frames):
                file.write(fragment)
            file.write(struct.pack('<HHI', 0xFFFE, 0xE0DD, 0))
        length, digest, watched = self.send(path, images.EXPLICIT)
        self.assertGreater(watched.decoders, 0, 'no decoder was seen')
        start = b''.join(explicit(tag, vr, padded(vr, value)) for tag, vr, value in header(self.frames))
        start += struct.pack('<HH2sHI', 0x7FE0, 0x0010, b'OB', 0, self.frames * ROWS * COLUMNS)
        frame = images.to_bytes(image.pixels(), 8, False)
        self.assertEqual((length, digest), self.expect(start, frame, self.frames))


if __name__ == '__main__':
    unittest.main()
