"""TLS as a user meets it: our programs with each other, and what they say when it does not work."""
import json
import pathlib
import shutil
import unittest

from support import network
from support.base import CommandTest
from support.certificates import Certificates, OpensslServer, connect_with_openssl, openssl
from support.process import run, Running
from support.programs import Receiver


class TlsTest(CommandTest):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.addClassCleanup(shutil.rmtree, cls.certificates.folder, ignore_errors=True)
        cls.client = cls.certificates.make('sender', cls.certificates.root)
        cls.stranger = cls.certificates.make('stranger')

    def tls_receiver(self, *options, identity=None, **more):
        return self.start(Receiver(*(identity or self.certificates.server).options(), *options, **more))

    def echo(self, port, *options, host='127.0.0.1', url='pacss'):
        return run('dicom-echo', f'{url}://PACS@{host}:{port}', *options)

    def assert_says(self, result, *words):
        self.assertEqual(result.code, 1, result)
        self.assertEqual(result.err.count('\n'), 1, result)
        for word in words:
            self.assertIn(word, result.err)


class Told(TlsTest):
    """Each thing that can be wrong is told apart, and with what to do about it."""

    def test_certificates(self):
        receiver = self.tls_receiver('--discard')
        other = self.certificates.make('elsewhere', self.certificates.root, 'DNS:pacs.example,DNS:backup.example')
        old = self.certificates.make('old', self.certificates.root, 'IP:127.0.0.1', days=-1)
        self.assert_exit(self.echo(receiver.port, *self.certificates.trust), 0)
        self.assert_exit(self.echo(receiver.port, *self.certificates.trust, host='localhost'), 0)
        self.assert_says(self.echo(receiver.port), "issuer that is not trusted: 'root'", '--tls-ca', 'SHA-256')
        self.assert_exit(self.echo(receiver.port, '--tls-ca', self.certificates.folder), 0)
        named = self.tls_receiver('--discard', identity=other)
        self.assert_says(self.echo(named.port, *self.certificates.trust),
                         "made out to another name: 'pacs.example', 'backup.example'", '--tls-server-name')
        self.assert_exit(self.echo(named.port, *self.certificates.trust, '--tls-server-name', 'pacs.example'), 0)
        expired = self.tls_receiver('--discard', identity=old)
        self.assert_says(self.echo(expired.port, *self.certificates.trust), 'has expired', ' UTC')
        self.assert_exit(self.echo(expired.port, '--tls-pin', old.digest), 0)
        self.assert_says(self.echo(expired.port, '--tls-pin', other.digest), 'not the one that was pinned',
                         old.digest.replace(':', '').lower(), '--tls-pin')

    def test_insecure_is_said(self):
        receiver = self.tls_receiver('--discard')
        result = self.echo(receiver.port, '--tls-insecure')
        self.assert_exit(result, 0)
        self.assertEqual(result.err, 'dicom-echo: --tls-insecure: nobody checks who answers there\n')
        self.assertIn('over TLS, unchecked', result.out)
        result = self.send('--synthetic', '1x2x1K:CT', f'pacss://127.0.0.1:{receiver.port}', '-ic', '--json', '--quiet')
        self.assert_exit(result, 0)
        self.assertEqual(json.loads(result.out)['destination']['tls'], 'insecure')

    def test_chain_and_kinds_of_keys(self):
        between = self.certificates.make('between', self.certificates.root, ca=True)
        below = self.certificates.make('below', between, ca=True, kind='ec')
        for kind in ('rsa', 'ec'):
            leaf = self.certificates.make(f'leaf-{kind}', below, 'IP:127.0.0.1', kind=kind)
            receiver = self.tls_receiver('--discard', identity=leaf)
            self.assert_exit(self.echo(receiver.port, *self.certificates.trust), 0)
            alone = self.start(Receiver('--discard', '--tls-cert', leaf.certificate, '--tls-key', leaf.key))
            self.assert_says(self.echo(alone.port, *self.certificates.trust), 'issuer that is not trusted')

    def test_client_certificates(self):
        required = self.tls_receiver('--discard', '--tls-client-ca', self.certificates.root.certificate)
        asked = self.tls_receiver('--discard', '--tls-client-ca', self.certificates.root.certificate, '--tls-client',
                                  'request')
        for options in ([], ['--tls-ciphers', 'ECDHE-RSA-AES128-GCM-SHA256']):    # TLS 1.3, and 1.2
            trust = [*self.certificates.trust, *options]
            self.assert_says(self.echo(required.port, *trust), 'wants a certificate of this side', '--tls-cert')
            self.assert_exit(self.echo(required.port, *trust, *self.client.options()), 0)
            self.assert_says(self.echo(required.port, *trust, *self.stranger.options()),
                             'does not accept the certificate of this side', '--tls-cert')
            self.assert_exit(self.echo(asked.port, *trust), 0)
            self.assert_says(self.echo(asked.port, *trust, *self.stranger.options()), 'does not accept the certificate')

    def test_who_does_not_speak_it(self):
        receiver = self.receiver()
        self.assert_says(self.echo(receiver.port), 'speaks DICOM in clear', '--tls')
        encrypted = self.tls_receiver('--discard', '-v')
        self.assert_says(self.echo(encrypted.port, url='pacs'), 'speaks TLS', '--tls')
        encrypted.wait_for('speaks DICOM in clear', which=1)

    def test_nothing_in_common(self):
        newest = self.tls_receiver('--discard', '--tls-min', '1.3')
        self.assert_says(self.echo(newest.port, *self.certificates.trust, '--tls-ciphers',
                                   'ECDHE-RSA-AES128-GCM-SHA256'), 'no TLS version or cipher suite in common')
        self.assertEqual(connect_with_openssl(newest.port, '-tls1_2')[0], None)
        self.assertEqual(connect_with_openssl(newest.port, '-tls1_3')[0], 'TLSv1.3')
        port = network.free_port()
        old = OpensslServer(self.certificates.server, port, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0')
        self.addCleanup(old.stop)
        old.start()
        network.wait_until(lambda: network.is_listening(port), 10, 's_server')
        self.assert_says(self.echo(port, *self.certificates.trust), 'no TLS version or cipher suite in common')

    def test_files_that_cannot_be_used(self):
        ca = self.certificates.root.certificate
        folder = self.subfolder('empty')
        for options, words in ((['--tls-ca', '/nowhere'], "'/nowhere': No such file"),
                               (['--tls-ca', self.client.key], 'no certificate or key in PEM form'),
                               (['--tls-ca', folder], 'no file of it holds a certificate'),
                               (['--tls-cert', ca, '--tls-key', self.client.key], 'not that of the certificate'),
                               (['--tls-pin', '12'], '64 hexadecimal digits'),
                               (['--tls-insecure', '--tls-ca', ca], 'checks nothing')):
            self.assert_says(self.echo(1, *options), words)
        result = run('dicom-receiver', '--discard', '--port', '0', '--tls')
        self.assert_wrong(result, 'dicom-receiver: TLS: who is connected to needs a certificate: --tls-cert and --tls-key')

    def test_password_is_not_shown(self):
        password = self.folder / 'password'
        password.write_text('hunter22\n')
        locked = self.folder / 'locked.key'
        openssl('pkcs8', '-topk8', '-in', self.client.key, '-out', locked, '-passout', 'pass:hunter22')
        receiver = self.tls_receiver('--discard', '--tls-client-ca', self.certificates.root.certificate)
        ours = ['--tls-cert', self.client.certificate, '--tls-key', locked, *self.certificates.trust]
        self.assert_says(self.echo(receiver.port, *ours), 'encrypted, and no password was given')
        for words in (['--tls-key-password-file', password], ['--tls-key-password', 'hunter22'], ['+pw', 'hunter22']):
            result = self.send('--synthetic', '1x1x1K:CT', f'pacss://127.0.0.1:{receiver.port}', *ours, *words, '--json',
                               '-d')
            self.assert_exit(result, 0)
            written = ''.join(path.read_text() for path in pathlib.Path(self.logs).iterdir())
            self.assertNotIn('hunter22', result.out + result.err + written)

    def test_configuration_is_final(self):
        """No retry: it is told at once, and what was to be sent is left for later."""
        receiver = self.tls_receiver('--discard', '--tls-client-ca', self.certificates.root.certificate)
        studies = self.studies()
        result = self.send('-r', studies, f'pacss://127.0.0.1:{receiver.port}', *self.certificates.trust, '-t', '4',
                           '--retry', '50', '--json')
        self.assert_exit(result, 1)
        summary = json.loads(result.out)
        self.assertEqual((summary['verdict'], summary['totals']['pending']), ('stopped', 6))
        self.assertIn('wants a certificate of this side; give it with --tls-cert', summary['stop_reason'])
        self.assertLess(summary['times']['duration_s'], 20)


class Work(TlsTest):
    def test_threads_and_window(self):
        """What arrives is what was sent, over many associations, each but the first ones with a resumed session."""
        studies = self.studies('12x20x20000:CT')
        for threads, window, more in ((1, 1, []), (8, 8, []), (2, 4, ['--tls-ciphers', 'ECDHE-RSA-AES256-GCM-SHA384'])):
            receiver = self.tls_receiver('--window', '8')
            result = self.send('-r', studies, f'pacss://localhost:{receiver.port}', *self.certificates.trust, '-t',
                               threads, '--window', window, '--max-per-association', '15', '--json', *more)
            self.assert_exit(result, 0)
            summary = json.loads(result.out)
            self.assertEqual((summary['totals']['stored'], summary['destination']['tls']), (240, 'checked'))
            sent = sorted(path.read_bytes()[-15000:] for path in studies.rglob('*.dcm'))
            self.assertEqual(sorted(path.read_bytes()[-15000:] for path in receiver.output.glob('*.dcm')), sent)
            log, = pathlib.Path(self.logs).glob(f'*{summary["session"]}*.log')
            opened = [json.loads(line) for line in log.read_text().splitlines() if '"association.opened"' in line]
            resumed = [record for record in opened if record.get('tls', '').endswith(', resumed')]
            self.assertGreaterEqual(len(resumed), len(opened) - threads - 1, [record.get('tls') for record in opened])
            self.assertTrue(len(opened) > threads, opened)

    def test_peer_of_the_file(self):
        receiver = self.tls_receiver('--discard', '--tls-client-ca', self.certificates.root.certificate)
        config = self.folder / 'peers.json'
        config.write_text(json.dumps({'peers': {'main': {
            'host': '127.0.0.1', 'port': receiver.port, 'ae_title': 'PACS', 'tls': {
                'ca': str(self.certificates.root.certificate), 'cert': str(self.client.certificate),
                'key': str(self.client.key), 'min': '1.3'}}}}))
        result = run('dicom-echo', '--config', config, '--peer', 'main')
        self.assert_exit(result, 0)
        self.assertIn(f'PACS@127.0.0.1:{receiver.port} over TLS answered', result.out)

    def test_archive_finder_and_mover(self):
        archive = self.start(Running('dicom-archive', '--port', '0', '--synthetic', '1x1x5',
                                     *self.certificates.server.options()))
        port = archive.wait_for(r'^listening on 127\.0\.0\.1:(\d+)$').group(1)
        where = [f'pacss://127.0.0.1:{port}', *self.certificates.trust]
        self.assertIn('1 match\n', run('dicom-finder', *where).err)
        got = self.folder / 'got'
        result = run('dicom-mover', *where, '--all', '--get', '--output-dir', got, '--log-dir', self.logs, '--quiet')
        self.assert_exit(result, 0)
        self.assertEqual(len(list(got.glob('*.dcm'))), 5)
        result = run('dicom-mover', *where, '--all', '--output-dir', got, '--log-dir', self.logs)
        self.assert_says(result, 'would come in clear', '--tls-cert', '--get')

    def test_archive_moves_over_tls(self):
        """To a third party; and to dicom-mover's own receiver, which takes nothing in clear then."""
        workstation = self.tls_receiver('--tls-client-ca', self.certificates.root.certificate)
        back = network.free_port()
        archive = self.start(Running('dicom-archive', '--port', '0', '--synthetic', '1x1x5', '--peer',
                                     f'WORKSTATION=pacss://127.0.0.1:{workstation.port}', '--peer',
                                     f'MOVER=pacss://localhost:{back}', '--peer', f'CLEAR=127.0.0.1:{back}',
                                     *self.certificates.server.options(), *self.certificates.trust))
        port = archive.wait_for(r'^listening on 127\.0\.0\.1:(\d+)$').group(1)
        where = [f'pacss://127.0.0.1:{port}', *self.certificates.trust, '--all', '--log-dir', self.logs, '--quiet']
        self.assert_exit(run('dicom-mover', *where, '--move-dest', 'WORKSTATION'), 0)
        self.assertEqual(len(list(workstation.output.glob('*.dcm'))), 5)
        got = self.folder / 'got'
        here = ['--output-dir', got, '--receive-port', back, *self.certificates.server.options()]
        self.assert_exit(run('dicom-mover', *where, *here, '-c', 'CLEAR', '--retry', '0'), 1)
        self.assertFalse(list(got.glob('*.dcm')))
        self.assert_exit(run('dicom-mover', *where, *here, '-c', 'MOVER'), 0)
        self.assertEqual(len(list(got.glob('*.dcm'))), 5)

    def test_words_of_dcmtk(self):
        receiver = self.start(Receiver('--discard', '+tls', self.certificates.server.key, self.certificates.server.chain,
                                       '+cf', self.certificates.root.certificate))
        words = ['+tls', self.client.key, self.client.certificate, '+cd', self.certificates.folder]
        self.assert_exit(run('dicom-echo', *words, '127.0.0.1', receiver.port), 0)
        self.assert_exit(run('dicom-echo', '+tla', '-ic', '127.0.0.1', receiver.port), 1)


if __name__ == '__main__':
    unittest.main()
