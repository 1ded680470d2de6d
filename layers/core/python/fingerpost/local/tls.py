"""A certificate for this machine's ports, made on the spot by an authority of its own (FINGERPOST_TLS=1).

The authority signs once and its key is forgotten, so whoever trusts its certificate trusts this server alone.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography import x509

from fingerpost.clock import Clock, now_ms

VALID_DAYS = 398  # what browsers accept of a server's certificate
RENEW_DAYS = 30
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Certificate(NamedTuple):
    """PEM files: what clients trust, and what the server shows, its key (mode 600) with it."""

    authority: Path
    server: Path


def files_of(data_dir: Path) -> Certificate:
    return Certificate(data_dir / "tls" / "ca.pem", data_dir / "tls" / "server.pem")


def certificate(data_dir: Path, hosts: Sequence[str], clock: Clock = now_ms) -> Certificate:
    """The certificate for loopback and `hosts`; made anew when it is missing, ends soon or lacks a host."""
    files = files_of(data_dir)
    names = list(dict.fromkeys([*LOOPBACK, *hosts]))
    now = datetime.fromtimestamp(clock() / 1000, UTC)
    if not (
        files.authority.exists()
        and files.server.exists()
        and _serves(files.server, names, now + timedelta(days=RENEW_DAYS))
    ):
        files.server.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = trustme.CA(organization_name="Fingerpost on this machine")
        made = authority.issue_cert(*names, not_after=now + timedelta(days=VALID_DAYS))
        _replace(files.authority, authority.cert_pem.bytes(), 0o644)
        _replace(files.server, made.private_key_and_cert_chain_pem.bytes(), 0o600)
    return files


def _serves(path: Path, names: Sequence[str], until: datetime) -> bool:
    """Whether the certificate in a file is for all of these names, and good `until` then."""
    text = path.read_bytes()
    try:
        shown = x509.load_pem_x509_certificates(text)[0]
        alternatives = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    known = {*alternatives.get_values_for_type(x509.DNSName)}
    known |= {str(address) for address in alternatives.get_values_for_type(x509.IPAddress)}
    return known.issuperset(names) and shown.not_valid_after_utc > until


def _replace(path: Path, content: bytes, mode: int) -> None:
    made = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    made.replace(path)
