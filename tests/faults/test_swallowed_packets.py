"""A peer with several addresses of which some swallow packets: it is reached by the one that answers, long before the
connect timeout. In a network namespace of the test, with names of its own (/etc/hosts)."""
import unittest

from support import datasets, network, process, programs
from support.base import ProgramTest

OWN = '10.77.0.1/24', '2001:db8::1/64'
SWALLOWING = '10.77.0.2', '2001:db8::2', '2001:db8::3'
TIMEOUT_S = 60
IN_TIME_S = 30  # half of it: whoever waits for an address that swallows packets is late


class SwallowedPackets(ProgramTest):
    def setUp(self):
        super().setUp()
        self.enterContext(network.swallowed(*OWN))
        self.source = self.subfolder('source')
        self.entries = datasets.make_studies(self.source, 4, 3)

    def with_hosts(self, *addresses):
        """What to put before a program, so that `pacs` has these addresses."""
        hosts = self.folder / 'hosts'
        hosts.write_text(''.join(f'{address} pacs\n' for address in addresses))
        return ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)]

    def send(self, port, *addresses, **more):
        return programs.run_sender(self.source, port=port, host='pacs', prefix=self.with_hosts(*addresses), threads=4,
                                   **more)

    def test_another_address_answers(self):
        receiver = self.start(programs.Receiver('--discard'))
        for addresses in (SWALLOWING[1:2], SWALLOWING[1:], SWALLOWING[:1], SWALLOWING):
            for order in ((*addresses, '127.0.0.1'), ('127.0.0.1', *addresses)):
                with self.subTest(order):
                    run = self.send(receiver.port, *order, options=['--connect-timeout', TIMEOUT_S])
                    self.assertEqual((run.exit_code, run.total('stored')), (0, len(self.entries)), run)
                    self.assertLess(run.elapsed_s, IN_TIME_S, run)
                    self.assertEqual({record['peer'] for record in run.said('association.opened')},
                                     {f'127.0.0.1:{receiver.port}'})

    def test_the_others_refuse_and_swallow(self):
        """Refused is no reason to stop waiting for the rest, nor is silence."""
        receiver = self.start(programs.Receiver('--discard', '--bind', '127.0.0.2'))
        echo = process.Running('dicom-echo', f'pacs:{receiver.port}', '--connect-timeout', TIMEOUT_S,
                               prefix=self.with_hosts('2001:db8::2', '127.0.0.1', '127.0.0.2'))
        with echo:
            self.assertEqual(echo.wait(IN_TIME_S).code, 0)

    def test_no_address_answers(self):
        run = self.send(104, *SWALLOWING, options=['--connect-timeout', 2, '--retry', 0])
        self.assertEqual((run.exit_code, run.total('pending')), (1, len(self.entries)), run)
        self.assertIn('no TCP connection within the connect timeout', run.summary['stop_reason'])
        self.assertLess(run.elapsed_s, IN_TIME_S, run)


if __name__ == '__main__':
    unittest.main()
