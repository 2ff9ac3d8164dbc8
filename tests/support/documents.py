#!/usr/bin/python3
"""The project's Markdown pages as the tests read them: blocks, links, headings, and the parts that a program writes.

documents.py               name the generated parts that are out of date; exit code 1 if there are any
documents.py --update      write them anew
documents.py --run PAGE    run the blocks of a page, and put what its commands print into its `console run` blocks

Generated parts stand between `<!-- generated: WHAT -->` and `<!-- end -->`. WHAT is

    help PROGRAM [COMMAND]   what --help prints
    status rules             what each status of a C-STORE response leads to
    fallbacks                which transfer syntax may become which
    layers                   which folder of src/ may use which: the table of tests/lint
    modules FOLDER           the files of a folder of src/, with the first sentence that each says about itself
    source FILE              an example

BUILD_DIR names the build.

Fenced blocks of the languages `sh` and `console` say behind the language how they are tested:

    run              as part of the page's script, by tests/cli/test_document_blocks.py: in an empty folder that has
                     `build/release` and is the home folder too, with ports that are free. `sh` is a script; `console` is
                     commands behind "$ ", each followed by what it prints, which is compared
    run orthanc      by tests/interop/test_newcomer.py, beside an Orthanc and (README.md and docs/library.md) with the
                     library installed
    not-run: REASON  not at all; a test holds how many of these there are
"""
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import types

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('BUILD_DIR', TOP / 'build' / 'asan')).absolute()
SHELL = ('sh', 'console')
FENCE = re.compile(r'^(?P<fence>```+)(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=fence)$', re.MULTILINE | re.DOTALL)
GENERATED = re.compile(r'(?P<begin>^<!-- generated: (?P<what>[^\n]+) -->\n)(?P<text>.*?)(?P<end>^<!-- end -->$)',
                       re.MULTILINE | re.DOTALL)
LINK = re.compile(r'!?\[[^\]]*\]\(([^)\s]+)\)')


class Block:
    """A fenced block: its language, how it is tested, its text and the line on which that begins."""

    def __init__(self, page, match):
        language, _, self.marker = match['info'].strip().partition(' ')
        self.language, self.text = language, match['text']
        self.line = page.text.count('\n', 0, match.start()) + 2


class Page:
    """A Markdown file."""

    def __init__(self, path):
        self.path = path
        self.name = str(path.relative_to(TOP))
        self.text = path.read_text(encoding='utf-8')
        self.blocks = [Block(self, match) for match in FENCE.finditer(self.text)]
        # What is no block; of these only the number of lines is left.
        self.prose = FENCE.sub(lambda match: '\n' * match[0].count('\n'), self.text)

    def anchors(self):
        """The names by which links find its headings, made as GitHub makes them."""
        names = set()
        for heading in re.findall(r'^#+ +(.*?)\s*#*$', self.prose, re.MULTILINE):
            text = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading)
            name = base = re.sub(r'[^\w\- ]', '', text.lower()).replace(' ', '-')
            number = 0
            while name in names:
                number += 1
                name = f'{base}-{number}'
            names.add(name)
        return names

    def links(self):
        """(target, anchor) of each link within the project; either may be empty."""
        for target in LINK.findall(re.sub(r'`[^`\n]*`', '', self.prose)):
            if not re.match(r'[a-z]+:', target):
                path, _, anchor = target.partition('#')
                yield path, anchor


def pages():
    """All pages, the reader's first one first."""
    paths = [*TOP.glob('*.md'), *TOP.glob('bench/*.md'), *TOP.glob('docs/**/*.md')]
    return [Page(path) for path in sorted(paths, key=lambda path: (path.name != 'README.md' or path.parent != TOP, path))]


# ---- blocks that are run ----

LONGEST_S = 90
PORTS = ('11112', '11113', '11114')
MARK = '@@ %d @@'
# A server that was just started is there when it listens on the first port, not after a time.
SLEEP = """sleep() {
    for _ in $(seq 600); do
        grep -qi " 0100007F:$(printf %%04x %s) 00000000:0000 0A " /proc/net/tcp && return
        command sleep 0.05
    done
    echo "nobody listens on port %s"
    return 1
}
"""


def commands_of(block):
    """[(command, what it prints)] of a console block; a command goes on behind a backslash at the end of its line."""
    found = []
    for line in block.text.splitlines(keepends=True):
        if found and found[-1][0].endswith('\\\n') and not found[-1][1]:
            found[-1] = (found[-1][0] + line, '')
        elif line.startswith('$ '):
            found.append((line[2:], ''))
        else:
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def free_ports(count):
    holders = [socket.socket() for _ in range(count)]
    for holder in holders:
        holder.bind(('127.0.0.1', 0))
    ports = [str(holder.getsockname()[1]) for holder in holders]
    for holder in holders:
        holder.close()
    return ports


def script_of(page, ports):
    """The page's blocks as one script, which prints a mark in front of each command's output and behind it."""
    parts, number = [SLEEP % (ports[0], ports[0])], 0
    for block in page.blocks:
        if block.marker != 'run':
            continue
        if block.language == 'sh':
            parts.append(block.text)
            continue
        for command, _ in commands_of(block):
            parts.append(f"printf '{MARK % number}\\n'\n{command}")
            number += 1
        parts.append("printf '@@ - @@\\n'\n")
    script = ''.join(parts)
    for theirs, ours in zip(PORTS, ports):
        script = script.replace(theirs, ours)
    return script


def run_page(page, folder, build, environment):
    """Run its blocks in that folder. Returns the exit code, all that was said, and what each command printed."""
    (folder / 'build').mkdir()
    (folder / 'build' / 'release').symlink_to(build)
    ports = free_ports(len(PORTS))
    path = f'{build}/src/programs:{environment["PATH"]}'
    with tempfile.TemporaryFile() as output:
        shell = subprocess.Popen(['bash', '-euo', 'pipefail', '-c', script_of(page, ports)], cwd=folder, stdout=output,
                                 stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                                 env=dict(environment, HOME=str(folder), PATH=path))
        try:
            code = shell.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            code = f'no end within {LONGEST_S} s'
        finally:
            # What it started and did not end is in its group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
        output.seek(0)
        said = output.read().decode(errors='replace')
    for theirs, ours in zip(PORTS, ports):
        said = said.replace(ours, theirs)
    printed = re.split(r'^@@ (?:\d+|-) @@\n', said, flags=re.MULTILINE)
    marks = re.findall(r'^@@ (\d+|-) @@\n', said, re.MULTILINE)
    return code, said, [text for mark, text in zip(marks, printed[1:]) if mark != '-']


def record(page):
    """Put what its commands print into its console blocks."""
    with tempfile.TemporaryDirectory() as folder:
        code, said, printed = run_page(page, pathlib.Path(folder), BUILD, dict(os.environ))
    if code != 0:
        sys.exit(f'{said}{page.name}: its blocks ended with {code}')
    outputs = iter(printed)

    def with_output(match):
        block = Block(page, match)
        if (block.language, block.marker) != ('console', 'run'):
            return match[0]
        lines = ''.join(f'$ {command}{next(outputs)}' for command, _ in commands_of(block))
        return f'{match["fence"]}{match["info"]}\n{lines}{match["fence"]}'
    page.path.write_text(FENCE.sub(with_output, page.text), encoding='utf-8')


# ---- parts that a program writes ----

def output_of(*command):
    environment = dict(os.environ, LC_ALL='C.UTF-8', HOME='/nonexistent')
    return subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True, timeout=60,
                          env=environment).stdout


def layers():
    lint = types.ModuleType('lint')
    lint.__file__ = str(TOP / 'tests' / 'lint')
    exec((TOP / 'tests' / 'lint').read_text(encoding='utf-8'), lint.__dict__)  # pylint: disable=exec-used
    rows = [f'| `{folder}/` | {", ".join(f"`{name}`" for name in lint.MAY_USE if name in used) or "nothing"} |\n'
            for folder, used in lint.MAY_USE.items()]
    return '| folder | may use |\n|---|---|\n' + ''.join(rows)


def about(path):
    """The first sentence of the comment at a file's top, without the name in front. None if there is none of its own."""
    comment = re.match(r'/\*(.*?)\*/', path.read_text(encoding='utf-8'), re.DOTALL)[1]
    text = re.sub(r'\n \* ?', '\n', comment).strip().split('\n\n')[0]
    text = re.sub(r'\s+', ' ', text.split(' - ', 1)[-1])
    sentence = re.split(r'\.(?= [A-Z]| docs/|$)', text)[0]
    sentence = re.sub(r': \w+\.c .*', '', sentence)  # a list of the files that share it
    return None if re.match(r'see ', sentence, re.IGNORECASE) else sentence


def modules(folder):
    """A row for each module: a source with its header, or a header or a source alone."""
    place = TOP / 'src' / folder
    rows = []
    for stem in sorted({path.stem for path in place.glob('*.[ch]')}):
        files = [path for path in (place / f'{stem}.c', place / f'{stem}.h') if path.exists()]
        headers = [TOP / 'include' / 'dicomnet' / f'{stem}.h', *reversed(files)]
        said = [text for text in map(about, filter(pathlib.Path.exists, headers)) if text]
        name = f'{stem}.[ch]' if len(files) == 2 else files[0].name
        rows.append(f'| `{name}` | {said[0] if said else ""} |\n')
    return '| file | what |\n|---|---|\n' + ''.join(rows)


def generate(what):
    """The text of a generated part."""
    kind, _, rest = what.partition(' ')
    if kind == 'help':
        name, *command = rest.split()
        return f'```text\n{output_of(BUILD / "src" / "programs" / name, *command, "--help").rstrip()}\n```\n'
    if kind == 'source':
        return f'```c\n{(TOP / rest).read_text(encoding="utf-8")}```\n'
    if what == 'layers':
        return layers()
    if kind == 'modules':
        return modules(rest)
    if what == 'status rules':
        return output_of(BUILD / 'tests' / 'support' / 'status-rules')
    if what == 'fallbacks':
        return output_of(BUILD / 'tests' / 'support' / 'fallbacks')
    raise ValueError(f'nothing makes the generated part "{what}"')


def stale_parts(page):
    return [match['what'] for match in GENERATED.finditer(page.text) if match['text'] != generate(match['what'])]


def main():
    if sys.argv[1:2] == ['--run']:
        record(Page(pathlib.Path(sys.argv[2]).resolve()))
        return 0
    stale = 0
    for page in pages():
        for what in stale_parts(page):
            stale += 1
            print(f'{page.name}: {what}')
        if sys.argv[1:] == ['--update']:
            text = GENERATED.sub(lambda match: match['begin'] + generate(match['what']) + match['end'], page.text)
            if text != page.text:
                page.path.write_text(text, encoding='utf-8')
    return 1 if stale and sys.argv[1:] != ['--update'] else 0


if __name__ == '__main__':
    sys.exit(main())
