"""Paths in the permissions of application users and devices. Pure; standard library only.

`/thngs` stands for that address and everything below it, `/access$` for that address alone; `*` is any one segment,
`{user}` and `{thng}` the id of the user or device that asks. A request is allowed when any permission allows it.
Source: the platform's default permissions; that a path reaches below itself follows from `/accesses` with `d`.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from .model import Permission

LETTERS: Mapping[str, str] = {"POST": "c", "GET": "r", "PUT": "u", "DELETE": "d"}
ANY = "*"
OWN = ("{user}", "{thng}")
MAX_PATH = 200
_SEGMENT = re.compile(r"[A-Za-z0-9_.~:-]+|\*|\{user\}")


class Pattern(NamedTuple):
    segments: tuple[str, ...]
    exact: bool  # nothing below it


@lru_cache(maxsize=1024)
def pattern_of(path: str) -> Pattern:
    return Pattern(tuple(path.removesuffix("$").strip("/").split("/")), path.endswith("$"))


def is_path(path: str) -> bool:
    """Whether a role may have this path: segments of plain characters, `*` or `{user}`, perhaps with a `$` behind."""
    segments = path.removesuffix("$").split("/")
    return (
        len(path) <= MAX_PATH
        and path.startswith("/")
        and all(_SEGMENT.fullmatch(each) is not None for each in segments[1:])
    )


def permitted(
    permissions: Iterable[Permission], method: str, template: str, parameters: Mapping[str, str], *, own: str
) -> bool:
    """Whether one of the permissions allows this. A value with a slash in it is one segment still."""
    letter = LETTERS[method]
    segments = tuple(
        parameters[each[1:-1]] if each.startswith("{") and each.endswith("}") else each
        for each in template.strip("/").split("/")
    )
    return any(letter in each.access and _matches(pattern_of(each.path), segments, own) for each in permissions)


def _matches(pattern: Pattern, segments: tuple[str, ...], own: str) -> bool:
    wanted, exact = pattern
    if len(segments) < len(wanted) or (exact and len(segments) != len(wanted)):
        return False
    return all(
        each == ANY or segment == (own if each in OWN else each)
        for each, segment in zip(wanted, segments, strict=False)
    )


def within(permission: Permission, ceiling: Iterable[Permission]) -> bool:
    """Whether nothing is allowed by `permission` that `ceiling` does not allow, letter by letter."""
    pattern = pattern_of(permission.path)
    reaching = [each for each in ceiling if _covers(pattern_of(each.path), pattern)]
    return all(any(letter in each.access for each in reaching) for letter in permission.access)


def _covers(outer: Pattern, inner: Pattern) -> bool:
    """Whether every address of `inner` is one of `outer`."""
    if len(inner.segments) < len(outer.segments):
        return False
    if outer.exact and (not inner.exact or len(inner.segments) != len(outer.segments)):
        return False
    return all(each in (ANY, other) for each, other in zip(outer.segments, inner.segments, strict=False))
