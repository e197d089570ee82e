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

r"""Try five learning rates
=======================

Run one fit at five learning rates and find the rate at which it breaks.

The gradient says how steeply the error ``e`` rises with ``a`` and with ``b``. A step goes against
it. How much of it a step takes is the learning rate ``lr``, and you have to choose it yourself.
"""

import math
import textwrap
import warnings

import matplotlib.pyplot as plt

import linreg_tutorial as lt
from linreg_tutorial import plots

x, t = lt.two_points()
rates = [0.01, 0.1, 0.2, 0.28, 0.3]
histories = {lr: lt.fit_manual(x, t, a=1.0, b=0.0, lr=lr, steps=100) for lr in rates}
for lr, history in histories.items():
    print(f"lr {lr}: a = {history.a[-1]:.3f}, b = {history.b[-1]:.3f}, e = {history.error[-1]:.6f}")

# %%
# Compare the errors
# ------------------
#
# The points lie on the line with ``a`` = 2 and ``b`` = 1. After 100 steps 0.01 is at 2.147 and
# 0.761, 0.1 is at 2.039 and 0.936, and 0.2 is at 2.009 and 0.986. The larger rates came closer.
# But the fit at 0.3 is far away.
#
# The picture shows the error ``e``, :func:`linreg_tutorial.plots.plot_error` draws it. Each number
# on the upright axis is a hundred times the one below. Look at the right end of each curve. Then
# look at the rates 0.28 and 0.3: nearly the same number, and one falls while the other rises.

fig, ax = plt.subplots(
    num="Error over a hundred steps at five rates: four curves fall, the one of 0.3 rises.",
    figsize=(5, 3.8),
    layout="constrained",
)
for lr, history in histories.items():
    plots.plot_error(ax, history, color=plots.colour("second" if lr == 0.3 else "line"))
    ax.text(102, history.error[-1], f"lr {lr}", va="center")
ax.set(xlim=(0, 125), xticks=range(0, 101, 20))
plt.show()

# %%
# Follow the slope
# ----------------
#
# Each strip shows the slope ``a`` over the first 20 steps at one rate. The dashed line is 2, where
# ``a`` has to go. Read the strips from the top. At 0.01 it is still on its way. At 0.1 it is soon
# near the line. At 0.2 it leaps over the line and settles a little above it. At 0.28 it swings
# much longer, each time a little less. At 0.3 each swing is wider than the last.

fig, strips = plt.subplots(
    nrows=5,
    num="The slope a over twenty steps: one creeps up, one arrives, three swing, the last grows.",
    figsize=(5, 6.5),
    layout="constrained",
    sharex=True,
)
for ax, (lr, history) in zip(strips, histories.items(), strict=True):
    ax.axhline(2, color="black", linestyle="--", linewidth=1)
    color = plots.colour("second" if lr == 0.3 else "line")
    ax.plot(history.a[:21], color=color, marker="o", markersize=3)
    ax.text(0.5, 6, f"lr {lr}", va="top")
    ax.set(ylabel="a", ylim=(-2.2, 6.2), xticks=range(0, 21, 5))
ax.set_xlabel("step")
plt.show()

# %%
# Find the limit
# --------------
#
# Somewhere between 0.28 and 0.3 a swing is as wide as the one before it.
# :func:`linreg_tutorial.rate_limit` computes that rate. Above it every step adds to the error,
# until the number is too large for the computer. The package then stops the fit and issues a
# :class:`linreg_tutorial.DivergenceWarning`. Here you catch the warning and print it.

limit = lt.rate_limit(x)
print(f"limit: {limit:.4f}")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    lt.fit_manual(x, t, lr=0.3, steps=1000)
print(textwrap.fill(str(caught[0].message), width=80))

# %%
# What you learned
# ----------------
#
# - Too small is slow, too large flies apart. The limit here is 0.2918.
# - After a fixed number of steps a smaller rate need not be closer.
#
# The last lines check the limit against its closed form and the ends against the course.

assert math.isclose(limit, 7 - 3 * math.sqrt(5), rel_tol=1e-12)
for lr, a, b in ((0.01, 2.147, 0.761), (0.1, 2.039, 0.936), (0.2, 2.009, 0.986)):
    assert math.isclose(histories[lr].a[-1], a, abs_tol=5e-4)
    assert math.isclose(histories[lr].b[-1], b, abs_tol=5e-4)
assert all(histories[0.28].error.diff() < 0) and all(histories[0.3].error.diff() > 0)
