"""Conditional requests: which version of a document a change is meant for. Standard library only. Source: RFC 9110, 13.

An entity tag is a version and a digest of what was answered. One version shows in several ways (with scopes, with the
properties or hits of the moment), so a change compares versions alone, and who asks whether anything is new the whole.
"""

import hashlib

from .errors import PreconditionFailed
from .frozen import Frozen

DIGEST_BYTES = 8


class Match(Frozen):
    """What a change takes for granted of the document: one of these versions; None stands for any at all."""

    versions: frozenset[str] | None = None
    exists: bool = False

    @property
    def asks(self) -> bool:
        return self.exists or self.versions is not None

    def check(self, version: str | None, title: str) -> None:
        """`version` is what is there, None when nothing is. Raises PreconditionFailed."""
        if (version is None and self.asks) or (self.versions is not None and version not in self.versions):
            raise PreconditionFailed(
                f"The {title} is not what it was when you read it. Nothing was changed; read it again, and send your "
                "change with the ETag of that"
            )


ANYTHING = Match()


def match_of(header: str) -> Match:
    """What `If-Match` asks for. Also weak tags count, which a cache that compresses makes of ours."""
    if not header.strip():
        return ANYTHING
    if header.strip() == "*":
        return Match(exists=True)
    return Match(frozenset(tag.rpartition(".")[0] for tag in _tags(header)))


def entity_tag(version: str, content: bytes) -> str:
    return f'"{version}.{hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest()}"'


def is_known(tag: str, header: str) -> bool:
    """Whether `If-None-Match` names what would be answered."""
    return header.strip() == "*" or tag.strip('"') in _tags(header)


def _tags(header: str) -> frozenset[str]:
    return frozenset(each.strip().removeprefix("W/").strip('"') for each in header.split(","))
