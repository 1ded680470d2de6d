"""The root secrets, versioned: new things are signed with the current one, old ones stay readable until re-issued."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .model import derived_key


@dataclass(frozen=True, slots=True)
class RootSecrets:
    """`roots` by version; `current` signs what is new."""

    current: int
    roots: Mapping[int, bytes]

    @classmethod
    def from_text(cls, text: str) -> "RootSecrets":
        """Source: `{"current": 1, "1": "<64 hex digits>"}`, a root for each version. Raises ValueError.

        Flat, because CloudFormation can make a random value at the top of a secret only.
        """
        document: dict[str, Any] = json.loads(text)
        roots = {int(version): bytes.fromhex(root) for version, root in document.items() if version != "current"}
        return cls(document["current"], roots)

    def for_purpose(self, purpose: str, version: int | None = None) -> bytes:
        """A 32-byte key of its own for each purpose, so that no signature serves two."""
        root = self.roots[self.current if version is None else version]
        return hmac.digest(root, f"fingerpost/{purpose}".encode(), hashlib.sha256)

    def api_key(self, kind: str, account: str, resource_id: str, *, root: int, version: int) -> str:
        """The API key that belongs to a resource; the same each time it is asked for."""
        return derived_key(self.for_purpose(f"account/{account}", root), kind, resource_id, version)
