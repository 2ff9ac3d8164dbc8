"""Who takes part in the bench's conversions: files that the peer does not take as they lie, and programs that convert.

DCMTK of Debian cannot decode JPEG 2000: there GDCM stands in for it, which writes files and sends nothing.
"""
import json
import os
import pathlib
import shutil
import tempfile

from contest import Contestant, Data, Dcmtk, Failed, Storescp
from support import encoders

MEMORY = pathlib.Path('/dev/shm' if os.access('/dev/shm', os.W_OK) else tempfile.gettempdir())


class Compressed(Data):
    """Synthetic studies, each file encoded by a program of others: `command` takes the two files."""

    def __init__(self, name, spec, seed, command):
        super().__init__(name, spec, seed)
        self.encoder = command
        self.native_bytes = 0

    def make(self, build, cache):
        native = Data(f'{self.name}-native', self.spec, self.seed)
        self.folder = cache / f'{self.name}-{self.spec}'
        done = cache / f'{self.name}-{self.spec}.made'
        if not done.exists():
            native.make(build, cache)
            shutil.rmtree(self.folder, ignore_errors=True)
            for study in native.folder.iterdir():
                (self.folder / study.name).mkdir(parents=True)
                for file in study.iterdir():
                    encoders.call(*self.encoder, file, self.folder / study.name / file.name)
            size = sum(path.stat().st_size for path in self.folder.glob('*/*'))
            done.write_text(json.dumps({'bytes': size, 'native_bytes': native.bytes}))
            native.remove(cache)
        figures = json.loads(done.read_text())
        self.bytes, self.native_bytes = figures['bytes'], figures['native_bytes']


class Restricted(Storescp):
    """storescp that takes some transfer syntaxes alone, tuned."""

    def __init__(self, *options):
        super().__init__(tuned=True)
        self.options = [*options, *self.options]
        self.name += ' ' + ' '.join(options) if options else ''


class Dcmsend(Dcmtk):
    """dcmsend, tuned, which decompresses what was compressed without loss."""

    def __init__(self, *options):
        super().__init__('dcmsend', True)
        self.options = options
        self.name = ' '.join([self.name, *options])

    def command(self, peer, folder, work):
        program, *words = super().command(peer, folder, work)
        return [program, *self.options, *words]


class EachFile(Contestant):
    """A program that is called for each file, and writes another: it decodes, and sends nothing."""

    needs_peer = False
    written = MEMORY / f'dicom-bench-converted-{os.getpid()}'

    def __init__(self, *words):
        self.words = words
        self.name = ' '.join(words)

    def prepare(self, work, data):
        shutil.rmtree(self.written, ignore_errors=True)
        self.written.mkdir()

    def command(self, peer, folder, work):
        loop = 'out=$1; shift; find "$1" -type f >"$out/list"; shift; n=0; ' \
               'while read -r file; do n=$((n + 1)); "$@" "$file" "$out/$n.dcm" || exit 1; done <"$out/list"'
        return ['sh', '-c', loop, 'sh', str(self.written), str(folder), *self.words]

    def check(self, work, files, output):
        count = sum(1 for path in self.written.glob('*.dcm'))
        shutil.rmtree(self.written)
        if count != files:
            raise Failed(f'{self.name}: {count} of {files} files were written')
        return {}
