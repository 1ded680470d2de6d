"""A script's package.json: what it depends on, and which of that has to be fetched. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import Finding, Invalid, TooLarge

MANIFEST = "package.json"
MAX_BYTES = 64 * 1024
MAX_DEPENDENCIES = 100
SDK = "evrythng-extended"
FRESH = json.dumps({"dependencies": {SDK: "^4.7.2"}})  # of an application that has no script yet
SUPPLIED = {SDK: 4, "evrythng": 6, "reactor-runasync": None}  # by the runner, each in this major version; None: any

_NAME = re.compile(r"(?:@[a-z0-9~-][a-z0-9._~-]*/)?[A-Za-z0-9~_-][A-Za-z0-9._~-]*")  # old packages have capitals
_RANGE = re.compile(r"[\w\s.^~<>=|*+-]*", re.ASCII)
_MAJOR = re.compile(r"[\s^~>=v]*(\d+)(?:\.|\s*$)")


@dataclass(frozen=True, slots=True)
class Manifest:
    """`fetched` are the packages that npm has to bring: name -> range of versions, or a tag."""

    text: str = ""
    fetched: Mapping[str, str] = field(default_factory=dict)


def read_manifest(text: str) -> Manifest:
    """What a package.json says. Empty text is one that says nothing. `devDependencies` count for nothing.

    Raises Invalid, also for a dependency from elsewhere than the registry, and TooLarge.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise TooLarge(f"{MANIFEST} has at most {MAX_BYTES:,} bytes")
    if not text.strip():
        return Manifest(text)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong("", f"is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise _wrong("", "has to hold an object")
    asked: dict[str, str] = {}
    for part in ("optionalDependencies", "dependencies"):
        asked |= _dependencies(part, document.get(part))
    if len(asked) > MAX_DEPENDENCIES:
        raise TooLarge(f"{MANIFEST} names at most {MAX_DEPENDENCIES} dependencies")
    return Manifest(text, {name: wanted for name, wanted in asked.items() if not _is_supplied(name, wanted)})


def _dependencies(part: str, content: Any) -> dict[str, str]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise _wrong(part, "has to be an object of names and versions")
    for name, wanted in content.items():
        place = f"{part}.{name[:80]}"
        if not _NAME.fullmatch(name) or len(name) > 214:
            raise _wrong(place, "is not the name of a package")
        if not isinstance(wanted, str):
            raise _wrong(place, "has to be a version, such as ^1.2.0")
        if len(wanted) > 200 or not _RANGE.fullmatch(wanted):
            raise _wrong(
                place,
                f"is {wanted[:80]!r}; only versions from the registry are installed, no git, file, link or address",
            )
    return dict(content)


def _is_supplied(name: str, wanted: str) -> bool:
    """Whether the runner's own copy will do. A range of several major versions has its first one looked at."""
    if name not in SUPPLIED:
        return False
    major = _MAJOR.match(wanted)
    return SUPPLIED[name] is None or major is None or int(major[1]) == SUPPLIED[name]


def _wrong(place: str, message: str) -> Invalid:
    where = f"{MANIFEST}: {place} {message}" if place else f"{MANIFEST} {message}"
    return Invalid(where, details=[Finding(field=f"manifest.{place}" if place else "manifest", message=message)])
