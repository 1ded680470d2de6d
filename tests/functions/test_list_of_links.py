"""All links of an account, of a project, on a domain: in their order, page by page, and none is ever missing."""

from contextlib import suppress
from typing import Any

import pytest

from fingerpost import keys
from fingerpost.errors import Conflict
from fingerpost.redirection.documents import SentRedirection
from fingerpost.redirection.links import Links
from fingerpost.redirection.upkeep import refresh_hints
from tests.functions.lists import next_page
from tests.functions.world import DOMAIN, HOUR, SECOND, Client, World
from tests.stores import Crash, caller_of, crashing, hooked


def names(documents: list[Any]) -> list[str]:
    return [each["shortId"] for each in documents]


@pytest.fixture
def made(world: World, operator: Client) -> list[str]:
    """Seven links of several things, a second apart, newest first."""
    made = []
    for number in range(7):
        world.clock.now += SECOND
        thing = world.product() if number % 2 else world.thng()
        made.append(operator.link(thing["id"], shortId=f"N{6 - number}")["shortId"])
    return made[::-1]


def test_all_links_are_listed_the_newest_first_with_a_count(world: World, operator: Client, made):
    answer = operator.get("/redirections")
    assert names(answer.document) == made
    assert answer.headers["x-result-count"] == "7"
    assert answer.document[0] == operator.read(f"/redirections/{made[0]}")
    assert names(operator.read("/redirections", sortOrder="ASCENDING")) == made[::-1]
    assert names(operator.read("/redirections", on_short=True)) == made
    assert world.stranger.read("/redirections") == []


def test_the_list_has_pages(operator: Client, made):
    pages = []
    answer: Any = operator.get("/redirections", perPage=3)
    while answer is not None:
        pages.append(names(answer.document))
        answer = next_page(operator, answer)
    assert pages == [made[:3], made[3:6], made[6:]]


def test_what_happens_to_links_between_pages_hides_none_of_the_others(operator: Client, made, world: World):
    first = operator.get("/redirections", perPage=3)
    operator.delete(f"/redirections/{made[2]}")
    world.clock.now += SECOND
    operator.link(world.thng()["id"], shortId="NEW")
    operator.put(f"/redirections/{made[4]}", {"defaultRedirectUrl": "https://changed.example/"})
    following = next_page(operator, first)
    assert following is not None and names(following.document) == made[3:6]
    assert names(operator.read("/redirections")) == ["NEW", *made[:2], *made[3:]]


def test_a_list_can_be_of_one_short_domain(world: World, operator: Client, made):
    assert names(world.answered("redirections/list-of-domain").document) == made
    answer = operator.get("/redirections", shortDomain=DOMAIN, perPage=3)
    assert names(answer.document) == made[:3]
    following = next_page(operator, answer)
    assert following is not None and names(following.document) == made[3:6]
    assert operator.read("/redirections", shortDomain="other.example") == []
    assert operator.get("/redirections", shortDomain="x" * 2_000).document == []
    token = answer.headers["link"].partition("nextPageToken%3D")[2].partition("%3E")[0].partition(">")[0]
    assert operator.get("/redirections", nextPageToken=token).status == 400, "the token of another list"


@pytest.mark.parametrize(
    "query", [{"filter": "type=thng"}, {"perPage": 0}, {"nextPageToken": "x"}, {"sortOrder": "UP"}]
)
def test_a_list_that_cannot_be_is_refused(operator: Client, query):
    assert operator.get("/redirections", **query).status == 400


def test_a_project_lists_the_links_of_its_things_as_they_are_now(world: World, operator: Client):
    inside = operator.made("/thngs", {"name": "in"}, project=world.project)["id"]
    outside = world.thng()["id"]
    everywhere = world.thng(scopes={"projects": ["all"]})["id"]
    for thng, short_id in ((inside, "INSIDE"), (outside, "OUTSIDE"), (everywhere, "ALL")):
        world.clock.now += SECOND
        operator.link(thng, shortId=short_id)
    assert names(world.trusted.read("/redirections")) == ["ALL", "INSIDE"]
    assert names(operator.read("/redirections", project=world.project)) == ["ALL", "INSIDE"]
    operator.put(f"/thngs/{inside}", {"scopes": {"projects": []}})
    assert names(world.trusted.read("/redirections")) == ["ALL"]
    operator.put(f"/thngs/{outside}", {"scopes": {"projects": [world.project]}})
    world.settle()
    assert names(world.trusted.read("/redirections")) == ["ALL", "OUTSIDE"]
    assert names(operator.read("/redirections")) == ["ALL", "OUTSIDE", "INSIDE"]


def test_a_link_that_moves_to_a_thing_of_a_project_is_listed_there(world: World, operator: Client, short_id):
    inside = operator.made("/thngs", {"name": "in"}, project=world.project)["id"]
    assert world.trusted.read("/redirections") == []
    operator.put(f"/redirections/{short_id}", {"evrythngId": inside})
    assert names(world.trusted.read("/redirections")) == [short_id]
    assert names(operator.read("/redirections")) == [short_id]


def test_a_short_id_that_was_taken_leaves_no_second_entry(world: World, operator: Client, short_id):
    sent = {"evrythngId": world.thng()["id"], "defaultRedirectUrl": "https://x.example/", "shortId": short_id}
    for client in (operator, world.stranger):
        sent["evrythngId"] = client.made("/thngs", {"name": "x"})["id"]
        assert client.post("/redirections", sent, on_short=True).status == 409
    assert names(operator.read("/redirections")) == [short_id]
    assert world.stranger.read("/redirections") == []
    assert len(rows(world)) == 2


def test_what_points_nowhere_is_swept_by_who_reads_it_when_it_is_old(world: World, operator: Client, short_id):
    sent = SentRedirection(evrythngId=world.thng()["id"], defaultRedirectUrl="https://x.example/", shortId="NEVER")
    with suppress(Crash):
        broken_off(world, 4).create(sent, DOMAIN)
    assert len(rows(world)) == 2 + 2
    for waited, left in ((HOUR, 4), (1, 3)):
        world.clock.now += waited
        assert names(operator.read("/redirections")) == [short_id]
        assert len(rows(world)) == left
    assert names(operator.read("/redirections", shortDomain=DOMAIN)) == [short_id]
    assert len(rows(world)) == 2


def test_a_link_from_before_there_were_lists_is_in_them_once_it_is_written(world: World, operator: Client, short_id):
    for key in rows(world):
        world.tables.log.delete(key)
    assert operator.read("/redirections") == []
    operator.put(f"/redirections/{short_id}", {"limits": {"maxScans": 9}})
    assert names(operator.read("/redirections")) == [short_id]
    assert names(operator.read("/redirections", shortDomain=DOMAIN)) == [short_id]


def rows(world: World) -> list[Any]:
    """The index rows of links."""
    return [row.key for row in world.tables.log.walk() if "#redirection#" in row.key.pk]


# ---- crashes ---------------------------------------------------------------------------------------------------------


def broken_off(world: World, step: int) -> Links:
    """Whose process ends at its store call of that number."""
    tables = hooked(world.tables, crashing(step))
    return Links(tables, caller_of(tables, world.account, at=world.clock.now))


def assert_listed_as_they_are(world: World) -> None:
    there = {
        row.key.pk.rpartition("#")[2]
        for row in world.tables.main.walk()
        if row.item["k"] == "link" and "deleted" not in row.item
    }
    assert set(names(world.operator.read("/redirections"))) == there
    assert set(names(world.operator.read("/redirections", shortDomain=DOMAIN))) == there


@pytest.mark.parametrize("step", range(16))
def test_wherever_a_process_ends_every_link_is_listed_and_nothing_else_is(world, operator, step):
    thng, other = world.thng()["id"], operator.made("/thngs", {"name": "in"}, project=world.project)["id"]
    sent = SentRedirection(evrythngId=thng, defaultRedirectUrl="https://x.example/", shortId="BROKEN")
    with suppress(Crash):
        broken_off(world, step).create(sent, DOMAIN)
    assert_listed_as_they_are(world)
    with suppress(Conflict):  # it was there already
        broken_off(world, 99).create(sent, DOMAIN)
    assert_listed_as_they_are(world)
    with suppress(Crash):
        broken_off(world, step).update(DOMAIN, "BROKEN", SentRedirection(evrythngId=other))
    assert_listed_as_they_are(world)
    broken_off(world, 99).update(DOMAIN, "BROKEN", SentRedirection(evrythngId=other))
    assert names(world.trusted.read("/redirections")) == ["BROKEN"]
    operator.put(f"/thngs/{other}", {"scopes": {"projects": ["all"]}})
    with suppress(Crash):
        refresh_hints(hooked(world.tables, crashing(step)), world.account, other)
    assert_listed_as_they_are(world)
    assert names(world.trusted.read("/redirections")) == ["BROKEN"]
    with suppress(Crash):
        broken_off(world, step).delete(DOMAIN, "BROKEN")
    assert_listed_as_they_are(world)


def test_a_link_listed_under_its_key_has_the_parts_of_its_name():
    assert keys.listed_link("U1", "localhost:8001", "A_b-1").split("#", 2) == ["U1", "localhost:8001", "A_b-1"]
