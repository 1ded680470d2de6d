"""The museum's rooms, and what opens the four room APIs, as a fresh store begins with them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import keys, wiring
from ..access.first_account import FirstAccount
from ..access.model import EVERYTHING, Principal
from ..access.store import PROJECT
from ..caller import Caller
from ..clock import DAY_MS
from ..ids import SeededIds
from ..ports.table import Set, Tables
from ..rooms import credentials, devices, hubs, logins, people, plain, setup, structures
from ..rooms.documents import NewRoom
from ..rooms.kinds import EQUIPMENT
from ..rooms.rooms import Rooms

OPENED_MS = 16 * DAY_MS  # before its store began: the rooms are older than the works on show
CONTENT = Path(__file__).with_name("rooms.json")

type Content = dict[str, Any]


def prepare(tables: Tables, first: FirstAccount, domain: str) -> Content:
    """Make the rooms once; answers what stands of them in demo.json, the same at every start. `tables` are unscoped."""
    content: Content = json.loads(CONTENT.read_text(encoding="utf-8"))
    ids = SeededIds(f"rooms/{first.account}")
    caller = Caller(
        principal=Principal(actor="operator", account=first.account, id=first.operator, rights=EVERYTHING),
        tables=tables.of(first.account),
        at=first.at - OPENED_MS,
        cause="demo",
        new_id=ids.new_id,
        new_short_id=ids.new_short_id,
    )
    row = tables.main.get(keys.first_account(), consistent=True) or {}
    if "rooms" not in row:
        made = json.dumps(_make(tables, caller, content, domain))
        row = tables.main.update(keys.first_account(), (Set("rooms", made),))[1]
    return _credentials(caller, json.loads(str(row["rooms"])), content)


def _make(tables: Tables, caller: Caller, content: Content, domain: str) -> Content:
    """Everything with ids of one seed, so that a start that was interrupted goes on where it stopped."""
    roots = wiring.root_secrets()
    project = next((each.id for each in plain.all_of(caller.tables, PROJECT)), None)
    where: dict[str | None, str | None] = {None: None}
    for number, each in enumerate(content["structures"]):
        document = {**each["document"], "parent": where[each.get("parent")]}
        where[each["key"]] = structures.create(replace(caller, at=caller.at + number), document).id
    custom = {each["key"]: plain.create(caller, EQUIPMENT, each["document"]).id for each in content["equipment"]}
    rooms: dict[str, str] = {}
    for number, each in enumerate(content["rooms"]):
        own = {custom[name]: works for name, works in each["customEquipment"].items()}
        sent = {**each["document"], "structure": where[each["structure"]], "customEquipment": own}
        later = replace(caller, at=caller.at + number)  # one after the other, so that lists have an order
        rooms[each["key"]] = setup.create(later, tables, NewRoom.model_validate(sent), domain, project).id
    for each in content["devices"]:
        devices.create(caller, {**each["document"], "room": rooms[each["room"]]})
    for each in content["people"]:
        people.create(caller, roots, each["document"])
    hub = hubs.create(caller, {**content["hub"]["document"], "room": rooms[content["hub"]["room"]]}).id
    members = {}
    for each in content["hub"]["members"]:
        named = {name: each[name] for name in ("name", "email", "privilege")}
        members[each["key"]] = hubs.add_member(caller, roots, hub, **named)[0].id
    tokens = {}
    for each in content["tokens"]:
        reached = [rooms[name] for name in each["rooms"]]
        token, _ = credentials.create_roomvox_token(caller, roots, each["name"], each["scope"], rooms=reached)
        tokens[each["key"]] = token.id
    return {
        "root": roots.current,
        "rooms": rooms,
        "hub": hub,
        "members": members,
        "tokens": tokens,
        "joan": credentials.create_joan_client(caller, roots, "Museum")[0].id,
        "group": logins.create_group(caller, roots, "panels")[0].id,
    }


def _credentials(caller: Caller, made: Content, content: Content) -> Content:
    """What follows from the ids and the root secret of the time: nothing of it lies in the store."""
    roots, root = wiring.root_secrets(), made["root"]
    client, secret = credentials.joan_secrets(roots, caller, made["joan"], root=root)
    there = Rooms(caller.tables).get_many(list(made["rooms"].values()))
    headers = {
        key: {
            hubs.SELECTED: hubs.COOKIE,
            f"x-param-{hubs.COOKIE}": hubs.member_secret(roots, caller, member, root=root),
        }
        for key, member in made["members"].items()
    }
    return {
        "rooms": {
            key: {
                "id": room.id,
                "evokoId": room.evoko_id,
                "joanId": room.joan_id,
                "email": room.email,
                "roomvoxId": room.slug,
            }
            for key, room_id in made["rooms"].items()
            if (room := there.get(room_id)) is not None
        },
        "joan": {"clientId": client, "clientSecret": secret},
        "roomvox": {
            key: credentials.roomvox_secret(roots, caller, token, root=root) for key, token in made["tokens"].items()
        },
        "ddp": {
            "username": logins.DEFAULT_USER,
            "password": logins.group_secret(roots, caller, made["group"], root=root),
        },
        "roomService": {
            "hubId": made["hub"],
            "adminHeaders": headers["admin"],
            "readHeaders": headers["reader"],
        },
        "people": {
            each["key"]: {name: each["document"].get(name) for name in ("email", "pin", "rfid")}
            for each in content["people"]
        },
    }
