"""On PYTHONPATH, it is a Sunday at noon when a process of the session begins: Python imports this before all else."""

import os
import time

_MORE = int(os.environ.get("SUNDAY_OFFSET_NS", "0"))
_real = time.time_ns

time.time_ns = lambda: _real() + _MORE
time.time = lambda: time.time_ns() / 1e9
