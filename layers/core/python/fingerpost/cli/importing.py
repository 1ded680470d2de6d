"""Bringing many things in: each row a thng, a short link, or both; resumable, and nothing is done twice.

A journal beside the file says what became of each row. A row goes by its content, not its line, so that a file may be
sorted, mended and added to between two runs. What was sent, but not noted before a crash, is sent again under the same
Idempotency-Key, which the server answers as it did the first time.
"""

import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TextIO

from ..rules.template import fill, parse_default_url
from .client import Client
from .failure import Refused, Usage

JOURNAL_SUFFIX = ".imported.jsonl"
AHEAD = 4  # rows handed out for each worker, so that none waits

type Outcome = Literal["made", "there", "failed"]


@dataclass(frozen=True, slots=True)
class Row:
    """What one row asks for: a thng, and a `link` to it when there is one. `line` is where it stands in the file.

    A `problem` is why nothing can be made of it, `remarks` are what of it is not taken over.
    """

    line: int
    name: str
    thng: dict[str, Any]
    link: dict[str, Any] | None = None
    problem: str = ""
    remarks: tuple[str, ...] = ()

    def digest(self) -> str:
        content = json.dumps([self.thng, self.link], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row. `there`: it was done before, by this or by another run."""

    row: Row
    outcome: Outcome
    thng: str | None = None
    short_url: str | None = None
    message: str = ""

    def document(self) -> dict[str, Any]:
        whole = {
            "line": self.row.line,
            "name": self.row.name,
            "outcome": self.outcome,
            "thng": self.thng,
            "shortUrl": self.short_url,
            "message": self.message or None,
            "remarks": list(self.row.remarks) or None,
        }
        return {name: value for name, value in whole.items() if value is not None}


@dataclass(slots=True)
class Journal:
    """The rows that are done, one line of JSON each; a last line that a crash cut short is left out."""

    path: Path
    server: str
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    undone: Counter[str] = field(default_factory=Counter)  # how often a row's thng was made and taken back
    _file: TextIO | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def beside(cls, path: Path, server: str) -> "Journal":
        """Raises Usage when it cannot be read, or tells of another server."""
        journal = cls(path.with_name(path.name + JOURNAL_SUFFIX), server)
        try:
            lines = journal.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return journal
        except (OSError, UnicodeDecodeError) as error:
            raise Usage(f"{journal.path} cannot be read: {error}") from error
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry.get("server") not in (None, server):
                raise Usage(
                    f"{journal.path} tells of an import to {entry['server']}, not to {server}",
                    then="Remove that file to import to this server as well",
                )
            journal._take(entry)
        return journal

    def note(self, key: str, result: Result) -> None:
        """A row is done. On disk before it returns. Raises Usage."""
        self._write({"row": key, "thng": result.thng, "shortUrl": result.short_url})

    def note_undone(self, key: str) -> None:
        """What was made for a row was taken back, so the next attempt is another request. Raises Usage."""
        self._write({"undone": key})

    def _take(self, entry: dict[str, Any]) -> None:
        if "row" in entry:
            self.done[entry["row"]] = entry
        elif "undone" in entry:
            self.undone[entry["undone"]] += 1

    def _write(self, entry: dict[str, Any]) -> None:
        with self._lock:
            try:
                if self._file is None:
                    is_new = not self.path.exists()
                    self._file = self.path.open("a", encoding="utf-8")
                    self._file.write(json.dumps({"server": self.server}) + "\n" if is_new else "\n")
                self._file.write(json.dumps(entry, separators=(",", ":")) + "\n")
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise Usage(f"{self.path} cannot be written: {error.strerror}") from error
            self._take(entry)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def keyed(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Rows with the key that they have in the journal: their content, and which of its like they are."""
    seen: Counter[str] = Counter()
    for row in rows:
        digest = row.digest()
        seen[digest] += 1
        yield (f"{digest}-{seen[digest]}" if seen[digest] > 1 else digest), row


def run_import(
    client: Client,
    rows: Iterable[Row],
    journal: Journal,
    *,
    project: str | None = None,
    workers: int,
    on_result: Callable[[Result], None],
) -> None:
    """Bring in each row that is not done. Raises what ends the whole import: no server, no permission, no disk."""

    def one(key: str, row: Row) -> Result:
        if (entry := journal.done.get(key)) is not None:
            return Result(row, "there", entry.get("thng"), entry.get("shortUrl"))
        if row.problem:
            return Result(row, "failed", message=row.problem)
        try:
            result = _bring_in(client, journal, key, row, project)
        except Refused as refusal:
            if refusal.status in (401, 403):
                raise
            return Result(row, "failed", message=str(refusal))
        journal.note(key, result)
        return result

    with ThreadPoolExecutor(max_workers=workers) as pool:
        pending: set[Future[Result]] = set()
        try:
            for key, row in keyed(rows):
                pending.add(pool.submit(one, key, row))
                if len(pending) >= workers * AHEAD:
                    pending = _settled(pending, on_result)
            while pending:
                pending = _settled(pending, on_result)
        finally:
            for each in pending:
                each.cancel()


def rehearse(client: Client, rows: Iterable[Row], journal: Journal) -> Iterator[Result]:
    """What an import would do, and nothing done."""
    for key, row in keyed(rows):
        if (entry := journal.done.get(key)) is not None:
            yield Result(row, "there", entry.get("thng"), entry.get("shortUrl"))
        elif row.problem:
            yield Result(row, "failed", message=row.problem)
        else:
            try:
                yield _standing(client, row) or Result(row, "made")
            except Refused as refusal:
                yield Result(row, "failed", message=str(refusal))


def _settled(pending: set[Future[Result]], on_result: Callable[[Result], None]) -> set[Future[Result]]:
    finished, rest = wait(pending, return_when=FIRST_COMPLETED)
    for each in finished:
        on_result(each.result())
    return rest


def _bring_in(client: Client, journal: Journal, key: str, row: Row, project: str | None) -> Result:
    """Make what a row asks for, in an order that leaves nothing behind. Raises Refused, Unreachable."""
    if (standing := _standing(client, row)) is not None:
        return standing
    request = f"import-{key}-{journal.undone[key]}"
    thng = client.post("/thngs", row.thng, {"project": project}, key=f"{request}-thng")["id"]
    if row.link is None:
        return Result(row, "made", thng)
    try:
        made = client.post("/redirections", {**row.link, "evrythngId": thng}, key=f"{request}-link")
    except Refused:
        with suppress(Refused):
            client.delete(f"/thngs/{thng}")  # nobody could ever scan it
        journal.note_undone(key)
        raise
    return Result(row, "made", thng, _url(made))


def _standing(client: Client, row: Row) -> Result | None:
    """What is there for a row already. Raises Refused when its short ID leads elsewhere."""
    if row.link is None or "shortId" not in row.link:
        return None
    query = {"shortDomain": row.link["shortDomain"]} if "shortDomain" in row.link else {}
    found = client.find(f"/redirections/{row.link['shortId']}", query)
    if found is None:
        return None
    if not leads_alike(found, row.link):
        raise Refused(f"{_url(found)} is taken: it leads to {found['defaultRedirectUrl']}", status=409)
    return Result(row, "there", found["evrythngId"], _url(found))


def leads_alike(found: dict[str, Any], link: dict[str, Any]) -> bool:
    """Whether a link that exists is the one that is asked for; the placeholders of its URL are filled in by then."""
    target = found["evrythngId"]
    context = {"evrythngId": target, f"{found['type']}Id": target, "shortId": found["shortId"]}
    return bool(found["defaultRedirectUrl"] == fill(parse_default_url(link["defaultRedirectUrl"]), context))


def _url(document: dict[str, Any]) -> str:
    return f"{document['shortDomain']}/{document['shortId']}"
