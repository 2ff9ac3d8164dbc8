"""dicom-receiver and dicom-echo: what they print, how they end."""
import json
import re
import signal
import socket
import threading
import time
import unittest

from support import wire
from support.base import CommandTest
from support.network import closed_port
from support.process import Running, run

ANSWER = re.compile(r'^(\S+) answered: status 0000, connect \d+\.\d\d ms, association \d+\.\d\d ms, echo \d+\.\d\d ms$')


def answer_with(server, banner):
    with server.accept()[0] as peer:
        peer.sendall(banner)
        peer.settimeout(10)
        while peer.recv(1000):
            pass


class Receiver(CommandTest):
    def test_stops_at_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            result = self.receiver().stop(number)
            self.assertEqual((result.code, result.err), (0, ''), result)
            self.assertEqual(result.out.splitlines()[1], '0 associations, 0 stored, 0 refused, 0 B')

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

    def test_debug_shows_the_association_and_its_messages(self):
        """Both sides, as fully as a person needs who asks why two systems do not get on."""
        receiver = self.receiver('--discard', '-d', '--ae-title', 'PACS')
        echo = run('dicom-echo', f'PACS@127.0.0.1:{receiver.port}', '-d')
        self.assert_exit(echo, 0)
        own = '2.25.302043790172249692526321623266752743501'
        proposed = ('debug association.proposed id=1 class=1.2.840.10008.1.1 class_name=Verification syntaxes='
                    '"1.2.840.10008.1.2 ImplicitVRLittleEndian, 1.2.840.10008.1.2.1 ExplicitVRLittleEndian"')
        context = ('debug association.context id=1 class=1.2.840.10008.1.1 class_name=Verification '
                   'syntax=1.2.840.10008.1.2 syntax_name=ImplicitVRLittleEndian result=0 text=accepted')
        for side, text, sent in (('echo', echo.err, 'sent'), ('receiver', receiver.stop().err, 'received')):
            with self.subTest(side=side):
                by = 'us' if side == 'echo' else 'peer'
                self.assertRegex(text, f'debug association.requested by={by} peer=127.0.0.1:[0-9]+ called_ae=PACS '
                                       'calling_ae=DICOM_SENDER application_context=1.2.840.10008.3.1.1.1 '
                                       f'implementation_class={own} implementation_version=DICOMNET_1 max_pdu=131072 '
                                       'contexts=1\n')
                self.assertIn(proposed, text)
                self.assertRegex(text, f'debug association.accepted by={"peer" if by == "us" else "us"} .*'
                                       f'implementation_class={own} .*max_pdu=131072 contexts=1\n')
                self.assertIn(context, text)
                self.assertIn(f'debug dimse.{sent} command=C-ECHO-RQ message_id=1 context=1 class=1.2.840.10008.1.1 '
                              'class_name=Verification data_set=no', text)
                self.assertRegex(text, 'dimse.[a-z]+ command=C-ECHO-RSP message_id=1 context=1 .*status=0x0000 '
                                       'status_text=success data_set=no')

    def test_debug_hides_secrets(self):
        """Identity and extended negotiation are shown; a passcode is not."""
        receiver = self.receiver('--discard', '-d')
        body = wire.associate_rq('ANY-SCP', 'TESTS', [(1, wire.VERIFICATION, [wire.IMPLICIT_LITTLE])])[6:]
        identity = wire.item(0x58, b'\2\1\0\5smith\0\6secret')
        extended = wire.item(0x56, b'\0\x11' + wire.VERIFICATION.encode() + b'\1\0\xab')
        body = body.replace(wire.user_information(16384),
                            wire.item(0x50, wire.user_information(16384)[4:] + extended + identity))
        with socket.create_connection(('127.0.0.1', receiver.port)) as peer:
            peer.sendall(wire.pdu(wire.ASSOCIATE_RQ, body))
            self.assertEqual(peer.recv(1), b'\2')
        text = receiver.stop().err
        self.assertIn('identity="user name \'smith\', passcode (hidden), response requested"', text)
        self.assertIn('association.extended kind="SOP class extended negotiation" class=1.2.840.10008.1.1 '
                      'class_name=Verification len=3 bytes=0100AB', text)
        self.assertNotIn('secret', text)
        self.assertNotIn('736563', text)

    def test_rejection_says_all(self):
        receiver = self.receiver('--discard', '-d', '--ae-title', 'PACS', '--max-associations', '1')
        with wire.Client(receiver.port, [(wire.VERIFICATION, wire.IMPLICIT_LITTLE)], called_ae='PACS'):
            text = run('dicom-echo', f'PACS@127.0.0.1:{receiver.port}', '-d').err
        self.assertIn('by=peer result=2 result_text=transient source=3 source_text="the presentation layer" reason=2', text)

    def test_another_protocol_is_named(self):
        """A TLS client, a browser; and the servers of other protocols that an echo meets."""
        receiver = self.receiver('--discard')
        for first in (b'\x16\x03\x01\2\0\1\0\1\xfc\3\3', b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b'\x0bMSH|^~\\&|A\r\x1c\r'):
            with socket.create_connection(('127.0.0.1', receiver.port)) as client:
                client.sendall(first)
                client.settimeout(10)
                while client.recv(100):
                    pass
        text = receiver.stop().err
        for name in ('TLS', 'HTTP', 'HL7'):
            self.assertIn(f'the peer speaks {name}', text)
        for banner, name in ((b'SSH-2.0-OpenSSH_9.2\r\n', 'SSH'), (b'220 mail ESMTP\r\n', 'FTP or a mail protocol'),
                             (b'\x15\3\3\0\2\2\x46', 'TLS'), (b'HTTP/1.1 400 Bad Request\r\n\r\n', 'HTTP')):
            with socket.create_server(('127.0.0.1', 0)) as server:
                threading.Thread(target=answer_with, args=(server, banner), daemon=True).start()
                result = run('dicom-echo', f'127.0.0.1:{server.getsockname()[1]}')
            self.assert_exit(result, 1)
            self.assertIn(f'the peer speaks {name}, not', result.err)

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

    def test_interrupted(self):
        for number, text in ((signal.SIGINT, 'interrupted (SIGINT)'), (signal.SIGTERM, 'terminated (SIGTERM)')):
            with self.subTest(number), socket.socket() as silent:
                silent.bind(('127.0.0.1', 0))
                silent.listen()
                silent.settimeout(10)
                echo = self.start(Running('dicom-echo', f'127.0.0.1:{silent.getsockname()[1]}', '--repeat', '5'))
                with silent.accept()[0] as peer:
                    self.assertEqual(peer.recv(1), b'\x01')    # the A-ASSOCIATE-RQ: it waits for the answer
                    echo.signal(number)
                    result = echo.wait(timeout_s=10)
                self.assertEqual((result.code, result.out, result.err), (130, '', f'dicom-echo: {text}\n'), result)


if __name__ == '__main__':
    unittest.main()
