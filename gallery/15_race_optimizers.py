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

r"""Race four optimizers
====================

Let four optimizers race through the same valley, from several starts and at several rates.

Who wins? That is the wrong question, as you will see. Look at what the answer depends on.

This lesson goes with the page “Try other optimizers”.
"""

import matplotlib.pyplot as plt
import torch

import linreg_tutorial as lt
from linreg_tutorial import plots

x, t = (values.double() for values in lt.two_points())
optimizers = {
    "SGD": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "Adam": (torch.optim.Adam, {}),
    "LBFGS": (torch.optim.LBFGS, {}),
}


def fit(name, start, lr, steps=100, **changed):
    """Return the history of a fit by one of the optimizers."""
    optimizer, settings = optimizers[name]
    net = lt.LineNet(*start).double()
    return lt.fit_module(
        x, t, net, optimizer=optimizer, lr=lr, steps=steps, **{**settings, **changed}
    )


def distance(history):
    """Return how far each place is from a = 2, b = 1."""
    return torch.hypot(history.a - 2, history.b - 1)


# %%
# Every rate, from four starts
# ----------------------------
#
# Three of them walk a hundred steps from each start, at eight rates. The table shows which rate
# ended nearest to the goal, and how near.

starts = [(1.0, 0.0), (0.0, 0.0), (1.0, 2.0), (4.0, -1.0)]
rates = [0.01, 0.02, 0.05, 0.1, 0.2, 0.28, 0.5, 1.0]
best = {}
for start in starts:
    print("from a = {:.0f}, b = {:.0f}".format(*start))
    for name in ("SGD", "momentum", "Adam"):
        ends = {lr: distance(fit(name, start, lr))[-1].item() for lr in rates}
        best[start, name] = min(ends, key=ends.get)
        print(f"  {name:9} lr {best[start, name]:<5}: {ends[best[start, name]]:.4f}")

# %%
# Read down. SGD has the same best rate everywhere, the largest below its limit. Momentum and Adam
# change their favourite with the start, and nobody can tell it beforehand.
#
# The same rate for all
# ---------------------
#
# What if all take 0.1, so that it looks fair? Compare the lines of the table. From the first start
# Adam ends nearest. From the second it is the last, and far behind.

same_rate = {}
for start in starts:
    same_rate[start] = {
        name: distance(fit(name, start, 0.1))[-1].item() for name in ("SGD", "momentum", "Adam")
    }
    ends = "  ".join(f"{name} {d:.4f}" for name, d in same_rate[start].items())
    print("from a = {:.0f}, b = {:2.0f}:".format(*start), ends)

# %%
# From the first start the goal lies exactly in the direction of Adam's first step, because both
# parameters have to grow by the same. That is luck.
#
# See it from one start
# ---------------------
#
# Here is the distance from the goal over the steps, from a = 4, b = −1, each at its best rate of
# the first table. LBFGS runs at 1, the rate that it has by itself. Each number on the upright axis
# is ten times the one below. Look at SGD first: an even, slow fall. Momentum and Adam fall in bows,
# because they run past the goal and come back. LBFGS falls in a single step, since it looks at
# several places within one, and then it stays.

start = (4.0, -1.0)
races = {name: fit(name, start, best[start, name]) for name in ("SGD", "momentum", "Adam")}
races["LBFGS"] = fit("LBFGS", start, 1.0)
styles = {
    "SGD": ("gradient", "-", (60, 0.45)),
    "momentum": ("line", "--", (53, 0.0022)),
    "Adam": ("forward", "-.", (78, 0.0042)),
    "LBFGS": ("second", ":", (60, 0.00002)),
}
fig, ax = plt.subplots(
    num="Distance from the goal over a hundred steps: SGD falls evenly, two in bows, one at once.",
    figsize=(5.4, 4),
    layout="constrained",
)
for name, (color, linestyle, place) in styles.items():
    d = distance(races[name])
    ax.plot(d, color=plots.colour(color), linestyle=linestyle)
    ax.text(*place, name, color=plots.colour(color))
    print(f"{name:9} after 100 steps: {d[-1]:.6f}")
ax.set(xlabel="step", ylabel="d", yscale="log")
plt.show()

# %%
# Momentum by calculation
# -----------------------
#
# Who knows the bends can calculate the best momentum and its rate for the worst start. For these
# two points they are 5/9 and 4/9.

# Source: B. T. Polyak, Introduction to Optimization, 1987, section 3.2.
low, high = torch.linalg.eigvalsh(lt.hessian(x)).sqrt().tolist()
momentum = ((high - low) / (high + low)) ** 2
lr = (2 / (high + low)) ** 2
print(f"momentum {momentum:.4f} = 5/9, lr {lr:.4f} = 4/9")
tuned = {}
for start in starts:
    tuned[start] = distance(fit("momentum", start, lr, momentum=momentum))[-1].item()
    print("from a = {:.0f}, b = {:2.0f}: {:.0e}".format(*start, tuned[start]))

# %%
# SGD, and momentum and Adam as above, did not come so near in a hundred steps. But a network has
# no two bends that you could calculate beforehand.
#
# What you learned
# ----------------
#
# - Which optimizer ends nearest depends on the rate, on the start and on when you look.
# - The same rate for all is no fair comparison: it means something else to each.
# - Settings made for the ground beat those that were found by trying.
#
# The last lines check these claims.

assert len({best[start, "SGD"] for start in starts}) == 1
assert all(len({best[start, name] for start in starts}) > 1 for name in ("momentum", "Adam"))
first, second = (same_rate[start] for start in starts[:2])
assert min(first, key=first.get) == max(second, key=second.get) == "Adam"
assert distance(races["LBFGS"])[1] < 1e-4
assert abs(momentum - 5 / 9) < 1e-12 and abs(lr - 4 / 9) < 1e-12
assert all(tuned[start] < distance(races[name])[-1] for name in ("SGD", "momentum", "Adam"))
