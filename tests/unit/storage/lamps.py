"""A kind of document to store, and ways to change it."""

from collections.abc import Callable
from typing import Any

from fingerpost import keys
from fingerpost.ports.table import Absent, Put
from fingerpost.resources import Kind
from fingerpost.shapes import stamp
from tests.stores import NOON

KIND = Kind("thng", "thngs", indexed=("tags", "identifiers.*"), shards=4)

type Change = Callable[[dict[str, Any]], dict[str, Any]]


def document(name: str = "lamp", *tags: str, **more: Any) -> dict[str, Any]:
    return {"createdAt": NOON, "updatedAt": NOON, "scopes": {"projects": []}, "name": name, "tags": list(tags), **more}


def given(**fields: Any) -> Change:
    """The change that sets these fields."""
    return lambda before: {**before, **fields}


def claim_of(resource_id: str) -> Put:
    """A name that only one document can have."""
    return Put(keys.claim("thng", "the only one"), {**stamp("claim"), "id": resource_id}, (Absent(),))
