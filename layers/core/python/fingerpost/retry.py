"""Full jitter between repeated attempts. Source: AWS Architecture Blog, "Exponential Backoff And Jitter"."""

import random
import time
from collections.abc import Iterator


def attempts(most: int, *, base_ms: int = 10, cap_ms: int = 200) -> Iterator[int]:
    """0, 1, ... below `most`, with a random pause before each but the first."""
    for attempt in range(most):
        if attempt:
            time.sleep(random.uniform(0, min(cap_ms, base_ms << attempt)) / 1000)  # noqa: S311
        yield attempt
