"""What each field of the redirection context means in a scan."""

import json
from datetime import UTC, datetime

import pytest

from tests.functions.world import DEFAULT, HOUR, SECOND, Client, World, rule

MATCHED = "https://x.example/"


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


MATCHING = [
    "thng.name=example work",
    "thng.name=examp*",
    'thng.name="example work"',
    "thng.description=*",
    "thng.tags=Offer",
    "thng.tags=x,Highlight",
    "thng.tags=Offer&thng.tags=Highlight",
    "thng.tags!=Sold",
    "!(thng.tags=Sold)",
    "thng.identifiers.ean_13=0123",
    "thng.identifiers.upc=123",
    "thng.identifiers.gs1:21=7",
    "thng.identifiers.a.b=dotted",
    "thng.identifiers.a=plain",
    "thng.customFields.room=4",
    "thng.customFields.room>3.5",
    "thng.customFields.open=true",
    "thng.customFields.size.h.cm>=80",
    "thng.customFields.x.y=one key",
    "thng.properties.humidity=48.5",
    "thng.properties.humidity=40..50",
    "thng.properties.status=ok",
    "thng.customFields.absent!=x",
    "thng.customFields.absent!=*",
    "product.name=Painting",
    "product.description=fl*",
    "product.tags=flat",
    "product.identifiers.upc=12345",
    "product.customFields.dept.code=PA",
    "product.properties.insured=true",
    "product.identifiers.upc=12345&dayOfWeek=sun&thng.name=examp*",
    "action.type=implicitScans",
    "constants.shop=book",
    "thng.tags=Sold|country=DE",
    "user.age!=5",
    "place.id!=x",
]

NOT_MATCHING = [
    "thng.name=Example work",
    "thng.name=example",
    'thng.name="examp*"',
    "thng.tags=offer",
    "thng.tags=Offer&thng.tags=Sold",
    "thng.identifiers.upc=0123",
    "thng.identifiers.a.c=*",
    "thng.identifiers.gs1:21>100",
    "thng.customFields.room=04.5",
    "thng.customFields.open=1",
    "thng.customFields.size=*&thng.customFields.size.w=*",
    "thng.properties.Humidity=48.5",
    "thng.customFields.absent=*",
    "product.name=painting",
    "product.properties.insured=false",
    "action.type=scans",
    "constants.other=*",
    "user.age=5",
    "user.age<200",
    "place.distance<1000000",
    "project.id=*",
    "application.name=*",
    "action.customFields.a=*",
    "country=IE",
    "language=de",
]


@pytest.mark.parametrize(("asked", "expected"), [(MATCHING, MATCHED), (NOT_MATCHING, DEFAULT)], ids=["so", "not so"])
def test_rules_ask_for_every_field_a_scan_has(world: World, operator: Client, museum, asked, expected):
    for match in asked:
        operator.publish(rule(match, constants={"shop": "book"}))
        world.clock.now += 5 * SECOND
        assert world.scan(museum, country="DE", accept_language="fr").location == expected, match


def located(world: World, operator: Client, short_id: str, match: str, **headers: str) -> bool:
    operator.publish(rule(match))
    world.clock.now += 5 * SECOND
    return world.scan(short_id, **headers).location == MATCHED


@pytest.mark.parametrize(
    ("header", "match", "held"),
    [
        ("IE", "country=IE", True),
        ("ie", "country=IE", True),
        ("IE", "country=GB,IE", True),
        ("IE", "country!=IE", False),
        ("", "country!=IE", True),
        ("", "country=*", False),
        ("Ireland", "country=*", False),
        ("I1", "country=*", False),
    ],
)
def test_the_country_is_the_viewers(world: World, operator: Client, museum, header, match, held):
    assert located(world, operator, museum, match, country=header) is held


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fr", "fr"),
        ("fr-CH, en;q=0.5", "fr"),
        ("en;q=0.5, fr-CH", "fr"),
        ("en;q=0.1,de;q=0.9,*;q=1", "de"),
        ("FR-fr", "fr"),
        ("en;q=0, fr;q=0.1", "fr"),
        ("en;q=x, fr;q=0.1", "fr"),
        ("*", None),
        ("", None),
        (";;;,,,q=1", None),
        ("de;q=nan,fr;q=0.2", "fr"),
    ],
)
def test_the_language_is_the_one_most_preferred(world: World, operator: Client, museum, header, language):
    operator.publish(rule("language=*", "https://x.example/{language}"))
    expected = DEFAULT if language is None else f"https://x.example/{language}"
    assert world.scan(museum, accept_language=header).location == expected


TIMES = [
    ("2026-03-15T12:00:00+00:00", "", f"sun {12 * HOUR} 15 3 2026 UTC"),
    ("2026-03-15T23:30:00+00:00", "Asia/Tokyo", f"mon {8 * HOUR + 1_800_000} 16 3 2026 Asia/Tokyo"),
    ("2025-12-31T23:59:59.999+00:00", "Europe/Berlin", f"thu {HOUR - 1} 1 1 2026 Europe/Berlin"),
    ("2026-03-29T00:59:59+00:00", "Europe/Dublin", f"sun {HOUR - 1_000} 29 3 2026 Europe/Dublin"),
    ("2026-03-29T01:00:00+00:00", "Europe/Dublin", f"sun {2 * HOUR} 29 3 2026 Europe/Dublin"),
    ("2026-10-25T00:30:00+00:00", "Europe/Dublin", f"sun {HOUR + 1_800_000} 25 10 2026 Europe/Dublin"),
    ("2026-10-25T01:30:00+00:00", "Europe/Dublin", f"sun {HOUR + 1_800_000} 25 10 2026 Europe/Dublin"),
    ("2026-11-01T05:30:00+00:00", "America/New_York", f"sun {HOUR + 1_800_000} 1 11 2026 America/New_York"),
    ("2026-11-01T06:30:00+00:00", "America/New_York", f"sun {HOUR + 1_800_000} 1 11 2026 America/New_York"),
    ("2026-06-01T00:00:00+00:00", "Asia/Kathmandu", f"mon {5 * HOUR + 45 * 60_000} 1 6 2026 Asia/Kathmandu"),
    ("2026-06-01T00:00:00+00:00", "Mars/Olympus", "mon 0 1 6 2026 UTC"),
    ("2026-06-01T00:00:00+00:00", "../../etc/passwd", "mon 0 1 6 2026 UTC"),
    ("2026-06-01T00:00:00+00:00", "Europe", "mon 0 1 6 2026 UTC"),
]


@pytest.mark.parametrize(("moment", "zone", "told"), TIMES)
def test_times_are_local_on_both_sides_of_a_clock_change_and_an_unknown_zone_is_utc(
    world, operator, museum, moment, zone, told
):
    world.clock.now = at(moment)
    fields = "{dayOfWeek} {timeOfDay} {dayOfMonth} {month} {year} {timezone}".replace(" ", "%20")
    operator.publish(rule("time>0", f"https://x.example/?{fields}&{{timestamp}}"))
    expected = f"https://x.example/?{told.replace(' ', '%20').replace('/', '%2F')}&{at(moment)}"
    assert world.scan(museum, time_zone=zone).location == expected


@pytest.mark.parametrize(
    ("match", "held"),
    [
        ("timeOfDay>=12:00&timeOfDay<12:01", True),
        ("timeOfDay<12:00", False),
        ("timeOfDay=43200000", True),
        ("dayOfWeek=sat,sun", True),
        ("dayOfWeek!=sun", False),
        ("dayOfMonth=15&month=3&year=2026", True),
        ("month>3|year<2026", False),
        ("time>2026-03-15T11:59:59Z&time<2026-03-15T12:00:01Z", True),
        ("time<2026-03-15", False),
        ("timezone=UTC", True),
    ],
)
def test_rules_ask_for_the_time(world: World, operator: Client, museum, match, held):
    operator.publish(rule(match))
    assert (world.scan(museum).location == MATCHED) is held


@pytest.mark.parametrize(
    ("latitude", "longitude", "held"),
    [("53.3", "-6.2", True), ("53.3", "6.2", False), ("53.3", "", False), ("", "", False), ("0", "0", False)],
)
def test_rules_ask_for_the_position(world: World, operator: Client, museum, latitude, longitude, held):
    match = "location.lat>53&location.lat<54&location.lon<0"
    assert located(world, operator, museum, match, latitude=latitude, longitude=longitude) is held


def test_a_field_that_is_taken_away_or_changed_decides_the_next_scan(world: World, operator: Client, museum):
    thng = operator.read(f"/redirections/{museum}")["evrythngId"]
    operator.publish(rule("thng.tags=Offer & product.tags=flat"))
    assert world.scan(museum).location == MATCHED
    operator.put(f"/thngs/{thng}", {"tags": ["Sold"]})
    assert world.scan(museum).location == DEFAULT
    operator.put(f"/thngs/{thng}", {"tags": ["Offer"], "product": None})
    assert world.scan(museum).location == DEFAULT


IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1"


@pytest.mark.parametrize(
    ("match", "agent", "held"),
    [
        ("device=phone & os=ios & browser=safari", IPHONE, True),
        ("device=tablet,desktop", IPHONE, False),
        ("device=* | os=* | browser=*", "curl/8.6.0", False),
        ("device!=phone", "curl/8.6.0", True),
    ],
)
def test_rules_ask_for_the_device_its_system_and_its_browser(world, operator, museum, match, agent, held):
    assert located(world, operator, museum, match, user_agent=agent) is held


def test_a_url_can_say_the_device_and_what_the_query_said(world: World, operator: Client, museum):
    operator.publish(rule("os=ios", "https://x.example/{device}/{os}/{browser}?from={query.utm_source}#{query.none}"))
    answer = world.scan(museum, query="utm_source=poster%20A%2F7", user_agent=IPHONE)
    assert answer.location == "https://x.example/phone/ios/safari?from=poster%20A%2F7#"


def test_a_code_that_says_where_it_hangs_leads_to_its_own_page(world: World, operator: Client, museum):
    operator.publish(rule("query.utm_source=poster & query.shelf<20", "https://x.example/shelves/{query.shelf}"))
    assert world.answered("redirect/scan-with-query", SHORT_ID=museum).location == "https://x.example/shelves/12"


def test_applications_rules_ask_for_them_too(world: World, operator: Client, museum):
    path = f"/projects/{world.project}/applications/{world.application_id}/redirector"
    phones = rule("device=phone & query.a=1", "https://y.example/{query.a}")
    assert operator.put(path, {"rules": [phones]}).status == 200
    operator.publish({"delegates": [{"app": world.application_id}]})
    assert world.scan(museum, query="a=1", user_agent=IPHONE).location == "https://y.example/1"
    assert world.scan(museum, query="a=2", user_agent=IPHONE).location == DEFAULT
    (seen,) = [row["seen"] for row in world.recorded() if "seen" in row]
    assert json.loads(seen) == {"device": "phone", "query.a": "1"}


def test_a_posted_scan_has_no_query_whatever_its_own_address_says(world: World, operator: Client):
    operator.publish(rule("query.project=*"))
    assert "reactions" not in operator.made("/actions/scans", {"thng": world.thng()["id"]}, project=world.project)
    assert all("q" not in row for row in world.recorded())


def test_an_explanation_holds_the_recorded_query_and_agent_against_the_rules(world: World, operator: Client, museum):
    operator.publish(rule("query.utm_source=poster & device=phone"))
    world.scan(museum, query="utm_source=poster&x", user_agent=IPHONE)
    world.settle()
    (scan,) = operator.read("/actions/implicitScans", context="true")
    assert scan["context"]["query"] == "utm_source=poster&x"
    told = operator.read(f"/actions/all/{scan['id']}", explain="true")["explanation"]
    assert told["says"] == "rule 1 matched because query.utm_source is poster and device is phone"
