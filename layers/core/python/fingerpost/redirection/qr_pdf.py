"""The QR code of a short URL as a PDF for print: one page as large as asked, one path, sharp at any resolution.

Sources: ISO 32000-1 (PDF 1.7); CSS Values, 5.2, for what a pixel is. `pydyf` writes the file.
"""

from collections.abc import Iterator
from io import BytesIO

import pydyf

from .qr import DEFAULT_PX, QUIET, Modules, layout, runs

POINTS_PER_PX = 0.75  # a pixel is 1/96 inch, a point 1/72

type Corner = tuple[int, int]  # column and row where modules meet, from the top left
type Edge = tuple[Corner, tuple[int, int]]  # where it begins, and the step to its end


def qr_pdf(url: str, *, width: int = DEFAULT_PX, height: int = DEFAULT_PX) -> bytes:
    """Draw `url` on a page of `width` x `height` pixels of 1/96 inch: 95 are 25.1 mm, 76 are 20.1 mm.

    A module need not be a whole number of pixels here: the symbol with its quiet zone fills the shorter side of the
    page and stands in the middle of the longer one. Black and white are DeviceGray, one ink on a press. The title is
    the URL, no date is written, and viewers are asked to print at true size. Raises as `layout`.
    """
    placed = layout(url, width=width, height=height)
    side = len(placed.modules)
    across, down = width * POINTS_PER_PX, height * POINTS_PER_PX
    module = min(across, down) / (side + 2 * QUIET)

    drawing = pydyf.Stream(compress=True)
    drawing.set_color_space("DeviceGray")
    drawing.set_color_special(None, False, 1)
    drawing.rectangle(0, 0, across, down)
    drawing.fill()
    drawing.set_matrix(module, 0, 0, -module, (across - module * side) / 2, (down + module * side) / 2)
    drawing.set_color_special(None, False, 0)
    for first, *further in outlines(placed.modules):
        drawing.move_to(*first)
        for corner in further:
            drawing.line_to(*corner)
        drawing.close()
    drawing.fill()

    document = pydyf.PDF()
    document.info["Title"] = pydyf.String(url)
    document.catalog["ViewerPreferences"] = pydyf.Dictionary({"DisplayDocTitle": "true", "PrintScaling": "/None"})
    document.add_object(drawing)
    document.add_page(
        pydyf.Dictionary(
            {
                "Type": "/Page",
                "Parent": document.pages.reference,
                "MediaBox": pydyf.Array([0, 0, across, down]),
                "Resources": pydyf.Dictionary(),
                "Contents": drawing.reference,
            }
        )
    )
    file = BytesIO()
    document.write(file)
    return file.getvalue()


def outlines(modules: Modules) -> Iterator[list[Corner]]:
    """The closed lines where dark meets light, each once, as the corners at which they turn; dark is on the right.

    Nothing runs between two dark modules, so a renderer that smooths edges has none to leave a hairline at. Where only
    the corners of two dark modules meet, each keeps its own line. Any fill rule paints the same.
    """
    edges = dict.fromkeys(_edges(modules))
    drawn: set[Edge] = set()
    for first in edges:
        line: list[Corner] = []
        edge = first
        while edge not in drawn:
            drawn.add(edge)
            (column, row), (x, y) = edge
            end = column + x, row + y
            edge = next((end, turn) for turn in ((-y, x), (x, y), (y, -x)) if (end, turn) in edges)  # right comes first
            if edge[1] != (x, y):
                line.append(end)
        if line:
            yield line


def _edges(modules: Modules) -> Iterator[Edge]:
    """The sides that dark modules do not share, clockwise around each."""
    dark = {(column, row) for row, start, length in runs(modules) for column in range(start, start + length)}
    for column, row in sorted(dark):
        if (column, row - 1) not in dark:
            yield (column, row), (1, 0)
        if (column + 1, row) not in dark:
            yield (column + 1, row), (0, 1)
        if (column, row + 1) not in dark:
            yield (column + 1, row + 1), (-1, 0)
        if (column - 1, row) not in dark:
            yield (column, row + 1), (0, -1)
