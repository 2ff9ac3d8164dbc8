"""Options of all programs, from the outside: what is wrong is one line and exit 1; help and version go to standard output."""
import json
import os
import socket
import subprocess
import unittest

from support import datasets, process
from support.base import CommandTest
from support.process import run

AE_RULE = 'it takes an AE title: 1 to 16 ASCII characters, no backslash, no control characters, not all spaces'
PROGRAMS = ('dicom-sender', 'dicom-receiver', 'dicom-echo', 'dicom-finder', 'dicom-mover')
# Root that may not listen below 1024.
UNPRIVILEGED = () if os.geteuid() != 0 else ('setpriv', '--bounding-set=-net_bind_service',
                                             '--inh-caps=-net_bind_service', '--')


class WrongOptions(CommandTest):
    """Nothing is sent, nothing is made: not even a log folder."""

    def sender_says(self, line, *arguments):
        with self.subTest(arguments=arguments):
            result = run('dicom-sender', *arguments, cwd=self.folder)
            self.assert_wrong(result, f'dicom-sender: {line}')
            self.assertEqual(list(self.folder.iterdir()), [])

    def test_numbers(self):
        for value in ('300', '0', '-1', 'x', '', '8.5', '1e2', '0x8', '99999999999999999999', '١'):
            self.sender_says(f"--threads: '{value}' is not a number from 1 to 256 or auto", '--threads', value, '.')
        self.sender_says("-t: '257' is not a number from 1 to 256 or auto", '-t257', '.')
        self.sender_says("--concurrency: '0' is not a number from 1 to 256 or auto", '--concurrency=0', '.')
        self.sender_says("-p: '65536' is not a number from 1 to 65535", '-p', '65536', '.')
        self.sender_says("--retry: '-1' is not a number from 0 to 100", '--retry', '-1', '.')
        self.sender_says("-pdu: '4095' is not a number from 4096 to 1048576", '-pdu', '4095', '.')
        self.sender_says("--max-pdu: '1048577' is not a number from 4096 to 1048576", '--max-pdu', '1048577', '.')

    def test_seconds(self):
        for name in ('--timeout', '--connect-timeout', '--acse-timeout', '--dimse-timeout', '--network-timeout', '-to',
                     '-ta', '-td', '-tn'):
            self.sender_says(f"{name}: '5s' is not a number of seconds from 0 to 86400", name, '5s', '.')
            self.sender_says(f"{name}: '-0.1' is not a number of seconds from 0 to 86400", name, '-0.1', '.')

    def test_choices(self):
        self.sender_says("--priority: 'urgent' is not one of low, medium, high", '--priority', 'urgent', '.')
        for name in ('--log-level', '-ll'):
            self.sender_says(f"{name}: 'loud' is not one of error, warn, info, debug", name, 'loud', '.')

    def test_transfer_syntaxes(self):
        self.sender_says("--transcode: 'yes' is not one of never, uncompressed, lossless, lossy", '--transcode', 'yes', '.')
        allowed = ('a UID, a keyword such as JPEG2000Lossless, or one of implicit, explicit, big, deflated, uncompressed, '
                   'rle, jpeg, jpeg-lossless, jpeg-ls, jpeg-2000, ht-jpeg-2000, jpeg-xl, mpeg2, mpeg4, hevc')
        for value in ('jpeg-lossles', '1.2.840.10008.1.1'):
            self.sender_says(f"--syntax: '{value}' has '{value}', which is no transfer syntax: {allowed}", '--syntax',
                             value, '.')
        self.sender_says('-xi: it takes no value', '-xi=1', '.')
        self.sender_says('--output-dir writes files and sends to nobody: give either it or --transcode', '--synthetic',
                         '1x1x1K', '--output-dir', 'd', '--transcode', 'lossy')

    def test_ae_titles(self):
        for name in ('--ae-title', '-a', '--called-aet', '--call', '-aec', '--calling-ae', '-c', '--aet', '--aetitle',
                     '--calling-aet', '-aet'):
            self.sender_says(f"{name}: '12345678901234567' has more than 16 characters: {AE_RULE}", name,
                             '12345678901234567', '.')
        self.sender_says(f"-a: '' is empty: {AE_RULE}", '-a', '', '.')
        self.sender_says(f"-a: '   ' is all spaces: {AE_RULE}", '-a', '   ', '.')
        self.sender_says(f"-a: 'A\\B' contains a backslash: {AE_RULE}", '-a', 'A\\B', '.')
        self.sender_says(f"-a: 'A?B' contains a control character: {AE_RULE}", '-a', 'A\x1bB', '.')
        self.sender_says(f"-a: 'Ä' contains a character that is not ASCII: {AE_RULE}", '-a', 'Ä', '.')

    def test_missing_values(self):
        self.sender_says('--host: its value is missing: it takes HOST', '.', '--host')
        self.sender_says('--host: its value is missing: it takes HOST', '.', '--host', '--json')
        self.sender_says('-t: its value is missing: it takes a number from 1 to 256 or auto', '.', '-t')
        self.sender_says('--input: its value is missing: it takes PATH', '--input')
        self.sender_says("--input: '' is empty", '--input', '')
        self.sender_says("--host: '' is empty", '--host=', '.')
        self.sender_says('--json: it takes no value', '--json=1', '.')
        self.sender_says('an argument is empty', '')

    def test_unknown(self):
        for typed, nearest in (('--thread', '--threads'), ('--recursiv', '--recursive'), ('--ae-titel', '--ae-title'),
                               ('--max_pdu', '--max-pdu'), ('-host', '--host'), ('-threads', '--threads'),
                               ('-aetitle', '--aetitle'), ('--dryrun', '--dry-run'), ('-tn5', '-tn')):
            self.sender_says(f"unknown option '{typed}'; the nearest is {nearest} (all: dicom-sender --help)", typed, '.')
        self.sender_says("unknown option '--zzzzzzzzzzzz' (all: dicom-sender --help)", '--zzzzzzzzzzzz', '.')
        self.sender_says("unknown option '-rx'; the nearest is +r (all: dicom-sender --help)", '-rx', '.')
        self.sender_says("unknown option '--sd' (all: dicom-sender --help)", '--sd', '.')
        self.sender_says("unknown option '-rt8'; the nearest is +r (all: dicom-sender --help)", '-rt8', '.')
        self.sender_says("unknown option '+tsl'; the nearest is --tls (all: dicom-sender --help)", '+tsl', '.')

    def test_contradictions(self):
        self.sender_says('nothing to send: give --input PATH, a path, --files-from FILE or --synthetic', '--loopback')
        self.sender_says('--null: it belongs to --files-from, which is missing', '-0', '.')
        self.sender_says('--quiet and --verbose exclude each other', '-qv', '.')
        self.sender_says('--host and --peer both name a destination; give one', '--host', 'a', '--peer', 'b', '.')
        self.sender_says('--loopback and --host both name a destination; give one', '--host', 'a', '--loopback', '.')
        self.sender_says("'pacs://a' and --loopback both name a destination; give one", 'pacs://a', '--loopback', '.')

    def test_destination(self):
        self.sender_says('no destination: give --host HOST [--port PORT] [--ae-title AE], or pacs://[AE@]HOST[:PORT], '
                         '[AE@]HOST:PORT or [AE@]HOST PORT, or --peer NAME, or a default peer in '
                         '/nonexistent/.config/dicom-sender/peers.json, or --loopback', '.')
        self.sender_says("'PACS@h:99999': port '99999' is not a number from 1 to 65535", 'PACS@h:99999', '.')
        self.sender_says("'pacs://h:': port '' is not a number from 1 to 65535", 'pacs://h:', '.')
        self.sender_says("--host: 'a b' is not a host name or an address", '--host', 'a b', '.')
        self.sender_says('/nonexistent/.config/dicom-sender/peers.json: no such file', '--peer', 'x', '.')
        self.sender_says('nowhere.json: no such file', '--config', 'nowhere.json', '.')

    def test_files_from(self):
        self.sender_says("--files-from: 'nowhere.txt': No such file or directory", '--loopback', '--files-from',
                         'nowhere.txt')

    def test_ports(self):
        """A port that nobody named, and one that is not for everybody."""
        hint = '; no port was given, so it was 104 (--port PORT)'
        studies = self.studies('1x1x1024:CT')
        with socket.socket() as probe:
            self.assertNotEqual(probe.connect_ex(('127.0.0.2', 104)), 0, 'somebody listens there')
        for name, *arguments in (('dicom-echo',), ('dicom-finder',),
                                 ('dicom-mover', '-k', 'StudyInstanceUID=1', '-o', 'x', '--retry', '0'),
                                 ('dicom-sender', '-r', studies, '--retry', '0')):
            with self.subTest(program=name):
                result = run(name, *arguments, '--host', '127.0.0.2', cwd=self.folder)
                self.assertIn(hint, result.err)
                self.assertEqual(result.code, 1)
                result = run(name, *arguments, '127.0.0.2', '104', cwd=self.folder)
                self.assertNotIn('no port was given', result.err)
                self.assertEqual(result.code, 1)
        line = ('Permission denied; a port below 1024 takes privileges (root or CAP_NET_BIND_SERVICE): choose a higher '
                'one\n')
        for name, *arguments in (('dicom-receiver', '--discard', '--port', '104'),
                                 ('dicom-archive', '--synthetic', '--port', '104'),
                                 ('dicom-mover', '127.0.0.2', '-k', 'StudyInstanceUID=1', '+P', '104', '-o', 'x')):
            with self.subTest(program=name):
                done = subprocess.run([*UNPRIVILEGED, process.program(name), *arguments], cwd=self.folder, check=False,
                                      env=process.environment(), capture_output=True, text=True, timeout=60)
                self.assertTrue(done.stderr.endswith(line), done.stderr)
                self.assertEqual((done.returncode, done.stdout), (1, ''))

    def test_line_breaks_in_values(self):
        self.sender_says("--threads: 'a?b' is not a number from 1 to 256 or auto", '--threads', 'a\nb', '.')

    def test_receiver(self):
        for line, *arguments in (
                ('give --output-dir DIR to keep what comes, or --discard to keep nothing', '--port', '0'),
                ('--output-dir and --discard exclude each other', '--discard', '--output-dir', 'x'),
                ("--status: 'xyz' is not a status of 1 to 4 hexadecimal digits", '--discard', '--status', 'xyz'),
                ("--response-delay: '1.5' is not a number from 0 to 3600000", '--discard', '--response-delay', '1.5'),
                ("--port: '65536' is not a number from 0 to 65535", '--discard', '--port', '65536'),
                ("unexpected argument 'x' (see dicom-receiver --help)", '--discard', 'x'),
                ("unknown option '--discord'; the nearest is --discard (all: dicom-receiver --help)", '--discord')):
            with self.subTest(arguments=arguments):
                self.assert_wrong(run('dicom-receiver', *arguments, cwd=self.folder), f'dicom-receiver: {line}')

    def test_echo(self):
        for line, *arguments in (
                ("unexpected argument 'b' (see dicom-echo --help)", 'a', 'b'),
                ("--repeat: '0' is not a number from 1 to 1000000", 'a', '--repeat', '0'),
                ("'a' and --host both name a destination; give one", 'a', '--host', 'b'),
                ("'PACS@h:x': port 'x' is not a number from 1 to 65535", 'PACS@h:x')):
            with self.subTest(arguments=arguments):
                self.assert_wrong(run('dicom-echo', *arguments), f'dicom-echo: {line}')
        self.assertIn('--loopback', run('dicom-echo', '-v').err)

    def test_nothing_typed(self):
        """Two lines: how it is used, and where the rest stands."""
        for name in (*PROGRAMS, 'dicom-archive'):
            with self.subTest(program=name):
                result = run(name, cwd=self.folder)
                first, second = result.err.splitlines()
                self.assertTrue(first.startswith(f'Usage: {name} ['), result)
                self.assertEqual(second, f'       {name} --help says the rest')
                self.assertEqual((result.code, result.out), (1, ''), result)
        result = run('dicom-sender', 'report', cwd=self.folder)
        self.assertEqual((result.code, len(result.err.splitlines())), (1, 2), result)


class HelpAndVersion(CommandTest):
    def test_help(self):
        for name in PROGRAMS:
            for option in ('-h', '--help'):
                result = run(name, option)
                self.assertEqual((result.code, result.err), (0, ''), result)
                self.assertTrue(result.out.startswith(f'Usage: {name} '), result)
                for line in result.out.splitlines():
                    self.assertLessEqual(len(line), 80, line)
                for word in ('Network:', 'Examples:', 'Exit codes:', '--timeout', '--max-pdu'):
                    self.assertIn(word, result.out)

    def test_help_names_every_spelling(self):
        text = run('dicom-sender', '--help').out.replace(',', ' ').replace(';', ' ')
        for spelling in ('--host -H --port -p --ae-title -a --called-aet --call -aec --calling-ae -c --aet --aetitle -aet '
                         '--calling-aet --peer --config --loopback --input -i --recursive -r +r --pattern --files-from -0 '
                         '--threads -t --concurrency --priority --verify --retry --timeout --connect-timeout -to '
                         '--acse-timeout -ta --dimse-timeout -td --network-timeout -tn --max-pdu -pdu --dry-run --log-dir '
                         '--json --no-progress -q -v -d --log-level -ll -h -V +sd').split():
            self.assertIn(spelling, text.split(), spelling)

    def test_version(self):
        for name in PROGRAMS:
            for option in ('-V', '--version'):
                result = run(name, option)
                self.assertEqual((result.code, result.err), (0, ''), result)
                self.assertRegex(result.out, rf'^{name} \d+\.\d+\.\d+\n')
                self.assertRegex(result.out, r'libuv \d.*jansson \d.*GDCM \d')


class Spellings(CommandTest):
    """Each spelling does what it says: seen in the summary of a dry run."""

    def summary_of(self, *arguments):
        result = self.send('pacs://localhost:9', '--dry-run', '--no-progress', *arguments, self.folder / 'nothing')
        summaries = sorted(self.logs.glob('dicom_sender_summary_*.json'))
        self.assertEqual(len(summaries), 1, result)
        summary = json.loads(summaries[0].read_text(encoding='utf-8'))
        for path in datasets.files_below(self.logs):
            path.unlink()
        return summary

    def test_spellings(self):
        for (where, value), spellings in {
                ('destination called_ae', 'X'): ('--ae-title X', '--ae-title=X', '-a X', '--called-aet X', '--call X',
                                                 '-aec X'),
                ('destination calling_ae', 'X'): ('--calling-ae X', '-c X', '--aet X', '--aetitle X', '-aet X',
                                                  '--calling-aet=X', '-aet=X'),
                ('options threads', 8): ('--threads 8', '--threads=8', '-t8', '-t 8', '--concurrency 8', '-t3 -t8'),
                ('options timeouts_s connect', 1.5): ('--connect-timeout 1.5', '-to 1.5', '-to=1.5'),
                ('options timeouts_s acse', 2): ('--acse-timeout 2', '-ta 2'),
                ('options timeouts_s dimse', 3): ('--dimse-timeout 3.0', '-td 3'),
                ('options timeouts_s network', 0.25): ('--network-timeout .25', '-tn 0.25'),
                ('options max_pdu', 16384): ('--max-pdu 16384', '-pdu 16384'),
                ('options log_level', 'debug'): ('--log-level debug', '-ll debug', '-ll DEBUG'),
                ('options recursive', True): ('--recursive', '-r', '+r')}.items():
            for spelling in spellings:
                with self.subTest(spelling=spelling):
                    found = self.summary_of(*spelling.split())
                    for key in where.split():
                        found = found[key]
                    self.assertEqual(found, value)

    def test_letters_together(self):
        options = self.summary_of('-rv', '-t8')['options']
        self.assertEqual((options['recursive'], options['threads']), (True, 8))


if __name__ == '__main__':
    unittest.main()
