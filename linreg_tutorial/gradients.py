"""The gradient of the mean squared error, three ways.

With y = a·x + b and e = mean((t - y)²) over the n points:

    ∂e/∂a = mean(2 (y - t) x)        ∂e/∂b = mean(2 (y - t))

`gradient_by_hand` puts numbers into these formulas, `gradient_by_autograd` asks
``backward()``, `gradient_by_differences` moves a parameter a little and looks
at what the error does. All three take and return the same, so that comparing
them is one line.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from linreg_tutorial.data import in_float64
from linreg_tutorial.validation import (
    check_autograd,
    check_data,
    check_number,
    check_parameter,
)


class Gradient(NamedTuple):
    """The gradient of the error at one place: its slope along a and along b.

    In units of the error per unit of the parameter.
    """

    a: float
    b: float


def mean_squared_error(x: Tensor, t: Tensor, a: float | Tensor, b: float | Tensor) -> Tensor:
    """Return mean((t - y)²) with y = a·x + b.

    Parameters
    ----------
    x, t
        Inputs and targets, real, of the same shape (n,).
    a, b
        Slope and intercept: numbers, or tensors of shape ().

    Returns
    -------
    torch.Tensor
        The error, shape (), in units of t squared.

    Raises
    ------
    TypeError, ValueError
        If the data or a parameter is unusable; the message says how to mend it.

    Examples
    --------
    >>> mean_squared_error(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0]), 1.0, 0.0)
    tensor(6.5000)
    """
    check_data(x, t)
    check_parameter("a", a)
    check_parameter("b", b)
    return error_of_line(x, t, a, b)


def error_of_line(x: Tensor, t: Tensor, a: float | Tensor, b: float | Tensor) -> Tensor:
    """Return the `mean_squared_error` of data that were checked before, as a loop wants it."""
    y = a * x + b
    return torch.mean((t - y) ** 2)


def gradient_by_hand(x: Tensor, t: Tensor, a: float, b: float) -> Gradient:
    """Return the gradient of the mean squared error by its formula.

    Parameters
    ----------
    x, t
        Inputs and targets, real, of the same shape (n,).
    a, b
        Slope and intercept of the line.

    Raises
    ------
    TypeError, ValueError
        If the data or a parameter is unusable; the message says how to mend it.

    Examples
    --------
    >>> gradient_by_hand(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0]), a=1.0, b=0.0)
    Gradient(a=-8.0, b=-5.0)
    """
    _check(x, t, a, b)
    y = a * x + b
    return Gradient(torch.mean(2 * (y - t) * x).item(), torch.mean(2 * (y - t)).item())


@torch.enable_grad()
def gradient_by_autograd(x: Tensor, t: Tensor, a: float, b: float) -> Gradient:
    """Return the gradient of the mean squared error as ``backward()`` finds it.

    Parameters, errors: as `gradient_by_hand`.

    Examples
    --------
    >>> gradient_by_autograd(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0]), a=1.0, b=0.0)
    Gradient(a=-8.0, b=-5.0)
    """
    _check(x, t, a, b)
    check_autograd(x, t)
    slope = torch.tensor(float(a), dtype=x.dtype, device=x.device, requires_grad=True)
    intercept = torch.tensor(float(b), dtype=x.dtype, device=x.device, requires_grad=True)
    error_of_line(x, t, slope, intercept).backward()
    return Gradient(slope.grad.item(), intercept.grad.item())  # type: ignore[union-attr]


def gradient_by_differences(
    x: Tensor, t: Tensor, a: float, b: float, *, h: float = 1e-4
) -> Gradient:
    """Return the gradient of the mean squared error by central differences.

    Along a this is (e(a + h, b) - e(a - h, b)) / 2h, and likewise along b. It
    is computed in float64: in float32 the two errors differ by so little that
    rounding would spoil the result. For this error, a parabola along each
    parameter, the formula is exact but for rounding.

    Parameters
    ----------
    x, t
        Inputs and targets, real, of the same shape (n,).
    a, b
        Slope and intercept of the line.
    h
        How far to move the parameter to each side: above 0, and not so small
        that a + h is rounded to a.

    Raises
    ------
    TypeError, ValueError
        If the data, a parameter or ``h`` is unusable.

    Examples
    --------
    >>> g = gradient_by_differences(
    ...     torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0]), a=1.0, b=0.0
    ... )
    >>> f"{g.a:.4f} {g.b:.4f}"
    '-8.0000 -5.0000'
    """
    _check(x, t, a, b)
    check_number("h", h)
    if h <= 0:
        raise ValueError(f"h must be above 0, got {h}: it is a distance, 1e-4 for example")
    a, b, h = float(a), float(b), float(h)
    if a + h == a or b + h == b:
        raise ValueError(f"h must be large enough to move a and b, got {h}: take 1e-4 for example")
    x, t = in_float64(x), in_float64(t)

    def slope(error: Callable[[float], Tensor], at: float) -> float:
        return ((error(at + h) - error(at - h)) / (2 * h)).item()

    return Gradient(
        slope(lambda moved: error_of_line(x, t, moved, b), a),
        slope(lambda moved: error_of_line(x, t, a, moved), b),
    )


def _check(x: Tensor, t: Tensor, a: float, b: float) -> None:
    check_data(x, t)
    check_number("a", a, x.dtype)
    check_number("b", b, x.dtype)
