"""What a transaction sends, sends again, and makes of the reasons why it was cancelled."""

from itertools import pairwise

import pytest

from fingerpost.aws import transactions
from fingerpost.aws.transport import NoAnswer, Refused
from fingerpost.ports.table import (
    Absent,
    AbsentOrBelow,
    Add,
    Check,
    Delete,
    Equals,
    ItemTooLarge,
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
from tests.unit.aws.scripted import NOW_S, refused, scripted

KEY, OTHER = Key("a", "1"), Key("a", "2")
TYPED, TYPED_OTHER = ({"pk": {"S": "a"}, "sk": {"S": sk}} for sk in "12")
NOW = {":now": {"N": str(NOW_S)}}
SHOWN = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
ALIVE = "attribute_not_exists(expires) OR expires > :now"
EXPIRED = TYPED | {"n": {"N": "7"}, "expires": {"N": str(NOW_S)}}
LIVING = TYPED | {"n": {"N": "7"}, "expires": {"N": str(NOW_S + 1)}}
PASSES = {"Code": "None"}
CONFLICT = {"Code": "TransactionConflict"}


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """The longest that each pause may be, in milliseconds."""
    taken = []
    monkeypatch.setattr("fingerpost.retry.random.uniform", lambda _low, high: taken.append(high) or 0)
    return taken


def cancelled(*reasons):
    return refused("TransactionCanceledException", CancellationReasons=list(reasons))


def fails(why, **item):
    return {"Code": why, **({"Item": item["item"]} if item else {})}


def failure(writes, *script):
    table, transport = scripted(*script)
    with pytest.raises(TransactionFailed) as failed:
        table.transact(writes)
    return failed.value.reasons, transport


def test_each_write_is_sent_in_its_own_way():
    table, transport = scripted()
    table.transact(
        [
            Put(KEY, {"a": 1}, (), 1001),
            Put(OTHER, {}, (Absent(),)),
            Update(Key("a", "3"), (Set("a", 1), Remove("b"))),
            Update(Key("a", "4"), (Add("n", 1),), (Equals("v", 2),)),
            Delete(Key("a", "5")),
            Delete(Key("a", "6"), (Present(),)),
            Check(Key("a", "7"), (Present(),)),
            Delete(Key("a", "8"), (Equals("v", 2),)),
        ]
    )
    (sent,) = transport.sent
    assert (sent.action, sent.repeatable) == ("TransactWriteItems", True)
    assert sent.document.keys() == {"ClientRequestToken", "TransactItems"}
    assert len(sent.document["ClientRequestToken"]) == 32

    def key(sk):
        return {"TableName": "t", "Key": {"pk": {"S": "a"}, "sk": {"S": sk}}}

    present = {
        "ConditionExpression": f"({ALIVE}) AND attribute_exists(pk)",
        "ExpressionAttributeValues": NOW,
        **SHOWN,
    }
    assert sent.document["TransactItems"] == [
        {"Put": {"TableName": "t", "Item": TYPED | {"a": {"N": "1"}, "expires": {"N": "2"}}}},
        {
            "Put": {
                "TableName": "t",
                "Item": TYPED_OTHER | {"w": {"S": "-"}},
                "ConditionExpression": "expires <= :now OR attribute_not_exists(pk)",
                "ExpressionAttributeValues": NOW,
                **SHOWN,
            }
        },
        {
            "Update": {
                **key("3"),
                "UpdateExpression": "SET #0 = :1 REMOVE #1",
                "ConditionExpression": ALIVE,
                "ExpressionAttributeNames": {"#0": "a", "#1": "b"},
                "ExpressionAttributeValues": {**NOW, ":1": {"N": "1"}},
                **SHOWN,
            }
        },
        {
            "Update": {
                **key("4"),
                "UpdateExpression": "ADD #0 :1",
                "ConditionExpression": f"({ALIVE}) AND #1 = :2",
                "ExpressionAttributeNames": {"#0": "n", "#1": "v"},
                "ExpressionAttributeValues": {**NOW, ":1": {"N": "1"}, ":2": {"N": "2"}},
                **SHOWN,
            }
        },
        {"Delete": key("5")},
        {"Delete": {**key("6"), **present}},
        {"ConditionCheck": {**key("7"), **present}},
        {
            "Delete": {
                **key("8"),
                "ConditionExpression": f"({ALIVE}) AND #0 = :1",
                "ExpressionAttributeNames": {"#0": "v"},
                "ExpressionAttributeValues": {**NOW, ":1": {"N": "2"}},
                **SHOWN,
            }
        },
    ]


def test_a_transaction_of_nothing_sends_nothing():
    table, transport = scripted()
    table.transact([])
    assert transport.sent == []


@pytest.mark.parametrize(
    ("writes", "message"),
    [
        ([Put(Key("p", f"{n}"), {}) for n in range(101)], "a transaction has at most 100 writes, not 101"),
        ([Put(KEY, {}), Delete(KEY)], "a transaction writes a row once"),
        ([Put(KEY, {}), Delete(Key("", "s"))], "a key has no empty part"),
        ([Check(KEY, ())], "a check needs a condition"),
        ([Update(KEY, (Set("a", 1), Remove("a")))], "an update changes a field twice: ['a', 'a']"),
    ],
)
def test_what_dynamodb_would_refuse_is_refused_before_anything_is_sent(writes, message):
    table, transport = scripted()
    with pytest.raises(ValueError) as refusal:
        table.transact(writes)
    assert str(refusal.value) == message
    assert transport.sent == []


def test_a_hundred_writes_are_one_transaction():
    table, transport = scripted()
    table.transact([Delete(Key("p", f"{n}")) for n in range(100)])
    assert len(transport.documents[0]["TransactItems"]) == 100


@pytest.mark.parametrize(
    ("cancelled_by", "reason"),
    [
        (fails("ConditionalCheckFailed"), Reason("condition")),
        (fails("ConditionalCheckFailed", item={}), Reason("condition")),
        (fails("ConditionalCheckFailed", item=LIVING), Reason("condition", {"n": 7})),
        (fails("ConditionalCheckFailed", item=EXPIRED), Reason("condition")),
        (fails("ItemCollectionSizeLimitExceeded"), Reason("other")),
        (fails("ValidationError"), Reason("other")),
    ],
)
def test_a_reason_that_waiting_cannot_change_fails_at_once_and_shows_a_living_row(cancelled_by, reason):
    writes = [Delete(KEY, (Present(),)), Delete(OTHER), Delete(Key("b", "1"))]
    reasons, transport = failure(writes, cancelled(cancelled_by, {}, CONFLICT))
    assert reasons == (reason, Reason("none"), Reason("conflict"))
    assert len(transport.sent) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TransactionConflict", "conflict"),
        ("ProvisionedThroughputExceeded", "throttled"),
        ("ThrottlingError", "throttled"),
    ],
)
def test_what_may_pass_is_tried_eight_times_under_one_token(pauses, code, kind):
    reasons, transport = failure([Delete(KEY), Delete(OTHER)], *[cancelled({"Code": code}, PASSES)] * 9)
    assert reasons == (Reason(kind), Reason("none"))
    assert len(transport.sent) == 8
    assert all(one == other for one, other in pairwise(transport.documents))
    assert pauses == [50, 100, 200, 400, 500, 500, 500]


def test_two_transactions_have_two_tokens():
    table, transport = scripted()
    for _ in range(2):
        table.transact([Delete(KEY)])
    one, other = transport.documents
    assert one["ClientRequestToken"] != other["ClientRequestToken"]


def over_expired(changes, item):
    return {
        "Put": {
            "TableName": "t",
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk) OR expires <= :now",
            "ExpressionAttributeValues": NOW,
            **SHOWN,
        }
    }


def test_an_update_of_an_expired_row_becomes_a_put_and_back_when_the_row_lives_again():
    writes = [Delete(OTHER), Update(KEY, (Add("n", 1), Set("a", "x")), (AbsentOrBelow("n", 9),))]
    missed = cancelled(PASSES, fails("ConditionalCheckFailed", item=EXPIRED))
    lives = cancelled(PASSES, fails("ConditionalCheckFailed", item=LIVING))
    table, transport = scripted(missed, lives)
    table.transact(writes)
    first, second, third = transport.documents
    assert len({each["ClientRequestToken"] for each in (first, second, third)}) == 3
    assert first["TransactItems"] == third["TransactItems"]
    assert second["TransactItems"] == [
        first["TransactItems"][0],
        over_expired(writes[1].changes, TYPED | {"n": {"N": "1"}, "a": {"S": "x"}}),
    ]


def test_two_expired_rows_that_are_seen_one_after_the_other_are_both_put():
    writes = [Update(KEY, (Add("n", 1),)), Update(OTHER, (Add("n", 1),))]
    first, second = (fails("ConditionalCheckFailed", item=key | EXPIRED) for key in (TYPED, TYPED_OTHER))
    table, transport = scripted(cancelled(first, PASSES), cancelled(PASSES, second))
    table.transact(writes)
    assert [[*each] for each in transport.documents[-1]["TransactItems"]] == [["Put"], ["Put"]]


@pytest.mark.parametrize("why", ["another write", "a condition that needs the row", "a living row", "no row"])
def test_an_update_whose_condition_really_fails_is_no_put(why):
    expired = fails("ConditionalCheckFailed", item=EXPIRED)
    update = Update(KEY, (Add("n", 1),), (Present(),) if why == "a condition that needs the row" else ())
    by = {
        "another write": [expired, fails("ConditionalCheckFailed", item=TYPED_OTHER | {"a": {"N": "1"}})],
        "a condition that needs the row": [expired, PASSES],
        "a living row": [fails("ConditionalCheckFailed", item=LIVING), PASSES],
        "no row": [fails("ConditionalCheckFailed"), PASSES],
    }[why]
    reasons, transport = failure([update, Delete(OTHER, (Absent(),))], cancelled(*by))
    assert len(transport.sent) == 1
    assert (
        reasons
        == {
            "another write": (Reason("none"), Reason("condition", {"a": 1})),
            "a condition that needs the row": (Reason("condition"), Reason("none")),
            "a living row": (Reason("condition", {"n": 7}), Reason("none")),
            "no row": (Reason("condition"), Reason("none")),
        }[why]
    )


def test_a_write_that_is_no_update_stays_what_it_is_over_an_expired_row():
    reasons, transport = failure([Put(KEY, {}, (Absent(),))], cancelled(fails("ConditionalCheckFailed", item=EXPIRED)))
    assert reasons == (Reason("condition"),)
    assert len(transport.sent) == 1


def test_a_row_that_expires_and_comes_back_to_the_end_is_a_conflict():
    turns = [cancelled(fails("ConditionalCheckFailed", item=EXPIRED), PASSES)] * transactions.ROUNDS
    reasons, transport = failure([Update(KEY, (Add("n", 1),)), Delete(OTHER)], *turns)
    assert reasons == (Reason("conflict"), Reason("none"))
    assert len(transport.sent) == transactions.ROUNDS


def test_a_row_that_would_be_too_large_is_told_as_that():
    told = {"Code": "ValidationError", "Message": "Item size to update has exceeded the maximum size limit"}
    table, _ = scripted(cancelled(PASSES, {"Code": "ValidationError"}, told))
    with pytest.raises(ItemTooLarge, match=r"^Item size to update has exceeded the maximum size limit$"):
        table.transact([Delete(KEY), Delete(OTHER), Update(Key("b", "1"), (Set("a", 1),))])
    speaks_of_size_only = {"Code": "TransactionConflict", "Message": told["Message"]}
    reasons, _ = failure([Delete(KEY), Delete(OTHER)], cancelled(speaks_of_size_only, {"Code": "ValidationError"}))
    assert [reason.kind for reason in reasons] == ["conflict", "other"]


def test_what_is_no_cancellation_is_told_as_it_is():
    for refusal, error in (
        (refused("IdempotentParameterMismatchException", "mismatch"), Refused),
        (refused("ThrottlingException", "slow down"), Throttled),
        (refused("ValidationException", "malformed"), ValueError),
    ):
        table, _ = scripted(refusal)
        with pytest.raises(error):
            table.transact([Delete(KEY)])


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (Update(KEY, (Set("a", 1), Add("n", 1))), Uncertain),
        (Update(KEY, (Set("a", 1),)), Unreachable),
        (Delete(KEY), Unreachable),
    ],
)
def test_a_lost_answer_is_uncertain_only_where_something_is_added(write, error):
    table, _ = scripted(NoAnswer("silence", perhaps_done=True))
    with pytest.raises(error):
        table.transact([Put(OTHER, {}), write])
