"""The answers of a backtest that took several requests, put together by the command line."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fingerpost.cli.merging import Merged
from fingerpost.redirection.rulesets import CompiledRules
from fingerpost.trials.comparison import Comparison, Outcome

OLD = CompiledRules(1, [{"sent": {"redirectUrl": f"https://{n}.example/"}, "name": n} for n in ("a", "b", "c")])
NEW = CompiledRules(2, [{"sent": {"redirectUrl": f"https://{n}.example/"}, "name": n} for n in ("c", "d", "a")])
OUTCOMES = st.builds(
    lambda url, rule: Outcome(url, url, rule),
    st.sampled_from([None, *(f"https://{name}.example/" for name in "abcd")]),
    st.sampled_from([None, 1, 2, 3]),
)


def compared(scans: list[tuple[Outcome, Outcome]]) -> dict[str, Any]:
    comparison = Comparison(OLD, NEW)
    for number, (before, after) in enumerate(scans):
        comparison.add(f"U{number}", number, None, before, after)
    return {**comparison.document(), "robots": 1, "limited": 0}


@given(st.lists(st.lists(st.tuples(OUTCOMES, OUTCOMES), max_size=15), min_size=1, max_size=4))
def test_the_parts_of_a_backtest_put_together_are_the_whole_of_it(parts):
    merged = Merged()
    for part in parts:
        merged.add(compared(part))
    whole, expected = merged.whole(), compared([each for part in parts for each in part])
    for name in ("scans", "changed", "unchanged", "recordedElsewhere"):
        assert whole[name] == expected[name], name
    assert whole["robots"] == len(parts)
    assert whole["rules"] == expected["rules"]

    def counts(document):
        return {
            (group["from"], group["to"]): (group["scans"], {(p["from"], p["to"]): p["scans"] for p in group["rules"]})
            for group in document["groups"]
        }

    assert counts(whole) == counts(expected)
