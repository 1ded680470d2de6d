"""Panels at doors: which room each shows, and what it says of itself. Source: Joan's device document."""

from .. import keys
from ..caller import Caller
from ..errors import Conflict, Finding
from ..ports.table import Absent, Delete, Put, Tables
from ..resources import Document, Resources, Stored
from ..shapes import stamp
from . import plain
from .kinds import DEVICE, ROOM

CLAIM = "roomDevice"


def create(caller: Caller, fields: Document) -> Stored:
    """Raises Invalid for a room that is none, Conflict for a device that there is already."""
    _check_room(caller.tables, fields)
    claim = keys.claim(CLAIM, fields["uuid"])
    try:
        return plain.create(
            caller, DEVICE, fields, also=lambda device: [Put(claim, {**stamp("claim"), "id": device}, (Absent(),))]
        )
    except Conflict as error:
        finding = Finding(field="uuid", message="there is a device with it already")
        raise Conflict(f"uuid: there is a device {fields['uuid']} already", details=[finding]) from error


def update(caller: Caller, device: str, fields: Document) -> Stored:
    """Raises NotFound, Invalid, PreconditionFailed."""
    return plain.update(
        caller, DEVICE, device, fields, needs=("room",), check=lambda after: _check_room(caller.tables, after)
    )


def delete(caller: Caller, device: str) -> None:
    plain.delete(caller, DEVICE, device, also=lambda before: [Delete(keys.claim(CLAIM, before["uuid"]))])


def by_uuid(tables: Tables, uuid: str) -> Stored:
    """`tables` are the account's. Raises NotFound."""
    devices = Resources(tables, DEVICE)
    claim = tables.main.get(keys.claim(CLAIM, uuid), consistent=True)
    if claim is None:
        raise devices.missing(uuid[:60])
    return devices.read(str(claim["id"]))


def _check_room(tables: Tables, fields: Document) -> None:
    room = fields["room"]
    if room not in Resources(tables, ROOM).read_many([room], consistent=True):
        raise plain.unknown("room", room)
