# /// script
# requires-python = ">=3.11"
# dependencies = ["torch", "matplotlib", "linreg-tutorial"]
# ///
# linreg-tutorial is the course's own package: download its wheel from the page of this script and run
#     python -m pip install ./linreg_tutorial-0.1.0-py3-none-any.whl

r"""Try five learning rates
=======================

Run one fit at five learning rates and find the rate at which it breaks.

The learning rate ``lr`` says how much of the gradient a step takes. It is the one number that you
have to choose yourself. You will see that smaller is not always closer.
"""

import math
import warnings

import matplotlib.pyplot as plt

import linreg_tutorial as lt
from linreg_tutorial import plots

x, t = lt.two_points()
rates = [0.01, 0.1, 0.2, 0.28, 0.3]
histories = {lr: lt.fit_manual(x, t, a=1.0, b=0.0, lr=lr, steps=100) for lr in rates}
for lr, history in histories.items():
    print(f"lr {lr:<4}  a = {history.a[-1]:.3f}  b = {history.b[-1]:.3f}  e = {history.error[-1]:.1g}")

# %%
# Compare the errors
# ------------------
#
# The points lie on the line with ``a`` = 2 and ``b`` = 1. After 100 steps 0.01 is at 2.147 and
# 0.761, 0.1 is at 2.039 and 0.936, and 0.2 is at 2.009 and 0.986. So the larger rate came closer.
# The fit at 0.3 is far away.
#
# The picture shows the error ``e``, :func:`linreg_tutorial.plots.plot_error` draws it. Each mark on
# the upright axis is a hundred times the one below. Look at the right end of each curve. Then look
# at the rates 0.28 and 0.3: nearly the same number, and one falls while the other rises.

fig, ax = plt.subplots(
    num="Error over a hundred steps at five rates: four curves fall, the one of 0.3 rises.",
    figsize=(5, 3.8),
    layout="constrained",
)
for lr, history in histories.items():
    plots.plot_error(ax, history, color=plots.colour("second" if lr == 0.3 else "line"))
    ax.text(102, history.error[-1], f"lr {lr}", va="center")
ax.set(xlim=(0, 122))
plt.show()
