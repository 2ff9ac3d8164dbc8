"""What dicom-receiver says it did, and what it has: its access log and its output folder, read from the outside."""
import hashlib
import json
import pathlib
import re

from . import datasets

TEMPORARY = re.compile(r'\.tmp-\d+-\d+')


def read_log(path):
    """The lines of an access log. Every line must be whole, whatever happened to the receiver."""
    path = pathlib.Path(path)
    text = path.read_text(encoding='utf-8') if path.exists() else ''
    assert not text or text.endswith('\n'), f'the last line is torn: {text[-200:]!r}'
    return [json.loads(line) for line in text.splitlines()]


def answers(lines):
    """Its answered stores, in order."""
    return [line for line in lines if line['event'] == 'store.answered']


def acknowledged(lines):
    """{SOP Instance UID: its answers with success or a warning}."""
    found = {}
    for line in answers(lines):
        if line['status'] in ('0x0000', '0x0001', '0x0107', '0x0116') or line['status'].startswith('0xB'):
            found.setdefault(line['instance'], []).append(line)
    return found


def read_folder(folder, temporaries=False):
    """{SOP Instance UID: data set} of what is kept. Every file under a final name must be whole and named by its UID;
    temporary ones may only be there if `temporaries` says so."""
    kept = {}
    for path in sorted(pathlib.Path(folder).iterdir()):
        if TEMPORARY.fullmatch(path.name):
            assert temporaries, f'{path.name} is left over'
            continue
        meta, data_set = datasets.split_part10(path.read_bytes())
        assert path.name == f'{meta[0x03]}.dcm', f'{path.name} holds {meta[0x03]}'
        kept[meta[0x03]] = data_set
    return kept


def check(run, entries, receiver, temporaries=False):
    """RELIABILITY's invariants of one run of dicom-sender into a receiver with an access log.

    Total: the run accounts for every file. Sound: what it calls stored was acknowledged with these very bytes and is
    kept so. Returns the access log's lines.
    """
    assert run.total('files') == len(entries), f'{run.total("files")} of {len(entries)} files\n{run}'
    problems = {path: entry['state'] for path, entry in run.problems().items()}
    lines = read_log(receiver.access_log)
    told = acknowledged(lines)
    kept = read_folder(receiver.output, temporaries)
    for entry in entries:
        if problems.get(str(entry.path), 'stored') not in ('stored', 'warned'):
            continue
        digest = hashlib.sha256(entry.data_set).hexdigest()
        assert any(line['sha256'] == digest and line['bytes'] == len(entry.data_set)
                   for line in told.get(entry.instance_uid, ())), f'{entry.path} was never acknowledged\n{run}'
        assert kept.get(entry.instance_uid) == entry.data_set, f'{entry.path} is not kept as it is\n{run}'
    for uid in told:
        assert uid in kept, f'{uid} was acknowledged and is not kept\n{run}'
    return lines
