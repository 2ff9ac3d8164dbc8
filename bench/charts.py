"""The results as SVG charts, drawn by gnuplot."""
import re
import shutil
import subprocess

import tables

COLOURS = {'dicom-sender': '#1f77b4', 'dcmsend': '#ff7f0e', 'storescu': '#ffbb78', 'floor': '#999999'}

SCRIPT = """set terminal svg size 900,{height} font "sans-serif,13" background "#ffffff"
set output "{path}"
set title "{title}"
set style fill solid 1.0 noborder
set boxwidth 0.4
unset key
set xlabel "{unit}, median of {rounds} rounds (bars: min to max)"
set xrange [0:{limit}]
set yrange [-0.7:{last}]
set ytics ({names}) scale 0
set grid x linecolor "#dddddd"
set border 3
set xtics nomirror
$bars << END
{bars}
END
$spreads << END
{spreads}
END
plot $bars using 2:1:(0):2:($1-0.35):($1+0.35):3 with boxxyerror linecolor rgb variable, \\
     $spreads using 2:1:3:4 with xerrorbars linecolor "#333333" pointtype 0, \\
     $bars using 5:1:4 with labels left offset 1,0
"""


def colour(name):
    shade = next((shade for prefix, shade in COLOURS.items() if name.startswith(prefix)), '#777777')
    return int(shade[1:], 16)


def draw_contest(contest, rounds, path):
    by_volume = contest['case'] in ('ct', 'big', 'tls-ct', 'line-ct')
    unit_key, unit = ('megabytes_per_s', 'MB/s') if by_volume else ('instances_per_s', 'instances/s')
    rows = [(name, sorted(tables.values(result, unit_key))) for name, result in contest['results'].items()
            if result['runs'] and result['failed'] is None]
    if not rows:
        return False
    rows.reverse()
    bars, spreads, names, limit = [], [], [], 0
    for place, (name, rates) in enumerate(rows):
        middle = tables.median(contest['results'][name], unit_key)
        limit = max(limit, rates[-1])
        bars.append(f'{place} {middle} {colour(name)} "{tables.number(middle, 0)}" {rates[-1]}')
        spreads.append(f'{place} {middle} {rates[0]} {rates[-1]}')
        names.append(f'"{name}" {place}')
    script = SCRIPT.format(height=110 + 32 * len(rows), path=path, title=contest['title'], unit=unit, rounds=rounds,
                           limit=limit * 1.15, last=len(rows) - 0.3, names=', '.join(names), bars='\n'.join(bars),
                           spreads='\n'.join(spreads))
    done = subprocess.run(['gnuplot'], input=script, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        print(f'gnuplot: {done.stderr[-500:]}')
        return False
    path.write_text(re.sub(r'[ \t]+$', '', path.read_text(), flags=re.MULTILINE))
    return True


def draw(results, stem):
    """One chart a contest, beside the JSON: the files drawn."""
    if shutil.which('gnuplot') is None:
        print('gnuplot is not installed: no charts')
        return []
    drawn = []
    for contest in results['contests']:
        peer = re.sub(r'[^a-z]+', '-', contest['peer'].lower().replace(' --fork --ignore', ''))
        name = f'{stem.name}-{contest["case"]}-{peer}' + (f'-{contest["rtt_ms"]}ms' if contest['rtt_ms'] else '')
        path = stem.parent / f'{name}.svg'
        rounds = max(len(result['runs']) for result in contest['results'].values())
        if draw_contest(contest, rounds, path):
            drawn.append(path)
    return drawn
