"""The rows of one table in an SQL dump, as mysqldump and phpMyAdmin write them. Standard library only."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from .failure import Usage

MAX_BYTES = 1_000_000_000
_INSERT = re.compile(r"INSERT\s+(?:IGNORE\s+)?INTO\s+`?([\w$.]+)`?\s*(?:\(([^)]*)\))?\s*VALUES", re.IGNORECASE)
_VALUE = re.compile(r"\s*(?:'((?:[^'\\]|\\.|'')*)'|(NULL|[-+.\w]+))\s*", re.IGNORECASE | re.DOTALL)
_ESCAPED = re.compile(r"\\(.)|''", re.DOTALL)
_MEANING = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "b": "\b", "Z": "\x1a"}


def rows_of_dump(path: Path, *, ending: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and values of each row inserted into a table whose name ends in `ending`; `columns` where it names none.

    NULL is an empty text. Raises Usage for a dump without such a table, or one that breaks off.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Usage(f"{path} is larger than {MAX_BYTES:,} bytes", then="Dump the one table alone")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Usage(f"{path} is not UTF-8 text", then="Dump it with --default-character-set=utf8mb4") from error
    except OSError as error:
        raise Usage(f"{path} cannot be read: {error.strerror}") from error
    at, seen, line, counted = 0, False, 1, 0
    while (insert := _INSERT.search(text, at)) is not None:
        at = insert.end()
        if not insert[1].lower().endswith(ending):
            continue
        seen = True
        names = [name.strip(' `"\n') for name in insert[2].split(",")] if insert[2] else list(columns)
        while (start := _skip(text, at, "(")) is not None:
            line, counted = line + text.count("\n", counted, start), start
            values, at = _tuple(path, text, start, line)
            if len(values) < len(names):
                raise Usage(f"{path}:{line}: {len(values)} values for {len(names)} columns")
            yield line, dict(zip(names, values, strict=False))
            comma = _skip(text, at, ",")
            if comma is None:
                break
            at = comma
    if not seen:
        raise Usage(
            f"{path} inserts nothing into a table whose name ends in {ending}", then="Dump the table yourls_url"
        )


def _tuple(path: Path, text: str, at: int, line: int) -> tuple[list[str], int]:
    values: list[str] = []
    while (found := _VALUE.match(text, at)) is not None:
        quoted, bare = found.groups()
        if quoted is not None:
            values.append(_ESCAPED.sub(lambda each: _MEANING.get(each[1], each[1]) if each[1] else "'", quoted))
        else:
            values.append("" if bare.upper() == "NULL" else bare)
        at = found.end()
        if text[at : at + 1] == ")":
            return values, at + 1
        if text[at : at + 1] != ",":
            break
        at += 1
    raise Usage(f"{path}:{line}: a row breaks off here", then="Dump the table again")


def _skip(text: str, at: int, wanted: str) -> int | None:
    """Just behind `wanted` when only blanks come before it."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at + 1 if text[at : at + 1] == wanted else None
