"""GET /audit: who changed what, when, from which address; readable by operators, changed by nobody."""

import json
from urllib.parse import unquote

import pytest

from fingerpost.insight import audit_log
from tests.functions.world import DAY, DOMAIN, SUNDAY_NOON, Client, World, rule


def told(entries):
    """(verb, what) of each entry."""
    return [(entry["verb"], entry["what"]) for entry in entries]


def test_a_change_is_told_with_both_sides_who_and_from_where(world: World, operator: Client, thng):
    made = operator.link(thng["id"], shortId="LAMP7")
    world.clock.now += 1_000
    operator.put("/redirections/LAMP7", {"defaultRedirectUrl": "https://museum.example/new"}, on_short=True)
    entry = operator.read("/audit", resource=f"{DOMAIN}/LAMP7")[0]
    assert (entry["verb"], entry["what"], entry["resource"]) == ("update", "link", f"{DOMAIN}/LAMP7")
    assert entry["timestamp"] == world.clock.now
    assert entry["by"] == {
        "id": operator.read("/access")["actor"]["id"],
        "type": "operator",
        "email": "op@museum.example",
    }
    assert entry["address"] == "203.0.113.77"
    assert entry["changed"] == ["defaultRedirectUrl"]
    assert entry["before"]["defaultRedirectUrl"] == made["defaultRedirectUrl"]
    assert entry["after"]["defaultRedirectUrl"] == "https://museum.example/new"


def test_whatever_decides_where_scans_go_or_who_may_do_what_is_told(world: World, operator: Client):
    world.clock.now += 1  # later than the operator's own key
    begun = world.clock.now
    project = operator.made("/projects", {"name": "On show"})["id"]
    operator.put(f"/projects/{project}", {"description": "in spring"})
    application = operator.made(f"/projects/{project}/applications", {"name": "Guide"})["id"]
    operator.put(f"/projects/{project}/applications/{application}", {"name": "The guide"})
    operator.made("/actions", {"name": "_touched"})
    operator.put("/actions/_touched", {"tags": ["loud"]})
    operator.delete("/actions/_touched")
    place = operator.made("/places", {"name": "Pier", "latitude": 53.3, "longitude": -6.2})["id"]
    operator.put(f"/places/{place}", {"name": "The pier"})
    operator.delete(f"/places/{place}")
    operator.put(f"/accounts/{world.account}", {"wholeAddresses": True})
    operator.publish(rule("country=IE"))
    product, thng = world.product()["id"], world.thng()["id"]
    operator.delete(f"/thngs/{thng}")
    operator.delete(f"/products/{product}")
    action = operator.made("/actions/scans", {"thng": world.thng()["id"], "customFields": {"seen": "by someone"}})["id"]
    operator.delete(f"/actions/all/{action}")
    operator.delete(f"/projects/{project}/applications/{application}")
    operator.delete(f"/projects/{project}")
    entries = operator.read("/audit", **{"from": begun}, perPage=100)
    assert sorted(told(entries)) == sorted(
        [(verb, what) for what in ("project", "application", "actionType", "place") for verb in CHANGES]
        + [("update", "account"), ("publish", "rules")]
        + [("delete", what) for what in ("thng", "product", "action")]
    )
    (forgotten,) = (entry for entry in entries if entry["what"] == "action")
    assert "by someone" not in json.dumps(forgotten), "what was erased is not kept in the log of it"


CHANGES = ("create", "update", "delete")


def test_the_operator_and_their_key_are_the_first_entry(world: World, operator: Client):
    (first,) = operator.read("/audit")
    assert (first["verb"], first["what"], first["cause"]) == ("create", "operator", "installation")
    assert first["after"] == {"email": "op@museum.example"}


def test_what_changes_nothing_is_not_told(operator: Client):
    project = operator.made("/projects", {"name": "On show"})["id"]
    operator.put(f"/projects/{project}", {"name": "On show"})
    assert told(operator.read("/audit", what="project")) == [("create", "project")]


@pytest.fixture
def busy_year(world: World, operator: Client) -> list[str]:
    """The ids of projects, one made each month for a year and more."""
    made = []
    world.clock.now += 1
    for _ in range(15):
        made.append(operator.made("/projects", {"name": "On show"})["id"])
        world.clock.now += 31 * DAY
    return made


def follow(client: Client, path: str):
    """Every entry of a list, page by page."""
    entries = []
    while path:
        answer = client.get(path)
        assert answer.status == 200, answer
        entries += answer.document
        path = unquote(answer.headers.get("link", "")).partition("api.example")[2].partition(">")[0]
    return entries


@pytest.mark.parametrize("per_page", [1, 4, 100])
def test_it_is_read_newest_first_across_months_page_by_page(operator: Client, busy_year, per_page):
    entries = follow(operator, f"/audit?perPage={per_page}")
    assert [entry["resource"] for entry in entries[:-1]] == busy_year[::-1]
    assert entries[-1]["what"] == "operator"
    assert [entry["timestamp"] for entry in entries] == sorted((entry["timestamp"] for entry in entries), reverse=True)


def test_it_is_narrowed_to_times_kinds_verbs_and_who(world: World, operator: Client, busy_year):
    third = SUNDAY_NOON + 1 + 2 * 31 * DAY
    assert [each["resource"] for each in operator.read("/audit", **{"from": third, "to": third})] == [busy_year[2]]
    assert [each["resource"] for each in operator.read("/audit?from=2026-05-16&to=2026-05-16")] == [busy_year[2]]
    assert len(operator.read("/audit?from=2026-04-15&to=2026-06-16")) == 3
    operator.delete(f"/projects/{busy_year[3]}")
    assert told(operator.read("/audit?verb=delete")) == [("delete", "project")]
    assert told(operator.read("/audit?what=operator")) == [("create", "operator")]
    assert told(operator.read(f"/audit?resource={busy_year[3]}")) == [("delete", "project"), ("create", "project")]
    assert told(operator.read(f"/audit?resource={busy_year[3]}&verb=create")) == [("create", "project")]
    assert operator.read("/audit?by=nobody") == []
    me = operator.read("/access")["actor"]["id"]
    assert len(operator.read(f"/audit?by={me}&what=project&perPage=100")) == 16


def test_a_search_in_vain_stops_and_goes_on_from_there(operator: Client, busy_year, monkeypatch):
    monkeypatch.setattr(audit_log, "READ_BUDGET", 4)
    first = operator.get("/audit?what=operator")
    assert first.document == []
    assert told(follow(operator, "/audit?what=operator")) == [("create", "operator")]


def test_a_page_is_no_larger_than_an_answer_can_be(operator: Client, busy_year, monkeypatch):
    monkeypatch.setattr(audit_log, "MAX_PAGE_BYTES", 200)
    assert len(operator.read("/audit?perPage=100")) < 3
    assert len(follow(operator, "/audit?perPage=100")) == 16


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=yesterday", "from takes a day of UTC such as 2026-11-28, not 'yesterday'"),
        ("to=2026-13-01", "to takes a day of UTC such as 2026-11-28, not '2026-13-01'"),
        ("from=2026-03-02&to=2026-03-01", "from is later than to"),
        ("perPage=0", "perPage takes a number from 1 to 100, not '0'"),
        ("what=" + "x" * 401, "what: what has at most 400 characters"),
        ("nextPageToken=x", "This nextPageToken cannot be read. Start over without nextPageToken."),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_could(operator: Client, query, says):
    answer = operator.get(f"/audit?{query}")
    assert (answer.status, answer.error) == (400, says)


def test_a_token_of_another_question_is_refused(operator: Client, busy_year):
    answer = operator.get("/audit?perPage=1")
    path = unquote(answer.headers["link"]).partition("api.example")[2].partition(">")[0]
    assert operator.get(path + "&what=project").document["code"] == "invalidCursor"


def test_only_operators_read_it_and_only_their_own_accounts(world: World, operator: Client, thng):
    link = operator.link(thng["id"])["shortId"]
    assert world.trusted.get("/audit").status == 403
    assert world.application.get("/audit").status == 403
    assert world.nobody.get("/audit").status == 401
    assert told(world.stranger.read("/audit")) == [("create", "operator")]
    assert world.stranger.read(f"/audit?resource={DOMAIN}/{link}") == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_address_changes_it(operator: Client, method):
    entry = operator.read("/audit")[0]
    assert operator.call(method, "/audit").status == 405
    assert operator.call(method, f"/audit/{entry['id']}").status == 404


def test_the_story_of_who_changed_the_rules(world: World, operator: Client):
    operator.publish(rule("country=IE"))
    answer = world.answered("insight/who-changed-the-rules")
    assert told(answer.document) == [("publish", "rules")]


def test_the_address_of_who_came_through_cloudfront_is_theirs(operator: Client, monkeypatch):
    """On AWS the gateway sees CloudFront's address; CloudFront's word for the client's counts beside its secret."""
    monkeypatch.setenv("FINGERPOST_MAIN_TABLE", "main")
    monkeypatch.setenv("FINGERPOST_EDGE_SECRET", "edge-secret")
    viewer = {"cloudfront-viewer-address": "198.51.100.9:41000"}
    for headers in (viewer, {**viewer, "x-fingerpost-edge": "edge-secret"}):
        operator.made("/projects", {"name": "On show"}, headers=headers)
    addresses = [entry["address"] for entry in operator.read("/audit", what="project")]
    assert sorted(addresses) == ["198.51.100.9", "203.0.113.77"]


def test_what_a_demo_tells_of_its_past_is_older_than_its_account(world: World, operator: Client):
    world.clock.now -= 40 * DAY
    operator.made("/projects", {"name": "On show"})
    world.clock.now += 40 * DAY
    assert told(operator.read("/audit")) == [("create", "operator"), ("create", "project")]
