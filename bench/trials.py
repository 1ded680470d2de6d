"""What it costs to try rules: a backtest of 10,000 recorded scans, a simulation of 1,000 rules.

The store is SQLite on this machine. The floor of a backtest is reading the same scans out of it, with nothing asked;
that of a simulation is one scan decided by the same rules, which says nothing of why.
"""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

from bench.row import Row
from fingerpost import keys, wiring
from fingerpost.access import service as access
from fingerpost.access.model import EVERYTHING, Principal
from fingerpost.actions.derive import derive
from fingerpost.caller import Caller
from fingerpost.catalogue import service as catalogue
from fingerpost.catalogue.documents import NewThng
from fingerpost.ids import new_id
from fingerpost.local.table import local_tables
from fingerpost.ports.table import Change, Put, Tables
from fingerpost.redirection.documents import SentRedirection
from fingerpost.redirection.links import Links
from fingerpost.redirection.publish import publish
from fingerpost.redirection.versions import ACCOUNT
from fingerpost.shapes import stamp
from fingerpost.trials.documents import SentBacktest, SentScan, SentSimulation
from fingerpost.trials.scans import Scans, Wanted
from fingerpost.trials.service import Trials

SCANS, RULES, THINGS = 10_000, 1_000, 100
NOW = 1_773_576_000_000
DOMAIN = "bench.example"
COUNTRIES = ("IE", "GB", "FR", "DE", "ES", "IT", "US", "JP")
LANGUAGES = ("en-IE,en;q=0.9", "fr-FR,fr;q=0.9", "de-DE", "es-ES")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"
SECRET = b"bench"
BUDGET = 10  # times reading the scans
MEMORY = Path("/dev/shm")


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        wiring.clock = lambda: NOW
        tables = local_tables(Path(folder), clock=lambda: NOW)
        caller, thng = _account(tables)
        trials = Trials(caller, tables, ACCOUNT, SECRET)
        changed = rules(2)
        backtest = SentBacktest.model_validate({"rules": changed})
        value, told = _timed(lambda: trials.backtest(backtest))
        assert (told["scans"], "cursor" in told) == (SCANS, False)
        assert 0 < told["changed"] < SCANS
        floor, _ = _timed(lambda: _read_all(caller))
        again, _ = _timed(lambda: trials.backtest(SentBacktest()))
        scan = SentScan(thng=thng, country="IE", language="fr")
        whole = SentSimulation(scan=scan)
        short = SentSimulation(scan=scan, ruleLimit=0)
        trials.simulate(whole, DOMAIN)  # the rules are in memory from now on
        simulated, said = _timed(lambda: trials.simulate(whole, DOMAIN))
        decided, _ = _timed(lambda: trials.simulate(short, DOMAIN))
        assert len(said["rules"]) == RULES
        return [
            Row(
                f"backtest of {SCANS:,} scans x {RULES:,} rules, compiled first",
                f"{value:.2f} s",
                f"{floor:.2f} s",
                value / floor,
                BUDGET,
            ),
            Row("the same of a published version", f"{again:.2f} s", f"{floor:.2f} s", again / floor),
            Row(
                f"simulate {RULES:,} rules, each with why",
                f"{simulated * 1000:.1f} ms",
                f"{decided * 1000:.1f} ms",
                simulated / decided,
            ),
        ]


def rules(seed: int) -> list[dict[str, Any]]:
    """As operators write them; the last one matches always."""
    chance = random.Random(seed)
    made = [
        {
            "name": f"Rule {number}",
            "match": " & ".join(
                (
                    f"country={chance.choice(COUNTRIES)}",
                    f"thng.tags=tag{chance.randrange(40)}",
                    (f"dayOfWeek={chance.choice(DAYS)}", f"language={chance.choice(LANGUAGES)[:2]}", "timeOfDay<12:00")[
                        number % 3
                    ],
                )
            ),
            "redirectUrl": f"https://museum.example/{number}/{{thng.name}}?c={{country}}",
        }
        for number in range(RULES - 1)
    ]
    return [*made, {"name": "Everybody", "redirectUrl": "https://museum.example/works/{thng.name}"}]


def _account(tables: Tables) -> tuple[Caller, str]:
    """An account with things, links, rules and recorded scans."""
    account = new_id(NOW)
    access.create_account(tables, account=account, name="Bench", domain=DOMAIN, at=NOW)
    principal = Principal(actor="operator", account=account, id="operator", rights=EVERYTHING)
    caller = Caller(principal=principal, tables=tables.of(account), at=NOW, cause="bench")
    chance = random.Random(1)
    names = []
    thng = ""
    for number in range(THINGS):
        tags = [f"tag{chance.randrange(40)}" for _ in range(3)]
        thng = catalogue.create_thng(caller, NewThng(name=f"Work {number}", tags=tags), None)["id"]
        sent = SentRedirection(evrythngId=thng, shortId=f"W{number}", defaultRedirectUrl="https://museum.example/")
        names.append((Links(tables, caller).create(sent, DOMAIN).name, thng))
    publish(caller, ACCOUNT, ACCOUNT.read({"rules": rules(1)}))
    puts = [_scan(chance, names, number) for number in range(SCANS)]
    own = tables.of(account)
    for start in range(0, SCANS, 500):
        some = puts[start : start + 500]
        own.main.put_many(some)
        changes = [
            Change(sequence=str(start + place), key=keys.owned(account, put.key), old=None, new=put.item)
            for place, put in enumerate(some)
        ]
        assert derive(tables.log, changes) == []
    return caller, thng


def _scan(chance: random.Random, links: list[tuple[str, str]], number: int) -> Put:
    at = NOW - number * 60_000
    link, thng = chance.choice(links)
    item = {
        **stamp("action"),
        "type": "implicitScans",
        "ts": at,
        "link": link,
        "thng": thng,
        "projects": [],
        "visitor": f"{chance.getrandbits(72):018x}",
        "url": "https://museum.example/",
        "rules": 1,
        "ip": "203.0.113.0",
        "ua": AGENT,
        "lang": chance.choice(LANGUAGES),
        "country": chance.choice(COUNTRIES),
        "zone": "Europe/Dublin",
    }
    return Put(keys.action(new_id(at)), item)


def _read_all(caller: Caller) -> int:
    scans = Scans(caller, SECRET, Wanted.read("", None, None))
    return sum(len(page.scans) for page in scans.pages(SCANS))


def _timed[T](work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of processor time, and the answer."""
    begun = process_time()
    answer = work()
    return process_time() - begun, answer
