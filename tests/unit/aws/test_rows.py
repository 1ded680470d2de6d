"""How a row of the port lies in a DynamoDB table."""

import json

import pytest

from fingerpost.aws.expressions import Placeholders
from fingerpost.aws.rows import (
    bare,
    check_key,
    check_sizes,
    conditional,
    found_by,
    has_token,
    if_absent,
    image,
    is_expired,
    is_storable,
    key_of,
    new_token,
    speaks_of_size,
    stored,
    stored_text,
    typed_key,
)
from fingerpost.aws.transport import Refused
from fingerpost.ports.table import MAX_ITEM_BYTES, MAX_PK_BYTES, MAX_SK_BYTES, ItemTooLarge, Key, item_size

KEY = Key("p", "s")
TYPED_KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}


def test_a_key_is_two_texts():
    assert typed_key(KEY) == TYPED_KEY
    assert key_of(TYPED_KEY) == KEY


@pytest.mark.parametrize(
    ("item", "expires_at", "token", "more"),
    [
        ({"a": 1}, None, None, {"a": {"N": "1"}}),
        ({"a": 1}, None, "t", {"a": {"N": "1"}, "w": {"S": "t"}}),
        ({}, None, None, {"w": {"S": "-"}}),
        ({}, None, "t", {"w": {"S": "t"}}),
        ({"a": 1}, 0, None, {"a": {"N": "1"}, "expires": {"N": "0"}}),
        ({"a": 1}, 1000, None, {"a": {"N": "1"}, "expires": {"N": "1"}}),
        ({"a": 1}, 1001, None, {"a": {"N": "1"}, "expires": {"N": "2"}}),
    ],
)
def test_a_row_is_kept_as_its_key_its_fields_and_what_the_adapter_needs(item, expires_at, token, more):
    typed = stored(KEY, item, expires_at, token)
    assert typed == TYPED_KEY | more
    assert bare(typed) == item
    if token is not None:
        assert json.loads(stored_text(KEY, item, expires_at, token)) == typed


def test_a_row_has_none_of_the_adapters_own_fields():
    with pytest.raises(ValueError, match=r"^a row's field cannot be named pk, w$"):
        stored(KEY, {"w": 1, "pk": 2, "a": 3}, None)


@pytest.mark.parametrize(
    ("key", "storable"),
    [
        (Key("p" * MAX_PK_BYTES, "s" * MAX_SK_BYTES), True),
        (Key("p" * (MAX_PK_BYTES + 1), "s"), False),
        (Key("p", "s" * (MAX_SK_BYTES + 1)), False),
        (Key("é" * (MAX_PK_BYTES // 2), "s"), True),
        (Key("p", "é" * (MAX_SK_BYTES // 2)), True),
        (Key("é" * (MAX_PK_BYTES // 2) + "p", "s"), False),
        (Key("p", "é" * (MAX_SK_BYTES // 2) + "s"), False),
        (Key("", "s"), False),
        (Key("p", ""), False),
        (Key("\ud800", "s"), False),
        (Key("p", "\ud800"), False),
    ],
    ids=range(11),
)
def test_a_row_has_a_key_of_two_short_texts(key, storable):
    assert is_storable(key) is storable
    if storable:
        check_key(key)
    else:
        with pytest.raises((ValueError, ItemTooLarge)):
            check_key(key)
        with pytest.raises((ValueError, ItemTooLarge)):
            stored(key, {}, None)


def test_a_key_is_refused_for_what_is_wrong_with_it():
    for empty in (Key("", "s"), Key("p", "")):
        with pytest.raises(ValueError, match=r"^a key has no empty part$"):
            check_key(empty)
    for half in (Key("\ud800", "s"), Key("p", "\ud800")):
        with pytest.raises(UnicodeEncodeError):
            check_key(half)
    with pytest.raises(ItemTooLarge, match=rf"^a key has at most {MAX_PK_BYTES} \+ {MAX_SK_BYTES} bytes$"):
        check_key(Key("p" * (MAX_PK_BYTES + 1), "s"))


def test_the_image_before_a_write_is_a_row_or_none():
    assert image({}) is None
    assert image({"Attributes": {}}) is None
    assert image({"Attributes": TYPED_KEY}) is None
    assert image({"Attributes": TYPED_KEY | {"w": {"S": "-"}}}) == TYPED_KEY | {"w": {"S": "-"}}


@pytest.mark.parametrize(("expires", "expired"), [(None, False), ("6", True), ("7", True), ("8", False)])
def test_a_row_has_expired_at_the_end_of_its_second(expires, expired):
    typed = TYPED_KEY | ({} if expires is None else {"expires": {"N": expires}})
    assert is_expired(typed, 7) is expired


ROOM = MAX_ITEM_BYTES - item_size(KEY, {"a": ""})


@pytest.mark.parametrize(
    "request_of",
    [
        lambda item: {"Item": item},
        lambda item: {
            "RequestItems": {"t": [{"PutRequest": {"Item": stored(KEY, {}, None)}}, {"PutRequest": {"Item": item}}]}
        },
        lambda item: {"TransactItems": [{"Delete": {}}, {"Put": {"Item": item}}]},
    ],
)
def test_a_request_whose_item_is_too_large_is_known_by_it(request_of):
    check_sizes(request_of(stored(KEY, {"a": "x" * ROOM}, 1000, "token")))
    with pytest.raises(ItemTooLarge, match=rf"^{MAX_ITEM_BYTES + 1} bytes are more than {MAX_ITEM_BYTES}$"):
        check_sizes(request_of(stored(KEY, {"a": "x" * (ROOM + 1)}, 1000, "token")))


def test_a_request_that_puts_nothing_is_not_too_large():
    check_sizes({"RequestItems": {"t": {"Keys": [TYPED_KEY]}}})
    check_sizes({"TransactItems": [{"Update": {}}]})
    check_sizes({"Key": TYPED_KEY})


def test_a_failed_condition_answers_the_row_it_found():
    places = Placeholders(7)
    assert conditional(f"{places.name('a')} = x", places) == {
        "ConditionExpression": "#0 = x",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        "ExpressionAttributeNames": {"#0": "a"},
        "ExpressionAttributeValues": {":now": {"N": "7"}},
    }
    assert if_absent(7) == {
        "ConditionExpression": "expires <= :now OR attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        "ExpressionAttributeValues": {":now": {"N": "7"}},
    }


def test_a_token_is_a_rows_own():
    assert has_token({"w": {"S": "t"}}, "t") is True
    assert has_token({"w": {"S": "u"}}, "t") is False
    assert has_token({}, "t") is False
    assert has_token(None, "t") is False
    tokens = {new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert {len(token) for token in tokens} == {8}
    assert not any("\n" in token for token in tokens)


@pytest.mark.parametrize(
    ("message", "speaks"),
    [
        ("Item size has exceeded the maximum allowed size", True),
        ("Item size to update has exceeded the maximum size limit", True),
        ("The conditional request failed", False),
    ],
)
def test_some_refusals_speak_of_size(message, speaks):
    assert speaks_of_size(message) is speaks


def test_only_a_failed_condition_finds_a_row():
    def refusal(code, **document):
        return Refused(code, "", document=document)

    assert found_by(refusal("ConditionalCheckFailedException", Item=TYPED_KEY)) == TYPED_KEY
    assert found_by(refusal("ConditionalCheckFailedException", Item={})) is None
    assert found_by(refusal("ConditionalCheckFailedException")) is None
    other = refusal("ValidationException", Item=TYPED_KEY)
    with pytest.raises(Refused) as raised:
        found_by(other)
    assert raised.value is other
