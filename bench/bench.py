#!/usr/bin/python3
"""bench - dicom-sender beside the other programs that fill a PACS, in the same run on the same machine.

See README.md here for what is measured and how. Contestants take turns (A B C A B C ...), every file has to arrive or
the run does not count, and what is compared is compared pair by pair within a round.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import pydicom

import charts
import conversion
import line
import machine
import remote
import retrieval
import tables
import tls
import uneven
from contest import (Build, Data, Dcmtk, Failed, Floor, Orthanc, Proxy, Receiver, Sender, Sink, Storescp, measured,
                     network, run_once)

TOP = pathlib.Path(__file__).resolve().parent.parent


class Bench:
    def __init__(self, arguments):
        self.quick = arguments.quick
        self.rounds = arguments.rounds or (3 if arguments.quick else 5)
        self.build = Build(arguments.build)
        self.before = Build(arguments.before) if arguments.before else None
        self.cache = pathlib.Path(arguments.data) / ('quick' if arguments.quick else 'full')
        self.small_disk = arguments.small_disk
        self.threads = (1, 2, 4, 8)
        self.contests = []
        self.figures = {}
        self.failures = []

    # ---- data ----

    def data(self, name):
        """name: (full, quick) in studies x instances x bytes of one data set"""
        specs = {
            'small': ('40x250x16384', '40x50x16384'),
            'ct': ('16x125x524288', '16x20x524288'),
            'big': ('3x1x1610612736', '3x1x134217728'),
            'few': ('1x100x16384', '1x10x16384'),
            'some': ('8x125x16384', '8x25x16384'),
            'far': ('8x50x16384', '8x6x16384'),
            'far-few': ('1x50x16384', '1x8x16384'),
            'line-ct': ('8x5x524288', '8x1x524288'),
            'line-small': ('8x50x16384', '8x6x16384'),
            'line-few': ('1x50x16384', '1x8x16384'),
            'remote-small': ('64x160x16384', '64x10x16384'),
            'remote-small-few': ('4x50x16384', '4x5x16384'),
            'remote-ct': ('64x20x524288', '64x2x524288'),
            'remote-ct-few': ('2x40x524288', '2x10x524288'),
            'remote-tree': ('20000x5x1024', '500x5x1024'),
            'headers': ('40x250x6144', '40x250x6144'),
            'million': ('1000x1000x1024', '100x500x1024'),
            'cost': ('1x200x16384', '1x100x16384'),
            'cost-double': ('1x400x16384', '1x200x16384'),
            'one-study': ('1x2000x524288', '1x200x131072'),
            'convert': ('8x125x524288', '8x15x524288'),
            'jpeg-lossless': ('8x25x524288', '8x5x524288'),
            'jpeg-2000': ('8x25x524288', '8x5x524288'),
        }
        encoders = {'jpeg-lossless': ('dcmcjpeg', '+e1', '+un'), 'jpeg-2000': ('gdcmconv', '--j2k')}
        more = [encoders[name]] if name in encoders else []
        data = (conversion.Compressed if more else Data)(name, specs[name][1 if self.quick else 0],
                                                         1 + list(specs).index(name), *more)
        data.make(self.build, self.cache)
        return data

    def uneven(self, name):
        """name: the large study, the small ones. The few are for those who wait for each message."""
        specs = {'60': ('1x60x16384', '7x2x16384'), '60-few': ('1x60x16384', '7x2x16384'),
                 '2000': ('1x2000x16384', '50x3x16384'), '2000-few': ('1x120x16384', '50x3x16384')}
        data = uneven.Uneven(f'uneven-{name}', *specs[name], 101 + 2 * list(specs).index(name))
        data.make(self.build, self.cache)
        return data

    def named(self, build, contestant):
        """A contestant of this build or of the one before it, whose name says so."""
        if build is self.before:
            contestant.name += ', before'
        return contestant

    # ---- a contest: several contestants, the same peer, in turns ----

    def contest(self, case, peer_name, contestants, start_peer, warm=(), rtt_ms=None, mbit=None, rounds=None,
                keep_peer=False):
        """contestants: [(contestant, data)]. start_peer() gives a peer that has been started."""
        rounds = rounds or self.rounds
        title = f'{case}, into {peer_name}' + (f', {rtt_ms} ms away' if rtt_ms else '') + \
            (f', {mbit} Mbit/s' if mbit else '')
        print(f'== {title}', flush=True)
        for data in warm or {data.folder: data for _, data in contestants}.values():
            data.warm()
        results = {contestant.name: {'data': {'name': data.name, 'spec': data.spec, 'files': data.files,
                                              'bytes': data.bytes}, 'runs': [], 'failed': None}
                   for contestant, data in contestants}
        kept = start_peer() if keep_peer else None
        try:
            for number in range(rounds):
                for contestant, data in contestants:
                    result = results[contestant.name]
                    if result['failed'] is None:
                        self.take_turn(contestant, data, result, start_peer, kept, (rtt_ms, mbit))
                print(f'   round {number + 1} of {rounds}', flush=True)
        finally:
            if kept:
                kept.stop()
        self.contests.append({'case': case, 'peer': peer_name, 'rtt_ms': rtt_ms, 'title': title, 'results': results})

    def take_turn(self, contestant, data, result, start_peer, kept, distance):
        proxy = None
        start_peer = contestant.own_peer or start_peer
        peer = kept or (start_peer() if contestant.needs_peer else None)
        try:
            if any(distance):
                proxy = Proxy(self.build, peer, *distance).start()
            result['runs'].append(run_once(self.build, contestant, peer, proxy, data))
        except Failed as failure:
            result['failed'] = str(failure)
            self.failures.append(f'{contestant.name}: {failure}')
            print(f'   FAILED: {contestant.name}: {failure}', flush=True)
        finally:
            if proxy:
                proxy.stop()
            if peer and not kept:
                peer.stop()

    def senders(self, data, threads=None, *options):
        return [(Sender(self.build, count, *options), data) for count in threads or self.threads]

    def others(self, data, stock_data=None):
        """DCMTK's senders, tuned and as they come; the latter with less to send where they wait for each message."""
        return [(Dcmtk(program, tuned), data if tuned else stock_data or data)
                for program in ('dcmsend', 'storescu') for tuned in (True, False)]

    def receiver(self, *options):
        return lambda: Receiver(self.build, *options).start()

    # ---- the cases ----

    def case_small(self, name='small'):
        data = self.data(name)
        floors = [(Floor(self.build, count), data) for count in (1, 2)]
        apart = self.senders(data, (2,), '--scan-first')  # scanning and sending do not overlap
        window = ('--window', '16')
        self.contest(name, Receiver.name, self.senders(data) + apart + self.senders(data, (2,), *window) +
                     self.others(data) + floors, self.receiver(*window))
        self.into_sink(name, data)
        few = self.data('few')
        self.contest(name, 'storescp --fork --ignore, tuned', self.senders(data) + self.others(data, few),
                     lambda: Storescp(tuned=True).start())

    def into_sink(self, name, data):
        """What the sender can do; and beside it what that of another build could."""
        contestants = self.senders(data) + self.senders(data, (1, 4), '--window', '16')
        if self.before:
            contestants += [(self.named(self.before, Sender(self.before, count)), data) for count in self.threads]
        contestants.append((Dcmtk('dcmsend', tuned=True), data))
        self.contest(name, Sink.name, contestants, lambda: Sink(self.build).start(), warm=[data])

    def case_ct(self):
        self.case_small('ct')

    def case_big(self):
        data = self.data('big')
        contestants = self.senders(data) + self.others(data)
        floors = [(Floor(self.build, count), data) for count in (1, 2)]
        self.contest('big', Receiver.name, contestants + floors, self.receiver())
        self.into_sink('big', data)
        self.contest('big', 'storescp --fork --ignore, tuned', contestants, lambda: Storescp(tuned=True).start(),
                     warm=[data])
        if self.small_disk:
            data.remove(self.cache)

    def case_stock(self):
        """One association each, against peers as they come: where the 40 ms stall is."""
        few, some = self.data('few'), self.data('some')
        theirs = self.others(few)
        self.contest('stock', 'storescp --fork --ignore, stock', self.senders(some, (1, 4)) + theirs,
                     lambda: Storescp(tuned=False).start())
        self.contest('stock', Orthanc.name, self.senders(some, (1, 4)) + theirs, lambda: Orthanc().start(),
                     keep_peer=True)

    def case_uneven(self):
        uneven.case(self)

    def case_remote(self):
        remote.case(self)

    def case_distance(self):
        few, far = self.data('far-few'), self.data('far')
        window = ('--window', '16')
        for rtt_ms in (20, 80):
            contestants = self.senders(few, (1,)) + self.senders(far, (8,)) + self.senders(far, (1,), *window)
            contestants += [(Dcmtk('dcmsend', tuned), few) for tuned in (True, False)]
            self.contest('distance', Receiver.name, contestants, self.receiver(*window), rtt_ms=rtt_ms)

    def case_scan(self):
        """Warm headers: scanners alone on one and two threads, and the sender's own scan, which also finds and groups."""
        data = self.data('headers')
        data.warm()
        print('== scan', flush=True)
        alone = {threads: self.scan_speed(data, threads) for threads in (1, 2)}
        sender, overall = [], []
        for _ in range(self.rounds):
            with tempfile.TemporaryDirectory(prefix='dicom-bench-') as name:
                run, output = measured(self.build, [self.build.program('dicom-sender'), '--dry-run', '--json',
                                                    '--no-progress', '-r', '--log-dir', name + '/logs',
                                                    str(data.folder)], pathlib.Path(name), exit_codes=(0, 1))
                summary = json.loads(output)
                if summary['totals']['files'] != data.files:
                    raise Failed(f'dry run: {summary["totals"]}')
                sender.append(data.files / summary['times']['scan_s'])
                overall.append(data.files / run['wall_s'])
        self.figures['scan'] = {'files': data.files, 'one_thread_per_s': alone[1], 'two_threads_per_s': alone[2],
                                'sender_per_s': sender, 'sender_process_per_s': overall}

    def scan_speed(self, data, threads):
        done = subprocess.run([self.build.tool('scan-speed'), str(data.folder), str(self.rounds), str(threads)],
                              capture_output=True, text=True, check=True).stdout
        return [float(rate) for rate in re.findall(r'(\d+) files/s', done)]

    def case_million(self):
        data = self.data('million')
        with tempfile.TemporaryDirectory(prefix='dicom-bench-') as name:
            print(f'== a tree of {data.files} files', flush=True)
            with self.receiver()() as peer:
                try:
                    run = run_once(self.build, Sender(self.build, 2), peer, None, data)
                except Failed as failure:
                    self.failures.append(f'million: {failure}')
                    print(f'   FAILED: {failure}', flush=True)
                    self.figures['million'] = {'files': data.files, 'failed': str(failure)}
                    return
        first = datetime.datetime.fromisoformat(run['first_store'].replace('Z', '+00:00')).timestamp()
        self.figures['million'] = {
            'files': data.files, 'first_store_s': first - run['begun'], 'peak_bytes': run['peak_bytes'],
            'scanned_per_s': data.files / run['scan_s'], 'instances_per_s': run['instances_per_s'], 'run': run}
        if self.small_disk:
            data.remove(self.cache)

    def case_cost(self):
        """Instructions a store in user space: runs of N and 2N files, so that beginning and end cancel out."""
        print('== cost', flush=True)
        once, twice = self.data('cost'), self.data('cost-double')
        counts = {}
        for side in ('sender', 'receiver'):
            counts[side] = [self.instructions(side, data) for data in (once, twice)]
        stores = twice.files - once.files
        self.figures['cost'] = {f'{side}_instructions_per_store': (count[1] - count[0]) / stores
                                for side, count in counts.items()}

    def instructions(self, side, data):
        with tempfile.TemporaryDirectory(prefix='dicom-bench-') as name:
            work = pathlib.Path(name)
            # Callgrind counts an instruction for each byte that `rep movsb` copies: copying is to be done without. And
            # under it every call is slow, so that the sender takes its storage for slow.
            tool = ['env', 'GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1073741824', 'valgrind', '-q',
                    '--tool=callgrind', f'--callgrind-out-file={work}/counts']
            peer = Receiver(self.build)
            if side == 'receiver':
                command = peer.command
                peer.command = lambda port: [*tool, *command(port)]
            with peer.start():
                sender = Sender(self.build, 1)
                _, output = measured(self.build, sender.command(peer, data.folder, work), work,
                                     prefix=tool if side == 'sender' else ())
                sender.check(work, data.files, output)
                peer.check(data.files)
            return int(re.search(r'^(?:totals|summary): (\d+)', (work / 'counts').read_text(), re.MULTILINE)[1])

    def case_move(self):
        """One study to itself, by C-MOVE; the same archive for all, filled before."""
        data = self.data('one-study')
        study = pydicom.dcmread(next(data.folder.rglob('*.dcm')), specific_tags=['StudyInstanceUID']).StudyInstanceUID
        port_back = retrieval.free_port()
        mover = retrieval.Mover(self.build, study, port_back)
        getter = retrieval.Mover(self.build, study, port_back, '--get')
        movescu = retrieval.Movescu(study, port_back)
        for archive in (retrieval.Archive(self.build, port_back), retrieval.Dcmqrscp(port_back),
                        retrieval.Orthanc(port_back)):
            self.contest('move', archive.name, [(mover, data), (getter, data), (movescu, data)],
                         lambda filled=archive: self.filled(filled, data), keep_peer=True)

    def filled(self, archive, data):
        archive.start()
        retrieval.fill(self.build, archive, data.folder)
        return archive

    def case_find(self):
        matches = retrieval.Matches('1000x1x1' if self.quick else '10000x1x1')
        self.contest('find', retrieval.Archive.name,
                     [(retrieval.Finder(self.build), matches), (retrieval.Findscu(), matches)],
                     lambda: retrieval.Archive(self.build, retrieval.free_port(), matches.spec).start(), keep_peer=True)

    def case_convert(self):
        """Files that the peer does not take as they lie. MB/s are those of the files as they lie."""
        data = self.data('convert')
        self.contest('convert', Receiver.name, self.senders(data, (1,)) + self.senders(data, (1, 2), '-xi'),
                     self.receiver())
        self.contest('convert', 'storescp, Implicit VR alone',
                     self.senders(data, (1, 2)) + [(conversion.Dcmsend(), data)],
                     lambda: conversion.Restricted('+xi').start())
        for name, decoder in (('jpeg-lossless', ('dcmdjpeg',)), ('jpeg-2000', ('gdcmconv', '--raw'))):
            data = self.data(name)
            others = [conversion.EachFile(*decoder)]
            others += [conversion.Dcmsend('+dls')] if name == 'jpeg-lossless' else []
            self.contest('convert', f'storescp, {name}', self.senders(data, (1, 2)) + [(other, data) for other in others],
                         lambda: conversion.Restricted().start())

    def case_tls(self):
        tls.case(self)

    def case_line(self):
        line.case(self)

    # ---- all of it ----

    cases = ('small', 'ct', 'stock', 'uneven', 'distance', 'remote', 'scan', 'cost', 'million', 'move', 'find',
             'convert', 'tls', 'line', 'big')
    not_quick = ('uneven', 'remote')

    def run(self, cases):
        begun = time.monotonic()
        for case in cases:
            getattr(self, f'case_{case}')()
        return {'form': 1, 'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
                'quick': self.quick, 'rounds': self.rounds, 'duration_s': round(time.monotonic() - begun, 1),
                'machine': machine.describe(self.build), 'contests': self.contests, 'figures': self.figures,
                'failures': self.failures}


def parse_arguments():
    default_data = pathlib.Path(os.environ['TMPDIR']) / 'dicom-sender-bench' if os.environ.get('TMPDIR') else \
        TOP / 'build' / 'bench-data'
    parser = argparse.ArgumentParser(prog='bench', description='Measures dicom-sender beside its peers.')
    parser.add_argument('--quick', action='store_true', help='smaller data and three rounds: two minutes')
    parser.add_argument('--rounds', type=int, help='rounds of each contest [5, quick: 3]')
    parser.add_argument('--cases', help=f'some of: {",".join(Bench.cases)} [all; quick: without '
                                        f'{" and ".join(Bench.not_quick)}]')
    parser.add_argument('--build', default=TOP / 'build' / 'release', help='the build folder [%(default)s]')
    parser.add_argument('--before', help='the build folder of another dicom-sender, to be compared with in turns')
    parser.add_argument('--data', default=default_data, help='where data is made and kept [%(default)s]')
    parser.add_argument('--small-disk', action='store_true', help='remove the two largest trees after their cases')
    parser.add_argument('--results', default=TOP / 'bench' / 'results', help='where results go [%(default)s]')
    parser.add_argument('--show', metavar='FILE', help='print the tables of an earlier result, and draw its charts')
    arguments = parser.parse_args()
    without = Bench.not_quick if arguments.quick else ()
    arguments.cases = arguments.cases or ','.join(case for case in Bench.cases if case not in without)
    unknown = set(arguments.cases.split(',')) - set(Bench.cases)
    if unknown:
        parser.error(f'no cases are called {", ".join(sorted(unknown))}')
    return arguments


def main():
    arguments = parse_arguments()
    if arguments.show:
        path = pathlib.Path(arguments.show)
        results = json.loads(path.read_text())
    else:
        network.isolate()
        results = Bench(arguments).run(arguments.cases.split(','))
        folder = pathlib.Path(arguments.results)
        folder.mkdir(parents=True, exist_ok=True)
        stamp = re.sub(r'[-:]', '', results['date'][:19]) + 'Z'
        path = folder / f'{stamp}{"-quick" if arguments.quick else ""}.json'
        results['targets'] = tables.targets(results)
        path.write_text(json.dumps(results, indent=1) + '\n')
    text = tables.report(results)
    path.with_suffix('.txt').write_text(text)
    print(text)
    drawn = charts.draw(results, path.with_suffix(''))
    print('written:', ', '.join(str(file) for file in [path, path.with_suffix('.txt'), *drawn]))
    return 1 if results['failures'] else 0


if __name__ == '__main__':
    sys.exit(main())
