"""Every row says its kind and shape; rows of every shape that was ever released can be read."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

import fingerpost
from fingerpost import keys, shapes
from fingerpost.access.store import ACCOUNT, APPLICATION, OPERATOR, PROJECT, ROLE, USER
from fingerpost.actions.model import ACTION_TYPE, document_of, indexed_document
from fingerpost.catalogue import places, properties
from fingerpost.catalogue.model import COLLECTION, PLACE, PRODUCT, THNG
from fingerpost.ports.table import Item
from fingerpost.redirection import model, rulesets
from fingerpost.resources import Kind, from_item
from fingerpost.rooms import kinds
from fingerpost.shapes import CURRENT, STEPS, UnknownShape, stamp, upgraded
from tests.every_row import SHAPES, from_json, rows_by_kind, shape_of
from tests.stores import NOON

FIXTURES = sorted(SHAPES.glob("*.json"))
OF_ROOMS = tuple(each for each in vars(kinds).values() if isinstance(each, Kind))
DOCUMENTS = (
    *(ACCOUNT, OPERATOR, PROJECT, APPLICATION, ROLE, USER, PRODUCT, THNG, COLLECTION, PLACE, ACTION_TYPE),
    *OF_ROOMS,
)
KINDS = {kind.name: kind for kind in DOCUMENTS}


def fixture(kind: str, shape: int) -> Item:
    return from_json((SHAPES / f"{kind}.{shape}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def written() -> dict[str, Item]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return rows_by_kind(monkeypatch)


@pytest.mark.parametrize("kind", CURRENT)
def test_every_kind_has_a_fixture_in_its_present_shape(kind):
    row = fixture(kind, CURRENT[kind])
    assert (row["k"], row["sv"]) == (kind, CURRENT[kind])
    assert upgraded(row) == row
    assert len(row) > 2 or kind in ("linkOf", "presence", "watcher", "arrival", "panelWatcher", "display"), (
        "it holds something"
    )


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_row_of_every_shape_that_ever_was_can_be_read(path):
    kind, shape = path.stem.split(".")
    row = upgraded(fixture(kind, int(shape)))
    assert row["sv"] == CURRENT[kind]
    assert shape_of(row).keys() == shape_of(fixture(kind, CURRENT[kind])).keys()


def test_every_step_begins_at_a_shape_that_has_a_fixture_and_leads_to_a_known_one():
    for kind, shape in STEPS:
        assert (SHAPES / f"{kind}.{shape}.json").is_file(), f"keep a fixture of {kind} in shape {shape}"
        assert 1 <= shape < CURRENT[kind]
    assert set(STEPS) == {(kind, shape) for kind, current in CURRENT.items() for shape in range(1, current)}


@pytest.mark.parametrize("kind", CURRENT)
def test_what_is_written_today_has_the_shape_of_its_fixture(written, kind):
    """When this fails on purpose: raise the number in CURRENT, add a step, run `python -m tests.every_row`."""
    today, kept = dict(written[kind]), dict(fixture(kind, CURRENT[kind]))
    if "doc" in kept:
        today["doc"], kept["doc"] = json.loads(today["doc"]), json.loads(kept["doc"])
    assert shape_of(today) == shape_of(kept)


@pytest.mark.parametrize("kind", CURRENT)
@pytest.mark.parametrize("shape", [0, -1, 99, "1", None, 1.0])
def test_a_row_in_a_shape_that_is_not_known_is_refused(kind, shape):
    with pytest.raises(UnknownShape, match=kind):
        upgraded({**stamp(kind), "sv": shape})


@pytest.mark.parametrize(
    "row", [{}, {"k": "dragon", "sv": 1}, {"k": None, "sv": 1}, {"sv": 1}, {"k": ["thng"], "sv": 1}]
)
def test_a_row_of_nobody_we_know_is_refused(row):
    with pytest.raises(UnknownShape):
        upgraded(row)


def test_an_old_row_takes_every_step_in_turn_and_the_row_it_came_from_stays(monkeypatch):
    monkeypatch.setitem(shapes.CURRENT, "thng", 3)
    monkeypatch.setitem(shapes.STEPS, ("thng", 1), lambda row: {**row, "doc": row["doc"] + "b"})
    monkeypatch.setitem(shapes.STEPS, ("thng", 2), lambda row: {**row, "doc": row["doc"] + "c"})
    old = {"k": "thng", "sv": 1, "doc": "a"}
    assert upgraded(old) == {"k": "thng", "sv": 3, "doc": "abc"}
    assert upgraded({"k": "thng", "sv": 2, "doc": "a"}) == {"k": "thng", "sv": 3, "doc": "ac"}
    assert old == {"k": "thng", "sv": 1, "doc": "a"}
    assert stamp("thng") == {"k": "thng", "sv": 3}


def test_the_code_stamps_the_kinds_of_the_table_and_no_others():
    stamped = set()
    for path in Path(fingerpost.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name("stamp"), args=[ast.Constant(str(kind))]):
                    stamped.add(kind)
    assert stamped | KINDS.keys() == CURRENT.keys()


# The readers


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_is_read_from_its_fixture(kind):
    stored = from_item(KINDS[kind], "U1", fixture(kind, CURRENT[kind]))
    assert stored is not None
    assert stored.version == fixture(kind, CURRENT[kind])["v"]
    assert stored.document["createdAt"] - NOON in range(10)
    assert from_item(KINDS[kind], "U1", {**fixture(kind, CURRENT[kind]), "k": "another"}) is None


def test_an_action_is_read_from_its_fixture():
    item = fixture("action", CURRENT["action"])
    document = document_of("U1", dict(item), agent={})
    assert document["type"] == "implicitScans"
    assert document["context"]["countryCode"] == "IE"
    assert document["reactions"][0]["redirectUrl"] == "https://museum.example/T-1?q=shine"
    assert indexed_document(dict(item))["context.city"] == "Dublin"


def test_a_link_is_read_from_its_fixture():
    item: Any = fixture("link", CURRENT["link"])
    link = model.from_item("tn.example", "SOON", item)
    assert link.default_url() == "https://museum.example/SOON"
    assert link.evrythng_id == item["id"]
    assert len(link.projects) == 1
    assert link.limit(1_773_576_000_000) == "before"
    assert link.url_at("before") == "https://museum.example/soon"
    assert model.to_item(link) == item


def test_live_versions_and_rules_are_read_from_their_fixtures():
    version = rulesets.live_versions(fixture("live", CURRENT["live"]), NOON)[keys.ACCOUNT_RULES]
    assert version.number == 1
    chunk: Any = fixture("chunk", CURRENT["chunk"])["z"]
    (rule,) = rulesets.unpack(version.number, [chunk]).rules
    assert rule["sent"]["name"] == rule["name"] == "Irish visitors"
    assert fixture("rules", 1)["set"] == version.set_id


def test_current_properties_are_read_from_their_fixture():
    values = properties.values(fixture("now", CURRENT["now"]))
    assert values["light"] == 40
    assert values[properties.LOCATION]["latitude"] == 53.35


def test_a_position_is_read_from_its_fixture():
    row: Any = fixture("position", CURRENT["position"])
    document = fixture("place", CURRENT["place"])["doc"]
    assert isinstance(document, str)
    place = json.loads(document)
    assert places.position_rows("U1", place, ("*",)) == {keys.position("*", "gc7x981d72vdjv6huqpuf8", "U1"): row}


def test_no_fixture_holds_a_secret():
    text = "".join(path.read_text(encoding="utf-8") for path in FIXTURES)
    assert not re.search(r"[A-Za-z0-9]{70,}", re.sub(r'"\$bytes": "[^"]*"', "", text))
