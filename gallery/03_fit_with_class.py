# /// script
# requires-python = ">=3.11"
# dependencies = ["torch", "matplotlib"]
# ///

r"""Fit a line with a class of your own
===================================

Put the line into a class, as programs do that grow beyond one layer.

A layer turns numbers into other numbers. Yours is the line. To decide yourself how numbers run
from layer to layer, you write a class. This one does the least: it holds one layer and calls it.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn, optim

x = torch.tensor([1.0, 2.0]).reshape(2, 1)
t = torch.tensor([3.0, 5.0]).reshape(2, 1)

# %%
# Write the class
# ---------------
#
# Your class builds on :class:`torch.nn.Module`. So it can find its parameters: the numbers that
# a fit may change. Two methods are yours.
#
# - ``__init__`` makes the layers. Call ``super().__init__()`` first, or the module takes none.
#   Then assign each layer to a name of ``self``: that is how the module learns of it.
# - ``forward`` turns inputs into predictions. You do not call it by its name. You call
#   ``net(x)``, and the module calls ``forward`` for you.


class Net(nn.Module):
    """The line y = a·x + b, held by one layer."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x):
        """Return a prediction for every row of x."""
        return self.linear(x)


torch.manual_seed(0)
net = Net()
for name, parameter in net.named_parameters():
    print(f"{name}: {parameter.item():.4f}")

# %%
# Print every prediction
# ----------------------
#
# The loop is the usual one: predict, measure, :meth:`torch.Tensor.backward`, step, empty. It does
# not care that ``net`` is a class of yours. Watch both predictions on their way to 3 and 5.

optimizer = optim.SGD(net.parameters(), lr=0.1)
loss = nn.MSELoss()
predictions = []
for step in range(10):
    y = net(x)
    predictions.append(y.detach().flatten().tolist())
    print("step {}: y = {:.4f}, {:.4f}  (t = 3, 5)".format(step, *predictions[-1]))
    e = loss(y, t)
    e.backward()
    optimizer.step()
    optimizer.zero_grad()

# %%
# Look at where the two curves end. The lower one has risen a little above its dashed target, the
# upper one is still below its own. So the line is still too flat, and it tilts slowly.

fig, ax = plt.subplots(
    num="The predictions of ten steps as two curves of dots that near their dashed targets.",
    figsize=(5, 3.5),
    layout="constrained",
)
for (target,), curve in zip(t.tolist(), zip(*predictions, strict=True), strict=True):
    ax.axhline(target, color="black", linestyle="dashed")
    ax.text(-0.3, target + 0.1, f"t = {target:g}")
    ax.plot(curve, color="#0072B2", marker="o", markersize=4)
ax.set(xlabel="step", ylabel="y", ylim=(0, 6))
plt.show()

# %%
# Start where you began by hand
# -----------------------------
#
# Give the class the start of the loop by hand, ``a`` = 1 and ``b`` = 0, and take 100 steps.
# :func:`torch.nn.init.constant_` fills a parameter with a number.

nn.init.constant_(net.linear.weight, 1.0)
nn.init.constant_(net.linear.bias, 0.0)
for _ in range(100):
    nn.MSELoss()(net(x), t).backward()
    optimizer.step()
    optimizer.zero_grad()
a, b = net.linear.weight.item(), net.linear.bias.item()
print(f"after 100 steps: a = {a:.4f}, b = {b:.4f}")

# %%
# What you learned
# ----------------
#
# - One method makes the layers, one uses them. The loop around the class stays the same.
# - From the same start it ends where the loop by hand ends: ``a`` = 2.0393, ``b`` = 0.9364.

torch.testing.assert_close(a, 2.0393, rtol=0, atol=5e-5)
torch.testing.assert_close(b, 0.9364, rtol=0, atol=5e-5)
