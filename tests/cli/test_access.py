"""Who may open an association with a server: the rejection that others get (PS3.8 9.3.4), and the line that says so."""
import unittest

from support import programs
from support.base import CommandTest
from support.process import run


class Access(CommandTest):
    def test_calling_titles_and_hosts(self):
        for server in (programs.Receiver, programs.Archive):
            with self.subTest(server.name):
                running = self.start(server('--allow-calling', 'CT1', '--allow-calling', 'CT2@127.0.0.2',
                                            '--allow-calling', '@127.0.1.0/24'))
                to = f'127.0.0.1:{running.port}'
                for title, own, let_in in (('CT1', '127.0.0.1', True), ('CT1', '127.0.0.9', True),
                                           ('CT2', '127.0.0.2', True), ('CT2', '127.0.0.1', False),
                                           ('CT3', '127.0.1.7', True), ('CT3', '127.0.0.2', False)):
                    result = run('dicom-echo', to, '--calling-ae', title, '--bind', own)
                    self.assertEqual(result.code, 0 if let_in else 1, (title, own, result))
                    if not let_in:
                        self.assertIn('rejected: calling AE title not recognized', result.err)
                        self.assertIn(f"'{title}'", result.err)
                said = running.stop().err
                self.assertEqual(said.count('rejected: calling AE title not recognized'), 2, said)
                for own in ('127.0.0.1', '127.0.0.2'):
                    self.assertRegex(said, rf'warning: association with {own}:\d+.*calling AE title not recognized')

    def test_the_called_title_is_another_matter(self):
        running = self.start(programs.Receiver('--discard', '--ae-title', 'ME', '--allow-calling', 'CT1'))
        result = run('dicom-echo', f'YOU@127.0.0.1:{running.port}', '--calling-ae', 'CT1')
        self.assertIn('rejected: called AE title not recognized', result.err)
        self.assert_exit(run('dicom-echo', f'ME@127.0.0.1:{running.port}', '--calling-ae', 'CT1'), 0)
        self.assertIn('rejected: called AE title not recognized', running.stop().err)

    def test_what_is_none(self):
        for entry in ('CT1@', 'CT1@10.0.0.0/33', 'A_TITLE_THAT_IS_TOO_LONG'):
            result = run('dicom-receiver', '--discard', '--port', '0', '--allow-calling', entry)
            self.assert_wrong(result, f"dicom-receiver: --allow-calling: '{entry}' is not AE, AE@HOST or @HOST, with an "
                                      'AE title of at most 16 characters and an address, a network or a host that can '
                                      'be found')


if __name__ == '__main__':
    unittest.main()
