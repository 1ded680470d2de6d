"""What becomes of a timeline: a version begins, a planned one is cancelled, what is over is forgotten. Pure."""

from copy import replace

from .rulesets import Stint, Timeline


def begun(of: Timeline, stint: Stint, now: int) -> Timeline:
    """The timeline with one more stint, as of `now`."""
    return settled(replace(of, stints=(*of.stints, stint)), now)


def without(of: Timeline, number: int, now: int) -> Timeline:
    """The timeline without the stints of a version."""
    return settled(replace(of, stints=tuple(each for each in of.stints if each.version.number != number)), now)


def settled(of: Timeline, now: int) -> Timeline:
    """The same from `now` on, in the fewest stints: what began before a version that has no end is never live again."""
    lasting = [each for each in of.stints if each.ends is None or now < each.ends]
    begun_for_good = [each for each in lasting if each.ends is None and each.starts <= now]
    if not begun_for_good:
        return Timeline(of.base, tuple(sorted(lasting, key=_order)))
    base = max(begun_for_good, key=_order)
    return Timeline(base.version, tuple(sorted([each for each in lasting if _order(each) > _order(base)], key=_order)))


def _order(stint: Stint) -> tuple[int, int]:
    return stint.starts, stint.version.number
