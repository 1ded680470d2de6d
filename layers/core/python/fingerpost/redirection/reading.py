"""What one scan reads beyond its link: things, projects and applications in one batch, the closest place apart.

Standard library only; on the scan path. Nothing is read before rules or a chosen template ask for it, nothing twice.
"""

import json
from collections.abc import Iterable
from copy import replace
from typing import Any

from .. import keys
from ..clock import DAY_MS
from ..ports.table import Item, Key, Tables
from ..shapes import upgraded
from .context import (
    APPLICATION,
    PLACE,
    PRODUCT,
    PRODUCT_PROPERTIES,
    PROJECT,
    ROOM,
    THINGS,
    THNG_PROPERTIES,
    Document,
    Needs,
    Sources,
)
from .rulesets import Version

type Rows = dict[Key, Item | None]  # what was read; None for a row that is not there


class Reading:
    """The sources of one scan. `tables` are the account's own; the product of a thng is a hint, verified once read."""

    __slots__ = (
        "_begun",
        "_documents",
        "_needs",
        "_parsed",
        "_places",
        "_product_id",
        "_room",
        "_rows",
        "_tables",
        "_thng_id",
        "account",
        "facts",
        "thng",
    )

    def __init__(
        self,
        tables: Tables,
        begun: Sources,
        thng_id: str | None,
        product_id: str | None,
        ahead: Rows | None = None,
        parsed: dict[str, Document | None] | None = None,
    ):
        """`begun` is what is known without reading; `ahead` was read before it was known to be needed.

        Readings of several scans may share `ahead` and `parsed`, the documents in its rows: each adds what it reads.
        """
        self.account, self.facts = tables.account, begun.facts
        self._tables, self._begun = tables, begun
        self._thng_id, self._product_id = thng_id, product_id
        self._rows: Rows = {} if ahead is None else ahead
        self._needs: Needs = 0
        self._documents: tuple[Key, ...] = ()
        self._parsed: dict[str, Document | None] = {} if parsed is None else parsed
        self._places: dict[str, Document | None] = {}
        self._room: Document | None = None
        self.thng: Document | None = None  # as soon as it was wanted

    def expect(self, needs: Needs, documents: tuple[Key, ...]) -> None:
        """What may be needed before this scan is decided: when anything has to be read, all of it is."""
        self._needs, self._documents = needs, documents

    def sources(self, needs: Needs, asked: Version | None = None) -> Sources:
        """Everything that `needs` names, for the rules of the application `asked`; None: for the account's own."""
        if not needs:
            return self._begun
        changes: dict[str, Any] = {}
        if needs & THINGS:
            changes["thng"], changes["product"] = self._things(needs)
        if asked is not None and needs & (PROJECT | APPLICATION):
            self._read(scope_keys(needs, asked))
            for name, need, resource_id in (
                ("project", PROJECT, asked.project),
                ("application", APPLICATION, asked.app),
            ):
                if needs & need:
                    changes[name] = self._resource(resource_id)
        if needs & ROOM:
            changes["room"] = self._room_fields()
        if needs & PLACE:
            changes["place"] = self._place(asked.project if asked is not None else "")
        return replace(self._begun, **changes)

    def _things(self, needs: Needs) -> tuple[Document | None, Document | None]:
        self._read(thing_keys(needs, self._thng_id, self._product_id))
        thng = self.thng = self._resource(self._thng_id)
        if thng is not None and needs & (PRODUCT | PRODUCT_PROPERTIES):
            self._product_id = thing = thng.get("product")
            self._read(thing_keys(needs, None, thing))
        return thng, self._resource(self._product_id)

    def _resource(self, resource_id: str | None) -> Document | None:
        if resource_id is None:
            return None
        if resource_id not in self._parsed:
            self._parsed[resource_id] = resource_of(self._rows, resource_id)
        return self._parsed[resource_id]

    def _read(self, wanted: Iterable[Key]) -> None:
        """The rows `wanted`; when one is not there yet, all that is likely to be asked for comes in the same batch."""
        rows = self._rows
        if all(key in rows for key in wanted):
            return
        likely = [*wanted, *thing_keys(self._needs, self._thng_id, self._product_id), *self._documents]
        likely += room_keys(self._needs, self._thng_id, self.facts.at)
        missing = list(dict.fromkeys([key for key in likely if key not in rows]))
        found = self._tables.main.get_many(missing)
        for key in missing:
            rows[key] = found.get(key)
        self._parsed.clear()

    def _room_fields(self) -> Document | None:
        if self._room is None and (wanted := room_keys(ROOM, self._thng_id, self.facts.at)):
            self._read(wanted)
            row, *days = (self._rows[key] for key in wanted)
            if row is not None and self._thng_id is not None:
                from ..rooms.standing import fields_of  # noqa: PLC0415 - only rules that mention a room need it

                room = json.loads(str(upgraded(row)["doc"]))
                self._room = fields_of(self._thng_id, room, days, self.facts.at)
        return self._room

    def _place(self, project: str) -> Document | None:
        facts = self._begun.facts
        if facts.latitude is None or facts.longitude is None:
            return None
        if project not in self._places:
            from ..catalogue.places import closest  # noqa: PLC0415 - only rules that mention a place need it

            self._places[project] = closest(self._tables, facts.latitude, facts.longitude, project or None)
        return self._places[project]


def thing_keys(needs: Needs, thng_id: str | None, product_id: str | None) -> list[Key]:
    """The rows that `needs` of things are read from; a thng also when only its product is wanted: it names it."""
    if not needs & THINGS:
        return []
    wanted = _keys_of(thng_id, needs & THNG_PROPERTIES) if thng_id else []
    if product_id and needs & (PRODUCT | PRODUCT_PROPERTIES):
        wanted += _keys_of(product_id, needs & PRODUCT_PROPERTIES)
    return wanted


def room_keys(needs: Needs, thng_id: str | None, at: int) -> list[Key]:
    """The rows of what a thng is as a room: its document, what holds it today and tomorrow (UTC)."""
    if not needs & ROOM or not thng_id:
        return []
    from ..rooms import keys as of_rooms  # noqa: PLC0415 - as above

    days = of_rooms.days_of(at, at + DAY_MS + 1)
    return [keys.beside(thng_id, "room"), *(of_rooms.room_day(thng_id, day) for day in days)]


def scope_keys(needs: Needs, asked: Version) -> list[Key]:
    """The rows of the application's project and of itself, as far as `needs` name them."""
    wanted = [keys.document(asked.project)] if needs & PROJECT else []
    return [*wanted, keys.document(asked.app)] if needs & APPLICATION else wanted


def _keys_of(resource_id: str, properties: Needs) -> list[Key]:
    wanted = [keys.document(resource_id)]
    return [*wanted, keys.current(resource_id)] if properties else wanted


def resource_of(rows: Rows, resource_id: str) -> Document | None:
    """A resource from its rows, with its `id` and, when they were read, its `properties`."""
    if (row := rows.get(keys.document(resource_id))) is None:
        return None
    document: dict[str, Any] = {**json.loads(str(upgraded(row)["doc"])), "id": resource_id}
    if (current := rows.get(keys.current(resource_id))) is not None:
        document["properties"] = {
            name[2:]: json.loads(text)
            for name, text in current.items()
            if len(name) > 2 and name.startswith("v:") and isinstance(text, str)
        }
    return document
