"""What a person reads and what a program reads: tables and sentences, or JSON.

Answers go to standard output, everything beside them to standard error.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from .failure import CommandFailure

PIPED_COLUMNS = 160  # where nobody looks, a line may be longer
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # what a server sends must not steer the terminal

STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan", "good": "green", "quiet": "dim", "strong": "bold"}

type Cell = str | int | float | bool | None | Text


class Terminal:
    """`as_json` turns every answer into JSON, and every failure into JSON on standard error."""

    def __init__(self, *, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None):
        self.as_json = as_json
        self._out = _console(out or sys.stdout)
        self.err = _console(err or sys.stderr)

    @property
    def width(self) -> int:
        return self._out.width

    @property
    def is_watched(self) -> bool:
        """Whether somebody can be asked, and sees what is drawn over."""
        return self._out.is_terminal and sys.stdin.isatty() and not self.as_json

    def answer(self, document: Any, for_people: Callable[[], None]) -> None:
        """The whole answer of a command, in the one form or the other."""
        if self.as_json:
            self.json(document)
        else:
            for_people()

    def json(self, document: Any) -> None:
        self._out.file.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")

    def line_of_json(self, document: Any) -> None:
        self._out.file.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
        self._out.file.flush()

    def say(self, text: Cell = "", style: str = "") -> None:
        """A line of the answer, as wide as it is."""
        self._out.print(as_text(text, style), soft_wrap=True)
        self._out.file.flush()

    def raw(self, text: str) -> None:
        """Text that brings its own colours: a QR code, a plot."""
        self._out.file.write(text)

    def note(self, text: str, style: str = "quiet") -> None:
        """A line beside the answer."""
        self.err.print(as_text(text, style), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, numbers: Sequence[str] = ()) -> None:
        """`numbers` names the columns that are set to the right."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
        for name in columns:
            table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
        for row in rows:
            table.add_row(*(as_text(cell) for cell in row))
        self._out.print(table)

    def facts(self, pairs: Iterable[tuple[str, Cell]]) -> None:
        """Names and values, one pair a line; those without a value are left out."""
        shown = [(name, value) for name, value in pairs if value not in (None, "")]
        wide = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            self._out.print(Text.assemble((f"{name:<{wide}}  ", "dim"), as_text(value)), soft_wrap=True)

    def failure(self, failure: CommandFailure) -> None:
        if self.as_json:
            self.err.file.write(json.dumps(failure.document(), indent=2, ensure_ascii=False) + "\n")
            return
        self.note(str(failure), "error")
        for finding in failure.findings:
            place = f"{finding.get('field')}" + (f", column {finding['column']}" if finding.get("column") else "")
            if str(finding.get("message")) not in str(failure):
                self.note(f"  {place}: {finding.get('message')}", "")
        if failure.then:
            self.note(f"Next: {failure.then}", "")

    def confirm(self, question: str) -> bool:
        """Whether the person says yes; without one to ask, no."""
        if not self.is_watched:
            return False
        self._out.file.write(f"{question} [y/N] ")
        self._out.file.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def progress(self) -> Progress:
        """A bar with the rate and the time left, on standard error; nothing where nobody looks."""
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            RateColumn(),
            TimeRemainingColumn(),
            console=self.err,
            disable=not self.err.is_terminal or self.as_json,
            transient=True,
        )


class RateColumn(ProgressColumn):
    """Steps a second, over the last moments."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", "dim")


def as_text(value: Cell, style: str = "") -> Text:
    """A value as it is shown: no markup is read out of it, and no control character passes."""
    if isinstance(value, Text):
        return value
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case int():
            text = f"{value:,}"
        case _:
            text = str(value)
    return Text(_CONTROL.sub("�", text), STYLES.get(style, style))


def moment(at: Any) -> str:
    """Milliseconds since the epoch as date and time in this machine's time zone."""
    if not isinstance(at, int) or at <= 0:
        return ""
    return datetime.fromtimestamp(at / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def written(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


def _console(file: TextIO) -> Console:
    console = Console(file=file, highlight=False, markup=False, emoji=False)
    if not file.isatty() and "COLUMNS" not in console._environ:
        console.width = PIPED_COLUMNS
    return console
