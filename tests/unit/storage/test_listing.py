"""Pages of lists against a model: what matches, once, in order, at a cost that does not grow with the table."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fingerpost import keys
from fingerpost.catalogue.model import THNG
from fingerpost.listing import Ask
from fingerpost.resources import Document, Resources
from fingerpost.rules.nodes import matches
from tests.stores import NOON, Crash, crashing, emptied, hooked, new_account
from tests.unit.storage.lists import ask, followed, ids_of, lister, stored_all

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
        "scopes": st.builds(
            lambda projects, users: {"projects": projects} | ({} if users is None else {"users": users}),
            st.sampled_from([[], ["A"], ["B"], ["A", "B"], ["all"], ["A", "all"]]),
            st.sampled_from([None, ["all"], [], ["u1"], ["u1", "u2"], ["u1", "all"]]),
        ),
    },
    optional={
        "product": st.sampled_from(["P1", "P2"]),
        "identifiers": st.dictionaries(
            st.sampled_from(["ean", "other"]), st.sampled_from([7, 7.5, "7", True, "x"]), max_size=2
        ),
    },
)


def flat(document: Document) -> dict[str, Any]:
    return document | {f"identifiers.{key}": value for key, value in document.get("identifiers", {}).items()}


def seen(document: Document, project: str | None, user: str | None) -> bool:
    """Who sees what, said once more."""
    projects, users = document["scopes"]["projects"], document["scopes"].get("users", ["all"])
    in_project = project is None or project in projects or "all" in projects
    return in_project and (user is None or user in users or "all" in users)


def expected(made: dict[str, Document], wanted: Ask, project: str | None = None, user: str | None = None) -> list[str]:
    """What a list has to answer, found by looking at everything."""
    found = {
        each: document
        for each, document in made.items()
        if seen(document, project, user) and (wanted.node is None or matches(wanted.node, flat(document)))
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
    st.sampled_from([(None, None), ("A", None), ("B", None), ("A", "u1"), ("A", "u2"), ("B", "u1"), ("A", "u3")]),
)
def test_following_the_cursors_shows_what_matches_once_and_in_order(
    store, given_documents, texts, per_page, ascending, who
):
    account = new_account()
    tables = emptied(store).of(account)
    made = stored_all(tables, given_documents)
    for text in texts:
        wanted = ask(text, per_page=per_page, ascending=ascending)
        pages = followed(lister(tables, account, *who).page, wanted)
        assert ids_of(pages) == expected(made, wanted, *who), text
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
