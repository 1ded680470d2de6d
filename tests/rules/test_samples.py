"""Every rule set that we hand out compiles, without a warning."""

import json

import pytest

from fingerpost.rules.check import check_rules
from fingerpost.rules.compile import compile_match, rules_home
from fingerpost.rules.fields import REDIRECTOR
from fingerpost.rules.nodes import Node, matches

SETS = sorted([*rules_home().glob("samples/*.json"), *rules_home().glob("builtin/*.json")])


def compiled(path) -> list[Node | None]:
    rules = json.loads(path.read_text(encoding="utf-8"))["rules"]
    return [compile_match(rule["match"], REDIRECTOR, strict=True).node if "match" in rule else None for rule in rules]


def first(name, context):
    rules = json.loads((rules_home() / "samples" / name).read_text(encoding="utf-8"))["rules"]
    nodes = compiled(rules_home() / "samples" / name)
    chosen = (rule for rule, node in zip(rules, nodes, strict=True) if node is None or matches(node, context))
    return next(chosen, {"name": None})["name"]


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_every_set_compiles_and_has_no_warnings(path):
    assert check_rules(compiled(path), REDIRECTOR) == ()


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_every_rule_has_a_name_and_somewhere_to_go(path):
    for rule in json.loads(path.read_text(encoding="utf-8"))["rules"]:
        assert rule["name"]
        assert rule["redirectUrl"].startswith("https://")


def test_every_sample_is_listed_in_the_readme():
    readme = (rules_home() / "samples" / "README.md").read_text(encoding="utf-8")
    assert all(f"`{path.name}`" in readme for path in rules_home().glob("samples/*.json"))


@pytest.mark.parametrize(
    ("name", "context", "rule"),
    [
        ("opening-hours.json", {"dayOfWeek": "mon", "timeOfDay": 43_200_000}, "Closed on Mondays"),
        ("opening-hours.json", {"dayOfWeek": "thu", "timeOfDay": 72_000_000}, "Late opening on Thursdays"),
        ("opening-hours.json", {"dayOfWeek": "fri", "timeOfDay": 43_200_000}, "Open"),
        ("opening-hours.json", {"dayOfWeek": "fri", "timeOfDay": 72_000_000}, "Closed"),
        ("language.json", {"country": "FR"}, "French, and anyone in France without a preference"),
        ("language.json", {"country": "FR", "language": "de"}, "Languages we speak"),
        ("language.json", {"language": "ga"}, "Everyone else"),
        ("country.json", {"country": "AT"}, "German-speaking countries"),
        ("country.json", {"country": "FR"}, None),
        ("country.json", {}, "Country unknown"),
        ("offer-tag.json", {"thng.tags": ["Offer", "Recalled"]}, "Recalled"),
        ("offer-tag.json", {"product.name": "Smart lamp"}, "Smart products have an app"),
        ("app-stores.json", {"os": "ios", "device": "tablet"}, "iPhones and iPads"),
        ("app-stores.json", {}, "Everyone else"),
        ("campaign-dates.json", {"time": 1_900_000_000_000, "user.age": 17}, None),
        ("campaign-dates.json", {"time": 1_900_000_000_000}, "March, grown-ups only"),
        ("room-doors.json", {"room.id": "U1", "room.status": "soon"}, "A room that can be had"),
        ("room-doors.json", {"room.id": "U1", "room.status": "checkin"}, "A room where somebody is awaited"),
        ("room-doors.json", {"room.id": "U1", "room.status": "booked"}, "Any other room"),
        ("room-doors.json", {"thng.name": "Lamp"}, None),
    ],
)
def test_the_samples_decide_what_they_say(name, context, rule):
    assert first(name, context) == rule
