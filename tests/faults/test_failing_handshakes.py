"""Handshakes of TLS that fail leave nothing behind: no descriptor, no memory. ./run soak does ten thousand of them."""
import unittest

from support import handshakes, process
from support.base import ProgramTest
from support.programs import Archive, Receiver

COUNT, WARM = 350, 105
GROWTH_MAX_BYTES = 2 << 20


class FailingHandshakes(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.identities = handshakes.Identities()
        cls.addClassCleanup(cls.identities.remove)

    def assert_flat(self, descriptors, resident):
        self.assertEqual(*descriptors)
        self.assertLess(resident[1] - resident[0], GROWTH_MAX_BYTES)

    def test_of_a_requestor(self):
        ends, descriptors, resident = handshakes.fail_as_requestor(self.identities, COUNT, WARM)
        self.assert_flat(descriptors, resident)
        each = COUNT // handshakes.SpoilingServer.WAYS
        for words, times in (('an issuer that is not trusted', each), ("made out to another name: 'elsewhere.example'", each),
                             ('speaks DICOM in clear', each), ('', COUNT)):
            self.assertEqual(sum(count for text, count in ends.items() if words in text), times, (words, ends))

    def test_of_servers(self):
        for kind in Receiver, Archive:
            with self.subTest(kind.name):
                receiver = kind(*handshakes.server_options(self.identities))
                receiver.env = process.environment(**handshakes.AT_ONCE)
                self.start(receiver)
                descriptors, resident = handshakes.fail_at_server(self.identities, receiver, COUNT, WARM)
                self.assert_flat(descriptors, resident)
                known = self.identities.known
                echo = process.run('dicom-echo', f'pacss://ANY@localhost:{receiver.port}', *known.trust,
                                   *known.server.options())
                self.assertEqual(echo.code, 0, echo)


if __name__ == '__main__':
    unittest.main()
