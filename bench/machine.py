"""What the bench ran on: machine, kernel, versions, settings."""
import json
import os
import pathlib
import platform
import re
import subprocess

TUNABLES = ('net/ipv4/tcp_congestion_control', 'net/ipv4/tcp_rmem', 'net/ipv4/tcp_wmem', 'net/core/rmem_max',
            'net/core/wmem_max')


def read(path):
    try:
        return pathlib.Path(path).read_text(encoding='utf-8', errors='replace').strip()
    except OSError:
        return ''


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, errors='replace')
    except OSError:
        return 'not there'
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0].strip('$ ') if lines else ''


def package(name):
    return first_line('dpkg-query', '-W', '-f', '${Version}', name)


def commit():
    return first_line('git', '-C', str(pathlib.Path(__file__).parent), 'describe', '--always', '--dirty')


def build_type(build):
    done = subprocess.run(['meson', 'introspect', '--buildoptions', str(build.folder)], capture_output=True, text=True,
                          check=False)
    options = json.loads(done.stdout) if done.returncode == 0 else []
    return next((option['value'] for option in options if option['name'] == 'buildtype'), 'unknown')


def describe(build):
    cpu = re.search(r'model name\s*: (.*)', read('/proc/cpuinfo'))
    memory = re.search(r'MemTotal:\s*(\d+)', read('/proc/meminfo'))
    system = re.search(r'PRETTY_NAME="(.*)"', read('/etc/os-release'))
    return {
        'cpu': cpu[1] if cpu else platform.machine(),
        'cores': len(os.sched_getaffinity(0)),
        'virtual': 'hypervisor' in read('/proc/cpuinfo'),
        'memory_bytes': int(memory[1]) * 1024 if memory else 0,
        'kernel': platform.release(),
        'system': system[1] if system else platform.platform(),
        'load_at_end': os.getloadavg(),
        'settings': {name: read(f'/proc/sys/{name}') for name in TUNABLES},
        'versions': {'dicom-sender': first_line(build.program('dicom-sender'), '--version'), 'commit': commit(),
                     **{name: package(name) for name in ('dcmtk', 'orthanc', 'libuv1', 'libgdcm3.0', 'libc6')}},
        'compiler': first_line('cc', '--version'),
        'build_type': build_type(build),
    }
