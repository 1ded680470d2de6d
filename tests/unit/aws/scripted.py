"""A transport that keeps what it is asked and answers by a script."""

import json
from typing import Any, NamedTuple

from fingerpost.aws.table import DynamoTable
from fingerpost.aws.transport import Refused
from fingerpost.ports.table import Key

NOW_S = 1_750_000_000
KEY, OTHER = Key("a", "1"), Key("a", "2")
TYPED, TYPED_OTHER = ({"pk": {"S": "a"}, "sk": {"S": sk}} for sk in "12")
NOW = {":now": {"N": str(NOW_S)}}
ALIVE = "attribute_not_exists(expires) OR expires > :now"


class Sent(NamedTuple):
    action: str
    document: dict[str, Any]
    deadline_ms: int
    repeatable: bool


class Scripted:
    """Raises or answers `script` in turn, and `{}` after its end."""

    def __init__(self, *script: Any):
        self.script, self.sent = list(script), []

    def call(self, action: str, body: bytes, *, deadline_ms: int, repeatable: bool) -> dict[str, Any]:
        self.sent.append(Sent(action, json.loads(body), deadline_ms, repeatable))
        answer = self.script.pop(0) if self.script else {}
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [sent.document for sent in self.sent]


def scripted(*script: Any, **more: Any) -> tuple[DynamoTable, Scripted]:
    """A table named `t` at half past NOW_S, and its transport."""
    transport = Scripted(*script)
    return DynamoTable("t", transport, clock=lambda: NOW_S * 1000 + 500, **more), transport  # type: ignore[arg-type]


def refused(code: str, message: str = "", *, after_silence: bool = False, **document: Any) -> Refused:
    return Refused(code, message, document=document, after_silence=after_silence)


def typed(n: int, key: dict[str, Any] = TYPED, expires: int | None = None, token: str | None = None) -> dict[str, Any]:
    """A row with the field `n`, as it lies in the table."""
    more = {} if expires is None else {"expires": {"N": str(expires)}}
    return key | {"n": {"N": str(n)}} | more | ({} if token is None else {"w": {"S": token}})


LIVING, EXPIRED, OWN = typed(7, expires=NOW_S + 1), typed(7, expires=NOW_S), typed(7, token="token")
