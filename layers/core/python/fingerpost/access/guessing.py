"""Guessing a password or an activation code is throttled: ten wrong ones of a user in a quarter of an hour.

A try is counted before it is looked at, so that no number of simultaneous ones is more than ten; a right one takes the
count back.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from .. import keys
from ..caller import Caller
from ..errors import TooManyRequests
from ..ports.table import Absent, AbsentOrBelow, Add, ConditionFailed, Table
from ..shapes import stamp

WINDOW_MS = 15 * 60_000
MAX_TRIES = 10


class Guess:
    right = False


@contextmanager
def guessing(caller: Caller, user: str) -> Iterator[Guess]:
    """One try; set `right` when it was. Raises TooManyRequests without looking at it."""
    with trying(caller.tables.main, user, caller.at) as guess:
        yield guess


@contextmanager
def trying(main: Table, user: str, at: int) -> Iterator[Guess]:
    """The same where there is no caller yet. `main` is the account's."""
    window = at // WINDOW_MS
    key, ends = keys.tries(user, window), (window + 1) * WINDOW_MS
    try:
        main.put(key, {**stamp("tries"), "n": 1}, when=(Absent(),), expires_at=ends)
    except ConditionFailed:
        try:
            main.update(key, (Add("n", 1),), when=(AbsentOrBelow("n", MAX_TRIES),))
        except ConditionFailed as failure:
            seconds = max(1, -((at - ends) // 1000))
            raise TooManyRequests(
                f"There were {MAX_TRIES} wrong tries; wait {seconds} seconds", headers={"retry-after": str(seconds)}
            ) from failure
    guess = Guess()
    try:
        yield guess
    finally:
        if guess.right:
            main.delete(key)
