"""The bench of a line that is narrow and long: 20 Mbit/s, 80 ms for a round trip. Who fills it?"""
from contest import Dcmtk, Receiver, Sender

MBIT, RTT_MS = 20, 80
WINDOW = ('--window', '16')


def case(bench):
    """Instances of 0.5 MB, of which a round trip is a fifth, and of 16 KB, of which it is nearly all."""
    for name, alone in (('line-ct', 'line-ct'), ('line-small', 'line-few')):
        data, few = bench.data(name), bench.data(alone)
        ours = [(Sender(bench.build, threads), few if threads == 1 else data) for threads in (1, 4, 8)]
        ours += [(Sender(bench.build, threads, *WINDOW), data) for threads in (1, 4)]
        theirs = [(Dcmtk('dcmsend', tuned), few) for tuned in (True, False)]
        bench.contest(name, Receiver.name, ours + theirs, lambda: Receiver(bench.build, *WINDOW).start(), rtt_ms=RTT_MS,
                      mbit=MBIT)
