"""The one door for requests that leave this system for an address that somebody else chose. Standard library only.

Nothing inside a network can be reached through it: a host is resolved here, every one of its addresses has to be
public, and the connection goes to one of those that were checked, never to what a second look-up might answer. Each
redirect is a new request and is checked again. Bytes and time are capped as a whole, not for each read.
Source: OWASP, "Server-Side Request Forgery Prevention Cheat Sheet".
"""

import contextlib
import http.client
import io
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Resolve = Callable[[str, int], Sequence[str]]  # host and port -> its addresses; raises OSError

MAX_URL = 8_192
WEB_PORTS = (80, 443)
FIRST_FREE_PORT = 1_024  # below it only those of the web: the others belong to services that are none
MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
CHUNK = 16_384
TOO_LATE = "no answer came in time"
MAX_ADDRESSES = 4  # of one host that are tried, one after the other
LOOPBACK = ipaddress.IPv4Address("127.0.0.1")
UNICAST = ipaddress.IPv6Network("2000::/3")  # all that IANA has given out; whatever folds in an IPv4 address is apart
RELAYS = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))  # of protocols, not of hosts
ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # above the last 32 bits, which are an IPv4 address; RFC 5214


class Refused(Exception):
    """The request was not sent: its URL, or an address behind it, is not one that this door leads to."""


class Failed(Exception):
    """No answer came: the host is unknown, nobody listens, TLS failed, or time ran out."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back. `whole` is whether `content` is all of it: it is cut at the limit, which is no error."""

    url: str  # after redirects
    status: int
    headers: Mapping[str, str]  # names in lower case
    content: bytes
    whole: bool
    redirects: tuple[str, ...] = ()  # the URLs that were asked before this one


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one request with its redirects."""

    seconds: float = 5.0
    content_bytes: int = 1_000_000
    redirects: int = MAX_REDIRECTS


def is_public(address: Address) -> bool:
    """Whether an address is that of a host on the internet at large, and nothing else in disguise.

    IPv6 addresses that carry an IPv4 address (mapped, NAT64, 6to4, Teredo, ISATAP) are not: packets to them may end at
    that address, and every host that has one is reached by it directly. Source: the IANA special-purpose registries.
    """
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in RELAYS)
    carries = address.sixtofour is not None or address.teredo is not None
    isatap = int(address) >> 32 & 0xFFFF_FFFF in ISATAP
    return address in UNICAST and not carries and not isatap and address.scope_id is None


def system_resolve(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Sends requests. Who makes it says which addresses it may reach (wiring.py); tests give it a resolver too."""

    resolve: Resolve = system_resolve
    permits: Callable[[Address], bool] = is_public
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context
    agent: str = "Fingerpost"
    clock: Callable[[], float] = field(default=time.monotonic)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        limits: Limits | None = None,
    ) -> Answered:
        """One request and its answer. Redirects of GET and HEAD are followed, without what the first one carried
        along for its host alone. Raises Refused, Failed.
        """
        limits = limits or Limits()
        deadline = self.clock() + limits.seconds
        passed: list[str] = []
        sent = dict(headers or {})
        while True:
            answer = self._once(method, url, sent, content, deadline, limits.content_bytes)
            further = answer.headers.get("location")
            if answer.status not in REDIRECTS or further is None or method not in ("GET", "HEAD"):
                return replace(answer, redirects=tuple(passed))
            if len(passed) >= limits.redirects:
                raise Failed(f"more than {limits.redirects} redirects")
            passed.append(url)
            to = urljoin(url, further)
            if _split(to).netloc != _split(url).netloc:
                sent = {}
            url = to

    def refusal_of(self, url: str) -> str | None:
        """Why nothing would ever be sent to a URL, as far as itself tells; None when it may be."""
        try:
            parts = _split(url)
            _port_of(parts)
        except Refused as refusal:
            return str(refusal)
        host = (parts.hostname or "").rstrip(".")
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            own = (host == "localhost" or host.endswith(".localhost")) and not self.permits(LOOPBACK)
            return f"{host} is the machine itself" if own else None
        return None if self.permits(address) else f"{host} is not a public address"

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, deadline: float, most: int
    ) -> Answered:
        parts = _split(url)
        host, port = (parts.hostname or "").rstrip("."), _port_of(parts)
        connection: _Pinned | None = None
        own = {"User-Agent": self.agent, "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            addresses = self._addresses(host, port, deadline)
            context = self.tls() if parts.scheme == "https" else None
            connection = _Pinned(host, port, addresses, context, lambda: self._remaining(deadline))
            connection.request(method, target, body=content, headers={**own, **headers})
            response = connection.getresponse()
            text, whole = _read(response, most)
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answered(url, response.status, named, text, whole)
        except TimeoutError as error:
            raise Failed(TOO_LATE) from error
        except ssl.SSLError as error:
            raise Failed(f"TLS failed: {getattr(error, 'verify_message', '') or error.reason or error}") from error
        except OSError as error:
            raise Failed((error.strerror or "the connection broke").lower()) from error
        except (http.client.HTTPException, ValueError) as error:
            raise Failed(f"what came is no HTTP answer ({type(error).__name__})") from error
        finally:
            if connection is not None:
                connection.hang_up()

    def _addresses(self, host: str, port: int, deadline: float) -> list[str]:
        """The addresses to connect to. Raises Refused unless all that the name stands for are permitted."""
        found = list(dict.fromkeys(self._resolved(host, port, deadline)))
        if not found:
            raise Failed(f"{host} has no address")
        for address in map(ipaddress.ip_address, found):
            if not self.permits(address):
                raise Refused(f"{host} is {address}, which is not a public address")
        return found[:MAX_ADDRESSES]

    def _resolved(self, host: str, port: int, deadline: float) -> Sequence[str]:
        """The system's resolver knows no time limit, so it is asked beside."""
        found: list[Sequence[str]] = []
        failed: list[Exception] = []

        def ask() -> None:
            try:
                found.append(self.resolve(host, port))
            except (OSError, UnicodeError) as error:
                failed.append(error)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(self._remaining(deadline))
        if failed:
            raise Failed(f"{host} cannot be found") from failed[0]
        if not found:
            raise TimeoutError
        return found[0]

    def _remaining(self, deadline: float) -> float:
        left = deadline - self.clock()
        if left <= 0:
            raise TimeoutError
        return left


def _split(url: str) -> SplitResult:
    """Raises Refused for what is no http(s) URL with a host, or holds what readers of URLs understand differently."""
    if len(url) > MAX_URL:
        raise Refused(f"the URL has {len(url):,} characters; the limit is {MAX_URL:,}")
    if not url.isascii() or any(character <= " " or character in '\\"<>\x7f' for character in url):
        raise Refused("the URL holds a character that may not stand in one")
    try:
        parts = urlsplit(url)
        named = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise Refused("the URL cannot be read") from error
    if parts.scheme not in ("http", "https"):
        raise Refused(f"only http and https are spoken, not {parts.scheme[:20] or 'nothing'}")
    if not named:
        raise Refused("the URL names no host")
    if "@" in parts.netloc:
        raise Refused("the URL carries a user name")
    return parts


def _port_of(parts: SplitResult) -> int:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if port < FIRST_FREE_PORT and port not in WEB_PORTS:
        raise Refused(f"port {port} is none of the web's")
    return port


def _read(response: http.client.HTTPResponse, most: int) -> tuple[bytes, bool]:
    """The content up to `most` bytes, and whether that is all of it."""
    pieces: list[bytes] = []
    size = 0
    while size <= most:
        piece = response.read1(min(CHUNK, most + 1 - size))
        if not piece:
            return b"".join(pieces), True
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)[:most], False


class _Timed(io.RawIOBase):
    """The reading end of a socket. It ends when the time of the whole request does, however slowly bytes trickle in."""

    def __init__(self, link: socket.socket, remaining: Callable[[], float]):
        self._link, self._remaining = link, remaining

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._link.settimeout(self._remaining())
        return self._link.recv_into(buffer)


class _TimedSocket:
    """As much of a socket as `http.client` needs."""

    def __init__(self, link: socket.socket, remaining: Callable[[], float]):
        self._link, self._remaining = link, remaining

    def makefile(self, *_mode: object) -> io.BufferedReader:
        return io.BufferedReader(_Timed(self._link, self._remaining))

    def sendall(self, content: bytes) -> None:
        self._link.settimeout(self._remaining())
        self._link.sendall(content)

    def close(self) -> None:
        """Called as soon as the headers are there, while the body has yet to come: `hang_up` is the end."""


class _Pinned(http.client.HTTPConnection):
    """A connection to addresses that were checked, under the host's own name: in `Host`, SNI and the certificate."""

    def __init__(
        self,
        host: str,
        port: int,
        addresses: Sequence[str],
        context: ssl.SSLContext | None,
        remaining: Callable[[], float],
    ):
        super().__init__(host, port)
        self._addresses, self._context, self._remaining = addresses, context, remaining
        self._link: socket.socket | None = None
        self.default_port = http.client.HTTP_PORT if context is None else http.client.HTTPS_PORT  # for `Host`

    def connect(self) -> None:
        link = self._connected()
        if self._context is not None:
            try:
                link.settimeout(self._remaining())
                link = self._context.wrap_socket(link, server_hostname=self.host)
            except OSError:
                link.close()
                raise
        self._link = link
        self.sock = _TimedSocket(link, self._remaining)

    def hang_up(self) -> None:
        if self._link is not None:
            self._link.close()

    def _connected(self) -> socket.socket:
        """To the first address where anybody listens."""
        *others, last = self._addresses
        for address in others:
            with contextlib.suppress(OSError):
                return socket.create_connection((address, self.port), self._remaining() / 2)
        return socket.create_connection((last, self.port), self._remaining())
