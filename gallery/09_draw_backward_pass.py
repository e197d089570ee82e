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

r"""Draw the backward pass
======================

Draw the computation graph of the two points with the numbers that PyTorch sends through it.

Other pictures of a graph show its shape. This one shows what went through it in one run: the values
on the way forward, the gradients on the way back, and the factor at each edge between them.
"""

import matplotlib.pyplot as plt
import torch

import linreg_tutorial as lt
from linreg_tutorial.graph_plot import draw_graph

# %%
# Write everything down
# ---------------------
#
# :func:`linreg_tutorial.record_forward` looks on while the error is calculated. Then
# :func:`linreg_tutorial.trace_backward` runs one ``backward()`` and notes what each operation gets
# and sends. The names on the right are labels. You choose them.

x, t = lt.two_points()
a = torch.tensor(1.0, requires_grad=True)
b = torch.tensor(0.0, requires_grad=True)

with lt.record_forward():
    y = a * x + b
    d = y - t
    s = d**2
    e = torch.mean(s)
trace = lt.trace_backward(e, a=a, b=b, x=x, t=t, y=y, d=d, s=s, e=e)
print("a.grad =", a.grad.item(), " b.grad =", b.grad.item())

# %%
# The trace is a table of plain numbers. ``PowBackward0`` and the like are PyTorch's own names for
# the operations.

print(trace)

# %%
# Look at the picture
# -------------------
#
# Read the green numbers from left to right: a value stands above the station that calculates it,
# the left point in the first line, the right point in the second. Then read the orange numbers
# from right to left. What arrives at a station is multiplied by the grey number at the edge, and
# goes on. At ``a`` and at ``b`` the two points add up.

draw_graph(trace, num="The graph of the mean error, with the values and gradients of both points.")
plt.show()

# %%
# Ask for one edge
# ----------------
#
# Each edge of the trace can tell what it does to a gradient, in words and in numbers. These are the
# edges from ``s``, ``d``, ``a`` and ``b``. What is sent there came from the right.

for name in ("s", "d", "a", "b"):
    for edge in trace.uses(trace[name]):
        print(f"to {name}: {trace.explain(edge)}")

# %%
# One point at a time
# -------------------
#
# Now give each point an error of its own, and its own backward pass. The picture shows both passes,
# one below the other. The number behind the arrow is the gradient of the mean error, from the first
# picture. It is the mean of the two numbers above it.


def trace_of(x, t):
    """Return the backward pass of one point's error."""
    a = torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(0.0, requires_grad=True)
    with lt.record_forward():
        s = (a * x + b - t) ** 2
    return lt.trace_backward(s, a=a, b=b, x=x, t=t, s=s)


points = [trace_of(x[i], t[i]) for i in range(2)]
print("along a:", *(point["a"].gradient for point in points))
print("along b:", *(point["b"].gradient for point in points))
draw_graph(*points, mean=trace, num="Two passes side by side, one for each point, and their mean.")
plt.show()

# %%
# What you learned
# ----------------
#
# - At every edge a gradient is multiplied by one local derivative.
# - Where a parameter serves several points, what comes back adds up.
#
# The last lines check the numbers found by hand.

assert (trace["a"].gradient, trace["b"].gradient) == (-8.0, -5.0)
assert [(point["a"].gradient, point["b"].gradient) for point in points] == [(-4, -4), (-12, -6)]
