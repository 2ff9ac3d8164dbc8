"""User identities with the programs of others: storescu asks our servers, and their servers pass over what we say."""
import json
import subprocess
import unittest

from support.base import CommandTest
from support.peers import Orthanc, Storescp
from support.process import run, Running
from support.programs import Receiver

SECRET = 'swordfish-8271'


class IdentityInterop(CommandTest):
    def setUp(self):
        super().setUp()
        self.password = self.folder / 'password'
        self.password.write_text(SECRET + '\n')

    def storescu(self, port, *options):
        """How storescu ended, and what it said."""
        image = next(self.studies('1x1x2048:CT').rglob('*.dcm'))
        done = subprocess.run(['storescu', '-v', '-R', *map(str, options), '127.0.0.1', str(port), str(image)],
                              capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr


class TheyAsk(IdentityInterop):
    def test_storescu_is_let_in_with_its_password_and_not_without(self):
        receiver = self.start(Receiver('--discard', '-v', '--require-user', f'alice:{self.password}'))
        archive = self.start(Running('dicom-archive', '--port', '0', '--output-dir', self.folder / 'archive', '-v',
                                     '--require-user', f'alice:{self.password}'))
        archive.port = archive.wait_for(r'^listening on 127\.0\.0\.1:(\d+)$').group(1)
        for server in (receiver, archive):
            for options in ((), ('-rsp',)):
                code, said = self.storescu(server.port, '-usr', 'alice', '-pwd', SECRET, *options)
                self.assertEqual(code, 0, said)
                self.assertIn('Received Store Response', said)
            for options in ((), ('-usr', 'alice'), ('-usr', 'alice', '-epw'), ('-usr', 'alice', '-pwd', 'wrong', '-rsp'),
                            ('-usr', 'bob', '-pwd', SECRET), ('-kt', self.password), ('--saml', self.password),
                            ('--jwt', self.password)):
                code, said = self.storescu(server.port, *options)
                self.assertNotEqual(code, 0, said)
                self.assertRegex(said, r'Result: Rejected Permanent, Source: Service Provider \(ACSE Related\)')
                self.assertRegex(said, 'Reason: No Reason')
            server.wait_for(r"user identity not accepted: user name 'bob', passcode \(hidden\)", which=1)
            server.wait_for(r'user identity not accepted: SAML assertion of 15 bytes \(hidden\)', which=1)
            self.assertNotIn(SECRET, server.log())

    def test_storescu_is_let_in_where_nobody_asks(self):
        receiver = self.receiver('--discard', '-d')
        code, said = self.storescu(receiver.port, '-usr', 'alice', '-pwd', SECRET)
        self.assertEqual(code, 0, said)
        receiver.wait_for(r"user name 'alice', passcode \(hidden\)", which=1)
        self.assertNotIn(SECRET, receiver.log())


class WeAsk(IdentityInterop):
    def assert_passed_over(self, peer, ae):
        """It takes what is sent, and confirms nothing to who asks for that."""
        studies = self.studies('1x3x4096:CT')
        token = self.folder / 'token'
        token.write_bytes(b'x' * 48 * 1024)
        to = ('-r', studies, f'{ae}@127.0.0.1:{peer.port}', '--json', '--quiet')
        for identity in (('--user', 'alice'), ('--user', 'alice', '--password-file', self.password),
                         ('--kerberos-file', token), ('--saml-file', token), ('--jwt-file', token)):
            with self.subTest(identity):
                result = self.send(*to, *identity)
                self.assert_exit(result, 0)
                self.assertEqual(json.loads(result.out)['totals']['stored'], 3)
        result = self.send(*to, '--user', 'alice', '--password-file', self.password, '--identity-response')
        self.assert_exit(result, 1)
        summary = json.loads(result.out)
        self.assertEqual(summary['verdict'], 'stopped')
        self.assertIn('the peer did not confirm the user identity', summary['stop_reason'])
        self.assert_exit(run('dicom-echo', f'{ae}@127.0.0.1:{peer.port}'), 0)    # it is as well as before

    def test_storescp(self):
        self.assert_passed_over(self.start(Storescp()), 'STORESCP')

    def test_orthanc(self):
        self.assert_passed_over(self.start(Orthanc()), 'ORTHANC')


if __name__ == '__main__':
    unittest.main()
