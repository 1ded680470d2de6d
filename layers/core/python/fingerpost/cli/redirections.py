"""`fingerpost redirections`: short links, one at a time; `import` brings those of other shorteners."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from .command import Session, command, group
from .failure import Refused, Usage
from .reading import moment_of
from .terminal import moment

redirections = group("Short links: make, list, change, delete, import.")

PLURALS = {"thng": "thngs", "product": "products", "collection": "collections", "place": "places"}
STATES = {"notYet": "not yet", "ended": "ended", "exhausted": "exhausted"}

ShortId = Annotated[str, typer.Argument(metavar="SHORT_ID", help="The end of the short URL, or the whole of it.")]
DefaultUrl = Annotated[str, typer.Argument(metavar="URL", help="Where a scan goes when no rule says otherwise.")]
ValidFrom = Annotated[
    str | None, typer.Option(metavar="MOMENT", help="Scans before go to --before-url, or to a notice.")
]
ValidUntil = Annotated[
    str | None, typer.Option(metavar="MOMENT", help="Scans after go to --after-url, or to a notice.")
]
MaxScans = Annotated[int | None, typer.Option(help="So many scans, give or take a few seconds' worth; then a notice.")]
BeforeUrl = Annotated[str | None, typer.Option(metavar="URL", help="Where scans go before --valid-from.")]
AfterUrl = Annotated[str | None, typer.Option(metavar="URL", help="Where scans go after --valid-until.")]
ExhaustedUrl = Annotated[str | None, typer.Option(metavar="URL", help="Where scans go after --max-scans.")]


@command(redirections, "create")
def create_redirection(
    session: Session,
    url: DefaultUrl,
    name: Annotated[str | None, typer.Option(help="Make a thng of this name for the link to stand for.")] = None,
    thng: Annotated[str | None, typer.Option(metavar="ID", help="The thng that the link stands for.")] = None,
    product: Annotated[
        str | None, typer.Option(metavar="ID", help="The product; with --name, of the new thng.")
    ] = None,
    collection: Annotated[str | None, typer.Option(metavar="ID", help="The collection that it stands for.")] = None,
    place: Annotated[str | None, typer.Option(metavar="ID", help="The place that it stands for.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag of the new thng; repeat it for more.")] = None,
    short_id: Annotated[str | None, typer.Option(help="An ID of your own; otherwise ten random characters.")] = None,
    short_domain: Annotated[str | None, typer.Option(help="One of your short domains.")] = None,
    valid_from: ValidFrom = None,
    before_url: BeforeUrl = None,
    valid_until: ValidUntil = None,
    after_url: AfterUrl = None,
    max_scans: MaxScans = None,
    exhausted_url: ExhaustedUrl = None,
) -> None:
    """Make a short link for a thing, and the thing with it when it only has a --name."""
    targets = {"thng": thng, "product": None if name else product, "collection": collection, "place": place}
    given = [(type_, target) for type_, target in targets.items() if target]
    if len(given) + bool(name) != 1:
        raise Usage(
            "A link stands for one thing",
            then='Say --name "Lamp 7" to make one, or one of --thng, --product, --collection, --place with an id',
        )
    limits = _limits(valid_from, before_url, valid_until, after_url, max_scans, exhausted_url)
    body: dict[str, Any] = {"defaultRedirectUrl": url, "shortId": short_id, "shortDomain": short_domain}
    body = {field: value for field, value in body.items() if value is not None} | ({"limits": limits} if limits else {})
    made = None
    if name:
        sent = {"name": name, "product": product, "tags": tag or None}
        made = session.client.post("/thngs", {field: value for field, value in sent.items() if value is not None})["id"]
        given = [("thng", made)]
    [(type_, target)] = given
    try:
        document = session.client.post("/redirections", {**body, "evrythngId": target, "type": type_})
    except Refused:
        if made:
            session.client.delete(f"/thngs/{made}")  # nobody could scan it
        raise
    _show(session, document)


@command(redirections, "list")
def list_redirections(
    session: Session,
    thing: Annotated[str | None, typer.Option("--of", metavar="ID", help="Of this thng, product, ... only.")] = None,
    short_domain: Annotated[str | None, typer.Option(help="On this short domain only.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 100,
) -> None:
    """Your short links, newest first."""
    query = {"evrythngId": thing, "shortDomain": short_domain}
    documents = session.client.items("/redirections", query, limit=limit)

    def for_people() -> None:
        rows = [
            (
                f"{each['shortDomain']}/{each['shortId']}",
                each["type"],
                each.get("hits"),
                STATES.get(each.get("state", ""), ""),
                moment(each["createdAt"]),
                each["defaultRedirectUrl"],
            )
            for each in documents
        ]
        columns = ("short url", "of a", "hits", "state", "created", "leads to")
        session.terminal.table(columns, rows, numbers=("hits",))
        if len(documents) == limit:
            session.terminal.note(f"Perhaps there are more than these {limit}; --limit shows more.")

    session.terminal.answer(documents, for_people)


@command(redirections, "show")
def show_redirection(session: Session, short_id: ShortId) -> None:
    """One link: where it leads, what it stands for, how often it was scanned."""
    link = link_named(short_id)
    _show(session, session.client.get(link.address, link.query))


@command(redirections, "update")
def update_redirection(
    session: Session,
    short_id: ShortId,
    url: Annotated[str | None, typer.Option(help="Where a scan goes when no rule says otherwise.")] = None,
    thing: Annotated[str | None, typer.Option("--of", metavar="ID", help="What it stands for from now on.")] = None,
    valid_from: ValidFrom = None,
    before_url: BeforeUrl = None,
    valid_until: ValidUntil = None,
    after_url: AfterUrl = None,
    max_scans: MaxScans = None,
    exhausted_url: ExhaustedUrl = None,
    no_limits: Annotated[bool, typer.Option("--no-limits", help="Remove all limits first.")] = False,
) -> None:
    """Change where a link leads, what it stands for, or its limits; the code on the thing stays the same."""
    limits: dict[str, Any] = dict.fromkeys(
        ("validFrom", "beforeUrl", "validUntil", "afterUrl", "maxScans", "exhaustedUrl") if no_limits else ()
    )
    limits |= _limits(valid_from, before_url, valid_until, after_url, max_scans, exhausted_url)
    changes: dict[str, Any] = {"defaultRedirectUrl": url, "evrythngId": thing, "limits": limits or None}
    changes = {field: value for field, value in changes.items() if value is not None}
    if not changes:
        raise Usage("There is nothing to change", then="Say --url, --of, or a limit such as --valid-until 2026-12-24")
    link = link_named(short_id)
    _show(session, session.client.put(link.address, changes, link.query))


@command(redirections, "delete")
def delete_redirection(
    session: Session, short_id: ShortId, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """End a link: its code answers 410 from now on, and its ID is never given out again."""
    link = link_named(short_id)
    document = session.client.get(link.address, link.query)
    name = f"{document['shortDomain']}/{document['shortId']}"
    if not yes and not session.terminal.confirm(f"End {name} ({document.get('hits', 0):,} hits) for good?"):
        raise Usage("Nothing was deleted", then="Say --yes to delete it without being asked")
    session.client.delete(link.address, link.query)
    session.terminal.answer({"deleted": name}, lambda: session.terminal.say(f"{name} is deleted and answers 410"))


def _limits(
    valid_from: str | None,
    before_url: str | None,
    valid_until: str | None,
    after_url: str | None,
    max_scans: int | None,
    exhausted_url: str | None,
) -> dict[str, Any]:
    given = {
        "validFrom": moment_of(valid_from, "--valid-from"),
        "beforeUrl": before_url,
        "validUntil": moment_of(valid_until, "--valid-until"),
        "afterUrl": after_url,
        "maxScans": max_scans,
        "exhaustedUrl": exhausted_url,
    }
    return {field: value for field, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class LinkName:
    """A short ID, and its short domain when it is said; otherwise it is the account's own."""

    short_id: str
    domain: str | None = None

    @property
    def address(self) -> str:
        return f"/redirections/{self.short_id}"

    @property
    def query(self) -> dict[str, str | None]:
        return {"shortDomain": self.domain}


def link_named(text: str) -> LinkName:
    """Of `LAMP7`, `tn.gg/LAMP7` or `https://tn.gg/LAMP7`."""
    domain, _, short_id = text.rstrip("/").partition("://")[2 if "://" in text else 0].rpartition("/")
    return LinkName(short_id, domain or None)


def _show(session: Session, document: dict[str, Any]) -> None:
    limits = document.get("limits") or {}

    def for_people() -> None:
        session.terminal.facts(
            [
                ("short url", f"{document['shortDomain']}/{document['shortId']}"),
                ("leads to", document["defaultRedirectUrl"]),
                ("stands for", f"{document['type']} {document['evrythngId']}"),
                ("hits", document.get("hits")),
                ("state", STATES.get(document.get("state", ""), document.get("state"))),
                ("valid from", moment(limits.get("validFrom"))),
                ("before", limits.get("beforeUrl")),
                ("valid until", moment(limits.get("validUntil"))),
                ("after", limits.get("afterUrl")),
                ("scans", limits.get("maxScans")),
                ("then", limits.get("exhaustedUrl")),
                ("created", moment(document.get("createdAt"))),
                ("updated", moment(document.get("updatedAt"))),
            ]
        )

    session.terminal.answer(document, for_people)
