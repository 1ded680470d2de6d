"""List requests at the edge: parameters in, a page with its `Link` header out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from . import wiring
from .access.store import PROJECT
from .caller import Caller
from .edge import Answer, Request
from .errors import Finding, Invalid, NotFound
from .ids import is_id
from .listing import Ask, Found, Lister, Load, PageOf
from .ports.table import Row
from .resources import Document, Kind, Resources, Stored, index_rows
from .rules.compile import compile_match
from .rules.fields import LISTS
from .rules.nodes import AllOf, Exact, Test
from .sight import Sight

MAX_PER_PAGE = 100
MAX_IDS = 100
SWEEP_AFTER_MS = 3_600_000


def ask_of(request: Request, kind: str, *, more: str = "") -> Ask:
    """The list parameters of a request. `more` is a filter that the address implies. Raises Invalid."""
    text = request.query.get("filter", "").strip()
    nodes = [
        compile_match(each, LISTS[kind], field="filter", strict=True, from_query=each is text).node
        for each in (text, more)
        if each
    ]
    node = AllOf(tuple(nodes)) if len(nodes) > 1 else nodes[0] if nodes else None
    return Ask(
        per_page=per_page_of(request),
        ascending=_ascending(request.query.get("sortOrder")),
        token=request.query.get("nextPageToken") or None,
        filter_text="\0".join((text, more)),
        node=node,
    )


def narrowed(ask: Ask, field: str, value: str) -> Ask:
    """The same, of what has this value in an indexed field that clients do not filter by."""
    test = Test(field, "=", (Exact(value, value),))
    node = test if ask.node is None else AllOf((test, ask.node))
    return replace(ask, node=node, filter_text=f"{ask.filter_text}\0{field}={value}")


def sight_of(request: Request) -> Sight:
    """What a list shows: all the key sees, narrowed by `?project=`. Raises NotFound for a project out of its sight."""
    sight = request.principal.sight
    if not (wanted := request.query.get("project")):
        return sight
    if not sight.sees_project(wanted):
        raise NotFound(f"There is no project {wanted[:60]}")
    if request.principal.project is None:
        Resources(request.caller.tables, PROJECT).read(wanted)
    return sight.within(wanted)


def lister[T](
    request: Request,
    kind: Kind,
    load: Load[T],
    *,
    sight: Sight | None = None,
    times: tuple[str, ...] = ("createdAt",),
) -> Lister[T]:
    """`sight` is the request's own when it is left out."""
    return Lister(
        tables=request.caller.tables,
        account=request.principal.account,
        kind=kind,
        load=load,
        secret=wiring.root_secrets().for_purpose("cursor"),
        scopes=(sight or sight_of(request)).scopes,
        times=times,
    )


def loads(caller: Caller, kind: Kind, sees: Callable[[Mapping[str, Any]], bool]) -> Load[Stored]:
    """Reads documents that index rows lead to, drops what is not seen, sweeps rows that point nowhere."""
    resources = Resources(caller.tables, kind)

    def load(rows: Sequence[Row]) -> dict[str, Found[Stored]]:
        ids = [row.key.sk.rpartition("\0")[2] for row in rows]
        stored = resources.read_many(ids, consistent=True)
        for row, each in zip(rows, ids, strict=True):
            if row.item.get("at", caller.at) < caller.at - SWEEP_AFTER_MS and not _holds(row, stored.get(each)):
                resources.sweep(row.key, row.item, stored.get(each))
        found = (Found(each, {**each.document, "id": each.id}) for each in stored.values())
        return {each.item.id: each for each in found if sees(each.document)}

    def _holds(row: Row, each: Stored | None) -> bool:
        return each is not None and row.key in index_rows(kind, each.id, each.document)

    return load


def by_ids(request: Request, resources: Resources) -> list[Stored]:
    """The documents of `?ids=a,b,c`, in that order; those that are not there, or not to be seen, are left out."""
    ids = [each for each in request.query["ids"].split(",") if each]
    if not 1 <= len(ids) <= MAX_IDS:
        raise Invalid(f"ids takes 1 to {MAX_IDS} ids; there are {len(ids)}")
    for each in ids:
        if not is_id(each):
            raise Invalid(f"ids: {each[:40]!r} is no id")
    stored = resources.read_many(ids, consistent=True)
    found = (stored[each] for each in dict.fromkeys(ids) if each in stored)
    return [each for each in found if request.caller.sees(each.document)]


def listed[T](request: Request, page: PageOf[T], documents: list[Document], *, count: int | None = None) -> Answer:
    """The answer of a list: an array, the address of the next page, a count where clients read one."""
    headers = {} if page.token is None else next_address_of(request, page.token)
    if count is not None:
        headers["x-result-count"] = str(count)
    return Answer(document=documents, headers=headers)


def next_address_of(request: Request, token: str) -> dict[str, str]:
    """The header that says where the next page is, as the platform writes it: encoded."""
    return {"link": f'<{quote(next_address(request, token), safe="")}>; rel="next"'}


def next_address(request: Request, token: str) -> str:
    """The same request one page on. Everything the client asked for is in it."""
    query = {**request.query, "nextPageToken": token}
    return f"{wiring.settings().api_url}{request.path}?{urlencode(query, quote_via=quote)}"


def per_page_of(request: Request) -> int:
    """How many a page shows. Raises Invalid."""
    text = request.query.get("perPage")
    if text is None:
        return 30
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_PER_PAGE:
        finding = Finding(field="perPage", message=f"a number from 1 to {MAX_PER_PAGE}", near=text[:40])
        raise Invalid(f"perPage takes a number from 1 to {MAX_PER_PAGE}, not {text[:40]!r}", details=[finding])
    return int(text)


def _ascending(text: str | None) -> bool:
    match text:
        case None | "DESCENDING":
            return False
        case "ASCENDING":
            return True
        case _:
            finding = Finding(field="sortOrder", message="unknown order", expected=("ASCENDING", "DESCENDING"))
            raise Invalid(f"sortOrder takes ASCENDING or DESCENDING, not {text[:40]!r}", details=[finding])
