"""What changes between two rule sets, counted and grouped."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fingerpost.redirection.rulesets import CompiledRules
from fingerpost.trials.comparison import MAX_EXAMPLES, MAX_GROUPS, RECORDED_CHARACTERS, Comparison, Outcome

NOON = 1_773_576_000_000  # 15 March 2026


def rules(*names: str | None) -> CompiledRules:
    return CompiledRules(
        1, [{"sent": {"name": name, "redirectUrl": f"https://x.example/{name}"}, "name": name} for name in names]
    )


def sent(url: str | None, rule: int | None = None, written: str | None = None) -> Outcome:
    return Outcome(url, written or url, rule)


def compared(*pairs: tuple[Outcome, Outcome], recorded: str | None = "https://a.example/") -> dict[str, Any]:
    comparison = Comparison(rules("Offers", "Closed"), rules("Offers", "Closed"))
    for number, (before, after) in enumerate(pairs):
        comparison.add(f"U{number}", NOON - number, recorded, before, after)
    return comparison.document()


A, B = sent("https://a.example/", 1), sent("https://b.example/", 2)
URLS = st.sampled_from([None, *(f"https://{name}.example/" for name in "abcd")])
OUTCOMES = st.builds(sent, URLS, st.sampled_from([None, 1, 2]))


def test_scans_that_go_elsewhere_are_grouped_with_the_rules_responsible_and_examples():
    told = compared((A, B), (A, A), (A, B), (B, sent("https://c.example/")))
    assert (told["scans"], told["changed"], told["unchanged"]) == (4, 3, 1)
    first, second = told["groups"]
    assert first == {
        "from": "https://a.example/",
        "to": "https://b.example/",
        "scans": 2,
        "rules": [{"from": 1, "fromName": "Offers", "to": 2, "toName": "Closed", "scans": 2}],
        "examples": [
            {"action": "U0", "timestamp": NOON, "from": "https://a.example/", "to": "https://b.example/"},
            {"action": "U2", "timestamp": NOON - 2, "from": "https://a.example/", "to": "https://b.example/"},
        ],
    }
    assert second["rules"] == [{"from": 2, "fromName": "Closed", "to": None, "toName": None, "scans": 1}]
    assert told["says"] == (
        "of 4 scans since 15 March 2026, 3 would go elsewhere (75%): "
        "2 of them from https://a.example/ to https://b.example/"
    )


def test_urls_that_differ_in_values_alone_are_one_group_with_each_example_whole():
    told = compared(
        *((sent(f"https://a.example/{n}", 1, "https://a.example/{thng.id}"), B) for n in range(MAX_EXAMPLES + 2))
    )
    (group,) = told["groups"]
    assert (group["from"], group["scans"], len(group["examples"])) == ("https://a.example/{thng.id}", 5, MAX_EXAMPLES)
    assert group["examples"][1]["from"] == "https://a.example/1"


def test_every_rule_that_decided_anything_is_told_with_its_counts_before_and_after():
    told = compared((A, B), (A, A))["rules"]
    assert told == [
        {"rule": 1, "was": 1, "name": "Offers", "before": 2, "after": 1},
        {"rule": 2, "was": 2, "name": "Closed", "before": 0, "after": 1},
    ]


def test_a_rule_that_is_gone_stands_last_without_a_number():
    comparison = Comparison(rules("Closed", "Offers"), rules("Offers"))
    comparison.add("U1", NOON, None, A, sent("https://b.example/"))
    comparison.add("U2", NOON, None, B, A)
    assert comparison.document()["rules"] == [
        {"rule": 1, "was": 2, "name": "Offers", "before": 1, "after": 1},
        {"rule": None, "was": 1, "name": "Closed", "before": 1, "after": 0},
    ]


def test_a_scan_that_was_recorded_elsewhere_than_the_old_rules_say_today_is_counted():
    assert compared((A, A), (B, B))["recordedElsewhere"] == 1
    long = "https://a.example/" + "a" * 3_000
    assert compared((sent(long), A), recorded=long[:RECORDED_CHARACTERS])["recordedElsewhere"] == 0
    assert compared((sent(None), A), recorded=None)["recordedElsewhere"] == 0


def test_more_groups_than_can_be_shown_are_summed_up():
    told = compared(*((sent(f"https://a.example/{number}"), B) for number in range(MAX_GROUPS + 5)))
    assert len(told["groups"]) == MAX_GROUPS
    assert told["otherGroups"] == {"groups": 5, "scans": 5}


def test_nothing_to_ask_about_and_nothing_changed_are_said():
    assert compared()["says"] == "there are no recorded scans to ask about"
    assert compared()["since"] is None
    assert compared((A, A))["says"] == "of 1 scan since 15 March 2026, none would go elsewhere"


@given(st.lists(st.tuples(OUTCOMES, OUTCOMES), max_size=40))
def test_groups_sum_up_to_what_changed_and_their_rules_to_their_scans(pairs):
    told = compared(*pairs)
    assert sum(group["scans"] for group in told["groups"]) == told["changed"]
    assert told["changed"] + told["unchanged"] == told["scans"] == len(pairs)
    assert told["changed"] == sum(before.url != after.url for before, after in pairs)
    for group in told["groups"]:
        assert sum(each["scans"] for each in group["rules"]) == group["scans"]
    assert [group["scans"] for group in told["groups"]] == sorted((g["scans"] for g in told["groups"]), reverse=True)
    for side, outcomes in (("before", [b for b, _ in pairs]), ("after", [a for _, a in pairs])):
        assert sum(each[side] for each in told["rules"]) == sum(each.rule is not None for each in outcomes)


@given(st.lists(OUTCOMES, max_size=40))
def test_a_set_compared_with_itself_changes_nothing(outcomes):
    told = compared(*((each, each) for each in outcomes))
    assert (told["changed"], told["groups"]) == (0, [])
