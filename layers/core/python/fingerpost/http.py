"""Events of API Gateway (payload 2.0) and function URLs, and replies to them. Standard library only."""

import binascii
from collections.abc import Mapping
from typing import Any

type Event = dict[str, Any]
type Reply = dict[str, Any]

NO_STORE = "no-store"


def header(event: Event, name: str) -> str:
    """One request header by its lower-case name; empty when absent."""
    value = event.get("headers", {}).get(name, "")
    return value if isinstance(value, str) else ""


def body_bytes(event: Event) -> bytes:
    """The body as it was sent; empty when there is none."""
    body = event.get("body") or ""
    return binascii.a2b_base64(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogateescape")


def reply(status: int, body: str | bytes = "", headers: Mapping[str, str] | None = None) -> Reply:
    """A reply document; bytes travel as base64."""
    if isinstance(body, bytes):
        return {
            "statusCode": status,
            "headers": dict(headers or {}),
            "body": binascii.b2a_base64(body, newline=False).decode(),
            "isBase64Encoded": True,
        }
    return {"statusCode": status, "headers": dict(headers or {}), "body": body, "isBase64Encoded": False}


def accepts(event: Event, *types: str) -> bool:
    """Whether the Accept header names one of the media types outright; `*/*` names none."""
    accept = header(event, "accept").lower()
    if not any(media in accept for media in types):  # a scan's mostly does not
        return False
    named = {part.partition(";")[0].strip() for part in accept.split(",")}
    return not named.isdisjoint(types)


def preferred(event: Event, *types: str) -> str | None:
    """The first of the media types that Accept names, in the client's own order of preference."""
    for weight, media in sorted(_weighted(header(event, "accept")), key=lambda pair: -pair[0]):
        if media in types and weight > 0:
            return media
    return None


def _weighted(accept: str) -> list[tuple[float, str]]:
    pairs = []
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        pairs.append((weight, media.lower()))
    return pairs
