"""Where a list goes on: the last sort key a page showed, signed for one account and one question.

A cursor is base64url(signature | version | digest | position): 8 bytes, 1 byte, 8 bytes, the sort key in UTF-8. It
holds no partition key; the reader derives that from the caller again, so a cursor opens nothing the caller could not
read, and it stays good when a list gets more shards.
"""

import base64
import binascii
import hashlib
import hmac
import re

from .errors import Invalid

MAX_CURSOR_CHARACTERS = 2_048

_VERSION = b"\x01"
_PURPOSE = b"fingerpost list cursor\0"  # no other signature under the same secret can pass for a cursor's
_SIGNATURE_BYTES = _DIGEST_BYTES = 8
_TEXT = re.compile(r"[A-Za-z0-9_-]+")


class InvalidCursor(Invalid):
    """The page token was not made here, or was made for another account or another filter."""

    code = "invalidCursor"


def filter_digest(account: str, *parts: str) -> str:
    """16 hexadecimal digits that stand for whose list it is and what was asked: scope, type, filter, order.

    The account comes first so that no cursor is good in two of them. Parts are told apart: ("a", "b") is not ("ab",).
    """
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for part in (account, *parts):
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8) + encoded)
    return digest.hexdigest()


def encode(secret: bytes, position: str, digest: str) -> str:
    """A URL-safe page token for what lies beyond the sort key `position` in the list that `digest` names."""
    signed = _VERSION + bytes.fromhex(digest) + position.encode()
    return base64.urlsafe_b64encode(_signature(secret, signed) + signed).rstrip(b"=").decode()


def decode(secret: bytes, text: str, digest: str) -> str:
    """The sort key in a page token. Raises InvalidCursor when it is damaged, forged, or belongs to another list."""
    if len(text) > MAX_CURSOR_CHARACTERS or not _TEXT.fullmatch(text):
        raise _unreadable()
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise _unreadable() from None
    signature, signed = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if signed[:1] != _VERSION or not hmac.compare_digest(signature, _signature(secret, signed)):
        raise _unreadable()
    digest_end = 1 + _DIGEST_BYTES
    if signed[1:digest_end] != bytes.fromhex(digest):
        raise InvalidCursor(
            "This nextPageToken belongs to another list: the filter, project, order or key has changed. "
            "Start over without nextPageToken."
        )
    return signed[digest_end:].decode()


def _signature(secret: bytes, signed: bytes) -> bytes:
    return hmac.digest(secret, _PURPOSE + signed, "sha256")[:_SIGNATURE_BYTES]


def _unreadable() -> InvalidCursor:
    return InvalidCursor("This nextPageToken cannot be read. Start over without nextPageToken.")
