"""Scans while versions alternate: each is decided by one whole version, whichever it is, and says which."""

import random
import tempfile
import threading
from itertools import count
from pathlib import Path

import pytest

from fingerpost import wiring
from fingerpost.access import service as access
from fingerpost.catalogue import service as catalogue
from fingerpost.catalogue.documents import NewThng
from fingerpost.local.table import local_tables
from fingerpost.redirection.documents import SentRedirection
from fingerpost.redirection.facts import Facts
from fingerpost.redirection.links import Links
from fingerpost.redirection.publish import MAX_CHUNK_BYTES, publish
from fingerpost.redirection.release import Story, rollback
from fingerpost.redirection.versions import ACCOUNT, newest_rows
from fingerpost.redirection.visit import Visits
from tests.stores import NOON, SettableClock, caller_of, new_account

DOMAIN = "tn.example"
ALTERNATIONS = 60
SCANNERS = 3
PLACES = {"a": 70, "b": 150}  # of the rule that matches, which differs, in sets of several rows each
MEMORY = Path("/dev/shm")


def rules_of(letter: str, seed: int):
    """A set in which one rule matches; its constants are random, so that it takes several rows."""
    random_ = random.Random(f"{letter}{seed}")
    rules = [
        {
            "match": f"thng.identifiers.n={number}",
            "redirectUrl": "https://no.example/",
            "constants": {"noise": random_.randbytes(2_500).hex()},
        }
        for number in range(200)
    ]
    rules[PLACES[letter]] = {"match": "country=IE", "redirectUrl": f"https://{letter}.example/", "name": letter}
    return ACCOUNT.read({"rules": rules})


class Scanner(threading.Thread):
    """Scans one link again and again, each time so much later that nothing it has kept is fresh."""

    def __init__(self, folder: Path, moments: "count[int]", over: threading.Event, scanned: threading.Semaphore):
        super().__init__(daemon=True)
        tables = local_tables(folder, clock=SettableClock())
        self.visits = Visits(tables, tables.main, lambda _body: None)
        self.moments, self.over, self.scanned = moments, over, scanned
        self.decisions: list[tuple[int, int | None, str]] = []
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.over.is_set():
                facts = Facts(at=NOON + next(self.moments) * 5_000, country="IE")
                decision = self.visits.visit(DOMAIN, "TURF", facts).decision
                self.decisions.append((decision.version, decision.rule, decision.url))
                self.scanned.release()
        except BaseException as failure:
            self.failure = failure
            self.scanned.release(1_000)


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name)


def test_no_scan_sees_a_half_of_either_version(folder, monkeypatch):
    monkeypatch.setattr(wiring, "clock", SettableClock())
    tables, account = local_tables(folder, clock=SettableClock()), new_account()
    access.create_account(tables, account=account, name="Museum", domain=DOMAIN, at=NOON)
    caller = caller_of(tables, account)
    thng = catalogue.create_thng(caller, NewThng(name="lamp"), None)["id"]
    sent = SentRedirection(evrythngId=thng, defaultRedirectUrl="https://default.example/", shortId="TURF")
    Links(tables, caller).create(sent, DOMAIN)
    letters = {publish(caller, ACCOUNT, rules_of(letter, 0))["version"]: letter for letter in "ab"}

    moments, over, scanned = count(1), threading.Event(), threading.Semaphore(0)
    scanners = [Scanner(folder, moments, over, scanned) for _ in range(SCANNERS)]
    for scanner in scanners:
        scanner.start()
    for number in range(ALTERNATIONS):
        letter = "ab"[number % 2]
        if number % 20 == 0:
            made = publish(caller, ACCOUNT, rules_of(letter, number + 1))["version"]
        else:
            made = rollback(caller, ACCOUNT, 1 if letter == "a" else 2, Story())[0]["number"]
        letters[made] = letter
        while scanned.acquire(blocking=False):
            pass  # what was decided before the switch
        for _ in range(SCANNERS + 1):  # one of so many began after it
            assert scanned.acquire(timeout=60)
    over.set()
    for scanner in scanners:
        scanner.join()

    assert [scanner.failure for scanner in scanners] == [None] * SCANNERS
    seen = [each for scanner in scanners for each in scanner.decisions]
    halves = [
        each for each in seen if each != (each[0], PLACES[letters[each[0]]] + 1, f"https://{letters[each[0]]}.example/")
    ]
    assert halves == []
    assert {version for version, _, _ in seen} >= set(range(3, ALTERNATIONS + 3)), "the scanners saw each of them"
    newest = newest_rows(caller.tables.main, ACCOUNT, limit=1).rows[0].item
    assert newest["number"] == ALTERNATIONS + 2
    assert newest["bytes"] > MAX_CHUNK_BYTES, "a set is several rows"
    recorded = [row.item for row in tables.main.walk() if row.item["k"] == "action"]
    assert sorted((row["rules"], row["rule"], row["url"]) for row in recorded) == sorted(seen)
