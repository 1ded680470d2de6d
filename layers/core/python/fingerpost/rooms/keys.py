"""The key shapes of what opens the room APIs, most of them look-ups that come before an account is known."""

from ..keys import ONLY, hash_of
from ..ports.table import GlobalKey, Key


def room_key(api: str, text: str) -> GlobalKey:
    """main. Whose a client, a token or a key of the room APIs is, by a hash that no client of theirs sends."""
    return room_key_of(hash_of(f"{api}/{text}"))


def room_key_of(digest: str) -> GlobalKey:
    """The same row, by the hash."""
    return GlobalKey(f"roomKey#{digest}", ONLY)


def ddp_names(login: str) -> str:
    """main. Partition, without an account, of who may log in to the panels' server under a name in lower case."""
    return f"ddpName#{hash_of(login)}"


def ddp_name(login: str, account: str, user: str) -> GlobalKey:
    return GlobalKey(ddp_names(login), f"{account}#{user}")


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
