"""An association to which there is nothing to hand out is released at once: a silent one is a burden to a peer that serves
few at a time."""
import time
import unittest

from support import datasets
from support.bad_peer import BadPeerTest
from support.scripted_peer import Respond


class IdleAssociations(BadPeerTest):
    def setUp(self):
        super().setUp()
        for entry in self.entries:
            entry.path.unlink()
        self.entries = datasets.make_studies(self.source / 'large', 1, 40, 4_000, seed=31)
        self.entries += datasets.make_studies(self.source / 'small', 7, 2, 4_000, seed=32)

    def test_when_the_others_have_work(self):
        """One study of 40 and seven of 2: the seven are gone long before the one has ended."""
        run = self.send(threads=8, delay_s=0.05)
        self.assert_all_stored(run)
        large = self.entries[0].study_uid
        of_large = max(self.peer.associations, key=lambda one: len(one.stores))
        self.assertTrue(of_large.stores[0].instance_uid.startswith(large))
        for one in self.peer.associations:
            self.assertEqual(one.end, 'released')
            if one is not of_large:
                self.assertLess(one.ended_s, of_large.ended_s - 0.8)
        self.assert_sent_once()

    def test_in_a_pause(self):
        """A peer without room has nobody waiting at it."""
        begun, open_in_pause = [], []

        def on_store(store, complete):
            begun.append(time.monotonic())
            return Respond(0xA700) if begun[-1] - begun[0] < 3 else Respond()

        def look(process, peer):
            while not begun or time.monotonic() - begun[0] < 2.5:
                time.sleep(0.05)
            open_in_pause.extend(one.number for one in peer.associations if one.end is None)
        self.assert_all_stored(self.send(threads=8, on_store=on_store, during=look))
        self.assertEqual(open_in_pause, [])


if __name__ == '__main__':
    unittest.main()
