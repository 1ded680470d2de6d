"""What reacts in a project is one row, changed by one writer at a time."""

import pytest

from fingerpost import keys
from fingerpost.errors import Conflict, NotFound, TooLarge
from fingerpost.ports.table import Check, Present, Tables
from fingerpost.reactor import published
from fingerpost.reactor.published import NOTHING, Filter, Script
from tests.stores import SettableClock, fresh_tables, hooked

PROJECT = "UProject"
ONE = Script(
    app="UOne",
    version=3,
    bundle="reactor/x/3",
    functions=("onActionCreated", "tidy"),
    filters={"onActionCreated": Filter("action.type=scans", ["=", "action.type", "scans"])},
)
OTHER = Script(app="UOther", version=1, bundle="reactor/y/1", functions=())
RULES = [{"when": "onActionCreated", "nodes": ["=", "action.type", "scans"]}]


@pytest.fixture
def main():
    with fresh_tables(SettableClock()) as tables:
        yield tables.of("A").main


def test_a_project_in_which_nothing_reacts_has_nothing(main):
    assert published.read(main, PROJECT) == NOTHING


def test_what_is_set_is_read_again_and_every_change_raises_the_version(main):
    published.set_script(main, PROJECT, ONE)
    published.set_script(main, PROJECT, OTHER)
    published.set_rules(main, PROJECT, "UOne", RULES)
    now = published.read(main, PROJECT)
    assert now.scripts == {"UOne": ONE, "UOther": OTHER}
    assert now.rules == {"UOne": tuple(RULES)}
    assert now.version == 3


def test_rules_that_are_set_to_none_are_gone(main):
    published.set_rules(main, PROJECT, "UOne", RULES)
    published.set_rules(main, PROJECT, "UOne", [])
    assert published.read(main, PROJECT).rules == {}


def test_a_forgotten_application_leaves_the_others_and_a_greater_version(main):
    published.set_script(main, PROJECT, ONE)
    published.set_script(main, PROJECT, OTHER)
    published.set_rules(main, PROJECT, "UOne", RULES)
    published.forget(main, PROJECT, "UOne")
    now = published.read(main, PROJECT)
    assert (now.scripts, now.rules, now.version) == ({"UOther": OTHER}, {}, 4)
    published.forget(main, PROJECT, "UOne")
    assert published.read(main, PROJECT).version == 4, "what is gone is not forgotten again"


def test_two_writers_at_once_lose_nothing(main):
    tables = hooked_once(main, lambda: published.set_script(main, PROJECT, OTHER))
    published.set_script(tables, PROJECT, ONE)
    assert published.read(main, PROJECT).scripts == {"UOne": ONE, "UOther": OTHER}


def test_what_goes_with_a_change_goes_with_it_or_not_at_all(main):
    gone = NotFound("There is no application UOne")
    with pytest.raises(NotFound, match="UOne"):
        published.set_script(main, PROJECT, ONE, [(Check(keys.document("UOne"), (Present(),)), gone)])
    assert published.read(main, PROJECT) == NOTHING


def test_who_is_never_first_says_so(main):
    def somebody_else():
        published.set_script(main, PROJECT, OTHER)

    with pytest.raises(Conflict, match="keeps changing"):
        published.set_script(hooked_once(main, somebody_else, always=True), PROJECT, ONE)


def test_more_than_a_row_holds_is_refused_by_the_limits_name(main, monkeypatch):
    monkeypatch.setattr(published, "MAX_BYTES", 100)
    with pytest.raises(TooLarge, match="100 bytes"):
        published.set_rules(main, PROJECT, "UOne", [{"text": "".join(map(str, range(1000)))}])


def hooked_once(main, before, *, always=False):
    """The table, with something that happens before its first (or every) transaction."""
    done = []

    def around(name, method, args):
        if name == "transact" and (always or not done):
            done.append(name)
            before()
        return method(*args)

    return hooked(Tables(main, main), around).main
