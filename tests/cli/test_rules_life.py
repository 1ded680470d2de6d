"""Rules pulled, changed, compared, tried, published and rolled back from the command line, against a running server."""

import json

import pytest

from tests.running import Server


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(fingerpost, tmp_path):
    """What is live, pulled."""
    fingerpost("rules", "pull", "rules.yaml")
    return tmp_path / "rules.yaml"


SUNDAYS = """rules:
  - name: Ireland on Sundays
    match: country=IE & dayOfWeek=sun
    redirectUrl: https://museum.example/ie/sunday?work={thng.name}
"""


def with_sundays(file):
    file.write_text(file.read_text().replace("rules:\n", SUNDAYS, 1))


def live(fingerpost):
    return next(each for each in fingerpost("rules", "history", "--json").json if each["state"] == "live")


def test_what_was_pulled_is_what_is_live(fingerpost, file):
    assert "nothing differs" in fingerpost("rules", "diff", "rules.yaml").out
    assert f"basedOn: {live(fingerpost)['version']}\n" in file.read_text()
    assert "is there already" in fingerpost("rules", "pull", "rules.yaml", code=2).err
    fingerpost("rules", "pull", "rules.json")
    assert "nothing differs" in fingerpost("rules", "diff", "rules.json", "--from", "rules.yaml").out
    assert (
        json.loads(fingerpost("rules", "pull", "--json").out)["rules"]
        == json.loads(file.with_suffix(".json").read_text())["rules"]
    )


def test_a_version_is_compared_tried_published_and_rolled_back(fingerpost, file):
    before = live(fingerpost)["version"]
    with_sundays(file)
    changed = fingerpost("rules", "diff", "rules.yaml", code=1).out
    assert changed.startswith("+ rule 1 *Ireland on Sundays* added")
    sunday = ("--short-id", "TURF1891", "--country", "IE", "--at", "2026-11-29T12:00")
    now = fingerpost("rules", "simulate", "live", *sunday, "--json").json
    then = fingerpost("rules", "simulate", "rules.yaml", *sunday)
    assert then.out.splitlines()[:2] == [
        "https://museum.example/ie/sunday?work=The%20Turf%20Cutters",
        "rule 1 matched because country is IE and dayOfWeek is sun",
    ]
    assert now["redirectUrl"] != then.out.splitlines()[0]
    pushed = fingerpost("rules", "push", "rules.yaml", "--reason", "Sundays in Ireland")
    assert f"Version {before + 1} is live" in pushed.out
    assert f"basedOn: {before + 1}\n" in file.read_text()
    assert "nothing differs" in fingerpost("rules", "push", "rules.yaml").out
    assert (live(fingerpost)["version"], live(fingerpost)["reason"]) == (before + 1, "Sundays in Ireland")
    back = fingerpost("rules", "rollback", "--reason", "Not yet")
    assert back.out.startswith("- rule 1 *Ireland on Sundays* removed")
    assert f"Version {before + 2} is live: the rules of version {before}" in back.out
    assert "back to" in fingerpost("rules", "history").out
    again = fingerpost("rules", "rollback", "1", "--json").json
    assert again["version"] == before + 3


def test_who_is_slower_is_told_what_changed_and_what_to_do(fingerpost, file, tmp_path):
    theirs = tmp_path / "theirs.yaml"
    theirs.write_text(file.read_text())
    with_sundays(theirs)
    fingerpost("rules", "push", "theirs.yaml", "-m", "Mine first")
    file.write_text(file.read_text().replace("dayOfWeek=mon", "dayOfWeek=tue", 1))
    slower = fingerpost("rules", "push", "rules.yaml", code=3)
    assert "Mine first" in slower.err
    assert "Ireland on Sundays" in slower.err
    assert "--based-on live" in slower.err
    fingerpost("rules", "push", "rules.yaml", "--based-on", "live")
    fingerpost("rules", "rollback", "1")


def test_nothing_with_a_mistake_is_published(fingerpost, file):
    before = live(fingerpost)["version"]
    file.write_text(file.read_text().replace("dayOfWeek=mon", "dayOfWeek=monday", 1))
    refused = fingerpost("rules", "push", "rules.yaml", code=1)
    assert "dayOfWeek is a day of the week" in refused.out
    assert "nothing was published" in refused.err
    as_json = json.loads(fingerpost("rules", "push", "rules.yaml", "--json", code=1).err)
    assert [each["rule"] for each in as_json["details"]] == [2]
    assert live(fingerpost)["version"] == before


def test_a_draft_may_have_mistakes_and_is_published_without(fingerpost, file):
    good = file.read_text()
    file.write_text(good.replace("dayOfWeek=mon", "dayOfWeek=monday", 1))
    assert "1 mistake," in fingerpost("rules", "push", "rules.yaml", "--draft", "tuesdays").out
    assert "dayOfWeek" in fingerpost("rules", "drafts", "publish", "tuesdays", code=3).err
    file.write_text(good.replace("dayOfWeek=mon", "dayOfWeek=tue", 1))
    fingerpost("rules", "push", "rules.yaml", "--draft", "tuesdays", "-m", "Closed on Tuesdays")
    assert "Closed on Tuesdays" in fingerpost("rules", "drafts", "list").out
    assert "Tuesday instead of Monday" in fingerpost("rules", "diff", "draft:tuesdays", code=1).out
    said = fingerpost("rules", "drafts", "publish", "tuesdays", "-m", "From now on")
    assert said.out == f"Version {live(fingerpost)['version']} is live\n"
    assert fingerpost("rules", "drafts", "list", "--json").json == []
    fingerpost("rules", "rollback", "1")


def test_a_version_can_be_planned_and_taken_off_the_plan(fingerpost, file):
    with_sundays(file)
    when = ("--starts-at", "2099-12-24T18:00", "--ends-at", "2099-12-27")
    said = fingerpost("rules", "push", "rules.yaml", *when)
    assert "is live from 2099-12-24 18:00:00 until 2099-12-27 00:00:00" in said.out
    [planned] = fingerpost("rules", "schedule", "list", "--json").json
    assert "2099-12-24" in fingerpost("rules", "schedule", "list").out
    fingerpost("rules", "schedule", "cancel", planned["version"])
    assert fingerpost("rules", "schedule", "list", "--json").json == []
    assert "cancelled" in fingerpost("rules", "history").out


def test_a_check_online_tells_what_scans_and_links_tell(fingerpost, server, tmp_path):
    (tmp_path / "odd.yaml").write_text(
        f"""rules:
  - name: Round
    match: country=IE
    redirectUrl: http://localhost:{server.short_port}/HARE1922
  - name: Nobody
    match: country=AQ
    redirectUrl: https://museum.example/penguins
"""
    )
    here = fingerpost("rules", "check", "odd.yaml", "--json").json["findings"]
    assert [each["kind"] for each in here] == ["missingDefault"]
    said = fingerpost("rules", "check", "odd.yaml", "--online", "--no-targets", "--json", code=1).json["findings"]
    assert {(each["rule"], each["kind"], each["line"]) for each in said} >= {
        (1, "redirectLoop", 4),
        (2, "neverMatched", 6),
    }
    assert all(each["advice"] for each in said)


def test_rules_of_an_application_go_the_same_way(fingerpost, tmp_path):
    made = fingerpost("keys", "create", "Guide", "--project", "Lighthouse", "--make-project", "--json").json
    name = f"{made['project']}/{made['id']}"
    (tmp_path / "guide.yaml").write_text("rules:\n  - name: All\n    redirectUrl: https://guide.example/\n")
    fingerpost("rules", "push", "guide.yaml", "-a", name)
    assert "https://guide.example/" in fingerpost("rules", "pull", "-a", name).out
    assert [each["version"] for each in fingerpost("rules", "history", "-a", name, "--json").json] == [1]
    assert "names no application" in fingerpost("rules", "history", "-a", made["id"], code=2).err


@pytest.mark.parametrize("text", ["draft:", "nowhere.yaml", "rules/none"])
def test_what_names_no_rules_is_refused(fingerpost, text):
    assert "Next: " in fingerpost("rules", "diff", text, code=2).err


def test_a_version_that_never_was_is_refused(fingerpost):
    assert "999" in fingerpost("rules", "diff", "999", code=3).err
    assert "999" in fingerpost("rules", "rollback", "999", code=3).err


def test_the_audit_log_tells_who_did_it(fingerpost, file, server: Server):
    with_sundays(file)
    fingerpost("rules", "push", "rules.yaml", "-m", "For the audit")
    fingerpost("rules", "rollback", "1")
    first, second = fingerpost("audit", "--what", "rules", "--limit", "2", "--json").json
    assert (first["verb"], second["verb"], second["reason"]) == ("rollback", "publish", "For the audit")
    assert "operator@museum.example" in fingerpost("audit", "--what", "rules").out
    assert "version: " in fingerpost("audit", "--what", "rules", "--changes").out
