"""Retention and erasure: what is kept for how long, what can be forgotten at once, and what numbers stay."""

import json

import pytest

from fingerpost import keys
from fingerpost.aws.stream import stream_event
from fingerpost.insight import erasure
from tests.functions.world import DAY, DOMAIN, HOUR, SUNDAY_NOON, Client, World, handler_of


def keep_for(world: World, days):
    assert world.operator.put(f"/accounts/{world.account}", {"retentionDays": days}).status == 200
    world.settle()
    world.clock.now += 5_000  # the redirect has read it


def left_of(world: World, *texts: str):
    """The kinds of rows that are still there and hold one of these texts; expired ones are not."""
    return {
        row["k"]
        for (_, key), row in world.rows().items()
        if any(text in f"{key} {json.dumps(row, default=repr)}" for text in texts) and "#redirection" not in key.pk
    } - {"audit", "auditOf", "erasure"}


def hits(client: Client, path="/statistics", **query):
    document = client.read(path, **query)
    return document["hits"], document["visitors"]


@pytest.fixture
def lamp(operator: Client):
    """A thng with the link LAMP7."""
    thng = operator.made("/thngs", {"name": "Lamp 7"})["id"]
    operator.link(thng, shortId="LAMP7")
    return thng


OF_LAMP = "/redirections/LAMP7/statistics"

# Retention


def test_scans_their_lists_visits_and_days_end_together_and_the_sum_of_all_time_stays(
    world: World, operator: Client, lamp
):
    keep_for(world, 30)
    for _ in range(3):  # alone and in pages
        world.scan("LAMP7")
        world.scan("LAMP7")
        world.clock.now += HOUR
        world.settle()
    assert hits(operator) == (6, 1)
    last = SUNDAY_NOON + 30 * DAY + 12 * HOUR - 1
    for now, there in ((last, 6), (last + 1, 0)):
        world.clock.now = now
        assert len(operator.read("/actions/all")) == there
        assert hits(operator, **{"from": "2026-03-15", "to": "2026-03-15"}) == (there, bool(there))
        assert hits(operator, OF_LAMP, **{"from": "2026-03-15", "to": "2026-03-15"}) == (there, bool(there))
        assert operator.read("/redirections/LAMP7")["hits"] == 6
    # marks keep a replay from counting and tell nobody who; they end after 400 days
    assert left_of(world, "implicitScans", "LAMP7") <= {"link", "linkOf", "sum", "marks", "visitors", "waiting"}


def test_what_expired_needs_no_work_of_the_feed(world: World, operator: Client, lamp):
    keep_for(world, 1)
    world.scan("LAMP7")
    world.settle()
    world.clock.now += 3 * DAY
    for table in (world.tables.main, world.tables.log):
        table.sweep(world.clock())  # type: ignore[attr-defined]
    before = world.rows()
    world.settle()
    assert world.rows() == before


def test_a_posted_action_is_kept_as_long_and_none_is_taken_that_is_older(world: World, operator: Client, lamp):
    keep_for(world, 10)
    operator.made("/actions/scans", {"thng": lamp})
    operator.made("/actions/all", [{"type": "checkins", "thng": lamp}, {"type": "checkins", "thng": lamp}])
    refused = operator.post("/actions/scans", {"thng": lamp, "timestamp": world.clock.now - 12 * DAY})
    assert refused.error == "timestamp: lies further back than the 10 days that this account keeps actions"
    world.settle()
    assert len(operator.read("/actions/all")) == 3
    world.clock.now += 11 * DAY
    assert operator.read("/actions/all") == []


def test_a_scan_that_was_spilled_is_kept_as_long(world: World, operator: Client, lamp):
    item = {"k": "action", "sv": 1, "type": "implicitScans", "ts": SUNDAY_NOON, "projects": [], "kept": 1}
    body = json.dumps({"key": [f"{world.account}#a#U1", "-"], "item": item})
    assert handler_of("spill")({"Records": [{"messageId": "1", "body": body}]}) == {"batchItemFailures": []}
    main = world.tables.of(world.account).main
    assert main.get(keys.action("U1")) is not None
    world.clock.now += 2 * DAY
    assert main.get(keys.action("U1")) is None


def test_without_retention_scans_are_kept_for_good(world: World, operator: Client, lamp):
    keep_for(world, 30)
    keep_for(world, None)
    world.scan("LAMP7")
    world.settle()
    world.clock.now += 1_000 * DAY
    assert len(operator.read("/actions/all")) == 1


def test_what_is_older_than_a_new_limit_is_erased(world: World, operator: Client, lamp):
    for _ in range(3):
        world.scan("LAMP7")
        world.settle()
        world.clock.now += DAY
    assert hits(operator) == (3, 3)
    keep_for(world, 2)
    assert len(operator.read("/actions/all")) == 2
    assert hits(operator) == hits(operator, OF_LAMP) == (2, 2)
    assert operator.read("/redirections/LAMP7")["hits"] == 3
    (entry,) = operator.read("/audit?verb=erase")
    assert (entry["what"], entry["after"]) == ("scans", {"before": "2026-03-16"})


@pytest.mark.parametrize("days", [0, 3_651, -1, "30", 1.5])
def test_a_retention_that_makes_no_sense_is_refused(world: World, operator: Client, days):
    answer = operator.put(f"/accounts/{world.account}", {"retentionDays": days})
    assert answer.status == 400
    assert answer.error.startswith("retentionDays: ")


def test_an_account_shows_its_retention(world: World, operator: Client):
    assert "retentionDays" not in operator.read(f"/accounts/{world.account}")
    keep_for(world, 30)
    assert operator.read(f"/accounts/{world.account}")["retentionDays"] == 30


# Erasure


def erased(client: Client, path: str, **more):
    """Have it erased and carried out; the erasure in the end."""
    answer = client.delete(path, **more)
    assert (answer.status, answer.document["state"]) == (202, "running")
    assert answer.headers["location"].endswith(f"/erasures/{answer.document['id']}")
    for _ in range(2):  # what was deleted leaves the lists by the feed
        client.world.settle()
    found = client.read(f"/erasures/{answer.document['id']}")
    assert (found["state"], found["endedAt"]) == ("done", client.world.clock.now)
    return found


@pytest.fixture
def scanned(world: World, operator: Client, lamp):
    """Scans of a lamp and of another; one of the lamp was posted, and a checkin is no scan."""
    other = operator.made("/thngs", {"name": "Lamp 8"})["id"]
    operator.link(other, shortId="LAMP8")
    for number in range(3):
        world.scan("LAMP7", address=f"198.51.100.{number}:1")
        world.scan("LAMP8")
    operator.made("/actions/scans", {"thng": lamp})
    operator.made("/actions/checkins", {"thng": lamp})
    world.clock.now += 1_000
    world.settle()
    return lamp


def test_the_scans_of_one_thng_are_forgotten_and_their_hits_stay(world: World, operator: Client, scanned):
    assert hits(operator) == (6, 4)
    assert erased(operator, f"/thngs/{scanned}/scans")["erased"] == 4
    assert [each["type"] for each in operator.read("/actions/all", filter=f"thng={scanned}")] == ["checkins"]
    assert left_of(world, "198.51.100") == set()
    assert hits(operator, OF_LAMP) == (3, 0)
    assert hits(operator) == (6, 1)
    visits = world.tables.of(world.account).log.query(keys.visits(DOMAIN, "LAMP7"))
    assert visits.rows == ()


@pytest.mark.parametrize("at_once", [1, 2, 50])
def test_it_goes_on_page_by_page_however_often_a_task_comes(
    world: World, operator: Client, scanned, monkeypatch, at_once
):
    monkeypatch.setattr(erasure, "AT_ONCE", at_once)
    for _ in range(2):
        task = erased(operator, f"/thngs/{scanned}/scans")
    assert task["erased"] == 0
    assert len(operator.read("/actions/all")) == 4


def test_a_thng_that_is_gone_has_its_scans_forgotten_too(world: World, operator: Client, scanned):
    operator.delete(f"/thngs/{scanned}")
    assert erased(operator, f"/thngs/{scanned}/scans")["erased"] == 4
    assert operator.delete("/thngs/nonsense/scans").status == 404


def test_scans_that_come_after_the_request_stay(world: World, operator: Client, scanned):
    answer = operator.delete(f"/thngs/{scanned}/scans")
    world.clock.now += 1
    world.scan("LAMP7")
    world.settle()
    assert operator.read(f"/erasures/{answer.document['id']}")["erased"] == 4
    assert len(operator.read("/actions/implicitScans", filter=f"thng={scanned}")) == 1


def test_all_scans_before_a_day_are_forgotten_with_what_the_days_were_summed_up_to(
    world: World, operator: Client, scanned
):
    world.clock.now += DAY
    world.scan("LAMP7")
    world.settle()
    assert hits(operator) == (7, 5)
    assert erased(operator, "/scans?before=2026-03-16")["erased"] == 7
    assert hits(operator) == hits(operator, OF_LAMP) == (1, 1)
    assert operator.read("/redirections/LAMP7")["hits"] == 4
    assert sorted(each["type"] for each in operator.read("/actions/all")) == ["checkins", "implicitScans"]
    assert operator.delete("/scans").error == "before: say before which day of UTC to erase, such as 2026-11-01"


def test_the_statistics_of_a_redirection_are_forgotten_and_its_scans_and_the_accounts_sums_stay(
    world: World, operator: Client, scanned
):
    hits(operator, OF_LAMP)  # visitors have been counted
    assert erased(operator, OF_LAMP, on_short=True)["redirection"] == f"{DOMAIN}/LAMP7"
    assert hits(operator, OF_LAMP) == (0, 0)
    assert operator.read("/redirections/LAMP7")["hits"] == 0
    assert hits(operator, "/redirections/LAMP8/statistics") == (3, 1)
    assert hits(operator) == (6, 4)
    assert len(operator.read("/actions/all", filter=f"thng={scanned}")) == 5
    world.scan("LAMP7")
    world.settle()
    assert operator.read("/redirections/LAMP7")["hits"] == 1


def test_what_was_counted_once_is_not_counted_again_after_its_sums_were_erased(world: World, operator: Client, lamp):
    world.scan("LAMP7")
    changes = world.feed.read("derive")
    world.settle()
    erased(operator, OF_LAMP)
    assert handler_of("derive")(stream_event(changes), None) == {"batchItemFailures": []}
    assert operator.read("/redirections/LAMP7")["hits"] == 0


@pytest.mark.parametrize("rows", [1, 3, 200])
def test_many_visits_are_forgotten_some_at_a_time(world: World, operator: Client, lamp, monkeypatch, rows):
    monkeypatch.setattr(erasure, "ROWS_AT_ONCE", rows)
    for _ in range(7):
        world.scan("LAMP7")
        world.clock.now += 3_000  # each in a row of its own
        world.settle()
    assert erased(operator, OF_LAMP)["erased"] >= 8
    assert hits(operator, OF_LAMP) == (0, 0)


def test_statistics_of_a_deleted_redirection_can_be_read_and_forgotten(world: World, operator: Client, scanned):
    operator.delete("/redirections/LAMP7")
    assert hits(operator, OF_LAMP) == (3, 3)
    erased(operator, OF_LAMP)
    assert hits(operator, OF_LAMP) == (0, 0)


def test_one_action_is_forgotten_with_its_visit_and_its_hit_stays(world: World, operator: Client, scanned):
    assert hits(operator, OF_LAMP) == (3, 3)
    action = operator.read("/actions/implicitScans", filter=f"thng={scanned}")[0]["id"]
    operator.delete(f"/actions/all/{action}")
    world.settle()
    assert hits(operator, OF_LAMP) == (3, 2)
    assert hits(operator) == (6, 3)
    assert left_of(world, action[7:]) <= {"marks"}


def test_only_operators_erase_and_only_their_own(world: World, operator: Client, scanned):
    for path in (OF_LAMP, f"/thngs/{scanned}/scans", "/scans?before=2026-03-16"):
        assert world.trusted.delete(path).status == 403
        assert world.application.delete(path).status == 403
    assert world.stranger.delete(OF_LAMP).status == 404
    world.stranger.delete(f"/thngs/{scanned}/scans")
    mine = erased(operator, f"/thngs/{scanned}/scans")
    assert mine["erased"] == 4, "a stranger's request found nothing"
    assert world.stranger.get(f"/erasures/{mine['id']}").status == 404
    assert operator.get("/erasures/nothing").status == 404


def test_an_erasure_is_told_in_the_audit_log(operator: Client, scanned):
    erased(operator, f"/thngs/{scanned}/scans")
    erased(operator, OF_LAMP)
    told = [(entry["what"], entry["resource"]) for entry in operator.read("/audit?verb=erase")]
    assert sorted(told) == [("scans", scanned), ("statistics", f"{DOMAIN}/LAMP7")]


def test_the_stories_of_erasing(world: World, operator: Client, scanned):
    answer = world.answered("insight/erase-scans-of-thng", THNG=scanned)
    assert world.story("work/forget", ERASURE=answer.document["id"]) == {"batchItemFailures": []}
    world.settle()
    assert operator.read(f"/erasures/{answer.document['id']}")["erased"] == 4
