"""HTTP/1.1 over one kept connection, as small as DynamoDB, SQS and the credentials endpoint need it.

http.client costs 36 ms of a cold start (it pulls the e-mail parser); this costs the socket module alone, and ssl only
once an https endpoint is opened. No proxies, no redirects, no compression: the services answer none of them unasked.
"""

import socket
from functools import cache
from typing import TYPE_CHECKING

from ..frozen import Frozen

if TYPE_CHECKING:
    import ssl

AMAZON_ROOTS = f"{__file__.rpartition('/')[0]}/amazon_roots.pem"  # pathlib costs 5 ms
MAX_ANSWER_BYTES = 64 * 1024 * 1024  # a BatchGetItem of 16 MB in base64 and JSON stays below
MAX_HEAD_BYTES = 64 * 1024
_READ_BYTES = 64 * 1024


class Unsent(Exception):
    """The request did not leave in full, so the service cannot have acted on it."""


class Broken(Exception):
    """No complete answer: closed, reset, timed out or malformed. The service may have acted on the request."""

    def __init__(self, message: str, *, silent: bool = False):
        super().__init__(message)
        self.silent = silent  # the connection ended before any byte of the answer


class Endpoint(Frozen):
    """Where a service listens: `https://dynamodb.eu-west-1.amazonaws.com`, `http://127.0.0.1:8002`."""

    secure: bool
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
        """Raises ValueError for anything but `http(s)://host[:port][/]`; an IPv6 address stands in brackets."""
        scheme, separator, rest = url.partition("://")
        authority, _, path = rest.partition("/")
        if scheme not in ("http", "https") or not separator or path or not authority or "@" in authority:
            raise ValueError(f"not an endpoint: {url!r}")
        host, colon, port = authority.rpartition(":")
        if not colon or port.endswith("]"):
            host, port = authority, ""
        if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"not a port: {url!r}")
        secure = scheme == "https"
        return cls(secure, host, int(port) if port else (443 if secure else 80))

    @property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's own, as botocore signs it."""
        return self.host if self.port == (443 if self.secure else 80) else f"{self.host}:{self.port}"


class Headers:
    """The headers of an answer, each looked for when it is asked for: there are many, and few matter."""

    __slots__ = ("_lowered", "_text")

    def __init__(self, text: str):
        """`text` has a status, and a header after each line's end but the last."""
        self._text, self._lowered = text, text.lower()  # of the same length in Latin-1

    def get(self, name: str) -> str | None:
        """The first header of that name, which is in lower case."""
        start = self._lowered.find(f"\r\n{name}:")
        if start < 0:
            return None
        start += len(name) + 3
        return self._text[start : self._text.index("\r\n", start)].strip()


class Answer(Frozen):
    status: int
    headers: Headers
    body: bytes


class Connection:
    """One connection, used by one thread at a time. `used_at` is the wall clock of its last answer, 0 while fresh."""

    __slots__ = ("_buffer", "_heard", "_sock", "_timeout", "reusable", "used_at")

    def __init__(self, endpoint: Endpoint, timeout_s: float, context: "ssl.SSLContext | None" = None):
        """Connect, within `timeout_s` for each of the host's addresses. Raises Unsent."""
        name = endpoint.host.strip("[]").encode("ascii")  # bytes work too, and text would import the idna codec
        try:
            sock = socket.create_connection((name, endpoint.port), timeout_s)  # type: ignore[arg-type]
        except OSError as error:
            raise Unsent(f"cannot connect to {endpoint.authority}: {error}") from error
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if endpoint.secure:
                sock = (context or tls_context(endpoint.host)).wrap_socket(sock, server_hostname=name)
        except OSError as error:  # ssl.SSLError is one
            sock.close()
            raise Unsent(f"cannot speak TLS to {endpoint.authority}: {error}") from error
        self._sock: socket.socket = sock
        self._timeout = timeout_s
        self._buffer = b""
        self._heard = False
        self.used_at = 0
        self.reusable = True

    def exchange(self, request: bytes, timeout_s: float) -> Answer:
        """Send and read one answer, each wait at most `timeout_s`. Raises Unsent, Broken; then it is closed."""
        try:
            if timeout_s != self._timeout:
                self._sock.settimeout(timeout_s)
                self._timeout = timeout_s
            self._sock.sendall(request)
        except OSError as error:
            self.close()
            raise Unsent(str(error)) from error
        self._heard = False
        try:
            answer = self._read_answer()
        except (OSError, Broken) as error:
            self.close()
            ended = not isinstance(error, TimeoutError)
            raise Broken(str(error) or type(error).__name__, silent=ended and not self._heard) from error
        if self._buffer or not self.reusable:  # bytes past the answer belong to no request of ours
            self.close()
        return answer

    def close(self) -> None:
        self.reusable = False
        self._sock.close()

    def _read_answer(self) -> Answer:
        status, headers = self._read_head()
        if status == 100:
            status, headers = self._read_head()
        if status == 204:
            return Answer(status, headers, b"")
        if "chunked" in (headers.get("transfer-encoding") or "").lower():
            body = self._read_chunks()
        elif (length := headers.get("content-length")) is not None:
            if not (length.isascii() and length.isdigit()):
                raise Broken(f"malformed Content-Length {length!r}")
            body = self._take(int(length))
        else:
            body = self._read_to_end()
        return Answer(status, headers, body)

    def _read_head(self) -> tuple[int, Headers]:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise Broken("the answer's headers have no end")
            self._buffer += self._receive()
        version, _, rest = self._buffer[: end + 2].decode("latin-1").partition(" ")
        self._buffer = self._buffer[end + 4 :]
        if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
            raise Broken(f"not an HTTP answer: {version[:20]!r} {rest[:20]!r}")
        headers = Headers(rest)
        keeps = (headers.get("connection") or "").lower()
        self.reusable = keeps != "close" and (version != "HTTP/1.0" or keeps == "keep-alive")
        return int(rest[:3]), headers

    def _read_chunks(self) -> bytes:
        """Source: RFC 9112, section 7.1. Extensions and trailers are read and dropped."""
        chunks, total = [], 0
        while size := self._chunk_size():
            total += size
            if total > MAX_ANSWER_BYTES:
                raise Broken("the answer is too long")
            chunks.append(self._take(size))
            self._take_line()
        while self._take_line():
            pass
        return b"".join(chunks)

    def _chunk_size(self) -> int:
        digits = self._take_line().partition(b";")[0].strip()
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise Broken(f"malformed chunk size {digits[:20]!r}")
        return int(digits, 16)

    def _take_line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise Broken("a chunk's header has no end")
            self._buffer += self._receive()
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line

    def _take(self, length: int) -> bytes:
        if length > MAX_ANSWER_BYTES:
            raise Broken("the answer is too long")
        if len(self._buffer) == length:  # the usual case: one read brought it all
            taken, self._buffer = self._buffer, b""
            return taken
        parts, missing = [self._buffer], length - len(self._buffer)
        while missing > 0:
            self._buffer = self._receive()
            parts.append(self._buffer)
            missing -= len(self._buffer)
        whole = b"".join(parts)
        self._buffer = whole[length:]
        return whole[:length]

    def _read_to_end(self) -> bytes:
        self.reusable = False
        parts, total = [self._buffer], len(self._buffer)
        while more := self._sock.recv(_READ_BYTES):
            parts.append(more)
            total += len(more)
            if total > MAX_ANSWER_BYTES:
                raise Broken("the answer is too long")
        return b"".join(parts)

    def _receive(self) -> bytes:
        more = self._sock.recv(_READ_BYTES)
        if not more:
            raise Broken("closed before the end of the answer")
        self._heard = True
        return more


@cache
def tls_context(host: str) -> "ssl.SSLContext":
    """Amazon's hosts are trusted by Amazon's roots alone (4 ms to load, the system's take 34); others by the system's.

    Source of the roots: https://www.amazontrust.com/repository/, the five that AWS names for its endpoints.
    """
    import ssl  # noqa: PLC0415 (plain http to an emulator needs none of it)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks the host's name and demands a certificate
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if host.endswith(".amazonaws.com"):
        context.load_verify_locations(AMAZON_ROOTS)
    else:
        context.load_default_certs()
    return context
