"""`fingerpost reactor run`: a script is tried with no server."""

import json

import pytest

from fingerpost.cli.reactor import function_for
from tests.cli.command_line import CommandLine

SCRIPT = """
// @filter(onActionCreated) action.type=scans
const onActionCreated = async (event) => {
  const thng = await app.thng(event.action.thng).read();
  const made = await app.action('_Seen').create({ thng: thng.id, customFields: { by: 'script' } });
  logger.info(`${thng.name} was seen`, made.type);
  done();
};
"""
EVENT = {"action": {"type": "scans", "thng": "U2DTQ8000thn1PVhSp5eMGNd"}, "thng": {"id": "U2DTQ8000thn1PVhSp5eMGNd", "name": "Pallet"}}  # fmt: skip  # noqa: E501


@pytest.fixture
def author(tmp_path):
    (tmp_path / "script.js").write_text(SCRIPT)
    (tmp_path / "scan.json").write_text(json.dumps(EVENT))
    return CommandLine(), tmp_path


def test_a_script_shows_its_log_its_requests_and_how_it_ended(author):
    line, folder = author
    said = line("reactor", "run", folder / "script.js", "--event", folder / "scan.json")
    assert "info   Pallet was seen _Seen" in said.out
    assert "GET /thngs/U2DTQ8000thn1PVhSp5eMGNd" in said.out
    assert "POST /actions/_Seen" in said.out
    assert '"by": "script"' in said.out
    assert "onActionCreated: done after" in said.out


def test_a_program_gets_a_document(author):
    line, folder = author
    found = line("reactor", "run", folder / "script.js", "-e", folder / "scan.json", "--json").json
    assert (found["function"], found["outcome"]) == ("onActionCreated", "done")
    assert [(each["logLevel"], each["message"]) for each in found["logs"]] == [("info", "Pallet was seen _Seen")]
    assert [(each["method"], each["status"]) for each in found["requests"]] == [("GET", 200), ("POST", 201)]


def test_a_bundle_is_a_folder_and_main_js_stands_for_it(author):
    line, folder = author
    bundle = folder / "bundle"
    (bundle / "lib").mkdir(parents=True)
    (bundle / "main.js").write_text("exports.nightly = (e) => { logger.warn(require('./lib/say.js')(e)); done(); };")
    (bundle / "lib" / "say.js").write_text("module.exports = (event) => event.foo;")
    (folder / "night.json").write_text('{"foo": "bar"}')
    for named in (bundle, bundle / "main.js"):
        said = line("reactor", "run", named, "-e", folder / "night.json", "-f", "nightly")
        assert "warn   bar" in said.out


def test_a_script_that_does_not_come_to_an_end_of_its_own_is_a_no(author):
    line, folder = author
    (folder / "script.js").write_text("function onActionCreated() { for (;;) {} }")
    said = line("reactor", "run", folder / "script.js", "-e", folder / "scan.json", "--time-limit", "300", code=1)
    assert "longer than 300 ms, the time limit" in said.out
    assert "timeout" in said.err


@pytest.mark.parametrize(
    ("script", "event", "says"),
    [
        ("nowhere.js", "scan.json", "nowhere.js cannot be read"),
        ("script.js", "nowhere.json", "nowhere.json cannot be read"),
        ("script.js", "script.js", "is no JSON"),
        (".", "scan.json", "holds no main.js"),
    ],
)
def test_what_cannot_be_read_is_named(author, script, event, says):
    line, folder = author
    assert says in line("reactor", "run", folder / script, "-e", folder / event, code=2).err


@pytest.mark.parametrize(
    ("payload", "function"),
    [
        ({"action": {}}, "onActionCreated"),
        ({"thng": {}, "changes": {}}, "onThngPropertiesChanged"),
        ({"product": {}, "changes": {}}, "onProductPropertiesChanged"),
        ({"foo": "bar"}, "onScheduledEvent"),
    ],
)
def test_an_event_says_which_function_it_is_for(payload, function):
    assert function_for(payload) == function
