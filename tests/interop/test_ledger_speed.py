"""What the ledger costs: the throughput into a receiver that keeps nothing, with it and without, in turns.

The promise is nine tenths, at 5,000 instances a second and above. Both run in turns on the same files, by the session's
own clock, and the best of each is compared: whatever else the machine does only makes a run slower.
RELEASE_DIR names the folder of an optimized build.
"""
import os
import statistics
import subprocess

from support import programs
from support.base import ProgramTest

ROUNDS = 9
PROMISED = 0.9
THREADS, STUDIES, INSTANCES, SIZE = 8, 8, 400, '64K'
FILES = STUDIES * INSTANCES


class LedgerSpeed(ProgramTest):
    def run_once(self, receiver, source, *options):
        """Instances a second."""
        run = programs.run_sender(source, port=receiver.port, threads=THREADS, options=options,
                                  folder_variable='RELEASE_DIR')
        self.assertEqual((run.exit_code, run.total('stored')), (0, FILES), run)
        return run.summary['rates']['session']['instances_per_s']

    def test_nine_tenths(self):
        source = self.folder / 'source'
        made = os.path.join(os.environ['RELEASE_DIR'], 'tests', 'support', 'make-studies')
        subprocess.run([made, str(source), f'{STUDIES}x{INSTANCES}x{SIZE}:CT', '--seed', '3'], check=True, stdout=subprocess.DEVNULL)
        receiver = self.start(programs.Receiver(keep=False, folder_variable='RELEASE_DIR'))
        self.run_once(receiver, source)
        with_it, without = [], []
        for number in range(ROUNDS):
            without.append(self.run_once(receiver, source))
            with_it.append(self.run_once(receiver, source, '--ledger', self.folder / f'{number}.db'))
        ratio = max(with_it) / max(without)
        print(f'\nledger: {max(with_it):.0f} instances/s with it, {max(without):.0f} without; ratio {ratio:.2f} '
              f'(promised: {PROMISED}); medians {statistics.median(with_it):.0f}, {statistics.median(without):.0f}',
              flush=True)
        self.assertGreaterEqual(ratio, PROMISED, (with_it, without))
