"""The platform's API over HTTP: one answer, or all pages of a list; what goes wrong says what to do next."""

import json
import re
import secrets
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from .connection import Connection
from .failure import Refused, Unreachable

TRIES = 4
PAUSE_SECONDS = 0.3
MAX_PAUSE_SECONDS = 5.0
TIMEOUT = httpx.Timeout(40.0, connect=5.0)  # a backtest may take an API Gateway's 30 seconds
PER_PAGE = 100
_NEXT = re.compile(r'<([^>]*)>;\s*rel="next"')

type Document = dict[str, Any]
type Query = Mapping[str, str | int | None]
type Files = Mapping[str, tuple[str, bytes, str]]  # of a form, by field: name, content, media type

_THEN = {
    401: "Set FINGERPOST_API_KEY to an operator's key",
    403: "`fingerpost keys whoami` says whose FINGERPOST_API_KEY is; rules and statistics need an operator's",
    404: "Check the spelling, and that the key's account or project is the right one",
    415: "This looks like a fault of the command line; please report it",
    429: "Wait a moment, then run the command again",
    503: "The server is busy; run the command again in a moment",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """`document` is the JSON of the body, None without a body; `content` the bytes of any other."""

    status: int
    document: Any
    content: bytes
    headers: Mapping[str, str]

    @property
    def next_page(self) -> str | None:
        """Path and query of the next page. The address is percent-encoded as a whole."""
        found = _NEXT.search(self.headers.get("link", ""))
        if found is None:
            return None
        parts = urlsplit(unquote(found[1]))
        return f"{parts.path}?{parts.query}"


class Client:
    """One server, one key. Requests that are safe to repeat are repeated while the server cannot be had."""

    def __init__(self, connection: Connection, transport: httpx.BaseTransport | None = None):
        self.connection = connection
        headers = {"authorization": connection.key, "accept": "application/json", "user-agent": "fingerpost-cli"}
        own = ssl.create_default_context(cafile=connection.authority) if connection.authority else True
        self._http = httpx.Client(
            base_url=connection.api_url, headers=headers, timeout=TIMEOUT, transport=transport, verify=own
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, query: Query | None = None) -> Any:
        return self.ask("GET", path, query).document

    def find(self, path: str, query: Query | None = None) -> Any:
        """What is there, None when nothing is, or nothing any more."""
        try:
            return self.get(path, query)
        except Refused as refusal:
            if refusal.status in (404, 410):
                return None
            raise

    def post(self, path: str, body: Any, query: Query | None = None, *, key: str | None = None) -> Any:
        """`key` makes repeats one request for seven days; without one, only the retries of this call are."""
        headers = {"idempotency-key": key or secrets.token_hex(16)}
        return self.ask("POST", path, query, body=body, headers=headers).document

    def question(self, path: str, body: Any) -> Any:
        """The answer to a POST that changes nothing, so that no key has to tell its repeats."""
        return self.ask("POST", path, body=body).document

    def put(self, path: str, body: Any, query: Query | None = None) -> Any:
        return self.ask("PUT", path, query, body=body).document

    def upload(self, path: str, field: str, content: bytes) -> Any:
        """PUT a zip as the file of a form."""
        return self.ask("PUT", path, files={field: (f"{field}.zip", content, "application/zip")}).document

    def delete(self, path: str, query: Query | None = None) -> None:
        self.ask("DELETE", path, query)

    def pages(self, path: str, query: Query | None = None) -> Iterator[list[Any]]:
        """The pages of a list, as long as they are asked for."""
        reply = self.ask("GET", path, {"perPage": PER_PAGE, **(query or {})})
        yield reply.document
        while (address := reply.next_page) is not None:
            reply = self.ask("GET", address)
            yield reply.document

    def items(self, path: str, query: Query | None = None, *, limit: int | None = None) -> list[Any]:
        """Up to `limit` members of a list, of all its pages."""
        per_page = PER_PAGE if limit is None else max(1, min(limit, PER_PAGE))
        found: list[Any] = []
        for page in self.pages(path, {"perPage": per_page, **(query or {})}):
            found += page
            if limit is not None and len(found) >= limit:
                return found[:limit]
        return found

    def ask(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        files: Files | None = None,
    ) -> Reply:
        """Raises Refused for an answer that is a no, Unreachable when there is none."""
        sent = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        more = {**(headers or {}), **({"content-type": "application/json"} if sent is not None else {})}
        params = {name: str(value) for name, value in (query or {}).items() if value is not None} or None
        for attempt in range(1, TRIES + 1):
            last = attempt == TRIES
            try:
                response = self._http.request(method, path, params=params, content=sent, files=files, headers=more)
            except httpx.ConnectError as error:  # a port where nobody listens does not mend itself in a second
                raise self._unreachable(error) from error
            except (httpx.TransportError, httpx.InvalidURL) as error:
                if last:
                    raise self._unreachable(error) from error
                pause = PAUSE_SECONDS * attempt
            else:
                if response.status_code not in (429, 503) or last:
                    return self._reply(response)
                pause = _pause_of(response, attempt)
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _reply(self, response: httpx.Response) -> Reply:
        media = response.headers.get("content-type", "").partition(";")[0].strip()
        document = None
        if media == "application/json" and response.content:
            try:
                document = response.json()
            except ValueError as error:
                raise self._stranger(response) from error
        if response.status_code >= 400:
            raise self._refused(response, document)
        if response.status_code >= 300:
            raise self._stranger(response)
        return Reply(response.status_code, document, response.content, response.headers)

    def _refused(self, response: httpx.Response, document: Any) -> Refused | Unreachable:
        errors = document.get("errors") if isinstance(document, dict) else None
        if not isinstance(errors, list) or not errors:
            return self._stranger(response)
        status, code = response.status_code, str(document.get("code", ""))
        then = _THEN.get(status, "")
        if status >= 500 and status != 503:
            cause = response.headers.get("x-fingerpost-cause", "")
            then = f"This is a fault of the server; its log has it under {cause}" if cause else "See the server's log"
        return Refused(str(errors[0]), status=status, then=then, code=code, findings=document.get("details") or ())

    def _stranger(self, response: httpx.Response) -> Unreachable:
        return Unreachable(
            f"{self.connection.api_url} answered {response.status_code} with something that is no Fingerpost answer",
            then="Check FINGERPOST_API_URL: it is the address of the API, not of the short domain",
        )

    def _unreachable(self, error: Exception) -> Unreachable:
        url = self.connection.api_url
        here = urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
        then = "Start it with `make run`" if here else "Check FINGERPOST_API_URL and the network"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            then = "Set SSL_CERT_FILE to the certificate of the server's authority; a local server prints where it is"
        return Unreachable(f"There is no answer from {url} ({str(error) or type(error).__name__})", then=then)


def _pause_of(response: httpx.Response, attempt: int) -> float:
    text = response.headers.get("retry-after", "")
    return min(float(text), MAX_PAUSE_SECONDS) if text.isdigit() else PAUSE_SECONDS * attempt
