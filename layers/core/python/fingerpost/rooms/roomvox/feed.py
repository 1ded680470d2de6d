"""A room's accepted bookings as iCalendar. Pure but for the tz database. Source: RFC 5545; wire-facts, section 8.

A series is a master with its rule, EXDATE for what does not take place, RECURRENCE-ID for what was changed. Clients
expand rules in their own way, so that a master has one only where it gives exactly the occurrences; else RDATE.
"""

import re
from collections.abc import Iterable, Sequence
from copy import replace
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, Event, Timezone, vCalAddress, vRecur

from ..local_time import local_of, moment_of, zone_of
from ..model import Booking, Room
from ..records import Record
from .shown import STATUS
from .vtimezone import vtimezone

CONTENT_TYPE = "text/calendar; charset=utf-8"
PRODUCT = "-//Fingerpost//Rooms//EN"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_BREAKS = re.compile(r"\r\n?|[\u0085\u2028\u2029]")
_ADDRESS = re.compile(r"[!-~]+@[!-~]+")


def calendar_of(room: Room, location: str, records: Sequence[Record]) -> bytes:
    """The feed. Of series all occurrences that are accepted, whenever they are."""
    zone = zone_of(room.zone)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", _line(room.name))
    calendar.add("x-wr-timezone", room.zone)
    place = _line(", ".join(text for text in (room.name, location) if text))
    events = [event for record in records for event in _events(record, room, zone, place)]
    calendar.add_component(_timezone(room.zone, records))
    for event in events:
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def _events(record: Record, room: Room, zone: ZoneInfo, place: str) -> Iterable[Event]:
    here = [each for each in record.occurrences() if each.room == room.id and STATUS[each.state] == "accepted"]
    whole = record.whole
    if not record.is_series:
        return [_event(each, UTC, place) for each in here]
    if not here:
        return []
    if whole.room != room.id or STATUS[whole.state] != "accepted":  # nothing that they could be exceptions of
        return [_event(each, UTC, place) for each in here]
    return _series(record, here, zone, place)


def _series(record: Record, here: Sequence[Booking], zone: ZoneInfo, place: str) -> Iterable[Event]:
    whole = record.whole
    form = _form(zone, whole.end, *record.starts)
    changed_at = max(each.updated_at for each in [whole, *record.occurrences()])
    master = _event(replace(whole, sequence=whole.version - 1, updated_at=changed_at), form, place)
    if form is zone and (rule := _rule(record, zone)) is not None:
        master.add("rrule", rule)
    elif record.starts[1:]:
        master.add("rdate", [_moment(start, form) for start in record.starts[1:]])
    kept = {each.recurrence_id for each in here}
    if gone := [_moment(start, form) for start in record.starts if start not in kept]:
        master.add("exdate", gone)
    yield master
    for each in here:
        start = each.recurrence_id
        assert start is not None
        if record.changed.get(start) and _says(each) != _says_by_rule(record, start):
            event = _event(replace(each, id=whole.id), _form(zone, each.start, each.end), place)
            event.add("recurrence-id", _moment(start, form))
            yield event


def _form(zone: ZoneInfo, *moments: int) -> tzinfo:
    """The zone if its clocks tell all of these moments from any other: of what comes twice they tell the first."""
    walls = (local_of(at, zone).replace(tzinfo=None) for at in moments)
    return zone if all(moment_of(wall, zone) == at for wall, at in zip(walls, moments, strict=True)) else UTC


def _rule(record: Record, zone: ZoneInfo) -> vRecur | None:
    """The rule with a COUNT, if what it gives from the first occurrence on is exactly the series."""
    parts = [part for part in (record.whole.rrule or "").split(";") if not part.startswith(("UNTIL=", "COUNT="))]
    text = ";".join([*parts, f"COUNT={len(record.starts)}"])
    walls = [local_of(start, zone).replace(tzinfo=None) for start in record.starts]
    expanded = list(islice(rrulestr(text, dtstart=walls[0]), len(walls) + 1))
    return vRecur.from_ical(text) if expanded == walls else None


def _says(booking: Booking) -> tuple[Any, ...]:
    """What of a booking a calendar shows."""
    return booking.start, booking.end, booking.title, booking.description, booking.organizer


def _says_by_rule(record: Record, start: int) -> tuple[Any, ...]:
    whole = record.whole
    return _says(replace(whole, start=start, end=start + whole.end - whole.start))


def _event(booking: Booking, zone: tzinfo, place: str) -> Event:
    event = Event()
    event.add("uid", booking.id)
    event.add("dtstamp", _utc(booking.updated_at))
    event.add("created", _utc(booking.created_at))
    event.add("last-modified", _utc(booking.updated_at))
    event.add("sequence", booking.sequence)
    event.add("dtstart", _moment(booking.start, zone))
    event.add("dtend", _moment(booking.end, zone))
    event.add("summary", _text(booking.title))
    if booking.description:
        event.add("description", _text(booking.description))
    event.add("location", place)
    event.add("status", "CONFIRMED")
    event.add("transp", "OPAQUE")
    who = booking.organizer
    if _ADDRESS.fullmatch(who.email):
        address = vCalAddress(f"mailto:{who.email}")
        if name := _line(who.name).replace('"', "'"):
            address.params["CN"] = name
        event.add("organizer", address)
    return event


def _timezone(name: str, records: Sequence[Record]) -> Timezone:
    """The zone's clocks for the years that are shown. A feed without bookings has it too: one component is a must."""
    years = [_utc(at).year for record in records for each in record.occurrences() for at in (each.start, each.end)]
    now = _utc(max((record.whole.updated_at for record in records), default=0)).year
    first, last = min([*years, now], default=now), max([*years, now], default=now)
    return vtimezone(name, first - 1, last + 1)


def _moment(at: int, zone: tzinfo) -> datetime:
    return _utc(at).astimezone(zone)


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at // 1_000, UTC)


def _text(text: str) -> str:
    """What may stand in a value: lines, tabs, no other control character."""
    return _CONTROL.sub("", _BREAKS.sub("\n", text))


def _line(text: str) -> str:
    return " ".join(_text(text).split())
