"""What time it is, for anybody."""

from tests.functions.world import SUNDAY_NOON, Client, World

CHANGE = 1_774_746_000_000  # 2026-03-29T01:00:00Z


def test_the_time_in_a_zone(world: World):
    answer = world.answered("access/read-time")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.document == {
        "timestamp": SUNDAY_NOON,
        "offset": 3_600_000,
        "localTime": "2026-03-15T13:00:00.000+01:00",
        "nextChange": CHANGE,
    }


def test_the_moment_before_a_change_and_the_change(world: World):
    world.clock.now = CHANGE - 1
    before = world.nobody.read("/time", tz="Europe/Zurich")
    world.clock.now = CHANGE
    after = world.nobody.read("/time", tz="Europe/Zurich")
    assert (before["offset"], before["nextChange"], before["localTime"]) == (
        3_600_000,
        CHANGE,
        "2026-03-29T01:59:59.999+01:00",
    )
    assert (after["offset"], after["localTime"]) == (7_200_000, "2026-03-29T03:00:00.000+02:00")
    assert after["nextChange"] == 1_792_890_000_000


def test_the_time_alone_needs_neither_zone_nor_key(world: World, operator: Client):
    assert world.nobody.read("/time") == operator.read("/time") == {"timestamp": SUNDAY_NOON}
    assert Client(world, "a key that nobody has").get("/time").status == 200


def test_an_unknown_zone_is_refused_with_the_nearest(world: World):
    answer = world.nobody.get("/time", tz="Europe/Zuerich")
    assert (answer.status, answer.document["details"][0]["suggestion"]) == (400, "Europe/Zurich")
    assert world.nobody.get("/time?tz=").status == 400
    assert world.nobody.post("/time").status == 405
