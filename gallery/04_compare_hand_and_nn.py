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

r"""Compare the loop by hand with nn
================================

See that the ready-made parts take the same hundred steps as your own loop.

If ``nn`` and ``optim`` compute what you computed by hand, they must agree after the last step, and
after every step before it. You run both from the same start and compare all the numbers.
"""

import matplotlib.pyplot as plt
import torch

import linreg_tutorial as lt
from linreg_tutorial import plots

# %%
# Run both
# --------
#
# :func:`linreg_tutorial.fit_manual` is the loop by hand. :func:`linreg_tutorial.fit_module` takes
# ready-made parts: a net that predicts, and an optimizer that moves the net's numbers. The net is
# a :class:`linreg_tutorial.LineNet`, which holds one :class:`torch.nn.Linear`. The optimizer is
# :class:`torch.optim.SGD`.
#
# Both start at ``a`` = 1 and ``b`` = 0. Both return a :class:`linreg_tutorial.History`: the numbers
# before the first step and after each one.

x, t = lt.two_points()
hand = lt.fit_manual(x, t, a=1.0, b=0.0, lr=0.1, steps=100)
net = lt.LineNet(a=1.0, b=0.0)
module = lt.fit_module(x, t, net, optimizer=torch.optim.SGD, lr=0.1, steps=100)

# %%
# Read the numbers side by side
# -----------------------------
#
# In the net the slope is called ``weight`` and the intercept ``bias``. The history calls them
# ``a`` and ``b`` again. Compare the left half of each row with the right half.

print("step    a by hand  b by hand    a by nn  b by nn")
for k in (0, 1, 2, 3, 10, 100):
    one, other = hand[k], module[k]
    print(f"{k:4} {one.a:12.4f} {one.b:10.4f} {other.a:10.4f} {other.b:8.4f}")
print(f"net.linear.weight = {net.linear.weight.item():.4f}")
print(f"net.linear.bias = {net.linear.bias.item():.4f}")

# %%
# Four digits are not all digits. :meth:`linreg_tutorial.History.max_difference` looks at every
# number of every row, gradients and errors included, and returns the largest difference. A number
# of 32 bits holds about seven digits, and the optimizer rounds once where the loop by hand rounds
# twice, so the last digits may differ. In 64 bits the difference must shrink with the rounding.

narrow = hand.max_difference(module)
x64, t64 = x.double(), t.double()
wide = lt.fit_manual(x64, t64).max_difference(lt.fit_module(x64, t64))
print("32 bits: largest difference below 1e-5:", narrow < 1e-5)
print("64 bits: largest difference below 1e-13:", wide < 1e-13)

# %%
# Look at the dots: they are every fourth step of the net. Each one sits on the curve by hand. The
# upper curve is the slope ``a``, the lower one the intercept ``b``.

fig, ax = plt.subplots(
    num="Slope and intercept over a hundred steps: the dots of nn lie on the curves by hand.",
    figsize=(5, 3.5),
    layout="constrained",
)
for name in ("a", "b"):
    by_hand, by_nn = hand.values[name], module.values[name]
    ax.plot(by_hand, color=plots.colour("line"))
    ax.plot(by_nn, "o", color=plots.colour("second"), markersize=5, markevery=4)
    ax.text(100, by_hand[-1] + 0.06, name, ha="right")
ax.set(xlabel="step", ylabel="a, b", ylim=(-0.1, 2.5))
plt.show()

# %%
# What you learned
# ----------------
#
# - ``nn`` and ``optim`` are your loop in other words. They agree in every step.
# - Where two programs differ in the last digit, try 64 bits. Rounding shrinks, a mistake stays.
#
# The last lines check both, and that the walk ends where the loop by hand must end.

torch.testing.assert_close(module.a[-1], torch.tensor(2.0393), rtol=0, atol=5e-5)
torch.testing.assert_close(module.b[-1], torch.tensor(0.9364), rtol=0, atol=5e-5)
assert narrow < 1e-5 and wide < 1e-13
