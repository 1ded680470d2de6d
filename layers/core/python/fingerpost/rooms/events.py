"""What happens to rooms, as actions on their thngs: lists, rules and scripts hang off them as off any other.

An event is written in the transaction of the change that it tells of, so there is exactly one for each.
"""

import json
from collections.abc import Mapping
from typing import Any

from .. import keys
from ..actions.sums import expiry_of
from ..ids import new_id
from ..ports.table import Absent, Item, Put
from ..shapes import stamp
from .model import Booking, By, Event, Room


def told(event: Event, room: Room, about: Mapping[str, Any], by: By, at: int, live: Item | None) -> Put:
    """The event's row. `about` becomes its custom fields; `live` is the account's live row, which says how long
    actions are kept."""
    kept = int(live.get(keys.RETENTION, 0)) if live else 0
    waits = {"managers": ", ".join(room.managers)} if about.get("state") == "tentative" else {}  # who is to approve it
    fields = {"room": room.name, **about, **waits, "source": by.source, "by": str(by)}
    known = {name: value for name, value in fields.items() if value not in (None, "")}
    item: Item = {
        **stamp("action"),
        "type": event,
        "ts": at,
        "projects": list(room.projects),
        "thng": room.id,
        "cause": by.cause,
        "more": json.dumps({"customFields": known}, ensure_ascii=False),
    }
    optional = {"product": room.product, "kept": kept or None, "chain": list(by.chain)}
    item.update({name: value for name, value in optional.items() if value})
    return Put(keys.action(new_id(at)), item, (Absent(),), expires_at=expiry_of(item))


def about(booking: Booking) -> dict[str, Any]:
    """What an event says of its booking; times are milliseconds since the epoch."""
    return {
        "booking": booking.id,
        "title": booking.title,
        "start": booking.start,
        "end": booking.end,
        "state": booking.state,
        "organizer": booking.organizer.email or booking.organizer.name,
        "series": booking.series,
        "rrule": booking.rrule,
    }
