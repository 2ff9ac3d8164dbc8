"""Peers that misbehave: nothing is claimed that is not so, the other files are stored, and the run ends in time."""
import re
import socket
import time
import unittest

from support import datasets, network, programs
from support.bad_peer import SLACK_S, TIMEOUT_S, BadPeerTest, on_instance, once
from support.scripted_peer import (PERMANENT, TRANSIENT, Abort, Close, Garbage, Reject, Release, Respond,
                                   RespondAndClose, ScriptedPeer, Silence, Twice)


class EndsOfAssociations(BadPeerTest):
    def ends(self, action):
        run = self.send(on_store=once(action, 3))
        self.assert_all_stored(run, associations=2)
        self.assert_sent_once(but=[self.peer.sent_uids()[2]])

    def test_abort_after_two_stores(self):
        self.ends(Abort())

    def test_abort_by_the_provider_after_two_stores(self):
        self.ends(Abort(source=2, reason=1))

    def test_fin_after_two_stores(self):
        self.ends(Close())

    def test_reset_after_two_stores(self):
        self.ends(Close(reset=True))

    def test_abort_while_the_data_set_comes(self):
        run = self.send(on_store=once(Abort(), 3), early=True, max_pdu=4096)
        # Its own answers are early as well, which they may be.
        self.assert_all_stored(run, associations=2)

    def test_end_after_two_stores_every_time(self):
        """A peer that takes two instances per association: each association gets its two."""
        run = self.send(on_store=lambda store, complete: Respond() if store.number <= 2 else Abort(),
                        options=['--retry', 5])
        self.assert_all_stored(run)

    def test_no_retry(self):
        run = self.send(on_store=once(Abort(), 3), options=['--retry', 0])
        self.assertIn(run.exit_code, (0, 2), run)
        self.assertGreaterEqual(run.total('stored'), 2, run)

    def test_one_instance_kills_the_association_every_time(self):
        poison = self.entries[2]
        run = self.send(on_store=on_instance(poison.instance_uid, Abort()), options=['--retry', 2])
        self.assert_outcomes(run, {2: 'failed: poison'})
        self.assertLessEqual(self.peer.sent_uids().count(poison.instance_uid), 3)
        self.assert_sent_once(but=[poison.instance_uid])

    def test_release_in_mid_run(self):
        """It asks for release and still answers: answered, and the rest over a new association."""
        run = self.send(on_store=once(Release(), 3))
        self.assert_all_stored(run)
        self.assertGreaterEqual(len(self.peer.associations), 2)

    def test_release_instead_of_an_answer(self):
        run = self.send(on_store=once(Release(answer=False), 3))
        self.assert_all_stored(run)
        self.assertGreaterEqual(len(self.peer.associations), 2)

    def test_no_answer_to_the_release(self):
        run = self.send(answer_release=False, options=['--timeout', TIMEOUT_S])
        self.assert_all_stored(run)
        # --timeout is for the release, too, which waits for 10 s without it.
        self.assertLess(run.elapsed_s, TIMEOUT_S + SLACK_S)


class SilentPeers(BadPeerTest):
    count = 3

    def assert_ends(self, run, times=2):
        self.assertLess(run.elapsed_s, times * (TIMEOUT_S + 2) + SLACK_S, run)

    def test_no_answer_to_the_connection(self):
        """Nobody accepts, and the queue of a listener is short: the system does not answer what is too much for it."""
        with network.port_without_answer() as port:
            run = programs.run_sender(self.source, port=port,
                                      options=['--connect-timeout', TIMEOUT_S, '--retry', 0])
        self.assertEqual((run.exit_code, run.total('pending')), (1, len(self.entries)), run)
        self.assertIn('no TCP connection within the connect timeout', run.summary['stop_reason'])
        self.assertGreaterEqual(run.elapsed_s, TIMEOUT_S, run)
        self.assert_ends(run, times=1)

    def test_no_answer_to_the_request(self):
        run = self.send(on_associate=lambda number, request: Silence(), options=['--timeout', TIMEOUT_S, '--retry', 1])
        self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
        self.assert_ends(run)

    def test_no_answer_to_one_store(self):
        run = self.send(on_store=once(Silence(), 2), options=['--dimse-timeout', TIMEOUT_S, '--retry', 2])
        self.assert_all_stored(run, associations=3)
        self.assert_ends(run)

    def test_no_answer_to_any_store(self):
        run = self.send(on_store=lambda store, complete: Silence(),
                        options=['--dimse-timeout', TIMEOUT_S, '--retry', 1])
        self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
        self.assert_ends(run, times=2 * len(self.entries))

    def test_keepalive(self):
        """While the peer is silent, the system asks whether it is still there: timer 2 of /proc/net/tcp."""
        def is_kept_alive(peer):
            with open('/proc/net/tcp', encoding='ascii') as lines:
                rows = [line.split() for line in lines][1:]
            return any(row[2].endswith(f':{peer.port:04X}') and row[5].startswith('02:') for row in rows)
        run = self.send(on_store=once(Silence()), options=['--dimse-timeout', TIMEOUT_S],
                        during=lambda process, peer: network.wait_until(lambda: is_kept_alive(peer), 20, 'keepalive'))
        self.assert_all_stored(run)

    def test_nothing_is_read(self):
        # More than the system's buffers on both sides hold.
        datasets.make_instance(self.source / 'study1' / 'large.dcm', 1, 90, 20_000_000)
        self.entries.append(datasets.read_entry(self.source / 'study1' / 'large.dcm'))
        for entry in self.entries[:-1]:
            entry.path.unlink()
        self.entries = self.entries[-1:]
        run = self.send(stop_reading=True, max_pdu=0, options=['--network-timeout', TIMEOUT_S, '--dimse-timeout',
                                                               TIMEOUT_S, '--retry', 0])
        self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
        self.assertLess(run.elapsed_s, 12 + SLACK_S)


class Noise(BadPeerTest):
    """What a person reads: one cause once, however many workers and files it meets; the log has each."""
    THREADS = 16

    def setUp(self):
        super().setUp()
        for entry in self.entries:
            entry.path.unlink()
        self.entries = datasets.make_studies(self.source / 'more', self.THREADS, 3, seed=3)

    def warnings(self, run):
        """The lines that came while it ran."""
        return [line for line in run.stderr.splitlines() if re.match(r'\d\d:\d\d:\d\d ', line)]

    def test_nobody_listens(self):
        with socket.socket() as holder:
            holder.bind(('127.0.0.1', 0))
            port = holder.getsockname()[1]
            run = programs.run_sender(self.source, port=port, threads=self.THREADS, options=['--retry', 1])
        self.assertEqual((run.exit_code, run.total('pending')), (1, len(self.entries)), run)
        self.assertGreaterEqual(len(run.said('association.lost')), self.THREADS)
        (line,) = self.warnings(run)
        self.assertIn(f'association with 127.0.0.1:{port}: not connected: Connection refused', line)
        self.assertRegex(run.stderr, rf'session stopped after [^\n]*: not connected to 127.0.0.1:{port}: Connection '
                                     r'refused: nothing listens at that port\n')
        self.assertRegex(run.stderr, rf'  {len(run.said("association.lost"))} times: association with')

    def test_rejected_for_a_name(self):
        """The name in question and the option that sets it."""
        for reason, name, option in (7, 'ANY-SCP', '--ae-title'), (3, 'ME', '--calling-ae'):
            with self.subTest(option):
                run = self.send(threads=self.THREADS, options=['--calling-ae', 'ME'],
                                on_associate=lambda *request, why=reason: Reject(PERMANENT, 1, why))
                self.assertLessEqual(len(self.warnings(run)), 2, run)
                self.assertRegex(run.stderr, rf"session stopped after [^\n]*rejected[^\n]*'{name}' \({option}\)")
                self.assertIn(f"'{name}' ({option})", run.summary['stop_reason'])

    def test_every_store_is_aborted(self):
        run = self.send(threads=self.THREADS, options=['--retry', 1], on_store=lambda *store: Abort())
        self.assertLessEqual(len(self.warnings(run)), 4, run)
        self.assertGreater(len(run.said('association.aborted')), 8)
        self.assertRegex(run.stderr, r'\d+ times: association with .*aborted by the peer')

    def test_every_file_fails_for_the_same_reason(self):
        run = self.send(threads=self.THREADS, on_store=lambda *store: Respond(status=0xC123, comment='no such device'))
        self.assertEqual(run.total('failed'), len(self.entries), run)
        self.assertEqual(self.warnings(run), [])
        self.assertRegex(run.stderr, rf"session ended after [^\n]*: 0 stored, {len(self.entries)} failed\n")
        self.assertIn(f"  {len(self.entries)} files: the peer did not answer with success: C123", run.stderr)
        self.assertEqual(run.stderr.count('C123'), 1, 'said once')
        self.assertEqual(run.stderr.count('.dcm\n'), 3, 'three examples')

    def test_no_room(self):
        """Pauses and their end; the second pause in a row is the live line's matter."""
        run = self.send(threads=4, options=['--give-up-after', 8], on_store=lambda *store: Respond(status=0xA700))
        lines = self.warnings(run)
        self.assertEqual(len([line for line in lines if 'next try in' in line]), 1, run)
        self.assertLessEqual(len(lines), 3, run)


class Negotiations(BadPeerTest):
    def setUp(self):
        super().setUp()
        # A second kind of instance, whose context can be told from the others.
        self.other = datasets.copy_files([datasets.find('MR_small.dcm')], self.source)[0]
        self.entries.append(self.other)
        self.last = len(self.entries) - 1

    def only_ct(self, answer):
        return lambda number, abstract, syntaxes: (
            (0, syntaxes[0]) if abstract == datasets.CT_IMAGE else answer(syntaxes))

    def assert_said(self, run, *facts):
        """In the summary and in the log: the class and the syntax by name and UID, and these facts."""
        (problem,) = run.problems().values()
        (record,) = run.said('file.failed')
        for fact in ('(1.2.840.10008.5.1.4.1.1.', 'Storage ', 'LittleEndian (1.2.840.10008.1.2', *facts):
            self.assertIn(fact, problem['text'], run)
            self.assertIn(fact, record['text'], run)
            self.assertIn(fact, run.stderr, run)

    def test_a_context_is_refused(self):
        run = self.send(on_context=self.only_ct(lambda syntaxes: (3, '')))
        self.assert_outcomes(run, {self.last: 'failed: unsupported'})
        self.assert_said(run, ', or converted to ImplicitVRLittleEndian', 'abstract syntax not supported (result 3)',
                         'in none of the 4 syntaxes that were proposed')

    def test_a_context_is_refused_and_nothing_is_converted(self):
        run = self.send(on_context=self.only_ct(lambda syntaxes: (4, '')), options=['--transcode', 'never'])
        self.assert_outcomes(run, {self.last: 'failed: unsupported'})
        self.assert_said(run, 'transfer syntaxes not supported (result 4)', 'no other syntax was proposed',
                         '--transcode uncompressed would convert it')
        (association,) = self.peer.associations
        refused = self.send(on_context=self.only_ct(lambda syntaxes: (3, '')), options=['--transcode', 'never'])
        self.assertNotIn('would convert it', refused.stderr, 'the class itself is not taken')
        self.assertEqual(sorted((abstract, *syntaxes) for _, abstract, syntaxes in association.request['contexts']),
                         sorted({(entry.class_uid, entry.syntax_uid) for entry in self.entries}))

    def test_a_stored_syntax_is_refused(self):
        """It is converted, over the same association; how it lies is proposed before what it can become."""
        run = self.send(on_context=self.only_ct(
            lambda syntaxes: (0, syntaxes[0]) if syntaxes == [datasets.IMPLICIT_LITTLE] else (4, '')))
        self.assert_all_stored(run, associations=1)
        proposed = [(abstract, *syntaxes) for _, abstract, syntaxes in self.peer.associations[0].request['contexts']]
        lying = {(entry.class_uid, entry.syntax_uid) for entry in self.entries}
        self.assertEqual(set(proposed[:len(lying)]), lying)
        self.assertEqual(len(proposed), len(set(proposed)))

    def test_a_context_is_missing_from_the_answer(self):
        run = self.send(on_context=self.only_ct(lambda syntaxes: None))
        self.assert_outcomes(run, {self.last: 'failed: unsupported'})
        self.assert_said(run, ': not answered;')

    def test_a_syntax_that_was_not_proposed(self):
        run = self.send(on_context=self.only_ct(lambda syntaxes: (0, '1.2.840.10008.1.2.4.70')))
        self.assert_outcomes(run, {self.last: 'failed: unsupported'})

    def test_what_is_taken_instead_is_named(self):
        """Of a class in two syntaxes the peer takes one."""
        jpeg = '1.2.840.10008.1.2.4.50'
        names = datasets.uid(7, 2), datasets.uid(7)
        taken = datasets.write_plain(self.source / 'plain.dcm', datasets.uid(7, 1), datasets.uid(7))
        refused = datasets.write_plain(self.source / 'jpeg.dcm', *names)
        refused.path.write_bytes(datasets.meta_information(names[0], jpeg) + datasets.identity(*names))
        self.entries += [taken, refused._replace(syntax_uid=jpeg)]
        run = self.send(on_context=lambda number, abstract, syntaxes:
                        (4, '') if syntaxes == [jpeg] else (0, syntaxes[0]))
        self.assertEqual(run.reasons(), {'jpeg.dcm': 'failed: unsupported'}, run)
        (problem,) = run.problems().values()
        self.assertIn('JPEGBaseline8Bit (1.2.840.10008.1.2.4.50): transfer syntaxes not supported (result 4)',
                      problem['text'])
        self.assertIn('of this class the peer takes ExplicitVRLittleEndian (1.2.840.10008.1.2.1)', problem['text'])

    def test_all_contexts_are_refused(self):
        run = self.send(on_context=lambda *context: (3, ''))
        self.assert_outcomes(run, {index: 'failed: unsupported' for index in range(len(self.entries))})
        self.assertLessEqual(len(self.peer.associations), 4, 'no loop')
        self.assertLess(run.elapsed_s, 10)

    def test_context_ids_nobody_proposed(self):
        run = self.send(context_ids=lambda number: number + 100, options=['--retry', 1])
        self.assert_outcomes(run, {index: 'failed: unsupported' for index in range(len(self.entries))})
        self.assertEqual(self.peer.stores, [])
        self.assertLessEqual(len(self.peer.associations), 2, 'no loop')

    def test_the_common_classes_are_proposed_too(self):
        """--propose-all: 128 contexts, those that are needed first. What is accepted of the others alone is used."""
        def only_choices(number, abstract, syntaxes):
            return (0, datasets.IMPLICIT_LITTLE) if len(syntaxes) == 4 else (4, '')
        run = self.send(on_context=only_choices, options=['--propose-all'])
        self.assert_all_stored(run, associations=1)
        self.assertEqual({record['sent_syntax'] for record in run.said('store.stored')}, {datasets.IMPLICIT_LITTLE})
        contexts = self.peer.associations[0].request['contexts']
        self.assertEqual(len(contexts), 128)
        needed = len([syntaxes for _, _, syntaxes in contexts if len(syntaxes) == 1])
        self.assertTrue(all(len(syntaxes) == 4 for _, _, syntaxes in contexts[needed:]))
        run = self.send(on_context=only_choices)
        self.assert_outcomes(run, {index: 'failed: unsupported' for index in range(len(self.entries))})

    def test_a_context_id_nobody_proposed(self):
        """Only the files of the context that it stands for fail."""
        numbers = {}

        def on_context(number, abstract, syntaxes):
            numbers.setdefault(abstract, number)
            return 0, syntaxes[0]
        run = self.send(on_context=on_context, context_ids=lambda number:
                        number if number == numbers[datasets.CT_IMAGE] else number + 100)
        self.assert_outcomes(run, {self.last: 'failed: unsupported'})

    def test_more_contexts_than_one_association_holds(self):
        """150 private classes in one study: spread over associations of at most 128 contexts each."""
        place = self.subfolder('source/classes')
        for number in range(150):
            path = datasets.make_instance(place / f'class{number}.dcm', 3, number + 1, 2000,
                                          SOPClassUID=datasets.uid(99, number))
            self.entries.append(datasets.read_entry(path))
        run = self.send()
        self.assert_all_stored(run)
        for association in self.peer.associations:
            numbers = [number for number, _, _ in association.request['contexts']]
            self.assertLessEqual(len(numbers), 128)
            self.assertEqual(len(numbers), len(set(numbers)))
            self.assertTrue(all(number % 2 for number in numbers), 'context IDs are odd')
        self.assert_sent_once()

    def test_permanent_rejection(self):
        run = self.send(on_associate=lambda number, request: Reject(PERMANENT, 1, 7), threads=2)
        self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
        self.assertLessEqual(len(self.peer.associations), 2, 'it is a matter of configuration: not asked again')
        self.assertLess(run.elapsed_s, 10)

    def test_transient_rejections_at_first(self):
        run = self.send(on_associate=lambda number, request: Reject(TRANSIENT, 3, 2) if number <= 2 else None,
                        options=['--retry', 4])
        self.assert_all_stored(run)
        self.assertGreaterEqual(len(self.peer.associations), 3)

    def test_room_for_one_association_only(self):
        """The others are turned away as long as one is there; no file pays for it."""
        self.entries += datasets.make_studies(self.subfolder('source/more'), 3, 2, seed=5)
        admitted = []

        def one_at_a_time(number, request):
            if any(peer.associations[other - 1].end is None for other in admitted):
                return Reject(TRANSIENT, 3, 2)
            admitted.append(number)
            return None
        with ScriptedPeer(on_associate=one_at_a_time, delay_s=0.1) as peer:
            run = programs.run_sender(self.source, port=peer.port, threads=4, options=['--retry', 6])
        self.assertEqual((run.exit_code, run.total('stored')), (0, len(self.entries)), run)
        self.assertEqual(len(peer.acknowledged()), len(self.entries))

    def test_garbage_instead_of_an_answer(self):
        for name, data in (('text', b'HTTP/1.1 400 Bad Request\r\n\r\n'), ('zeros', bytes(64)),
                           ('endless', b'\x02\x00\xff\xff\xff\xff' + bytes(200)),
                           ('short AC', b'\x02\x00\x00\x00\x00\x04\x00\x01\x00\x00'),
                           ('items past the end', b'\x02\x00\0\0\0\x50' + bytes(68) + b'\x21\0\xff\xff' + bytes(8))):
            with self.subTest(name):
                run = self.send(on_associate=lambda number, request, data=data: Garbage(data),
                                options=['--retry', 0, '--timeout', 2])
                self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
                self.assertLess(run.elapsed_s, 10, run)

    def test_maximum_pdu_lengths(self):
        for max_pdu in (16384, 0, None, 28, 4096, 131072, 0xFFFFFFFF, 17):
            with self.subTest(max_pdu=max_pdu):
                self.assert_all_stored(self.send(max_pdu=max_pdu))

    def test_a_maximum_pdu_length_without_room(self):
        run = self.send(max_pdu=6, options=['--retry', 0, '--timeout', 2])
        self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
        self.assertLess(run.elapsed_s, 10)


class Answers(BadPeerTest):
    def test_answers_before_the_data_set_is_complete(self):
        self.assert_all_stored(self.send(early=True, max_pdu=4096), associations=1)

    def test_an_answer_before_the_data_set_is_complete_and_then_the_end(self):
        """It counts for nothing, as the last byte never went out. The instance is more than the system's buffers hold."""
        large = datasets.read_entry(datasets.make_instance(self.source / 'large.dcm', 2, 1, 20_000_000))
        self.entries.append(large)
        run = self.send(early=True, max_pdu=0, receive_buffer=65536,
                        on_store=lambda store, complete: RespondAndClose()
                        if (store.instance_uid, store.association) == (large.instance_uid, 1) else Respond())
        self.assert_all_stored(run, associations=2)
        self.assertEqual(self.peer.sent_uids().count(large.instance_uid), 2)
        self.assert_sent_once(but=[large.instance_uid])

    def test_an_early_answer_and_the_end_are_in_doubt(self):
        """The peer may have kept it, though it had not all of it; without further attempts that stays so."""
        large = datasets.read_entry(datasets.make_instance(self.source / 'large.dcm', 2, 1, 20_000_000))
        self.entries.append(large)
        for action, outcome in (RespondAndClose(after_s=0.3), 'in_doubt: connection'), (Close(), 'failed: no-response'):
            with self.subTest(outcome):
                run = self.send(early=True, max_pdu=0, receive_buffer=65536, options=['--retry', 0],
                                on_store=lambda store, complete, what=action:
                                what if store.instance_uid == large.instance_uid else Respond())
                self.assert_outcomes(run, {len(self.entries) - 1: outcome})
                self.assertEqual(self.peer.sent_uids().count(large.instance_uid), 1)

    def test_one_byte_at_a_time(self):
        self.assert_all_stored(self.send(chunk=1), associations=1)

    def test_a_response_in_two_pdus(self):
        self.assert_all_stored(self.send(split_response=True), associations=1)

    def test_no_sop_instance_uid(self):
        """Left out by some peers: taken by its Message ID."""
        run = self.send(on_store=lambda store, complete: Respond(changes={'instance_uid': None}))
        self.assert_all_stored(run, associations=1)
        said = [record for record in run.said('session.note') if 'no SOP Instance UID' in record['text']]
        self.assertEqual(len(said), 1, run)

    def test_another_context_of_the_same_class(self):
        """As some providers answer: with one store under way it can mean no other, and that is said once."""
        jpeg = '1.2.840.10008.1.2.4.50'
        for number in 1, 2:    # beside them, as many and more of the same class in another syntax
            names, path = (datasets.uid(7, number), datasets.uid(7)), self.source / f'jpeg{number}.dcm'
            entry = datasets.write_plain(path, *names)
            path.write_bytes(datasets.meta_information(names[0], jpeg) + datasets.identity(*names))
            self.entries.append(entry._replace(syntax_uid=jpeg))
        first = []    # the context that it answers everything on

        def on_context(number, abstract, syntaxes):
            first.append(number)
            return 0, syntaxes[0]
        run = self.send(on_context=on_context, answer_on=lambda number: first[0])
        self.assert_all_stored(run, associations=1)
        self.assertGreater(len(first), 1, 'contexts')
        said = [record for record in run.said('session.note') if 'another presentation context' in record['text']]
        self.assertEqual(len(said), 1, run)

    def wrong(self, changes):
        """A response that belongs to nothing, once: it counts for nothing, and the instance is sent again."""
        run = self.send(on_store=once(Respond(changes=changes), 3))
        self.assert_all_stored(run, associations=2)
        third = self.peer.sent_uids()[2]
        self.assertEqual(self.peer.sent_uids().count(third), 2)
        self.assert_sent_once(but=[third])

    def test_another_message_id(self):
        self.wrong({'replied_id': 4711})

    def test_another_sop_instance_uid(self):
        self.wrong({'instance_uid': '1.2.3.4.5'})

    def test_another_context(self):
        self.wrong({'context_id': 99})

    def test_two_responses(self):
        run = self.send(on_store=once(Twice(), 3))
        # The first one is good; whether the second is seen before the next store goes out is chance. It is an error then
        # or later, and ends the association.
        self.assert_all_stored(run, associations=2)
        self.assertNotEqual(self.peer.associations[0].end, 'released')

    def test_a_request_instead_of_a_response(self):
        self.wrong({'field': 0x0001})

    def test_garbage_instead_of_a_response(self):
        for name, data in (('text', b'ERROR: out of cheese\n'), ('unknown type', b'\x0a\x00\x00\x00\x00\x04abcd'),
                           ('endless', b'\x04\x00\xff\xff\xff\xf0' + bytes(100)),
                           ('empty PDV', b'\x04\x00\x00\x00\x00\x04\x00\x00\x00\x00'),
                           ('PDV past the PDU', b'\x04\x00\x00\x00\x00\x06\x00\x00\x01\x00\x01\x03'),
                           ('AC again', b'\x02\x00\x00\x00\x00\x04\x00\x01\x00\x00')):
            with self.subTest(name):
                run = self.send(on_store=once(Garbage(data), 3), options=['--dimse-timeout', 3])
                self.assert_all_stored(run, associations=2)

    def test_warnings(self):
        statuses = (0xB000, 0xB006, 0xB007, 0x0107, 0x0116, 0xB123)
        run = self.send(on_store=lambda store, complete: Respond(statuses[store.total - 1]))
        self.assertEqual((run.exit_code, run.total('stored'), run.total('warned')), (0, 0, 6), run)

    def failure(self, status, comment=None, **options):
        bad = self.entries[2]
        run = self.send(on_store=on_instance(bad.instance_uid, Respond(status, comment)), **options)
        self.assert_outcomes(run, {2: 'failed: status'})
        self.assertIn(f'{status:04X}', str(run.problem(bad.path)).upper())
        return run, self.peer.sent_uids().count(bad.instance_uid)

    def test_failures_for_good(self):
        for status in (0xA900, 0xC000, 0xC123, 0x0112, 0x0117, 0x0111):
            with self.subTest(status=hex(status)):
                _, times = self.failure(status)
                self.assertEqual(times, 1, 'not worth another try')

    def test_error_comment(self):
        run, _ = self.failure(0xC000, 'Patient is locked by night shift')
        self.assertEqual(run.problem(self.entries[2].path)['comment'], 'Patient is locked by night shift')

    def test_error_comment_that_breaks_lines(self):
        run, _ = self.failure(0xC000, 'two\nlines \x1b[31m "quoted"')
        self.assertNotIn('\x1b[31m', run.stderr)

    def test_out_of_resources_for_one_file(self):
        """Its neighbours succeed, so it is the file: three attempts."""
        _, times = self.failure(0xA700)
        self.assertEqual(times, 3)

    def test_cannot_be_processed(self):
        """Two more attempts, each on a new association."""
        _, times = self.failure(0x0110)
        self.assertEqual((times, len(self.peer.associations)), (3, 3))

    def test_fewer_attempts(self):
        for status, retry in ((0xA700, 1), (0xA700, 0), (0x0110, 1), (0x0110, 0), (0x0211, 0)):
            with self.subTest(status=hex(status), retry=retry):
                _, times = self.failure(status, options=['--retry', retry])
                self.assertEqual(times, 1 + retry)

    def test_out_of_resources_for_a_moment(self):
        run = self.send(on_store=once(Respond(0xA700), 3))
        self.assert_all_stored(run)

    def test_status_that_is_none(self):
        """Never stored, and once more on a new association."""
        for status in (0xFF00, 0xFE00, 0x4321, 0x0210, 0x0211):
            with self.subTest(status=hex(status)):
                _, times = self.failure(status)
                self.assertEqual((times, len(self.peer.associations)), (2, 2))

    def test_no_status(self):
        bad = self.entries[2]
        run = self.send(on_store=on_instance(bad.instance_uid, Respond(changes={'status': None})))
        self.assert_outcomes(run, {2: 'failed: status'})
        self.assertEqual((self.peer.sent_uids().count(bad.instance_uid), len(self.peer.associations)), (2, 2))
        self.assertIsNone(run.problem(bad.path)['status'])
        self.assertIn('no status at all', run.stderr)

    def test_everything_fails(self):
        run = self.send(on_store=lambda store, complete: Respond(0xC000))
        self.assert_outcomes(run, {index: 'failed: status' for index in range(len(self.entries))})

    def test_not_authorised(self):
        """Nobody gets more than a few chances to say no: the rest stays pending."""
        run = self.send(on_store=lambda store, complete: Respond(0x0124))
        self.assertEqual((run.exit_code, run.total('stored')), (1, 0), run)
        self.assertLessEqual(len(self.peer.sent_uids()), 4, run)

    def test_a_class_that_is_not_supported_after_all(self):
        run = self.send(on_store=lambda store, complete: Respond(0x0122))
        self.assertEqual((run.exit_code, run.total('failed')), (1, len(self.entries)), run)
        self.assertEqual(len(self.peer.sent_uids()), 1, 'its siblings are not sent')


class ManyThreads(BadPeerTest):
    def test_associations_that_end_at_random(self):
        """Eight workers, every seventh store ends its association: all are stored, none is acknowledged twice."""
        self.entries += datasets.make_studies(self.subfolder('source/more'), 8, 12, seed=9)
        actions = (Abort(), Close(), Close(reset=True))
        begun = time.monotonic()
        run = self.send(threads=8, options=['--retry', 8], on_store=lambda store, complete:
                        actions[store.total // 7 % 3] if store.total % 7 == 0 and store.total < 60 else Respond())
        self.assert_all_stored(run)
        acknowledged = [store.instance_uid for store in self.peer.stores if store.acknowledged]
        self.assertEqual(len(acknowledged), len(set(acknowledged)))
        self.assertLess(time.monotonic() - begun, 60)


if __name__ == '__main__':
    unittest.main()
