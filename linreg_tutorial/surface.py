"""The error of a line as a surface over (a, b): how it bends, and how steps move on it.

With y = a·x + b and e = mean((t - y)²), the error over all lines is a valley with
the same bends everywhere, the `hessian` H. At a distance d from its lowest place
the gradient is H d. So each step of plain gradient descent multiplies d by
1 - lr·H. Along an eigenvector of H, with the eigenvalue λ, this is the number
1 - lr·λ, from which all else here follows.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from linreg_tutorial.data import in_float64
from linreg_tutorial.history import History, warn_divergence
from linreg_tutorial.validation import check_data, check_descent


class Line(NamedTuple):
    """A line y = a·x + b: its slope and its intercept."""

    a: float
    b: float


def hessian(x: Tensor) -> Tensor:
    """Return the second derivatives of the mean squared error by a and b.

    They depend on the inputs alone:

        [[2 mean(x²), 2 mean(x)],
         [2 mean(x),  2        ]]

    Parameters
    ----------
    x
        Inputs, real, shape (n,).

    Returns
    -------
    torch.Tensor
        Shape (2, 2), of the dtype of ``x``; rows and columns in the order a, b.

    Raises
    ------
    TypeError, ValueError
        If ``x`` is unusable.

    Examples
    --------
    >>> hessian(torch.tensor([1.0, 2.0]))
    tensor([[5., 3.],
            [3., 2.]])
    """
    check_data(x, x)
    return _hessian(x).to(x)


def rate_limit(x: Tensor) -> float:
    """Return the learning rate from which on plain gradient descent no longer converges.

    It is 2/λ with λ the largest eigenvalue of the `hessian`: a step multiplies
    the distance to the solution along that direction by 1 - lr·λ, which is
    below 1 in size only for lr < 2/λ. (Source: G. Goh, "Why
    Momentum Really Works", *Distill*, 2017, section "First Steps: Gradient
    Descent".)

    Parameters
    ----------
    x
        Inputs, real, shape (n,).

    Raises
    ------
    TypeError, ValueError
        If ``x`` is unusable.

    Examples
    --------
    >>> f"{rate_limit(torch.tensor([1.0, 2.0])):.4f}"
    '0.2918'
    """
    check_data(x, x)
    largest: float = torch.linalg.eigvalsh(_hessian(x))[-1].item()
    return 2 / largest


def best_rate(x: Tensor) -> float:
    """Return the constant learning rate whose slowest direction is the fastest.

    A step multiplies the distance to the solution by 1 - lr·λ along each
    eigenvector of the `hessian`. The larger in size of 1 - lr·λmin and
    1 - lr·λmax decides how long the worst start takes. It is smallest where the
    two sizes are equal, at

        lr = 2 / (λmin + λmax)

    where both are (λmax - λmin) / (λmax + λmin). The sum λmin + λmax is that of
    the diagonal of the Hessian. For a single start, or a fixed number of steps,
    another rate may do better. (Source: B. T. Polyak, *Introduction to
    Optimization*, 1987, section 1.4; Y. Nesterov, *Introductory Lectures on
    Convex Optimization*, 2004, theorem 2.1.15.)

    Parameters
    ----------
    x
        Inputs, real, shape (n,), with two different values at least.

    Raises
    ------
    TypeError, ValueError
        If ``x`` is unusable, or if all its values are the same within rounding.
        Then λmin is 0, infinitely many lines have the least error, and
        1 / λmax, half of `rate_limit`, leads to the nearest of them in one step.

    Examples
    --------
    >>> best_rate(torch.tensor([1.0, 2.0])) == 2 / 7
    True
    """
    check_data(x, x)
    if torch.linalg.matrix_rank(_design(x)) < 2:
        raise ValueError(
            f"{_too_alike(x)}: without other inputs no rate moves along the valley. Take "
            "rate_limit(x) / 2, which leads to its floor in one step"
        )
    return 2 / _hessian(x).trace().item()


def least_squares(x: Tensor, t: Tensor) -> Line:
    """Return the line of least mean squared error, without a step.

    `torch.linalg.lstsq` solves a·x + b·1 ≈ t for the two columns x and 1. It is
    computed in float64 whatever the dtype of the points.

    Parameters
    ----------
    x, t
        Inputs and targets, real, of the same shape (n,).

    Raises
    ------
    TypeError, ValueError
        If the data are unusable, or if all inputs are the same within rounding:
        then many lines have the least error.

    Examples
    --------
    >>> line = least_squares(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0]))
    >>> f"a = {line.a:.4f}, b = {line.b:.4f}"
    'a = 2.0000, b = 1.0000'
    """
    check_data(x, t)
    (a, b), rank = _solve(_design(x), t)
    if rank < 2:
        raise ValueError(f"{_too_alike(x)}: then a whole row of lines has the least error")
    return Line(a.item(), b.item())


@torch.no_grad()
def fit_closed_form(
    x: Tensor,
    t: Tensor,
    *,
    a: float = 1.0,
    b: float = 0.0,
    lr: float = 0.1,
    steps: int = 100,
) -> History:
    """Return where gradient descent is after each step, by a formula, without walking.

    With the solution θ*, the eigenvalues λ of the `hessian` and its eigenvectors as the
    columns of V, the place after k steps is

        θₖ = θ* + V (1 - lr·λ)ᵏ Vᵀ (θ₀ - θ*)

    The gradient there is H (θₖ - θ*), the error is the least one plus half of
    (θₖ - θ*)ᵀ H (θₖ - θ*). It is computed in float64 whatever the dtype of the points, so
    it differs from `fit_manual` by the rounding of the latter. (Source: G. Goh, "Why
    Momentum Really Works", *Distill*, 2017, section "First Steps: Gradient Descent".)

    Parameters
    ----------
    x, t
        Inputs and targets, real, of the same shape (n,). If all inputs are the
        same, θ* is the nearest of the lines of least error.
    a, b
        Slope and intercept to start from.
    lr
        Learning rate, above 0.
    steps
        How many steps: 0 or more.

    Returns
    -------
    History
        As of `fit_manual`, in float64.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable.

    Warns
    -----
    DivergenceWarning
        Once, if the error is no longer finite; the history ends with that state.

    Examples
    --------
    >>> from linreg_tutorial import fit_manual, two_points
    >>> x, t = two_points()
    >>> exact = fit_closed_form(x, t, lr=0.1, steps=100)
    >>> exact.max_difference(fit_manual(x, t, lr=0.1, steps=100)) < 1e-5
    True
    """
    check_data(x, t)
    check_descent(a, b, lr, steps)

    # The singular values of the design matrix know the eigenvalues of the Hessian to more digits
    # than the Hessian does, in which inputs far from 0 have been squared.
    design = _design(x)
    _, singular_values, eigenvectors = torch.linalg.svd(design, full_matrices=False)
    eigenvalues = 2 * singular_values**2 / len(design)
    solution, _ = _solve(design, t)
    start = torch.tensor([float(a), float(b)], dtype=torch.float64)
    at_start = eigenvectors @ (start - solution)

    # A row a step, a column an eigenvector. What is 0 stays 0, also where a power is infinite.
    powers = (1 - float(lr) * eigenvalues) ** torch.arange(steps + 1)[:, None]
    distances = torch.where(at_start == 0, 0.0, powers * at_start)
    parameters = start + (distances - at_start) @ eigenvectors
    gradients = (eigenvalues * distances) @ eigenvectors
    least = ((in_float64(t).flatten() - design @ solution) ** 2).mean()
    error = least + (eigenvalues * distances**2).sum(dim=1) / 2

    rows = steps + 1
    if not error.isfinite().all():
        last = int((~error.isfinite()).nonzero()[0])
        warn_divergence(last, lr, rate_limit(x))
        rows = last + 1
    return History(
        values={"a": parameters[:rows, 0], "b": parameters[:rows, 1]},
        gradients={"a": gradients[:rows, 0], "b": gradients[:rows, 1]},
        error=error[:rows],
    )


def _design(x: Tensor) -> Tensor:
    """Return the columns x and 1 in float64, shape (n, 2); times (a, b) they give predictions."""
    column = in_float64(x).flatten()
    return torch.stack([column, torch.ones_like(column)], dim=1)


def _hessian(x: Tensor) -> Tensor:
    design = _design(x)
    return 2 * design.T @ design / len(design)


def _solve(design: Tensor, t: Tensor) -> tuple[Tensor, int]:
    """Return the line of least error, of several the nearest to (0, 0), and the design's rank."""
    targets = in_float64(t).flatten()[:, None]
    # The driver that can do columns that are not independent.
    solution, _, rank, _ = torch.linalg.lstsq(design, targets, driver="gelsd")
    return solution.flatten(), int(rank)


def _too_alike(x: Tensor) -> str:
    """Say what is wrong with inputs that are all the same, or nearly so."""
    low, high = x.min().item(), x.max().item()
    if low == high:
        return f"x must hold two different inputs, got {low} alone"
    return (
        f"x must differ by more than rounding, got values from {low} to {high}: subtract their "
        "mean first. As they are"
    )
