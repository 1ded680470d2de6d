"""One row of every kind, as the code writes them today. `python -m tests.every_row` keeps what has no fixture yet.

A fixture is `tests/shapes/<kind>.<shape>.json`; bytes stand as `{"$bytes": "<base64>"}`.
"""

import base64
import json
import tempfile
from copy import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fingerpost import keys, once, wiring
from fingerpost.access import devices, grants, operators, permissions, roles, users
from fingerpost.access import service as access
from fingerpost.access.documents import NewApplication, NewOperator, NewProject
from fingerpost.access.first_account import make_first_account
from fingerpost.access.model import Principal
from fingerpost.access.rates import LIMITS, Rates, digest_of
from fingerpost.access.role_documents import NewRole
from fingerpost.access.secrets import RootSecrets
from fingerpost.access.user_documents import NewUser, SentActivation, SentGrant, SentLogin
from fingerpost.actions import types
from fingerpost.actions.derive import derive
from fingerpost.actions.documents import NewActionType
from fingerpost.actions.folding import fold
from fingerpost.caller import Caller
from fingerpost.catalogue import bulk
from fingerpost.catalogue import service as catalogue
from fingerpost.catalogue.documents import NewCollection, NewPlace, NewProduct, NewThng
from fingerpost.catalogue.model import THNG
from fingerpost.errors import Unauthenticated
from fingerpost.ids import new_id
from fingerpost.insight import erasure, statistics
from fingerpost.live.model import Topic
from fingerpost.live.store import LONGEST_MS, Connected, Connections
from fingerpost.local.blobs import FolderBlobs
from fingerpost.ports.queue import MAX_DELAY_MS
from fingerpost.ports.table import Change, Item, Tables
from fingerpost.reactor import installing, logs, rule_queues, rule_service, schedules, scripts, upload
from fingerpost.reactor.claims import Claim
from fingerpost.reactor.documents import SentSchedule
from fingerpost.reactor.rule_documents import SentReactorRules
from fingerpost.reactor.rule_versions import Story
from fingerpost.reactor.runs import Run
from fingerpost.reactor.targets import Target
from fingerpost.redirection import drafts
from fingerpost.redirection.documents import SentLimits, SentRedirection, SentRules
from fingerpost.redirection.domains import Hosts, ShortDomains
from fingerpost.redirection.facts import Facts
from fingerpost.redirection.links import Links
from fingerpost.redirection.publish import publish
from fingerpost.redirection.versions import ACCOUNT as ACCOUNT_RULES
from fingerpost.redirection.visit import Visits
from fingerpost.rooms.arrivals import Arrivals
from fingerpost.rooms.bookings import Bookings
from fingerpost.rooms.model import HOUR_MS, Attendee, By, CheckIn, Person, Room
from fingerpost.rooms.rooms import Rooms
from tests.every_room import rooms_are_set_up
from tests.stores import NOON, SettableClock, caller_of, fresh_tables

SHAPES = Path(__file__).parent / "shapes"
ROOTS = RootSecrets(1, {1: bytes(range(32))})
DOMAIN, ACCOUNT = "tn.example", "UHMuseum"
RULE = {
    "name": "Irish visitors",
    "match": "country=IE&thng.customFields.floor>0",
    "redirectUrl": "https://museum.example/{thng.identifiers.inv}?q={shoe}",
    "constants": {"shoe": "shine"},
}


def rows_by_kind(monkeypatch: Any) -> dict[str, Item]:
    """What a small account leaves in both tables: the fullest row of each kind."""
    clock = SettableClock()
    with fresh_tables(clock) as tables:
        monkeypatch.setattr(wiring, "tables", lambda: tables)
        monkeypatch.setattr(wiring, "clock", clock)
        monkeypatch.setattr("fingerpost.actions.derive.FOLD_ONE_IN", 1_000_000)  # not by chance
        _live_a_little(tables)
        rows: dict[str, Item] = {}
        for table in (tables.main, tables.log):
            for row in table.walk():
                rows[row.item["k"]] = max(rows.get(row.item["k"], {}), row.item, key=_fullness)
        return rows


def _fullness(item: Item) -> int:
    return sum(value is not None for value in item.values())


def _live_a_little(tables: Tables) -> None:
    caller = caller_of(tables, ACCOUNT, address="203.0.113.77")
    Rates().hit(caller.tables.log, digest_of("k" * 80), LIMITS["operator"], caller.at)
    make_first_account(tables, ROOTS, name="First", email="op@museum.example", domain=DOMAIN, clock=wiring.clock)
    access.create_account(tables, account=ACCOUNT, name="Harbour Museum", domain=DOMAIN, at=NOON)
    operators.create_first(
        tables, account=ACCOUNT, operator="UHoperator", key="operator" * 10, email="op@museum.example", at=NOON
    )
    domains = ShortDomains(tables, caller, Hosts(DOMAIN, None))
    for domain in ("go.example", "old.example"):
        domains.take(ACCOUNT, domain)
    domains.give_back(ACCOUNT, "old.example")
    project = access.create_project(caller, NewProject(name="On show", tags=["spring"]))["id"]
    application = access.create_application(caller, project, NewApplication(name="Guide"), ROOTS)["id"]
    _let_people_in(caller, project, application)
    more: dict[str, Any] = {"tags": ["oil"], "identifiers": {"inv": "T-1"}, "customFields": {"floor": 2}}
    product = catalogue.create_product(caller, NewProduct(name="Painting", brand="Harbour", **more), project)["id"]
    sent = {"name": "The Turf Cutters", "product": product, "properties": {"light": 40}, **more}
    location = {"latitude": 53.35, "longitude": -6.26}
    thng = catalogue.create_thng(caller, NewThng.model_validate(sent | {"location": location}), project)["id"]
    catalogue.create_collection(caller, NewCollection(name="Oils", description="in oil", **more), project)
    where = {"latitude": 53.35, "longitude": -6.26, "icon": "https://museum.example/pier.svg"}
    address = {"address": {"street": "Pier 1", "city": "Dublin", "countryCode": "IE"}}
    catalogue.create_place(caller, NewPlace.model_validate({"name": "Pier", **where, **address, **more}), project)
    types.create(caller, NewActionType(name="_touched", tags=["loud"]), project)
    publish(caller, ACCOUNT_RULES, SentRules.model_validate({"rules": [RULE]}))
    drafts.save(caller, ACCOUNT_RULES, "summer", SentRules.model_validate({"rules": [{**RULE, "match": "country="}]}))
    sent_link = SentRedirection(evrythngId=thng, defaultRedirectUrl="https://museum.example/{shortId}", shortId="TURF")
    Links(tables, caller).create(sent_link, DOMAIN)
    limits = SentLimits(validFrom=NOON + 1, beforeUrl="https://museum.example/soon", validUntil=NOON + 9, maxScans=5)
    Links(tables, caller).create(sent_link.model_copy(update={"shortId": "SOON", "limits": limits}), DOMAIN)
    facts = Facts(
        at=NOON,
        address="203.0.113.77",
        agent="Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)",
        languages="fr-CH, en;q=0.5",
        referer="news.example",
        country="IE",
        region="Leinster",
        city="Dublin",
        latitude=53.35,
        longitude=-6.26,
        zone="Europe/Dublin",
        source="geoIp",
    )
    connections = Connections(tables, wiring.clock)
    connected = Connected("Tq3x1cJpjoECJZA=", ACCOUNT, "0" * 64, "device", product, project, (), 1, NOON + LONGEST_MS)
    connections.open(connected)
    connections.watch(connected, Topic("product", product, "properties", "light"))
    visit = Visits(tables, tables.main, lambda _body: None).visit(DOMAIN, "TURF", facts, cause="request-1")
    key = keys.owned(ACCOUNT, keys.action(visit.action_id))
    first = Change(sequence="1", key=key, old=None, new=tables.main.get(key))
    assert derive(tables.log, [first]) == []
    for lane in range(keys.COUNT_LANES):
        fold(tables.log, ACCOUNT, lane)
    statistics.find(caller, statistics.question(caller, {}, []))
    beside = keys.owned(ACCOUNT, keys.action(new_id(NOON)))
    assert derive(tables.log, [first, Change(sequence="2", key=beside, old=None, new=first.new)]) == []
    _react(caller, project, application)
    bulk.begin(caller, THNG, [thng], {"tags": ["oil", "large"]}, Kept())
    assert bulk.carry_out(Tables(tables.main, tables.log), json.loads(Kept.bodies.pop())) is None
    erasure.begin(caller, Kept(), erasure.SCANS_OF_THNG, thng, until=NOON)
    rooms_are_set_up(tables, replace(caller, at=NOON + 2), project, ROOTS, DOMAIN)
    _book_a_room(caller)
    once.begin(caller, "key-1", b"a request").keep(once.packed(201, {"id": thng}, {}))


def _book_a_room(caller: Caller) -> None:
    (made,) = Rooms(caller.tables).all()
    room = Room(
        id=made.id, account=ACCOUNT, name="Glass Room", slug="glass-room", zone="Europe/Dublin", check_in=CheckIn()
    )
    bookings = Bookings(caller.tables, wiring.clock, OneRoom(room))
    by = By(source="joan", client="UHclient", cause="test")
    series = bookings.book(
        room,
        NOON + HOUR_MS,
        NOON + 2 * HOUR_MS,
        by=by,
        title="Stand-up",
        description="On our feet",
        organizer=Person(name="Ann", email="a@museum.example", user="UHann"),
        attendees=(Attendee(email="b@museum.example", name="Bob", token="t"),),
        external={"evoko": "e1"},
        rrule="FREQ=WEEKLY;COUNT=3",
        key="key-1",
    )
    bookings.cancel(series.id, by=by, recurrence_id=NOON + HOUR_MS)
    Arrivals(caller.tables, Kept(), wiring.clock).expect(bookings.record(series.id).occurrences())
    assert json.loads(Kept.bodies.pop())["do"] == "sweep"


class OneRoom:
    """Where there is one."""

    def __init__(self, room: Room):
        self._room = room

    def get(self, room_id: str) -> Room:
        assert room_id == self._room.id
        return self._room


def _react(caller: Caller, project: str, application: str) -> None:
    of = Target(project=project, app=application)
    source = "// @filter(onActionCreated) action.type=scans\n// @filter(onFriday) x=1\nfunction onActionCreated() {}"
    queue, tables = Kept(), Tables(caller.tables.main.table, caller.tables.log.table)
    with tempfile.TemporaryDirectory() as folder:
        blobs = FolderBlobs(Path(folder))
        scripts.upload(caller, of, upload.simple(source, ""), blobs, queue)
        installing.carry_out(json.loads(queue.bodies.pop()), tables, blobs, wiring.installer(), lambda: None, at=NOON)
    tea = SentSchedule.model_validate({"event": {"a": 1}, "cron": "0 45 14 * * ?", "description": "tea"})
    schedules.create(caller, of, tea)
    step = {"callWebhook": {"url": "https://museum.example/", "body": {"text": "{thng.name}"}}}
    rule = {"name": "scanned", "when": "actionCreated", "filter": "action.type=scans", "then": [step]}
    sent = SentReactorRules.model_validate({"rules": [rule]})
    rule_service.publish(caller, of, sent, Story(reason="to know"))
    rule_queues.put(caller.tables, application, "orders", new_id(NOON), {"a": 1}, rule="scanned", event="e")
    logs.append(caller.tables, application, [logs.Entry("info", "seen", NOON)])
    run = Run(
        event="e" * 32,
        account=ACCOUNT,
        project=project,
        app=application,
        function="onActionCreated",
        payload={},
        at=NOON,
        cause="test",
    )
    assert Claim(caller.tables.log, run).take(NOON) == "first"


def _let_people_in(caller: Caller, project: str, application: str) -> None:
    supervised = {"roles": ["base_app_user"], "projects": [project]}
    sent = {"type": "userInApp", "name": "Engineer", "description": "repairs", "scopes": supervised}
    role = roles.create(caller, NewRole.model_validate(sent)).id
    permissions.replace(caller, role, [{"path": "/thngs", "access": "r"}])
    principal = Principal(
        actor="application", account=ACCOUNT, id=application, project=project, app=application, role="base_app_user"
    )
    guide = replace(caller, principal=principal)
    person = {"email": "a@museum.example", "password": "turf cutters", "firstName": "Ann", "tags": ["staff"]}
    ann = users.create(guide, NewUser.model_validate(person), ROOTS)["evrythngUser"]
    users.activate(guide, ann, SentActivation(activationCode=users.status(guide, ann, ROOTS)["activationCode"]), ROOTS)
    with pytest.raises(Unauthenticated):
        users.log_in(guide, SentLogin(email="a@museum.example", password="wrong"))
    giver = users.create_anonymous(replace(guide, at=NOON + 1), ROOTS)["evrythngUser"]
    as_giver = replace(principal, actor="user", id=giver)
    grants.give(replace(guide, principal=as_giver), SentGrant(email="a@museum.example", role=role))
    thng = catalogue.create_thng(replace(caller, at=NOON + 1), NewThng(name="lamp"), project)["id"]
    devices.create(caller, thng, None, ROOTS)
    added = operators.create(caller, NewOperator(email="b@museum.example", role="admin"), ROOTS)
    operators.revoke(caller, added["id"])


class Kept:
    """A queue that somebody else reads."""

    bodies: ClassVar[list[str]] = []

    def send(self, body: str, *, group: str = "", delay_ms: int = 0) -> None:
        assert group == ACCOUNT and delay_ms in (0, MAX_DELAY_MS)
        self.bodies.append(body)


def shape_of(value: Any) -> Any:
    """Names and types, all the way down."""
    match value:
        case dict():
            return {name: shape_of(each) for name, each in value.items()}
        case list():
            return [shape_of(each) for each in value[:1]]
        case _:
            return type(value).__name__


def to_json(item: Item) -> str:
    return json.dumps(
        item, indent=1, ensure_ascii=False, default=lambda raw: {"$bytes": base64.b64encode(raw).decode()}
    )


def from_json(text: str) -> Item:
    def restored(found: dict[str, Any]) -> Any:
        return base64.b64decode(found["$bytes"]) if found.keys() == {"$bytes"} else found

    item: Item = json.loads(text, object_hook=restored)
    return item


def keep_missing() -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        for kind, item in rows_by_kind(monkeypatch).items():
            path = SHAPES / f"{kind}.{item['sv']}.json"
            if not path.exists():
                path.write_text(to_json(item) + "\n", encoding="utf-8")
                print(path.name)


if __name__ == "__main__":
    keep_missing()
