"""What follows from a changed thng or product: its links' hints, and the thngs of a product that is gone."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from fingerpost import keys, wiring
from fingerpost.access.service import create_account
from fingerpost.aws.stream import stream_event
from fingerpost.catalogue.model import PRODUCT, THNG
from fingerpost.errors import Conflict
from fingerpost.ids import new_id
from fingerpost.ports.table import Change, Key, Tables, Throttled
from fingerpost.redirection.documents import SentRedirection
from fingerpost.redirection.links import Links
from fingerpost.redirection.model import Link, from_item
from fingerpost.redirection.upkeep import PAGE, refresh_hints
from fingerpost.resources import Resources
from fingerpost.shapes import stamp
from fingerpost.work import perform
from functions.dispatch import app as dispatch
from functions.spill import app as spill
from functions.work import app as work
from tests.stores import (
    NOON,
    Crash,
    caller_of,
    crashing,
    dangling_rows,
    documents_of,
    hooked,
    missing_rows,
    new_account,
)
from tests.unit.storage.tasks import Tasks

DOMAIN = "tn.example"
HOT = "https://museum.example/"


@pytest.fixture
def tasks(store: Tables, tables: Tables, account: str, monkeypatch: pytest.MonkeyPatch) -> Tasks:
    tasks = Tasks()
    monkeypatch.setattr(wiring, "tables", lambda: store)
    monkeypatch.setattr(wiring, "queue", lambda _name: tasks)
    create_account(store, account=account, name="Museum", domain=DOMAIN, at=NOON)
    return tasks


def made(tables: Tables, kind: Any = THNG, **fields: Any) -> str:
    resource_id = new_id(NOON)
    document = {"createdAt": NOON, "updatedAt": NOON, "name": "lamp", "scopes": {"projects": []}, **fields}
    return Resources(tables, kind).create(resource_id, document).id


def linked(store: Tables, account: str, thing: str) -> Link:
    return Links(store, caller_of(store, account)).create(
        SentRedirection(evrythngId=thing, defaultRedirectUrl=HOT), DOMAIN
    )


def link_now(store: Tables, link: Link) -> Link:
    item = store.main.get(keys.link(link.domain, link.short_id))
    assert item is not None
    return from_item(link.domain, link.short_id, item)


def change_of(account: str, resource_id: str, old: Any, new: Any, number: int = 1) -> Change:
    return Change(sequence=str(number), key=keys.owned(account, keys.document(resource_id)), old=old, new=new)


def noticed(store: Tables, account: str, resource_id: str, do: Callable[[], Any]) -> list[str]:
    """Do something to a document and tell `dispatch` of it; what it wants again."""
    key = keys.owned(account, keys.document(resource_id))
    old = store.main.get(key)
    do()
    answer: Any = dispatch.handler(stream_event([change_of(account, resource_id, old, store.main.get(key))]))
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def delete_product(store: Tables, account: str, product: str) -> None:
    resources = Resources(store.of(account), PRODUCT)
    assert noticed(store, account, product, lambda: resources.delete(product)) == []


def products_of(tables: Tables) -> list[str | None]:
    return [each.document.get("product") for each in documents_of(tables, THNG).values()]


# Products that are gone


@pytest.mark.parametrize("twice", [False, True])
def test_hundreds_of_thngs_lose_their_reference_to_a_deleted_product(store, tables, account, tasks, twice):
    product, other = made(tables, PRODUCT), made(tables, PRODUCT)
    for n in range(6 * PAGE):
        made(tables, product=product, createdAt=NOON + n)
    kept = [made(tables, product=other), made(tables)]
    delete_product(store, account, product)
    assert {group for _, group in tasks.sent} == {account}
    assert tasks.work(twice=twice) >= 2 * THNG.shards, "it takes several rounds"
    assert sorted(map(str, products_of(tables))) == sorted(["None"] * (6 * PAGE + 1) + [other])
    assert missing_rows(tables, THNG) == dangling_rows(tables, THNG) == set()
    assert [Resources(tables, THNG).read(each).version for each in kept] == [1, 1]
    tasks.wait()
    tasks.work()
    assert tasks.later == [], "a second look is the last"


def test_a_thng_that_was_being_created_as_its_product_went_keeps_its_rows_and_loses_its_reference(
    store, tables, account, tasks
):
    product = made(tables, PRODUCT)

    def product_goes_meanwhile(name: str, method: Callable[..., Any], args: Any) -> Any:
        if name == "put":
            delete_product(store, account, product)
            tasks.work()
        return method(*args)

    thng = made(hooked(tables, product_goes_meanwhile), product=product)
    assert missing_rows(tables, THNG) == set()
    tasks.wait()
    tasks.work()
    assert "product" not in Resources(tables, THNG).read(thng).document
    assert missing_rows(tables, THNG) == dangling_rows(tables, THNG) == set()


def test_rows_that_cannot_be_swept_yet_do_not_keep_the_work_from_ending(store, tables, account, tasks):
    """Each of them may be one that an update is about to rely on."""
    product = made(tables, PRODUCT)
    for n in range(PAGE + 30):
        thng = made(tables, createdAt=NOON + n)
        row = Key(keys.index("*", "thng", "product", product, keys.shard_of(thng, THNG.shards)), thng)
        tables.log.put(row, {**stamp("index"), "v": 7, "at": NOON})
    last = made(tables, product=product)
    delete_product(store, account, product)
    tasks.work()
    tasks.wait()
    tasks.work()
    assert "product" not in Resources(tables, THNG).read(last).document


def test_unlinking_that_crashes_anywhere_is_completed_by_a_repeat(store, tables, account, tasks):
    product = made(tables, PRODUCT)
    for n in range(12):
        made(tables, product=product, createdAt=NOON + n)
    task = {"do": "unlink", "account": account, "product": product}
    Resources(tables, PRODUCT).delete(product)
    for step in range(200):
        try:
            perform(task, hooked(store, crashing(step)), tasks, NOON)
        except Crash:
            assert missing_rows(tables, THNG) == set()
        else:
            break
    tasks.work()
    tasks.wait()
    tasks.work()
    assert products_of(tables) == [None] * 12
    assert missing_rows(tables, THNG) == set()


def test_a_thng_that_goes_or_gets_another_product_meanwhile_is_left_alone(store, tables, account, tasks):
    product, other = made(tables, PRODUCT), made(tables, PRODUCT)
    gone, moved, stays = (made(tables, product=product) for _ in range(3))

    def meanwhile(name: str, method: Callable[..., Any], args: Any) -> Any:
        found = method(*args)
        if name == "get_many" and documents_of(tables, THNG).keys() == {gone, moved, stays}:
            Resources(tables, THNG).delete(gone)
            Resources(tables, THNG).update(moved, lambda before: {**before, "product": other})
        return found

    Resources(tables, PRODUCT).delete(product)
    tasks.sent.append((json.dumps({"do": "unlink", "account": account, "product": product}), account))
    for _ in range(THNG.shards):
        body, _ = tasks.sent.pop(0)
        perform(json.loads(body), hooked(store, meanwhile), tasks, NOON)
    found = documents_of(tables, THNG)
    assert {each: found[each].document.get("product") for each in found} == {moved: other, stays: None}
    assert missing_rows(tables, THNG) == dangling_rows(tables, THNG) == set()


# Hints


def test_a_links_hints_follow_its_thng(store, tables, account, tasks):
    product = made(tables, PRODUCT)
    thng = made(tables)
    links = [linked(store, account, thng) for _ in range(3)]
    for fields, hints in (
        ({"product": product}, (product, ())),
        ({"scopes": {"projects": ["A", "B"]}}, (product, ("A", "B"))),
        ({"product": None, "scopes": {"projects": ["all"]}}, (None, ("all",))),
    ):

        def change(before: Any, fields: Any = fields) -> Any:
            return {name: value for name, value in {**before, **fields}.items() if value is not None}

        assert noticed(store, account, thng, lambda: Resources(tables, THNG).update(thng, change)) == []
        assert tasks.work() == 1
        for link in links:
            now = link_now(store, link)
            assert (now.product, now.projects) == hints
            assert (now.evrythng_id, now.url_text) == (thng, HOT)


def test_a_products_links_follow_its_projects(store, tables, account, tasks):
    product = made(tables, PRODUCT)
    link = linked(store, account, product)
    changing = Resources(tables, PRODUCT)
    noticed(store, account, product, lambda: changing.update(product, lambda d: {**d, "scopes": {"projects": ["A"]}}))
    tasks.work()
    assert link_now(store, link).projects == ("A",)


def test_a_hint_that_is_true_already_writes_nothing(store, tables, account, tasks):
    thng = made(tables, scopes={"projects": ["A"]})
    link = linked(store, account, thng)
    Resources(tables, THNG).update(thng, lambda before: {**before, "scopes": {"projects": ["B"]}})
    for _ in range(3):
        refresh_hints(store, account, thng)
        assert link_now(store, link).version == 2


def test_a_link_that_was_moved_or_deleted_meanwhile_gets_no_hints_of_its_old_thing(store, tables, account, tasks):
    thng, other = made(tables), made(tables, scopes={"projects": ["other"]})
    moved, deleted = linked(store, account, thng), linked(store, account, thng)
    links = Links(store, caller_of(store, account))
    Resources(tables, THNG).update(thng, lambda before: {**before, "scopes": {"projects": ["B"]}})

    def meanwhile(name: str, method: Callable[..., Any], args: Any) -> Any:
        found = method(*args)
        if name == "query":
            links.update(DOMAIN, moved.short_id, SentRedirection(evrythngId=other))
            links.delete(DOMAIN, deleted.short_id)
        return found

    refresh_hints(hooked(store, meanwhile), account, thng)
    assert link_now(store, moved).projects == ("other",)
    assert link_now(store, deleted).projects == ()
    assert link_now(store, deleted).deleted_at == NOON


def test_of_two_changes_the_later_ones_hints_stay_whoever_writes_last(store, tables, account, tasks):
    thng = made(tables)
    link = linked(store, account, thng)
    changing = Resources(tables, THNG)
    changing.update(thng, lambda before: {**before, "scopes": {"projects": ["first"]}})
    overtaken = []

    def overtake(name: str, method: Callable[..., Any], args: Any) -> Any:
        if name == "update" and not overtaken:
            overtaken.append(True)
            changing.update(thng, lambda before: {**before, "scopes": {"projects": ["second"]}})
            refresh_hints(store, account, thng)
        return method(*args)

    refresh_hints(hooked(store, overtake), account, thng)
    assert overtaken
    assert link_now(store, link).projects == ("second",)


def test_a_link_that_keeps_changing_makes_the_task_come_again(store, tables, account, tasks):
    thng = made(tables)
    link = linked(store, account, thng)
    Resources(tables, THNG).update(thng, lambda before: {**before, "scopes": {"projects": ["A"]}})
    links = Links(store, caller_of(store, account))
    urls = iter(range(1000))

    def busy(name: str, method: Callable[..., Any], args: Any) -> Any:
        if name == "update":
            sent = SentRedirection(defaultRedirectUrl=f"https://museum.example/{next(urls)}")
            links.update(DOMAIN, link.short_id, sent)
        return method(*args)

    with pytest.raises(Conflict):
        refresh_hints(hooked(store, busy), account, thng)


def test_hints_of_a_thng_that_is_gone_stay_as_they_were(store, tables, account, tasks):
    thng = made(tables, scopes={"projects": ["A"]})
    link = linked(store, account, thng)
    assert noticed(store, account, thng, lambda: Resources(tables, THNG).delete(thng)) == []
    assert tasks.sent == []
    refresh_hints(store, account, thng)
    assert link_now(store, link).projects == ("A",)


# From the feed to the queue


def doc(kind: str = "thng", **fields: Any) -> dict[str, Any]:
    return {**stamp(kind), "v": 1, "doc": json.dumps({"name": "lamp", **fields})}


def test_changes_that_matter_to_nobody_make_no_task(store, account, tasks):
    irrelevant = [
        change_of(account, "U1", None, doc()),
        change_of(account, "U1", doc(), doc(tags=["lantern"])),
        change_of(account, "U1", doc(), doc()),
        change_of(account, "U1", doc(), None),
        change_of(account, "U1", doc("project"), None),
        Change(sequence="1", key=Key(f"{account}#t#U1", "now"), old=stamp("now"), new=None),
        Change(sequence="1", key=keys.link(DOMAIN, "AAAA"), old=None, new=stamp("link")),
    ]
    assert dispatch.handler(stream_event(irrelevant)) == {"batchItemFailures": []}
    assert tasks.sent == []


def test_when_the_queue_takes_nothing_the_record_and_those_after_it_come_again(store, account, tasks):
    changes = [
        change_of(account, "U1", doc(), doc(tags=["x"]), 1),
        change_of(account, "U2", doc("product"), None, 2),
        change_of(account, "U3", doc(), doc(product="P"), 3),
    ]
    tasks.full = True
    answer = dispatch.handler(stream_event(changes))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}, {"itemIdentifier": "3"}]}
    tasks.full = False
    assert dispatch.handler(stream_event(changes[1:])) == {"batchItemFailures": []}
    assert [json.loads(body)["do"] for body, _ in tasks.sent] == ["unlink", "hint"]


# The handlers of the queues


def test_a_task_that_fails_is_reported_and_the_others_are_done(store, tables, account, tasks, capsys):
    thng = made(tables)
    link = linked(store, account, thng)
    Resources(tables, THNG).update(thng, lambda before: {**before, "scopes": {"projects": ["A"]}})
    good = json.dumps({"do": "hint", "account": account, "id": thng})
    bodies = ["{", json.dumps({"do": "dance"}), json.dumps({"do": "hint"}), good, json.dumps([])]
    records = [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]
    failed = work.handler({"Records": records})["batchItemFailures"]
    assert [each["itemIdentifier"] for each in failed] == ["0", "1", "2", "4"]
    assert link_now(store, link).projects == ("A",)
    assert capsys.readouterr().err.count("a task failed") == 4


def test_spilled_scans_are_recorded_once_and_failures_reported_by_message(store, tables, account, tasks, capsys):
    item = {**stamp("action"), "type": "implicitScans", "ts": NOON, "lat": 53.35, "projects": []}
    first, second = (list(keys.owned(account, keys.action(new_id(NOON)))) for _ in range(2))
    bodies = [
        json.dumps({"key": first, "item": item}),
        json.dumps({"key": first, "item": {**item, "ts": 1}}),
        "{",
        json.dumps({"key": ["only one"], "item": item}),
        json.dumps({"key": second, "item": item}),
    ]
    records = [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]
    failed = spill.handler({"Records": records})["batchItemFailures"]
    assert [each["itemIdentifier"] for each in failed] == ["2", "3"]
    assert store.main.get(Key(*first)) == store.main.get(Key(*second)) == item
    assert capsys.readouterr().err.count("a spilled scan failed") == 2


def test_a_spilled_scan_that_is_refused_again_comes_again(store, account, tasks, monkeypatch):
    def refused(name: str, _method: Callable[..., Any], _args: Any) -> Any:
        raise Throttled

    monkeypatch.setattr(wiring, "tables", lambda: hooked(store, refused))
    body = json.dumps({"key": [f"{account}#a#U1", "-"], "item": stamp("action")})
    answer = spill.handler({"Records": [{"messageId": "m", "body": body}]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}


def test_an_unlinking_task_of_another_account_touches_nothing_here(store, tables, account, tasks):
    product = made(tables, PRODUCT)
    thng = made(tables, product=product)
    tasks.sent.append((json.dumps({"do": "unlink", "account": new_account(), "product": product}), "x"))
    tasks.work()
    assert Resources(tables, THNG).read(thng).document["product"] == product
