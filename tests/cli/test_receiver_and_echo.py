"""dicom-receiver and dicom-echo: what they print, how they end."""
import json
import re
import signal
import socket
import time
import unittest

from support import harness, wire
from support.harness import CommandTest, closed_port, run

ANSWER = re.compile(r'^(\S+) answered: status 0000, connect \d+\.\d\d ms, association \d+\.\d\d ms, echo \d+\.\d\d ms$')


class Receiver(CommandTest):
    def test_stops_at_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            result = self.receiver().stop(number)
            self.assertEqual((result.code, result.err), (0, ''), result)
            self.assertEqual(result.out.splitlines()[1], '0 associations, 0 stored, 0 refused, 0 bytes')

    def test_stops_with_open_connections(self):
        receiver = self.receiver()
        with socket.create_connection(('127.0.0.1', receiver.port)):
            begun = time.monotonic()
            self.assert_exit(receiver.stop(), 0)
            self.assertLess(time.monotonic() - begun, 5)

    def test_port_in_use(self):
        receiver = self.receiver()
        result = run('dicom-receiver', '--discard', '--port', receiver.port)
        self.assert_wrong(result, f'dicom-receiver: 127.0.0.1:{receiver.port}: Address already in use')

    def test_folder_that_cannot_be_made(self):
        (self.folder / 'file').write_text('in the way')
        path = self.folder / 'file' / 'x'
        self.assert_wrong(run('dicom-receiver', '--output-dir', path, '--port', '0'), f'dicom-receiver: {path}: Not a directory')

    def test_wrong_address(self):
        for address in ('nonsense', 'localhost', '127.0.0.300', '[::1]'):
            result = run('dicom-receiver', '--discard', '--bind', address, '--port', '0')
            self.assertEqual((result.code, result.out), (1, ''), result)
            self.assertEqual(result.err, f"dicom-receiver: --bind: '{address}' is no IP address\n")

    def test_quiet(self):
        self.assertEqual(len(self.receiver('--discard', '-q').stop().out.splitlines()), 1)

    def test_log_lines(self):
        receiver = self.receiver('--discard', '-d')
        self.assert_exit(run('dicom-echo', f'127.0.0.1:{receiver.port}'), 0)
        self.assertRegex(receiver.stop().err, r'(?m)^\d\d:\d\d:\d\d\.\d{3} info  association\.opened peer=')

    def test_limit_of_associations(self):
        """Whoever comes beyond it is rejected, and served once there is room."""
        receiver = self.receiver('--discard', '--max-associations', '1')
        verification = ('1.2.840.10008.1.1', '1.2.840.10008.1.2')
        with wire.Client(receiver.port, [verification]) as holder:
            result = run('dicom-echo', f'127.0.0.1:{receiver.port}')
            self.assert_exit(result, 1)
            self.assertIn('local limit exceeded', result.err)
            self.assertTrue(holder.release())
            self.assert_exit(run('dicom-echo', f'127.0.0.1:{receiver.port}'), 0)

    def test_silence_ends(self):
        receiver = self.receiver('--discard', '--timeout', '0.3')
        with socket.create_connection(('127.0.0.1', receiver.port)) as silent:
            silent.settimeout(10)
            while silent.recv(100):
                pass
        self.assert_exit(receiver.stop(), 0)


class Echo(CommandTest):
    def test_forms(self):
        port = self.receiver('--discard', '--ae-title', 'PACS').port
        peers = self.folder / 'peers.json'
        peers.write_text(json.dumps({'default': 'm', 'peers': {'m': {'host': '127.0.0.1', 'port': port,
                                                                    'ae_title': 'PACS'}}}))
        for arguments in ((f'pacs://PACS@127.0.0.1:{port}',), (f'PACS@127.0.0.1:{port}',),
                          (f'127.0.0.1:{port}', '-a', 'PACS'), ('-H', '127.0.0.1', '-p', port, '-aec', 'PACS'),
                          ('--config', peers), ('--config', peers, '--peer', 'm')):
            with self.subTest(arguments=arguments):
                result = run('dicom-echo', *arguments)
                self.assertEqual((result.code, result.err), (0, ''), result)
                match = ANSWER.match(result.out.rstrip('\n'))
                self.assertTrue(match, result)
                self.assertEqual(match.group(1), f'PACS@127.0.0.1:{port}')

    def test_loopback(self):
        self.assert_exit(run('dicom-echo', '--loopback'), 0)

    def test_repeat(self):
        result = run('dicom-echo', f'127.0.0.1:{self.receiver().port}', '--repeat', '5')
        self.assert_exit(result, 0)
        self.assertEqual(len([line for line in result.out.splitlines() if ANSWER.match(line)]), 5, result)
        self.assertRegex(result.out.splitlines()[-1], r'^5 of 5 answered: echo ')

    def test_quiet(self):
        result = run('dicom-echo', '-q', f'127.0.0.1:{self.receiver().port}')
        self.assertEqual((result.code, result.out, result.err), (0, '', ''), result)

    def test_nothing_listens(self):
        with closed_port() as port:
            result = run('dicom-echo', f'PACS@127.0.0.1:{port}')
        self.assertEqual((result.code, result.out), (1, ''), result)
        self.assertRegex(result.err, rf'^dicom-echo: PACS@127\.0\.0\.1:{port}: .*refused.*\n$')

    def test_wrong_ae_title(self):
        port = self.receiver('--discard', '--ae-title', 'OTHER').port
        result = run('dicom-echo', f'PACS@127.0.0.1:{port}')
        self.assertEqual((result.code, result.out), (1, ''), result)
        self.assertRegex(result.err, '(?i)rejected.*called AE title')

    def test_unknown_host(self):
        result = run('dicom-echo', 'no-such-host.invalid:104')
        self.assertEqual((result.code, result.out), (1, ''), result)
        self.assertRegex(result.err, 'resolved|looked up')    # by what the resolver says

    def test_silent_peer(self):
        with socket.socket() as silent:
            silent.bind(('127.0.0.1', 0))
            silent.listen()
            result = run('dicom-echo', f'127.0.0.1:{silent.getsockname()[1]}', '--timeout', '0.3')
        self.assertEqual((result.code, result.out), (1, ''), result)
        self.assertIn('ACSE timeout', result.err)


if __name__ == '__main__':
    unittest.main()
