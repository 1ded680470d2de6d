"""Links: short URLs of things, as rows and as documents. Standard library only; on the scan path."""

import json
from functools import lru_cache
from typing import Any, Literal

from ..frozen import Frozen
from ..ports.table import Item
from ..rules.template import Template, fill, from_json, to_json
from ..shapes import stamp, upgraded
from .limits import STATES, Limit, Limits, from_text, to_text

type ResourceType = Literal["thng", "product", "collection", "place"]

PATHS: dict[str, str] = {"thng": "thngs", "product": "products", "collection": "collections", "place": "places"}


class Link(Frozen, kw_only=True):
    """A short URL. `product` and `projects` are hints of what its thng says: verified where they matter."""

    account: str
    domain: str
    short_id: str
    type: ResourceType
    evrythng_id: str
    url_text: str  # the default URL as its operator wrote it
    url: Template  # the same, taken apart
    created_at: int
    updated_at: int
    version: int = 1
    made: str = ""  # the id of the request that made it, so that a repeat finds its own
    product: str | None = None
    projects: tuple[str, ...] = ()
    deleted_at: int | None = None
    limits: Limits | None = None
    exhausted_at: int | None = None  # when its scans were found to be used up

    @property
    def name(self) -> str:
        return f"{self.domain}/{self.short_id}"

    @property
    def tag(self) -> str:
        """The version as entity tags have it."""
        return str(self.version)

    def default_url(self) -> str:
        """Where a scan goes that no rule wants."""
        return self._filled(self.url)

    def limit(self, at: int) -> Limit | None:
        """The limit that is in the way of a scan at a moment."""
        if self.limits is None:
            return None
        return self.limits.met(at, exhausted=self.exhausted_at is not None and self.exhausted_at <= at)

    def url_at(self, limit: Limit) -> str:
        """Where a scan goes that meets this limit; empty when there is no such place."""
        if self.limits is None or limit not in self.limits.urls:
            return ""
        return self._filled(self.limits.urls[limit][1])

    def names(self) -> dict[str, str | None]:
        """What its URLs may name."""
        return {
            "evrythngId": self.evrythng_id,
            "shortId": self.short_id,
            "thngId": self.evrythng_id if self.type == "thng" else None,
            "productId": self.evrythng_id if self.type == "product" else self.product,
        }

    def _filled(self, template: Template) -> str:
        # An id of 24 characters cannot make a URL too long that was short enough when saved.
        return fill(template, self.names()) or str(template.pieces[0])


def to_item(link: Link) -> Item:
    """Texts and numbers only: lists cost a scan more to read."""
    item: Item = {
        **stamp("link"),
        "v": link.version,
        "account": link.account,
        "type": link.type,
        "id": link.evrythng_id,
        "text": link.url_text,
        "url": json.dumps(to_json(link.url), ensure_ascii=False, separators=(",", ":")),
        "created": link.created_at,
        "updated": link.updated_at,
        "made": link.made,
        "projects": ",".join(link.projects),
    }
    if link.product:
        item["product"] = link.product
    if link.deleted_at is not None:
        item["deleted"] = link.deleted_at
    if link.limits is not None:
        item["limits"] = to_text(link.limits)
    if link.exhausted_at is not None:
        item["exhausted"] = link.exhausted_at
    return item


def from_item(domain: str, short_id: str, item: Item) -> Link:
    row: dict[str, Any] = upgraded(item)
    return Link(
        account=row["account"],
        domain=domain,
        short_id=short_id,
        type=row["type"],
        evrythng_id=row["id"],
        url_text=row["text"],
        url=_template(row["url"]),
        created_at=row["created"],
        updated_at=row["updated"],
        version=row["v"],
        made=row["made"],
        product=row.get("product"),
        projects=tuple(filter(None, row["projects"].split(","))),
        deleted_at=row.get("deleted"),
        limits=from_text(row["limits"]) if "limits" in row else None,
        exhausted_at=row.get("exhausted"),
    )


@lru_cache(maxsize=4096)
def _template(text: str) -> Template:
    """What a busy link's scans would take apart again and again."""
    return from_json(json.loads(text))


def redirection_document(link: Link, hits: int, api_url: str, at: int) -> dict[str, Any]:
    """The platform's RedirectionDocument, and what state the redirection is in at a moment, with its limits if any.

    Placeholders of the default URL are filled in.
    """
    url = link.default_url()
    document: dict[str, Any] = {
        "createdAt": link.created_at,
        "updatedAt": link.updated_at,
        "defaultRedirectUrl": url,
        "redirectUrl": url,
        "evrythngId": link.evrythng_id,
        "evrythngUrl": f"{api_url}/{PATHS[link.type]}/{link.evrythng_id}",
        "shortDomain": link.domain,
        "shortId": link.short_id,
        "type": link.type,
        "hits": hits,
        "state": STATES[link.limit(at)],
    }
    return document if link.limits is None else {**document, "limits": link.limits.document()}
