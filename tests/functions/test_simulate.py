"""Rules asked about a scan that does not take place."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerpost.redirection import drafts
from fingerpost.redirection.versions import ACCOUNT
from tests.functions.delegating import GUIDE, SHOP, asking, made_application, path_of, publish_for, scanned
from tests.functions.world import DEFAULT, DOMAIN, SECOND, SUNDAY_NOON, Client, World, rule
from tests.stores import caller_of

OFFERS = rule("country=IE & language=fr & thng.tags=Offer", "https://m.example/{language}/{thng.name}?d={dayOfWeek}")
IRISH_SUNDAY = {"country": "IE", "language": "fr-IE, en;q=0.5", "timestamp": SUNDAY_NOON, "timezone": "Europe/Dublin"}


def simulated(client: Client, scan: Any = None, *, base: str = "/redirector", **more: Any) -> Any:
    answer = client.post(f"{base}/simulate", {**({} if scan is None else {"scan": scan}), **more})
    assert answer.status == 200, answer
    return answer.document


def refused(client: Client, body: Any) -> str:
    answer = client.post("/redirector/simulate", body)
    assert answer.status == 400, answer
    return answer.error


# ---- what is told ----------------------------------------------------------------------------------------------------


def test_every_rule_is_told_with_why_and_the_url_with_what_it_is_made_of(
    world: World, operator: Client, thng, short_id
):
    operator.publish(rule("country=FR", name="French"), {**OFFERS, "name": "Offers"}, rule(url=SHOP))
    answer = world.answered("trials/simulate-an-irish-sunday", SHORT_ID=short_id)
    told = answer.document
    assert (told["version"], told["decidedBy"], told["rule"], told["name"]) == (1, "rule", 2, "Offers")
    assert told["redirectUrl"] == "https://m.example/fr/The%20Turf%20Cutters?d=sun"
    assert told["says"] == ("rule 2 matched because country is IE and language is fr and thng.tags has Offer")
    assert [(each["rule"], each["matched"]) for each in told["rules"]] == [(1, False), (2, True), (3, True)]
    french = told["rules"][0]
    assert (french["name"], french["match"], french["says"]) == (
        "French",
        "country=FR",
        "did not match because country is IE, not FR",
    )
    assert french["why"]["wanted"] == ["FR"] and french["why"]["found"] == "IE"
    assert told["template"] == [
        {"field": "language", "value": "fr", "text": "fr", "source": "the scan's Accept-Language"},
        {"field": "thng.name", "value": "The Turf Cutters", "text": "The%20Turf%20Cutters",
         "source": f"the thng {thng['id']}"},
        {"field": "dayOfWeek", "value": "sun", "text": "sun", "source": "the time of the scan in UTC"},
    ]  # fmt: skip
    assert told["context"] == {"country": "IE", "language": "fr", "thng.tags": ["Offer"]}
    assert told["ruleCount"] == 3


def test_nothing_is_recorded(world: World, operator: Client, short_id):
    operator.publish(OFFERS)
    before = world.rows()
    simulated(operator, {"shortId": short_id, "shortDomain": DOMAIN, **IRISH_SUNDAY})
    assert world.rows() == before


def test_a_scan_that_no_rule_wants_goes_to_the_default_url_of_its_link(operator: Client, thng):
    short_id = operator.link(thng["id"], "https://museum.example/{thngId}")["shortId"]
    operator.publish(OFFERS)
    told = simulated(operator, {"shortId": short_id, "shortDomain": DOMAIN, "country": "GB"})
    assert (told["decidedBy"], told["rule"]) == ("default", None)
    assert told["redirectUrl"] == f"https://museum.example/{thng['id']}"
    assert told["says"] == "no rule matched; it goes to the default URL"
    assert told["template"] == [
        {"field": "thngId", "value": thng["id"], "text": thng["id"], "source": "the redirection"}
    ]


def test_a_thing_without_a_link_has_no_default_url(operator: Client, thng):
    operator.publish(OFFERS)
    told = simulated(operator, {"thng": thng["id"]})
    assert (told["decidedBy"], told["redirectUrl"], told["says"]) == ("nothing", None, "no rule matched")
    assert simulated(operator, {"thng": thng["id"], **IRISH_SUNDAY})["decidedBy"] == "rule"


def test_without_any_facts_all_of_them_are_unknown_and_the_time_is_now(operator: Client):
    operator.publish(rule("dayOfWeek=sun & country!=IE & thng.id!=x"))
    told = simulated(operator)
    assert told["says"] == ("rule 1 matched because dayOfWeek is sun and country is absent and thng.id is absent")


def test_before_anything_was_published_there_are_no_rules(operator: Client):
    told = simulated(operator)
    assert (told["version"], told["rules"], told["ruleCount"], told["says"]) == (0, [], 0, "no rule matched")


def test_a_field_of_the_url_that_has_no_value_says_what_has_none(operator: Client, thng):
    url = "https://m.example/{thng.customFields.fr}/{place.id}/{user.gender}/{project.name}/{shop}"
    operator.publish(rule(url=url, constants={"shop": "south"}))
    told = simulated(operator, {"thng": thng["id"]})["template"]
    assert [(each["value"], each["source"]) for each in told] == [
        (None, f"the thng {thng['id']}, which does not say"),
        (None, "no place is near, or the scan has no position"),
        (None, "nobody is logged in"),
        (None, "the account's own rules have no project"),
        ("south", "the rule's constants"),
    ]


def test_a_value_with_dot_segments_is_told_as_it_stands_in_the_url(operator: Client, world: World):
    thng = world.thng(name="../up/./down")["id"]
    operator.publish(rule(url="https://m.example/{thng.name}"))
    told = simulated(operator, {"thng": thng})
    assert told["redirectUrl"] == "https://m.example/" + told["template"][0]["text"] == "https://m.example//up//down"


def test_a_rule_that_matches_and_leads_nowhere_says_why(world: World, operator: Client, short_id):
    assert world.project
    thng = world.thng(customFields={"long": "x" * 8_000})["id"]
    operator.publish(
        asking({"app": world.application_id}), rule(url="https://m.example/{thng.customFields.long}"), rule(url=SHOP)
    )
    told = simulated(operator, {"thng": thng})
    assert [each.get("ledNowhere") for each in told["rules"]] == [
        "no application that it asks has an answer",
        "its URL would be longer than 8,000 characters",
        None,
    ]
    assert told["rule"] == 3
    only = simulated(operator, {"thng": thng}, rules=[rule(url="https://m.example/{thng.customFields.long}")])
    assert only["says"] == "rule 1 matched but led nowhere"


# ---- which rules -----------------------------------------------------------------------------------------------------


def test_a_version_a_draft_and_rules_sent_along_are_asked_in_place_of_the_live_ones(
    world: World, operator: Client, short_id
):
    scan = {"shortId": short_id, "shortDomain": DOMAIN}
    caller = caller_of(world.tables, world.account)
    operator.publish(rule(url="https://first.example/"))
    operator.publish(rule(url="https://second.example/"))
    drafts.save(caller, ACCOUNT, "summer", ACCOUNT.read({"rules": [rule(url="https://draft.example/")]}))
    assert simulated(operator, scan)["redirectUrl"] == "https://second.example/"
    first = simulated(operator, scan, version=1)
    assert (first["version"], first["redirectUrl"]) == (1, "https://first.example/")
    draft = simulated(operator, scan, draft="summer")
    assert (draft["draft"], draft["redirectUrl"]) == ("summer", "https://draft.example/")
    sent = simulated(operator, scan, rules=[rule(url="https://sent.example/")])
    assert sent["redirectUrl"] == "https://sent.example/"
    assert "version" not in sent and "draft" not in sent
    assert operator.read("/redirector")["version"] == 2


def test_rules_with_mistakes_are_refused_with_all_of_them(operator: Client):
    answer = operator.post("/redirector/simulate", {"rules": [rule("country="), rule(url="nowhere")]})
    assert answer.status == 400
    assert [each["field"] for each in answer.document["details"]] == ["rules[0].match", "rules[1].redirectUrl"]


def test_a_rule_with_an_unknown_field_never_matches_and_the_answer_warns(operator: Client):
    told = simulated(operator, rules=[rule("contry=IE")])
    assert told["rules"][0]["says"] == "did not match because nothing can match it"
    assert told["warnings"][0]["suggestion"] == "country"


def test_what_is_not_there_is_not_found(operator: Client):
    for body in ({"version": 7}, {"draft": "winter"}, {"action": "U" + "a" * 23}):
        assert operator.post("/redirector/simulate", body).status == 404


# ---- a recorded scan -------------------------------------------------------------------------------------------------


def newest(world: World) -> str:
    world.settle()
    found: str = world.operator.read("/actions/all", perPage=1)[0]["id"]
    return found


def test_a_recorded_scan_is_asked_about_again_with_its_own_facts(world: World, operator: Client, thng, short_id):
    operator.publish(OFFERS)
    scanned(world, short_id, country="IE", accept_language="fr")
    told = world.answered("trials/simulate-a-past-scan", ACTION=newest(world)).document
    assert told["redirectUrl"] == f"https://museum.example/{thng['id']}"
    again = simulated(operator, action=newest(world))
    assert again["says"].startswith("rule 1 matched because country is IE")


def test_facts_that_are_sent_along_change_those_of_a_recorded_scan(world: World, operator: Client, short_id):
    operator.publish(rule("country=IE & language=fr"))
    scanned(world, short_id, country="IE", accept_language="fr")
    action = newest(world)
    assert simulated(operator, action=action)["rule"] == 1
    told = simulated(operator, {"country": "GB"}, action=action)
    assert told["rules"][0]["says"] == "did not match because country is GB, not IE"


RULES = [
    rule("country=IE & thng.tags=Offer", "https://one.example/{thng.name}"),
    rule("language=fr | dayOfWeek=mon", "https://two.example/{language}", constants={"a": "b"}),
    rule("timeOfDay<10:00", "https://three.example/{timeOfDay}?{timezone}"),
    rule("location.lat>50", "https://four.example/{location.lat}"),
]


@given(
    country=st.sampled_from(["IE", "GB", ""]),
    language=st.sampled_from(["fr-FR, en;q=0.5", "en", ""]),
    zone=st.sampled_from(["Europe/Dublin", "Asia/Tokyo", ""]),
    latitude=st.sampled_from(["53.35", "12.0", ""]),
    hours=st.integers(0, 48),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_simulating_a_recorded_scan_says_what_the_scan_did(
    world: World, operator: Client, short_id, country, language, zone, latitude, hours
):
    if operator.read("/redirector")["version"] == 0:
        operator.publish(*RULES)
    world.clock.now += hours * 3_600_000
    facts = {"country": country, "accept_language": language, "time_zone": zone, "latitude": latitude}
    facts["longitude"] = "-6.25" if latitude else ""
    where = scanned(world, short_id, **{name: value for name, value in facts.items() if value})
    recorded = max(world.rows().items(), key=lambda each: (each[1].get("k") == "action", each[1].get("ts", 0)))
    action = recorded[0][1].pk.rpartition("#")[2]
    told = simulated(operator, action=action)
    assert told["redirectUrl"] == where
    assert told["rule"] == recorded[1].get("rule")
    assert told["decidedBy"] == ("rule" if told["rule"] else "default")
    if told["rule"]:
        assert told["rules"][told["rule"] - 1]["matched"] is True
        assert not any(each["matched"] for each in told["rules"][: told["rule"] - 1])


# ---- applications ----------------------------------------------------------------------------------------------------


def test_a_rule_that_asks_an_application_tells_what_that_one_said(world: World, operator: Client, guide, short_id):
    other = made_application(world, "Shop")
    publish_for(world, other, rule("country=DE", SHOP))
    operator.publish(asking({"app": other}, {"app": guide}, name="Guides"))
    told = simulated(operator, {"shortId": short_id, "shortDomain": DOMAIN})
    assert (told["decidedBy"], told["rule"], told["name"], told["redirectUrl"]) == ("application", 1, "Guides", GUIDE)
    assert told["application"] == {
        "id": guide, "project": world.project, "version": 1, "rule": 1, "name": None,
    }  # fmt: skip
    assert told["says"] == (
        f"rule 1 matched because nothing was asked, and asked the application {guide}: "
        "its rule 1 matched because thng.tags has Offer"
    )
    assert [each["app"] for each in told["rules"][0]["delegates"]] == [other, guide]


def test_the_rules_of_an_application_are_asked_alone_and_in_its_own_context(
    world: World, operator: Client, guide, short_id
):
    operator.publish(rule(url=SHOP))
    publish_for(
        world, guide, rule("project.name='On show' | project.name=On show", "https://g.example/{application.name}")
    )
    told = world.answered(
        "trials/simulate-application-rules", PROJECT=world.project, APPLICATION=guide, SHORT_ID=short_id
    ).document
    assert (told["decidedBy"], told["rule"], told["redirectUrl"]) == ("rule", 1, "https://g.example/Guide")
    assert told["template"][0]["source"] == f"the application {guide}"


def test_hosts_that_the_account_does_not_allow_are_told(world: World, operator: Client, guide, short_id):
    base = path_of(world.project, guide)
    scan = {"shortId": short_id, "shortDomain": DOMAIN}
    assert operator.put(f"/accounts/{world.account}", {"allowedHosts": ["shop.example"]}).status == 200
    told = simulated(operator, scan, base=base)
    assert told["rules"][0]["ledNowhere"] == "the account does not allow applications to lead to guide.example"
    assert told["decidedBy"] == "default"


# ---- what is refused, and bounds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"scan": {"contry": "IE"}}, "unknown fact 'contry'; did you mean 'country'?"),
        ({"scan": {"country": "Ireland"}}, "two-letter country code"),
        ({"scan": {"timestamp": "tomorrow"}}, "a moment such as"),
        ({"scan": {"latitude": 53}}, "latitude and longitude come together"),
        ({"scan": {"latitude": 91, "longitude": 0}}, "less than or equal to 90"),
        ({"scan": {"thng": "U" + "a" * 23}}, "there is no thng"),
        ({"scan": {"place": "U" + "a" * 23}}, "there is no place"),
        ({"scan": {"shortId": "nowhere"}}, f"There is no link {DOMAIN}/nowhere"),
        ({"scan": {"thng": "a", "product": "b"}}, "a scan is of one thing"),
        ({"scan": []}, "scan"),
        ({"version": 1, "draft": "summer"}, "give one of"),
        ({"ruleLimit": 1_001}, "1000"),
        ({"firstRule": 0}, "greater than or equal to 1"),
        ({"rules": "all"}, "rules"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(operator: Client, body, why):
    assert why in refused(operator, body)


def test_another_accounts_link_and_action_are_not_there(world: World, operator: Client, short_id):
    scanned(world, short_id)
    action = newest(world)
    answer = world.stranger.post("/redirector/simulate", {"scan": {"shortId": short_id, "shortDomain": DOMAIN}})
    assert answer.status == 400 and "There is no link" in answer.error
    assert world.stranger.post("/redirector/simulate", {"action": action}).status == 404


def test_a_deleted_link_is_told_to_be_gone(operator: Client, short_id):
    operator.delete(f"/redirections/{short_id}", on_short=True)
    assert "was deleted" in refused(operator, {"scan": {"shortId": short_id, "shortDomain": DOMAIN}})


def test_only_operators_simulate(world: World):
    for client in (world.trusted, world.application):
        assert client.post("/redirector/simulate", {}).status == 403
    assert world.nobody.post("/redirector/simulate", {}).status == 401


def test_rules_are_told_from_any_of_them_on_as_many_as_are_wanted(operator: Client):
    operator.publish(*(rule(f"dayOfMonth={number % 28 + 1}") for number in range(1_500)))
    told = simulated(operator)
    assert (len(told["rules"]), told["nextRule"], told["ruleCount"]) == (1_000, 1_001, 1_500)
    rest = simulated(operator, firstRule=1_001)
    assert ([each["rule"] for each in rest["rules"]][::499], "nextRule" in rest) == ([1_001, 1_500], False)
    none = simulated(operator, ruleLimit=0)
    assert (none["rules"], none["nextRule"], none["rule"]) == ([], 1, 15)
    assert simulated(operator, firstRule=9_999)["rules"] == []


def test_rules_that_would_make_the_answer_too_large_wait_for_the_next_one(operator: Client, monkeypatch):
    from fingerpost.trials import simulate

    monkeypatch.setattr(simulate, "MAX_BYTES_TOLD", 1_000)
    operator.publish(*(rule(f"dayOfMonth={number + 1}") for number in range(9)))
    seen, first = [], 1
    while first is not None:
        told = simulated(operator, firstRule=first)
        seen += [each["rule"] for each in told["rules"]]
        first = told.get("nextRule")
    assert seen == list(range(1, 10))


def test_a_place_gives_a_scan_its_position_and_time_zone(operator: Client):
    place = operator.made("/places", {"name": "Tokyo", "position": {"type": "Point", "coordinates": [139.69, 35.68]}})[
        "id"
    ]
    operator.publish(
        rule("place.id=x", url="https://m.example/{timezone}/{place.id}"),
        rule(url="https://m.example/{timezone}/{place.id}"),
    )
    told = simulated(operator, {"place": place})
    assert told["redirectUrl"] == f"https://m.example/Asia/Tokyo/{place}"
    assert told["template"][1]["source"] == f"the closest place {place}"
    assert simulated(operator, {"place": place, "timezone": "Europe/Paris"})["template"][0]["value"] == "Europe/Paris"


def test_a_timestamp_may_be_a_moment_in_words(operator: Client):
    operator.publish(rule("time=2026-11-29", url="https://m.example/{time}"))
    assert simulated(operator, {"timestamp": "2026-11-29T12:00:00Z"})["rule"] == 1
    assert simulated(operator, {"timestamp": SUNDAY_NOON + SECOND})["rule"] is None


def test_a_link_on_the_accounts_own_domain_needs_no_domain(operator: Client, short_id):
    assert simulated(operator, {"shortId": short_id})["redirectUrl"] == DEFAULT


# ---- split tests -----------------------------------------------------------------------------------------------------

SPLIT = {
    "name": "Landing page",
    "variants": [
        {"name": "A", "weight": 3, "redirectUrl": "https://x.example/a/{thng.name}"},
        {"name": "B", "weight": 1, "redirectUrl": "https://x.example/b"},
    ],
}


def test_a_visitor_gets_the_same_variant_every_time_and_it_is_told(operator: Client, thng):
    operator.publish(SPLIT)
    told = [simulated(operator, {"thng": thng["id"], "visitor": f"visitor {number}"}) for number in range(40)]
    again = [simulated(operator, {"thng": thng["id"], "visitor": f"visitor {number}"}) for number in range(40)]
    assert [each["variant"] for each in told] == [each["variant"] for each in again]
    assert {each["variant"] for each in told} == {"A", "B"}
    one = next(each for each in told if each["variant"] == "A")
    assert (one["decidedBy"], one["redirectUrl"]) == ("variant", "https://x.example/a/The%20Turf%20Cutters")
    assert [each["field"] for each in one["template"]] == ["thng.name"]
    assert one["says"] == "rule 1 matched because nothing was asked; this visitor gets variant A"


def test_a_recorded_scan_keeps_the_variant_it_got_whoever_it_was(world: World, operator: Client, short_id):
    operator.publish(SPLIT)
    for number in range(12):
        where = scanned(world, short_id, address=f"198.51.100.{number}:443")
        told = simulated(operator, action=newest(world))
        assert (told["redirectUrl"], told["variant"]) == (where, world.recorded()[-1]["variant"])
    other = simulated(operator, {"visitor": "somebody else"}, action=newest(world))
    assert other == {**other, **{"variant": simulated(operator, {"visitor": "somebody else"})["variant"]}}


def test_the_last_moment_of_the_year_9999_has_a_time_everywhere(operator, short_id):
    scan = {"shortId": short_id, "timestamp": 253_402_300_799_999, "timezone": "Pacific/Kiritimati"}
    rules = [{"match": "year=9999&timeOfDay>1", "redirectUrl": "https://x.example/"}]
    answer = operator.post("/redirector/simulate", {"scan": scan, "rules": rules})
    assert answer.document["redirectUrl"] == "https://x.example/"
