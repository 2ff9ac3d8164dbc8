"""How connections are carried: our own address, traffic class, keepalive, buffers, the longest PDU; and where servers
listen. What the programs ask of the system is read from strace, what comes of it from the peers."""
import json
import re
import socket
import subprocess
import unittest

from support import network, programs
from support.base import CommandTest
from support.process import environment, program, run
from support.scripted_peer import ScriptedPeer

LINE = ('--keepalive', '77', '--tos', 'af11', '--socket-buffer', '65536', '--max-send-pdu', '8192')
ASKED = (r'SO_SNDBUF, \[65536\]', r'SO_RCVBUF, \[65536\]', r'IP_TOS, \[40\]', r'TCP_KEEPIDLE, \[77\]')


class Line(CommandTest):
    def setUp(self):
        super().setUp()
        self.trace = self.folder / 'trace'
        self.tracing = ('strace', '-f', '-o', self.trace, '-e', 'trace=setsockopt,bind,connect,listen')

    def calls(self):
        return self.trace.read_text(encoding='utf-8', errors='replace')

    def requestors(self, port):
        to = f'ARCHIVE@127.0.0.1:{port}'
        return {'dicom-sender': (to, '-r', self.studies(), '--log-dir', self.logs),
                'dicom-echo': (to,),
                'dicom-finder': (to, '-k', 'PatientID=*'),
                'dicom-mover': (to, '--all', '--get', '--output-dir', self.folder / 'got',
                                '--log-dir', self.logs)}

    def run_traced(self, name, *arguments):
        # LeakSanitizer cannot run under strace.
        return subprocess.run([*map(str, self.tracing), program(name, 'RELEASE_DIR'), *map(str, arguments)],
                                       env=environment(ASAN_OPTIONS='detect_leaks=0'), capture_output=True, timeout=60,
                                       check=False)

    def test_every_requestor(self):
        archive = self.start(programs.Archive())
        for name, arguments in self.requestors(archive.port).items():
            with self.subTest(name):
                done = self.run_traced(name, *arguments, *LINE, '--bind', '127.0.0.7')
                self.assertEqual(done.returncode, 0, done)
                for asked in ASKED:
                    self.assertRegex(self.calls(), asked)
                self.assertRegex(self.calls(), r'bind\(\d+, \{sa_family=AF_INET, [^}]*"127\.0\.0\.7"')

    def test_what_nobody_asks_for(self):
        archive = self.start(programs.Archive())
        for options, idle in (((), r'TCP_KEEPIDLE, \[30\]'), (('--keepalive', '0'), None)):
            done = self.run_traced('dicom-echo', f'127.0.0.1:{archive.port}', *options)
            self.assertEqual(done.returncode, 0, done)
            self.assertNotRegex(self.calls(), r'SO_SNDBUF|SO_RCVBUF|IP_TOS|bind\(')
            if idle is not None:
                self.assertRegex(self.calls(), idle)
            else:
                self.assertNotRegex(self.calls(), r'TCP_KEEPIDLE|SO_KEEPALIVE, \[1\]')

    def test_servers(self):
        """The buffer and the class are there before anybody connects."""
        for server in (programs.Receiver, programs.Archive):
            with self.subTest(server.name):
                # Traced from outside (-D): what is stopped in the end is the server, and not strace.
                tracing = [*map(str, self.tracing), '-D']
                running = server(*LINE, folder_variable='RELEASE_DIR')
                running.program_command = [*tracing, *running.program_command]
                self.start(running)
                self.assert_exit(run('dicom-echo', f'127.0.0.1:{running.port}'), 0)
                network.wait_until(lambda: 'listen(' in self.calls(), 10, 'the trace')
                calls = self.calls()
                for asked in ASKED:
                    self.assertRegex(calls, asked)
                self.assertLess(calls.index('SO_RCVBUF'), calls.index('listen('))

    def test_the_longest_pdu_that_is_sent(self):
        files = self.studies('1x1x100000:CT')
        for options, longest in (((), 131072), (('--max-send-pdu', '8192'), 8192)):
            with ScriptedPeer() as peer:
                result = self.send(f'A@127.0.0.1:{peer.port}', '-r', files, '--json', *options)
            self.assert_exit(result, 0)
            associations = json.loads(result.out)['associations']
            self.assertLessEqual(associations[0]['peer_max_pdu'], longest)
            if options:
                self.assertEqual(associations[0]['peer_max_pdu'], longest)

    def test_an_address_that_is_not_ours(self):
        result = run('dicom-echo', '127.0.0.1:104', '--bind', '192.0.2.1')
        self.assert_exit(result, 1)
        self.assertIn('192.0.2.1', result.err)
        self.assertIn('--bind', result.err)

    def test_of_the_file_of_peers(self):
        """What the options say wins."""
        archive = self.start(programs.Archive())
        peers = self.folder / 'peers.json'
        peers.write_text(json.dumps({'peers': {'far': {
            'host': '127.0.0.1', 'port': archive.port, 'bind': '127.0.0.8', 'keepalive': 55, 'tos': 'ef',
            'socket_buffer': 50000}}}), encoding='utf-8')
        for options, asked in (((), (r'"127\.0\.0\.8"', r'KEEPIDLE, \[55\]', r'IP_TOS, \[184\]', r'SNDBUF, \[50000\]')),
                               (('--bind', '127.0.0.9', '--keepalive', '66', '--tos', '8', '--socket-buffer', '60000'),
                                (r'"127\.0\.0\.9"', r'KEEPIDLE, \[66\]', r'IP_TOS, \[8\]', r'SNDBUF, \[60000\]'))):
            done = self.run_traced('dicom-echo', '--config', peers, '--peer', 'far', *options)
            self.assertEqual(done.returncode, 0, done)
            for pattern in asked:
                self.assertRegex(self.calls(), pattern)


class Listening(CommandTest):
    def test_at_several_addresses(self):
        for server in (programs.Receiver, programs.Archive):
            with self.subTest(server.name):
                running = self.start(server('--bind', '127.0.0.1', '--bind', '127.0.0.2', '--bind', '::1'))
                network.wait_until(lambda: running.text(0).count('listening on') == 3, 10, 'three lines')
                self.assertEqual(re.findall(r'^listening on (.*)$', running.text(0), re.MULTILINE),
                                 [f'127.0.0.1:{running.port}', f'127.0.0.2:{running.port}', f'[::1]:{running.port}'])
                for host, code in (('127.0.0.1', 0), ('127.0.0.2', 0), ('[::1]', 0), ('127.0.0.3', 1)):
                    self.assert_exit(run('dicom-echo', f'{host}:{running.port}'), code)

    def test_at_all_addresses_of_both_families(self):
        running = self.start(programs.Receiver('--bind', '::', '--discard', '-v'))
        for host in ('127.0.0.5', '[::1]'):
            self.assert_exit(run('dicom-echo', f'{host}:{running.port}'), 0)
        result = running.stop()
        self.assertRegex(result.err, r'127\.0\.0\.1:\d+')
        self.assertNotIn('ffff', result.err)

    def test_one_of_them_is_taken(self):
        with socket.socket() as other:
            other.bind(('127.0.0.2', 0))
            port = other.getsockname()[1]
            result = run('dicom-receiver', '--discard', '--port', port, '--bind', '127.0.0.1', '--bind', '127.0.0.2')
            self.assert_wrong(result, f'dicom-receiver: 127.0.0.1:{port}, 127.0.0.2:{port}: Address already in use')

    def test_the_access_log_names_each(self):
        running = self.start(programs.Receiver('--bind', '127.0.0.1', '--bind', '::1', log=True))
        lines = [json.loads(line) for line in running.access_log.read_text(encoding='utf-8').splitlines()]
        self.assertEqual([(line['address'], line['port']) for line in lines if line['event'] == 'receiver.listening'],
                         [('127.0.0.1', running.port), ('::1', running.port)])


if __name__ == '__main__':
    unittest.main()
