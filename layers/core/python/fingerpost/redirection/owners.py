"""Whose rules a request is about: those of the account, or of the application that its address names."""

from collections.abc import Callable
from typing import Any

from ..access.model import Verb
from ..access.service import read_application
from ..contract import UNSAID
from ..edge import Edge, Handle, Request
from ..keys import APPLICATION_RULES
from .versions import ACCOUNT, Owner

APPLICATION = "/projects/{projectId}/applications/{applicationId}/redirector"
BASES = ("/redirector", APPLICATION)


def rules_route(
    edge: Edge, method: str, path: str, verb: Verb, *, bodies: tuple[Any, Any] = (UNSAID, UNSAID), **says: Any
) -> Callable[[Handle], Handle]:
    """Register `path` below the rules of the account and below those of each application.

    `bodies` are the documents that it takes at the one and at the other; `says` is the rest of its `Contract`.
    """

    def register(handle: Handle) -> Handle:
        for base, body in zip(BASES, bodies, strict=True):
            edge.route(method, base + path, verb=verb, of="redirector", body=body, **says)(handle)
        return handle

    return register


def owner_of(request: Request) -> Owner:
    """The account, or the application of the address. Raises NotFound."""
    project = request.parameters.get("projectId")
    if project is None:
        return ACCOUNT
    stored = read_application(request.caller, project, request.parameters["applicationId"])
    return Owner(APPLICATION_RULES + stored.id, project)
