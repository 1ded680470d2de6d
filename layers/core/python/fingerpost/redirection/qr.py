"""QR codes for short URLs: the symbol, and its drawing as PNG, as SVG and on a terminal. Pure functions.

Source: ISO/IEC 18004. `qrcode` encodes the symbol; where its segments begin and how it is drawn is decided here.
The drawing as PDF stands in qr_pdf.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Literal, NamedTuple

import png
from qrcode import constants, util
from qrcode.main import QRCode

from ..errors import Finding, Invalid, TooLarge

type Level = Literal["L", "M", "Q", "H"]
type Format = Literal["png", "svg", "pdf"]
type Modules = tuple[tuple[bool, ...], ...]  # rows from the top, True is dark

MAX_PX = 800
DEFAULT_PX = 95
QUIET = 4  # light modules on each side, without which a reader need not find the symbol
DRAWING_VERSION = 1  # part of every ETag: raise it with any change to the pixels or the markup

_LEVEL = {
    "L": constants.ERROR_CORRECT_L,
    "M": constants.ERROR_CORRECT_M,
    "Q": constants.ERROR_CORRECT_Q,
    "H": constants.ERROR_CORRECT_H,
}
_LAST_VERSIONS = (9, 26, 40)  # within each of these ranges a segment's length takes the same number of bits
_URL = re.compile(r"(?P<scheme>https?://)(?P<user>[^/?#]*@)?(?P<host>[^/?#@]+)(?P<path>[/?#].*)?", re.IGNORECASE)
_PRINTABLE = re.compile(r"[!-~]+")
_DIGITS = re.compile(r"[0-9]{1,9}")
_MOST_CHARACTERS = 7089  # what version 40-L holds of digits, the most any symbol does
_BLACK_ON_WHITE, _RESET = "\x1b[38;5;16;48;5;231m", "\x1b[0m"  # 0 to 15 are the theme's to change, these are not


class _Mode(NamedTuple):
    """One of the ways to write characters. Cost in sixths of a bit each, so that thirds and halves stay whole."""

    indicator: int
    alphabet: frozenset[str]
    sixths: int


_ALPHANUMERIC = frozenset(util.ALPHA_NUM.decode())
_MODES = (
    _Mode(util.MODE_ALPHA_NUM, _ALPHANUMERIC, 33),  # 11 bits for two
    _Mode(util.MODE_8BIT_BYTE, frozenset(map(chr, range(128))), 48),
    _Mode(util.MODE_NUMBER, frozenset("0123456789"), 20),  # 10 bits for three
)


class _Opened(NamedTuple):
    """A segment begun at index `start`, and the one before it."""

    start: int
    indicator: int
    before: "_Opened | None"


type _Course = tuple[int, _Opened | None]  # sixths of a bit spent so far, and on what


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a URL is written: the least version that holds it, and its segments as (mode indicator, text)."""

    version: int
    level: Level
    bits: int
    segments: tuple[tuple[int, str], ...]

    @property
    def side(self) -> int:
        """Modules along one side, without the quiet zone."""
        return 17 + 4 * self.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a symbol stands in an image of `width` x `height` pixels.

    `left` and `top` are the pixels before its first module, `scale` the pixels of a module in both directions.
    """

    modules: Modules
    width: int
    height: int
    scale: int
    left: int
    top: int


def plan(url: str, *, level: Level = "Q") -> Plan:
    """Choose the segments that make the smallest symbol, without drawing it.

    Scheme and host are written in capitals, which mean the same (RFC 3986, 6.2.2.1) and take 5.5 bits each in an
    alphanumeric segment instead of 8; everything after the host is kept as it is. Each character of the path then goes
    into whichever segment makes the whole shortest.

    Raises Invalid for what is not an http(s) URL in printable ASCII, TooLarge past what version 40 holds.
    """
    if level not in _LEVEL:
        raise Invalid(f"No error correction level {str(level)[:20]!r}: use one of {', '.join(_LEVEL)}")
    if len(url) > _MOST_CHARACTERS:
        raise _too_large(level)
    text = _capitalised(url)
    limits = util.BIT_LIMIT_TABLE[_LEVEL[level]]
    for last in _LAST_VERSIONS:
        bits, segments = _cheapest_segments(text, last)
        if bits <= limits[last]:
            version = next(version for version in range(1, last + 1) if bits <= limits[version])
            return Plan(version=version, level=level, bits=bits, segments=segments)
    raise _too_large(level)


def symbol(url: str, *, level: Level = "Q") -> Modules:
    """The smallest symbol that holds `url`: rows from the top, True is dark, no quiet zone. Raises as `plan` does.

    Shape: a square of 17 + 4 * version modules. `https://tn.gg/` and a short ID of ours are version 2 at level Q, which
    holds 22 bytes, 176 bits. As one byte segment their 24 characters take 204. Written `HTTPS://TN.GG/`, those 14 and
    the 4 capitals or digits the ID begins with (ids.SHORT_ID_UPPER) are one alphanumeric segment of 4 + 9 + 99 bits
    (mode, length, 11 for two characters), the other 6 one byte segment of 4 + 8 + 48: 172, whatever those 6 are.
    """
    return _encoded(plan(url, level=level))


def layout(url: str, *, width: int = DEFAULT_PX, height: int = DEFAULT_PX) -> Layout:
    """Place the symbol of `url` at level Q on whole pixels, as large as fits with its quiet zone, in the middle.

    What is left over widens the margins, by one pixel more on the right and at the bottom when it is odd.
    Raises Invalid for a size outside 1 to 800 and for one under a pixel a module; the latter names the least size.
    """
    for field, size in (("w", width), ("h", height)):
        if not 1 <= size <= MAX_PX:
            raise _not_a_size(str(size), field)
    planned = plan(url)
    least = planned.side + 2 * QUIET
    if min(width, height) < least:
        message = f"The QR code of {url} needs at least {least} x {least} pixels, not {width} x {height}"
        small = [field for field, size in (("w", width), ("h", height)) if size < least]
        expected = (f"{least} to {MAX_PX}",)
        raise Invalid(message, details=[Finding(field=field, message=message, expected=expected) for field in small])
    scale = min(width, height) // least
    inked = scale * planned.side
    return Layout(
        modules=_encoded(planned),
        width=width,
        height=height,
        scale=scale,
        left=(width - inked) // 2,
        top=(height - inked) // 2,
    )


def runs(modules: Modules) -> Iterator[tuple[int, int, int]]:
    """Every horizontal run of dark modules as (row, first column, length), from the top left."""
    for row, line in enumerate(modules):
        start = 0
        for column, dark in enumerate((*line, False)):
            if not dark:
                if column > start:
                    yield row, start, column - start
                start = column + 1


def qr_png(url: str, *, width: int = DEFAULT_PX, height: int = DEFAULT_PX) -> bytes:
    """Draw `url` as a greyscale PNG of 1 bit a pixel, `width` x `height` pixels, black on white. Raises as `layout`."""
    placed = layout(url, width=width, height=height)
    stride = -(-width // 8)
    white = (1 << 8 * stride) - 1  # a line as one number: the leftmost pixel is the highest bit, the padding the lowest
    inked = [white] * len(placed.modules)
    for row, start, length in runs(placed.modules):
        past = placed.left + placed.scale * (start + length)
        inked[row] ^= ((1 << placed.scale * length) - 1) << 8 * stride - past
    blank = white.to_bytes(stride)
    lines = [blank] * placed.top
    for line in inked:
        lines += [line.to_bytes(stride)] * placed.scale
    lines += [blank] * (height - len(lines))
    image = BytesIO()
    png.Writer(width, height, greyscale=True, bitdepth=1).write_packed(image, lines)
    return image.getvalue()


def qr_svg(url: str, *, width: int = DEFAULT_PX, height: int = DEFAULT_PX) -> bytes:
    """Draw `url` as an SVG of `width` x `height` pixels: white, and one black path in units of a module.

    Raises as `layout`.
    """
    placed = layout(url, width=width, height=height)
    path = "".join(f"M{start} {row}h{length}v1h-{length}z" for row, start, length in runs(placed.modules))
    place = f"translate({placed.left} {placed.top}) scale({placed.scale})"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' shape-rendering="crispEdges"><rect width="{width}" height="{height}" fill="#fff"/>'
        f'<path fill="#000" transform="{place}" d="{path}"/></svg>\n'
    ).encode("ascii")


def qr_text(url: str) -> str:
    """Draw `url` for a terminal, two rows of modules a line, quiet zone included, every line ended. Raises as `plan`.

    Colours are set, black on white, so that it reads on dark and on light terminals alike.
    """
    modules = symbol(url)
    light = (False,) * (len(modules) + 2 * QUIET)
    margin = (False,) * QUIET
    rows = [light] * QUIET + [(*margin, *line, *margin) for line in modules] + [light] * (QUIET + 1)  # an even number
    halves = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    return "".join(
        f"{_BLACK_ON_WHITE}{''.join(halves[pair] for pair in zip(upper, lower, strict=True))}{_RESET}\n"
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )


def qr_etag(url: str, *, width: int = DEFAULT_PX, height: int = DEFAULT_PX, format: Format) -> str:
    """A strong ETag, quotes included, of one drawing of `url`; costs one hash, draws nothing and refuses nothing."""
    drawing = f"{DRAWING_VERSION} {format} {width} {height} {url}"
    return f'"{sha256(drawing.encode()).hexdigest()[:32]}"'


def check_size(text: str, *, field: Literal["w", "h"]) -> int:
    """The pixels that query parameter `field` asks for. Raises Invalid unless it is a whole number from 1 to 800."""
    if _DIGITS.fullmatch(text) is None or not 1 <= int(text) <= MAX_PX:
        raise _not_a_size(text, field)
    return int(text)


def _not_a_size(text: str, field: str) -> Invalid:
    message = f"{field} must be a whole number of pixels from 1 to {MAX_PX}, not {text[:20]!r}"
    return Invalid(message, details=[Finding(field=field, message=message, expected=(f"1 to {MAX_PX}",))])


def _too_large(level: Level) -> TooLarge:
    room = util.BIT_LIMIT_TABLE[_LEVEL[level]][40] // 8
    return TooLarge(f"The URL is too long for a QR code: the largest holds {room} bytes at error correction {level}")


def _capitalised(url: str) -> str:
    match _URL.fullmatch(url):
        case re.Match() as parts if _PRINTABLE.fullmatch(url):
            scheme, user, host, path = parts.groups(default="")
            return f"{scheme.upper()}{user}{host.upper()}{path}"
        case _:
            raise Invalid(f"A QR code here holds an http or https URL in printable ASCII, not {url[:100]!r}")


def _cheapest_segments(text: str, version: int) -> tuple[int, tuple[tuple[int, str], ...]]:
    """The fewest bits that write `text` where lengths take as many bits as in `version`, and the segments that do.

    Dynamic programming: per mode, the cheapest way to have written the text so far with its last segment in that mode.
    Only that one can lead to the cheapest whole, since a cost grows with the cost before it, rounding included.
    """
    sizes = util.mode_sizes_for_version(version)
    courses: dict[int, _Course] = {}
    for at, character in enumerate(text):
        spent, before = min(map(_closed, courses.values()), key=_cost, default=(0, None))
        reached: dict[int, _Course] = {}
        for mode in _MODES:
            if character not in mode.alphabet:
                continue
            header = 6 * (4 + sizes[mode.indicator])
            opened = spent + header, _Opened(at, mode.indicator, before)
            sixths, segment = min(courses.get(mode.indicator, opened), opened, key=_cost)  # a tie goes on
            reached[mode.indicator] = sixths + mode.sixths, segment
        courses = reached
    spent, last = min(map(_closed, courses.values()), key=_cost)
    segments, end = [], len(text)
    while last is not None:
        segments.append((last.indicator, text[last.start : end]))
        end, last = last.start, last.before
    return spent // 6, tuple(reversed(segments))


def _cost(course: _Course) -> int:
    return course[0]


def _closed(course: _Course) -> _Course:
    """The course with its last segment ended: a segment takes whole bits."""
    sixths, segment = course
    return sixths + -sixths % 6, segment


def _encoded(planned: Plan) -> Modules:
    code = QRCode(version=planned.version, error_correction=_LEVEL[planned.level], border=0)
    for indicator, text in planned.segments:
        code.add_data(util.QRData(text.encode("ascii"), mode=indicator))
    code.make(fit=False)  # a plan that did not fit would raise DataOverflowError here
    return tuple(tuple(map(bool, row)) for row in code.get_matrix())
