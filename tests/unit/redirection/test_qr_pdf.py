import re
import zlib
from hashlib import sha256

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.errors import Invalid
from fingerpost.redirection.qr import DRAWING_VERSION, MAX_PX, QUIET, qr_etag, qr_png, qr_svg, runs, symbol
from fingerpost.redirection.qr_pdf import outlines, qr_pdf
from tests.unit.redirection.test_qr import capitalised, pixels_of_png, pixels_of_svg

SHORT = "https://tn.gg/EESmUazBxq"
LOCAL = "http://localhost:8001/EESmUazBxq"
SIZES = [(95, 95), (800, 800), (76, 76), (97, 301), (301, 97), (37, 800)]

grids = (
    st.integers(1, 7)
    .flatmap(lambda side: st.lists(st.lists(st.booleans(), min_size=side, max_size=side), min_size=side, max_size=side))
    .map(lambda rows: tuple(map(tuple, rows)))
)


def rendered(file: bytes, *, dots: int) -> np.ndarray:
    """The page in greys, `dots` dots wide, by a renderer that smooths edges."""
    with pypdfium2.PdfDocument(file) as document:
        assert len(document) == 1
        page = document[0]
        bitmap = page.render(scale=(dots - 0.0001) / page.get_width(), grayscale=True, draw_annots=False)
        greys: np.ndarray = bitmap.to_numpy().reshape(bitmap.height, bitmap.width).copy()
        return greys


def printed(file: bytes, *, mm: float, dpi: int) -> np.ndarray:
    """The page as a printer without greys puts it on a label: True is ink."""
    return rendered(file, dots=round(mm / 25.4 * dpi)) < 128


def text_of(ink: np.ndarray) -> str:
    [found] = zxingcpp.read_barcodes(np.where(ink, 0, 255).astype(np.uint8), formats=zxingcpp.BarcodeFormat.QRCode)
    return found.text


def instructions(file: bytes) -> list[str]:
    """What the page's one content stream says, a line each."""
    [stream] = re.findall(rb"stream\n(.*?)\nendstream", file, re.DOTALL)
    return zlib.decompress(stream).decode("ascii").split("\n")


@pytest.mark.parametrize("dpi", [203, 300, 600])
@pytest.mark.parametrize("url", [SHORT, LOCAL])
def test_a_label_of_20_mm_reads_back_at_the_resolution_of_any_label_printer(url: str, dpi: int) -> None:
    ink = printed(qr_pdf(url), mm=20, dpi=dpi)
    assert abs(ink.shape[0] - 20 / 25.4 * dpi) < 1
    assert text_of(ink) == capitalised(url)


@pytest.mark.parametrize("size", [95, 800])
@pytest.mark.parametrize("url", [SHORT, LOCAL])
def test_png_svg_and_pdf_of_one_size_read_as_the_same_url(url: str, size: int) -> None:
    ink = [
        pixels_of_png(qr_png(url, width=size, height=size)),
        pixels_of_svg(qr_svg(url, width=size, height=size)),
        rendered(qr_pdf(url, width=size, height=size), dots=size) < 128,
    ]
    assert [pixels.shape for pixels in ink] == [(size, size)] * 3
    assert [text_of(pixels) for pixels in ink] == [capitalised(url)] * 3


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_page_is_as_large_as_asked_at_96_pixels_an_inch(width: int, height: int) -> None:
    with pypdfium2.PdfDocument(qr_pdf(SHORT, width=width, height=height)) as document:
        assert document[0].get_mediabox() == (0, 0, width * 72 / 96, height * 72 / 96)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_symbol_with_its_quiet_zone_fills_the_shorter_side_and_stands_in_the_middle(width: int, height: int) -> None:
    ink = rendered(qr_pdf(SHORT, width=width, height=height), dots=10 * width) < 128
    module = 10 * min(width, height) / 33
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    left, right = columns[0], 10 * width - 1 - columns[-1]
    top, bottom = rows[0], 10 * height - 1 - rows[-1]
    assert min(left, top) == pytest.approx(QUIET * module, abs=1)
    assert left == pytest.approx(right, abs=1)
    assert top == pytest.approx(bottom, abs=1)


@pytest.mark.parametrize("dots", [151, 472, 997])
def test_no_hairline_parts_neighbouring_modules_wherever_the_dots_fall(dots: int) -> None:
    greys = rendered(qr_pdf(SHORT), dots=dots)
    module = dots / 33
    dark = np.pad(np.array(symbol(SHORT)), QUIET)
    along = ((np.arange(dots) / module).astype(int), ((np.arange(dots) + 1) / module - 1e-9).astype(int))
    first, last = along  # the modules that the edges of a dot lie in
    inside, outside = np.ones((dots, dots), bool), np.ones((dots, dots), bool)
    for rows in along:
        for columns in along:
            inside &= dark[np.ix_(rows, columns)]
            outside &= ~dark[np.ix_(rows, columns)]
    between = (first != last)[:, None] | (first != last)[None, :]
    assert (inside & between).sum() > 100
    assert greys[inside].max() <= 2  # of 255: the renderer's own rounding
    assert greys[outside].min() >= 253


def test_the_code_is_one_path_filled_once_in_one_ink_on_a_white_page() -> None:
    said = instructions(qr_pdf(SHORT))
    operators = [line.rpartition(" ")[2] for line in said]
    assert operators[:6] == ["cs", "scn", "re", "f", "cm", "scn"]
    assert (said[0], said[1], said[2], said[5]) == ("/DeviceGray cs", "1 scn", "0 0 71.25 71.25 re", "0 scn")
    assert set(operators[6:-1]) == {"m", "l", "h"}
    assert operators[-1] == "f"


def test_the_title_is_the_url_as_it_was_given_and_nothing_tells_when_or_by_what() -> None:
    with pypdfium2.PdfDocument(qr_pdf("https://tn.gg/a(b\\c)d")) as document:
        told = {name: text for name, text in document.get_metadata_dict().items() if text}
    assert told == {"Title": "https://tn.gg/a(b\\c)d"}


def test_a_viewer_is_asked_to_print_at_true_size() -> None:
    assert b"/PrintScaling /None" in qr_pdf(SHORT)


def test_one_url_and_size_always_give_the_same_bytes() -> None:
    assert qr_pdf(SHORT) == qr_pdf(SHORT)
    assert len({qr_pdf(SHORT), qr_pdf(LOCAL), qr_pdf(SHORT, width=96), qr_pdf(SHORT, height=96)}) == 4


@pytest.mark.parametrize(("width", "height"), [(32, 800), (800, 32), (0, 95), (95, 801)])
def test_the_sizes_refused_are_those_of_the_other_formats(width: int, height: int) -> None:
    for draw in (qr_pdf, qr_png):
        with pytest.raises(Invalid, match=r"33 x 33|1 to 800"):
            draw(SHORT, width=width, height=height)
    assert qr_pdf(SHORT, width=33, height=33)


def test_the_format_is_part_of_the_etag() -> None:
    assert len({qr_etag(SHORT, format=format) for format in ("png", "svg", "pdf")}) == 3


@settings(max_examples=150)
@given(grids)
def test_outlines_wind_once_around_every_dark_module_and_around_no_light_one(modules) -> None:
    lines = list(outlines(modules))
    winding = np.zeros((len(modules), len(modules)), dtype=int)
    for line in lines:
        for (x, y), (next_x, next_y) in zip(line, line[1:] + line[:1], strict=True):
            assert (x == next_x) != (y == next_y)
            top, bottom = sorted((y, next_y))
            winding[top:bottom, :x] += np.sign(next_y - y)  # every module to the left of a line that goes down, or up
    assert np.array_equal(winding == 1, np.array(modules))
    assert set(winding.ravel().tolist()) <= {0, 1}


@settings(max_examples=150)
@given(grids)
def test_outlines_turn_at_every_corner_and_run_between_no_two_dark_modules(modules) -> None:
    side = range(len(modules))

    def dark(column: int, row: int) -> bool:
        return column in side and row in side and modules[row][column]

    for line in outlines(modules):
        for before, (x, _), after in zip(line[-1:] + line[:-1], line, line[1:] + line[:1], strict=True):
            assert (before[0] == x) != (after[0] == x)
        for (x, y), (next_x, next_y) in zip(line, line[1:] + line[:1], strict=True):
            for row in range(*sorted((y, next_y))):
                assert dark(x - 1, row) != dark(x, row)
            for column in range(*sorted((x, next_x))):
                assert dark(column, y - 1) != dark(column, y)


def test_outlines_of_a_symbol_are_far_fewer_than_its_runs() -> None:
    modules = symbol(SHORT)
    assert len(list(outlines(modules))) < len(list(runs(modules))) / 2


def test_a_drawing_differs_only_with_the_drawing_version() -> None:
    said = "\n".join(instructions(qr_pdf(SHORT)) + instructions(qr_pdf(SHORT, width=MAX_PX, height=300)))
    assert (DRAWING_VERSION, sha256(said.encode()).hexdigest()[:16]) == (1, "2eb88f64444968c6"), (
        "raise DRAWING_VERSION: caches hold the old drawing under the same ETag"
    )
