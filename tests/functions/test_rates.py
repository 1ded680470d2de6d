"""How many requests a key may send in a minute, and what it is told."""

import pytest

from fingerpost import edge
from fingerpost.access import rates
from fingerpost.access.rates import LIMITS, WINDOW_MS, Rates
from fingerpost.ports.table import Throttled, Uncertain
from tests.functions.world import SUNDAY_NOON

KEY = "a" * 32


@pytest.fixture
def few(monkeypatch):
    """A limit of three."""
    monkeypatch.setattr(edge, "rates", Rates())
    monkeypatch.setitem(LIMITS, "operator", 3)


def test_every_answer_says_where_its_key_stands(world, few):
    answer = world.operator.get("/access")
    assert answer.headers["x-ratelimit-limit"] == "3"
    assert answer.headers["x-ratelimit-remaining"] == "2"
    assert answer.headers["x-ratelimit-reset"] == "60"


def test_a_key_that_asks_too_much_is_told_when_it_may_go_on(world, few):
    world.clock.now = SUNDAY_NOON + 40_500
    for _ in range(3):
        assert world.operator.get("/access").status == 200
    refused = world.operator.get("/access")
    assert (refused.status, refused.document["code"]) == (429, "tooManyRequests")
    assert refused.headers["retry-after"] == "20"
    world.clock.now = SUNDAY_NOON + WINDOW_MS
    assert world.operator.get("/access").status == 200


def test_the_limit_is_a_keys_own(world, few):
    trusted = world.trusted
    for _ in range(4):
        world.operator.get("/access")
    assert world.stranger.get("/access").status == 200
    assert trusted.get("/access").status == 200


def test_what_is_refused_counts_and_what_needs_no_key_does_not(world, few):
    for _ in range(3):
        world.operator.get("/thngs/none-such")
        world.nobody.get("/errors")
    assert world.operator.get("/access").status == 429


def test_a_key_reads_its_limits(world, few):
    (kind,) = world.operator.get("/rateLimits").document
    (limit,) = kind["rateLimits"]
    assert kind["name"] == "operator"
    assert limit["limit"] == {"rate": 3, "timeFrame": 60_000, "warningMaxHits": 3, "blockingMaxHits": 3}
    assert (limit["hits"], limit["hitsRemaining"], limit["reset"]) == (1, 2, SUNDAY_NOON + WINDOW_MS)


def test_environments_count_together(world):
    log = world.tables.of("A").log
    one, other = Rates(), Rates()
    for _ in range(50):
        one.hit(log, KEY, 100, SUNDAY_NOON)
    assert other.hit(log, KEY, 100, SUNDAY_NOON).hits == 51


def test_an_environment_tells_the_others_a_two_hundredth_of_the_limit_late(world):
    log = world.tables.of("A").log
    one, other = Rates(), Rates()
    for _ in range(1 + 299):
        one.hit(log, KEY, 60_000, SUNDAY_NOON)
    assert other.hit(log, KEY, 60_000, SUNDAY_NOON).hits == 2
    one.hit(log, KEY, 60_000, SUNDAY_NOON)
    assert Rates().hit(log, KEY, 60_000, SUNDAY_NOON).hits == 303


def test_a_minute_begins_at_nothing(world):
    log = world.tables.of("A").log
    counting = Rates()
    for _ in range(5):
        counting.hit(log, KEY, 10, SUNDAY_NOON)
    assert counting.hit(log, KEY, 10, SUNDAY_NOON + WINDOW_MS).hits == 1
    assert Rates().hit(log, KEY, 10, SUNDAY_NOON + WINDOW_MS).hits == 2


@pytest.mark.parametrize("trouble", [Throttled(), Uncertain()])
def test_a_store_that_is_busy_stops_no_request(monkeypatch, trouble):
    class Busy:
        def update(self, *_args, **_more):
            raise trouble

    counting = Rates()
    assert [counting.hit(Busy(), KEY, 10, SUNDAY_NOON).hits for _ in range(3)] == [1, 2, 3]


def test_memory_is_bounded(world, monkeypatch):
    monkeypatch.setattr(rates, "MAX_COUNTED", 2)
    log = world.tables.of("A").log
    counting = Rates()
    for number in range(5):
        counting.hit(log, f"key {number}", 10, SUNDAY_NOON)
    assert counting.hit(log, "key 0", 10, SUNDAY_NOON).hits == 2  # the row remembers
