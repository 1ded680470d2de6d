"""What `python -m fingerpost.local` reads from its environment, checked once at the start."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
_KEY = re.compile(r"[!-~]{16,200}")
_TRUE, _FALSE = frozenset(("1", "true", "yes", "on")), frozenset(("0", "false", "no", "off"))


class BadSetting(Exception):
    """An environment variable cannot be used; the message names it, its value's fault and what would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One local server. `host` is `localhost` (both loopback addresses) or one address to listen on."""

    api_port: int = 8000
    short_port: int = 8001
    data_dir: Path = Path(".fingerpost")
    operator_api_key: str | None = None
    demo: bool = True
    short_domain: str = "localhost:8001"
    api_url: str = "http://localhost:8000"
    host: str = "localhost"
    access_log: bool = False
    mmdb: Path | None = None  # a MaxMind DB file, which tells the country of an address
    private_webhooks: bool = False  # they may go to private addresses, this machine's too
    tls: bool = False  # both ports speak TLS, with a certificate of this machine's own

    def environment(self) -> dict[str, str]:
        """The variables that give another process, and the adapters, the same settings."""
        given = {"FINGERPOST_OPERATOR_API_KEY": self.operator_api_key} if self.operator_api_key else {}
        if self.mmdb:
            given["FINGERPOST_MMDB"] = str(self.mmdb)
        if self.tls:
            given["FINGERPOST_SHORT_SCHEME"] = "https"
        return given | {
            "FINGERPOST_API_PORT": str(self.api_port),
            "FINGERPOST_SHORT_PORT": str(self.short_port),
            "FINGERPOST_DATA_DIR": str(self.data_dir),
            "FINGERPOST_DEMO": "1" if self.demo else "0",
            "FINGERPOST_SHORT_DOMAIN": self.short_domain,
            "FINGERPOST_API_URL": self.api_url,
            "FINGERPOST_HOST": self.host,
            "FINGERPOST_ACCESS_LOG": "1" if self.access_log else "0",
            "FINGERPOST_PRIVATE_WEBHOOKS": "1" if self.private_webhooks else "0",
            "FINGERPOST_TLS": "1" if self.tls else "0",
        }


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read and check every variable; an empty one counts as absent. Raises BadSetting."""
    given = {name: text.strip() for name, text in environment.items() if text.strip()}
    if "FINGERPOST_MAIN_TABLE" in given:
        raise BadSetting("FINGERPOST_MAIN_TABLE is set, which is a deployment's environment; unset it to run locally.")
    tls = _switch(given, "FINGERPOST_TLS", default=False)
    api_port = _port(given, "FINGERPOST_API_PORT", 8000)
    short_port = _port(given, "FINGERPOST_SHORT_PORT", 8001)
    if api_port == short_port:
        raise BadSetting(f"FINGERPOST_API_PORT and FINGERPOST_SHORT_PORT are both {api_port}; give each its own port.")
    return Settings(
        api_port=api_port,
        short_port=short_port,
        data_dir=Path(given.get("FINGERPOST_DATA_DIR", ".fingerpost")).expanduser().resolve(),
        operator_api_key=_key(given),
        demo=_switch(given, "FINGERPOST_DEMO", default=True),
        short_domain=_domain(given, short_port),
        api_url=_url(given, "https" if tls else "http", api_port),
        host=given.get("FINGERPOST_HOST", "localhost"),
        access_log=_switch(given, "FINGERPOST_ACCESS_LOG", default=False),
        mmdb=_mmdb(given),
        private_webhooks=_switch(given, "FINGERPOST_PRIVATE_WEBHOOKS", default=False),
        tls=tls,
    )


def _port(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65_535):
        raise BadSetting(f"{name} is {text!r}; it must be a port number from 1 to 65535.")
    return int(text)


def _switch(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    match given.get(name, "").lower():
        case "":
            return default
        case text if text in _TRUE:
            return True
        case text if text in _FALSE:
            return False
        case text:
            raise BadSetting(f"{name} is {text!r}; it must be 1 or 0.")


def _key(given: Mapping[str, str]) -> str | None:
    key = given.get("FINGERPOST_OPERATOR_API_KEY")
    if key is not None and not _KEY.fullmatch(key):
        raise BadSetting(  # the key itself is a secret and stays out of the message
            "FINGERPOST_OPERATOR_API_KEY must be 16 to 200 printable ASCII characters without spaces."
        )
    return key


def _mmdb(given: Mapping[str, str]) -> Path | None:
    """Opened once here, so that a file which cannot be used is said before anything is served."""
    if (text := given.get("FINGERPOST_MMDB")) is None:
        return None
    from fingerpost.geo import AreaFinder, BadDatabase  # noqa: PLC0415 - most servers have no such file

    path = Path(text).expanduser().resolve()
    try:
        AreaFinder(path)
    except BadDatabase as error:
        raise BadSetting(f"FINGERPOST_MMDB: {error}.") from error
    return path


def _domain(given: Mapping[str, str], short_port: int) -> str:
    domain = given.get("FINGERPOST_SHORT_DOMAIN", f"localhost:{short_port}").lower()
    if len(domain) > 253 or not _HOST.fullmatch(domain):
        raise BadSetting(
            f"FINGERPOST_SHORT_DOMAIN is {domain!r}; it must be a host with an optional port, such as tn.example:8001."
        )
    return domain


def _url(given: Mapping[str, str], scheme: str, api_port: int) -> str:
    url = given.get("FINGERPOST_API_URL", f"{scheme}://localhost:{api_port}").rstrip("/")
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
        _ = parts.port  # raises ValueError when it is no number
    except ValueError:
        good = None
    if not good:
        raise BadSetting(f"FINGERPOST_API_URL is {url!r}; it must be an address such as http://localhost:8000.")
    return url
