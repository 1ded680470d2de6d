"""The museum that a fresh store begins with."""

import json
import stat
from typing import Any

import pytest

from fingerpost import keys
from fingerpost.errors import Unauthenticated
from fingerpost.local import demo, demo_rooms, visitors
from fingerpost.local.config import Settings
from fingerpost.ports.table import Set
from fingerpost.rooms import credentials as openers
from fingerpost.rooms import hubs, logins, people, plain
from fingerpost.rooms.kinds import PERSON, ROOM, ROOMVOX_TOKEN, STRUCTURE
from fingerpost.rooms.rooms import Rooms
from tests.functions.world import API_URL, DAY, DOMAIN, HOUR, ROOTS, SECOND, Client, World
from tests.stores import caller_of

WORK = "TURF1891"
IRISH = {"country": "IE", "time_zone": "Europe/Dublin"}


def settings_of(world: World, **more) -> Settings:
    return Settings(short_domain=DOMAIN, api_url=API_URL, data_dir=world.folder, **more)


def credentials(world: World) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((world.folder / "demo.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def museum(world: World) -> Client:
    """The demo account's operator."""
    demo.prepare(settings_of(world))
    return Client(world, credentials(world)["operatorApiKey"])


def test_its_credentials_are_in_a_file_that_only_its_owner_reads(world: World, museum: Client):
    told = credentials(world)
    assert (told["operatorApiKey"], told["apiUrl"], told["shortUrl"]) == (museum.key, API_URL, f"https://{DOMAIN}")
    assert stat.S_IMODE((world.folder / "demo.json").stat().st_mode) == 0o600
    assert museum.get("/access").status == 200


@pytest.mark.parametrize(
    ("later", "headers", "expected"),
    [
        (0, {**IRISH, "accept_language": "fr"}, "https://museum.example/fr/offres/les-coupeurs-de-tourbe?jour=sun"),
        (DAY, {**IRISH, "accept_language": "fr"}, "https://museum.example/closed?work=PA-1891-07"),
        (2 * DAY, {"accept_language": "fr"}, "https://museum.example/fr/oeuvres/les-coupeurs-de-tourbe"),
        (2 * DAY, IRISH, "https://museum.example/ie/offers/the-turf-cutters"),
        (2 * DAY + 6 * HOUR, {}, "https://museum.example/opening-hours?work=PA-1891-07#room-4"),
        (2 * DAY, {}, "https://museum.example/works/"),
    ],
)
def test_its_rules_decide_by_country_day_language_tag_and_opening_hours(world, museum, later, headers, expected):
    thng = museum.read(f"/redirections/{WORK}", on_short=True)["evrythngId"]
    world.clock.now += later
    assert world.scan(WORK, **headers).location == expected + (thng if expected.endswith("/works/") else "")


def counts(client: Client) -> list[int]:
    paths = ("/products", "/thngs", "/projects", "/actions")
    return [len(client.read(path)) for path in paths] + [len(client.read("/redirector")["rules"])]


def test_a_second_start_changes_nothing(world: World, museum: Client):
    before = counts(museum)
    version = museum.read("/redirector")["version"]
    demo.prepare(settings_of(world))
    assert counts(museum) == before
    assert museum.read("/redirector")["version"] == version
    assert before[:3] == [2, 6, 1]


def test_a_start_that_was_interrupted_goes_on_where_it_stopped(world: World, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(demo, "publish", lambda *_arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            demo.prepare(settings_of(world))
    world.clock.now += HOUR
    demo.prepare(settings_of(world))
    museum = Client(world, credentials(world)["operatorApiKey"])
    assert counts(museum)[:3] == [2, 6, 1]
    assert len(museum.read(f"/projects/{museum.read('/projects')[0]['id']}/applications")) == 1
    for short_id in (WORK, "HARE1922", "GULL2003"):
        assert world.scan(short_id).status == 307


def test_a_key_from_the_environment_replaces_the_one_before_which_is_revoked(world: World, museum: Client):
    demo.prepare(settings_of(world, operator_api_key="k" * 40))
    world.clock.now += SECOND
    assert museum.get("/access").status == 403
    mine = Client(world, "k" * 40)
    assert len(mine.read("/thngs")) == 6
    assert credentials(world)["operatorApiKey"] == "k" * 40
    demo.prepare(settings_of(world))
    assert mine.get("/access").status == 403
    assert museum.get("/access").status == 200


def test_without_the_demo_there_is_an_account_with_nothing_in_it(world: World):
    demo.prepare(settings_of(world, demo=False))
    client = Client(world, credentials(world)["operatorApiKey"])
    assert counts(client) == [0, 0, 0, 4, 0]


def test_the_banner_shows_the_key_a_code_and_lines_to_paste(world: World, museum: Client, capsys):
    demo.banner(settings_of(world))
    shown = capsys.readouterr().out
    assert str(museum.key) in shown
    assert f"https://{DOMAIN}/{WORK}" in shown and "curl" in shown and "█" in shown


# ---- its rooms -------------------------------------------------------------------------------------------------------


def test_its_rooms_are_found_by_every_name_that_the_file_tells(world: World, museum: Client):
    told = credentials(world)["rooms"]
    rooms = Rooms(world.tables.of(museum.read("/access")["account"]))
    assert list(told) == ["main", "second", "approval"]
    for names in told.values():
        room = rooms.get(names["id"])
        assert all(rooms.named(str(name)) == room for name in names.values())
        assert world.scan(room.short[1]).status == 307
    approval = {name: rooms.get(names["id"]).approval for name, names in told.items()}
    assert approval == {"main": False, "second": False, "approval": True}
    works = rooms.get(told["main"]["id"]).facilities
    assert {works["wifi"], works["projector"], works["videoConference"]} == {True, False, None}


def test_every_credential_that_the_file_tells_opens_what_it_says(world: World, museum: Client):
    told, tables, now = credentials(world), world.tables, world.clock.now
    account = museum.read("/access")["account"]
    client = openers.joan_client(tables, told["joan"]["clientId"], told["joan"]["clientSecret"])
    assert openers.joan_bearer(tables, openers.issue_joan_token(tables, client, now)).account == account
    tokens = {name: openers.roomvox_token(tables, token, now) for name, token in told["roomvox"].items()}
    assert {name: token.scope for name, token in tokens.items()} == {
        "read": "read",
        "book": "book",
        "admin": "admin",
        "restricted": "book",
    }
    main, second = (told["rooms"][name]["id"] for name in ("main", "second"))
    assert (tokens["restricted"].reaches(main), tokens["restricted"].reaches(second)) == (True, False)
    digest = logins.digest_of(told["ddp"]["password"])
    user = logins.log_in(tables, ROOTS, "username", told["ddp"]["username"], digest, now)
    assert (user.account, user.kind) == (account, "default")
    for name, privilege in (("adminHeaders", "admin"), ("readHeaders", "read")):
        member = hubs.member_of(tables, hubs.key_of({"headers": told["roomService"][name]}))
        assert (member.hub, member.room, member.privilege) == (told["roomService"]["hubId"], main, privilege)
    for each in told["people"].values():
        assert people.by_pin(tables.of(account), ROOTS, each["pin"]).document["email"] == each["email"]


def test_the_file_tells_the_same_after_a_restart_and_what_was_revoked_stays_so(world: World, museum: Client):
    before = credentials(world)
    caller = caller_of(world.tables, museum.read("/access")["account"])
    token = openers.roomvox_token(world.tables, before["roomvox"]["read"], world.clock.now)
    openers.revoke(caller, ROOMVOX_TOKEN, token.id)
    world.clock.now += HOUR
    demo.prepare(settings_of(world))
    assert credentials(world) == before
    with pytest.raises(Unauthenticated):
        openers.roomvox_token(world.tables, before["roomvox"]["read"], world.clock.now)


@pytest.mark.parametrize("step", ["structures.create", "people.create", "hubs.add_member", "logins.create_group"])
def test_rooms_whose_making_was_interrupted_are_made_by_the_next_start(world: World, monkeypatch, step):
    with monkeypatch.context() as patched:
        patched.setattr(f"fingerpost.rooms.{step}", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            demo.prepare(settings_of(world))
    world.clock.now += HOUR
    demo.prepare(settings_of(world))
    museum = Client(world, credentials(world)["operatorApiKey"])
    assert counts(museum)[:3] == [2, 6, 1]
    content = json.loads(demo_rooms.CONTENT.read_text(encoding="utf-8"))
    own = world.tables.of(museum.read("/access")["account"])
    for kind, made in ((STRUCTURE, "structures"), (PERSON, "people"), (ROOMVOX_TOKEN, "tokens"), (ROOM, "rooms")):
        assert len(plain.all_of(own, kind)) == len(content[made])


# ---- its visitors ----------------------------------------------------------------------------------------------------


def test_two_weeks_of_visitors_have_been_there_and_count_as_scans_do(world: World, museum: Client):
    world.settle()
    recorded = world.recorded()
    assert len(recorded) == visitors.SCANS
    first, last = recorded[0]["ts"], recorded[-1]["ts"]
    assert world.clock() - (visitors.DAYS + 1) * DAY < first < world.clock() - 12 * DAY
    assert last < world.clock() - HOUR
    hits = [museum.read(f"/redirections/{each}", on_short=True)["hits"] for each in (WORK, "HARE1922", "GULL2003")]
    assert (sum(hits), hits == sorted(hits, reverse=True)) == (visitors.SCANS, True)
    for name in ("country", "city", "lang", "ua", "zone", "url", "q"):
        assert len({row.get(name) for row in recorded}) > 2, name
    decided = {row.get("rule") for row in recorded}
    assert decided == {None, 1, 2, 3, 4, 5}  # every rule of the museum, and the default URL


def test_the_visitors_are_the_same_in_every_store_and_come_once(world: World, museum: Client):
    def told(rows):
        return [(row["ts"], row["link"], row["country"], row["ua"], row["url"]) for row in rows]

    before = told(world.recorded())
    world.tables.main.update(keys.first_account(), (Set("museum", False),))  # as if it had been interrupted
    demo.prepare(settings_of(world))
    assert told(world.recorded()) == before
    assert [each[1].at for each in visitors.scans(world.clock())] == [row["ts"] for row in world.recorded()]


def test_the_museums_rules_say_today_what_they_said_then(world: World, museum: Client):
    world.settle()
    told = museum.post("/redirector/backtest", {}).document
    assert (told["scans"], told["changed"], told["recordedElsewhere"]) == (visitors.SCANS, 0, 0)
    rules = museum.read("/redirector")["rules"]
    sunday = {"match": "country=IE & dayOfWeek=sun", "redirectUrl": "https://museum.example/ie/sundays"}
    told = museum.post("/redirector/backtest", {"rules": [sunday, *rules]}).document
    assert 0 < told["changed"] < visitors.SCANS
    assert {group["to"] for group in told["groups"]} == {"https://museum.example/ie/sundays"}


def test_ones_own_scan_is_the_newest(world: World, museum: Client):
    world.scan(WORK, **IRISH)
    world.settle()
    assert museum.read("/actions/implicitScans", perPage=1)[0]["timestamp"] == world.clock()
