# /// script
# requires-python = ">=3.11"
# dependencies = ["torch", "matplotlib"]
# ///

r"""Fit a line by hand
==================

Find the line through two points with a loop that you can read in one minute.

You have two points. You guess a line. Then you ask PyTorch one question, again and again: if I
move the line a little, does it miss the points by more or by less? This is the whole program in
one piece.
"""

import matplotlib.pyplot as plt
import torch

x = torch.tensor([1.0, 2.0])
t = torch.tensor([3.0, 5.0])
print("x =", x.tolist(), " t =", t.tolist())

# %%
# Guess a line
# ------------
#
# A line is two numbers: its slope ``a`` and its height ``b`` at the left edge, where x is 0. At
# any x it predicts y = a·x + b. Any guess will do. Yours is ``a`` = 1 and ``b`` = 0.
#
# A tensor is PyTorch's box for numbers. With ``requires_grad=True`` PyTorch follows everything
# that you compute from the box, so that it can answer your question later.

a = torch.tensor(1.0, requires_grad=True)
b = torch.tensor(0.0, requires_grad=True)
print(f"step 0: a = {a.item():g}, b = {b.item():g}")

# %%
# Move the line a hundred times
# -----------------------------
#
# The error ``e`` is one number: the mean of the squared misses. :meth:`torch.Tensor.backward`
# finds how steeply ``e`` rises with ``a`` and with ``b``. These two numbers are the gradient.
# PyTorch puts them into ``a.grad`` and ``b.grad``. You step against them, because that way is
# down. The learning rate ``lr`` keeps the step small.
#
# A new ``a`` would remember the calculation that it came from. :meth:`torch.Tensor.detach` cuts
# that memory. :meth:`torch.Tensor.requires_grad_` asks PyTorch to follow the new number. Its
# ``grad`` is empty, so nothing of the last step is left in it.

lr, steps, lines = 0.1, 100, []
for step in range(1, steps + 1):
    lines.append((a.item(), b.item()))
    y = a * x + b
    e = ((t - y) ** 2).mean()
    e.backward()
    if step == 1:
        print(f"gradient: {a.grad.item():g} along a, {b.grad.item():g} along b")
    a = (a - a.grad * lr).detach().requires_grad_()
    b = (b - b.grad * lr).detach().requires_grad_()
    if step in (1, steps):
        print(f"step {step}: a = {a.item():.4f}, b = {b.item():.4f}")

# %%
# The first gradient is −8 along ``a`` and −5 along ``b``. Both are negative: raising either
# number lowers the error. After step 100 you hold ``a`` = 2.0393 and ``b`` = 0.9364.
#
# Look for the gap above the lowest line. One step crosses it. Two more steps, and all the other
# lines lie so close together that they become one.

fig, ax = plt.subplots(
    num="A hundred lines: the first steps leap to the two points, the others lie together.",
    figsize=(5, 3.5),
    layout="constrained",
)
for slope, intercept in lines:
    ax.axline((0, intercept), slope=slope, color="#0072B2", linewidth=1)
ax.scatter(x, t, color="black", s=50, zorder=3)
ax.text(4.4, 4.2, "step 0", va="top")
ax.set(xlabel="x", ylabel="t, y", xlim=(0, 6), ylim=(0, 6))
plt.show()

# %%
# Write it as you will meet it today
# ----------------------------------
#
# Most programs keep the box and change the number in it. Inside :class:`torch.no_grad` PyTorch
# does not follow what you compute. The box is an old one, so its gradient must go. ``None``
# empties it.

a_now, b_now = torch.tensor(1.0, requires_grad=True), torch.tensor(0.0, requires_grad=True)
for _ in range(steps):
    e = ((t - (a_now * x + b_now)) ** 2).mean()
    e.backward()
    with torch.no_grad():
        a_now -= a_now.grad * lr
        b_now -= b_now.grad * lr
    a_now.grad = b_now.grad = None
print(f"today's way: a = {a_now.item():.4f}, b = {b_now.item():.4f}")

# %%
# What you learned
# ----------------
#
# - Learning is a loop: predict, measure the error, ask for the gradient, step against it.
# - Every step needs an empty gradient. A new tensor has one, and ``None`` makes one.
# - Both loops end at the same two numbers, to the last digit.

torch.testing.assert_close(a, torch.tensor(2.0393), rtol=0, atol=5e-5)
torch.testing.assert_close(b, torch.tensor(0.9364), rtol=0, atol=5e-5)
assert torch.equal(a, a_now) and torch.equal(b, b_now)
