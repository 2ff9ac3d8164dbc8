"""one_object - make a static library of one object that exports the names of a version script and no others.

one_object OUTPUT MAP COMPILER OBJCOPY AR LIBRARY...

A static library knows no hidden names: whatever its objects share is seen by the program as well, and a program with a
`buffer_free` of its own would not link. So the objects are linked into one, and all but the listed names made local.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

output, version_script, compiler, objcopy, archiver, *libraries = sys.argv[1:]
names = re.findall(r'^ +(\w+);$', pathlib.Path(version_script).read_text(encoding='ascii'), re.MULTILINE)
with tempfile.TemporaryDirectory() as folder:
    whole, kept = pathlib.Path(folder, 'dicomnet.o'), pathlib.Path(folder, 'names')
    kept.write_text('\n'.join(names) + '\n', encoding='ascii')
    subprocess.run([compiler, '-r', '-nostdlib', '-o', whole, '-Wl,--whole-archive', *libraries,
                    '-Wl,--no-whole-archive'], check=True)
    subprocess.run([objcopy, f'--keep-global-symbols={kept}', whole], check=True)
    pathlib.Path(output).unlink(missing_ok=True)
    subprocess.run([archiver, 'rcs', output, whole], check=True)
