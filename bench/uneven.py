"""Studies of very different sizes into peers as they come. A study belongs to one worker: what do more threads cost?

Beside them as many dcmsend at once, each with its share of the studies: what people do today to use several
associations. They wait for each message, and so get fewer files; rates are compared.
"""
import os
import pathlib
import shlex
import shutil

from contest import Data, Dcmtk, Failed, Orthanc, Sender, Storescp

THREADS = (1, 4, 8, 16)


class Uneven(Data):
    """One large study, and many small ones."""

    def __init__(self, name, large, small, seed):
        super().__init__(name, f'{large}+{small}', seed)
        self.parts = [Data(f'{name}-large', large, seed), Data(f'{name}-small', small, seed + 1)]

    @staticmethod
    def count(spec):
        return sum(Data.count(part) for part in spec.split('+'))

    def make(self, build, cache):
        self.folder = cache / self.name
        for part in self.parts:
            part.make(build, cache / f'{self.name}-parts')
            if not (self.folder / part.name).exists():
                shutil.copytree(part.folder, self.folder / part.name)
            part.folder = self.folder / part.name
        self.bytes = sum(part.bytes for part in self.parts)

    def warm(self):
        for part in self.parts:
            part.warm()

    def studies(self):
        """Folders, the largest first."""
        return sorted((pathlib.Path(entry.path) for part in self.parts for entry in os.scandir(part.folder)),
                      key=lambda folder: -len(os.listdir(folder)))


class ManyDcmsend(Dcmtk):
    """So many dcmsend at once. A study goes to the one that has least to send so far, the largest first."""

    def __init__(self, data, count):
        super().__init__('dcmsend', tuned=True)
        self.data, self.count = data, count
        self.name = f'{count} dcmsend tuned' if count > 1 else 'dcmsend tuned'

    def shares(self):
        shares = [[] for _ in range(self.count)]
        files = [0] * self.count
        for study in self.data.studies():
            least = files.index(min(files))
            shares[least].append(study)
            files[least] += len(os.listdir(study))
        return [share for share in shares if share]

    def command(self, peer, folder, work):
        lines = []
        for number, share in enumerate(self.shares()):
            *words, _ = super().command(peer, folder, work)
            words = [word.replace('/report', f'/report-{number}') for word in words]
            lines.append(shlex.join([*words, *map(str, share)]) + ' & pids="$pids $!"')
        return ['sh', '-c', '\n'.join([*lines, 'failed=0', 'for pid in $pids; do wait $pid || failed=1; done',
                                       'exit $failed'])]

    def check(self, work, files, output):
        if any(line.startswith(('E:', 'F:')) for line in output.splitlines()):
            raise Failed(f'{self.name}: {output[-500:]}')
        sent = sum(int(line.rpartition(':')[2]) for report in work.glob('report-*')
                   for line in report.read_text(errors='replace').splitlines() if 'with status SUCCESS' in line)
        if list(work.glob('report-*')) and sent != files:
            raise Failed(f'{self.name}: {sent} of {files} sent')
        return {}


def case(bench):
    for name in ('60', '2000'):
        data, few = bench.uneven(name), bench.uneven(f'{name}-few')
        contestants = [(Sender(bench.build, threads), data) for threads in THREADS]
        contestants += [(ManyDcmsend(few, threads), few) for threads in THREADS]
        bench.contest(f'uneven-{name}', 'storescp --fork --ignore, stock', contestants,
                      lambda: Storescp(tuned=False).start(), warm=[data, few])
        bench.contest(f'uneven-{name}', Orthanc.name, contestants, lambda: Orthanc().start(), warm=[data, few],
                      keep_peer=True)
