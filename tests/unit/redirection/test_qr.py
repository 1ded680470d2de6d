import io
import itertools
import re
from hashlib import sha256
from math import ceil
from xml.etree import ElementTree

import numpy as np
import png
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from qrcode import util

from fingerpost.errors import Invalid, TooLarge
from fingerpost.ids import ALPHABET, SHORT_ID_LENGTH, SHORT_ID_UPPER, UPPER, new_short_id
from fingerpost.redirection.qr import (
    DRAWING_VERSION,
    MAX_PX,
    QUIET,
    check_size,
    layout,
    plan,
    qr_etag,
    qr_png,
    qr_svg,
    qr_text,
    runs,
    symbol,
)

SHORT = "https://tn.gg/EESmUazBxq"
LOCAL = "http://localhost:8001/EESmUazBxq"
URLS = [
    SHORT,
    LOCAL,
    "https://tn.gg/",
    "https://id.example.com/7KQ2yhwqna",
    "https://a.b/%7Bx%7d?q=1&Name=n-1_~",
    "http://[2001:db8::1]:8080/EESmUazBxq",
]
SIZES = [(95, 95), (800, 800), (97, 301), (301, 97), (45, 46), (100, 800), (799, 213)]

label = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
hosts = st.builds(
    lambda labels, port: ".".join(labels) + port,
    st.lists(label, min_size=1, max_size=3),
    st.sampled_from(["", ":8001"]),
)
short_ids = st.builds(
    str.__add__,
    st.text(UPPER, min_size=SHORT_ID_UPPER, max_size=SHORT_ID_UPPER),
    st.text(ALPHABET, min_size=SHORT_ID_LENGTH - SHORT_ID_UPPER, max_size=SHORT_ID_LENGTH - SHORT_ID_UPPER),
)
urls = st.builds("{}://{}/{}".format, st.sampled_from(["http", "https"]), hosts, short_ids)


def capitalised(url: str) -> str:
    origin = re.match(r"\w+://[^/]*", url)[0]
    return origin.upper() + url[len(origin) :]


def pixels_of_png(image: bytes) -> np.ndarray:
    """True is dark."""
    width, height, rows, described = png.Reader(bytes=image).read()
    assert (described["greyscale"], described["bitdepth"], described["alpha"]) == (True, 1, False)
    pixels = np.array([list(row) for row in rows]) == 0
    assert pixels.shape == (height, width)
    return pixels


def pixels_of_svg(image: bytes) -> np.ndarray:
    """Paint what `qr_svg` may say, and refuse what it may not: a white page, then rectangles in one black path."""
    svg = ElementTree.fromstring(image)
    page, path = svg
    width, height = int(svg.get("width")), int(svg.get("height"))
    assert svg.get("viewBox") == f"0 0 {width} {height}"
    assert page.tag.endswith("}rect") and page.get("fill") == "#fff"
    assert (page.get("width"), page.get("height")) == (svg.get("width"), svg.get("height"))
    assert path.tag.endswith("}path") and path.get("fill") == "#000"
    left, top, scale = map(
        int, re.fullmatch(r"translate\((\d+) (\d+)\) scale\((\d+)\)", path.get("transform")).groups()
    )
    pixels = np.zeros((height, width), dtype=bool)
    rectangle = re.compile(r"M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z")
    assert rectangle.sub("", path.get("d")) == ""
    for drawn in rectangle.finditer(path.get("d")):
        x, y, across, down, back = map(int, drawn.groups())
        assert across == back
        pixels[top + scale * y : top + scale * (y + down), left + scale * x : left + scale * (x + across)] = True
    return pixels


def read(pixels: np.ndarray) -> zxingcpp.Barcode:
    found = zxingcpp.read_barcodes(np.where(pixels, 0, 255).astype(np.uint8), formats=zxingcpp.BarcodeFormat.QRCode)
    assert len(found) == 1
    return found[0]


def modules_as_pixels(url: str) -> np.ndarray:
    return np.pad(np.array(symbol(url)).repeat(4, axis=0).repeat(4, axis=1), 16)


def margins(pixels: np.ndarray) -> tuple[int, int, int, int]:
    """Light pixels on the left, right, top and bottom."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    height, width = pixels.shape
    return int(columns[0]), int(width - 1 - columns[-1]), int(rows[0]), int(height - 1 - rows[-1])


def shortest_by_trying_all(text: str, version: int) -> int:
    """Bits of the cheapest of all ways to cut `text` and give each piece a mode. Source: ISO/IEC 18004, 7.4."""
    sizes = util.mode_sizes_for_version(version)

    def piece(characters: str) -> int:
        costs = [4 + sizes[util.MODE_8BIT_BYTE] + 8 * len(characters)]
        if set(characters) <= set(util.ALPHA_NUM.decode()):
            costs.append(4 + sizes[util.MODE_ALPHA_NUM] + ceil(len(characters) * 11 / 2))
        if characters.isdigit():
            costs.append(4 + sizes[util.MODE_NUMBER] + ceil(len(characters) * 10 / 3))
        return min(costs)

    best = [0]
    for end in range(1, len(text) + 1):
        best.append(min(best[start] + piece(text[start:end]) for start in range(end)))
    return best[-1]


# The symbol


def test_every_short_url_of_ours_is_a_version_2_symbol_at_level_q() -> None:
    assert all(plan(f"https://tn.gg/{new_short_id()}").version == 2 for _ in range(2000))


@settings(max_examples=60)
@given(short_ids)
def test_no_short_id_of_ours_takes_more_than_172_of_the_176_bits(short_id: str) -> None:
    planned = plan(f"https://tn.gg/{short_id}")
    assert (planned.version, planned.level) == (2, "Q")
    assert planned.bits <= 172
    assert len(symbol(f"https://tn.gg/{short_id}")) == 25


def test_a_reader_sees_version_2_at_level_q() -> None:
    barcode = read(modules_as_pixels(SHORT))
    assert (barcode.text, barcode.ec_level) == ("HTTPS://TN.GG/EESmUazBxq", "Q")
    assert barcode.extra["Version"] == "2"


def test_a_short_id_of_small_letters_throughout_takes_version_3() -> None:
    assert plan("https://tn.gg/abcdefghkm").version == 3


def test_scheme_and_host_are_in_capitals_with_the_leading_capitals_of_the_path() -> None:
    assert plan(SHORT).segments == (
        (util.MODE_ALPHA_NUM, "HTTPS://TN.GG/EES"),
        (util.MODE_8BIT_BYTE, "mUazBxq"),
    )


def test_a_long_number_is_its_own_segment() -> None:
    assert plan("https://tn.gg/abc/01234567890123456789").segments[-1] == (util.MODE_NUMBER, "01234567890123456789")


def test_capitals_between_small_letters_stay_in_the_byte_segment() -> None:
    assert plan("https://tn.gg/aaAAAAaa").segments[-1] == (util.MODE_8BIT_BYTE, "aaAAAAaa")


def test_what_follows_the_host_keeps_its_case() -> None:
    assert read(modules_as_pixels("https://Me:Pw@tn.gg/aB?c=dE#f")).text == "HTTPS://Me:Pw@TN.GG/aB?c=dE#f"


@settings(max_examples=80)
@given(st.text("Aa1.", max_size=40), st.sampled_from("LMQH"))
def test_no_other_segments_take_fewer_bits(path: str, level: str) -> None:
    planned = plan(f"http://h/{path}", level=level)
    assert planned.bits == shortest_by_trying_all(f"HTTP://H/{path}", planned.version)
    assert "".join(text for _, text in planned.segments) == f"HTTP://H/{path}"


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
@pytest.mark.parametrize("length", [10, 150, 190, 700])
def test_the_version_is_the_least_that_holds_the_segments_as_encoded(length: int, level: str) -> None:
    planned = plan("https://tn.gg/" + ("aB3xY9z012345" * 60)[:length], level=level)

    def bits(version: int) -> int:
        buffer = util.BitBuffer()
        for indicator, text in planned.segments:
            segment = util.QRData(text.encode(), mode=indicator)
            buffer.put(segment.mode, 4)
            buffer.put(len(segment), util.length_in_bits(segment.mode, version))
            segment.write(buffer)
        return len(buffer)

    limits = util.BIT_LIMIT_TABLE[{"L": 1, "M": 0, "Q": 3, "H": 2}[level]]
    assert bits(planned.version) == planned.bits <= limits[planned.version]
    assert bits(planned.version - 1) > limits[planned.version - 1]


@pytest.mark.parametrize("length", [60, 130, 250])
def test_longer_urls_are_read_back_too(length: int) -> None:
    url = "https://example.com/" + ("Path-of-7-parts/" * 20)[:length]
    assert read(modules_as_pixels(url)).text == capitalised(url)


def test_a_url_past_what_version_40_holds_is_too_large() -> None:
    assert plan("http://h/" + "a" * 1648).version == 40
    for length in (1700, 8000, 1_000_000):
        with pytest.raises(TooLarge, match="1666 bytes"):
            plan("http://h/" + "a" * length)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tn.gg/x",
        "ftp://tn.gg/x",
        "https://",
        "https:///x",
        "https://tn.gg/é",
        "https://tn.gg/a b",
        "https://tn.gg/\n",
    ],
)
def test_what_is_not_an_http_url_in_printable_ascii_is_refused(text: str) -> None:
    for draw in (symbol, qr_png, qr_svg, qr_text):
        with pytest.raises(Invalid, match="http or https URL"):
            draw(text)


def test_an_unknown_error_correction_level_is_refused() -> None:
    with pytest.raises(Invalid, match="L, M, Q, H"):
        symbol(SHORT, level="X")


# The drawings


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize(("draw", "pixels_of"), [(qr_png, pixels_of_png), (qr_svg, pixels_of_svg)], ids=["png", "svg"])
def test_a_drawing_is_exactly_as_large_as_asked_on_whole_pixels_and_readable(
    draw, pixels_of, url, width, height
) -> None:
    modules = np.array(symbol(url))
    pixels = pixels_of(draw(url, width=width, height=height))
    assert pixels.shape == (height, width)
    left, right, top, bottom = margins(pixels)
    scale = min(width, height) // (len(modules) + 2 * QUIET)
    assert min(left, right, top, bottom) >= QUIET * scale
    assert right - left in (0, 1) and bottom - top in (0, 1)
    inked = pixels[top : height - bottom, left : width - right]
    assert np.array_equal(inked, modules.repeat(scale, axis=0).repeat(scale, axis=1))
    assert read(pixels).text == capitalised(url)


@pytest.mark.parametrize("side", [33, 65, 66, 98, 99, 132, 400, 792, 800])
def test_modules_are_as_large_as_fits(side: int) -> None:
    pixels = pixels_of_png(qr_png(SHORT, width=side, height=side))
    left, right, top, bottom = margins(pixels)
    scale = layout(SHORT, width=side, height=side).scale
    assert (side - left - right, side - top - bottom) == (25 * scale, 25 * scale)
    assert 33 * scale <= side < 33 * (scale + 1)


def test_every_run_in_rows_and_columns_is_a_multiple_of_the_scale() -> None:
    pixels = pixels_of_png(qr_png(SHORT, width=301, height=97))
    left, _, top, _ = margins(pixels)
    for line, margin in [*((row, left) for row in pixels), *((column, top) for column in pixels.T)]:
        lengths = [len(list(run)) for _, run in itertools.groupby(line[margin:])][:-1]
        assert all(length % 2 == 0 for length in lengths)


@settings(max_examples=25, deadline=None)
@given(urls, st.integers(61, 260), st.integers(61, 260))
def test_png_and_svg_of_any_short_url_are_read_back(url: str, width: int, height: int) -> None:
    drawn = pixels_of_png(qr_png(url, width=width, height=height))
    assert drawn.shape == (height, width)
    assert np.array_equal(drawn, pixels_of_svg(qr_svg(url, width=width, height=height)))
    assert read(drawn).text == capitalised(url)


def test_a_png_is_opened_by_other_libraries_as_one_bit_black_on_white() -> None:
    image = Image.open(io.BytesIO(qr_png(SHORT)))
    assert (image.format, image.mode, image.size) == ("PNG", "1", (95, 95))
    assert image.getpixel((0, 0)) == 255
    assert zxingcpp.read_barcode(image).text == capitalised(SHORT)


def test_without_a_size_a_drawing_is_95_pixels_square() -> None:
    assert pixels_of_png(qr_png(SHORT)).shape == pixels_of_svg(qr_svg(SHORT)).shape == (95, 95)


@pytest.mark.parametrize("draw", [qr_png, qr_svg])
@pytest.mark.parametrize(
    ("url", "width", "height", "least", "fields"),
    [(SHORT, 32, 800, 33, ["w"]), (SHORT, 800, 1, 33, ["h"]), (LOCAL, 36, 20, 37, ["w", "h"])],
)
def test_less_than_a_pixel_a_module_is_refused_naming_the_least_size(draw, url, width, height, least, fields) -> None:
    with pytest.raises(Invalid, match=f"at least {least} x {least} pixels, not {width} x {height}") as refused:
        draw(url, width=width, height=height)
    assert [finding.field for finding in refused.value.details] == fields
    draw(url, width=least, height=least)


@pytest.mark.parametrize("size", [0, -1, 801])
def test_a_drawing_outside_1_to_800_pixels_is_refused(size: int) -> None:
    for arguments in ({"width": size}, {"height": size}):
        with pytest.raises(Invalid, match="1 to 800"):
            qr_png(SHORT, **arguments)


def test_runs_cover_the_dark_modules_once_and_nothing_else() -> None:
    modules = symbol(SHORT)
    covered = [(row, start + step) for row, start, length in runs(modules) for step in range(length)]
    assert len(covered) == len(set(covered))
    assert set(covered) == {(y, x) for y, line in enumerate(modules) for x, dark in enumerate(line) if dark}


@pytest.mark.parametrize("url", URLS)
def test_a_terminal_shows_a_readable_code_with_its_quiet_zone_in_fixed_colours(url: str) -> None:
    lines = qr_text(url).split("\n")
    assert lines.pop() == ""
    upper_and_lower = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    rows = []
    for line in lines:
        shown = re.fullmatch(r"\x1b\[38;5;16;48;5;231m([ ▀▄█]+)\x1b\[0m", line)[1]
        rows += zip(*(upper_and_lower[character] for character in shown), strict=True)
    pixels = np.array(rows, dtype=bool)
    left, right, top, bottom = margins(pixels)
    assert (left, right, top, bottom) == (QUIET, QUIET, QUIET, QUIET + 1)
    assert read(pixels.repeat(4, axis=0).repeat(4, axis=1)).text == capitalised(url)


# What a request may ask, and what a cache may keep


def test_sizes_from_1_to_800_are_read() -> None:
    assert [check_size(text, field="w") for text in ("1", "95", "095", str(MAX_PX))] == [1, 95, 95, 800]


@pytest.mark.parametrize(
    "text", ["", "0", "801", "-1", "+5", "95.0", "1e2", " 95", "95px", "٣", "9" * 5000, "0x10", "1_0", "nan"]
)
@pytest.mark.parametrize("field", ["w", "h"])
def test_any_other_size_is_refused_with_the_range(text: str, field: str) -> None:
    with pytest.raises(Invalid, match="whole number of pixels from 1 to 800") as refused:
        check_size(text, field=field)
    (finding,) = refused.value.details
    assert (finding.field, finding.expected) == (field, ("1 to 800",))
    assert len(str(refused.value)) < 120


def test_an_etag_is_strong_and_the_same_for_the_same_drawing_only() -> None:
    asked = [
        {"url": url, "width": width, "height": height, "format": format}
        for url in (SHORT, LOCAL)
        for width, height in ((95, 95), (96, 95), (95, 96))
        for format in ("png", "svg")
    ]
    etags = [qr_etag(**drawing) for drawing in asked]
    assert len(set(etags)) == len(asked)
    assert etags == [qr_etag(**drawing) for drawing in asked]
    assert all(re.fullmatch(r'"[0-9a-f]{32}"', etag) for etag in etags)


def test_drawings_differ_only_with_the_drawing_version() -> None:
    drawn = sha256(pixels_of_png(qr_png(SHORT)).tobytes() + qr_svg(SHORT)).hexdigest()[:16]
    assert (DRAWING_VERSION, drawn) == (1, "3a9f3c81a1612019"), (
        "raise DRAWING_VERSION: caches hold the old drawing under the same ETag"
    )
