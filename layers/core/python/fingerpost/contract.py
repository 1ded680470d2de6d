"""What the description of the API says of a route beside its address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

UNSAID: Any = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a route reads and answers; a test refuses one that does not say so.

    `body` is the type of a document, None when the route reads none. `answers` is the type of a document, a media type
    such as `text/html`, a tuple of several, or None for no body; `also` are answers of other statuses than `status`.
    """

    body: Any = UNSAID
    reads: str = "application/json"  # the media type of that
    uploads: str = ""  # the field of a form that holds a file, where the route reads that in place of a document
    answers: Any = UNSAID
    status: int = 200
    versioned: bool = False  # whether answers have an ETag, and a change may name it
    counted: bool = False  # whether `x-result-count` says how many there are in all
    also: Mapping[int, Any] = field(default_factory=dict)
    query: tuple[str, ...] = ()  # names of parameters, as openapi.PARAMETERS has them

    @property
    def headers(self) -> frozenset[str]:
        """What answers can have besides what every answer has."""
        said = {"etag": self.versioned, "x-result-count": self.counted, "link": "nextPageToken" in self.query}
        return frozenset(name for name, is_said in said.items() if is_said)

    @property
    def answered(self) -> Mapping[int, tuple[Any, ...]]:
        """By status what goes out: types of documents, and media types."""
        said = {self.status: self.answers, **self.also}
        return {status: _several(each) for status, each in said.items()}


def _several(answers: Any) -> tuple[Any, ...]:
    if answers is None or answers is UNSAID:
        return ()
    return answers if isinstance(answers, tuple) else (answers,)
