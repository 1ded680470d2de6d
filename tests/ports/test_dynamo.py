"""What only the DynamoDB adapter has to get right: lost answers, tokens, left-overs. The contract: test_table.py."""

import contextlib
import json
import random
import threading
from collections.abc import Iterator
from itertools import count

import pytest

from fingerpost.aws.signing import Credentials
from fingerpost.aws.stream import changes
from fingerpost.aws.table import DynamoTable
from fingerpost.aws.transport import TARGET_PREFIXES, Transport
from fingerpost.ports.table import (
    Absent,
    AbsentOrBelow,
    Add,
    AtMost,
    Check,
    ConditionFailed,
    Delete,
    Equals,
    Key,
    Present,
    Put,
    Reason,
    Remove,
    Set,
    Throttled,
    TransactionFailed,
    Uncertain,
    Unreachable,
    Update,
)
from tests.faulty_server import Cuts, Done, FaultyServer, Says, faulty_server, forward_to
from tests.ports.engines import dynoxide

KEY = Key("a", "1")
OTHER = Key("a", "2")
LOST = Cuts(after=True)
THROTTLE = Says(400, "ProvisionedThroughputExceededException")
FOREVER = 99
SCHEMA = {
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "BillingMode": "PAY_PER_REQUEST",
}
_numbers = count()


class SettableClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_750_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with dynoxide(tmp_path_factory.mktemp("behind")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def server(endpoint: str) -> Iterator[FaultyServer]:
    """dynoxide behind a server that misbehaves on order."""
    with faulty_server(forward_to(endpoint)) as server:
        yield server


@pytest.fixture(scope="module")
def transport(server: FaultyServer) -> Iterator[Transport]:
    def skip(_seconds: float) -> None:
        """Pauses are the transport's own tests' matter."""

    credentials = Credentials("id", "secret")
    prefix = TARGET_PREFIXES["dynamodb"]
    transport = Transport(
        server.url, "eu-west-1", "dynamodb", prefix, lambda: credentials, attempt_ms=2_000, pause=skip
    )
    yield transport
    transport.close()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fingerpost.retry.time.sleep", lambda _seconds: None)


@pytest.fixture
def table(server: FaultyServer, transport: Transport, clock: SettableClock) -> DynamoTable:
    server.plan()
    name = f"table-{next(_numbers)}"
    transport.call("CreateTable", {"TableName": name, **SCHEMA})
    return DynamoTable(name, transport, clock=clock, measure=True)


# Lost answers


def test_a_conditional_put_whose_answer_was_lost_is_done_once(server, table):
    server.plan(LOST)
    assert table.put(KEY, {"a": 1}, when=(Absent(),)) is None
    assert server.done == ["PutItem", "PutItem"]
    assert table.get(KEY) == {"a": 1}


def test_a_put_of_the_next_version_whose_answer_was_lost_is_done_once(server, table):
    table.put(KEY, {"v": 1})
    server.plan(LOST)
    assert table.put(KEY, {"v": 2}, when=(Equals("v", 1),)) is None  # the old image went with the answer
    assert table.get(KEY) == {"v": 2}


def test_whoever_is_told_that_a_row_is_theirs_has_it_alone_whatever_gets_lost(server, table):
    """Four threads claim the same rows while a third of all attempts go wrong in one way or another."""
    chance = random.Random(7)
    faults = [LOST, Cuts(), THROTTLE, Says(500, "InternalServerError", after=True), Done(closes=True), Done(crc=1)]
    server.plan(*(chance.choice([*faults, *[Done()] * 2 * len(faults)]) for _ in range(400)))
    keys = [Key("claimed", str(number)) for number in range(12)]
    told: list[tuple[Key, int]] = []

    def claim(thread: int) -> None:
        for key in keys:
            with contextlib.suppress(ConditionFailed):
                table.put(key, {"by": thread}, when=(Absent(),))
                told.append((key, thread))

    threads = [threading.Thread(target=claim, args=[thread]) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.plan()
    kept = table.get_many(keys, consistent=True)
    assert sorted(told) == sorted((key, item["by"]) for key, item in kept.items())
    assert len(kept) == len(keys)


def test_somebody_elses_row_is_not_taken_for_our_own(server, table):
    table.put(KEY, {"by": "them"})
    server.plan(Cuts())
    with pytest.raises(ConditionFailed) as failed:
        table.put(KEY, {"by": "us"}, when=(Absent(),))
    assert failed.value.old == {"by": "them"}


def test_an_unconditional_put_repeated_does_not_answer_itself_as_the_old_image(server, table):
    server.plan(LOST)
    assert table.put(KEY, {"a": 1}) is None


def test_an_unconditional_put_lost_before_it_was_done_answers_the_old_image(server, table):
    table.put(KEY, {"a": 1})
    server.plan(Cuts())
    assert table.put(KEY, {"a": 2}) == {"a": 1}


def test_a_conditional_update_whose_answer_was_lost_is_done_once(server, table):
    table.put(KEY, {"v": 1, "kept": "x"})
    server.plan(LOST)
    assert table.update(KEY, (Set("v", 2),), when=(Equals("v", 1),)) == (None, {"v": 2, "kept": "x"})


def test_an_update_that_meets_itself_does_not_answer_itself_as_the_old_image(server, table):
    server.plan(LOST)
    assert table.update(KEY, (Set("v", 2),)) == (None, {"v": 2})


@pytest.mark.parametrize("fault", [LOST, Says(500, "InternalServerError", after=True), Done(crc=1)])
def test_an_addition_whose_answer_was_lost_is_uncertain_and_not_repeated(server, table, transport, fault):
    transport.close()
    server.plan(fault)
    with pytest.raises(Uncertain):
        table.update(KEY, (Add("n", 5),))
    assert server.done == ["UpdateItem"]
    assert table.get(KEY) == {"n": 5}


def test_an_addition_that_was_throttled_is_repeated(server, table):
    server.plan(THROTTLE, THROTTLE)
    assert table.update(KEY, (Add("n", 5),)) == (None, {"n": 5})
    assert server.done == ["UpdateItem"]


def test_a_delete_whose_answer_was_lost_leaves_no_row(server, table):
    table.put(KEY, {"a": 1})
    server.plan(LOST)
    assert table.delete(KEY) is None
    assert table.get(KEY) is None


def test_a_conditional_delete_that_finds_nothing_after_a_lost_answer_is_uncertain(server, table):
    table.put(KEY, {"a": 1})
    server.plan(LOST)
    with pytest.raises(Uncertain):
        table.delete(KEY, when=(Equals("a", 1),))
    assert table.get(KEY) is None


def test_a_conditional_delete_that_finds_another_row_after_a_lost_answer_has_failed(server, table):
    table.put(KEY, {"a": 2})
    server.plan(Cuts())
    with pytest.raises(ConditionFailed) as failed:
        table.delete(KEY, when=(Equals("a", 1),))
    assert failed.value.old == {"a": 2}


def test_a_transaction_whose_answer_was_lost_is_done_once(server, table):
    table.put(KEY, {"n": 1})
    server.plan(LOST)
    table.transact([Update(KEY, (Add("n", 1),)), Put(OTHER, {"a": 1}, (Absent(),))])
    assert server.done == ["TransactWriteItems", "TransactWriteItems"]
    assert table.get(KEY) == {"n": 2}


def test_a_transaction_with_additions_that_nobody_answers_is_uncertain(server, table):
    server.plan(*[LOST] * FOREVER)
    with pytest.raises(Uncertain):
        table.transact([Update(KEY, (Add("n", 1),))])
    server.plan()
    assert table.get(KEY) == {"n": 1}


@pytest.mark.parametrize(
    "write",
    [
        lambda table: table.put(KEY, {"a": 1}, when=(Absent(),)),
        lambda table: table.update(KEY, (Set("a", 1),)),
        lambda table: table.transact([Put(KEY, {"a": 1})]),
        lambda table: table.put_many([Put(KEY, {"a": 1})]),
        lambda table: table.get(KEY),
        lambda table: table.query("a"),
    ],
    ids=["put", "update", "transact", "put_many", "get", "query"],
)
def test_what_nobody_answers_is_unreachable_and_what_is_throttled_to_the_end_is_throttled(server, table, write):
    server.plan(*[Cuts()] * FOREVER)
    with pytest.raises(Unreachable):
        write(table)
    server.plan(*[THROTTLE] * FOREVER)
    with pytest.raises(Throttled):
        write(table)
    assert server.done == []


def test_patience_is_a_matter_of_the_caller(server, table):
    server.plan(*[THROTTLE] * FOREVER)
    with pytest.raises(Throttled):
        table.within(1).put(KEY, {"a": 1})
    assert len(server.seen) == 1


# The adapter's own fields


def test_the_token_and_the_expiry_are_in_the_row_but_never_shown(table, transport, clock):
    table.put(KEY, {"a": 1}, expires_at=clock.now + 60_001)
    stored = transport.call("GetItem", {"TableName": table.name, "Key": {"pk": {"S": "a"}, "sk": {"S": "1"}}})["Item"]
    assert stored.keys() == {"pk", "sk", "a", "w", "expires"}
    assert stored["expires"] == {"N": str(clock.now // 1000 + 61)}
    assert len(stored["w"]["S"]) >= 8
    assert table.get(KEY) == {"a": 1}
    assert table.query("a").rows[0].item == {"a": 1}
    assert table.put(KEY, {"a": 2}) == {"a": 1}
    assert [row.item for row in table.walk()] == [{"a": 2}]


@pytest.mark.parametrize("name", ["pk", "sk", "w", "expires"])
def test_their_names_are_taken(table, name):
    for attempt in (
        lambda: table.put(KEY, {name: 1}),
        lambda: table.put_many([Put(KEY, {name: 1})]),
        lambda: table.update(KEY, (Set(name, 1),)),
        lambda: table.update(KEY, (Remove(name),)),
        lambda: table.put(KEY, {}, when=(Equals(name, 1),)),
        lambda: table.transact([Update(KEY, (Add(name, 1),))]),
    ):
        with pytest.raises(ValueError, match=name):
            attempt()


def test_a_row_without_fields_is_a_row(table):
    table.put_many([Put(KEY, {})])
    table.transact([Put(OTHER, {})])
    assert table.update(KEY, (Remove("x"),)) == ({}, {})
    assert table.put(OTHER, {"a": 1}) == {}


# Expired rows


def test_an_update_over_an_expired_row_survives_a_lost_answer(server, table, clock):
    table.put(KEY, {"old": 1}, expires_at=clock.now + 1000)
    clock.now += 1000
    server.plan(Done(), LOST)
    assert table.update(KEY, (Set("a", 1),)) == (None, {"a": 1})
    assert server.done == ["UpdateItem", "PutItem", "PutItem"]
    assert table.get(KEY) == {"a": 1}


def test_an_update_whose_expired_row_comes_back_meanwhile_updates_that(server, table, clock):
    table.put(KEY, {"old": 1}, expires_at=clock.now + 1000)
    clock.now += 1000
    through = server.backend

    def meddling(action: str, body: bytes) -> tuple[int, bytes]:
        if action == "PutItem":
            server.backend = through
            table.put(KEY, {"theirs": 1})
        return through(action, body)

    server.backend = meddling
    assert table.update(KEY, (Add("n", 2),)) == ({"theirs": 1}, {"theirs": 1, "n": 2})


def test_a_transaction_starts_an_expired_row_from_nothing(table, clock):
    table.put(KEY, {"n": 7, "old": 1}, expires_at=clock.now + 1000)
    clock.now += 1000
    table.transact([Update(KEY, (Add("n", 1),), (AbsentOrBelow("n", 5),)), Put(OTHER, {"a": 1}, (Absent(),))])
    assert table.get(KEY) == {"n": 1}
    assert table.get(OTHER) == {"a": 1}


def test_a_transaction_whose_condition_an_expired_row_fails_shows_no_row(table, clock):
    table.put(KEY, {"n": 7}, expires_at=clock.now + 1000)
    clock.now += 1000
    with pytest.raises(TransactionFailed) as failed:
        table.transact([Update(KEY, (Set("n", 1),), (Present(),)), Check(OTHER, (Absent(),))])
    assert failed.value.reasons == (Reason("condition"), Reason("none"))
    assert failed.value.conditions_only


# Transactions that DynamoDB cancels


def cancelled(*codes: str, message: str = "") -> tuple[int, bytes]:
    reasons = [{"Code": code, "Message": message} for code in codes]
    document = {"__type": "x#TransactionCanceledException", "message": "cancelled", "CancellationReasons": reasons}
    return 400, json.dumps(document).encode()


@pytest.fixture
def cancelling(server: FaultyServer) -> Iterator[list[tuple[int, bytes]]]:
    """Answers to give to the next transactions before the engine is asked."""
    through, answers = server.backend, []

    def backend(action: str, body: bytes) -> tuple[int, bytes]:
        return answers.pop(0) if answers and action == "TransactWriteItems" else through(action, body)

    server.backend = backend
    yield answers
    server.backend = through


def test_a_conflict_is_tried_again_under_the_same_token(server, table, cancelling):
    server.plan()
    cancelling += [cancelled("None", "TransactionConflict"), cancelled("ThrottlingError", "None")]
    table.transact([Put(KEY, {"a": 1}), Put(OTHER, {"a": 1})])
    assert table.get(KEY) == {"a": 1}
    sent = [
        request.document["ClientRequestToken"] for request in server.seen if "ClientRequestToken" in request.document
    ]
    assert len(sent) == 3
    assert len(set(sent)) == 1


def test_a_conflict_that_does_not_pass_is_a_failure_worth_repeating(table, cancelling):
    cancelling += [cancelled("None", "TransactionConflict")] * FOREVER
    with pytest.raises(TransactionFailed) as failed:
        table.transact([Put(KEY, {"a": 1}), Put(OTHER, {"a": 1})])
    assert [reason.kind for reason in failed.value.reasons] == ["none", "conflict"]
    assert not failed.value.conditions_only
    assert len(cancelling) > FOREVER - 20


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ConditionalCheckFailed", "condition"),
        ("ItemCollectionSizeLimitExceeded", "other"),
        ("ValidationError", "other"),
    ],
)
def test_what_waiting_cannot_change_is_not_tried_again(server, table, cancelling, code, kind):
    server.plan()
    cancelling += [cancelled(code, "TransactionConflict")]
    with pytest.raises(TransactionFailed) as failed:
        table.transact([Delete(KEY), Put(OTHER, {"a": 1})])
    assert [reason.kind for reason in failed.value.reasons] == [kind, "conflict"]
    assert server.done == ["TransactWriteItems"]


# Left-overs of batches


def test_rows_left_over_by_a_batch_are_asked_for_again(server, table):
    table.put_many([Put(Key("p", f"{number:03}"), {"n": number}) for number in range(120)])
    through, dropped = server.backend, []

    def forgetful(action: str, body: bytes) -> tuple[int, bytes]:
        request = json.loads(body)
        keys = request.get("RequestItems", {}).get(table.name, {}).get("Keys", [])
        if action == "BatchGetItem" and len(keys) > 60:
            request["RequestItems"][table.name]["Keys"], left = keys[:60], keys[60:]
            status, answer = through(action, json.dumps(request).encode())
            dropped.extend(left)
            unprocessed = {table.name: {**request["RequestItems"][table.name], "Keys": left}}
            return status, json.dumps(json.loads(answer) | {"UnprocessedKeys": unprocessed}).encode()
        return through(action, body)

    server.backend = forgetful
    try:
        found = table.get_many([Key("p", f"{number:03}") for number in range(120)], consistent=True)
    finally:
        server.backend = through
    assert len(dropped) == 40
    assert {key.sk: item["n"] for key, item in found.items()} == {f"{number:03}": number for number in range(120)}


def test_puts_left_over_by_a_batch_are_sent_again(server, table):
    through, dropped = server.backend, []

    def forgetful(action: str, body: bytes) -> tuple[int, bytes]:
        request = json.loads(body)
        puts = request.get("RequestItems", {}).get(table.name, [])
        if action == "BatchWriteItem" and len(puts) > 10:
            dropped.extend(puts[10:])
            status, _ = through(action, json.dumps({"RequestItems": {table.name: puts[:10]}}).encode())
            return status, json.dumps({"UnprocessedItems": {table.name: puts[10:]}}).encode()
        return through(action, body)

    server.backend = forgetful
    try:
        table.put_many([Put(Key("p", f"{number:03}"), {"n": number}) for number in range(30)])
    finally:
        server.backend = through
    assert len(dropped) == 15 + 5
    assert table.count("p") == 30


def test_left_overs_that_stay_are_throttled(server, table):
    through = server.backend

    def stuck(action: str, body: bytes) -> tuple[int, bytes]:
        request = json.loads(body)
        left = "UnprocessedKeys" if action == "BatchGetItem" else "UnprocessedItems"
        return 200, json.dumps({"Responses": {}, left: request["RequestItems"]}).encode()

    server.backend = stuck
    try:
        with pytest.raises(Throttled, match="2 rows"):
            table.get_many([KEY, OTHER])
        with pytest.raises(Throttled, match="1 rows"):
            table.put_many([Put(KEY, {})])
    finally:
        server.backend = through


# The stream


def test_what_the_stream_says_of_writes_reads_as_changes(endpoint, table, transport, clock):
    images = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    transport.call("CreateTable", {"TableName": f"{table.name}-fed", "StreamSpecification": images, **SCHEMA})
    fed = DynamoTable(f"{table.name}-fed", transport, clock=clock)
    fed.put(KEY, {"a": 1, "list": [b"x", {"y": None}]}, expires_at=clock.now + 10**12)
    fed.update(KEY, (Set("a", 2), Remove("list")))
    fed.delete(KEY)
    credentials = Credentials("id", "secret")
    streams = Transport(endpoint, "eu-west-1", "dynamodb", "DynamoDBStreams_20120810", lambda: credentials)
    [stream] = streams.call("ListStreams", {"TableName": fed.name})["Streams"]
    arn = {"StreamArn": stream["StreamArn"]}
    [shard] = streams.call("DescribeStream", arn)["StreamDescription"]["Shards"]
    start = arn | {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    found = changes(streams.call("GetRecords", streams.call("GetShardIterator", start)))
    streams.close()
    assert [(change.old, change.new) for change in found] == [
        (None, {"a": 1, "list": [b"x", {"y": None}]}),
        ({"a": 1, "list": [b"x", {"y": None}]}, {"a": 2}),
        ({"a": 2}, None),
    ]
    assert {change.key for change in found} == {KEY}
    assert len({change.sequence for change in found}) == 3
    assert not any(change.expired for change in found)


# Cost


def test_one_row_is_got_as_one_row(server, table):
    server.plan()
    table.get_many([KEY, KEY])
    table.get_many([KEY, OTHER])
    assert server.done == ["GetItem", "BatchGetItem"]


def test_what_a_call_costs_is_counted(table):
    table.put(KEY, {"a": "x" * 3000})
    assert (table.consumed.read, table.consumed.write) == (0, 3)
    table.get(KEY)
    assert table.consumed.read == 0.5
    table.get_many([KEY, OTHER], consistent=True)
    assert table.consumed.read == 2.5
    table.transact([Put(OTHER, {"a": 1}, (Absent(),))])
    assert table.consumed.write == 5
    table.update(KEY, (Set("b", 1),), when=(AtMost("a", "y"),))
    assert table.consumed.write == 8
    assert table.within(5).consumed is table.consumed
