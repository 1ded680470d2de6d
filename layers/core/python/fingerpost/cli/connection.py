"""Which server the command line speaks to, and with whose key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .failure import Usage

DEFAULT_URL = "http://localhost:8000"
CREDENTIALS = "demo.json"


@dataclass(frozen=True, slots=True)
class Connection:
    """`source` is the file that the key came from, when it was not the environment.

    `authority` is the certificate that a local server's own is signed by; others are trusted as the machine trusts.
    """

    api_url: str
    key: str
    source: Path | None = None
    authority: Path | None = None


def connection_from(environment: Mapping[str, str], folder: Path) -> Connection:
    """FINGERPOST_API_URL and FINGERPOST_API_KEY; without a key, that of a server run from this folder or one above.

    A file's key goes to the file's server only. Raises Usage.
    """
    url = environment.get("FINGERPOST_API_URL", "").strip().rstrip("/")
    key = environment.get("FINGERPOST_API_KEY", "").strip()
    if url and urlsplit(url).scheme not in ("http", "https"):
        raise Usage(
            f"FINGERPOST_API_URL is {url!r}, which is no address",
            then="Set it to something like https://api.example.com",
        )
    if key:
        if not (key.isascii() and key.isprintable() and " " not in key):
            raise Usage(
                "FINGERPOST_API_KEY holds characters that no key has",
                then="Copy the key again, without quotes or spaces",
            )
        return Connection(url or DEFAULT_URL, key)
    for path in _candidates(environment, folder):
        found = _read(path)
        if found is not None and url in ("", found["apiUrl"].rstrip("/")):
            authority = path.with_name("tls") / "ca.pem"
            return Connection(
                found["apiUrl"].rstrip("/"), found["operatorApiKey"], path, authority if authority.exists() else None
            )
    whose = f" for {url}" if url else ""
    raise Usage(
        f"There is no API key{whose}",
        then="Set FINGERPOST_API_URL and FINGERPOST_API_KEY, or start a server of your own here with `make run`",
    )


def _candidates(environment: Mapping[str, str], folder: Path) -> list[Path]:
    if given := environment.get("FINGERPOST_DATA_DIR", "").strip():
        return [folder / Path(given).expanduser() / CREDENTIALS]
    return [each / ".fingerpost" / CREDENTIALS for each in (folder, *folder.parents)]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(content, dict) and all(
        isinstance(content.get(each), str) for each in ("apiUrl", "operatorApiKey")
    )
    return content if whole else None
