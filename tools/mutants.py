"""Mutation testing: how many small faults in the rule language and the table adapters the tests notice.

Run by `make mutants` in the environment of requirements-mutants.lock. `ARGS="rules/nodes local/items"` runs some
modules, `--show` prints what survived without running anything, `--fresh` forgets what earlier runs found.

mutmut makes the mutants and runs, in a fork each, the tests that reach the changed function. It forks from a process
that has imported everything, so what runs at import or is cached keeps its first shape there: a survivor is looked at
again in a process of its own, mutated from its start, by every test of its module that has its examples written down.
So is one that mutmut gave up waiting for, since its limit is short on a busy machine; one that is explained is not.

A module's mutants and verdicts stay below .cache/mutants: only changed functions and, after a change of the module's
tests, its survivors are tried again. A survivor is explained when docs/mutants.md quotes its changed lines. Exits with
1 when one is not.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from mutmut.configuration import reset_config
from mutmut.mutation.diff_apply import get_diff_for_mutant

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "layers" / "core" / "python"
CACHE = ROOT / ".cache" / "mutants"
EXPLAINED = ROOT / "docs" / "mutants.md"

LOCAL = (
    "tests/ports/test_table.py",
    "tests/ports/test_table_conditions.py",
    "tests/ports/test_table_model.py",
    "tests/ports/test_table_ranges.py",
    "tests/ports/test_feed.py",
    "tests/ports/test_sqlite_store.py",
    "tests/ports/test_sqlite_sessions.py",
    "tests/ports/test_table_refusals.py",
    "tests/unit/local/test_items.py",
)
AWS = ("expressions", "marshal", "rows", "transactions")  # each has tests of what it sends, without an engine
PLAN = ("tests/unit/test_plan.py", "tests/unit/test_plan_random.py")
EXPRESSIONS = ("match_language", "findings", "literals", "scanner", "fields")
RULE_TESTS = {  # the files of tests/rules that answer for a module; the others would only take longer
    "check": ("check",),
    "compile": EXPRESSIONS,
    "differences": ("differences",),
    "explain": ("explain",),
    "field_index": ("field_index", "candidates", "ruleset"),
    "fields": ("fields", "match_language"),
    "literals": EXPRESSIONS,
    "overlap": ("overlap",),
    "printing": ("printing", "language_properties"),
    "scanner": EXPRESSIONS,
    "target": ("target", "template"),
    "template": ("template", "template_refusals", "target"),
}

# The module, the tests that answer for it, and which of them: a contract's tests run on one adapter, and none starts a
# process of its own, which would run mutmut's copy of the code without mutmut.
MODULES: dict[str, tuple[tuple[str, ...], str]] = {
    **{f"rules/{name}": (("tests/rules", *PLAN), "") for name in ("nodes", "patterns", "ruleset")},
    **{
        f"rules/{name}": (tuple(f"tests/rules/test_{test}.py" for test in tests), "not test_filling_loads_neither")
        for name, tests in RULE_TESTS.items()
    },
    "rules/plan": (PLAN, ""),
    **{f"local/{name}": (LOCAL, "not dynoxide and not sudden_death") for name in ("items", "table", "store")},
    **{f"aws/{name}": ((f"tests/unit/aws/test_{name}.py",), "") for name in AWS},
    "aws/table": (("tests/unit/aws/test_table.py", "tests/unit/aws/test_table_reads.py"), ""),
}

KILLED = {1, 3}  # pytest's exit codes: a test failed, pytest itself did
TIMED_OUT = {-24, 24, 152, 255, 36}  # the limit of CPU time; a mutant that never ends is noticed too

NEVER_ENDED = 36
DOUBTED = 3
TOO_LONG = 5  # times what the tests take without a mutant
TEST_WITHIN_S = 20  # the slowest takes a second on an idle machine


@dataclass(frozen=True, slots=True)
class Score:
    """What became of one module's mutants."""

    module: str
    killed: int
    timed_out: int
    survivors: tuple[str, ...]

    @property
    def total(self) -> int:
        return self.killed + self.timed_out + len(self.survivors)

    def row(self) -> str:
        noticed = self.killed + self.timed_out
        score = f"{100 * noticed / self.total:.1f} %" if self.total else "-"
        return f"| {self.module} | {self.total} | {noticed} | {len(self.survivors)} | {score} |"


def options(module: str) -> list[str]:
    _, which = MODULES[module]
    return ["-p", "no:cacheprovider", "-p", "few_examples", *(["-k", which] if which else [])]


def stage(module: str) -> Path:
    """The folder in which mutmut works on one module: links to the tree, and a configuration of its own."""
    folder = CACHE / module.replace("/", ".")
    folder.mkdir(parents=True, exist_ok=True)
    tests, _ = MODULES[module]
    for name, target in {"src": PACKAGE, "tests": ROOT / "tests"}.items():
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(target, folder))
    settings = {
        "source_paths": ["src"],
        "only_mutate": [f"src/fingerpost/{module}.py"],
        "pytest_add_cli_args": options(module),
        "pytest_add_cli_args_test_selection": list(tests),
        "timeout_multiplier": 4.0,
        "use_git_change_detection": False,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    pytest = ['pythonpath = ["src", "."]', 'addopts = "-q --import-mode=importlib"']
    (folder / "pyproject.toml").write_text(
        "\n".join(["[tool.mutmut]", *lines, "", "[tool.pytest.ini_options]", *pytest, ""])
    )
    return folder


def environment() -> dict[str, str]:
    """What the tests need to know, since they run from copies."""
    set_ = {"RULES_HOME": str(ROOT / "rules"), "PYTHONPATH": str(ROOT / "tools"), "PYTHONDONTWRITEBYTECODE": "1"}
    return os.environ | set_


def verdicts(folder: Path, module: str) -> Path:
    return folder / "mutants" / "src" / "fingerpost" / f"{module}.py.meta"


def forget_survivors_of_other_tests(folder: Path, module: str) -> None:
    """Tests that are new or changed may kill what earlier ones did not."""
    digest = hashlib.sha256()
    for test in MODULES[module][0]:
        path = ROOT / test
        for each in sorted(path.rglob("*.py")) if path.is_dir() else (path, path.with_name("conftest.py")):
            if each.exists():
                digest.update(each.read_bytes())
    mark, file = folder / "tests.sha256", verdicts(folder, module)
    if mark.exists() and mark.read_text() == digest.hexdigest():
        return
    shutil.rmtree(folder / "mutants" / "tests", ignore_errors=True)
    (folder / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    if file.exists():
        found = json.loads(file.read_text())
        found["exit_code_by_key"] = {
            mutant: code if code in KILLED | TIMED_OUT else None for mutant, code in found["exit_code_by_key"].items()
        }
        file.write_text(json.dumps(found, indent=4))
    mark.write_text(digest.hexdigest())


def mutmut(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    return subprocess.run(  # noqa: S603
        command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def run(module: str, children: int) -> None:
    """Try a module's mutants, as far as that was not done before. Exits with what mutmut said when it cannot."""
    folder = stage(module)
    forget_survivors_of_other_tests(folder, module)
    ran = mutmut(folder, "run", "--max-children", str(children))
    if ran.returncode:
        sys.exit(f"{module}: mutmut failed\n{ran.stdout[-6000:]}\n{ran.stderr[-2000:]}")
    look_again(folder, module)
    doubt_the_killed(folder, module)


def doubt_the_killed(folder: Path, module: str) -> None:
    """A few that count as killed must die in a fresh process too, else something else failed in the forks."""
    codes: dict[str, int | None] = json.loads(verdicts(folder, module).read_text())["exit_code_by_key"]
    killed = [mutant for mutant, code in codes.items() if code in KILLED]
    for mutant in killed[:: len(killed) // DOUBTED + 1]:
        if fresh_process(folder, module, mutant, examples=60) == 0:
            sys.exit(f"{module}: {mutant} was killed in a fork, and no test minds it in a process of its own")


def look_again(folder: Path, module: str) -> None:
    """Try what no test failed for once in a fresh process, with the example tests of its module; keep the verdict."""
    mark, file = folder / "looked-again.json", verdicts(folder, module)
    found = json.loads(file.read_text())
    codes: dict[str, int | None] = found["exit_code_by_key"]
    hashes: dict[str, str] = found["hash_by_function_name"]
    seen: dict[str, str] = json.loads(mark.read_text()) if mark.exists() else {}
    tests = (folder / "tests.sha256").read_text()

    def fingerprint(mutant: str) -> str:
        return hashes.get(mutant.rpartition(".")[2].partition("__mutmut_")[0], "") + tests

    known = EXPLAINED.read_text()
    doubtful = [
        mutant
        for mutant, code in codes.items()
        if code not in KILLED
        and seen.get(mutant) != fingerprint(mutant)
        and (code in TIMED_OUT or difference(module, mutant) not in known)
    ]
    began = time.monotonic()
    if doubtful and fresh_process(folder, module, "") != 0:
        sys.exit(f"{module}: its tests fail without a mutant")
    within_s = TOO_LONG * (time.monotonic() - began)
    for mutant in doubtful:
        verdict = fresh_process(folder, module, mutant, within_s=within_s)
        codes[mutant] = verdict if verdict in {0, NEVER_ENDED} else 1
        file.write_text(json.dumps(found, indent=4))
        if codes[mutant] != 1:
            seen[mutant] = fingerprint(mutant)
            mark.write_text(json.dumps(seen, indent=4))


def fresh_process(folder: Path, module: str, mutant: str, *, examples: int = 0, within_s: float | None = None) -> int:
    """What pytest answers for a process that is `mutant` from its start: 0 when no test minds, or NEVER_ENDED."""
    tests, _ = MODULES[module]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--rootdir=.", *options(module), *tests]
    variables = environment() | {
        "MUTANT_UNDER_TEST": mutant,
        "FEW_EXAMPLES": str(examples),
        "TEST_WITHIN_S": str(TEST_WITHIN_S),
    }
    try:
        return subprocess.run(  # noqa: S603
            command,
            cwd=folder / "mutants",
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=within_s,
        ).returncode
    except subprocess.TimeoutExpired:
        return NEVER_ENDED


def score_of(module: str) -> Score | None:
    """What the last run of a module found; None when there was none."""
    file = verdicts(stage(module), module)
    if not file.exists():
        return None
    codes: dict[str, int | None] = json.loads(file.read_text())["exit_code_by_key"]
    if None in codes.values():
        return None
    return Score(
        module,
        sum(code in KILLED for code in codes.values()),
        sum(code in TIMED_OUT for code in codes.values()),
        tuple(mutant for mutant, code in codes.items() if code not in KILLED | TIMED_OUT),
    )


def difference(module: str, mutant: str) -> str:
    """A mutant as the lines it takes away and those it puts in their place."""
    with chdir(stage(module)):
        reset_config()
        lines = get_diff_for_mutant(mutant, path=f"src/fingerpost/{module}.py").splitlines()
    changed = [line for line in lines if line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}]
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in changed)


def reports(scores: list[Score]) -> Iterator[str]:
    """The survivors that no one has explained."""
    known = EXPLAINED.read_text() if EXPLAINED.exists() else ""
    for score in scores:
        for mutant in score.survivors:
            if (change := difference(score.module, mutant)) not in known:
                yield f"{score.module}: {mutant.rpartition('.')[2]}\n{change}\n"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description="Mutation testing, a table at the end.")
    parser.add_argument("modules", nargs="*", default=list(MODULES), metavar="module", help=", ".join(MODULES))
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs found")
    parser.add_argument("--show", action="store_true", help="run nothing; say what earlier runs found")
    parser.add_argument("--children", type=int, default=1, help="mutants at a time")
    chosen = parser.parse_args()
    if unknown := [module for module in chosen.modules if module not in MODULES]:
        parser.error(f"no such module: {', '.join(unknown)}; there are {', '.join(MODULES)}")
    scores = []
    for module in chosen.modules:
        if chosen.fresh:
            shutil.rmtree(CACHE / module.replace("/", "."), ignore_errors=True)
        if not chosen.show:
            say(f"{module} ...")
            run(module, chosen.children)
        if score := score_of(module):
            scores.append(score)
    unexplained = list(reports(scores))
    say("\n".join(unexplained))
    say("| module | mutants | killed | survived | score |\n| --- | --- | --- | --- | --- |")
    say("\n".join(score.row() for score in scores))
    if len(scores) > 1:
        survivors = tuple(mutant for score in scores for mutant in score.survivors)
        say(Score("all", sum(s.killed for s in scores), sum(s.timed_out for s in scores), survivors).row())
    say(f"survivors that docs/mutants.md does not explain: {len(unexplained)}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
