"""The adapters against moto, behind a server of ours because moto's own needs Flask: an engine by other hands.

moto's transactions copy the whole table and its answers differ in corners, so this is a smoke test of the wire alone.
"""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from moto import mock_aws

from fingerpost.aws.provision import create_tables
from fingerpost.aws.queue import SqsDeadLetters, SqsQueue
from fingerpost.aws.signing import Credentials
from fingerpost.aws.table import DynamoTable
from fingerpost.aws.transport import TARGET_PREFIXES, Refused, Transport
from fingerpost.ports.table import (
    Absent,
    Add,
    ConditionFailed,
    Equals,
    Key,
    Put,
    Reason,
    Remove,
    Set,
    TransactionFailed,
    Update,
)
from tests.faulty_server import SIGNED, Backend, Cuts, Says, faulty_server

REGION = "eu-west-1"


@pytest.fixture(scope="module", autouse=True)
def moto() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        patch.setenv(name, "testing")
    with mock_aws():
        yield
    patch.undo()


def moto_backend(service: str) -> Backend:
    """moto patches `requests`, so a request to AWS's own address reaches it whole."""

    def answer(action: str, body: bytes) -> tuple[int, bytes]:
        headers = {**SIGNED, "X-Amz-Target": f"{TARGET_PREFIXES[service]}.{action}"}
        headers["Authorization"] = headers["Authorization"].replace("/dynamodb/", f"/{service}/")
        reply = requests.post(f"https://{service}.{REGION}.amazonaws.com/", data=body, headers=headers, timeout=10)
        return reply.status_code, reply.content

    return answer


def transport_to(url: str, service: str) -> Transport:
    return Transport(url, REGION, service, TARGET_PREFIXES[service], lambda: Credentials("testing", "testing"))


@pytest.fixture(scope="module")
def tables() -> tuple[str, str]:
    create_tables(boto3.client("dynamodb", region_name=REGION), "main", "log")
    return "main", "log"


@pytest.fixture
def table(tables: tuple[str, str]) -> Iterator[DynamoTable]:
    with faulty_server(moto_backend("dynamodb")) as server:
        transport = transport_to(server.url, "dynamodb")
        yield DynamoTable("main", transport)
        transport.close()


def test_the_tables_are_as_the_template_describes_them(tables):
    client = boto3.client("dynamodb", region_name=REGION)
    main, log = (client.describe_table(TableName=name)["Table"] for name in tables)
    assert main["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert "LatestStreamArn" not in log
    for name in tables:
        lives = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        assert (lives["AttributeName"], lives["TimeToLiveStatus"]) == ("expires", "ENABLED")
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_rows(table):
    key, item = Key("smoke", "1"), {"n": 1, "text": "é", "bytes": b"\0", "list": [1, 2.5, None, True, {"a": "b"}]}
    assert table.put(key, item, when=(Absent(),)) is None
    assert table.get(key, consistent=True) == item
    with pytest.raises(ConditionFailed) as failed:
        table.put(key, {}, when=(Absent(),))
    assert failed.value.old == item
    new = {name: value for name, value in item.items() if name != "text"} | {"n": 2, "more": 5}
    assert table.update(key, (Set("n", 2), Remove("text"), Add("more", 5)), when=(Equals("n", 1),)) == (item, new)
    assert table.delete(key) == new
    assert table.delete(key) is None


def test_many_rows(table):
    table.put_many([Put(Key("many", f"{number:03}"), {"n": number}) for number in range(30)])
    assert table.count("many") == 30
    first = table.query("many", low="005", high="020", limit=10)
    rest = table.query("many", low="005", high="020", after=first.after)
    assert [row.item["n"] for row in (*first.rows, *rest.rows)] == list(range(5, 21))
    assert len(table.get_many([Key("many", f"{number:03}") for number in range(28, 32)])) == 2
    assert len([row for row in table.walk() if row.key.pk == "many"]) == 30


def test_a_transaction(table):
    one, two = Key("transaction", "1"), Key("transaction", "2")
    writes = [Update(one, (Add("n", 1),)), Put(two, {"a": 1}, (Absent(),))]
    table.transact(writes)
    with pytest.raises(TransactionFailed) as failed:
        table.transact(writes)
    assert failed.value.reasons == (Reason("none"), Reason("condition", {"a": 1}))
    assert table.get(one) == {"n": 1}


@pytest.fixture
def queue_and_dead() -> Iterator[tuple[SqsQueue, SqsDeadLetters, Any]]:
    client = boto3.client("sqs", region_name=REGION)
    dead = client.create_queue(QueueName="dead")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": "1"}}'
    url = client.create_queue(QueueName="work", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    with faulty_server(moto_backend("sqs")) as server:
        transport = transport_to(server.url, "sqs")
        yield SqsQueue(url, transport), SqsDeadLetters(dead, transport), server
        transport.close()
    client.delete_queue(QueueUrl=url)
    client.delete_queue(QueueUrl=dead)


def test_a_message_comes_and_goes(queue_and_dead):
    queue, _, server = queue_and_dead
    queue.send('{"é": 1}', group="app-1")
    assert server.seen[-1].document["MessageGroupId"] == "app-1"
    [message] = queue.receive()
    assert (message.body, message.attempts) == ('{"é": 1}', 1)
    assert queue.receive() == []
    queue.delete(message.receipt)
    queue.delete(message.receipt)


def test_a_delay_is_sent_in_whole_seconds(queue_and_dead):
    queue, _, server = queue_and_dead
    queue.send("later", delay_ms=1)
    assert server.seen[-1].document["DelaySeconds"] == 1
    assert queue.receive() == []


def test_a_message_received_too_often_is_dead(queue_and_dead):
    queue, dead, _ = queue_and_dead
    queue.send("poison")
    assert [message.body for message in queue.receive(visibility_ms=0)] == ["poison"]
    assert queue.receive(visibility_ms=0) == []
    assert [message.body for message in dead.dead()] == ["poison"]
    assert [message.body for message in dead.dead()] == ["poison"]  # a look does not take it away


def test_a_message_is_sent_again_after_a_lost_answer(queue_and_dead):
    queue, _, server = queue_and_dead
    server.plan(Cuts(after=True), Says(503, "ServiceUnavailable"))
    queue.send("twice, then")
    assert server.done == ["SendMessage", "SendMessage"]
    assert {message.body for message in queue.receive()} == {"twice, then"}


@pytest.mark.parametrize(
    ("body", "group", "delay_ms"),
    [("", "", 0), ("x" * 262_145, "", 0), ("\0", "", 0), ("a", "g" * 129, 0), ("a", "é", 0), ("a", "", 900_001)],
)
def test_what_sqs_would_refuse_is_never_sent(queue_and_dead, body, group, delay_ms):
    queue, _, server = queue_and_dead
    with pytest.raises(ValueError):
        queue.send(body, group=group, delay_ms=delay_ms)
    assert server.seen == []


def test_a_queue_that_is_not_there_is_refused(queue_and_dead):
    queue, _, _ = queue_and_dead
    absent = SqsQueue("https://sqs.eu-west-1.amazonaws.com/123456789012/absent", queue._transport)
    with pytest.raises(Refused, match="QueueDoesNotExist"):
        absent.send("lost")
