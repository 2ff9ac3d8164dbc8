"""The bench of storage that is far away: a round trip for each open, each folder and each MiB that is read.

The delay is that of tests/support/slow_storage.c, which is preloaded into all contestants alike. What they send to is
the bare sink: it is the storage that is measured.
"""
import re

from contest import Contestant, Dcmtk, Failed, Sender, Sink

DELAYS_MS = (0.2, 1, 5)
TREE_DELAY_MS = 1
THREADS = (1, 8, 32)
ROUNDS_MAX = 3


def peer_name(delay_ms):
    return f'{Sink.name}, storage {delay_ms} ms away'


class Slow(Contestant):
    """Another contestant, for whom this folder is far away."""

    def __init__(self, build, contestant, folder, delay_ms):
        self.name, self.needs_peer = contestant.name, contestant.needs_peer
        self.contestant, self.folder, self.delay_ms = contestant, folder, delay_ms
        self.library = build.support('libslow_storage.so')
        self.count = None

    def prepare(self, work, data):
        self.count = work / 'count'

    def environment(self):
        return self.contestant.environment() | {
            'LD_PRELOAD': self.library, 'SLOW_TREE': str(self.folder), 'SLOW_US': str(round(self.delay_ms * 1000)),
            'SLOW_COUNT': str(self.count)}

    def command(self, peer, folder, work):
        return self.contestant.command(peer, folder, work)

    def check(self, work, files, output):
        calls = dict(re.findall(r'(\w+) (\d+)', self.count.read_text())) if self.count.exists() else {}
        if int(calls.get('opens', 0)) < files:
            raise Failed(f'{self.name}: the storage was not slow: {calls}')
        return self.contestant.check(work, files, output) | {
            'calls': {name: int(count) for name, count in calls.items()}}


class Scan(Sender):
    """The scan alone: --dry-run."""

    needs_peer = False

    def __init__(self, build, *options):
        super().__init__(build, 1, *options)
        self.name = ' '.join(['dicom-sender --dry-run', *options])

    def command(self, peer, folder, work):
        return [self.build.program('dicom-sender'), '--dry-run', '--json', '--no-progress', '-r', '--log-dir',
                str(work / 'logs'), *self.options, str(folder)]

    def check(self, work, files, output):
        found = re.search(r'"files": (\d+)', output)
        if not found or int(found[1]) != files:
            raise Failed(f'{self.name}: {output[-500:]}')
        return {}


def send(bench, name, delay_ms):
    data, few = bench.data(f'remote-{name}'), bench.data(f'remote-{name}-few')
    contestants = [(Sender(bench.build, threads), data) for threads in THREADS]
    contestants += [(Dcmtk('dcmsend', tuned=True), few)]
    bench.contest(f'remote-{name}', peer_name(delay_ms),
                  [(Slow(bench.build, contestant, its.folder, delay_ms), its) for contestant, its in contestants],
                  lambda: Sink(bench.build).start(), rounds=min(bench.rounds, ROUNDS_MAX))


def scan(bench):
    """Folders of five files. An earlier build, if there is one to compare with, is what takes the time."""
    data = bench.data('remote-tree')
    builds = [bench.build, *([bench.before] if bench.before else [])]
    contestants = [Slow(bench.build, bench.named(build, Scan(build)), data.folder, TREE_DELAY_MS) for build in builds]
    bench.contest('remote-tree', peer_name(TREE_DELAY_MS), [(contestant, data) for contestant in contestants],
                  None, rounds=1)


def case(bench):
    for name in ('small', 'ct'):
        for delay_ms in DELAYS_MS:
            send(bench, name, delay_ms)
    scan(bench)
