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

r"""Compare the graph of nn
=======================

See which operations ``nn.Linear`` and ``nn.MSELoss`` are made of, and that they send the same.

The graph by hand has a station for each sign that you wrote. The parts of ``nn`` do the same in
fewer and larger stations. The numbers at the parameters must not change.
"""

# sphinx_gallery_thumbnail_number = 2

import matplotlib.pyplot as plt
import torch
from torch import nn

import linreg_tutorial as lt
from linreg_tutorial.graph_plot import draw_graph

# %%
# The graph by hand
# -----------------

x, t = lt.two_points()
x, t = x.reshape(2, 1), t.reshape(2, 1)
a = torch.tensor(1.0, requires_grad=True)
b = torch.tensor(0.0, requires_grad=True)

with lt.record_forward():
    y = a * x + b
    e = torch.mean((y - t) ** 2)
by_hand = lt.trace_backward(e, a=a, b=b, x=x, t=t, y=y, e=e)
print(*(node.name for node in by_hand.nodes if node.kind == "operation"))
draw_graph(by_hand, num="The graph by hand: five stations from a to the error.")
plt.show()

# %%
# The graph of nn
# ---------------
#
# :class:`linreg_tutorial.LineNet` holds one :class:`torch.nn.Linear`. Its slope is called
# ``weight``, its intercept ``bias``. A module tells the names of its parameters by itself.

net = lt.LineNet(a=1.0, b=0.0)
with lt.record_forward():
    y = net(x)
    e = nn.MSELoss()(y, t)
parameters = dict(net.named_parameters())
by_nn = lt.trace_backward(e, **parameters, x=x, t=t, y=y, e=e)
print(*(node.name for node in by_nn.nodes if node.kind == "operation"))
draw_graph(by_nn, num="The graph of nn: three stations from the weight to the error.")
plt.show()

# %%
# Read it from the left. ``T`` turns the table of weights around, rows into columns: here it has one
# number and stays as it is. ``@ +`` is a product of two tables plus the bias, in one station.
# ``mse`` is difference, square and mean at once. So the factor at its edge is the product of the
# three factors by hand.

(edge,) = by_nn.uses(by_nn["y"])
print("mse sends to y:")
print(*by_nn.arithmetic(edge), sep="\n")

# %%
# Where they agree
# ----------------
#
# Both trace the same error, so the same gradient must arrive at ``y`` and at the parameters.

pairs = {"y": "y", "a": "linear.weight", "b": "linear.bias"}
for one, other in pairs.items():
    print(f"{one}: {by_hand[one].gradient}   {other}: {by_nn[other].gradient}")

# %%
# What you learned
# ----------------
#
# - ``nn`` calculates the same as your own lines, with fewer and larger stations.
# - A station may do several steps at once. Its local derivative is the product of theirs.
#
# The last lines check the gradients of both.

assert (by_hand["a"].gradient, by_hand["b"].gradient) == (-8.0, -5.0)
assert by_nn["linear.weight"].gradient == [[-8.0]] and by_nn["linear.bias"].gradient == [-5.0]
assert by_hand["y"].gradient == by_nn["y"].gradient
