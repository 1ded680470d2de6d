"""Items as SQLite keeps them: JSON text of what DynamoDB would hold. What conditions and changes mean for them.

Text that begins with `{` is the item's JSON. Text that begins with `~` is that of an item with bytes somewhere: there,
`["b", "<base64>"]` is bytes and `["l", ...]` a list. Pure functions.
"""

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

from ..ports.table import (
    MAX_ITEM_BYTES,
    MAX_PK_BYTES,
    MAX_SK_BYTES,
    Absent,
    AbsentOrBelow,
    Add,
    AtMost,
    Condition,
    Equals,
    FieldChange,
    Item,
    ItemTooLarge,
    Key,
    Present,
    Remove,
    Set,
    Value,
    item_size,
)

MAX_DEPTH = 32  # levels of nesting; source: DynamoDB's service quotas
OWN_FIELDS = frozenset(("pk", "sk", "w", "expires"))  # which DynamoDB rows need for themselves
_TOO_LONG = 10**38
_LEAST = 1e-130  # the smallest magnitude DynamoDB keeps
_CERTAINLY_FITS = 50_000  # characters of JSON: even at 4 bytes a character and 2 a digit far below 400 KB
_ONE_DIGIT_SAFE = 10**15  # whole numbers below it have a single way to be written

_TEXT = frozenset((str,))

_encode_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False).encode
_decode_json = json.JSONDecoder().raw_decode


def is_storable(key: Key) -> bool:
    """Whether such a row can exist. A read of one that cannot finds nothing."""
    pk, sk = key
    try:
        return 0 < len(pk.encode()) <= MAX_PK_BYTES and 0 < len(sk.encode()) <= MAX_SK_BYTES
    except UnicodeEncodeError:  # half a surrogate pair
        return False


def check_key(key: Key) -> None:
    """Raises ValueError for an empty part or half a surrogate pair, ItemTooLarge for a part that is too long."""
    if is_storable(key):
        return
    key.pk.encode(), key.sk.encode()
    if not all(key):
        raise ValueError(f"a key has two parts that are not empty, unlike {tuple(key)!r}")
    raise ItemTooLarge(f"a key is at most {MAX_PK_BYTES} and {MAX_SK_BYTES} bytes")


def encode(key: Key, item: Item) -> str:
    """The text of `item`. Raises ValueError or TypeError for what DynamoDB cannot hold, ItemTooLarge past 400 KB."""
    if not OWN_FIELDS.isdisjoint(item):
        raise ValueError(f"a field cannot have one of the names {', '.join(sorted(OWN_FIELDS))}")
    if _has_good_names(item) and _is_plain(item.values(), 1):
        text = _encode_json(item)
    else:
        item = _normal_map(item, 1)
        text = "~" + _encode_json(_tagged_map(item)) if _holds_bytes(item.values()) else _encode_json(item)
    if not text.isascii():
        text.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    if len(text) > _CERTAINLY_FITS and item_size(key, item) > MAX_ITEM_BYTES:
        raise ItemTooLarge(f"an item is at most {MAX_ITEM_BYTES} bytes")
    return text


def decode(text: str) -> Item:
    if text[0] == "~":
        return {name: _untagged(value) for name, value in _decode_json(text, 1)[0].items()}
    item: Item = _decode_json(text)[0]
    return item


def same_text(one: str, other: str) -> bool:
    """Whether two texts are one item: the order of fields does not count, and `true` is not 1."""
    if one == other:
        return True
    return len(one) == len(other) and _sorted(one) == _sorted(other)


def hold(conditions: tuple[Condition, ...], old: Item | None) -> bool:
    """Whether all of `conditions` hold for the row as it is."""
    for condition in conditions:  # noqa: SIM110 - a generator costs more than most conditions
        if not _holds(condition, old):
            return False
    return True


def changed(old: Item | None, changes: Sequence[FieldChange]) -> Item:
    """`old` (or nothing) with `changes` made. Raises ValueError for an `Add` to what is no number, or a field twice."""
    if len({change.field for change in changes}) < len(changes):
        raise ValueError("an update changes a field once")
    new = dict(old or {})
    for change in changes:
        match change:
            case Set(field, value):
                new[field] = value
            case Remove(field):
                new.pop(field, None)
            case Add(field, amount):
                new[field] = _sum(field, new.get(field, 0), amount)
    return new


def _holds(condition: Condition, old: Item | None) -> bool:
    match condition:
        case Absent():
            return old is None
        case Present():
            return old is not None
        case Equals(field, value):
            _check_operand(value, ordered=False)
            if old is None or field not in old:
                return False
            found = old[field]
            return isinstance(found, bool) is isinstance(value, bool) and found == value
        case AtMost(field, value):
            _check_operand(value, ordered=True)
            return old is not None and field in old and _compare(old[field], value, or_equal=True)
        case AbsentOrBelow(field, value):
            _check_operand(value, ordered=True)
            return old is None or field not in old or _compare(old[field], value, or_equal=False)


def _check_operand(value: object, *, ordered: bool) -> None:
    if (
        not isinstance(value, str | int | float)
        or (isinstance(value, float) and not math.isfinite(value))
        or (ordered and isinstance(value, bool))
    ):
        raise ValueError(f"a condition cannot compare with {value!r}")
    if isinstance(value, str):
        value.encode()  # half a surrogate pair is a ValueError


def _compare(found: Value, bound: str | int | float, *, or_equal: bool) -> bool:
    """Numbers with numbers, text with text (code points are in the order of their UTF-8 bytes), else False."""
    if isinstance(found, str) and isinstance(bound, str):
        return found < bound or (or_equal and found == bound)
    if _is_number(found) and _is_number(bound):
        return found < bound or (or_equal and found == bound)  # type: ignore[operator]
    return False


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sum(field: str, found: Value, amount: int | float) -> int | float:
    if not isinstance(found, int | float) or isinstance(found, bool):
        raise ValueError(f"cannot add to {field!r}: it is no number")
    if isinstance(found, int) and isinstance(amount, int):
        return found + amount
    if not math.isfinite(amount):
        raise ValueError(f"cannot add {amount!r} to {field!r}")
    total = Context(prec=38).add(Decimal(repr(found)), Decimal(repr(amount)))  # as DynamoDB does: 0.1 + 0.2 is 0.3
    return int(total) if total == total.to_integral_value() else float(total)


def _has_good_names(members: Mapping[Any, object]) -> bool:
    return _TEXT.issuperset(map(type, members)) and "" not in members


def _is_plain(members: Iterable[Any], depth: int) -> bool:
    """Whether JSON writes all of these as they must be kept. Cheap, as nearly every item is; never wrongly True."""
    if depth > MAX_DEPTH:
        return False
    for member in members:
        kind = type(member)
        if kind is str or member is None or kind is bool:
            continue
        if kind is int and -_ONE_DIGIT_SAFE < member < _ONE_DIGIT_SAFE:
            continue
        if kind is float and 1e-5 < abs(member) < 1e15 and not member.is_integer():
            continue
        if kind is list and _is_plain(member, depth + 1):
            continue
        if kind is dict and _has_good_names(member) and _is_plain(member.values(), depth + 1):
            continue
        return False
    return True


def _normal_map(item: Mapping[Any, Any], depth: int) -> Item:
    if depth > MAX_DEPTH:
        raise ValueError(f"an item is nested at most {MAX_DEPTH} levels deep")
    for name in item:
        if not isinstance(name, str) or not name:
            raise ValueError(f"a field's name is text, not {name!r}")
    return {str.__str__(name): _normal(value, depth) for name, value in item.items()}


def _normal(value: Any, depth: int) -> Value:
    match value:
        case None | bool() | bytes():
            return value
        case str():
            return str.__str__(value)
        case int() | float():
            return _normal_number(value)
        case list():
            if depth + 1 > MAX_DEPTH:
                raise ValueError(f"an item is nested at most {MAX_DEPTH} levels deep")
            return [_normal(member, depth + 1) for member in value]
        case dict():
            return _normal_map(value, depth + 1)
        case _:
            raise TypeError(f"an item cannot hold a {type(value).__name__}")


def _normal_number(value: int | float) -> int | float:
    """Whole floats become int. Raises ValueError for what DynamoDB would refuse or round."""
    if isinstance(value, float) and not value.is_integer():
        if not math.isfinite(value) or abs(value) < _LEAST:
            raise ValueError(f"an item cannot hold the number {value!r}")
        return float(value)
    number = int(value)
    if not -_TOO_LONG < number < _TOO_LONG:
        raise ValueError("a number has at most 38 digits")
    return number


def _holds_bytes(members: Iterable[Value]) -> bool:
    for member in members:
        kind = type(member)
        if kind is bytes:
            return True
        if kind is list and _holds_bytes(member):  # type: ignore[arg-type]
            return True
        if kind is dict and _holds_bytes(member.values()):  # type: ignore[union-attr]
            return True
    return False


def _tagged_map(item: Mapping[str, Value]) -> Item:
    return {name: _tagged(value) for name, value in item.items()}


def _tagged(value: Value) -> Value:
    match value:
        case bytes():
            return ["b", base64.b64encode(value).decode()]
        case list():
            return ["l", *(_tagged(member) for member in value)]
        case dict():
            return _tagged_map(value)
        case _:
            return value


def _untagged(value: Any) -> Value:
    match value:
        case ["b", text]:
            return base64.b64decode(text)
        case ["l", *members]:
            return [_untagged(member) for member in members]
        case dict():
            return {name: _untagged(member) for name, member in value.items()}
        case _:
            return value  # type: ignore[no-any-return]


def _sorted(text: str) -> str:
    return text[0] + json.dumps(_decode_json(text, text[0] == "~")[0], sort_keys=True)
