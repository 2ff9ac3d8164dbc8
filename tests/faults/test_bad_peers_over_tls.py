"""What test_bad_peers.py says of peers that misbehave, of those that do so over TLS."""
import unittest

from faults import test_bad_peers
from support.tls_line import over_tls

globals().update(over_tls(test_bad_peers))
globals().update(over_tls(test_bad_peers, 'test_fin_after_two_stores', 'test_reset_after_two_stores',
                          'test_an_early_answer_and_the_end_are_in_doubt', bare=True))

if __name__ == '__main__':
    unittest.main()
