"""What recording a history costs: each fit against the same loop without recording.

Run by ``make bench``. The loops take turns, so that whatever else the machine
does meets all of them alike.
"""

import statistics
from collections.abc import Callable

import torch
from timing import seconds
from torch import nn

from linreg_tutorial import LineNet, fit_manual, fit_module, two_points

ROUNDS = 40
STEPS = 2000
LR = 0.1

x, t = two_points()


def bare_manual() -> None:
    a = torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(0.0, requires_grad=True)
    for step in range(STEPS + 1):
        y = a * x + b
        error = torch.mean((t - y) ** 2)
        error.backward()
        if step == STEPS:
            break
        with torch.no_grad():
            a -= LR * a.grad
            b -= LR * b.grad
        a.grad = b.grad = None


def bare_module() -> None:
    net = LineNet(a=1.0, b=0.0)
    optimizer = torch.optim.SGD(net.parameters(), lr=LR)
    loss = nn.MSELoss()
    inputs, targets = x.reshape(-1, 1), t.reshape(-1, 1)
    for step in range(STEPS + 1):
        error = loss(net(inputs), targets)
        optimizer.zero_grad()
        error.backward()
        if step == STEPS:
            break
        optimizer.step()


def recorded_manual() -> None:
    fit_manual(x, t, a=1.0, b=0.0, lr=LR, steps=STEPS)


def recorded_module() -> None:
    fit_module(x, t, LineNet(a=1.0, b=0.0), lr=LR, steps=STEPS)


def microseconds_a_step(loop: Callable[[], None]) -> float:
    return seconds(loop) / STEPS * 1e6


def main() -> None:
    pairs = {
        "fit_manual": (bare_manual, recorded_manual),
        "fit_module": (bare_module, recorded_module),
    }
    loops = [loop for pair in pairs.values() for loop in pair]
    times: dict[Callable[[], None], list[float]] = {loop: [] for loop in loops}
    for loop in loops:
        loop()
    for round_ in range(ROUNDS):
        for loop in loops if round_ % 2 else reversed(loops):
            times[loop].append(microseconds_a_step(loop))

    print(f"µs a step: median of {ROUNDS} rounds of {STEPS} steps (minimum, quartiles)")
    print(f"{'':<10}  {'bare':<26}  {'recorded':<26}  ratio: medians, minima")
    for name, pair in pairs.items():
        bare, recorded = (times[loop] for loop in pair)
        medians = statistics.median(recorded) / statistics.median(bare)
        minima = min(recorded) / min(bare)
        print(
            f"{name:<10}  {spread(bare):<26}  {spread(recorded):<26}  {medians:.3f}, {minima:.3f}"
        )


def spread(times: list[float]) -> str:
    low, median, high = statistics.quantiles(times, n=4)
    return f"{median:.1f} ({min(times):.1f}, {low:.1f}–{high:.1f})"


if __name__ == "__main__":
    main()
