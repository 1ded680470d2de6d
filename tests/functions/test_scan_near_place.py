"""The closest place of a real scan decides."""

from tests.functions.world import Client, World


def test_a_rule_on_the_closest_place_reads_the_account_s_places(world: World, operator: Client, short_id: str):
    operator.made("/places", {"name": "Far shop", "position": {"type": "Point", "coordinates": [0.0, 10.0]}})
    near = operator.made("/places", {"name": "Cork shop", "latitude": 51.9, "longitude": -8.47, "tags": ["shop"]})
    operator.publish(
        {"match": "place.tags=shop & place.distance<2000", "redirectUrl": "https://shop.example/{place.id}"}
    )
    here = {"latitude": "51.901", "longitude": "-8.471"}
    assert world.scan(short_id, **here).location == f"https://shop.example/{near['id']}"
    assert "shop.example" not in world.scan(short_id, latitude="53", longitude="-6").location
    assert "shop.example" not in world.scan(short_id).location
