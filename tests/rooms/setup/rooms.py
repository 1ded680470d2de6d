"""Rooms to test with."""

from typing import Any

from fingerpost.access.secrets import RootSecrets
from fingerpost.caller import Caller
from fingerpost.ports.table import Tables
from fingerpost.rooms import setup
from fingerpost.rooms.documents import NewRoom
from fingerpost.rooms.model import Room
from fingerpost.rooms.rooms import Rooms

ROOTS = RootSecrets(1, {1: bytes(range(32))})
DOMAIN, ACCOUNT = "tn.example", "UHMuseum"


def room(tables: Tables, caller: Caller, name: str = "Harbour Room", **more: Any) -> Room:
    sent = NewRoom.model_validate({"name": name, **more})
    made = setup.create(caller, tables, sent, DOMAIN, None)
    return Rooms(caller.tables).get(made.id)
