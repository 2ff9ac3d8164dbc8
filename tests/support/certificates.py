"""Keys and certificates for a test, made by openssl in its own folder and gone with it."""
import pathlib
import re
import shutil
import subprocess
import tempfile

from .process import guarded


def openssl(*arguments):
    done = subprocess.run(['openssl', *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f'openssl {arguments}\n{done.stderr}'
    return done.stdout


class Identity:
    """A key and its certificate: NAME.key, NAME.pem; NAME.chain.pem has those above it, but for the root, behind it."""

    def __init__(self, folder, name, issuer=None, names=None, ca=False, kind='rsa', days=2):
        self.key, self.certificate = folder / f'{name}.key', folder / f'{name}.pem'
        self.chain = folder / f'{name}.chain.pem'
        self.name = name
        self.issuer = issuer
        request, extensions = folder / f'{name}.csr', folder / f'{name}.ext'
        key = ['rsa:2048'] if kind == 'rsa' else ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
        openssl('req', '-new', '-newkey', *key, '-nodes', '-keyout', self.key, '-out', request, '-subj', f'/CN={name}')
        extensions.write_text(f'basicConstraints=critical,CA:{str(ca).upper()}\n' +
                              (f'subjectAltName={names}\n' if names else ''))
        by = ['-CA', issuer.certificate, '-CAkey', issuer.key, '-CAcreateserial'] if issuer else ['-key', self.key]
        openssl('x509', '-req', '-in', request, *by, '-days', days, '-extfile', extensions, '-out', self.certificate)
        above, text = issuer, self.certificate.read_text()
        while above is not None and above.issuer is not None:
            text += above.certificate.read_text()
            above = above.issuer
        self.chain.write_text(text)

    @property
    def digest(self):
        said = openssl('x509', '-in', self.certificate, '-noout', '-fingerprint', '-sha256')
        return said.split('=')[1].strip()

    def options(self):
        """Those of our programs."""
        return ['--tls-cert', self.chain, '--tls-key', self.key]


class Certificates:
    """A root, what is between, and a server for localhost and 127.0.0.1; others are made as they are asked for."""

    def __init__(self, folder=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix='dicom-certificates-'))
        self.root = self.make('root', ca=True)
        self.server = self.make('pacs', self.root, 'DNS:localhost,IP:127.0.0.1')

    def make(self, name, issuer=None, names=None, **more):
        return Identity(self.folder, name, issuer, names, **more)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def trust(self):
        return ['--tls-ca', self.root.certificate]


class OpensslServer:
    """openssl s_server, which takes connections and says nothing. Not to be shared by tests that run at once."""

    def __init__(self, identity, port, *options):
        self.port = port
        self.command = guarded(['openssl', 's_server', '-accept', f'127.0.0.1:{port}', '-cert', str(identity.chain), '-key',
                                str(identity.key), '-quiet', *map(str, options)])
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        return self

    def stop(self):
        self.process.kill()
        self.process.communicate()


def connect_with_openssl(port, *options):
    """What openssl s_client says of a server: (the protocol it agreed on or None, all it said)."""
    done = subprocess.run(['openssl', 's_client', '-connect', f'127.0.0.1:{port}', *map(str, options)], input='',
                          capture_output=True, text=True, check=False, timeout=30)
    said = done.stdout + done.stderr
    found = re.search(r'^New, (TLSv[\d.]+), Cipher is (\S+)$', said, re.MULTILINE)
    return (found[1] if found else None), said
