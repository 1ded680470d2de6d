"""Scripts from the command line: deployed, seen, taken back; their log and their schedules.

They need Node.js 20 or newer with npm.
"""

import json

import pytest

from tests.reacting import Application

MAIN = """
const { greet } = require('./lib/greet');
// @filter(onActionCreated) acton.type=scans
exports.onActionCreated = () => done();
exports.tidy = (event) => { logger.warn(greet(event.name)); done(); };
"""


@pytest.fixture(scope="module")
def app(server):
    return Application(server)


@pytest.fixture
def reactor(fingerpost, app):
    def call(*arguments, code=0):
        return fingerpost("reactor", *arguments, "-a", f"{app.project}/{app.id}", code=code)

    return call


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "main.js").write_text(MAIN)
    (tmp_path / "lib" / "greet.js").write_text("exports.greet = (name) => `hello ${name}`;")
    (tmp_path / "node_modules" / "left").mkdir(parents=True)
    (tmp_path / "node_modules" / "left" / "index.js").write_text("")
    return tmp_path


def test_a_folder_is_deployed_without_its_packages_and_warnings_are_shown(reactor, app, folder):
    said = reactor("deploy", folder).out
    assert "runs" in said
    assert "did you mean 'action.type'" in said
    newest = reactor("versions", "--json").json[0]
    assert (newest["type"], newest["running"]) == ("bundle", True)
    address = f"/projects/{app.project}/applications/{app.id}/reactor/script/versions/{newest['version']}"
    assert set(app.server.ask(address)["files"]) == {"main.js", "lib/greet.js"}
    assert "bundle" in reactor("versions").out


def test_a_script_that_cannot_be_installed_ends_with_one_and_what_ran_runs_on(reactor, folder, tmp_path):
    reactor("deploy", folder)
    running = reactor("status", "--json").json["running"]
    manifest = tmp_path / "wanting.json"
    manifest.write_text(json.dumps({"dependencies": {"left-pad": "^99.0.0"}}))
    said = reactor("deploy", folder / "lib" / "greet.js", "--manifest", manifest, code=1)
    assert "could not be installed" in said.out
    assert "does not run" in said.err
    assert reactor("status", "--json", code=1).json["running"] == running
    assert f"Version {running} runs" in reactor("status", code=1).out


def test_an_earlier_version_runs_again(reactor, folder):
    for _ in range(2):
        reactor("deploy", folder / "lib" / "greet.js")
    newest, before, *_ = (each["version"] for each in reactor("versions", "--json").json)
    assert reactor("status", "--json").json["running"] == newest
    assert f"Version {before} runs" in reactor("rollback", before, "--yes").out
    assert reactor("status", "--json").json["running"] == before


def test_a_schedule_runs_and_the_log_is_followed(reactor, folder, tmp_path):
    reactor("deploy", folder)
    event = tmp_path / "event.json"
    event.write_text('{"name": "you"}')
    made = reactor("schedules", "add", "--cron", "0 45 14 * * ?", "-f", "tidy", "-e", event, "--json").json
    assert (made["function"], made["event"], made["enabled"]) == ("tidy", {"name": "you"}, True)
    assert "0 45 14 * * ? (UTC)" in reactor("schedules", "list").out
    assert "disabled" in reactor("schedules", "disable", made["id"]).out
    assert reactor("schedules", "enable", made["id"], "--json").json["enabled"] is True
    reactor("schedules", "delete", made["id"])
    assert reactor("schedules", "list", "--json").json == []
    assert "no moment" in reactor("schedules", "add", "--at", "soon", code=2).err
    assert "When?" in reactor("schedules", "add", code=2).err


def test_the_log_is_read_and_followed(reactor, app):
    app.schedule({"name": "you"})
    lines = reactor("logs", "--follow", "--since", "1h", "-n", "1", "--interval", "0.2", "--json").out.splitlines()
    assert [json.loads(line)["logLevel"] for line in lines] == ["trace"]
    app.logged(1)
    said = reactor("logs")
    assert "onScheduledEvent" in said.out
    assert reactor("logs", "--level", "error", "--since", "1h", "--json").json == []
    assert {each["logLevel"] for each in reactor("logs", "--level", ">=info", "--json").json} == {"warn"}
