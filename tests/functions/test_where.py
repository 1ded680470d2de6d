"""Where a scan comes from, when no CloudFront says so: a file of addresses, if one is configured."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fingerpost import wiring
from fingerpost.geo import AreaFinder, BadDatabase
from functions.redirect import app as redirect
from tests.functions.world import World
from tests.unit.test_geo import BRAZILIAN, IN_DUBLIN, IRISH, NETWORKS, database

ROOT = Path(__file__).resolve().parents[2]
IMPORTS = """
import sys, functions.redirect.app
print(*sorted({"maxminddb", "fingerpost.geo"} & sys.modules.keys()))
"""


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database(tmp_path_factory.mktemp("geo") / "cities.mmdb", NETWORKS)


@pytest.fixture
def asked(cities: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The addresses that the file was asked for."""
    finder, addresses = AreaFinder(cities), []

    def find(address: str) -> Any:
        addresses.append(address)
        return finder.find(address)

    monkeypatch.setattr(redirect, "find_area", find)
    monkeypatch.setattr(wiring, "find_area", lambda: find)
    yield addresses


@pytest.fixture
def irish_rule(world: World) -> str:
    """A short id whose scans from Ireland go elsewhere."""
    world.operator.publish({"match": "country=IE", "redirectUrl": "https://ie.example/{timezone}"})
    made: str = world.operator.link(world.thng()["id"], "https://museum.example/")["shortId"]
    return made


def test_a_rule_on_the_country_and_the_time_zone_reads_the_address(world: World, irish_rule, asked):
    assert world.scan(irish_rule, address=f"{IRISH}:443").location == "https://ie.example/Europe/Dublin"
    assert world.scan(irish_rule, address=f"{BRAZILIAN}:443").location == "https://museum.example/"
    assert asked == [IRISH, BRAZILIAN]


@pytest.mark.parametrize("said", [{"country": "FR"}, {"city": "Paris"}, {"time_zone": "Europe/Paris"}])
def test_what_cloudfront_says_of_the_place_is_all_that_counts(world: World, irish_rule, asked, said):
    assert world.scan(irish_rule, address=f"{IRISH}:443", **said).location == "https://museum.example/"
    assert asked == []


def test_an_address_that_the_file_does_not_know_is_nowhere(world: World, irish_rule, asked):
    for address in ("192.168.0.7:1", "[::1]:1", "8.8.8.8:1"):
        assert world.scan(irish_rule, address=address).location == "https://museum.example/"
    assert world.scan(irish_rule).status == 307


def test_a_scan_keeps_where_it_was(world: World, irish_rule, asked):
    world.scan(irish_rule, address=f"{IRISH}:443")
    world.settle()
    [action] = world.operator.read("/actions/implicitScans", context="true")
    context = action["context"]
    assert (context["countryCode"], context["city"], context["region"]) == ("IE", "Dublin", "Leinster")
    assert context["timeZone"] == IN_DUBLIN.zone
    assert (action["location"]["latitude"], action["locationSource"]) == (IN_DUBLIN.latitude, "geoIp")


def test_a_file_that_knows_the_country_alone_does_not_locate_a_scan(world: World, irish_rule, asked):
    world.scan(irish_rule, address=f"{BRAZILIAN}:443")
    world.settle()
    [action] = world.operator.read("/actions/implicitScans", context="true")
    assert (action["context"]["countryCode"], action["locationSource"]) == ("BR", "unknown")
    assert "location" not in action


def imported(**variables: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers/core/python")])
    return subprocess.run(
        [sys.executable, "-c", IMPORTS],
        env=os.environ | {"PYTHONPATH": paths} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_redirect_loads_the_reader_of_such_files_only_where_one_is_configured(cities, tmp_path):
    folder = {"FINGERPOST_DATA_DIR": str(tmp_path)}
    assert imported(**folder, FINGERPOST_MMDB="").stdout.split() == []
    assert imported(**folder, FINGERPOST_MMDB=str(cities)).stdout.split() == ["fingerpost.geo", "maxminddb"]


def test_a_redirect_whose_file_cannot_be_used_does_not_start(tmp_path):
    failed = imported(FINGERPOST_DATA_DIR=str(tmp_path), FINGERPOST_MMDB=str(tmp_path / "none.mmdb"))
    assert failed.returncode != 0
    assert f"{BadDatabase.__name__}: {tmp_path / 'none.mmdb'} does not exist" in failed.stderr
