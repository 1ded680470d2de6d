"""Which server is spoken to, with whose key, and what is said when there is no answer."""

import json

import httpx
import pytest

from fingerpost.cli.client import Client
from fingerpost.cli.connection import Connection, connection_from
from fingerpost.cli.failure import Refused, Unreachable, Usage
from tests.cli.command_line import CommandLine

KEY = "k" * 20


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr("fingerpost.cli.client.time.sleep", lambda _seconds: None)


def demo(folder, url="http://localhost:8000"):
    (folder / ".fingerpost").mkdir()
    (folder / ".fingerpost" / "demo.json").write_text(
        json.dumps({"apiUrl": url, "operatorApiKey": KEY, "shortUrl": ""})
    )


# ---- which ---------------------------------------------------------------------------------------------------------


def test_the_environment_decides(tmp_path):
    demo(tmp_path)
    given = {"FINGERPOST_API_URL": "https://api.example/", "FINGERPOST_API_KEY": "other"}
    assert connection_from(given, tmp_path) == Connection("https://api.example", "other")


def test_a_key_alone_is_for_this_machine(tmp_path):
    assert connection_from({"FINGERPOST_API_KEY": "other"}, tmp_path) == Connection("http://localhost:8000", "other")


def test_without_a_key_it_is_that_of_a_server_run_here_or_above(tmp_path):
    demo(tmp_path)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert connection_from({}, inner) == Connection(
        "http://localhost:8000", KEY, tmp_path / ".fingerpost" / "demo.json"
    )


def test_a_local_server_over_tls_is_known_by_its_own_authority(tmp_path):
    demo(tmp_path, "https://localhost:8000")
    assert connection_from({}, tmp_path).authority is None
    (tmp_path / ".fingerpost" / "tls").mkdir()
    (tmp_path / ".fingerpost" / "tls" / "ca.pem").write_text("")
    assert connection_from({}, tmp_path).authority == tmp_path / ".fingerpost" / "tls" / "ca.pem"


def test_a_certificate_that_nobody_vouches_for_says_what_to_set():
    asking, _ = client(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"))
    with pytest.raises(Unreachable) as raised:
        asking.get("/access")
    assert "SSL_CERT_FILE" in raised.value.then


def test_a_key_from_a_file_is_sent_to_no_other_server(tmp_path):
    demo(tmp_path)
    with pytest.raises(Usage, match=r"There is no API key for https://api\.example"):
        connection_from({"FINGERPOST_API_URL": "https://api.example"}, tmp_path)


@pytest.mark.parametrize("url", ["api.example", "ftp://api.example", "localhost:8000"])
def test_an_address_without_http_is_refused(tmp_path, url):
    with pytest.raises(Usage, match="which is no address"):
        connection_from({"FINGERPOST_API_URL": url, "FINGERPOST_API_KEY": KEY}, tmp_path)


@pytest.mark.parametrize("key", ["two words", "é", "a\nb"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(tmp_path, key):
    with pytest.raises(Usage) as refusal:
        connection_from({"FINGERPOST_API_KEY": key}, tmp_path)
    assert key not in str(refusal.value)


def test_without_any_key_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = CommandLine()("keys", "whoami", code=2)
    assert said.err.splitlines()[0] == "There is no API key"
    assert "make run" in said.err


def test_without_a_server_it_says_what_to_do():
    said = CommandLine(FINGERPOST_API_URL="http://localhost:1", FINGERPOST_API_KEY=KEY)("keys", "whoami", code=4)
    assert said.err.startswith("There is no answer from http://localhost:1 ")
    assert said.err.splitlines()[-1] == "Next: Start it with `make run`"


def test_failures_are_json_too():
    elsewhere = CommandLine(FINGERPOST_API_URL="http://localhost:1", FINGERPOST_API_KEY=KEY)
    failure = json.loads(elsewhere("keys", "whoami", "--json", code=4).err)
    assert failure["exitCode"] == 4
    assert failure["then"] == "Start it with `make run`"


# ---- what comes back -----------------------------------------------------------------------------------------------


def client(*answers):
    """A client of a server that gives these answers, one after the other, and the requests that it got."""
    left, seen = list(answers), []

    def answer(request):
        seen.append(request)
        given = left.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    return Client(Connection("https://api.example", KEY), httpx.MockTransport(answer)), seen


def refusal(status, message, **headers):
    return httpx.Response(status, json={"status": status, "errors": [message], "code": "x"}, headers=headers)


def test_pages_are_followed_by_an_address_that_is_encoded_as_a_whole():
    address = "https%3A%2F%2Fapi.example%2Fthngs%3Ffilter%3Dtags%253Da%2526b%26nextPageToken%3DT"
    first = httpx.Response(200, json=[1], headers={"link": f'<{address}>; rel="next"'})
    asking, seen = client(first, httpx.Response(200, json=[2]))
    assert asking.items("/thngs", {"filter": "tags=a&b"}) == [1, 2]
    assert str(seen[1].url) == "https://api.example/thngs?filter=tags%3Da%26b&nextPageToken=T"


def test_no_more_is_asked_for_than_is_wanted():
    link = {"link": '<https%3A%2F%2Fapi.example%2Fthngs>; rel="next"'}
    asking, seen = client(httpx.Response(200, json=[1, 2], headers=link))
    assert asking.items("/thngs", limit=2) == [1, 2]
    assert seen[0].url.params["perPage"] == "2"


def test_a_busy_server_is_asked_again_with_the_same_idempotency_key():
    asking, seen = client(refusal(503, "busy", **{"retry-after": "1"}), httpx.Response(201, json={"id": "U"}))
    assert asking.post("/thngs", {"name": "x"}) == {"id": "U"}
    assert len({request.headers["idempotency-key"] for request in seen}) == 1


def test_a_connection_that_breaks_is_tried_again():
    asking, seen = client(httpx.ReadError("broken"), httpx.Response(200, json=[]))
    assert asking.get("/thngs") == []
    assert len(seen) == 2


def test_a_server_that_stays_busy_is_a_refusal():
    asking, _ = client(*[refusal(503, "busy")] * 4)
    with pytest.raises(Refused, match="busy") as raised:
        asking.get("/thngs")
    assert raised.value.then.startswith("The server is busy")


def test_what_is_gone_or_never_was_is_not_found():
    asking, _ = client(refusal(410, "deleted"), refusal(404, "none"), refusal(403, "no"))
    assert asking.find("/redirections/A") is None
    assert asking.find("/redirections/A") is None
    with pytest.raises(Refused, match="no"):
        asking.find("/redirections/A")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>", headers={"content-type": "application/json"}),
        httpx.Response(404, text="<html>not here</html>"),
        httpx.Response(302, headers={"location": "https://elsewhere.example"}),
        httpx.Response(500, json={"message": "Internal Server Error"}),
    ],
)
def test_an_answer_of_something_else_says_where_to_look(answer):
    asking, _ = client(answer)
    with pytest.raises(Unreachable, match="no Fingerpost answer") as raised:
        asking.get("/access")
    assert "FINGERPOST_API_URL" in raised.value.then


def test_a_fault_of_the_server_names_the_request_in_its_log():
    asking, _ = client(refusal(500, "Something went wrong", **{"x-fingerpost-cause": "c0ffee"}))
    with pytest.raises(Refused) as raised:
        asking.get("/access")
    assert "c0ffee" in raised.value.then
