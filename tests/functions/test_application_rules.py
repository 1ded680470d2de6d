"""The rules of an application: their document, what they know, where they may lead, why they decided."""

import sys
from types import ModuleType
from typing import Any

import pytest

from fingerpost import keys
from fingerpost.redirection import publish as publishing
from fingerpost.redirection import release
from tests.functions.delegating import GUIDE, OWN, SHOP, asking, made_application, path_of, publish_for, scanned
from tests.functions.world import DEFAULT, HOUR, Client, World, rule

# ---- the application's own rules -------------------------------------------------------------------------------------


def test_an_applications_rules_are_a_document_with_versions_of_its_own(world: World, operator: Client):
    path = path_of(world.project, world.application_id)
    before = operator.read(path)
    assert (before["rules"], before["version"]) == ([], 0)
    operator.publish(rule())
    rules = [rule("thng.name=test", "https://google.com", name="Test Rule", constants={}), rule("x.y=1")]
    first = publish_for(world, world.application_id, *rules)
    assert first["rules"] == rules and first["version"] == 1
    assert first["warnings"][0]["field"] == "rules[1].match"
    world.clock.now += HOUR
    second = publish_for(world, world.application_id)
    assert (second["id"], second["version"], second["createdAt"]) == (before["id"], 2, first["createdAt"])
    assert operator.read(path) == second
    assert operator.read("/redirector")["id"] != second["id"]
    assert operator.read("/redirector")["version"] == 1
    published = [row for row in world.rows().values() if row.get("k") == "audit" and row["verb"] == "publish"]
    assert {row["resource"] for row in published} == {"account", f"app:{world.application_id}"}


def test_only_operators_reach_an_applications_rules_and_only_under_its_project(world: World, operator: Client):
    path = path_of(world.project, world.application_id)
    other = operator.made("/projects", {"name": "Other"})["id"]
    for client in (world.trusted, world.application):
        assert client.get(path).status == client.put(path, {"rules": []}).status == 403
    for client, where in (
        (operator, path_of(other, world.application_id)),
        (operator, path_of(world.project, "U" * 24)),
        (world.stranger, path),
    ):
        assert client.get(where).status == client.put(where, {"rules": []}).status == 404
    assert world.nobody.get(path).status == 401


def test_an_applications_rule_asks_nobody(world: World, operator: Client, guide, short_id):
    path = path_of(world.project, guide)
    delegates = [{"app": guide, "project": world.project}]
    answer = operator.put(path, {"rules": [{"match": "country=IE", "delegates": delegates}]})
    assert answer.status == 400 and answer.error == "rules[0].redirectUrl: a rule needs a redirectUrl"
    document = publish_for(world, guide, rule(url=GUIDE, delegates=delegates), rule(url=SHOP, delegates=[]))
    warned = [each["field"] for each in document["warnings"]]
    assert "rules[0].delegates" in warned and "rules[1].delegates" not in warned
    publish_for(world, guide, rule(url=GUIDE, delegates="nonsense"))
    operator.publish(asking({"app": guide}))
    assert scanned(world, short_id) == GUIDE


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (rule("country="), "rules[0].match"),
        (rule(url="ftp://x"), "rules[0].redirectUrl"),
        ({"match": "country=IE"}, "rules[0].redirectUrl"),
    ],
)
def test_an_applications_rule_that_is_not_in_order_is_refused_and_nothing_changes(
    world: World, operator: Client, guide, wrong, field
):
    before = world.rows()
    answer = operator.put(path_of(world.project, guide), {"rules": [wrong]})
    assert answer.status == 400 and answer.document["details"][0]["field"] == field
    assert world.rows() == before


def test_a_changed_application_rule_shows_within_five_seconds(world: World, operator: Client, guide, short_id):
    operator.publish(asking({"app": guide}))
    assert scanned(world, short_id) == GUIDE
    publish_for(world, guide, rule(url=SHOP))
    assert scanned(world, short_id) == SHOP
    publish_for(world, guide)
    assert scanned(world, short_id) == DEFAULT


def test_rules_published_while_their_application_is_deleted_are_not_left_behind(
    world: World, operator: Client, guide, monkeypatch
):
    real = publishing.pack

    def delete_first(*arguments: Any) -> bytes:
        assert operator.delete(f"/projects/{world.project}/applications/{guide}").status == 200
        return real(*arguments)

    monkeypatch.setattr(publishing, "pack", delete_first)
    answer = operator.put(path_of(world.project, guide), {"rules": [rule(url=SHOP)]})
    assert answer.status == 404
    live = world.tables.of(world.account).main.get(keys.LIVE)
    assert live is not None and f"live:app:{guide}" not in live


def test_the_number_of_applications_with_rules_is_limited_and_the_limit_named(world, operator, guide, monkeypatch):
    monkeypatch.setattr(release, "MAX_REDIRECTORS", 1)
    answer = operator.put(path_of(world.project, made_application(world, "Shop")), {"rules": [rule()]})
    assert (answer.status, answer.document["code"]) == (400, "tooLarge") and "At most 1 " in answer.error
    publish_for(world, guide, rule(url=SHOP))
    operator.publish(rule())


# ---- fields of the application, and the place ------------------------------------------------------------------------


def test_rules_of_an_application_know_it_and_its_project_and_rules_of_the_account_know_neither(
    world: World, operator: Client, short_id
):
    operator.put(f"/projects/{world.project}", {"tags": ["autumn"], "identifiers": {"code": "P1"}})
    operator.put(
        f"/projects/{world.project}/applications/{world.application_id}", {"customFields": {"theme": {"name": "dark"}}}
    )
    match = "project.tags=autumn & project.identifiers.code=P1 & application.customFields.theme.name=dark & user.age!=*"
    url = "https://x.example/{project.name}/{application.name}/{application.id}"
    publish_for(world, world.application_id, rule(match, url))
    operator.publish(
        rule("project.id=*"),
        rule("application.name=*"),
        asking({"app": world.application_id}),
        rule(url=OWN + "{project.name}"),
    )
    assert scanned(world, short_id) == f"https://x.example/On%20show/Guide/{world.application_id}"
    operator.put(f"/projects/{world.project}", {"tags": ["winter"]})
    assert scanned(world, short_id) == OWN


class Places(ModuleType):
    """A stand-in for `fingerpost.catalogue.places`, which notes what it is asked."""

    def __init__(self) -> None:
        super().__init__("fingerpost.catalogue.places")
        self.asked: list[Any] = []

    def closest(self, tables: Any, latitude: float, longitude: float, project: str | None) -> Any:
        self.asked.append((latitude, longitude, project))
        tags = ["ours"] if project else ["everybody's"]
        return {"id": "U" * 24, "tags": tags, "customFields": {"floor": 2}, "distance": 120.5}


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Places:
    stand_in = Places()
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    return stand_in


def test_the_closest_place_is_asked_for_when_a_rule_mentions_it_and_the_scan_has_a_position(
    world: World, operator: Client, short_id, places
):
    here = {"latitude": "53.5", "longitude": "-6.25"}
    operator.publish(rule("location.lat>53", OWN))
    assert scanned(world, short_id, **here) == OWN
    assert places.asked == []
    operator.publish(rule("place.distance<200 & place.tags=everybody's", OWN + "{place.customFields.floor}/{place.id}"))
    assert scanned(world, short_id) == DEFAULT
    assert places.asked == []
    assert scanned(world, short_id, **here) == f"{OWN}2/{'U' * 24}"
    assert places.asked == [(53.5, -6.25, None)]


def test_an_applications_rules_see_the_closest_place_of_their_project(world, operator, short_id, places):
    publish_for(world, world.application_id, rule("place.tags=ours", GUIDE + "{place.distance}"))
    operator.publish(rule("place.tags=ours", OWN), asking({"app": world.application_id}))
    assert scanned(world, short_id, latitude="53.5", longitude="-6.25") == GUIDE + "120.5"
    assert places.asked == [(53.5, -6.25, None), (53.5, -6.25, world.project)]


# ---- why -------------------------------------------------------------------------------------------------------------


def explained(world: World, action: str) -> Any:
    return world.answered("actions/read-with-context", ACTION=action).document["explanation"]


def test_an_explanation_tells_what_the_applications_said_that_were_asked(world, operator, guide, thng, short_id):
    other = made_application(world, "Shop")
    publish_for(world, other, rule("country=IE", SHOP, name="Irish"))
    operator.publish(rule("language=fr"), asking({"app": other}, {"app": guide}))
    scanned(world, short_id)
    action = world.operator.read(f"/actions/all/{newest(world)}")
    told = explained(world, action["id"])
    assert told["says"] == (
        f"rule 2 matched because nothing was asked, and asked the application {guide}: "
        "its rule 1 matched because thng.tags has Offer"
    )
    assert "delegates" not in told["rules"][0]
    shop, decider = told["rules"][1]["delegates"]
    assert (shop["app"], shop["version"], shop["says"]) == (other, 1, "no rule matched")
    assert shop["rules"][0]["says"] == "did not match because country is absent"
    assert (decider["app"], decider["project"]) == (guide, world.project)
    assert decider["rules"][0]["matched"] is True


def test_an_explanation_goes_by_the_versions_of_the_time_and_survives_the_application(
    world: World, operator: Client, guide, short_id
):
    other = made_application(world, "Shop")
    publish_for(world, other, rule("country=IE", SHOP))
    operator.publish(asking({"app": other}, {"app": guide}))
    scanned(world, short_id)
    action = newest(world)
    world.clock.now += HOUR
    publish_for(world, other, rule("country=DE", SHOP))
    publish_for(world, guide, rule(url=SHOP))
    shop, decider = explained(world, action)["rules"][0]["delegates"]
    assert [shop["rules"][0]["match"], decider["rules"][0]["match"]] == ["country=IE", "thng.tags=Offer"]
    operator.delete(f"/projects/{world.project}/applications/{guide}")
    told = explained(world, action)
    assert told["says"].endswith("its rule 1 matched because thng.tags has Offer")


def test_an_explanation_of_an_applications_own_scan_tells_its_own_rules(world: World, operator: Client, guide):
    thng = operator.made("/thngs", {"name": "a", "tags": ["Offer"]}, project=world.project)["id"]
    action = world.trusted.made("/actions/scans", {"thng": thng})["id"]
    told = explained(world, action)
    assert (told["app"], told["version"]) == (guide, 1)
    assert told["says"] == "of the application's rules, rule 1 matched because thng.tags has Offer"
    operator.put(f"/thngs/{thng}", {"tags": []})
    later = world.trusted.made("/actions/scans", {"thng": thng})["id"]
    assert explained(world, later)["says"] == "of the application's rules, no rule matched"


def test_an_explanation_says_when_the_application_had_no_rules(world: World, operator: Client):
    thng = operator.made("/thngs", {"name": "a"}, project=world.project)["id"]
    action = world.trusted.made("/actions/scans", {"thng": thng})["id"]
    assert explained(world, action)["says"] == "the application had no rules"


def newest(world: World) -> str:
    """The id of the last scan."""
    world.settle()
    identifier: str = world.operator.read("/actions/implicitScans", perPage="1")[0]["id"]
    return identifier


# ---- where application rules may lead --------------------------------------------------------------------------------


def allow(world: World, *hosts: str) -> Any:
    answer = world.operator.put(f"/accounts/{world.account}", {"allowedHosts": hosts})
    assert answer.status == 200, answer
    return answer.document


def test_application_rules_lead_only_to_hosts_that_the_account_allows(world: World, operator: Client, short_id):
    document = world.answered("access/allow-hosts").document
    assert document["allowedHosts"] == ["shop.example", "*.museum.example"]
    path = path_of(world.project, world.application_id)
    for url in ("https://evil.example/", "https://museum.example/", "https://shop.example.evil.example/"):
        answer = operator.put(path, {"rules": [rule(url=SHOP), rule(url=url)]})
        assert answer.status == 400, url
        (finding,) = answer.document["details"]
        assert finding["field"] == "rules[1].redirectUrl"
        assert finding["expected"] == ["shop.example", "*.museum.example"]
        host = url.split("/")[2]
        assert f"to {host};" in answer.error and "shop.example, *.museum.example" in answer.error
    for url in ("https://SHOP.example:8443/x", "https://shop.example./", "https://a.b.museum.example/{thng.id}"):
        publish_for(world, world.application_id, rule(url=url))
    operator.publish(asking({"app": world.application_id}), rule(url="https://anywhere.example/"))
    assert scanned(world, short_id).startswith("https://a.b.museum.example/U")


def test_a_host_that_is_no_longer_allowed_yields_nothing_and_the_search_goes_on(
    world: World, operator: Client, guide, short_id
):
    publish_for(world, guide, rule(url=GUIDE), rule(url=SHOP))
    operator.publish(asking({"app": guide}), rule(url=OWN))
    in_scope = operator.made("/thngs", {"name": "a"}, project=world.project)["id"]

    def reactions() -> list[str]:
        action = world.trusted.made("/actions/scans", {"thng": in_scope})
        return [each["redirectUrl"] for each in action.get("reactions", [])]

    assert scanned(world, short_id) == GUIDE
    allow(world, "shop.example")
    assert scanned(world, short_id) == SHOP and reactions() == [SHOP]
    allow(world, "other.example")
    assert scanned(world, short_id) == OWN and reactions() == []
    assert "allowedHosts" not in allow(world)
    assert scanned(world, short_id) == GUIDE and reactions() == [GUIDE]


def test_the_accounts_own_rules_and_default_urls_lead_anywhere(world: World, operator: Client, short_id):
    allow(world, "shop.example")
    assert scanned(world, short_id) == DEFAULT
    operator.publish(rule(url=OWN))
    assert scanned(world, short_id) == OWN


@pytest.mark.parametrize(
    "host", ["https://shop.example", "shop.example/x", "shop.example:80", "*", "a*.example", "", " ", "*.*.x", "-a.x"]
)
def test_what_is_no_host_is_refused_in_the_list(world: World, operator: Client, host):
    assert operator.put(f"/accounts/{world.account}", {"allowedHosts": [host]}).status == 400
    assert "allowedHosts" not in operator.read(f"/accounts/{world.account}")


def test_a_host_in_other_letters_is_kept_as_urls_have_it(world: World, operator: Client, short_id):
    assert allow(world, "müseum.example", "MÜSEUM.example")["allowedHosts"] == ["xn--mseum-kva.example"]
    publish_for(world, world.application_id, rule(url="https://müseum.example/"))
    operator.publish(asking({"app": world.application_id}))
    assert scanned(world, short_id) == "https://xn--mseum-kva.example/"
