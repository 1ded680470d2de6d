"""How a row of the port lies in a DynamoDB table: `pk`, `sk`, its fields, `w` and perhaps `expires` (epoch seconds)."""

import binascii
import os
from collections.abc import Iterator

from ..ports.table import MAX_ITEM_BYTES, MAX_PK_BYTES, MAX_SK_BYTES, Item, ItemTooLarge, Key, item_size
from .expressions import OWN_FIELDS, UNTOKENED, Placeholders
from .marshal import Typed, TypedItem, from_typed_item, to_typed_item, typed_members
from .transport import Document, Refused


def typed_key(key: Key) -> TypedItem:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def key_of(typed: TypedItem) -> Key:
    return Key(typed["pk"]["S"], typed["sk"]["S"])


def stored(key: Key, item: Item, expires_at: int | None, token: str | None = None) -> TypedItem:
    """Raises ValueError for a field of the adapter's own or an unfit value or key, ItemTooLarge for a long key."""
    return to_typed_item(item) | to_typed_item(_own(key, item, expires_at, token))


def stored_text(key: Key, item: Item, expires_at: int | None, token: str) -> str:
    """The same in JSON."""
    members, own = typed_members(item), typed_members(_own(key, item, expires_at, token))
    return f"{{{members},{own}}}" if members else f"{{{own}}}"


def _own(key: Key, item: Item, expires_at: int | None, token: str | None) -> Item:
    """What a row has beside its fields."""
    if not OWN_FIELDS.isdisjoint(item):
        raise ValueError(f"a row's field cannot be named {', '.join(sorted(OWN_FIELDS & item.keys()))}")
    check_key(key)
    own: Item = {"pk": key.pk, "sk": key.sk}
    if token is not None or not item:
        own["w"] = token or UNTOKENED
    if expires_at is not None:
        own["expires"] = -(-expires_at // 1000)
    return own


def image(answer: Document) -> TypedItem | None:
    """The row before a write. An emulator shows the bare key for none; no row of ours is its key alone."""
    attributes: TypedItem | None = answer.get("Attributes")
    return attributes if attributes and len(attributes) > len(Key._fields) else None


def bare(typed: TypedItem) -> Item:
    """The row as the port shows it."""
    item = from_typed_item(typed)
    for field in OWN_FIELDS:
        item.pop(field, None)
    return item


def is_expired(typed: TypedItem, now_s: int) -> bool:
    expires: Typed | None = typed.get("expires")
    return expires is not None and int(expires["N"]) <= now_s


def is_storable(key: Key) -> bool:
    """Whether such a row can exist. A read of one that cannot finds nothing."""
    pk, sk = key
    if not pk or not sk:
        return False
    if pk.isascii() and sk.isascii():
        return len(pk) <= MAX_PK_BYTES and len(sk) <= MAX_SK_BYTES
    try:
        return len(pk.encode()) <= MAX_PK_BYTES and len(sk.encode()) <= MAX_SK_BYTES
    except UnicodeEncodeError:  # half a surrogate pair
        return False


def check_key(key: Key) -> None:
    """Raises ItemTooLarge for a key that is too long, ValueError for an empty or malformed one."""
    if not is_storable(key):
        key.pk.encode(), key.sk.encode()
        if not key.pk or not key.sk:
            raise ValueError("a key has no empty part")
        raise ItemTooLarge(f"a key has at most {MAX_PK_BYTES} + {MAX_SK_BYTES} bytes")


def check_sizes(payload: Document) -> None:
    """Raises ItemTooLarge when a put of this request exceeds the limit."""
    for typed in _put_items(payload):
        item = bare(typed)
        if (size := item_size(key_of(typed), item)) > MAX_ITEM_BYTES:
            raise ItemTooLarge(f"{size} bytes are more than {MAX_ITEM_BYTES}")


def _put_items(payload: Document) -> Iterator[TypedItem]:
    if "Item" in payload:
        yield payload["Item"]
    for requests in payload.get("RequestItems", {}).values():
        if isinstance(requests, list):  # a BatchWriteItem's; a BatchGetItem has keys here
            for request in requests:
                yield request["PutRequest"]["Item"]
    for write in payload.get("TransactItems", ()):
        if "Put" in write:
            yield write["Put"]["Item"]


def conditional(expression: str, places: Placeholders) -> Document:
    """A failed condition answers the row it found."""
    return {
        "ConditionExpression": expression,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        **places.parameters(),
    }


def if_absent(now_s: int) -> Document:
    """The same for `(Absent(),)`, ready-made."""
    return {
        "ConditionExpression": "expires <= :now OR attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        "ExpressionAttributeValues": {":now": {"N": str(now_s)}},
    }


def found_by(refusal: Refused) -> TypedItem | None:
    """The row that failed a condition. Re-raises every other refusal."""
    if refusal.code != "ConditionalCheckFailedException":
        raise refusal
    found: TypedItem | None = refusal.document.get("Item") or None
    return found


def has_token(typed: TypedItem | None, token: str) -> bool:
    return typed is not None and typed.get("w") == {"S": token}


def speaks_of_size(message: str) -> bool:
    """DynamoDB says "Item size has exceeded the maximum allowed size" with no code of its own."""
    return "maximum allowed size" in message or "maximum size limit" in message


def new_token() -> str:
    """Eight characters, 48 bits: it need only differ from the row's other recent writes."""
    return binascii.b2a_base64(os.urandom(6), newline=False).decode()
