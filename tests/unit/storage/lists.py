"""Lists as a client follows them, and documents to list."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fingerpost import keys
from fingerpost.catalogue.model import THNG
from fingerpost.ids import new_id
from fingerpost.listing import Ask, Lister, PageOf
from fingerpost.paging import loads
from fingerpost.ports.table import Put, Tables
from fingerpost.resources import Document, Resources, Stored, index_rows
from fingerpost.rules.compile import compile_match
from fingerpost.rules.fields import LISTS
from fingerpost.shapes import stamp
from fingerpost.sight import WHOLE_ACCOUNT, Sight
from tests.stores import NOON, caller_of

SECRET = b"a secret of the tests"


def ask(text: str = "", **more: Any) -> Ask:
    node = compile_match(text, LISTS["thng"], strict=True, from_query=True).node if text else None
    return Ask(filter_text=text, node=node, **more)


def sight(project: str | None, user: str | None = None) -> Sight:
    return WHOLE_ACCOUNT if project is None else Sight(frozenset({project}), user)


def lister(tables: Tables, account: str, project: str | None = None, user: str | None = None) -> Lister[Stored]:
    caller, seen = replace(caller_of(tables, account), tables=tables), sight(project, user)
    load = loads(caller, THNG, seen.sees)
    return Lister(tables=tables, account=account, kind=THNG, load=load, secret=SECRET, scopes=seen.scopes)


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
