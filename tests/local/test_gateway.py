import base64
import contextlib
import json
import re
import socket
import threading

import httpx
import pytest

from tests.local.serving import API_URL, Served


@pytest.fixture(scope="module")
def served():
    with Served().running() as running:
        yield running


@pytest.fixture
def client():
    with httpx.Client(timeout=20, trust_env=False) as client:
        yield client


@pytest.fixture(autouse=True)
def as_it_was(served):
    before = dict(served.handlers)
    yield
    served.handlers = before
    served.store.fails, served.ready = False, True


def error(response, status, code):
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert (document["status"], document["code"]) == (status, code)
    assert document["moreInfo"] == f"{API_URL}/errors#{code}"
    return document["errors"][0]


def talk(port, sent):
    """Send bytes, read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


def test_health_is_ok_on_both_ports_when_ready(served, client):
    for base in (served.api, served.short):
        assert client.get(base + "/health").json() == {"status": "ok"}
        assert client.head(base + "/health").status_code == 200


def test_health_is_unavailable_until_ready(served, client):
    served.ready = False
    for base in (served.api, served.short):
        error(client.get(base + "/health"), 503, "unavailable")


def test_a_request_becomes_an_event_of_its_function(served, client):
    answer = client.get(
        served.api + "/thngs/a%2Fb%20c?x=1&x=2&y=%41", headers=[("X-A", "1"), ("X-A", "2"), ("Cookie", "a=1; b=2")]
    ).json()
    event = answer["event"]
    assert answer["function"] == "catalogue"
    assert event["routeKey"] == "GET /thngs/{thngId}"
    assert event["pathParameters"] == {"thngId": "a/b c"}
    assert (event["rawPath"], event["rawQueryString"]) == ("/thngs/a%2Fb%20c", "x=1&x=2&y=%41")
    assert event["queryStringParameters"] == {"x": "1,2", "y": "A"}
    assert event["headers"]["x-a"] == "1,2"
    assert event["cookies"] == ["a=1", "b=2"]
    http = event["requestContext"]["http"]
    assert (http["sourceIp"], http["method"], http["protocol"]) == ("127.0.0.1", "GET", "HTTP/1.1")
    assert event["requestContext"]["domainName"] == "127.0.0.1"


def test_bodies_arrive_as_text_or_base64(served, client):
    text = client.post(served.api + "/thngs", json={"name": "ü"}).json()["event"]
    assert (json.loads(text["body"]), text["isBase64Encoded"]) == ({"name": "ü"}, False)
    blob = client.post(served.api + "/thngs", content=b"\xff\x00").json()["event"]
    assert (base64.b64decode(blob["body"]), blob["isBase64Encoded"]) == (b"\xff\x00", True)


def test_every_request_has_its_own_id(served, client):
    ids = {client.get(served.api + "/access").json()["event"]["requestContext"]["requestId"] for _ in range(3)}
    assert len(ids) == 3


def test_a_path_that_no_function_has_goes_to_the_default(served, client):
    answer = client.get(served.api + "/nothing/here").json()
    assert (answer["function"], answer["event"]["routeKey"]) == ("access", "$default")


def test_a_method_that_a_path_lacks_goes_to_the_function_that_has_the_path(served, client):
    answer = client.delete(served.api + "/thngs").json()
    assert (answer["function"], answer["event"]["routeKey"]) == ("catalogue", "$default")


def test_a_trailing_slash_is_forgiven(served, client):
    assert client.get(served.api + "/thngs/U1/").json()["function"] == "catalogue"


def test_the_short_port_scans(served, client):
    answer = client.get(served.short + "/ABCD123456?x=1", headers={"x-fingerpost-domain": "evil.example"}).json()
    assert answer["function"] == "redirect"
    assert answer["event"]["rawPath"] == "/ABCD123456"
    assert answer["event"]["headers"]["x-fingerpost-domain"] == "tn.example"


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
def test_a_loopback_name_with_the_short_port_is_the_configured_domain(served, client, name):
    answer = client.get(served.short + "/a", headers={"host": f"{name}:{served.short_port}"}).json()
    assert answer["event"]["headers"]["x-fingerpost-domain"] == "tn.example"


@pytest.mark.parametrize("host", ["Other.Example", "other.example:8443", "localhost", "localhost:1"])
def test_any_other_host_is_its_own_domain(served, client, host):
    answer = client.get(served.short + "/a", headers={"host": host}).json()
    assert answer["event"]["headers"]["x-fingerpost-domain"] == host.lower()


def test_a_host_that_is_no_host_is_refused(served, client):
    error(client.get(served.short + "/a", headers={"host": "a#b"}), 400, "invalid")


@pytest.mark.parametrize(
    "path", ["/abc.qr", "/abc.png", "/abc.svg", "/redirections", "/redirections/x", "/redirections/x/y"]
)
def test_images_and_redirections_on_the_short_port_go_to_the_redirections(served, client, path):
    answer = client.get(served.short + path).json()
    assert answer["function"] == "redirections"
    assert answer["event"]["headers"]["x-fingerpost-domain"] == "tn.example"


def test_what_another_function_answers_below_redirections_is_reached_on_the_short_port_too(served, client):
    answer = client.get(served.short + "/redirections/abc/statistics").json()
    assert (answer["function"], answer["event"]["pathParameters"]) == ("insight", {"shortId": "abc"})
    assert client.put(served.short + "/redirections/abc/statistics").json()["function"] == "insight", "to answer 405"
    assert client.get(served.short + "/statistics").json()["function"] == "redirect"


def test_the_short_port_serves_none_of_the_api(served, client):
    assert client.get(served.short + "/thngs/U1").json()["function"] == "access"
    assert client.get(served.short + "/redirector").json()["function"] == "redirect"
    assert client.get(served.api + "/redirector").json()["function"] == "redirections"


def test_an_image_route_names_its_short_id(served, client):
    event = client.get(served.short + "/abc.qr").json()["event"]
    assert (event["routeKey"], event["pathParameters"]) == ("GET /{shortId}.qr", {"shortId": "abc"})


def test_a_scan_is_get_or_head_only(served, client):
    refused = client.post(served.short + "/abc", content=b"x")
    error(refused, 405, "methodNotAllowed")
    assert refused.headers["allow"] == "GET, HEAD"


def test_the_api_port_serves_the_redirections_too(served, client):
    answer = client.put(served.api + "/redirections/abc").json()
    assert answer["event"]["routeKey"] == "PUT /redirections/{shortId}"


def test_a_loopback_client_may_say_where_it_views_from(served, client):
    answer = client.get(served.short + "/a", headers={"CloudFront-Viewer-Country": "IE"}).json()
    assert answer["event"]["headers"]["cloudfront-viewer-country"] == "IE"


def test_head_has_the_headers_and_no_body(served, client):
    answer = client.head(served.short + "/a")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) > 0
    assert answer.content == b""


def test_a_connection_serves_many_requests(served):
    request = b"GET /health HTTP/1.1\r\nHost: a\r\n%s\r\n"
    received = talk(served.api_port, request % b"" * 3 + request % b"Connection: close\r\n")
    assert received.count(b"HTTP/1.1 200 OK") == 4
    assert received.count(b'{"status":"ok"}') == 4


def test_an_answer_without_writes_leaves_without_a_commit(served, client):
    flushes = served.store.flushes
    assert client.get(served.short + "/a").status_code == 200
    assert served.store.flushes == flushes


def test_an_answer_leaves_only_after_its_commit(served, client):
    committed = []

    def scan(event, context):
        served.store.write()
        committed.append(served.store.flushes)
        return {"statusCode": 307, "headers": {"location": "https://a.example/"}}

    served.handlers["redirect"] = scan
    answer = client.get(served.short + "/a")
    assert (answer.status_code, answer.headers["location"]) == (307, "https://a.example/")
    assert served.store.flushes == committed[0] + 1
    assert not served.store.dirty


def test_answers_that_arrive_together_share_a_commit(served):
    blocked, go_on = threading.Event(), threading.Event()

    def scan(event, context):
        if event["rawPath"] == "/blocker":  # keeps the loop busy while the others' requests pile up
            blocked.set()
            go_on.wait(10)
            return {"statusCode": 200}
        served.store.write()
        return {"statusCode": 307}

    served.handlers["redirect"] = scan
    request = b"GET /%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with contextlib.ExitStack() as stack:
        blocker = stack.enter_context(socket.create_connection(("127.0.0.1", served.short_port), timeout=10))
        blocker.sendall(request % b"blocker")
        assert blocked.wait(10)
        flushes, writes = served.store.flushes, served.store.writes
        others = [
            stack.enter_context(socket.create_connection(("127.0.0.1", served.short_port), timeout=10))
            for _ in range(5)
        ]
        for other in others:
            other.sendall(request % b"scan")
        go_on.set()
        assert all(other.recv(100).startswith(b"HTTP/1.1 307") for other in others)
    assert served.store.writes == writes + 5
    assert 1 <= served.store.flushes - flushes < 5


def test_a_failed_commit_turns_every_held_answer_into_503(served, client):
    def scan(event, context):
        served.store.write()
        return {"statusCode": 307, "headers": {"location": "https://a.example/"}}

    served.handlers["redirect"], served.store.fails = scan, True
    answer = client.get(served.short + "/a")
    error(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert "location" not in answer.headers
    served.store.fails = False
    assert client.get(served.short + "/a").status_code == 307


@pytest.mark.parametrize("path", ["/thngs/U1", "/access"])
def test_what_a_handler_raises_is_logged_under_its_cause_and_not_shown(served, client, capfd, path):
    def fail(event, context):
        raise RuntimeError("secret detail")

    served.handlers["catalogue"] = served.handlers["access"] = fail
    answer = client.get(served.api + path)
    message = error(answer, 500, "internal")
    cause = answer.headers["x-fingerpost-cause"]
    assert cause in message and "secret" not in answer.text
    (line,) = [line for line in capfd.readouterr().err.splitlines() if cause in line]
    assert "RuntimeError: secret detail" in json.loads(line)["exception"]


def test_a_scan_that_raises_is_answered_500_too(served, client, capfd):
    def fail(event, context):
        raise RuntimeError("secret detail")

    served.handlers["redirect"] = fail
    error(client.get(served.short + "/a"), 500, "internal")
    assert "secret detail" in capfd.readouterr().err


def test_a_malformed_reply_is_a_500(served, client, capfd):
    served.handlers["access"] = lambda event, context: {"statusCode": "x"}
    error(client.get(served.api + "/access"), 500, "internal")
    assert "BadReply" in capfd.readouterr().err


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_ten_megabytes_is_refused(served, client, announced):
    body = b"x" * (10 * 1024 * 1024 + 1)
    content = body if announced else iter([body[:4_000_000], body[4_000_000:]])
    error(client.post(served.api + "/thngs", content=content), 413, "tooLarge")


def test_a_client_that_asks_first_is_refused_before_it_sends(served):
    head = b"POST /thngs HTTP/1.1\r\nHost: a\r\nContent-Length: 10485761\r\nExpect: 100-continue\r\n\r\n"
    assert talk(served.api_port, head).startswith(b"HTTP/1.1 413 ")


def test_a_body_of_ten_megabytes_is_taken(served, client):
    served.handlers["catalogue"] = lambda event, context: str(len(event["body"]))
    body = b"x" * (10 * 1024 * 1024)
    assert client.post(served.api + "/thngs", content=body, headers={"content-type": "text/plain"}).text == str(
        len(body)
    )


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nA b: c\r\n\r\n"]
)
def test_what_is_not_http_gets_the_error_document(served, sent):
    head, _, body = talk(served.api_port, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["code"] == "invalid"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"a" * 11_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"a" * 11_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 6_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"a" * 11_000,
    ],
)
def test_a_head_over_ten_kilobytes_is_refused(served, sent):
    head, _, body = talk(served.api_port, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert json.loads(body)["code"] == "tooLarge"


def test_a_client_that_leaves_does_not_disturb(served, client):
    with socket.create_connection(("127.0.0.1", served.api_port)) as gone:
        gone.sendall(b"POST /thngs HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
    assert client.get(served.api + "/health").status_code == 200
    assert re.fullmatch(r"[0-9a-f]+", client.get(served.api + "/access").json()["event"]["requestContext"]["requestId"])


def test_a_function_out_of_time_is_answered_504_and_frees_its_place_later(client, capfd):
    with Served(time_limit=0.05, threads=1, max_pending=1).running() as served:
        finish = threading.Event()
        served.handlers["access"] = lambda event, context: finish.wait(10) and "done"
        error(client.get(served.api + "/access"), 504, "timeout")
        error(client.get(served.api + "/access"), 503, "unavailable")
        finish.set()
        served.handlers["access"] = lambda event, context: "done"
        while (answer := client.get(served.api + "/access")).status_code != 200:
            assert answer.status_code in (503, 504)
        assert answer.text == "done"


def test_a_body_that_does_not_come_is_refused():
    with Served(body_time_limit=0.05).running() as served:
        received = talk(served.api_port, b"POST /thngs HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        assert received.startswith(b"HTTP/1.1 408 ")


def test_answers_under_way_are_finished_when_the_server_stops(client):
    entered, finish = threading.Event(), threading.Event()

    def slow(event, context):
        entered.set()
        finish.wait(10)
        return "done"

    answers = []
    with Served().running() as served:
        served.handlers["access"] = slow
        asking = threading.Thread(target=lambda: answers.append(client.get(served.api + "/access")))
        asking.start()
        assert entered.wait(10)
        served.server.stop()
        finish.set()
        asking.join(10)
    assert answers[0].text == "done"
