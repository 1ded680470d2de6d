"""The adapters under contract, and the clock they run by."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fingerpost.clock import now_ms
from fingerpost.local.table import local_tables
from fingerpost.ports.table import Table, Tables
from tests.ports.engines import dynoxide

ADAPTERS = ("sqlite", "dynoxide")
REGION = "eu-west-1"
_numbers = count()


class SettableClock:
    """Stands still until it is moved. Milliseconds since the epoch, a whole second to begin with."""

    def __init__(self) -> None:
        self.now = now_ms() // 1000 * 1000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@dataclass(frozen=True, slots=True)
class Engine:
    """A running dynoxide with one pair of tables, named `main` and `log`."""

    transport: Any

    def clear(self) -> None:
        """Leave no row. To make new tables costs thirty times as much."""
        for table in ("main", "log"):
            while rows := self.transport.call("Scan", {"TableName": table, "ProjectionExpression": "pk, sk"})["Items"]:
                for start in range(0, len(rows), 25):
                    deletes = [{"DeleteRequest": {"Key": row}} for row in rows[start : start + 25]]
                    self.transport.call("BatchWriteItem", {"RequestItems": {table: deletes}})


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Where the stores' files go: in memory if possible, for nothing here asks what outlives the machine's power."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def engine(folder: Path) -> Iterator[Engine]:
    import boto3

    from fingerpost.aws.provision import create_tables
    from fingerpost.aws.signing import Credentials
    from fingerpost.aws.transport import TARGET_PREFIXES, Transport

    with dynoxide(folder) as endpoint:
        credentials = Credentials("contract", "secret")
        client = boto3.client(
            "dynamodb",
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
        )
        create_tables(client, "main", "log")
        client.close()
        transport = Transport(endpoint, REGION, "dynamodb", TARGET_PREFIXES["dynamodb"], lambda: credentials)
        yield Engine(transport)
        transport.close()


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_tables(
    adapter: str, clock: SettableClock, folder: Path, request: pytest.FixtureRequest
) -> Callable[[], Tables]:
    """Makes a pair of tables without rows; the pair before it must not be used any more."""
    if adapter == "sqlite":
        return lambda: local_tables(folder / str(next(_numbers)), clock=clock)

    from fingerpost.aws.table import DynamoTable

    engine: Engine = request.getfixturevalue("engine")

    def dynamo() -> Tables:
        engine.clear()
        return Tables(*(DynamoTable(name, engine.transport, clock=clock) for name in ("main", "log")))

    return dynamo


@pytest.fixture
def tables(empty_tables: Callable[[], Tables]) -> Tables:
    return empty_tables()


@pytest.fixture
def table(tables: Tables) -> Table:
    """A table like `main`."""
    return tables.main
