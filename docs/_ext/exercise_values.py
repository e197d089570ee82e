"""The numbers of a prediction, from the run: the right one, and those of the mistakes.

Runs inside the kernel of a page. What it returns is read by `exercises`.
"""

import json
import math

from IPython.display import HTML

MARK = '<script type="application/json" class="prediction">'


def show(*values) -> HTML:
    """Return the numbers as an output of a cell.

    Parameters
    ----------
    *values
        The right number, then one for each mistake: numbers, or tensors of one element.

    Raises
    ------
    ValueError
        If one is infinite or nan: nobody can answer that.
    """
    numbers = [float(v.item() if hasattr(v, "item") else v) for v in values]
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"the numbers of a prediction should be finite, they are {numbers}")
    return HTML(f"{MARK}{json.dumps(numbers)}</script>")
