"""What a connection has of each collection, and what it is to be told so that it has what it should. Pure.

Overlapping subscriptions share their documents (DDP.md, "Managing Data"): a document is sent once, and removed when no
subscription covers it any more. Of what was sent only digests are kept, one for each field.
"""

import hashlib
import json
import zlib
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from . import protocol
from .ejson import encoded
from .protocol import Message

DIGEST_BYTES = 4


class Document(NamedTuple):
    """`room` is the id of the room that it belongs to, which subscriptions can be limited to; empty for none."""

    room: str
    fields: Mapping[str, Any]


class Sent(NamedTuple):
    """What is known of a document that a connection has: digests of its fields, by name."""

    room: str
    digests: Mapping[str, str]


def sent_of(document: Document) -> Sent:
    return Sent(document.room, {name: _digest(value) for name, value in document.fields.items()})


def difference(
    collection: str, has: Mapping[str, Sent], wanted: Mapping[str, Document], scope: Collection[str]
) -> tuple[list[Message], dict[str, Sent]]:
    """The messages by which a connection comes to have `wanted` of the ids in `scope`, and all that it has then."""
    messages: list[Message] = []
    after = dict(has)
    for document_id in sorted(scope):
        before, document = has.get(document_id), wanted.get(document_id)
        if document is None:
            if after.pop(document_id, None) is not None:
                messages.append(protocol.removed(collection, document_id))
            continue
        now = after[document_id] = sent_of(document)
        if before is None:
            messages.append(protocol.added(collection, document_id, document.fields))
        elif before.digests != now.digests:
            fields = {
                name: value for name, value in document.fields.items() if before.digests.get(name) != now.digests[name]
            }
            cleared = sorted(before.digests.keys() - now.digests.keys())
            messages.append(protocol.changed(collection, document_id, fields, cleared))
    return messages, after


def packed(has: Mapping[str, Sent]) -> bytes:
    return zlib.compress(json.dumps(has, separators=(",", ":"), sort_keys=True).encode())


def unpacked(content: bytes) -> dict[str, Sent]:
    return {name: Sent(*each) for name, each in json.loads(zlib.decompress(content)).items()}


def _digest(value: Any) -> str:
    return hashlib.sha256(encoded(value).encode(errors="surrogatepass")).hexdigest()[: 2 * DIGEST_BYTES]
