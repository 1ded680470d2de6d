"""What `thngs import` and `redirections import` share: the bar, the summary, what to do about rows that failed."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from .command import Session
from .failure import CommandFailure, Negative
from .importing import Journal, Outcome, Result, Row, rehearse, run_import

SHOWN_FAILURES = 20
WORDS: dict[Outcome, str] = {"made": "made", "there": "there already", "failed": "failed"}
WOULD: dict[Outcome, str] = {"made": "would be made", "there": "there already", "failed": "would fail"}

ImportFile = Annotated[Path, typer.Argument(metavar="FILE", help="The file to read.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Project = Annotated[str | None, typer.Option("--project", "-p", metavar="ID", help="The project of the new thngs.")]
Workers = Annotated[int, typer.Option(min=1, max=32, help="Rows at work at the same time.")]


def carry_out(
    session: Session,
    path: Path,
    rows: Callable[[], Iterable[Row]],
    *,
    project: str | None,
    workers: int,
    dry_run: bool,
) -> None:
    """Import rows, or say what would come of it. Raises Negative when some failed."""
    client, terminal = session.client, session.terminal
    journal = Journal.beside(path, client.connection.api_url)
    results: list[Result] = []
    total = sum(1 for _ in rows())
    done_before = len(journal.done)
    if done_before and not dry_run:
        terminal.note(f"{journal.path} says that {done_before:,} rows are done; the import goes on with the others")
    with terminal.progress() as progress:
        task = progress.add_task("rows", total=total)

        def on_result(result: Result) -> None:
            results.append(result)
            progress.advance(task)

        if dry_run:
            for result in rehearse(client, rows(), journal):
                on_result(result)
        else:
            with closing(journal):
                try:
                    run_import(client, rows(), journal, project=project, workers=workers, on_result=on_result)
                except (CommandFailure, KeyboardInterrupt):
                    terminal.note(
                        f"{len(results):,} of {total:,} rows are done. Run the same command again to go on.", ""
                    )
                    raise
    _report(session, path, results, WOULD if dry_run else WORDS)


def _report(session: Session, path: Path, results: list[Result], words: dict[Outcome, str]) -> None:
    terminal = session.terminal
    results.sort(key=lambda each: each.row.line)
    counts = Counter(each.outcome for each in results)
    failed = [each for each in results if each.outcome == "failed"]
    remarks = Counter(remark for each in results for remark in each.row.remarks)
    document = {
        "file": str(path),
        "rows": len(results),
        **{name: counts[name] for name in ("made", "there", "failed")},
        "remarks": dict(remarks),
        "results": [each.document() for each in results],
    }

    def for_people() -> None:
        parts = [f"{counts[name]:,} {words[name]}" for name in words if counts[name] or name == "made"]
        terminal.say(f"{len(results):,} rows of {path}: {', '.join(parts)}")
        for remark, count in remarks.most_common():
            terminal.say(f"  {count:,} x {remark}", "note")
        for each in failed[:SHOWN_FAILURES]:
            terminal.say(f"  {path}:{each.row.line}: {each.row.name}: {each.message}", "warning")
        if len(failed) > SHOWN_FAILURES:
            terminal.say(f"  and {len(failed) - SHOWN_FAILURES:,} more; --json lists them all", "warning")

    terminal.answer(document, for_people)
    if failed:
        raise Negative(
            f"{len(failed):,} of {len(results):,} rows failed",
            then="Correct them in the file and run the same command again; what is done is left alone",
        )
