"""What panels search, and what they report of equipment."""

import pytest

from fingerpost.rooms import plain, structures
from fingerpost.rooms.kinds import EQUIPMENT
from fingerpost.rooms.model import Room
from tests.functions.panels import House, Panel, at
from tests.functions.world import HOUR

MINUTE = 60_000


@pytest.fixture
def room(house: House) -> Room:
    return house.room(capacity=4, equipment={"wifi": True, "lights": True, "display": False})


def search(panel: Panel, **more):
    params = {
        "room": {"_id": "not-a-liso"},
        "startDate": at(14),
        "endTDate": at(14, 30),
        "location": {"country": False, "city": False, "building": False, "floor": False},
        "seats": "1-5",
        "equipment": {"wifi": False},
        "customEquipment": [],
        "isFiltered": True,
        "metadata": {"demoMode": False},
        **more,
    }
    answer = panel.result("getAvailableRoomsAdvancedNew", params)
    return tuple([each["name"] for each in answer[name]] for name in ("fullMatchArray", "partialMatchArray"))


def test_rooms_match_in_full_in_part_or_not_at_all(house: House, panel: Panel, room: Room):
    item = plain.create(house.caller, EQUIPMENT, {"name": "Fika"}).id
    house.room("Large", capacity=8, equipment={"wifi": True}, customEquipment={item: True})
    assert search(panel) == (["Fika room"], ["Large"])
    assert search(panel, seats="5-10") == (["Large"], ["Fika room"])
    assert search(panel, seats="50+") == ([], ["Fika room", "Large"])
    assert search(panel, seats="1-100", equipment={"wifi": True}) == (["Fika room", "Large"], [])
    assert search(panel, equipment={"display": True, "lights": True})[0] == []  # what is broken is not there
    wish = [{"_id": item, "name": "Fika", "isChecked": True}]
    assert search(panel, customEquipment=wish) == ([], ["Fika room", "Large"])
    four = {"wifi": True, "projector": True, "ac": True, "computer": True}
    assert search(panel, seats="50+", equipment=four) == ([], [])


def test_time_and_place_filter_whatever_else_matches(house: House, panel: Panel):
    country = structures.create(house.caller, {"name": "Sweden", "level": "country"}).id
    floor = structures.create(house.caller, {"name": "Ground", "level": "floor", "parent": country}).id
    here = house.room(capacity=4, structure=floor)
    house.room("Elsewhere", capacity=4)
    house.room("Closed", capacity=4, rules={"opens": "08:00", "closes": "12:00"})
    house.room("Out of use", capacity=4, active=False)
    assert search(panel) == (["Elsewhere", "Fika room"], [])
    assert search(panel, location={"country": country, "floor": floor}) == (["Fika room"], [])
    assert search(panel, location={"country": country, "floor": "none"}) == ([], [])
    house.book(here, start=2 * HOUR + 15 * MINUTE)
    assert search(panel) == (["Elsewhere"], [])
    assert search(panel, endTDate=None, startDate=None, startTime=at(9, 0), endTime=at(9, 30))[0] == [
        "Closed",
        "Elsewhere",
        "Fika room",
    ]


@pytest.mark.parametrize(
    "change",
    [{"seats": "many"}, {"seats": " " * 100 + "1"}, {"equipment": [1]}, {"location": 7}, {"customEquipment": ["x"]}],
)
def test_a_search_that_makes_no_sense_is_refused(panel: Panel, change):
    error = panel.error("getAvailableRoomsAdvancedNew", {"startDate": at(14), "endDate": at(15), **change})
    assert error["reason"] == "GenericError5" and error["details"]


def test_an_answer_fits_into_a_message(house: House, panel: Panel, monkeypatch):
    monkeypatch.setattr("fingerpost.rooms.evoko.methods.MAX_ANSWER_BYTES", 1_100)
    for name in ("One", "Two", "Three"):
        house.room(name, capacity=4)
    assert len(search(panel)[0]) == 2


# Equipment


def report(room: Room, equipment, custom=(), **more):
    return {"roomObject": {"_id": room.evoko_id, "equipment": equipment, "customEquipment": list(custom)}, **more}


def test_equipment_is_reported_broken_and_repaired_and_everybody_sees_it(house: House, panel: Panel, room: Room):
    item = plain.create(house.caller, EQUIPMENT, {"name": "Fika"}).id
    other = house.at_the_door()
    for each in (panel, other):
        each.subscribe("allRooms", "ALL")
    broken = report(room, {"wifi": False, "display": True}, [{"_id": item, "name": "Fika", "isChecked": True}])
    answers = panel.call("editRoomEquipmentReport", broken)
    assert [each["msg"] for each in answers] == ["result", "changed", "updated"]  # all before the end
    assert answers[0]["result"]["message"] == "RoomSuccessEquipUpdateBroken"
    house.world.settle()
    other.hear()
    shown = other.documents["rooms"][room.evoko_id]
    assert (shown["equipment"]["wifi"], shown["equipment"]["display"]) == (False, True)
    assert shown["customEquipment"] == [{"_id": item, "name": "Fika", "isChecked": True}]
    repaired = report(room, {"wifi": True, "display": True})
    assert panel.result("editRoomEquipmentReport", repaired)["message"] == "RoomSuccessEquipUpdateRepaired"
    events = [each["type"] for each in house.rows("action")]
    assert events.count("_EquipmentReported") == 2


def test_only_admins_repair_where_the_report_asks_for_one(house: House, panel: Panel, room: Room):
    house.person("Ann", pin="1111", admin=True)
    house.person("Bob", pin="2222")
    house.person("Cat", username="cat", password="turf cutters", admin=True)
    fixed = report(room, {"display": True}, adminReportFlag=True)
    for more in ({}, {"pin": 2222}):
        assert panel.refused("editRoomEquipmentReport", fixed | more) == (403, "NoAuthorizedResourceAccess")
    assert panel.refused("editRoomEquipmentReport", fixed | {"pin": 3333}) == (400, "PinWrongNumber")
    broken = report(room, {"lights": False}, adminReportFlag=True)
    assert panel.result("editRoomEquipmentReport", broken)["message"] == "RoomSuccessEquipUpdateBroken"
    assert panel.result("editRoomEquipmentReport", fixed | {"pin": 1111})["message"] == "RoomSuccessEquipUpdateRepaired"
    admin = house.panel()
    admin.log_in("cat", "turf cutters")
    lights = report(room, {"lights": True}, adminReportFlag=True)
    assert admin.result("editRoomEquipmentReport", lights)["message"] == "RoomSuccessEquipUpdateRepaired"


@pytest.mark.parametrize(
    ("equipment", "custom"),
    [({"wifi": "yes"}, ()), ({"cake": True}, ()), ([], [7]), ({}, [{"_id": "none", "isChecked": True}])],
)
def test_a_report_of_what_there_is_not_is_refused(panel: Panel, room: Room, equipment, custom):
    error = panel.error("editRoomEquipmentReport", report(room, equipment, custom))
    assert error["reason"] == "GenericError5" and error["details"]
