"""Hours of work, in one go: nothing is lost, and memory, descriptors and threads stay where they are.

soak.py MINUTES

Two pairs run side by side. One dicom-sender makes up instances and stores them all the time, while its receiver is killed
and started again. One dicom-receiver keeps files all the time, while one dicom-sender after another brings them and ends.
Every second the two that stay are looked at. Behind that, handshakes of TLS that fail, 10,000 of a requestor and 10,000
of a receiver for 60 minutes. RELEASE_DIR names the build, BUILD_DIR the one with sanitizers, for the requestor.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import datasets, handshakes, network, programs  # noqa: E402

RESTART_EVERY_S = 15
DOWN_S = 1.0
GROWTH_MAX_KB = 4096  # of the line through the samples, from the first to the last
SPREAD_MAX = 2        # descriptors and threads: more in the last third than in the first
WARM_UP = 0.2         # part of the time that is not judged
ENDS_WITHIN_S = 120
HANDSHAKES_A_MINUTE = 10000 / 60
HANDSHAKES_WARM = 0.2  # part of them that is not judged
HANDSHAKES_GROWTH_MAX_BYTES = 2 << 20


class Watch:
    """What a process uses, sampled."""

    def __init__(self, name, pid):
        self.name, self.pid, self.samples = name, pid, []

    def sample(self, now_s):
        try:
            status = pathlib.Path(f'/proc/{self.pid}/status').read_text(encoding='ascii')
            fields = dict(line.split(':', 1) for line in status.splitlines())
            self.samples.append((now_s, int(fields['VmRSS'].split()[0]), len(os.listdir(f'/proc/{self.pid}/fd')),
                                 int(fields['Threads'])))
        except (OSError, KeyError):
            pass  # it has ended: whoever started it says how

    def judge(self):
        """Print the figures; what is wrong with them."""
        problems, first_s = [], self.samples[0][0]
        kept = [sample for sample in self.samples if sample[0] - first_s >= WARM_UP * (self.samples[-1][0] - first_s)]
        times, memory = [sample[0] for sample in kept], [sample[1] for sample in kept]
        slope, _ = statistics.linear_regression(times, memory)
        growth_kb = slope * (times[-1] - times[0])
        print(f'{self.name}: {len(kept)} samples; memory {min(memory) / 1024:.1f} to {max(memory) / 1024:.1f} MB, '
              f'{slope * 3600 / 1024:+.2f} MB/h', end='')
        if growth_kb > GROWTH_MAX_KB:
            problems.append(f'{self.name}: memory grew by {growth_kb:.0f} KB')
        third = len(kept) // 3
        for column, what in ((2, 'descriptors'), (3, 'threads')):
            first, last = (max(sample[column] for sample in part) for part in (kept[:third], kept[-third:]))
            print(f'; {what} {first} then {last}', end='')
            if last > first + SPREAD_MAX:
                problems.append(f'{self.name}: {first} {what} have become {last}')
        print(flush=True)
        return problems


class Soak:
    def __init__(self, minutes):
        self.seconds = minutes * 60
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='dicom-soak-'))
        self.begun = time.monotonic()
        self.problems, self.figures = [], {'restarts': 0, 'senders': 0}

    def left_s(self):
        return self.seconds - (time.monotonic() - self.begun)

    def sender(self, port, *options):
        return [programs.program('dicom-sender', 'RELEASE_DIR'), '--json', '--no-progress', '--quiet', '--host',
                '127.0.0.1', '--port', str(port), '--log-dir', str(self.folder / 'logs'), '--log-level', 'warn', *options]

    def judge_run(self, exit_code, out, what):
        totals = json.loads(out)['totals'] if out.strip() else {}
        if exit_code != 0 or totals.get('stored') != totals.get('files'):
            self.problems.append(f'{what}: exit {exit_code}, {totals}')
        return totals

    def restart(self, receiver):
        """Kill the receiver again and again, but not when the long run is about to end: that one can wait for nobody."""
        while self.left_s() > 2 * RESTART_EVERY_S:
            time.sleep(RESTART_EVERY_S)
            receiver.kill()
            time.sleep(DOWN_S)
            receiver.start()
            self.figures['restarts'] += 1

    def bring(self, receiver, files, count):
        """One sender after another; the instances are the same each time, and so kept once."""
        while self.left_s() > 0:
            done = subprocess.run(self.sender(receiver.port, '--recursive', '--threads', '3', '--input', str(files)),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=ENDS_WITHIN_S, check=False,
                                  env=programs.environment())
            if self.judge_run(done.returncode, done.stdout, 'a short run').get('stored') != count:
                return
            self.figures['senders'] += 1

    def run(self):
        files = self.folder / 'files'
        entries = datasets.make_studies(files, 3, 40)
        restarted, lasting = (programs.Receiver('--quiet', '--response-delay', delay, keep=keep,
                                                folder_variable='RELEASE_DIR') for delay, keep in ((2, False), (1, True)))
        with restarted, lasting:
            with open(self.folder / 'long.json', 'w+b') as out:
                long_run = subprocess.Popen(
                    self.sender(restarted.port, '--synthetic', '8x20000x8K:CT', '--threads', '4', '--duration',
                                str(int(self.seconds))), stdin=subprocess.DEVNULL, stdout=out, env=programs.environment())
                try:
                    watches = [Watch('dicom-sender', long_run.pid), Watch('dicom-receiver', lasting.process.pid)]
                    workers = [threading.Thread(target=self.restart, args=(restarted,)),
                               threading.Thread(target=self.bring, args=(lasting, files, len(entries)))]
                    for worker in workers:
                        worker.start()
                    while self.left_s() > 2 and long_run.poll() is None:
                        for watch in watches:
                            watch.sample(time.monotonic() - self.begun)
                        time.sleep(1)
                    for worker in workers:
                        worker.join()
                    exit_code = long_run.wait(ENDS_WITHIN_S)
                finally:
                    long_run.kill()
                    long_run.wait()
                out.seek(0)
                totals = self.judge_run(exit_code, out.read(), 'the long run')
            if len(lasting.files()) != len(entries):
                self.problems.append(f'{len(lasting.files())} files are kept of {len(entries)}')
        print(f'{self.seconds / 60:g} minutes: {totals.get("stored")} stored by one sender over '
              f'{self.figures["restarts"]} kills of its receiver; {self.figures["senders"]} senders with '
              f'{len(entries)} files each to one receiver')
        for watch in watches:
            self.problems += watch.judge()
        for problem in self.problems:
            print(f'FAILED: {problem}')
        return not self.problems


def fail_handshakes(minutes):
    """True if they leave nothing behind."""
    count = max(int(minutes * HANDSHAKES_A_MINUTE), 700)
    warm = int(count * HANDSHAKES_WARM)
    identities = handshakes.Identities()
    try:
        _, *requestor = handshakes.fail_as_requestor(identities, count, warm)
        with programs.Receiver(*handshakes.server_options(identities), '--quiet', keep=False,
                               folder_variable='RELEASE_DIR') as receiver:
            server = handshakes.fail_at_server(identities, receiver, count, warm)
    finally:
        identities.remove()
    right = True
    for name, (descriptors, resident) in (('requestor', requestor), ('dicom-receiver', server)):
        print(f'{count} handshakes that fail, {name}: descriptors {descriptors[0]} then {descriptors[1]}; memory '
              f'{resident[0] / 2**20:.1f} then {resident[1] / 2**20:.1f} MB')
        right = right and descriptors[0] == descriptors[1] and resident[1] - resident[0] < HANDSHAKES_GROWTH_MAX_BYTES
    if not right:
        print('FAILED: handshakes that fail leave something behind')
    return right


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('minutes', type=float)
    minutes = parser.parse_args().minutes
    soak = Soak(minutes)
    network.isolate()
    try:
        right = soak.run()
        return 0 if fail_handshakes(minutes) and right else 1
    finally:
        shutil.rmtree(soak.folder, ignore_errors=True)


if __name__ == '__main__':
    sys.exit(main())
