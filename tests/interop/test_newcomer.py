"""The way of a newcomer, from README.md and docs/library.md alone: start an archive, list its studies, fetch one, send
it on to Orthanc, and build an SCU of one's own. Their blocks "```sh run orthanc" are run as they stand there, their
ports apart, in an empty folder that has `build/release` and the example that docs/library.md shows. And from
docs/manual/tls.md alone: send to an Orthanc that speaks TLS and nothing else.

RELEASE_DIR names the folder of an optimized build.
"""
import json
import os
import pathlib
import re
import subprocess
import unittest

from support import network, peers, programs
from support.base import ProgramTest

TOP = pathlib.Path(__file__).resolve().parents[2]
STUDIES, SERIES, INSTANCES = 4, 2, 50


def blocks(info, *pages):
    """Of these pages, one after the other; by default of the two."""
    text = ''.join((TOP / name).read_text(encoding='utf-8') for name in pages or ('README.md', 'docs/library.md'))
    return re.findall(rf'^```{info}\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)


class Newcomer(ProgramTest):
    def install_library(self):
        """As `meson install` does, but below a folder; and what the environment has to say for that."""
        place = self.subfolder('installed')
        subprocess.run(['meson', 'install', '-C', os.environ['RELEASE_DIR'], '--no-rebuild', '--quiet', '--destdir', place],
                       check=True, capture_output=True)
        config, = place.rglob('dicomnet.pc')
        return {'PKG_CONFIG_PATH': str(config.parent), 'PKG_CONFIG_SYSROOT_DIR': str(place),
                'LD_LIBRARY_PATH': str(config.parents[1])}

    def test_from_an_archive_into_a_pacs(self):
        orthanc = self.start(peers.Orthanc())
        (self.folder / 'build').mkdir()
        (self.folder / 'build' / 'release').symlink_to(pathlib.Path(os.environ['RELEASE_DIR']).resolve())
        example, = (block for block in blocks('c') if ' echo_and_store_scu HOST ' in block)
        (self.folder / 'echo_and_store_scu.c').write_text(example)
        script = '\n'.join(blocks('sh run orthanc'))
        for port, ours in (('11112', network.free_port()), ('4242', orthanc.port)):
            self.assertIn(port, script)
            script = script.replace(port, str(ours))
        done = subprocess.run(['bash', '-euo', 'pipefail', '-c', 'trap "kill 0" EXIT\n' + script + '\ntrap - EXIT'],
                              cwd=self.folder, env=programs.environment() | self.install_library(), timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              start_new_session=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(f'{STUDIES} matches', done.stdout)
        self.assertRegex(done.stdout, rf'(?m)^  listed +{SERIES * INSTANCES} ')
        self.assertRegex(done.stdout, rf'(?m)^  stored +{SERIES * INSTANCES} .*\n(.*\n)*  stored +{SERIES * INSTANCES} ')
        self.assertRegex(done.stdout, r'echo: answered, status 0000\nstore: answered, status 0000')
        fetched = {path.stem for path in (self.folder / 'fetched').glob('*.dcm')}
        self.assertEqual(len(fetched), SERIES * INSTANCES)
        self.assertEqual(set(orthanc.instances()), fetched)


class Tls(ProgramTest):
    """From docs/manual/tls.md alone, whose certificates these are, to an Orthanc that speaks TLS and nothing else: under
    the wrong name first."""

    PAGE = 'docs/manual/tls.md'

    def shell(self, script):
        path = f'{os.environ["RELEASE_DIR"]}/src/programs:{os.environ["PATH"]}'
        return subprocess.run(['bash', '-euo', 'pipefail', '-c', script], cwd=self.folder, text=True, timeout=60,
                              env=programs.environment(PATH=path), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)

    def test_to_an_orthanc(self):
        made = self.shell(blocks('sh run', self.PAGE)[0])
        self.assertEqual(made.returncode, 0, made.stdout)
        settings = json.loads(next(block for block in blocks('json', self.PAGE) if 'DicomTls' in block))
        settings = {name: str(self.folder / value) if isinstance(value, str) else value
                    for name, value in settings.items()}
        orthanc = self.start(peers.Orthanc(**settings))
        refused, sent = (self.shell(block.replace('4242', str(orthanc.port)))
                         for block in blocks('sh run orthanc', self.PAGE))
        (shown,) = blocks('text', self.PAGE)
        self.assertEqual(refused.stdout, shown.replace('4242', str(orthanc.port)) + 'as expected\n')
        self.assertEqual((sent.returncode, orthanc.instance_count()), (0, 20), sent.stdout)

    def test_demo(self):
        done = subprocess.run([TOP / 'run', 'demo-tls'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(len(re.findall(r"^session stopped .* another name: 'pacs\.example\.org'; .*--tls-server-name",
                                        done.stdout, re.MULTILINE)), 2, done.stdout)
        self.assertEqual(re.findall(r'^  stored +(\d+)', done.stdout, re.MULTILINE), ['0', '100'] * 2, done.stdout)
        self.assertRegex(done.stdout, 'demo passed: 100 of 100 instances arrived(.*\n)*demo passed over TLS')


if __name__ == '__main__':
    unittest.main()
