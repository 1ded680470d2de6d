"""Which variant a visitor gets: always the same one, and to each variant its share."""

import hashlib
from collections import Counter
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from fingerpost.redirection.facts import Facts
from fingerpost.redirection.rulesets import CompiledRules, pack, unpack
from fingerpost.redirection.variants import chosen, visitor_of
from fingerpost.rules.template import parse_template, to_json

weights = st.lists(st.integers(1, 1_000), min_size=2, max_size=10)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def split_rule(*shares: int, name: str = "", match: str | None = None, **more):
    variants = [
        [chr(65 + number), share, to_json(parse_template(f"https://x.example/{number}", known=bool))]
        for number, share in enumerate(shares)
    ]
    named = {"name": name} if name else {}
    return {"sent": {**named, "match": match}, **named, "variants": variants, **more}


@given(weights, texts, texts, texts)
def test_the_place_is_where_the_hash_falls_among_the_weights(weights, account, rule, visitor):
    digest = hashlib.blake2b(f"{account}|{rule}|{visitor}".encode(), digest_size=8).digest()
    point = int.from_bytes(digest, "big") % sum(weights)
    expected = next(place for place, end in enumerate(accumulate(weights)) if point < end)
    assert chosen(weights, account, rule, visitor) == expected


def test_shares_are_those_of_the_weights():
    got = Counter(chosen((3, 1), "U1", "Landing page", f"203.0.113.{n}|agent") for n in range(20_000))
    assert got == {0: 15_000, 1: 5_000}  # by chance to the last one; the hash says so on every machine


def test_accounts_and_rules_split_the_same_people_differently():
    people = [f"198.51.100.{n}|agent" for n in range(2_000)]
    first = [chosen((1, 1), "U1", "a", each) for each in people]
    for other in (("U2", "a"), ("U1", "b")):
        agreeing = sum(one == chosen((1, 1), *other, each) for one, each in zip(first, people, strict=True))
        assert 900 < agreeing < 1_100


@given(weights, texts, texts, st.integers(2, 9), st.booleans())
def test_a_visitor_keeps_the_variant_in_every_version_of_the_rules_and_wherever_the_rule_stands(
    weights, address, agent, version, named
):
    rule = split_rule(*weights, **({"name": "Landing page"} if named else {"match": "country=IE"}))
    changed = {**rule, "nodes": ["=", "country", "IE"], "constants": {"a": "1"}}
    facts = Facts(at=version, address=address, agent=agent)
    one = CompiledRules(1, [rule]).aim(0, "U1", facts)
    moved = unpack(version, [pack([rule, changed], [])]).aim(1, "U1", Facts(at=0, address=address, agent=agent))
    assert one[1] == moved[1]
    assert one[0].template == moved[0].template


@given(texts, texts, texts)
def test_a_visitor_is_the_address_with_the_agent_until_somebody_knows_better(address, agent, visitor):
    assert visitor_of(Facts(at=0, address=address, agent=agent)) == f"{address}|{agent}"
    assert visitor_of(Facts(at=0, address=address, agent=agent, visitor=visitor)) == (visitor or f"{address}|{agent}")


def test_a_rule_without_a_name_is_known_by_its_match_expression_and_one_with_a_name_by_that():
    assert CompiledRules(1, [split_rule(1, 1, match="country=IE")]).split(0).rule == "country=IE"
    assert CompiledRules(1, [split_rule(1, 1, name="a", match="country=IE")]).split(0).rule == "a"
    assert CompiledRules(1, [split_rule(1, 1)]).split(0).rule == ""


def test_the_test_ends_at_its_millisecond_and_the_rules_own_url_takes_over():
    own = to_json(parse_template("https://own.example/", known=bool))
    rules = CompiledRules(1, [split_rule(1, 1, until=1_000, template=own)])
    for at, host in ((0, "x.example"), (999, "x.example"), (1_000, "own.example"), (9_999, "own.example")):
        target, variant = rules.aim(0, "U1", Facts(at=at))
        assert target.host == host
        assert bool(variant) is (host == "x.example")


def test_a_rule_without_variants_has_its_own_url_and_no_variant():
    own = to_json(parse_template("https://own.example/", known=bool))
    rules = CompiledRules(1, [{"sent": {}, "template": own}, {"sent": {}}])
    assert rules.aim(0, "U1", Facts(at=0))[1] == ""
    assert rules.aim(1, "U1", Facts(at=0)) == (None, "")
