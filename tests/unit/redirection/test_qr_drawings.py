from pathlib import Path

import pytest

from fingerpost.errors import Invalid
from fingerpost.local.blobs import FolderBlobs
from fingerpost.ports.blobs import Blob, BlobFacts, Blobs
from fingerpost.ports.table import Throttled, Unreachable
from fingerpost.redirection import drawings
from fingerpost.redirection.drawings import TYPE_OF, drawing
from fingerpost.redirection.qr import qr_etag, qr_png, qr_svg
from fingerpost.redirection.qr_pdf import qr_pdf

SHORT = "https://tn.gg/EESmUazBxq"
DRAWN = {"png": qr_png, "svg": qr_svg, "pdf": qr_pdf}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path)


@pytest.fixture
def nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings, "_DRAW", {})


class Failing:
    """Blobs of which one call fails."""

    def __init__(self, inner: Blobs, call: str, failure: Exception):
        self.inner, self.call, self.failure = inner, call, failure

    def _fail(self, call: str) -> None:
        if call == self.call:
            raise self.failure

    def put_if_absent(self, name: str, content: bytes, *, content_type: str) -> bool:
        self._fail("put_if_absent")
        return self.inner.put_if_absent(name, content, content_type=content_type)

    def get(self, name: str) -> Blob | None:
        self._fail("get")
        return self.inner.get(name)

    def head(self, name: str) -> BlobFacts | None:
        return self.inner.head(name)

    def delete(self, name: str) -> None:
        self.inner.delete(name)


@pytest.mark.parametrize("format", DRAWN)
def test_what_nobody_asked_for_before_is_drawn_and_kept_under_its_etag(blobs, tmp_path, format):
    drawn = drawing(blobs, SHORT, format=format, width=120, height=95)
    assert drawn == DRAWN[format](SHORT, width=120, height=95)
    [name] = names(tmp_path)
    assert name == qr_etag(SHORT, width=120, height=95, format=format).strip('"') + f".{format}"
    assert blobs.get(name) == Blob(drawn, TYPE_OF[format])


@pytest.mark.parametrize("format", DRAWN)
def test_nothing_is_drawn_twice(blobs, format, request):
    first = drawing(blobs, SHORT, format=format, width=95, height=95)
    request.getfixturevalue("nothing_is_drawn")
    assert drawing(blobs, SHORT, format=format, width=95, height=95) == first


def test_every_url_size_and_format_is_kept_for_itself(blobs, tmp_path):
    asked = [
        (url, format, width, height)
        for url in (SHORT, "https://tn.gg/EESmUazBxr")
        for format in DRAWN
        for width, height in ((95, 95), (95, 96), (96, 95))
    ]
    drawn = [drawing(blobs, url, format=format, width=width, height=height) for url, format, width, height in asked]
    assert len(set(drawn)) == len(names(tmp_path)) == len(asked)


def test_a_size_that_is_refused_keeps_nothing(blobs, tmp_path):
    with pytest.raises(Invalid, match="33 x 33"):
        drawing(blobs, SHORT, format="png", width=20, height=95)
    assert names(tmp_path) == []


@pytest.mark.parametrize("failure", [Throttled("busy"), Unreachable("silent")])
@pytest.mark.parametrize("call", ["get", "put_if_absent"])
def test_a_store_that_cannot_be_had_costs_a_drawing_and_a_line_in_the_log(blobs, tmp_path, capsys, call, failure):
    failing = Failing(blobs, call, failure)
    assert drawing(failing, SHORT, format="png", width=95, height=95) == qr_png(SHORT)
    [line] = capsys.readouterr().err.splitlines()
    assert "WARNING" in line and str(failure) in line
    assert names(tmp_path) == []


def test_a_fault_of_the_deployment_is_not_hidden(blobs):
    with pytest.raises(PermissionError):
        drawing(Failing(blobs, "get", PermissionError("no")), SHORT, format="png", width=95, height=95)


def test_two_who_draw_at_once_get_the_same(blobs):
    class Late(Failing):
        """Somebody else writes the drawing between the look and the put."""

        def get(self, name: str) -> Blob | None:
            found = self.inner.get(name)
            self.inner.put_if_absent(name, qr_png(SHORT), content_type="image/png")
            return found

    late = Late(blobs, "", ValueError())
    assert drawing(late, SHORT, format="png", width=95, height=95) == qr_png(SHORT)
    assert drawing(late, SHORT, format="png", width=95, height=95) == qr_png(SHORT)
