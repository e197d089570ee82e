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

r"""Fit a curve
===========

Take a network apart: every unit adds one bent line, and the sum of all is a curve.

Points along a wave cannot be fitted by a line. A network of two layers with ReLU between them can
do it. Here you see what each of its units contributes.

This lesson goes with the page “Fit a curve with a network”.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn

import linreg_tutorial as lt
from linreg_tutorial import plots

x = torch.linspace(-2, 2, 41).reshape(41, 1)
t = torch.sin(2 * x)
best = lt.least_squares(x, t)
error_of_best_line = lt.mean_squared_error(x, t, *best).item()
print(f"best line: e = {error_of_best_line:.4f}")


def network(units: int, seed: int = 0) -> nn.Module:
    """Return a new network of so many units, from a start that the seed fixes."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(1, units), nn.ReLU(), nn.Linear(units, 1))


# %%
# Fit with more and more units
# ----------------------------
#
# :func:`linreg_tutorial.fit_module` takes any module, so a network too. Each row is a fit of 2000
# steps. A unit is called dead when ReLU gives 0 for it at every point: then its gradient is 0, and
# no step moves it.

errors, dead = {}, {}
for units in (1, 2, 4, 8, 16, 32):
    net = network(units)
    errors[units] = lt.fit_module(x, t, net, lr=0.05, steps=2000).error[-1].item()
    dead[units] = (net[:2](x) == 0).all(dim=0).sum().item()
    print(f"{units:2} units: e = {errors[units]:.4f}, dead: {dead[units]}")

# %%
# Read the errors from the top. One unit bends once, and is little better than a line. With two
# units chance has made a bad start: both are dead. Only the last bias can learn, so this net is
# worse than a line. With more units some are dead too, but enough are left.

# %%
# Take it apart
# -------------
#
# Go on with 16 units. What a unit contributes is its bent line times its weight in the last layer.
# The last bias is added to the sum of all. In the picture the thin lines are the
# contributions and the thick one is their sum. Look at a thin line: it is 0 on one side of its bend
# and straight on the other.

net = network(16)
lt.fit_module(x, t, net, lr=0.05, steps=2000)
first, _, last = net
with torch.no_grad():
    hidden = torch.relu(first(x))
    parts = hidden * last.weight
    total = parts.sum(dim=1, keepdim=True) + last.bias

fig, ax = plt.subplots(
    num="Sixteen thin bent lines, and a thick wave that is their sum.",
    figsize=(5, 4),
    layout="constrained",
)
ax.plot(x, parts, color=plots.colour("residual"), linewidth=0.9)
ax.plot(x, total, color=plots.colour("line"), linewidth=2.5)
ax.scatter(x, t, color="black", s=10, zorder=3)
ax.set(xlabel="x", ylabel="t, y")
plt.show()

# %%
# Count the bends
# ---------------
#
# A unit bends where its line crosses 0: there ReLU switches it on or off. The slope of the curve
# changes by the unit's weight in the last layer times its own slope, the latter without its sign.
# Read the table from the top, which is from left to right along the curve. Changes above 0 turn the
# curve upward, those below 0 turn it downward.

with torch.no_grad():
    bends = -first.bias / first.weight.flatten()
    changes = last.weight.flatten() * first.weight.flatten().abs()
    in_order = [unit for unit in bends.argsort().tolist() if -2 < bends[unit] < 2]
    edges = torch.cat([x[:1, 0], bends[in_order], x[-1:, 0]])
    middles = (edges[1:] + edges[:-1]) / 2
middles = middles.reshape(-1, 1).requires_grad_()
net(middles).sum().backward()
slopes = middles.grad.flatten()
print(f"      the slope is {slopes[0]:6.2f}")
for unit, slope in zip(in_order, slopes[1:], strict=True):
    print(f"bend at {bends[unit]:5.2f}: by {changes[unit]:5.2f} to {slope:5.2f}")

# %%
# The slopes in the last column come from ``backward()``: this time it is asked for the gradient
# along ``x``. What do the units do that have no bend here?

on = (hidden > 0).sum(dim=0)
print(f"bends inside: {len(in_order)}, on everywhere: {sum(on == 41)}, dead: {sum(on == 0)}")

# %%
# What you learned
# ----------------
#
# - A network of this kind is a sum of bent lines. More units bend the curve in more places.
# - At each bend the slope changes by the product of one unit's two weights, its own slope without
#   the sign.
# - Chance makes some units dead. With more units, enough are left.
#
# The last lines check the sum, the slopes and the errors.

# Sums of 16 numbers of about 1, rounded to 32 bits.
torch.testing.assert_close(total, net(x).detach(), rtol=0, atol=1e-5)
torch.testing.assert_close(slopes.diff(), changes[in_order], rtol=0, atol=1e-4)
assert (first.weight.grad[on == 0] == 0).all() and (on == 0).any()
assert errors[2] > error_of_best_line and dead[2] == 2
assert errors[16] < error_of_best_line / 100
