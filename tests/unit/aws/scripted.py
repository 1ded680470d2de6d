"""A transport that keeps what it is asked and answers by a script."""

import json
from typing import Any, NamedTuple

from fingerpost.aws.table import DynamoTable
from fingerpost.aws.transport import Refused

NOW_S = 1_750_000_000


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
