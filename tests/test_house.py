"""The rules of the house that a search can check, and the files that tools need against one another."""

import ast
import os
import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "layers" / "core" / "python" / "fingerpost"
MAX_LINES = 400


def tracked_files() -> list[Path]:
    """The files that are or will be in the repository; everything but known by-products where there is no git."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return sorted(path for name in set(listing.split("\0")) if name and (path := ROOT / name).is_file())


TRACKED = tracked_files()
OURS = [path for path in TRACKED if path.is_relative_to(PACKAGE) or path.is_relative_to(ROOT / "functions")]
PYTHON = [path for path in OURS if path.suffix == ".py"]


def text_of(path: Path) -> str:
    """The text of a file; empty for one that is no text."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def lines_with(pattern: str, files: list[Path]) -> list[str]:
    """`file:line: text` of every line that matches, as grep would say it."""
    found = []
    for path in files:
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if re.search(pattern, line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    return found


def imported(path: Path) -> set[str]:
    """The dotted names of all modules a file imports, wherever it does so; relative imports resolved."""
    inside = path.relative_to(ROOT / "layers/core/python" if path.is_relative_to(PACKAGE) else ROOT)
    package = list(inside.parent.parts)
    names: set[str] = set()
    for node in ast.walk(ast.parse(text_of(path))):
        match node:
            case ast.Import(aliases):
                names.update(alias.name for alias in aliases)
            case ast.ImportFrom(module, aliases, level):
                base = package[: len(package) - level + 1] if level else []
                whole = ".".join([*base, *([module] if module else [])])
                names.update({whole, *(f"{whole}.{alias.name}" for alias in aliases)})
    return names


def within(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


# ---- the code ------------------------------------------------------------------------------------------------------


def test_the_tree_under_test_was_found():
    assert PACKAGE / "ports" / "table.py" in PYTHON


def test_no_file_of_ours_is_longer_than_a_reader_can_hold():
    long = {str(path.relative_to(ROOT)): len(text_of(path).splitlines()) for path in PYTHON}
    assert {name: lines for name, lines in long.items() if lines > MAX_LINES} == {}


def test_nothing_is_left_unfinished():
    assert lines_with(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b", OURS) == []


def test_no_function_reads_a_whole_table():
    functions = [path for path in PYTHON if path.is_relative_to(ROOT / "functions")]
    assert lines_with(r"\.walk\(|\bscan\(|[\"']Scan[\"']", functions) == []


def test_only_adapters_know_that_a_table_can_be_walked():
    homes = {PACKAGE / "ports" / "table.py", PACKAGE / "aws", PACKAGE / "local"}
    others = [path for path in PYTHON if homes.isdisjoint([path, *path.parents])]
    assert lines_with(r"(?<!os)(?<!ast)\.walk\(", others) == []


def test_no_function_imports_another():
    for path in PYTHON:
        if not path.is_relative_to(ROOT / "functions"):
            continue
        own = f"functions.{path.relative_to(ROOT / 'functions').parts[0]}"
        foreign = {name for name in imported(path) if within(name, "functions") and name != "functions"}
        assert {name for name in foreign if not within(name, own)} == set(), path


def test_the_package_imports_no_function_but_to_serve_them_locally():
    for path in PYTHON:
        if path.is_relative_to(PACKAGE) and not path.is_relative_to(PACKAGE / "local"):
            assert {name for name in imported(path) if within(name, "functions")} == set(), path


def test_nothing_that_is_deployed_imports_the_command_line():
    for path in PYTHON:
        if not path.is_relative_to(PACKAGE / "cli"):
            own = {name for name in imported(path) if within(name, "fingerpost.cli")}
            libraries = {
                name for name in imported(path) if name.partition(".")[0] in ("typer", "rich", "plotext", "httpx")
            }
            assert own | libraries == set(), path


def test_only_wiring_chooses_adapters():
    """The shape of what AWS sends is no adapter: the functions that a stream or CloudFormation wakes read it."""
    allowed = {PACKAGE / "wiring.py", PACKAGE / "aws", PACKAGE / "local"}
    for path in PYTHON:
        if allowed.isdisjoint([path, *path.parents]):
            adapters = {
                name
                for name in imported(path)
                if any(within(name, f"fingerpost.{kind}") for kind in ("aws", "local"))
                and not within(name, "fingerpost.aws.stream")
                and not within(name, "fingerpost.aws.custom_resource")
            }
            assert adapters == set(), path


def test_the_clock_is_asked_for_the_time_of_day_and_nothing_else_is():
    asks = r"\btime\.time(_ns)?\(|\bdatetime\.(now|utcnow|today)\(|\bdate\.today\("
    assert lines_with(asks, [path for path in PYTHON if path != PACKAGE / "clock.py"]) == []


# ---- the repository ------------------------------------------------------------------------------------------------


def test_no_file_names_a_place_on_somebodys_machine():
    place = r"(?<![\w.$}/])/(work|root|home/\w+|Users/\w+|private/tmp|opt/(pypi|wheels))/"
    assert lines_with(place, [path for path in TRACKED if path != Path(__file__)]) == []


def test_no_file_names_a_package_index():
    index = r"--(extra-)?index-url|files\.pythonhosted\.org|pypi\.org/simple|registry\.npmjs\.org|--find-links"
    assert lines_with(index, [path for path in TRACKED if path != Path(__file__)]) == []


def test_scripts_can_be_run():
    scripts = [path for path in TRACKED if text_of(path).startswith("#!")]
    assert {ROOT / ".ci" / "run", ROOT / "tools" / "find-python"} <= set(scripts)
    assert [str(path) for path in scripts if not os.access(path, os.X_OK)] == []


def test_the_commands_that_the_readme_names_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = "\n".join(
        re.findall(r"^```.*?^```|`[^`\n]+`|^ {4}[^\n]*$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    )
    named = set(re.findall(r"(?<![\w-])make ([a-z]+)", code))
    assert {"run", "test"} <= named
    assert named <= targets


# ---- what is installed ---------------------------------------------------------------------------------------------


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def project_of(requirement: str) -> str:
    """The project a requirement names: `ua-parser[regex]>=1 ; python_version > "3"` -> `ua-parser`."""
    found = re.match(r"[\w.-]+", requirement)
    assert found, requirement
    return canonical(found[0])


def pins(file: str) -> dict[str, str]:
    lines = [line for line in (ROOT / file).read_text().splitlines() if line and not line.startswith("#")]
    return {canonical(name): version for name, version in (line.split("==") for line in lines)}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DIRECT = [
    *PROJECT["project"]["dependencies"],
    *(each for extra in PROJECT["project"]["optional-dependencies"].values() for each in extra),
    *PROJECT["build-system"]["requires"],
]


@pytest.mark.parametrize("requirement", DIRECT)
def test_a_direct_dependency_is_pinned(requirement):
    assert project_of(requirement) in pins("requirements.lock")


def test_what_the_dependencies_need_is_pinned_too():
    """Extras aside, which no rule of a wheel's metadata ties to who asked for them."""
    locked = pins("requirements.lock")
    absent = set()
    for name in locked:
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            absent.add(name)
            continue
        for requirement in needed:
            if ";" not in requirement:
                assert project_of(requirement) in locked, f"{name} needs {requirement}"
    assert absent <= {"setuptools"}


def test_the_vendor_layer_has_every_run_time_dependency_but_what_lambda_brings():
    runtime = {project_of(requirement) for requirement in PROJECT["project"]["dependencies"]}
    assert runtime - pins("layers/vendor/requirements.txt").keys() == {"boto3"}
