"""Carries out the runs of queue `reactor`: each once, with what happened in the application's log."""

from collections.abc import Callable
from typing import Any

from .. import wiring
from ..access.service import public, trusted_key
from ..access.store import APPLICATION
from ..log import warning
from ..ports.runner import NoRunner, Runner, RunRequest, RunResult
from ..ports.table import Tables, Throttled, Unreachable
from ..resources import Resources
from ..retry import attempts
from . import chain, logs, published
from .claims import Claim
from .events import FILTERED
from .logs import Entry
from .runs import Run, forget_payload

type CarryOut = Callable[[Run, Tables, int], Any]


TRIES = 5  # of a runner that refuses


class StillRunning(Exception):
    """Another has claimed the run, and its lease is not over: the message has to come again."""


class Consumer:
    """May be shared by threads. `tables` are unscoped; `rules` carries out a declarative rule."""

    def __init__(self, tables: Tables, rules: CarryOut, find_runner: Callable[[], Runner] | None = None):
        self._tables, self._rules, self._find_runner = tables, rules, find_runner or wiring.runner

    def carry_out(self, run: Run) -> None:
        """Raises StillRunning; Throttled when nothing ran, Unreachable when it may have: the message comes again."""
        own = self._tables.of(run.account)
        claim = Claim(own.log, run)
        match claim.take(now := wiring.clock()):
            case "over":
                forget_payload(run)
                return
            case "busy":
                raise StillRunning(f"The run of {run.level} for event {run.event} goes on elsewhere")
            case "spent":
                self._tell(own, run, Entry("error", f"{run.name} was interrupted twice; it is not run again", now))
            case _ if len(run.chain) >= chain.MAX_LEVELS:
                self._tell(own, run, Entry("error", _too_deep(run), now))
            case taken:
                self._begin(claim, run, own, now, again=taken == "again")
        claim.end(wiring.clock())
        forget_payload(run)

    def _begin(self, claim: Claim, run: Run, own: Tables, now: int, *, again: bool) -> None:
        """Whatever keeps us from it before a script has begun is as if nobody had claimed the run."""
        try:
            if again:
                self._tell(own, run, Entry("warn", f"{run.name} is repeated after interruption", now), "again")
            if run.kind == "rule":  # which does no harm when it is carried out again
                self._rules(run, self._tables, now)
                return
            request = self._request(claim, run, own, now)
        except (Throttled, Unreachable):
            claim.release(wiring.clock())
            raise
        if request is not None:
            self._run(claim, run, own, request)

    def _run(self, claim: Claim, run: Run, own: Tables, request: RunRequest) -> None:
        try:
            result = self._patiently(request)
        except Throttled:
            claim.release(wiring.clock())
            raise
        except NoRunner as error:
            result = RunResult(outcome="unavailable", detail=str(error))
        entries = [Entry(line.level, line.message, line.at) for line in result.logs]
        if result.outcome == "absent" and run.function in FILTERED:
            entries = []  # it may have each of them, and nobody asked for one by name; that it has not is no news
        if result.outcome == "unavailable":
            warning("a script could not be run", app=run.app, event=run.event, cause=run.cause, detail=result.detail)
            entries.append(Entry("error", f"{run.function} could not be run; it is not tried again", wiring.clock()))
        logs.append(own, run.app, entries, now=wiring.clock(), run=f"{run.id} lines {claim.starts}")

    def _request(self, claim: Claim, run: Run, own: Tables, now: int) -> RunRequest | None:
        """What the runner is asked, with the application's key, which stands in no row and no message.

        None when the script or the application went after the event. The log says that the script is about to run.
        """
        script = published.read(own.main, run.project).scripts.get(run.app)
        application = Resources(own, APPLICATION).read_many([run.app], consistent=True).get(run.app)
        if script is None or application is None:
            return None
        told = f"{run.function}: version {script.version}, event {run.event}"
        self._tell(own, run, Entry("trace", told, now), f"start {claim.starts}")
        return RunRequest(
            bundle=script.bundle,
            tenant=run.app,
            function=run.function,
            payload=run.payload,
            api_url=wiring.settings().api_url,
            api_key=trusted_key(run.account, application, wiring.root_secrets()),
            app={"id": application.id, **public(application.document)},
            header=chain.sign(run.account, (*run.chain, run.level)),
        )

    def _patiently(self, request: RunRequest) -> RunResult:
        """A runner that refuses is asked again for some seconds: what comes again from the queue waits for minutes."""
        runner = self._find_runner()
        for attempt in attempts(TRIES, base_ms=500, cap_ms=4_000):
            try:
                return runner.run(request)
            except Throttled:
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("the last of several tries either answers or raises")

    @staticmethod
    def _tell(own: Tables, run: Run, entry: Entry, part: str = "") -> None:
        logs.append(own, run.app, [entry], now=entry.at, run=f"{run.id} {part}")


def _too_deep(run: Run) -> str:
    levels = " > ".join((*run.chain, run.level))
    return f"{run.name} was not run: more than {chain.MAX_LEVELS} runs led to it, each by the one before: {levels}"
