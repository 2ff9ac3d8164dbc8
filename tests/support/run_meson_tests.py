"""Run one suite of the Meson tests and count the single tests in it.

run_meson_tests.py COUNTS BUILD SUITE

COUNTS is the file that gets "PASSED FAILED". A Criterion program says how many of its tests passed; any other program is
one test. A program that fails without saying how many failed counts as one failure, and what it wrote is printed.
"""
import json
import os
import re
import subprocess
import sys

from process import SANITIZERS

SYNTHESIS = re.compile(r'Tested: \S*?(\d+)\S* \| Passing: \S*?(\d+)\S* \| Failing: \S*?(\d+)\S* \| Crashing: \S*?(\d+)')
COLOUR = re.compile('\x1b\\[[0-9;]*m')


def main():
    counts_path, build, suite = sys.argv[1:]
    # Meson names the log after the wrapper.
    wrapper = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'watch_sanitizers.sh')
    log_path = os.path.join(build, 'meson-logs', f'testlog-{os.path.basename(wrapper)}.json')
    if os.path.exists(log_path):
        os.unlink(log_path)
    environment = {**os.environ, **SANITIZERS}
    done = subprocess.run(['meson', 'test', '-C', build, '--no-rebuild', '--suite', suite, '--wrapper', wrapper,
                           '--timeout-multiplier', '4'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, check=False, text=True)
    if not os.path.exists(log_path):
        none = 'No suitable tests' in done.stdout or 'No tests defined' in done.stdout
        print('no tests' if none else done.stdout)
        with open(counts_path, 'w', encoding='ascii') as file:
            file.write('0 0' if none else '0 1')
        return 0 if none else 1
    passed = failed = 0
    with open(log_path, encoding='utf-8') as lines:
        for line in lines:
            test = json.loads(line)
            output = COLOUR.sub('', test.get('stdout', '') + test.get('stderr', ''))
            synthesis = SYNTHESIS.search(output)
            good = test['result'] in ('OK', 'EXPECTEDFAIL')
            if synthesis:
                _, passing, failing, crashing = (int(number) for number in synthesis.groups())
                bad = failing + crashing if failing + crashing > 0 or good else 1
            else:
                passing, bad = (1, 0) if good else (0, 1)
            passed += passing
            failed += bad
            if bad:
                print(f'FAILED: {test["name"]} ({test["result"]})\n{output[-8000:]}')
    print(f'{passed} passed, {failed} failed')
    with open(counts_path, 'w', encoding='ascii') as file:
        file.write(f'{passed} {failed}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
