"""Requests that leave for addresses somebody else chose: nothing private is reached, and nothing goes on for ever."""

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.outgoing import Answered, Failed, Limits, Outgoing, Refused, is_public

PUBLIC = "93.184.215.14"
LOOPBACK = "127.0.0.1"
QUICK = Limits(seconds=0.3)


def answering(*addresses: str) -> Callable[[str, int], list[str]]:
    return lambda _host, _port: list(addresses)


def never(_host: str, _port: int) -> list[str]:
    raise AssertionError("nothing should have been looked up")


# Which addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.2.1",
        "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.8", "192.88.99.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:93.184.215.14", "::127.0.0.1", "::93.184.215.14",
        "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::10.0.0.1", "2002:0a00:0001::1", "2002:5db8:d70e::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2606:4700::5efe:a00:1", "2606:4700::200:5efe:a00:1",
    ],
)  # fmt: skip
def test_what_is_private_special_or_carries_another_address_is_not_public(address: str):
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(Refused, match="not a public address"):
        Outgoing(resolve=answering(address)).send("GET", "http://museum.example/")


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "2a00:1450:4001:80e::200e"])
def test_hosts_of_the_internet_are_public(address: str):
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_no_way_of_folding_an_address_into_another_makes_it_public(address: ipaddress.IPv4Address):
    number = int(address)
    for high in (0xFFFF << 32, 0x0064_FF9B << 96, 0x2606_4700 << 96 | 0x5EFE << 32, 0):
        assert not is_public(ipaddress.IPv6Address(high | number))
    assert not is_public(ipaddress.IPv6Address(0x2002 << 112 | number << 80 | 1))


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    with pytest.raises(Refused, match=r"10\.0\.0\.1"):
        Outgoing(resolve=answering(PUBLIC, "10.0.0.1")).send("GET", "http://museum.example/")


@pytest.mark.parametrize(
    "host", ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_every_spelling_of_this_machine_is_refused(host: str):
    with pytest.raises(Refused, match="not a public address"):
        Outgoing().send("GET", f"http://{host}/")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://museum.example/", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("//museum.example/", "only http and https"),
        ("museum.example", "only http and https"),
        ("http://", "names no host"),
        ("http://museum.example:0/", "names no host"),
        ("http://museum.example:99999/", "cannot be read"),
        ("http://[::1/", "cannot be read"),
        ("http://museum.example:22/", "port 22"),
        ("https://museum.example:25/", "port 25"),
        ("http://somebody@museum.example/", "user name"),
        ("http://museum.example\\@10.0.0.1/", "character"),
        ("http://museum.example/a b", "character"),
        ("http://museum.example/\r\nX: y", "character"),
        ("http://muséum.example/", "character"),
        ("http://museum.example/" + "a" * 9_000, "limit is 8,192"),
    ],
)
def test_a_url_that_could_be_read_in_two_ways_or_leads_off_the_web_is_refused(url: str, why: str):
    with pytest.raises(Refused, match=why):
        Outgoing(resolve=never).send("GET", url)


def test_a_host_that_is_unknown_or_has_no_address_is_a_failure():
    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror("no such host")

    for resolve, why in ((unknown, "cannot be found"), (answering(), "has no address")):
        with pytest.raises(Failed, match=why):
            Outgoing(resolve=resolve).send("GET", "http://museum.example/")


def test_a_resolver_that_never_answers_costs_no_more_than_the_time_there_is():
    release = threading.Event()

    def slow(_host: str, _port: int) -> list[str]:
        release.wait(20)
        return [PUBLIC]

    with pytest.raises(Failed, match="in time"):
        Outgoing(resolve=slow).send("GET", "http://museum.example/", limits=Limits(seconds=0.05))
    release.set()


# A server on this machine, which only a test may reach ---------------------------------------------------------------


class Server:
    """Says one thing after the other, a connection each, and keeps what it was asked."""

    def __init__(self, *answers: bytes | Callable[[socket.socket], None], context: ssl.SSLContext | None = None):
        self.asked: list[bytes] = []
        self.done = threading.Event()
        self._answers, self._context = cycle(answers), context
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), link:
                if self._context is not None:
                    link = self._context.wrap_socket(link, server_side=True)
                self._answer(link)

    def _answer(self, link: socket.socket) -> None:
        with link:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = link.recv(4_096)
                if not piece:
                    return
                request += piece
            self.asked.append(request)
            answer = next(self._answers)
            if isinstance(answer, bytes):
                link.sendall(answer)
            else:
                answer(link)

    def close(self) -> None:
        self.done.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(2)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*answers: bytes | Callable[[socket.socket], None], **more: object) -> Server:
        servers.append(Server(*answers, **more))  # type: ignore[arg-type]
        return servers[-1]

    yield start
    for each in servers:
        each.close()


def here(**more: object) -> Outgoing:
    """Every host is this machine, and that is allowed."""
    return Outgoing(resolve=answering(LOOPBACK), permits=lambda _address: True, **more)  # type: ignore[arg-type]


def plain(content: bytes = b"hello", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nX-Room: 4\r\n\r\n".encode() + content


def moved(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


def test_an_answer_comes_back_whole_and_the_request_names_its_host(serve):
    server = serve(plain())
    url = f"http://museum.example:{server.port}/works?room=4"
    assert here().send("GET", url) == Answered(url, 200, {"content-length": "5", "x-room": "4"}, b"hello", True)
    (asked,) = server.asked
    assert asked.startswith(b"GET /works?room=4 HTTP/1.1\r\n")
    assert f"Host: museum.example:{server.port}\r\n".encode() in asked


def test_a_post_carries_its_content_and_headers_and_follows_no_redirect(serve):
    server = serve(moved("http://elsewhere.example/"))
    answer = here().send(
        "POST", f"http://museum.example:{server.port}/hook", headers={"X-Signature": "s"}, content=b"body"
    )
    assert (answer.status, answer.headers["location"]) == (302, "http://elsewhere.example/")
    (asked,) = server.asked
    assert b"X-Signature: s\r\n" in asked and b"Content-Length: 4\r\n" in asked


def test_redirects_are_followed_and_each_is_looked_up_and_checked_again(serve):
    server = serve(moved("/second?x=1"), plain(b"here"))
    looked_up: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        looked_up.append(host)
        return [LOOPBACK]

    first = f"http://museum.example:{server.port}/first"
    answer = Outgoing(resolve=resolve, permits=lambda _address: True).send("GET", first)
    assert (answer.content, answer.redirects) == (b"here", (first,))
    assert answer.url == f"http://museum.example:{server.port}/second?x=1"
    assert looked_up == ["museum.example"] * 2


@pytest.mark.parametrize("to", ["http://169.254.169.254/latest/meta-data/", "http://inside.example:{port}/"])
def test_a_redirect_to_a_private_address_is_refused(serve, to: str):
    """The first host is let through as if it were public; what it leads to is not."""
    server = serve(lambda link: link.sendall(moved(to.format(port=server.port))))
    addresses = {"museum.example": LOOPBACK, "inside.example": "10.0.0.7", "169.254.169.254": "169.254.169.254"}
    out = Outgoing(
        resolve=lambda host, _port: [addresses[host]],
        permits=lambda address: str(address) == LOOPBACK or is_public(address),
    )
    with pytest.raises(Refused, match="not a public address"):
        out.send("GET", f"http://museum.example:{server.port}/")
    assert len(server.asked) == 1


@pytest.mark.parametrize("to", ["ftp://museum.example/", "file:///etc/passwd", "http://museum.example:22/"])
def test_a_redirect_off_the_web_is_refused(serve, to: str):
    server = serve(moved(to))
    with pytest.raises(Refused):
        here().send("GET", f"http://museum.example:{server.port}/")


def test_a_loop_of_redirects_ends(serve):
    server = serve(moved("/again"))
    with pytest.raises(Failed, match="more than 3 redirects"):
        here().send("GET", f"http://museum.example:{server.port}/", limits=Limits(redirects=3))
    assert len(server.asked) == 4


def test_what_was_meant_for_one_host_is_not_carried_to_another(serve):
    second = serve(plain())
    first = serve(moved(f"http://elsewhere.example:{second.port}/"))
    here().send("GET", f"http://museum.example:{first.port}/", headers={"Authorization": "secret"})
    assert b"Authorization: secret" in first.asked[0] and b"secret" not in second.asked[0]


def test_a_name_that_changes_its_address_between_looking_and_connecting_gains_nothing(serve):
    """Whoever looks a name up twice can be told a public address first and a private one second."""
    server = serve(plain(b"inside"))
    answers = iter([["127.0.0.3"], [LOOPBACK]])
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    out = Outgoing(resolve=rebinding, permits=lambda address: str(address) == "127.0.0.3")  # that one is "public"
    with pytest.raises(Failed, match="refused"):  # nobody listens there, and that is where the request goes
        out.send("GET", f"http://museum.example:{server.port}/")
    assert (asked, server.asked) == (["museum.example"], [])


def test_an_address_where_nobody_listens_gives_way_to_the_next(serve):
    server = serve(plain())
    out = Outgoing(resolve=answering("127.0.0.2", LOOPBACK), permits=lambda _address: True)
    assert out.send("GET", f"http://museum.example:{server.port}/").status == 200


def test_nobody_listening_is_a_failure_that_says_so():
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Failed, match="refused"):
        here().send("GET", f"http://museum.example:{port}/")


# Time and size --------------------------------------------------------------------------------------------------------


def trickling(begin: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def answer(link: socket.socket) -> None:
        link.sendall(begin)
        while True:  # until the other side has had enough
            link.sendall(piece)
            time.sleep(0.01)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        trickling(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        trickling(b"", b"H"),
        trickling(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a"),
        trickling(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        trickling(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        lambda link: link.recv(1),
    ],
    ids=["header", "status line", "body", "chunks", "continue", "silence"],
)
def test_an_answer_that_trickles_or_never_comes_ends_with_the_time_of_the_whole(serve, answer):
    server = serve(answer)
    with pytest.raises(Failed, match="in time"):
        here().send("GET", f"http://museum.example:{server.port}/", limits=QUICK)


def test_an_endless_body_is_cut_at_the_limit_and_the_rest_is_not_read(serve):
    server = serve(trickling(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 4_096))
    answer = here().send("GET", f"http://museum.example:{server.port}/", limits=Limits(content_bytes=10_000))
    assert (len(answer.content), answer.whole) == (10_000, False)


@pytest.mark.parametrize("length", [0, 999, 1_000])
def test_a_body_within_the_limit_is_whole(serve, length: int):
    server = serve(plain(b"a" * length))
    answer = here().send("GET", f"http://museum.example:{server.port}/", limits=Limits(content_bytes=1_000))
    assert (len(answer.content), answer.whole) == (length, True)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 nothing\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["another protocol", "no status", "nothing", "too many headers", "a header too long", "broken chunks"],
)
def test_what_is_no_http_answer_is_a_failure(serve, answer: bytes):
    server = serve(answer)
    with pytest.raises(Failed):
        here().send("GET", f"http://museum.example:{server.port}/", limits=Limits(seconds=2))


# TLS ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certified(tmp_path_factory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server whose certificate is for museum.example, and of a client who trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "museum.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("museum.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "museum.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    client = ssl.create_default_context()
    client.load_verify_locations(file)
    return server, client


def test_the_certificate_is_checked_against_the_name_although_the_address_is_pinned(serve, certified):
    server, client = certified
    names: list[str] = []
    server.sni_callback = lambda _link, name, _context: names.append(name)
    secure = serve(plain(), context=server)
    out = here(tls=lambda: client)
    assert out.send("GET", f"https://museum.example:{secure.port}/").content == b"hello"
    with pytest.raises(Failed, match="TLS failed"):
        out.send("GET", f"https://elsewhere.example:{secure.port}/")
    with pytest.raises(Failed, match="TLS failed"):
        here().send("GET", f"https://museum.example:{secure.port}/")  # nobody it trusts has signed it
    assert names[:2] == ["museum.example", "elsewhere.example"]


def test_a_server_that_speaks_no_tls_is_a_failure(serve):
    server = serve(plain())
    with pytest.raises(Failed):
        here().send("GET", f"https://museum.example:{server.port}/", limits=QUICK)
