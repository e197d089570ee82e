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

r"""Find the best rate
==================

Measure at many learning rates how much of the distance a step leaves, and find the best rate.

The page “Find the fastest rate” calculates what a step does. This script does not. It takes a step
at each rate, from two starts, and measures.
"""

import matplotlib.pyplot as plt
import torch

import linreg_tutorial as lt
from linreg_tutorial import plots

x, t = (values.double() for values in lt.two_points())
goal = torch.tensor(lt.least_squares(x, t), dtype=torch.float64)
print("goal: a = {:.4f}, b = {:.4f}".format(*goal))

# %%
# Choose two starts
# -----------------
#
# The ground is a valley. One start lies along the valley, seen from the goal, and one across it.
# Both are at a distance of 1. :func:`torch.linalg.eigh` finds the two directions, and how strongly
# the ground bends in each.

bends, directions = torch.linalg.eigh(lt.hessian(x))
starts = {
    name: (goal + direction, bend)
    for name, direction, bend in zip(("along", "across"), directions.T, bends, strict=True)
}
for name, (_, bend) in starts.items():
    print(f"{name}: bend {bend:.4f}")

# %%
# Take a step at each rate
# ------------------------
#
# What is left of the distance after one step is the factor of that step. A factor of 0 means that
# the step arrives, 1 that it gains nothing, and more than 1 that it leads away.


def factor(start, lr):
    """Return which part of the distance from the goal one step leaves."""
    history = lt.fit_manual(x, t, a=start[0].item(), b=start[1].item(), lr=lr, steps=1)
    places = torch.stack([history.a, history.b], dim=1)
    before, after = torch.linalg.vector_norm(places - goal, dim=1).tolist()
    return after / before


rates = [k / 100 for k in range(1, 33)]
measured = {name: [factor(start, lr) for lr in rates] for name, (start, _) in starts.items()}
for lr in (0.01, 0.1, 0.2, 0.28, 0.29, 0.3):
    along, across = (measured[name][rates.index(lr)] for name in starts)
    print(f"lr {lr:<4}  along {along:.4f}  across {across:.4f}  slower {max(along, across):.4f}")

# %%
# See the V
# ---------
#
# The dots are measured, the thin lines are 1 − lr·λ without its sign; λ is the bend. The broad band
# is the larger of the two: the worst that can happen to a start. Look at its lowest place, at the
# dotted line. There both directions are equally slow. To the left of it the way along the valley is
# the slow one, to the right the way across. Then look where the band passes 1, at the dashed line:
# that is the limit.

best, limit = lt.best_rate(x), lt.rate_limit(x)
fig, ax = plt.subplots(
    num="What a step leaves, over the rate: a slow fall along, a steep V across, the best where "
    "they meet.",
    figsize=(5, 4),
    layout="constrained",
)
grid = torch.linspace(0, 0.32, 400, dtype=torch.float64)
lines = (1 - grid * bends[:, None]).abs()
ax.plot(grid, lines.amax(dim=0), color=plots.colour("residual"), linewidth=6, alpha=0.4)
for line, (name, color, marker) in zip(
    lines, (("along", "line", "o"), ("across", "gradient", "s")), strict=True
):
    ax.plot(grid, line, color=plots.colour(color), linewidth=1)
    ax.plot(rates, measured[name], marker, color=plots.colour(color), markersize=4)
ax.text(0.05, 1.03, f"λ = {bends[0]:.4f}", color=plots.colour("line"))
ax.text(0.075, 0.55, f"λ = {bends[1]:.4f}", color=plots.colour("gradient"))
ax.axvline(best, color="black", linestyle="dotted")
ax.axvline(limit, color="black", linestyle="dashed", linewidth=1)
ax.axhline(1, color=plots.colour("residual"), linewidth=0.8)
ax.text(best - 0.004, 0.05, f"{best:.4f}", ha="right")
ax.text(limit + 0.004, 0.05, f"{limit:.4f}")
ax.set(xlabel="lr", ylabel="|1 − lr·λ|", xlim=(0, 0.34), ylim=(0, 1.25))
plt.show()

# %%
# Count the steps
# ---------------
#
# A factor that looks good is not yet a fast walk. At 0.9583 a hundred steps leave more than a
# hundredth, at 0.9854 more than a fifth. The factor is the same at every step, so a power says it.

for lr in (0.1, best):
    slower = max(factor(start, lr) for start, _ in starts.values())
    print(f"lr {lr:.4f}: factor {slower:.4f}, after 100 steps {slower**100:.4f} is left")

# %%
# One start, one number of steps
# ------------------------------
#
# The best constant rate is the best for the worst start. For a single start and a fixed number of
# steps another rate may end lower. Here are all rates in thousandths from ``a`` = 1, ``b`` = 0:
# which one has the smallest error after 20 steps, and which after 100?

favourite = {}
for steps in (20, 100):
    errors = {
        k / 1000: lt.fit_closed_form(x, t, lr=k / 1000, steps=steps).error[-1]
        for k in range(1, 292)
    }
    favourite[steps] = min(errors, key=errors.get)
    print(f"{steps:3} steps: lr {favourite[steps]}")

# %%
# After 20 steps it is 0.253, after 100 steps 0.279. The more steps there are, the closer the
# favourite comes to the best constant rate.
#
# What you learned
# ----------------
#
# - A step multiplies the distance along and across the valley by two numbers of their own.
# - The best constant rate makes both equally slow. Here it is 0.2857, which is 2 divided by 7.
#
# The last lines compare every dot with the formula, and try a fine grid of rates for a better one.

for name, (_, bend) in starts.items():
    formula = (1 - torch.tensor(rates, dtype=torch.float64) * bend).abs()
    torch.testing.assert_close(torch.tensor(measured[name], dtype=torch.float64), formula)
fine = [k / 1000 for k in range(1, 320)]
slowest = {lr: max(factor(start, lr) for start, _ in starts.values()) for lr in [*fine, best]}
assert min(slowest, key=slowest.get) == best == 2 / 7
