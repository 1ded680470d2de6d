"""What a fresh store begins with: an account, its operator, and a small museum whose rules can be tried at once."""

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from .. import keys, wiring
from ..access import service as access
from ..access.documents import NewApplication, NewProject
from ..access.model import Principal
from ..access.store import ACCOUNT, OPERATOR
from ..caller import Caller
from ..catalogue import service as catalogue
from ..catalogue.documents import NewProduct, NewThng
from ..ids import SeededIds, new_id
from ..ports.table import Absent, ConditionFailed, GlobalKey, Item, Set, Tables
from ..redirection import publish
from ..redirection.documents import SentRedirection, SentRules
from ..redirection.links import Links
from ..redirection.qr import qr_text
from ..resources import Resources
from ..shapes import stamp
from .config import Settings

MUSEUM = Path(__file__).with_name("museum.json")
CREDENTIALS = "demo.json"


def prepare(settings: Settings) -> None:
    """Make the first account, its operator and, unless it is switched off, the museum; each once."""
    tables, row = wiring.tables(), _first_account()
    access.create_account(
        tables,
        account=row["account"],
        name="Harbour Museum" if settings.demo else "First account",
        domain=settings.short_domain,
        at=row["at"],
    )
    _serve_domain(tables, row["account"], settings.short_domain)
    key = _operator_key(settings, tables, row)
    if settings.demo and not row.get("museum"):
        _make_museum(tables, row, settings.short_domain)
        tables.main.update(keys.first_account(), (Set("museum", True),))
    _write_credentials(settings, key)


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
    if settings.demo:
        work = f"{_short_url(settings)}/TURF1891"
        lines += [
            *("  " + line for line in qr_text(work).splitlines()),
            "",
            f"  {work} is The Turf Cutters. Scan it from another terminal, as a French speaker in Ireland:",
            "",
            f"    curl -si -H 'CloudFront-Viewer-Country: IE' -H 'Accept-Language: fr' {work} | grep -i location",
            "",
            "  See the scan, and why it went where it went:",
            "",
            f"    curl -s -H 'Authorization: {key}' '{settings.api_url}/actions/implicitScans?perPage=1&context=true'",
            "",
            "  See the rules, change them, scan again:",
            "",
            f"    curl -s -H 'Authorization: {key}' {settings.api_url}/redirector",
            "",
        ]
    lines += ["  Stop with Ctrl-C.", ""]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _first_account() -> Item:
    main = wiring.tables().main
    at = wiring.clock()
    row: Item = {**stamp("firstAccount"), "account": new_id(at), "operator": new_id(at), "at": at}
    try:
        main.put(keys.first_account(), row, when=(Absent(),))
    except ConditionFailed as failure:
        assert failure.old is not None
        return failure.old
    return row


def _serve_domain(tables: Tables, account: str, domain: str) -> None:
    document = Resources(tables.of(account), ACCOUNT).read(account).document
    if domain not in document["shortDomains"]:
        access.set_account(tables, account, shortDomains=[domain, *document["shortDomains"]])


def _operator_key(settings: Settings, tables: Tables, row: Item) -> str:
    """The key from the environment, else the one that belongs to the operator. A key that was replaced is revoked."""
    account, operator, at = row["account"], row["operator"], row["at"]
    roots = wiring.root_secrets()
    own = roots.api_key("operator", account, operator, root=roots.current, version=1)
    key = settings.operator_api_key or own
    access.create_operator(tables, account=account, operator=operator, key=key, email="operator@museum.example", at=at)
    known = keys.api_key(key).pk
    stored = Resources(tables.of(account), OPERATOR).read(operator)
    if (before := stored.document.get("_keyRow", known)) != known:
        tables.main.delete(GlobalKey(before, keys.ONLY))
    Resources(tables.of(account), OPERATOR).update(
        operator, lambda document: {**document, "_keyRow": known, "updatedAt": max(at, document["updatedAt"])}
    )
    return key


def _make_museum(tables: Tables, row: Item, domain: str) -> None:
    """Everything with ids of one seed, so that a start that was interrupted goes on where it stopped."""
    content: dict[str, Any] = json.loads(MUSEUM.read_text(encoding="utf-8"))
    ids = SeededIds(f"museum/{row['account']}")
    caller = Caller(
        principal=Principal(actor="operator", account=row["account"], id=row["operator"]),
        tables=tables.of(row["account"]),
        at=row["at"],
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
    for work in content["works"]:
        sent = NewThng(**work["document"], product=products[work["product"]])
        thng = catalogue.create_thng(caller, sent, project)["id"]
        redirection = SentRedirection(
            evrythngId=thng, shortId=work["shortId"], defaultRedirectUrl=content["defaultRedirectUrl"]
        )
        Links(tables, caller).create(redirection, domain)
    publish.publish(caller, keys.ACCOUNT_RULES, SentRules.model_validate({"rules": content["rules"]}))


def _write_credentials(settings: Settings, key: str) -> None:
    content = {"operatorApiKey": key, "apiUrl": settings.api_url, "shortUrl": _short_url(settings)}
    path = settings.data_dir / CREDENTIALS
    made = path.with_name(f"{CREDENTIALS}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
    made.replace(path)


def _short_url(settings: Settings) -> str:
    return f"{wiring.settings().short_scheme}://{settings.short_domain}"
