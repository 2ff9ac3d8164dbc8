"""Instances that have to be converted because the peer refuses the syntax in which they lie: many kinds of them, and
some that cannot be."""
import array
import struct
import unittest
import zlib

import pydicom
from pydicom.encaps import encapsulate

from support import datasets, programs
from support.bad_peer import BadPeerTest, once
from support.base import ProgramTest
from support.scripted_peer import Abort, Respond, ScriptedPeer

RLE = '1.2.840.10008.1.2.5'
NATIVE = (datasets.EXPLICIT_LITTLE, datasets.IMPLICIT_LITTLE, datasets.BIG_ENDIAN, datasets.DEFLATED)


def write_in(path, syntax_uid, class_uid, instance):
    """A small instance of that class in one of the uncompressed syntaxes."""
    datasets.make_instance(path, 1, instance, 2000, SOPClassUID=class_uid)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = syntax_uid
    dataset.file_meta.MediaStorageSOPClassUID = class_uid
    dataset.is_implicit_VR = syntax_uid == datasets.IMPLICIT_LITTLE
    dataset.is_little_endian = syntax_uid != datasets.BIG_ENDIAN
    if not dataset.is_little_endian:
        words = array.array('H', dataset.PixelData)
        words.byteswap()
        dataset.PixelData = words.tobytes()
    dataset.save_as(path, write_like_original=False)
    return datasets.read_entry(path)


def rle_frame(planes):
    """PS3.5 Annex G, in literal runs only: one segment for each plane of bytes, the most significant first."""
    segments = [b''.join(bytes([len(plane[at:at + 128]) - 1]) + plane[at:at + 128] for at in range(0, len(plane), 128))
                for plane in planes]
    offsets = [64 + sum(map(len, segments[:number])) for number in range(len(segments))]
    return struct.pack('<16L', len(segments), *offsets, *[0] * (15 - len(offsets))) + b''.join(segments)


def write_rle(path, instance, frames, bad_frame=None):
    """Many frames of 512 KiB each; one of them may be nothing that can be decoded."""
    good = rle_frame([bytes(512 * 512), bytes(range(256)) * 1024])
    parts = [b'\xff' * len(good) if number == bad_frame else good for number in range(frames)]
    datasets.make_instance(path, 1, instance, 2000, NumberOfFrames=frames, Rows=512, Columns=512)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = RLE
    dataset.PixelData = encapsulate(parts)
    dataset['PixelData'].VR = 'OB'
    dataset['PixelData'].is_undefined_length = True
    dataset.save_as(path, write_like_original=False)
    return datasets.read_entry(path)


class ManyKinds(BadPeerTest):
    """300 pairs of class and syntax in one study, each of which can become three others: 300 contexts, and no more than
    128 of them in an association."""
    classes = 75

    def setUp(self):
        ProgramTest.setUp(self)
        self.source = self.subfolder('source')
        self.entries = [write_in(self.source / f'class{number}in{place}.dcm', syntax_uid, datasets.uid(99, number),
                                 4 * number + place)
                        for place, syntax_uid in enumerate(NATIVE) for number in range(self.classes)]

    def send_to(self, takes, options=()):
        run = self.send(options=options, on_context=lambda number, abstract, syntaxes:
                        (0, syntaxes[0]) if takes(abstract, syntaxes[0]) else (4, ''))
        self.assertLessEqual(len(self.peer.associations), 12, 'as many as it takes, and no loop')
        self.assertLess(run.elapsed_s, 60)
        for association in self.peer.associations:
            pairs = [(abstract, *syntaxes) for _, abstract, syntaxes in association.request['contexts']]
            self.assertLessEqual(len(pairs), 128)
            self.assertEqual(len(pairs), len(set(pairs)), 'each once')
        return run

    def test_all_are_taken_as_they_lie(self):
        run = self.send_to(lambda abstract, syntax: True)
        self.assert_all_stored(run)
        self.assertEqual({record.get('sent_syntax', '') for record in run.said('store.stored')}, {''})

    def test_each_syntax_alone(self):
        for taken in NATIVE:
            with self.subTest(taken=taken):
                run = self.send_to(lambda abstract, syntax, taken=taken: syntax == taken)
                self.assert_all_stored(run)
                self.assert_sent_once()
                converted = [record for record in run.said('store.stored') if record.get('sent_syntax')]
                self.assertEqual(len(converted), 3 * self.classes)

    def test_every_second_pair(self):
        def takes(abstract, syntax):
            return zlib.crc32(f'{abstract} {syntax}'.encode()) % 2 == 0
        run = self.send_to(takes)
        hopeless = {index: 'failed: unsupported' for index, entry in enumerate(self.entries)
                    if not any(takes(entry.class_uid, syntax) for syntax in NATIVE)}
        self.assertTrue(hopeless)
        self.assert_outcomes(run, hopeless)
        as_they_lie = sum(takes(entry.class_uid, entry.syntax_uid) for entry in self.entries)
        self.assertEqual(len([record for record in run.said('store.stored') if not record.get('sent_syntax')]),
                         as_they_lie, 'what is taken as it lies is sent so')

    def test_nothing_is_taken(self):
        run = self.send_to(lambda abstract, syntax: False)
        self.assert_outcomes(run, {index: 'failed: unsupported' for index in range(len(self.entries))})
        self.assertEqual(self.peer.stores, [])

    def test_what_would_be_taken_is_asked_over_several_associations(self):
        """--probe of every second pair: each kind of file is answered once, as a run then stores it; nothing is sent."""
        def takes(abstract, syntax):
            return zlib.crc32(f'{abstract} {syntax}'.encode()) % 2 == 0
        with ScriptedPeer(on_context=lambda number, abstract, syntaxes:
                          (0, syntaxes[0]) if takes(abstract, syntaxes[0]) else (4, '')) as peer:
            run = programs.run_sender(self.source, port=peer.port, options=['--probe'])
        answers = {(record['class'], record['syntax']): record for record in run.said('probe.answered')}
        self.assertEqual(len(answers), len(self.entries))
        for entry in self.entries:
            taken = [syntax for syntax in (entry.syntax_uid, *NATIVE) if takes(entry.class_uid, syntax)]
            self.assertEqual(answers[entry.class_uid, entry.syntax_uid].get('sent_syntax'), taken[0] if taken else None)
        self.assertEqual(peer.stores, [])
        self.assertIn(len(peer.associations), range(2, 13))

    def test_only_what_was_named(self):
        """What may be proposed in no syntax fails before any association."""
        run = self.send(options=['--syntax', 'RLELossless'])
        self.assert_outcomes(run, {index: 'failed: unsupported' for index in range(len(self.entries))})
        self.assertEqual(self.peer.associations, [])
        (_, problem), *_ = sorted(run.problems().items())
        self.assertIn('only RLELossless (1.2.840.10008.1.2.5) may be proposed', problem['text'])


class LostAssociations(BadPeerTest):
    def test_the_next_association_agrees_to_something_else(self):
        """How an instance went out is that of its last attempt."""
        first = []

        def on_context(number, abstract, syntaxes):
            taken = datasets.EXPLICIT_LITTLE if first else datasets.IMPLICIT_LITTLE
            return (0, taken) if syntaxes == [taken] else (4, '')

        def abort_the_third(store, complete):
            if store.total != 3:
                return Respond()
            first.append(store)
            return Abort()
        run = self.send(on_context=on_context, on_store=abort_the_third)
        self.assert_all_stored(run, associations=2)
        self.assert_sent_once(but=[self.peer.sent_uids()[2]])
        self.assertEqual([record.get('sent_syntax') or '' for record in run.said('store.stored')],
                         [datasets.IMPLICIT_LITTLE] * 2 + [''] * 4)

    def test_a_store_that_is_tried_again(self):
        """What is sent again is converted again."""
        run = self.send(on_context=lambda number, abstract, syntaxes:
                        (0, syntaxes[0]) if syntaxes == [datasets.IMPLICIT_LITTLE] else (4, ''),
                        on_store=once(Respond(status=0x0110), 2))
        self.assert_all_stored(run)
        self.assertEqual({record['sent_syntax'] for record in run.said('store.stored')}, {datasets.IMPLICIT_LITTLE})


class FramesThatCannotBeDecoded(ProgramTest):
    """They show when half of the file has gone out: then the association has to end, and others were under way on it."""
    bad = (3, 4, 5)

    def test_they_cost_the_others_nothing(self):
        source = self.subfolder('source')
        entries = [write_rle(source / f'image{number}.dcm', number, 4, 3 if number in self.bad else None)
                   for number in range(10)]
        for window in (1, 4):
            with self.subTest(window=window), \
                    programs.Receiver('--accept-syntaxes', 'explicit', '--window', 4) as receiver:
                run = programs.run_sender(source, port=receiver.port, options=['--window', window])
                self.assertEqual(run.exit_code, 2, run)
                self.assertEqual(run.reasons(), {f'image{number}.dcm': 'failed: undecodable' for number in self.bad},
                                 run)
                self.assertEqual(run.total('stored'), len(entries) - len(self.bad), run)
                for record in run.said('store.stored'):
                    self.assertEqual(record['sent_syntax'], datasets.EXPLICIT_LITTLE)
                    self.assertLessEqual(record['attempts'], 2, 'one was lost at most')
                ends = run.said('association.aborted')
                self.assertEqual(len(ends), len(self.bad), run)
                for number in range(10):
                    if number not in self.bad:
                        found = pydicom.dcmread(next(receiver.output.rglob(f'*{entries[number].instance_uid}*')))
                        self.assertEqual(found.PixelData, bytes(value for low in range(256) for value in (low, 0)) * 1024 * 4)


if __name__ == '__main__':
    unittest.main()
