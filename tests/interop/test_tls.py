"""TLS with the programs of others: storescp and storescu in each of their profiles, Orthanc, and openssl's own tools."""
import json
import shutil
import subprocess
import unittest

from support import network
from support.base import CommandTest
from support.certificates import Certificates, OpensslServer, connect_with_openssl
from support.peers import Orthanc, Storescp
from support.process import run
from support.programs import Receiver

PROFILES = {    # of DCMTK, and whether it has anything in common with ours
    '--profile-8996': True, '--profile-8996m': True, '--profile-bcp195-nd': True, '--profile-bcp195': True,
    '--profile-bcp195-ex': True, '--profile-basic': False, '--profile-aes': None, '--profile-null': False}


class TlsInterop(CommandTest):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.addClassCleanup(shutil.rmtree, cls.certificates.folder, ignore_errors=True)
        cls.client = cls.certificates.make('sender', cls.certificates.root)
        cls.ours = [*cls.certificates.trust, *cls.client.options()]

    def send_over_tls(self, port, *options, ae='ANY'):
        result = self.send('-r', self.studies('3x4x20000:CT'), f'pacss://{ae}@localhost:{port}', '-t', '3', '--json',
                           '--quiet', *options)
        return result, json.loads(result.out) if result.out else {}


class Dcmtk(TlsInterop):
    def profiles(self, tool):
        said = subprocess.run([tool, '--help'], capture_output=True, text=True, check=False).stdout
        return [name for name in PROFILES if f'{name}\n' in said or f'{name} ' in said]

    def test_storescp_in_each_profile(self):
        profiles = self.profiles('storescp')
        self.assertGreaterEqual(len(profiles), 5)
        for profile in profiles:
            with self.subTest(profile):
                peer = self.start(Storescp('+tls', self.certificates.server.key, self.certificates.server.certificate,
                                           '+cf', self.certificates.root.certificate, profile))
                result, summary = self.send_over_tls(peer.port, *self.ours)
                if PROFILES[profile] is not False and (PROFILES[profile] or result.code == 0):
                    self.assert_exit(result, 0)
                    self.assertEqual((summary['totals']['stored'], len(peer.received())), (12, 12))
                else:
                    self.assert_exit(result, 1)
                    self.assertEqual(summary['verdict'], 'stopped')
                    self.assertIn('in common', summary['stop_reason'])
                peer.stop()

    def test_storescp_with_another_kind_of_key(self):
        curve = self.certificates.make('curve', self.certificates.root, 'DNS:localhost', kind='ec')
        peer = self.start(Storescp('+tls', curve.key, curve.certificate, '+cf', self.certificates.root.certificate))
        result, _ = self.send_over_tls(peer.port, *self.ours)
        self.assert_exit(result, 0)
        self.assertEqual(len(peer.received()), 12)

    def test_storescp_requires_a_certificate(self):
        """It does so unless told otherwise, and may close the connection before we have read why."""
        peer = self.start(Storescp('+tls', self.certificates.server.key, self.certificates.server.certificate, '+cf',
                                   self.certificates.root.certificate))
        result, summary = self.send_over_tls(peer.port, *self.certificates.trust)
        self.assert_exit(result, 1)
        self.assertIn('wants a certificate of this side', summary['stop_reason'])
        result, summary = self.send_over_tls(peer.port, *self.ours)
        self.assert_exit(result, 0)
        self.assertEqual(len(peer.received()), 12)

    def test_storescu_in_each_profile(self):
        receiver = self.start(Receiver('--tls-client-ca', self.certificates.root.certificate,
                                       *self.certificates.server.options()))
        files = sorted(self.studies('1x3x20000:CT').rglob('*.dcm'))
        for profile in self.profiles('storescu'):
            with self.subTest(profile):
                done = subprocess.run(['storescu', '+tls', self.client.key, self.client.certificate, '+cf',
                                       self.certificates.root.certificate, profile, '127.0.0.1', str(receiver.port),
                                       *files], capture_output=True, text=True, check=False, timeout=60)
                if PROFILES[profile] is not None:
                    self.assertEqual(done.returncode == 0, PROFILES[profile], done.stderr)
        self.assertEqual(len(list(receiver.output.glob('*.dcm'))), 3)


class OrthancOverTls(TlsInterop):
    def orthanc(self, required):
        return self.start(Orthanc(DicomTlsEnabled=True, DicomTlsCertificate=str(self.certificates.server.certificate),
                                  DicomTlsPrivateKey=str(self.certificates.server.key),
                                  DicomTlsTrustedCertificates=str(self.certificates.root.certificate),
                                  DicomTlsRemoteCertificateRequired=required))

    def test_without_certificates_of_clients(self):
        orthanc = self.orthanc(False)
        result, summary = self.send_over_tls(orthanc.port, *self.certificates.trust, ae='ORTHANC')
        self.assert_exit(result, 0)
        self.assertEqual((summary['totals']['stored'], orthanc.instance_count()), (12, 12))
        found = run('dicom-finder', f'pacss://ORTHANC@localhost:{orthanc.port}', *self.certificates.trust)
        self.assertIn('3 matches', found.err)

    def test_with_certificates_of_clients(self):
        orthanc = self.orthanc(True)
        result, summary = self.send_over_tls(orthanc.port, *self.certificates.trust, ae='ORTHANC')
        self.assert_exit(result, 1)
        self.assertIn('wants a certificate of this side', summary['stop_reason'])
        result, summary = self.send_over_tls(orthanc.port, *self.ours, ae='ORTHANC')
        self.assert_exit(result, 0)
        self.assertEqual(orthanc.instance_count(), 12)

    def test_a_newcomer_with_the_wrong_name(self):
        orthanc = self.orthanc(False)
        result = run('dicom-echo', f'pacss://ORTHANC@127.0.0.2:{orthanc.port}', *self.certificates.trust)
        self.assert_exit(result, 1)
        self.assertIn("made out to another name: 'localhost', '127.0.0.1'; if that is the peer you mean: "
                      '--tls-server-name', result.err)
        result = run('dicom-echo', f'pacss://ORTHANC@127.0.0.2:{orthanc.port}', *self.certificates.trust,
                     '--tls-server-name', 'localhost')
        self.assert_exit(result, 0)

    def test_it_sends_to_us(self):
        """Orthanc's own C-STORE over TLS into dicom-receiver, and by C-MOVE into dicom-mover."""
        receive_port = network.free_port()
        receiver = self.start(Receiver(*self.certificates.server.options()))
        orthanc = self.start(Orthanc(
            DicomTlsEnabled=True, DicomTlsCertificate=str(self.certificates.server.certificate),
            DicomTlsPrivateKey=str(self.certificates.server.key),
            DicomTlsTrustedCertificates=str(self.certificates.root.certificate), DicomTlsRemoteCertificateRequired=False,
            DicomModalities={'receiver': {'AET': 'ANY', 'Host': '127.0.0.1', 'Port': receiver.port, 'UseDicomTls': True},
                             'mover': {'AET': 'MOVER', 'Host': '127.0.0.1', 'Port': receive_port, 'UseDicomTls': True}}))
        self.assert_exit(self.send_over_tls(orthanc.port, *self.certificates.trust, ae='ORTHANC')[0], 0)
        orthanc.post('/modalities/receiver/store', orthanc.get('/instances'))
        self.assertEqual(len(list(receiver.output.glob('*.dcm'))), 12)
        got = self.folder / 'got'
        result = run('dicom-mover', f'pacss://ORTHANC@localhost:{orthanc.port}', '-c', 'MOVER', '--all', '--output-dir', got,
                     '--receive-port', receive_port, '--log-dir', self.logs, '--quiet', *self.certificates.trust,
                     *self.certificates.server.options())
        self.assert_exit(result, 0)
        self.assertEqual(len(list(got.glob('*.dcm'))), 12)


class Openssl(TlsInterop):
    def test_versions_of_clients(self):
        receiver = self.start(Receiver('--discard', *self.certificates.server.options()))
        for options, version in ((['-tls1_3'], 'TLSv1.3'), (['-tls1_2'], 'TLSv1.2'),
                                 (['-tls1_2', '-cipher', 'DHE-RSA-AES128-GCM-SHA256'], 'TLSv1.2'),
                                 (['-tls1_2', '-cipher', 'AES128-GCM-SHA256'], None),
                                 (['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-SHA256'], None),
                                 (['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], None),
                                 (['-tls1', '-cipher', 'ALL:@SECLEVEL=0'], None)):
            with self.subTest(options):
                agreed, said = connect_with_openssl(receiver.port, '-CAfile', self.certificates.root.certificate,
                                                    '-verify_return_error', *options)
                self.assertEqual(agreed, version, said[-2000:])
        self.assert_exit(run('dicom-echo', f'pacss://localhost:{receiver.port}', *self.certificates.trust), 0)

    def test_versions_of_servers(self):
        for options, words in ((['-tls1_2'], 'no association was agreed'), (['-tls1_3'], 'no association was agreed'),
                               (['-tls1', '-cipher', 'ALL:@SECLEVEL=0'], 'in common'),
                               (['-tls1_2', '-cipher', 'AES256-SHA'], 'in common'),
                               (['-tls1_3', '-Verify', '1'], 'wants a certificate of this side'),
                               (['-tls1_2', '-Verify', '1'], 'wants a certificate of this side')):
            with self.subTest(options):
                self.assert_said(self.certificates.server, options, words)

    def assert_said(self, identity, options, words):
        """By our echo, of an s_server that is started so."""
        port = network.free_port()
        server = OpensslServer(identity, port, *options)
        self.addCleanup(server.stop)
        server.start()
        network.wait_until(lambda: network.is_listening(port), 10, 's_server')
        result = run('dicom-echo', f'pacss://localhost:{port}', *self.certificates.trust, '--acse-timeout', '1')
        self.assert_exit(result, 1)
        self.assertIn(words, result.err)

    def test_certificates_of_servers(self):
        between = self.certificates.make('between', self.certificates.root, ca=True)
        below = self.certificates.make('below', between, ca=True, kind='ec')
        leaf = self.certificates.make('leaf', below, 'DNS:localhost', kind='ec')
        old = self.certificates.make('old', self.certificates.root, 'DNS:localhost', days=-1)
        other = self.certificates.make('other', self.certificates.root, 'DNS:elsewhere.example')
        for version in '-tls1_2', '-tls1_3':
            for identity, more, words in ((leaf, ['-cert_chain', leaf.chain], 'no association was agreed'),
                                          (leaf, [], "issuer that is not trusted: 'below'"), (old, [], 'has expired'),
                                          (other, [], "made out to another name: 'elsewhere.example'")):
                with self.subTest(identity.name, version=version, words=words):
                    self.assert_said(identity, [version, *more], words)


if __name__ == '__main__':
    unittest.main()
