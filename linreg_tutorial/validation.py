"""What the functions of this package accept: one place that says no, and how to mend it.

A mistake ends in a sentence about the argument: its name, what was given, what
to do. Data and numbers are checked here before anything is computed; what a
module does with them can only be seen from its first prediction.
"""

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from numbers import Integral
from typing import SupportsFloat

import numpy as np
import torch
from torch import Tensor


def check_data(x: Tensor, t: Tensor) -> None:
    """Check inputs and targets of a fit.

    Raises
    ------
    TypeError
        If ``x`` or ``t`` is no tensor, or holds integers, booleans or complex numbers.
    ValueError
        If the shapes differ, there is no point, a value is not finite, the two
        are of different dtype or device, or one of them requires a gradient.

    Examples
    --------
    >>> check_data(torch.tensor([1.0, 2.0]), torch.tensor([[3.0], [5.0]]))
    Traceback (most recent call last):
        ...
    ValueError: x and t must have the same shape, got (2,) and (2, 1): torch would \
broadcast them to (2, 2) and compare every prediction with every target. Reshape one of \
them, for example t = t.reshape(x.shape)
    """
    for name, data in {"x": x, "t": t}.items():
        _check_tensor(name, data)
    if x.shape != t.shape:
        raise ValueError(
            f"x and t must have the same shape, got {tuple(x.shape)} and {tuple(t.shape)}: "
            + _shape_advice(x, t)
        )
    _check_alike(x, t)
    _check_finite(x, t)


def check_rows(x: Tensor, t: Tensor) -> None:
    """Check inputs and targets of a module: a row a point, any number of columns.

    Raises
    ------
    TypeError, ValueError
        As `check_data`, but ``x`` may have other columns than ``t``: shapes
        (n, inputs) and (n, outputs), or (n,) for both.

    Examples
    --------
    >>> check_rows(torch.ones(3, 4), torch.ones(3, 1))
    >>> check_rows(torch.ones(3, 4), torch.ones(2, 1))
    Traceback (most recent call last):
        ...
    ValueError: x and t must have as many rows as each other, one a point, got 3 and 2
    """
    for name, data in {"x": x, "t": t}.items():
        _check_tensor(name, data)
    if t.dim() == 1 and len(x) == len(t) < x.numel():
        raise ValueError(
            f"t must have a column for each output of the module, got the shape {tuple(t.shape)} "
            f"beside {tuple(x.shape)} for x: pass t.reshape(-1, 1)"
        )
    if x.dim() == 1 or x.dim() != t.dim():
        check_data(x, t)
        return
    if len(x) != len(t):
        raise ValueError(
            f"x and t must have as many rows as each other, one a point, got {len(x)} and {len(t)}"
        )
    _check_alike(x, t)
    _check_finite(x, t)


def check_number(name: str, number: float, dtype: torch.dtype = torch.float64) -> None:
    """Check that ``number`` is a real number that is finite in a dtype.

    Raises
    ------
    TypeError
        If it is no real number, as `int`, `float` and NumPy's are.
    ValueError
        If it is infinite, not a number, or too large for the dtype.

    Examples
    --------
    >>> check_number("a", float("nan"))
    Traceback (most recent call last):
        ...
    ValueError: a must be finite, got nan: pass a number such as 1.0
    """
    if isinstance(number, bool) or not isinstance(number, (int, float, np.integer, np.floating)):
        if isinstance(number, Tensor):
            advice = f"pass {name}.item()"
        elif isinstance(number, (bool, str, SupportsFloat)):
            advice = f"pass float({name})"
        else:
            advice = "pass one that is real"
        raise TypeError(f"{name} must be a number such as 1.0, got {_kind(number)}: {advice}")
    try:
        finite = math.isfinite(number)
    except OverflowError:
        finite = False
    if not finite:
        raise ValueError(f"{name} must be finite, got {number}: pass a number such as 1.0")
    if abs(float(number)) > torch.finfo(dtype).max:
        raise ValueError(
            f"{name} must fit into {dtype}, got {number}: pass a smaller number, or data in float64"
        )


def check_parameter(name: str, parameter: float | Tensor) -> None:
    """Check that ``parameter`` is one number: a plain one, or a real tensor of shape ().

    Raises
    ------
    TypeError, ValueError
        As `check_number`, and for a tensor of another shape or dtype.

    Examples
    --------
    >>> check_parameter("a", torch.tensor([1.0, 2.0]))
    Traceback (most recent call last):
        ...
    ValueError: a must be one number, got the shape (2,): pass one of them, for example a[0]
    """
    if not isinstance(parameter, Tensor):
        check_number(name, parameter)
    elif parameter.dim() != 0:
        raise ValueError(
            f"{name} must be one number, got the shape {tuple(parameter.shape)}: "
            f"pass one of them, for example {name}[0]"
        )
    elif not parameter.is_floating_point():
        raise TypeError(f"{name} must be real, got {parameter.dtype}: pass {name}.float()")


def check_count(name: str, count: int, *, at_least: int) -> None:
    """Check that ``count`` is an integer that is not too small.

    Raises
    ------
    TypeError
        If it is no whole number, as `int` and NumPy's are.
    ValueError
        If it is smaller than ``at_least``.

    Examples
    --------
    >>> check_count("steps", -1, at_least=0)
    Traceback (most recent call last):
        ...
    ValueError: steps must be 0 or more, got -1: pass 0 or a larger number
    """
    if isinstance(count, bool) or not isinstance(count, Integral):
        raise TypeError(
            f"{name} must be a whole number such as 100, got {_kind(count)} {count!r}: "
            f"pass int({name})"
        )
    if count < at_least:
        raise ValueError(
            f"{name} must be {at_least} or more, got {count}: pass {at_least} or a larger number"
        )
    if count >= 2**63:
        raise ValueError(f"{name} must be below 2**63, got {count}: pass a smaller number")


def check_batch_size(batch_size: int, points: int) -> None:
    """Check that so many points can be taken out of those that are there.

    Raises
    ------
    TypeError, ValueError
        As `check_count`, and if it is more than there are: torch would take fewer
        without a word.

    Examples
    --------
    >>> check_batch_size(32, 2)
    Traceback (most recent call last):
        ...
    ValueError: batch_size must be 2 or less, as many as there are points, got 32: leave it out \
to learn from all points at every step
    """
    check_count("batch_size", batch_size, at_least=1)
    if batch_size > points:
        raise ValueError(
            f"batch_size must be {points} or less, as many as there are points, got "
            f"{batch_size}: leave it out to learn from all points at every step"
        )


def check_levels(levels: Iterable[float]) -> list[float]:
    """Check that ``levels`` are numbers that rise, one or more; return them as a list.

    Raises
    ------
    TypeError
        If they cannot be gone through one by one, or one is no number.
    ValueError
        If there is none, one is not finite, or they do not rise.

    Examples
    --------
    >>> check_levels([1.0, 0.5])
    Traceback (most recent call last):
        ...
    ValueError: levels must rise, got [1.0, 0.5]: pass sorted(set(levels))
    """
    if not isinstance(levels, Iterable):
        raise TypeError(f"levels must be several numbers, got {_kind(levels)}: pass [{levels}]")
    found = list(levels)
    for level in found:
        check_number("levels", level)
    if not found:
        raise ValueError("levels must hold one number or more, got none: pass [1.0], for example")
    if any(low >= high for low, high in pairwise(found)):
        raise ValueError(f"levels must rise, got {found}: pass sorted(set(levels))")
    return found


def check_rate(lr: float, dtype: torch.dtype = torch.float64) -> None:
    """Check a learning rate: a number above 0, finite in a dtype.

    Raises
    ------
    TypeError
        If it is no number.
    ValueError
        If it is 0, negative, not finite or too large.

    Examples
    --------
    >>> check_rate(-0.1)
    Traceback (most recent call last):
        ...
    ValueError: lr must be above 0, got -0.1: the step goes against the gradient by itself
    """
    check_number("lr", lr, dtype)
    if lr <= 0:
        raise ValueError(
            f"lr must be above 0, got {lr}: the step goes against the gradient by itself"
            if lr < 0
            else f"lr must be above 0, got {lr}: with it no step would move anything"
        )


def check_descent(
    a: float, b: float, lr: float, steps: int, dtype: torch.dtype = torch.float64
) -> None:
    """Check what every fit of a line is given: its start, its rate, its steps.

    Raises
    ------
    TypeError, ValueError
        As `check_number` for ``a`` and ``b``, `check_rate` for ``lr``, `check_count` for
        ``steps``.

    Examples
    --------
    >>> check_descent(1.0, 0.0, lr=0.1, steps=-1)
    Traceback (most recent call last):
        ...
    ValueError: steps must be 0 or more, got -1: pass 0 or a larger number
    """
    check_number("a", a, dtype)
    check_number("b", b, dtype)
    check_rate(lr, dtype)
    check_count("steps", steps, at_least=0)


def check_autograd(x: Tensor, t: Tensor) -> None:
    """Check that PyTorch may write down a graph of what is computed from data.

    Raises
    ------
    ValueError
        Within ``torch.inference_mode()``, or if the data were made there.

    Examples
    --------
    >>> x = torch.ones(1)
    >>> with torch.inference_mode():
    ...     check_autograd(x, x)
    Traceback (most recent call last):
        ...
    ValueError: gradients must be allowed, got torch.inference_mode(): call this outside of it
    """
    if torch.is_inference_mode_enabled():
        raise ValueError(
            "gradients must be allowed, got torch.inference_mode(): call this outside of it"
        )
    for name, data in {"x": x, "t": t}.items():
        if data.is_inference():
            raise ValueError(
                f"{name} must be usable for gradients, got a tensor made in "
                f"torch.inference_mode(): pass {name}.clone()"
            )


def check_loss(loss: Tensor) -> None:
    """Check that ``loss`` is a result from which gradients can start.

    Raises
    ------
    TypeError
        If it is no tensor, or not real.
    ValueError
        If it is not one number, or was not computed from anything that wants a gradient.

    Examples
    --------
    >>> check_loss(torch.ones(2))
    Traceback (most recent call last):
        ...
    ValueError: loss must be one number, got the shape (2,): take its mean or its sum, for \
example loss.mean()
    """
    if not isinstance(loss, Tensor):
        raise TypeError(
            f"loss must be a tensor, got {_kind(loss)}: pass what the calculation returns, "
            "without item()"
        )
    if not loss.is_floating_point():
        raise TypeError(f"loss must be real, got {loss.dtype}: no gradient can start there")
    if loss.numel() != 1:
        raise ValueError(
            f"loss must be one number, got the shape {tuple(loss.shape)}: take its mean or its "
            "sum, for example loss.mean()"
        )
    if loss.grad_fn is None:
        raise ValueError(
            "loss must have a graph, got "
            + (
                "a parameter itself: compute something from it first"
                if loss.requires_grad
                else "a tensor without one: make the parameters with requires_grad=True, and "
                "compute the loss without no_grad(), detach() or item()"
            )
        )


def check_tensors(named: Mapping[str, Tensor]) -> None:
    """Check that all that was given by name is a tensor.

    Raises
    ------
    TypeError
        If one is not.

    Examples
    --------
    >>> check_tensors({"lr": 0.1})
    Traceback (most recent call last):
        ...
    TypeError: lr must be a tensor of the calculation, got float
    """
    for name, tensor in named.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} must be a tensor of the calculation, got {_kind(tensor)}")


def _check_tensor(name: str, data: Tensor) -> None:
    if not isinstance(data, Tensor):
        raise TypeError(
            f"{name} must be a tensor, got {_kind(data)}: "
            f"pass torch.tensor({name}, dtype=torch.float32)"
        )
    if not data.is_floating_point():
        raise TypeError(
            f"{name} must hold real numbers with a decimal point, got {data.dtype}: "
            + (
                f"pass {name}.real"
                if data.is_complex()
                else f"pass {name}.float(), or write torch.tensor([1.0, 2.0]) with the points"
            )
        )
    if data.dim() == 0:
        raise ValueError(
            f"{name} must be a row of values, got a single one: pass {name}.reshape(1)"
        )
    if data.numel() == 0:
        raise ValueError(
            f"{name} must hold one point or more, got the shape {tuple(data.shape)}: pass the "
            "points to be fitted"
        )
    if data.requires_grad:
        raise ValueError(
            f"{name} must not require a gradient, because it is data and stays as it is: "
            f"pass {name}.detach()"
        )


def _check_alike(x: Tensor, t: Tensor) -> None:
    if x.dtype != t.dtype:
        raise ValueError(
            f"x and t must have the same dtype, got {x.dtype} and {t.dtype}: pass t.to(x.dtype)"
        )
    if x.device != t.device:
        raise ValueError(
            f"x and t must be on the same device, got {x.device} and {t.device}: "
            "pass t.to(x.device)"
        )


def _check_finite(x: Tensor, t: Tensor) -> None:
    for name, data in {"x": x, "t": t}.items():
        if data.layout != torch.strided or data.device.type == "meta":
            raise ValueError(
                f"{name} must hold its values one by one, got a tensor on {data.device} with the "
                f"layout {data.layout}: make it by torch.tensor(...), or pass {name}.to_dense()"
            )
        finite = torch.isfinite(data)
        if not finite.all():
            where = tuple(int(i) for i in (~finite).nonzero()[0])
            place = ", ".join(str(i) for i in where)
            raise ValueError(
                f"{name} must be finite, got {name}[{place}] = {data[where].item()}: "
                "drop that point or mend it"
            )


def _shape_advice(x: Tensor, t: Tensor) -> str:
    if x.numel() != t.numel():
        return "every input needs its own target"
    try:
        joint = torch.broadcast_shapes(x.shape, t.shape)
    except RuntimeError:
        joint = x.shape
    if joint.numel() == x.numel():
        return "reshape one of them, for example t = t.reshape(x.shape)"
    return (
        f"torch would broadcast them to {tuple(joint)} and compare every prediction with every "
        "target. Reshape one of them, for example t = t.reshape(x.shape)"
    )


def _kind(value: object) -> str:
    return type(value).__name__
