"""Rules that ask for the closest place, with places that are really there."""

from tests.functions.world import DEFAULT, SECOND, World, rule

HERE = {"latitude": "53.3498", "longitude": "-6.2603"}


def test_a_scan_is_decided_by_the_closest_place_and_an_applications_by_that_of_its_project(
    world: World, operator, short_id
):
    near = {"position": {"type": "Point", "coordinates": [-6.2604, 53.3499]}}
    far = {"position": {"type": "Point", "coordinates": [-6.27, 53.35]}}
    operator.made("/places", {"name": "Kiosk", "tags": ["kiosk"], **near})
    operator.made(
        "/places", {"name": "Hall", "tags": ["hall"], "customFields": {"floor": 2}, **far}, project=world.project
    )
    url = "https://hall.example/{place.customFields.floor}"
    path = f"/projects/{world.project}/applications/{world.application_id}/redirector"
    assert operator.put(path, {"rules": [rule("place.tags=hall & place.distance>500", url)]}).status == 200
    operator.publish(
        rule("place.tags=kiosk & place.distance<100 & language=fr", "https://kiosk.example/"),
        {"delegates": [{"app": world.application_id}]},
    )
    assert world.scan(short_id, accept_language="fr", **HERE).location == "https://kiosk.example/"
    assert world.scan(short_id, **HERE).location == "https://hall.example/2"
    world.clock.now += 5 * SECOND
    assert world.scan(short_id).location == DEFAULT
    world.settle()
    action = operator.read("/actions/implicitScans", perPage="2")[1]
    assert action["reactions"][0]["redirectionContext"]["place.tags"] == ["hall"]
