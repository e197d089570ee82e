# /// script
# requires-python = ">=3.11"
# dependencies = ["torch", "matplotlib", "linreg-tutorial"]
#
# [tool.uv.sources]
# linreg-tutorial = { path = "linreg_tutorial-0.1.0-py3-none-any.whl" }
# ///
# linreg-tutorial is the course's own package: download its wheel from the page of this script
# and run
#     python -m pip install ./linreg_tutorial-0.1.0-py3-none-any.whl

r"""Compare absolute and squared error
==================================

Swap the squared error for the absolute one and watch the fit swing to and fro.

How far is a line from the points? You could take the misses as they are, without their sign. Or
you could square them. Both give 0 for the right line and more for every other. What differs is
the gradient: the numbers that say how steeply the error rises with ``a`` and with ``b``.
"""

import matplotlib.pyplot as plt
import torch

import linreg_tutorial as lt
from linreg_tutorial import plots

# %%
# Run the same loop with two errors
# ---------------------------------
#
# ``fit`` is the loop by hand, with the error left open. At each step it notes ``a``, ``b``, the
# gradient along ``b``, and the mean of the misses without their sign. That last number is one
# yardstick for both fits.

x, t = lt.two_points()


def fit(error, lr=0.1):
    """Return a, b, the gradient along b and the mean miss: a row each, a column a step."""
    a, b = torch.tensor(1.0, requires_grad=True), torch.tensor(0.0, requires_grad=True)
    states = []
    for _ in range(101):
        miss = t - (a * x + b)
        error(miss).backward()
        states.append([a.item(), b.item(), b.grad.item(), miss.abs().mean().item()])
        with torch.no_grad():
            a -= lr * a.grad
            b -= lr * b.grad
        a.grad = b.grad = None
    return torch.tensor(states).T


absolute = fit(lambda miss: miss.abs().mean())
squared = fit(lambda miss: (miss**2).mean())
for name, states in (("absolute", absolute), ("squared", squared)):
    for k in (0, 7, 8, 9, 10, 11, 99, 100):
        a, b, grad_b, miss = states[:, k].tolist()
        print(f"{name}, step {k:3}: a {a:.4f}, b {b:.4f}, grad {grad_b:7.4f}, miss {miss:.4f}")

# %%
# Compare the gradients and the misses
# ------------------------------------
#
# The gradient of the absolute error tells only on which side of the line a point lies. Two points
# above the line give −1.0000 along ``b``, near or far. Two points below give 1.0000. At step 8 the
# line meets the first point. There the absolute value has a corner, and PyTorch takes 0 for its
# slope. So that one time the gradient is 0.5000.
#
# Look at the upper picture first. The size of one gradient stays, that of the other fades. Then
# look below, at how far the line is from the points. From step 9 on the fit with the absolute error
# swings between two lines, one below both points and one above both. The other creeps nearer.

fig, (upper, lower) = plt.subplots(
    nrows=2,
    num="Absolute error: level gradient, a miss that swings for ever. Squared error: both fall.",
    figsize=(5, 5),
    layout="constrained",
    sharex=True,
)
for states, name in ((absolute, "second"), (squared, "line")):
    upper.plot(states[2].abs(), color=plots.colour(name))
    lower.plot(states[3], color=plots.colour(name), linewidth=1)
for ax, above, below in ((upper, 1.4, 0.04), (lower, 0.28, 0.06)):
    ax.text(100, above, "e = |t − y|", ha="right")
    ax.text(100, below, "e = (t − y)²", ha="right")
upper.set(ylabel="|∂e/∂b|", yscale="log")
lower.set(xlabel="step", ylabel="mean |t − y|", yscale="log")
plt.show()

# %%
# A jump of ``b`` is the rate times the gradient. So a smaller rate makes the jumps smaller. It does
# not end them.

slower = fit(lambda miss: miss.abs().mean(), lr=0.01)
for lr, states in ((0.1, absolute), (0.01, slower)):
    jumps = states[1, -21:].diff().abs()
    print(f"lr {lr}: the widest of the last 20 jumps of b is {jumps.max():.4f}")

# %%
# What you learned
# ----------------
#
# - The gradient of the absolute error does not tell near from far. A fixed rate keeps jumping.
# - The gradient of the squared error fades as you come near. It brakes by itself.
#
# The last lines check it. The mean of two signs can be 1, a half or 0 in size, and nothing else.

assert set(absolute[2].abs().tolist()) <= {0.0, 0.5, 1.0}
torch.testing.assert_close(absolute[1, -21:].diff().abs(), torch.full((20,), 0.1))
a, b = 2.0393, 0.9364
expected = torch.tensor([a, b, 3 * (a - 2) + 2 * (b - 1)])
torch.testing.assert_close(squared[:3, -1], expected, rtol=0, atol=3e-4)
