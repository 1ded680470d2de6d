"""Rules tried on recorded scans."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerpost import keys, wiring
from fingerpost.trials import backtest
from tests.functions.delegating import GUIDE, SHOP, asking, path_of, scanned
from tests.functions.world import DAY, DEFAULT, HOUR, SECOND, SUNDAY_NOON, Client, World, rule
from tests.stores import hooked

IRISH = rule("country=IE", "https://irish.example/", name="Irish")
FRENCH = rule("language=fr", "https://french.example/", name="French speakers")
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def tried(client: Client, *rules: Any, base: str = "/redirector", **more: Any) -> Any:
    answer = client.post(f"{base}/backtest", {**({"rules": rules} if rules else {}), **more})
    assert answer.status == 200, answer
    return answer.document


def scan(world: World, short_id: str, *countries: str, **headers: str) -> None:
    for country in countries:
        scanned(world, short_id, country=country, **headers)
    world.settle()


def ids(world: World) -> list[str]:
    return [key[1].pk.rpartition("#")[2] for key, row in world.rows().items() if row.get("k") == "action"]


# ---- what is told ----------------------------------------------------------------------------------------------------


def test_scans_that_would_go_elsewhere_are_told_with_where_and_because_of_which_rules(world: World, operator, short_id):
    operator.publish(IRISH)
    scan(world, short_id, "IE", "GB", "IE", "FR")
    told = tried(operator, FRENCH, rule("country=IE", "https://new.example/", name="Irish"), rule("country=FR", SHOP))
    assert (told["scans"], told["changed"], told["unchanged"], told["against"]) == (4, 3, 1, 1)
    irish, french = told["groups"]
    assert (irish["from"], irish["to"], irish["scans"]) == ("https://irish.example/", "https://new.example/", 2)
    assert irish["rules"] == [{"from": 1, "fromName": "Irish", "to": 2, "toName": "Irish", "scans": 2}]
    assert (french["from"], french["to"]) == (DEFAULT, SHOP)
    assert french["rules"] == [{"from": None, "fromName": None, "to": 3, "toName": None, "scans": 1}]
    assert {each["action"] for group in told["groups"] for each in group["examples"]} <= set(ids(world))
    assert told["rules"] == [
        {"rule": 2, "was": 1, "name": "Irish", "before": 2, "after": 2},
        {"rule": 3, "was": None, "name": None, "before": 0, "after": 1},
    ]
    assert (told["since"], told["until"]) == (SUNDAY_NOON + 5 * SECOND, SUNDAY_NOON + 20 * SECOND)
    assert (told["recordedElsewhere"], told["robots"], "cursor" in told) == (0, 0, False)
    assert told["says"].startswith("of 4 scans since 15 March 2026, 3 would go elsewhere (75%): 2 of them from")


def test_nothing_is_recorded_or_published(world: World, operator: Client, short_id):
    operator.publish(IRISH)
    scan(world, short_id, "IE", "GB")
    before = world.rows()
    assert world.answered("trials/backtest-sent-rules").document["changed"] == 2
    assert world.rows() == before


def test_without_recorded_scans_there_is_nothing_to_ask_about(operator: Client):
    told = tried(operator, IRISH)
    assert (told["scans"], told["since"], told["says"]) == (0, None, "there are no recorded scans to ask about")


def test_urls_filled_with_values_are_one_group_and_examples_have_them_whole(world: World, operator: Client):
    for name in ("lamp", "hare"):
        link = operator.link(world.thng(name=name)["id"], "https://museum.example/{thngId}")
        scan(world, link["shortId"], "IE")
    told = tried(operator, rule(url="https://m.example/{region}/{thng.name}", constants={"region": "ie"}))
    (group,) = told["groups"]
    assert (group["from"], group["to"]) == ("https://museum.example/{thngId}", "https://m.example/ie/{thng.name}")
    assert [each["to"] for each in group["examples"]] == ["https://m.example/ie/hare", "https://m.example/ie/lamp"]


# ---- which rules, which scans ----------------------------------------------------------------------------------------


def test_any_two_versions_can_be_compared(world: World, operator: Client, short_id):
    for url in ("https://one.example/", "https://two.example/", "https://three.example/"):
        operator.publish(rule(url=url))
    scan(world, short_id, "IE")
    told = tried(operator, version=1, against=2)
    assert (told["version"], told["against"]) == (1, 2)
    assert [(each["from"], each["to"]) for each in told["groups"]] == [("https://two.example/", "https://one.example/")]
    assert told["recordedElsewhere"] == 1  # the scan was decided by the third


def test_scans_are_narrowed_by_filter_and_time_and_number_newest_first(world: World, operator: Client, short_id):
    scan(world, short_id, "IE", "GB", "IE", "FR", "IE")
    everybody = rule(url=SHOP)
    assert tried(operator, everybody, filter="context.countryCode=IE")["scans"] == 3
    assert tried(operator, everybody, scans=2)["since"] == SUNDAY_NOON + 20 * SECOND
    window = {"from": SUNDAY_NOON + 10 * SECOND, "to": SUNDAY_NOON + 15 * SECOND}
    told = tried(operator, everybody, **window)
    assert (told["scans"], told["since"], told["until"]) == (2, window["from"], window["to"])
    assert tried(operator, everybody, **{"from": "2026-03-16"})["scans"] == 0
    both = tried(operator, everybody, filter="context.countryCode=GB | context.countryCode=FR", **window)
    assert both["scans"] == 1


def test_robots_previews_and_actions_that_are_no_scans_are_left_out(world: World, operator: Client, thng, short_id):
    operator.publish(IRISH)
    scan(world, short_id, "IE")
    scan(world, short_id, "IE", user_agent=ROBOT)
    world.clock.now += SECOND
    world.scan(short_id, method="HEAD", country="IE")
    operator.made("/actions/checkins", {"thng": thng["id"]})
    world.settle()
    told = tried(operator, FRENCH)
    assert (told["scans"], told["robots"]) == (1, 2)


def test_scans_that_a_limit_stopped_are_left_out_and_counted(world: World, operator: Client, thng):
    limits = {"validUntil": world.clock() + 7 * SECOND, "afterUrl": "https://museum.example/over"}
    short_id = operator.link(thng["id"], limits=limits)["shortId"]
    scan(world, short_id, "IE", "IE", "GB")
    told = tried(operator, rule(url=SHOP))
    assert (told["scans"], told["changed"], told["limited"], told["recordedElsewhere"]) == (1, 1, 2, 0)


def test_scans_that_a_client_posted_go_nowhere_without_a_rule(world: World, operator: Client, thng):
    operator.publish(rule("action.customFields.hall=4", SHOP))
    operator.made("/actions/scans", {"thng": thng["id"], "customFields": {"hall": 4}})
    operator.made("/actions/scans", {"thng": thng["id"]})
    world.settle()
    told = tried(operator, rule("action.customFields.hall!=4", SHOP))
    assert (told["scans"], told["changed"], told["recordedElsewhere"]) == (2, 2, 0)
    assert {(each["from"], each["to"]) for each in told["groups"]} == {(SHOP, None), (None, SHOP)}


def test_another_account_sees_none_of_it(world: World, operator: Client, short_id):
    scan(world, short_id, "IE")
    assert tried(world.stranger, rule(url=SHOP))["scans"] == 0


# ---- what is missing -------------------------------------------------------------------------------------------------


def test_things_and_links_and_actions_that_are_gone_do_not_stop_it(world: World, operator: Client, thng, short_id):
    other = world.thng(name="gone", tags=["Offer"])["id"]
    gone = operator.link(other)["shortId"]
    operator.publish(rule("thng.tags=Offer", "https://offer.example/{thng.name}"))
    scan(world, gone, "IE")
    scan(world, short_id, "IE", "GB")
    operator.delete(f"/thngs/{other}")
    operator.delete(f"/redirections/{gone}", on_short=True)
    victim = world.recorded()[1]
    partition = next(key[1].pk for key, row in world.rows().items() if row == victim)
    world.tables.main.delete(keys.Key(partition, "-"))  # its index rows are still there
    told = tried(operator, rule("thng.tags=Offer", "https://new.example/"), rule("country=IE", SHOP))
    assert (told["scans"], told["changed"]) == (2, 2)
    by_target = {each["to"]: each for each in told["groups"]}
    assert by_target[SHOP]["from"] == DEFAULT  # of the tombstone, for the thng has no tags any more
    assert by_target["https://new.example/"]["from"] == "https://offer.example/{thng.name}"
    assert told["recordedElsewhere"] == 1


def test_the_product_that_a_thng_has_now_is_read(world: World, operator: Client):
    thng = world.thng(product=world.product(name="old")["id"])["id"]
    short_id = operator.link(thng)["shortId"]
    scan(world, short_id, "IE")
    operator.put(f"/thngs/{thng}", {"product": world.product(name="new")["id"]})
    told = tried(operator, rule("product.name=new", "https://m.example/{product.properties.x}"), rule(url=SHOP))
    assert told["groups"][0]["to"] == "https://m.example/{product.properties.x}"


def test_each_thing_and_link_is_read_once_and_scans_come_in_batches(world: World, operator: Client, monkeypatch):
    things = [world.thng(name=f"n{number}", product=world.product(name="p")["id"])["id"] for number in range(5)]
    links = [operator.link(each)["shortId"] for each in things]
    for number in range(60):
        scan(world, links[number % 5], "IE")
    calls: list[str] = []
    read: list[Any] = []

    def around(name: str, method: Any, args: Any) -> Any:
        calls.append(name)
        if name == "get_many":
            read.extend(args[0])
        return method(*args)

    monkeypatch.setattr(wiring, "tables", lambda: hooked(world.tables, around))
    told = tried(operator, rule("thng.name=n1 & product.name=p", SHOP), rule("thng.name=n2", SHOP))
    assert (told["scans"], told["changed"]) == (60, 24)
    assert len(read) == len(set(read))
    assert len(calls) < 30, calls


# ---- in more than one call -------------------------------------------------------------------------------------------


def test_a_call_whose_time_is_up_goes_on_with_its_cursor_and_the_sums_add_up(
    world: World, operator: Client, short_id, monkeypatch
):
    scan(world, short_id, *["IE", "GB", "FR"] * 5)
    monkeypatch.setattr(backtest, "PAGE", 4)
    whole = tried(operator, IRISH, scans=14)
    assert (whole["scans"], "cursor" in whole) == (14, False)
    monkeypatch.setattr(backtest.backtest, "__kwdefaults__", {**backtest.backtest.__kwdefaults__, "seconds": -1.0})
    parts, cursor = [], {}
    while cursor is not None:
        parts.append(tried(operator, IRISH, scans=14, **cursor))
        cursor = {"cursor": parts[-1]["cursor"]} if "cursor" in parts[-1] else None
    assert [each["scans"] for each in parts] == [4, 4, 4, 2]
    assert sum(each["changed"] for each in parts) == whole["changed"] == 4
    assert min(each["since"] for each in parts) == whole["since"]


def test_a_client_that_asks_only_for_what_is_left_gets_no_more_and_no_less(
    world: World, operator: Client, short_id, monkeypatch
):
    scan(world, short_id, *["IE", "GB"] * 5)
    monkeypatch.setattr(backtest, "PAGE", 4)
    monkeypatch.setattr(backtest.backtest, "__kwdefaults__", {**backtest.backtest.__kwdefaults__, "seconds": -1.0})
    first = tried(operator, IRISH, scans=7)
    second = tried(operator, IRISH, scans=3, cursor=first["cursor"])
    assert ([first["scans"], second["scans"]], "cursor" in second) == ([4, 3], False)


def test_a_cursor_is_for_the_same_question_and_the_same_rules(world: World, operator: Client, short_id, monkeypatch):
    scan(world, short_id, *["IE", "GB"] * 4)
    monkeypatch.setattr(backtest, "PAGE", 2)
    monkeypatch.setattr(backtest.backtest, "__kwdefaults__", {**backtest.backtest.__kwdefaults__, "seconds": -1.0})
    cursor = tried(operator, IRISH)["cursor"]
    for body in (
        {"rules": [FRENCH]},
        {"rules": [IRISH], "filter": "context.countryCode=IE"},
    ):
        answer = operator.post("/redirector/backtest", {**body, "cursor": cursor})
        assert (answer.status, answer.document["code"]) == (400, "invalidCursor")
    operator.publish(FRENCH)  # what it is compared with is another version now
    assert operator.post("/redirector/backtest", {"rules": [IRISH], "cursor": cursor}).status == 400
    assert world.stranger.post("/redirector/backtest", {"rules": [IRISH], "cursor": cursor}).status == 400


# ---- applications ----------------------------------------------------------------------------------------------------


def test_rules_of_an_application_are_tried_where_the_accounts_ask_it(world: World, operator: Client, guide, short_id):
    operator.publish(rule("country=GB", SHOP), asking({"app": guide}))
    scan(world, short_id, "IE", "GB", "IE")
    base = path_of(world.project, guide)
    told = tried(operator, rule("country=IE", "https://new.example/", name="New"), base=base)
    assert (told["scans"], told["changed"]) == (3, 2)
    (group,) = told["groups"]
    assert (group["from"], group["to"]) == (GUIDE, "https://new.example/")
    assert group["rules"] == [{"from": 1, "fromName": None, "to": 1, "toName": "New", "scans": 2}]
    assert tried(operator, rule(url=GUIDE), base=base)["changed"] == 0


def test_a_rule_that_asks_an_application_is_the_one_responsible_in_the_accounts_rules(
    world: World, operator: Client, guide, short_id
):
    operator.publish(rule("country=GB", SHOP), asking({"app": guide}, name="Guides"))
    scan(world, short_id, "IE")
    (group,) = tried(operator, rule(url=SHOP, name="All"))["groups"]
    assert group["rules"] == [{"from": 2, "fromName": "Guides", "to": 1, "toName": "All", "scans": 1}]


def test_a_scan_that_an_application_posted_is_its_own_rules_business_alone(world: World, operator: Client, guide):
    thng = operator.made("/thngs", {"name": "a", "tags": ["Offer"]}, project=world.project)["id"]
    world.trusted.made("/actions/scans", {"thng": thng})
    world.settle()
    assert tried(operator, rule(url=SHOP))["changed"] == 0
    told = tried(operator, rule(url=SHOP), base=path_of(world.project, guide))
    assert [(each["from"], each["to"]) for each in told["groups"]] == [(GUIDE, SHOP)]


# ---- always ----------------------------------------------------------------------------------------------------------

MATCHES = st.sampled_from([None, "country=IE", "language=fr", "thng.tags=Offer", "timeOfDay<12:01", "country!=GB"])
SETS = st.lists(st.builds(lambda m, u: rule(m, f"https://{u}.example/"), MATCHES, st.sampled_from("abc")), max_size=4)


@given(SETS, SETS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rules_against_themselves_change_nothing_and_groups_sum_up(
    world: World, operator: Client, short_id, one, other
):
    if not world.recorded():
        for language in ("fr", "en"):
            scan(world, short_id, "IE", "GB", "FR", accept_language=language)
    operator.publish(*one)
    same = tried(operator, version=operator.read("/redirector")["version"])
    assert (same["changed"], same["groups"], same["scans"]) == (0, [], 6)
    told = tried(operator, rules=other)
    assert sum(each["scans"] for each in told["groups"]) == told["changed"]
    back = operator.publish(*other)["version"]
    reversed_ = tried(operator, version=back - 1)
    assert reversed_["changed"] == told["changed"]
    assert {(each["to"], each["from"]) for each in reversed_["groups"]} == {
        (each["from"], each["to"]) for each in told["groups"]
    }


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"scans": 0}, "greater than or equal to 1"),
        ({"scans": 10_001}, "less than or equal to 10000"),
        ({"filter": "contry=IE"}, "is no field of lists of actions"),
        ({"filter": "type="}, "expected a value"),
        ({"from": "yesterday"}, "a moment such as"),
        ({"cursor": "nonsense"}, "cannot be read"),
        ({"rules": [{"match": "country=", "redirectUrl": SHOP}]}, "expected a value"),
        ({"against": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(operator: Client, body, why):
    answer = operator.post("/redirector/backtest", body)
    assert answer.status == 400
    assert why in answer.error


def test_a_version_that_is_not_there_is_not_found(operator: Client):
    assert operator.post("/redirector/backtest", {"against": 3}).status == 404


def test_only_operators_try_rules(world: World):
    assert world.trusted.post("/redirector/backtest", {}).status == 403


def test_the_live_rules_of_now_count_also_when_they_were_published_after_the_scans(world: World, operator, short_id):
    scan(world, short_id, "IE")
    world.clock.now += DAY + HOUR
    operator.publish(IRISH)
    told = tried(operator)
    assert (told["changed"], told["recordedElsewhere"]) == (0, 1)


def test_recorded_scans_keep_their_variants_so_that_a_split_test_against_itself_changes_nothing(
    world: World, operator: Client, short_id
):
    variants = [{"name": name, "weight": 1, "redirectUrl": f"https://{name}.example/"} for name in "ab"]
    operator.publish({"name": "Split", "variants": variants})
    for number in range(12):
        scan(world, short_id, "IE", address=f"198.51.100.{number}:443")
    told = tried(operator)
    assert (told["scans"], told["changed"], told["recordedElsewhere"]) == (12, 0, 0)
    moved = tried(operator, {"name": "Split", "variants": [variants[0], {**variants[1], "redirectUrl": SHOP}]})
    assert [(each["from"], each["to"]) for each in moved["groups"]] == [("https://b.example/", SHOP)]
