"""A pytest plugin for `make mutants`: property tests draw the same few examples each time, however many they ask for.

A run must not fail by chance or by the machine's load, or a mutant would seem killed; nor shrink, which nobody reads.
FEW_EXAMPLES=0 leaves property tests out.

It also chooses the tests itself: pytest finds no test by an id that has a backslash in it, and to mutmut a run that
does not find its tests is one that fails.

TEST_WITHIN_S ends the process, as one that failed, when a test takes longer: a mutant can be without end.
"""

import faulthandler
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("FEW_EXAMPLES", "60"))
WITHIN_S = int(os.environ.get("TEST_WITHIN_S", "0"))
CHOSEN = pytest.StashKey[dict[str, int]]()


def pytest_configure(config: pytest.Config) -> None:
    """Take the ids out of the arguments; whole files stay."""
    ids = [argument for argument in config.args if "::" in argument]
    files = [argument for argument in config.args if "::" not in argument]
    config.stash[CHOSEN] = {test: place for place, test in enumerate(ids)} if not files else {}
    config.args[:] = dict.fromkeys([*files, *(test.partition("::")[0] for test in ids)])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if chosen := config.stash[CHOSEN]:
        items[:] = sorted((item for item in items if item.nodeid in chosen), key=lambda item: chosen[item.nodeid])
    if EXAMPLES == 0:
        items[:] = [item for item in items if not getattr(getattr(item, "obj", None), "is_hypothesis_test", False)]
    for item in items:
        test = getattr(item, "obj", None)
        if not getattr(test, "is_hypothesis_test", False):
            continue
        own = getattr(test, "_hypothesis_internal_use_settings", None) or settings.default
        assert test is not None and own is not None
        test._hypothesis_internal_use_settings = settings(
            own,
            max_examples=min(EXAMPLES, own.max_examples),
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    if WITHIN_S:
        faulthandler.dump_traceback_later(WITHIN_S, exit=True)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
