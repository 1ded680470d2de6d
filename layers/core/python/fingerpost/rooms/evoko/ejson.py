"""EJSON: JSON with moments and bytes in it. Pure; standard library only. Source: Meteor, packages/ddp/DDP.md.

`{"$date": ms}` is a Moment, `{"$binary": base64}` bytes; `{"$escape": {...}}` is an object that only looks like one of
these. A type of a client's own (`$type`, `$value`) stays the object that it is.
"""

import base64
import binascii
import json
import math
import re
from typing import Any

from ...frozen import Frozen

MAX_DEPTH = 32
_LONE = re.compile("[\ud800-\udfff]")  # half a character: no UTF-8 can say it
_MARKS = frozenset({"$date", "$binary", "$escape", "$InfNaN"})


class Moment(Frozen):
    """Milliseconds since the epoch."""

    at: int


class Malformed(Exception):
    """A text that is no EJSON."""


def decoded(text: str) -> Any:
    """Raises Malformed."""
    try:
        return _read(json.loads(text, parse_constant=_no_constant), 0)
    except (ValueError, RecursionError, OverflowError) as error:
        raise Malformed(str(error)) from error


def encoded(value: Any) -> str:
    return json.dumps(_written(value), ensure_ascii=False, separators=(",", ":"))


def _read(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError(f"objects are nested at most {MAX_DEPTH} deep")
    match value:
        case {"$date": int() | float() as at} if len(value) == 1 and not isinstance(at, bool):
            return Moment(int(at))
        case {"$binary": str(text)} if len(value) == 1:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise ValueError("$binary is not base64") from error
        case {"$InfNaN": int(sign)} if len(value) == 1:
            return float("nan") if sign == 0 else float("inf") * sign
        case {"$escape": dict(inner)} if len(value) == 1:
            return {name: _read(each, depth + 1) for name, each in inner.items()}
        case dict():
            return {_read(name, depth): _read(each, depth + 1) for name, each in value.items()}
        case list():
            return [_read(each, depth + 1) for each in value]
        case str() if _LONE.search(value):
            raise ValueError("half of a surrogate pair")
        case _:
            return value


def _written(value: Any) -> Any:
    match value:
        case Moment():
            return {"$date": value.at}
        case bytes():
            return {"$binary": base64.b64encode(value).decode()}
        case dict():
            inner = {name: _written(each) for name, each in value.items()}
            return {"$escape": inner} if len(value) == 1 and not _MARKS.isdisjoint(value) else inner
        case list() | tuple():
            return [_written(each) for each in value]
        case float() if not math.isfinite(value):
            return {"$InfNaN": 0 if math.isnan(value) else 1 if value > 0 else -1}
        case _:
            return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
