"""What can be said of a rule set without a store: by its text, by following its links, by asking its targets."""

from collections.abc import Mapping
from typing import Any

import pytest

from fingerpost.outgoing import Answered, Failed, Refused
from fingerpost.redirection.documents import SentApplicationRules, SentRules
from fingerpost.redirection.model import Link
from fingerpost.redirection.publish import prepare
from fingerpost.redirection.rulesets import CompiledRules
from fingerpost.rules.template import parse_default_url
from fingerpost.trials.checks.findings import Checked, documents
from fingerpost.trials.checks.leads import leads_of
from fingerpost.trials.checks.loops import looping
from fingerpost.trials.checks.static import check_set
from fingerpost.trials.checks.targets import MAX_TARGETS, unanswered

OWN = "tn.example"


def rule(match: str | None = None, url: str | None = "https://m.example/", **more: Any) -> dict[str, Any]:
    return {**({} if match is None else {"match": match}), **({} if url is None else {"redirectUrl": url}), **more}


def sent(*rules: Any) -> SentRules:
    return SentRules.model_validate({"rules": list(rules)})


def compiled(*rules: Any) -> CompiledRules:
    prepared = prepare(sent(*rules))
    return CompiledRules(0, prepared.rules, prepared.template_fields)


def told(found: list[Checked]) -> list[tuple[str, str, int | None]]:
    return [(each["level"], each["kind"], each["rule"]) for each in documents(found)["findings"]]


# ---- by its text -----------------------------------------------------------------------------------------------------


def test_all_mistakes_and_oddities_are_told_in_the_order_of_the_rules():
    found = check_set(
        sent(
            rule("country=", "nowhere", name="Two mistakes"),
            rule("contry=IE"),
            rule("country=IE & country=GB"),
            rule("country=IE,GB"),
            rule("country=GB,FR", "https://other.example/"),
            rule("country=IE"),
            rule("time>tomorrow"),
            rule(colour="red"),
            rule(),
        )
    )
    assert told(found) == [
        ("error", "match", 1),
        ("error", "redirectUrl", 1),
        ("warning", "match", 2),
        ("warning", "contradiction", 3),
        ("note", "overlap", 5),
        ("warning", "unreachable", 6),
        ("error", "match", 7),
        ("warning", "colour", 8),
        ("warning", "unreachable", 9),
    ]
    first = documents(found)["findings"][0]
    assert (first["name"], first["column"], first["field"]) == ("Two mistakes", 9, "rules[0].match")
    assert first["expected"] == ["value"]
    assert documents(found)["says"] == "3 errors, 5 warnings and 1 note"


def test_a_set_that_is_in_order_has_no_findings():
    assert documents(check_set(sent(rule("country=IE"), rule()))) == {"findings": [], "says": "nothing was found"}


def test_no_default_is_a_note_for_the_account_and_a_warning_for_an_application():
    assert told(check_set(sent(rule("country=IE")))) == [("note", "missingDefault", None)]
    application = SentApplicationRules.model_validate({"rules": [rule("country=IE")]})
    assert told(check_set(application)) == [("warning", "missingDefault", None)]
    only_asks = sent(rule(url=None, delegates=[{"app": "U1"}]))
    assert told(check_set(only_asks)) == [("note", "missingDefault", None)]
    assert told(check_set(sent())) == [("note", "missingDefault", None)]


def test_a_host_that_applications_may_not_lead_to_is_an_error():
    application = SentApplicationRules.model_validate({"rules": [rule()]})
    assert told(check_set(application, allowed_hosts="shop.example")) == [("error", "redirectUrl", 1)]


def test_what_is_no_rule_at_all_is_told_as_such():
    assert told(check_set(SentRules.model_validate({"rules": ["country=IE", rule()]})))[0] == ("error", "rule", 1)


# ---- round and round -------------------------------------------------------------------------------------------------


def link(short_id: str, url: str = "https://museum.example/", thng: str = "U1") -> Link:
    template = parse_default_url(url)
    return Link(
        account="A", domain=OWN, short_id=short_id, type="thng", evrythng_id=thng, url_text=url, url=template,
        created_at=0, updated_at=0,
    )  # fmt: skip


def loops(rules: list[Any], *links: Link, things: Mapping[str, Mapping[str, Any]] | None = None) -> Any:
    by_name = {each.short_id: each for each in links}
    ready = compiled(*rules)

    def known(at: Link) -> dict[str, Any]:
        named = (things or {}).get(at.short_id, {})
        return {name: named.get(name) for name in ready.fields if name.startswith("thng.")}

    found = looping(ready, {OWN}, lambda _domain, short_id: by_name.get(short_id), known)
    return [(each.level, each.kind, each.finding.rule) for each in found]


HERE = f"https://{OWN}/"


def test_a_rule_that_leads_to_a_link_where_it_holds_again_is_a_loop():
    assert loops([rule("country=IE", HERE + "X")], link("X")) == [("error", "redirectLoop", 1)]
    assert loops([rule(url=HERE + "X")], link("X")) == [("error", "redirectLoop", 1)]


def test_a_rule_that_does_not_hold_for_the_thing_it_leads_to_is_none():
    rules = [rule("country=IE & thng.tags=Offer", HERE + "X")]
    assert loops(rules, link("X"), things={"X": {"thng.tags": ["Other"]}}) == []
    assert loops(rules, link("X"), things={"X": {"thng.tags": ["Offer"]}}) == [("error", "redirectLoop", 1)]


def test_a_rule_before_it_that_surely_holds_leads_out():
    rules = [rule("thng.id=x", "https://out.example/"), rule(url=HERE + "X")]
    assert loops(rules, link("X"), things={"X": {"thng.id": "x"}}) == []
    assert loops(rules, link("X"), things={"X": {"thng.id": "y"}}) == [("error", "redirectLoop", 2)]


def test_a_rule_before_it_that_may_hold_makes_it_uncertain():
    rules = [rule("language=fr", "https://out.example/"), rule("country=IE", HERE + "X")]
    assert loops(rules, link("X")) == [("warning", "redirectLoop", 2)]


def test_what_is_under_an_or_or_a_negation_is_not_taken_for_granted():
    assert loops([rule("country=IE | thng.id=x", HERE + "X")], link("X")) == [("warning", "redirectLoop", 1)]
    assert loops([rule("!country=IE", HERE + "X")], link("X")) == [("warning", "redirectLoop", 1)]


def test_a_way_round_over_two_rules_and_a_default_url_is_found():
    links = (link("X", HERE + "Y"), link("Y", HERE + "Z"), link("Z", HERE + "X"))
    rules = [rule("thng.id=start", HERE + "X")]
    assert loops(rules, *links) == [("error", "redirectLoop", 1)]
    assert loops(rules, link("X", HERE + "Y"), link("Y")) == []


def test_a_link_that_values_choose_may_lead_back():
    assert loops([rule(url=HERE + "{thng.name}")]) == [("warning", "redirectLoop", 1)]
    assert loops([rule(url=HERE + "X?{thng.name}")], link("X")) == [("error", "redirectLoop", 1)]


def test_a_link_that_is_not_there_answers_nobody_and_other_hosts_are_not_looked_at():
    assert loops([rule(url=HERE + "gone")]) == [("error", "noAnswer", 1)]
    assert loops([rule(url="https://elsewhere.example/X")], link("X")) == []


def test_variants_are_followed_and_only_one_way_is_a_sure_one():
    variants = [{"name": n, "weight": 1, "redirectUrl": u} for n, u in (("A", HERE + "X"), ("B", "https://m.example/"))]
    assert loops([rule(url=None, variants=variants)], link("X")) == [("warning", "redirectLoop", 1)]


def test_a_url_beside_variants_is_followed_only_when_they_end():
    out = [{"name": n, "weight": 1, "redirectUrl": f"https://{n}.example/"} for n in ("a", "b")]
    assert loops([rule(url=HERE + "X", variants=out)], link("X")) == []
    assert loops([rule(url=HERE + "X", variants=out, variantsUntil=1)], link("X")) == [("warning", "redirectLoop", 1)]


def test_rules_of_an_application_may_loop_and_never_surely():
    found = list(looping(compiled(rule(url=HERE + "X")), {OWN}, lambda *_: link("X"), lambda _: {}, asked_first=False))
    assert [(each.level, each.kind) for each in found] == [("warning", "redirectLoop")]


def test_a_long_chain_of_links_ends():
    chain = [link(f"L{number}", f"{HERE}L{number + 1}") for number in range(40)]
    assert loops([rule("thng.id=start", HERE + "L0")], *chain) == [("error", "redirectLoop", 1)]


# ---- asking targets --------------------------------------------------------------------------------------------------


class Asked:
    """Answers by host: a status, or an error to raise."""

    def __init__(self, **by_host: Any):
        self.by_host, self.asked = by_host, []

    def send(self, method: str, url: str, **_more: Any) -> Answered:
        self.asked.append((method, url))
        says = self.by_host.get(url.split("/")[2].partition(".")[0], 200)
        says = says.get(method) if isinstance(says, dict) else says
        if isinstance(says, Exception):
            raise says
        return Answered(url, says, {}, b"", True)


def asked(outgoing: Asked, *urls: str, seen: Mapping[Any, str] | None = None, **more: Any) -> list[tuple[str, str]]:
    leads = list(leads_of(compiled(*(rule(f"year={number}", url) for number, url in enumerate(urls)))))
    found = list(unanswered(leads, seen or {}, outgoing, **more))  # type: ignore[arg-type]
    assert all(each.kind == "noAnswer" for each in found)
    return [(each.level, each.finding.message) for each in found]


@pytest.mark.parametrize("status", [200, 204, 301, 401, 403, 429])
def test_a_target_that_answers_is_no_finding(status):
    assert asked(Asked(m=status), "https://m.example/") == []


@pytest.mark.parametrize(
    ("says", "level", "message"),
    [
        (404, "warning", "answers 404"),
        (410, "warning", "answers 410"),
        (503, "warning", "answers 503"),
        (Failed("m.example cannot be found"), "warning", "does not answer: m.example cannot be found"),
        (Refused("m.example is 10.0.0.1, which is not a public address"), "warning",
         "was not asked: m.example is 10.0.0.1, which is not a public address"),
    ],
)  # fmt: skip
def test_a_target_that_does_not_answer_is_told_with_the_reason(says, level, message):
    assert asked(Asked(m=says), "https://m.example/") == [(level, message)]


def test_a_server_that_knows_get_alone_is_asked_with_get():
    outgoing = Asked(m={"HEAD": 405, "GET": 200})
    assert asked(outgoing, "https://m.example/") == []
    assert [method for method, _ in outgoing.asked] == ["HEAD", "GET"]


def test_a_url_with_values_is_asked_as_a_scan_filled_it():
    outgoing = Asked()
    url = "https://m.example/{thng.name}"
    assert asked(outgoing, url, seen={(1, "redirectUrl"): "https://m.example/lamp"}) == []
    assert outgoing.asked == [("HEAD", "https://m.example/lamp")]
    ((level, message),) = asked(Asked(), url)
    assert level == "note" and "no recorded scan shows which" in message


def test_each_url_is_asked_once_and_a_check_asks_a_bounded_number():
    outgoing = Asked()
    assert asked(outgoing, *["https://m.example/"] * 5) == [] and len(outgoing.asked) == 1
    many = asked(Asked(), *(f"https://m.example/{number}" for number in range(MAX_TARGETS + 3)))
    assert many == [("note", f"was not asked: one check asks {MAX_TARGETS} different URLs")] * 3


def test_when_time_is_up_the_rest_is_not_asked():
    moments = iter([0.0, *[1_000.0] * 10])
    outgoing = Asked()
    found = asked(outgoing, "https://m.example/", "https://n.example/", clock=lambda: next(moments))
    assert found == [("note", "was not asked: no time was left")] * 2 and outgoing.asked == []
