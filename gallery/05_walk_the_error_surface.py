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

r"""Walk the error surface
======================

Follow a fit across a map of the error and see why it starts fast and ends slowly.

Every line has a slope ``a`` and an intercept ``b``. So every line is a place on a map. The error
``e`` is the height of the ground there. To fit a line is to walk downhill.
"""

import math

import matplotlib.pyplot as plt
import torch

import linreg_tutorial as lt
from linreg_tutorial import plots

x, t = lt.two_points()
history = lt.fit_manual(x, t, a=1.0, b=0.0, lr=0.1, steps=100)

# %%
# See the whole walk
# ------------------
#
# :func:`linreg_tutorial.plots.plot_surface` draws lines of equal error, as a hiking map draws
# lines of equal height. The small numbers are the error there.
# :func:`linreg_tutorial.plots.plot_path` draws the walk, a dot for each step.
#
# Look at the ground first: it is a long, narrow valley. The cross marks the lowest place, where
# ``a`` is 2 and ``b`` is 1. Then look at the dots. Two long steps lead down into the valley.
# All the other dots crowd together there.

fig, ax = plt.subplots(
    num="Map of the error over a and b, a long valley: the path drops into it and then crawls.",
    figsize=(5, 4.5),
    layout="constrained",
)
plots.plot_surface(ax, x, t, a=(0.5, 3.5), b=(-0.5, 2.5))
plots.plot_path(ax, history)
ax.plot(2, 1, color="black", marker="x", markersize=9)
ax.annotate("step 0", (1, 0), xytext=(0, -6), textcoords="offset points", ha="center", va="top")
ax.set_aspect("equal")
plt.show()

# %%
# Measure the valley
# ------------------
#
# Here the lesson goes further than the course. Skip the calculation if you like, and go on with the
# next picture.
#
# A bend says how fast the ground gets steeper as you walk. :func:`linreg_tutorial.hessian` holds
# the bends along ``a`` and ``b``. :func:`torch.linalg.eigh` turns them into two directions that
# do not disturb each other: straight along the valley and straight across it. In each of them the
# slope is the bend times your distance to the lowest place. A step subtracts lr times that slope.
# So it multiplies the distance by 1 − lr·bend.

bends, directions = torch.linalg.eigh(lt.hessian(x.double()))
for name, bend in zip(("along ", "across"), bends.tolist(), strict=True):
    print(f"{name}: bend {bend:.4f}, each step keeps {1 - 0.1 * bend:.4f} of the distance")

places = torch.stack([history.a, history.b], dim=1).double()
distances = ((places - torch.tensor([2.0, 1.0])) @ directions).abs()
for k in (0, 1, 2, 3, 100):
    along, across = distances[k].tolist()
    print(f"step {k:3}: along {along:.4f}, across {across:.4f}")

# %%
# Across the valley the bend is 6.8541, and a step keeps 0.3146 of the distance. After a few steps
# almost nothing is left of it. Along the valley the bend is only 0.1459, and a step keeps 0.9854.
# That is the slow direction.
#
# Now go closer. The dashed line runs along the bottom of the valley. Look at how the dots turn
# onto it. From there on they creep towards the cross, so close together that they become a band.
# After 100 steps they have not reached it.

fig, ax = plt.subplots(
    num="The bottom of the valley, closer: the dots turn onto the slow direction and creep along.",
    figsize=(5, 4.5),
    layout="constrained",
)
plots.plot_surface(ax, x, t, a=(1.75, 2.35), b=(0.5, 1.1))
slow_a, slow_b = directions[:, 0].tolist()
plots.plot_line(ax, a=slow_b / slow_a, b=1 - 2 * slow_b / slow_a, color="black", linestyle="--")
plots.plot_path(ax, history)
ax.plot(2, 1, color="black", marker="x", markersize=9)
ax.set(aspect="equal", xlim=(1.75, 2.35), ylim=(0.5, 1.1))
plt.show()

# %%
# What you learned
# ----------------
#
# - The error is a valley. On its sides the gradient points across it, hardly along it.
# - A rate has to suit both directions. What is large across the valley is small along it.
#
# The bends have a closed form. The last lines use it to check all hundred steps.

for column, bend in enumerate([(7 - math.sqrt(45)) / 2, (7 + math.sqrt(45)) / 2]):
    kept = (1 - 0.1 * bend) ** torch.arange(101, dtype=torch.float64)
    torch.testing.assert_close(distances[:, column], distances[0, column] * kept, rtol=0, atol=1e-5)
