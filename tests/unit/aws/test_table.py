"""What each call of the table sends to DynamoDB, and what it makes of the answer."""

import pytest

from fingerpost.aws import table as table_module
from fingerpost.aws.table import DynamoTable
from fingerpost.aws.transport import NoAnswer, Refused
from fingerpost.clock import now_ms
from fingerpost.ports.table import (
    MAX_ITEM_BYTES,
    Absent,
    AbsentOrBelow,
    Add,
    ConditionFailed,
    Delete,
    Equals,
    ItemTooLarge,
    Key,
    Present,
    Put,
    Remove,
    Set,
    Throttled,
    Uncertain,
    Unreachable,
    item_size,
)
from tests.unit.aws.scripted import (
    ALIVE,
    EXPIRED,
    KEY,
    LIVING,
    NOW,
    OTHER,
    OWN,
    TYPED,
    refused,
    scripted,
)

GONE = "attribute_not_exists(pk) OR expires <= :now"
FAILED = "ConditionalCheckFailedException"
TOO_LONG = Key("p", "s" * 2_000)


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """How many there were; none takes any time."""
    taken = []
    monkeypatch.setattr("fingerpost.retry.time.sleep", taken.append)
    monkeypatch.setattr(table_module, "new_token", lambda: "token")
    return taken


def condition(expression, **values):
    return {
        "ConditionExpression": expression,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        "ExpressionAttributeValues": NOW | values,
    }


@pytest.mark.parametrize(
    ("when", "more"),
    [
        ((), {}),
        ((Absent(),), condition("expires <= :now OR attribute_not_exists(pk)")),
        ((Present(),), condition(f"({ALIVE}) AND attribute_exists(pk)")),
        (
            (Absent(), Absent()),
            condition("expires <= :now OR attribute_not_exists(pk) AND attribute_not_exists(pk)"),
        ),
    ],
)
def test_a_put_sends_the_row_its_token_and_its_conditions_and_answers_the_old_row(when, more):
    table, transport = scripted({"Attributes": LIVING}, {"Attributes": EXPIRED}, {})
    assert table.put(KEY, {"a": 1}, when=when, expires_at=1001) == {"n": 7}
    assert table.put(KEY, {"a": 1}, when=when) is None
    assert table.put(KEY, {"a": 1}, when=when) is None
    item = TYPED | {"a": {"N": "1"}, "w": {"S": "token"}}
    put = {"TableName": "t", "Item": item, "ReturnValues": "ALL_OLD"} | more
    assert transport.documents == [put | {"Item": item | {"expires": {"N": "2"}}}, put, put]
    assert {(sent.action, sent.repeatable) for sent in transport.sent} == {("PutItem", True)}


def test_a_put_that_meets_itself_is_done():
    own = {"Attributes": OWN}
    after = refused(FAILED, after_silence=True, Item=OWN)
    table, _ = scripted(own, after)
    assert table.put(KEY, {"n": 7}) is None
    assert table.put(KEY, {"n": 7}, when=(Absent(),)) is None


@pytest.mark.parametrize(
    ("refusal", "old"),
    [
        (refused(FAILED, Item=OWN), {"n": 7}),  # another put may have the token of a row that was copied
        (refused(FAILED, after_silence=True, Item=LIVING), {"n": 7}),
        (refused(FAILED, after_silence=True, Item=EXPIRED), None),
        (refused(FAILED), None),
    ],
)
def test_a_condition_that_failed_shows_the_living_row(refusal, old):
    for attempt in (
        lambda table: table.put(KEY, {"a": 1}, when=(Present(),)),
        lambda table: table.update(KEY, (Set("a", 1),), when=(Present(),)),
        *([] if old is None else [lambda table: table.delete(KEY, when=(Present(),))]),
    ):
        table, transport = scripted(refusal)
        with pytest.raises(ConditionFailed) as failed:
            attempt(table)
        assert failed.value.old == old
        assert failed.value.__cause__ is refusal
        assert len(transport.sent) == 1


def test_many_puts_are_sent_25_at_a_time_without_tokens_and_left_overs_again():
    left_over = [{"PutRequest": {"Item": TYPED}}]
    puts = [Put(Key("a", f"{n}"), {"n": n}, (), 1000) for n in range(51)]
    table, transport = scripted({"UnprocessedItems": {"t": left_over}}, {"UnprocessedItems": {}})
    table.put_many(puts)
    sent = [document["RequestItems"]["t"] for document in transport.documents]
    assert [len(each) for each in sent] == [25, 1, 25, 1]
    assert sent[1] == left_over
    assert sent[0][1] == {
        "PutRequest": {
            "Item": {"pk": {"S": "a"}, "sk": {"S": "1"}, "n": {"N": "1"}, "expires": {"N": "1"}},
        }
    }
    assert [each["PutRequest"]["Item"]["n"]["N"] for batch in (sent[0], *sent[2:]) for each in batch] == [
        f"{n}" for n in range(51)
    ]
    assert {sent.action for sent in transport.sent} == {"BatchWriteItem"}
    assert all(document.keys() == {"RequestItems"} for document in transport.documents)


def test_many_puts_have_no_conditions_and_no_key_twice():
    table, transport = scripted()
    with pytest.raises(ValueError, match=r"^put_many takes no conditions$"):
        table.put_many([Put(KEY, {}), Put(OTHER, {}, (Absent(),))])
    with pytest.raises(ValueError, match=r"^put_many takes distinct keys$"):
        table.put_many([Put(KEY, {}), Put(KEY, {"a": 1})])
    table.put_many([])
    assert transport.sent == []


def update_of(expression, *, when=ALIVE, names, values):
    return {
        "TableName": "t",
        "Key": TYPED,
        "ReturnValues": "ALL_OLD",
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        **condition(when, **values),
    }


def test_an_update_sends_its_changes_and_answers_both_images():
    table, transport = scripted({"Attributes": LIVING}, {})
    assert table.update(KEY, (Set("a", "x"), Remove("b"))) == ({"n": 7}, {"n": 7, "a": "x"})
    assert table.update(KEY, (Add("n", 2),), when=(Equals("v", 1),)) == (None, {"n": 2})
    assert [(sent.action, sent.repeatable) for sent in transport.sent] == [("UpdateItem", True), ("UpdateItem", False)]
    assert transport.documents == [
        update_of(
            "SET #0 = :1, w = :2 REMOVE #1",
            names={"#0": "a", "#1": "b"},
            values={":1": {"S": "x"}, ":2": {"S": "token"}},
        ),
        update_of(
            "SET w = :2 ADD #0 :1",
            when=f"({ALIVE}) AND #1 = :3",
            names={"#0": "n", "#1": "v"},
            values={":1": {"N": "2"}, ":2": {"S": "token"}, ":3": {"N": "1"}},
        ),
    ]


def test_an_update_that_cannot_be_is_not_sent():
    table, transport = scripted()
    with pytest.raises(ValueError, match="changes a field twice"):
        table.update(KEY, (Set("a", 1), Remove("a")))
    with pytest.raises(ItemTooLarge, match="a key has at most"):
        table.update(TOO_LONG, (Set("a", 1),))
    with pytest.raises(ItemTooLarge, match="a key has at most"):
        table.delete(TOO_LONG)
    assert transport.sent == []


def test_an_update_that_meets_itself_is_done():
    table, _ = scripted(refused(FAILED, after_silence=True, Item=OWN), {"Attributes": OWN})
    assert table.update(KEY, (Set("n", 7),), when=(Equals("n", 6),)) == (None, {"n": 7})
    assert table.update(KEY, (Set("n", 8),)) == (None, {"n": 8})


def test_an_update_of_an_expired_row_puts_what_it_makes_from_nothing():
    table, transport = scripted(refused(FAILED, Item=EXPIRED), {})
    changes = (Add("n", 2), Set("a", "x"), Remove("b"))
    assert table.update(KEY, changes, when=(AbsentOrBelow("n", 5),)) == (None, {"n": 2, "a": "x"})
    put = transport.sent[1]
    assert (put.action, put.repeatable) == ("PutItem", True)
    item = TYPED | {"n": {"N": "2"}, "a": {"S": "x"}, "w": {"S": "token"}}
    assert put.document == {"TableName": "t", "Item": item, **condition(GONE)}


def test_a_put_over_an_expired_row_that_meets_itself_is_done_and_one_that_meets_another_is_an_update_again(pauses):
    expired = refused(FAILED, Item=EXPIRED)
    table, _ = scripted(expired, refused(FAILED, after_silence=True, Item=OWN))
    assert table.update(KEY, (Set("n", 7),)) == (None, {"n": 7})
    for another in (refused(FAILED, Item=OWN), refused(FAILED, after_silence=True, Item=LIVING)):
        table, transport = scripted(expired, another, {"Attributes": LIVING})
        assert table.update(KEY, (Set("n", 8),)) == ({"n": 7}, {"n": 8})
        assert [sent.action for sent in transport.sent] == ["UpdateItem", "PutItem", "UpdateItem"]
    assert len(pauses) == 2


def test_a_row_that_expires_and_comes_back_to_the_end_is_throttled():
    table, transport = scripted(*[refused(FAILED, Item=EXPIRED), refused(FAILED, Item=LIVING)] * 11)
    with pytest.raises(Throttled, match=r"^the row expires and comes back too often$"):
        table.update(KEY, (Set("a", 1),))
    assert len(transport.sent) == 20


def test_the_lost_answer_of_a_put_over_an_expired_row_is_uncertain_where_something_is_added():
    for changes, error in (((Add("n", 1), Set("a", 1)), Uncertain), ((Set("n", 1),), Unreachable)):
        table, _ = scripted(refused(FAILED, Item=EXPIRED), NoAnswer("silence", perhaps_done=True))
        with pytest.raises(error, match=r"^silence$"):
            table.update(KEY, changes)


def test_a_delete_sends_its_conditions_and_answers_the_old_row():
    table, transport = scripted({"Attributes": LIVING}, {"Attributes": EXPIRED}, {})
    assert table.delete(KEY) == {"n": 7}
    assert table.delete(KEY, when=(Present(),)) is None
    assert table.delete(KEY) is None
    plain = {"TableName": "t", "Key": TYPED, "ReturnValues": "ALL_OLD"}
    assert transport.documents == [plain, plain | condition(f"({ALIVE}) AND attribute_exists(pk)"), plain]
    assert {(sent.action, sent.repeatable) for sent in transport.sent} == {("DeleteItem", True)}


def test_a_put_and_a_delete_may_ask_for_a_value():
    table, transport = scripted()
    table.put(KEY, {}, when=(Equals("v", 2),))
    table.delete(KEY, when=(Equals("v", 2),))
    shared = {
        "TableName": "t",
        "ReturnValues": "ALL_OLD",
        "ExpressionAttributeNames": {"#0": "v"},
        **condition(f"({ALIVE}) AND #0 = :1", **{":1": {"N": "2"}}),
    }
    assert transport.documents == [shared | {"Item": TYPED | {"w": {"S": "token"}}}, shared | {"Key": TYPED}]


def test_a_transaction_is_one_call_at_the_tables_time():
    table, transport = scripted()
    table.transact([Delete(KEY, (Present(),))])
    (sent,) = transport.sent
    (write,) = sent.document["TransactItems"]
    assert sent.action == "TransactWriteItems"
    assert write == {"Delete": {"TableName": "t", "Key": TYPED, **condition(f"({ALIVE}) AND attribute_exists(pk)")}}


def test_a_conditional_delete_that_finds_nothing_is_uncertain_after_silence_only():
    table, _ = scripted(refused(FAILED, after_silence=True), refused(FAILED))
    with pytest.raises(Uncertain, match=r"^the row is gone: by this delete, or before it$"):
        table.delete(KEY, when=(Present(),))
    with pytest.raises(ConditionFailed):
        table.delete(KEY, when=(Present(),))


# What all of them share


def test_patience_is_a_matter_of_the_table():
    table, transport = scripted(deadline_ms=300)
    patient = table.within(9_000)
    for each in (table, patient, table):
        each.get(KEY)
    assert [sent.deadline_ms for sent in transport.sent] == [300, 9_000, 300]
    assert DynamoTable("t", transport)._clock is now_ms


@pytest.mark.parametrize(
    ("failure", "error", "message"),
    [
        (NoAnswer("silence", perhaps_done=True), Unreachable, "silence"),
        (NoAnswer("silence", perhaps_done=False), Unreachable, "silence"),
        (refused("ThrottlingException", "slow"), Throttled, "ThrottlingException: slow"),
        (refused("ValidationException", "malformed"), ValueError, "malformed"),
        (
            refused("ValidationException", "Item size has exceeded the maximum allowed size"),
            ItemTooLarge,
            "Item size has exceeded the maximum allowed size",
        ),
        (refused("AccessDeniedException", "no"), Refused, "AccessDeniedException: no"),
    ],
)
def test_a_failure_is_told_in_the_ports_words(failure, error, message):
    table, _ = scripted(failure)
    with pytest.raises(error) as raised:
        table.get(KEY)
    assert type(raised.value) is error
    assert str(raised.value) == message
    assert raised.value.__cause__ is (None if error is Refused else failure)


@pytest.mark.parametrize(("perhaps_done", "error"), [(True, Uncertain), (False, Unreachable)])
def test_silence_about_an_addition_is_uncertain_if_it_may_have_been_done(perhaps_done, error):
    table, _ = scripted(NoAnswer("silence", perhaps_done=perhaps_done))
    with pytest.raises(error, match=r"^silence$"):
        table.update(KEY, (Add("n", 1), Set("a", 1)))


def test_an_item_over_the_limit_is_not_sent():
    table, transport = scripted()
    with pytest.raises(ItemTooLarge):
        table.put(KEY, {"a": "x" * MAX_ITEM_BYTES})
    assert transport.sent == []
    table.put(KEY, {"a": "x" * (MAX_ITEM_BYTES - item_size(KEY, {"a": ""}))})
    assert len(transport.sent) == 1


def test_what_calls_cost_is_summed_by_reads_and_writes():
    one = {"ConsumedCapacity": {"CapacityUnits": 0.5}}
    many = {"ConsumedCapacity": [{"CapacityUnits": 2.0}, {"CapacityUnits": 1.0}]}
    table, transport = scripted(
        one,
        {"Responses": {}, **many},
        {"Items": [], **one},
        {"Items": [], **one},
        {"Items": [], "ConsumedCapacity": {}},
        {"Items": []},
        one,
        many,
        measure=True,
    )
    table.get(KEY)
    table.get_many([KEY, OTHER])
    table.query("a")
    list(table.walk())
    assert (table.consumed.read, table.consumed.write) == (4.5, 0.0)
    list(table.walk())
    list(table.walk())
    assert (table.consumed.read, table.consumed.write) == (4.5, 0.0)
    table.put(KEY, {})
    table.put_many([Put(KEY, {})])
    assert (table.consumed.read, table.consumed.write) == (4.5, 3.5)
    assert {document["ReturnConsumedCapacity"] for document in transport.documents} == {"TOTAL"}
    silent, transport = scripted(one)
    silent.get(KEY)
    assert silent.consumed.read == 0
    assert "ReturnConsumedCapacity" not in transport.documents[0]
