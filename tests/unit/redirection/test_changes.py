"""What became of a list of rules, in words: nothing is said of what is the same, and every change is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.redirection.changes import changes, summary
from fingerpost.redirection.documents import SentRules
from fingerpost.redirection.pairing import moved_rules, paired_rules
from fingerpost.redirection.publish import examine


def stored(*rules):
    return examine(SentRules.model_validate({"rules": list(rules)})).rules


def said(before, after):
    return [change.says for change in changes(stored(*before), stored(*after))]


def rule(match=None, url="https://x.example/", **more):
    return {**({} if match is None else {"match": match}), "redirectUrl": url, **more}


A, B, C = (rule(f"country={code}", f"https://{code}.example/", name=code) for code in ("IE", "FR", "DE"))

SAID = [
    ([rule("dayOfWeek=sat", name="Opening hours")], [rule("dayOfWeek=sat,sun", name="Opening hours")],
     ["rule 1 *Opening hours*: Sunday added"]),
    ([A, B], [A, B, C], ["rule 3 *DE* added: asks country=DE, leads to https://DE.example/"]),
    ([A, B, C], [A, C], ["rule 2 *FR* removed: asks country=FR, leads to https://FR.example/"]),
    ([A, B, C], [C, A, B], ["rule 1 *DE*: moved from 3 to 1"]),
    ([A, B, C], [B, C, A], ["rule 3 *IE*: moved from 1 to 3"]),
    ([rule("month=1")], [rule("month=2")], ["rule 1: month 2 instead of 1"]),
    ([rule("month=1", "https://a.example/")], [rule("month=1", "https://b.example/")],
     ["rule 1: leads to https://b.example/ instead of https://a.example/"]),
    ([rule(name="x")], [rule(name="y")], ["rule 1 *y*: was named x"]),
    ([rule("month=1")], [rule("month=1", name="y")], ["rule 1 *y*: has a name now"]),
    ([rule("month=1", name="x")], [rule("month=1")], ["rule 1: has no name any more, was named x"]),
    ([rule("month=1")], [rule()], ["rule 1: asks nothing any more, so it always matches"]),
    ([rule(constants={"a": "1", "b": "2"})], [rule(constants={"a": "1", "b": "3", "c": "4"})],
     ["rule 1: constant b: 3 instead of 2; constant c added: 4"]),
    ([rule(constants={"a": "1"})], [rule()], ["rule 1: constant a removed"]),
    ([rule(delegates=[{"app": "A"}])], [rule(delegates=[{"app": "A"}, {"project": "P"}])],
     ["rule 1: asks every application of the project P too"]),
    ([rule(delegates=[{"app": "A", "project": "P"}])], [rule()],
     ["rule 1: no longer asks the application A of the project P"]),
    ([rule(delegates=[{"app": "A"}, {"app": "B"}])], [rule(delegates=[{"app": "B"}, {"app": "A"}])],
     ["rule 1: asks the same applications in another way"]),
    ([{"delegates": [{"app": "A"}]}], [rule(delegates=[{"app": "A"}])], ["rule 1: leads to https://x.example/"]),
    ([rule(colour="red")], [rule(colour="blue")], ["rule 1: colour blue instead of red"]),
    ([rule("thng.nme=a")], [rule("thng.nme=b")], ["rule 1: asks thng.nme=b instead of thng.nme=a"]),
    ([rule("country=IE")], [rule("country =IE")], ["rule 1: is written differently and asks the same"]),
    ([rule("month=1", "https://a.example/", name="one")], [rule("month=2", "https://b.example/", name="two")],
     ["rule 1 *one* removed: asks month=1, leads to https://a.example/",
      "rule 1 *two* added: asks month=2, leads to https://b.example/"]),
    ([rule("month=1", "https://a.example/")], [rule("month=2", "https://b.example/")],
     ["rule 1: month 2 instead of 1; leads to https://b.example/ instead of https://a.example/"]),
    ([A, B, C], [C, {**B, "match": "country=FR,BE"}, A],
     ["rule 1 *DE*: moved from 3 to 1", "rule 2 *FR*: moved past its neighbours; country BE added"]),
    ([rule(name=None)], [rule()], ["rule 1: name is empty in another way"]),
    ([rule(constants={})], [rule()], ["rule 1: constants is empty in another way"]),
    (["x"], ["y"], ["rule 1: is y instead of x"]),
    (["x"], [5, "x"], ["rule 1 added: 5"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), SAID, ids=lambda value: str(value)[:60])
def test_what_became_of_each_rule_is_said(before, after, expected):
    assert said(before, after) == expected


def test_a_split_test_is_told_variant_by_variant():
    before = rule(variants=[{"name": "A", "weight": 1, "redirectUrl": "https://a.example/"}])
    after = rule(
        variants=[
            {"name": "A", "weight": 3, "redirectUrl": "https://a.example/"},
            {"name": "B", "weight": 1, "redirectUrl": "https://b.example/"},
        ],
        variantsUntil=1_773_576_000_000,
    )
    (words,) = said([before], [after])
    assert words.startswith("rule 1: variant A: weight 3 instead of 1; variant B added: ")
    assert "https://b.example/" in words and words.endswith("its variants end on 2026-03-15 12:00:00 UTC")


def test_a_change_says_its_kind_and_both_numbers():
    found = changes(stored(A, B, C, rule("month=1")), stored(rule("month=5", name="new"), B, A, rule("month=2")))
    assert [(change.kind, change.rule, change.was, change.name) for change in found] == [
        ("added", 1, None, "new"),
        ("moved", 2, 2, "FR"),
        ("removed", None, 3, "DE"),
        ("changed", 4, 4, None),
    ]
    assert found[1].document() == {
        "kind": "moved", "rule": 2, "was": 2, "name": "FR", "says": "rule 2 *FR*: moved past its neighbours"
    }  # fmt: skip


def test_a_summary_counts_each_kind():
    assert summary(changes(stored(A), stored(A))) == "nothing differs"
    assert summary(changes(stored(A), stored(A, B))) == "1 rule added"
    found = changes(stored(A, B, C), stored({**A, "match": "country=GB"}, rule("month=1"), rule("month=2")))
    assert summary(found) == "2 rules added, 2 removed, 1 changed"


# ---- for any rules ---------------------------------------------------------------------------------------------------

MATCHES = [
    "country=IE",
    "country=IE,FR",
    "dayOfWeek=sun",
    "month=1|language=fr",
    "thng.nme=x",
    "thng.tags=a&month=2",
    "",
]
rules = st.fixed_dictionaries(
    {"redirectUrl": st.sampled_from(["https://a.example/", "https://b.example/{thng.id}"])},
    optional={
        "match": st.sampled_from(MATCHES),
        "name": st.sampled_from(["one", "two", "three"]),
        "constants": st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy")),
        "delegates": st.lists(st.sampled_from([{"app": "A"}, {"project": "P"}]), max_size=2),
    },
)
lists = st.lists(rules, max_size=8)


@given(lists)
def test_equal_sets_do_not_differ(some):
    assert said(some, some) == []
    assert said(some, [dict(reversed(each.items())) for each in some]) == []


@given(lists, lists)
def test_sets_that_differ_are_never_silent(one, other):
    assert bool(said(one, other)) is (one != other)


@given(lists, lists)
def test_every_rule_is_kept_added_or_removed_once(one, other):
    pairs = paired_rules(one, other)
    assert len({now for now, _ in pairs}) == len({was for _, was in pairs}) == len(pairs)
    found = changes(stored(*one), stored(*other))
    assert sum(change.kind == "added" for change in found) == len(other) - len(pairs)
    assert sum(change.kind == "removed" for change in found) == len(one) - len(pairs)


@given(lists.filter(bool), st.data())
def test_a_rule_that_was_put_in_or_taken_out_is_named_with_its_number(some, data):
    place = data.draw(st.integers(0, len(some)))
    new = rule("month=12", "https://new.example/", name="brand new")
    longer = [*some[:place], new, *some[place:]]
    assert said(some, longer) == [f"rule {place + 1} *brand new* added: asks month=12, leads to https://new.example/"]
    assert said(longer, some)[0].startswith(f"rule {place + 1} *brand new* removed")
    assert len(said(longer, some)) == 1


@given(st.permutations([rule(f"month={number}", name=f"rule {number}") for number in range(1, 8)]))
def test_a_new_order_says_which_rules_moved_and_the_rest_keep_theirs(shuffled):
    original = [rule(f"month={number}", name=f"rule {number}") for number in range(1, 8)]
    found = changes(stored(*original), stored(*shuffled))
    assert {change.kind for change in found} <= {"moved"}
    moved = {change.name for change in found}
    kept = [each["name"] for each in shuffled if each["name"] not in moved]
    assert kept == sorted(kept)


@given(st.permutations(range(8)))
def test_as_few_rules_as_can_be_are_said_to_have_moved(order):
    pairs = list(enumerate(order))
    kept = 8 - len(moved_rules(pairs))
    subsequences = ([each for bit, each in enumerate(order) if chosen >> bit & 1] for chosen in range(256))
    assert kept == max(len(each) for each in subsequences if each == sorted(each))


def test_ten_thousand_rules_that_are_all_alike_are_compared_in_no_time():
    one, other = ([{"sent": rule(f"month={month}")}] * 10_000 for month in (1, 2))
    assert changes(one, one) == []
    assert [change.kind for change in changes(one, one[:-1])] == ["removed"]
    assert len(changes(one, other)) == 10_000
