"""The `Blobs` of one machine: a file each, in a private folder.

A file is `<content type>\\n<content>`, under a name in which `!` stands for `/`, on one of 256 shelves. It is written
aside and linked into its place, which the file system refuses when there is one: all of it is there, or nothing.
"""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO

from ..clock import DAY_MS, Clock, now_ms
from ..ports.blobs import Blob, BlobFacts, check_blob, check_name
from ..ports.table import Throttled

DRAWINGS_A_SHELF = 32  # 8,192 in all, of which none is larger than a block of 4 KB
_NEW = ".new"  # no shelf, for shelves are two hexadecimal digits


class FolderBlobs:
    """Several processes may share a folder. With `keep`, a put on a shelf that has as many blobs takes the oldest one
    away, as a bucket's lifecycle would in time: for what can be made again."""

    def __init__(self, folder: Path, *, keep: int | None = None, clock: Clock = now_ms):
        self._folder, self._keep = folder, keep
        (folder / _NEW).mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in (folder / _NEW).iterdir():  # by a process that died as it wrote
            with contextlib.suppress(FileNotFoundError):
                if left.stat().st_mtime * 1000 < clock() - DAY_MS:
                    left.unlink()

    def put_if_absent(self, name: str, content: bytes, *, content_type: str) -> bool:
        check_blob(name, content, content_type)
        path = self._path(name)
        if path.exists():
            return False
        with _no_room_is_throttled():
            if not path.parent.exists():
                path.parent.mkdir(exist_ok=True, mode=0o700)
                _sync(self._folder)
            made = self._folder / _NEW / f"{os.getpid()}.{secrets.token_hex(8)}"
            try:
                with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(content_type.encode() + b"\n" + content)
                    file.flush()
                    os.fsync(file.fileno())
                os.link(made, path)
            except FileExistsError:
                return False
            finally:
                made.unlink(missing_ok=True)
            self._give_up_oldest(path)
            _sync(path.parent)
        return True

    def get(self, name: str) -> Blob | None:
        with self._opened(name) as file:
            if file is None:
                return None
            content_type = file.readline().decode().rstrip("\n")
            return Blob(file.read(), content_type)

    def head(self, name: str) -> BlobFacts | None:
        with self._opened(name) as file:
            if file is None:
                return None
            line = file.readline()
            return BlobFacts(os.fstat(file.fileno()).st_size - len(line), line.decode().rstrip("\n"))

    def upload_address(self, name: str, *, content_type: str, seconds: int) -> str | None:
        check_name(name)
        return None

    def delete(self, name: str) -> None:
        path = self._path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return
        _sync(path.parent)

    def _path(self, name: str) -> Path:
        """Raises ValueError for what is no name, so that no path leads out of the folder."""
        check_name(name)
        return self._folder / sha256(name.encode()).hexdigest()[:2] / name.replace("/", "!")

    @contextlib.contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes] | None]:
        path = self._path(name)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            yield None
            return
        with file:
            yield file

    def _give_up_oldest(self, newest: Path) -> None:
        if self._keep is None:
            return
        aged: list[tuple[float, Path]] = []
        for path in newest.parent.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process gave it up
                aged.append((path.stat().st_mtime, path))
        surplus = max(0, len(aged) - self._keep)
        for _, path in sorted(each for each in aged if each[1] != newest)[:surplus]:
            path.unlink(missing_ok=True)


def local_drawings(data_dir: Path | str) -> FolderBlobs:
    """For drawings, which anyone who knows a link may ask for in some 1,900,000 sizes: bounded, the oldest give way."""
    return FolderBlobs(Path(data_dir, "drawings"), keep=DRAWINGS_A_SHELF)


def _sync(folder: Path) -> None:
    """What was linked into or taken from a folder is on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _no_room_is_throttled() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Throttled(f"The data folder has no room: {error.strerror}") from error
        raise
