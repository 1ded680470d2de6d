"""What is in collections: thngs, and other collections."""

import pytest

from fingerpost.catalogue import members
from fingerpost.catalogue.model import THNG
from fingerpost.together import Together
from tests.functions.lists import ids, walked
from tests.functions.world import HOUR, SECOND, SUNDAY_NOON, Client, World

NOBODY = "U0000000000000000000000X"


@pytest.fixture
def office(operator: Client) -> str:
    return collection(operator, "Office")


def collection(client: Client, name: str, **more: object) -> str:
    identifier: str = client.made("/collections", {"name": name, **more})["id"]
    return identifier


def thngs(world: World, number: int, **more: object) -> list[str]:
    made = []
    for n in range(number):
        world.clock.now += SECOND
        made.append(world.thng(name=f"t{n}", **more)["id"])
    return made


def within(client: Client, collection_id: str, kind: str = "thngs") -> list[str]:
    return ids(client.read(f"/collections/{collection_id}/{kind}", perPage=100))


# Thngs


def test_a_thng_is_put_in_shown_there_and_taken_out(world: World, operator: Client, office):
    thng = world.thng()["id"]
    world.clock.now += HOUR
    answer = world.answered("catalogue/add-thngs", COLLECTION=office, THNG=thng)
    assert (answer.status, answer.document) == (200, operator.read(f"/collections/{office}"))
    shown = operator.read(f"/thngs/{thng}")
    assert (shown["collections"], shown["updatedAt"]) == ([office], SUNDAY_NOON + HOUR)
    assert world.answered("catalogue/list-members", COLLECTION=office).document == [shown]
    assert ids(operator.read("/thngs", filter=f"collections={office}")) == [thng]
    answer = world.answered("catalogue/remove-thngs", COLLECTION=office)
    assert (answer.status, answer.content, answer.headers["x-result-count"]) == (200, b"", "1")
    assert within(operator, office) == operator.read("/thngs", filter=f"collections={office}") == []
    assert "collections" not in operator.read(f"/thngs/{thng}")


def test_twice_in_is_once_and_one_may_be_in_several(world: World, operator: Client, office):
    one, two = thngs(world, 2)
    other = collection(operator, "Other")
    for sent in ([one], [one, two, one], []):
        assert operator.put(f"/collections/{office}/thngs", sent).status == 200
    operator.put(f"/collections/{other}/thngs", [two])
    assert (within(operator, office), within(operator, other)) == ([two, one], [two])
    assert operator.read(f"/thngs/{two}")["collections"] == [office, other]
    assert operator.delete(f"/collections/{office}/thngs/{two}").status == 200
    assert operator.read(f"/thngs/{two}")["collections"] == [other]
    answer = operator.delete(f"/collections/{office}/thngs/{two}")
    assert answer.status == 404 and "not in the collection" in answer.error
    assert operator.delete(f"/collections/{office}/thngs/{NOBODY}").status == 404


def test_members_are_filtered_and_paged_and_survive_an_update(world: World, operator: Client, office):
    made = thngs(world, 5, tags=["a"])
    operator.put(f"/collections/{office}/thngs", made)
    assert walked(operator, f"/collections/{office}/thngs?perPage=2") == [made[:2:-1], made[2:0:-1], made[:1]]
    assert ids(operator.read(f"/collections/{office}/thngs", filter="name=t3|name=t9")) == [made[3]]
    operator.put(f"/thngs/{made[0]}", {"tags": ["b"], "collections": []})
    assert ids(operator.read(f"/collections/{office}/thngs", filter="tags=b")) == [made[0]]
    assert operator.get(f"/collections/{office}/thngs", filter="x=1").status == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, None),
        ("x", None),
        ([1], "[0]"),
        (["x"], "[0]"),
        ([NOBODY], "[0]"),
        ([{"id": NOBODY}], "[0]"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["thngs", "collections"])
def test_what_is_no_list_of_ids_is_refused(world: World, operator: Client, office, kind, body, field):
    before = world.rows()
    answer = operator.call("PUT" if kind == "thngs" else "POST", f"/collections/{office}/{kind}", body)
    assert answer.status == 400
    assert (answer.document["details"][0]["field"] if field else None) == field
    assert world.rows() == before


def test_one_that_is_not_there_keeps_all_out_and_is_named(world: World, operator: Client, office):
    one, two = thngs(world, 2)
    before = world.rows()
    for sent, where in (([one, NOBODY, two], "[1]"), ([one, one, office], "[2]")):
        answer = operator.put(f"/collections/{office}/thngs", sent)
        assert (answer.status, answer.document["details"][0]["field"]) == (400, where)
    assert world.rows() == before


def test_limits_are_named(operator: Client, office):
    answer = operator.put(f"/collections/{office}/thngs", [NOBODY] * 10_001)
    assert (answer.status, answer.document["code"]) == (400, "tooLarge") and "10,000" in answer.error
    answer = operator.post(f"/collections/{office}/collections", [NOBODY] * 101)
    assert (answer.status, answer.document["code"]) == (400, "tooLarge") and "100" in answer.error


def test_more_than_a_transaction_go_in_and_500_a_call_go_out(world: World, operator: Client, office, monkeypatch):
    made = thngs(world, 230)
    assert operator.put(f"/collections/{office}/thngs", made).status == 200
    assert [each for page in walked(operator, f"/collections/{office}/thngs?perPage=100") for each in page] == made[
        ::-1
    ]
    monkeypatch.setattr(members, "MAX_REMOVED", 100)
    counts = [operator.delete(f"/collections/{office}/thngs").headers["x-result-count"] for _ in range(4)]
    assert counts == ["100", "100", "30", "0"]
    assert within(operator, office) == []
    assert members.MAX_THNGS == 10_000


def test_a_thng_may_begin_in_collections(world: World, operator: Client, office):
    other = collection(operator, "Other")
    made = world.thng(collections=[office, other, office])
    assert made["collections"] == [office, other]
    assert within(operator, office) == [made["id"]]
    assert "collections" not in world.thng(collections=[])
    answer = operator.post("/thngs", {"name": "x", "collections": [office, NOBODY]})
    assert (answer.status, answer.document["details"][0]["field"]) == (400, "collections")


# Collections in collections


def test_a_collection_is_put_into_another_and_taken_out(world: World, operator: Client, office):
    child = collection(operator, "Desk")
    answer = world.answered("catalogue/add-collections", COLLECTION=office, CHILD=child)
    assert (answer.status, answer.document) == (200, operator.read(f"/collections/{office}"))
    assert operator.read(f"/collections/{child}")["collections"] == [office]
    listed = operator.get(f"/collections/{office}/collections")
    assert (ids(listed.document), listed.headers["x-result-count"]) == ([child], "1")
    assert ids(operator.read("/collections", filter=f"collections={office}")) == [child]
    assert operator.delete(f"/collections/{office}/collections/{child}").status == 200
    assert operator.delete(f"/collections/{office}/collections/{child}").status == 404
    assert within(operator, office, "collections") == []


def test_all_children_go_at_once_and_say_how_many(operator: Client, office):
    children = [collection(operator, f"c{n}", collections=[office]) for n in range(3)]
    assert set(within(operator, office, "collections")) == set(children)
    answer = operator.delete(f"/collections/{office}/collections")
    assert (answer.status, answer.headers["x-result-count"]) == (200, "3")
    assert within(operator, office, "collections") == []


def test_no_collection_is_in_itself_however_indirectly(world: World, operator: Client):
    a, b, c = (collection(operator, name) for name in "abc")
    assert operator.post(f"/collections/{a}/collections", [b]).status == 200
    assert operator.post(f"/collections/{b}/collections", [c]).status == 200
    before = world.rows()
    other = collection(operator, "other")
    for parent, child in ((a, a), (b, a), (c, a), (c, b)):
        answer = operator.post(f"/collections/{parent}/collections", [other, child])
        assert (answer.status, answer.document["details"][0]["field"]) == (400, "[1]")
    assert {key for key in world.rows() if key not in before} == {
        key for key in world.rows() if other in key[1].pk or other in key[1].sk
    }
    assert operator.post(f"/collections/{a}/collections", [c]).status == 200, "two ways lead there, neither in a circle"
    assert operator.delete(f"/collections/{a}/collections/{b}").status == 200
    assert operator.post(f"/collections/{c}/collections", [a]).status == 400
    assert operator.delete(f"/collections/{a}/collections/{c}").status == 200
    assert operator.post(f"/collections/{c}/collections", [a]).status == 200


def test_a_collection_is_in_no_more_than_a_transaction_can_hold_still(operator: Client, monkeypatch):
    monkeypatch.setattr(members, "MAX_ABOVE", 3)
    chain = [collection(operator, "0")]
    for number in range(1, 4):
        chain.append(collection(operator, str(number)))
        assert operator.post(f"/collections/{chain[-2]}/collections", [chain[-1]]).status == 200
    answer = operator.post(f"/collections/{chain[-1]}/collections", [collection(operator, "x")])
    assert (answer.status, answer.document["code"]) == (400, "tooLarge") and "3" in answer.error


# Deleting, seeing


def test_a_deleted_collection_takes_its_memberships_away(world: World, operator: Client, office):
    (thng,), child, other = thngs(world, 1), collection(operator, "Desk"), collection(operator, "Other")
    for each in (office, other):
        operator.put(f"/collections/{each}/thngs", [thng])
        operator.post(f"/collections/{each}/collections", [child])
    assert operator.delete(f"/collections/{office}").status == 200
    assert operator.get(f"/collections/{office}/thngs").status == 404
    world.settle()
    assert operator.read(f"/thngs/{thng}")["collections"] == [other]
    assert operator.read(f"/collections/{child}")["collections"] == [other]
    assert operator.read("/thngs", filter=f"collections={office}") == []


def test_a_deleted_collections_record_puts_its_disbanding_on_the_queue(world: World, operator: Client, office):
    made = thngs(world, 3)
    operator.put(f"/collections/{office}/thngs", made)
    operator.delete(f"/collections/{office}")
    assert world.story("dispatch/collection-deleted", COLLECTION=office) == {"batchItemFailures": []}
    (message,) = world.queues["work"].receive(visibility_ms=0)
    assert message.body == f'{{"do": "disband", "account": "{world.account}", "collection": "{office}"}}'
    for _ in range(2):
        assert world.story("work/disband", COLLECTION=office) == {"batchItemFailures": []}
    world.settle()
    assert all("collections" not in operator.read(f"/thngs/{each}") for each in made)


def test_a_thng_that_joined_while_its_collection_went_leaves_it_at_the_second_look(
    world: World, operator: Client, office
):
    (thng,) = thngs(world, 1)
    operator.delete(f"/collections/{office}")
    world.settle()
    tables = world.tables.of(world.account)
    Together(tables, THNG).update_many([thng], lambda document: {**document, "collections": [office]})
    world.clock.now += HOUR
    world.settle()
    assert "collections" not in operator.read(f"/thngs/{thng}")


def test_a_deleted_member_is_in_no_list(world: World, operator: Client, office):
    one, two = thngs(world, 2)
    operator.put(f"/collections/{office}/thngs", [one, two])
    operator.delete(f"/thngs/{one}")
    assert within(operator, office) == [two]


def test_a_project_sees_its_own_members_and_takes_out_no_others(world: World, operator: Client):
    shared = collection(operator, "Shared", scopes={"projects": ["all"]})
    own, foreign = world.trusted.made("/thngs", {"name": "own"})["id"], world.thng()["id"]
    assert world.trusted.put(f"/collections/{shared}/thngs", [own, foreign]).status == 400
    assert world.trusted.put(f"/collections/{shared}/thngs", [own]).status == 200
    operator.put(f"/collections/{shared}/thngs", [foreign])
    assert within(world.trusted, shared) == [own]
    assert set(within(operator, shared)) == {own, foreign}
    assert world.trusted.delete(f"/collections/{shared}/thngs/{foreign}").status == 404
    assert world.trusted.delete(f"/collections/{shared}/thngs").headers["x-result-count"] == "1"
    assert within(operator, shared) == [foreign]


def test_a_collection_out_of_sight_is_not_there(world: World, operator: Client, office):
    (thng,) = thngs(world, 1)
    operator.put(f"/collections/{office}/thngs", [thng])
    for client in (world.trusted, world.stranger):
        for kind in ("thngs", "collections"):
            path = f"/collections/{office}/{kind}"
            assert client.get(path).status == client.delete(path).status == 404
            assert client.delete(f"{path}/{thng}").status == 404
        assert client.put(f"/collections/{office}/thngs", []).status == 404
        assert client.post(f"/collections/{office}/collections", []).status == 404
    assert world.application.put(f"/collections/{office}/thngs", []).status == 403


def test_a_member_that_comes_into_a_project_is_listed_there(world: World, operator: Client):
    shared = collection(operator, "Shared", scopes={"projects": ["all"]})
    (thng,) = thngs(world, 1)
    operator.put(f"/collections/{shared}/thngs", [thng])
    assert within(world.trusted, shared) == []
    operator.put(f"/thngs/{thng}", {"scopes": {"projects": [world.project]}})
    assert within(world.trusted, shared) == [thng]
