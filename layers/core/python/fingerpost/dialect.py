"""How the addresses of another system's API differ from ours: who asks, how it refuses, which paths are its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import wiring
from .access.authentication import authenticate
from .access.model import Principal
from .answers import ErrorDocument
from .errors import FingerpostError, error_document
from .http import Event, header
from .ports.table import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """`who` raises Unauthenticated or Forbidden; its tables are unscoped. It is not asked where no key is needed.

    `refuse` is (what is wrong, in which request) -> (status, document); `refusal` is the type of that document. A text
    is a page of HTML; its type is `text/html`.
    """

    who: Callable[[Tables, Event, int], Principal]
    refuse: Callable[[FingerpostError, Event], tuple[int, Any]]
    refusal: Any
    scheme: tuple[str, Mapping[str, Any]]  # how clients show who they are: its name, and as OpenAPI says it
    mounts: tuple[str, ...] = field(default=())  # what the gateway hands over whole, such as `/api/v1/{path+}`


def _refused(error: FingerpostError, _event: Event) -> tuple[int, Any]:
    return error.status, error_document(error, wiring.settings().api_url)


OURS = Dialect(
    who=lambda tables, event, _at: authenticate(tables, header(event, "authorization")),
    refuse=_refused,
    refusal=ErrorDocument,
    scheme=("key", {"type": "apiKey", "in": "header", "name": "Authorization"}),
)
