"""What each read of the table asks DynamoDB for, and what it makes of the answer."""

import pytest

from fingerpost.aws.transport import DEADLINE_MS
from fingerpost.ports.table import Key, Page, Put, Row, Throttled
from tests.unit.aws.scripted import (
    ALIVE,
    EXPIRED,
    KEY,
    LIVING,
    NOW,
    OTHER,
    TYPED,
    TYPED_OTHER,
    scripted,
    typed,
)

TOO_LONG = Key("p", "s" * 2_000)


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """How many there were; none takes any time."""
    taken = []
    monkeypatch.setattr("fingerpost.retry.time.sleep", taken.append)
    return taken


def test_a_get_asks_for_one_row_and_shows_it_while_it_lives():
    table, transport = scripted({"Item": LIVING}, {"Item": EXPIRED}, {})
    assert table.get(KEY) == {"n": 7}
    assert table.get(KEY, consistent=True) is None
    assert table.get(OTHER) is None
    assert [(sent.action, sent.repeatable, sent.deadline_ms) for sent in transport.sent] == [
        ("GetItem", True, DEADLINE_MS)
    ] * 3
    assert transport.documents == [
        {"TableName": "t", "Key": TYPED, "ConsistentRead": False},
        {"TableName": "t", "Key": TYPED, "ConsistentRead": True},
        {"TableName": "t", "Key": TYPED_OTHER, "ConsistentRead": False},
    ]


def test_a_key_that_no_row_can_have_is_looked_for_nowhere():
    table, transport = scripted()
    assert table.get(TOO_LONG) is None
    assert table.get_many([TOO_LONG, Key("", "s")]) == {}
    assert table.get_many([]) == {}
    assert transport.sent == []


def test_one_key_of_many_is_got_alone():
    table, transport = scripted({"Item": LIVING}, {})
    assert table.get_many([KEY, TOO_LONG, KEY], consistent=True) == {KEY: {"n": 7}}
    assert table.get_many([KEY]) == {}
    assert [(sent.action, sent.document["ConsistentRead"]) for sent in transport.sent] == [
        ("GetItem", True),
        ("GetItem", False),
    ]


def test_many_keys_are_got_a_hundred_at_a_time():
    keys = [Key("a", f"{n}") for n in range(201)]
    table, transport = scripted(*[{"Responses": {"t": []}}] * 3)
    assert table.get_many([*keys, *keys]) == {}
    asked = [document["RequestItems"]["t"] for document in transport.documents]
    assert [len(each["Keys"]) for each in asked] == [100, 100, 1]
    assert [each["sk"]["S"] for batch in asked for each in batch["Keys"]] == [key.sk for key in keys]
    assert all(document.keys() == {"RequestItems"} for document in transport.documents)
    assert {sent.action for sent in transport.sent} == {"BatchGetItem"}


def test_what_a_batch_leaves_over_is_asked_for_again_as_it_says(pauses):
    rest = {"Keys": [TYPED_OTHER], "ConsistentRead": True}
    table, transport = scripted(
        {"Responses": {"t": [LIVING]}, "UnprocessedKeys": {"t": rest}},
        {"Responses": {}, "UnprocessedKeys": {"t": rest}},
        {"Responses": {"t": [typed(8, TYPED_OTHER)]}, "UnprocessedKeys": {}},
    )
    assert table.get_many([KEY, OTHER], consistent=True) == {KEY: {"n": 7}, OTHER: {"n": 8}}
    assert transport.documents == [
        {"RequestItems": {"t": {"Keys": [TYPED, TYPED_OTHER], "ConsistentRead": True}}},
        {"RequestItems": {"t": rest}},
        {"RequestItems": {"t": rest}},
    ]
    assert len(pauses) == 2


def test_an_expired_row_of_a_batch_is_no_row():
    table, transport = scripted({"Responses": {"t": [EXPIRED, typed(8, TYPED_OTHER)]}})
    assert table.get_many([KEY, OTHER]) == {OTHER: {"n": 8}}
    assert transport.documents[0]["RequestItems"]["t"]["ConsistentRead"] is False


def test_left_overs_that_stay_are_throttled():
    rest = {"Keys": [TYPED_OTHER]}
    table, transport = scripted(*[{"Responses": {"t": []}, "UnprocessedKeys": {"t": rest}}] * 11)
    with pytest.raises(Throttled, match=r"^1 rows were not read$"):
        table.get_many([KEY, OTHER])
    assert len(transport.sent) == 10
    puts = [{"PutRequest": {"Item": TYPED}}] * 2
    table, transport = scripted(*[{"UnprocessedItems": {"t": puts}}] * 11)
    with pytest.raises(Throttled, match=r"^2 rows were not written$"):
        table.put_many([Put(KEY, {"a": 1})])
    assert len(transport.sent) == 10


FROM, TO = "pk = :pk AND sk >= :low", "pk = :pk AND sk <= :high"
BETWEEN = "pk = :pk AND sk BETWEEN :low AND :high"


@pytest.mark.parametrize(
    ("range_", "condition", "values"),
    [
        ({}, "pk = :pk", {}),
        ({"low": "b"}, FROM, {":low": {"S": "b"}}),
        ({"high": "c"}, TO, {":high": {"S": "c"}}),
        ({"low": "b", "high": "b"}, BETWEEN, {":low": {"S": "b"}, ":high": {"S": "b"}}),
    ],
)
def test_a_query_and_a_count_ask_for_a_range(range_, condition, values):
    table, transport = scripted({"Items": []}, {"Count": 3})
    assert table.query("a", **range_).rows == ()
    assert table.count("a", **range_) == 3
    of_range = {"TableName": "t", "KeyConditionExpression": condition}
    values = {":pk": {"S": "a"}} | values
    assert transport.documents == [
        of_range
        | {
            "ExpressionAttributeValues": values,
            "ScanIndexForward": True,
            "Limit": 100,
            "ConsistentRead": False,
        },
        of_range
        | {
            "ExpressionAttributeValues": values | NOW,
            "Select": "COUNT",
            "ConsistentRead": True,
            "FilterExpression": ALIVE,
            "Limit": 10_000,
        },
    ]
    assert {sent.action for sent in transport.sent} == {"Query"}


@pytest.mark.parametrize("range_", [{"low": "c", "high": "b"}, {"high": ""}])
def test_a_range_without_room_is_not_asked_for(range_):
    table, transport = scripted()
    assert table.query("a", **range_) == table.query("p" * 3_000) == Page(())
    assert table.count("a", **range_) == table.count("") == 0
    assert transport.sent == []


@pytest.mark.parametrize(
    ("range_", "start"),
    [
        ({"after": "b"}, "b"),
        ({"after": "b", "low": "b"}, "b"),
        ({"after": "b", "high": "b", "descending": True}, "b"),
        ({"after": "b", "low": "c"}, None),
        ({"after": "", "low": "b"}, None),
        ({"after": ""}, None),
        ({"after": "d", "high": "c", "descending": True}, None),
        ({"after": "b", "low": "c", "descending": True}, "nothing"),
        ({"after": "d", "high": "c"}, "nothing"),
        ({"after": "", "descending": True}, "nothing"),
    ],
    ids=str,
)
def test_a_query_goes_on_after_a_row_and_never_starts_outside_its_range(range_, start):
    table, transport = scripted({"Items": []})
    assert table.query("a", **range_).rows == ()
    if start == "nothing":
        assert transport.sent == []
    else:
        (document,) = transport.documents
        key = None if start is None else {"pk": {"S": "a"}, "sk": {"S": start}}
        assert document.get("ExclusiveStartKey") == key
        assert document["ScanIndexForward"] is not range_.get("descending", False)


def test_a_page_has_the_living_rows_and_where_the_next_begins():
    last = {"Items": [LIVING, EXPIRED, typed(8, TYPED_OTHER)], "LastEvaluatedKey": TYPED_OTHER}
    table, transport = scripted(last, {"Items": []})
    page = table.query("a", limit=3, consistent=True)
    assert page == Page((Row(KEY, {"n": 7}), Row(OTHER, {"n": 8})), "2")
    assert table.query("a", limit=1).after is None
    assert [(each["Limit"], each["ConsistentRead"]) for each in transport.documents] == [(3, True), (1, False)]
    with pytest.raises(ValueError, match=r"^a page has at least one row, not 0$"):
        table.query("a", limit=0)


def test_a_count_goes_on_until_it_has_enough():
    more = {"LastEvaluatedKey": TYPED}
    table, transport = scripted({"Count": 3} | more, {"Count": 0} | more, {"Count": 2} | more)
    assert table.count("a", at_most=5) == 5
    assert [(each["Limit"], each.get("ExclusiveStartKey")) for each in transport.documents] == [
        (5, None),
        (2, TYPED),
        (2, TYPED),
    ]
    table, _ = scripted({"Count": 3} | more, {"Count": 1})
    assert table.count("a", at_most=5) == 4


def test_a_walk_reads_one_segment_to_its_end():
    table, transport = scripted({"Items": [LIVING], "LastEvaluatedKey": TYPED}, {"Items": [EXPIRED, typed(8)]})
    assert list(table.walk(segment=1, segments=3)) == [Row(KEY, {"n": 7}), Row(KEY, {"n": 8})]
    segment = {"TableName": "t", "Segment": 1, "TotalSegments": 3}
    assert transport.documents == [segment, segment | {"ExclusiveStartKey": TYPED}]
    assert {sent.action for sent in transport.sent} == {"Scan"}
    table, transport = scripted({"Items": []})
    assert list(table.walk()) == []
    assert transport.documents == [segment | {"Segment": 0, "TotalSegments": 1}]
