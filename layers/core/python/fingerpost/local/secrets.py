"""The root secrets of one machine: a file that only its owner reads, made once."""

import contextlib
import json
import os
import secrets
from pathlib import Path

NAME = "secrets.json"


def local_secret_text(data_dir: str) -> str:
    """The file's text; made with a new root when there is none. Two processes that start at once agree on one."""
    path = Path(data_dir) / NAME
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = path.with_name(f"{NAME}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"current": 1, "1": secrets.token_hex(32)}, file)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: its secret is the secret
            os.link(made, path)
        made.unlink()
    return path.read_text(encoding="utf-8")
