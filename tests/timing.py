"""How the benchmarks look at the clock."""

import gc
import time
from collections.abc import Callable


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes, while nothing collects garbage."""
    gc.disable()
    start = time.perf_counter()
    call()
    elapsed = time.perf_counter() - start
    # Only what the call has left is looked through: a test runner's own objects are many.
    gc.collect(1)
    gc.enable()
    return elapsed
