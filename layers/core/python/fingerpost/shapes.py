"""Every row says what it is (`k`, its kind) and in which shape it was written (`sv`). Old shapes are upgraded on read.

Changing a row's shape: raise its number in CURRENT, add the step to STEPS, keep a fixture of the old shape in
tests/shapes/. Nothing is rewritten in bulk: a row takes its new shape when it is next written.
"""

import json
from collections.abc import Callable

from .ports.table import Item

CURRENT: dict[str, int] = {
    "account": 1,
    "shortDomain": 1,
    "closing": 1,
    "operator": 2,
    "project": 1,
    "application": 1,
    "role": 1,
    "admins": 1,
    "user": 1,
    "password": 1,
    "session": 1,
    "tries": 1,
    "device": 1,
    "product": 1,
    "thng": 1,
    "collection": 1,
    "place": 1,
    "position": 1,
    "actionType": 1,
    "action": 1,
    "now": 3,
    "property": 1,
    "location": 1,
    "link": 1,
    "linkOf": 1,
    "key": 2,
    "salt": 1,
    "firstAccount": 1,
    "claim": 1,
    "index": 1,
    "listed": 1,
    "visit": 2,
    "page": 2,
    "marks": 1,
    "waiting": 1,
    "turn": 1,
    "sum": 2,
    "visitors": 1,
    "erasure": 1,
    "live": 1,
    "rules": 2,
    "draft": 1,
    "chunk": 1,
    "reactor": 1,
    "reactorLog": 1,
    "script": 1,
    "scriptVersion": 1,
    "schedule": 1,
    "run": 1,
    "reactorRules": 1,
    "webhookSecret": 1,
    "ruleMessage": 1,
    "audit": 1,
    "auditOf": 1,
    "answer": 1,
    "bulk": 2,
    "bulkDone": 1,
    "rate": 1,
    "roomDay": 1,
    "booking": 1,
    "bookingOf": 1,
    "bookingRequest": 1,
    "arrival": 1,
    "sweep": 1,
    "connection": 1,
    "watcher": 1,
    "presence": 1,
    "room": 1,
    "structure": 1,
    "equipment": 1,
    "person": 1,
    "roomDevice": 1,
    "hub": 1,
    "hubMember": 1,
    "hubMeeting": 1,
    "hubRoom": 1,
    "hubRoomOf": 1,
    "hubAttendee": 1,
    "hubMedia": 1,
    "hubSocket": 1,
    "hubSocketIn": 1,
    "hubSocketOf": 1,
    "joanClient": 1,
    "roomvoxToken": 1,
    "evokoGroup": 1,
    "evokoUser": 1,
    "roomKey": 1,
    "ddpName": 1,
    "panel": 1,
    "panelDocuments": 1,
    "panelWatcher": 1,
    "display": 1,
}

_WITHOUT_A_STORY: Item = {  # of a version from when only operators published, and always at once
    "actor": "operator",
    "made": "",
    "reason": "",
    "starts": None,
    "ends": None,
    "back": None,
    "draft": None,
    "cancelled": None,
}

type Step = Callable[[Item], Item]


def _key_2(item: Item) -> Item:
    """Keys of users came, which are of an application and of a session."""
    application = item["id"] if item["actor"] in ("application", "trustedApplication") else None
    return {**item, "app": application, "at": 0}


def _operator_2(item: Item) -> Item:
    """Roles came; until then every operator could do everything."""
    return {**item, "doc": json.dumps({**json.loads(item["doc"]), "role": "admin"}, separators=(",", ":"))}


STEPS: dict[tuple[str, int], Step] = {  # (kind, from shape) -> the row in the next shape
    ("bulk", 1): lambda row: {**row, "within": None},
    ("key", 1): _key_2,
    ("operator", 1): _operator_2,
    ("rules", 1): lambda row: {**row, **_WITHOUT_A_STORY},
    ("now", 1): lambda item: {"actor": "nobody", "by": "", "cause": "", **item},  # who changed it was not kept
    ("now", 2): lambda item: {
        "app": "",
        "chain": [],
        "begun": False,
        **item,
    },  # reactor functions were not told of it yet
    ("visit", 1): lambda row: {"who": "", **row},
    ("page", 1): lambda row: row,
    ("sum", 1): lambda row: {
        "k": "sum",
        "v": 0,
        "sums": {name: number for name, number in row.items() if name not in ("k", "sv")},
    },
}


class UnknownShape(Exception):
    """A row was written by a newer version than this one, or by nobody we know."""


def stamp(kind: str) -> Item:
    """The two attributes that begin every row of `kind`."""
    return {"k": kind, "sv": CURRENT[kind]}


def upgraded(item: Item) -> Item:
    """The row in its current shape. Raises UnknownShape for one from the future."""
    kind, shape = item.get("k"), item.get("sv")
    if not isinstance(kind, str) or not isinstance(shape, int) or not 1 <= shape <= CURRENT.get(kind, 0):
        raise UnknownShape(f"a row of kind {kind!r} in shape {shape!r}")
    while shape < CURRENT[kind]:
        item = {**STEPS[kind, shape](item), "sv": shape + 1}
        shape += 1
    return item
