"""What a bench says of one thing: measured beside its floor in the same run, and the ratio it must not exceed."""

from typing import NamedTuple


class Row(NamedTuple):
    what: str
    ours: str  # with its unit
    floor: str
    ratio: float | None = None
    budget: float | None = None  # of the ratio
    more_is_better: bool = False

    @property
    def verdict(self) -> str:
        if self.ratio is None or self.budget is None:
            return ""
        return "within" if (self.ratio >= self.budget) is self.more_is_better or self.ratio == self.budget else "OVER"
