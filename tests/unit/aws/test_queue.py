"""What moto cannot show of the SQS adapter."""

import json
from collections.abc import Iterator

import pytest

from fingerpost.aws.queue import SqsDeadLetters, SqsQueue
from fingerpost.aws.signing import Credentials
from fingerpost.aws.transport import Transport
from fingerpost.ports.table import Throttled, Unreachable
from tests.faulty_server import Cuts, FaultyServer, Says, faulty_server

URL = "https://sqs.eu-west-1.amazonaws.com/1/dead"
ARN = "arn:aws:sqs:eu-west-1:1:dead"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as server:
        yield server


@pytest.fixture
def transport(server: FaultyServer) -> Iterator[Transport]:
    credentials = Credentials("id", "secret")
    transport = Transport(server.url, "eu-west-1", "sqs", "AmazonSQS", lambda: credentials, pause=lambda _seconds: None)
    yield transport
    transport.close()


@pytest.mark.parametrize("waiting", [0, 3])
def test_a_redrive_moves_everything_that_waits_to_where_it_came_from(server, transport, waiting):
    attributes = {"QueueArn": ARN, "ApproximateNumberOfMessages": str(waiting)}
    server.backend = lambda _action, _body: (200, json.dumps({"Attributes": attributes}).encode())
    assert SqsDeadLetters(URL, transport).redrive() == waiting
    sent = [(request.action, request.document.get("SourceArn")) for request in server.seen]
    assert sent == [("GetQueueAttributes", None), ("StartMessageMoveTask", ARN)][: 2 if waiting else 1]


def test_a_look_at_the_dead_shows_each_message_once(server, transport):
    messages = [{"MessageId": id, "Body": "b", "ReceiptHandle": f"r{n}"} for n, id in enumerate(["1", "1", "2"])]
    server.backend = lambda _action, _body: (200, json.dumps({"Messages": messages}).encode())
    assert [message.id for message in SqsDeadLetters(URL, transport).dead()] == ["1", "2"]
    assert server.seen[0].document["VisibilityTimeout"] == 0


def test_a_receipt_whose_message_is_gone_is_no_error(server, transport):
    server.plan(Says(400, "ReceiptHandleIsInvalid"))
    SqsQueue(URL, transport).delete("gone")
    assert server.seen[0].document == {"QueueUrl": URL, "ReceiptHandle": "gone"}


def test_a_queue_fails_in_the_words_of_the_store(server, transport):
    server.plan(*[Cuts()] * 99)
    with pytest.raises(Unreachable):
        SqsQueue(URL, transport).send("a")
    server.plan(*[Says(400, "RequestThrottled")] * 99)
    with pytest.raises(Throttled):
        SqsQueue(URL, transport).send("a")


def test_a_message_counts_its_attempts(server, transport):
    message = {"MessageId": "1", "Body": "b", "ReceiptHandle": "r", "Attributes": {"ApproximateReceiveCount": "3"}}
    server.backend = lambda _action, _body: (200, json.dumps({"Messages": [message]}).encode())
    assert [found.attempts for found in SqsQueue(URL, transport).receive(1)] == [3]
    assert server.seen[0].document["MaxNumberOfMessages"] == 1
