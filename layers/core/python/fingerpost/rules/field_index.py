"""Which terms of a rule set one field's value leaves possible. Standard library only.

A term is a bit. The answer may hold a term too many, which the rule's own predicate then refuses, never one too few.
Terms are gathered as lists of bits; the mask of a value is made when a scan first meets the value.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from .nodes import Number, number_of

MAX_BOUNDS = 512  # distinct bounds of one field's ranges; with more, ranges are rounded outwards to some of them
MAX_PREFIX_CHARACTERS = 32  # longer prefixes are indexed by their beginning

_INFINITY = float("inf")
_ARRAYS = (list, tuple, set, frozenset)  # a union of types in the call of isinstance would be made at each scan
_NUMBERS = (int, float)
_SCALARS = frozenset({str, int, float, bool})


class Range(NamedTuple):
    low: Number = -_INFINITY
    low_open: bool = False
    high: Number = _INFINITY
    high_open: bool = False


type Wanted = list[Any] | Range  # patterns in their stored form, any of which will do, or a range of numbers


type _Bits = list[int] | int  # the terms of one value: a list until a scan first meets the value, then a mask


class FieldIndex:
    """Filled by `add`, then closed, then asked."""

    __slots__ = (
        "_any",
        "_bounds",
        "_exact_only",
        "_numbers",
        "_prefixes",
        "_ranged",
        "_ranges",
        "_regions",
        "_tested",
        "_texts",
        "_truths",
        "free",
    )

    def __init__(self) -> None:
        self.free: int  # the terms that do not test the field; `close` says which
        self._tested: list[int] = []
        self._texts: dict[str, _Bits] = {}
        self._numbers: dict[Number, _Bits] = {}
        self._truths: dict[bool, _Bits] = {}
        self._prefixes: dict[int, dict[str, _Bits]] = {}  # by length
        self._any = 0  # the terms with `=*`
        self._ranges: list[tuple[int, Range]] = []
        self._ranged: int  # the terms with ranges
        self._bounds: list[Number] = []
        self._regions: list[int] = []  # the masks before the first bound, at it, between it and the second, ...
        self._exact_only: bool

    def add(self, bit: int, wanted: Wanted) -> None:
        """Term `bit` tests the field."""
        self._tested.append(bit)
        if isinstance(wanted, Range):
            self._ranges.append((bit, wanted))
            return
        for pattern in wanted:
            if isinstance(pattern, str):
                self._add_text(bit, pattern, pattern, None)
            elif pattern is None:
                self._any |= 1 << bit
            elif len(pattern) == 3:
                self._add_text(bit, *pattern)
            elif len(pattern) == 2:
                self._ranges.append((bit, Range(pattern[0], high=pattern[1])))
            else:
                start = pattern[0][:MAX_PREFIX_CHARACTERS]
                _add(self._prefixes.setdefault(len(start), {}), start, bit)

    def _add_text(self, bit: int, text: str, value: str | Number, number: Number | None) -> None:
        if isinstance(value, str):
            _add(self._texts, value, bit)
            if text in ("true", "false"):
                _add(self._truths, text == "true", bit)
        else:
            number = value
        if number is not None:
            _add(self._numbers, number, bit)

    def close(self, every: int) -> None:
        """No more terms; `every` has a bit for each there is."""
        self.free = every & ~mask_of(self._tested)
        self._tested = []
        self._ranged = mask_of([bit for bit, _ in self._ranges])
        self._exact_only = not (self._any or self._prefixes or self._ranges)

    def possible(self, stored: object) -> int:
        """The terms that can still match when the field has this value, None when the context lacks it."""
        if stored is None:
            return self.free
        if stored.__class__ is str and self._exact_only:
            bits = self._texts.get(stored)
            if bits is None:
                return self.free
            return self.free | (bits if bits.__class__ is int else _settled(self._texts, stored))
        if stored.__class__ not in _SCALARS and isinstance(stored, _ARRAYS):
            mask = self.free | self._ranged  # two bounds may be met by two elements
            for each in stored:
                if each is not None:
                    mask |= self._possible_for(each)
            return mask
        return self.free | self._possible_for(stored)

    def _possible_for(self, stored: object) -> int:
        """The terms that test the field and can match for this one element."""
        mask = self._any
        if isinstance(stored, str):
            if stored in self._texts:
                mask |= _settled(self._texts, stored)
            for length, prefixes in self._prefixes.items():
                start = stored[:length]
                if start in prefixes:
                    mask |= _settled(prefixes, start)
            if self._ranges and (number := number_of(stored)) is not None:
                mask |= self._in_ranges(number)
        elif isinstance(stored, bool):
            if stored in self._truths:
                mask |= _settled(self._truths, stored)
        elif isinstance(stored, _NUMBERS):
            if stored in self._numbers:
                mask |= _settled(self._numbers, stored)
            if self._ranges:
                mask |= self._in_ranges(stored)
        return mask

    def _in_ranges(self, number: Number) -> int:
        if not self._regions:
            self._sweep()
        bounds = self._bounds
        at = bisect_left(bounds, number)
        return self._regions[2 * at + (at < len(bounds) and bounds[at] == number)]

    def _sweep(self) -> None:
        """Make the masks of all regions. With too many bounds a range reaches as far as the next one that is kept."""
        bounds = sorted({bound for _, wanted in self._ranges for bound in wanted[::2]} - {-_INFINITY, _INFINITY})
        self._bounds = bounds[:: len(bounds) // MAX_BOUNDS + 1]
        spans: dict[int, tuple[int, int]] = {}
        for bit, (low, low_open, high, high_open) in self._ranges:
            first, last = _region(self._bounds, low), _region(self._bounds, high)
            first += low_open and first % 2  # an odd region is the bound itself
            last -= high_open and last % 2
            if first <= last:  # a term with several ranges spans them all
                known = spans.get(bit, (first, last))
                spans[bit] = min(first, known[0]), max(last, known[1])
        begins: dict[int, list[int]] = {}
        ends: dict[int, list[int]] = {}
        for bit, (first, last) in spans.items():
            begins.setdefault(first, []).append(bit)
            ends.setdefault(last + 1, []).append(bit)
        mask, regions = 0, []
        for region in range(2 * len(self._bounds) + 1):
            mask = mask & ~mask_of(ends.get(region, ())) | mask_of(begins.get(region, ()))
            regions.append(mask)
        self._regions = regions  # last and whole: another thread may be reading


def _region(bounds: list[Number], number: Number) -> int:
    at = bisect_left(bounds, number)
    return 2 * at + (at < len(bounds) and bounds[at] == number)


def _add[Value](table: dict[Value, _Bits], value: Value, bit: int) -> None:
    bits = table.setdefault(value, [])
    assert isinstance(bits, list)  # nobody asks before the index is closed
    bits.append(bit)


def _settled[Value](table: dict[Value, _Bits], value: Value) -> int:
    """The mask of a value that is there."""
    bits = table[value]
    if isinstance(bits, int):
        return bits
    mask = table[value] = mask_of(bits)
    return mask


def mask_of(bits: Sequence[int]) -> int:
    """The number with these bits set."""
    if len(bits) < 4:
        mask = 0
        for bit in bits:
            mask |= 1 << bit
        return mask
    octets = bytearray(max(bits) // 8 + 1)
    for bit in bits:
        octets[bit >> 3] |= 1 << (bit & 7)
    return int.from_bytes(octets, "little")
