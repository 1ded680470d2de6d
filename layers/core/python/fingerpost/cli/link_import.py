"""`fingerpost redirections import`: links of other shorteners, each as a thng with a redirection of the same ID."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from ..body import validated
from ..errors import Invalid
from ..redirection.documents import SentRedirection
from ..rules.template import parse_default_url
from .command import Session, command
from .import_command import DryRun, ImportFile, Project, Workers, carry_out
from .importing import Row
from .link_exports import Export, ExportedLink, Source, open_export
from .redirections import redirections

MAX_TAG = 60


@command(redirections, "import")
def import_links(
    session: Session,
    file: ImportFile,
    from_: Annotated[
        Source | None, typer.Option("--from", help="What wrote it; told from its columns when absent.")
    ] = None,
    short_domain: Annotated[str | None, typer.Option(help="The short domain to put them on.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag for all of them; repeat it for more.")] = None,
    project: Project = None,
    workers: Workers = 8,
    dry_run: DryRun = False,
) -> None:
    """Take over the links of Shlink, Bitly, YOURLS, or of any table with short and long URLs.

    Each becomes a thng and a redirection with the same short ID. An ID that leads elsewhere already is reported and
    left alone. It can be interrupted and run again at any time: what is done stays done, and nothing is done twice.
    """
    export = open_export(file, from_)
    session.terminal.note(f"Reading {file} as an export of {NAMES[export.source]}")

    def rows() -> Iterator[Row]:
        return _rows(export, short_domain, tuple(tag or ()))

    carry_out(session, file, rows, project=project, workers=workers, dry_run=dry_run)


NAMES: dict[Source, str] = {
    "shlink": "Shlink",
    "bitly": "Bitly",
    "yourls": "YOURLS",
    "csv": "short and long URLs",
}


def _rows(export: Export, short_domain: str | None, tags: tuple[str, ...]) -> Iterator[Row]:
    """One row a link. The same short ID on another of their domains is a problem of the second."""
    first: dict[str, ExportedLink] = {}
    for link in export.links():
        earlier = first.setdefault(link.short_id, link)
        row = _row(export.source, link, short_domain, tags)
        if earlier is not link and (earlier.url, earlier.domain) != (link.url, link.domain):
            where = f"line {earlier.line}" + (f" ({earlier.domain})" if earlier.domain != link.domain else "")
            yield Row(row.line, row.name, row.thng, row.link, row.problem or f"{where} has this short ID as well")
        elif earlier is link:
            yield row


def _row(source: Source, link: ExportedLink, short_domain: str | None, tags: tuple[str, ...]) -> Row:
    before = {"importedFrom": link.domain or source, "createdThere": link.created_at, "visitsThere": link.visits}
    kept = [each for each in dict.fromkeys((*link.tags, *tags)) if len(each) <= MAX_TAG]
    remarks = (
        *link.lost,
        *(("a tag of more than 60 characters is not taken over",) if len(kept) < len({*link.tags, *tags}) else ()),
    )
    thng: dict[str, Any] = {
        "name": link.title or link.short_id or link.url,
        "customFields": {name: value for name, value in before.items() if value is not None},
    }
    if kept:
        thng["tags"] = kept
    sent: dict[str, Any] = {"shortId": link.short_id, "defaultRedirectUrl": link.url}
    if short_domain:
        sent["shortDomain"] = short_domain
    if link.limits:
        sent["limits"] = dict(link.limits)
    return Row(link.line, link.short_id or link.url, thng, sent, _problem(link, sent), remarks)


def _problem(link: ExportedLink, sent: dict[str, Any]) -> str:
    if not link.short_id:
        return "there is no short ID"
    if not link.url:
        return "there is no URL to lead to"
    try:
        validated(SentRedirection, sent)
        parse_default_url(sent["defaultRedirectUrl"])
    except Invalid as invalid:
        return str(invalid)
    return ""
