"""Devices, systems and browsers by what their user agents really say."""

import pytest

from fingerpost.redirection.devices import BROWSERS, DEVICES, SYSTEMS, Device, device_of

IOS = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
ANDROID = "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) "
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
AGENTS = {
    IOS + "Version/17.5 Mobile/15E148 Safari/604.1": Device("phone", "ios", "safari"),
    IOS + "CriOS/125.0.6422.80 Mobile/15E148 Safari/604.1": Device("phone", "ios", "chrome"),
    IOS + "FxiOS/126.0 Mobile/15E148 Safari/605.1.15": Device("phone", "ios", "firefox"),
    IOS + "EdgiOS/124.0 Version/17.0 Mobile/15E148 Safari/604.1": Device("phone", "ios", "edge"),
    "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) Version/12.1.2 Mobile/15E148 Safari/604.1": Device(
        "tablet", "ios", "safari"
    ),
    ANDROID + "Chrome/125.0.0.0 Mobile Safari/537.36": Device("phone", "android", "chrome"),
    ANDROID + "Chrome/125.0.0.0 Safari/537.36": Device("tablet", "android", "chrome"),
    ANDROID + "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36": Device("phone", "android", "samsung"),
    ANDROID + "Chrome/124.0.0.0 Mobile Safari/537.36 OPR/82.0": Device("phone", "android", "opera"),
    "Mozilla/5.0 (Android 14; Mobile; rv:126.0) Gecko/126.0 Firefox/126.0": Device("phone", "android", "firefox"),
    WINDOWS + "Chrome/125.0.0.0 Safari/537.36": Device("desktop", "windows", "chrome"),
    WINDOWS + "Chrome/125.0.0.0 Safari/537.36 Edg/125.0.0.0": Device("desktop", "windows", "edge"),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15": Device(
        "desktop", "macos", "safari"
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0": Device("desktop", "linux", "firefox"),
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/125.0.0.0 Safari/537.36": Device(
        "desktop", "chromeos", "chrome"
    ),
    "curl/8.6.0": Device(),
    "": Device(),
}


@pytest.mark.parametrize(("agent", "expected"), AGENTS.items())
def test_an_agent_says_its_device_system_and_browser(agent, expected):
    assert device_of(agent) == expected


def test_every_answer_is_one_that_rules_can_name():
    for found in map(device_of, AGENTS):
        assert found.device in ("", *DEVICES)
        assert found.os in ("", *SYSTEMS)
        assert found.browser in ("", *BROWSERS)
