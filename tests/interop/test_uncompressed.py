"""The uncompressed transfer syntaxes among each other: every complete file of python3-pydicom, sent to a peer that takes
one of the four alone, and back. Nothing may differ but what the standard leaves to the writer; it is named here.
"""
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from pydicom.datadict import dictionary_VR

from support import conversions, datasets, encoders, images, programs, walked
from support.base import ProgramTest

NAMES = {images.EXPLICIT: 'explicit', images.IMPLICIT: 'implicit', images.BIG_ENDIAN: 'big', images.DEFLATED: 'deflated'}
DCMCONV = {images.EXPLICIT: '+te', images.IMPLICIT: '+ti', images.BIG_ENDIAN: '+tb', images.DEFLATED: '+td'}


def send_as(test, folder, syntax_uid, options=()):
    """Send a folder to a receiver that takes this syntax alone. {SOP Instance UID: path} of what arrives."""
    receiver = test.start(programs.Receiver('--accept-syntaxes', syntax_uid))
    run = programs.run_sender(folder, port=receiver.port, options=['--syntax', syntax_uid, *options])
    return run, {path.stem: path for path in receiver.files()}


def elements_of(path):
    meta, data_set = datasets.split_part10(pathlib.Path(path).read_bytes())
    return walked.elements(data_set, meta[0x10])


def may_lose_its_vr(tag, before, after):
    """What was in Implicit VR, where no VR is written: a private element is UN then, and of the two VRs that the
    dictionary gives for bytes and words the wider is taken."""
    if tag >> 16 & 1:
        return after == 'UN'
    return (before, after) == ('OB', 'OW') and dictionary_VR(tag) == 'OB or OW'


class Pairs(ProgramTest):
    """From each syntax to each, and back."""

    # Their group lengths are wrong, and come back right.
    wrong_group_lengths = {'chrJapMulti.dcm', 'chrKoreanMulti.dcm'}

    def batches(self):
        """(a folder of copies, their entries), none of which is of another's SOP Instance UID."""
        for number, batch in enumerate(datasets.batches()):
            entries = [entry for entry in batch if entry.syntax_uid in images.UNCOMPRESSED]
            if entries:
                folder = self.subfolder(f'batch{number}')
                yield folder, datasets.copy_files(entries, folder)

    def arrive(self, folder, batch, syntax_uid):
        run, arrived = send_as(self, folder, syntax_uid)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(batch)), run)
        self.assertEqual(sorted(arrived), sorted(entry.instance_uid for entry in batch))
        for path in arrived.values():
            self.assertEqual(datasets.split_part10(path.read_bytes())[0][0x10], syntax_uid)
        return arrived

    def over(self, syntax_uid):
        count = 0
        for folder, batch in self.batches():
            arrived = self.arrive(folder, batch, syntax_uid)
            for entry in batch:
                with self.subTest(file=entry.name):
                    self.compare(entry, elements_of(arrived[entry.instance_uid]), syntax_uid)
            for back in images.UNCOMPRESSED:
                of_this = [entry for entry in batch if entry.syntax_uid == back != syntax_uid]
                if of_this:
                    count += self.back(folder, of_this, arrived, back, syntax_uid)
        return count

    def back(self, folder, batch, arrived, syntax_uid, over):
        place = self.subfolder(f'{folder.name}-{NAMES[syntax_uid]}')
        for entry in batch:
            shutil.copy(arrived[entry.instance_uid], place)
        returned = self.arrive(place, batch, syntax_uid)
        for entry in batch:
            path = returned[entry.instance_uid]
            with self.subTest(file=entry.name, back=NAMES[syntax_uid]):
                if self.compare(entry, elements_of(path), syntax_uid, over):
                    self.compare_bytes(entry, datasets.split_part10(path.read_bytes())[1])
        return len(batch)

    def compare(self, entry, found, syntax_uid, over=None):
        """The same elements in the same order with the same values. Whether they have the same VRs too."""
        original = walked.elements(entry.data_set, entry.syntax_uid)
        self.assertEqual([(path, value) for path, _, value in original], [(path, value) for path, _, value in found])
        changed = [(path[-1], before, after) for (path, before, _), (_, after, _) in zip(original, found)
                   if before != after]
        if entry.syntax_uid != images.IMPLICIT and syntax_uid != images.IMPLICIT:
            for tag, before, after in changed:
                self.assertTrue(over == images.IMPLICIT and may_lose_its_vr(tag, before, after),
                                f'{tag:08x} was {before} and is {after}')
        return not changed

    def compare_bytes(self, entry, data_set):
        if entry.syntax_uid == images.DEFLATED:    # of one data set there are many deflated forms
            self.assertEqual(walked.inflate(data_set), walked.inflate(entry.data_set))
        elif entry.name in self.wrong_group_lengths:
            self.assertEqual(len(data_set), len(entry.data_set))
        else:
            self.assertEqual(data_set, entry.data_set)

    def test_over_explicit(self):
        self.assertGreater(self.over(images.EXPLICIT), 10)

    def test_over_implicit(self):
        self.assertGreater(self.over(images.IMPLICIT), 100)

    def test_over_big_endian(self):
        self.assertGreater(self.over(images.BIG_ENDIAN), 100)

    def test_over_deflated(self):
        self.assertGreater(self.over(images.DEFLATED), 100)


class BesideOthers(ProgramTest):
    """What arrives converted, held against what others say of it."""

    def both(self, entries, folder, syntax_uid):
        """(entry, ours, dcmconv's) of files that another syntax was made of."""
        theirs = self.subfolder(f'theirs-{NAMES[syntax_uid]}-{folder.name}')
        copies = datasets.copy_files(entries, folder)
        run, arrived = send_as(self, folder, syntax_uid)
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(copies)), run)
        for entry in copies:
            other = theirs / f'{entry.instance_uid}.dcm'
            encoders.call('dcmconv', DCMCONV[syntax_uid], entry.path, other)
            yield entry, arrived[entry.instance_uid], other

    def all_pairs(self):
        for number, batch in enumerate(datasets.batches()):
            for syntax_uid in (images.EXPLICIT, images.IMPLICIT, images.BIG_ENDIAN):
                entries = [entry for entry in batch if entry.syntax_uid in images.UNCOMPRESSED and
                           entry.syntax_uid != syntax_uid]
                if entries:
                    yield from self.both(entries, self.subfolder(f'{NAMES[syntax_uid]}-{number}'), syntax_uid)

    def test_dcmconv_and_dciodvfy(self):
        asked = set()
        for entry, ours, theirs in self.all_pairs():
            with self.subTest(file=entry.name, to=ours.parent.name):
                self.assertEqual(elements_of(ours), elements_of(theirs))
                if entry.name not in asked:    # it is slow: one conversion of each file
                    asked.add(entry.name)
                    before = complaints(entry.path if entry.syntax_uid != images.DEFLATED else theirs)
                    self.assertLessEqual(complaints(ours), before)


def complaints(path):
    """What dciodvfy finds wrong in a file."""
    done = subprocess.run(['dciodvfy', str(path)], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    said = (done.stdout + done.stderr).decode(errors='replace')
    return {line for line in said.splitlines() if re.match('Error|Warning', line)}


if __name__ == '__main__':
    unittest.main()
