"""Fit a line by hand: torch finds the gradients, the update is ours."""

import torch
from torch import Tensor

from linreg_tutorial.gradients import error_of_line
from linreg_tutorial.history import History, Recorder, warn_divergence
from linreg_tutorial.surface import rate_limit
from linreg_tutorial.validation import check_autograd, check_data, check_descent


@torch.enable_grad()
def fit_manual(
    x: Tensor,
    t: Tensor,
    *,
    a: float = 1.0,
    b: float = 0.0,
    lr: float = 0.1,
    steps: int = 100,
) -> History:
    """Fit the line y = a·x + b to points by gradient descent, written out.

    Each step subtracts ``lr`` times the gradient of the mean squared error from
    both parameters at once.

    Parameters
    ----------
    x, t
        Inputs and targets, real, of the same shape (n,).
    a, b
        Slope and intercept to start from.
    lr
        Learning rate: the part of the gradient that a step subtracts. Above 0.
    steps
        How many steps to take: 0 or more.

    Returns
    -------
    History
        The parameters, gradients and error before the first step and after each.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable; nothing was computed then.

    Warns
    -----
    DivergenceWarning
        Once, if the error is no longer finite; the history ends with that state.

    Examples
    --------
    >>> from linreg_tutorial import two_points
    >>> x, t = two_points()
    >>> fit_manual(x, t, steps=100)
    History of 100 steps: error 6.5000 → 0.0004
    step         a         b     ∂e/∂a     ∂e/∂b         e
       0    1.0000    0.0000   -8.0000   -5.0000    6.5000
       1    1.8000    0.5000   -2.5000   -1.6000    0.6500
       2    2.0500    0.6600   -0.7700   -0.5300    0.0709
       3    2.1270    0.7130   -0.2260   -0.1930    0.0133
       …         …         …         …         …         …
      98    2.0405    0.9345    0.0059   -0.0096    0.0004
      99    2.0399    0.9355    0.0058   -0.0094    0.0004
     100    2.0393    0.9364    0.0057   -0.0093    0.0004
    """
    check_data(x, t)
    check_autograd(x, t)
    check_descent(a, b, lr, steps, x.dtype)

    lr = float(lr)
    slope = torch.tensor(float(a), dtype=x.dtype, device=x.device, requires_grad=True)
    intercept = torch.tensor(float(b), dtype=x.dtype, device=x.device, requires_grad=True)
    recorder = Recorder({"a": slope, "b": intercept})
    # Made once: to make it in each step would take as long as it takes to write a step down.
    without_graph = torch.no_grad()
    for step in range(steps + 1):
        error = error_of_line(x, t, slope, intercept)
        error.backward()
        finite = recorder.record(error)
        if not finite:
            warn_divergence(step, lr, rate_limit(x))
        if step == steps or not finite:
            break
        with without_graph:
            slope -= lr * slope.grad  # type: ignore[operator]
            intercept -= lr * intercept.grad  # type: ignore[operator]
        slope.grad = intercept.grad = None
    return recorder.history()
