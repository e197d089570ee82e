"""Check what a reader answers in an exercise notebook, and say how it stands.

Both print, because a reader looks at what stands below the cell, and neither
raises: a wrong answer shall not stop a notebook that runs as a whole.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor

from linreg_tutorial.validation import check_number as check_is_number


def check_prediction(
    name: str,
    answer: object,
    *,
    right: float,
    within: float,
    mistakes: Mapping[float, str] | None = None,
) -> None:
    """Say whether a predicted number is right, or which mistake leads to it.

    Parameters
    ----------
    name
        What the exercise is called.
    answer
        What the reader answers: a number, a tensor of one element, or ``...`` as
        long as there is no answer.
    right
        The right number.
    within
        How far from it the answer may be: 0 or more.
    mistakes
        For each number that a known mistake leads to, what to say to it.

    Raises
    ------
    TypeError, ValueError
        If ``right`` or ``within`` is no finite number.

    Examples
    --------
    >>> mistakes = {8.0: "The sign: the error falls when a rises."}
    >>> check_prediction("Exercise 1", 8, right=-8.0, within=1e-6, mistakes=mistakes)
    Exercise 1: not yet. The sign: the error falls when a rises.
    >>> check_prediction("Exercise 1", -8, right=-8.0, within=1e-6, mistakes=mistakes)
    Exercise 1: right
    """
    check_is_number("right", right)
    check_is_number("within", within)
    if answer is ...:
        print(f"{name}: no answer yet")
        return
    try:
        number = float(answer.detach() if isinstance(answer, Tensor) else answer)
    except (TypeError, ValueError, RuntimeError):
        print(f"{name}: not yet. The answer should be one number, it is {answer!r}")
        return
    if abs(number - right) <= within:
        print(f"{name}: right")
        return
    said = [text for value, text in (mistakes or {}).items() if abs(number - value) <= within]
    print(" ".join([f"{name}: not yet.", *said]))


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
    ...     assert slope == 2, "the line rises by 2"
    Exercise 2: not yet. the line rises by 2
    >>> with checking("Exercise 2"):
    ...     assert slope == 3
    Exercise 2: right
    """
    try:
        yield
    except AssertionError as error:
        print(f"{name}: not yet. {error}".rstrip())
    except NameError as error:
        print(f"{name}: no answer yet ({error})")
    except Exception as error:
        print(f"{name}: not yet. {type(error).__name__}: {error}")
    else:
        print(f"{name}: right")
