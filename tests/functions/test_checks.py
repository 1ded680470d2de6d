"""Rules checked: by their text, by what was recorded, by asking their targets."""

from ipaddress import ip_address
from typing import Any

import pytest

from fingerpost import wiring
from fingerpost.outgoing import Outgoing
from fingerpost.trials import scans, service
from tests.functions.delegating import SHOP, asking, path_of, scanned
from tests.functions.world import DAY, DOMAIN, Client, World, rule
from tests.unit.test_checks import Asked


def checked(client: Client, *rules: Any, base: str = "/redirector", **more: Any) -> Any:
    answer = client.post(f"{base}/check", {**({"rules": rules} if rules else {}), **more})
    assert answer.status == 200, answer
    return answer.document


def kinds(told: Any) -> list[tuple[str, str, int | None]]:
    return [(each["level"], each["kind"], each["rule"]) for each in told["findings"]]


def scan(world: World, short_id: str, *countries: str, **headers: str) -> None:
    for country in countries:
        scanned(world, short_id, country=country, **headers)
    world.settle()


def test_mistakes_are_findings_and_not_an_error(world: World, operator: Client):
    told = world.answered("trials/check-rules-with-mistakes").document
    assert kinds(told) == [
        ("warning", "match", 1), ("error", "match", 2), ("error", "redirectUrl", 2), ("note", "missingDefault", None),
    ]  # fmt: skip
    typo, value, url, _ = told["findings"]
    assert (typo["name"], typo["column"], typo["suggestion"]) == ("Typo", 1, "country")
    assert (value["field"], value["message"]) == ("rules[1].match", "expected a value after '='")
    assert url["expected"] == ["https://"]
    assert told["says"] == "2 errors, 1 warning and 1 note"


def test_nothing_is_recorded_or_published(world: World, operator: Client, short_id):
    scan(world, short_id, "IE")
    before = world.rows()
    checked(operator, rule("country=IE"))
    assert world.rows() == before


def test_the_live_rules_are_checked_when_none_are_named(operator: Client):
    operator.publish(rule(), rule("country=IE", name="Irish"))
    (finding,) = checked(operator)["findings"]
    assert (finding["kind"], finding["rule"], finding["name"]) == ("unreachable", 2, "Irish")


# ---- by what was recorded --------------------------------------------------------------------------------------------


def test_a_rule_that_wanted_no_scan_of_the_last_thirty_days_is_told(world: World, operator: Client, short_id):
    operator.publish(rule("country=FR", SHOP), rule())
    scan(world, short_id, "FR")
    world.clock.now += 31 * DAY
    scan(world, short_id, "IE", "IE", "GB")
    told = checked(operator)
    assert (told["scans"], kinds(told)) == (3, [("warning", "neverMatched", 1)])
    assert told["findings"][0]["message"] == (
        "never decided any of the 3 recorded scans since 15 April 2026: it matched none"
    )


def test_a_rule_that_an_earlier_one_always_beats_to_it_is_told_so(world: World, operator: Client, short_id):
    scan(world, short_id, "IE", "IE")
    told = checked(operator, rule("country!=GB", SHOP), rule("thng.tags=Offer"), rule())
    assert [each["message"].partition(": ")[2] for each in told["findings"]] == [
        "it matched 2, and an earlier rule decided each",
        "it matched 2, and an earlier rule decided each",
    ]


def test_a_rule_that_cannot_match_is_told_once(world: World, operator: Client, short_id):
    scan(world, short_id, "IE")
    told = checked(operator, rule("contry=IE"), rule("country=IE & country=GB"), rule(), rule("country=IE"))
    assert [kind for _, kind, _ in kinds(told)] == ["match", "contradiction", "unreachable"]


def test_without_scans_nothing_is_said_about_them(operator: Client):
    told = checked(operator, rule("country=IE"), rule())
    assert (told["findings"], told["scans"], told["since"]) == ([], 0, None)


def test_a_value_that_is_often_empty_is_told(world: World, operator: Client):
    links = []
    for size in ("large", "large", None):
        thng = world.thng(customFields={"size": size} if size else {})["id"]
        links.append(operator.link(thng)["shortId"])
    for _ in range(2):
        for each in links:
            scan(world, each, "IE")
    told = checked(operator, rule(url="https://m.example/{thng.customFields.size}/{country}"))
    (finding,) = told["findings"]
    assert (finding["kind"], finding["near"]) == ("oftenEmpty", "thng.customFields.size")
    assert finding["message"] == "{thng.customFields.size} was empty in 2 of the 6 scans that this rule decided"


def test_only_as_many_scans_as_were_asked_for_are_looked_at(world: World, operator: Client, short_id):
    scan(world, short_id, "IE", "IE", "IE")
    assert checked(operator, rule(), scans=2)["scans"] == 2
    assert checked(operator, rule(), scans=0)["scans"] == 0


def test_looking_at_scans_ends_when_its_time_is_up(world: World, operator: Client, short_id, monkeypatch):
    scan(world, short_id, *["IE"] * 5)
    monkeypatch.setattr(scans, "PAGE", 2)
    monkeypatch.setattr(service, "CHECK_SECONDS", -1.0)
    assert checked(operator, rule())["scans"] == 2


def test_a_rule_that_asks_an_application_decides_what_that_one_decides(world, operator, guide, short_id):
    scan(world, short_id, "IE")
    told = checked(operator, asking({"app": guide}), rule())
    assert kinds(told) == [("warning", "neverMatched", 2)]


def test_an_applications_rules_are_held_against_scans_of_its_project(world: World, operator: Client, guide):
    inside = operator.made("/thngs", {"name": "a"}, project=world.project)["id"]
    for thng in (inside, world.thng()["id"]):
        scan(world, operator.link(thng)["shortId"], "IE")
    operator.publish(asking({"app": guide}))
    told = checked(operator, rule("country=IE"), rule("country=GB"), base=path_of(world.project, guide))
    assert told["scans"] == 1
    assert kinds(told) == [("warning", "neverMatched", 2), ("warning", "missingDefault", None)]


# ---- round and round, and out ----------------------------------------------------------------------------------------


def test_a_loop_through_the_accounts_own_domain_is_an_error(world: World, operator: Client, thng, short_id):
    told = checked(operator, rule("thng.tags=Offer", f"https://{DOMAIN}/{short_id}"), rule())
    assert kinds(told) == [("error", "redirectLoop", 1)]
    operator.put(f"/thngs/{thng['id']}", {"tags": []})
    assert kinds(checked(operator, rule("thng.tags=Offer", f"https://{DOMAIN}/{short_id}"), rule())) == []
    assert kinds(checked(operator, rule(url=f"https://{DOMAIN}/nobody"))) == [("error", "noAnswer", 1)]


def test_another_accounts_link_on_the_same_domain_is_no_link_of_this_one(world: World, short_id):
    told = checked(world.stranger, rule(url=f"https://{DOMAIN}/{short_id}"))
    assert kinds(told) == [("error", "noAnswer", 1)]


def test_targets_are_asked_when_that_is_wanted_and_only_then(world: World, operator: Client, short_id, monkeypatch):
    outgoing = Asked(shop=404)
    monkeypatch.setattr(wiring, "outgoing", lambda: outgoing)
    rules = [rule("country=IE", SHOP), rule(url="https://m.example/{country}")]
    scan(world, short_id, "GB", "IE")
    assert kinds(checked(operator, *rules)) == [] and outgoing.asked == []
    told = checked(operator, *rules, targets=True)
    assert kinds(told) == [("warning", "noAnswer", 1)]
    assert told["findings"][0]["message"] == "answers 404"
    assert sorted(url for _, url in outgoing.asked) == ["https://m.example/GB", SHOP]


def test_a_target_inside_a_network_is_not_asked(operator: Client, monkeypatch):
    monkeypatch.setattr(wiring, "outgoing", lambda: Outgoing(resolve=lambda _host, _port: ["169.254.169.254"]))
    (finding,) = checked(operator, rule(url="http://metadata.example/"), targets=True)["findings"]
    assert finding["message"] == "was not asked: metadata.example is 169.254.169.254, which is not a public address"


def test_the_deployments_own_door_leads_to_public_addresses_alone():
    wiring.outgoing.cache_clear()
    assert isinstance(wiring.outgoing(), Outgoing)
    assert wiring.outgoing().permits is Outgoing().permits


@pytest.mark.parametrize(
    ("body", "status"),
    [({"scans": 10_001}, 400), ({"targets": "yes"}, 400), ({"version": 9}, 404), ({"draft": "none"}, 404)],
)
def test_what_cannot_be_meant_is_refused(operator: Client, body, status):
    assert operator.post("/redirector/check", body).status == status


def test_only_operators_check_rules(world: World):
    assert world.trusted.post("/redirector/check", {}).status == 403


def test_only_one_machine_can_be_told_to_let_requests_go_to_private_addresses(monkeypatch):
    local = ip_address("127.0.0.1")
    for given, on_aws, permitted in (("1", False, True), ("0", False, False), ("1", True, False)):
        monkeypatch.setenv("FINGERPOST_PRIVATE_WEBHOOKS", given)
        monkeypatch.setattr(wiring, "on_aws", lambda on_aws=on_aws: on_aws)
        wiring.outgoing.cache_clear()
        assert wiring.outgoing().permits(local) is permitted
    wiring.outgoing.cache_clear()
