"""Both ports over TLS, with a certificate that is made on the spot."""

import ssl
import stat

import httpx
import pytest

from fingerpost.clock import DAY_MS, now_ms
from fingerpost.local import tls
from fingerpost.local.config import settings_from
from tests.running import Server


def test_with_tls_addresses_and_links_say_https(tmp_path):
    settings = settings_from(
        {"FINGERPOST_TLS": "1", "FINGERPOST_API_PORT": "9000", "FINGERPOST_DATA_DIR": str(tmp_path)}
    )
    assert settings.api_url == "https://localhost:9000"
    assert settings.environment()["FINGERPOST_SHORT_SCHEME"] == "https"
    assert settings_from(settings.environment()) == settings
    assert "FINGERPOST_SHORT_SCHEME" not in settings_from({}).environment()


def test_a_certificate_is_kept_while_it_is_good(tmp_path):
    first = tls.certificate(tmp_path, ["tn.example"])
    shown = first.server.read_bytes()
    assert tls.certificate(tmp_path, ["tn.example"]).server.read_bytes() == shown
    assert stat.S_IMODE(first.server.stat().st_mode) == 0o600
    assert b"PRIVATE KEY" not in first.authority.read_bytes()


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"nothing of the kind")])
def test_a_certificate_that_is_gone_or_spoiled_is_made_anew(tmp_path, spoil):
    made = tls.certificate(tmp_path, [])
    before = made.authority.read_bytes()
    spoil(made.server)
    assert tls.certificate(tmp_path, []).authority.read_bytes() != before
    ssl.create_default_context(cafile=str(made.authority))


def test_a_certificate_that_ends_within_a_month_is_made_anew(tmp_path):
    before = tls.certificate(tmp_path, []).server.read_bytes()
    assert tls.certificate(tmp_path, [], lambda: now_ms() + 367 * DAY_MS).server.read_bytes() == before
    assert tls.certificate(tmp_path, [], lambda: now_ms() + 369 * DAY_MS).server.read_bytes() != before


def test_a_new_host_gets_a_new_certificate(tmp_path):
    before = tls.certificate(tmp_path, ["tn.example"]).server.read_bytes()
    after = tls.certificate(tmp_path, ["tn.example", "other.example", "192.0.2.7"]).server.read_bytes()
    assert after != before


def test_a_client_that_trusts_the_authority_scans_and_asks_over_tls(tmp_path):
    server = Server(tmp_path, FINGERPOST_TLS="1")
    server.start(scheme="https", trust=tmp_path / ".fingerpost" / "tls" / "ca.pem")
    try:
        trusting = ssl.create_default_context(cafile=str(tmp_path / ".fingerpost" / "tls" / "ca.pem"))
        with httpx.Client(verify=trusting, trust_env=False) as client:
            scan = client.get(f"https://localhost:{server.short_port}/TURF1891")
            assert scan.status_code == 307
            answer = client.get(
                f"https://127.0.0.1:{server.api_port}/redirections/TURF1891", headers={"authorization": server.key}
            )
            assert answer.json()["evrythngUrl"].startswith(f"https://localhost:{server.api_port}/thngs/")
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"https://localhost:{server.short_port}/health", trust_env=False)
    finally:
        server.stop()
