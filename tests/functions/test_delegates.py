"""Rules of the account that ask applications: who is asked, who decides, what the action tells of it."""

from fingerpost import keys
from tests.functions.delegating import GUIDE, OWN, SHOP, asking, made_application, publish_for, scanned
from tests.functions.world import DEFAULT, Client, World, rule

# ---- the three levels ------------------------------------------------------------------------------------------------


def test_a_scan_is_decided_by_the_account_by_an_application_it_asks_or_by_the_default(
    world: World, operator: Client, thng, short_id
):
    values = {"PROJECT": world.project, "APPLICATION": world.application_id}
    assert world.answered("rules/publish-delegates", **values).status == 200
    assert world.answered("rules/publish-application-rules", **values).status == 200
    assert world.answered("redirect/scan-from-ireland", SHORT_ID=short_id).location == (
        "https://guide.museum.example/offers/The%20Turf%20Cutters"
    )
    assert scanned(world, short_id, accept_language="fr") == "https://museum.example/fr"
    assert scanned(world, short_id) == DEFAULT
    operator.put(f"/thngs/{thng['id']}", {"tags": ["Sold"]})
    assert scanned(world, short_id, country="IE", accept_language="fr") == "https://museum.example/ireland"
    by_application, by_account, by_nobody, by_account_again = world.recorded()
    assert (by_application["app"], by_application["project"]) == (world.application_id, world.project)
    for row in (by_account, by_nobody, by_account_again):
        assert not {"app", "project", "seen", "byRule"} & row.keys()


def test_the_action_tells_the_context_the_project_and_the_application_that_decided(
    world: World, operator: Client, thng, short_id
):
    values = {"PROJECT": world.project, "APPLICATION": world.application_id}
    world.answered("rules/publish-application-rules", **values)
    operator.publish(rule("country=FR"), asking({"app": world.application_id}))
    world.scan(short_id)
    world.settle()
    (action,) = operator.read("/actions/implicitScans")
    assert action["reactions"] == [
        {
            "type": "redirection",
            "redirectUrl": "https://guide.museum.example/offers/The%20Turf%20Cutters",
            "redirectionContext": {
                "constants": {"section": "offers"},
                "thng.name": "The Turf Cutters",
                "thng.tags": ["Offer"],
            },
            "rule": 1,
            "version": 1,
            "delegatedBy": {"rule": 2, "version": 1},
        }
    ]
    assert (action["createdByProject"], action["createdByApp"]) == (world.project, world.application_id)
    assert world.trusted.read("/actions/implicitScans") == [action], "it is in the scope of the project"


def test_a_context_keeps_what_fits_and_leaves_out_what_does_not(world: World, operator: Client):
    big = world.thng(name="x", description="y" * 5_000, customFields={"a": 1})["id"]
    link = operator.link(big)["shortId"]
    wanted = "thng.description=* & thng.name=x & thng.customFields.none!=1"
    publish_for(world, world.application_id, rule(wanted, GUIDE + "{thng.customFields.a}"))
    operator.publish(asking({"app": world.application_id}))
    assert scanned(world, link) == GUIDE + "1"
    action = world.recorded()[-1]
    assert action["seen"] == '{"thng.customFields.a":1,"thng.name":"x"}'


def test_without_a_delegate_no_application_is_asked(world: World, operator: Client, guide, short_id):
    assert scanned(world, short_id) == DEFAULT
    operator.publish(rule("country=IE"), asking({"app": guide}, match="country=DE"))
    assert scanned(world, short_id) == DEFAULT
    assert scanned(world, short_id, country="DE") == GUIDE


# ---- whom a delegate means -------------------------------------------------------------------------------------------


def test_of_two_delegates_that_both_answer_it_is_always_the_first(world: World, operator: Client, guide, short_id):
    other = made_application(world, "Shop")
    publish_for(world, other, rule(url=SHOP))
    for first, second, expected in ((guide, other, GUIDE), (other, guide, SHOP)):
        operator.publish(asking({"app": first}, {"app": second}))
        assert {scanned(world, short_id) for _ in range(10)} == {expected}


def test_a_delegate_that_says_nothing_leaves_it_to_the_next_and_then_to_the_rules_own_url(
    world: World, operator: Client, guide, thng, short_id
):
    other = made_application(world, "Shop")
    publish_for(world, other, rule("country=IE", SHOP))
    operator.publish(asking({"app": guide}, {"app": other}, redirectUrl=OWN))
    operator.put(f"/thngs/{thng['id']}", {"tags": []})
    assert scanned(world, short_id, country="IE") == SHOP
    assert scanned(world, short_id) == OWN


def test_a_rule_that_yields_nothing_leaves_it_to_the_next_rule(world: World, operator: Client, guide, thng, short_id):
    operator.put(f"/thngs/{thng['id']}", {"tags": []})
    operator.publish(asking({"app": guide}), rule(url=OWN))
    assert scanned(world, short_id) == OWN


def test_a_rule_that_only_asks_makes_no_later_rule_look_unreachable(world: World, operator: Client, guide):
    asks = asking({"app": guide}, match="country=IE")
    document = operator.publish(asks, rule("country=IE"), asking({"app": guide}), rule("country=IE&language=fr"))
    assert [each["field"] for each in document["warnings"]] == ["rules[3].match"]
    assert "rules[1]" in document["warnings"][0]["message"]


def test_a_project_alone_means_all_its_applications_the_oldest_first(world: World, operator: Client, short_id):
    project = world.project
    apps = [made_application(world, name) for name in ("a", "b", "c")]
    elsewhere = operator.made("/projects", {"name": "Elsewhere"})["id"]
    outside = made_application(world, "x", elsewhere)
    publish_for(world, outside, rule(url="https://elsewhere.example/"), project=elsewhere)
    for app, name in zip(apps[::-1], "cba", strict=True):  # the order of publishing does not matter
        publish_for(world, app, rule(f"language={'fr' if name == 'a' else 'fr,de'}", f"https://{name}.example/"))
    operator.publish(asking({"project": project}))
    assert scanned(world, short_id, accept_language="fr") == "https://a.example/"
    assert scanned(world, short_id, accept_language="de") == "https://b.example/"
    assert scanned(world, short_id) == DEFAULT


def test_applications_that_come_and_go_are_asked_or_not_without_publishing_the_accounts_rules_again(
    world: World, operator: Client, short_id
):
    operator.publish(asking({"project": world.project}))
    assert scanned(world, short_id) == DEFAULT
    first = made_application(world, "first")
    assert scanned(world, short_id) == DEFAULT
    publish_for(world, first, rule(url=GUIDE))
    second = made_application(world, "second")
    publish_for(world, second, rule(url=SHOP))
    assert scanned(world, short_id) == GUIDE
    operator.delete(f"/projects/{world.project}/applications/{first}")
    assert scanned(world, short_id) == SHOP
    operator.delete(f"/projects/{world.project}")
    assert scanned(world, short_id) == DEFAULT
    live = world.tables.of(world.account).main.get(keys.LIVE)
    assert live is not None and [name for name in live if name.startswith("live:app:")] == []


def test_a_delegate_of_an_application_in_another_project_asks_nobody(world: World, operator: Client, guide, short_id):
    other = operator.made("/projects", {"name": "Other"})["id"]
    operator.publish(asking({"app": guide, "project": other}))
    assert scanned(world, short_id) == DEFAULT
    operator.publish(asking({"app": guide, "project": world.project}))
    assert scanned(world, short_id) == GUIDE


def test_delegates_that_can_never_answer_are_warned_of_and_refused_when_strict(world: World, operator: Client, guide):
    other = operator.made("/projects", {"name": "Other"})["id"]
    unknown = "U" * 24
    delegates = [
        {"app": guide},
        {"app": unknown},
        {"project": unknown},
        {"app": guide, "project": other},
        {},
        {"app": "x" * 3_000, "project": None},
        {"project": world.project, "app": guide},
    ]
    sent = {"rules": [rule(), asking(*delegates)]}
    answer = operator.put("/redirector", sent)
    assert answer.status == 200
    found = [warning["field"] for warning in answer.document["warnings"] if "nobody" in warning["message"]]
    assert found == [f"rules[1].delegates[{place}]" for place in (1, 2, 3, 4, 5)]
    before = world.rows()
    refused = operator.put("/redirector?strict=true", sent)
    assert refused.status == 400
    assert [each["field"] for each in refused.document["details"]] == found
    assert world.rows() == before


def test_more_different_delegates_than_a_scan_can_know_are_refused(operator: Client):
    rules = [asking(*({"app": f"U{number:05d}{place:018d}"} for place in range(100))) for number in range(11)]
    answer = operator.put("/redirector", {"rules": rules})
    assert (answer.status, answer.document["code"]) == (400, "tooLarge")
    assert "1,000" in answer.error


# ---- posted scans ----------------------------------------------------------------------------------------------------


def test_a_trusted_applications_scan_is_decided_by_its_own_rules_alone(world: World, operator: Client, guide):
    operator.publish(rule(url=OWN))
    other = made_application(world, "Shop")
    publish_for(world, other, rule(url=SHOP))
    in_scope = {"project": world.project}
    offered = operator.made("/thngs", {"name": "a", "tags": ["Offer"]}, **in_scope)["id"]
    plain = operator.made("/thngs", {"name": "b"}, **in_scope)["id"]
    action = world.trusted.made("/actions/scans", {"thng": offered})
    assert action["reactions"] == [
        {
            "type": "redirection",
            "redirectUrl": GUIDE,
            "redirectionContext": {"thng.tags": ["Offer"]},
            "rule": 1,
            "version": 1,
        }
    ]
    assert (action["createdByProject"], action["createdByApp"]) == (world.project, guide)
    assert "reactions" not in world.trusted.made("/actions/scans", {"thng": plain})
    assert "reactions" not in world.trusted.made("/actions/checkins", {"thng": offered})


def test_an_operators_scan_may_be_decided_by_an_application_that_a_rule_asks(world: World, operator: Client, guide):
    operator.publish(asking({"app": guide}, match="action.type=scans"))
    thng = world.thng(tags=["Offer"])["id"]
    action = operator.made("/actions/scans", {"thng": thng})
    assert action["reactions"][0]["redirectUrl"] == GUIDE
    assert (action["createdByProject"], action["createdByApp"]) == (world.project, guide)
    assert action["reactions"][0]["delegatedBy"] == {"rule": 1, "version": 1}
    world.settle()
    assert [each["id"] for each in world.trusted.read("/actions/scans")] == [action["id"]]
    nothing = operator.made("/actions/scans", {"thng": world.thng()["id"]})
    assert not {"reactions", "createdByApp", "createdByProject"} & nothing.keys()
