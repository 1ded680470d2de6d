"""What `sam build` made, run as Lambda runs it: a process a function, with nothing on its path but what it is deployed
with and what the runtime brings. The rest of AWS is DynamoDB's engine and a few answers."""

import fcntl
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.template import ROOT, Loader

BUILT = ROOT / ".aws-sam" / "build"
SITE = Path(yaml.__file__).parents[1]  # the packages of the environment that the tests run in
SECRET = json.dumps({"current": 1, "1": "5e" * 32})
EDGE_SECRET = "known to CloudFront"
DOMAIN, API_URL = "tn.example", "https://api.example"

# Reads {"event"} or {"loaded"} a line and answers a line. Packages with machine code are in the layer for Lambda's
# processor: where the layer has such a file, the same package's file for this one is taken instead.
PROGRAM = """
import importlib, json, os, sys
from importlib.machinery import PathFinder
from pathlib import Path
given = json.loads(sys.argv[1])
sys.path[:0] = given["paths"]
site, runtime = Path(given["site"]), set(given["runtime"])
class Stand:
    @staticmethod
    def find_spec(name, path=None, target=None):
        relative = name.replace(".", "/")
        if any(any(Path(each).glob(relative + ".*so")) for each in given["paths"]):
            return PathFinder.find_spec(name, [str((site / relative).parent)])
        return None
class Runtime:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return PathFinder.find_spec(name, [str(site)]) if name in runtime else None
sys.meta_path.insert(0, Stand)
sys.meta_path.append(Runtime)
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
before = set(sys.modules)
module, _, name = given["handler"].partition(".")
handler = importlib.import_module(module)
for part in name.split("."):
    handler = getattr(handler, part)
for line in sys.stdin:
    asked = json.loads(line)
    if "event" in asked:
        said = handler(asked["event"], None)
    else:
        said = {name: getattr(module, "__file__", None) for name, module in sys.modules.items() if name not in before}
    print(json.dumps(said), file=answers, flush=True)
"""

RUNTIME = [
    "boto3",
    "botocore",
    "dateutil",
    "jmespath",
    "s3transfer",
    "six",
    "urllib3",
]  # Lambda has them without a layer


def sources() -> Iterator[Path]:
    """Every file that the build reads."""
    yield ROOT / "template.yaml"
    for folder in ("functions", "layers", "rules"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not {"__pycache__", "fingerpost.egg-info"} & set(path.parts):
                yield path


def build() -> dict[str, Any]:
    """The template that `make build` wrote, built again when it is older than what it is made of."""
    made = BUILT / "template.yaml"
    (ROOT / ".cache").mkdir(exist_ok=True)
    with (ROOT / ".cache" / "building").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not made.exists() or made.stat().st_mtime < max(path.stat().st_mtime for path in sources()):
            done = subprocess.run(["make", "build"], cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            made.touch()
    template: dict[str, Any] = yaml.load(made.read_text(), Loader)
    return template


class Built:
    """A built stack. Logical ids are the template's."""

    def __init__(self, template: dict[str, Any]):
        self.template, self.resources = template, template["Resources"]
        self.functions = {
            re.sub("Function$", "", name).lower(): name
            for name, resource in self.resources.items()
            if resource["Type"] == "AWS::Serverless::Function" and "Runtime" not in resource["Properties"]
        }

    def folder(self, logical_id: str) -> Path:
        properties = self.resources[logical_id]["Properties"]
        return (BUILT / (properties.get("CodeUri") or properties["ContentUri"])).resolve()

    def layers(self, function: str) -> list[Path]:
        return [self.folder(each["Ref"]) for each in self.properties(function)["Layers"]]

    def properties(self, function: str) -> dict[str, Any]:
        found: dict[str, Any] = self.resources[self.functions[function]]["Properties"]
        return found

    def paths(self, function: str) -> list[Path]:
        """What Lambda puts before its own packages: the function, then what its layers bring below /opt/python."""
        below = [layer / "python" for layer in self.layers(function)]
        return [self.folder(self.functions[function]), *(path for path in below if path.is_dir())]

    def handler(self, function: str) -> str:
        given: str = self.properties(function).get("Handler", self.template["Globals"]["Function"]["Handler"])
        return given

    def environment(self, function: str, values: dict[str, str]) -> dict[str, str]:
        """The function's variables. `values` stand for what resources are once they are deployed, by logical id."""
        variables = dict(self.template["Globals"]["Function"]["Environment"]["Variables"])
        variables |= self.properties(function).get("Environment", {}).get("Variables", {})
        said = {name: valued(content, values) for name, content in variables.items()}
        [rules] = [layer for layer in self.layers(function) if (layer / "language").is_dir()] or [Path("/none")]
        return said | {"RULES_HOME": str(rules)} if said["RULES_HOME"] == "/opt" else said


def valued(content: Any, values: dict[str, str]) -> str:
    match content:
        case str():
            return content
        case {"Ref": name}:
            return values[name]
        case {"Fn::GetAtt": [name, _]}:
            return values[name]
        case {"Fn::GetAtt": str(path)}:
            return values[path.partition(".")[0]]
        case {"Fn::If": [_, _, otherwise]}:
            return valued(otherwise, values)
        case {"Fn::Sub": str(text)}:
            if resolved := re.fullmatch(r"\{\{resolve:secretsmanager:\$\{(\w+)\}\}\}", text):
                return values[resolved[1]]
            return re.sub(r"\$\{([\w:]+)\}", lambda found: values[found[1]], text)
    raise AssertionError(f"no value for {content}")


class Process:
    """One execution environment of a function."""

    def __init__(self, built: Built, function: str, environment: dict[str, str], log: Path):
        given = {
            "paths": [str(path) for path in built.paths(function)],
            "handler": built.handler(function),
            "site": str(SITE),
            "runtime": RUNTIME,
        }
        self.log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, json.dumps(given)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                text=True,
            )

    def ask(self, asked: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self._process.stdout.readline()
        assert line, self.log.read_text()
        return json.loads(line)

    def call(self, event: Any) -> Any:
        return self.ask({"event": event})

    def loaded(self) -> dict[str, str | None]:
        """Modules that the function made the process load, and their files."""
        found: dict[str, str | None] = self.ask({"loaded": True})
        return found

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class Aws(BaseHTTPRequestHandler):
    """Secrets Manager, SQS, Scheduler, open connections, and an S3 bucket that keeps what is put there, also
    CloudFormation's answers; as far as they are used."""

    protocol_version = "HTTP/1.1"
    kept: dict[str, bytes]
    sent: list[str]

    def do_POST(self) -> None:
        if "/@connections/" in self.path:
            self.sent.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.answer(200, b"")
            return
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.startswith("/schedules/"):
            self.kept[self.path] = json.dumps(document).encode()
            self.answer(200, json.dumps({"ScheduleArn": self.path}).encode(), "application/json")
            return
        match self.headers.get("X-Amz-Target", "").rpartition(".")[2]:
            case "GetSecretValue":
                self.answer(200, json.dumps({"Name": document["SecretId"], "SecretString": SECRET}).encode())
            case "PutSecretValue":
                self.kept[f"secret {document['SecretId']}"] = document["SecretString"].encode()
                self.answer(200, json.dumps({"Name": document["SecretId"], "VersionId": "1"}).encode())
            case "SendMessage":
                self.sent.append(document["MessageBody"])
                self.answer(200, json.dumps({"MessageId": "1", "MD5OfMessageBody": ""}).encode())
            case other:
                self.answer(400, json.dumps({"__type": "InvalidAction", "message": other}).encode())

    def do_GET(self) -> None:
        if (content := self.kept.get(self.path.partition("?")[0])) is not None:
            self.answer(200, content)
        else:
            self.answer(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>", "application/xml")

    def do_PUT(self) -> None:
        length = int(self.headers.get("X-Amz-Decoded-Content-Length") or self.headers["Content-Length"])
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.kept[self.path.partition("?")[0]] = body[-length:]
        self.answer(200, b"")

    def do_DELETE(self) -> None:
        self.kept.pop(self.path.partition("?")[0], None)
        self.answer(204, b"")

    def answer(self, status: int, body: bytes, content_type: str = "application/x-amz-json-1.0") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def some_of_aws() -> Iterator[tuple[str, type[Aws]]]:
    """Its URL, and the class that holds what was `sent` to queues and `kept` in S3."""
    handler = type("Running", (Aws,), {"kept": {}, "sent": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
