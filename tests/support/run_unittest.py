"""Run the Python tests of a folder, one process a file, and count them.

run_unittest.py COUNTS FOLDER [PATTERN...]

COUNTS is the file that gets "PASSED FAILED". PATTERN chooses files; without one it is all. A test that is skipped counts
as failed: what was not run has not passed. $FILES_AT_ONCE files are run side by side (1): for those that mostly wait.
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import unittest


def run_file(path, counts_path):
    """In a process of its own, as some tests change the process they are in (its network)."""
    top = path.parent.parent
    sys.path.insert(0, str(top))
    suite = unittest.defaultTestLoader.loadTestsFromName(f'{path.parent.name}.{path.stem}')
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
    for test, reason in result.skipped:
        print(f'FAILED: {test}: skipped: {reason}')
    bad = {str(test) for test, _ in result.failures + result.errors + result.skipped}
    bad |= {str(test) for test in result.unexpectedSuccesses}
    # A class whose setUpClass failed is one failure and no test run.
    passed = max(result.testsRun - len(bad), 0)
    counts_path.write_text(f'{passed} {len(bad)}', encoding='ascii')


def run_apart(path, counts_path, collect):
    """Its output, if it is to be collected, and its counts."""
    part = counts_path.with_suffix(f'.{path.stem}')
    part.unlink(missing_ok=True)
    output = f'-- {path.name}\n'
    if not collect:
        print(output, end='', flush=True)
    done = subprocess.run([sys.executable, '-B', __file__, '--file', part, path], check=False, text=True,
                          errors='replace', stdout=subprocess.PIPE if collect else None,
                          stderr=subprocess.STDOUT if collect else None,
                          env=dict(os.environ, PYTHONDONTWRITEBYTECODE='1'))
    more = part.read_text(encoding='ascii').split() if part.exists() else ('0', '1')
    part.unlink(missing_ok=True)
    return output + done.stdout if collect else '', more


def main():
    if sys.argv[1] == '--file':
        run_file(pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[2]))
        return
    counts_path, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).absolute()
    paths = sorted(path for pattern in sys.argv[3:] or ['test_*.py'] for path in folder.glob(pattern))
    at_once = int(os.environ.get('FILES_AT_ONCE', '1'))
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for output, more in pool.map(lambda path: run_apart(path, counts_path, at_once > 1), paths):
            print(output, end='', flush=True)
            passed += int(more[0])
            failed += int(more[1])
    counts_path.write_text(f'{passed} {failed}', encoding='ascii')
    print(f'{passed} passed, {failed} failed')


if __name__ == '__main__':
    main()
