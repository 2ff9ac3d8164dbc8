"""Who takes part in the bench of TLS: ours in clear and over TLS 1.3 with AES-128-GCM, storescu, and the cipher alone.

Keys and certificates are made anew for each bench, in a temporary folder, and go with it.
"""
import json
import re
import shutil

from contest import Contestant, Dcmtk, Failed, Receiver, Sender
from support.certificates import Certificates

VERSION, SUITE = 'TLSv1.3', 'TLS_AES_128_GCM_SHA256'
CIPHER = 'openssl speed, AES-128-GCM'


class TlsReceiver(Receiver):
    """Our own receiver, over TLS with this cipher suite alone."""

    name = 'dicom-receiver --discard, TLS'

    def __init__(self, build, certificates, *options):
        super().__init__(build, '--tls-min', '1.3', '--tls-ciphers', SUITE, *certificates.server.options(), *options)


class TlsSender(Sender):
    """dicom-sender over TLS. Each association has to have had that version and suite."""

    def __init__(self, build, certificates, threads, *options):
        super().__init__(build, threads, *options)
        self.name += ' --tls'
        self.options = ['--tls', '--tls-ca', certificates.root.certificate, *options]

    def check(self, work, files, output):
        said = [record['tls'] for log in (work / 'logs').glob('dicom_*.log') for line in log.read_text().splitlines()
                if (record := json.loads(line))['event'] == 'association.opened']
        if not said or not all(text.startswith(f'{VERSION} {SUITE}') for text in said):
            raise Failed(f'{self.name}: {said}')
        return super().check(work, files, output)


class TlsStorescu(Dcmtk):
    """DCMTK's only sender that speaks TLS: one association. The profile that comes first has TLS 1.3."""

    def __init__(self, certificates, tuned):
        super().__init__('storescu', tuned)
        self.name += ' +tls'
        self.certificates = certificates

    def command(self, peer, folder, work):
        program, *words = super().command(peer, folder, work)
        server, root = self.certificates.server, self.certificates.root
        return [program, '+tls', server.key, server.certificate, '+cf', root.certificate, *words]


class Cipher(Contestant):
    """What encrypting as many bytes costs by itself, in blocks as long as the records of TLS."""

    needs_peer = False
    name = CIPHER

    def __init__(self):
        self.bytes = 0

    def prepare(self, work, data):
        self.bytes = data.bytes

    def command(self, peer, folder, work):
        return ['openssl', 'speed', '-mr', '-seconds', '1', '-bytes', '16384', '-evp', 'aes-128-gcm']

    def check(self, work, files, output):
        speed = re.search(r'^\+F:\d+:AES-128-GCM:([\d.]+)$', output, re.MULTILINE)
        if not speed:
            raise Failed(f'{self.name}: {output[-500:]}')
        seconds = self.bytes / float(speed[1])
        return {'wall_s': seconds, 'cpu_s': seconds}


def case(bench):
    """Instances of 0.5 MB and of 16 KB. Ours in clear goes into a receiver in clear, all else into one over TLS."""
    certificates = Certificates()
    try:
        for name in ('ct', 'small'):
            data = bench.data(name)
            clear = [Sender(bench.build, threads) for threads in (1, 4)]
            for contestant in clear:
                contestant.own_peer = lambda: Receiver(bench.build).start()
            contestants = [TlsSender(bench.build, certificates, threads) for threads in bench.threads]
            contestants += [TlsStorescu(certificates, tuned) for tuned in (True, False)]
            bench.contest(f'tls-{name}', TlsReceiver.name,
                          [(contestant, data) for contestant in [*clear, *contestants, Cipher()]],
                          lambda: TlsReceiver(bench.build, certificates).start())
    finally:
        shutil.rmtree(certificates.folder, ignore_errors=True)
