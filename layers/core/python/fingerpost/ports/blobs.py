"""Bytes under a name, shaped like an S3 bucket: what is too large for a row, or not worth one.

A blob is written once and never changed: whoever wants other content takes another name. What was written is on disk
when the call answers, and any reader finds all of it or nothing.
Both adapters (aws/blobs.py, local/blobs.py) pass tests/ports/test_blobs.py.
"""

import re
from dataclasses import dataclass
from typing import Protocol

MAX_BLOB_BYTES = 10 * 1024 * 1024
MAX_NAME_LENGTH = 200

# Lower case only, for file systems that take capitals for the same name; no segment begins with a dot.
_NAME = re.compile(r"[a-z0-9_-][a-z0-9._-]*(/[a-z0-9_-][a-z0-9._-]*){0,9}")
_TOKEN = r"[a-zA-Z0-9!#$&^_.+-]{1,60}"  # noqa: S105 - RFC 6838, 4.2
_CONTENT_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}(; ?{_TOKEN}={_TOKEN})?")


@dataclass(frozen=True, slots=True)
class Blob:
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class BlobFacts:
    """What there is to know of a blob without reading it."""

    size: int  # bytes
    content_type: str


class Blobs(Protocol):
    """May be shared by threads. Every call raises ValueError for what `check_name` or `check_blob` refuses, Throttled
    when the store refuses for now, or has no room, and Unreachable when no answer comes (both of ports/table.py)."""

    def put_if_absent(self, name: str, content: bytes, *, content_type: str) -> bool:
        """Write a blob unless one has the name: False then, and that one stays. Of several at once, one writes."""
        ...

    def get(self, name: str) -> Blob | None: ...

    def head(self, name: str) -> BlobFacts | None: ...

    def upload_address(self, name: str, *, content_type: str, seconds: int) -> str | None:
        """An address that takes one blob's content as a PUT with that Content-Type, from whoever has it, for a while.

        None where there is none, and requests carry everything.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove a blob; nothing happens when there is none."""
        ...


def check_name(name: str) -> None:
    """Raises ValueError unless `name` is segments of small letters, digits and `._-`, joined by `/`, 200 in all."""
    if len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        raise ValueError(f"not the name of a blob: {name[:MAX_NAME_LENGTH]!r}")


def check_blob(name: str, content: bytes, content_type: str) -> None:
    """Raises ValueError for a blob that a store need not take."""
    check_name(name)
    if len(content) > MAX_BLOB_BYTES:
        raise ValueError(f"a blob holds at most {MAX_BLOB_BYTES} bytes, not {len(content)}")
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise ValueError(f"not a content type: {content_type[:100]!r}")
