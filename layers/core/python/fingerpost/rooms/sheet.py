"""Rooms in tables, as RoomVox and Exchange export them: which column is which, and what a line says. Pure.

Source: wire-facts, RoomVox, CSV; the columns of `Get-Place` of Exchange Online.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .rooms import FACILITIES

COLUMNS = (
    "name",
    "email",
    "capacity",
    "roomNumber",
    "roomType",
    "building",
    "street",
    "postalCode",
    "city",
    "facilities",
    "description",
    "autoAccept",
    "active",
)
EXCHANGE = {
    "displayname": "name",
    "primarysmtpaddress": "email",
    "emailaddress": "email",
    "resourcecapacity": "capacity",
    "label": "roomNumber",
    "floor": "roomNumber",
    "floorlabel": "roomNumber",
    "tags": "facilities",
    "postalcode": "postalCode",
}
ADDRESS = ("building", "street", "postalCode", "city")
EQUIPMENT = {
    **{name.casefold(): name for name in FACILITIES},
    "videoconf": "videoConference",
    "videodevicename": "videoConference",
    "audio": "teleConference",
    "phone": "teleConference",
    "beamer": "projector",
    "screen": "display",
    "airconditioning": "ac",
}
TRUE, FALSE = frozenset(("true", "yes", "1", "on", "x")), frozenset(("false", "no", "0", "off", ""))


def columns_of(header: Iterable[str]) -> dict[str, str]:
    """Which column of the header has each of ours: `{"email": "PrimarySmtpAddress", ...}`."""
    ours = {name.casefold(): name for name in COLUMNS}
    found: dict[str, str] = {}
    for name in header:
        plain = re.sub(r"[^a-z]", "", name.casefold())
        column = ours.get(plain) or EXCHANGE.get(plain)
        if column is not None:
            found.setdefault(column, name)
    return found


def document_of(cells: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """What a line says of a room, and what of it cannot be read. `cells` are by our columns; empty ones say nothing."""
    said = {name: value.strip() for name, value in cells.items() if value.strip()}
    mistakes: list[str] = []
    document: dict[str, Any] = {name: said[name] for name in ("name", "email", "description") if name in said}
    document |= {
        ours: said[column] for ours, column in (("number", "roomNumber"), ("type", "roomType")) if column in said
    }
    if "capacity" in said:
        if said["capacity"].isascii() and said["capacity"].isdigit():
            document["capacity"] = int(said["capacity"][:9])
        else:
            mistakes.append(f"capacity: {said['capacity'][:40]!r} is no number")
    if address := {name: said[name] for name in ADDRESS if name in said}:
        document["address"] = address
    for column, field, turned in (("autoAccept", "approval", True), ("active", "active", False)):
        if column in said:
            if said[column].casefold() not in TRUE | FALSE:
                mistakes.append(f"{column}: {said[column][:40]!r} is neither true nor false")
            document[field] = (said[column].casefold() in TRUE) is not turned
    if "facilities" in said:
        names = [each.strip() for each in re.split(r"[,;|]", said["facilities"]) if each.strip()]
        known = {each: EQUIPMENT.get(re.sub(r"[^a-z]", "", each.casefold())) for each in names}
        document["equipment"] = {name: True for name in known.values() if name is not None}
        mistakes += [f"facilities: {each[:40]!r} is not known" for each, name in known.items() if name is None]
    if "name" not in document:
        mistakes.append("name: a room needs a name")
    return document, mistakes
