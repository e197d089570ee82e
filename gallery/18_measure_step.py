# /// script
# requires-python = ">=3.11"
# dependencies = ["torch", "matplotlib", "tqdm"]
# ///

r"""Measure a step
==============

Measure what a step costs, from a hundred points to ten million, and compare it with what no step
can do without.

A step needs the gradient, and every point has a say in it. So at the very least a step has to read
``x`` and ``t`` once. How far above that are you? And does it matter how you ask for the gradient?

Run this script to see the numbers of your own computer. It takes about half a minute. The page
on the site shows a record: numbers that were measured once, on the machine that the page names.

This lesson goes with the page “Take a million points”.
"""

import argparse
import datetime
import functools
import gc
import json
import math
import os
import platform
import statistics
import textwrap
import time

import matplotlib.pyplot as plt
import torch
from tqdm import tqdm

parser = argparse.ArgumentParser(description="Measure what a step costs.", allow_abbrev=False)
parser.add_argument("--save", metavar="FILE", help="write what was measured to a file")
parser.add_argument("--load", metavar="FILE", help="show such a file and measure nothing")
parser.add_argument("--rounds", type=int, default=3, help="how often to measure (default: 3)")
# Jupyter has arguments of its own, which are none of ours.
options, _ = parser.parse_known_args()
if options.rounds < 1:
    parser.error(f"--rounds must be 1 or more, got {options.rounds}")

# %%
# Write the step in three ways
# ----------------------------
#
# The first way is the one you know: write the error down and let :meth:`torch.Tensor.backward` find
# the gradient. The second puts numbers into the two formulas for it. The third hands the error to
# :func:`torch.compile`. It writes a program of its own for the error and its gradient, in C++, and
# has it translated for your processor. That takes some seconds and happens at the first call.


def error(x, t, a, b):
    """Return the mean squared error of the line."""
    y = a * x + b
    return torch.mean((t - y) ** 2)


def by_backward(x, t, a, b, error=error):
    """Return the gradient as backward() finds it."""
    error(x, t, a, b).backward()
    gradient = a.grad, b.grad
    a.grad = b.grad = None
    return gradient


@torch.no_grad()
def by_formula(x, t, a, b):
    """Return the gradient by its two formulas."""
    d = a * x + b - t
    return 2 * torch.mean(d * x), 2 * torch.mean(d)


@functools.cache
def compiled_error():
    """Return the error as torch.compile writes it; dynamic: once for any number of points."""
    return torch.compile(error, dynamic=True)


def by_compile(x, t, a, b):
    """Return the gradient as the translated program finds it."""
    return by_backward(x, t, a, b, compiled_error())


gradients = {"backward()": by_backward, "formula": by_formula, "torch.compile": by_compile}


def step(gradient, x, t, a, b, lr=0.1):
    """Take one step."""
    along_a, along_b = gradient(x, t, a, b)
    with torch.no_grad():
        a -= lr * along_a
        b -= lr * along_b


# %%
# Measure without fooling yourself
# --------------------------------
#
# On a busy computer the same step takes another time at each try. Five habits help:
#
# - Take a step before you look at the clock. The first one makes what later ones use.
# - Measure many steps at a time where one is too short for the clock.
# - Let the ways take turns. Then a busy moment meets all of them.
# - Take the median, the one in the middle. A single slow moment does not move it.
# - Switch off ``gc``. It is the part of Python that clears unused memory, at moments that you
#   cannot foresee.
#
# The floor is :func:`torch.dot`: it reads every ``x`` and every ``t`` once. No step can do without
# that.
#
# Two things about the memory itself are measured, too. How fast is it when a very large tensor is
# copied? And does it matter whether a result goes into a new tensor or into one that was there
# before?


def microseconds(call, times):
    """Return how long a call takes, after one that is not measured."""
    call()
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times * 1e6


def line_of(n):
    """Return n points near the line with slope 2 and intercept 1."""
    x = torch.linspace(0, 4, n)
    return x, 2 * x + 1 + 0.5 * torch.randn(n, generator=torch.Generator().manual_seed(0))


def start():
    """Return a line to start from."""
    return torch.tensor(1.0, requires_grad=True), torch.tensor(0.0, requires_grad=True)


def measure(points, rounds):
    """Return the median microseconds of every way at every number of points, as a record."""
    large, copy = torch.ones(2**25), torch.ones(2**25)
    used = torch.ones(max(points))
    calls = {
        ("copy", 0): (lambda: copy.copy_(large), 2),
        ("new", 0): (lambda: torch.full((len(used),), 1.0), 2),
        ("used", 0): (lambda: used.fill_(1.0), 2),
    }
    for n, (x, t) in points.items():
        times = max(2, 10**6 // (n // 10 + 10**4))
        calls["read x, t", n] = lambda x=x, t=t: torch.dot(x, t), times
        for way, gradient in gradients.items():
            data = (gradient, x, t, *start())
            calls[way, n] = lambda data=data: step(*data), times
    took = {key: [] for key in calls}
    gc.disable()
    # The bar shows up in a terminal only.
    turns = [key for k in range(rounds) for key in (calls if k % 2 else reversed(calls))]
    for key in tqdm(turns, desc="measuring", disable=None):
        took[key].append(microseconds(*calls[key]))
    gc.enable()
    middle = {key: statistics.median(times) for key, times in took.items()}
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine().replace('_', '-')}",
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "date": datetime.date.today().isoformat(),
        "points": list(points),
        "microseconds": {
            way: [round(middle[way, n], 2) for n in points] for way in [*gradients, "read x, t"]
        },
        # A copy reads every byte once and writes it once.
        "bytes copied in a microsecond": round(2 * large.nbytes / middle["copy", 0]),
        "microseconds to fill": {key: round(middle[key, 0]) for key in ("new", "used")},
    }


# %%
# Not every computer can do what :func:`torch.compile` asks for. It wants a C++ compiler, and a
# version of Python that it knows. Where one is missing, its row is left out.

try:
    if not options.load:
        by_compile(*line_of(100), *start())
except RuntimeError as missing:
    said = next(line for line in str(missing).splitlines() if not line.endswith("raised:"))
    print(textwrap.shorten(f"torch.compile is left out: {said}", width=90))
    del gradients["torch.compile"]

if options.load:
    with open(options.load, encoding="utf-8") as file:
        record = json.load(file)
    print("a record of {date}: {machine}, Python {python}, torch {torch}".format(**record))
else:
    record = measure({10**k: line_of(10**k) for k in range(2, 8)}, options.rounds)
if options.save:
    with open(options.save, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=2)
        file.write("\n")

# %%
# Read the table
# --------------
#
# Each column is a number of points, each row a way. Look at the first row from left to right. While
# the points are few, it hardly changes: the time goes into starting the operations, one after the
# other, and not into the points. Then it grows with them.
#
# The lower half divides by the floor, the time of reading ``x`` and ``t`` once. Look at its last
# column. There the memory is at work, and the processor waits for it. Now look at the last line.
# Memory for a large new tensor comes from the operating system, which has to clear it first. The
# first two ways make such a tensor in almost every operation.

names = ["10" + "⁰¹²³⁴⁵⁶⁷⁸⁹"[round(math.log10(n))] for n in record["points"]]
floor = record["microseconds"]["read x, t"]


def print_rows(title, numbers_of, digits):
    """Print a row for each way."""
    print(f"{title:<16}" + "".join(f"{name:>11}" for name in names))
    for way, times in record["microseconds"].items():
        print(f"{way:<16}" + "".join(f"{v:11.{digits}f}" for v in numbers_of(times)))


print_rows("µs a step", lambda times: times, 1)
print_rows("times the floor", lambda times: [a / b for a, b in zip(times, floor, strict=True)], 1)
print("threads:", record["threads"])
print(f"memory: {record['bytes copied in a microsecond'] / 1e3:.1f} GB/s while copying")
new, used = (record["microseconds to fill"][key] for key in ("new", "used"))
print(f"filling a tensor of {names[-1]}: {new} µs when new, {used} µs when used before")

# %%
# See it
# ------
#
# To the right go the points, upward goes the time, both so that each mark is ten times the one
# before it. Look at the left end of a curve: it is flat. Look at the right end: it rises about as
# steeply as the dashed line, or more. That line is the pace of the memory: so long a copy takes to
# move as many bytes as ``x`` and ``t`` hold. Where the grey curve lies below it, both fit into the
# cache, a small and fast memory inside the processor.

styles = {
    "backward()": ("e.backward()", "#D55E00", "o"),
    "formula": ("2(y − t)x, 2(y − t)", "#0072B2", "s"),
    "torch.compile": ("torch.compile", "#009E73", "^"),
    "read x, t": ("torch.dot(x, t)", "#6E7781", "."),
}
fig, ax = plt.subplots(
    num="Time of a step over the number of points: flat at first, then as steep as the memory.",
    figsize=(5, 4.2),
    layout="constrained",
)
for way, times in record["microseconds"].items():
    label, color, marker = styles[way]
    ax.loglog(record["points"], times, color=color, marker=marker, label=label)
pace = [8 * n / record["bytes copied in a microsecond"] for n in record["points"]]
ax.loglog(record["points"], pace, color="black", linestyle="--", linewidth=1, label="copy")
ax.set(xlabel="n", ylabel="µs", ylim=(floor[0] / 2, None))
ax.legend(frameon=False)
plt.show()

# %%
# What you learned
# ----------------
#
# - With few points a step costs what starting its operations costs.
# - With many points it costs what moving the numbers costs. Fewer passes over them are faster.
# - :func:`torch.compile` makes fewer passes of your own error, without a formula of yours.
#
# The last lines check that the ways only differ in time. Each adds up a million numbers in another
# order. Single precision rounds each sum in its seventh digit, so they agree to the fifth.

x, t = line_of(10**6)
found = {way: torch.stack(gradient(x, t, *start())) for way, gradient in gradients.items()}
wide = torch.stack(by_formula(x.double(), t.double(), *start()))
for way, gradient in found.items():
    if not (way == "torch.compile" and options.load):
        torch.testing.assert_close(gradient.double(), wide, rtol=1e-5, atol=0)
