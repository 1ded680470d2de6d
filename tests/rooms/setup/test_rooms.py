"""Rooms as the APIs find them."""

from dataclasses import replace
from itertools import count

import pytest

from fingerpost import keys
from fingerpost.access import service as access
from fingerpost.catalogue import service as catalogue
from fingerpost.catalogue.documents import NewThng
from fingerpost.catalogue.model import THNG
from fingerpost.errors import Conflict, Invalid, NotFound
from fingerpost.ids import SeededIds
from fingerpost.redirection.links import Links
from fingerpost.rooms import plain, setup
from fingerpost.rooms.documents import NewRoom, SentRoom
from fingerpost.rooms.kinds import EQUIPMENT
from fingerpost.rooms.model import DAY_MINUTES, CheckIn
from fingerpost.rooms.rooms import Rooms, slug_of
from fingerpost.sight import Sight
from tests.rooms.setup.rooms import DOMAIN, room
from tests.stores import NOON, Crash, caller_of, crashing, hooked


def test_a_room_is_found_by_every_name_that_an_api_has_for_it(tables, caller):
    made = room(tables, caller, email="Harbour@museum.example", capacity=8)
    rooms = Rooms(caller.tables)
    assert (made.slug, made.capacity, made.zone) == ("harbour-room", 8, "UTC")
    assert rooms.all() == [made]
    assert rooms.by_slug("harbour-room") == rooms.by_email("harbour@Museum.example") == made
    assert rooms.by_joan_id(made.joan_id) == rooms.by_evoko_id(made.evoko_id) == made
    for name in (made.id, made.slug, made.email, str(made.joan_id), made.evoko_id):
        assert rooms.named(name) == made
    for find in (rooms.get, rooms.by_slug, rooms.by_email, rooms.by_joan_id, rooms.by_evoko_id, rooms.named):
        with pytest.raises(NotFound):
            find("nothing")


def test_a_room_is_a_thng_with_a_redirection(tables, caller):
    made = room(tables, caller, tags=["quiet"], identifiers={"door": "2"})
    thng = catalogue.read(caller, THNG, made.id).document
    assert (thng["name"], thng["tags"]) == ("Harbour Room", ["quiet"])
    assert made.short is not None
    link = Links(tables, caller).read(*made.short)
    assert link.evrythng_id == made.id
    assert link.default_url() == setup.door_url(made.id)


def test_a_thng_becomes_a_room_and_keeps_its_redirection(tables, caller):
    thng = catalogue.create_thng(caller, NewThng(name="Chart Room"), None)["id"]
    made = setup.create(caller, tables, NewRoom(thng=thng, description="with charts"), DOMAIN, None)
    assert made.id == thng
    assert made.document["name"] == "Chart Room"
    assert catalogue.read(caller, THNG, thng).document["description"] == "with charts"
    short = made.document["shortId"]
    setup.delete(caller, thng)
    again = setup.create(replace(caller, at=NOON + 1), tables, NewRoom(thng=thng), DOMAIN, None)
    assert again.document["shortId"] == short
    with pytest.raises(Conflict, match="is a room already"):
        setup.create(replace(caller, at=NOON + 2), tables, NewRoom(thng=thng), DOMAIN, None)


def test_what_is_sent_of_a_room_is_what_the_core_sees(tables, caller):
    made = room(
        tables,
        caller,
        timezone="Europe/Dublin",
        rules={"opens": "08:30", "closes": "24:00", "days": ["fri", "mon"], "horizonDays": 30, "maxMinutes": 240},
        checkIn={"opensBefore": 5},
        approval=True,
        managers=["keeper@museum.example"],
        equipment={"wifi": True, "projector": False, "display": None},
        auth={"bookMeetingSettings": True},
    )
    rules = made.rules
    assert (rules.opens, rules.closes, rules.days) == (510, DAY_MINUTES, (1, 5))
    assert (rules.horizon_days, rules.min_minutes, rules.max_minutes, rules.buffer_minutes) == (30, None, 240, 0)
    assert made.check_in == CheckIn(opens_before_min=5, grace_min=10)
    assert (made.approval, made.managers) == (True, ("keeper@museum.example",))
    assert (made.facilities["wifi"], made.facilities["projector"], made.facilities["display"]) == (True, False, None)
    assert made.facilities["lights"] is None
    assert (made.auth["bookMeetingSettings"], made.auth["reportSettings"]) == (True, False)


def test_a_slug_or_an_address_belongs_to_one_room(tables, caller):
    room(tables, caller, slug="harbour", email="harbour@museum.example")
    for sent, field in (({"slug": "harbour"}, "slug"), ({"email": "HARBOUR@museum.example"}, "email")):
        with pytest.raises(Conflict, match=rf"^{field}: another room") as caught:
            room(tables, caller, "Other", **sent)
        assert caught.value.details[0].field == field
    assert len(Rooms(caller.tables).all()) == 1


def test_rooms_of_one_name_get_slugs_that_differ(tables, caller):
    made = [room(tables, caller) for _ in range(12)]
    assert [each.slug for each in made[:3]] == ["harbour-room", "harbour-room-2", "harbour-room-3"]
    assert len({each.slug for each in made}) == len({each.email for each in made}) == 12


def test_a_name_that_a_room_gives_up_is_free_again(tables, caller):
    made = room(tables, caller, slug="harbour")
    setup.update(caller, made.id, SentRoom(slug="quay", name="Quay Room"))
    assert Rooms(caller.tables).by_slug("quay").name == "Quay Room"
    assert catalogue.read(caller, THNG, made.id).document["name"] == "Quay Room"
    with pytest.raises(NotFound):
        Rooms(caller.tables).by_slug("harbour")
    assert room(tables, caller, slug="harbour").slug == "harbour"
    setup.delete(caller, made.id)
    assert room(tables, caller, slug="quay").slug == "quay"


def test_a_failed_change_of_a_room_leaves_it_and_its_names_as_they_were(tables, caller):
    one, two = room(tables, caller, slug="one"), room(tables, caller, slug="two")
    with pytest.raises(Conflict):
        setup.update(caller, two.id, SentRoom(slug="one", capacity=3))
    rooms = Rooms(caller.tables)
    assert (rooms.by_slug("one"), rooms.by_slug("two")) == (one, two)


def test_a_room_needs_a_structure_and_equipment_that_there_are(tables, caller):
    for field, value in (("structure", "U" * 24), ("customEquipment", {"U" * 24: True})):
        with pytest.raises(Invalid, match=rf"^{field}"):
            room(tables, caller, **{field: value})
    assert Rooms(caller.tables).all() == []


def test_equipment_is_set_piece_by_piece(tables, caller):
    made = room(tables, caller, equipment={"wifi": True, "lights": True})
    rooms = Rooms(caller.tables)
    before, after = rooms.set_facilities(made.id, {"wifi": False}, at=NOON + 1)
    assert before == made
    assert (after.facilities["wifi"], after.facilities["lights"]) == (False, True)
    assert rooms.get(made.id) == after
    with pytest.raises(Invalid, match="none of lights"):
        rooms.set_facilities(made.id, {"sauna": True}, at=NOON)
    with pytest.raises(Invalid, match=r"^customEquipment"):
        rooms.set_facilities(made.id, {}, {"sauna": True}, at=NOON)
    lectern = plain.create(caller, EQUIPMENT, {"name": "Lectern"}).id
    _, after = rooms.set_facilities(made.id, {}, {lectern: False}, at=NOON)
    assert after.custom == {lectern: False}


def test_rooms_of_another_project_are_out_of_sight(tables, caller):
    made = room(tables, caller)
    rooms = Rooms(caller.tables, Sight(frozenset({"UAnotherProject"})))
    assert rooms.all() == []
    with pytest.raises(NotFound):
        rooms.get(made.id)


def test_rooms_of_another_account_are_no_rooms(tables, caller):
    made = room(tables, caller)
    others = Rooms(caller_of(tables, "UAnother").tables)
    assert others.all() == []
    with pytest.raises(NotFound):
        others.named(made.slug)


def test_a_room_whose_creation_broke_off_is_made_by_the_next_try(tables):
    for calls in count():
        account = f"UTry{calls}"
        caller = caller_of(tables, account, new_id=SeededIds("x").new_id, new_short_id=SeededIds(account).new_short_id)
        access.create_account(tables, account=account, name="Museum", domain=DOMAIN, at=NOON)
        broken = hooked(tables, crashing(calls))
        try:
            room(broken, replace(caller, tables=broken.of(account)))
        except Crash:
            pass
        else:
            break
        again = {"new_id": SeededIds("x").new_id, "new_short_id": SeededIds(account).new_short_id}
        made = room(tables, caller_of(tables, account, **again))
        assert Rooms(caller.tables).all() == [made]
    assert calls > 8


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Café № 2", "cafe-no-2"), ("  Quay / Pier ", "quay-pier"), ("会議室", "room"), ("a" * 90, "a" * 60)],
)
def test_a_name_as_it_stands_in_an_address(name, slug):
    assert slug_of(name) == slug


def test_a_thng_that_is_a_room_is_not_deleted(tables, caller):
    made = room(tables, caller)
    with pytest.raises(Conflict, match="is a room"):
        catalogue.delete(caller, THNG, made.id)
    setup.delete(caller, made.id)
    catalogue.delete(caller, THNG, made.id)
    assert caller.tables.main.get(keys.document(made.id)) is None
