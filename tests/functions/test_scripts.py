"""The script of an application: uploaded in both forms, installed after the answer, every version kept."""

import io
import json
import zipfile

import pytest

from fingerpost import keys, wiring
from fingerpost.errors import Invalid
from fingerpost.ports.installer import Refused
from fingerpost.ports.runner import NoRunner
from fingerpost.ports.table import Unreachable
from fingerpost.reactor import bundles, published, scripts
from fingerpost.reactor.bundles import pack
from fingerpost.reactor.manifest import read_manifest
from tests.functions.lists import next_page
from tests.functions.people import colleague, operator_role
from tests.functions.world import Client, World, handler_of

HELLO = "// @filter(onActionCreated) action.type=scans\nfunction onActionCreated(event) { done(); }\n"


class FakeInstaller:
    """Brings packages that hold their own range of versions; says or raises what it is told to."""

    def __init__(self):
        self.asked = []
        self.trouble = None

    def check(self, source):
        before, wrong, _ = source.partition("= ;")
        if wrong:
            raise Refused(f"main.js:{before.count('\n') + 1}:1: Unexpected token ';'")

    def install(self, dependencies):
        self.asked.append(dict(dependencies))
        if self.trouble is not None:
            raise self.trouble
        files = {f"node_modules/{name}/index.js": wanted.encode() for name, wanted in dependencies.items()}
        return pack(iter(files.items()))


@pytest.fixture
def installer(monkeypatch):
    made = FakeInstaller()
    monkeypatch.setattr(wiring, "installer", lambda: made)
    return made


@pytest.fixture
def reactor(world: World, installer) -> str:
    return f"/projects/{world.project}/applications/{world.application_id}/reactor"


def zip_of(*entries) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def sent(client: Client, path: str, content: bytes, *, semicolons: str = ";", field: str = "file"):
    mark = "----here"
    named = f'Content-Disposition: form-data; name="{field}"; filename="b.zip"'
    head = f"--{mark}\r\n{named}\r\nContent-Type: application/zip\r\n\r\n"
    body = head.encode() + content + f"\r\n--{mark}--\r\n".encode()
    headers = {"content-type": f"multipart/form-data{semicolons} boundary={mark}"}
    return client.put(path, raw_body=body, headers=headers)


def running(world: World) -> published.Script | None:
    return published.read(world.tables.of(world.account).main, world.project).scripts.get(world.application_id)


def bundle_of(world: World) -> dict[str, bytes]:
    script = running(world)
    assert script is not None
    blob = world.bundles.get(script.bundle)
    assert blob is not None
    return bundles.read(blob.content)


def entries(world: World) -> list[tuple[str, str]]:
    documents = world.operator.read("/audit", what="script")
    return [(each["verb"], each["resource"]) for each in documents]


def test_a_fresh_applications_script_is_simple_and_empty(world, operator, reactor):
    application = operator.read(f"/projects/{world.project}/applications/{world.application_id}")
    assert operator.read(f"{reactor}/script") == {
        "createdAt": application["createdAt"],
        "updatedAt": application["createdAt"],
        "type": "simple",
        "script": "",
        "manifest": '{"dependencies": {"evrythng-extended": "^4.7.2"}}',
        "version": 0,
    }
    assert operator.read(f"{reactor}/script/status") == {"updating": False, "version": 0, "running": 0, "warnings": []}
    assert operator.read(f"{reactor}/script/versions") == []


def test_a_simple_script_is_answered_at_once_and_runs_once_it_is_installed(
    world: World, operator: Client, reactor, installer
):
    answer = operator.put(f"{reactor}/script", {"script": HELLO, "manifest": "{}"})
    assert answer.status == 200
    assert (answer.document["type"], answer.document["script"], answer.document["version"]) == ("simple", HELLO, 1)
    assert operator.read(f"{reactor}/script/status")["updating"] is True
    assert running(world) is None
    world.settle()
    assert operator.read(f"{reactor}/script/status") == {"updating": False, "version": 1, "running": 1, "warnings": []}
    script = running(world)
    assert script is not None
    assert (script.version, script.functions) == (1, ("onActionCreated",))
    assert script.filters["onActionCreated"].text == "action.type=scans"
    assert bundle_of(world) == {"main.js": HELLO.encode(), "package.json": b"{}"}
    assert installer.asked == [], "nothing had to be fetched"


def test_a_manifest_may_be_text_or_an_object_and_what_it_names_is_fetched(
    world: World, operator: Client, reactor, installer
):
    for manifest in ('{"dependencies": {"left-pad": "^1.3.0"}}', {"dependencies": {"left-pad": "^1.3.0"}}):
        assert operator.put(f"{reactor}/script", {"script": HELLO, "manifest": manifest}).status == 200
        world.settle()
        assert bundle_of(world)["node_modules/left-pad/index.js"] == b"^1.3.0"
    assert installer.asked == [{"left-pad": "^1.3.0"}] * 2


def test_supplied_modules_and_development_dependencies_are_not_fetched(
    world: World, operator: Client, reactor, installer
):
    manifest = {
        "dependencies": {"evrythng-extended": "^4.7.2", "evrythng": "6", "reactor-runasync": "1.0.0", "lodash": "4"},
        "devDependencies": {"mocha": "git+https://example.com/mocha.git"},
    }
    operator.put(f"{reactor}/script", {"script": HELLO, "manifest": manifest})
    world.settle()
    assert installer.asked == [{"lodash": "4"}]


def test_an_sdk_of_another_major_version_is_fetched(world, operator, reactor, installer):
    operator.put(f"{reactor}/script", {"script": HELLO, "manifest": {"dependencies": {"evrythng-extended": "~3.4.1"}}})
    world.settle()
    assert installer.asked == [{"evrythng-extended": "~3.4.1"}]


@pytest.mark.parametrize("semicolons", [";", ";;"])
def test_a_bundle_is_a_zip_in_a_form(world, operator, reactor, semicolons):
    content = zip_of(
        ("main.js", HELLO),
        ("package.json", '{"name": "x"}'),
        ("lib/a.js", "exports.a = '\r\n--';"),
        ("__MACOSX/._main.js", ""),
    )
    answer = sent(operator, f"{reactor}/script", content, semicolons=semicolons)
    assert answer.status == 200
    assert answer.document["type"] == "bundle"
    assert answer.document["manifest"] == '{"name": "x"}'
    world.settle()
    assert set(bundle_of(world)) == {"main.js", "package.json", "lib/a.js"}
    assert operator.read(f"{reactor}/script")["type"] == "bundle"


def linked(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o120777 << 16
    return entry


REFUSED = {
    "no zip": (b"PK, or so it seems", "not a zip"),
    "no main.js": (zip_of(("index.js", HELLO)), "no main.js at its root"),
    "a folder in between": (zip_of(("mine/main.js", HELLO)), "zip what is in the folder, not the folder"),
    "node_modules": (zip_of(("main.js", HELLO), ("node_modules/a/index.js", "")), "leave node_modules out"),
    "node_modules further down": (zip_of(("main.js", HELLO), ("lib/node_modules/a.js", "")), "leave node_modules out"),
    "a path that leads out": (zip_of(("main.js", HELLO), ("../x.js", "")), "no path below its root"),
    "an absolute path": (zip_of(("main.js", HELLO), ("/etc/x", "")), "no path below its root"),
    "a link": (zip_of(("main.js", HELLO), (linked("x"), "/etc/passwd")), "a link or a special file"),
    "a bomb": (zip_of(("main.js", HELLO), ("x", b"0" * 25_000_000)), "unpacks to at most 20,971,520 bytes"),
    "a main.js too large to be shown": (zip_of(("main.js", b" " * 2_097_153)), "main.js has at most 2,097,152 bytes"),
    "too many files": (zip_of(("main.js", HELLO), *((f"f{n}", "") for n in range(1000))), "at most 1,000 files"),
    "two of one name": (zip_of(("main.js", HELLO), ("main.js", HELLO)), "two files of one name"),
    "a folder like a file": (zip_of(("main.js", HELLO), ("a", ""), ("a/b", "")), "also has a folder"),
    "a package.json that is none": (zip_of(("main.js", HELLO), ("package.json", "{")), "package.json is no JSON"),
    "two filters": (zip_of(("main.js", HELLO + HELLO)), "duplicate"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("content", "told"), REFUSED.values(), ids=REFUSED)
def test_a_bundle_that_cannot_be_is_refused_and_nothing_changes(world, operator, reactor, content, told):
    answer = sent(operator, f"{reactor}/script", content)
    assert answer.status == 400
    assert told in answer.error
    assert operator.read(f"{reactor}/script/versions") == []


def test_a_zip_that_is_too_large_is_refused_by_the_limits_name(operator, reactor):
    content = zip_of(("main.js", HELLO)) + b"0" * (4 * 1024 * 1024)
    assert "at most 4,194,304 bytes" in sent(operator, f"{reactor}/script", content).error


@pytest.mark.parametrize(
    "wanted",
    [
        "git+https://github.com/a/b.git", "git://a/b", "a/b", "github:a/b", "file:../b", "link:../b", "../b",
        "https://example.com/b.tgz", "http://169.254.169.254/x", "npm:other@1", "workspace:*", "$b", "1 && 2",
    ],
)  # fmt: skip
def test_dependencies_from_elsewhere_than_the_registry_are_refused(operator, reactor, wanted):
    answer = operator.put(f"{reactor}/script", {"script": HELLO, "manifest": {"dependencies": {"b": wanted}}})
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == "manifest.dependencies.b"
    assert "only versions from the registry" in answer.error


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "script"),
        ({"script": 1}, "script"),
        ({"script": HELLO, "manifest": "[]"}, "manifest"),
        ({"script": HELLO, "manifest": []}, "manifest"),
        ({"script": HELLO, "manifest": {"dependencies": ["a"]}}, "manifest.dependencies"),
        ({"script": HELLO, "manifest": {"dependencies": {"../a": "1"}}}, "manifest.dependencies.../a"),
        ({"script": HELLO, "manifest": {"dependencies": {"a": 1}}}, "manifest.dependencies.a"),
    ],
)
def test_a_simple_script_that_cannot_be_is_refused_by_its_field(operator, reactor, body, field):
    answer = operator.put(f"{reactor}/script", body)
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == field


def test_a_second_filter_of_a_function_is_refused_as_duplicate(operator, reactor):
    answer = operator.put(f"{reactor}/script", {"script": HELLO + HELLO})
    assert (answer.status, answer.document["code"]) == (400, "duplicate")


def test_a_filter_that_cannot_be_read_stands_among_the_warnings(world, operator, reactor):
    operator.put(f"{reactor}/script", {"script": "// @filter(onActionCreated) acton.type=x"})
    world.settle()
    (warning,) = operator.read(f"{reactor}/script/status")["warnings"]
    assert warning["field"] == "@filter(onActionCreated)"
    assert warning["suggestion"] == "action.type"
    assert running(world).filters == {}


def test_a_form_that_is_none_is_refused(operator, reactor):
    assert "no field 'file'" in sent(operator, f"{reactor}/script", b"", field="other").error
    headers = {"content-type": "multipart/form-data"}
    assert "boundary" in operator.put(f"{reactor}/script", raw_body=b"x", headers=headers).error
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert "not whole" in operator.put(f"{reactor}/script", raw_body=b"--x\r\n", headers=headers).error
    assert operator.put(f"{reactor}/script", raw_body=b"x", headers={"content-type": "text/plain"}).status == 415


# Installing


def test_a_script_that_cannot_be_installed_says_why_and_what_ran_runs_on(
    world: World, operator: Client, reactor, installer
):
    operator.put(f"{reactor}/script", {"script": HELLO})
    world.settle()
    installer.trouble = Refused("npm: E404 there is no nothing")
    operator.put(f"{reactor}/script", {"script": "2", "manifest": {"dependencies": {"nothing": "1"}}})
    world.settle()
    status = operator.read(f"{reactor}/script/status")
    assert (status["updating"], status["error"]) == (False, "npm: E404 there is no nothing")
    assert (status["version"], status["running"]) == (2, 1)
    assert running(world).version == 1
    installer.trouble = None
    operator.put(f"{reactor}/script", {"script": "3"})
    world.settle()
    assert "error" not in operator.read(f"{reactor}/script/status")
    assert running(world).version == 3


def test_a_script_is_not_ready_before_what_runs_it_is(world, operator, reactor, monkeypatch):
    operator.put(f"{reactor}/script", {"script": HELLO})
    seen = []
    monkeypatch.setattr(wiring, "ready_runner", lambda: seen.append(operator.read(f"{reactor}/script/status")))
    world.settle()
    assert [each["updating"] for each in seen] == [True]
    assert operator.read(f"{reactor}/script/status")["updating"] is False


def test_where_no_script_can_run_the_status_says_why(world, operator, reactor, monkeypatch):
    def refuse():
        raise NoRunner("install Node.js 20 or newer")

    monkeypatch.setattr(wiring, "ready_runner", refuse)
    operator.put(f"{reactor}/script", {"script": HELLO})
    world.settle()
    assert operator.read(f"{reactor}/script/status")["error"] == "install Node.js 20 or newer"


def task_of(world: World) -> str:
    (message,) = world.queues["install"].receive(visibility_ms=0)
    return message.body


def install(body: str, tries: int = 1):
    record = {"messageId": "1", "body": body, "attributes": {"ApproximateReceiveCount": str(tries)}}
    return handler_of("install")({"Records": [record]})


def test_a_registry_that_cannot_be_asked_is_asked_again_three_times_in_all(
    world: World, operator: Client, reactor, installer
):
    installer.trouble = Unreachable("npm: ETIMEDOUT")
    operator.put(f"{reactor}/script", {"script": HELLO, "manifest": {"dependencies": {"a": "1"}}})
    body = task_of(world)
    for tries in (1, 2):
        assert install(body, tries) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
        assert operator.read(f"{reactor}/script/status")["updating"] is True
    assert install(body, 3) == {"batchItemFailures": []}
    assert "ETIMEDOUT" in operator.read(f"{reactor}/script/status")["error"]


def test_a_script_that_cannot_be_read_leaves_the_one_that_runs_at_work(world, operator, reactor, installer):
    operator.put(f"{reactor}/script", {"script": HELLO})
    world.settle()
    operator.put(f"{reactor}/script", {"script": f"{HELLO}let a = ;", "manifest": {"dependencies": {"a": "1"}}})
    world.settle()
    status = operator.read(f"{reactor}/script/status")
    assert (status["version"], status["running"], status["updating"]) == (2, 1, False)
    assert status["error"] == "main.js:3:1: Unexpected token ';'"
    assert installer.asked == []  # nothing was fetched for it


def test_what_is_given_up_for_a_fault_of_ours_is_in_our_log(world, operator, reactor, installer, capsys):
    installer.trouble = KeyError("bundle")
    operator.put(f"{reactor}/script", {"script": HELLO, "manifest": {"dependencies": {"a": "1"}}})
    body = task_of(world)
    capsys.readouterr()
    assert install(body, 3) == {"batchItemFailures": []}
    assert "went wrong on our side" in operator.read(f"{reactor}/script/status")["error"]
    told = capsys.readouterr().err
    assert "KeyError('bundle')" in told and world.application_id in told


def test_a_task_that_comes_again_does_no_harm(world, operator, reactor):
    operator.put(f"{reactor}/script", {"script": HELLO})
    body = task_of(world)
    assert install(body) == {"batchItemFailures": []}
    operator.put(f"{reactor}/script", {"script": "2"})
    world.settle()
    before = world.rows()
    assert install(body) == {"batchItemFailures": []}
    assert world.rows() == before
    assert running(world).version == 2


def test_of_two_that_are_installed_the_one_that_was_uploaded_last_runs_whichever_is_ready_first(
    world: World, operator: Client, reactor
):
    operator.put(f"{reactor}/script", {"script": "1"})
    first = task_of(world)
    operator.put(f"{reactor}/script", {"script": "2"})
    bodies = [each.body for each in world.queues["install"].receive(visibility_ms=0)]
    (second,) = [each for each in bodies if each != first]
    install(second)
    install(first)
    assert running(world).version == 2
    versions = operator.read(f"{reactor}/script/versions")
    assert [(each["version"], each["state"], each["running"]) for each in versions] == [
        (2, "ready", True),
        (1, "ready", False),
    ]


def test_what_is_too_large_once_installed_is_refused(world, operator, reactor, monkeypatch):
    monkeypatch.setattr("fingerpost.reactor.installing.MAX_BLOB_BYTES", 10)
    operator.put(f"{reactor}/script", {"script": HELLO})
    world.settle()
    assert "at most 10 bytes, compressed" in operator.read(f"{reactor}/script/status")["error"]


def test_packages_that_lead_out_are_refused(world, operator, reactor, installer, monkeypatch):
    monkeypatch.setattr(installer, "install", lambda _: zip_of(("node_modules/../../x", "")))
    operator.put(f"{reactor}/script", {"script": HELLO, "manifest": {"dependencies": {"a": "1"}}})
    world.settle()
    assert "no path below its root" in operator.read(f"{reactor}/script/status")["error"]


def test_an_upload_to_an_application_that_goes_leaves_nothing(world, operator, reactor):
    operator.put(f"{reactor}/script", {"script": HELLO})
    operator.post(f"{reactor}/schedules", {"event": {}, "cron": "0 0 12 * * ?"})
    body = task_of(world)
    world.settle()
    assert running(world) is not None
    operator.delete(f"/projects/{world.project}/applications/{world.application_id}")
    world.settle()
    install(body)
    assert published.read(world.tables.of(world.account).main, world.project).scripts == {}
    left = {row["k"] for row in world.rows().values()}
    assert not left & {"script", "scriptVersion", "schedule"}
    assert list((world.folder / "bundles").rglob("*.zip")) == []
    assert operator.get(f"{reactor}/script").status == 404


def test_a_deleted_project_takes_the_row_of_what_reacted_with_it(world, operator, reactor):
    operator.put(f"{reactor}/script", {"script": HELLO})
    world.settle()
    project = world.project
    operator.delete(f"/projects/{project}")
    world.settle()
    assert world.tables.of(world.account).main.get(keys.reactor(project)) is None


# Versions


def test_every_version_is_kept_listed_and_read(world, operator, reactor):
    for number in range(1, 6):
        operator.put(f"{reactor}/script", {"script": f"// {number}"})
        world.settle()
    first = operator.get(f"{reactor}/script/versions?perPage=2")
    assert [each["version"] for each in first.document] == [5, 4]
    second = next_page(operator, first)
    assert [each["version"] for each in second.document] == [3, 2]
    whole = operator.read(f"{reactor}/script/versions/3")
    assert (whole["script"], whole["state"], whole["running"]) == ("// 3", "ready", False)
    assert whole["createdBy"]["email"] == "op@museum.example"
    assert whole["files"] == {"main.js": 4}
    content = operator.get(f"{reactor}/script/versions/3/bundle")
    assert content.headers["content-type"] == "application/zip"
    assert bundles.read(content.content) == {"main.js": b"// 3"}
    assert operator.get(f"{reactor}/script/versions/9").status == 404
    assert operator.get(f"{reactor}/script/versions/x").status == 400


def test_what_is_uploaded_again_as_it_was_takes_no_more_room(world, operator, reactor):
    for text in (HELLO, HELLO, "// 2", HELLO):
        operator.put(f"{reactor}/script", {"script": text})
        world.settle()
        assert bundle_of(world)["main.js"] == text.encode()
    assert [each["version"] for each in operator.read(f"{reactor}/script/versions")] == [4, 3, 2, 1]
    assert len(list((world.folder / "bundles").rglob("*.zip"))) == 4, "the source and the bundle of each of two"


def test_an_earlier_version_runs_again_at_once(world, operator, reactor):
    for text in (HELLO, "// 2"):
        operator.put(f"{reactor}/script", {"script": text})
        world.settle()
    answer = operator.post(f"{reactor}/script/rollback", {"version": 1})
    assert (answer.status, answer.document["version"], answer.document["script"]) == (200, 1, HELLO)
    assert running(world).version == 1
    assert "onActionCreated" in running(world).filters
    operator.put(f"{reactor}/script", {"script": "// 3"})
    world.settle()
    assert running(world).version == 3
    assert sorted(entries(world)) == [("rollback", world.application_id), *[("upload", world.application_id)] * 3]


def test_a_version_that_was_not_installed_cannot_run(world, operator, reactor, installer):
    installer.trouble = Refused("no")
    operator.put(f"{reactor}/script", {"script": "1", "manifest": {"dependencies": {"a": "1"}}})
    assert operator.post(f"{reactor}/script/rollback", {"version": 1}).status == 409
    world.settle()
    answer = operator.post(f"{reactor}/script/rollback", {"version": 1})
    assert (answer.status, "is failed" in answer.error) == (409, True)
    assert operator.post(f"{reactor}/script/rollback", {"version": 2}).status == 404
    assert operator.post(f"{reactor}/script/rollback", {"version": "1"}).status == 400


def test_a_rollback_while_another_version_is_being_installed_wins(world, operator, reactor):
    operator.put(f"{reactor}/script", {"script": "1"})
    world.settle()
    operator.put(f"{reactor}/script", {"script": "2"})
    operator.post(f"{reactor}/script/rollback", {"version": 1})
    world.settle()
    assert running(world).version == 1
    assert operator.read(f"{reactor}/script/versions/2")["state"] == "ready"


def test_an_upload_while_another_one_is_being_made_ready_keeps_both_whole(world, operator, reactor, monkeypatch):
    operator.put(f"{reactor}/script", {"script": "1"})
    first = task_of(world)
    operator.put(f"{reactor}/script", {"script": "2"})
    real, seen = scripts.state, []

    def state(main, app):
        before = real(main, app)
        if not seen:
            seen.append(1)
            operator.put(f"{reactor}/script", {"script": "3"})
        return before

    monkeypatch.setattr(scripts, "state", state)
    assert install(first) == {"batchItemFailures": []}
    assert operator.read(f"{reactor}/script/versions/1")["state"] == "ready"
    world.settle()
    assert running(world).version == 3


def test_two_uploads_at_once_are_two_versions(world, operator, reactor, monkeypatch):
    real = scripts.state
    seen = []

    def state(main, app):
        before = real(main, app)
        if not seen:
            seen.append(1)
            operator.put(f"{reactor}/script", {"script": "the other"})
        return before

    monkeypatch.setattr(scripts, "state", state)
    assert operator.put(f"{reactor}/script", {"script": "mine"}).document["version"] == 2
    assert [each["version"] for each in operator.read(f"{reactor}/script/versions")] == [2, 1]


def test_an_application_of_another_project_is_not_found(world, operator, reactor):
    other = operator.made("/projects", {"name": "Other"})["id"]
    path = f"/projects/{other}/applications/{world.application_id}/reactor"
    assert operator.get(f"{path}/script").status == 404
    assert operator.put(f"{path}/script", {"script": "1"}).status == 404
    assert world.stranger.get(f"{reactor}/script").status == 404


def test_who_may_only_read_a_project_may_not_change_its_script(world, operator, reactor):
    reader = colleague(world, operator_role(world, "project_read", projects=(world.project,)))
    assert reader.client.get(f"{reactor}/script").status == 200
    assert reader.client.put(f"{reactor}/script", {"script": "1"}).status == 403
    assert world.trusted.get(f"{reactor}/script").status == 403


def test_limits_of_a_manifest_are_named():
    with pytest.raises(Invalid, match="65,536 bytes"):
        read_manifest("x" * 70_000)
    with pytest.raises(Invalid, match="100 dependencies"):
        read_manifest(json.dumps({"dependencies": {f"a{n}": "1" for n in range(101)}}))
