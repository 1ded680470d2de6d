from pathlib import Path

import pytest

from fingerpost.local.config import BadSetting, settings_from
from tests.unit.test_geo import database


def test_nothing_set_gives_the_defaults():
    settings = settings_from({})
    assert (settings.api_port, settings.short_port) == (8000, 8001)
    assert (settings.short_domain, settings.api_url) == ("localhost:8001", "http://localhost:8000")
    assert settings.data_dir == Path(".fingerpost").resolve()
    assert (settings.demo, settings.operator_api_key) == (True, None)


def test_links_follow_the_ports():
    settings = settings_from({"FINGERPOST_API_PORT": "9000", "FINGERPOST_SHORT_PORT": "9001"})
    assert (settings.short_domain, settings.api_url) == ("localhost:9001", "http://localhost:9000")


def test_a_file_of_addresses_is_opened_before_anything_is_served(tmp_path):
    path = database(tmp_path / "cities.mmdb", {"89.100.0.0/16": {"country": {"iso_code": "IE"}}})
    settings = settings_from({"FINGERPOST_MMDB": str(path)})
    assert settings.mmdb == path
    assert settings_from(settings.environment()) == settings
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadSetting, match=r"FINGERPOST_MMDB: .*cities\.mmdb is no MaxMind DB file"):
        settings_from({"FINGERPOST_MMDB": str(path)})


def test_an_empty_variable_counts_as_absent():
    assert settings_from({"FINGERPOST_API_PORT": " ", "FINGERPOST_DEMO": ""}) == settings_from({})


def test_the_environment_of_settings_gives_the_same_settings(tmp_path):
    settings = settings_from(
        {
            "FINGERPOST_API_PORT": "9000",
            "FINGERPOST_SHORT_DOMAIN": "TN.Example",
            "FINGERPOST_API_URL": "https://api.example/",
            "FINGERPOST_DEMO": "0",
            "FINGERPOST_DATA_DIR": str(tmp_path),
            "FINGERPOST_OPERATOR_API_KEY": "k" * 40,
        }
    )
    assert (settings.short_domain, settings.api_url, settings.demo) == ("tn.example", "https://api.example", False)
    assert settings_from(settings.environment()) == settings


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FINGERPOST_API_PORT", "http"),
        ("FINGERPOST_API_PORT", "0"),
        ("FINGERPOST_SHORT_PORT", "65536"),
        ("FINGERPOST_SHORT_PORT", "-1"),
        ("FINGERPOST_SHORT_PORT", "9" * 5000),
        ("FINGERPOST_SHORT_PORT", "8000"),
        ("FINGERPOST_MAIN_TABLE", "main"),
        ("FINGERPOST_DEMO", "perhaps"),
        ("FINGERPOST_SHORT_DOMAIN", "http://tn.example"),
        ("FINGERPOST_SHORT_DOMAIN", "tn.example/x"),
        ("FINGERPOST_API_URL", "localhost:8000"),
        ("FINGERPOST_API_URL", "http://localhost:port"),
        ("FINGERPOST_API_URL", "http://[x"),
        ("FINGERPOST_MMDB", "none.mmdb"),
        ("FINGERPOST_MMDB", __file__),
        ("FINGERPOST_OPERATOR_API_KEY", "short"),
        ("FINGERPOST_OPERATOR_API_KEY", "with spaces in it, and more"),
    ],
)
def test_a_bad_value_is_refused_by_name(variable, value):
    with pytest.raises(BadSetting, match=variable) as refusal:
        settings_from({variable: value})
    assert "KEY" not in variable or value not in str(refusal.value)
