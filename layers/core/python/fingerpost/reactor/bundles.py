"""An installed bundle: a zip with main.js at its root, and all that main.js requires."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ..errors import Invalid, TooLarge

MAIN = "main.js"
MAX_FILES = 20_000
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_PATH_LENGTH = 400
MAX_NAME_BYTES = 255  # of a file or a folder; Linux takes no longer one
_CHUNK = 64 * 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_UNREADABLE = (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, RuntimeError, ValueError, struct.error, zlib.error)


def unpack(content: bytes, folder: Path) -> None:
    """Write the files of a bundle into a folder that is empty or yet to be made, readable only.

    Raises Invalid for what is no zip, for a path that leads out, a link or a special file, and TooLarge past a limit,
    by what comes out of the zip and not by what it says.
    """
    folder.mkdir(exist_ok=True)
    left = MAX_UNPACKED_BYTES
    with _opened(content) as archive:
        for entry, path in _files(archive):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, target.open("xb") as file:
                while chunk := source.read(min(_CHUNK, left + 1)):
                    left -= len(chunk)
                    if left < 0:
                        raise TooLarge(f"A bundle unpacks to at most {MAX_UNPACKED_BYTES:,} bytes")
                    file.write(chunk)
            target.chmod(0o444)


def read(content: bytes, *, max_files: int = MAX_FILES, max_bytes: int = MAX_UNPACKED_BYTES) -> dict[str, bytes]:
    """The files of a bundle by path. Raises as `unpack` does."""
    files: dict[str, bytes] = {}
    left = max_bytes
    with _opened(content) as archive:
        for entry, path in _files(archive, max_files):
            with archive.open(entry) as source:
                found = source.read(left + 1)
            left -= len(found)
            if left < 0:
                raise TooLarge(f"A bundle unpacks to at most {max_bytes:,} bytes")
            if str(path) in files:
                raise FileExistsError
            files[str(path)] = found
        if inside := next(
            (path for path in files if any(str(each) in files for each in PurePosixPath(path).parents)), ""
        ):
            raise NotADirectoryError(inside)
    return files


def pack(files: Iterator[tuple[str, bytes]]) -> bytes:
    """A bundle of files by their paths below its root. The same files make the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, content in files:
            archive.writestr(zipfile.ZipInfo(path), content, compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()


@contextmanager
def _opened(content: bytes) -> Iterator[zipfile.ZipFile]:
    """A zip to read from. Raises Invalid for what is none, and for two files of one name."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield archive
    except _UNREADABLE as error:
        raise Invalid(f"The bundle is not a zip that can be read: {error}") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise Invalid("The bundle holds two files of one name, or a file where it also has a folder") from error


def _files(archive: zipfile.ZipFile, most: int | None = None) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    entries, most = archive.infolist(), most or MAX_FILES
    if len(entries) > most:
        raise TooLarge(f"A bundle holds at most {most:,} files")
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if entry.is_dir():
            continue
        if kind not in (0, stat.S_IFREG):
            raise Invalid(f"The bundle holds {entry.filename[:200]!r}, which is a link or a special file")
        path = PurePosixPath(entry.filename)
        parts = entry.filename.split("/")
        if path.is_absolute() or {"..", ".", ""} & set(parts) or "\\" in entry.filename or "\0" in entry.filename:
            raise Invalid(f"The bundle holds {entry.filename[:200]!r}, which is no path below its root")
        if entry.compress_type not in _METHODS:
            raise Invalid(f"The bundle holds {entry.filename[:200]!r} compressed in another way than deflate")
        if any(len(part.encode(errors="replace")) > MAX_NAME_BYTES for part in parts):
            raise TooLarge(f"A name in a bundle has at most {MAX_NAME_BYTES} bytes")
        if len(entry.filename) > MAX_PATH_LENGTH:
            raise TooLarge(f"A path in a bundle has at most {MAX_PATH_LENGTH} characters")
        yield entry, path
