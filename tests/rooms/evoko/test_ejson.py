"""EJSON, and the messages of DDP: what goes in comes out, and what is none is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.rooms.evoko import protocol
from fingerpost.rooms.evoko.ejson import MAX_DEPTH, Malformed, Moment, decoded, encoded
from fingerpost.rooms.evoko.protocol import Call, Connect, DdpError, Ping, Refused, received

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = TEXTS | st.sampled_from(["$date", "$binary", "$escape", "$InfNaN", "$type", "$value"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | TEXTS
    | st.binary(max_size=8)
    | st.integers(0, 2**42).map(Moment),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_read_again(value):
    assert decoded(encoded(value)) == value


def test_dates_bytes_and_what_only_looks_like_them_are_written_as_meteor_does():
    assert json.loads(encoded(Moment(5))) == {"$date": 5}
    assert json.loads(encoded(b"ab")) == {"$binary": "YWI="}
    assert json.loads(encoded({"$date": 5})) == {"$escape": {"$date": 5}}
    assert json.loads(encoded(float("-inf"))) == {"$InfNaN": -1}
    assert decoded('{"$type": "x", "$value": 1}') == {"$type": "x", "$value": 1}
    assert decoded('{"$date": 1e3}') == Moment(1_000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        '{"$binary": "!"}',
        '{"$date": 1e999}',
        '"\\ud800"',
        '{"\\udfff": 1}',
        "[" * 100_000,
        "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2),
        "1" * 5_000,
    ],
)
def test_what_is_no_ejson_is_refused(text):
    with pytest.raises(Malformed):
        decoded(text)


MESSAGES = st.fixed_dictionaries(
    {"msg": st.sampled_from(["connect", "ping", "pong", "sub", "unsub", "method", "ready"]) | VALUES},
    optional=dict.fromkeys(("id", "name", "method", "params", "version", "support", "session"), TEXTS | VALUES),
)


@given(st.text() | VALUES.map(encoded) | MESSAGES.map(encoded))
def test_no_text_is_taken_for_more_than_it_says(text):
    try:
        message, sent = received(text)
    except Refused as refusal:
        assert refusal.answer["msg"] == "error"
        assert refusal.answer["reason"] in (
            "Parse error",
            "Bad request",
            "Malformed method invocation",
            "Malformed subscription",
        )
        decoded(protocol.text_of(refusal.answer))
    else:
        assert message is not None and sent["msg"]


@pytest.mark.parametrize(
    ("sent", "version"),
    [
        ({"version": "1", "support": ["1"]}, "1"),
        ({"version": 1, "support": ["1", "pre2", "pre1"]}, "1"),
        ({"version": "pre2", "support": ["pre2"]}, "pre2"),
        ({"version": "2", "support": ["2", "pre1", "1"]}, "pre1"),
        ({"version": True, "support": "1"}, None),
        ({}, None),
    ],
)
def test_the_version_is_the_client_s_best_that_is_spoken_here(sent, version):
    assert received(json.dumps({"msg": "connect", **sent}))[0] == Connect(version)


def test_parameters_may_be_left_out_and_ids_of_pings_too():
    assert received('{"msg": "method", "id": "1", "method": "logout"}')[0] == Call("1", "logout", ())
    assert received('{"msg": "ping"}')[0] == Ping(None)


def test_errors_look_as_meteor_s_do():
    assert DdpError(404, "Not here").document == {
        "isClientSafe": True,
        "error": 404,
        "reason": "Not here",
        "message": "Not here [404]",
        "errorType": "Meteor.Error",
    }
    assert DdpError("Out of it").document["message"] == "[Out of it]"
    assert "reason" not in DdpError("Out of it").document
    assert DdpError(400, "GenericError5", "why").document["details"] == "why"


def test_what_has_nothing_to_say_leaves_it_out():
    assert protocol.result("1", None) == {"msg": "result", "id": "1"}
    assert protocol.result("1", False)["result"] is False
    assert protocol.nosub("1") == {"msg": "nosub", "id": "1"}
    assert "cleared" not in protocol.changed("c", "1", {"a": 1}, []) and "fields" not in protocol.changed(
        "c", "1", {}, ["a"]
    )
