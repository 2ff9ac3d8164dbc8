"""Over TLS as in clear: several workers at once, instances that end their associations, and what is learned from both."""
import unittest

from faults import test_going_on, test_instances_that_end_associations, test_peers_at_once
from support.tls_line import over_tls

globals().update(over_tls(test_peers_at_once))
globals().update(over_tls(test_instances_that_end_associations))
globals().update(over_tls(test_going_on, only=['Lessons', 'FewerAssociations']))

if __name__ == '__main__':
    unittest.main()
