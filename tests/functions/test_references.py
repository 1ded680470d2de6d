"""What a request can mean by rules: the live version, a version, a draft, rules of its own."""

import pytest

from fingerpost.access.model import Principal
from fingerpost.caller import Caller
from fingerpost.errors import Invalid, NotFound
from fingerpost.redirection import drafts
from fingerpost.redirection.references import SentReference, reference_of, resolve
from fingerpost.redirection.versions import ACCOUNT
from tests.functions.world import Client, World, rule


@pytest.fixture
def caller(world: World) -> Caller:
    principal = Principal(actor="operator", account=world.account, id="op")
    return Caller(principal=principal, tables=world.tables.of(world.account), at=world.clock(), cause="test")


def test_nothing_means_what_is_live_now(world: World, operator: Client, caller: Caller):
    before = resolve(caller, ACCOUNT, SentReference())
    assert (before.sent, before.version.number, before.title) == ([], 0, "no rules")
    operator.publish(rule("country=IE"))
    live = resolve(caller, ACCOUNT, reference_of("live", "from"))
    assert (live.sent, live.version.number, live.title) == ([rule("country=IE")], 1, "version 1")
    assert live.compiled().first_match({"country": "IE"}) == 0
    assert live.compiled() is resolve(caller, ACCOUNT, SentReference()).compiled()


def test_a_version_is_what_it_was(operator: Client, caller: Caller):
    operator.publish(rule("country=IE", name="a"), rule("country=IE", name="b"))
    operator.publish()
    first = resolve(caller, ACCOUNT, reference_of("1", "from"))
    assert [each["name"] for each in first.sent] == ["a", "b"]
    assert [each.field for each in first.warnings] == ["rules[1].match"]
    with pytest.raises(NotFound):
        resolve(caller, ACCOUNT, SentReference(version=3))


def test_a_draft_is_compiled_unless_it_has_mistakes(operator: Client, caller: Caller):
    drafts.save(caller, ACCOUNT, "fine", ACCOUNT.read({"rules": [rule("country=IE", "https://x.example/{thng.id}")]}))
    fine = resolve(caller, ACCOUNT, reference_of("draft:fine", "to"))
    assert (fine.draft, fine.title, fine.mistakes) == ("fine", "the draft fine", ())
    assert fine.compiled().first_match({"country": "IE"}) == 0
    assert fine.compiled().all_needs == 1
    drafts.save(caller, ACCOUNT, "odd", ACCOUNT.read({"rules": ["x", rule("country=")]}))
    odd = resolve(caller, ACCOUNT, reference_of("draft:odd", "to"))
    assert odd.sent == ["x", rule("country=")]
    assert [each.field for each in odd.mistakes] == ["rules[0]", "rules[1].match"]
    with pytest.raises(Invalid) as refused:
        odd.compiled()
    assert refused.value.details == odd.mistakes
    with pytest.raises(NotFound):
        resolve(caller, ACCOUNT, reference_of("draft:none", "to"))


def test_rules_that_were_sent_are_examined_and_not_stored(world: World, caller: Caller):
    before = world.rows()
    sent = resolve(caller, ACCOUNT, SentReference(rules=[rule("country=IE"), rule("country=")]))
    assert [each.field for each in sent.mistakes] == ["rules[1].match"]
    fine = resolve(caller, ACCOUNT, SentReference(rules=[rule("country=IE")]))
    assert fine.compiled().first_match({"country": "IE"}) == 0
    assert world.rows() == before


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "draft:", "1.5", "\u0661", "Live"])
def test_what_is_no_reference_is_refused_with_examples(text):
    with pytest.raises(Invalid, match=r"^from: takes live") as refused:
        reference_of(text, "from")
    assert refused.value.details[0].expected == ("live", "7", "draft:summer")


def test_two_references_at_once_are_refused():
    with pytest.raises(ValueError, match="one of version, draft and rules"):
        SentReference(version=1, draft="x")
