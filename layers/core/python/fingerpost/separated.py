"""What separates the cells of a table, as its first line shows: spreadsheets of each country have their own. Pure."""

SEPARATORS = ",;\t"


def separator_of(first_line: str, separators: str = SEPARATORS) -> str:
    """The one that comes most often; of several the one that stands first in `separators`."""
    return max(separators, key=first_line.count)
