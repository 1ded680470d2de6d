"""What a runner promises, whichever adapter: how scripts are found and run, and that each ends alone and within limits.

The scripts are in the manner of published ones, and hostile ones. Needs Node.js 20 or newer with npm; the adapter with
bubblewrap needs that too, and says so where it cannot be used.
"""

import dataclasses
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fingerpost.aws.runner import LambdaRunner
from fingerpost.local.runner import ProcessRunner, built_runner
from fingerpost.local.sandbox import find_sandbox
from fingerpost.ports.runner import MAX_LINE_BYTES, MAX_LOG_LINES, Runner, RunRequest, RunResult
from fingerpost.reactor.bundles import pack
from fingerpost.reactor.rehearsal import Rehearsal, rehearsing
from tests.ports.some_of_lambda import some_of_lambda

BROKEN = "module.exports = () => {\n  null.x;\n};"
APP = {"id": "U2DTQ8000app1PVhSp5eMGNd", "project": "U2DTQ8000pro1PVhSp5eMGNd", "name": "Reacting"}
THNG = {"id": "U2DTQ8000thn1PVhSp5eMGNd", "name": "Pallet", "tags": ["new"], "properties": {"temperature": 4}}
ACTION = {"action": {"id": "U2DTQ8000act1PVhSp5eMGNd", "type": "scans", "thng": THNG["id"]}, "thng": THNG}


class Stage:
    """A runner and what it needs: bundles by name, and an API that notes what scripts ask of it."""

    def __init__(self, runner: Runner, bundles: dict[str, bytes], api: Rehearsal):
        self.runner, self.bundles, self.api = runner, bundles, api

    def run(self, main: str | dict[str, str], function: str = "onActionCreated", **given) -> RunResult:
        files = {"main.js": main} if isinstance(main, str) else main
        content = pack((path, text.encode()) for path, text in sorted(files.items()))
        name = f"bundle-{hash(content) & 0xFFFFFFFFFFFF:x}"
        self.bundles[name] = content
        self.api.asked.clear()
        request = RunRequest(
            bundle=name,
            tenant=APP["id"],
            function=function,
            payload=given.pop("payload", ACTION),
            api_url=self.api.url,
            api_key="trusted",
            app=APP,
            header="chain-1",
            **given,
        )
        return self.runner.run(request)


def messages(result: RunResult) -> list[str]:
    return [line.message for line in result.logs]


@pytest.fixture(scope="module", params=["process", "bubblewrap", "lambda"])
def stage(request) -> Iterator[Stage]:
    bundles: dict[str, bytes] = {}
    if request.param == "lambda":
        with rehearsing(APP, ACTION) as api, some_of_lambda(bundles) as (client, link):
            yield Stage(LambdaRunner(client, "runner", link), bundles, api)
        return
    sandbox = find_sandbox()
    if request.param == "bubblewrap" and sandbox.bwrap is None:
        pytest.skip("bubblewrap is not installed, or may not make namespaces here: the other adapter stands for it")
    if request.param == "process":
        sandbox = dataclasses.replace(sandbox, bwrap=None)
    runner = ProcessRunner(bundles.get, program=built_runner(), sandbox=sandbox, ahead=1)
    with rehearsing(APP, ACTION) as api:
        yield Stage(runner, bundles, api)
    runner.close()


# ---- how a function is found and when it has ended -----------------------------------------------------------------


@pytest.mark.parametrize(
    "main",
    [
        "function onActionCreated(event) { logger.info(event.action.type); done(); }",
        "const onActionCreated = (event) => { logger.info(event.action.type); done(); }",
        "let onActionCreated = async (event) => { logger.info(event.action.type); done(); }",
        "module.exports = { onActionCreated(event) { logger.info(event.action.type); done(); } };",
        "exports.onActionCreated = function (event) { logger.info(event.action.type); done(); };",
        "onActionCreated = (event) => { logger.info(event.action.type); done(); } // without a declaration",
        "#!/usr/bin/env node\n'use strict';\nfunction onActionCreated(e) { logger.info(e.action.type); done(); } //",
    ],
    ids=["declared", "const", "let", "exports", "assigned", "global", "strict"],
)
def test_a_function_is_found_however_it_is_given(stage, main):
    result = stage.run(main)
    assert (result.outcome, messages(result)) == ("done", ["scans"])


def test_a_promise_that_is_kept_ends_a_run(stage):
    result = stage.run("exports.onActionCreated = async () => { await null; logger.info('kept'); }")
    assert (result.outcome, messages(result)) == ("returned", ["kept"])


def test_what_a_kept_promise_did_not_wait_for_may_still_call_done(stage):
    result = stage.run("async function onActionCreated() { setTimeout(() => { logger.info('late'); done(); }, 50); }")
    assert (result.outcome, messages(result)) == ("done", ["late"])


def test_a_run_without_done_keeps_its_lines_and_says_so(stage):
    result = stage.run("function onActionCreated() { logger.info('first'); }")
    assert result.outcome == "notDone"
    assert messages(result) == ["first", "onActionCreated ended without calling done()"]


def test_done_may_be_passed_on_unbound_and_called_twice(stage):
    result = stage.run("function onActionCreated() { Promise.resolve('x').then(done).then(done); }")
    assert (result.outcome, messages(result)) == ("done", [])


def test_requests_that_nobody_waits_for_before_done_are_sent(stage):
    begun = "app.thng('U1').read().then(() => app.action('_fanOn').create({ thng: 'U1' }));"
    result = stage.run(f"function onActionCreated() {{ {begun} done(); }}")
    assert result.outcome == "done"
    asked = [(each.method, each.path) for each in stage.api.asked]
    assert asked == [("GET", "/thngs/U1"), ("POST", "/actions/_fanOn")]


def test_after_done_nothing_goes_on_for_long(stage):
    result = stage.run("function onActionCreated() { setInterval(() => {}, 10); done(); }")
    assert (result.outcome, messages(result)) == ("done", [])
    exit_ = stage.run("async function onActionCreated() { done(); setTimeout(() => process.exit(3), 10); }")
    assert (exit_.outcome, messages(exit_)) == ("done", [])


def test_a_custom_function_is_called_when_it_is_exported_and_only_then(stage):
    declared = stage.run("function everyNight(event) { done(); }", "everyNight")
    assert (declared.outcome, messages(declared)) == ("absent", ["The script has no function everyNight"])
    exported = stage.run(
        "exports.everyNight = (event) => { logger.info(event.foo); done(); }", "everyNight", payload={"foo": "bar"}
    )
    assert (exported.outcome, messages(exported)) == ("done", ["bar"])


def test_an_empty_script_has_no_function(stage):
    assert stage.run("").outcome == "absent"


def test_the_logger_is_unbound_takes_errors_and_documents_and_console_is_not_in_the_log(stage):
    result = stage.run(
        """
        const { debug } = logger;
        function onActionCreated() {
          console.log('not in the log'); console.error('nor this'); process.stdout.write('nor that');
          debug('one', 2); logger.warn({ status: 404 }); [new Error('no')].forEach(logger.error); done();
        }"""
    )
    assert [(line.level, line.message) for line in result.logs] == [
        ("debug", "one 2"),
        ("warn", '{"status":404}'),
        ("error", "Error: no 0 [{}]"),
    ]


def test_the_globals_are_there_before_the_script_loads_and_app_knows_itself(stage):
    result = stage.run(
        """
        const { EVT, app, logger, done } = global;
        logger.info([app.id, app.project, app.apiKey, typeof EVT.TrustedApp]);
        exports.onActionCreated = () => done();"""
    )
    assert messages(result) == [json.dumps([APP["id"], APP["project"], "trusted", "function"], separators=(",", ":"))]
    assert stage.api.asked == []  # it was told, and did not have to ask


@pytest.mark.parametrize(
    ("main", "says"),
    [
        ("throw new TypeError('at load');", "TypeError: at load"),
        ("function onActionCreated( {", "SyntaxError"),
        ("export function onActionCreated() {}", "SyntaxError: Unexpected token 'export'"),
        ("import fs from 'fs';\nconst a = await fs;", "main.js:1\nimport fs from 'fs';"),
        ("require('nowhere')", "Cannot find module 'nowhere'"),
        ("function onActionCreated() { throw new Error('inside'); }", "Error: inside"),
        ("async function onActionCreated() { throw new Error('awaited'); }", "Error: awaited"),
        ("function onActionCreated() { Promise.reject(new Error('unseen')); }", "Error: unseen"),
        ("function onActionCreated() { setTimeout(() => { throw new Error('later'); }, 1); }", "Error: later"),
        ("async function onActionCreated() { throw { status: 404, errors: ['gone'] }; }", '"errors":["gone"]'),
    ],
)
def test_what_is_thrown_ends_as_a_log_entry(stage, main, says):
    result = stage.run(main)
    assert result.outcome == "error"
    assert [line.level for line in result.logs] == ["error"]
    assert says in result.logs[0].message


# ---- bundles and what they find ------------------------------------------------------------------------------------


def test_a_bundle_has_other_files_packages_and_its_root_as_working_directory(stage):
    result = stage.run(
        {
            "main.js": """
                const fs = require('fs');
                const handle = require('./handlers/scans.js');
                const state = require('./state.json');
                exports.onActionCreated = (event) => {
                  logger.info(fs.readFileSync('.env', 'utf8'), fs.readFileSync('./state.json', 'utf8').length,
                    state.first, handle(event), __dirname === process.cwd(), fs.readdirSync('.').length);
                  done();
                };""",
            "handlers/scans.js": "const upper = require('upper'); module.exports = (e) => upper(e.action.type);",
            "node_modules/upper/package.json": '{"name": "upper", "version": "1.0.0", "main": "lib/index.js"}',
            "node_modules/upper/lib/index.js": "module.exports = (text) => text.toUpperCase();",
            "state.json": '{"first": "made"}',
            ".env": "TOKEN=x",
        }
    )
    assert (result.outcome, messages(result)) == ("done", ["TOKEN=x 17 made SCANS true 5"])


def test_the_sdk_reaches_the_api_with_the_key_and_carries_the_chain(stage):
    result = stage.run(
        """
        const EVT2 = require('evrythng-extended');
        exports.onActionCreated = async (event) => {
          const thng = await app.thng(event.action.thng).read();
          await app.thng(thng.id).update({ tags: [...thng.tags, 'produced'] });
          await app.action('_Checked').create({ thng: thng.id });
          logger.info(thng.name, EVT2 === EVT);
        };"""
    )
    assert (result.outcome, messages(result)) == ("returned", ["Pallet true"])
    asked = [(each.method, each.path, each.key, each.chain) for each in stage.api.asked]
    assert asked == [
        ("GET", f"/thngs/{THNG['id']}", "trusted", "chain-1"),
        ("PUT", f"/thngs/{THNG['id']}", "trusted", "chain-1"),
        ("POST", "/actions/_Checked", "trusted", "chain-1"),
    ]
    assert stage.api.asked[1].body == {"tags": ["new", "produced"]}


def test_the_latest_sdk_is_the_one_when_the_manifest_asks_for_it(stage):
    result = stage.run(
        {
            "main.js": """
                const evrythng = require('evrythng');
                exports.onActionCreated = async (event) => {
                  await app.init();
                  const thng = await app.thng(event.action.thng).read();
                  await app.thng(thng.id).property('state').update('seen');
                  logger.info(thng.name, app.id, app.project, evrythng === EVT);
                };""",
            "package.json": '{"dependencies": {"evrythng": "^6.0.0"}}',
        }
    )
    assert messages(result) == [f"Pallet {APP['id']} {APP['project']} true"]
    assert [(each.method, each.key, each.chain) for each in stage.api.asked] == [
        ("GET", "trusted", "chain-1"),
        ("PUT", "trusted", "chain-1"),
    ]


def test_a_bundle_that_brings_another_major_version_of_the_sdk_gets_that(stage):
    result = stage.run(
        {
            "main.js": "exports.onActionCreated = () => { logger.info(require('evrythng').old); done(); };",
            "node_modules/evrythng/package.json": '{"version": "5.9.1", "main": "index.js"}',
            "node_modules/evrythng/index.js": "exports.old = 'its own';",
        }
    )
    assert messages(result) == ["its own"]


def test_runasync_which_published_scripts_require_is_supplied(stage):
    result = stage.run(
        """
        const runAsync = require('reactor-runasync');
        const onActionCreated = (event) => runAsync(async () => {
          await app.thng(event.action.thng).property('state').update('seen');
          throw { errors: ['one', 'two'] };
        });"""
    )
    assert (result.outcome, messages(result)) == ("done", ["one; two"])
    assert [each.path for each in stage.api.asked] == [f"/thngs/{THNG['id']}/properties/state"]


def test_an_api_that_cannot_be_reached_rejects_and_hangs_nothing(stage):
    result = stage.run(
        """
        function onActionCreated() {
          EVT.setup({ apiUrl: 'http://127.0.0.1:1' });
          app.thng('x').read().catch(logger.error).then(done);
        }"""
    )
    assert result.outcome == "done"
    assert "ECONNREFUSED" in messages(result)[0]


# ---- hostile scripts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "for (;;) {}",
        "/(a+)+$/.test('a'.repeat(64) + 'b');",
        "return (async () => { for (;;) await null; })();",
        "setInterval(() => {}, 10);",
        "return new Promise((kept) => setInterval(() => {}, 10));",
        "process.removeAllListeners(); process.on('exit', () => { for (;;) {} }); process.exit();",
    ],
    ids=["sync", "regex", "async", "timers", "promise", "at-exit"],
)
def test_an_endless_loop_is_ended_at_the_limit_and_keeps_what_it_logged(stage, body):
    result = stage.run(f"function onActionCreated() {{ logger.info('begun'); {body} }}", time_limit_ms=400)
    assert result.outcome == "timeout"
    assert messages(result) == ["begun", "onActionCreated was ended: it took longer than 400 ms, the time limit"]


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ("process.exit(3);", "code 3"),
        ("process.reallyExit(4);", "code 4"),
        ("process.abort();", "signal 6"),
        ("process.removeAllListeners('exit'); process.exit(5);", "code 5"),
    ],
)
def test_an_exit_ends_that_run_and_says_how(stage, body, how):
    result = stage.run(f"function onActionCreated() {{ {body} }}")
    assert result.outcome == "exited"
    said = how if "abort" not in body else messages(result)[0].split("(")[1].split(")")[0]
    assert messages(result) == [f"onActionCreated ended its own process ({said}) before done()"]


@pytest.mark.parametrize(
    "body",
    [
        "const kept = []; for (;;) kept.push(new Array(1e6).fill(Math.random()));",
        "Buffer.alloc(1 << 30, 1); done();",
        "const kept = []; for (;;) kept.push(Buffer.alloc(1 << 24, 1));",
        "new Float64Array(1 << 27).fill(1); done();",
        "let text = 'x'; const kept = []; for (;;) { kept.push(JSON.parse(JSON.stringify(text.repeat(1 << 22)))); }",
    ],
    ids=["array", "gigabyte", "buffers", "typed", "text"],
)
def test_too_much_memory_ends_that_run_and_names_the_limit(stage, body):
    result = stage.run(f"function onActionCreated() {{ logger.info('begun'); {body} }}", memory_mb=64)
    assert result.outcome == "memory"
    assert messages(result) == ["begun", "onActionCreated was ended: it needed more than 64 MB, the memory limit"]


def test_an_error_is_shown_as_its_author_knows_the_script(stage):
    thrown = stage.run({"main.js": "const f = require('./lib/f');\nonActionCreated = () => f();", "lib/f.js": BROKEN})
    (message,) = messages(thrown)
    assert message.splitlines()[:3] == [
        "TypeError: Cannot read properties of null (reading 'x')",
        "    at module.exports (lib/f.js:2:8)",
        "    at onActionCreated (main.js:2:25)",
    ]
    assert "child.js" not in message
    (message,) = messages(stage.run("function onActionCreated() {\n  if (1 {\n}"))
    assert message.splitlines()[:2] == ["main.js:2", "  if (1 {"]
    assert "SyntaxError: Unexpected token '{'" in message


def test_what_emscripten_asks_for_as_it_loads_is_there(stage):
    result = stage.run(
        "function onActionCreated() { logger.info(process['binding']('constants').fs.O_APPEND); done(); }"
    )
    assert messages(result) == ["1024"]


@pytest.mark.parametrize(
    "attempt",
    [
        "require('child_process').fork('main.js')",
        "require('child_process').spawnSync('sleep', ['60'])",
        "require('cluster').fork()",
        "new (require('worker_threads').Worker)('main.js')",
        "process.binding('spawn_sync')",
        "process.dlopen({ exports: {} }, '/tmp/x.node')",
        "process.kill(process.ppid, 'SIGKILL')",
        "process._debugProcess(process.ppid)",
        "require('fs').writeFileSync('main.js', 'other')",
        "require('fs').writeFileSync('/tmp/left-by-a-script', 'x')",
        "require('fs').symlinkSync('/etc', 'etc')",
        "require('fs').readFileSync('/etc/passwd')",
        "require('fs').readFileSync('/proc/self/environ')",
        "require('fs').readdirSync('..')",
        "require('../../../etc/passwd')",
        "require('v8').setFlagsFromString('--max-old-space-size=8000')",
        "require('v8').writeHeapSnapshot()",
        "require('inspector').open(0)",
    ],
)
def test_what_reaches_out_of_the_process_is_refused(stage, attempt):
    script = f"""
        function onActionCreated() {{
          try {{ {attempt}; logger.error('it could'); }} catch (error) {{ logger.info('refused'); }}
          done();
        }}"""
    result = stage.run(script)
    assert (result.outcome, messages(result)) == ("done", ["refused"])
    assert not Path("/tmp/left-by-a-script").exists()


def test_a_fork_bomb_ends_that_run(stage):
    result = stage.run("function onActionCreated() { for (;;) require('child_process').fork(__filename); }")
    assert result.outcome == "error"
    assert "restricted" in messages(result)[0]


def test_the_environment_is_empty_even_for_who_leaves_a_context(stage, monkeypatch):
    monkeypatch.setenv("FINGERPOST_SECRET", "of the server")
    result = stage.run(
        """
        function onActionCreated() {
          const escaped = logger.info.constructor('return process')();
          logger.info(Object.keys(escaped.env)); done();
        }"""
    )
    assert set(json.loads(messages(result)[0])) <= {"PWD", "SHLVL", "_", "OLDPWD"}  # a shell's own, on the way here


def test_a_script_sees_no_other_bundle_and_nothing_of_the_run_before(stage):
    first = stage.run({"main.js": "exports.onActionCreated = () => { global.left = 1; done(); }", "secret.txt": "x"})
    assert first.outcome == "done"
    second = stage.run(
        """
        function onActionCreated() {
          const fs = require('fs'), path = require('path');
          const read = (place) => { try { return fs.readdirSync(place); } catch { return 'refused'; } };
          logger.info(typeof left, read('.'), read('..'), read(path.join('..', 'bundles')), read('/tmp'));
          done();
        }"""
    )
    assert messages(second) == ['undefined ["main.js"] refused refused refused']


def test_a_script_that_writes_on_the_runners_own_channel_harms_its_own_log_alone(stage):
    result = stage.run(
        r"""
        function onActionCreated() {
          const say = (text) => require('fs').writeSync(1, text);
          say('nonsense\n[]\n["log", "shout", "x", 1]\n["log", "info", 7, 1]\n["end", "unavailable", "x"]\n');
          say('['.repeat(100000) + '\n'); say('x'.repeat(1 << 20)); say('\n');
          logger.info('mine'); done();
        }"""
    )
    [said] = messages(result)
    assert said.startswith("onActionCreated ended its own process")


def test_a_log_is_bounded_in_lines_and_in_the_length_of_each(stage):
    result = stage.run(
        f"""
        function onActionCreated() {{
          logger.info('€'.repeat({MAX_LINE_BYTES}));
          for (let i = 0; i < 3000; i += 1) logger.info(i);
          done();
        }}"""
    )
    assert result.outcome == "done"
    first, *_, last = messages(result)
    assert len(first.encode()) <= MAX_LINE_BYTES
    assert first.endswith("(cut: a line holds at most 16,384 bytes)")
    assert len(result.logs) == MAX_LOG_LINES + 1
    assert "The log of this run was cut" in last


def test_the_next_run_of_another_is_not_held_up_by_an_endless_one(stage):
    endless = threading.Thread(
        target=stage.run, args=("function onActionCreated() { for (;;) {} }",), kwargs={"time_limit_ms": 3_000}
    )
    endless.start()
    try:
        assert stage.run("function onActionCreated() { done(); }").outcome == "done"
        assert endless.is_alive()
    finally:
        endless.join()


def test_no_process_and_no_file_is_left_of_a_run(stage):
    stage.run("function onActionCreated() { for (;;) {} }", time_limit_ms=300)
    if isinstance(stage.runner, ProcessRunner):
        stage.runner.warm()
        folders = {path.name for path in stage.runner._folder.iterdir() if path.name.startswith("run-")}
        assert folders == {process.home.name for process in stage.runner._waiting}


def test_many_bundles_give_way_and_come_back(stage, monkeypatch):
    monkeypatch.setattr("fingerpost.local.runner.KEPT_BUNDLES", 2)
    scripts = [f"function onActionCreated() {{ logger.info({each}); done(); }}" for each in range(4)]
    said = [messages(stage.run(script)) for script in [*scripts, scripts[0], scripts[0]]]
    assert said == [["0"], ["1"], ["2"], ["3"], ["0"], ["0"]]


# ---- what cannot run -----------------------------------------------------------------------------------------------


def test_a_bundle_that_is_not_there_or_no_bundle_is_said_to_be_unavailable(stage):
    stage.bundles["broken"] = b"no zip"
    for name in ("nowhere", "broken"):
        request = RunRequest(
            bundle=name, tenant="t", function="f", payload={}, api_url="http://127.0.0.1:1", api_key="k", app=APP
        )
        result = stage.runner.run(request)
        assert (result.outcome, result.logs) == ("unavailable", ())
        assert "bundle" in result.detail


def test_the_key_is_not_in_what_a_request_shows():
    request = RunRequest(bundle="b", tenant="t", function="f", payload={}, api_url="u", api_key="hidden", app=APP)
    assert "hidden" not in repr(request)


def test_node_is_here():
    assert shutil.which("npm") is not None, "npm is needed to build the runner; install Node.js 20 or newer"
