"""Limits of redirections: their exact milliseconds, their scans, and where a scan goes that meets one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost import keys
from fingerpost.aws.stream import stream_event
from fingerpost.ports.table import Throttled
from fingerpost.redirection import exhaustion
from fingerpost.redirection.limits import STATES, Limits, from_text, to_text
from fingerpost.rules.template import Template
from functions.derive.app import handler as derive
from tests.functions.test_redirect_cost import calls, reads_and_writes  # noqa: F401 - `calls` is a fixture
from tests.functions.world import DEFAULT, DOMAIN, SECOND, SUNDAY_NOON, Client, World

LATER = SUNDAY_NOON + 60 * SECOND
BEFORE, AFTER, EXHAUSTED = (f"https://x.example/{name}" for name in ("before", "after", "exhausted"))
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture
def limited(world: World, operator: Client):
    """Makes a link with these limits; answers its short ID."""

    def make(**limits: object) -> str:
        made: str = operator.link(world.thng()["id"], limits=limits)["shortId"]
        return made

    return make


def state(operator: Client, short_id: str) -> str:
    document = operator.read(f"/redirections/{short_id}")
    found: str = document["state"]
    return found


# ---- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "location", "told"),
    [
        (LATER - 1, BEFORE, "notYet"),
        (LATER, DEFAULT, "active"),
        (LATER + 999, DEFAULT, "active"),
        (LATER + 1_000, AFTER, "ended"),
        (LATER + 10**9, AFTER, "ended"),
    ],
)
def test_a_link_leads_somewhere_from_its_first_millisecond_to_before_its_last(
    world, operator, limited, at, location, told
):
    sent = {"validFrom": LATER, "beforeUrl": BEFORE, "validUntil": LATER + 1_000, "afterUrl": AFTER}
    link = limited(**sent)
    world.clock.now = at
    assert world.scan(link).location == location
    document = operator.read(f"/redirections/{link}")
    assert (document["state"], document["limits"]) == (told, sent)
    assert world.scan(link, accept="application/json").document == document


def test_a_link_without_fallbacks_answers_with_a_page_that_says_so(world: World, limited):
    link = limited(validFrom=LATER, validUntil=LATER + 1)
    early = world.scan(link)
    assert early.status == 404 and "does not lead anywhere yet" in early.content.decode()
    world.clock.now = LATER + 1
    late = world.scan(link)
    assert late.status == 410 and "has ended" in late.content.decode()
    for answer in (early, late):
        assert "location" not in answer.headers and answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-fingerpost-cause"]
    assert world.scan(link, method="HEAD").status == 410


def test_a_fallback_is_filled_as_a_default_url_is(world: World, operator: Client):
    thng = world.thng()["id"]
    link = operator.link(thng, limits={"validFrom": LATER, "beforeUrl": "https://x.example/{evrythngId}?s={shortId}"})
    assert world.scan(link["shortId"]).location == f"https://x.example/{thng}?s={link['shortId']}"


def test_rules_are_not_asked_about_a_scan_that_meets_a_limit_and_it_is_recorded(world, operator, limited):
    operator.publish({"redirectUrl": "https://rules.example/"})
    link = limited(validFrom=LATER, beforeUrl=BEFORE)
    assert world.scan(link).location == BEFORE
    (row,) = world.recorded()
    assert (row["limit"], row["url"]) == ("before", BEFORE)
    assert row.keys().isdisjoint({"rule", "rules", "variant", "max"})
    world.settle()
    (scan,) = operator.read("/actions/implicitScans")
    assert scan["limit"] == "before"
    assert scan["reactions"] == [{"type": "redirection", "redirectUrl": BEFORE}]
    told = operator.read(f"/actions/all/{scan['id']}", explain="true")["explanation"]
    assert told == {
        "limit": "before",
        "rules": [],
        "says": "the redirection was not valid yet (validFrom), so no rules were asked; it went to the beforeUrl",
    }
    world.clock.now = LATER
    assert world.scan(link).location == "https://rules.example/"


def test_a_simulation_says_that_a_limit_decides_and_what_the_rules_would_have_said(world, operator, limited):
    operator.publish({"name": "All", "redirectUrl": "https://rules.example/"})
    link = limited(validFrom=LATER, beforeUrl="https://x.example/{shortId}", validUntil=LATER + 1)

    def simulated(at: int) -> dict:
        answer = operator.post("/redirector/simulate", {"scan": {"shortId": link, "timestamp": at}})
        assert answer.status == 200
        found: dict = answer.document
        return found

    told = simulated(LATER - 1)
    assert (told["decidedBy"], told["limit"], told["redirectUrl"]) == ("limit", "before", f"https://x.example/{link}")
    assert (told["rule"], told["name"]) == (None, None)
    assert told["says"] == (
        "the redirection was not valid yet (validFrom), so no rules were asked; it went to the beforeUrl"
    )
    assert told["template"][0]["value"] == link
    assert told["rules"][0]["matched"] is True
    assert (simulated(LATER)["decidedBy"], simulated(LATER)["rule"]) == ("rule", 1)
    told = simulated(LATER + 1)
    assert (told["decidedBy"], told["redirectUrl"], told["template"]) == ("limit", None, [])
    assert told["says"].endswith("a page said so")


def test_a_backtest_leaves_out_what_met_a_limit(world: World, operator: Client, limited):
    operator.publish({"redirectUrl": "https://rules.example/"})
    link = limited(validUntil=LATER, afterUrl=AFTER)
    world.scan(link)
    world.clock.now = LATER
    world.scan(link)
    world.settle()
    rules = [{"redirectUrl": "https://other.example/"}]
    told = operator.post("/redirector/backtest", {"rules": rules}).document
    assert (told["scans"], told["changed"]) == (1, 1)


def test_an_explanation_says_when_a_page_was_shown(world: World, operator: Client, limited):
    link = limited(validUntil=SUNDAY_NOON)
    world.scan(link)
    world.settle()
    (scan,) = operator.read("/actions/implicitScans")
    assert "reactions" not in scan
    told = operator.read(f"/actions/all/{scan['id']}", explain="true")["explanation"]
    assert told["says"] == (
        "the redirection was not valid any more (validUntil), so no rules were asked; a page said so"
    )


def test_what_meets_a_limit_is_no_hit(world: World, operator: Client, limited):
    link = limited(validFrom=LATER, beforeUrl=BEFORE)
    world.scan(link)
    world.scan(link, user_agent=CRAWLER)
    world.clock.now = LATER
    world.scan(link)
    world.settle()
    assert operator.read(f"/redirections/{link}")["hits"] == 1
    for path in (f"/redirections/{link}/statistics", "/statistics"):
        found = operator.read(path)
        assert (found["hits"], found["limited"], found["robots"], found["visitors"]) == (1, 1, 1, 1)


@pytest.mark.parametrize("limits", [{"validFrom": LATER}, {"validUntil": 1, "afterUrl": AFTER}, {"maxScans": 9}])
def test_a_limit_costs_a_scan_nothing(world: World, limited, calls, limits):  # noqa: F811 - pytest's way
    link = limited(**limits)
    world.scan(link)
    for wait in (0, 5 * SECOND):
        world.clock.now += wait
        calls.clear()
        world.scan(link)
        assert reads_and_writes(calls) == {"read": 1, "put": 1}


# ---- scans -----------------------------------------------------------------------------------------------------------


def test_a_link_has_as_many_scans_as_it_may_have_and_then_leads_to_its_fallback(world: World, operator, limited):
    link = limited(maxScans=3, exhaustedUrl=EXHAUSTED)
    for _ in range(3):
        assert state(operator, link) == "active"
        assert world.scan(link).location == DEFAULT
        world.settle()
    assert state(operator, link) == "exhausted"
    assert world.scan(link).location == EXHAUSTED
    world.settle()
    document = operator.read(f"/redirections/{link}")
    assert (document["hits"], document["state"]) == (3, "exhausted")


def test_scans_that_come_before_the_others_are_counted_get_through(world: World, operator: Client, limited):
    link = limited(maxScans=2)
    assert [world.scan(link).status for _ in range(4)] == [307] * 4
    world.settle()
    assert world.scan(link).status == 410
    assert "has been used up" in world.scan(link).content.decode()
    assert operator.read(f"/redirections/{link}")["hits"] == 4


def test_robots_use_nothing_up(world: World, operator: Client, limited):
    link = limited(maxScans=1)
    for _ in range(3):
        world.scan(link, user_agent=CRAWLER)
        world.scan(link, method="HEAD")
    world.settle()
    assert state(operator, link) == "active"
    world.scan(link)
    world.settle()
    assert state(operator, link) == "exhausted"


def test_records_that_come_again_or_late_mark_nothing_that_is_not_so(world: World, operator: Client, limited):
    link = limited(maxScans=2)
    for _ in range(2):
        world.scan(link)
    batch = world.feed.read("derive")
    for _ in range(3):  # killed before the position was kept
        assert derive(stream_event(batch), None) == {"batchItemFailures": []}
        world.settle()
    assert state(operator, link) == "exhausted"
    assert (world.tables.main.get(keys.link(DOMAIN, link)) or {})["v"] == 2
    operator.put(f"/redirections/{link}", {"limits": {"maxScans": 3}})
    assert derive(stream_event(batch), None) == {"batchItemFailures": []}
    world.settle()
    assert state(operator, link) == "active"
    operator.delete(f"/redirections/{link}")
    assert derive(stream_event(batch), None) == {"batchItemFailures": []}
    world.settle()


def test_a_task_of_a_link_that_has_scans_left_or_is_not_there_marks_nothing(world: World, operator: Client, limited):
    link = limited(maxScans=2)
    for short_id in (link, "gone"):
        assert world.story("work/exhaust", SHORT_ID=short_id) == {"batchItemFailures": []}
    assert state(operator, link) == "active"
    for _ in range(2):
        world.scan(link)
    assert derive(stream_event(world.feed.read("derive")), None) == {"batchItemFailures": []}
    assert state(operator, link) == "active"
    for _ in range(2):
        assert world.story("work/exhaust", SHORT_ID=link) == {"batchItemFailures": []}
    assert state(operator, link) == "exhausted"


def test_a_limit_that_cannot_be_looked_at_has_its_records_again_and_holds_up_no_other(
    world, operator, limited, monkeypatch
):
    one, other = limited(maxScans=1), limited(maxScans=1)
    for link in (one, other):
        world.scan(link)
    real = exhaustion.Hits.total

    def total(hits, domain, short_id):
        if short_id == one:
            raise Throttled
        return real(hits, domain, short_id)

    batch = world.feed.read("derive")
    with monkeypatch.context() as busy:
        busy.setattr(exhaustion.Hits, "total", total)
        (failure,) = derive(stream_event(batch), None)["batchItemFailures"]
    again = [change for change in batch if change.sequence == failure["itemIdentifier"]]
    assert again[0].new["link"] == f"{DOMAIN}/{one}"
    assert derive(stream_event(again), None) == {"batchItemFailures": []}
    world.settle()
    assert (state(operator, one), state(operator, other)) == ("exhausted", "exhausted")
    assert operator.read(f"/redirections/{one}")["hits"] == 1


def test_a_limit_that_is_set_on_a_link_with_more_scans_is_met_at_once_and_cleared_when_it_is_raised(
    world: World, operator: Client, short_id
):
    for _ in range(3):
        world.scan(short_id)
    world.settle()
    path = f"/redirections/{short_id}"
    assert operator.put(path, {"limits": {"maxScans": 3}}).document["state"] == "exhausted"
    assert world.scan(short_id).status == 410
    assert operator.put(path, {"limits": {"maxScans": 4}}).document["state"] == "active"
    assert world.scan(short_id).status == 307
    world.settle()
    assert world.scan(short_id).status == 410
    assert operator.put(path, {"limits": None}).document["state"] == "active"
    assert world.scan(short_id).status == 307


def test_the_time_comes_before_the_scans(world: World, operator: Client, limited):
    link = limited(maxScans=1, exhaustedUrl=EXHAUSTED, validUntil=LATER, afterUrl=AFTER)
    world.scan(link)
    world.settle()
    assert world.scan(link).location == EXHAUSTED
    world.clock.now = LATER
    assert world.scan(link).location == AFTER
    operator.put(f"/redirections/{link}", {"limits": {"validFrom": LATER + 1, "validUntil": LATER + 2}})
    assert state(operator, link) == "notYet"


# ---- setting them ----------------------------------------------------------------------------------------------------


def test_an_update_changes_the_limits_it_names_and_null_removes_one_or_all(world: World, operator: Client, limited):
    link = limited(validUntil=LATER, afterUrl=AFTER, maxScans=5)
    path = f"/redirections/{link}"
    changed = operator.put(path, {"limits": {"maxScans": 6}}).document
    assert changed["limits"] == {"validUntil": LATER, "afterUrl": AFTER, "maxScans": 6}
    assert operator.put(path, {"limits": {"afterUrl": None}}).document["limits"] == {"validUntil": LATER, "maxScans": 6}
    assert operator.put(path, {"defaultRedirectUrl": "https://y.example/"}).document["limits"]["maxScans"] == 6
    assert operator.put(path, operator.read(path)).document["updatedAt"] == operator.read(path)["updatedAt"]
    assert "limits" not in operator.put(path, {"limits": {"validUntil": None, "maxScans": None}}).document
    operator.put(path, {"limits": {"maxScans": 6}})
    assert "limits" not in operator.put(path, {"limits": None}).document


def test_an_operator_limits_a_link_to_a_day_and_a_hundred_scans(world: World, short_id):
    document = world.answered("redirections/limit", SHORT_ID=short_id).document
    assert document["limits"]["maxScans"] == 100
    assert world.scan(short_id).location == DEFAULT
    world.clock.now = document["limits"]["validUntil"]
    assert world.scan(short_id).location == "https://museum.example/missed"


def test_limits_are_in_the_audit_log(world: World, operator: Client, limited):
    link = limited(maxScans=5)
    operator.put(f"/redirections/{link}", {"limits": {"maxScans": 6}})
    entries = [row for row in world.rows().values() if row["k"] == "audit" and row["what"] == "link"]
    last = max(entries, key=lambda row: row["verb"] == "update")
    assert '"maxScans":5' in last["before"] and '"maxScans":6' in last["after"]


@pytest.mark.parametrize(
    ("limits", "field", "message"),
    [
        ({"validFrom": 5, "validUntil": 5}, "limits.validUntil", "not after validFrom"),
        ({"validFrom": 5, "validUntil": 4}, "limits.validUntil", "not after validFrom"),
        ({"beforeUrl": BEFORE}, "limits.beforeUrl", "validFrom"),
        ({"afterUrl": AFTER}, "limits.afterUrl", "validUntil"),
        ({"exhaustedUrl": EXHAUSTED, "validUntil": 9}, "limits.exhaustedUrl", "maxScans"),
        ({"maxScans": 1, "exhaustedUrl": "javascript:alert(1)"}, "limits.exhaustedUrl", "begins with http: or https:"),
        ({"maxScans": 1, "exhaustedUrl": "https://x.example/{thng.name}"}, "limits.exhaustedUrl", "no placeholder"),
        ({"maxScans": 1, "exhaustedUrl": "https://x.example/\r\na: b"}, "limits.exhaustedUrl", "a line break"),
        ({"maxScans": 0}, "limits.maxScans", ""),
        ({"maxScans": 10**9 + 1}, "limits.maxScans", ""),
        ({"maxScans": True}, "limits.maxScans", ""),
        ({"maxScans": "5"}, "limits.maxScans", ""),
        ({"validFrom": -1}, "limits.validFrom", ""),
        ({"validFrom": "2026-01-01"}, "limits.validFrom", ""),
        ({"validTo": 5}, "limits.validTo", ""),
        ([], "limits", ""),
    ],
)
def test_limits_that_make_no_sense_are_refused_with_their_place(world, operator, short_id, limits, field, message):
    for answer in (
        operator.put(f"/redirections/{short_id}", {"limits": limits}),
        operator.post(
            "/redirections",
            {"evrythngId": world.thng()["id"], "defaultRedirectUrl": DEFAULT, "limits": limits},
            on_short=True,
        ),
    ):
        assert answer.status == 400
        assert answer.document["details"][0]["field"] == field
        assert message in answer.document["details"][0]["message"]
    assert "limits" not in operator.read(f"/redirections/{short_id}")


def test_all_that_is_wrong_is_told_at_once(world: World, operator: Client, short_id):
    wrong = {"beforeUrl": "x", "afterUrl": AFTER}
    answer = operator.put(f"/redirections/{short_id}", {"limits": wrong})
    assert [each["field"] for each in answer.document["details"]] == [
        "limits.beforeUrl",
        "limits.beforeUrl",
        "limits.afterUrl",
    ]


def test_removing_what_a_fallback_belongs_to_says_to_remove_the_fallback_too(world: World, operator: Client, limited):
    link = limited(validFrom=LATER, beforeUrl=BEFORE)
    path = f"/redirections/{link}"
    assert "send null to remove it" in operator.put(path, {"limits": {"validFrom": None}}).document["errors"][0]
    assert "limits" not in operator.put(path, {"limits": {"validFrom": None, "beforeUrl": None}}).document


# ---- pure ------------------------------------------------------------------------------------------------------------

moments = st.none() | st.integers(0, 10)
urls = st.dictionaries(
    st.sampled_from(["before", "after", "exhausted"]), st.just(("https://x/", Template(("https://x/",))))
)


@given(moments, moments, st.none() | st.integers(1, 10), urls)
def test_limits_survive_their_row(valid_from, valid_until, max_scans, urls):
    limits = Limits(valid_from=valid_from, valid_until=valid_until, max_scans=max_scans, urls=urls)
    assert from_text(to_text(limits)) == limits


@given(moments, moments, st.integers(0, 10), st.booleans())
def test_a_scan_meets_a_limit_exactly_when_it_is_out_of_the_time_or_the_scans(valid_from, valid_until, at, exhausted):
    met = Limits(valid_from=valid_from, valid_until=valid_until).met(at, exhausted=exhausted)
    inside = (valid_from is None or valid_from <= at) and (valid_until is None or at < valid_until)
    assert (met is None) is (inside and not exhausted)
    assert STATES[met] == {None: "active", "before": "notYet", "after": "ended", "exhausted": "exhausted"}[met]
