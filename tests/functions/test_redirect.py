"""Visits of short links: where people are sent, and what is recorded."""

import json

import pytest

from tests.functions.world import DAY, DEFAULT, DOMAIN, SUNDAY_NOON, Client, World

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"

# ---- the answer ------------------------------------------------------------------------------------------------------


def test_a_scan_from_ireland_on_a_sunday_in_french_of_what_is_on_offer_goes_where_its_rule_says(world, short_id):
    world.answered("rules/publish-rules")
    assert world.answered("redirect/scan-from-ireland", SHORT_ID=short_id).location == (
        "https://museum.example/offres/The%20Turf%20Cutters?day=sun"
    )
    assert world.answered("redirect/plain-scan", SHORT_ID=short_id).location == DEFAULT


def test_a_visit_is_answered_with_307_and_nobody_keeps_it(world: World, short_id):
    answer = world.answered("redirect/plain-scan", SHORT_ID=short_id)
    assert answer.status == 307
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"] == DEFAULT
    assert answer.content == b""


@pytest.mark.parametrize("suffix", ["/", ""])
def test_a_slash_at_the_end_and_a_query_do_no_harm(world: World, short_id, suffix):
    assert world.scan(short_id + suffix, query="utm_source=poster").location == DEFAULT


def test_an_unknown_code_is_a_404_page_that_a_person_can_read(world: World):
    answer = world.answered("redirect/unknown-code")
    page = answer.content.decode()
    assert answer.status == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "leads nowhere" in page and "<script" not in page and 'name="viewport"' in page
    assert world.recorded() == []


@pytest.mark.parametrize("path", ["", "%00", "a/b", "x" * 65, "x" * 5_000, "%F0%9F%98%80", "..", "a#b", "link#x", "é"])
def test_an_odd_path_is_404_for_people_and_programs(world: World, path):
    assert world.scan(path).status == 404
    answer = world.scan(path, accept="application/json")
    assert answer.status == 404 and answer.document["code"] == "notFound"


def test_with_accept_json_the_same_address_shows_the_redirection_without_a_key_and_counts_nothing(
    world, operator, short_id
):
    answer = world.answered("redirect/accept-json", SHORT_ID=short_id)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert answer.document == operator.read(f"/redirections/{short_id}")
    assert world.recorded() == []
    operator.delete(f"/redirections/{short_id}")
    answer = world.answered("redirect/accept-json", SHORT_ID=short_id)
    assert answer.status == 410 and answer.document["code"] == "gone"


def test_a_browsers_own_accept_is_no_wish_for_json(world: World, short_id):
    for accept in ("*/*", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", ""):
        assert world.scan(short_id, accept=accept).status == 307


# ---- what is recorded ------------------------------------------------------------------------------------------------


def test_a_visit_is_an_implicit_scan_of_its_thng_with_everything_known_about_it(
    world: World, operator: Client, thng, short_id
):
    world.answered("rules/publish-rules")
    world.answered("redirect/scan-from-ireland", SHORT_ID=short_id)
    world.settle()
    (action,) = operator.read("/actions/implicitScans", context="true")
    context = action.pop("context")
    assert action == {
        "id": action["id"],
        "createdAt": SUNDAY_NOON,
        "timestamp": SUNDAY_NOON,
        "type": "implicitScans",
        "thng": thng["id"],
        "product": thng["product"],
        "location": {
            "latitude": 53.3382,
            "longitude": -6.2591,
            "position": {"type": "Point", "coordinates": [-6.2591, 53.3382]},
        },
        "locationSource": "geoIp",
        "shortDomain": DOMAIN,
        "shortId": short_id,
        "reactions": [
            {
                "type": "redirection",
                "redirectUrl": "https://museum.example/offres/The%20Turf%20Cutters?day=sun",
                "rule": 1,
                "version": 1,
            }
        ],
    }
    assert context["ipAddress"] == "203.0.113.0" and context["timeZone"] == "Europe/Dublin"
    assert context["referer"] == "www.museum.example" and context["language"] == "fr-FR"


def test_a_visit_that_no_rule_wanted_has_the_default_url_for_a_reaction_and_names_no_rule(world, operator, short_id):
    operator.publish({"match": "country=IE", "redirectUrl": "https://x.example/"})
    world.scan(short_id)
    world.settle()
    (action,) = operator.read("/actions/implicitScans")
    assert action["reactions"] == [{"type": "redirection", "redirectUrl": DEFAULT}]


def test_a_visit_of_a_product_records_the_product(world: World, operator: Client):
    product = world.product(name="Jam")["id"]
    link = operator.link(product, DEFAULT)["shortId"]
    operator.publish({"match": "product.name=Jam & !thng.name=*", "redirectUrl": "https://x.example/{product.id}"})
    assert world.scan(link).location == f"https://x.example/{product}"
    world.settle()
    (action,) = operator.read("/actions/all", filter=f"product={product}")
    assert action["product"] == product and "thng" not in action


def test_a_scan_is_in_the_projects_of_its_thng(world: World, operator: Client):
    thng = operator.made("/thngs", {"name": "in"}, project=world.project)["id"]
    link = operator.link(thng, DEFAULT)["shortId"]
    world.scan(link)
    world.settle()
    assert [each["thng"] for each in world.trusted.read("/actions/implicitScans")] == [thng]


def test_a_recorded_scan_is_small_whatever_its_headers_hold(world: World, short_id):
    long = "x" * 5_000
    world.scan(short_id, user_agent=long, referer=f"https://{long}/", accept_language=long, city=long, time_zone=long)
    (row,) = world.recorded()
    assert len(json.dumps(row).encode()) < 2_000
    assert len(row["ua"]) == 512


def test_odd_headers_are_recorded_or_left_out_and_never_fail_a_scan(world: World, short_id):
    odd = "\x00\x01é☃😀\u202e'\";--"
    headers = {
        "user_agent": odd,
        "referer": odd,
        "accept_language": odd,
        "country": odd,
        "city": odd,
        "time_zone": odd,
        "latitude": odd,
        "longitude": odd,
        "address": odd,
        "sec_purpose": odd,
        "accept": odd,
    }
    assert world.scan(short_id, **headers).status == 307
    world.settle()
    assert world.operator.read("/actions/implicitScans", context="true")


@pytest.mark.parametrize(
    ("story", "mark"),
    [("redirect/head", "head"), ("redirect/prefetch", "prefetch"), ("redirect/link-preview", None)],
)
def test_who_looks_at_no_answer_is_answered_and_recorded_but_counts_as_no_hit(world, operator, short_id, story, mark):
    answer = world.answered(story, SHORT_ID=short_id)
    assert (answer.status, answer.location, answer.content) == (307, DEFAULT, b"")
    (row,) = world.recorded()
    assert row.get("mark") == mark
    world.settle()
    assert operator.read(f"/redirections/{short_id}")["hits"] == 0


@pytest.mark.parametrize(
    ("agent", "hits"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 0),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", 0),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", 0),
        ("TelegramBot (like TwitterBot)", 0),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/134.0.0.0 Safari/537.36", 1),
        (f"Mozilla/5.0 (Linux; Android 15; CUBOT X90) {WEBKIT} Chrome/134.0.0.0 Mobile Safari/537.36", 1),
        ("curl/8.7.1", 1),
        ("", 1),
    ],
    ids=lambda value: str(value)[:30],
)
def test_crawlers_and_link_previews_are_no_hits_and_everybody_else_is(
    world: World, operator: Client, short_id, agent, hits
):
    world.scan(short_id, user_agent=agent)
    world.settle()
    assert operator.read(f"/redirections/{short_id}")["hits"] == hits


def test_visitors_of_one_day_are_told_apart_without_their_addresses_and_not_across_days(world: World, short_id):
    for address in ("198.51.100.7:1", "198.51.100.7:2", "198.51.100.8:1"):
        world.scan(short_id, address=address)
        world.clock.now += 1
    world.clock.now += DAY
    world.scan(short_id, address="198.51.100.7:1")
    one, again, other, next_day = (row["visitor"] for row in world.recorded())
    assert one == again and len({one, other, next_day}) == 3
    assert "198.51.100.7" not in repr(world.recorded())


def test_each_scan_has_the_cause_that_its_answer_names(world: World, short_id):
    answer = world.scan(short_id)
    assert world.recorded()[0]["cause"] == answer.headers["x-fingerpost-cause"]
