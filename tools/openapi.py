"""Write the description of the API as the functions register it. Run by `make openapi`."""

import importlib
import sys


def main() -> int:
    sys.path[:0] = [".", "layers/core/python"]
    from fingerpost.local.functions import EDGES  # noqa: PLC0415
    from fingerpost.openapi import FILE, as_text, described  # noqa: PLC0415

    before = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    after = as_text(described([importlib.import_module(f"functions.{name}.app").edge for name in EDGES]))
    FILE.write_text(after, encoding="utf-8")
    sys.stdout.write(f"{FILE.name}{'' if after == before else ', changed'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
