"""The key shapes of what opens the room APIs: look-ups that come before an account is known."""

from ..keys import ONLY, hash_of
from ..ports.table import GlobalKey


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
