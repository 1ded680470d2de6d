"""A fresh store and account for each test; the handlers reach them through `wiring`."""

import importlib
import os
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from fingerpost import wiring
from fingerpost.local.blobs import FolderBlobs, local_drawings
from fingerpost.local.feed import local_feed
from fingerpost.local.queue import local_queue
from fingerpost.local.scheduler import local_scheduler
from fingerpost.local.table import local_tables
from tests.functions.delegating import GUIDE, publish_for
from tests.functions.graph import APP, FakeGraph, serving
from tests.functions.panels import House, Panel, Wires
from tests.functions.world import API_URL, DEFAULT, DOMAIN, ROOTS, Client, SettableClock, World, rule

MEMORY = Path("/dev/shm")


def imported_redirect() -> Any:
    """The redirect function. It opens its store as it is imported: that one is not to lie in the repository."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, {"FINGERPOST_DATA_DIR": folder}):
        redirect = importlib.import_module("functions.redirect.app")
    wiring.tables.cache_clear()
    wiring.recorder.cache_clear()
    return redirect


redirect = imported_redirect()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def world(clock: SettableClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        queues = {each: local_queue(folder, each, clock=clock) for each in ("spill", "work", "install")}
        queues["reactor"] = local_queue(folder, "reactor", ordered=True, clock=clock)
        tables = local_tables(folder, clock=clock)
        made = World(
            folder,
            tables,
            clock,
            queues,
            local_feed(folder, consumers=("derive", "dispatch"), clock=clock),
            numbers=count(1),
            bundles=FolderBlobs(folder / "bundles"),
            scheduler=local_scheduler(folder, queues["work"], clock=clock),
        )
        settings = wiring.Settings(
            api_url=API_URL, short_domain=DOMAIN, short_scheme="https", live_url="wss://api.example/ws"
        )
        monkeypatch.setattr(wiring, "clock", clock)
        monkeypatch.setattr(wiring, "tables", lambda: made.tables)
        monkeypatch.setattr(wiring, "recorder", lambda: made.tables.main)
        monkeypatch.setattr(wiring, "queue", queues.__getitem__)
        monkeypatch.setattr(wiring, "drawings", lambda: local_drawings(name))
        monkeypatch.setattr(wiring, "bundles", lambda: made.bundles)
        monkeypatch.setattr(wiring, "scheduler", lambda: made.scheduler)
        monkeypatch.setattr(wiring, "ready_runner", lambda: None)
        monkeypatch.setattr(wiring, "root_secrets", lambda: ROOTS)
        monkeypatch.setattr(wiring, "settings", lambda: settings)
        monkeypatch.setattr(redirect, "visits", made.fresh_visits())
        made.begin()
        yield made
        made.feed.close()
        tables.main.store.close()  # type: ignore[attr-defined]
        tables.log.store.close()  # type: ignore[attr-defined]


@pytest.fixture
def graph(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGraph]:
    """Facebook, and the world's application with an app of its own there."""
    with serving() as served:
        monkeypatch.setenv("FINGERPOST_GRAPH_URL", served.url)
        wiring.graph.cache_clear()
        path = f"/projects/{world.project}/applications/{world.application_id}"
        assert world.operator.put(path, {"socialNetworks": {"facebook": {"appId": APP}}}).status == 200
        yield served
    wiring.graph.cache_clear()


@pytest.fixture
def operator(world: World) -> Client:
    return world.operator


@pytest.fixture
def thng(world: World) -> Any:
    """A thng on offer, of a product."""
    return world.thng(product=world.product(tags=["flat"])["id"], tags=["Offer"])


@pytest.fixture
def short_id(operator: Client, thng: Any) -> str:
    """A short link of `thng`."""
    made: str = operator.link(thng["id"])["shortId"]
    return made


@pytest.fixture
def museum(world: World, operator: Client) -> str:
    """The short id of a thng that has something in every field."""
    product = world.product(
        name="Painting",
        description="flat",
        tags=["flat"],
        identifiers={"upc": "12345"},
        customFields={"dept": {"code": "PA"}},
        properties={"Insured": True},
    )
    thng = world.thng(
        name="example work",
        description="of turf",
        tags=["Offer", "Highlight"],
        product=product["id"],
        identifiers={"ean_13": 123, "upc": "123", "gs1:21": "7", "a.b": "dotted", "a": "plain"},
        customFields={
            "room": 4,
            "open": True,
            "size": {"h": {"cm": 80}},
            "x.y": "one key",
            "x": {"y": "two"},
            "none": None,
        },
        properties={"Humidity": 48.5, "status": "ok"},
    )
    short_id: str = operator.link(thng["id"], DEFAULT)["shortId"]
    return short_id


@pytest.fixture
def guide(world: World) -> str:
    """An application with a rule for what is on offer."""
    assert world.project
    publish_for(world, world.application_id, rule("thng.tags=Offer", GUIDE))
    return world.application_id


@pytest.fixture
def house(world: World, monkeypatch: pytest.MonkeyPatch) -> House:
    wires = Wires()
    monkeypatch.setattr(wiring, "panels", lambda: wires)
    return House(world, wires)


@pytest.fixture
def panel(house: House) -> Panel:
    """At a door: connected and logged in."""
    return house.at_the_door()
