"""The data folder: private, and in use by one server and one worker at a time."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO


class FolderTaken(Exception):
    """The data folder cannot be used; the message says why and what to do."""


def open_folder(folder: Path) -> None:
    """Make the folder with mode 700, or take the one that is there. Raises FolderTaken."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise FolderTaken(f"Cannot use the data folder {folder}: {error.strerror}. Set FINGERPOST_DATA_DIR.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FolderTaken(f"Cannot write to the data folder {folder}. Set FINGERPOST_DATA_DIR.")


def lock(folder: Path, name: str, *, wait_seconds: float = 0.0) -> IO[str]:
    """Hold `<name>.lock` until the returned file is closed or the process ends, however it ends. Raises FolderTaken."""
    file = (folder / f"{name}.lock").open("a+")
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                file.seek(0)
                holder = file.read(20).strip() or "unknown"
                file.close()
                raise FolderTaken(
                    f"A {name} (process {holder}) already uses the data folder {folder}. "
                    "Stop it, or set FINGERPOST_DATA_DIR to another folder."
                ) from error
        time.sleep(0.05)
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
