"""Ages, from birthdays as the platform keeps them. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime


def age_at(birthday: Mapping[str, int] | None, at: int) -> int | None:
    """Years completed at `at` (milliseconds since the epoch) by UTC's calendar; None without a whole birthday."""
    if not birthday or not all(isinstance(birthday.get(part), int) for part in ("year", "month", "day")):
        return None
    today = datetime.fromtimestamp(at / 1000, UTC)
    before = (today.month, today.day) < (birthday["month"], birthday["day"])
    return max(0, today.year - birthday["year"] - before)
