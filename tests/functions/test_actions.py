"""Actions and their types: recorded, read, listed, explained."""

import json

import pytest

from tests.functions.world import API_URL, DAY, HOUR, SECOND, SUNDAY_NOON, Client, World

PARIS = {"position": {"type": "Point", "coordinates": [2.35, 48.85]}}

# The keys of the context in the platform's Reactor example, in its order.
CONTEXT_KEYS = [
    "ipAddress", "city", "region", "countryCode", "userAgent", "referer", "language", "userAgentName",
    "userAgentVersion", "userAgentType", "deviceType", "device", "operatingSystemName", "operatingSystemFamily",
    "operatingSystemProducer", "operatingSystemVersion", "timeZone",
]  # fmt: skip

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


def ids(documents) -> list[str]:
    return [each["id"] for each in documents]


# ---- one action ------------------------------------------------------------------------------------------------------


def test_a_posted_scan_is_answered_whole_with_its_location(world: World, operator: Client):
    product = world.product()
    thng = world.thng(product=product["id"])
    answer = world.answered("actions/post-scan", THNG=thng["id"])
    action = answer.document
    assert answer.status == 201
    assert answer.location == f"{API_URL}/actions/scans/{action['id']}"
    assert action == {
        "id": action["id"],
        "createdAt": SUNDAY_NOON,
        "timestamp": SUNDAY_NOON,
        "type": "scans",
        "thng": thng["id"],
        "product": product["id"],
        "identifiers": {"ean_13": "786432786349"},
        "customFields": {"region_code": "en_gb"},
        "tags": ["example", "actions"],
        "location": {
            "latitude": 48.85,
            "longitude": 2.35,
            "position": {"type": "Point", "coordinates": [2.35, 48.85]},
        },
        "locationSource": "sensor",
    }
    assert operator.read(f"/actions/scans/{action['id']}") == action
    assert operator.read(f"/actions/all/{action['id']}") == action


@pytest.mark.parametrize("type_", ["scans", "implicitScans", "checkins", "shares"])
def test_the_built_in_types_need_a_target(world: World, operator: Client, type_):
    before = world.rows()
    for body in ({}, {"type": type_}, {"customFields": {"a": 1}}):
        answer = operator.post(f"/actions/{type_}", body)
        assert answer.status == 400 and "target" in answer.error
    assert world.rows() == before
    assert operator.post(f"/actions/{type_}", {"product": world.product()["id"]}).status == 201


@pytest.mark.parametrize(
    "body",
    [
        {"type": "checkins"},
        {"thng": "U0000000000000000000000X"},
        {"thng": "x"},
        {"product": "U0000000000000000000000X"},
        {"collection": "U0000000000000000000000X"},
        {"location": {"place": "U0000000000000000000000X"}},
        {"timestamp": SUNDAY_NOON + DAY + SECOND},
        {"timestamp": -1},
        {"timestamp": "2026-03-15"},
        {"timestamp": 10**18},
        {"tags": ["x" * 61]},
        {"identifiers": {"a": []}},
        {"customFields": []},
    ],
    ids=lambda body: str(body)[:50],
)
def test_an_action_that_is_not_in_order_is_refused_with_the_field_and_nothing_is_stored(world, operator, body):
    thng = world.thng()["id"]
    before = world.rows()
    answer = operator.post("/actions/scans", {"thng": thng, **body})
    assert answer.status == 400
    assert answer.document["details"][0]["field"].startswith(next(iter(body)))
    assert world.rows() == before


def test_a_product_that_is_not_the_thngs_own_is_refused(world: World, operator: Client):
    mine, other = world.product()["id"], world.product()["id"]
    thng = world.thng(product=mine)["id"]
    assert operator.post("/actions/scans", {"thng": thng, "product": other}).status == 400
    assert operator.made("/actions/scans", {"thng": thng, "product": mine})["product"] == mine
    assert operator.post("/actions/scans", {"thng": world.thng()["id"], "product": other}).status == 400


def test_a_back_dated_action_tells_both_times_and_is_listed_by_when_it_took_place(world: World, operator: Client):
    thng = world.thng()["id"]
    now = operator.made("/actions/checkins", {"thng": thng})
    past = operator.made("/actions/checkins", {"thng": thng, "timestamp": SUNDAY_NOON - 400 * DAY})
    ahead = operator.made("/actions/checkins", {"thng": thng, "timestamp": SUNDAY_NOON + DAY})
    first = operator.made("/actions/checkins", {"thng": thng, "timestamp": 0})
    assert (past["timestamp"], past["createdAt"]) == (SUNDAY_NOON - 400 * DAY, SUNDAY_NOON)
    assert (ahead["timestamp"], ahead["createdAt"]) == (SUNDAY_NOON + DAY, SUNDAY_NOON)
    world.settle()
    assert ids(operator.read("/actions/checkins")) == ids([ahead, now, past, first])
    assert ids(operator.read("/actions/all", filter=f"timestamp<{SUNDAY_NOON}")) == ids([past, first])
    assert ids(operator.read("/actions/all", filter=f"timestamp>={SUNDAY_NOON}")) == ids([ahead, now])


def test_an_action_of_one_type_is_not_found_under_another(world: World, operator: Client):
    action = operator.made("/actions/scans", {"thng": world.thng()["id"]})
    assert operator.get(f"/actions/checkins/{action['id']}").status == 404
    assert operator.get("/actions/scans/U0000000000000000000000X").status == 404
    assert operator.get("/actions/nothing/U0000000000000000000000X").status == 404


def test_a_deleted_action_is_gone_from_everywhere(world: World, operator: Client):
    action = operator.made("/actions/scans", {"thng": world.thng()["id"], "tags": ["a"]})
    world.settle()
    assert ids(operator.read("/actions/scans")) == [action["id"]]
    answer = operator.delete(f"/actions/scans/{action['id']}")
    assert (answer.status, answer.content) == (200, b"")
    assert operator.get(f"/actions/scans/{action['id']}").status == 404
    assert operator.delete(f"/actions/scans/{action['id']}").status == 404
    for settled in (False, True):
        if settled:
            world.settle()
        assert operator.read("/actions/scans") == operator.read("/actions/all", filter="tags=a") == []


def test_an_action_past_256_kb_is_refused_and_letters_of_any_script_count_by_their_bytes(world, operator):
    thng = world.thng()["id"]
    assert "256 KB" in operator.post("/actions/scans", {"thng": thng, "customFields": {"a": "x" * 262_144}}).error
    assert operator.post("/actions/scans", {"thng": thng, "customFields": {"a": "\N{SNOWMAN}" * 80_000}}).status == 201


def test_an_action_with_more_index_entries_than_can_be_written_is_refused(world: World, operator: Client):
    thng = world.thng()["id"]
    answer = operator.post("/actions/scans", {"thng": thng, "tags": [f"t{n}" for n in range(1_001)]})
    assert answer.status == 400 and "1000" in answer.error


# ---- several at once -------------------------------------------------------------------------------------------------


def test_an_array_at_all_makes_every_action_each_with_its_context(world: World, operator: Client):
    thng = world.thng(product=world.product()["id"])
    answer = world.answered("actions/post-many", THNG=thng["id"])
    assert answer.status == 201
    assert [each["type"] for each in answer.document] == ["scans", "checkins"]
    for action in answer.document:
        assert action["product"] == thng["product"]
        assert action["context"]["ipAddress"] == "203.0.113.0"
        assert operator.get(f"/actions/{action['type']}/{action['id']}").status == 200


def test_of_an_array_with_one_that_is_wrong_none_is_made_and_the_error_says_which(world: World, operator: Client):
    thng = world.thng()["id"]
    good = {"type": "scans", "thng": thng}
    before = world.rows()
    for wrong, field in (
        ({"thng": thng}, "[2].type"),
        ({"type": "scans"}, "[2].thng"),
        ({"type": "scans", "thng": "x"}, "[2].thng"),
        ({"type": "scans", "thng": thng, "tags": ["x" * 61]}, "[2].tags[0]"),
    ):
        answer = operator.post("/actions/all", [good, good, wrong])
        assert answer.status == 400
        assert answer.document["details"][0]["field"] == field
        assert answer.error.startswith(field)
    assert operator.post("/actions/all", [good, {"type": "_Unknown"}]).status == 404
    assert operator.post("/actions/all", [good, "scan"]).status == 400
    assert world.rows() == before


def test_arrays_are_bounded_and_go_to_all_alone(world: World, operator: Client):
    action = {"type": "scans", "thng": world.thng()["id"]}
    assert operator.post("/actions/scans", [action]).status == 400
    for wrong in ([], [action] * 101, "x", 5, None):
        assert operator.post("/actions/all", wrong).status == 400
    assert len(operator.made("/actions/all", [action])) == 1
    assert len(operator.made("/actions/all", [action] * 100)) == 100
    large = {**action, "customFields": {"a": "x" * 50_000}}
    assert "3 MB" in operator.post("/actions/all", [large] * 90).error


def test_a_single_action_at_all_takes_its_type_from_the_body(world: World, operator: Client):
    thng = world.thng()["id"]
    assert operator.made("/actions/all", {"type": "shares", "thng": thng})["type"] == "shares"
    answer = operator.post("/actions/all", {"thng": thng})
    assert answer.document["details"][0]["field"] == "type"


# ---- types -----------------------------------------------------------------------------------------------------------


def test_a_custom_type_is_created_and_found_by_its_name(world: World, operator: Client):
    answer = world.answered("actions/create-type")
    made = answer.document
    assert answer.status == 201
    assert answer.location == f"{API_URL}/actions/{made['id']}"
    assert made == {
        "id": made["id"], "createdAt": SUNDAY_NOON, "updatedAt": SUNDAY_NOON, "name": "_Arrived", "tags": ["custom"]
    }  # fmt: skip
    assert operator.read("/actions", filter="name=_Arrived") == [made]
    assert operator.read("/actions", filter="name=scans") == [{"name": "scans"}]
    assert operator.read("/actions", filter="name=_Nothing") == []


def test_types_are_listed_built_in_ones_first_then_the_newest(world: World, operator: Client):
    for number in range(31):
        world.clock.now += 1
        operator.made("/actions", {"name": f"_Type{number}"})
    first = operator.get("/actions")
    names = [each["name"] for each in first.document]
    assert names[:5] == ["checkins", "implicitScans", "scans", "shares", "_Type30"]
    assert len(names) == 30 and "link" in first.headers


def test_a_custom_type_needs_no_target(world: World, operator: Client):
    world.answered("actions/create-type")
    action = operator.made("/actions/_Arrived", {"customFields": {"dock": 4}})
    assert action["type"] == "_Arrived" and "thng" not in action and "reactions" not in action
    world.settle()
    assert ids(operator.read("/actions/_Arrived")) == [action["id"]]
    assert operator.read("/actions/scans") == []


@pytest.mark.parametrize("name", ["Arrived", "_", "", None, 5, "_ä", "_a b", "_a/b", "_" + "x" * 100, "scans"])
def test_the_name_of_a_custom_type_begins_with_an_underscore(world: World, operator: Client, name):
    before = world.rows()
    assert operator.post("/actions", {"name": name}).status == 400
    assert world.rows() == before


def test_a_type_that_exists_is_a_conflict_and_leaves_the_first(world: World, operator: Client):
    first = operator.made("/actions", {"name": "_Arrived", "tags": ["a"]})
    assert operator.post("/actions", {"name": "_Arrived", "tags": ["b"]}).status == 409
    assert [each for each in operator.read("/actions") if "id" in each] == [first]
    assert world.stranger.made("/actions", {"name": "_Arrived"})["name"] == "_Arrived"


def test_an_unknown_type_is_404_and_the_answer_names_the_built_in_ones(operator: Client):
    for answer in (operator.get("/actions/scan"), operator.post("/actions/_New", {}), operator.delete("/actions/_New")):
        assert answer.status == 404 and "implicitScans" in answer.error


def test_a_type_is_updated_and_deleted_but_never_a_built_in_one(world: World, operator: Client):
    made = operator.made("/actions", {"name": "_Arrived", "customFields": {"a": 1}})
    world.clock.now += HOUR
    after = operator.put("/actions/_Arrived", {**made, "tags": ["example"], "name": "_Other"}).document
    assert after == {**made, "tags": ["example"], "updatedAt": SUNDAY_NOON + HOUR}
    assert operator.put("/actions/scans", {"tags": ["x"]}).status == 403
    assert operator.delete("/actions/scans").status == 403
    answer = operator.delete("/actions/_Arrived")
    assert (answer.status, answer.content) == (200, b"")
    assert operator.post("/actions/_Arrived", {}).status == 404
    assert operator.made("/actions", {"name": "_Arrived"})["id"] != made["id"]


def test_a_type_in_no_project_does_not_exist_for_applications_until_it_is_shared(world: World, operator: Client):
    operator.made("/actions", {"name": "_Mine"})
    trusted = world.trusted
    assert trusted.post("/actions/_Mine", {}).status == 404
    assert trusted.get("/actions/_Mine").status == 404
    assert trusted.delete("/actions/_Mine").status == 404
    assert [each["name"] for each in trusted.read("/actions")] == ["checkins", "implicitScans", "scans", "shares"]
    operator.put("/actions/_Mine", {"scopes": {"projects": ["+all"]}})
    assert trusted.post("/actions/_Mine", {}).status == 201
    assert trusted.delete("/actions/_Mine").status == 200


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
        "ipAddress": "203.0.113.0", "userAgentName": "Unknown", "operatingSystemName": "Unknown"
    }  # fmt: skip


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
        {"match": "timezone=Europe/Paris & country=IE & location.lat>48 & location.lat<49", "redirectUrl": "https://a.example/{timezone}?{timeOfDay}"},
        {"redirectUrl": "https://b.example/{timezone}"},
    )  # fmt: skip
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
    for text in (f"thng={thng}", "tags=b", "identifiers.gs1:21=7", "context.city=Dublin", "context.countryCode=IE", "type=scans"):
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


# ---- reactions and explanations --------------------------------------------------------------------------------------


def test_an_operators_scan_comes_back_with_its_reaction_and_without_one_when_nothing_matches(world, operator):
    rule = {"name": "offers", "match": "thng.tags=Offer & action.type=scans", "redirectUrl": "https://x.example/{thng.name}"}
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
    operator.publish({"match": "action.customFields.region.code=en & year=2024", "redirectUrl": "https://x.example/{time}"})
    body = {"thng": world.thng()["id"], "customFields": {"region": {"code": "en"}}, "timestamp": 1_710_000_000_000}
    assert operator.made("/actions/scans", body)["reactions"][0]["redirectUrl"] == "https://x.example/1710000000000"


def explained(world: World, action: str) -> dict:
    return world.answered("actions/read-with-context", ACTION=action).document["explanation"]


def test_an_explanation_says_why_each_rule_did_or_did_not_match(world: World, operator: Client):
    assert world.answered("redirections/publish-rules").status == 200
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
    assert told["says"] == "rule 1 decided; as things are now it did not match because thng.tags lacks Offer; it has Sold"
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
