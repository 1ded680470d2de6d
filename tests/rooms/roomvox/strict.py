"""What RFC 5545 says of a calendar, line by line, by nobody's parser: for tests of feeds."""

import re
from collections import Counter

NAME = r"[A-Z0-9-]+"
QSAFE, SAFE = r'[^\x00-\x08\x0a-\x1f\x7f"]', r'[^\x00-\x08\x0a-\x1f\x7f";:,]'
PARAMETER = rf';{NAME}=(?:"{QSAFE}*"|{SAFE}*)(?:,(?:"{QSAFE}*"|{SAFE}*))*'
LINE = re.compile(rf"({NAME})((?:{PARAMETER})*):([^\x00-\x08\x0a-\x1f\x7f]*)")
TEXT = re.compile(r"(?:[^\\;,]|\\[\\;,nN])*")
DATE_TIME = r"\d{8}T\d{6}"
UTC = re.compile(rf"{DATE_TIME}Z")
LOCAL = re.compile(rf"{DATE_TIME}(,{DATE_TIME})*")
TEXTS = {"SUMMARY", "DESCRIPTION", "LOCATION", "UID", "PRODID", "STATUS", "TZNAME", "COMMENT"}
ONCE = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "LOCATION", "STATUS", "SEQUENCE", "RRULE"} | {
    "ORGANIZER", "RECURRENCE-ID", "CREATED", "LAST-MODIFIED", "TRANSP",
}  # fmt: skip


def check(content: bytes) -> None:
    """Raises AssertionError for what is no iCalendar, or nothing that a client has to take."""
    assert content.endswith(b"\r\n")
    lines = content.removesuffix(b"\r\n").split(b"\r\n")
    for line in lines:
        assert 0 < len(line) <= 75 and b"\r" not in line and b"\n" not in line, line
        line.decode()  # no character is cut by a fold
    unfolded = b"\r\n".join(lines).replace(b"\r\n ", b"").decode().split("\r\n")
    assert (unfolded[0], unfolded[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    open_: list[tuple[str, Counter[str]]] = []
    zones, named, children = set[str](), set[str](), Counter[str]()
    for line in unfolded:
        found = LINE.fullmatch(line)
        assert found is not None, line
        name, parameters, value = found.groups()
        if name == "BEGIN":
            if open_:
                children[value] += 1
            open_.append((value, Counter()))
        elif name == "END":
            component, properties = open_.pop()
            assert component == value
            _whole(component, properties)
        else:
            component, properties = open_[-1]
            properties[name] += 1
            assert name not in TEXTS or TEXT.fullmatch(value), line
            if component == "VEVENT":
                _time(name, parameters, value, named)
            if (component, name) == ("VTIMEZONE", "TZID"):
                zones.add(value)
    assert not open_ and children["VTIMEZONE"] + children["VEVENT"] > 0
    assert named <= zones, f"{named - zones} are not defined"


def _whole(component: str, properties: Counter[str]) -> None:
    needed = {"VCALENDAR": {"PRODID", "VERSION"}, "VEVENT": {"UID", "DTSTAMP", "DTSTART", "SEQUENCE"}}
    assert needed.get(component, set()) <= properties.keys(), component
    assert component != "VEVENT" or all(properties[name] <= 1 for name in ONCE), properties
    assert component not in ("STANDARD", "DAYLIGHT") or {"DTSTART", "TZOFFSETFROM", "TZOFFSETTO"} <= properties.keys()


def _time(name: str, parameters: str, value: str, named: set[str]) -> None:
    if name in ("DTSTAMP", "CREATED", "LAST-MODIFIED"):
        assert UTC.fullmatch(value) and not parameters, (name, value)
    if name in ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"):
        zone = re.fullmatch(r";TZID=([^;:]+)", parameters)
        if zone is None:
            assert not parameters and all(UTC.fullmatch(each) for each in value.split(",")), (name, parameters, value)
        else:
            assert LOCAL.fullmatch(value), (name, value)
            named.add(zone[1].strip('"'))
    if name == "RRULE":
        assert value.startswith("FREQ=") and not ("COUNT=" in value and "UNTIL=" in value), value
