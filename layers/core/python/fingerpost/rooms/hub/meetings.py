"""The meetings of a hub: scheduled, changed, removed. On a hub that is tied to a room each of them reserves it.

The booking knows the meeting by its id, and both are written in one transaction: what was refused leaves nothing, and
what is there once is booked once. When the meeting is, the booking says from then on, whoever moves it.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from ... import audit, keys
from ...errors import Invalid, NotFound
from ...ports.table import Delete, Write
from ...resources import Document, Resources, Stored
from .. import plain
from ..errors import NotAllowed, Unknown
from ..hubs import members_of
from ..kinds import HUB_MEETING
from ..local_time import zone_of
from ..model import MINUTE_MS, Booking, Person, Room
from ..rooms import Rooms
from . import live_rooms, meeting
from .asking import Asked
from .calls import Call
from .signals import signal
from .words import UserError

FLAGS = ("when", "title", "agenda", "member", "all")
SYSTEM = "hub"  # by which bookings know their meetings
WITHOUT_A_ROOM = zone_of("UTC")


def book(call: Call) -> Document:
    """Schedule a meeting, and reserve the room that the hub is tied to."""
    session, caller, asked = call.session, call.caller, call.asked
    room = _room(call)
    when = meeting.when_of(asked, caller.at, _zone(room), binding=room is not None)
    recurrence = meeting.recurrence_of(asked)
    people = meeting.invited(asked.list("attendees"), _members(call))
    nid = caller.new_id(caller.at)
    document: Document = {
        "createdAt": caller.at,
        "updatedAt": caller.at,
        "hub": call.hub,
        "createdBy": session.id,
        "title": meeting.titled(asked, session.name),
        "message": asked.text("message"),
        **when._asdict(),
        "recur": recurrence,
        "attendees": people,
    }
    told = audit.entry(caller, "create", HUB_MEETING.name, nid, after=document)
    meetings = Resources(caller.tables, HUB_MEETING)
    if room is None:
        booking, stored = None, meetings.create(nid, document, also=told)
    else:
        booking = _reserve(call, room, nid, document, lambda: [meetings.beginning(nid, document), *told])
        stored = Stored(id=nid, version=1, document=document)
    _tell_invited(call, stored, [each["id"] for each in people])
    return meeting.node(stored, booking)


def update(call: Call) -> Document:
    """Change what the flag names, and nothing else."""
    flag, nid = call.asked.name("flag"), call.asked.name("nid")
    if flag not in FLAGS:
        raise Invalid(f"flag is one of {', '.join(FLAGS)}, not {flag[:40]!r}")
    before = stored_of(call, nid)
    booking = _booking(call, nid)
    changes = _changes(call, flag, before, booking)
    if booking is not None:
        booking = _follow(call, booking, changes)

    def change(document: Document) -> Document:
        after = {**document, **changes}
        return after if after == document else {**after, "updatedAt": max(call.caller.at, document["updatedAt"])}

    def told(old: Document, new: Document) -> Any:
        return audit.entry(call.caller, "update", HUB_MEETING.name, nid, _public(old), _public(new))

    after = Resources(call.caller.tables, HUB_MEETING).update(nid, change, also=told)
    known = {each["id"] for each in before.document["attendees"]}
    _tell_invited(call, after, [each["id"] for each in after.document["attendees"] if each["id"] not in known])
    said = meeting.content(after, booking)
    return {name: said[name] for name in ("attendees", "title", "message", "date", "stime", "etime", "recur")}


def remove(call: Call) -> Document:
    """Remove a meeting: its room is free again, its links open nothing, its live room ends."""
    nid = call.asked.name("nid")
    stored_of(call, nid)
    booking = _booking(call, nid)
    if booking is not None:
        with suppress(NotAllowed):  # it is over, or somebody else has cancelled it
            call.bookings.cancel(booking.id, by=call.by)
    Resources(call.caller.tables, HUB_MEETING).delete(
        nid,
        also=lambda before: [
            *(Delete(keys.row_of(pk)) for pk in before.get("_links", ())),
            *audit.entry(call.caller, "delete", HUB_MEETING.name, nid, _public(before)),
        ],
    )
    live_rooms.end(call, nid)
    return {"nid": nid}


def get_meeting_members(call: Call) -> list[Document]:
    """Who is invited to a meeting."""
    people: list[Document] = stored_of(call, call.asked.name("nid")).document["attendees"]
    return people


def list_meetings(call: Call) -> list[Document]:
    """The hub's meetings, those between `stime` and `etime` (seconds) when they are named."""
    start = call.asked.number("stime", 0, low=0, high=meeting.LAST_SECOND) * 1_000
    end = call.asked.number("etime", meeting.LAST_SECOND, low=0, high=meeting.LAST_SECOND) * 1_000
    bounded = call.asked.has("stime") or call.asked.has("etime")
    zone = _zone(_room(call))
    return [
        each for each in _nodes(call) if not bounded or meeting.meets(each["metadata"]["content"], start, end, zone)
    ]


def check_availability(call: Call) -> list[Document]:
    """Which of the attendees have another meeting of this hub then. It warns; it refuses nothing."""
    start, end = (_second(call.asked, name) for name in ("stime", "etime"))
    zone, without = _zone(_room(call)), call.asked.text("nid", most=200)
    wanted = meeting.invited(call.asked.list("attendees"), _members(call))
    there = [
        each
        for each in _nodes(call)
        if each["id"] != without
        and each["metadata"]["room_status"] == "booked"
        and meeting.meets(each["metadata"]["content"], start, end, zone)
    ]
    return [_standing(person, there) for person in wanted]


def stored_of(call: Call, nid: str) -> Stored:
    """A meeting of the caller's hub. Raises NotFound."""
    stored = Resources(call.caller.tables, HUB_MEETING).read(nid) if nid.isalnum() and nid.isascii() else None
    if stored is None or stored.document["hub"] != call.hub:
        raise NotFound(f"There is no meeting {nid[:80]}")
    return stored


def _tell_invited(call: Call, stored: Stored, people: list[str]) -> None:
    """Members of the hub who have just been invited hear of it over their connections. Nobody gets a mail."""
    if not people:
        return
    said = {"nid": stored.id, "hub_id": call.hub, "title": stored.document["title"], "date": stored.document["date"]}
    sockets = [each.id for each in call.presence.sockets_of(call.hub) if each.uid in people]
    call.signals.tell(call.hub, sockets, signal("room.scheduled", {**said, "from": call.session.name}))


def _nodes(call: Call) -> list[Document]:
    found = plain.all_of(call.caller.tables, HUB_MEETING, "hub", call.hub)
    bookings = call.bookings.by_externals(SYSTEM, [each.id for each in found])
    return [meeting.node(each, bookings.get(each.id)) for each in found]


def _standing(person: Document, there: list[Document]) -> Document:
    conflicts = []
    for each in there:
        said = each["metadata"]["content"]
        if person["id"] in (said["created_by"], *(one["id"] for one in said["attendees"])):
            named = {name: said[name] for name in ("title", "stime", "etime")}
            conflicts.append({"nid": each["id"], **named})
    return {"uid": person["id"], "busy": bool(conflicts), "conflicts": conflicts}


def _changes(call: Call, flag: str, before: Stored, booking: Booking | None) -> Document:
    """The fields of the document that the flag names, as they become."""
    asked, whole = call.asked, flag == "all"
    changes: Document = {}
    if flag == "title" or whole:
        changes["title"] = meeting.titled(asked, call.session.name)
    if flag == "agenda" or whole:
        changes["message"] = asked.text("message")
    if flag == "member" or whole:
        changes["attendees"] = meeting.invited(asked.list("attendees"), _members(call))
    says_when = any(asked.has(name) for name in ("date", "stime", "etime", "duration"))
    if flag == "when" or (whole and says_when):
        lasts = _minutes(booking, before.document)
        when = meeting.when_of(asked, call.caller.at, _zone(_room(call)), binding=booking is not None, minutes=lasts)
        changes |= when._asdict()
    if "recur" in asked.values and flag in ("when", "all"):
        recurrence = meeting.recurrence_of(asked)
        if booking is not None and recurrence != before.document["recur"]:
            raise UserError("RECURRENCE_IS_FIXED", "A meeting that has a room keeps its recurrence; book another one")
        changes["recur"] = recurrence
    return changes


def _minutes(booking: Booking | None, document: Document) -> int:
    start, end = (booking.start, booking.end) if booking else (document["start"], document["end"])
    return meeting.MINUTES if start is None else max(1, (end - start) // MINUTE_MS)


def _follow(call: Call, booking: Booking, changes: Document) -> Booking:
    """The same change of the booking. Raises Taken, NotAllowed, Invalid: then nothing is changed."""
    fields: dict[str, Any] = {name: changes[name] for name in ("title", "start", "end") if name in changes}
    if "message" in changes:
        fields["description"] = changes["message"]
    if "attendees" in changes:
        fields["attendees"] = meeting.attendees_of(changes["attendees"])
    return call.bookings.change(booking.id, by=call.by, **fields) if fields else booking


def _reserve(call: Call, room: Room, nid: str, document: Document, also: Callable[[], list[Write]]) -> Booking:
    """Raises Taken, NotAllowed, Invalid, Conflict, TooLarge."""
    session = call.session
    return call.bookings.book(
        room,
        document["start"],
        document["end"],
        by=call.by,
        title=document["title"],
        description=document["message"],
        organizer=Person(name=session.name, email=session.email),
        attendees=meeting.attendees_of(document["attendees"]),
        rrule=meeting.rule_of(document["recur"]),
        external={SYSTEM: nid},
        key=call.key,
        also=also,
    )


def _booking(call: Call, nid: str) -> Booking | None:
    with suppress(Unknown):
        return call.bookings.by_external(SYSTEM, nid)
    return None


def _room(call: Call) -> Room | None:
    if call.session.room is None:
        return None
    try:
        return Rooms(call.caller.tables).get(call.session.room)
    except NotFound:
        return None  # it was deleted: the hub is tied to nothing any more


def _zone(room: Room | None) -> ZoneInfo:
    return zone_of(room.zone) if room else WITHOUT_A_ROOM


def _members(call: Call) -> dict[str, tuple[str, str]]:
    found = members_of(call.caller.tables, call.hub)
    return {each.id: (each.document["name"], each.document["email"]) for each in found}


def _second(asked: Asked, name: str) -> int:
    asked.need(name)
    return asked.number(name, 0, low=0, high=meeting.LAST_SECOND) * 1_000


def _public(document: Document) -> Document:
    return {name: value for name, value in document.items() if not name.startswith("_")}
