"""Pages of lists against a model: what matches, once, in order, at a cost that does not grow with the table."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fingerpost import keys
from fingerpost.catalogue.model import THNG
from fingerpost.cursor import InvalidCursor
from fingerpost.ids import new_id
from fingerpost.listing import BATCH, READ_BUDGET, Ask, Lister, PageOf
from fingerpost.paging import SWEEP_AFTER_MS, loads
from fingerpost.ports.table import Put, Tables
from fingerpost.resources import Document, Resources, Stored, index_rows, visible
from fingerpost.rules.compile import compile_match
from fingerpost.rules.fields import LISTS
from fingerpost.rules.nodes import matches
from fingerpost.shapes import stamp
from tests.stores import (
    NOON,
    Crash,
    caller_of,
    counting,
    crashing,
    dangling_rows,
    documents_of,
    emptied,
    hooked,
    new_account,
    rows_of,
)

SECRET = b"a secret of the tests"
LONG = "long name, longer than what is indexed of it" * 10
FILTERS = [
    "",
    "name=lamp",
    "name=lamp,été",
    "name=l*",
    "name=é*,lamp",
    "name=long*",
    f"name={LONG[:420]}*",
    f"name={LONG}",
    "name=*",
    "name!=lamp",
    "name~AM",
    "tags=red",
    "tags=red,blue",
    "tags=red&tags=blue",
    "tags!=red",
    "tags=*",
    "identifiers.ean=7",
    'identifiers.ean="7"',
    "identifiers.ean=true",
    "identifiers.ean>5",
    "identifiers.other=x",
    "identifiers.other=*",
    "product=P1",
    "product=P1,P2",
    "product!=P1",
    f"createdAt>{NOON + 3}",
    f"createdAt<={NOON + 3}",
    f"createdAt={NOON + 2}..{NOON + 5}",
    f"tags=red&createdAt>{NOON + 2}",
    f"name=l*&createdAt>{NOON + 2}",
    f"name=lamp&createdAt<{NOON + 4}",
    "name=l*|tags=red",
    "tags=red|product=P2|identifiers.ean=7",
    "!(tags=red|name=l*)",
    "tags=nobody has this",
]

documents = st.fixed_dictionaries(
    {
        "createdAt": st.integers(NOON, NOON + 6),
        "name": st.sampled_from(["lamp", "lamp post", "lam", "été", "éte", "l", "𐍈", LONG, LONG + "a", "a b"]),
        "tags": st.lists(st.sampled_from(["red", "blue", "7"]), unique=True, max_size=3),
        "scopes": st.sampled_from([[], ["A"], ["B"], ["A", "B"], ["all"], ["A", "all"]]).map(
            lambda each: {"projects": each}
        ),
    },
    optional={
        "product": st.sampled_from(["P1", "P2"]),
        "identifiers": st.dictionaries(
            st.sampled_from(["ean", "other"]), st.sampled_from([7, 7.5, "7", True, "x"]), max_size=2
        ),
    },
)


def ask(text: str = "", **more: Any) -> Ask:
    node = compile_match(text, LISTS["thng"], strict=True, from_query=True).node if text else None
    return Ask(filter_text=text, node=node, **more)


def lister(tables: Tables, account: str, project: str | None = None) -> Lister[Stored]:
    caller = replace(caller_of(tables, account), tables=tables)
    return Lister(
        tables=tables, account=account, kind=THNG, load=loads(caller, THNG, project), secret=SECRET, project=project
    )


def stored_all(tables: Tables, given_documents: list[Document]) -> dict[str, Document]:
    resources = Resources(tables, THNG)
    made = {}
    for each in given_documents:
        resource_id = new_id(each["createdAt"])
        made[resource_id] = resources.create(resource_id, {**each, "updatedAt": each["createdAt"]}).document
    return made


def followed(page: Callable[[Ask], PageOf[Stored]], first: Ask) -> list[list[Stored]]:
    """All pages from the first to the last."""
    pages, token = [], None
    for _ in range(10_000):
        found = page(replace(first, token=token))
        pages.append(list(found.items))
        token = found.token
        if token is None:
            return pages
    pytest.fail("the pages never end")


def ids_of(pages: list[list[Stored]]) -> list[str]:
    return [each.id for page in pages for each in page]


def flat(document: Document) -> dict[str, Any]:
    return document | {f"identifiers.{key}": value for key, value in document.get("identifiers", {}).items()}


def expected(made: dict[str, Document], wanted: Ask, project: str | None = None) -> list[str]:
    """What a list has to answer, found by looking at everything."""
    found = {
        each: document
        for each, document in made.items()
        if visible(document, project) and (wanted.node is None or matches(wanted.node, flat(document)))
    }
    if in_name_order(wanted):
        return sorted(found, key=lambda each: (keys.name_prefix(found[each]["name"]), each))
    return sorted(found, reverse=not wanted.ascending)


def in_name_order(wanted: Ask) -> bool:
    """Lists chosen by a name's beginning and nothing beside it."""
    text = wanted.filter_text
    return text.startswith("name=") and "*" in text and "|" not in text and text != "name=*"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(documents, max_size=25),
    st.lists(st.sampled_from(FILTERS), min_size=1, max_size=8),
    st.integers(1, 100),
    st.booleans(),
    st.sampled_from([None, "A", "B"]),
)
def test_following_the_cursors_shows_what_matches_once_and_in_order(
    store, given_documents, texts, per_page, ascending, project
):
    account = new_account()
    tables = emptied(store).of(account)
    made = stored_all(tables, given_documents)
    for text in texts:
        wanted = ask(text, per_page=per_page, ascending=ascending)
        pages = followed(lister(tables, account, project).page, wanted)
        assert ids_of(pages) == expected(made, wanted, project), text
        assert all(len(page) == per_page for page in pages[:-1]), text


@pytest.mark.parametrize("text", FILTERS)
def test_every_filter_pages_at_every_size(tables, account, text):
    chance = random.Random(3)
    made = stored_all(
        tables,
        [
            {
                "createdAt": NOON + chance.randrange(7),
                "name": chance.choice(["lamp", "lam", "lantern", "été", LONG, LONG + "b"]),
                "tags": chance.sample(["red", "blue"], chance.randrange(3)),
                "identifiers": {"ean": chance.choice([7, 7.0, "7", True, 6]), **({"other": "x"} if number % 3 else {})},
                "scopes": {"projects": chance.choice([[], ["A"], ["all"]])},
                **({"product": chance.choice(["P1", "P2"])} if number % 2 else {}),
            }
            for number in range(30)
        ],
    )
    for per_page in (1, 4, 29, 30, 100):
        for ascending in (False, True):
            wanted = ask(text, per_page=per_page, ascending=ascending)
            pages = followed(lister(tables, account).page, wanted)
            assert ids_of(pages) == expected(made, wanted)
            assert all(len(page) == per_page for page in pages[:-1])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(documents, min_size=4, max_size=20),
    st.sampled_from(["", "tags=red", "name=l*", "name=lamp", "tags!=blue", "product=P1,P2"]),
    st.integers(1, 5),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_what_exists_throughout_is_neither_missed_nor_doubled_while_others_come_and_go(
    store, given_documents, text, per_page, ascending, chance
):
    account = new_account()
    tables = emptied(store).of(account)
    resources = Resources(tables, THNG)
    made = stored_all(tables, given_documents)
    throughout = dict(made)
    wanted = ask(text, per_page=per_page, ascending=ascending)
    shown: list[str] = []
    token = None
    for _ in range(200):
        page = lister(tables, account).page(replace(wanted, token=token))
        shown += [each.id for each in page.items]
        token = page.token
        if token is None:
            break
        if throughout and chance.random() < 0.7:
            gone = chance.choice(sorted(throughout))
            del throughout[gone]
            resources.delete(gone)
        if chance.random() < 0.5:
            at = chance.choice([NOON, NOON + 3, NOON + 6])
            stored_all(tables, [{"createdAt": at, "name": "lamp", "tags": ["red"], "scopes": {"projects": []}}])
    else:
        pytest.fail("the pages never end")
    assert len(shown) == len(set(shown))
    still = [each for each in expected(made, wanted) if each in throughout]
    assert [each for each in shown if each in throughout] == still


# Scopes


def test_a_project_sees_its_own_and_what_every_project_sees(tables, account):
    scopes = [["A"], ["B"], ["all"], [], ["A", "B"], ["A", "all"]]
    made = stored_all(
        tables,
        [{"createdAt": NOON + n, "name": str(n), "scopes": {"projects": each}} for n, each in enumerate(scopes)],
    )
    names = {resource_id: document["name"] for resource_id, document in made.items()}

    def seen(project: str | None, **more: Any) -> str:
        found = ids_of(followed(lister(tables, account, project).page, ask(per_page=2, **more)))
        return "".join(names[each] for each in found)

    assert seen("A", ascending=True) == "0245"
    assert seen("B") == "5421"
    assert seen("all") == "52"
    assert seen("nobody") == "52"
    assert seen(None) == "543210"
    for project, number in (("A", 4), ("B", 4), ("nobody", 2), (None, 6)):
        assert lister(tables, account, project).count(ask()) == number
        assert lister(tables, account, project).count(ask("name=*")) == number


def test_an_account_sees_nothing_of_another(store):
    first, second = new_account(), new_account()
    emptied(store)
    stored_all(store.of(first), [{"createdAt": NOON, "name": "lamp", "scopes": {"projects": ["A", "all"]}}])
    for project in (None, "A"):
        assert lister(store.of(second), second, project).page(ask()).items == ()
        assert lister(store.of(second), second, project).page(ask("name=l*")).items == ()


# Names


def test_a_list_by_name_is_in_the_order_of_names_whatever_order_is_asked_for(tables, account):
    names = ["Smart", "Smart B", "Smart-A", "Smarter", "smart", "Smart", "Small", "Smartß"]
    stored_all(tables, [{"createdAt": NOON + n, "name": name} for n, name in enumerate(names)])
    for ascending in (False, True):
        pages = followed(lister(tables, account).page, ask("name=Smart*", per_page=2, ascending=ascending))
        assert [each.document["name"] for page in pages for each in page] == [
            "Smart", "Smart", "Smart B", "Smart-A", "Smarter", "Smartß",
        ]  # fmt: skip


def test_a_renaming_that_crashes_anywhere_shows_the_document_once(tables, account):
    resources = Resources(tables, THNG)
    for step in range(12):
        emptied_list = stored_all(tables, [{"createdAt": NOON + step, "name": f"amber {step}"}])
        (resource_id,) = emptied_list
        crashed = False
        try:
            changing = Resources(hooked(tables, crashing(step)), THNG)
            changing.update(resource_id, lambda before: {**before, "name": before["name"].replace("amber", "ambit")})
        except Crash:
            crashed = True
        shown = ids_of(followed(lister(tables, account).page, ask("name=am*", per_page=1)))
        assert shown == [resource_id]
        resources.delete(resource_id)
        if not crashed:
            return
    pytest.fail("it never ends")


# Budgets


def test_a_filter_that_finds_nothing_ends_after_a_bounded_number_of_empty_pages(tables, account):
    fill(tables, 2 * READ_BUDGET + 10)
    pages = followed(lister(tables, account).page, ask("name~nobody is called this", per_page=5))
    assert [len(page) for page in pages] == [0, 0, 0]


def test_a_rare_match_is_found_beyond_empty_pages(tables, account):
    rare = stored_all(tables, [{"createdAt": NOON - 1000, "name": "rare"}])
    fill(tables, READ_BUDGET + 10)
    pages = followed(lister(tables, account).page, ask("name~rar", per_page=5))
    assert pages[0] == []
    assert ids_of(pages) == list(rare)


def fill(tables: Tables, number: int) -> list[str]:
    """Many documents at once, without the protocol: rows and documents are put in two batches."""
    rows, puts, ids = [], [], []
    for n in range(number):
        resource_id = new_id(NOON + n)
        document = {"createdAt": NOON + n, "updatedAt": NOON + n, "name": f"n{n % 10}", "tags": ["red"]}
        document["scopes"] = {"projects": ["A"]}
        if n % 100 == 0:
            document["tags"] = ["red", "rare"]
        rows += [Put(key, {**stamp("index"), "v": 1, "at": NOON}) for key in index_rows(THNG, resource_id, document)]
        puts.append(Put(keys.document(resource_id), Resources(tables, THNG)._item(document, 1)))
        ids.append(resource_id)
    tables.log.put_many(rows)
    tables.main.put_many(puts)
    return ids


@pytest.mark.parametrize("project", [None, "A"])
@pytest.mark.parametrize("text", ["", "tags=red", "tags=rare", "name=n3", "name=n*", f"createdAt>{NOON + 10}"])
def test_the_store_calls_of_a_page_do_not_grow_with_the_number_of_documents(store, text, project):
    calls: dict[int, Counter[str]] = {}
    for number in (200, 2_000):
        account = new_account()
        tables = emptied(store).of(account)
        fill(tables, number)
        for per_page in (1, 20):
            counted = calls[number] = Counter()
            page = lister(hooked(tables, counting(counted)), account, project).page(ask(text, per_page=per_page))
            assert len(page.items) == min(per_page, len(expected_count(text, number)))
            assert counted.keys() <= {"query", "get_many"}
            assert counted["get_many"] == 1
    scopes = 1 if project is None else 2
    for counted in calls.values():
        assert counted["query"] <= THNG.shards * scopes * 2  # a shard may hold more of the page than its share
    assert calls[2_000].total() <= calls[200].total() + THNG.shards * scopes


def expected_count(text: str, number: int) -> range:
    part = {"tags=rare": 100, "name=n3": 10}.get(text, 1)
    return range(-(-number // part) if not text.startswith("createdAt") else number - 11)


def test_no_more_documents_are_read_than_a_page_shows_and_one(tables, account):
    fill(tables, 300)
    read: list[int] = []

    def watching(name: str, method: Callable[..., Any], args: Any) -> Any:
        if name == "get_many":
            read.append(len(args[0]))
        return method(*args)

    for per_page in (1, 30, 100):
        read.clear()
        assert len(lister(hooked(tables, watching), account).page(ask(per_page=per_page)).items) == per_page
        assert read == [per_page + 1]
    read.clear()
    lister(hooked(tables, watching), account).page(ask("tags=rare", per_page=1))
    assert sum(read) <= BATCH


# Cursors


def cursor(tables: Tables, account: str, text: str = "", project: str | None = None, **more: Any) -> str:
    token = lister(tables, account, project).page(ask(text, per_page=1, **more)).token
    assert token is not None
    return token


def test_a_cursor_is_good_for_its_own_list_alone(store):
    first, second = new_account(), new_account()
    emptied(store)
    for account in (first, second):
        stored_all(
            store.of(account),
            [
                {"createdAt": NOON + n, "name": "lamp", "tags": ["a", "b"], "scopes": {"projects": ["A"]}}
                for n in range(2)
            ],
        )
    tables = store.of(first)
    token = cursor(tables, first, "tags=a")
    assert len(lister(tables, first).page(ask("tags=a", token=token)).items) == 1
    for refused in (
        partial(lister(store.of(second), second).page, ask("tags=a", token=token)),
        partial(lister(tables, first).page, ask("tags=b", token=token)),
        partial(lister(tables, first).page, ask(token=token)),
        partial(lister(tables, first).page, ask("tags=a", token=token, ascending=True)),
        partial(lister(tables, first, "A").page, ask("tags=a", token=token)),
        partial(replace(lister(tables, first), secret=b"another").page, ask("tags=a", token=token)),
        partial(lister(tables, first).page, ask("tags=a", token=token[:-2] + "AA")),
        partial(lister(tables, first).page, ask("tags=a", token="?")),
    ):
        with pytest.raises(InvalidCursor):
            refused()


def test_a_cursor_may_change_the_size_of_pages_and_survives_its_own_document(tables, account):
    made = stored_all(tables, [{"createdAt": NOON + n, "name": "lamp"} for n in range(10)])
    page = lister(tables, account).page(ask(per_page=3))
    Resources(tables, THNG).delete(page.items[-1].id)
    rest = lister(tables, account).page(ask(per_page=50, token=page.token))
    assert [each.id for each in rest.items] == sorted(made, reverse=True)[3:]
    assert rest.token is None


# Rows that point nowhere


def test_a_row_without_its_document_is_not_shown_and_goes_after_an_hour(tables, account, clock):
    resource_id = new_id(NOON)
    with pytest.raises(Crash):
        Resources(hooked(tables, crashing(2)), THNG).create(
            resource_id, {"createdAt": NOON, "updatedAt": NOON, "name": "lamp", "tags": ["a"]}
        )
    left = dangling_rows(tables, THNG)
    assert len(left) == 3
    for text in ("", "tags=a", "name=l*"):
        assert lister(tables, account).page(ask(text)).items == ()
    assert dangling_rows(tables, THNG) == left
    later = replace(caller_of(tables, account, NOON + SWEEP_AFTER_MS + 1), tables=tables)
    sweeping = replace(lister(tables, account), load=loads(later, THNG, None))
    for text in ("", "tags=a", "name=l*"):
        assert sweeping.page(ask(text)).items == ()
    assert rows_of(tables.log) == set()


def test_a_row_of_a_value_that_is_gone_is_not_shown_and_goes_after_an_hour(tables, account):
    (resource_id,) = stored_all(tables, [{"createdAt": NOON, "name": "lamp", "tags": ["a", "b"]}])
    with pytest.raises(Crash):  # one row to write, the document, and two to take back
        Resources(hooked(tables, crashing(3)), THNG).update(
            resource_id, lambda before: {**before, "tags": ["c"], "scopes": {"projects": []}}
        )
    assert len(dangling_rows(tables, THNG)) == 2
    later = replace(caller_of(tables, account, NOON + SWEEP_AFTER_MS + 1), tables=tables)
    sweeping = replace(lister(tables, account), load=loads(later, THNG, None))
    assert [sweeping.page(ask(text)).items for text in ("tags=a", "tags=b")] == [(), ()]
    assert dangling_rows(tables, THNG) == set()
    assert len(sweeping.page(ask("tags=c")).items) == 1


def test_a_sweep_spares_the_rows_of_a_document_that_is_being_created_after_a_long_pause(tables, account, clock):
    """A repeat under an Idempotency-Key has the time of the first request: its rows must not look old."""
    clock.now = NOON + 5 * SWEEP_AFTER_MS
    resource_id = new_id(NOON)

    def listed_meanwhile(name: str, method: Callable[..., Any], args: Any) -> Any:
        if name == "put":
            now = replace(caller_of(tables, account, clock.now), tables=tables)
            replace(lister(tables, account), load=loads(now, THNG, None)).page(ask())
        return method(*args)

    Resources(hooked(tables, listed_meanwhile), THNG).create(
        resource_id, {"createdAt": NOON, "updatedAt": NOON, "name": "lamp"}
    )
    assert ids_of(followed(lister(tables, account).page, ask())) == [resource_id]


# Counts


@example([])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(documents, max_size=15))
def test_a_count_is_the_number_of_documents_that_the_pages_show(store, given_documents):
    account = new_account()
    tables = emptied(store).of(account)
    made = stored_all(tables, given_documents)
    for project in (None, "A"):
        for text in ("", "tags=red", "name=l*"):
            assert lister(tables, account, project).count(ask(text)) == len(expected(made, ask(text), project))


def test_a_count_without_a_filter_reads_no_document(tables, account):
    fill(tables, 250)
    calls: Counter[str] = Counter()
    assert lister(hooked(tables, counting(calls)), account).count(ask()) == 250
    assert calls == {"count": THNG.shards}


def test_what_was_deleted_is_neither_listed_nor_counted(tables, account):
    made = stored_all(tables, [{"createdAt": NOON + n, "name": "lamp"} for n in range(3)])
    Resources(tables, THNG).delete(min(made))
    assert lister(tables, account).count(ask()) == 2
    assert min(made) not in ids_of(followed(lister(tables, account).page, ask()))
    assert set(documents_of(tables, THNG)) == set(made) - {min(made)}
