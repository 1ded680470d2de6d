"""Split tests: a rule with variants, from the publishing to the recorded scan."""

import json

import pytest

from fingerpost.redirection.variants import chosen
from tests.functions.delegating import asking, publish_for, scanned
from tests.functions.world import DEFAULT, SECOND, Client, World

A = {"name": "A", "weight": 3, "redirectUrl": "https://x.example/a"}
B = {"name": "B", "weight": 1, "redirectUrl": "https://x.example/b?from={query.from}"}
SPLIT = {"name": "Landing page", "match": "country!=DE", "variants": [A, B]}


def addresses_of(world: World, place: int, *, rule: str = "Landing page", weights: tuple[int, ...] = (3, 1)) -> str:
    """An address from which one gets the variant at `place`, with the port that CloudFront adds."""
    agent = "Mozilla/5.0"
    found = (f"198.51.100.{n}" for n in range(256))
    return next(each for each in found if chosen(weights, world.account, rule, f"{each}|{agent}") == place) + ":443"


def test_each_visitor_gets_one_variant_and_always_that_one(world: World, operator: Client, short_id):
    operator.publish(SPLIT)
    first, second = addresses_of(world, 0), addresses_of(world, 1)
    for _ in range(2):
        assert world.scan(short_id, address=first).location == "https://x.example/a"
        assert world.scan(short_id, address=second, query="from=poster").location == "https://x.example/b?from=poster"
        world.clock.now += 3 * 24 * 3_600 * SECOND  # the salt of the day has nothing to do with it
    assert world.scan(short_id, address=first, country="DE").location == DEFAULT


def test_a_visitor_keeps_the_variant_when_the_rules_change_around_it(world: World, operator: Client, short_id):
    operator.publish(SPLIT)
    second = addresses_of(world, 1)
    before = scanned(world, short_id, address=second)
    fixed = {**SPLIT, "match": "country!=DE & timeOfDay>=0", "constants": {"x": "y"}}
    operator.publish({"match": "country=FR", "redirectUrl": "https://fr.example/"}, fixed)
    assert scanned(world, short_id, address=second) == before == "https://x.example/b?from="


def test_the_action_says_which_variant_and_so_does_the_explanation(world: World, operator: Client, short_id):
    assert operator.publish(SPLIT)["rules"] == [SPLIT]
    world.scan(short_id, address=addresses_of(world, 1))
    world.settle()
    (scan,) = operator.read("/actions/implicitScans")
    assert scan["reactions"] == [
        {"type": "redirection", "redirectUrl": "https://x.example/b?from=", "rule": 1, "version": 1, "variant": "B"}
    ]
    told = operator.read(f"/actions/all/{scan['id']}", explain="true")["explanation"]
    assert told["variant"] == "B"
    assert told["says"] == "rule 1 matched because country is absent; of its variants the visitor got B"
    (row,) = world.recorded()
    assert "198.51.100" not in json.dumps({**row, "ip": ""})


def test_an_operators_own_scan_gets_a_variant_too(world: World, operator: Client):
    operator.publish(SPLIT)
    reaction = operator.made("/actions/scans", {"thng": world.thng()["id"]})["reactions"][0]
    assert reaction["variant"] in ("A", "B")


def test_from_its_end_on_the_rule_has_its_own_url(world: World, operator: Client, short_id):
    ends = world.clock.now + 60 * SECOND
    operator.publish({**SPLIT, "redirectUrl": "https://x.example/won", "variantsUntil": ends})
    assert world.scan(short_id, address=addresses_of(world, 0)).location == "https://x.example/a"
    world.clock.now = ends - 1
    assert world.scan(short_id, address=addresses_of(world, 0)).location == "https://x.example/a"
    world.clock.now = ends
    assert world.scan(short_id, address=addresses_of(world, 0)).location == "https://x.example/won"
    assert ["variant" in row for row in world.recorded()] == [True, True, False]


def test_a_scan_reads_what_its_variant_mentions(world: World, operator: Client, short_id):
    named = {"name": "B", "weight": 1, "redirectUrl": "https://x.example/{thng.name}"}
    operator.publish({**SPLIT, "variants": [A, named]})
    assert world.scan(short_id, address=addresses_of(world, 1)).location == "https://x.example/The%20Turf%20Cutters"


def test_a_variant_too_long_for_a_url_leaves_the_scan_to_the_next_rule(world: World, operator: Client, short_id):
    long = {"name": "B", "weight": 1, "redirectUrl": "https://x.example/{constants.x}{constants.x}"}
    split = {**SPLIT, "variants": [A, long], "constants": {"x": "y" * 5_000}}
    operator.publish(split, {"redirectUrl": "https://next.example/"})
    assert world.scan(short_id, address=addresses_of(world, 1)).location == "https://next.example/"
    assert "variant" not in world.recorded()[0]


def test_rules_of_applications_have_variants_that_stay_on_allowed_hosts(world: World, operator: Client, short_id):
    publish_for(world, world.application_id, SPLIT)
    operator.publish(asking({"app": world.application_id}))
    assert scanned(world, short_id, address=addresses_of(world, 1)).startswith("https://x.example/b")
    row = world.recorded()[0]
    assert (row["variant"], row["rule"], row["byRule"]) == ("B", 1, 1)
    assert json.loads(row["seen"]) == {}
    world.settle()
    (scan,) = operator.read("/actions/implicitScans")
    told = operator.read(f"/actions/all/{scan['id']}", explain="true")["explanation"]
    assert told["says"].endswith("its rule 1 matched because country is absent; of its variants the visitor got B")
    operator.put(f"/accounts/{world.account}", {"allowedHosts": ["y.example"]})
    assert scanned(world, short_id, address=addresses_of(world, 1)) == DEFAULT
    path = f"/projects/{world.project}/applications/{world.application_id}/redirector"
    refused = operator.put(path, {"rules": [SPLIT]})
    assert refused.status == 400
    assert [each["field"] for each in refused.document["details"]] == [
        "rules[0].variants[0].redirectUrl",
        "rules[0].variants[1].redirectUrl",
    ]


MISTAKES = [
    ({"variants": [A]}, "variants", "a split test has 2 to 10 variants; this one has 1"),
    ({"variants": [{**A, "name": str(n)} for n in range(11)]}, "variants", "2 to 10 variants; this one has 11"),
    ({"variants": [A, {**B, "name": "A"}]}, "variants[1].name", "two variants are called A"),
    ({"variants": [A, {**B, "name": " "}]}, "variants[1].name", "1 to 64 characters"),
    ({"variants": [A, {**B, "name": "x" * 65}]}, "variants[1].name", "1 to 64 characters"),
    ({"variants": [A, {**B, "weight": 0}]}, "variants[1].weight", "from 1 to 1,000, not 0"),
    ({"variants": [A, {**B, "weight": 1_001}]}, "variants[1].weight", "from 1 to 1,000, not 1001"),
    ({"variants": [A, {**B, "weight": 1.5}]}, "variants[1].weight", ""),
    ({"variants": [A, {**B, "weight": True}]}, "variants[1].weight", ""),
    ({"variants": [A, {"name": "B", "weight": 1}]}, "variants[1].redirectUrl", ""),
    ({"variants": [A, {**B, "redirectUrl": "javascript:alert(1)"}]}, "variants[1].redirectUrl", "begins with http:"),
    ({"variants": [A, {**B, "redirectUrl": "https://{query.a}/"}]}, "variants[1].redirectUrl", "the host"),
    ({"variants": [A, B], "variantsUntil": 1}, "redirectUrl", "needs the redirectUrl"),
    ({"redirectUrl": "https://x.example/", "variantsUntil": 1}, "variantsUntil", "no variants"),
    ({"variants": [A, B], "redirectUrl": "https://x.example/", "variantsUntil": -1}, "variantsUntil", ""),
    ({"variants": []}, "redirectUrl", "a rule needs a redirectUrl"),
]


@pytest.mark.parametrize(("rule", "field", "message"), MISTAKES)
def test_what_is_no_split_test_is_refused_with_its_place(world: World, operator: Client, rule, field, message):
    answer = operator.put("/redirector", {"rules": [rule]})
    assert answer.status == 400
    finding = answer.document["details"][0]
    assert finding["field"] == f"rules[0].{field}"
    assert message in finding["message"]
    assert operator.read("/redirector")["rules"] == []


def test_every_mistake_in_variants_is_told_at_once(world: World, operator: Client):
    wrong = [{**A, "weight": 0}, {**A, "weight": 5_000}]
    answer = operator.put("/redirector", {"rules": [{"variants": wrong}]})
    assert answer.document["code"] == "invalidVariants"
    assert [each["field"] for each in answer.document["details"]] == [
        "rules[0].variants[0].weight",
        "rules[0].variants[1].name",
        "rules[0].variants[1].weight",
    ]
    urls = [{**A, "redirectUrl": "x"}, {**B, "redirectUrl": "y"}]
    answer = operator.put("/redirector", {"rules": [{"variants": urls}]})
    assert (answer.document["code"], len(answer.document["details"])) == ("invalidTemplate", 2)


def test_what_means_nothing_beside_variants_is_warned_of(world: World, operator: Client, short_id):
    odd = {"variants": [A, {**B, "wieght": 1}], "redirectUrl": "https://x.example/unused"}
    warnings = operator.publish(odd)["warnings"]
    assert [(each["field"], each["suggestion"]) for each in warnings] == [
        ("rules[0].redirectUrl", None),
        ("rules[0].variants[1].wieght", "weight"),
    ]
    assert world.scan(short_id).location.startswith("https://x.example/")


def test_a_variant_with_an_unknown_field_is_stored_and_its_rule_never_matches(world: World, operator: Client, short_id):
    unknown = {**B, "redirectUrl": "https://x.example/{thng.nam}"}
    warnings = operator.publish({"variants": [A, unknown]})["warnings"]
    assert (warnings[0]["field"], warnings[0]["suggestion"]) == ("rules[0].variants[1].redirectUrl", "thng.name")
    assert world.scan(short_id, address=addresses_of(world, 0, rule="")).location == DEFAULT
    assert operator.put("/redirector", {"rules": [{"variants": [A, unknown]}]}, strict="true").status == 400


def test_a_rule_with_variants_and_no_match_hides_those_after_it(world: World, operator: Client):
    warnings = operator.publish({"variants": [A, B]}, {"match": "country=IE", "redirectUrl": "https://x.example/"})
    assert "never reached" in warnings["warnings"][0]["message"]
