"""A pytest plugin for `make mutants`: property tests draw the same few examples each time, however many they ask for.

A run must not fail by chance or by the machine's load, or a mutant would seem killed; nor shrink, which nobody reads.
FEW_EXAMPLES=0 leaves property tests out.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("FEW_EXAMPLES", "60"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
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
