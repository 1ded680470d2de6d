import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from fingerpost.geo import Area, AreaFinder, BadDatabase

DUBLIN = {
    "country": {"iso_code": "IE", "names": {"en": "Ireland", "de": "Irland"}},
    "registered_country": {"iso_code": "US"},
    "subdivisions": [{"iso_code": "L", "names": {"en": "Leinster"}}, {"iso_code": "D", "names": {"en": "Dublin"}}],
    "city": {"names": {"de": "Dublin (de)", "en": "Dublin"}},
    "location": {"latitude": 53.3338, "longitude": -6.2488, "time_zone": "Europe/Dublin", "accuracy_radius": 20},
}
IN_DUBLIN = Area(
    country="IE", region="Leinster", city="Dublin", latitude=53.3338, longitude=-6.2488, zone="Europe/Dublin"
)
SAO_PAULO = {"country": {"iso_code": "BR"}, "city": {"names": {"en": "São Paulo"}}}
ODD = {
    "country": {"iso_code": "Ireland"},
    "subdivisions": [],
    "city": {"names": {"en": 5}},
    "location": {"latitude": 91.0, "longitude": 1.0, "time_zone": "x" * 300},
}
HALF = {"country": {"iso_code": "fr"}, "location": {"latitude": 48.0}, "city": "Paris", "subdivisions": ["x"]}
IRISH, IRISH_6, BRAZILIAN = "89.100.0.7", "2a02:8084::1", "200.147.3.1"


def database(path: Path, networks: dict[str, Any], *, kind: str = "GeoLite2-City", versions: int = 6) -> Path:
    writer = MMDBWriter(versions, kind, ipv4_compatible=versions == 6)
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


NETWORKS = {
    "89.100.0.0/16": DUBLIN,
    "2a02:8084::/32": DUBLIN,
    "200.147.0.0/16": SAO_PAULO,
    "81.2.69.0/24": ODD,
    "81.2.70.0/24": HALF,
    "81.2.71.0/24": "not a map",
    "10.0.0.0/8": DUBLIN,
    "fd00::/8": DUBLIN,
}


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database(tmp_path_factory.mktemp("geo") / "cities.mmdb", NETWORKS)


@pytest.fixture(scope="module")
def areas(cities: Path) -> AreaFinder:
    return AreaFinder(cities)


@pytest.mark.parametrize("address", [IRISH, IRISH_6, f"::ffff:{IRISH}"])
def test_a_public_address_gives_country_region_city_position_and_zone(areas, address):
    assert areas.find(address) == IN_DUBLIN


def test_what_a_record_does_not_tell_stays_unknown(areas):
    assert areas.find(BRAZILIAN) == Area(country="BR", city="São Paulo")


def test_what_makes_no_sense_stays_unknown(areas):
    assert areas.find("81.2.69.1") == Area(zone="x" * 100)
    assert areas.find("81.2.70.1") == Area(country="FR")
    assert areas.find("81.2.71.1") is None


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "fd00::1", "127.0.0.1", "::1", "192.168.0.9", "169.254.1.1", "fe80::1%eth0", "100.64.0.1", "0.0.0.0"],
)
def test_a_private_address_gives_nothing_even_if_the_file_has_it(areas, address):
    assert areas.find(address) is None


@pytest.mark.parametrize(
    "address", ["", "x", "89.100.0", "89.100.0.7:443", " 89.100.0.7", "1" * 5_000, "8.8.8.8", "2001:4860::1"]
)
def test_what_is_no_address_or_unknown_gives_nothing(areas, address):
    assert areas.find(address) is None


def test_a_file_of_countries_alone_gives_the_country(tmp_path):
    path = database(tmp_path / "c.mmdb", {"89.100.0.0/16": {"country": {"iso_code": "IE"}}}, kind="GeoLite2-Country")
    assert AreaFinder(path).find(IRISH) == Area(country="IE")


def test_a_file_without_ipv6_gives_nothing_for_such_an_address_and_is_not_called_damaged(tmp_path, capsys):
    path = database(tmp_path / "c.mmdb", {"89.100.0.0/16": DUBLIN}, versions=4)
    finder = AreaFinder(path)
    assert finder.find(IRISH) == finder.find(f"::ffff:{IRISH}") == IN_DUBLIN
    assert finder.find(IRISH_6) is None
    assert capsys.readouterr().err == ""


def test_a_file_that_is_missing_or_a_folder_is_refused_by_name(tmp_path):
    with pytest.raises(BadDatabase, match=r"none\.mmdb does not exist"):
        AreaFinder(tmp_path / "none.mmdb")
    with pytest.raises(BadDatabase, match="cannot be read: Is a directory"):
        AreaFinder(tmp_path)


@pytest.mark.parametrize("keep", [0.0, 0.2, 0.6, 0.97])
def test_a_file_of_which_a_part_is_missing_is_refused_by_name(tmp_path, cities, keep):
    whole = cities.read_bytes()
    part = tmp_path / "part.mmdb"
    part.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(BadDatabase, match=r"part\.mmdb is no MaxMind DB file, or only part of one"):
        AreaFinder(part)


def test_a_file_of_other_things_is_refused_by_its_type(tmp_path):
    path = database(tmp_path / "asn.mmdb", {"89.100.0.0/16": {"autonomous_system_number": 1}}, kind="GeoLite2-ASN")
    with pytest.raises(BadDatabase, match="type 'GeoLite2-ASN'"):
        AreaFinder(path)


def test_damage_inside_a_file_gives_nothing_and_one_line_in_the_log(tmp_path, cities, capsys):
    whole = cities.read_bytes()
    marker = whole.rindex(b"\xab\xcd\xefMaxMind.com")
    start = whole.rindex(b"\0" * 16, 0, marker) + 16
    broken = tmp_path / "broken.mmdb"
    broken.write_bytes(whole[:start] + b"\xff" * (marker - start) + whole[marker:])
    finder = AreaFinder(broken)
    assert [finder.find(IRISH), finder.find(IRISH), finder.find(BRAZILIAN)] == [None] * 3
    [line] = capsys.readouterr().err.splitlines()
    assert "damaged" in line


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8), st.booleans())
def test_no_damage_does_more_than_hide_where_an_address_is(cities, changes, cut):
    whole = bytearray(cities.read_bytes())
    for at, byte in changes:
        whole[at % len(whole)] = byte
    with tempfile.NamedTemporaryFile(suffix=".mmdb") as file:
        file.write(whole[: changes[0][0] % len(whole)] if cut else whole)
        file.flush()
        try:
            damaged = AreaFinder(Path(file.name))
        except BadDatabase:
            return
        for address in (IRISH, IRISH_6, BRAZILIAN, "81.2.69.1", "8.8.8.8"):
            assert damaged.find(address) is None or isinstance(damaged.find(address), Area)


def test_a_file_is_asked_once_for_an_address_that_comes_again(cities, monkeypatch):
    finder = AreaFinder(cities)
    assert finder.find(IRISH) == IN_DUBLIN
    monkeypatch.setattr(finder, "_reader", None)
    assert finder.find(IRISH) == IN_DUBLIN


def test_a_file_that_is_replaced_by_renaming_leaves_the_open_one_as_it_was(tmp_path, cities):
    path = tmp_path / "cities.mmdb"
    path.write_bytes(cities.read_bytes())
    finder = AreaFinder(path)
    database(tmp_path / "new.mmdb", {"89.100.0.0/16": SAO_PAULO}).replace(path)
    assert finder.find(IRISH) == IN_DUBLIN
    assert AreaFinder(path).find(IRISH).country == "BR"
