"""What is known of how an action came about, and the lists that it can be found in."""

import pytest

from tests.functions.lists import ids
from tests.functions.world import HOUR, SECOND, Client, World

PARIS = {"position": {"type": "Point", "coordinates": [2.35, 48.85]}}

# The keys of the context in the platform's Reactor example, in its order.
CONTEXT_KEYS = [
    "ipAddress",
    "city",
    "region",
    "countryCode",
    "userAgent",
    "referer",
    "language",
    "userAgentName",
    "userAgentVersion",
    "userAgentType",
    "deviceType",
    "device",
    "operatingSystemName",
    "operatingSystemFamily",
    "operatingSystemProducer",
    "operatingSystemVersion",
    "timeZone",
]

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.3 Mobile/15E148 Safari/604.1"
)
IRELAND = {
    "cloudfront-viewer-address": "203.0.113.77:46532",
    "cloudfront-viewer-country": "IE",
    "cloudfront-viewer-country-region-name": "Leinster",
    "cloudfront-viewer-city": "Dublin",
    "cloudfront-viewer-latitude": "53.3382",
    "cloudfront-viewer-longitude": "-6.2591",
    "cloudfront-viewer-time-zone": "Europe/Dublin",
    "accept-language": "fr-IE, en;q=0.5",
    "referer": "https://user:secret@www.museum.example/tour?stop=4",
    "user-agent": IPHONE,
}


# ---- context ---------------------------------------------------------------------------------------------------------


def test_the_context_has_the_keys_of_the_reactor_example_and_comes_on_request(world: World, operator: Client):
    thng = world.thng()["id"]
    action = operator.made("/actions/scans", {"thng": thng}, headers=IRELAND)
    assert "context" not in operator.read(f"/actions/scans/{action['id']}")
    context = operator.read(f"/actions/scans/{action['id']}", context="true")["context"]
    assert set(context) == set(CONTEXT_KEYS)
    assert context == {
        "ipAddress": "203.0.113.0",
        "city": "Dublin",
        "region": "Leinster",
        "countryCode": "IE",
        "userAgent": IPHONE,
        "referer": "www.museum.example",
        "language": "fr-IE",
        "userAgentName": "Mobile Safari",
        "userAgentVersion": "18.3",
        "userAgentType": "browser",
        "deviceType": "phone",
        "device": "iPhone",
        "operatingSystemName": "iOS 18.3",
        "operatingSystemFamily": "iOS",
        "operatingSystemProducer": "Apple",
        "operatingSystemVersion": "18.3",
        "timeZone": "Europe/Dublin",
    }
    world.settle()
    assert operator.read("/actions/scans", context="true")[0]["context"] == context
    assert "context" not in operator.read("/actions/scans", context="false")[0]


def test_a_request_that_tells_nothing_has_a_context_of_what_is_known(world: World, operator: Client):
    action = operator.made("/actions/scans", {"thng": world.thng()["id"]}, headers={"user-agent": ""})
    document = operator.read(f"/actions/scans/{action['id']}", context="true")
    assert document["locationSource"] == "unknown" and "location" not in document
    assert document["context"] == {
        "ipAddress": "203.0.113.0",
        "userAgentName": "Unknown",
        "operatingSystemName": "Unknown",
    }


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.77:1", "203.0.113.0"),
        ("2001:db8:85a3:8d3:1319:8a2e:370:7348:46532", "2001:db8:85a3::"),
        ("2001:db8::1:46532", "2001:db8::"),
        ("[2001:db8:85a3::7348]:46532", "2001:db8:85a3::"),
        ("::1:46532", "::"),
    ],
)
def test_an_address_is_cut_unless_the_account_opts_in(world: World, operator: Client, address, kept):
    thng = world.thng()["id"]
    link = operator.link(thng)["shortId"]
    for whole in (False, True):
        if whole:
            world.keep_whole_addresses()
            world.clock.now += 5 * SECOND
        world.scan(link, address=address)
        operator.post("/actions/scans", {"thng": thng}, headers={"cloudfront-viewer-address": address})
        stored = repr([row for row in world.rows().values() if row["k"] == "action" and row["ts"] == world.clock()])
        shown = address.rpartition(":")[0].strip("[]") if whole else kept
        assert stored.count(f"'ip': '{shown}'") == 2
        assert whole or address.rpartition(":")[0] not in stored


def test_of_two_places_an_actions_own_decides_location_and_time_zone_but_never_the_country(world, operator):
    operator.publish(
        {
            "match": "timezone=Europe/Paris & country=IE & location.lat>48 & location.lat<49",
            "redirectUrl": "https://a.example/{timezone}?{timeOfDay}",
        },
        {"redirectUrl": "https://b.example/{timezone}"},
    )
    thng = world.thng()["id"]
    action = operator.made("/actions/scans", {"thng": thng, "location": PARIS}, headers=IRELAND)
    assert action["reactions"][0]["redirectUrl"] == f"https://a.example/Europe/Paris?{13 * HOUR}"
    context = operator.read(f"/actions/scans/{action['id']}", context="true")["context"]
    assert (context["countryCode"], context["timeZone"], context["city"]) == ("IE", "Europe/Paris", "Dublin")
    plain = operator.made("/actions/scans", {"thng": thng}, headers=IRELAND)
    assert plain["reactions"][0]["redirectUrl"] == "https://b.example/Europe/Dublin"
    assert (plain["location"]["latitude"], plain["locationSource"]) == (53.3382, "geoIp")
    unknown = {**IRELAND, "cloudfront-viewer-time-zone": "Mars/Olympus"}
    nowhere = operator.made("/actions/scans", {"thng": thng}, headers=unknown)
    assert nowhere["reactions"][0]["redirectUrl"] == "https://b.example/UTC"


def test_a_position_on_the_equator_or_at_greenwich_is_one(world: World, operator: Client):
    thng = world.thng()["id"]
    link = operator.link(thng)["shortId"]
    posted = operator.made("/actions/scans", {"thng": thng, "location": {"latitude": 0, "longitude": 0}})
    assert posted["location"]["position"]["coordinates"] == [0, 0]
    world.scan(link, latitude="0.0", longitude="0.00000")
    world.settle()
    (scan,) = operator.read("/actions/implicitScans")
    assert (scan["location"]["latitude"], scan["location"]["longitude"]) == (0, 0)


@pytest.mark.parametrize("value", ["nan", "inf", "-91", "1e999", "x", ""])
def test_a_position_that_is_none_is_unknown(world: World, operator: Client, value):
    link = operator.link(world.thng()["id"])["shortId"]
    assert world.scan(link, latitude=value, longitude="1").status == 307
    world.settle()
    (scan,) = operator.read("/actions/implicitScans")
    assert "location" not in scan and scan["locationSource"] == "unknown"


def test_viewer_headers_are_believed_only_where_a_client_cannot_have_sent_them(world, operator, monkeypatch):
    monkeypatch.setenv("FINGERPOST_MAIN_TABLE", "main")  # on AWS the API is not behind CloudFront
    action = operator.made("/actions/scans", {"thng": world.thng()["id"]}, headers=IRELAND)
    context = operator.read(f"/actions/scans/{action['id']}", context="true")["context"]
    assert "countryCode" not in context and context["ipAddress"] == "203.0.113.0"


# ---- lists -----------------------------------------------------------------------------------------------------------


def test_actions_are_listed_by_every_field_that_has_an_index(world: World, operator: Client):
    product = world.product()["id"]
    thng = world.thng(product=product)["id"]
    body = {"thng": thng, "tags": ["a", "b"], "identifiers": {"gs1:21": "7"}}
    one = operator.made("/actions/scans", body, headers=IRELAND)["id"]
    world.clock.now += 1
    two = operator.made("/actions/checkins", {"product": product})["id"]
    world.settle()
    assert ids(operator.read("/actions/all")) == [two, one]
    assert ids(operator.read("/actions/scans")) == [one]
    for text in (
        f"thng={thng}",
        "tags=b",
        "identifiers.gs1:21=7",
        "context.city=Dublin",
        "context.countryCode=IE",
        "type=scans",
    ):
        assert ids(operator.read("/actions/all", filter=text)) == [one], text
        assert operator.read("/actions/checkins", filter=text) == [], text
    assert ids(operator.read("/actions/all", filter=f"product={product}")) == [two, one]
    assert ids(operator.read("/actions/scans", filter=f"product={product}|tags=nothing")) == [one]
    assert operator.get("/actions/all", filter="context.countryCode=Ireland").status == 400


def test_a_trusted_application_sees_the_actions_of_its_project_and_none_other(world: World, operator: Client):
    inside = operator.made("/thngs", {"name": "in"}, project=world.project)["id"]
    outside = world.thng()["id"]
    trusted = world.trusted
    mine = trusted.made("/actions/scans", {"thng": inside})
    assert (mine["createdByApp"], mine["createdByProject"]) == (world.application_id, world.project)
    theirs = operator.made("/actions/scans", {"thng": outside})["id"]
    world.settle()
    assert ids(trusted.read("/actions/all")) == [mine["id"]]
    assert ids(operator.read("/actions/all", project=world.project)) == [mine["id"]]
    assert trusted.get(f"/actions/scans/{theirs}").status == 404
    assert trusted.post("/actions/scans", {"thng": outside}).status == 400
    scopes = operator.read(f"/actions/scans/{mine['id']}", withScopes="true")["scopes"]
    assert scopes == {"users": ["all"], "projects": [world.project]}
