"""The shell blocks of every document are run, and what their commands print is what the page shows.

support/documents.py says which blocks are run, and how. Of what is printed, words count and numbers do not, but for the
counts of outcomes; the rows that end a session are compared by their labels, as what stands behind them depends on time.
"""
import concurrent.futures
import pathlib
import re
import tempfile
import unittest

from support import documents
from support.process import build_folder, environment, fault_of

AT_ONCE = 3
COUNTED = ('files', 'stored', 'warned', 'failed', 'skipped', 'listed', 'present', 'missing')


def shape(line):
    """What of a printed line has to be the same in each run."""
    row = re.match(r'  ([a-z]+(?: [a-z]+)?) {2,}(\S+)', line)
    if row:
        return f'{row[1]} {row[2]}' if row[1] in COUNTED else row[1]
    line = re.sub(r'\b\d{8}T\d{6}Z_[0-9a-f]{4}\b', 'SESSION', line.strip())
    line = re.sub(r'\d[\d.,:]*', '0', line)
    line = re.sub(r'\b0 (B|KB|MB|GB|us|ms|s)\b', '0 U', line)
    return re.sub(r'[ ─━]+', ' ', line)


def shapes(text):
    return [shape(line) for line in text.rstrip('\n').split('\n')]


class Blocks(unittest.TestCase):
    maxDiff = 4000

    def run_page(self, page):
        """What documents.run_page returns, and how many instances the page's receiver has kept."""
        with tempfile.TemporaryDirectory(prefix='dicom-page-') as name:
            folder = pathlib.Path(name)
            return *documents.run_page(page, folder, build_folder(), environment()), len(list(folder.glob('received/*.dcm')))

    def test_they_run_and_print_what_is_shown(self):
        pages = [page for page in documents.pages() if any(block.marker == 'run' for block in page.blocks)]
        self.assertGreaterEqual(len(pages), 9)
        # The longest ones first.
        pages.sort(key=lambda page: -sum(len(block.text) for block in page.blocks if block.marker == 'run'))
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for page, (code, said, printed, kept) in zip(pages, pool.map(self.run_page, pages)):
                with self.subTest(page.name):
                    self.assertEqual(code, 0, said)
                    self.assertEqual(fault_of(said), '')
                    shown = [command for block in page.blocks if (block.language, block.marker) == ('console', 'run')
                             for command in documents.commands_of(block)]
                    self.assertEqual(len(printed), len(shown), said)
                    for (command, text), real in zip(shown, printed):
                        self.assertEqual(shapes(text), shapes(real), f'{command}{real}')
                if page.name == 'README.md':
                    # What it shows no output of: no session failed an instance, and three of them sent the same ones.
                    self.assertEqual(re.findall(r'^  failed +(\d+)', said, re.MULTILINE), ['0'] * 8, said)
                    self.assertEqual(re.findall(r', (\d+) stored, 0 refused, ', said), ['300'], said)
                    self.assertEqual(kept, 100, said)


class Comparison(unittest.TestCase):
    """What test_they_run_and_print_what_is_shown would let pass, and what not."""

    def test_shapes(self):
        same = ((' 1.2 MB in 3 s', '900 KB in 20 ms'), ('  throughput  525.3 MB/s   1754 instances/s', '  throughput  1 B/s'),
                ('  log         logs/dicom_sender_20261128T224941Z_7b61.log', '  log   x'))
        other = (('  failed   0', '  failed   1'), ('  stored             700   209.6 MB', '  stored             699   209.6 MB'),
                 ('1 match', '2 matches'), ('', 'x'), ('answered', 'rejected'))
        for one, two in same:
            self.assertEqual(shapes(one), shapes(two))
        for one, two in other:
            self.assertNotEqual(shapes(one), shapes(two))


if __name__ == '__main__':
    unittest.main()
