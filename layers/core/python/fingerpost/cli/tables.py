"""CSV as programs write it: with commas, semicolons or tabs, a byte order mark or none; one record at a time."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ..separated import SEPARATORS, separator_of
from .failure import Usage

SAMPLE = 64 * 1024
DELIMITERS = f"{SEPARATORS}|"


@dataclass(frozen=True, slots=True)
class Record:
    """A line of the table, which begins at `line` of the file. Its cells, trimmed, by the names of the header."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class TableFile:
    """The names of the columns, and how to read the records, as often as wanted."""

    path: Path
    header: tuple[str, ...]
    delimiter: str
    has_header: bool = True
    escape: str | None = None

    def records(self) -> Iterator[Record]:
        """Lines without any value are left out. Raises Usage for a record that cannot be told apart."""
        with _opened(self.path) as file:
            reader = csv.reader(file, delimiter=self.delimiter, escapechar=self.escape)
            line = 0
            try:
                for number, cells in enumerate(reader):
                    line, begins = reader.line_num, line + 1
                    if (number == 0 and self.has_header) or not any(cell.strip() for cell in cells):
                        continue
                    if len(cells) > len(self.header) and any(cell.strip() for cell in cells[len(self.header) :]):
                        raise Usage(
                            f"{self.path}:{begins}: {len(cells)} cells, but the header names {len(self.header)}",
                            then="Put a cell that holds the separator in double quotes",
                        )
                    named = zip(self.header, cells, strict=False)
                    yield Record(begins, {name: cell.strip() for name, cell in named if name})
            except csv.Error as error:
                raise Usage(f"{self.path}:{line + 1}: this is no CSV: {error}") from error
            except UnicodeDecodeError as error:
                raise _not_utf8(self.path, line) from error


def open_table(path: Path, *, header: tuple[str, ...] | None = None) -> TableFile:
    """Read the header, or take `header` for a file that begins with a record. Raises Usage."""
    with _opened(path) as file:
        try:
            sample = file.read(SAMPLE)
        except UnicodeDecodeError as error:
            raise _not_utf8(path, 0) from error
    first = sample.partition("\n")[0]
    if not first.strip():
        raise Usage(f"{path} is empty, or begins with an empty line", then="The first line names the columns")
    delimiter = separator_of(first, DELIMITERS)
    escape = "\\" if '\\"' in sample else None  # as MySQL's programs write a quote in quotes
    if header is not None:
        return TableFile(path, header, delimiter, has_header=False, escape=escape)
    try:
        names = next(csv.reader([*sample.splitlines(keepends=True)], delimiter=delimiter))
    except csv.Error as error:
        raise Usage(f"{path}:1: this is no CSV: {error}") from error
    return TableFile(path, tuple(name.strip() for name in names), delimiter, escape=escape)


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise Usage(f"{path} cannot be read: {error.strerror}", then="Check the name of the file") from error


def _not_utf8(path: Path, line: int) -> Usage:
    return Usage(f"{path}:{line + 1}: not UTF-8 text", then="Save it as UTF-8; in a spreadsheet: 'CSV UTF-8'")
