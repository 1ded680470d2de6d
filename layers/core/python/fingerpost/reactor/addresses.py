"""Which application an address of the Reactor is about, and pages of its rows."""

from collections.abc import Callable

from .. import cursor, wiring
from ..edge import Request
from ..errors import NotFound
from ..paging import per_page_of
from ..ports.table import Page
from .targets import Target, target

REACTOR = "/projects/{projectId}/applications/{applicationId}/reactor"
OWN = "/applications/me/reactor"


def target_of(request: Request) -> Target:
    """The application of the address, or the one that asks, which sees no other. Raises NotFound."""
    own = request.principal.app
    project = request.parameters.get("projectId", request.principal.project or "")
    app = request.parameters.get("applicationId", own or "")
    if request.principal.actor != "operator" and app != own:
        raise NotFound(f"There is no application {app[:60]}")
    if not app:
        raise NotFound("An Operator key is no application: name one, as in /projects/{id}/applications/{id}/reactor")
    return target(request.caller, project, app)


def page_of(request: Request, read: Callable[[str | None, int], Page], what: str, app: str) -> tuple[Page, str | None]:
    """One page of what `read` brings (after a sort key, so many), and the token of the next. Raises InvalidCursor."""
    digest = cursor.filter_digest(request.principal.account, what, app)
    token = request.query.get("nextPageToken")
    after = cursor.decode(secret(), token, digest) if token else None
    page = read(after, per_page_of(request))
    return page, cursor.encode(secret(), page.after, digest) if page.after else None


def secret() -> bytes:
    """What signs page tokens."""
    return wiring.root_secrets().for_purpose("cursor")
