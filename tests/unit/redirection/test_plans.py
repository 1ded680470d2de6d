"""Which version is live when: stints over stints, what was live before live again, nothing kept that is over."""

from hypothesis import given
from hypothesis import strategies as st

from fingerpost.redirection.plans import begun, settled, without
from fingerpost.redirection.rulesets import Stint, Timeline, Version, live_versions, steady, timeline_of
from fingerpost.redirection.versions import live_row, phases
from fingerpost.shapes import stamp

HORIZON = 12
OWNERS = ("account", "app:UGuide")


def version(number, owner="account"):
    app = owner.removeprefix("app:") if owner != "account" else ""
    return Version(number, f"set{number}", app, "UProject" if app else "", 5 if app else 0)


@st.composite
def stints(draw, number=None):
    starts = draw(st.integers(0, HORIZON))
    ends = draw(st.none() | st.integers(starts + 1, HORIZON + 1))
    return Stint(version(draw(st.integers(2, 9)) if number is None else number), starts, ends)


timelines = st.builds(
    Timeline,
    st.none() | st.just(version(1)),
    st.lists(stints(), max_size=5, unique_by=lambda each: each.version.number).map(tuple),
)
moments = st.integers(0, HORIZON + 2)


def numbers(timeline, moments):
    return [each.number if (each := timeline.at(moment)) else 0 for moment in moments]


def test_a_stint_begins_and_ends_to_the_millisecond_and_what_was_before_is_live_again():
    timeline = Timeline(version(1), (Stint(version(2), 10, 20), Stint(version(3), 15)))
    assert numbers(timeline, (9, 10, 14, 15, 19, 20)) == [1, 2, 2, 3, 3, 3]
    nested = Timeline(version(1), (Stint(version(2), 10, 20), Stint(version(3), 12, 15)))
    assert numbers(nested, (9, 10, 12, 15, 19, 20)) == [1, 2, 3, 2, 2, 1]


def test_of_two_that_begin_together_the_newer_is_live():
    assert numbers(Timeline(None, (Stint(version(3), 5), Stint(version(2), 5))), (4, 5)) == [0, 3]


@given(timelines, moments, moments)
def test_what_is_forgotten_is_never_missed(timeline, now, later):
    after = settled(timeline, now)
    assert after.at(now + later) == timeline.at(now + later)
    assert len(after.stints) <= len(timeline.stints)


@given(timelines, moments)
def test_what_is_published_at_once_is_live_at_once_and_stays_unless_more_is_planned(timeline, now):
    after = begun(timeline, Stint(version(10), now), now)
    coming = [each for each in timeline.stints if each.starts > now]
    assert after.at(now) == version(10)
    assert after.base == version(10)
    assert set(after.stints) == {each for each in coming if each.ends is None or each.ends > now}


@given(timelines, moments)
def test_without_a_stint_all_others_are_live_as_they_would_have_been(timeline, now):
    if not timeline.stints:
        return
    gone = timeline.stints[0].version.number
    others = Timeline(timeline.base, timeline.stints[1:])
    after = without(timeline, gone, now)
    assert numbers(after, range(now, HORIZON + 2)) == numbers(others, range(now, HORIZON + 2))


@given(timelines, moments)
def test_the_phases_say_every_change_that_is_to_come(timeline, now):
    told, current = {}, timeline.at(now)
    changes = dict(phases(timeline, now))
    for moment in range(now + 1, HORIZON + 3):
        if timeline.at(moment) != current:
            current = told[moment] = timeline.at(moment)
    assert changes == told


@given(st.dictionaries(st.sampled_from(OWNERS), timelines), moments)
def test_the_live_row_holds_the_timelines_of_every_owner(by_owner, at):
    row = {**stamp("live"), "wholeAddresses": True}
    for owner, timeline in by_owner.items():
        own = Timeline(
            timeline.base and version(timeline.base.number, owner),
            tuple(Stint(version(each.version.number, owner), each.starts, each.ends) for each in timeline.stints),
        )
        if own.base is not None:
            row[f"live:{owner}"] = own.base.text
        if own.stints:
            row[f"then:{owner}"] = ";".join(each.text for each in own.stints)
        assert timeline_of(row, owner) == own
    live = live_versions(row, at)
    assert {owner: each.number for owner, each in live.items()} == {
        owner: each.number for owner, timeline in by_owner.items() if (each := timeline.at(at)) is not None
    }
    since, until = steady(row, at)
    assert since <= at and (until is None or at < until)
    for moment in range(since, min(until or HORIZON + 2, HORIZON + 2)):
        assert live_versions(row, moment) == live


def test_an_account_without_a_live_row_has_nothing_and_nothing_planned():
    assert live_versions(None, 5) == {}
    assert steady(None, 5) == (0, None)
    assert timeline_of(None, "account") == Timeline()


@given(st.lists(stints(), max_size=6, unique_by=lambda each: each.version.number), moments)
def test_the_rows_of_versions_tell_what_was_live_at_a_moment(all_stints, at):
    ordered = sorted(all_stints, key=lambda each: each.version.number)
    rows = [
        {"number": each.version.number, "at": 0, "starts": each.starts, "ends": each.ends, "cancelled": None}
        for each in ordered
    ]
    told = live_row(reversed(rows), at)
    live = Timeline(None, tuple(ordered)).at(at)
    assert (told and told["number"]) == (live and live.number)
    assert live_row([{**row, "cancelled": 1} for row in rows], at) is None
