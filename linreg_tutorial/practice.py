"""Check what a reader answers in an exercise notebook, and say how it stands.

`checking` prints, because a reader looks at what stands below the cell, and lets
nothing through: a wrong answer shall not stop a notebook that runs as a whole.
"""

import base64
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor


class NoAnswerYet(Exception):  # noqa: N818 - it is no error
    """What `check_prediction` raises where dots stand in the place of an answer."""


def check_prediction(answer: object, packed: str) -> None:
    """Check a predicted number, and name the mistake that leads to a wrong one.

    Parameters
    ----------
    answer
        What the reader answers: a number, a tensor of one element, or ``...`` as
        long as there is no answer.
    packed
        What it is compared with, as base64, so that nobody reads it by accident:
        JSON with the number that is ``right``, ``within`` how much an answer may be
        away from it, and the ``mistakes``, pairs of a number and what to say to it.

    Raises
    ------
    AssertionError
        If the answer is not right; it says what is known about it.
    NoAnswerYet
        If the answer is ``...``.
    ValueError
        If ``packed`` is something else.

    Examples
    --------
    >>> import base64, json
    >>> known = {"right": -8.0, "within": 1e-5, "mistakes": [[8.0, "Sign. The error falls."]]}
    >>> packed = base64.b64encode(json.dumps(known).encode()).decode()
    >>> check_prediction(-8, packed)
    >>> check_prediction(8, packed)
    Traceback (most recent call last):
        ...
    AssertionError: Sign. The error falls.
    """
    try:
        known = json.loads(base64.b64decode(packed, validate=True))
        right, within, mistakes = (known[name] for name in ("right", "within", "mistakes"))
    except (TypeError, ValueError, KeyError):
        raise ValueError(
            "packed must be what the notebook of exercises has there: download it again"
        ) from None
    if answer is ...:
        raise NoAnswerYet
    try:
        number = float(answer.detach() if isinstance(answer, Tensor) else answer)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise AssertionError(
            f"The answer should be one number, such as 0.5 with a point. Yours is {answer!r}."
        ) from None
    if abs(number - right) <= within:
        return
    said = [text for value, text in mistakes if abs(number - value) <= within]
    if not said and _is_rounded(number, right, within):
        said = ["Right so far. Give more decimals."]
    raise AssertionError(*said[:1] or ["Go through it again, or open the hint."])


def _is_rounded(number: float, right: float, within: float) -> bool:
    """Tell whether a number is the right one with fewer decimals than are asked for."""
    asked_for = round(-math.log10(2 * within))
    return any(abs(number - round(right, k)) < 1e-9 for k in range(1, asked_for))


@contextmanager
def checking(name: str) -> Iterator[None]:
    """Say whether what stands in the block went through, or what it said.

    Parameters
    ----------
    name
        What the exercise is called.

    Examples
    --------
    >>> slope = 3
    >>> with checking("Exercise 2"):
    ...     assert slope == 2, "The line rises by 2."
    Exercise 2: not yet. The line rises by 2.
    >>> with checking("Exercise 2"):
    ...     assert slope == 3
    Exercise 2: right
    """
    try:
        yield
    except AssertionError as error:
        print(f"{name}: not yet. {error}".rstrip())
    except NoAnswerYet:
        print(f"{name}: no answer yet")
    except NameError as error:
        # In the block itself: it asks for something that nobody has made. Deeper, it is an
        # error in a function of the reader's.
        in_block = error.__traceback__.tb_next
        is_missing = in_block is not None and in_block.tb_next is None
        print(f"{name}: {'no answer yet' if is_missing else 'not yet'}. Python says: {error}.")
    except Exception as error:
        print(f"{name}: not yet. Python says: {type(error).__name__}: {error}")
    else:
        print(f"{name}: right")
