"""Measure the budgets: each figure beside its floor in the same run. `make bench`, or `python -m bench rules local`."""

import importlib
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [path for path in (str(REPOSITORY), str(REPOSITORY / "layers/core/python")) if path not in sys.path]

BENCHES = ("rules", "trials", "transport", "redirect", "local", "reactor", "panels", "capacity")
LINE = "{:<62} {:>14} {:>14} {:>8} {:>8}  {}"


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"There is no bench {unknown[0]!r}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    print(LINE.format("what", "ours", "floor", "ratio", "budget", ""))
    for name in names or BENCHES:
        for row in importlib.import_module(f"bench.{name}").rows():
            ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
            budget = "" if row.budget is None else f"{row.budget:g}"
            print(LINE.format(row.what, row.ours, row.floor, ratio, budget, row.verdict), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
