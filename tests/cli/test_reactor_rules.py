"""Declarative rules on file: checked without a server, then tried, saved, compared and acting on a running one."""

import json
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine
from tests.reacting import Application

SAMPLES = sorted(Path("rules/reactor").glob("*.yaml"))
WARM = """\
rules:
  - name: too warm
    when: thngPropertiesChanged
    filter: propertyChangeNew.temperature>8 & !propertyChangeOld.temperature>8
    then:
      - setProperties:
          properties: {state: warm, at: "{propertyChangeNew.temperature}"}
      - createAction:
          type: _TooWarm
          customFields: {degrees: "{propertyChangeNew.temperature}"}
      - putOnQueue:
          queue: alarms
          body: "{thng.name} is at {propertyChangeNew.temperature}"
      - callWebhook:
          url: http://nowhere.invalid/hook
"""
WRONG = """\
basedOn: 3
rules:
  - name: too warm
    when: thngPropertiesChanged
    filter: propertyChangeNew.temperature>8 & thng.tag=pallet
    then:
      - callWebhook:
          url: https://cold.museum.example/pallets/{thng.idd}
      - putOnQueue:
          queu: alarms
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(WARM)
    return path


@pytest.fixture
def app(server):
    application = Application(server)
    kind = {"name": "_TooWarm", "scopes": {"projects": ["all"], "users": ["all"]}}
    if not [each for each in server.ask("/actions") if each["name"] == "_TooWarm"]:
        server.ask("/actions", kind)
    return application


@pytest.fixture
def rules(fingerpost, app):
    def call(command, *more, code=0):
        return fingerpost("reactor", "rules", command, *more, "-a", f"{app.project}/{app.id}", code=code)

    return call


# ---- without a server


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_the_rules_to_copy_are_in_order(sample):
    assert CommandLine()("reactor", "rules", "check", sample).out.startswith("nothing wrong was found")


def test_each_of_the_rules_to_copy_is_explained():
    readme = Path("rules/reactor/README.md").read_text(encoding="utf-8")
    assert SAMPLES and all(f"`{path.name}`" in readme for path in SAMPLES)


def test_a_check_shows_each_mistake_where_it_stands(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG)
    said = CommandLine()("reactor", "rules", "check", path, code=1)
    lines = said.out.splitlines()
    at = next(number for number, line in enumerate(lines) if f"{path}:5:47: error in rule 1 too warm, filter" in line)
    assert "column 35: 'thng.tag' is no field" in lines[at]
    assert lines[at + 2].index("^") == lines[at + 1].index("thng.tag=pallet")
    assert "suggestion: write thng.tags" in lines[at + 3]
    assert any(f"{path}:8:52: error" in line and "thng.idd" in line for line in lines)
    assert any("unknown key 'queu'; there are queue, body" in line for line in lines)
    assert "4 errors in 1 rules" in said.out
    found = CommandLine()("reactor", "rules", "check", path, "--json", code=1).json["findings"]
    assert {(each["level"], each["line"]) for each in found} == {("error", 5), ("error", 8), ("error", 10)}


def test_what_is_no_rule_file_is_named(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text("rules: 7")
    assert "holds no list of rules" in CommandLine()("reactor", "rules", "check", path, code=2).err


# ---- with one


def test_rules_are_pushed_pulled_compared_and_taken_back(rules, file, tmp_path):
    assert rules("push", file, "-m", "it is summer").out.endswith("Version 1 acts\n")
    assert "nothing differs" in rules("push", file).out
    pulled = tmp_path / "pulled.yaml"
    assert "1 rules, version 1 acts" in rules("pull", pulled).out
    assert "is there already" in rules("pull", pulled, code=2).err
    text = pulled.read_text()
    assert text.startswith("basedOn: 1\nrules:\n")
    pulled.write_text(text.replace("temperature>8 &", "temperature>9 &"))
    assert "9 instead of" in rules("diff", pulled, code=1).out
    assert "Version 2 acts" in rules("push", pulled).out
    assert pulled.read_text().startswith("basedOn: 2\n")
    file.write_text("basedOn: 1\n" + WARM.replace("too warm", "warmer"))
    refused = rules("push", file, code=3)
    assert "The rules changed since version 1" in refused.err and "--based-on live" in refused.err
    assert "Version 3 acts: the rules of version 1" in rules("rollback", "1").out
    history = rules("history").out
    assert "back to 1" in history and "it is summer" in history
    assert rules("pull", "--of", "2", "--json").json["rules"][0]["filter"].startswith("propertyChangeNew.temperature>9")


def test_what_only_the_server_knows_keeps_rules_from_being_pushed(rules, file):
    file.write_text(WARM.replace("_TooWarm", "_Unheard"))
    refused = rules("push", file, code=1)
    assert "There is no action type '_Unheard'" in refused.out
    assert "nothing was saved" in refused.err
    assert rules("pull", "--json").json == {"rules": []}


def test_a_simulation_shows_what_would_happen(rules, app, file, tmp_path):
    thng = app.thng(properties={"temperature": 4})
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"thng": thng, "changes": {"temperature": {"oldValue": 4, "newValue": 12}}}))
    lines = rules("simulate", file, "--event", event).out.splitlines()
    assert lines[0].startswith("rule 1 too warm: matched because propertyChangeNew.temperature is 12")
    assert (
        lines[1]
        == f"    step 1: setProperties  thng={thng}  properties={{'state': 'warm', 'at': 12}}"
        + lines[1][lines[1].index("  timestamp=") :]
    )
    assert lines[3] == "    step 3: putOnQueue  queue=alarms  body=Pallet is at 12"
    assert lines[4].startswith("    step 4: POST http://nowhere.invalid/hook  {")
    assert lines[5] == "1 of 1 rules would act: too warm"
    assert "Which event?" in rules("simulate", file, code=2).err
    assert rules("simulate", "--event", event, "--json").json["says"] == "0 of 0 rules would act"


def test_rules_act_on_a_running_server(rules, app, server, file):
    rules("push", file)
    thng = app.thng(properties={"temperature": 4})
    app.set(thng, "temperature", 7)
    app.set(thng, "temperature", 12)
    app.set(thng, "temperature", 13)
    entries = app.logged(4)[:4]
    assert server.ask(f"/thngs/{thng}")["properties"] == {"temperature": 13, "state": "warm", "at": 12}
    (message,) = server.ask(f"/projects/{app.project}/applications/{app.id}/reactor/queues/alarms/messages")
    assert message["body"] == "Pallet is at 12"
    assert [level for level, _ in entries] == ["info", "info", "info", "warn"]
    assert "POST http://nowhere.invalid/hook failed: " in entries[3][1]
    assert "; try 2 of 8 in " in entries[3][1]
    (action,) = app.actions("_TooWarm")
    assert (action["customFields"], action["thng"]) == ({"degrees": 12}, thng)
    told = [message for _, message in app.log(trace=True)]
    first = [message for message in told if "POST" not in message or "; try 2 of 8" in message]
    assert len(first) == 5  # the later tries of the webhook come at random
