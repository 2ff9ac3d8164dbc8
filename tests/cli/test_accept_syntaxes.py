"""--accept-syntaxes of dicom-receiver and dicom-archive: what is taken, in which order, and what is said of the rest."""
import socket

from support import datasets, wire
from support.base import CommandTest
from support.process import run
from support.programs import Archive, Receiver

IMPLICIT, EXPLICIT, BIG = wire.IMPLICIT_LITTLE, datasets.EXPLICIT_LITTLE, '1.2.840.10008.1.2.2'
DEFLATED, JPEG_LOSSLESS, RLE = '1.2.840.10008.1.2.1.99', '1.2.840.10008.1.2.4.70', '1.2.840.10008.1.2.5'
PRIVATE = '1.2.840.113619.5.2'
STUDY_ROOT_FIND = '1.2.840.10008.5.1.4.1.2.2.1'
TAKEN, NO_SYNTAX, NO_CLASS = 0, 4, 3
WORDS = ('a UID, a keyword such as JPEG2000Lossless, or one of implicit, explicit, big, deflated, uncompressed, rle, '
         'jpeg, jpeg-lossless, jpeg-ls, jpeg-2000, ht-jpeg-2000, jpeg-xl, mpeg2, mpeg4, hevc')


def negotiate(port, *contexts):
    """The (result, syntax) of each context (abstract syntax, [transfer syntaxes])."""
    proposed = [(2 * i + 1, abstract, syntaxes) for i, (abstract, syntaxes) in enumerate(contexts)]
    with socket.create_connection(('127.0.0.1', port), timeout=20) as peer:
        peer.sendall(wire.associate_rq('ANY-SCP', 'TESTS', proposed))
        kind, body = wire.read_pdu(peer)
        assert kind == wire.ASSOCIATE_AC, kind
        results = wire.parse_ac(body)[0]
        peer.sendall(wire.pdu(wire.RELEASE_RQ, bytes(4)))
        wire.read_pdu(peer)
    return [results[number] for number, _, _ in proposed]


class AcceptSyntaxes(CommandTest):
    def servers(self, *arguments):
        yield self.start(Receiver('--discard', *arguments))
        yield self.start(Archive(*arguments))

    def test_only_these_are_taken(self):
        for server in self.servers('--accept-syntaxes', 'implicit,JPEGLosslessSV1', '--accept-syntaxes', RLE):
            with self.subTest(server=server.name):
                answers = negotiate(server.port, *((datasets.CT_IMAGE, [syntax]) for syntax in
                                                   (IMPLICIT, EXPLICIT, BIG, DEFLATED, JPEG_LOSSLESS, RLE, PRIVATE)))
                self.assertEqual([result for result, _ in answers],
                                 [TAKEN, NO_SYNTAX, NO_SYNTAX, NO_SYNTAX, TAKEN, TAKEN, NO_SYNTAX])
                self.assertEqual([answers[i][1] for i in (0, 4, 5)], [IMPLICIT, JPEG_LOSSLESS, RLE])

    def test_the_order_of_the_list_counts(self):
        """Whatever the peer's own order, and whatever the archive holds."""
        for first, second, words in ((EXPLICIT, IMPLICIT, 'explicit,implicit'), (IMPLICIT, EXPLICIT, 'implicit,explicit')):
            for server in self.servers('--accept-syntaxes', words):
                with self.subTest(server=server.name, words=words):
                    answers = negotiate(server.port, (datasets.CT_IMAGE, [RLE, second, first]),
                                        (datasets.CT_IMAGE, [first, second]), (datasets.CT_IMAGE, [second, BIG]))
                    self.assertEqual(answers, [(TAKEN, first), (TAKEN, first), (TAKEN, second)])

    def test_without_it_the_first_that_is_offered(self):
        for server in self.servers():
            answers = negotiate(server.port, (datasets.CT_IMAGE, [RLE, EXPLICIT]), (datasets.CT_IMAGE, [PRIVATE]))
            self.assertEqual(answers, [(TAKEN, RLE), (TAKEN, PRIVATE)], server.name)

    def test_other_services_are_not_concerned(self):
        """C-ECHO and C-FIND; and a class that is none of storage is refused for its own sake."""
        receiver, archive = self.servers('--accept-syntaxes', 'rle')
        echo = (wire.VERIFICATION, [IMPLICIT])
        answers = negotiate(receiver.port, echo, (STUDY_ROOT_FIND, [RLE]))
        self.assertEqual((answers[0], answers[1][0]), ((TAKEN, IMPLICIT), NO_CLASS))
        self.assertEqual(negotiate(archive.port, echo, (STUDY_ROOT_FIND, [EXPLICIT])), [(TAKEN, IMPLICIT), (TAKEN, EXPLICIT)])
        for server in (receiver, archive):
            self.assert_exit(run('dicom-echo', f'127.0.0.1:{server.port}'), 0)
        self.assert_exit(run('dicom-finder', f'127.0.0.1:{archive.port}', '-k', 'PatientID'), 0)

    def test_names_of_all_kinds(self):
        """The standard's names, commas and all; a word that means several; a private UID; letter case; said twice."""
        receiver = self.receiver('--discard', '--accept-syntaxes', 'Deflated Explicit VR Little Endian',
                                 '--accept-syntaxes', 'JPEG-Lossless,implicitvrlittleendian,implicit',
                                 '--accept-syntaxes', PRIVATE)
        answers = negotiate(receiver.port, *((datasets.CT_IMAGE, [syntax]) for syntax in
                                             (DEFLATED, JPEG_LOSSLESS, '1.2.840.10008.1.2.4.57', IMPLICIT, PRIVATE, EXPLICIT)))
        self.assertEqual([result for result, _ in answers], [TAKEN] * 5 + [NO_SYNTAX])

    def test_what_is_none_is_refused_with_what_is_allowed(self):
        for program, destination in (('dicom-receiver', '--discard'), ('dicom-archive', '--synthetic')):
            for value, part in (('explicit,jpeg3000', 'jpeg3000'), ('explicit,', ''), ('1', '1'),
                                (datasets.CT_IMAGE, datasets.CT_IMAGE), ('1.2.x', '1.2.x')):
                result = run(program, destination, '--port', '0', '--accept-syntaxes', value)
                self.assert_wrong(result, f"{program}: --accept-syntaxes: '{value}' has '{part}', which is no transfer "
                                          f'syntax: {WORDS}')

    def test_stores_arrive_in_what_is_taken(self):
        receiver = self.start(Receiver('--accept-syntaxes', 'explicit'))
        studies = self.studies('1x3x4096:CT')
        self.assert_exit(self.send(f'127.0.0.1:{receiver.port}', '-r', studies), 0)
        self.assertEqual(len(receiver.files()), 3)
        strict = self.start(Receiver('--accept-syntaxes', 'hevc'))
        self.assert_exit(self.send(f'127.0.0.1:{strict.port}', '-r', studies), 1)
        self.assertEqual(strict.files(), [])
