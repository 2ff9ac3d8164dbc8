"""Fuzz: replay the corpus for the coverage of the decoders, then let each target run for a while.

run_fuzz.py COUNTS BUILD SECONDS [TARGET...]

COUNTS is the file that gets "PASSED FAILED"; BUILD is a build with clang and -Dfuzzing=true. $FUZZ_AT_ONCE targets run at a
time (2).
Inputs that a target finds interesting stay in BUILD/corpus/TARGET for its next run; what breaks it is written to
BUILD/findings, and its path is printed.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent
SOURCE = TOP.parent.parent

# What the corpus must reach, and how much of its lines.
DECODERS = ('src/wire/pdu_decode.c', 'src/wire/dimse.c', 'src/wire/identifier_decode.c', 'src/files/walk.c',
            'src/files/inspect.c', 'src/wire/recode_elements.c', 'src/wire/recode_header.c')
COVERAGE_MIN_PERCENT = 90

INPUT_MAX_BYTES = 24 * 1024  # no seed is longer
INPUT_TIMEOUT_S = 20
MEMORY_MAX_MB = 2048


def program(build, target):
    return build / 'tests' / 'fuzz' / f'fuzz_{target}'


def environment(profile='/dev/null', scratch='/tmp'):
    return dict(os.environ, LLVM_PROFILE_FILE=str(profile), TMPDIR=str(scratch),
                ASAN_OPTIONS='quarantine_size_mb=16:detect_stack_use_after_return=1',
                UBSAN_OPTIONS='print_stacktrace=1:halt_on_error=1')


def check_coverage(build, targets):
    """Replay the corpus; 1 or 0 for each decoder."""
    folder = build / 'coverage'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for target in targets:
        done = subprocess.run([program(build, target), '-runs=0', TOP / 'corpus' / target], cwd=folder, check=False,
                              env=environment(folder / f'{target}.profraw'), capture_output=True, errors='replace')
        if done.returncode != 0:
            print(f'FAILED: {target}: its corpus\n{done.stderr[-5000:]}')
            return [False]
    merged = folder / 'merged.profdata'
    subprocess.run(['llvm-profdata', 'merge', '-o', merged, *folder.glob('*.profraw')], check=True)
    objects = [part for target in targets for part in ('-object', program(build, target))]
    exported = subprocess.run(['llvm-cov', 'export', '-summary-only', f'-instr-profile={merged}', *objects[1:],
                               *(SOURCE / name for name in DECODERS)], check=True, capture_output=True, text=True)
    lines = {pathlib.Path(entry['filename']).resolve(): entry['summary']['lines']
             for entry in json.loads(exported.stdout)['data'][0]['files']}
    results = []
    for name in DECODERS:
        covered = lines.get((SOURCE / name).resolve(), {'percent': 0, 'count': 0})
        results.append(covered['percent'] >= COVERAGE_MIN_PERCENT)
        print(f'{"" if results[-1] else "FAILED: "}{name}: {covered["percent"]:.1f} % of {covered["count"]} lines')
    return results


def fuzz(build, target, seconds):
    """Let one target run. What to print, and whether it is well."""
    findings, found = build / 'findings', build / 'corpus' / target
    found.mkdir(parents=True, exist_ok=True)
    before = set(findings.glob(f'{target}-*'))
    # libFuzzer leaves without the exit handlers that would remove what a target has made.
    with tempfile.TemporaryDirectory(dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None) as scratch:
        done = subprocess.run(
            [program(build, target), f'-max_total_time={seconds}', f'-max_len={INPUT_MAX_BYTES}',
             f'-timeout={INPUT_TIMEOUT_S}', f'-rss_limit_mb={MEMORY_MAX_MB}', '-print_final_stats=1',
             f'-artifact_prefix={findings}/{target}-', found, TOP / 'corpus' / target],
            cwd=findings, env=environment(scratch=scratch), capture_output=True, text=True, errors='replace',
            check=False, timeout=seconds + 10 * INPUT_TIMEOUT_S)
    runs = re.search(r'number_of_executed_units: (\d+)', done.stderr)
    text = f'{target}: {runs.group(1) if runs else 0} inputs in {seconds} s'
    if done.returncode == 0:
        return text, True
    reproducers = [str(path) for path in sorted(set(findings.glob(f'{target}-*')) - before)]
    return (f'FAILED: {text}\n{done.stderr[-5000:]}\nreproduce: {program(build, target)} '
            f'{" ".join(reproducers) or "(no input was written)"}', False)


def main():
    counts_path, build, seconds = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).absolute(), int(sys.argv[3])
    targets = sys.argv[4:] or sorted(path.name for path in (TOP / 'corpus').iterdir())
    (build / 'findings').mkdir(exist_ok=True)
    results = [] if sys.argv[4:] else check_coverage(build, targets)
    with concurrent.futures.ThreadPoolExecutor(max_workers=int(os.environ.get('FUZZ_AT_ONCE', '2'))) as pool:
        for text, well in pool.map(lambda target: fuzz(build, target, seconds), targets):
            print(text, flush=True)
            results.append(well)
    counts_path.write_text(f'{sum(results)} {len(results) - sum(results)}', encoding='ascii')
    print(f'{sum(results)} passed, {len(results) - sum(results)} failed')
    return 0 if all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
