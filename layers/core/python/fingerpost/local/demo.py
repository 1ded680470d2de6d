"""What a fresh store begins with: an account, its operator, and a small museum whose rules can be tried at once."""

import json
import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import keys, wiring
from ..access import service as access
from ..access.documents import NewApplication, NewProject
from ..access.first_account import FirstAccount, make_first_account
from ..access.model import EVERYTHING, Principal
from ..caller import Caller
from ..catalogue import service as catalogue
from ..catalogue.documents import NewProduct, NewThng
from ..clock import DAY_MS
from ..ids import SeededIds
from ..ports.table import Set, Tables
from ..redirection.documents import SentRedirection, SentRules
from ..redirection.links import Links
from ..redirection.publish import publish
from ..redirection.qr import qr_text
from ..redirection.versions import ACCOUNT
from ..rules.compile import rules_home
from . import demo_rooms, visitors
from .config import Settings
from .tls import files_of

MUSEUM = Path(__file__).with_name("museum.json")
CREDENTIALS = "demo.json"
OPEN_MS = 15 * DAY_MS  # so long before its store began the museum was opened: its visitors came after that


def prepare(settings: Settings) -> None:
    """Make the first account, its operator and, unless it is switched off, the museum; each once."""
    tables = wiring.tables()
    first = make_first_account(
        tables,
        wiring.root_secrets(),
        name="Harbour Museum" if settings.demo else "First account",
        email="operator@museum.example",
        domain=settings.short_domain,
        clock=wiring.clock,
        key=settings.operator_api_key,
    )
    row = tables.main.get(keys.first_account(), consistent=True)
    if settings.demo and row is not None and not row.get("museum"):
        _make_museum(tables, first, settings.short_domain)
        tables.main.update(keys.first_account(), (Set("museum", True),))
    more = demo_rooms.prepare(tables, first, settings.short_domain) if settings.demo else {}
    _write_credentials(settings, first.key, more)


def banner(settings: Settings) -> None:
    """Say where things are, and what to paste into another terminal."""
    key = json.loads((settings.data_dir / CREDENTIALS).read_text())["operatorApiKey"]
    lines = [
        "",
        f"  API           {settings.api_url}",
        f"  short domain  {_short_url(settings)}",
        f"  data          {settings.data_dir}",
        f"  operator key  {key}",
        "",
    ]
    curl = "curl -s"
    if settings.tls:
        authority = files_of(settings.data_dir).authority
        curl += f" --cacert {authority}"
        lines[-1:] = [f"  authority     {authority} (for clients to trust)", ""]
    if settings.demo:
        work = f"{_short_url(settings)}/TURF1891"
        lines += [
            *("  " + line for line in qr_text(work).splitlines()),
            "",
            f"  {work} is The Turf Cutters. Scan it from another terminal, as a French speaker in Ireland:",
            "",
            f"    {curl} -i -H 'CloudFront-Viewer-Country: IE' -H 'Accept-Language: fr' {work} | grep -i location",
            "",
            "  See the scan, and why it went where it went:",
            "",
            f"    {curl} -H 'Authorization: {key}' '{settings.api_url}/actions/implicitScans?perPage=1&context=true'",
            "",
            "  See the rules, change them, scan again:",
            "",
            f"    {curl} -H 'Authorization: {key}' {settings.api_url}/redirector",
            "",
        ]
    lines += ["  Stop with Ctrl-C.", ""]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _make_museum(tables: Tables, first: FirstAccount, domain: str) -> None:
    """Everything with ids of one seed, so that a start that was interrupted goes on where it stopped."""
    content: dict[str, Any] = json.loads(MUSEUM.read_text(encoding="utf-8"))
    ids = SeededIds(f"museum/{first.account}")
    caller = Caller(
        principal=Principal(actor="operator", account=first.account, id=first.operator, rights=EVERYTHING),
        tables=tables.of(first.account),
        at=first.at - OPEN_MS,
        cause="demo",
        new_id=ids.new_id,
        new_short_id=ids.new_short_id,
    )
    project = access.create_project(caller, NewProject(**content["project"]))["id"]
    access.create_application(caller, project, NewApplication(**content["application"]), wiring.root_secrets())
    products = {
        each["key"]: catalogue.create_product(caller, NewProduct(**each["document"]), project)["id"]
        for each in content["products"]
    }
    for number, work in enumerate(content["works"], 1):
        caller = replace(caller, at=caller.at + number)  # one after the other, so that lists have an order
        sent = NewThng(**work["document"], product=products[work["product"]])
        thng = catalogue.create_thng(caller, sent, project)["id"]
        redirection = SentRedirection(
            evrythngId=thng, shortId=work["shortId"], defaultRedirectUrl=content["defaultRedirectUrl"]
        )
        Links(tables, caller).create(redirection, domain)
    publish(caller, ACCOUNT, SentRules.model_validate({"rules": content["rules"]}))
    visitors.scan_all(tables, domain, first.at, SeededIds(f"visitors/{first.account}"))
    rules = [*_rules_of_doors(), *content["rules"]]
    publish(replace(caller, at=first.at), ACCOUNT, SentRules.model_validate({"rules": rules}))


def _rules_of_doors() -> list[dict[str, Any]]:
    """The sample by which codes of rooms lead to their doors, with the address that these have here."""
    sample = (rules_home() / "samples" / "room-doors.json").read_text(encoding="utf-8")
    here = sample.replace("https://api.example.com", wiring.settings().api_url)
    rules: list[dict[str, Any]] = json.loads(here)["rules"]
    return rules


def _write_credentials(settings: Settings, key: str, more: dict[str, Any]) -> None:
    content = {"operatorApiKey": key, "apiUrl": settings.api_url, "shortUrl": _short_url(settings), **more}
    path = settings.data_dir / CREDENTIALS
    made = path.with_name(f"{CREDENTIALS}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
    made.replace(path)


def _short_url(settings: Settings) -> str:
    return f"{wiring.settings().short_scheme}://{settings.short_domain}"
