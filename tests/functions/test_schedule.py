"""Versions that are live for a time of their own: to the millisecond, from the row that scans have anyway."""

import json

import pytest

from fingerpost import keys
from fingerpost.ports.table import Tables
from fingerpost.redirection import release
from functions.redirect import app
from tests.functions.delegating import asking, path_of
from tests.functions.test_redirect_cost import CountingTable, reads_and_writes
from tests.functions.world import DEFAULT, HOUR, SECOND, SUNDAY_NOON, Client, World, rule

NOW, SALE, AFTER = (f"https://{name}.example/" for name in ("now", "sale", "after"))
STARTS, ENDS = SUNDAY_NOON + HOUR, SUNDAY_NOON + 2 * HOUR


def planned(client: Client, url: str, base: str = "/redirector", **story):
    answer = client.post(f"{base}/versions", {"rules": [rule(url=url)], **story})
    assert answer.status == 201, answer
    return answer.document


def at(world: World, moment: int, short_id: str) -> str:
    world.clock.now = moment
    return world.scan(short_id).location


# ---- on the scan path ------------------------------------------------------------------------------------------------


def test_a_version_begins_and_ends_to_the_millisecond(world: World, operator: Client, museum):
    operator.publish(rule(url=NOW))
    document = planned(operator, SALE, startsAt=STARTS, endsAt=ENDS)
    assert (document["state"], document["startsAt"], document["endsAt"]) == ("scheduled", STARTS, ENDS)
    found = [at(world, moment, museum) for moment in (SUNDAY_NOON, STARTS - 1, STARTS, ENDS - 1, ENDS)]
    assert found == [NOW, NOW, SALE, SALE, NOW]
    assert [row["rules"] for row in world.recorded()] == [1, 1, 2, 2, 1]


def test_it_does_so_from_the_row_that_is_kept_and_costs_no_more_reads(world, operator, museum, monkeypatch):
    calls: list[str] = []
    counting = Tables(CountingTable(world.tables.main, calls), CountingTable(world.tables.log, calls))
    monkeypatch.setattr(app, "visits", world.fresh_visits(counting))
    operator.publish(rule(url=NOW))
    planned(operator, SALE, startsAt=STARTS, endsAt=STARTS + 2)
    at(world, STARTS - SECOND, museum)  # the live row is read here, and kept for four seconds
    seen = []
    for moment in (STARTS - 1, STARTS, STARTS + 1, STARTS + 2, STARTS + 3):
        calls.clear()
        seen.append((at(world, moment, museum), reads_and_writes(calls)))
    assert seen == [
        (NOW, {"read": 1, "put": 1}),
        (SALE, {"read": 1, "query": 1, "put": 1}),  # the set of rules, once
        (SALE, {"read": 1, "put": 1}),
        (NOW, {"read": 1, "put": 1}),
        (NOW, {"read": 1, "put": 1}),
    ]


def test_a_clock_that_differs_by_a_moment_sees_the_version_of_its_own_time(world: World, operator: Client, museum):
    operator.publish(rule(url=NOW))
    planned(operator, SALE, startsAt=STARTS)
    found = [at(world, moment, museum) for moment in (STARTS - 1, STARTS + 1, STARTS - 1, STARTS)]
    assert found == [NOW, SALE, NOW, SALE]


def test_the_first_rules_of_an_account_can_be_planned_too(world: World, operator: Client, museum):
    planned(operator, SALE, startsAt=STARTS)
    assert operator.read("/redirector") | {"id": ""} == {
        "id": "", "createdAt": 0, "updatedAt": 0, "version": 0, "rules": [], "planned": [{"at": STARTS, "version": 1}]
    }  # fmt: skip
    assert [at(world, moment, museum) for moment in (STARTS - 1, STARTS)] == [DEFAULT, SALE]
    assert operator.read("/redirector")["version"] == 1


def test_what_is_published_at_once_is_live_at_once_and_the_plan_still_holds(world: World, operator: Client, museum):
    planned(operator, SALE, startsAt=STARTS, endsAt=ENDS)
    document = operator.publish(rule(url=NOW))
    assert document["planned"] == [{"at": STARTS, "version": 1}, {"at": ENDS, "version": 2}]
    assert [at(world, moment, museum) for moment in (SUNDAY_NOON, STARTS)] == [NOW, SALE]
    operator.publish(rule(url=AFTER))
    assert [at(world, moment, museum) for moment in (STARTS + 5 * SECOND, ENDS)] == [AFTER, AFTER]


def test_a_version_with_an_end_alone_begins_at_once(world: World, operator: Client, museum):
    operator.publish(rule(url=NOW))
    assert planned(operator, SALE, endsAt=ENDS)["state"] == "live"
    assert [at(world, moment, museum) for moment in (SUNDAY_NOON, ENDS - 1, ENDS)] == [SALE, SALE, NOW]


def test_one_within_another_gives_way_to_it_again(world: World, operator: Client, museum):
    operator.publish(rule(url=NOW))
    planned(operator, SALE, startsAt=STARTS, endsAt=ENDS)
    planned(operator, AFTER, startsAt=STARTS + 10, endsAt=STARTS + 20)
    moments = (STARTS, STARTS + 10, STARTS + 20, ENDS)
    assert [at(world, moment, museum) for moment in moments] == [SALE, AFTER, SALE, NOW]


def test_an_applications_plan_brings_what_its_rules_need(world: World, operator: Client):
    path, product = path_of(world.project, world.application_id), world.product(name="Painting")["id"]
    short_id = operator.link(world.thng(product=product)["id"])["shortId"]
    operator.publish(asking({"project": world.project}))
    needing = rule("product.name=Painting & project.name=*", "https://x.example/{thng.name}")
    assert operator.post(f"{path}/versions", {"rules": [needing], "startsAt": STARTS, "endsAt": ENDS}).status == 201
    found = [at(world, moment, short_id) for moment in (STARTS - 1, STARTS, ENDS - 1, ENDS)]
    assert found == [
        DEFAULT,
        "https://x.example/The%20Turf%20Cutters",
        "https://x.example/The%20Turf%20Cutters",
        DEFAULT,
    ]
    assert [row.get("app") for row in world.recorded()] == [None, world.application_id, world.application_id, None]


def test_a_posted_scan_goes_by_the_plan_too(world: World, operator: Client):
    thng = world.thng()["id"]
    planned(operator, SALE, startsAt=STARTS)
    urls = []
    for moment in (STARTS - 1, STARTS):
        world.clock.now = moment
        document = operator.made("/actions/scans", {"type": "scans", "thng": thng})
        urls.append([each.get("redirectUrl") for each in document.get("reactions", ())])
    assert urls == [[], [SALE]]


def test_why_a_scan_went_where_it_went_goes_by_the_version_of_its_time(world: World, operator: Client):
    path = path_of(world.project, world.application_id)
    short_id = operator.link(world.thng()["id"])["shortId"]
    operator.publish(asking({"app": world.application_id}), rule(url=NOW))
    operator.put(path, {"rules": [rule("country=FR")]})
    never = rule("country=DE", name="for a while")
    operator.post(f"{path}/versions", {"rules": [never], "startsAt": STARTS, "endsAt": ENDS})
    for moment in (STARTS + 1, ENDS + 1):
        at(world, moment, short_id)
    world.settle()
    told = []
    for action in reversed(operator.read("/actions/all")):
        answer = operator.read(f"/actions/all/{action['id']}?explain=true")
        (asked,) = answer["explanation"]["rules"][0]["delegates"]
        told.append((asked["version"], asked["rules"][0]["name"]))
    assert told == [(2, "for a while"), (1, None)]


# ---- what is shown ---------------------------------------------------------------------------------------------------


def test_what_is_planned_is_shown_beside_what_is_live(world: World, operator: Client):
    operator.publish(rule(url=NOW))
    planned(operator, SALE, startsAt=STARTS, endsAt=ENDS)
    assert operator.read("/redirector")["planned"] == [{"at": STARTS, "version": 2}, {"at": ENDS, "version": 1}]
    states = {}
    for moment in (SUNDAY_NOON, STARTS, ENDS):
        world.clock.now = moment
        states[moment] = [each["state"] for each in operator.read("/redirector/versions")]
    assert states == {
        SUNDAY_NOON: ["scheduled", "live"],
        STARTS: ["live", "scheduled"],
        ENDS: ["superseded", "live"],
    }
    assert "planned" not in operator.read("/redirector")


def test_who_saw_what_was_live_before_a_plan_began_is_told(world: World, operator: Client):
    operator.publish(rule(url=NOW))
    planned(operator, SALE, startsAt=STARTS, endsAt=ENDS, reason="the sale")
    world.clock.now = STARTS
    answer = operator.post("/redirector/versions", {"rules": [], "basedOn": 1})
    assert answer.status == 409 and "(the sale): rule 1: leads to https://sale.example/" in answer.error
    world.clock.now = ENDS
    answer = operator.post("/redirector/versions", {"rules": [], "basedOn": 2})
    assert answer.status == 409 and "published version 1" in answer.error and "basedOn 1" in answer.error
    assert operator.post("/redirector/versions", {"rules": [], "basedOn": 1}).status == 201


# ---- taking it back --------------------------------------------------------------------------------------------------


def test_a_plan_is_cancelled_before_it_begins(world: World, operator: Client, museum):
    operator.publish(rule(url=NOW))
    document = world.answered("rules/schedule-version").document
    assert (document["version"], document["state"], document["startsAt"]) == (2, "scheduled", 4_102_444_800_000)
    answer = world.answered("rules/cancel-schedule", VERSION="2")
    assert (answer.status, answer.document["state"]) == (200, "superseded")
    assert answer.document["cancelledAt"] == SUNDAY_NOON
    assert world.answered("rules/cancel-schedule", VERSION="2").document == answer.document
    assert "planned" not in operator.read("/redirector")
    assert at(world, 4_102_444_800_001, museum) == NOW
    live = world.tables.of(world.account).main.get(keys.LIVE)
    assert live is not None and "then:account" not in live


def test_a_plan_that_has_begun_says_what_to_do_instead(world: World, operator: Client, museum):
    operator.publish(rule(url=NOW))
    planned(operator, SALE, startsAt=STARTS, endsAt=ENDS)
    world.clock.now = STARTS
    answer = operator.delete("/redirector/versions/2/schedule")
    assert answer.status == 409 and "roll back" in answer.error
    assert operator.post("/redirector/rollback", {"version": 2}).document["version"] == 3
    assert at(world, ENDS, museum) == SALE
    assert operator.post("/redirector/rollback", {"version": 1}).status == 200
    assert at(world, ENDS + 5 * SECOND, museum) == NOW


def test_what_has_no_plan_cannot_be_cancelled(operator: Client):
    operator.publish(rule())
    assert operator.delete("/redirector/versions/1/schedule").status == 404
    assert operator.delete("/redirector/versions/7/schedule").status == 404
    assert operator.delete("/redirector/versions/x/schedule").status == 400


def test_a_deleted_applications_plan_goes_with_it(world: World, operator: Client):
    path = path_of(world.project, world.application_id)
    planned(operator, SALE, base=path, startsAt=STARTS)
    assert operator.delete(f"/projects/{world.project}/applications/{world.application_id}").status == 200
    live = world.tables.of(world.account).main.get(keys.LIVE)
    assert live is not None and not [name for name in live if world.application_id in name]


def test_the_number_of_plans_is_limited_and_the_limit_named(world: World, operator: Client, monkeypatch):
    monkeypatch.setattr(release, "MAX_PLANNED", 2)
    for hours in (1, 2):
        planned(operator, SALE, startsAt=SUNDAY_NOON + hours * HOUR)
    answer = operator.post("/redirector/versions", {"rules": [], "startsAt": STARTS})
    assert answer.document["code"] == "tooLarge" and "At most 2 versions" in answer.error
    operator.publish(rule(url=NOW))
    world.clock.now = SUNDAY_NOON + HOUR
    operator.publish(rule(url=NOW))  # the first has begun, and is over
    planned(operator, SALE, startsAt=SUNDAY_NOON + 3 * HOUR)


def test_a_hundred_plans_are_a_small_part_of_the_live_row(world: World, operator: Client):
    for number in range(release.MAX_PLANNED):
        planned(operator, SALE, startsAt=STARTS + number, endsAt=ENDS + number)
    live = world.tables.of(world.account).main.get(keys.LIVE)
    assert len(json.dumps(live)) < 8_000


# ---- two at once -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [{}, {"startsAt": STARTS + 1}, {"endsAt": ENDS}])
def test_a_plan_and_another_publication_in_the_same_moment_both_hold(world, operator, museum, monkeypatch, other):
    """The other's transaction comes between the look at what is planned and our own."""
    real, done = type(world.tables.of(world.account).main).transact, []

    def first_the_other(table, writes):
        if not done:
            done.append(True)
            planned(operator, NOW, **other)
        return real(table, writes)

    monkeypatch.setattr(type(world.tables.of(world.account).main), "transact", first_the_other)
    assert planned(operator, SALE, startsAt=STARTS)["version"] == 2
    assert [each["version"] for each in operator.read("/redirector/versions")] == [2, 1]
    assert at(world, STARTS, museum) == SALE
    assert at(world, STARTS + 1, museum) == (NOW if "startsAt" in other else SALE)
