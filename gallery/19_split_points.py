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

r"""Split the points between processes
==================================

Give each of two processes one point and see that together they walk as one with both.

Each process finds the gradient of its own point. Before each step the processes exchange their
gradients and take the mean. No process ever sees the point of the other.

This lesson goes with the page “Share the work between processes”.
"""

import inspect
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import torch

import linreg_tutorial as lt
from linreg_tutorial import plots

# %%
# What each process does
# ----------------------
#
# Both run this function. They differ in one number only, the rank: it says which point a process
# takes. First each computes the gradient of its own point, alone. Then
# :class:`torch.nn.parallel.DistributedDataParallel` wraps the network, and from there on
# ``backward()`` ends with an exchange: it leaves the mean of both gradients in each process.
#
# The loop is the one that you know. At its end each process writes down what it saw, into a file of
# its own.


def work():
    """Find the gradient of one point, and take a hundred steps in company."""
    import json

    import torch
    import torch.distributed as dist

    # Threads of PyTorch live as long as anything holds the group of processes. They have to end
    # before Python does. This module, loaded after the group is made, would hold it.
    import torch.distributed.nn
    from torch import nn, optim
    from torch.nn.parallel import DistributedDataParallel

    dist.init_process_group("gloo")
    rank = dist.get_rank()
    x = torch.tensor([[1.0], [2.0]])[[rank]]
    t = torch.tensor([[3.0], [5.0]])[[rank]]
    line = nn.Linear(1, 1)
    nn.init.ones_(line.weight)
    nn.init.zeros_(line.bias)
    loss = nn.MSELoss()

    def gradient():
        return [line.weight.grad.item(), line.bias.grad.item()]

    # Before the exchange: this process alone.
    loss(line(x), t).backward()
    alone = gradient()
    line.zero_grad()

    net = DistributedDataParallel(line)
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    shared, places = [], [[1.0, 0.0]]
    for _ in range(100):
        e = loss(net(x), t)
        e.backward()
        shared.append(gradient())
        optimizer.step()
        optimizer.zero_grad()
        places.append([line.weight.item(), line.bias.item()])

    with open(f"process {rank}.json", "w") as file:
        json.dump({"alone": alone, "shared": shared, "places": places}, file)
    # So would the network, and a group that ends with its network can wait for ever.
    del net
    dist.destroy_process_group()


# %%
# Start two of them
# -----------------
#
# A program that is to run twice has to stand in a file. So the function's own text is written into
# one, and ``torchrun`` starts that file in two processes. Here ``torchrun`` stands under its long
# name, ``python -m torch.distributed.run``. If one process fails, ``torchrun`` ends the other
# and says why.

with tempfile.TemporaryDirectory() as folder:
    Path(folder, "work.py").write_text(f"{inspect.getsource(work)}\n\nwork()\n")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--local-addr=localhost", "--nproc-per-node=2", "work.py"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    if run.returncode:
        raise RuntimeError(run.stderr)
    processes = [json.loads(Path(folder, f"process {rank}.json").read_text()) for rank in (0, 1)]

# %%
# Before and after the exchange
# -----------------------------
#
# Read each line from left to right. Alone, the processes disagree: process 0 finds -4 and -4,
# process 1 finds -12 and -6. After the exchange both hold -8 and -5. That is the mean, and it is
# the gradient of the error of both points.

for rank, process in enumerate(processes):
    print(f"process {rank}: alone {process['alone']}, after the exchange {process['shared'][0]}")

# %%
# A hundred steps
# ---------------
#
# Now compare the whole walk with a single process that holds both points,
# :func:`linreg_tutorial.fit_manual`. The two processes agree with each other to the last digit.
# With the single process they agree but for rounding, in every step.

single = lt.fit_manual(*lt.two_points(), a=1.0, b=0.0, lr=0.1, steps=100)
expected = torch.stack([single.a, single.b], dim=1)
first, second = (torch.tensor(process["places"]) for process in processes)
print("equal in both processes:", torch.equal(first, second))
difference = (first - expected).abs().max().item()
print("never further from the single process than 0.00001:", difference < 0.00001)
print(f"after 100 steps: a = {first[-1, 0]:.4f}, b = {first[-1, 1]:.4f}")

# %%
# Look at the two thin arrows: where each process alone would have stepped. The thick one between
# them is the step that both took. The dots are the walk of the processes, the pale band is the
# walk of the single process. No dot is beside the band.

fig, ax = plt.subplots(
    num="Map of the error: two thin arrows, their mean, and two walks on top of each other.",
    figsize=(5, 4.6),
    layout="constrained",
)
plots.plot_surface(ax, *lt.two_points(), a=(0.5, 3.0), b=(-0.5, 2.0), labels=False)
plots.plot_path(ax, single, color=plots.colour("line"), marker="", linewidth=7, alpha=0.5)
ax.plot(first[:, 0], first[:, 1], ".", color=plots.colour("gradient"), markersize=6)
arrows = [(process["alone"], "residual", 1.2) for process in processes]
for (along_a, along_b), name, width in [*arrows, (processes[0]["shared"][0], "gradient", 2.5)]:
    style = {"color": plots.colour(name), "linewidth": width, "shrinkA": 0, "shrinkB": 0}
    end = 1 - 0.1 * along_a, -0.1 * along_b
    ax.annotate("", end, (1, 0), arrowprops={"arrowstyle": "-|>", **style})
ax.plot(2, 1, color="black", marker="x", markersize=9)
plt.show()

# %%
# The package has it as a function
# --------------------------------
#
# :func:`linreg_tutorial.fit_parallel` starts the processes for you, as many as you say. Five noisy
# points do not divide evenly by two: one process gets three of them. The function counts each part
# by its points, so the result is again that of a single process.

x, t = lt.noisy_line(5)
shared = lt.fit_parallel(x, t, processes=2, lr=0.05, steps=100)
alone = lt.fit_manual(x, t, lr=0.05, steps=100)
print("five points, 3 and 2: equal but for rounding:", shared.max_difference(alone) < 1e-4)

# %%
# What you learned
# ----------------
#
# - The mean of the processes' gradients is the gradient of all points.
# - What travels is as long as the list of parameters. The points stay where they are.
#
# The last lines check all of it.

assert [process["alone"] for process in processes] == [[-4.0, -4.0], [-12.0, -6.0]]
assert all(process["shared"][0] == [-8.0, -5.0] for process in processes)
assert processes[0]["shared"] == processes[1]["shared"] and torch.equal(first, second)
assert len(first) == 101 and difference < 1e-5
assert shared.max_difference(alone) < 1e-4
