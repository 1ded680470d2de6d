"""The fields of a `multipart/form-data` body, a file among them. Source: RFC 7578.

The platform's own command line writes `multipart/form-data;; boundary=...`, with two semicolons; that is read too.
"""

import re

from .errors import Invalid, UnsupportedMedia
from .http import Event, body_bytes, header

MULTIPART = "multipart/form-data"

_BOUNDARY = re.compile(r"""boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))""", re.IGNORECASE)
_NAME = re.compile(rb"""name\s*=\s*(?:"([^"]*)"|([^\s;"]+))""", re.IGNORECASE)


def is_multipart(event: Event) -> bool:
    return header(event, "content-type").partition(";")[0].strip().lower() == MULTIPART


def file_of(event: Event, field: str) -> bytes:
    """What the form's field holds. Raises UnsupportedMedia, Invalid."""
    found = fields_of(event)
    if field not in found:
        raise Invalid(f"The form has no field {field!r}")
    return found[field]


def fields_of(event: Event) -> dict[str, bytes]:
    """What the form's fields hold, the first of each name. Raises UnsupportedMedia, Invalid."""
    media = header(event, "content-type")
    if not is_multipart(event):
        raise UnsupportedMedia(f"This address reads {MULTIPART}, not {media[:80]}")
    boundary = _BOUNDARY.search(media)
    if boundary is None:
        raise Invalid(f"The Content-Type names no boundary: {media[:120]}")
    try:
        body = body_bytes(event)
    except ValueError as error:
        raise Invalid("The body could not be read as it was sent") from error
    mark = b"\r\n--" + (boundary[1] or boundary[2]).encode()
    parts = (b"\r\n" + body).split(mark)
    if len(parts) < 3 or not parts[-1].startswith(b"--"):
        raise Invalid("The form is not whole: it has no part, or no end. Send it again")
    found: dict[str, bytes] = {}
    for part in parts[1:-1]:
        head, separator, content = part.partition(b"\r\n\r\n")
        if separator and (name := _name(head)) is not None:
            found.setdefault(name.decode(errors="replace"), content)
    return found


def _name(head: bytes) -> bytes | None:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-disposition:") and (found := _NAME.search(line.replace(b"filename", b""))):
            quoted: bytes | None = found[1]
            return quoted if quoted is not None else found[2]
    return None
