"""Drafts: several side by side, with mistakes or without, until one is published and goes away."""

import pytest

from fingerpost.redirection import drafts
from tests.functions.delegating import path_of
from tests.functions.world import DEFAULT, HOUR, SECOND, SUNDAY_NOON, Client, World, rule

A, B = rule("country=IE", "https://a.example/", name="Irish"), rule(url="https://b.example/")
BROKEN = [rule("country=", name="Typo"), "rule", rule("month=13", "ftp://x/"), rule("thng.nme=x")]


def saved(client: Client, name: str, *rules, base: str = "/redirector", **story):
    answer = client.put(f"{base}/drafts/{name}", {"rules": rules, **story})
    assert answer.status == 200, answer
    return answer.document


def sets(world: World) -> set[str]:
    """The partitions of rule sets."""
    return {key.pk for _, key in world.rows() if "#rc#" in key.pk}


def test_a_draft_is_kept_under_its_name_and_changes_nothing_for_scans(world: World, operator: Client, museum):
    operator.publish(B)
    document = saved(operator, "summer", A, note="for June")
    assert document == {
        "name": "summer",
        "state": "checked",
        "edit": 1,
        "basedOn": 1,
        "note": "for June",
        "createdAt": SUNDAY_NOON,
        "updatedAt": SUNDAY_NOON,
        "by": {"id": document["by"]["id"], "type": "operator", "email": "op@museum.example"},
        "ruleCount": 1,
        "findings": [],
        "warnings": [],
        "rules": [A],
    }
    assert operator.read("/redirector/drafts/summer") == document
    world.clock.now += 5 * SECOND
    assert world.scan(museum, country="IE").location == "https://b.example/"
    assert operator.read("/redirector")["version"] == 1


def test_a_draft_may_hold_mistakes_and_says_them_all(world: World, operator: Client):
    document = saved(operator, "x", *BROKEN)
    assert (document["state"], document["rules"], document["ruleCount"]) == ("draft", BROKEN, 4)
    assert [(each["rule"], each["name"], each["field"]) for each in document["findings"]] == [
        (1, "Typo", "rules[0].match"),
        (2, None, "rules[1]"),
        (3, None, "rules[2].match"),
        (3, None, "rules[2].redirectUrl"),
    ]
    assert [each["field"] for each in document["warnings"]] == ["rules[3].match"]
    assert operator.read("/redirector/drafts/x") == document
    before = world.rows()
    answer = operator.post("/redirector/drafts/x/publish", {})
    assert answer.status == 400
    assert answer.document["details"] == document["findings"]
    assert world.rows() == before


def test_drafts_are_listed_by_name_without_their_rules(operator: Client):
    for name in ("b", "a", "c"):
        saved(operator, name, A)
    found = operator.read("/redirector/drafts")
    assert [each["name"] for each in found] == ["a", "b", "c"] and "rules" not in found[0]
    answer = operator.get("/redirector/drafts?perPage=2")
    assert [each["name"] for each in answer.document] == ["a", "b"] and "link" in answer.headers


def test_a_draft_is_replaced_and_its_old_rules_are_removed(world: World, operator: Client):
    first = saved(operator, "x", A, note="mine")
    world.clock.now += HOUR
    second = saved(operator, "x", B)
    assert (second["edit"], second["rules"], second["note"]) == (2, [B], "mine")
    assert (second["createdAt"], second["updatedAt"]) == (first["createdAt"], SUNDAY_NOON + HOUR)
    assert len(sets(world)) == 1


def test_who_edits_an_edit_that_is_not_the_last_is_told(world: World, operator: Client):
    saved(operator, "x", A, edit=0)
    saved(operator, "x", B, edit=1)
    kept = sets(world)
    answer = operator.put("/redirector/drafts/x", {"rules": [], "edit": 1})
    assert answer.status == 409
    assert answer.error == (
        "The draft x changed: you saw edit 1; op@museum.example made edit 2 since. "
        "Read it again, then send yours with edit 2"
    )
    assert operator.put("/redirector/drafts/x", {"rules": [], "edit": 0}).status == 409
    assert operator.put("/redirector/drafts/new", {"rules": [], "edit": 3}).status == 409
    assert sets(world) == kept and operator.read("/redirector/drafts/x")["rules"] == [B]


def test_a_draft_that_is_published_goes_away_and_leaves_its_name_on_the_version(world: World, operator: Client, museum):
    version = world.answered("rules/publish-version").document["version"]
    name = world.answered("rules/save-draft").document["name"]
    difference = world.answered("rules/compare-draft", DRAFT=name).document
    assert [each["says"] for each in difference["changes"]] == [
        "rule 1 *Opening hours*: Monday added; timeOfDay from 10:00 to 18:00 instead of from 10:00 to 17:00"
    ]
    answer = world.answered("rules/publish-draft", DRAFT=name, VERSION=str(version))
    assert answer.status == 201
    assert answer.headers["location"] == "https://api.example/redirector/versions/2"
    assert (answer.document["version"], answer.document["draft"], answer.document["reason"]) == (2, "easter", "Easter")
    assert operator.get("/redirector/drafts/easter").status == 404
    assert operator.read("/redirector")["rules"] == answer.document["rules"]
    assert len(sets(world)) == 2


def test_a_draft_on_other_rules_than_are_live_is_refused_until_they_were_seen(world: World, operator: Client):
    operator.publish(A)
    saved(operator, "x", B)
    operator.publish(A, rule("month=1", name="New"))
    answer = operator.post("/redirector/drafts/x/publish", {})
    assert answer.status == 409
    assert "rule 2 *New* added" in answer.error and "basedOn 2" in answer.error
    assert operator.read("/redirector/drafts/x")["basedOn"] == 1
    assert operator.post("/redirector/drafts/x/publish", {"basedOn": 2}).status == 201


def test_a_draft_can_be_put_on_a_newer_version(operator: Client):
    operator.publish(A)
    saved(operator, "x", B)
    operator.publish()
    assert saved(operator, "x", B)["basedOn"] == 1
    assert saved(operator, "x", B, basedOn=2)["basedOn"] == 2
    assert operator.post("/redirector/drafts/x/publish", {}).status == 201


def test_a_draft_can_be_published_for_later(world: World, operator: Client, museum):
    saved(operator, "x", B)
    document = operator.post("/redirector/drafts/x/publish", {"startsAt": SUNDAY_NOON + HOUR}).document
    assert (document["state"], document["startsAt"]) == ("scheduled", SUNDAY_NOON + HOUR)
    assert world.scan(museum).location == DEFAULT
    world.clock.now += HOUR
    assert world.scan(museum).location == "https://b.example/"


def test_a_draft_that_changes_while_it_is_published_stays(world, operator, monkeypatch):
    saved(operator, "x", A)
    real = drafts.examined_for

    def edit_first(*arguments, **named):
        monkeypatch.setattr(drafts, "examined_for", real)
        saved(operator, "x", B)
        return real(*arguments, **named)

    monkeypatch.setattr(drafts, "examined_for", edit_first)
    answer = operator.post("/redirector/drafts/x/publish", {})
    assert answer.status == 409 and "changed or published while this was done" in answer.error
    assert operator.read("/redirector/drafts/x")["rules"] == [B]
    assert operator.read("/redirector")["version"] == 0


def test_a_publication_whose_answer_was_lost_is_not_made_again(world, operator, monkeypatch):
    """The first request got as far as the switch."""
    saved(operator, "x", A)
    headers = {"idempotency-key": "one"}

    def lost(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(drafts, "discard", lost)
        with pytest.raises(KeyboardInterrupt):
            operator.post("/redirector/drafts/x/publish", {}, headers=headers)
    world.clock.now += HOUR
    answer = operator.post("/redirector/drafts/x/publish", {}, headers=headers)
    assert (answer.status, answer.document["version"], answer.document["rules"]) == (201, 1, [A])
    assert operator.post("/redirector/drafts/x/publish", {}).status == 404
    assert len(operator.read("/redirector/versions")) == 1


def test_a_draft_can_be_deleted(world: World, operator: Client):
    saved(operator, "x", A)
    assert operator.delete("/redirector/drafts/x").status == 200
    for answer in (operator.delete("/redirector/drafts/x"), operator.get("/redirector/drafts/x")):
        assert answer.status == 404
    assert sets(world) == set()
    assert operator.post("/redirector/drafts/x/publish", {}).status == 404


@pytest.mark.parametrize("name", ["-x", "x%20y", "a" * 65, "%C3%A9", ".x", "x:y"])
def test_a_name_that_no_address_can_hold_is_refused(world: World, operator: Client, name):
    before = world.rows()
    assert operator.put(f"/redirector/drafts/{name}", {"rules": []}).document["details"][0]["field"] == "name"
    assert operator.get(f"/redirector/drafts/{name}").status == 404
    assert world.rows() == before


def test_the_number_of_drafts_is_limited_and_the_limit_named(world: World, operator: Client, monkeypatch):
    monkeypatch.setattr(drafts, "MAX_DRAFTS", 2)
    for name in ("a", "b"):
        saved(operator, name, A)
    kept = sets(world)
    answer = operator.put("/redirector/drafts/c", {"rules": []})
    assert answer.document["code"] == "tooLarge" and "At most 2 drafts" in answer.error
    assert sets(world) == kept
    saved(operator, "b", B)


@pytest.mark.parametrize("body", [{}, {"rules": {}}, {"rules": [], "edit": -1}, {"rules": [], "note": 5}, []])
def test_a_draft_without_a_list_of_rules_is_refused(operator: Client, body):
    assert operator.put("/redirector/drafts/x", body).status == 400


def test_an_applications_drafts_are_its_own_and_lead_where_it_may(world: World, operator: Client):
    path = path_of(world.project, world.application_id)
    operator.put(f"/accounts/{world.account}", {"allowedHosts": ["own.example"]})
    document = saved(operator, "x", rule(url="https://else.example/"), base=path)
    assert (document["state"], document["findings"][0]["field"]) == ("draft", "rules[0].redirectUrl")
    assert operator.read("/redirector/drafts") == []
    assert operator.post(f"{path}/drafts/x/publish", {}).status == 400
    operator.put(f"/accounts/{world.account}", {"allowedHosts": []})
    assert operator.post(f"{path}/drafts/x/publish", {}).document["version"] == 1


def test_fifty_mistakes_with_the_longest_lists_of_hosts_fit_into_a_draft(world: World, operator: Client):
    path = path_of(world.project, world.application_id)
    hosts = [f"{number}.{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}" for number in range(100)]
    assert operator.put(f"/accounts/{world.account}", {"allowedHosts": hosts}).status == 200
    document = saved(operator, "x", *[rule(url="https://else.example/")] * 60, base=path)
    assert len(document["findings"]) == 50
    assert "and 95 more" in document["findings"][0]["message"]


def test_drafts_of_an_account_are_no_others(world: World, operator: Client):
    saved(operator, "x", A)
    assert world.stranger.read("/redirector/drafts") == []
    assert world.stranger.get("/redirector/drafts/x").status == 404


def test_a_draft_that_is_replaced_between_the_reads_of_its_rows_is_read_again(world, operator, monkeypatch):
    saved(operator, "x", A)
    real = drafts.read_chunks

    def replace_first(*arguments):
        monkeypatch.setattr(drafts, "read_chunks", real)
        saved(operator, "x", B, rule("month=1"))
        return real(*arguments)

    monkeypatch.setattr(drafts, "read_chunks", replace_first)
    assert operator.read("/redirector/drafts/x")["ruleCount"] == 2
