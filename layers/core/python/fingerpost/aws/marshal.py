"""Items to and from DynamoDB's typed JSON: `{"name": {"S": "x"}, "count": {"N": "3"}}`.

Numbers follow the port: int when whole, else float; at most 38 digits. DynamoDB keeps decimals, so a float is sent as
its shortest text and comes back as the same float.
"""

import binascii
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

from ..ports.table import Item, Value
from .transport import encode

type Typed = dict[str, Any]  # one value: {"S": "x"}
type TypedItem = dict[str, Typed]

MAX_DEPTH = 32  # DynamoDB's limit on nesting
_TOO_LONG = 10**38
_LEAST, _MOST = 1e-130, 1e126  # DynamoDB's range of magnitudes


def to_typed_item(item: Mapping[str, Value]) -> TypedItem:
    """Raises ValueError for what DynamoDB cannot hold: NaN, 39 digits, nesting beyond 32, an empty name."""
    typed: TypedItem = {}
    for name, value in item.items():
        if type(value) is str:  # nearly all of them
            typed[name] = {"S": value}
        elif type(value) is int and -_TOO_LONG < value < _TOO_LONG:
            typed[name] = {"N": str(value)}
        else:
            typed[name] = to_typed(value)
    if "" in typed:
        raise ValueError("a field needs a name")
    return typed


def typed_members(item: Mapping[str, Value]) -> str:
    """What is between the braces of `to_typed_item` in JSON, without making it first. Raises as that does."""
    members = []
    for name, value in item.items():
        if type(value) is str:
            members.append(f'{encode_basestring(name)}:{{"S":{encode_basestring(value)}}}')
        elif type(value) is int and -_TOO_LONG < value < _TOO_LONG:
            members.append(f'{encode_basestring(name)}:{{"N":"{value}"}}')
        elif type(value) is float:
            members.append(f'{encode_basestring(name)}:{{"N":"{number_text(value)}"}}')
        else:
            members.append(f"{encode_basestring(name)}:{encode(to_typed(value))}")
    if "" in item:
        raise ValueError("a field needs a name")
    return ",".join(members)


def to_typed(value: Value, depth: int = 1) -> Typed:
    """Raises ValueError as `to_typed_item` does, TypeError for anything that is no Value."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": number_text(value)}
        case None:
            return {"NULL": True}
        case bytes():
            return {"B": binascii.b2a_base64(value, newline=False).decode()}
    if depth >= MAX_DEPTH:
        raise ValueError(f"a value is nested deeper than {MAX_DEPTH} levels")
    match value:
        case list():
            return {"L": [to_typed(member, depth + 1) for member in value]}
        case dict():
            if "" in value:
                raise ValueError("a field needs a name")
            return {"M": {name: to_typed(member, depth + 1) for name, member in value.items()}}
    raise TypeError(f"a row cannot hold a {type(value).__name__}")


def number_text(value: int | float) -> str:
    """Raises ValueError for a number that DynamoDB would refuse or round."""
    if isinstance(value, float):
        if not value.is_integer():
            if _LEAST <= abs(value) < _MOST:  # False for NaN and the infinities too
                return repr(value)
            raise ValueError(f"a row cannot hold the number {value!r}")
        value = int(value)
    if not -_TOO_LONG < value < _TOO_LONG:
        raise ValueError("a number has at most 38 digits")
    return str(value)


def from_typed_item(typed: TypedItem) -> Item:
    item: Item = {}
    for name, member in typed.items():
        if (text := member.get("S")) is not None:
            item[name] = text
        elif (digits := member.get("N")) is not None:
            item[name] = number(digits)
        else:
            item[name] = from_typed(member)
    return item


def from_typed(typed: Typed) -> Value:
    """Sets, which we never write, come back as lists. Raises ValueError for an unknown type."""
    [(kind, value)] = typed.items()
    match kind, value:
        case "S", str():
            return value
        case "N", str():
            return number(value)
        case "BOOL", bool():
            return value
        case "NULL", _:
            return None
        case "B", str():
            return binascii.a2b_base64(value)
        case "L", list():
            return [from_typed(member) for member in value]
        case "M", dict():
            return {name: from_typed(member) for name, member in value.items()}
        case (("SS" | "NS" | "BS"), list()):
            return [from_typed({kind[0]: member}) for member in value]
    raise ValueError(f"not a typed value: {kind}")


def number(text: str) -> int | float:
    """DynamoDB's text of a number. Exact when whole."""
    try:
        return int(text)
    except ValueError:
        pass
    near = float(text)
    if not near.is_integer():
        return near
    from decimal import Decimal  # noqa: PLC0415 ("1E+30" or "2.0", which only foreign writers leave)

    exact = Decimal(text)
    return int(exact) if exact == exact.to_integral_value() else near
