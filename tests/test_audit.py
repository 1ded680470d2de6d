"""The audit log: each change leaves exactly one entry, in the transaction that makes it, or there is no change."""

import json
from collections.abc import Callable, Iterator
from copy import replace
from typing import Any

import pytest

from fingerpost import audit, keys, retry, wiring
from fingerpost.access import service as access
from fingerpost.access.documents import NewApplication, NewProject, SentProject
from fingerpost.access.secrets import RootSecrets
from fingerpost.access.store import PROJECT
from fingerpost.audit import MAX_SIDE_BYTES
from fingerpost.caller import Caller
from fingerpost.catalogue import service as catalogue
from fingerpost.catalogue.documents import NewThng
from fingerpost.errors import Conflict, FingerpostError, Invalid
from fingerpost.once import begin
from fingerpost.ports.table import LAST, Item, Put, Reason, Tables, Throttled, TransactionFailed
from fingerpost.redirection.documents import SentRedirection, SentRules
from fingerpost.redirection.links import Links
from fingerpost.redirection.publish import publish
from fingerpost.redirection.rulesets import live_versions
from fingerpost.redirection.versions import ACCOUNT, read
from fingerpost.resources import Resources
from tests.stores import NOON, Crash, SettableClock, caller_of, emptied, fresh_tables, hooked, new_account

DOMAIN = "tn.example"
ROOTS = RootSecrets(1, {1: bytes(range(32))})
ALWAYS = SentRules.model_validate({"rules": [{"redirectUrl": "https://museum.example/"}]})

_clock = SettableClock()


@pytest.fixture(scope="module")
def store() -> Iterator[Tables]:
    with fresh_tables(_clock) as tables:
        yield tables


@pytest.fixture
def caller(store: Tables, monkeypatch: pytest.MonkeyPatch) -> Caller:
    account = new_account()
    monkeypatch.setattr(retry.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(wiring, "clock", _clock)
    monkeypatch.setattr(wiring, "tables", lambda: store)
    access.create_account(emptied(store), account=account, name="Museum", domain=DOMAIN, at=NOON)
    return caller_of(store, account, address="203.0.113.77")


@pytest.fixture
def thng(caller: Caller) -> str:
    return str(catalogue.create_thng(caller, NewThng(name="lamp"), None)["id"])


def entries(caller: Caller) -> list[Item]:
    """The audit log, oldest first; each entry has its pointer under what was changed."""
    main = caller.tables.main
    found = [row.item for row in main.query("j#202603").rows]
    for entry in found:
        pointers = main.query(f"jx#{entry['resource']}", high=LAST).rows
        assert [row.item["id"] for row in pointers].count(entry["id"]) == 1
        assert all(row.item["month"] == "202603" for row in pointers)
    return found


def told(caller: Caller) -> list[tuple[str, str, str]]:
    return [(entry["verb"], entry["what"], entry["resource"]) for entry in entries(caller)]


def sides(entry: Item) -> tuple[Any, Any]:
    return tuple(None if entry[side] is None else json.loads(entry[side]) for side in ("before", "after"))  # type: ignore[return-value]


def refusing(caller: Caller, times: int, error: Callable[[int], Exception]) -> Caller:
    """The same caller, whose first transactions fail without having been done."""
    left = [times]

    def around(name: str, method: Callable[..., Any], args: Any) -> Any:
        if name == "transact" and left[0]:
            left[0] -= 1
            raise error(len(args[0]))
        return method(*args)

    return replace(caller, tables=hooked(caller.tables, around))


def conflict(writes: int) -> Exception:
    return TransactionFailed([Reason("conflict")] * writes)


def refused_by_the_store(_writes: int) -> Exception:
    return Throttled()


def later(caller: Caller, ms: int) -> Caller:
    """The same caller, some time after; entries are in the order of time."""
    return replace(caller, at=NOON + ms)


# Rules


def test_publishing_leaves_one_entry_with_the_versions(caller):
    publish(caller, ACCOUNT, ALWAYS)
    publish(later(caller, 1), ACCOUNT, SentRules(rules=[]))
    assert told(caller) == [("publish", "rules", "account")] * 2
    first, second = entries(caller)
    assert sides(first) == (None, {"version": 1, "rules": 1})
    assert sides(second) == ({"version": 1}, {"version": 2, "rules": 0})
    assert {(entry["by"], entry["actor"], entry["from"], entry["cause"]) for entry in (first, second)} == {
        ("operator", "operator", "203.0.113.77", "test")
    }
    assert (first["at"], second["at"]) == (NOON, NOON + 1)


def test_publishing_that_meets_another_leaves_one_entry(caller):
    publish(refusing(caller, 3, conflict), ACCOUNT, ALWAYS)
    assert told(caller) == [("publish", "rules", "account")]


@pytest.mark.parametrize("error", [conflict, refused_by_the_store])
def test_publishing_that_fails_leaves_no_entry_and_no_version(caller, error):
    with pytest.raises((FingerpostError, Throttled)):
        publish(refusing(caller, 100, error), ACCOUNT, ALWAYS)
    assert entries(caller) == []
    assert read(caller, ACCOUNT)["version"] == 0


def test_rules_that_are_refused_leave_no_entry(caller):
    with pytest.raises(Invalid):
        publish(caller, ACCOUNT, SentRules.model_validate({"rules": [{"match": "country=", "redirectUrl": "x"}]}))
    assert entries(caller) == []


# Links


def test_a_links_life_leaves_one_entry_for_each_change(store, caller, thng):
    links = Links(store, caller)
    link = links.create(SentRedirection(evrythngId=thng, defaultRedirectUrl="https://museum.example/1"), DOMAIN)
    for ms in (1, 2):
        sent = SentRedirection(defaultRedirectUrl="https://museum.example/2")
        Links(store, later(caller, ms)).update(DOMAIN, link.short_id, sent)
    Links(store, later(caller, 3)).delete(DOMAIN, link.short_id)
    name = f"{DOMAIN}/{link.short_id}"
    assert told(caller) == [("create", "link", name), ("update", "link", name), ("delete", "link", name)]
    created, updated, deleted = map(sides, entries(caller))
    assert created[0] is None
    assert created[1] == updated[0]
    assert updated[1]["defaultRedirectUrl"] == "https://museum.example/2"
    assert deleted == (updated[1], {**updated[1], "deletedAt": NOON + 3})


def test_changes_of_a_link_that_meet_others_leave_one_entry_each(store, caller, thng):
    busy = refusing(later(caller, 1), 2, conflict)
    link = Links(store, caller).create(
        SentRedirection(evrythngId=thng, defaultRedirectUrl="https://m.example/1"), DOMAIN
    )
    Links(store, busy).update(DOMAIN, link.short_id, SentRedirection(defaultRedirectUrl="https://m.example/2"))
    Links(store, refusing(later(caller, 2), 2, conflict)).delete(DOMAIN, link.short_id)
    assert [verb for verb, _, _ in told(caller)] == ["create", "update", "delete"]


def test_changes_of_a_link_that_fail_leave_no_entry(store, caller, thng):
    link = Links(store, caller).create(
        SentRedirection(evrythngId=thng, defaultRedirectUrl="https://m.example/1"), DOMAIN
    )
    sent = SentRedirection(defaultRedirectUrl="https://m.example/2")
    for change in (
        lambda links: links.update(DOMAIN, link.short_id, sent),
        lambda links: links.delete(DOMAIN, link.short_id),
        lambda links: links.create(SentRedirection(evrythngId=thng, defaultRedirectUrl="https://m.example/3"), DOMAIN),
    ):
        with pytest.raises((FingerpostError, TransactionFailed)):
            change(Links(store, refusing(caller, 100, conflict)))
    assert [verb for verb, _, _ in told(caller)] == ["create"]
    assert Links(store, caller).read(DOMAIN, link.short_id) == link


def test_a_short_id_that_is_taken_leaves_no_entry(store, caller, thng):
    sent = SentRedirection(evrythngId=thng, defaultRedirectUrl="https://museum.example/", shortId="TURF")
    Links(store, caller).create(sent, DOMAIN)
    with pytest.raises(Conflict):
        Links(store, caller).create(sent, DOMAIN)
    assert told(caller) == [("create", "link", f"{DOMAIN}/TURF")]


# Applications and projects


@pytest.fixture
def project(caller: Caller) -> str:
    """Made past the service, so that the log begins with what a test is about."""
    document = {"name": "On show", "createdAt": NOON, "updatedAt": NOON}
    return Resources(caller.tables, PROJECT).create(caller.new_id(NOON), document).id


def test_an_applications_life_leaves_one_entry_for_each_change(caller, project):
    application = access.create_application(caller, project, NewApplication(name="Guide"), ROOTS)["id"]
    access.delete_application(later(caller, 1), project, application, ROOTS)
    assert told(caller) == [("create", "application", application), ("delete", "application", application)]
    created, deleted = map(sides, entries(caller))
    assert created[0] is None
    assert created[1] == deleted[0]
    assert deleted[1] is None


def test_a_deleted_project_and_its_applications_leave_one_entry_each(caller, project):
    applications = [
        access.create_application(caller, project, NewApplication(name=f"Guide {n}"), ROOTS)["id"] for n in range(3)
    ]
    access.delete_project(caller, project, ROOTS)
    deleted = sorted(resource for verb, _, resource in told(caller) if verb == "delete")
    assert deleted == sorted([*applications, project])


def test_changes_of_an_application_that_meet_others_leave_one_entry_each(caller, project):
    application = access.create_application(refusing(caller, 2, conflict), project, NewApplication(name="G"), ROOTS)[
        "id"
    ]
    access.delete_application(refusing(later(caller, 1), 2, conflict), project, application, ROOTS)
    assert [verb for verb, _, _ in told(caller)] == ["create", "delete"]


def test_changes_of_an_application_that_fail_leave_no_entry_and_no_change(caller, project):
    with pytest.raises(FingerpostError):
        access.create_application(refusing(caller, 100, conflict), project, NewApplication(name="Guide"), ROOTS)
    assert entries(caller) == []
    application = access.create_application(caller, project, NewApplication(name="Guide"), ROOTS)["id"]
    with pytest.raises(FingerpostError):
        access.delete_application(refusing(caller, 100, conflict), project, application, ROOTS)
    assert [verb for verb, _, _ in told(caller)] == ["create"]
    assert access.read_application(caller, project, application)


def test_a_repeated_creation_of_an_application_leaves_one_entry(caller, project):
    made = []
    for _ in range(2):
        seeded = begin(caller, "key-1", b"the same").caller
        made.append(access.create_application(seeded, project, NewApplication(name="Guide"), ROOTS))
    assert made[0] == made[1]
    assert told(caller) == [("create", "application", made[0]["id"])]


def test_no_secret_is_in_the_audit_log(caller, project):
    application = access.create_application(caller, project, NewApplication(name="Guide"), ROOTS)
    secret = access.secret_key(caller, project, application["id"], ROOTS)["secretApiKey"]
    access.delete_application(caller, project, application["id"], ROOTS)
    text = repr(entries(caller))
    assert application["appApiKey"] not in text
    assert secret not in text
    assert "_root" not in text


def test_a_projects_changes_that_meet_others_leave_one_entry_each(caller):
    project = access.create_project(refusing(caller, 2, conflict), NewProject(name="On show"))["id"]
    access.update_project(refusing(later(caller, 1), 2, conflict), project, SentProject(name="On tour"))
    assert told(caller) == [("create", "project", project), ("update", "project", project)]
    created, updated = map(sides, entries(caller))
    assert updated[0] == created[1]
    assert updated[1]["name"] == "On tour"


# The entry itself


def test_a_crash_after_the_transaction_leaves_both_and_one_before_it_neither(store, caller):
    for late in (False, True):

        def around(name: str, method: Callable[..., Any], args: Any, late: bool = late) -> Any:
            if name == "transact":
                if late:
                    method(*args)
                raise Crash
            return method(*args)

        with pytest.raises(Crash):
            publish(replace(caller, tables=hooked(caller.tables, around)), ACCOUNT, ALWAYS)
        live = live_versions(caller.tables.main.get(keys.LIVE), NOON)
        assert (len(entries(caller)), len(live)) == ((1, 1) if late else (0, 0))


def test_a_document_too_large_for_the_log_is_named_by_its_size(caller):
    puts: list[Put] = audit.entry(caller, "update", "link", "x", {"a": "é" * MAX_SIDE_BYTES}, {"a": "short"})
    before, after = sides(puts[0].item)
    assert before == {"tooLargeToKeep": 2 * MAX_SIDE_BYTES + len('{"a":""}')}
    assert after == {"a": "short"}


def test_entries_of_one_millisecond_and_of_other_months_stay_apart(caller):
    for at in (NOON, NOON, NOON + 31 * 86_400_000):
        caller.tables.main.transact(audit.entry(replace(caller, at=at), "update", "link", "x"))
    main = caller.tables.main
    assert (len(main.query("j#202603").rows), len(main.query("j#202604").rows)) == (2, 1)
    assert len(main.query("jx#x").rows) == 3
