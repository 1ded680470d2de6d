"""A bundle unpacks below its root and within limits, or not at all."""

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.errors import Invalid, TooLarge
from fingerpost.reactor import bundles
from fingerpost.reactor.bundles import pack, unpack


def zip_of(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o120777 << 16
    return entry


def test_what_is_packed_unpacks_for_reading_only(tmp_path):
    unpack(pack(iter([("main.js", b"1"), ("lib/a.js", b"2")])), tmp_path / "made")
    assert (tmp_path / "made" / "lib" / "a.js").read_bytes() == b"2"
    assert (tmp_path / "made" / "main.js").stat().st_mode & 0o777 == 0o444


def test_the_same_files_make_the_same_bytes():
    assert pack(iter([("main.js", b"1")])) == pack(iter([("main.js", b"1")]))


@pytest.mark.parametrize("name", ["../main.js", "/main.js", "a/../../main.js", "a//main.js", "./main.js", "a\\..\\b"])
def test_a_path_that_leads_out_is_refused(tmp_path, name):
    with pytest.raises(Invalid, match="no path below its root"):
        unpack(zip_of((name, b"")), tmp_path / "made")


def test_links_are_refused(tmp_path):
    with pytest.raises(Invalid, match="a link or a special file"):
        unpack(zip_of((link("etc"), b"/etc")), tmp_path / "made")


def test_what_unpacks_to_too_much_is_refused_by_what_comes_out(tmp_path, monkeypatch):
    monkeypatch.setattr(bundles, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(TooLarge, match="1,000 bytes"):
        unpack(pack(iter([("main.js", b"x" * 600), ("b.js", b"x" * 600)])), tmp_path / "made")


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bundles, "MAX_FILES", 1)
    with pytest.raises(TooLarge, match="1 files"):
        unpack(zip_of(("a", b""), ("b", b"")), tmp_path / "made")


@pytest.mark.parametrize("content", [b"", b"no zip", zip_of(("a", b"x" * 100))[:-30]])
def test_what_is_no_zip_is_refused(tmp_path, content):
    with pytest.raises(Invalid, match="not a zip"):
        unpack(content, tmp_path / "made")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(tmp_path):
    for entries in ([("a", b""), ("a", b"")], [("a", b""), ("a/b", b"")]):
        with pytest.raises(Invalid, match="two files of one name"):
            unpack(zip_of(*entries), tmp_path / entries[1][0].replace("/", "-"))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_is_compressed_in_another_way_than_deflate_is_refused(tmp_path, method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("main.js", b"x")
    with pytest.raises(Invalid, match="another way than deflate"):
        unpack(out.getvalue(), tmp_path / "made")


def test_a_name_that_no_file_can_have_is_refused(tmp_path):
    with pytest.raises(TooLarge, match="255 bytes"):
        unpack(zip_of(("lib/" + "é" * 128, b"")), tmp_path / "made")


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_zip_that_was_damaged_is_read_or_refused(faults):
    content = bytearray(zip_of(("main.js", b"function onActionCreated() {}"), ("lib/ä.js", b"2")))
    for at, byte in faults:
        content[at % len(content)] = byte
    with suppress(Invalid):
        bundles.read(bytes(content))
