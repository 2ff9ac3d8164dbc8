"""Over TLS as in clear: several workers at once, instances that end their associations, and what is learned from both.
Not all of it, as most of the time it takes is waiting.
"""
import unittest

from faults import test_going_on, test_instances_that_end_associations, test_peers_at_once
from support.tls_line import over_tls

globals().update(over_tls(test_peers_at_once, 'test_ends_of_associations', 'test_ends_while_the_data_set_comes',
                          'test_wrong_answers', 'test_garbage', 'test_rejections'))
globals().update(over_tls(test_instances_that_end_associations, 'test_kinds', 'test_with_a_window',
                          'test_no_retry_in_the_middle_of_a_data_set'))
globals().update(over_tls(test_going_on, 'test_end_after_the_same_number_of_stores', 'test_three_of_eight',
                          'test_poison_and_its_neighbours'))

if __name__ == '__main__':
    unittest.main()
