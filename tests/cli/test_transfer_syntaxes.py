"""Transfer syntaxes of dicom-sender, from the outside: what is proposed with which option, and that every instance which
was converted says so: on the console, in log, summary, ledger and report."""
import csv
import io
import json
import sqlite3
import unittest

from support import datasets
from support.base import CommandTest
from support.ledger_test import LedgerTest
from support.scripted_peer import ScriptedPeer

IMPLICIT, EXPLICIT, BIG = '1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2'
DEFLATED = '1.2.840.10008.1.2.1.99'
CT = '1.2.840.10008.5.1.4.1.1.2'
MEANT = 'Explicit VR Little Endian to Implicit VR Little Endian'


class Proposed(CommandTest):
    """What a peer is asked for, by a run that sends one file in Explicit VR Little Endian."""

    def proposals(self, *options, takes=lambda syntaxes: True):
        """[(class, [syntaxes])] of the one association, in order; and the run."""
        seen = []

        def on_context(_, abstract, syntaxes):
            seen.append((abstract, list(syntaxes)))
            return (0, syntaxes[0]) if takes(syntaxes) else (4, '')
        with ScriptedPeer(on_context=on_context) as peer:
            result = self.send('-H', '127.0.0.1', '-p', peer.port, '--retry', '0', *options, '-r', self.source)
            self.acknowledged = peer.acknowledged()
            self.assertLessEqual(len(peer.associations), 1)
        return seen, result

    def setUp(self):
        super().setUp()
        self.source = self.studies('1x1x4096:CT')

    def test_by_option(self):
        usual = [(CT, [EXPLICIT]), (CT, [IMPLICIT]), (CT, [BIG]), (CT, [DEFLATED])]
        for options, expected in (
                ((), usual), (('-cx',), usual), (('--transcode', 'uncompressed'), usual), (('-dn',), usual),
                (('--transcode', 'never'), usual[:1]), (('--never-transcode',), usual[:1]),
                (('-xe',), [(CT, [EXPLICIT])]), (('-xi',), [(CT, [IMPLICIT])]), (('-xb',), [(CT, [BIG])]),
                (('--syntax', 'big', '--syntax', 'implicit'), [(CT, [BIG]), (CT, [IMPLICIT])]),
                (('-xi', '-xb'), [(CT, [IMPLICIT]), (CT, [BIG])]),
                (('--syntax', 'implicit,explicit'), [(CT, [EXPLICIT]), (CT, [IMPLICIT])]),
                (('-xs',), [(CT, [EXPLICIT]), (CT, [BIG]), (CT, [IMPLICIT])]),
                (('--syntax', 'rle', '--syntax', DEFLATED), [(CT, [DEFLATED])])):
            with self.subTest(options):
                proposed, result = self.proposals(*options)
                self.assertEqual(proposed, expected)
                self.assert_exit(result, 0)
                self.assertEqual(len(self.acknowledged), 1)

    def test_nothing_can_be_proposed(self):
        proposed, result = self.proposals('--syntax', 'rle')
        self.assertEqual(proposed, [])
        self.assert_exit(result, 1)
        self.assertIn('only RLELossless (1.2.840.10008.1.2.5) may be proposed', result.err)

    def test_propose_all(self):
        proposed, result = self.proposals('--propose-all')
        self.assert_exit(result, 0)
        self.assertEqual(len(proposed), 128)
        self.assertEqual(proposed[0], (CT, [EXPLICIT]))
        self.assertGreater(len({abstract for abstract, _ in proposed}), 100)

    def test_the_order_counts(self):
        """In the first that the peer takes, in the order in which they were named."""
        for options, syntax in ((('-xb', '-xi'), BIG), (('-xi', '-xb'), IMPLICIT)):
            self.proposals(*options)
            (data,) = self.acknowledged.values()
            self.assertEqual(data[:4], bytes.fromhex('0008 0005' if syntax == BIG else '0800 0500'))
        self.proposals('-xb', '-xi', takes=lambda syntaxes: syntaxes == [IMPLICIT])
        (data,) = self.acknowledged.values()
        self.assertEqual(data[:4], bytes.fromhex('0800 0500'))
        self.assertNotEqual(data[4:6], b'CS')

    def test_loopback(self):
        for options in (('-xe',), ('-xi',), ('-xb',), ('--syntax', 'deflated'), ('--propose-all',), ('-cx',),
                        ('--transcode', 'never'), ('--transcode', 'lossy')):
            with self.subTest(options):
                self.assert_exit(self.send('--loopback', *options, '-r', self.source), 0)


class Told(LedgerTest):
    def convert(self, *options, code=0):
        result = self.send('-v', *self.arguments(*options))
        self.assert_exit(result, code)
        return result

    def files(self, kind):
        return sorted(self.logs.glob(f'dicom_sender{kind}_2*'), key=lambda path: path.stat().st_mtime_ns)

    def summary(self):
        return json.loads(self.files('_summary')[-1].read_text(encoding='utf-8'))

    def events(self):
        lines = self.files('')[-1].read_text(encoding='utf-8').splitlines()
        return [json.loads(line) for line in lines]

    def test_everywhere(self):
        studies = self.studies('1x3x4096:CT')
        self.to('--discard', '--accept-syntaxes', 'implicit')
        size = 3 * (datasets.files_below(studies)[0].stat().st_size - 342)  # the file but for its meta information

        said = self.convert(studies)
        self.assertEqual(said.err.count('), converted to Implicit VR Little Endian  '), 3, said)
        self.assertRegex(said.err, rf'\n  converted +3   {MEANT}\n')
        summary = self.summary()
        self.assertEqual(summary['conversions'], [{'from': EXPLICIT, 'to': IMPLICIT, 'files': 3, 'bytes': size}])
        self.assertEqual(summary['totals']['bytes'], size)
        stored = [event for event in self.events() if event['event'] == 'store.stored']
        self.assertEqual([(event['sent_syntax'], event['converted'], event['bytes']) for event in stored],
                         [(IMPLICIT, MEANT, size // 3)] * 3)
        self.assertEqual(self.rows('SELECT syntax, sent_syntax FROM file'), [(EXPLICIT, IMPLICIT)] * 3)

        text = self.report().out
        self.assertRegex(text, rf'\nconverted\n +3  {MEANT}, [\d.]+ KB as they lie\n')
        report = json.loads(self.report('--json').out)
        self.assertEqual(report['conversions'], [{'syntax': EXPLICIT, 'sent_syntax': IMPLICIT, 'files': 3, 'bytes': size}])
        table = list(csv.DictReader(io.StringIO(self.report('--csv').out)))
        self.assertEqual([row['sent_syntax'] for row in table], [IMPLICIT] * 3)

        again = self.convert(studies)
        self.assertIn('stored by an earlier session, converted to Implicit VR Little Endian', again.err)
        self.assertNotRegex(again.err, r'\n  converted ')
        summary = self.summary()
        self.assertEqual((summary['conversions'], summary['totals']['earlier']['stored']), ([], 3))
        known = [event for event in self.events() if event['event'] == 'file.known']
        self.assertEqual([event['converted'] for event in known], [])  # of level debug
        self.assertEqual(self.rows('SELECT count(sent_syntax) FROM file'), [(3,)])

    def test_as_it_lies_says_nothing(self):
        studies = self.studies('1x2x4096:CT')
        self.to()
        said = self.convert(studies)
        self.assertNotIn('converted', said.err)
        self.assertEqual(self.summary()['conversions'], [])
        self.assertFalse([event for event in self.events() if 'sent_syntax' in event or 'converted' in event])
        self.assertEqual(self.rows('SELECT count(sent_syntax) FROM file'), [(0,)])
        self.assertNotIn('converted', self.report().out)

    def test_sent_again_as_it_lies(self):
        """The row says how the peer has it now."""
        studies = self.studies('1x1x4096:CT')
        self.to('--discard', '--accept-syntaxes', 'implicit', '--status', 'A900')
        self.convert(studies, code=1)
        self.assertEqual(self.rows('SELECT state, sent_syntax FROM file'), [('failed', IMPLICIT)])
        self.assertEqual(self.summary()['conversions'], [])
        self.assertEqual(self.summary()['failed'][0]['sent_syntax'], IMPLICIT)
        self.assertNotIn('converted', self.report().out)
        self.to()
        self.convert(studies, '--retry-failed')
        self.assertEqual(self.rows('SELECT state, sent_syntax FROM file'), [('stored', None)])

    def test_a_ledger_of_before(self):
        """It gets the column by the next session; a report reads it without."""
        studies = self.studies('1x2x4096:CT')
        self.to()
        self.resume(studies, stored=2)
        with sqlite3.connect(self.ledger) as database:
            database.execute('ALTER TABLE file DROP COLUMN sent_syntax')
        database.close()
        self.assertEqual(json.loads(self.report('--json').out)['conversions'], [])
        self.assertIn('dry run complete', self.send('--dry-run', *self.arguments(studies)).err)
        with self.assertRaises(sqlite3.OperationalError):
            self.rows('SELECT sent_syntax FROM file')
        self.to('--discard', '--accept-syntaxes', 'implicit')
        self.studies('1x1x4096:CT', name='studies/more', seed=2)
        self.resume(studies, stored=3, earlier_stored=2)
        self.assertEqual(self.rows('SELECT sent_syntax FROM file ORDER BY id'), [(None,), (None,), (IMPLICIT,)])

    def test_what_was_refused_goes_otherwise(self):
        """A refusal stands, until an option says what else may be done."""
        studies = self.studies('1x1x4096:CT')
        self.to('--discard', '--accept-syntaxes', 'implicit')
        self.resume('--transcode', 'never', studies, code=1, failed=1)
        self.resume(studies, code=1, failed=1, earlier_failed=1)
        self.resume('--transcode', 'uncompressed', studies, stored=1)
        self.resume(studies, stored=1, earlier_stored=1)


if __name__ == '__main__':
    unittest.main()
