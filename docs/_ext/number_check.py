"""Compare a number that is typed in a sentence with the one that the run gives.

Runs inside the kernel of a page, so it imports nothing but the standard library.
"""

import re

# A sign counts only where it stands at its number and is no minus between two of
# them; the 2 of x^2 and the 1 of a_1 are parts of a name, not numbers.
_NUMBER = re.compile(r"(?<![\w.^_])(?<![_^]\{)((?<![\d)])[-−])?(\d+(?:\.\d+)?)(?![A-Za-z_\d]|\.\d)")


def numbers_in(text: str) -> list[str]:
    """Return the numbers of a text in their order, with an ASCII minus.

    >>> numbers_in("(−12 − 4)/2 = −8, about 2.0393")
    ['-12', '4', '2', '-8', '2.0393']
    """
    return [("-" if m[1] else "") + m[2] for m in _NUMBER.finditer(text)]


def says(typed: str, value: float) -> bool:
    """Tell whether ``value`` is what ``typed`` says, to the digits that are typed.

    A number typed without a decimal point must be exact.

    >>> says("2.04", 2.0393), says("2", 2.0393), says("-8", -8.0)
    (True, False, True)
    """
    digits = len(typed.partition(".")[2])
    if not digits:
        return abs(value - int(typed)) < 1e-6
    return abs(value - float(typed)) <= 0.5 * 10**-digits + 1e-6 * abs(float(typed))


def check(place: str, text: str, *values) -> None:
    """Raise if a number in ``text`` is not what the run gives.

    Parameters
    ----------
    place
        File and line, for the message.
    text
        What the page says, with as many numbers as there are ``values``.
    *values
        What the run gives: numbers, or tensors of one element.

    Raises
    ------
    AssertionError
        If a number differs, or there are more or fewer numbers than values.
    """
    typed = numbers_in(text)
    values = [float(v.item() if hasattr(v, "item") else v) for v in values]
    if len(typed) != len(values):
        raise AssertionError(f"{place}: “{text}” has the numbers {typed}, the run gives {values}")
    for number, value in zip(typed, values, strict=True):
        if not says(number, value):
            raise AssertionError(f"{place}: “{text}” says {number}, the run gives {value!r}")
