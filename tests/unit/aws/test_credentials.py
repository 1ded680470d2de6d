import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from fingerpost.aws.credentials import ATTEMPTS, RENEW_MS, RETRY_MS, NoCredentials, Renewed, credentials_from
from fingerpost.aws.signing import Credentials

HOUR = 3_600_000
NOW = 1_750_000_000_000


class Time:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


class Endpoint:
    """What a container's endpoint was asked, and what it answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.answers: list[tuple[int, bytes]] = []
        self.url = ""


@contextmanager
def listening(endpoint: Endpoint) -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            endpoint.asked.append((self.path, self.headers.get("Authorization")))
            status, body = endpoint.answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield endpoint
        server.shutdown()
        thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with listening(Endpoint()) as endpoint:
        yield endpoint


def keys(number: int, expires_at: int | None) -> tuple[int, bytes]:
    document = {"AccessKeyId": f"id{number}", "SecretAccessKey": "secret", "Token": f"token{number}"}
    if expires_at is not None:
        document["Expiration"] = datetime.fromtimestamp(expires_at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return 200, json.dumps(document).encode()


def test_lambdas_environment_comes_first():
    environ = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
    environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:1/"
    assert credentials_from(environ)() == Credentials("id", "secret", "token")


def test_a_key_without_session_has_no_token():
    assert credentials_from({"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "s"})() == Credentials("id", "s", None)


def test_the_environment_is_read_when_a_key_is_needed():
    environ: dict[str, str] = {}
    source = credentials_from(environ)
    environ |= {"AWS_ACCESS_KEY_ID": "late", "AWS_SECRET_ACCESS_KEY": "secret"}
    assert source().access_key == "late"


def test_a_containers_endpoint_is_asked_with_its_token(endpoint, time):
    endpoint.answers = [keys(1, NOW + HOUR)]
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{endpoint.url}/2021-04-23/credentials?x=1",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "let-me-in",
    }
    assert credentials_from(environ, clock=time)() == Credentials("id1", "secret", "token1", NOW + HOUR)
    assert endpoint.asked == [("/2021-04-23/credentials?x=1", "let-me-in")]


def test_a_containers_token_may_be_in_a_file_that_changes(endpoint, time, tmp_path):
    file = Path(tmp_path, "token")
    file.write_text("first\n")
    endpoint.answers = [keys(1, NOW + HOUR), keys(2, NOW + 3 * HOUR)]
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "not this",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(file),
    }
    source = credentials_from(environ, clock=time)
    source()
    file.write_text("second\n")
    time.now += HOUR
    source()
    assert [token for _, token in endpoint.asked] == ["first", "second"]


def test_a_key_is_kept_until_shortly_before_it_expires(endpoint, time):
    endpoint.answers = [keys(1, NOW + HOUR), keys(2, NOW + 2 * HOUR)]
    source = credentials_from({"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url}, clock=time)
    assert source().access_key == "id1"
    time.now = NOW + HOUR - RENEW_MS - 1
    assert source().access_key == "id1"
    time.now += 1
    assert source().access_key == "id2"
    assert source().access_key == "id2"


def test_a_restored_snapshot_asks_again(endpoint, time):
    """SnapStart: the key was fetched before the snapshot, hours ago by the wall clock."""
    endpoint.answers = [keys(1, NOW + HOUR), keys(2, NOW + 9 * HOUR)]
    source = credentials_from({"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url}, clock=time)
    source()
    time.now += 8 * HOUR
    assert source().access_key == "id2"


def test_an_endpoint_that_fails_is_asked_again_within_reason(endpoint, time):
    endpoint.answers = [(500, b""), keys(1, NOW + HOUR)]
    source = credentials_from({"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url}, clock=time)
    assert source().access_key == "id1"
    endpoint.answers = [(500, b"")] * 9
    with pytest.raises(NoCredentials, match="500"):
        credentials_from({"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url}, clock=time)()
    assert len(endpoint.asked) == 2 + ATTEMPTS


def scripted(*outcomes: Credentials | None) -> Callable[[], Credentials]:
    rest = list(outcomes)

    def fetch() -> Credentials:
        outcome = rest.pop(0)
        if outcome is None:
            raise NoCredentials("out of order")
        return outcome

    return fetch


def test_a_failed_renewal_leaves_the_old_key_while_it_lives(time):
    old, new = Credentials("old", "s", "t", NOW + HOUR), Credentials("new", "s", "t", NOW + 9 * HOUR)
    source = Renewed(scripted(old, None, new), clock=time)
    assert source() is old
    time.now = NOW + HOUR - RENEW_MS
    assert source() is old
    assert source() is old  # not asked again at every request
    time.now += RETRY_MS
    assert source() is new


def test_a_failed_renewal_after_expiry_is_an_error(time):
    source = Renewed(scripted(Credentials("old", "s", "t", NOW + HOUR), None), clock=time)
    source()
    time.now = NOW + HOUR
    with pytest.raises(NoCredentials, match="out of order"):
        source()


@pytest.mark.parametrize(
    "uri", ["http://example.com/keys", "http://10.0.0.1/", "ftp://127.0.0.1/", "http://127.0.0.1:99999/", "nonsense"]
)
def test_keys_are_not_asked_of_strangers(uri):
    with pytest.raises(NoCredentials):
        credentials_from({"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri})()


@pytest.mark.parametrize("token", ["a\r\nX: y", "a b"])
def test_a_token_cannot_add_a_header(endpoint, token):
    environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": token}
    with pytest.raises(NoCredentials, match="line break"):
        credentials_from(environ)()
    assert endpoint.asked == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"AccessKeyId": "a", "SecretAccessKey": "b", "Expiration": "?"}']
)
def test_a_malformed_answer_is_no_key(endpoint, body):
    endpoint.answers = [(200, body)]
    with pytest.raises(NoCredentials, match="shape"):
        credentials_from({"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url})()


def test_a_token_file_that_cannot_be_read_is_no_key(endpoint, tmp_path):
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "absent"),
    }
    with pytest.raises(NoCredentials, match="token"):
        credentials_from(environ)()


def test_elsewhere_botocores_chain_is_followed(tmp_path):
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = profiled\naws_secret_access_key = secret\n")
    probe = (
        "import os, sys; from fingerpost.aws.credentials import credentials_from;"
        "source = credentials_from(os.environ);"
        "early = 'botocore' in sys.modules;"
        "print(early, source())"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ |= {"AWS_SHARED_CREDENTIALS_FILE": str(file), "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", probe], env=environ, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "Credentials(profiled,", "...)"]
