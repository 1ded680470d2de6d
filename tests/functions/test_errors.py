"""Whatever a client sends, it is told what is wrong with it: no 500, nothing stored, one error document."""

import json
from typing import Any

import pytest

from fingerpost.ports.table import Throttled, TransactionFailed, Uncertain, Unreachable
from tests.functions.world import API_URL, EVENTS, OPERATOR_KEY, Client, World, answer_of, handler_of

POSTS = ["/products", "/thngs", "/projects", "/actions", "/actions/scans", "/actions/all", "/redirections"]
JSON = {"content-type": "application/json"}

BODIES = [
    (b"{", "line 1, column 2"),
    (b'{"name": "x",}', "column 13"),
    (b"hello", "column 1"),
    (b"{'name': 'x'}", "column 2"),
    (b'{"name": "x"} trailing', "column 15"),
    (b'{"name": NaN}', "NaN"),
    (b'{"name": "x", "customFields": {"a": -Infinity}}', "-Infinity"),
    (b'{"name": "x", "customFields": {"a": 1e400}}', "not JSON"),
    (b'{"name": "x", "customFields": {"a": ' + b"9" * 5_000 + b"}}", "not JSON"),
    (b'{"name": "\xff\xfe"}', "UTF-8"),
    (b'{"name": "\xed\xa0\x80"}', "UTF-8"),
    (b'{"name": "\\ud800"}', "UTF-8"),
    (b"[" * 10_000 + b"]" * 10_000, "nested"),
    (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested"),
    (b'{"name": "x", "customFields": ' + b"[" * 101 + b"]" * 101 + b"}", "nested"),
    (b"", "empty"),
    (b"  \n", "empty"),
    (b"\x00\x01\x02", "not JSON"),
]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(("body", "told"), BODIES, ids=lambda value: str(value)[:30])
def test_a_body_that_is_no_json_is_refused_with_its_position_and_nothing_is_stored(world, operator, path, body, told):
    before = world.rows()
    answer = operator.post(path, raw_body=body, headers=JSON)
    assert answer.status == 400
    assert told in answer.error
    assert world.rows() == before


@pytest.mark.parametrize("path", POSTS[:-3] + POSTS[-1:])
@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"5", b"true", b'[{"name": "x"}]'])
def test_a_body_that_is_no_object_is_refused_and_the_answer_says_what_it_is(operator: Client, path, body):
    answer = operator.post(path, raw_body=body, headers=JSON)
    assert answer.status == 400 and "must be a JSON object, not" in answer.error


@pytest.mark.parametrize(
    "media", ["text/xml", "multipart/form-data; boundary=x", "image/png", "text/plain", "application/jsonx", "json"]
)
@pytest.mark.parametrize("path", POSTS)
def test_a_content_type_that_is_no_json_is_415_and_nothing_is_stored(world: World, operator: Client, path, media):
    before = world.rows()
    answer = operator.post(path, raw_body=b'{"name": "x"}', headers={"content-type": media})
    assert answer.status == 415 and media.partition(";")[0] in answer.error
    assert world.rows() == before


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.api+json",
        "",
        "application/x-www-form-urlencoded",
    ],
)
def test_json_is_read_also_under_other_names_for_it_and_under_none(operator: Client, media):
    assert operator.post("/thngs", raw_body=b'{"name": "x"}', headers={"content-type": media}).status == 201


def test_a_byte_order_mark_and_any_script_are_read(operator: Client):
    body = "\ufeff" + json.dumps({"name": "Ω 😀 日本"}, ensure_ascii=False)
    assert operator.post("/thngs", raw_body=body.encode(), headers=JSON).document["name"] == "Ω 😀 日本"


@pytest.mark.parametrize(
    "path", ["/thngs", "/products", "/projects", "/access", "/actions", "/redirector", "/actions/scans"]
)
@pytest.mark.parametrize("body", [b"", b"{}", b"{"])
def test_a_get_with_a_json_content_type_and_any_body_is_no_error(operator: Client, path, body):
    assert operator.call("GET", path, raw_body=body, headers=JSON).status == 200


def test_an_empty_delete_with_a_json_content_type_is_no_error(world: World, operator: Client):
    assert operator.delete(f"/thngs/{world.thng()['id']}", headers=JSON).status == 200


@pytest.mark.parametrize("path", ["/", "/thngz", "/" + "x" * 500])
def test_an_address_where_nothing_is_says_where_to_look(world: World, path):
    answer = world.nobody.get(path)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
    assert answer.error == f"There is nothing at {path[:200]}; {API_URL}/docs says what there is"


def test_a_body_larger_than_a_function_can_be_sent_is_refused_with_the_limit_named(operator: Client):
    answer = operator.post("/thngs", raw_body=b'"' + b"x" * (6 * 1024 * 1024) + b'"', headers=JSON)
    assert answer.status == 400 and "6 MB" in answer.error


def test_the_story_of_a_body_that_is_not_json_says_where_it_is_wrong(world: World):
    answer = world.answered("catalogue/body-that-is-not-json")
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == "body" and answer.document["details"][0]["column"] == 18


@pytest.mark.parametrize("broken", ["!", "x", "\ud800"])
def test_a_body_that_cannot_even_be_taken_from_its_event_is_refused(world: World, broken):
    event = json.loads((EVENTS / "catalogue/create-thng.json").read_text(encoding="utf-8"))
    event["headers"]["authorization"] = OPERATOR_KEY
    event |= {"body": broken, "isBase64Encoded": broken != "\ud800", "rawQueryString": ""}
    assert answer_of(handler_of("catalogue")(event, None)).status == 400


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Throttled(), 503),
        (Unreachable(), 503),
        (Uncertain(), 503),
        (TransactionFailed([]), 409),
        (RuntimeError("secret detail"), 500),
    ],
    ids=repr,
)
def test_what_the_store_cannot_do_is_told_without_its_details(world: World, monkeypatch, failure, status):
    class Failing:
        def get(self, *_arguments: Any, **_named: Any) -> Any:
            raise failure

    from fingerpost import wiring
    from fingerpost.ports.table import Tables

    monkeypatch.setattr(wiring, "tables", lambda: Tables(Failing(), Failing()))  # type: ignore[arg-type]
    answer = world.operator.get("/access")
    assert answer.status == status
    assert "secret" not in answer.content.decode()
    assert (answer.headers.get("retry-after") == "1") is (status == 503)
    if status == 500:
        assert answer.headers["x-fingerpost-cause"] in answer.error
