"""QR codes drawn once: a drawing is kept under its ETag, so the next who asks costs none, whoever and wherever."""

from collections.abc import Mapping

from .. import log
from ..ports.blobs import Blobs
from ..ports.table import Throttled, Unreachable
from .qr import Format, qr_etag, qr_png, qr_svg
from .qr_pdf import qr_pdf

TYPE_OF: Mapping[Format, str] = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}

_DRAW = {"png": qr_png, "svg": qr_svg, "pdf": qr_pdf}


def drawing(blobs: Blobs, url: str, *, format: Format, width: int, height: int) -> bytes:
    """The QR code of `url` as it was kept in `blobs`, else as drawn now, and kept from then on.

    It depends on the URL alone: whether there still is a link is for the caller to know. A store that cannot be had
    costs a drawing and a line in the log, not the answer. Raises as `layout`; what it refuses is never kept.
    """
    name = f"{qr_etag(url, width=width, height=height, format=format).strip('"')}.{format}"
    try:
        if (kept := blobs.get(name)) is not None:
            return kept.content
    except (Throttled, Unreachable) as failure:
        log.warning("a kept drawing cannot be read", name=name, failure=failure)
        return _DRAW[format](url, width=width, height=height)
    drawn = _DRAW[format](url, width=width, height=height)
    try:
        blobs.put_if_absent(name, drawn, content_type=TYPE_OF[format])
    except (Throttled, Unreachable) as failure:
        log.warning("a drawing cannot be kept", name=name, failure=failure)
    return drawn
