"""How much faster than dcmsend: one association, small instances, into peers as they come out of the box.

DCMTK writes a message in two pieces under Nagle's algorithm, and whoever lets the system delay its acknowledgement then
waits 40 ms: stock dcmsend and a stock peer wait twice for each instance, for the request and for the response. With
TCP_NODELAY=1 in its environment dcmsend waits once, which is the best that its users can get from it: that is what
it is held against. All are measured in the same run, in turns, by the wall clock of the whole process.

What is asserted is that we do not wait for the peer's delayed half, which would leave us at dcmsend's own rate: a
margin that a busy machine leaves, too, for dcmsend waits where we compute, so that every other process on the machine
costs us and not it. How many times as fast it is on a quiet one is the case `stock` of ./run bench to say.

RELEASE_DIR names the folder of an optimized build.
"""
import os
import statistics
import time
import unittest

from support import datasets, peers, programs
from support.base import ProgramTest

ROUNDS = 3
DCMSEND_FILES = 20      # it manages 11 to 22 a second


class Speed(ProgramTest):
    def run_dcmsend(self, peer, folder, nodelay):
        environment = {key: value for key, value in os.environ.items() if key != 'TCP_NODELAY'}
        if nodelay:
            environment['TCP_NODELAY'] = '1'
        begun = time.monotonic()
        done = peers.run_client('dcmsend', '+sd', '+r', '-aec', peer.ae_title, '127.0.0.1', peer.port, folder,
                                environment=environment)
        self.assertEqual(done.returncode, 0, done.stdout)
        return DCMSEND_FILES / (time.monotonic() - begun)

    def run_sender(self, peer, folder, files):
        run = programs.run_sender(folder, port=peer.port, ae_title=peer.ae_title, folder_variable='RELEASE_DIR')
        self.assertEqual((run.exit_code, run.total('stored')), (0, files), run)
        return files / run.elapsed_s

    def measure(self, name, peer, sender_files, at_least, between=lambda: None):
        small = self.subfolder('small')
        large = self.subfolder('large')
        datasets.make_studies(small, 1, DCMSEND_FILES, 16384, seed=1)
        datasets.make_studies(large, 1, sender_files, 16384, seed=2)
        contestants = {
            'dicom-sender': lambda: self.run_sender(peer, large, sender_files),
            'dcmsend': lambda: self.run_dcmsend(peer, small, nodelay=False),
            'dcmsend with TCP_NODELAY=1': lambda: self.run_dcmsend(peer, small, nodelay=True),
        }
        rates = {contestant: [] for contestant in contestants}
        for _ in range(ROUNDS):
            for contestant, run in contestants.items():
                rates[contestant].append(run())
                between()
        median = {contestant: statistics.median(values) for contestant, values in rates.items()}
        ours = median.pop('dicom-sender')
        print(f'\n{name}: dicom-sender {ours:.0f} instances/s; ' + '; '.join(
            f'{contestant} {rate:.1f}: {ours / rate:.0f}x' for contestant, rate in median.items()) +
            f' (at least: {at_least}x)', flush=True)
        self.assertGreaterEqual(ours / max(median.values()), at_least, rates)

    def test_orthanc(self):
        peer = self.start(peers.Orthanc())
        self.measure('Orthanc as packaged', peer, 300, 2.5, between=peer.clear)

    def test_storescp(self):
        peer = self.start(peers.Storescp(stock=True, keep=False))
        self.measure('storescp --ignore', peer, 600, 20)


if __name__ == '__main__':
    unittest.main()
