"""The results as text: a table for each contest, the targets, the machine."""
import statistics

import remote
import tls

BASELINES = ('dcmsend tuned', 'dcmsend stock')
BASELINES_OF = {'move': ('movescu',), 'find': ('findscu',),
                'convert': ('dcmsend tuned', 'dcmsend tuned +dls', 'dcmdjpeg', 'gdcmconv --raw'),
                'tls-ct': ('storescu tuned +tls', 'storescu stock +tls'),
                'tls-small': ('storescu tuned +tls', 'storescu stock +tls'),
                'remote-tree': ('dicom-sender --dry-run, before',)}


def values(result, key):
    return [run[key] for run in result['runs'] if key in run]


def median(result, key):
    found = values(result, key)
    return statistics.median(found) if found and result['failed'] is None else None


def find(results, case, peer, rtt_ms=None):
    for contest in results['contests']:
        if contest['case'] == case and contest['peer'].startswith(peer) and contest['rtt_ms'] == rtt_ms:
            return contest['results']
    return {}


def rate_of(run, phase='whole'):
    return run['files'] / (run['transfer_s'] if phase == 'transfer' else run['wall_s'])


def ratios(ours, theirs, phase='whole'):
    """How much faster, pair by pair. [] if either failed."""
    if not ours or not theirs or ours['failed'] or theirs['failed']:
        return []
    return [rate_of(our, phase) / rate_of(their) for our, their in zip(ours['runs'], theirs['runs'])]


def best_of(contest, prefix, ending=''):
    """The name of the fastest contestant whose name begins like this and has no further options, or None.

    `ending` is what the name ends in beyond that: those of an earlier build have one."""
    rates = {name: median(result, 'instances_per_s') for name, result in contest.items()
             if name.startswith(prefix) and name.endswith(ending) and ' --' not in name and
             (ending or ',' not in name.removeprefix('floor,')) and not result['failed'] and result['runs']}
    return max(rates, key=rates.get) if rates else None


# ---- targets ----


def target(text, at_least, measured, unit='x', at_most=False):
    """One row. `measured` is a list: of ratios (median counts) or of figures; [] = not measured."""
    row = {'target': text, 'limit': at_least, 'at_most': at_most, 'unit': unit, 'measured': None, 'met': None}
    if measured:
        middle = statistics.median(measured)
        row |= {'measured': middle, 'min': min(measured), 'max': max(measured),
                'met': middle <= at_least if at_most else middle >= at_least}
    return row


def peer_targets(results):
    storescp = find(results, 'stock', 'storescp')
    orthanc = find(results, 'stock', 'Orthanc')
    yield target('stock storescp, one association each, small: dcmsend stock', 100,
                 ratios(storescp.get('dicom-sender 1 thread'), storescp.get('dcmsend stock')))
    yield target('stock Orthanc, one association each, small: dcmsend stock', 15,
                 ratios(orthanc.get('dicom-sender 1 thread'), orthanc.get('dcmsend stock')))
    for case, limit in (('small', 10), ('ct', 4)):
        contest = find(results, case, 'dicom-receiver')
        best = best_of(contest, 'dicom-sender')
        yield target(f'{case} into --discard, whole process ({best or "best"}): dcmsend tuned', limit,
                     ratios(contest.get(best), contest.get('dcmsend tuned')))


def floor_targets(results):
    big = find(results, 'big', 'dicom-receiver')
    best, floor = best_of(big, 'dicom-sender'), best_of(big, 'floor')
    yield target(f'big ({best or "best"}): {floor or "floor"}', 0.9, ratios(big.get(best), big.get(floor)))
    for case in ('small', 'ct'):
        contest = find(results, case, 'dicom-receiver')
        ours = contest.get('dicom-sender 2 threads --scan-first') or contest.get('dicom-sender 2 threads')
        yield target(f'{case}, transfer phase alone, 2 threads: floor, 2 connections', 0.7,
                     ratios(ours, contest.get('floor, 2 connections'), 'transfer'))


def other_targets(results):
    scan = results['figures'].get('scan', {})
    yield target('scan alone, warm headers, one thread', 80000, scan.get('one_thread_per_s', []), 'files/s')
    yield target('scan alone, warm headers, two threads', 140000, scan.get('two_threads_per_s', []), 'files/s')
    far = find(results, 'distance', 'dicom-receiver', 80)
    yield target('80 ms, one association, window 16: dcmsend tuned', 10,
                 ratios(far.get('dicom-sender 1 thread --window 16'), far.get('dcmsend tuned')))
    yield target('80 ms, 8 threads, no window: dcmsend tuned', 7,
                 ratios(far.get('dicom-sender 8 threads'), far.get('dcmsend tuned')))
    million = results['figures'].get('million', {})
    ok = million and 'failed' not in million
    tree = f'a tree of {million.get("files", 1000000)} files'
    yield target(f'{tree}: first store begins after', 1, [million['first_store_s']] if ok else [], 's', True)
    yield target(f'{tree}: peak memory', 64, [million['peak_bytes'] / 2**20] if ok else [], 'MiB', True)
    big = find(results, 'big', 'dicom-receiver').get('dicom-sender 1 thread')
    peaks = [peak / 2**20 for peak in values(big, 'peak_bytes')] if big else []
    yield target('big: peak memory', 32, peaks, 'MiB', True)


def retrieval_targets(results):
    for peer in ('dicom-archive', 'dcmqrscp', 'Orthanc'):
        contest = find(results, 'move', peer)
        yield target(f'move from {peer} to itself: movescu', 5, ratios(contest.get('dicom-mover'), contest.get('movescu')))
    matches = find(results, 'find', 'dicom-archive')
    yield target('find, all matches: findscu', 3, ratios(matches.get('dicom-finder'), matches.get('findscu')))


def conversion_targets(results):
    untouched = find(results, 'convert', 'dicom-receiver')
    yield target('Explicit to Implicit, one association: untouched', 0.5,
                 ratios(untouched.get('dicom-sender 1 thread -xi'),
                        untouched.get('dicom-sender 1 thread')))
    implicit = find(results, 'convert', 'storescp, Implicit')
    yield target('Explicit to Implicit, one association each: dcmsend tuned', 3,
                 ratios(implicit.get('dicom-sender 1 thread'), implicit.get('dcmsend tuned')))
    for name, theirs in (('jpeg-lossless', 'dcmsend tuned +dls'), ('jpeg-lossless', 'dcmdjpeg'),
                         ('jpeg-2000', 'gdcmconv --raw')):
        contest = find(results, 'convert', f'storescp, {name}')
        yield target(f'{name} to Explicit, 2 threads: {theirs}', 1.6,
                     ratios(contest.get('dicom-sender 2 threads'), contest.get(theirs)))


def cost_ratios(ours, *parts):
    """CPU time of ours in the place of what these took together, round by round. [] if one failed."""
    if any(not result or result['failed'] for result in (ours, *parts)):
        return []
    return [run['cpu_s'] / sum(part['cpu_s'] for part in others)
            for run, *others in zip(ours['runs'], *(result['runs'] for result in parts))]


def tls_targets(results):
    for name, limit in (('ct', 4), ('small', 8)):
        contest = find(results, f'tls-{name}', 'dicom-receiver')
        yield target(f'{name} over TLS, 4 threads: storescu +tls, tuned', limit,
                     ratios(contest.get('dicom-sender 4 threads --tls'), contest.get('storescu tuned +tls')))
    contest = find(results, 'tls-ct', 'dicom-receiver')
    for threads in ('1 thread', '4 threads'):
        yield target(f'ct over TLS, {threads}, CPU of the sender: cipher alone and in clear', 1.25,
                     cost_ratios(contest.get(f'dicom-sender {threads} --tls'), contest.get(tls.CIPHER),
                                 contest.get(f'dicom-sender {threads}')), at_most=True)


def sink_targets(results):
    for case, limit in (('small', 15), ('ct', 5)):
        contest = find(results, case, 'bare sink')
        best, before = best_of(contest, 'dicom-sender'), best_of(contest, 'dicom-sender', ', before')
        yield target(f'{case} into the bare sink ({best or "best"}): dcmsend tuned', limit,
                     ratios(contest.get(best), contest.get('dcmsend tuned')))
        yield target(f'{case} into the bare sink, best: best of the build before', 1.1,
                     ratios(contest.get(best), contest.get(before)))
    for case in ('small', 'ct', 'big'):
        contest = find(results, case, 'bare sink')
        for threads in ('1 thread', '4 threads'):
            yield target(f'{case} into the bare sink, {threads}, window 16: no window', 0.97,
                         ratios(contest.get(f'dicom-sender {threads} --window 16'),
                                contest.get(f'dicom-sender {threads}')))


def remote_targets(results):
    for case, delay_ms, threads, limit in (('small', 1, '1 thread', 25), ('small', 1, '8 threads', 50),
                                           ('small', 1, '32 threads', 70), ('ct', 5, '8 threads', 25)):
        contest = find(results, f'remote-{case}', remote.peer_name(delay_ms))
        yield target(f'{case}, storage {delay_ms} ms away, {threads}: dcmsend tuned', limit,
                     ratios(contest.get(f'dicom-sender {threads}'), contest.get('dcmsend tuned')))
    contest = find(results, 'remote-tree', remote.peer_name(remote.TREE_DELAY_MS))
    yield target('folders of 5 files, storage 1 ms away, scan alone: the build before', 8,
                 ratios(contest.get('dicom-sender --dry-run'), contest.get('dicom-sender --dry-run, before')))


def uneven_targets(results):
    for name in ('60', '2000'):
        for peer in ('storescp', 'Orthanc'):
            contest = find(results, f'uneven-{name}', peer)
            best = best_of(contest, 'dicom-sender')
            yield target(f'uneven studies, the largest of {name}, into {peer}, 8 threads: best ({best or "-"})', 0.9,
                         ratios(contest.get('dicom-sender 8 threads'), contest.get(best)))


def targets(results):
    return [*peer_targets(results), *floor_targets(results), *other_targets(results), *retrieval_targets(results),
            *conversion_targets(results), *tls_targets(results), *sink_targets(results), *remote_targets(results),
            *uneven_targets(results)]


# ---- text ----


def number(value, width=9):
    if value is None:
        return '-'.rjust(width)
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f'{value:,.{digits}f}'.rjust(width)


def per_gigabyte(result):
    found = [(run['cpu_s'] + run.get('receiver_cpu_s', 0)) / run['bytes'] * 1e9 for run in result['runs'] if run['bytes']]
    return statistics.median(found) if found else None


def contest_table(contest):
    known = BASELINES_OF.get(contest['case'], BASELINES)
    baselines = [name for name in known if name in contest['results']]
    lines = [contest['title'], f'{"":34}{"files":>7}{"wall s":>9}{"min":>8}{"max":>8}{"inst/s":>9}{"MB/s":>9}'
             f'{"CPU s":>8}{"peer CPU":>9}{"CPU s/GB":>9}{"peak MiB":>9}' +
             ''.join(f'{"x " + baseline:>22}' for baseline in baselines)]
    for name, result in contest['results'].items():
        if result['failed'] is not None:
            lines.append(f'{name:34} FAILED: {result["failed"].splitlines()[0][:100]}')
            continue
        walls = values(result, 'wall_s')
        peak = median(result, 'peak_bytes')
        line = (f'{name:34}{result["data"]["files"]:>7}{number(median(result, "wall_s"))}{number(min(walls), 8)}'
                f'{number(max(walls), 8)}{number(median(result, "instances_per_s"))}'
                f'{number(median(result, "megabytes_per_s"))}{number(median(result, "cpu_s"), 8)}'
                f'{number(median(result, "receiver_cpu_s"))}{number(per_gigabyte(result))}'
                f'{number(peak / 2**20 if peak and not name.startswith("floor") else None)}')
        for baseline in baselines:
            found = ratios(result, contest['results'].get(baseline)) if name != baseline else []
            spread = f'{number(statistics.median(found), 8)} ({number(min(found), 0)}-{number(max(found), 0)})' \
                if found else '-'
            line += spread.rjust(22)
        lines.append(line)
    return lines


def target_table(results):
    lines = ['', f'{"target":80}{"at least":>12}{"measured":>12}  met']
    for row in results.get('targets') or targets(results):
        limit = f'{"<= " if row["at_most"] else ""}{number(row["limit"], 0)} {row["unit"]}'
        measured = f'{number(row["measured"], 0)} {row["unit"]}' if row['measured'] is not None else 'not measured'
        met = '-' if row['met'] is None else 'yes' if row['met'] else 'NO'
        lines.append(f'{row["target"]:76}{limit:>16}{measured:>16}  {met}')
    return lines


def machine_lines(results):
    on = results['machine']
    return [f'{results["date"]}, {results["rounds"]} rounds{", quick" if results["quick"] else ""}, '
            f'{results.get("duration_s", 0):.0f} s',
            f'{on["cpu"]}, {on["cores"]} cores{" (virtual)" if on["virtual"] else ""}, '
            f'{on["memory_bytes"] / 2**30:.0f} GiB; {on["system"]}, Linux {on["kernel"]}; build {on["build_type"]}, '
            f'{on["compiler"]}',
            '; '.join(f'{name} {version}' for name, version in on['versions'].items()),
            '; '.join(f'{name.rpartition("/")[2]} {" ".join(value.split())}'
                      for name, value in on['settings'].items()),
            'stock: as it comes; tuned: TCP_NODELAY=1 on both ends, 128 KiB PDUs. Wall time is of the whole process.']


def figure_lines(results):
    figures = results['figures']
    lines = []
    if 'scan' in figures:
        scan = figures['scan']
        one, two, sender, whole = (
            number(statistics.median(scan[key]), 0)
            for key in ('one_thread_per_s', 'two_threads_per_s', 'sender_per_s', 'sender_process_per_s'))
        lines.append(f'scan of {scan["files"]} warm headers: one thread {one} files/s, two {two}; '
                     f'dicom-sender --dry-run {sender} files/s ({whole} of the whole process)')
    if 'cost' in figures:
        cost = figures['cost']
        sender, receiver = (number(cost[f'{side}_instructions_per_store'], 0) for side in ('sender', 'receiver'))
        lines.append(f'user-space instructions a store of 16 KiB: sender {sender}, receiver {receiver}')
    million = figures.get('million')
    if million:
        lines.append(f'a tree of {million["files"]} files: ' + (
            f'FAILED: {million["failed"]}' if 'failed' in million else
            f'first store after {million["first_store_s"]:.2f} s, peak memory {million["peak_bytes"] / 2**20:.0f} MiB, '
            f'{number(million["scanned_per_s"], 0)} files scanned and {number(million["instances_per_s"], 0)} stored a '
            'second'))
    return lines


def report(results):
    lines = machine_lines(results)
    for contest in results['contests']:
        lines += ['', *contest_table(contest)]
    lines += ['', *figure_lines(results), *target_table(results)]
    lines += [f'FAILED: {failure.splitlines()[0]}' for failure in results['failures']]
    return '\n'.join(lines) + '\n'
