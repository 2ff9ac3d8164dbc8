"""README.md tells the truth: its commands run, its options and files exist.

Blocks that begin with "```sh run" are run, in their order and as one script, in an empty folder that has
`build/release` and is the home folder too. Port 11112 becomes a free one. Other blocks only show something.
"""
import pathlib
import re
import socket
import subprocess
import unittest

from support.harness import BUILD, FAULTS, CommandTest, environment, run

TOP = pathlib.Path(__file__).resolve().parents[2]
README = (TOP / 'README.md').read_text(encoding='utf-8')
BLOCK = re.compile(r'^```([^\n]*)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
OPTION = re.compile(r'(?<![\w-])--[a-z][a-z-]*[a-z]')
PROGRAMS = ('dicom-sender', 'dicom-receiver', 'dicom-echo', 'dicom-archive', 'dicom-finder', 'dicom-mover')
# meson's, storescp's, ./run soak's, pkg-config's
OF_OTHERS = {'--list', '--ignore', '--fork', '--minutes', '--cflags', '--libs'}


def blocks(kind):
    return [text for info, text in BLOCK.findall(README) if info == kind]


def options_of(name):
    """Its options as --help advertises them, other spellings left out."""
    return set(re.findall(r'^  (?:-.,|   ) (--[a-z-]+)', run(name, '--help').out, re.MULTILINE))


def labels_of(text):
    """The words at the beginning of the rows that end a session."""
    return re.findall(r'^  ([a-z]+(?: [a-z]+)?) {2,}\S', text, re.MULTILINE)


def free_port():
    with socket.socket() as holder:
        holder.bind(('127.0.0.1', 0))
        return holder.getsockname()[1]


class Readme(CommandTest):
    def test_its_blocks_run(self):
        (self.folder / 'build').mkdir()
        (self.folder / 'build' / 'release').symlink_to(BUILD)
        script = '\n'.join(blocks('sh run'))
        self.assertGreaterEqual(len(blocks('sh run')), 3)
        self.assertIn('--port 11112', script)
        script = 'trap "kill 0" EXIT\n' + script.replace('11112', str(free_port())) + '\ntrap - EXIT\n'
        done = subprocess.run(['bash', '-euo', 'pipefail', '-c', script], cwd=self.folder, timeout=120, check=False,
                              env=environment(HOME=str(self.folder)), stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertFalse([fault for fault in FAULTS if fault in done.stdout], done.stdout)
        self.assertEqual(re.findall(r'^  failed +(\d+)', done.stdout, re.MULTILINE), ['0'] * 10, done.stdout)
        self.assertEqual(re.findall(r', (\d+) stored, 0 refused, ', done.stdout), ['200', '100', '100'], done.stdout)
        self.assertEqual(len(list((self.folder / 'received').glob('*.dcm'))), 100)

    def test_the_output_it_shows_has_the_rows_of_today(self):
        shown, = (text for text in blocks('') if text.startswith('$ dicom-sender'))
        result = self.send('--loopback', '--recursive', self.studies())
        self.assert_exit(result, 0)
        self.assertIn('throughput', labels_of(result.err))
        self.assertEqual(labels_of(shown), labels_of(result.err))

    def test_its_options_exist(self):
        known = {option for name in PROGRAMS for option in OPTION.findall(run(name, '--help').out)}
        known |= set(OPTION.findall(run('dicom-sender', 'report', '--help').out))
        self.assertGreater(len(known), 40)
        self.assertEqual(set(OPTION.findall(README)) - known - OF_OTHERS, set())

    def test_no_option_is_left_out(self):
        for name in PROGRAMS:
            with self.subTest(name):
                self.assertEqual(options_of(name) - set(OPTION.findall(README)), set())

    def test_its_files_exist(self):
        names = {str(path.relative_to(TOP)) for folder in ('src', 'include', 'docs', 'tests', 'bench', 'subprojects')
                 for path in (TOP / folder).rglob('*')}
        for name in set(re.findall(r'[`(]([\w/-]+\.(?:[ch]|py|md))[`)]', README)):
            with self.subTest(name):
                self.assertTrue(any(known == name or known.endswith('/' + name) for known in names))


if __name__ == '__main__':
    unittest.main()
