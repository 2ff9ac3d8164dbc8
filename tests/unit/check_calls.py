#!/usr/bin/python3
"""check_calls - the modules of a library call each other one way: there is no circle.

check_calls.py LIBRARY SOURCE_FOLDER

LIBRARY is a static library of one object a source file; what an object defines and needs is read with nm. A module is a
source file, or the files that share a header NAME_private.h: NAME.c and every NAME_*.c.
"""
import pathlib
import subprocess
import sys


def module_of(name, private):
    """The module that a source file belongs to, by its name without .c."""
    return next((group for group in private if name == group or name.startswith(group + '_')), name)


def read_symbols(library, private):
    """What the modules define, as symbol -> module, and what they need, as module -> symbols."""
    defined, needed, module = {}, {}, None
    listing = subprocess.run(['nm', library], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        words = line.split()
        if len(words) == 1 and words[0].endswith('.o:'):
            module = module_of(pathlib.Path(words[0]).name.removesuffix('.o:').removesuffix('.c'), private)
            needed.setdefault(module, set())
        elif len(words) == 3 and words[1] in 'TDBR':
            defined[words[2]] = module
        elif len(words) == 2 and words[0] == 'U':
            needed[module].add(words[1])
    return defined, needed


def main():
    library, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    private = sorted(path.name.removesuffix('_private.h') for path in folder.glob('*_private.h'))
    defined, needed = read_symbols(library, private)
    if len(needed) < 2:
        sys.exit(f'{library}: {len(needed)} modules: nothing was read')
    uses = {module: {defined[symbol] for symbol in symbols if symbol in defined} - {module}
            for module, symbols in needed.items()}
    left = dict(uses)
    while removable := [module for module, used in left.items() if not used & left.keys()]:
        for module in removable:
            del left[module]
    for module, used in sorted(left.items()):
        print(f'in a circle, or above one: {module} uses {", ".join(sorted(used & left.keys()))}')
    print(f'{len(uses)} modules, {sum(map(len, uses.values()))} uses')
    sys.exit(len(left) > 0)


if __name__ == '__main__':
    main()
