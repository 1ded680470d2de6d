"""Packages are fetched from the registry alone, within limits, and nothing of theirs runs; both adapters do the same.

They run functions/installer, which needs Node.js 20 or newer with npm. The registry is one of ours.
"""

import io
import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fingerpost.aws import installer as aws
from fingerpost.aws.installer import LambdaInstaller
from fingerpost.local import installer as local
from fingerpost.local.blobs import FolderBlobs
from fingerpost.local.built import built
from fingerpost.local.installer import ProcessInstaller
from fingerpost.ports.installer import Refused
from fingerpost.ports.table import Unreachable
from fingerpost.reactor import bundles
from tests.ports.registry import serving

LAMBDA = """
const { handler } = require(process.argv[1] + '/lambda.cjs');
handler(JSON.parse(require('fs').readFileSync(0))).then((said) => console.log(JSON.stringify(said)), (error) => {
  console.error(error.stack);
  process.exit(1);
});
"""


@pytest.fixture(scope="module")
def program():
    return built("installer", "build-InstallerFunction")


@pytest.fixture
def registry(tmp_path, monkeypatch):
    with serving() as each:
        (tmp_path / "npmrc").write_text(f"registry={each.url}\nfetch-retry-mintimeout=10\nfetch-retry-maxtimeout=20\n")
        monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
        monkeypatch.setenv("npm_config_registry", each.url)
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
        yield each


class SomeOfLambda:
    """As much of boto3's clients as the adapter uses, with a bucket that takes what is put at an address."""

    def __init__(self, program, blobs):
        self._program, self._blobs = program, blobs

        class Bucket(BaseHTTPRequestHandler):
            def do_PUT(bucket):
                content = bucket.rfile.read(int(bucket.headers["content-length"]))
                blobs.put_if_absent(bucket.path.lstrip("/"), content, content_type=bucket.headers["content-type"])
                bucket.send_response(200)
                bucket.send_header("content-length", "0")
                bucket.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def generate_presigned_url(self, action, Params, ExpiresIn):
        assert action == "put_object" and ExpiresIn <= 300
        return f"http://127.0.0.1:{self.server.server_address[1]}/{Params['Key']}"

    def invoke(self, FunctionName, Payload):
        command = ["node", "-e", LAMBDA, str(self._program)]
        done = subprocess.run(command, input=Payload, capture_output=True, check=False)
        if done.returncode:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(done.stderr)}
        return {"Payload": io.BytesIO(done.stdout)}


@pytest.fixture(params=["local", "lambda"])
def installer(request, program, tmp_path):
    if request.param == "local":
        yield ProcessInstaller(program)
        return
    blobs = FolderBlobs(tmp_path / "blobs")
    some = SomeOfLambda(program, blobs)
    yield LambdaInstaller(some, "installer", some, "bucket", blobs)
    some.server.shutdown()
    some.server.server_close()
    assert list((tmp_path / "blobs").rglob("*.zip")) == [], "what was left for a moment is gone"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("function onActionCreated() {\n  let a = ;\n}\n", "main.js:2:11: Unexpected token ';'"),
        ("import app from 'app';", "main.js:1:1: Cannot use import statement outside a module"),
        ("export const a = 1;", "main.js:1:1: Unexpected token 'export'"),
        ("await 1;", "main.js:1:1: await is only valid in async functions"),
        ("const require = 1;", "main.js:1:7: Identifier 'require' has already been declared"),
        ("}); throw new Error('ran'); (function () {", "main.js:1:1: Unexpected token '}'"),
        ("\ud800 {", "main.js"),
        ("x" * 100_000 + " y", "main.js"),
        ("(" * 1_000_000, "main.js"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused_with_its_place(installer, source, said):
    with pytest.raises(Refused) as refused:
        installer.check(source)
    assert str(refused.value).startswith(said) and len(str(refused.value)) < 1_000


@pytest.mark.parametrize(
    "source",
    [
        "",
        "\ufeffmodule.exports = { onActionCreated: async () => { await 1; } };",
        "#!/usr/bin/env node\nif (!EVT) return;\nwith (Math) { max(1); }",
        "import('app'); for (const a of []) a?.b; class A { #b = 1; static { this.c ??= 1n; } }",
        "throw new Error('it runs'); process.exit(1)",
        "// @filter(onActionCreated) tags=ü\n" * 20_000,
    ],
)
def test_a_source_that_can_be_read_is_let_pass_and_not_run(installer, source):
    installer.check(source)


def test_packages_come_with_what_they_need_in_turn(installer, registry):
    registry.add("inner", {"index.js": b"exports.a = 1;"})
    registry.add("outer", {"index.js": b"module.exports = require('inner');"}, dependencies={"inner": "^1.0.0"})
    files = bundles.read(installer.install({"outer": "1"}))
    assert files["node_modules/inner/index.js"] == b"exports.a = 1;"
    packages = [f"node_modules/{name}" for name in ("inner", "outer")]
    assert set(files) == {f"{package}/{each}" for package in packages for each in ("index.js", "package.json")}


def test_nothing_of_theirs_runs_and_commands_are_not_linked(installer, registry, tmp_path):
    scripts = dict.fromkeys(("preinstall", "install", "postinstall", "prepare"), f"touch {tmp_path}/ran")
    registry.add("eager", {"run.js": b""}, scripts=scripts, bin={"eager": "run.js"})
    files = bundles.read(installer.install({"eager": "*"}))
    assert not (tmp_path / "ran").exists()
    assert not [path for path in files if ".bin" in path]


@pytest.mark.parametrize(
    "wanted",
    ["git+https://127.0.0.1:9/x.git", "git://127.0.0.1:9/x", "file:../../etc", "http://127.0.0.1:9/x.tgz", "nobody/x"],
)
def test_what_a_package_wants_from_elsewhere_is_refused(installer, registry, wanted):
    registry.add("outer", {}, dependencies={"inner": wanted})
    with pytest.raises(Refused, match="npm: E"):
        installer.install({"outer": "1"})


def test_a_package_that_is_not_there_is_named(installer, registry):
    with pytest.raises(Refused, match="nothing-of-the-kind"):
        installer.install({"nothing-of-the-kind": "1"})
    registry.add("there", {})
    with pytest.raises(Refused, match="ETARGET"):
        installer.install({"there": "^2.0.0"})


def test_a_registry_that_does_not_answer_is_no_fault_of_the_script(installer, registry, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        installer.install({"there": "1"})


def limited(monkeypatch, **limits):
    for module in (local, aws):
        for name, value in limits.items():
            monkeypatch.setattr(module, name, value)


def test_more_than_the_limits_is_refused_by_their_names(installer, registry, monkeypatch):
    registry.add("large", {f"{number}.js": b"x" * 1000 for number in range(20)})
    limited(monkeypatch, MAX_FILES=10)
    with pytest.raises(Refused, match="more than 10 files"):
        installer.install({"large": "1"})
    limited(monkeypatch, MAX_FILES=1_000, MAX_UNPACKED_BYTES=5_000)
    with pytest.raises(Refused, match="more than 5000 bytes"):
        installer.install({"large": "1"})


def test_npm_is_ended_when_its_time_is_up(installer, registry, monkeypatch):
    registry.hanging = threading.Event()
    limited(monkeypatch, TIME_LIMIT_MS=1_500)
    with pytest.raises(Refused, match="longer than 1500 ms"):
        installer.install({"there": "1"})


def test_what_breaks_is_tried_again(tmp_path, monkeypatch):
    (tmp_path / "here.cjs").write_text("process.exit(7);")
    with pytest.raises(Unreachable, match="broke"):
        ProcessInstaller(tmp_path).install({"a": "1"})
    answers = {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"out of memory")}
    says = {"invoke": lambda self, **_: answers, "generate_presigned_url": lambda self, *_, **__: ""}
    some = type("Some", (), says)()
    with pytest.raises(Unreachable, match="out of memory"):
        LambdaInstaller(some, "f", some, "b", FolderBlobs(tmp_path)).install({"a": "1"})
    answers = {"Payload": io.BytesIO(json.dumps({"installed": True}).encode())}
    with pytest.raises(Unreachable, match="not kept"):
        LambdaInstaller(some, "f", some, "b", FolderBlobs(tmp_path)).install({"a": "1"})
