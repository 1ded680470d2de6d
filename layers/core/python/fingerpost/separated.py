"""What separates the cells of a table, as its first line shows: spreadsheets of each country have their own."""

import csv

MAX_CELL = 1_000_000  # characters
csv.field_size_limit(MAX_CELL)  # the whole process has one, so it stands here for every table

SEPARATORS = ",;\t"


def separator_of(first_line: str, separators: str = SEPARATORS) -> str:
    """The one that comes most often; of several the one that stands first in `separators`."""
    return max(separators, key=first_line.count)
