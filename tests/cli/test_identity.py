"""Users and passwords as people meet them: who says what, who lets in whom, and that no secret is shown anywhere."""
import json
import os
import pathlib
import shutil
import time
import unittest

from support import network
from support.base import CommandTest
from support.certificates import Certificates
from support.process import environment, run, Running
from support.programs import Receiver

SECRET = 'swordfish-8271'
IN_CLEAR = 'the password goes over the line in clear: --tls encrypts it'


class IdentityTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.password = self.file('password', SECRET + '\n')

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def locked(self, *options, name='alice'):
        """A receiver for `name` alone."""
        return self.start(Receiver('--discard', '--require-user', f'{name}:{self.password}', *options))

    def echo(self, peer, *options, **variables):
        return run('dicom-echo', f'PACS@127.0.0.1:{peer.port}', *options, env=environment(**variables))


class LetIn(IdentityTest):
    def test_each_program_with_its_password_and_not_without(self):
        receiver = self.locked('-v')
        archive = self.start(Running('dicom-archive', '--port', '0', '--synthetic', '1x1x3', '--require-user',
                                     f'alice:{self.password}'))
        archive.port = archive.wait_for(r'^listening on 127\.0\.0\.1:(\d+)$').group(1)
        fetched = self.folder / 'fetched'
        commands = [('dicom-echo', receiver.port),
                    ('dicom-sender', receiver.port, '--synthetic', '2x2x1K:CT', '-t', '2', '--log-dir', self.logs),
                    ('dicom-finder', archive.port, '-L', 'study'),
                    ('dicom-mover', archive.port, '--all', '--get', '--output-dir', fetched, '--log-dir', self.logs)]
        for program, port, *options in commands:
            with self.subTest(program):
                peer = f'PACS@127.0.0.1:{port}'
                user = ('--user', 'alice', '--password-file', self.password)
                result = run(program, peer, *options, *user)
                self.assert_exit(result, 0)
                self.assertIn(f'{program}: {IN_CLEAR}\n', result.err)
                self.assert_exit(run(program, peer, *options, *user, '--identity-response'), 0)
                begun = time.monotonic()
                for wrong, words in (((), 'it may want to know the user (--user)'),
                                     (('--user', 'alice'), 'it may not accept the user identity (--user)'),
                                     (('--user', 'bob', '--password-file', self.password), 'may not accept')):
                    result = run(program, peer, *options, *wrong)
                    self.assert_exit(result, 1)
                    self.assertIn("rejected: no reason given by the peer's ACSE provider", result.err)
                    self.assertIn(words, result.err + result.out)
                    self.assertNotIn(SECRET, str(result.err) + result.out)
                self.assertLess(time.monotonic() - begun, 60, 'a rejection is final')
        receiver.wait_for(r'user identity not accepted: none is given', which=1)
        receiver.wait_for(r"user identity not accepted: user name 'alice'$", which=1)
        receiver.wait_for(r"user identity not accepted: user name 'bob', passcode \(hidden\)", which=1)
        receiver.wait_for(r'association\.opened.*user alice', which=1)
        self.assertNotIn(SECRET, receiver.log() + archive.log())

    def test_rejected_as_the_standard_says(self):
        receiver = self.locked()
        result = self.send('--synthetic', '1x1x1K:CT', f'127.0.0.1:{receiver.port}', '--json', '--quiet')
        self.assert_exit(result, 1)
        self.assertEqual(json.loads(result.out)['verdict'], 'stopped')
        said = [json.loads(line) for path in self.logs.glob('*.log') for line in path.read_text().splitlines()]
        rejected = [record for record in said if record['event'] == 'association.rejected']
        self.assertEqual([(record['result'], record['source'], record['reason']) for record in rejected], [(1, 2, 1)])

    def test_one_of_many_users(self):
        others = [self.file(f'password-{number}', f'secret {number} \r\nanother line\n') for number in range(3)]
        users = [word for number, path in enumerate(others) for word in ('--require-user', f'user {number}:{path}')]
        receiver = self.locked(*users, name='älice')
        self.assert_exit(self.echo(receiver, '--user', 'älice', '--password-file', self.password), 0)
        for number, path in enumerate(others):
            self.assert_exit(self.echo(receiver, '--user', f'user {number}', '--password-file', path), 0)
            self.assert_exit(self.echo(receiver, '--user', f'user {number}', '--password-file', self.password), 1)
        exact = self.file('exact', 'secret 1 ')    # a space is a character of a password
        self.assert_exit(self.echo(receiver, '--user', 'user 1', '--password-file', exact), 0)
        for near in ('secret 1', 'secret 1  ', 'secret 10', 'Secret 1 ', 's', 'x' * 1023):
            self.assert_exit(self.echo(receiver, '--user', 'user 1', '--password-file', self.file('near', near)), 1)

    def test_the_password_in_the_environment(self):
        receiver = self.locked()
        wrong = self.file('wrong', 'wrong')
        self.assert_exit(self.echo(receiver, '--user', 'alice', DICOM_SENDER_PASSWORD=SECRET), 0)
        self.assert_exit(self.echo(receiver, '--user', 'alice', DICOM_SENDER_PASSWORD=''), 1)
        self.assert_exit(self.echo(receiver, '--user', 'alice', '--password-file', self.password,
                                   DICOM_SENDER_PASSWORD='wrong'), 0)
        self.assert_exit(self.echo(receiver, '--user', 'alice', '--password-file', wrong,
                                   DICOM_SENDER_PASSWORD=SECRET), 1)
        self.assert_wrong(self.echo(receiver, '--user', 'alice', DICOM_SENDER_PASSWORD='x' * 1024),
                          'dicom-echo: DICOM_SENDER_PASSWORD is longer than 1023 bytes')
        self.assert_exit(self.echo(self.receiver(), DICOM_SENDER_PASSWORD=SECRET), 0)    # of no interest without a user

    def test_a_password_from_a_pipe_that_stays_open(self):
        receiver = self.locked()
        pipe = self.folder / 'pipe'
        os.mkfifo(pipe)
        echo = self.start(Running('dicom-echo', f'127.0.0.1:{receiver.port}', '--user', 'alice', '--password-file', pipe))
        with open(pipe, 'wb', buffering=0) as end:
            end.write(SECRET[:4].encode())
            time.sleep(0.05)
            end.write(SECRET[4:].encode() + b'\n')
            self.assert_exit(echo.wait(), 0)

    def test_tokens_arrive_and_are_named(self):
        token = self.file('token', 'eyJhbGciOi.J9.' + SECRET + '\n')
        receiver = self.locked()
        for option, kind, length in (('--jwt-file', 'JSON web token', 28), ('--saml-file', 'SAML assertion', 28),
                                     ('--kerberos-file', 'Kerberos service ticket', 29)):
            result = self.echo(receiver, option, token)
            self.assert_exit(result, 1)
            self.assertIn(f'dicom-echo: the {kind.replace(" service", "")} goes over the line in clear', result.err)
            receiver.wait_for(rf'user identity not accepted: {kind} of {length} bytes \(hidden\)', which=1)
        plain = self.receiver('--discard', '-d')
        self.assert_exit(self.echo(plain, '--jwt-file', token), 0)
        plain.wait_for(r'JSON web token of 28 bytes \(hidden\)', which=1)
        self.assertNotIn(SECRET, plain.log() + receiver.log())


class Confirmed(IdentityTest):
    def test_who_asks_for_a_confirmation_and_gets_none_does_not_go_on(self):
        receiver = self.receiver('--discard', '-v')
        peer = f'127.0.0.1:{receiver.port}'
        advice = 'the peer did not confirm the user identity, as it was asked to; if it need not look at it: leave out ' \
                 '--identity-response'
        self.assert_wrong(self.echo(receiver, '--user', 'alice', '--identity-response'),
                          f'dicom-echo: PACS@{peer}: aborted: {advice}')
        result = self.send('--synthetic', '1x2x1K:CT', peer, '--user', 'alice', '--identity-response', '--json', '-q')
        self.assert_exit(result, 1)
        summary = json.loads(result.out)
        self.assertEqual((summary['verdict'], summary['totals']['pending']), ('stopped', 2))
        self.assertIn(advice, summary['stop_reason'])
        self.assert_exit(self.echo(receiver, '--user', 'alice'), 0)    # who asks for none goes on


class Wrong(IdentityTest):
    def assert_says(self, words, *options):
        result = run('dicom-echo', '127.0.0.1:1', *options)
        self.assertEqual((result.code, result.out, result.err.count('\n')), (1, '', 1), result)
        self.assertIn(words, result.err)
        self.assertNotIn(SECRET, result.err)

    def test_options_that_do_not_fit(self):
        token = self.file('token', 'x')
        for options in (('--user', 'a', '--jwt-file', token), ('--saml-file', token, '--kerberos-file', token)):
            self.assert_says('an association has one identity', *options)
        self.assert_says('--user NAME is missing', '--password-file', self.password)
        self.assert_says('no identity to be confirmed', '--identity-response')
        self.assert_says('is not UTF-8', '--user', b'\xff\xfe')
        self.assert_says('--user', '--user', '')

    def test_password_files(self):
        user = ('--user', 'alice', '--password-file')
        for content, words in (('', 'its first line is empty'), ('\n' + SECRET, 'its first line is empty'),
                               ('\r\n', 'its first line is empty'), (SECRET + '\0x\n', 'a NUL in its first line'),
                               (SECRET * 100, 'its first line is longer than 1023 bytes'),
                               ('x' * 1024 + '\n', 'its first line is longer than 1023 bytes')):
            self.assert_says(words, *user, self.file('wrong', content))
        self.assert_says('No such file', *user, self.folder / 'nowhere')
        self.assert_says('Is a directory', *user, self.folder)
        for content in ('x' * 1023, 'x' * 1023 + '\n'):
            self.assert_exit(self.echo(self.receiver(), *user, self.file('long', content)), 0)

    def test_token_files(self):
        most = 48 * 1024
        for option in ('--jwt-file', '--saml-file', '--kerberos-file'):
            self.assert_says('it is empty', option, self.file('wrong', ''))
            self.assert_says('it is longer than 49152 bytes', option, self.file('wrong', bytes(most + 1)))
            self.assert_says('No such file', option, self.folder / 'nowhere')
            self.assert_exit(self.echo(self.receiver(), option, self.file('most', b'x' * most)), 0)
        self.assert_says('it is empty', '--jwt-file', self.file('wrong', ' \r\n'))

    def test_a_secret_in_the_arguments_is_refused_and_not_repeated(self):
        for options in (('-pwd', SECRET), (f'--password={SECRET}',), ('--user-pass', SECRET), (f'--user-jwt={SECRET}',),
                        ('--user-saml', SECRET), ('--saml-assertion', SECRET), ('--kerberos-service-ticket', SECRET)):
            self.assert_says('everybody on this machine can read', '--user', 'alice', *options)
        self.assert_says('looks like a token itself', '--jwt', 'eyJ.' + SECRET)
        self.assert_says('looks like a token itself', '--saml', '<x>' + SECRET)
        self.assert_says('there is no empty password', '--user', 'alice', '-epw')

    def test_words_of_dcmtk_and_dcm4che(self):
        token = self.file('token', 'x')
        receiver = self.receiver()
        for words in (('-usr', 'a'), ('--username', 'a'), ('-kt', token), ('--kerberos', token), ('--saml', token),
                      ('--jwt', token)):
            self.assert_exit(self.echo(receiver, *words), 0)
            for response in ('-rsp', '--pos-response', '--user-rsp'):
                self.assert_exit(self.echo(receiver, *words, response), 1)

    def test_users_that_a_server_cannot_have(self):
        same = f'alice:{self.password}'
        for user, words in ((('alice',), 'is not NAME:FILE'), ((':x',), 'is not NAME:FILE'), (('alice:',), 'not NAME:FILE'),
                            (('x' * 256 + ':x',), 'is not NAME:FILE'), (('alice:/nowhere',), "'/nowhere': No such file"),
                            ((f'alice:{self.file("empty", "")}',), 'its first line is empty'),
                            ((same, same), "'alice' is named twice")):
            for program, more in (('dicom-receiver', ('--discard',)), ('dicom-archive', ('--synthetic',))):
                options = [word for one in user for word in ('--require-user', one)]
                result = run(program, '--port', '0', *more, *options)
                self.assertEqual((result.code, result.out, result.err.count('\n')), (1, '', 1), result)
                self.assertIn(words, result.err)
                self.assertNotIn(SECRET, result.err)


class FileOfPeers(IdentityTest):
    def peers(self, **members):
        path = self.file('peers.json', json.dumps({'peers': {'main': {'host': '127.0.0.1', **members}}}))
        return ('--config', path, '--peer', 'main')

    def ask(self, receiver, *options, peer=None, **variables):
        config = self.peers(port=receiver.port, **(peer or {'user': 'alice', 'password_file': str(self.password)}))
        return run('dicom-echo', *config, *options, env=environment(**variables))

    def test_what_stands_there_counts_unless_the_options_say_who_asks(self):
        receiver = self.locked()
        wrong = self.file('wrong', 'wrong')
        self.assert_exit(self.ask(receiver), 0)
        self.assert_exit(self.ask(receiver, DICOM_SENDER_PASSWORD='wrong'), 0)
        self.assert_exit(self.ask(receiver, '--password-file', wrong), 1)
        self.assert_exit(self.ask(receiver, peer={'user': 'alice'}, DICOM_SENDER_PASSWORD=SECRET), 0)
        self.assert_exit(self.ask(receiver, '--user', 'alice'), 1)    # the password of the file is not borrowed
        self.assert_exit(self.ask(receiver, '--user', 'alice', DICOM_SENDER_PASSWORD=SECRET), 0)
        for key in ('jwt_file', 'saml_file', 'kerberos_file'):
            self.assert_exit(self.ask(receiver, peer={key: str(self.password)}), 1)
        plain = self.receiver()
        self.assert_exit(self.ask(plain), 0)
        self.assertIn('did not confirm', self.ask(plain, peer={'user': 'a', 'identity_response': True}).err)

    def test_what_cannot_stand_there(self):
        for members, words in (({'password': SECRET}, 'does not belong into this file; see "password_file"'),
                               ({'identity_response': 'yes'}, '"identity_response" is neither true nor false'),
                               ({'user': ''}, '"user" is not a text'), ({'user': 'a', 'jwt_file': 'b'}, 'one identity'),
                               ({'password_file': 'b'}, '--user NAME is missing'),
                               ({'usr': 'a'}, 'kerberos_file, saml_file, jwt_file, identity_response')):
            result = run('dicom-echo', *self.peers(**members))
            self.assert_exit(result, 1)
            self.assertIn(words, result.err)
            self.assertNotIn(SECRET, result.err)


class Hidden(IdentityTest):
    """A secret is looked for in all that a run prints, writes and shows of itself while it runs."""

    def test_nowhere(self):
        studies = self.studies('1x4x2048:CT')
        for number, (options, variables) in enumerate((
                (('--user', 'alice', '--password-file', self.password), {}),
                (('--user', 'alice'), {'DICOM_SENDER_PASSWORD': SECRET}))):
            receiver = self.start(Receiver('--discard', '-d', '--response-delay', '300', '--require-user',
                                           f'alice:{self.password}', '--access-log', self.folder / f'access-{number}'))
            sender = self.start(Running('dicom-sender', f'127.0.0.1:{receiver.port}', '-r', studies, '--log-dir', self.logs,
                                        '--ledger', self.folder / f'ledger-{number}', '-d',
                                        '--json', *options, '--identity-response', env=environment(**variables)))
            network.wait_until(lambda: 'store.answered' in (self.folder / f'access-{number}').read_text(), 20,
                               'the first answer')
            shown = [(pathlib.Path('/proc') / str(process.process.pid) / name).read_bytes()
                     for process in (sender, receiver) for name in ('cmdline', 'environ')]
            self.assertTrue(all(shown))
            result = sender.wait()
            self.assert_exit(result, 0)
            self.assertIn('alice', receiver.log())
            written = [path for path in [*self.logs.rglob('*'), *self.folder.glob('access-*'),
                                         *self.folder.glob('ledger-*')] if path.is_file()]
            self.assertGreaterEqual(len(written), 4)
            for text in (*shown, result.out.encode(), result.err.encode(), receiver.log().encode(),
                         *(path.read_bytes() for path in written)):
                self.assertNotIn(SECRET.encode(), text)
            log = b''.join(path.read_bytes() for path in self.logs.glob('*.log'))
            self.assertIn(b"user name 'alice', passcode (hidden), response requested", log)
            self.assertIn(b'server response of 0 bytes (hidden)', log)

    def test_a_password_that_nobody_needs_is_not_kept_either(self):
        receiver = self.receiver('--discard', '--response-delay', '2000', '-v')
        sender = self.start(Running('dicom-sender', f'127.0.0.1:{receiver.port}', '--synthetic', '1x1x1K:CT',
                                    '--log-dir', self.logs, env=environment(DICOM_SENDER_PASSWORD=SECRET)))
        receiver.wait_for('association.opened', which=1)
        shown = (pathlib.Path('/proc') / str(sender.process.pid) / 'environ').read_bytes()
        self.assertIn(b'DICOM_SENDER_PASSWORD=', shown)
        self.assertNotIn(SECRET.encode(), shown)
        self.assert_exit(sender.wait(), 0)


class OverTls(IdentityTest):
    def test_nobody_is_warned(self):
        certificates = Certificates()
        self.addCleanup(shutil.rmtree, certificates.folder, ignore_errors=True)
        receiver = self.locked(*certificates.server.options())
        self.assertNotIn('clear', receiver.log())
        result = run('dicom-echo', f'pacss://PACS@127.0.0.1:{receiver.port}', *certificates.trust, '--user', 'alice',
                     '--password-file', self.password, '--identity-response')
        self.assert_exit(result, 0)
        self.assertEqual(result.err, '')
        self.locked().wait_for('--require-user: passwords come over the line in clear: --tls encrypts it', which=1)


if __name__ == '__main__':
    unittest.main()
