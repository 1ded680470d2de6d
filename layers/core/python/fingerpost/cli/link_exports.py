"""What other shorteners export, read as links: Shlink, Bitly, YOURLS, and plain tables of short and long URLs.

Sources. Shlink: the export of its web client (`createdAt, domain, shortCode, shortUrl, longUrl, title, tags, visits`,
tags joined with `|`), the lists of its REST API. Bitly: its links export (`Link, Custom Link, Destination URL, Title`),
the fields of its API's bitlinks. YOURLS: its table `yourls_url` (`keyword, url, title, timestamp, ip, clicks`) as CSV
or as an SQL dump, its plugin Import Export (`source, target, hits`, the source as `/keyword/`).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from .failure import Usage
from .sql_dump import rows_of_dump
from .tables import open_table

type Source = Literal["shlink", "bitly", "yourls", "csv"]

DUMP_COLUMNS = ("keyword", "url", "title", "timestamp", "ip", "clicks")


@dataclass(frozen=True, slots=True)
class ExportedLink:
    """`limits` as redirections have them. `lost` says what of the link has no place here."""

    line: int
    short_id: str
    url: str
    domain: str = ""
    title: str = ""
    tags: tuple[str, ...] = ()
    created_at: int | None = None
    visits: int | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """`links` reads the file anew each time."""

    source: Source
    links: Callable[[], Iterable[ExportedLink]]


def open_export(path: Path, source: Source | None) -> Export:
    """Tell from its ending and its columns what a file is, unless `source` says. Raises Usage."""
    if path.suffix.lower() == ".json":
        return Export(_same(path, source, "shlink"), lambda: _shlink_json(path))
    if path.suffix.lower() == ".sql":
        return Export(_same(path, source, "yourls"), lambda: _yourls_dump(path))
    table = open_table(path)
    names = {_plain(name): name for name in table.header}
    found = _recognised(names, source)
    if (
        found is None
        and source in (None, "yourls")
        and len(table.header) == len(DUMP_COLUMNS)
        and _is_url(table.header[1])
    ):
        table = open_table(path, header=DUMP_COLUMNS)  # phpMyAdmin writes no header unless it is told to
        names, found = {name: name for name in DUMP_COLUMNS}, "yourls"
    if found is None:
        raise Usage(
            f"{path} has the columns {', '.join(table.header)}, which no export that we know has",
            then=f"A plain table needs {' and '.join(' or '.join(each) for each in _COLUMNS['csv'])}",
        )
    read = _READERS[found]
    return Export(
        found,
        lambda: (
            read(record.line, {name: record.cells.get(column, "") for name, column in names.items()})
            for record in table.records()
        ),
    )


def _same(path: Path, source: Source | None, found: Source) -> Source:
    if source not in (None, found):
        raise Usage(f"{path} is no export of {source}", then=f"Leave out --from, or say --from {found}")
    return found


# ---- tables ----------------------------------------------------------------------------------------------------------

type _Cells = Mapping[str, str]

_SHORT = ("shortid", "shortcode", "slug", "keyword", "backhalf", "alias", "shorturl", "link", "short")
_LONG = (
    "defaultredirecturl",
    "longurl",
    "destinationurl",
    "originalurl",
    "targeturl",
    "redirecturl",
    "url",
    "target",
    "destination",
)
_COLUMNS: dict[Source, tuple[tuple[str, ...], ...]] = {
    "shlink": (("shortcode",), ("longurl",)),
    "bitly": (("link", "bitlink", "customlink", "custombitlink", "custombitlinks"), ("destinationurl", "longurl")),
    "yourls": (("keyword", "source"), ("url", "target")),
    "csv": (_SHORT, _LONG),
}


def _recognised(names: Mapping[str, str], source: Source | None) -> Source | None:
    for each, groups in _COLUMNS.items():
        if source in (None, each) and all(any(name in names for name in group) for group in groups):
            return each
    return None


def _plain(name: str) -> str:
    """`Short Code`, `short_code` and `shortCode` are one name."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _first(cells: _Cells, *names: str) -> str:
    return next((cells[name] for name in names if cells.get(name)), "")


def _shlink(line: int, cells: _Cells) -> ExportedLink:
    return ExportedLink(
        line,
        cells["shortcode"],
        cells["longurl"],
        _first(cells, "domain") or _host(_first(cells, "shorturl")),
        _first(cells, "title"),
        _split(_first(cells, "tags"), "|"),
        _time(_first(cells, "createdat", "datecreated")),
        _count(_first(cells, "visits", "visitscount")),
    )


def _bitly(line: int, cells: _Cells) -> ExportedLink:
    """A custom back-half is the link that people know; the random one beside it leads to the same place."""
    custom = _split(_first(cells, "customlink", "custombitlink", "custombitlinks").strip("[]"), ",")
    random = _first(cells, "link", "bitlink", "id")
    short = custom[-1].strip("'\" ") if custom else random
    lost = ("the other back-halves of a link are not taken over",) if custom and random and custom[-1] != random else ()
    return ExportedLink(
        line,
        _path(short),
        _first(cells, "destinationurl", "longurl"),
        _host(short),
        _first(cells, "title"),
        _split(_first(cells, "tags", "tag").strip("[]"), ","),
        _time(_first(cells, "datecreated", "created", "createdat", "creationdate")),
        _count(_first(cells, "totalengagements", "engagements", "totalclicks", "clicks")),
        lost=lost,
    )


def _yourls(line: int, cells: _Cells) -> ExportedLink:
    return ExportedLink(
        line,
        _first(cells, "keyword", "source").strip("/"),
        _first(cells, "url", "target"),
        title=title if (title := _first(cells, "title")) != "NULL" else "",
        created_at=_time(_first(cells, "timestamp")),
        visits=_count(_first(cells, "clicks", "hits")),
    )


def _csv(line: int, cells: _Cells) -> ExportedLink:
    short = _first(cells, *_SHORT)
    return ExportedLink(
        line,
        _path(short),
        _first(cells, *_LONG),
        _first(cells, "domain", "shortdomain") or _host(short),
        _first(cells, "title", "name"),
        _split(_first(cells, "tags", "tag"), "|"),
        _time(_first(cells, "createdat", "created", "datecreated", "timestamp")),
        _count(_first(cells, "visits", "clicks", "hits")),
    )


_READERS: dict[Source, Callable[[int, _Cells], ExportedLink]] = {
    "shlink": _shlink,
    "bitly": _bitly,
    "yourls": _yourls,
    "csv": _csv,
}

# ---- other files -----------------------------------------------------------------------------------------------------


def _shlink_json(path: Path) -> Iterator[ExportedLink]:
    """An answer of `GET /rest/v3/short-urls`, its list alone, or several answers in a list."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise Usage(f"{path} cannot be read as JSON: {error}") from error
    for number, each in enumerate(_short_urls(content), 1):
        meta = each.get("meta") or {}
        limits = {
            "validFrom": _time(str(meta.get("validSince") or "")),
            "validUntil": _time(str(meta.get("validUntil") or "")),
            "maxScans": meta.get("maxVisits"),
        }
        devices = any((each.get("deviceLongUrls") or {}).values())
        lost = [
            *(["URLs by device are not taken over; rules on `device` do that"] if devices else []),
            *(["redirect rules are not taken over"] if each.get("hasRedirectRules") else []),
        ]
        yield ExportedLink(
            number,
            str(each.get("shortCode", "")),
            str(each.get("longUrl", "")),
            str(each.get("domain") or _host(str(each.get("shortUrl", "")))),
            str(each.get("title") or ""),
            tuple(map(str, each.get("tags") or ())),
            _time(str(each.get("dateCreated") or "")),
            (each.get("visitsSummary") or {}).get("total", each.get("visitsCount")),
            {name: value for name, value in limits.items() if value is not None},
            tuple(lost),
        )


def _short_urls(content: Any) -> Iterator[dict[str, Any]]:
    match content:
        case {"shortUrls": inner} | {"data": inner}:
            yield from _short_urls(inner)
        case list():
            for each in content:
                yield from _short_urls(each)
        case {"longUrl": _}:
            yield content
        case _:
            raise Usage("The JSON holds no short URLs of Shlink", then="Save an answer of GET /rest/v3/short-urls")


def _yourls_dump(path: Path) -> Iterator[ExportedLink]:
    for line, cells in rows_of_dump(path, ending="url", columns=DUMP_COLUMNS):
        yield _yourls(line, cells)


# ---- values ----------------------------------------------------------------------------------------------------------


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _host(url: str) -> str:
    """Of `https://bit.ly/abc` or `bit.ly/abc`."""
    return urlsplit(url if "://" in url else f"//{url}").netloc.lower() if "/" in url else ""


def _path(url: str) -> str:
    if "/" not in url.strip("/"):
        return url.strip("/")
    return urlsplit(url if "://" in url else f"//{url}").path.strip("/")


def _split(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part for each in text.split(separator) if (part := each.strip().strip("'\"")))


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _time(text: str) -> int | None:
    """Milliseconds; a time without a zone is UTC. None for what is no time."""
    if text.isascii() and text.isdigit() and len(text) >= 9:
        return int(text) * (1 if len(text) > 11 else 1000)
    try:
        at = datetime.fromisoformat(text.strip())
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
