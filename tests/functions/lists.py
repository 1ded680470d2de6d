"""Lists as every SDK reads them."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.functions.world import Answer, Client


def ids(documents: Iterable[Any]) -> list[str]:
    return [each["id"] for each in documents]


def next_page(client: Client, answer: Answer) -> Answer | None:
    """Follow the Link header as every SDK does: decode what is between the brackets once, and GET it bare."""
    link = answer.headers.get("link")
    if link is None:
        return None
    address, _, relation = link.partition(">")
    assert relation == '; rel="next"'
    assert address.startswith("<https%3A%2F%2Fapi.example%2F")
    assert not set(address) & set(",;=+ ")
    parts = urlsplit(unquote(address[1:]))
    return client.get(f"{parts.path}?{parts.query}")


def walked(client: Client, path: str) -> list[list[str]]:
    pages, answer = [], client.get(path)
    while answer is not None:
        assert answer.status == 200, answer
        pages.append(ids(answer.document))
        answer = next_page(client, answer)
    return pages
