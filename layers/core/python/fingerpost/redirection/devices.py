"""What a user agent says of its device, by a dozen substrings. Standard library only; on the scan path.

Rules (`device`, `os`, `browser`) and statistics both ask here, so that they agree. The full parser: actions/agents.py.
Source: "Browser detection using the user agent string", MDN. An iPad that asks for desktop pages says it is a Mac.
"""

from functools import lru_cache

from ..frozen import Frozen

DEVICES = ("phone", "tablet", "desktop")
SYSTEMS = ("android", "chromeos", "ios", "linux", "macos", "windows")
BROWSERS = ("chrome", "edge", "firefox", "opera", "safari", "samsung")

# The first that is found names the system. Phones say "like Mac OS X", Android says Linux, Windows phones say both.
_SYSTEMS = (
    ("Windows", "windows"),
    ("iPhone", "ios"),
    ("iPad", "ios"),
    ("iPod", "ios"),
    ("Android", "android"),
    ("CrOS", "chromeos"),
    ("Macintosh", "macos"),
    ("Linux", "linux"),
    ("X11", "linux"),
)
# Nearly all say Safari, most of those Chrome, and then their own name.
_BROWSERS = (
    ("Edg", "edge"),
    ("OPR/", "opera"),
    ("Opera", "opera"),
    ("SamsungBrowser/", "samsung"),
    ("Firefox/", "firefox"),
    ("FxiOS/", "firefox"),
    ("Chrome/", "chrome"),
    ("CriOS/", "chrome"),
    ("Safari/", "safari"),
)


class Device(Frozen):
    """One of DEVICES, of SYSTEMS, of BROWSERS each; empty when the agent does not say."""

    device: str = ""
    os: str = ""
    browser: str = ""


@lru_cache(maxsize=4096)
def device_of(agent: str) -> Device:
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    if "iPad" in agent or "Tablet" in agent or (system == "android" and "Mobile" not in agent):
        device = "tablet"
    elif "Mobi" in agent or "iPhone" in agent or "iPod" in agent:
        device = "phone"
    else:
        device = "desktop" if system else ""
    return Device(device, system, browser)
