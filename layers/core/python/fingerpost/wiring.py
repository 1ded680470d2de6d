"""The one place that chooses adapters: AWS where the stack's tables are named, one machine otherwise."""

import os
import threading
from functools import cache
from typing import TYPE_CHECKING

from .clock import Clock, now_ms
from .frozen import Frozen
from .ports.table import Table, Tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from .access.facebook import Graph
    from .access.secrets import RootSecrets
    from .local.runner import ProcessRunner
    from .outgoing import Outgoing
    from .ports.blobs import Blobs
    from .ports.connections import Connections
    from .ports.installer import Installer
    from .ports.queue import Queue
    from .ports.runner import Runner
    from .ports.scheduler import Scheduler
    from .redirection.facts import FindArea

RECORD_MS = 300

_making = threading.Lock()  # of a runner: one, whichever threads ask for it at once

clock: Clock = now_ms
alone_since = (
    0  # a time before which nobody began what is still going on: the worker of one machine has no other beside it
)


class Settings(Frozen):
    """What the environment says. URLs have no slash at their end."""

    api_url: str
    short_domain: str
    short_scheme: str
    further_domains: tuple[str, ...] | None = None  # that accounts may take; None: any
    live_url: str = ""  # where WebSockets connect, for pages that listen to changes

    def short_url(self, domain: str, short_id: str) -> str:
        return f"{self.short_scheme}://{domain}/{short_id}"


@cache
def settings() -> Settings:
    domain = os.environ.get("FINGERPOST_SHORT_DOMAIN", "localhost:8001")
    api_url = os.environ.get("FINGERPOST_API_URL", "http://localhost:8000").rstrip("/")
    host = domain.partition(":")[0]
    further = os.environ.get("FINGERPOST_FURTHER_DOMAINS")
    default_scheme = "http" if host in ("localhost", "127.0.0.1") else "https"
    return Settings(
        api_url=api_url,
        short_domain=domain,
        short_scheme=os.environ.get("FINGERPOST_SHORT_SCHEME", default_scheme),
        further_domains=None if further is None else tuple(further.replace(",", " ").split()),
        live_url=os.environ.get("FINGERPOST_LIVE_URL") or f"ws{api_url.removeprefix('http')}/ws",
    )


def on_aws() -> bool:
    return "FINGERPOST_MAIN_TABLE" in os.environ


@cache
def tables() -> Tables:
    """Both tables, unscoped: for the global look-ups; everything else goes through `.of(account)`."""
    if on_aws():
        from .aws.wiring import dynamo_tables

        return dynamo_tables()
    from .local.table import local_tables

    return local_tables(data_dir())


@cache
def recorder() -> Table:
    """`main` for a scan's one write: on AWS it is given up after 300 ms, and the scan goes to the spill queue."""
    if on_aws():
        from .aws.wiring import dynamo_tables

        return dynamo_tables(RECORD_MS).main
    return tables().main


@cache
def queue(name: str) -> "Queue":
    """`spill` (scans whose put was refused), `work` (what goes on after an answer), `reactor` (runs; it is ordered)."""
    if on_aws():
        from .aws.wiring import sqs_queue

        return sqs_queue(name)
    from .local.queue import local_queue

    return local_queue(data_dir(), name, ordered=name == "reactor")


@cache
def root_secrets() -> "RootSecrets":
    from .access.secrets import RootSecrets

    if on_aws():
        from .aws.wiring import secret_text

        return RootSecrets.from_text(secret_text())
    from .local.secrets import local_secret_text

    return RootSecrets.from_text(local_secret_text(data_dir()))


def keep_first_key(key: str, request: str) -> None:
    """Put the first operator's key into the stack's secret; the same `request` again makes no second version of it."""
    from .aws.wiring import keep_first_key

    keep_first_key(key, request)


@cache
def drawings() -> "Blobs":
    """Where QR codes that were drawn are kept."""
    if on_aws():
        from .aws.wiring import drawings_bucket

        return drawings_bucket()
    from .local.blobs import local_drawings

    return local_drawings(data_dir())


@cache
def connections() -> "Connections":
    """Open WebSocket connections."""
    if on_aws():
        from .aws.wiring import api_connections

        return api_connections()
    from pathlib import Path

    from .local.connections import LocalConnections

    return LocalConnections(Path(data_dir()))


@cache
def panels() -> "Connections":
    """Open WebSocket connections of the panels' server."""
    if on_aws():
        from .aws.wiring import panel_connections

        return panel_connections()
    return connections()


@cache
def bundles() -> "Blobs":
    """Where installed reactor scripts are kept, a zip each."""
    if on_aws():
        from .aws.wiring import bundles_bucket

        return bundles_bucket()
    from pathlib import Path

    from .local.blobs import FolderBlobs

    return FolderBlobs(Path(data_dir(), "bundles"))


def runner() -> "Runner":
    """Runs scripts whose bundles are in `bundles`; whoever asks first waits until it is built. Raises NoRunner."""
    if on_aws():
        from .aws.wiring import scripts_runner

        return scripts_runner()
    return _runner_here()


def ready_runner() -> None:
    """Let the first script wait for nothing that can be made before. Raises NoRunner where scripts cannot run."""
    if not on_aws():  # where nothing has to be made
        _runner_here().warm()


def _runner_here() -> "ProcessRunner":
    with _making:
        return _process_runner()


@cache
def _process_runner() -> "ProcessRunner":
    from .local.runner import process_runner

    return process_runner(lambda name: blob.content if (blob := bundles().get(name)) else None)


def runner_here(fetch: "Callable[[str], bytes | None]") -> "Runner":
    """Runs a script now and then on this machine; `fetch` gives a bundle's content by its name. Raises NoRunner."""
    from .local.runner import process_runner

    return process_runner(fetch, ahead=0)


@cache
def installer() -> "Installer":
    """Fetches the packages that scripts depend on."""
    if on_aws():
        from .aws.wiring import packages_installer

        return packages_installer()
    from .local.installer import ProcessInstaller

    return ProcessInstaller()


@cache
def scheduler() -> "Scheduler":
    """Puts tasks on queue `work` when they are due."""
    if on_aws():
        from .aws.wiring import work_scheduler

        return work_scheduler()
    from .local.scheduler import local_scheduler

    return local_scheduler(data_dir(), queue("work"))


@cache
def outgoing() -> "Outgoing":
    """The door through which requests leave for addresses that clients chose: public ones, unless one machine's
    settings say otherwise, for trying."""
    from .outgoing import Outgoing, is_public

    open_to_all = os.environ.get("FINGERPOST_PRIVATE_WEBHOOKS") == "1" and not on_aws()
    permits = (lambda _address: True) if open_to_all else is_public
    return Outgoing(permits=permits, agent=f"Fingerpost (+{settings().api_url})")


@cache
def find_area() -> "FindArea | None":
    """Where an address is, by the file FINGERPOST_MMDB names; without one only CloudFront tells. Raises BadDatabase."""
    if path := os.environ.get("FINGERPOST_MMDB"):
        from pathlib import Path

        from .geo import AreaFinder

        return AreaFinder(Path(path)).find
    return None


@cache
def graph() -> "Graph":
    """Facebook's Graph API, or what FINGERPOST_GRAPH_URL names in its place, wherever that is."""
    from .access.facebook import Graph
    from .outgoing import Outgoing

    if url := os.environ.get("FINGERPOST_GRAPH_URL"):
        return Graph(url.rstrip("/"), Outgoing(permits=lambda _address: True))
    return Graph("https://graph.facebook.com", Outgoing())


def data_dir() -> str:
    return os.environ.get("FINGERPOST_DATA_DIR", ".fingerpost")
