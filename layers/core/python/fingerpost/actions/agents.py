"""What a user agent says, by ua-parser. Never on the scan path: agents are parsed off the feed, or when read."""

import re
from functools import lru_cache
from typing import Any

from ua_parser import parse

# Fetchers of link previews, which a parser made for browsers does not call robots.
_PREVIEW = re.compile(
    r"whatsapp|facebookexternalhit|facebookcatalog|twitterbot|slackbot|slack-imgproxy|telegrambot|discordbot|"
    r"linkedinbot|skypeuripreview|pinterestbot|redditbot|snapchat.*preview|applebot|iframely|embedly|vkshare|bitlybot",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def agent_fields(agent: str) -> dict[str, Any]:
    """The context keys that a user agent gives. Names that are not known are `Unknown`, as the platform has them."""
    result = parse(agent)
    browser, system, device = result.user_agent, result.os, result.device
    return {
        "userAgentName": browser.family if browser else "Unknown",
        "userAgentVersion": _version(browser) if browser else None,
        "userAgentType": _agent_type(agent, browser, system),
        "deviceType": _device_type(agent) if device or system else None,
        "device": device.family if device and device.family != "Other" else None,
        "operatingSystemName": " ".join(filter(None, (system.family, _version(system)))) if system else "Unknown",
        "operatingSystemFamily": system.family if system else None,
        "operatingSystemProducer": _PRODUCERS.get(system.family) if system else None,
        "operatingSystemVersion": _version(system) if system else None,
    }


@lru_cache(maxsize=4096)
def is_robot(agent: str) -> bool:
    """Whether a crawler or a fetcher of link previews asks: nobody looks at the answer. No agent at all is no robot."""
    if _PREVIEW.search(agent):
        return True
    device = parse(agent).device
    return device is not None and device.family == "Spider"


_PRODUCERS = {
    "iOS": "Apple",
    "Mac OS X": "Apple",
    "Windows": "Microsoft",
    "Windows Phone": "Microsoft",
    "Android": "Google",
    "Chrome OS": "Google",
    "Ubuntu": "Canonical",
    "Fedora": "Red Hat",
}


def _agent_type(agent: str, browser: Any, system: Any) -> str | None:
    if is_robot(agent):
        return "robot"
    if browser is None:
        return None
    return "browser" if system else "library"


def _device_type(agent: str) -> str:
    if re.search(r"iPad|Tablet|Android(?!.*Mobile)", agent):
        return "tablet"
    return "phone" if re.search(r"Mobi|iPhone|iPod", agent) else "desktop"


def _version(part: Any) -> str | None:
    numbers = (part.major, part.minor, part.patch)
    return ".".join(number for number in numbers if number) or None
