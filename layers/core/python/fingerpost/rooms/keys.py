"""The key shapes of bookings, of panels, and of what opens the room APIs, much of it before an account is known."""

import time

from ..clock import DAY_MS
from ..keys import ONLY, hash_of, moment
from ..ports.table import GlobalKey, Key


def room_key(api: str, text: str) -> GlobalKey:
    """main. Whose a client, a token or a key of the room APIs is, by a hash that no client of theirs sends."""
    return room_key_of(hash_of(f"{api}/{text}"))


def room_key_of(digest: str) -> GlobalKey:
    """The same row, by the hash."""
    return GlobalKey(f"roomKey#{digest}", ONLY)


def door(room: str) -> GlobalKey:
    """main. Whose a room is: the address of its page names nothing but the room."""
    return room_key("door", room)


def ddp_names(login: str) -> str:
    """main. Partition, without an account, of who may log in to the panels' server under a name in lower case."""
    return f"ddpName#{hash_of(login)}"


def ddp_name(login: str, account: str, user: str) -> GlobalKey:
    return GlobalKey(ddp_names(login), f"{account}#{user}")


def room_days(room: str) -> str:
    """main. Partition of a room's days: what holds it on each, by UTC day (yyyymmdd)."""
    return f"day#{room}"


def room_day(room: str, day: str) -> Key:
    return Key(room_days(room), day)


def days_of(start: int, end: int) -> list[str]:
    """The UTC days that an interval touches, `yyyymmdd`."""
    days = range(start // DAY_MS, (max(end, start + 1) - 1) // DAY_MS + 1)
    return [time.strftime("%Y%m%d", time.gmtime(day * DAY_MS // 1_000)) for day in days]


def booking(booking_id: str) -> Key:
    """main. One booking, or one series with its occurrences."""
    return Key(f"bk#{booking_id}", ONLY)


def booking_of(system: str, external_id: str) -> Key:
    """main. Which booking another system knows by this id."""
    return Key(f"bx#{system}#{hash_of(external_id)}", ONLY)


def booking_request(source: str, client: str, key: str) -> Key:
    """main. Which booking a request has made, so that its repeats make no other."""
    digest = hash_of(f"{client}\0{key}")
    return Key(f"bi#{source}#{digest}", ONLY)


ARRIVALS = "due"  # log. Partition of the bookings that somebody has to check in to, by until when
SWEEP = Key("due-sweep", ONLY)  # log. When the account's overdue bookings are looked at next


def arrival(until: int, booking_id: str) -> Key:
    return Key(ARRIVALS, f"{moment(until)}#{booking_id}")


def panel(connection_id: str) -> GlobalKey:
    """log. One connection of the panels' server: who is logged in there, and its subscriptions."""
    return GlobalKey(panel_rows(connection_id), ONLY)


def panel_rows(connection_id: str) -> str:
    """log. Partition, without an account, of all that is known of a connection."""
    return f"ddp#{connection_id}"


def panel_documents(connection_id: str, collection: str, lane: int) -> GlobalKey:
    """log. Which documents of a collection a connection has, as far as they lie in one lane."""
    return GlobalKey(panel_rows(connection_id), f"{collection}#{lane:02d}")


def panel_watchers(topic: str) -> str:
    """log. Partition of the connections that are told of a room (its id), of all rooms (`*`), of a collection."""
    return f"ddpWatch#{topic}"


def panel_watcher(topic: str, connection_id: str) -> Key:
    return Key(panel_watchers(topic), connection_id)


def live_room(hub: str, room: str) -> GlobalKey:
    """log. A live room of a hub. Beside it lie who is in it, by socket, and what they have switched on."""
    return GlobalKey(live_room_rows(hub, room), ONLY)


def live_room_rows(hub: str, room: str) -> str:
    """log. Partition, without an account (who asks by a public link has none yet), of one live room."""
    return f"hubRoom#{hub}#{hash_of(room)}"


ATTENDEES, MEDIA = "at#", "in#"  # what rows of a live room begin with


def attendee(hub: str, room: str, socket: str) -> GlobalKey:
    return GlobalKey(live_room_rows(hub, room), ATTENDEES + socket)


def media(hub: str, room: str, uid: str) -> GlobalKey:
    return GlobalKey(live_room_rows(hub, room), MEDIA + hash_of(uid))


def live_rooms(hub: str) -> str:
    """log. Partition of the live rooms of a hub."""
    return f"hubRooms#{hub}"


def live_room_of(hub: str, room: str) -> GlobalKey:
    return GlobalKey(live_rooms(hub), hash_of(room))


def hub_socket(connection_id: str) -> GlobalKey:
    """log. A connection of somebody in a hub. Beside it lies which live rooms it is in."""
    return GlobalKey(hub_socket_rows(connection_id), ONLY)


def hub_socket_rows(connection_id: str) -> str:
    return f"hubSocket#{connection_id}"


def hub_socket_in(connection_id: str, room: str) -> GlobalKey:
    return GlobalKey(hub_socket_rows(connection_id), ATTENDEES + hash_of(room))


def hub_sockets(hub: str) -> str:
    """log. Partition of the connections of a hub."""
    return f"hubSockets#{hub}"


def hub_socket_of(hub: str, connection_id: str) -> GlobalKey:
    return GlobalKey(hub_sockets(hub), connection_id)


def displays(room: str) -> str:
    """main. Partition of the open connections of displays at a room's door."""
    return f"doors#{room}"


def display(room: str, connection_id: str) -> Key:
    return Key(displays(room), connection_id)
