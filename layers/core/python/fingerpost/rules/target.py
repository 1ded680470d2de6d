"""What a redirect may lead to: an absolute http(s) URL whose scheme, host and port somebody wrote down.

Loaded when a rule or a redirection is saved, never at a scan. Source: WHATWG URL, sections 3.5 and 4.4; browsers follow
it, so whatever they would read differently from us (backslashes, user names, numbers for hosts) is refused.
"""

import ipaddress
import re
from collections.abc import Sequence

from ..errors import Finding

_AUTHORITY = re.compile(r"(https?)://([^/?#]*)(?=([/?#]?))", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d+(?:[/?#]|$))")  # and not host:port
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff\\]")
_OTHER_IN_BROWSERS = re.compile("[ßς\u200c\u200d]")  # letters that older and newer IDNA send to different hosts


def target_problem(
    document_field: str, text: str, texts: Sequence[tuple[str, int]], holes: Sequence[int]
) -> Finding | None:
    """What keeps a template from being a redirect's target; None when nothing does.

    `texts` are its literal texts with their columns in `text`, `holes` the columns of its placeholders.
    """

    def finding(message: str, column: int, *expected: str) -> Finding:
        return Finding(
            field=document_field,
            message=message,
            column=column,
            near=text[max(column - 9, 0) : column + 15],
            expected=expected,
        )

    for part, start in texts:
        if found := _UNSAFE.search(part):
            return finding(f"{_named(found[0])} may not stand in a URL", start + found.start())
    if holes and holes[0] == 1:
        return finding(
            "the scheme and the host must be the template's own text, not a value: "
            "write for example https://example.com/ before the placeholder",
            1,
            "https://",
        )
    first = texts[0][0] if texts else ""
    authority = _AUTHORITY.match(first)
    if authority is None:
        return finding(_no_http_url(first), 1, "https://")
    if not authority[3] and holes:
        return finding(
            "a placeholder may not be part of the host or the port: end the host with '/' before it", holes[0], "/"
        )
    if problem := _authority_problem(authority[2]):
        return finding(problem, authority.start(2) + 1)
    return None


def with_ascii_host(text: str) -> str:
    """The first text of a template that has no problem, with its host in ASCII (IDNA)."""
    authority = _AUTHORITY.match(text)
    if authority is None or authority[2].isascii():
        return text
    host, colon, port = authority[2].partition(":")
    return text[: authority.start(2)] + _ascii_host(host) + colon + port + text[authority.end(2) :]


def _no_http_url(text: str) -> str:
    start = text[:60]
    if not start:
        return "a URL is expected, such as https://example.com/"
    if start.startswith("//"):
        return f"the scheme is missing: write https:{start}"
    if start.lower().startswith(("http:", "https:")):
        return "two slashes follow the scheme: write https://example.com/"
    if scheme := _SCHEME.match(start):
        return f"a URL begins with http: or https:, not '{scheme[0]}': write https://example.com/"
    if start[0] in "/?#.":
        return f"a relative address leads nowhere: write the whole one, https://example.com/{start.lstrip('/.')}"
    return f"the scheme is missing: write https://{start}"


def _authority_problem(authority: str) -> str | None:
    """What is wrong with `host` or `host:port`."""
    if "@" in authority:
        return "a user name or password may not stand before the host: leave out everything up to '@'"
    host, colon, port = authority.rpartition(":") if re.search(r":[^\]]*$", authority) else (authority, "", "")
    if colon and not (re.fullmatch(r"[0-9]{1,5}", port) and 1 <= int(port) <= 65_535):
        return f"'{port[:60]}' is no port: write a number from 1 to 65535, or leave out the ':'"
    if not host:
        return "the host is missing: write for example https://example.com/"
    return _host_problem(host)


def _host_problem(host: str) -> str | None:
    shown = host[:60]
    if host.startswith("["):
        return None if host.endswith("]") and _is_address(6, host[1:-1]) else f"'{shown}' is no IPv6 address"
    if not host.isascii():
        try:
            host = _ascii_host(host)
        except UnicodeError:
            return f"'{shown}' is not clear as a host: write it in its ASCII form, which begins with xn--"
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return f"'{shown}' is no host: letters, digits and '-' in parts of at most 63 characters, joined with '.'"
    numeric = labels[-1].isdigit() or re.fullmatch(r"0[xX][0-9A-Fa-f]*", labels[-1])
    if numeric and not _is_address(4, host):
        return f"'{shown}' is no IPv4 address: write four numbers from 0 to 255, joined with '.'"
    return None


def _is_address(version: int, text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == version and "%" not in text
    except ValueError:
        return False


def _ascii_host(host: str) -> str:
    """The IDNA form of a host. Raises UnicodeError when there is none, or when browsers disagree about it."""
    if _OTHER_IN_BROWSERS.search(host):
        raise UnicodeError(host)
    return host.encode("idna").decode()


def _named(character: str) -> str:
    names = {
        " ": "a space (write %20)",
        "\\": "a backslash (write / or %5C)",
        "\n": "a line break",
        "\r": "a line break",
    }
    return names.get(character) or f"the invisible character U+{ord(character):04X}"
