"""The people who use rooms: by name, by PIN or RFID at a panel. Of a PIN or an RFID only an HMAC is kept."""

import hmac
from typing import Any

from .. import audit, keys
from ..access import passwords
from ..access.secrets import RootSecrets
from ..caller import Caller
from ..errors import Conflict, Finding, Invalid, NotFound
from ..fields import merged
from ..ports.table import Absent, Delete, Key, Put, Tables, Write
from ..resources import Document, Resources, Stored
from ..shapes import stamp
from . import plain
from .credentials import public
from .kinds import PERSON
from .logins import digest_of, name_rows
from .rooms import number_of

MARKS = ("pin", "rfid")


def create(caller: Caller, roots: RootSecrets, fields: Document) -> Stored:
    """Raises Conflict for a PIN, an RFID or a login that somebody else has."""
    person, at = caller.new_id(caller.at), caller.at
    document = merged({"createdAt": at, "updatedAt": at, "joanId": number_of(person)}, _kept(caller, roots, {}, fields))
    _check_free(caller.tables, person, {}, document)
    names = name_rows(caller.principal.account, person, "admin", {}, document)
    told = audit.entry(caller, "create", PERSON.name, person, after=public(document))
    also = [*_claims(person, {}, document), *names, *told]
    return Resources(caller.tables, PERSON).create(person, document, also=also)


def update(caller: Caller, roots: RootSecrets, person: str, fields: Document) -> Stored:
    """Raises NotFound, Conflict, Invalid, PreconditionFailed."""

    def change(document: Document) -> Document:
        result = merged(document, _kept(caller, roots, document, fields))
        if not result.get("name"):
            raise Invalid("name: a person needs a name")
        _check_free(caller.tables, person, document, result)
        return result if result == document else {**result, "updatedAt": max(caller.at, document["updatedAt"])}

    def also(before: Document, after: Document) -> list[Write]:
        return [
            *_claims(person, before, after),
            *name_rows(caller.principal.account, person, "admin", before, after),
            *audit.entry(caller, "update", PERSON.name, person, public(before), public(after)),
        ]

    return Resources(caller.tables, PERSON).update(person, change, also=also, match=caller.match)


def delete(caller: Caller, person: str) -> None:
    def also(before: Document) -> list[Write]:
        return [
            *_claims(person, before, {}),
            *name_rows(caller.principal.account, person, "admin", before, {}),
            *audit.entry(caller, "delete", PERSON.name, person, public(before)),
        ]

    Resources(caller.tables, PERSON).delete(person, also=also, match=caller.match)


def by_pin(tables: Tables, roots: RootSecrets, pin: int | str) -> Stored:
    """Who has this PIN. `tables` are the account's. Raises NotFound."""
    return _by_mark(tables, roots, "pin", str(pin))


def by_rfid(tables: Tables, roots: RootSecrets, rfid: int | str) -> Stored:
    return _by_mark(tables, roots, "rfid", str(rfid))


def shown(stored: Stored) -> Document:
    """A person without what opens anything: whether there is a PIN, an RFID, a password."""
    document = stored.document
    has = {"hasPin": "_pin" in document, "hasRfid": "_rfid" in document, "hasPassword": "_password" in document}
    return {**plain.shown(stored), **has}


def _kept(caller: Caller, roots: RootSecrets, before: Document, fields: Document) -> Document:
    """What was sent, with what may not be kept in clear replaced by what may."""
    kept = {name: value for name, value in fields.items() if name not in (*MARKS, "password")}
    for mark in MARKS:
        if mark in fields:
            value = fields[mark]
            kept[f"_{mark}"] = value if value is None else _mac(roots, caller.principal.account, mark, value)
    if "password" in fields:
        password = fields["password"]
        kept["_password"] = password if password is None else passwords.hashed(digest_of(password))
    after = merged(before, kept)
    if "_password" in after and not (after.get("username") or after.get("email")):
        message = "who has a password needs a username or an e-mail address to log in with"
        raise Invalid(f"username: {message}", details=[Finding(field="username", message=message)])
    return kept


def _mac(roots: RootSecrets, account: str, mark: str, value: str, version: int | None = None) -> str:
    version = roots.current if version is None else version
    secret = roots.for_purpose(f"rooms/{mark}/{account}", version)
    return f"{version}:{hmac.digest(secret, value.casefold().encode(errors='surrogatepass'), 'sha256').hex()}"


def _claim(mark: str, mac: str) -> Key:
    return keys.claim(mark, mac)


def _claims(person: str, before: Document, after: Document) -> list[Write]:
    writes: list[Write] = []
    for mark in MARKS:
        old, new = before.get(f"_{mark}"), after.get(f"_{mark}")
        if old == new:
            continue
        writes += [Delete(_claim(mark, old))] if old else []
        writes += [Put(_claim(mark, new), {**stamp("claim"), "id": person}, (Absent(),))] if new else []
    return writes


def _check_free(tables: Tables, person: str, before: Document, after: Document) -> None:
    """Raises Conflict with a finding; a race is caught by the claim itself."""
    for mark in MARKS:
        mac = after.get(f"_{mark}")
        if mac is None or mac == before.get(f"_{mark}"):
            continue
        claim = tables.main.get(_claim(mark, mac), consistent=True)
        if claim is not None and claim["id"] != person:
            finding = Finding(field=mark, message="somebody else has it")
            raise Conflict(f"{mark}: somebody else has this {mark.upper()}; choose another", details=[finding])


def _by_mark(tables: Tables, roots: RootSecrets, mark: str, value: str) -> Stored:
    macs = [_mac(roots, tables.account, mark, value.strip(), version) for version in roots.roots]
    found = tables.main.get_many([_claim(mark, each) for each in macs], consistent=True)
    people = Resources(tables, PERSON)
    ids: list[Any] = [claim["id"] for claim in found.values()]
    for stored in people.read_many(ids, consistent=True).values():
        if stored.document.get(f"_{mark}") in macs:
            return stored
    raise NotFound(f"Nobody has this {mark.upper()}")
