"""What one call to DynamoDB costs a processor, warm and cold, beside botocore and boto3.

Warm: no network. Our side answers from a socket that is none, so HTTP, signature, JSON and the row are all paid for;
botocore is stubbed where it would hand the request to urllib3, so its floor leaves that out.
"""

import json
import os
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.row import Row

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [path for path in (str(REPOSITORY), str(REPOSITORY / "layers/core/python")) if path not in sys.path]

REGION, TABLE, TOKEN = "eu-west-1", "main", "t" * 900
ENDPOINT = f"https://dynamodb.{REGION}.amazonaws.com"
CALLS, ROUNDS, IMPORTS = 100, 25, 7
CALL_BUDGET, IMPORT_BUDGET = 0.12, 0.4
FIELDS = {f"field{number}": "a value of twenty-odd" for number in range(7)} | {"createdAt": 1_750_000_000_000, "v": 3}
TYPED = {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in FIELDS.items()}
KEY = {"pk": {"S": "link#tn.gg#ABCD123456"}, "sk": {"S": "-"}}
ANSWERS = {b"GetItem": json.dumps({"Item": KEY | TYPED}).encode(), b"PutItem": b"{}"}

OURS_COLD = "import fingerpost.aws.table, fingerpost.aws.connection as c; c.tls_context('dynamodb.x.amazonaws.com')"
BOTO3_COLD = f"import boto3; boto3.client('dynamodb', region_name={REGION!r})"


def rows() -> list[Row]:
    get, put = _ours()
    their_get, their_put = botocores()
    costs = interleaved([get, put, their_get, their_put])
    ours_cold, boto3_cold = cold(OURS_COLD), cold(BOTO3_COLD)
    return [
        _row("get, warm, CPU", costs[0], costs[2], "us", CALL_BUDGET),
        _row("conditional put, warm, CPU", costs[1], costs[3], "us", CALL_BUDGET),
        _row("import of transport and table with TLS, CPU", ours_cold, boto3_cold, "ms", IMPORT_BUDGET),
    ]


def _row(name: str, value: float, floor: float, unit: str, budget: float) -> Row:
    return Row(name, f"{value:.0f} {unit}", f"{floor:.0f} {unit}", value / floor, budget)


def interleaved(calls: list[Callable[[], object]]) -> list[float]:
    """Microseconds of CPU a call, the least of rounds in which all take turns: what else the machine does only adds."""
    spent: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, costs in zip(calls, spent, strict=True):
            call()
            start = time.process_time()
            for _ in range(CALLS):
                call()
            costs.append((time.process_time() - start) / CALLS * 1e6)
    return [min(costs) for costs in spent]


class _NoSocket:
    """Takes a request and has its answer ready."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._answer = b""

    def sendall(self, request: bytes) -> None:
        start = request.index(b"X-Amz-Target: DynamoDB_20120810.") + 32
        body = ANSWERS[request[start : request.index(b"\r", start)]]
        self._answer = (
            b"HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Tue, 03 Jun 2025 12:00:00 GMT\r\n"
            b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\nConnection: keep-alive\r\n"
            b"x-amzn-RequestId: 5H1OA6SQ3VRRQVSQ0ARKO9KDMBVV4KQNSO5AEMVJF66Q9ASUAAJG\r\nx-amz-crc32: %d\r\n\r\n%b"
        ) % (len(body), zlib.crc32(body), body)

    def recv(self, _most: int) -> bytes:
        return self._answer

    def settimeout(self, _seconds: float) -> None:
        """There is nothing to wait for."""

    setsockopt = close = lambda *_: None


def _ours() -> tuple[Callable[[], object], Callable[[], object]]:
    from fingerpost.aws.signing import Credentials
    from fingerpost.aws.table import DynamoTable
    from fingerpost.aws.transport import TARGET_PREFIXES, Transport
    from fingerpost.ports.table import Absent, Key

    credentials = Credentials("AKIDEXAMPLE", "secret", TOKEN)
    transport = Transport(
        ENDPOINT.replace("https", "http"), REGION, "dynamodb", TARGET_PREFIXES["dynamodb"], lambda: credentials
    )
    table = DynamoTable(TABLE, transport)
    key, absent = Key(KEY["pk"]["S"], KEY["sk"]["S"]), (Absent(),)
    with patch("socket.create_connection", _NoSocket):
        assert table.get(key) == FIELDS  # from here on the connection is kept
    return lambda: table.get(key), lambda: table.put(key, dict(FIELDS), when=absent)


def botocores(
    item: dict[str, Any] | None = None, answers: dict[bytes, bytes] | None = None
) -> tuple[Callable[[], object], Callable[[], object]]:
    """botocore's GetItem, and its conditional PutItem of `item`, with their answers ready."""
    import botocore.session
    from botocore.awsrequest import AWSResponse

    session: Any = botocore.session.get_session()
    session.set_credentials("AKIDEXAMPLE", "secret", TOKEN)
    client: Any = session.create_client("dynamodb", region_name=REGION, endpoint_url=ENDPOINT)

    class Raw:
        def __init__(self, body: bytes) -> None:
            self._body = body

        def stream(self, **_: Any) -> Any:
            yield self._body

    def answer(request: Any, **_: Any) -> AWSResponse:
        body = (answers or ANSWERS)[request.headers["X-Amz-Target"].rpartition(b".")[2]]
        headers: Any = {"x-amz-crc32": str(zlib.crc32(body))}
        return AWSResponse(request.url, 200, headers, Raw(body))

    client.meta.events.register("before-send.dynamodb", answer)
    row = KEY | (item or TYPED)

    def put() -> object:
        return client.put_item(
            TableName=TABLE, Item=row, ConditionExpression="attribute_not_exists(pk)", ReturnValues="ALL_OLD"
        )

    return lambda: client.get_item(TableName=TABLE, Key=KEY), put


def cold(statement: str) -> float:
    """Milliseconds of CPU that a fresh interpreter spends on it, beyond starting; the least of several."""
    return _least(statement) - _least("pass")


def _least(statement: str) -> float:
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY / "layers/core/python")}
    spent = []
    for _ in range(IMPORTS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", statement], env=environ, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent) * 1000
