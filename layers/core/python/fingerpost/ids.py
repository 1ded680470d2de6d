"""Identifiers: resource ids are time-ordered, short ids are purely random. Standard library only."""

import hashlib
import os
import re
from collections.abc import Callable
from functools import lru_cache

# The platform's alphabet (no i j l o u v z, I J L O Z) in byte order, so that encoded times sort as they should.
ALPHABET = "0123456789ABCDEFGHKMNPQRSTUVWXYabcdefghkmnpqrstwxy"
UPPER = ALPHABET[:31]  # digits and capitals: what a QR code's alphanumeric segment can hold
SHORT_ID_LENGTH = 10
SHORT_ID_UPPER = 4  # leading characters from UPPER: with them a 23-character URL fits a version 2-Q symbol

_BASE = len(ALPHABET)
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_ID = re.compile(r"[A-Za-z0-9]{24}")


def _map(alphabet: str) -> tuple[bytes, bytes]:
    even = 256 - 256 % len(alphabet)
    return bytes(ord(alphabet[byte % len(alphabet)]) for byte in range(256)), bytes(range(even, 256))


_MAPS = {alphabet: _map(alphabet) for alphabet in (ALPHABET, UPPER)}

type NewId = Callable[[int], str]  # milliseconds since the epoch -> a new resource id of that time


@lru_cache(maxsize=16)
def encode_time(at: int) -> str:
    """Eight characters that sort as `at` (milliseconds since the epoch, from 0 to the year 3200) does."""
    return _digits(at, ALPHABET, 8)


def decode_time(text: str) -> int:
    """The inverse of `encode_time`. Raises KeyError for a character outside the alphabet."""
    at = 0
    for character in text:
        at = at * _BASE + _VALUE[character]
    return at


def new_id(at: int) -> str:
    """A resource id: `U`, the time in 8 characters, 15 random ones (84 bits)."""
    return "U" + encode_time(at) + _random(ALPHABET, 15)


def ordered_id(at: int, seed: str, number: int) -> str:
    """The resource id number `number` (below 50 ** 4) of time `at`: those of one seed sort as they are numbered."""
    return "U" + encode_time(at) + _seeded(seed, ALPHABET, 11) + _digits(number, ALPHABET, 4)


def hex_id(resource_id: str) -> str:
    """The 24 hex digits by which a role or an access is known, for a fresh resource id: they sort by time too."""
    return f"{time_of(resource_id):011x}" + hashlib.sha256(resource_id.encode()).hexdigest()[:13]


def new_short_id() -> str:
    """Ten random characters (53 bits), the first four digits or capitals."""
    return _random(UPPER, SHORT_ID_UPPER) + _random(ALPHABET, SHORT_ID_LENGTH - SHORT_ID_UPPER)


def time_of(resource_id: str) -> int:
    """When an id of ours was made, in milliseconds since the epoch."""
    return decode_time(resource_id[1:9])


def first_id(at: int) -> str:
    """The least id of time `at`: a lower bound for key ranges."""
    return "U" + encode_time(max(at, 0))


def is_id(text: str) -> bool:
    """Whether `text` could be a resource id: ours, or an older one of 24 letters and digits."""
    return _ID.fullmatch(text) is not None


def _random(alphabet: str, length: int) -> str:
    """Random bytes, mapped evenly: those past the last whole multiple of the alphabet's length are left out."""
    table, left_out = _MAPS[alphabet]
    text = b""
    while len(text) < length:
        text += os.urandom(length + 8).translate(table, left_out)
    return text[:length].decode()


def _digits(number: int, alphabet: str, length: int) -> str:
    characters = []
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        characters.append(alphabet[digit])
    return "".join(reversed(characters))


class SeededIds:
    """Ids that a repeated request gets again: the n-th id depends on the seed, n and the time asked for.

    An `Idempotency-Key` stores the seed before the first effect, so a retry after a crash rewrites the same rows.
    """

    def __init__(self, seed: str):
        self._seed, self._count = seed, 0

    def new_id(self, at: int) -> str:
        return "U" + encode_time(at) + self._next(ALPHABET, 15)

    def new_short_id(self) -> str:
        return self._next(UPPER, SHORT_ID_UPPER) + self._next(ALPHABET, SHORT_ID_LENGTH - SHORT_ID_UPPER)

    def _next(self, alphabet: str, length: int) -> str:
        self._count += 1
        return _seeded(f"{self._seed}#{self._count}", alphabet, length)


def _seeded(seed: str, alphabet: str, length: int) -> str:
    return _digits(int.from_bytes(hashlib.sha512(seed.encode()).digest()), alphabet, length)
