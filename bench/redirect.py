"""What a scan costs the processor: the whole handler with rules and recording, DynamoDB's answers ready on a socket.

Beside it, botocore doing a GetItem and a PutItem for a bare 302; and what each costs to import.
"""

import json
import os
import resource
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Any

from bench.row import Row
from bench.transport import REPOSITORY, botocores, interleaved

TABLES = {"FINGERPOST_MAIN_TABLE": "main", "FINGERPOST_LOG_TABLE": "log"}
AWS = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
NOW = 1_795_310_918_478  # Sunday, 22 November 2026
DOMAIN, SHORT_ID, ACCOUNT, THNG = "tn.gg", "TURF1891Ab", "U2Eryg9HGXdDfdYggr3P9y8K", "U2Eryg9HGrnEb06bkxCyyyr5"
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"
IMPORTS = 9
EVENT = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": f"/{SHORT_ID}",
    "rawQueryString": "",
    "headers": {
        "user-agent": AGENT,
        "accept": "text/html,application/xhtml+xml",
        "accept-language": "fr-IE,en;q=0.8",
        "x-fingerpost-domain": DOMAIN,
        "cloudfront-viewer-country": "IE",
        "cloudfront-viewer-city": "Cork",
        "cloudfront-viewer-latitude": "51.9",
        "cloudfront-viewer-longitude": "-8.47",
        "cloudfront-viewer-time-zone": "Europe/Dublin",
        "cloudfront-viewer-address": "203.0.113.7:44321",
    },
    "requestContext": {"requestId": "c0ffee", "http": {"method": "GET", "sourceIp": "198.51.100.1"}},
    "isBase64Encoded": False,
}
COUNTRIES = [first + second for first in "ABCDEFGHKL" for second in "ABCDEFGHKL"]


def rows() -> list[Row]:
    counts = (0, 10, 1_000)
    scans = [_scan(count) for count in counts]
    their_get, their_put = _floor()
    costs = interleaved([*scans, lambda: (their_get(), their_put())])
    floor = costs[-1]
    warm = [
        Row(f"scan, {count:,} rules, the last matches, CPU", f"{cost:.0f} us", f"{floor:.0f} us", cost / floor, 0.12)
        for count, cost in zip(counts, costs, strict=False)
    ]
    ours, boto3 = _cold("import functions.redirect.app"), _cold("import boto3; boto3.client('dynamodb')")
    return [*warm, Row("import of the redirect function, CPU", f"{ours:.0f} ms", f"{boto3:.0f} ms", ours / boto3, 0.4)]


class _Answers:
    """A socket that has each answer ready. Which one follows from what is asked."""

    def __init__(self, rules: int):
        from fingerpost import keys
        from fingerpost.aws.marshal import to_typed_item
        from fingerpost.redirection.model import Link, to_item
        from fingerpost.redirection.rulesets import pack
        from fingerpost.rules.compile import compile_match
        from fingerpost.rules.fields import REDIRECTOR
        from fingerpost.rules.nodes import to_json
        from fingerpost.rules.template import parse_default_url, parse_template
        from fingerpost.rules.template import to_json as template_to_json
        from fingerpost.shapes import stamp

        url = "https://museum.example/works/{thngId}"
        link = Link(
            account=ACCOUNT,
            domain=DOMAIN,
            short_id=SHORT_ID,
            type="thng",
            evrythng_id=THNG,
            url_text=url,
            url=parse_default_url(url),
            created_at=NOW,
            updated_at=NOW,
        )
        target = parse_template("https://museum.example/{country}?day={dayOfWeek}", known=lambda _name: True)
        texts = [f"country={COUNTRIES[number % 100]} & timeOfDay>={number}" for number in range(rules - 1)]
        texts += ["country=IE & dayOfWeek=sun & language=fr"] if rules else []
        stored = [
            {
                "nodes": to_json(compile_match(text, REDIRECTOR).node),
                "template": template_to_json(target),
                "sent": {"match": text},
            }
            for text in texts
        ]
        live = {**stamp("live"), "live:account": "1:set"} if rules else stamp("live")
        chunk = {**stamp("chunk"), "z": pack(stored, ["country", "dayOfWeek"])}

        def typed(key: Any, item: Any) -> Any:
            return {"pk": {"S": key.pk}, "sk": {"S": key.sk}, **to_typed_item(item)}

        link_row = typed(keys.link(DOMAIN, SHORT_ID), to_item(link))
        salt_row = typed(keys.salt("20261122"), {**stamp("salt"), "salt": "s" * 32})
        live_row = typed(keys.owned(ACCOUNT, keys.LIVE), live)
        chunk_row = typed(keys.owned(ACCOUNT, keys.Key(keys.rules_chunks("set"), "0000")), chunk)
        self.bodies = {
            b"BatchGetItem": json.dumps({"Responses": {"main": [link_row, salt_row, live_row]}, "UnprocessedKeys": {}}),
            b"Query": json.dumps({"Items": [chunk_row], "Count": 1}),
            b"PutItem": "{}",
            b"live": json.dumps({"Item": live_row}),
            b"GetItem": json.dumps({"Item": link_row}),
        }
        self._ready = {name: _http(body.encode()) for name, body in self.bodies.items()}
        self._answer = b""

    def sendall(self, request: bytes) -> None:
        start = request.index(b"X-Amz-Target: DynamoDB_20120810.") + 32
        action = request[start : request.index(b"\r", start)]
        self._answer = self._ready[b"live" if action == b"GetItem" and b'"live"' in request else action]

    def recv(self, _most: int) -> bytes:
        return self._answer

    def settimeout(self, _seconds: float) -> None:
        """There is nothing to wait for."""

    setsockopt = close = lambda *_: None


def _http(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n" % len(body)
    return head + b"Connection: keep-alive\r\nx-amz-crc32: %d\r\n\r\n%b" % (zlib.crc32(body), body)


def _scan(rules: int, answers: _Answers | None = None) -> Callable[[], object]:
    """The redirect function's handler, warm, with a set of so many rules."""
    os.environ.update({**TABLES, **AWS, "AWS_ENDPOINT_URL_DYNAMODB": "http://dynamodb.eu-west-1.amazonaws.com"})
    from fingerpost import wiring
    from fingerpost.aws import connection

    wiring.clock = lambda: NOW
    sys.modules.pop("functions.redirect.app", None)
    wiring.tables.cache_clear()
    wiring.recorder.cache_clear()
    answers = answers or _Answers(rules)
    real = connection.socket.create_connection
    connection.socket.create_connection = lambda *_args, **_more: answers  # type: ignore[assignment,return-value]
    try:
        import functions.redirect.app as app

        handler = app.handler
        first = handler(EVENT)
    finally:
        connection.socket.create_connection = real
    where = "https://museum.example/IE?day=sun" if rules else f"https://museum.example/works/{THNG}"
    assert first["statusCode"] == 307, first
    assert first["headers"]["location"] == where, first
    return lambda: handler(EVENT)


def _floor() -> tuple[Callable[[], object], Callable[[], object]]:
    """botocore reading the same link and writing the same action."""
    answers = _Answers(10)
    written: list[bytes] = []
    sent = answers.sendall

    def sendall(request: bytes) -> None:
        if b".PutItem" in request[:400]:
            written.append(request[request.index(b"\r\n\r\n") + 4 :])
        sent(request)

    answers.sendall = sendall  # type: ignore[method-assign]
    _scan(10, answers)
    action = {name: value for name, value in json.loads(written[0])["Item"].items() if name not in ("pk", "sk", "w")}
    return botocores(action, {b"GetItem": answers.bodies[b"GetItem"].encode(), b"PutItem": b"{}"})


def _cold(statement: str) -> float:
    """Milliseconds of CPU beyond starting the interpreter, the least of several."""
    environ = {**os.environ, **TABLES, **AWS, "AWS_DEFAULT_REGION": "eu-west-1"}
    environ["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "layers/core/python")])

    def least(code: str) -> float:
        spent = []
        for _ in range(IMPORTS):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", code], env=environ, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return min(spent) * 1000

    return least(statement) - least("pass")
