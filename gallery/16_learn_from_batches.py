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

r"""Learn from batches
==================

Measure what a step loses when it looks at a few points only, and what it gains.

A batch is the group of points that a step looks at. An epoch is over when every point was used
once. Here the points are 1000, near a line, with noise.

This lesson goes with the page “Learn from batches”.
"""

import math

import matplotlib.pyplot as plt
import torch

import linreg_tutorial as lt
from linreg_tutorial import plots

x, t = lt.noisy_line(1000)
best = lt.least_squares(x, t)
least = lt.mean_squared_error(x, t, *best).item()
print(f"best line: a = {best.a:.4f}, b = {best.b:.4f}, e = {least:.4f}")

# %%
# Spend one epoch
# ---------------
#
# Every fit looks at each point once. With ``batch_size=1000`` that is one step, with
# ``batch_size=1`` it is 1000 steps. The rate is the same, 0.02. The ends are compared with
# the best line that there is: its error is the floor, 0.2639.

after_epoch = {}
for size in (1000, 100, 10, 1):
    history = lt.fit_module(x, t, lr=0.02, batch_size=size, steps=1000 // size)
    after_epoch[size] = history.error[-1].item()
    print(f"{size:4} points a step: {history.steps:4} steps, e = {after_epoch[size]:.4f}")

# %%
# More steps get farther: 6.2184 after one step, 0.2796 after 100. But 1000 steps of one point
# each end a little higher than those of ten, at 0.3405. They leap about too much. The next two
# sections measure how much.

# %%
# How far a batch is off
# ----------------------
#
# Stand at ``a`` = 1, ``b`` = 0, and draw many batches. For each, take the gradient along ``a``.
# The spread is how far these gradients typically are from their mean. It depends on the batch size.
#
# No point is drawn twice for a batch. So a batch of all points has no spread at all. The formula is
# the spread of single points, times the root of (n − s) / (s · (n − 1)) for s of n points. (Books
# on samples have it as the one without replacement.)
#
# Look at the dots in the picture: they are measured, and the line is the formula. On both axes each
# number is ten times the one before. The dashed line is the short form, one over the root of s. For
# small batches the two agree.

slopes = 2 * (1.0 * x + 0.0 - t) * x
single = slopes.std(correction=0).item()
chance = torch.Generator().manual_seed(0)
sizes = [1, 3, 10, 30, 100, 300]
measured = []
for size in sizes:
    drawn = [torch.randperm(1000, generator=chance)[:size] for _ in range(2000)]
    measured.append(torch.stack([slopes[batch].mean() for batch in drawn]).std().item())


def formula(size: int) -> float:
    """Return the spread of the mean of so many points, none of them twice."""
    return single * math.sqrt((1000 - size) / (size * 999))


for size, spread in zip(sizes, measured, strict=True):
    print(f"{size:3} points: measured {spread:7.3f}, formula {formula(size):7.3f}")

fig, ax = plt.subplots(
    num="Spread of a batch's gradient over its size: dots along a line that falls.",
    figsize=(5, 3.6),
    layout="constrained",
)
everywhere = torch.logspace(0, 2.9, 60).tolist()
ax.plot(everywhere, [formula(size) for size in everywhere], color=plots.colour("line"))
ax.plot(
    everywhere,
    [single / math.sqrt(size) for size in everywhere],
    color=plots.colour("residual"),
    linestyle="dashed",
)
ax.plot(sizes, measured, "o", color="black", markersize=5)
ax.set(xscale="log", yscale="log", xlabel="batch_size", ylabel="std(∂e/∂a)")
plt.show()

# %%
# How high it stays
# -----------------
#
# Start at the best line, and take steps of one point each. Every point pulls the line away from
# there, and the others pull it back. So the error hovers above its floor. How high depends on the
# rate: halve it, and the error hovers roughly half as high. Read the rows: the rate, and the mean
# height above the floor from step 1001 to step 2500.

heights = {}
for lr in (0.02, 0.01, 0.005, 0.0025):
    net = lt.LineNet(a=best.a, b=best.b)
    history = lt.fit_module(x, t, net, lr=lr, batch_size=1, steps=2500)
    heights[lr] = (history.error[1001:] - least).mean().item()
    print(f"lr {lr:<6} {heights[lr]:.4f}")

# %%
# The picture draws 2000 steps from ``a`` = 1, ``b`` = 0. The pale curve has the rate 0.02, the
# strong one 0.0025. Look at the left side: the larger rate is down first. Then look at the right
# side: the smaller one comes closer to the floor, the dashed line.

fig, ax = plt.subplots(
    num="Error over the steps at two rates: one falls fast and is restless, one falls later.",
    figsize=(5, 3.6),
    layout="constrained",
)
for lr, alpha in ((0.02, 0.45), (0.0025, 1.0)):
    history = lt.fit_module(x, t, lr=lr, batch_size=1, steps=2000)
    plots.plot_error(ax, history, alpha=alpha, linewidth=1)
ax.axhline(least, color="black", linestyle="dashed", linewidth=1)
ax.set_yticks([0.3, 1, 3, 10], ["0.3", "1", "3", "10"])
ax.minorticks_off()
plt.show()

# %%
# What you learned
# ----------------
#
# - In one epoch small batches take many steps and get far.
# - The spread of a batch's gradient falls with the root of its size.
# - With a constant rate the error stays above the floor, about in proportion to the rate. So the
#   rate is made smaller towards the end.
#
# The last lines check the three.

assert after_epoch[1000] > after_epoch[100] > after_epoch[1] > after_epoch[10] > least
for size, spread in zip(sizes, measured, strict=True):
    # 2000 draws: a measured spread is off by one part in √4000. Five of those.
    assert math.isclose(spread, formula(size), rel_tol=5 / math.sqrt(4000))
for lr in (0.02, 0.01, 0.005):
    assert 0.3 < heights[lr / 2] / heights[lr] < 0.7
