"""README.md and the other documents tell the truth: links lead somewhere, options and files exist, and what a program
says is shown as it says it. Their blocks are run by test_document_blocks.py.
"""
import re
import subprocess
import unittest

from support import conversions, documents, images
from support.base import CommandTest
from support.process import TIMEOUT_S, build_folder, environment, run

OPTION = re.compile(r'(?<![\w-])--[a-z][a-z-]*[a-z]')
PROGRAMS = ('dicom-sender', 'dicom-receiver', 'dicom-echo', 'dicom-archive', 'dicom-finder', 'dicom-mover')
# meson's, storescp's, ./run's, pkg-config's, ninja's and git's
OF_OTHERS = {'--list', '--user-pass', '--ignore', '--fork', '--minutes', '--cflags', '--libs', '--quick', '--cases',
             '--rounds', '--data', '--small-disk', '--show', '--update', '--buildtype'}
# Whole command lines of other tools, and what bench.py takes, have tests of their own.
NOT_OURS = ('docs/manual/from-other-tools.md', 'bench/README.md')
NOT_RUN_MAX = 8


def options_of(name):
    """Its options as --help advertises them, other spellings left out."""
    return set(re.findall(r'^  (?:-.,|   ) (--[a-z-]+)', run(name, '--help').out, re.MULTILINE))


def labels_of(text):
    """The words at the beginning of the rows that end a session."""
    return re.findall(r'^  ([a-z]+(?: [a-z]+)?) {2,}\S', text, re.MULTILINE)


class Documents(CommandTest):
    @classmethod
    def setUpClass(cls):
        cls.pages = documents.pages()
        cls.readme = cls.pages[0]

    def test_all_of_them_are_found(self):
        names = {page.name for page in self.pages}
        self.assertEqual(self.readme.name, 'README.md')
        self.assertLessEqual({'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'bench/README.md', 'docs/architecture.md',
                              'docs/reliability.md', 'docs/library.md', 'docs/glossary.md', 'docs/ledger.md'}, names)
        self.assertLessEqual({f'docs/manual/{name}.md' for name in PROGRAMS}, names)

    def test_the_readme_is_short(self):
        self.assertLessEqual(len(self.readme.text.encode()), 12_000)

    def test_the_output_it_shows_has_the_rows_of_today(self):
        shown, = (block.text for block in self.readme.blocks if block.text.startswith('$ dicom-sender'))
        result = self.send('--loopback', '--recursive', self.studies())
        self.assert_exit(result, 0)
        self.assertIn('throughput', labels_of(result.err))
        self.assertEqual(labels_of(shown), labels_of(result.err))

    def test_every_link_leads_somewhere(self):
        count = 0
        for page in self.pages:
            for path, anchor in page.links():
                count += 1
                with self.subTest(page=page.name, path=path, anchor=anchor):
                    target = (page.path.parent / path).resolve() if path else page.path
                    self.assertTrue(target.exists())
                    if anchor:
                        self.assertIn(anchor, documents.Page(target).anchors())
        self.assertGreater(count, 50)

    def test_every_page_is_linked(self):
        linked = {self.readme.path} | {(page.path.parent / path).resolve() for page in self.pages
                                       for path, _ in page.links() if path}
        self.assertEqual({page.name for page in self.pages if page.path not in linked}, set())

    def test_every_block_says_how_it_is_tested(self):
        not_run = []
        for page in self.pages:
            for block in page.blocks:
                with self.subTest(page=page.name, line=block.line):
                    self.assertNotEqual(block.language, '', 'a block says its language')
                    if block.language not in documents.SHELL:
                        self.assertEqual(block.marker, '')
                        self.assertNotRegex(block.text, r'(?m)^\$ ')
                        continue
                    self.assertRegex(block.marker, r'^(run|run orthanc|not-run: .{10,})$')
                    if block.marker.startswith('not-run'):
                        not_run.append(f'{page.name}:{block.line}')
            self.assertNotRegex(page.prose, r'\n\n    [^ ]', f'{page.name}: a block is fenced, not indented')
        self.assertLessEqual(len(not_run), NOT_RUN_MAX, not_run)

    def test_what_programs_say_is_shown_as_they_say_it(self):
        """BUILD_DIR=build/asan tests/support/documents.py --update writes it anew."""
        shown = set()
        for page in self.pages:
            shown |= {match['what'] for match in documents.GENERATED.finditer(page.text)}
            self.assertEqual(documents.stale_parts(page), [], page.name)
        self.assertLessEqual({f'help {name}' for name in PROGRAMS} | {'status rules', 'help dicom-sender report'}, shown)

    def test_its_options_exist(self):
        known = {option for name in PROGRAMS for option in OPTION.findall(run(name, '--help').out)}
        known |= set(OPTION.findall(run('dicom-sender', 'report', '--help').out))
        self.assertGreater(len(known), 40)
        for page in self.pages:
            if page.name not in NOT_OURS:
                self.assertEqual(set(OPTION.findall(page.text)) - known - OF_OTHERS, set(), page.name)

    def test_no_option_is_left_out(self):
        for name in PROGRAMS:
            page, = (page for page in self.pages if page.name == f'docs/manual/{name}.md')
            with self.subTest(name):
                self.assertEqual(options_of(name) - set(OPTION.findall(page.text)), set())

    def test_its_files_exist(self):
        top = documents.TOP
        folders = ('src', 'include', 'docs', 'tests', 'bench', 'subprojects', 'examples')
        names = {str(path.relative_to(top)) for folder in folders for path in (top / folder).rglob('*')}
        names |= {path.name for path in top.iterdir()}
        for page in self.pages:
            for name in set(re.findall(r'[`(](?:\.\./)*([\w/-]+\.(?:[ch]|py|md))[`)]', page.text)):
                with self.subTest(page=page.name, name=name):
                    self.assertTrue(any(known == name or known.endswith('/' + name) for known in names))

    def test_its_reasons_exist(self):
        header = (documents.TOP / 'src' / 'instance' / 'outcome.h').read_text(encoding='utf-8')
        known = set(re.findall(r'X\(REASON_\w+,\s*"([a-z-]+)"', header))
        self.assertGreater(len(known), 25)
        named = {page.name: set(re.findall(r'`(?:failed|skipped): ([a-z-]+)`', page.text)) for page in self.pages}
        self.assertGreater(len(named['docs/reliability.md']), 15)
        for page, reasons in named.items():
            self.assertEqual(reasons - known, set(), page)

    def test_the_code_map_is_whole(self):
        """docs/architecture.md has a generated list of each folder of src/, and says no file without what it is."""
        page, = (page for page in self.pages if page.name == 'docs/architecture.md')
        listed = {match['what'] for match in documents.GENERATED.finditer(page.text)}
        folders = {path.name for path in (documents.TOP / 'src').iterdir() if path.is_dir()}
        self.assertEqual(listed, {'layers'} | {f'modules {folder}' for folder in folders})
        self.assertNotRegex(page.text, r'(?m)^\| `[\w.\[\]-]+` \|  \|$')


class StatusRules(unittest.TestCase):
    def test_the_table_says_what_the_code_does_for_every_status(self):
        page, = (page for page in documents.pages() if page.name == 'docs/reliability.md')
        part, = (match['text'] for match in documents.GENERATED.finditer(page.text) if match['what'] == 'status rules')
        rows = re.findall(r'^\| ([^|]+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$', part, re.MULTILINE)[1:]
        self.assertGreater(len(rows), 20)
        table, other = {}, None
        for statuses, *means in rows:
            if re.match('[0-9A-F]{4}', statuses):
                first, _, last = statuses.partition('-')
                for status in range(int(first, 16), int(last or first, 16) + 1):
                    self.assertNotIn(status, table, 'in two rows')
                    table[status] = means
            elif statuses == 'any other':
                other = means
        done = subprocess.run([build_folder() / 'tests' / 'support' / 'status-rules', 'each'], check=True, text=True,
                              stdout=subprocess.PIPE, timeout=TIMEOUT_S, env=environment())
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 65_536)
        for line in lines:
            status, *means = line.split(' | ')
            self.assertEqual(table.get(int(status, 16), other), means, status)


class Fallbacks(unittest.TestCase):
    """The generated table of docs/conformance.md says what the hand-written one of tests/support does."""

    def test_every_row(self):
        page, = (page for page in documents.pages() if page.name == 'docs/conformance.md')
        part, = (match['text'] for match in documents.GENERATED.finditer(page.text) if match['what'] == 'fallbacks')
        rows = re.findall(r'^\| ([^|]+) \| ([\d.]+) \|([^|]+)\|([^|]*)\|$', part, re.MULTILINE)
        uids = {name: uid for name, uid, _, _ in rows}
        self.assertLessEqual({*images.UNCOMPRESSED, *images.LOSSLESS, *images.LOSSY}, set(uids.values()))
        for name, uid, becomes, level in rows:
            with self.subTest(syntax=name):
                found = [] if becomes.strip() == 'nothing' else [uids[other] for other in becomes.strip().split(', ')]
                for transcode in conversions.LEVELS:
                    allowed = level.strip(' `') in conversions.LEVELS[:conversions.LEVELS.index(transcode) + 1]
                    self.assertEqual([uid] + (found if allowed else []), conversions.outcomes(uid, transcode))


if __name__ == '__main__':
    unittest.main()
