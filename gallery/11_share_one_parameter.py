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

r"""Share one parameter
===================

See what happens where two ways lead from one parameter to the error: their gradients add up.

In the line each parameter is used in one place. Networks use a number in many places. You try the
smallest case: a line whose slope and intercept are one and the same parameter.
"""

import matplotlib.pyplot as plt
import torch

import linreg_tutorial as lt
from linreg_tutorial.graph_plot import draw_graph

# %%
# A line with one parameter
# -------------------------
#
# The line ``y = c·x + c`` turns and rises at the same time when you change ``c``. It starts
# at ``c`` = 2.

x, t = lt.two_points()
c = torch.tensor(2.0, requires_grad=True)

with lt.record_forward():
    p = c * x
    y = p + c
    e = torch.mean((y - t) ** 2)
trace = lt.trace_backward(e, c=c, x=x, t=t, p=p, y=y, e=e)
print("e =", e.item(), " c.grad =", c.grad.item())

# %%
# Look at ``c`` on the left. Two edges begin there: one goes through the product, the other straight
# to the sum. On the way back both bring a gradient.

draw_graph(trace, num="A graph with two edges from c: one into the product, one into the sum.")
plt.show()

# %%
# Follow both ways
# ----------------
#
# The trace knows what each edge sends, and how it was multiplied.

parts = []
for edge in trace.uses(trace["c"]):
    parts.append(edge.sent)
    print(*trace.arithmetic(edge))
print("sum:", sum(parts), " c.grad:", c.grad.item())

# %%
# Both numbers are right, each for its own way: the first tells how the error moves when only the
# ``c`` in the product grows, the second when only the other one does. Both are the same number, so
# both move at once, and the two slopes add up.
#
# Try it without ``backward()``: raise ``c`` a little, lower it a little, and look at the error.


def error(c):
    """Return the error in 64 bits, so that a tiny difference is not lost."""
    return torch.mean((c * x.double() + c - t.double()) ** 2).item()


h = 0.0001
tried = (error(2 + h) - error(2 - h)) / (2 * h)
print(f"tried: {tried:.4f}")

# %%
# What you learned
# ----------------
#
# - A gradient comes back on every way from the error to a parameter. PyTorch adds them.
# - That is why a parameter may be used as often as you like: in every point, in every layer.
#
# The last lines check that the parts make the whole, and that trying finds the same.

assert len(parts) == 2 and sum(parts) == c.grad.item()
assert abs(tried - c.grad.item()) < 1e-6
