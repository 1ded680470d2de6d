"""Which certificates a connection accepts, and what it loads for that."""

import datetime
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fingerpost.aws.connection import Connection, Endpoint, Unsent, tls_context

AMAZON_HOST = "dynamodb.eu-west-1.amazonaws.com"


def certificate(name: str, issuer: Any = None) -> tuple[Any, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    signer_name, signer = (issuer[0].subject, issuer[1]) if issuer else (None, key)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer_name or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return made, key


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> tuple[Path, Path]:
    """A root of our own, and the chain and key of `localhost` under it."""
    folder = tmp_path_factory.mktemp("tls")
    root = certificate("test root")
    leaf, key = certificate("localhost", root)
    pem = serialization.Encoding.PEM
    (folder / "root.pem").write_bytes(root[0].public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "leaf.pem").write_bytes(leaf.public_bytes(pem) + private)
    return folder / "root.pem", folder / "leaf.pem"


@pytest.fixture
def port(authority) -> Iterator[int]:
    """A TLS server that answers every request with `{}`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority[1])
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as secure:
                    secure.recv(4096)
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            except OSError:
                plain.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_trusted_certificate_is_spoken_to(port, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority[0])
    connection = Connection(Endpoint(True, "localhost", port), 5, context)
    assert connection.exchange(b"POST / HTTP/1.1\r\n\r\n", 5).body == b"{}"
    connection.close()


def test_a_certificate_for_another_name_is_refused(port, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority[0])
    with pytest.raises(Unsent, match="TLS"):
        Connection(Endpoint(True, "127.0.0.1", port), 5, context)


@pytest.mark.parametrize("host", [AMAZON_HOST, "localhost"])
def test_an_unknown_root_is_refused(port, host):
    with pytest.raises(Unsent, match="TLS"):
        Connection(Endpoint(True, "localhost", port), 5, tls_context(host))


def test_amazons_hosts_are_trusted_by_amazons_roots_alone():
    roots = {
        dict(part[0] for part in root["subject"])["commonName"] for root in tls_context(AMAZON_HOST).get_ca_certs()
    }
    assert roots == {
        *(f"Amazon Root CA {number}" for number in range(1, 5)),
        "Starfield Services Root Certificate Authority - G2",
    }


@pytest.mark.parametrize(
    "host", ["dynamodb.cn-north-1.amazonaws.com.cn", "amazonaws.com.example", "evil-amazonaws.com"]
)
def test_no_other_host_is_taken_for_amazons(host):
    assert tls_context(host).get_ca_certs() != tls_context(AMAZON_HOST).get_ca_certs()


@pytest.mark.parametrize("host", [AMAZON_HOST, "example.com"])
def test_certificates_and_names_are_always_checked(host):
    context = tls_context(host)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_the_redirects_table_imports_nothing_heavy():
    probe = (
        "import sys, fingerpost.aws.table, fingerpost.aws.queue;"
        "heavy = {'boto3', 'botocore', 'http.client', 'urllib.request', 'urllib.parse', 'email', 'ssl', 'decimal',"
        "'datetime', 'logging', 'asyncio', 'encodings.idna', 'fingerpost.aws.transactions'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "layers/core/python")}
    ran = subprocess.run([sys.executable, "-S", "-c", probe], env=environ, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
