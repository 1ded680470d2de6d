"""What lists and scans consume on a DynamoDB engine: read units and time of a page, write units of a scan, their price.

The engine is dynoxide, as in the contract tests. FINGERPOST_BENCH_THNGS: how many thngs the large account has.
"""

import json
import os
import random
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.costs import Cost, beside, cost_of
from bench.histories import history_rows
from bench.nearby import near_rows
from bench.redirect import AGENT, AWS
from bench.row import Row

LARGE = int(os.environ.get("FINGERPOST_BENCH_THNGS", "100000"))
SMALL = min(1_000, LARGE)
NOON = 1_773_576_000_000  # 2026-03-15T12:00:00Z
DOMAIN = "tn.gg"
WRITE_USD = 0.625  # per million write units on demand: the list price of us-east-1
MAX_DERIVED_UNITS = 3  # of a scan at 1,000 scans a second
ROWS_AT_ONCE = 5_000
PER_PAGE = 30
FLAT = 1.5  # a page of the large list costs at most so many times the small one's: shards fill unevenly


def rows() -> Iterator[Row]:
    with _tables() as (main, log):
        from fingerpost.ports.table import Tables

        tables = Tables(main, log)
        yield from _lists(tables)
        yield from near_rows(tables)
        yield from history_rows(tables)
        yield from _scans(tables)


@contextmanager
def _tables() -> Iterator[tuple[Any, Any]]:
    """Both tables on a running engine, measuring what they consume."""
    import boto3

    from fingerpost.aws.provision import create_tables
    from fingerpost.aws.signing import Credentials
    from fingerpost.aws.table import DynamoTable
    from fingerpost.aws.transport import TARGET_PREFIXES, Transport
    from tests.ports.engines import dynoxide

    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        dynoxide(Path(folder)) as endpoint,
    ):
        key, secret = AWS["AWS_ACCESS_KEY_ID"], AWS["AWS_SECRET_ACCESS_KEY"]
        client = boto3.client(
            "dynamodb",
            endpoint_url=endpoint,
            region_name="eu-west-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )
        create_tables(client, "main", "log")
        # The engine keeps every record of a stream and slows down with them; nothing here reads the stream.
        client.update_table(TableName="main", StreamSpecification={"StreamEnabled": False})
        client.close()
        transport = Transport(
            endpoint, "eu-west-1", "dynamodb", TARGET_PREFIXES["dynamodb"], lambda: Credentials(key, secret)
        )
        main, log = (
            DynamoTable(name, transport, clock=lambda: NOON, deadline_ms=60_000, measure=True)
            for name in ("main", "log")
        )
        yield main, log
        transport.close()


# Lists


def _lists(tables: Any) -> Iterator[Row]:
    costs = {number: _list_costs(tables, f"account{number}", number) for number in dict.fromkeys((SMALL, LARGE))}
    for name, small in costs[SMALL].items():
        yield from beside(f"GET /thngs, {name}: {LARGE:,} thngs beside {SMALL:,}", costs[LARGE][name], small, FLAT)


def _list_costs(tables: Any, account: str, number: int) -> dict[str, Cost]:
    """What one page of each list costs, its documents included; each page is full but that of the identifier."""
    from fingerpost.catalogue.model import THNG
    from fingerpost.listing import Ask, Lister
    from fingerpost.paging import loads
    from fingerpost.rules.compile import compile_match
    from fingerpost.rules.fields import LISTS
    from fingerpost.sight import WHOLE_ACCOUNT
    from tests.stores import caller_of

    ids = _fill(tables, account, number)
    caller = caller_of(tables, account, NOON)
    lister = Lister(
        tables=caller.tables,
        account=account,
        kind=THNG,
        load=loads(caller, THNG, WHOLE_ACCOUNT.sees),
        secret=b"of the bench",
    )

    def read(text: str = "", token: str | None = None, shown: int = PER_PAGE) -> Cost:
        def page() -> None:
            node = compile_match(text, LISTS["thng"], strict=True, from_query=True).node if text else None
            found = lister.page(Ask(per_page=PER_PAGE, filter_text=text, node=node, token=token))
            assert len(found.items) == shown, text

        return cost_of(tables, page)

    return {
        "no filter": read(),
        "half-way down": read(token=_token_after(lister, ids[number // 2])),
        "its last page": read(token=_token_after(lister, ids[PER_PAGE])),
        "by identifier": read(f"identifiers.serial=S{number // 3}", shown=1),
        "by tag (1 in 10)": read("tags=t3"),
        "by a tag of 40": read("tags=rare", shown=PER_PAGE),
        "by name prefix": read("name=Lamp 7*"),
        "by product (1 in 5)": read("product=P3"),
    }


def _token_after(lister: Any, resource_id: str) -> str:
    """The cursor that a client has after it followed the list to this thng."""
    from fingerpost.cursor import encode, filter_digest

    return encode(
        lister.secret,
        resource_id,
        filter_digest(lister.account, "+".join(lister.scopes), lister.kind.name, "", "False"),
    )


def _fill(tables: Any, account: str, number: int) -> list[str]:
    """So many thngs with the rows that the write protocol gives them. Rows are put many at a time."""
    from fingerpost import keys
    from fingerpost.catalogue.model import THNG
    from fingerpost.ids import new_id
    from fingerpost.ports.table import Put
    from fingerpost.resources import index_rows
    from fingerpost.shapes import stamp

    scoped = tables.of(account)
    index = {**stamp("index"), "v": 1, "at": NOON}
    ids: list[str] = []
    puts: list[Put] = []
    documents: list[Put] = []
    rare = {number * each // 40 for each in range(40)}
    for n in range(number):
        resource_id = new_id(NOON + n * 1_000)
        document = {
            "createdAt": NOON + n * 1_000,
            "updatedAt": NOON + n * 1_000,
            "name": f"Lamp {n % 10} of the {n % 1_000}",
            "tags": [f"t{n % 10}", *(["rare"] if n in rare else [])],
            "identifiers": {"serial": f"S{n}"},
            "product": f"P{n % 5}",
            "description": "A lamp of the harbour, cast iron, repainted in spring." * 4,
        }
        puts += [Put(key, index) for key in index_rows(THNG, resource_id, document)]
        text = json.dumps(document, separators=(",", ":"))
        documents.append(Put(keys.document(resource_id), {**stamp("thng"), "v": 1, "doc": text}))
        ids.append(resource_id)
        if len(puts) >= ROWS_AT_ONCE or n + 1 == number:
            scoped.log.put_many(puts)
            scoped.main.put_many(documents)
            puts, documents = [], []
    return ids


# Scans


@dataclass(frozen=True, slots=True)
class Rate:
    """Scans that come at a rate, to so many links; how many invocations share them, and how many each takes at once."""

    a_second: int
    links: int
    lanes: int  # shards times ParallelizationFactor
    batch: int
    scans: int
    budget: float | None = None

    @property
    def text(self) -> str:
        links = "1 link" if self.links == 1 else f"{self.links} links"
        return f"{self.a_second:,} scans/s, {links}, {self.lanes} lanes x {self.batch}"


RATES = (
    Rate(10, 1, 10, 1, 200),
    Rate(10, 1, 2, 5, 500),
    Rate(10, 100, 2, 5, 500),
    Rate(1_000, 1, 40, 25, 4_000, MAX_DERIVED_UNITS),
    Rate(1_000, 1, 10, 100, 4_000, MAX_DERIVED_UNITS),
    Rate(1_000, 1, 2, 500, 4_000, MAX_DERIVED_UNITS),
    Rate(1_000, 100, 40, 25, 4_000),
    Rate(1_000, 100, 10, 200, 4_000, MAX_DERIVED_UNITS),
    Rate(1_000, 100, 2, 500, 4_000, MAX_DERIVED_UNITS),
)


def _scans(tables: Any) -> Iterator[Row]:
    own: float | None = None
    for number, rate in enumerate(RATES):
        account = f"scans{number}"
        changes = _changes(account, rate)
        if own is None:
            own = _own_puts(tables, changes)
            yield Row("a scan's own put", f"{own:.2f} WU", "", own, 1.0)
        derived = _derived(tables, account, changes, rate)
        yield Row(f"derived, {rate.text}", f"{derived:.2f} WU", "", derived, rate.budget)
        price = (own + derived) * WRITE_USD
        yield Row("  a million of these scans, own puts included", f"{price:.2f} USD", f"{own * WRITE_USD:.2f} USD")


def _changes(account: str, rate: Rate) -> list[Any]:
    """The feed's records: thngs of one product in one project, visitors of five cities, half of whom come again.

    All fields of a real scan.
    """
    from fingerpost import keys
    from fingerpost.ids import new_id
    from fingerpost.ports.table import Change
    from fingerpost.shapes import stamp

    chance = random.Random(7)
    changes = []
    for n in range(rate.scans):
        at = NOON + n * 1_000 // rate.a_second
        link = chance.randrange(rate.links)
        item = {
            **stamp("action"),
            "type": "implicitScans",
            "ts": at,
            "projects": ["UProject0123456789abcdef"],
            "link": f"{DOMAIN}/TURF{link:06d}",
            "thng": f"UThng0123456789abc{link:06d}",
            "product": "UProduct0123456789abcdef",
            "url": f"https://museum.example/works/{link}",
            "rule": 1 + n % 3,
            "rules": 7,
            "ua": AGENT,
            "lang": "fr-IE,en;q=0.8",
            "ip": "203.0.113.0",
            "visitor": f"{chance.randrange(rate.scans // 2):018x}",
            "country": ("IE", "GB", "FR", "DE", "US")[n % 5],
            "city": ("Cork", "Leeds", "Lyon", "Kiel", "Reno")[n % 5],
            "region": "Munster",
            "zone": "Europe/Dublin",
            "lat": 51.9,
            "lon": -8.47,
            "source": "geoIp",
            "cause": "c0ffee",
        }
        changes.append(Change(sequence=str(n), key=keys.owned(account, keys.action(new_id(at))), old=None, new=item))
    return changes


def _own_puts(tables: Any, changes: Sequence[Any]) -> float:
    from fingerpost.ports.table import Absent

    before = tables.main.consumed.write
    for change in changes:
        tables.main.put(change.key, change.new, when=(Absent(),))
    return float(tables.main.consumed.write - before) / len(changes)


def _derived(tables: Any, account: str, changes: Sequence[Any], rate: Rate) -> float:
    """Write units of a scan for all that `derive` writes; that sums and visitors came out right is checked."""
    from fingerpost.actions.derive import derive
    from fingerpost.actions.folding import fold
    from fingerpost.keys import COUNT_LANES
    from fingerpost.redirection.hits import Hits

    before = tables.log.consumed.write
    for batch in _batches(changes, rate):
        failed = derive(tables.log, batch)
        assert not failed, failed
    for lane in range(COUNT_LANES):  # what waits for the sums is paid for later
        while fold(tables.log, account, lane):
            pass
    spent = float(tables.log.consumed.write - before) / len(changes)
    expected = Counter(change.new["link"] for change in changes)
    hits = Hits(tables.of(account))
    for link, number in expected.items():
        domain, _, short_id = link.partition("/")
        assert hits.total(domain, short_id) == number, link
    return spent


def _batches(changes: Sequence[Any], rate: Rate) -> Iterator[Sequence[Any]]:
    """What the lanes get, in turn. A lane sees a share of the records, so its batch spans more time than all take."""
    queues: list[list[Any]] = [[] for _ in range(rate.lanes)]
    for change in changes:
        queues[zlib.crc32(change.key.pk.encode()) % rate.lanes].append(change)
    for start in range(0, max(map(len, queues)), rate.batch):
        for queue in queues:
            if batch := queue[start : start + rate.batch]:
                yield batch
