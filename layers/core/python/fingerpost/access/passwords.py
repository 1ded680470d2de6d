"""Passwords of application users: hashed with argon2id, which takes 19 MB and some 30 ms each, a few at a time.

Source: RFC 9106; OWASP, "Password Storage Cheat Sheet".
"""

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from .. import keys
from ..errors import Unavailable
from ..ports.table import Put, Table
from ..shapes import stamp, upgraded

AT_ONCE = 4  # in one process
PATIENCE_S = 5.0

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_turns = BoundedSemaphore(AT_ONCE)


def password_row(user: str, password: str) -> Put:
    """Raises Unavailable when too many are being hashed."""
    return Put(keys.password(user), {**stamp("password"), "hash": hashed(password)})


def is_password(main: Table, user: str, password: str) -> bool:
    """Whether it is the user's. `main` is the account's. Raises Unavailable."""
    item = main.get(keys.password(user), consistent=True)
    if item is None:
        return False  # a user of a social network
    return is_of(upgraded(item)["hash"], password)


def hashed(password: str) -> str:
    """Raises Unavailable when too many are being hashed."""
    with _Turn():
        return _hasher.hash(password)


def is_of(hash_: str, password: str) -> bool:
    """Whether a hash is of this password. Raises Unavailable."""
    with _Turn():
        try:
            return _hasher.verify(hash_, password)
        except (VerificationError, InvalidHashError):
            return False


class _Turn:
    def __enter__(self) -> None:
        if not _turns.acquire(timeout=PATIENCE_S):
            raise Unavailable("Many are logging in just now; try again", headers={"retry-after": "1"})

    def __exit__(self, *_error: object) -> None:
        _turns.release()
