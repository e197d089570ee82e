# /// script
# requires-python = ">=3.11"
# dependencies = ["torch", "matplotlib"]
# ///

r"""Fit a line with nn.Sequential
=============================

Write the same fit with ready-made parts, the way most PyTorch programs do.

One part holds the slope ``a`` and the intercept ``b``, one measures the error, one moves the two
numbers. Nothing new is computed. At the end you do the sums yourself and get the same line.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn, optim

# %%
# Give every point a row
# ----------------------
#
# The ready-made parts want a table: a row for each point, a column for each input. You have two
# points with one input each, so ``x`` and ``t`` get the shape (2, 1).

x = torch.tensor([1.0, 2.0]).reshape(2, 1)
t = torch.tensor([3.0, 5.0]).reshape(2, 1)
print("shape of x:", tuple(x.shape))

# %%
# Take three parts
# ----------------
#
# - :class:`torch.nn.Linear` with one input and one output is the line y = a·x + b. Such a part is
#   called a layer. Its slope ``weight`` and intercept ``bias`` are its parameters: the numbers
#   that a fit may change. :class:`torch.nn.Sequential` runs layers in order. Yours has one.
# - :class:`torch.optim.SGD` subtracts ``lr`` times the gradient from every parameter.
# - :class:`torch.nn.MSELoss` is the mean of the squared misses: the mean squared error. Give it
#   the prediction first and the target second.
#
# The layer starts from random numbers. :func:`torch.manual_seed` makes them the same every time.

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 1))
optimizer = optim.SGD(net.parameters(), lr=0.1)
loss = nn.MSELoss()
a_start, b_start = net[0].weight.item(), net[0].bias.item()
print(f"start: a = {a_start:.4f}, b = {b_start:.4f}")

# %%
# Take ten steps
# --------------
#
# :meth:`torch.optim.Optimizer.step` moves the parameters. PyTorch adds each new gradient to the
# one before, so :meth:`torch.optim.Optimizer.zero_grad` empties them for the next round.

steps, lines = 10, []
for step in range(steps):
    lines.append((net[0].weight.item(), net[0].bias.item()))
    y = net(x)
    e = loss(y, t)
    print(f"step {step}: e = {e.item():.4f}")
    e.backward()
    optimizer.step()
    optimizer.zero_grad()
a, b = net[0].weight.item(), net[0].bias.item()
print(f"step {steps}: a = {a:.4f}, b = {b:.4f}")

# %%
# Look at the lowest line: it is the random start, and it is nearly flat. The next lines leap up
# towards the points. The last ones hardly differ.

fig, ax = plt.subplots(
    num="Ten lines, from a nearly flat random start up to the two points.",
    figsize=(5, 3.5),
    layout="constrained",
)
for slope, intercept in lines:
    ax.axline((0, intercept), slope=slope, color="#0072B2", linewidth=1)
ax.scatter(x, t, color="black", s=50, zorder=3)
ax.text(5.9, 0.55, "step 0", ha="right", va="bottom")
ax.set(xlabel="x", ylabel="t, y", xlim=(0, 6), ylim=(0, 6))
plt.show()

# %%
# Do the sums yourself
# --------------------
#
# Now without PyTorch. Call y - t the miss at a point. The slope of the error along ``a`` is the
# mean of 2·miss·x over the points. Along ``b`` it is the mean of 2·miss.

a_hand, b_hand = a_start, b_start
for _ in range(steps):
    miss_1 = a_hand * 1 + b_hand - 3
    miss_2 = a_hand * 2 + b_hand - 5
    a_hand -= 0.1 * (2 * miss_1 * 1 + 2 * miss_2 * 2) / 2
    b_hand -= 0.1 * (2 * miss_1 + 2 * miss_2) / 2
print(f"by hand: a = {a_hand:.4f}, b = {b_hand:.4f}")

# %%
# What you learned
# ----------------
#
# - ``net(x)`` predicts, ``e.backward()`` finds the gradients, ``optimizer.step()`` subtracts,
#   ``optimizer.zero_grad()`` empties.
# - The parts hold no secret: school arithmetic gives the same line.
#
# The last lines compare the two. PyTorch keeps about seven digits, so a tiny part may differ.

torch.testing.assert_close(a, a_hand, rtol=0, atol=1e-5)
torch.testing.assert_close(b, b_hand, rtol=0, atol=1e-5)
