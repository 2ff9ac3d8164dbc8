"""The test case for runs with a ledger."""
import json
import os
import sqlite3

from .base import CommandTest
from .process import run
from .programs import Receiver


class LedgerTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.ledger = self.folder / 'move.db'
        self.peer = None

    def to(self, *options):
        """A receiver with these options in place of the last one, on the same port: the same destination."""
        port = '0'
        if self.peer is not None:
            port = self.peer.port
            self.peer.stop()
        self.peer = self.start(Receiver(*(options or ('--discard',)), '--port', port))
        return self.peer

    def arguments(self, *arguments):
        return ('-H', '127.0.0.1', '-p', self.peer.port, '-r', '--ledger', self.ledger, *arguments)

    def resume(self, *arguments, code=0, **totals):
        """Run it again; {name: count} of the totals that are not 0, what was known before as earlier_..."""
        result = self.send('--json', *self.arguments(*arguments))
        self.assert_exit(result, code)
        found = json.loads(result.out)
        counts = {name: found['totals'][name]
                  for name in ('stored', 'warned', 'failed', 'skipped', 'in_doubt', 'pending') if found['totals'][name]}
        counts.update({f'earlier_{name}': count for name, count in found['totals']['earlier'].items() if count})
        self.assertTrue(found['sums_match'], result)
        self.assertEqual(counts, totals, result)
        return found

    def rows(self, query='SELECT path, state, reason FROM file'):
        database = sqlite3.connect(f'file:{self.ledger}?mode=ro', uri=True)
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()

    def report(self, *arguments, code=0):
        result = run('dicom-sender', 'report', '--ledger', self.ledger, *arguments)
        self.assert_exit(result, code)
        return result


def alter(path):
    """Other bytes of the same length, and a time of modification that hardly differs."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    with open(path, 'r+b') as file:
        file.write(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
