"""A scheduled meeting: what its node says, when it is, who is invited. Pure but for the tz database."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from dateutil import parser
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule

from ...clock import DAY_MS
from ...errors import Invalid
from ...fields import EMAIL
from ...keys import hash_of
from ...resources import Document, Stored
from ..local_time import instant_of, local_of, moment_of
from ..model import MINUTE_MS, Attendee, Booking
from ..recurrence import MAX_YEARS
from .asking import Asked

MAX_TITLE = 100  # a longer one is cut, as in the product
MAX_DATE, MAX_NAME, MAX_MEMBERS = 200, 200, 200
MINUTES = 30  # of a meeting that does not say how long
MAX_MINUTES = 31 * 24 * 60
LAST_SECOND = 32_503_680_000  # the year 3000
SECONDS_BELOW = 100_000_000_000  # a number of at least that many is milliseconds
_RULES: Mapping[str, Literal[1, 2, 3]] = {"daily": DAILY, "weekly": WEEKLY, "monthly": MONTHLY}
STATUS = {"cancelled": "cancelled", "declined": "declined", "released": "released", "ended": "ended"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEFORE_OFFSET = re.compile(r"(GMT|UTC)\s*(?=[+-]\d)", re.IGNORECASE | re.ASCII)  # as browsers write it
_AFTER_OFFSET = re.compile(r"(?<=[+-]\d{4})\s*\([^()]*\)\s*$", re.ASCII)
_NUMBER = re.compile(r"\d{9,14}(\.\d{1,6})?", re.ASCII)
_HAS_DIGIT = re.compile(r"\d", re.ASCII)


class When(NamedTuple):
    """`date` is the text that clients show; `start` and `end` are None of a meeting whose text says no time."""

    date: str
    start: int | None
    end: int | None


def titled(asked: Asked, name: str) -> str:
    return (asked.text("title") or f"Meeting scheduled by {name}")[:MAX_TITLE]


def when_of(asked: Asked, at: int, zone: ZoneInfo, *, binding: bool, minutes: int = MINUTES) -> When:
    """When a meeting is: by `stime` and `etime` (seconds), else by `date`, else now.

    `binding`: a room is booked for it, so that there has to be a time. Raises Invalid.
    """
    text = asked.text("date", most=MAX_DATE)
    start = asked.number("stime", 0, low=0, high=LAST_SECOND) * 1_000 or _moment(text, at, zone, binding=binding)
    if start is None:
        return When(text, None, None)
    minutes = asked.number("duration", minutes, low=1, high=MAX_MINUTES)
    end = asked.number("etime", 0, low=0, high=LAST_SECOND) * 1_000 or start + minutes * MINUTE_MS
    if end <= start:
        raise Invalid("etime has to be after stime")
    return When(text or written(start, zone), start, end)


def written(at: int, zone: ZoneInfo) -> str:
    """Such as `Saturday, November 28, 2026 1:05 PM`."""
    local = local_of(at, zone)
    hour = local.hour % 12 or 12
    return f"{local:%A, %B} {local.day}, {local.year} {hour}:{local:%M %p}"


def _moment(text: str, at: int, zone: ZoneInfo, *, binding: bool) -> int | None:
    if not text:
        return at - at % MINUTE_MS
    try:
        moment = _read(text.strip(), at, zone)
        if not 0 <= moment <= LAST_SECOND * 1_000:
            raise ValueError
    except (ValueError, OverflowError, TypeError) as error:
        if not binding:
            return None
        raise Invalid(f"date is a time such as 2026-11-30T09:00, not {text[:60]!r}") from error
    return moment


def _read(text: str, at: int, zone: ZoneInfo) -> int:
    """A number, or a time as people and browsers write it. Raises ValueError, OverflowError, TypeError."""
    if _NUMBER.fullmatch(text):
        number = float(text)
        return int(number * 1_000) if number < SECONDS_BELOW else int(number)
    if _HAS_DIGIT.search(text) is None:
        raise ValueError
    midnight = local_of(at, zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    plain = _AFTER_OFFSET.sub("", _BEFORE_OFFSET.sub(" ", text))  # `GMT+1` is an hour before GMT in the parser's eyes
    return instant_of(parser.parse(plain, default=midnight, tzinfos=_offset), zone)


def _offset(name: str | None, seconds: int | None) -> timezone | None:
    """What a text says of its zone. Raises ValueError for a name alone: CST is three zones, and no offset."""
    if seconds is not None:
        return timezone(timedelta(seconds=seconds))
    if name is not None:
        raise ValueError
    return None


def recurrence_of(asked: Asked) -> Document | None:
    """`{freq, until?}` in a form of its own; None for a meeting that is once. Raises Invalid."""
    sent = asked.object("recur")
    if not sent:
        return None
    freq = str(sent.get("freq", "")).lower()
    if freq not in _RULES:
        raise Invalid(f"recur.freq is one of {', '.join(_RULES)}, not {freq[:40]!r}")
    until = Asked(sent).number("until", 0, low=0, high=LAST_SECOND)
    return {"freq": freq, **({"until": until} if until else {})}


def rule_of(recurrence: Mapping[str, Any] | None) -> str | None:
    """The same as a recurrence rule (RFC 5545). One without an end goes as far as the calendar of a room does."""
    if recurrence is None:
        return None
    rule = f"FREQ={str(recurrence['freq']).upper()}"
    if "until" not in recurrence:
        return rule
    return f"{rule};UNTIL={_EPOCH + timedelta(seconds=recurrence['until']):%Y%m%dT%H%M%SZ}"


def invited(sent: list[Any], members: Mapping[str, tuple[str, str]]) -> list[Document]:
    """Who comes: by e-mail address, or as a member of the hub by id (`members`: id -> (name, e-mail)), each once.

    Raises Invalid.
    """
    if len(sent) > MAX_MEMBERS:
        raise Invalid(f"A meeting has at most {MAX_MEMBERS} attendees; this one has {len(sent)}")
    by_email = {email.casefold(): member for member, (_, email) in members.items() if email}
    found: dict[str, Document] = {}
    for each in sent:
        asked = Asked(each if isinstance(each, dict) else {"email" if "@" in str(each) else "uid": each})
        email = asked.text("email", most=MAX_NAME).strip()
        member = asked.text("uid", most=MAX_NAME) or asked.text("id", most=MAX_NAME)
        member = member if member in members else by_email.get(email.casefold(), "")
        name = asked.text("name", most=MAX_NAME)
        if member:
            name, email = name or members[member][0], members[member][1]
        elif EMAIL.fullmatch(email) is None:
            raise Invalid(f"attendees: {(email or str(each))[:60]!r} is neither an e-mail address nor a member's id")
        key = member or hash_of(email.casefold())[:24]
        found[key] = {"id": key, "email": email, "name": name or email.partition("@")[0]}
    return list(found.values())


def attendees_of(people: list[Document]) -> tuple[Attendee, ...]:
    """As a booking has them. Of a member without an address there is nothing to keep there."""
    return tuple(Attendee(email=each["email"], name=each["name"]) for each in people if each["email"])


def content(stored: Stored, booking: Booking | None) -> Document:
    """What a node's metadata says. A booking that another system has moved has the say on when it is."""
    document = stored.document
    start, end = (booking.start, booking.end) if booking else (document["start"], document["end"])
    moved = booking is not None and (start, end) != (document["start"], document["end"])
    return {
        "attendees": document["attendees"],
        "title": document["title"],
        "message": document["message"],
        "date": written(start, ZoneInfo(booking.zone)) if moved and booking else document["date"],
        "stime": None if start is None else start // 1_000,
        "etime": None if end is None else end // 1_000,
        "recur": document["recur"],
        "created_by": document["createdBy"],
        "room_id": stored.id,
    }


def node(stored: Stored, booking: Booking | None) -> Document:
    """A meeting as the product shows what lies in a folder."""
    document = stored.document
    reserved = booking and {
        "id": booking.id,
        "room": booking.room,
        "start": booking.start,
        "end": booking.end,
        "state": booking.state,
    }
    return {
        "id": stored.id,
        "nid": stored.id,
        "hub_id": document["hub"],
        "owner_id": document["createdBy"],
        "filename": document["title"],
        "category": "schedule",
        "ext": "schedule",
        "ctime": document["createdAt"] // 1_000,
        "mtime": document["updatedAt"] // 1_000,
        "metadata": {
            "content": content(stored, booking),
            "room_status": STATUS.get(booking.state, "booked") if booking else "booked",
        },
        "booking": reserved or None,
    }


def meets(document: Mapping[str, Any], start: int, end: int, zone: ZoneInfo) -> bool:
    """Whether what a node's metadata says takes place between two moments; if it recurs, on any of its days."""
    if document["stime"] is None or document["etime"] is None:
        return False
    first, length = document["stime"] * 1_000, (document["etime"] - document["stime"]) * 1_000
    if document["recur"] is None:
        return bool(first < end and start < first + length)
    freq: str = document["recur"]["freq"]
    until = min(document["recur"].get("until", LAST_SECOND) * 1_000, first + MAX_YEARS * 366 * DAY_MS, end)
    last = max(_wall(until, zone), _wall(first, zone))
    starts = (moment_of(each, zone) for each in rrule(_RULES[freq], dtstart=_wall(first, zone), until=last))
    return any(each <= until and each < end and start < each + length for each in starts)


def _wall(at: int, zone: ZoneInfo) -> datetime:
    return local_of(at, zone).replace(tzinfo=None)
