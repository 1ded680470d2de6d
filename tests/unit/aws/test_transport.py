"""What a call makes of a service that misbehaves. No test waits: pauses are recorded, not slept."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from fingerpost.aws.credentials import NoCredentials
from fingerpost.aws.signing import Credentials
from fingerpost.aws.transport import (
    BASE_PAUSE_MS,
    MAX_ATTEMPTS,
    MAX_IDLE_MS,
    MAX_IDLE_ONCE_MS,
    NoAnswer,
    Refused,
    Transport,
    http_date_ms,
    open_transport,
)
from fingerpost.clock import now_ms
from tests.faulty_server import Babbles, Cuts, Done, FaultyServer, Says, Stalls, faulty_server

THROTTLE = Says(400, "ProvisionedThroughputExceededException")
FAULT = Says(500, "InternalServerError")


class Time:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now = now_ms()
        self.pauses: list[float] = []

    def __call__(self) -> int:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += round(seconds * 1000)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as server:
        yield server


@contextmanager
def opened(server: FaultyServer, time: Time, attempt_ms: int = 5_000) -> Iterator[Transport]:
    transport = Transport(
        server.url,
        "eu-west-1",
        "dynamodb",
        "DynamoDB_20120810",
        lambda: Credentials("id", "secret", "session"),
        attempt_ms=attempt_ms,
        clock=time,
        pause=time.pause,
    )
    try:
        yield transport
    finally:
        transport.close()


@pytest.fixture
def transport(server: FaultyServer, time: Time) -> Iterator[Transport]:
    with opened(server, time) as transport:
        yield transport


def test_a_call_is_a_signed_post_that_names_its_target(server, transport):
    assert transport.call("GetItem", {"Key": "é"}) == {"done": "GetItem"}
    [request] = server.seen
    assert request.headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=id/")
    assert request.headers["x-amz-security-token"] == "session"
    assert request.headers["host"] == server.url.removeprefix("http://")
    assert request.body == '{"Key":"é"}'.encode()


def test_calls_one_after_another_share_a_connection(server, transport):
    for _ in range(3):
        transport.call("GetItem", b"{}")
    assert server.connections == 1


def test_threads_do_not_share_a_connection(server, time):
    barrier = threading.Barrier(4, timeout=10)

    def backend(_action: str, body: bytes) -> tuple[int, bytes]:
        barrier.wait()  # all four are under way at the same moment
        return 200, body

    server.backend = backend
    answers: dict[int, dict[str, int]] = {}
    with opened(server, time) as transport:

        def call(number: int) -> None:
            answers[number] = transport.call("GetItem", {"number": number})

        threads = [threading.Thread(target=call, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == {number: {"number": number} for number in range(4)}
    assert server.connections == 4


@pytest.mark.parametrize("fault", [Done(chunked=True), Done()])
def test_an_answer_is_read_however_it_is_framed(server, transport, fault):
    server.backend = lambda _action, _body: (200, json.dumps({"text": "x" * 200_000}).encode())
    server.plan(fault, fault)
    for _ in range(2):
        assert len(transport.call("Query", b"{}")["text"]) == 200_000
    assert server.connections == 1


@pytest.mark.parametrize("fault", [THROTTLE, Says(400, "ThrottlingException"), FAULT, Says(503, "ServiceUnavailable")])
def test_what_may_pass_is_repeated(server, transport, time, fault):
    server.plan(fault, fault)
    assert transport.call("PutItem", b"{}") == {"done": "PutItem"}
    assert len(server.seen) == 3
    assert len(time.pauses) == 2


def test_pauses_are_random_and_grow_at_most_twofold(server, transport, time):
    server.plan(*[THROTTLE] * 6)
    transport.call("PutItem", b"{}")
    assert all(pause * 1000 <= BASE_PAUSE_MS << number for number, pause in enumerate(time.pauses))
    assert len(set(time.pauses)) == 6


def test_a_refusal_is_not_repeated_and_carries_its_document(server, transport):
    document = {"__type": "com.amazonaws.x#ConditionalCheckFailedException", "message": "no", "Item": {"a": {"S": "b"}}}
    server.backend = lambda _action, _body: (400, json.dumps(document).encode())
    with pytest.raises(Refused) as refused:
        transport.call("PutItem", b"{}")
    assert len(server.seen) == 1
    assert refused.value.code == "ConditionalCheckFailedException"
    assert refused.value.document["Item"] == {"a": {"S": "b"}}
    assert not refused.value.throttled
    assert not refused.value.after_silence


def test_a_refusal_after_an_attempt_without_answer_says_so(server, transport):
    server.plan(Cuts(after=True), Says(400, "ConditionalCheckFailedException"))
    with pytest.raises(Refused) as refused:
        transport.call("PutItem", b"{}")
    assert refused.value.after_silence


def test_throttles_to_the_end_are_a_refusal_so_nothing_was_done(server, transport):
    server.plan(*[THROTTLE] * 99)
    with pytest.raises(Refused) as refused:
        transport.call("PutItem", b"{}", deadline_ms=10**9)
    assert refused.value.throttled
    assert len(server.seen) == MAX_ATTEMPTS


def test_throttles_after_an_attempt_without_answer_leave_the_outcome_open(server, transport):
    server.plan(Cuts(after=True), *[THROTTLE] * 99)
    with pytest.raises(NoAnswer) as silence:
        transport.call("PutItem", b"{}")
    assert silence.value.perhaps_done


def test_faults_to_the_end_leave_the_outcome_open(server, transport):
    server.plan(*[FAULT] * 99)
    with pytest.raises(NoAnswer) as silence:
        transport.call("PutItem", b"{}")
    assert silence.value.perhaps_done


def test_nobody_there_means_nothing_was_done(time):
    with faulty_server() as server:
        pass
    with opened(server, time) as transport, pytest.raises(NoAnswer) as silence:
        transport.call("PutItem", b"{}")
    assert not silence.value.perhaps_done


def test_no_attempt_begins_after_the_deadline(server, transport, time):
    server.plan(*[THROTTLE] * 99)
    start = time.now
    with pytest.raises(Refused):
        transport.call("PutItem", b"{}", deadline_ms=60)
    assert time.now < start + 60
    assert 1 <= len(server.seen) < MAX_ATTEMPTS


@pytest.mark.parametrize("after", [False, True])
def test_a_silent_attempt_ends_and_the_next_one_uses_another_connection(server, time, after):
    with opened(server, time, attempt_ms=150) as transport:
        server.plan(Stalls(after))
        assert transport.call("PutItem", b"{}") == {"done": "PutItem"}
    assert server.seen[0].connection != server.seen[1].connection
    assert len(server.done) == len(server.seen) - (not after)


@pytest.mark.parametrize("fault", [Stalls(after=True), Cuts(after=True), FAULT, Done(crc=7)])
def test_what_must_not_be_sent_twice_is_not(server, time, fault):
    with opened(server, time, attempt_ms=150) as transport:
        server.plan(fault)
        with pytest.raises(NoAnswer) as silence:
            transport.call("UpdateItem", b"{}", repeatable=False)
    assert silence.value.perhaps_done
    assert len(server.seen) == 1


def test_what_must_not_be_sent_twice_is_repeated_when_it_was_refused(server, transport):
    server.plan(THROTTLE)
    assert transport.call("UpdateItem", b"{}", repeatable=False) == {"done": "UpdateItem"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{]}}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{}{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-amz-crc32: 1\r\n\r\n{}",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    ],
)
def test_an_answer_that_cannot_be_relied_on_is_none(server, transport, raw):
    server.plan(Babbles(raw))
    assert transport.call("GetItem", b"{}") == {"done": "GetItem"}
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b'HTTP/1.1 200 OK\r\n\r\n{"a": 1}',
        b'HTTP/1.1 200 OK\r\n\r\n\n {"a": 1}\r\n',
        b'HTTP/1.0 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}',
        b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\n{"a": 1}',
        b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}',
        b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}HTTP/1.1 408 Late\r\n\r\n',
    ],
)
def test_an_answer_that_ends_its_connection_is_an_answer(server, transport, raw):
    server.plan(Babbles(raw))
    assert transport.call("GetItem", b"{}") == {"a": 1}
    assert transport.call("GetItem", b"{}") == {"done": "GetItem"}


def test_a_page_that_is_not_json_is_a_refusal_by_its_status(server, transport):
    server.plan(Babbles(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\n<html>"))
    with pytest.raises(Refused, match="403"):
        transport.call("GetItem", b"{}")


def test_a_kept_connection_that_died_is_replaced_at_once(server, transport, time):
    server.plan(Done(closes=True))
    transport.call("GetItem", b"{}")
    assert transport.call("PutItem", b"{}") == {"done": "PutItem"}
    assert server.connections == 2
    assert time.pauses == []


def test_a_kept_connection_that_is_silent_leaves_time_for_a_new_one(server):
    transport = Transport(server.url, "r", "dynamodb", "D", lambda: Credentials("id", "secret"))
    server.plan(Done(), Stalls())
    transport.call("GetItem", b"{}")
    assert transport.call("PutItem", b"{}", deadline_ms=2_000) == {"done": "PutItem"}
    assert [request.connection for request in server.seen] == [1, 1, 2]
    transport.close()


def test_a_new_connection_that_dies_is_not_replaced_at_once(server, transport, time):
    server.plan(Cuts())
    transport.call("GetItem", b"{}")
    assert len(time.pauses) == 1


def test_a_frozen_environment_opens_a_new_connection(server, transport, time):
    transport.call("GetItem", b"{}")
    time.now += MAX_IDLE_MS + 1
    transport.call("GetItem", b"{}")
    assert server.connections == 2


def test_what_must_not_be_sent_twice_trusts_only_a_fresh_connection(server, transport, time):
    transport.call("GetItem", b"{}")
    time.now += MAX_IDLE_ONCE_MS + 1
    transport.call("UpdateItem", b"{}", repeatable=False)
    assert server.connections == 2


def test_a_wrong_clock_is_corrected_once_and_for_all(server, transport, time):
    theirs = datetime.fromtimestamp(time.now / 1000 + 3600, UTC)
    server.plan(Says(400, "InvalidSignatureException", date=theirs.strftime("%a, %d %b %Y %H:%M:%S GMT")))
    transport.call("GetItem", b"{}")
    transport.call("GetItem", b"{}")
    dates = [request.headers["x-amz-date"] for request in server.seen]
    assert len(dates) == 3
    assert dates[1] == dates[2] == theirs.strftime("%Y%m%dT%H%M%SZ")
    assert time.pauses == []


@pytest.mark.parametrize("date", [None, "yesterday", "Tue, 99 Xyz 2025 12:00:00 GMT"])
def test_a_refused_signature_that_no_clock_explains_is_a_refusal(server, transport, date):
    server.plan(Says(400, "InvalidSignatureException", date=date))
    with pytest.raises(Refused, match="InvalidSignature"):
        transport.call("GetItem", b"{}")


def test_a_right_clock_does_not_make_a_wrong_signature_right(server, transport, time):
    same = datetime.fromtimestamp(time.now / 1000, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    server.plan(*[Says(400, "InvalidSignatureException", date=same)] * 5)
    with pytest.raises(Refused, match="InvalidSignature"):
        transport.call("GetItem", b"{}")
    assert len(server.seen) == 1


def test_without_a_key_nothing_is_sent(server, time):
    def none() -> Credentials:
        raise NoCredentials("no key")

    transport = Transport(server.url, "r", "dynamodb", "D", none, clock=time, pause=time.pause)
    with pytest.raises(NoAnswer, match="no key") as silence:
        transport.call("PutItem", b"{}")
    assert not silence.value.perhaps_done
    assert server.seen == []


def test_http_dates_are_read():
    assert http_date_ms("Tue, 03 Jun 2025 12:00:00 GMT") == 1748952000000
    assert http_date_ms("03 Jun 2025") is None


ENVIRONMENT = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.mark.parametrize(
    ("service", "more", "host"),
    [
        ("dynamodb", {}, "dynamodb.eu-west-1.amazonaws.com"),
        ("sqs", {}, "sqs.eu-west-1.amazonaws.com"),
        ("dynamodb", {"AWS_REGION": "cn-north-1"}, "dynamodb.cn-north-1.amazonaws.com.cn"),
        ("dynamodb", {"AWS_ENDPOINT_URL": "http://localhost:4599"}, "localhost:4599"),
        ("dynamodb", {"AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://b:2"}, "b:2"),
        ("sqs", {"AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://b:2"}, "a:1"),
        ("dynamodb", {"AWS_ENDPOINT_URL": "https://[::1]:8443/"}, "[::1]:8443"),
        ("dynamodb", {"AWS_ENDPOINT_URL": "https://example.com:443"}, "example.com"),
    ],
)
def test_the_environment_says_where_a_service_is(service, more, host):
    assert open_transport(service, ENVIRONMENT | more).host == host


@pytest.mark.parametrize(
    "url", ["ftp://a", "a:80", "http://", "http://a/path", "http://u@a", "http://a:x", "http://a:0"]
)
def test_an_address_that_is_no_endpoint_is_refused(url):
    with pytest.raises(ValueError, match="not a"):
        open_transport("dynamodb", ENVIRONMENT | {"AWS_ENDPOINT_URL": url})


def test_a_region_is_needed():
    with pytest.raises(ValueError, match="AWS_REGION"):
        open_transport("dynamodb", {})
