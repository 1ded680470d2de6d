"""`fingerpost qr`: the code of a short link, in the terminal or as a file."""

from pathlib import Path
from typing import Annotated

import typer

from .command import Session
from .failure import Usage
from .redirections import ShortId, link_named
from .terminal import written

FORMATS = ("png", "svg", "pdf")


def qr(
    session: Session,
    short_id: ShortId,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; its ending says which: .png, .svg or .pdf.")
    ] = None,
    size: Annotated[
        int, typer.Option("--size", "-s", min=1, max=800, help="Pixels a side; on paper, 1/96 inch each.")
    ] = 300,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file when there is one.")] = False,
) -> None:
    """Show a link's QR code here, or write it to a file for print or screen."""
    link = link_named(short_id)
    document = session.client.get(link.address, link.query)
    url = _short_url(session, document["shortDomain"], document["shortId"])
    if output is None:
        from ..redirection.qr import qr_text  # noqa: PLC0415  0.1 s that only a code should cost

        text = qr_text(url)
        session.terminal.answer({"url": url, "text": text}, lambda: session.terminal.raw(f"{text}{url}\n"))
        return
    format_ = output.suffix.lower().removeprefix(".")
    if format_ not in FORMATS:
        raise Usage(f"{output} does not end in .png, .svg or .pdf", then="Give the file one of these endings")
    if output.exists() and not overwrite:
        raise Usage(f"{output} is there already", then="Say --overwrite, or choose another name")
    sides = {**link.query, "w": str(size), "h": str(size)}
    picture = session.client.ask("GET", f"{link.address}.{format_}", sides, headers={"accept": "*/*"}).content
    try:
        written(output, picture)
    except OSError as error:
        raise Usage(f"{output} cannot be written: {error.strerror}") from error
    session.terminal.answer(
        {"url": url, "file": str(output), "bytes": len(picture)},
        lambda: session.terminal.say(f"{output}: the code of {url}, {size} x {size}, {len(picture):,} bytes"),
    )


def _short_url(session: Session, domain: str, short_id: str) -> str:
    """The address that the code spells: over TLS, but for a server on this machine."""
    local = domain.partition(":")[0] in ("localhost", "127.0.0.1")
    scheme = session.client.connection.api_url.partition(":")[0] if local else "https"
    return f"{scheme}://{domain}/{short_id}"
