"""A throw-away certificate for one embedded cluster: without its key no program can talk to the scheduler or a worker.

Scheduler, workers and client all show the same certificate and accept no other. Its key is a file that only this user can
read, in the cluster's scratch folder, and goes with that folder.

``python -m unlearn_core.engine.backends.certificate FOLDER`` makes one that stays, for a scheduler of your own.
"""

from __future__ import annotations

import datetime
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Security

CERTIFICATE, KEY = "certificate.pem", "key.pem"
_DAYS = 3650
"""An app may run for long; the key is worth something only while its cluster runs."""


def write_certificate(folder: str) -> None:
    """Make a key (P-256) and a certificate for it that signs itself, both readable by this user alone."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lethe")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # a clock that is put back must not end a cluster
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write_private(Path(folder) / KEY, secret)
    _write_private(Path(folder) / CERTIFICATE, made.public_bytes(serialization.Encoding.PEM))


def cluster_security(folder: str) -> Security:
    """What a process needs to be part of the cluster whose scratch folder this is."""
    import ssl

    from distributed import Security

    certificate, key = os.path.join(folder, CERTIFICATE), os.path.join(folder, KEY)
    roles = {
        f"tls_{role}_{part}": path
        for role in ("client", "scheduler", "worker")
        for part, path in (("cert", certificate), ("key", key))
    }
    only = {"require_encryption": True, "tls_ca_file": certificate, "tls_min_version": ssl.TLSVersion.TLSv1_3}
    return Security(**only, **roles)


def _write_private(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def main(arguments: list[str]) -> int:
    """Make certificate and key in a folder that lacks them; returns the exit code. What is there stays."""
    if len(arguments) != 1:
        print("usage: python -m unlearn_core.engine.backends.certificate FOLDER", file=sys.stderr)
        return 2
    if not all((Path(arguments[0]) / name).exists() for name in (CERTIFICATE, KEY)):
        write_certificate(arguments[0])
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
