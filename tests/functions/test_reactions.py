"""Reactions of posted scans, and why a scan went where it went."""

import json

from tests.functions.lists import ids
from tests.functions.world import DAY, SECOND, Client, World


def test_an_operators_scan_comes_back_with_its_reaction_and_without_one_when_nothing_matches(world, operator):
    rule = {
        "name": "offers",
        "match": "thng.tags=Offer & action.type=scans",
        "redirectUrl": "https://x.example/{thng.name}",
    }
    operator.publish(rule)
    offered, other = world.thng(name="A b", tags=["Offer"])["id"], world.thng()["id"]
    reaction = {"type": "redirection", "redirectUrl": "https://x.example/A%20b", "rule": 1, "version": 1}
    action = operator.made("/actions/scans", {"thng": offered})
    assert action["reactions"] == [reaction]
    assert operator.read(f"/actions/scans/{action['id']}")["reactions"] == [reaction]
    assert "reactions" not in operator.made("/actions/scans", {"thng": other})
    assert "reactions" not in operator.made("/actions/checkins", {"thng": offered})


def test_a_trusted_applications_scan_gets_no_reaction_from_the_accounts_rules(world: World, operator: Client):
    operator.publish({"redirectUrl": "https://x.example/"})
    thng = operator.made("/thngs", {"name": "in"}, project=world.project)["id"]
    assert "reactions" in operator.made("/actions/scans", {"thng": thng})
    assert "reactions" not in world.trusted.made("/actions/scans", {"thng": thng})


def test_rules_see_a_posted_actions_custom_fields_and_its_own_time(world: World, operator: Client):
    operator.publish(
        {"match": "action.customFields.region.code=en & year=2024", "redirectUrl": "https://x.example/{time}"}
    )
    body = {"thng": world.thng()["id"], "customFields": {"region": {"code": "en"}}, "timestamp": 1_710_000_000_000}
    assert operator.made("/actions/scans", body)["reactions"][0]["redirectUrl"] == "https://x.example/1710000000000"


def explained(world: World, action: str) -> dict:
    return world.answered("actions/read-with-context", ACTION=action).document["explanation"]


def test_an_explanation_says_why_each_rule_did_or_did_not_match(world: World, operator: Client):
    assert world.answered("rules/publish-rules").status == 200
    thng = world.thng(tags=["Offer"])["id"]
    link = operator.link(thng)["shortId"]
    assert world.answered("redirect/scan-from-ireland", SHORT_ID=link).status == 307
    world.settle()
    (scan,) = operator.read("/actions/implicitScans")
    told = explained(world, scan["id"])
    assert told["says"] == (
        "rule 1 matched because country is IE and dayOfWeek is sun and language is fr and thng.tags has Offer"
    )
    assert (told["version"], len(told["rules"])) == (1, 1)
    world.clock.now += DAY
    world.answered("redirect/scan-from-ireland", SHORT_ID=link)
    world.settle()
    told = explained(world, operator.read("/actions/implicitScans")[0]["id"])
    assert told["says"] == "rule 2 matched because language is fr"
    assert told["rules"][0]["matched"] is False
    assert told["rules"][0]["says"] == "did not match because dayOfWeek is mon, not sun"
    assert told["rules"][0]["name"] == "Irish Sundays, in French, on what is on offer"


def test_an_explanation_says_when_no_rule_matched_none_was_published_or_things_have_changed(world, operator):
    thng = world.thng(tags=["Offer"])
    link = operator.link(thng["id"])["shortId"]

    def says(**headers: str) -> str:
        world.clock.now += 5 * SECOND
        world.scan(link, **headers)
        world.settle()
        sentence: str = explained(world, operator.read("/actions/implicitScans")[0]["id"])["says"]
        return sentence

    assert says() == "no rules were published; it went to the default URL"
    operator.publish({"match": "thng.tags=Offer & country=IE", "redirectUrl": "https://x.example/"})
    assert says() == "no rule matched; it went to the default URL"
    says(country="IE")
    operator.put(f"/thngs/{thng['id']}", {"tags": ["Sold"]})
    told = explained(world, operator.read("/actions/implicitScans")[0]["id"])
    assert (
        told["says"] == "rule 1 decided; as things are now it did not match because thng.tags lacks Offer; it has Sold"
    )
    posted = operator.made("/actions/scans", {"thng": thng["id"]})["id"]
    assert explained(world, posted)["says"] == "no rule matched"
    checkin = operator.made("/actions/checkins", {"thng": thng["id"]})["id"]
    assert operator.get(f"/actions/all/{checkin}", explain="true").status == 404


def test_a_scan_is_explained_by_the_version_that_decided_it(world: World, operator: Client):
    operator.publish({"name": "first", "redirectUrl": "https://a.example/"})
    action = operator.made("/actions/scans", {"thng": world.thng()["id"]})["id"]
    operator.publish({"name": "second", "match": "country=FR", "redirectUrl": "https://b.example/"})
    told = explained(world, action)
    assert (told["version"], told["rules"][0]["name"]) == (1, "first")
    assert told["says"] == "rule 1 matched because nothing was asked"


def test_an_action_posted_twice_under_one_idempotency_key_is_one(world: World, operator: Client):
    body, headers = {"thng": world.thng()["id"]}, {"idempotency-key": "a"}
    first = operator.post("/actions/scans", body, headers=headers)
    assert operator.post("/actions/scans", body, headers=headers).content == first.content
    world.settle()
    assert ids(operator.read("/actions/all")) == [json.loads(first.content)["id"]]
