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

r"""Run backward twice
==================

See where the second ``backward()`` puts its gradient: on top of the first.

PyTorch adds each new gradient to the one that is there. It is the most common trap of a first
training loop, and the reason for ``zero_grad()``. Here you see it in the graph.
"""

# sphinx_gallery_thumbnail_number = 2

import matplotlib.pyplot as plt
import torch

import linreg_tutorial as lt
from linreg_tutorial.graph_plot import draw_graph

x, t = lt.two_points()
a = torch.tensor(1.0, requires_grad=True)
b = torch.tensor(0.0, requires_grad=True)


def trace_once():
    """Calculate the error, run backward, return what was sent."""
    with lt.record_forward():
        y = a * x + b
        e = torch.mean((y - t) ** 2)
    return lt.trace_backward(e, a=a, b=b, x=x, t=t, y=y, e=e)


# %%
# The first pass
# --------------
#
# At the start ``a.grad`` is ``None``. Look at ``a`` and ``b`` on the left.

first = trace_once()
print("a.grad =", a.grad.item(), " b.grad =", b.grad.item())
draw_graph(first, num="The first pass: below a and below b stands one number each.")
plt.show()

# %%
# The second pass
# ---------------
#
# Nothing has changed: the same ``a`` and ``b``, the same points, the same error. So the same
# numbers travel, at every station. Now look at ``a`` and ``b`` again: there stands a sum.

second = trace_once()
print("a.grad =", a.grad.item(), " b.grad =", b.grad.item())
draw_graph(second, num="The second pass: below a and below b stands a sum of two numbers.")
plt.show()

# %%
# The trace knows all three numbers of a parameter: what was in ``grad`` before, what arrived, and
# what is there now.

for name, node in (("a", second["a"]), ("b", second["b"])):
    print(f"{name}: before {node.grad_before}, arrived {node.gradient}, now {node.grad_after}")

# %%
# With a reset
# ------------
#
# ``None`` is what PyTorch takes for "nothing there yet".

a.grad = None
b.grad = None
third = trace_once()
print("a.grad =", a.grad.item(), " b.grad =", b.grad.item())

# %%
# What you learned
# ----------------
#
# - ``backward()`` does not set ``grad``, it adds to it. The slope itself is what *arrives*.
# - Reset before each new ``backward()``: by hand with ``None``, or with ``zero_grad()``.
#
# The last lines check all three passes.

arrived = [(trace["a"].gradient, trace["b"].gradient) for trace in (first, second, third)]
assert arrived == [(-8.0, -5.0)] * 3
kept = [(trace["a"].grad_after, trace["b"].grad_after) for trace in (first, second, third)]
assert kept == [(-8.0, -5.0), (-16.0, -10.0), (-8.0, -5.0)]
