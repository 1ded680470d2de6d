"""What people write on a command line: moments, spans of days, `name=value` pairs, who owns a set of rules."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer

from ..clock import DAY_MS, now_ms
from .failure import Usage

_FROM_NOW = re.compile(r"(\+?)(\d{1,6})(m|h|d|w)")
_UNITS = {"m": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS}
MOMENT_HELP = "a date, a date and time (in this machine's zone unless it says another), 7d for a week ago, or +2h"


def moment_of(text: str | None, option: str) -> int | None:
    """Milliseconds since the epoch; None for nothing. `7d` is so long ago, `+2h` so far ahead. Raises Usage."""
    if text is None:
        return None
    if (from_now := _from_now(text)) is not None:
        return from_now
    if text.strip().isascii() and text.strip().isdigit() and len(text.strip()) > 4:
        return int(text)
    try:
        return int(datetime.fromisoformat(text.strip()).astimezone().timestamp() * 1000)
    except (ValueError, OverflowError, OSError) as error:
        raise Usage(f"{option}: {text!r} is no moment", then=f"Write {MOMENT_HELP}") from error


def day_of(text: str | None, option: str) -> str | None:
    """A UTC day as `2026-11-01`; `7d` is that long ago. Raises Usage."""
    if text is None:
        return None
    if (from_now := _from_now(text)) is not None:
        return datetime.fromtimestamp(from_now / 1000, UTC).date().isoformat()
    try:
        return datetime.fromisoformat(text.strip()).date().isoformat()
    except ValueError as error:
        raise Usage(f"{option}: {text!r} is no day", then="Write 2026-11-01, or 7d for a week ago") from error


def _from_now(text: str) -> int | None:
    found = _FROM_NOW.fullmatch(text.strip())
    if found is None:
        return None
    span = int(found[2]) * _UNITS[found[3]]
    return now_ms() + (span if found[1] else -min(span, now_ms()))


def pairs_of(texts: Iterable[str], option: str) -> dict[str, str]:
    """`name=value` as a dictionary. Raises Usage."""
    result: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise Usage(f"{option}: {text!r} is no pair", then=f"Write {option} name=value")
        result[name.strip()] = value
    return result


Application = Annotated[
    str | None,
    typer.Option(
        "--application", "-a", metavar="PROJECT/APPLICATION", help="The rules of an application, not the account's."
    ),
]


def base_of(application: str | None) -> str:
    """The address of a set of rules. Raises Usage."""
    if application is None:
        return "/redirector"
    project, app = split_application(application)
    return f"/projects/{project}/applications/{app}/redirector"


def split_application(text: str) -> tuple[str, str]:
    """Project and application, both by id. Raises Usage."""
    project, slash, app = text.partition("/")
    if not (project and slash and app) or "/" in app:
        raise Usage(
            f"{text!r} names no application",
            then="Write PROJECT/APPLICATION, both by id; `fingerpost keys list` shows them",
        )
    return project, app
