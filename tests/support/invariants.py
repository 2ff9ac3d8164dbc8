"""What must be true of every run against any peer, looked at from outside: the files that os.walk finds, the summary, the
event log, and what the scripted peer saw. They are the first three rules of docs/reliability.md."""
import collections
import io
import os
import pathlib
import zlib

import pydicom

from . import datasets

KEPT = {'store.stored', 'store.warned'}
ENDS = KEPT | {'store.failed', 'store.in_doubt', 'file.failed', 'file.skipped', 'file.pending'}


def walk(*inputs):
    """Every file below these paths."""
    found = []
    for path in map(pathlib.Path, inputs):
        if path.is_file():
            found.append(str(path))
        for folder, _, names in os.walk(path):
            found += [os.path.join(folder, name) for name in names]
    return found


def check_total(run, paths):
    """Every path ends in exactly one state, and the log says the same as the summary."""
    problems = run.problems()
    ends = collections.Counter(event['path'] for event in run.events if event['event'] in ENDS)
    kept = {event['path'] for event in run.events if event['event'] in KEPT}
    twice = [path for path, count in ends.items() if count > 1]
    assert not twice, f'ended more than once: {twice[:3]}\n{run}'
    not_kept = {path for path, entry in problems.items() if entry['state'] != 'warned'}
    assert not kept & not_kept, f'stored and not stored: {kept & not_kept}\n{run}'
    assert kept | not_kept == set(paths), f'without an outcome: {set(paths) - kept - not_kept}\n{run}'
    assert run.total('files') == len(paths), run
    assert run.total('stored') + run.total('warned') == len(kept), run


def check_honest(run):
    """Exit code 0 only if nothing failed and nothing is in doubt."""
    not_kept = sum(run.total(name) for name in ('failed', 'in_doubt', 'pending'))
    assert run.exit_code != 0 or not_kept == 0, run


def values(data, syntax_uid):
    """tag -> bytes of the value as it stands in the data set, of each that is no sequence or group length."""
    if syntax_uid == datasets.DEFLATED:
        data = zlib.decompress(data, -zlib.MAX_WBITS)
    data_set = pydicom.filereader.read_dataset(io.BytesIO(data), syntax_uid == datasets.IMPLICIT_LITTLE,
                                               syntax_uid != datasets.BIG_ENDIAN)
    raw = [data_set.get_item(tag) for tag in data_set.keys() if tag.element != 0]
    return {element.tag: element.value if isinstance(element, pydicom.dataelem.RawDataElement) else None
            for element in raw}


def is_same(entry, data, sent_syntax):
    """What arrived is the file's data set; or, in another syntax, has its values (of Big Endian, its elements)."""
    if sent_syntax == entry.syntax_uid:
        return data == entry.data_set
    had, has = values(entry.data_set, entry.syntax_uid), values(data, sent_syntax)
    swapped = datasets.BIG_ENDIAN in (sent_syntax, entry.syntax_uid)
    return list(had) == list(has) and (swapped or all(had[tag] == has[tag] for tag in had
                                                      if had[tag] is not None and has[tag] is not None))


def check_sound(run, entries, peer):
    """Each `stored` is one store that the peer acknowledged, on one association, under that Message ID, byte for byte;
    or, where it says that it was converted, with the same elements and values.

    Both sides number their associations; which is which shows from what went over them, and must not change.
    """
    by_path = {str(entry.path): entry for entry in entries}
    acknowledged = collections.defaultdict(list)
    for store in list(peer.stores):
        if store.acknowledged:
            acknowledged[store.instance_uid, store.request['message_id']].append(store)
    same = {}
    for event in run.events:
        if event['event'] not in KEPT:
            continue
        entry = by_path[event['path']]
        found = [store for store in acknowledged[event['instance'], event['message_id']]
                 if same.get(event['association'], store.association) == store.association]
        assert entry.instance_uid == event['instance'] and found, f'never acknowledged: {event}\n{run}'
        if len(found) == 1:
            same[event['association']] = found[0].association
        sent_syntax = event.get('sent_syntax') or entry.syntax_uid
        assert any(is_same(entry, store.data, sent_syntax) for store in found), \
            f'{entry.path.name} arrived otherwise\n{run}'
    assert len(set(same.values())) == len(same), f'two associations pass for one: {same}\n{run}'


def check(run, inputs, entries, peer):
    check_total(run, walk(*inputs))
    check_honest(run)
    check_sound(run, entries, peer)
