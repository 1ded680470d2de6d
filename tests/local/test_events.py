import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.local.events import (
    BadReply,
    LocalContext,
    event_body,
    event_headers,
    http_event,
    http_reply,
    joined_query,
)


def event_of(**changes):
    parts = {
        "method": "POST",
        "raw_path": "/my/path",
        "raw_query": "",
        "headers": {},
        "cookies": None,
        "source_ip": "192.0.2.1",
        "http_version": "1.1",
        "route_key": "$default",
        "parameters": {},
        "request_id": "id",
        "at": 1_583_348_638_390,
        "body": b"",
    }
    return http_event(**(parts | changes))


def test_the_documented_request_gives_the_documented_event():
    headers, cookies = event_headers(
        [
            (b"header1", b"value1"),
            (b"header2", b"value1"),
            (b"header2", b"value2"),
            (b"cookie", b"cookie1; cookie2"),
            (b"host", b"id.execute-api.us-east-1.amazonaws.com"),
            (b"user-agent", b"agent"),
            (b"content-type", b"text/plain"),
        ],
        trust_viewer=False,
    )
    event = event_of(
        raw_query="parameter1=value1&parameter1=value2&parameter2=value",
        headers=headers,
        cookies=cookies,
        parameters={"parameter1": "value1"},
        body=b"Hello from Lambda",
    )
    assert event["version"] == "2.0"
    assert event["routeKey"] == event["requestContext"]["routeKey"] == "$default"
    assert event["rawPath"] == "/my/path"
    assert event["cookies"] == ["cookie1", "cookie2"]
    assert event["headers"]["header1"] == "value1"
    assert event["headers"]["header2"] == "value1,value2"
    assert "cookie" not in event["headers"]
    assert event["queryStringParameters"] == {"parameter1": "value1,value2", "parameter2": "value"}
    assert event["pathParameters"] == {"parameter1": "value1"}
    assert event["requestContext"]["domainName"] == "id.execute-api.us-east-1.amazonaws.com"
    assert event["requestContext"]["http"] == {
        "method": "POST",
        "path": "/my/path",
        "protocol": "HTTP/1.1",
        "sourceIp": "192.0.2.1",
        "userAgent": "agent",
    }
    assert event["requestContext"]["requestId"] == "id"
    assert event["requestContext"]["stage"] == "$default"
    assert event["requestContext"]["time"] == "04/Mar/2020:19:03:58 +0000"
    assert event["requestContext"]["timeEpoch"] == 1_583_348_638_390
    assert (event["body"], event["isBase64Encoded"]) == ("Hello from Lambda", False)


def test_what_is_empty_is_absent():
    assert event_of().keys().isdisjoint({"cookies", "queryStringParameters", "pathParameters", "body"})


def test_the_raw_path_and_query_stay_as_sent():
    event = event_of(raw_path="/a%2Fb%2520c", raw_query="q=%41+b&&x")
    assert (event["rawPath"], event["rawQueryString"]) == ("/a%2Fb%2520c", "q=%41+b&&x")
    assert event["queryStringParameters"] == {"q": "A b", "x": ""}


def test_the_domain_name_has_no_port_and_is_lower_case():
    assert event_of(headers={"host": "Example.COM:8000"})["requestContext"]["domainName"] == "example.com"
    assert event_of(headers={"host": "[::1]:8000"})["requestContext"]["domainName"] == "[::1]"


def test_our_own_header_never_comes_from_a_client():
    assert event_headers([(b"x-fingerpost-domain", b"tn.gg")], trust_viewer=True) == ({}, None)


def test_viewer_headers_count_only_from_a_trusted_peer():
    sent = [(b"cloudfront-viewer-country", b"IE"), (b"cloudfront-viewer-address", b"192.0.2.1:1"), (b"accept", b"*/*")]
    assert event_headers(sent, trust_viewer=False)[0] == {"accept": "*/*"}
    assert event_headers(sent, trust_viewer=True)[0]["cloudfront-viewer-country"] == "IE"


def test_header_text_is_utf_8_where_it_can_be():
    headers, _ = event_headers([(b"a", "Zürich".encode()), (b"b", b"Z\xfcrich")], trust_viewer=False)
    assert headers == {"a": "Zürich", "b": "Zürich"}


@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/problem+json", True),
        ("image/svg+xml", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("text/csv", True),
        ("application/x-www-form-urlencoded", False),
        ("image/png", False),
        ("", False),
    ],
)
def test_text_types_travel_as_text_and_all_else_as_base64(content_type, is_text):
    body, encoded = event_body(b"{}", content_type)
    assert encoded is not is_text
    assert (base64.b64decode(body) if encoded else body.encode()) == b"{}"


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1), st.sampled_from(["application/json", "text/plain", "image/png", ""]))
def test_every_body_can_be_read_back(body, content_type):
    event = event_of(headers={"content-type": content_type}, body=body)
    text = event["body"]
    assert (base64.b64decode(text) if event["isBase64Encoded"] else text.encode()) == body
    json.dumps(event)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "ü &="]), st.text(st.characters(exclude_categories=["Cs"])))))
def test_every_query_comes_apart_as_it_was_put_together(pairs):
    from urllib.parse import urlencode

    expected = {}
    for name, value in pairs:
        expected.setdefault(name, []).append(value)
    assert joined_query(urlencode(pairs)) == {name: ",".join(values) for name, values in expected.items()}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"cookie"]), st.binary())), st.text())
def test_any_header_bytes_and_any_query_make_an_event(raw, query):
    headers, cookies = event_headers(raw, trust_viewer=False)
    event = event_of(headers=headers, cookies=cookies, raw_query=query)
    assert set(event["headers"]) == {name.decode() for name, _ in raw} - {"cookie"}
    json.dumps(event)


def header(reply, name):
    return [value for each, value in reply.headers if each == name]


def test_a_reply_document_becomes_status_headers_cookies_and_body():
    reply = http_reply(
        {
            "statusCode": 201,
            "headers": {"Content-Type": "text/html", "X-Count": 3},
            "cookies": ["a=1", "b=2; Secure"],
            "body": "grüß",
        }
    )
    assert (reply.status, reply.body) == (201, "grüß".encode())
    assert header(reply, b"content-type") == [b"text/html"]
    assert header(reply, b"x-count") == [b"3"]
    assert header(reply, b"set-cookie") == [b"a=1", b"b=2; Secure"]
    assert header(reply, b"content-length") == [b"6"]


def test_a_base64_reply_goes_out_as_its_bytes():
    assert http_reply({"statusCode": 200, "body": "AAH/", "isBase64Encoded": True}).body == b"\x00\x01\xff"


@pytest.mark.parametrize(
    ("value", "body"), [("hello", b"hello"), ({"a": 1}, b'{"a": 1}'), ([1], b"[1]"), (None, b"null")]
)
def test_a_bare_value_is_a_json_answer(value, body):
    reply = http_reply(value)
    assert (reply.status, reply.body) == (200, body)
    assert header(reply, b"content-type") == [b"application/json"]


def test_statuses_without_a_body_announce_none():
    reply = http_reply({"statusCode": 204, "body": "x"})
    assert (reply.body, header(reply, b"content-length")) == (b"", [])


def test_a_handler_cannot_set_the_connections_own_headers():
    reply = http_reply({"statusCode": 200, "headers": {"Content-Length": "99", "Transfer-Encoding": "chunked"}})
    assert header(reply, b"content-length") == [b"0"]
    assert header(reply, b"transfer-encoding") == []


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "abc"},
        {"statusCode": None},
        {"statusCode": 99},
        {"statusCode": 200, "body": b"bytes"},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True},
        {"statusCode": 307, "headers": {"location": "https://a.example/\r\nset-cookie: a=1"}},
        {"statusCode": 200, "headers": {"bad name": "x"}},
        {1, 2},
    ],
)
def test_a_malformed_result_is_refused(result):
    with pytest.raises(BadReply):
        http_reply(result)


def test_the_context_counts_down_to_the_deadline():
    assert LocalContext("redirect", "id", deadline_at=0).get_remaining_time_in_millis() == 0
    assert LocalContext("redirect", "id", deadline_at=2**60).get_remaining_time_in_millis() > 0
