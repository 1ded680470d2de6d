"""Every list: what it can be filtered by and what that reads, whether it is counted, how its pages hang together.

Source: wire-facts, "Lists and pages", "The filter language".
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from fingerpost.ports.table import AccountTable
from tests.functions.lists import next_page
from tests.functions.people import anonymous
from tests.functions.world import HOUR, SUNDAY_NOON, Client, World, rule

OTHERS = 15
MOST_READ = 10  # rows and documents, for one that is found among all those others
LATER = SUNDAY_NOON + HOUR

type Known = dict[str, Any]  # `found` is what a filter has to find, the rest stands in filters


def filled(world: World, path: str, one: Any, other: Any, who: Client | None = None) -> str:
    """Some of these, and an hour later the one that is looked for."""
    client = who or world.operator
    for _ in range(OTHERS):
        client.made(path, other)
    world.clock.now = SUNDAY_NOON + HOUR
    found: str = client.made(path, one)["id"]
    return found


def described(kind: str, **more: Any) -> dict[str, Any]:
    return {"name": kind, "tags": [kind], "identifiers": {"gs1:21": kind}, **more}


def things(path: str) -> Callable[[World], Known]:
    return lambda world: {"found": filled(world, path, described("rare"), described("common"))}


def thngs(world: World) -> Known:
    product, others = world.product()["id"], world.product()["id"]
    collection, common = (world.operator.made("/collections", {"name": each})["id"] for each in "ab")
    one = described("rare", product=product, collections=[collection])
    found = filled(world, "/thngs", one, described("common", product=others, collections=[common]))
    return {"found": found, "product": product, "collection": collection}


def collections(world: World) -> Known:
    parent, other = (world.operator.made("/collections", {"name": each})["id"] for each in "ab")
    one, common = described("rare", collections=[parent]), described("common", collections=[other])
    return {"found": filled(world, "/collections", one, common), "collection": parent}


def applications(world: World) -> Known:
    """The others are in another project."""
    one, other = (world.operator.made("/projects", {"name": each})["id"] for each in "ab")
    for _ in range(OTHERS):
        world.operator.made(f"/projects/{other}/applications", {"name": "rare"})
    found = world.operator.made(f"/projects/{one}/applications", {"name": "rare"})["id"]
    return {"found": found, "path": f"/projects/{one}/applications", "project": one}


def users(world: World) -> Known:
    for _ in range(OTHERS):
        anonymous(world)
    one = anonymous(world)
    assert world.operator.put(one.path, {"firstName": "Rare", "lastName": "Rarer"}).status == 200
    return {"found": one.id, "email": one.email}


def actions(world: World) -> Known:
    for name in ("_rare", "_common"):
        world.operator.made("/actions", {"name": name}, project=world.project)
    made = [(world.thng(product=world.product()["id"])["id"], {"tags": [each]}) for each in ("common", "rare")]
    collection = world.operator.made("/collections", {"name": "rare"}, project=world.project)["id"]
    (common, other), (thng, one) = made
    filled(world, "/actions/_common", {**other, "thng": common}, {**other, "thng": common})
    marked = {**one, "thng": thng, "identifiers": {"gs1:21": "rare"}}
    found = world.operator.made("/actions/_rare", marked)["id"]
    product = world.operator.read(f"/thngs/{thng}")["product"]
    world.settle()
    return {"found": found, "thng": thng, "product": product, "collection": collection}


def actions_of_users(world: World) -> Known:
    world.operator.made("/actions", {"name": "_rare"}, project=world.project)
    one, other = anonymous(world), anonymous(world)
    filled(world, "/actions/_rare", {}, {}, other.client)
    found = one.client.made("/actions/_rare", {})["id"]
    world.settle()
    return {"found": found, "user": one.id}


def actions_on_collections(world: World) -> Known:
    one, other = (world.operator.made("/collections", {"name": each})["id"] for each in "ab")
    found = filled(world, "/actions/scans", {"collection": one}, {"collection": other})
    world.settle()
    return {"found": found, "collection": one}


def scans(world: World) -> Known:
    short_id = world.operator.link(world.thng()["id"])["shortId"]
    for _ in range(OTHERS):
        world.scan(short_id, country="GB", city="London")
    world.scan(short_id, country="IE", city="Dublin")
    world.settle()
    (found,) = (each["id"] for each in world.operator.read("/actions/all?context=true") if dublin(each))
    return {"found": found}


def dublin(action: Any) -> bool:
    return bool(action["context"].get("city") == "Dublin")


def action_types(world: World) -> Known:
    for number in range(OTHERS):
        world.operator.made("/actions", {"name": f"_common{number}"})
    return {"found": world.operator.made("/actions", {"name": "_rare"})["id"]}


def roles(world: World) -> Known:
    return {"found": filled(world, "/roles", {"name": "rare", "type": "userInApp"}, {"name": "common"})}


def rooms(world: World) -> Known:
    known, common = (world.operator.made("/rooms/structures", {"name": each, "level": "city"})["id"] for each in "ab")
    one = {"name": "rare", "slug": "rare", "email": "rare@x.example", "structure": known, "type": "rare"}
    return {"found": filled(world, "/rooms", one, {"name": "common", "structure": common}), "structure": known}


def structures(world: World) -> Known:
    known = world.operator.made("/rooms/structures", {"name": "known", "level": "country"})["id"]
    one = {"name": "rare", "level": "city", "parent": known}
    return {"found": filled(world, "/rooms/structures", one, {"name": "common", "level": "floor"}), "parent": known}


def room_people(world: World) -> Known:
    one = {"name": "rare", "email": "rare@x.example", "username": "rare"}
    return {"found": filled(world, "/rooms/people", one, {"name": "common"})}


def hubs_of_rooms(world: World) -> Known:
    room = world.operator.made("/rooms", {"name": "x"})["id"]
    found = filled(world, "/rooms/hubs", {"name": "rare", "room": room}, {"name": "common"})
    return {"found": found, "room": room}


def panels(world: World) -> Known:
    one, other = (world.operator.made("/rooms", {"name": each})["id"] for each in "ab")
    for number in range(OTHERS):
        world.operator.made("/rooms/devices", {"uuid": f"common-{number}", "room": other})
    return {"found": world.operator.made("/rooms/devices", {"uuid": "rare", "room": one})["id"], "room": one}


# Where, what is in there, and filters that find one; `{...}` is what the filling knows.
FILTERS: list[tuple[str, Callable[[World], Known], tuple[str, ...]]] = [
    (
        "/thngs",
        thngs,
        (
            *("name=rare", "name=rar*", "tags=rare", "identifiers.gs1:21=rare", "product={product}"),
            *("collections={collection}", f"createdAt>{LATER - 1}", f"createdAt={LATER}..{LATER}"),
        ),
    ),
    ("/products", things("/products"), ("name=rare", "name=rar*", "tags=rare", "identifiers.gs1:21=rare")),
    (
        "/collections",
        collections,
        ("name=rare", "name=rar*", "tags=rare", "identifiers.gs1:21=rare", "collections={collection}"),
    ),
    ("/places", things("/places"), ("name=rare", "name=rar*", "tags=rare", "identifiers.gs1:21=rare")),
    ("/projects", things("/projects"), ("name=rare", "name=rar*", "tags=rare", "identifiers.gs1:21=rare")),
    ("{path}", applications, ("name=rare", "name=rar*", "project={project}")),
    ("/users", users, ("email={email}", "firstName=Rare", "lastName=Rarer")),
    (
        "/actions/all",
        actions,
        (
            *("type=_rare", "thng={thng}", "product={product}", "tags=rare", "identifiers.gs1:21=rare"),
            "thng={thng}&timestamp>1",
        ),
    ),
    ("/actions/all", actions_of_users, ("user={user}",)),
    ("/actions/all", actions_on_collections, ("collection={collection}", f"timestamp>{LATER - 1}")),
    ("/actions/all", scans, ("context.city=Dublin", "context.countryCode=IE")),
    ("/actions", action_types, ("name=_rare", "name=_rar*")),
    (
        "/rooms",
        rooms,
        ("name=rare", "name=rar*", "slug=rare", "email=rare@x.example", "structure={structure}", "type=rare"),
    ),
    ("/rooms/structures", structures, ("name=rare", "level=city", "parent={parent}")),
    ("/rooms/equipment", things("/rooms/equipment"), ("name=rare", "name=rar*")),
    ("/rooms/people", room_people, ("name=rare", "email=rare@x.example", "username=rare")),
    ("/rooms/hubs", hubs_of_rooms, ("name=rare", "room={room}")),
    ("/rooms/devices", panels, ("room={room}",)),
    ("/roles", roles, ("name=rare", "type=userInApp&name=rare")),
]
ROWS = [(path, fill, each) for path, fill, filters in FILTERS for each in filters]


@contextmanager
def counted_reads() -> Iterator[list[int]]:
    """How many rows each read answers or looks for."""
    read: list[int] = []
    get_many, query = AccountTable.get_many, AccountTable.query

    def counting_get_many(table: AccountTable, keys: Any, **more: Any) -> Any:
        read.append(len(keys))
        return get_many(table, keys, **more)

    def counting_query(table: AccountTable, *arguments: Any, **more: Any) -> Any:
        page = query(table, *arguments, **more)
        read.append(len(page.rows))
        return page

    with patch.object(AccountTable, "get_many", counting_get_many), patch.object(AccountTable, "query", counting_query):
        yield read


@pytest.mark.parametrize(("path", "fill", "text"), ROWS, ids=[f"{fill.__name__} {text}" for _, fill, text in ROWS])
def test_a_filter_finds_one_of_many_by_an_index(world, operator, path, fill, text):
    known = fill(world)
    with counted_reads() as read:
        documents = operator.read(path.format(**known), filter=text.format(**known))
    assert [each["id"] for each in documents if "id" in each] == [known["found"]]
    assert sum(read) <= MOST_READ, read


@pytest.mark.parametrize("path", ["/thngs/{}/properties/lit", "/thngs/{}/location"])
def test_a_time_narrows_what_is_read_of_a_history(world, operator, path):
    thng = world.thng()["id"]
    readings = [{"timestamp": SUNDAY_NOON - number * 1_000} for number in range(2 * OTHERS)]
    value = {"value": 1} if "properties" in path else {"latitude": 53.3, "longitude": -6.2}
    assert operator.put(path.format(thng), [{**each, **value} for each in readings]).status == 200
    with counted_reads() as read:
        found = operator.read(path.format(thng), filter=f"timestamp={SUNDAY_NOON - 9_000}..{SUNDAY_NOON - 8_000}")
    assert [each["timestamp"] for each in found] == [SUNDAY_NOON - 8_000, SUNDAY_NOON - 9_000]
    assert sum(read) <= MOST_READ, read


def test_the_one_account_is_filtered_by_its_name(operator):
    (account,) = operator.read("/accounts")
    for name, number in ((account["name"], 1), ("Harb*", 1), ("Other", 0)):
        answer = operator.get("/accounts", filter=f"name={name}")
        assert len(answer.document) == number
        assert answer.headers["x-result-count"] == str(number)


# Lists whose clients read how many there are in all (wire-facts), and those whose clients do not: counting costs.

COUNTED = (
    *("/accounts", "/collections", "/places", "/projects", "{applications}", "/users", "/redirections"),
    *("/rooms", "/rooms/equipment", "/rooms/people", "/rooms/hubs"),
)
NOT_COUNTED = (
    *("/thngs", "/products", "/actions", "/actions/all", "/roles", "/audit", "/redirector/versions"),
    *("/redirector/drafts", "/thngs/{thng}/properties", "/thngs/{thng}/properties/lit", "/thngs/{thng}/location"),
)


@pytest.fixture
def lists(world, operator):
    """Five of everything; addresses by what stands for them in the tables."""
    names = [f"n{number}" for number in range(5)]
    applications, thng = f"/projects/{world.project}/applications", world.thng()["id"]
    for name in names:
        world.clock.now += 1_000
        for path in (
            *("/thngs", "/products", "/collections", "/places", "/projects", "/roles", applications),
            *("/rooms", "/rooms/equipment", "/rooms/people", "/rooms/hubs"),
        ):
            operator.made(path, {"name": name})
        operator.made("/actions", {"name": f"_{name}"})
        operator.made("/actions/scans", {"thng": thng})
        operator.link(thng)
        anonymous(world)
        operator.publish(rule(url=f"https://{name}.example/"))
        assert operator.put(f"/redirector/drafts/{name}", {"rules": []}).status == 200
        assert operator.put(f"/thngs/{thng}/properties", [{"key": each, "value": 1} for each in (name, "lit")])
        assert operator.put(f"/thngs/{thng}/location", [{"latitude": 53.3, "longitude": -6.2}]).status == 200
    world.settle()
    return {"applications": applications, "thng": thng}


def test_lists_are_counted_where_clients_read_how_many_there_are(operator, lists):
    for path in COUNTED:
        answer = operator.get(path.format(**lists), perPage=1)
        whole = operator.read(path.format(**lists), perPage=100)
        assert answer.headers["x-result-count"] == str(len(whole)), path
    for path in NOT_COUNTED:
        assert "x-result-count" not in operator.get(path.format(**lists)).headers, path


def test_pages_of_every_list_hold_together_while_others_write(world, operator, lists):
    """What was there when the first page was read is in one page, once, whatever comes and goes meanwhile."""
    for path in (*COUNTED, *NOT_COUNTED):
        address = path.format(**lists)
        before = [same(each) for each in operator.read(address, perPage=100)]
        found: list[str] = []
        answer = operator.get(address, perPage=2)
        while answer is not None:
            assert answer.status == 200, answer
            found += [same(each) for each in answer.document]
            written_between(world, lists)
            answer = next_page(operator, answer)
        assert len(found) == len(set(found)), path
        assert set(before) <= set(found), path
        assert [each for each in found if each in before] == before, path


def same(document: Any) -> str:
    """What tells one document of a list from another."""
    for name in ("id", "name", "key", "shortId", "version", "timestamp"):
        if name in document:
            return str(document[name])
    raise AssertionError(document)


def written_between(world: World, lists: dict[str, str]) -> None:
    world.clock.now += 1_000
    name = f"z{world.clock.now}"
    for path in ("/thngs", "/collections", "/places", "/projects", lists["applications"]):
        world.operator.made(path, {"name": name})
    world.operator.made("/actions/scans", {"thng": lists["thng"]})
    world.operator.put(f"/thngs/{lists['thng']}/properties", [{"key": name, "value": 1}, {"key": "lit", "value": 2}])
    world.settle()
