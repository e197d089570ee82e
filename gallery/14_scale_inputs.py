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

r"""Scale the inputs
================

Centre and scale the inputs of a fit, and see steps that hardly move turn into one that arrives.

The rate of a fit has to suit the direction in which the error bends most. In the direction in which
it bends least, the fit is slow. The quotient of the two bends is called the *condition number*.
At 1 the valley is round.

This lesson goes with the page “Find the fastest rate”.
"""

import matplotlib.pyplot as plt
import torch

import linreg_tutorial as lt
from linreg_tutorial import plots


def condition_number(x):
    """Return the quotient of the largest and the smallest bend of the error."""
    # The square of that of the table with the columns x and 1: so it keeps its digits.
    table = torch.stack([x, torch.ones_like(x)], dim=1)
    return torch.linalg.cond(table).item() ** 2


def centred_and_scaled(x):
    """Return the inputs with mean 0 and standard deviation 1, and what it takes to go back."""
    mean, std = x.mean(), x.std(correction=0)
    return (x - mean) / std, mean.item(), std.item()


# %%
# Two years
# ---------
#
# The targets are those of the course, 3 and 5. But the inputs are the years 2001 and 2002. The line
# through these points has the slope 2, as ever. Begin with the line y = 0 and take a thousand
# steps, at nine tenths of the limit.

x, t = torch.tensor([2001.0, 2002.0]).double(), torch.tensor([3.0, 5.0]).double()
lr = 0.9 * lt.rate_limit(x)
unscaled = lt.fit_manual(x, t, a=0.0, b=0.0, lr=lr, steps=1000)
print(f"limit of the rate {lt.rate_limit(x):.1e}, condition number {condition_number(x):.1e}")
for step in (0, 1, 10, 100, 1000):
    print(f"step {step:4}: a = {unscaled.a[step]:.6f}, e = {unscaled.error[step]:.6f}")

# %%
# The error falls to about 1 and stays. The line passes between the two points, nearly level: its
# slope is 0.001999, where 2 is wanted. To get closer, slope and intercept would have to move
# together, far along a floor that is almost level. At this rate hardly anything moves there.
#
# Centre and scale
# ----------------
#
# Subtract the mean of the inputs, divide by their standard deviation. ``correction=0`` divides by
# the number of points, not by one less. Now take a single step, at a rate of 0.5.

z, mean, std = centred_and_scaled(x)
scaled = lt.fit_manual(z, t, a=0.0, b=0.0, lr=0.5, steps=1)
print("z =", z.tolist())
print(lt.hessian(z))
print(f"condition number {condition_number(z):.1f}")
print(f"step 1: e = {scaled.error[1]:.6f}")
a = scaled[1].a / std
b = scaled[1].b - a * mean
print(f"in years: a = {a:.4f}, b = {b:.4f}")

# %%
# The one step has arrived. Turned back into years, it is the line through both points.
#
# Look at both maps. On the left the walk drops to the floor and stays there. The contour lines look
# straight and parallel: the valley is so long that you see no end of it. On the right they are
# circles, and the step goes straight into the middle.

fig, (left, right) = plt.subplots(
    ncols=2,
    num="Left, straight parallel contours, the path stops on the floor; right, circles, one step.",
    figsize=(5.6, 3),
    layout="constrained",
)
# plot_surface draws a and b to the same scale. Here a thousandth of a matters as much as 2 of b.
slopes = torch.linspace(-0.002, 0.006, 81, dtype=torch.float64)
intercepts = torch.linspace(-4, 4, 81, dtype=torch.float64)
y = slopes[None, :, None] * x + intercepts[:, None, None]
error = ((t - y) ** 2).mean(dim=-1)
left.contour(
    slopes, intercepts, error, [2, 4, 10, 20, 40], colors=plots.colour("residual"), linewidths=0.9
)
plots.plot_path(left, unscaled)
left.set(xlabel="a", ylabel="b", title="x", xticks=[0, 0.004])
plots.plot_surface(right, z, t, a=(-2.0, 4.0), b=(-1.0, 6.0), labels=False)
plots.plot_path(right, scaled)
right.plot(1, 4, color="black", marker="x", markersize=9)
right.set_title("z")
plt.show()

# %%
# Divide by what?
# ---------------
#
# ``std`` without ``correction=0`` divides by n − 1, here by 1. Both are in use, for different
# purposes. Try it on the two points of the course. The table has 1 and 2 on its diagonal: the
# valley is not quite round, and one step does not arrive. It is no mistake. With a thousand
# points the two hardly differ.

x2 = lt.two_points()[0].double()
other = (x2 - x2.mean()) / x2.std()
after_one = lt.fit_manual(other, t, a=0.0, b=0.0, lr=0.5, steps=1)
print(lt.hessian(other))
print(f"step 1: e = {after_one.error[1]:.6f}")

# %%
# Ten years that lie on no line
# -----------------------------
#
# It is no luck of two points. Whatever the inputs are, centred and scaled their mean is 0 and the
# mean of their squares is 1. So the table of bends is always the same, with 2 on its diagonal. Here
# are ten years with scattered targets. The best line is calculated for comparison, by
# :func:`linreg_tutorial.least_squares`.

years = torch.arange(2001, 2011, dtype=torch.float64)
targets = lt.noisy_line(10)[1].double()
z10, mean, std = centred_and_scaled(years)
one_step = lt.fit_manual(z10, targets, a=0.0, b=0.0, lr=0.5, steps=1)[1]
exact = lt.least_squares(z10, targets)
print(f"condition number {condition_number(years):.1e} before, {condition_number(z10):.1f} after")
print(f"one step: a = {one_step.a:.4f}, b = {one_step.b:.4f}, e = {one_step.error:.4f}")
print(f"exact:    a = {exact.a:.4f}, b = {exact.b:.4f}")

# %%
# What you learned
# ----------------
#
# - Inputs far from 0 make a valley so long that plain steps do not get along it.
# - Centred and scaled, one input makes a round valley, and one step at 0.5 arrives.
# - With several inputs the valley gets rounder, but not round, if they have to do with each other.
#
# The last lines check it: without scaling the slope has hardly moved, with it the lines are exact.

torch.testing.assert_close(lt.hessian(other), torch.diag(torch.tensor([1.0, 2.0]).double()))
assert after_one.error[1] > 0.01 and scaled.error[1] < 1e-20
assert unscaled.a[-1] < 0.01 and unscaled.error[-1] > 0.99
assert abs(a - 2) < 1e-9 and abs(b + 3999) < 1e-6
related = torch.tensor([[1.0, 1.0], [2.0, 2.1], [3.0, 2.9], [4.0, 4.2]]).double()
before = torch.linalg.cond(torch.cat([related, torch.ones(4, 1)], dim=1)).item() ** 2
related = (related - related.mean(dim=0)) / related.std(dim=0, correction=0)
after = torch.linalg.cond(related).item() ** 2
assert 10 < after < before / 2
torch.testing.assert_close(torch.tensor(one_step[1:3]), torch.tensor(exact))
