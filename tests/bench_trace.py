"""What recording a backward pass costs: `trace_backward` against an ordinary forward and backward.

Run by ``make bench``. The two take turns, so that whatever else the machine does
meets both alike.
"""

import statistics
from collections.abc import Callable

import torch
from timing import seconds
from torch import Tensor

from linreg_tutorial import record_forward, trace_backward, two_points

ROUNDS = 200
LENGTHS = (50, 100, 200, 400)

x, t = two_points()


def line() -> Tensor:
    a = torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(0.0, requires_grad=True)
    return torch.mean((t - (a * x + b)) ** 2)


def chain(length: int) -> Tensor:
    """Return the end of a chain of twice as many operations."""
    a = torch.tensor(0.5, requires_grad=True)
    y = a * x
    for _ in range(length):
        y = torch.tanh(y + a)
    return y.sum()


def plain(program: Callable[[], Tensor]) -> None:
    program().backward()


def traced(program: Callable[[], Tensor]) -> None:
    with record_forward():
        loss = program()
    trace_backward(loss)


def medians(program: Callable[[], Tensor], rounds: int) -> tuple[float, float]:
    """Return the milliseconds of the plain and of the recorded pass, taken in turns."""
    for run in (plain, traced):
        run(program)
    times = [
        [seconds(lambda run=run: run(program)) * 1e3 for run in (plain, traced)]
        for _ in range(rounds)
    ]
    return tuple(map(statistics.median, zip(*times, strict=True)))


def main() -> None:
    bare, recorded = medians(line, ROUNDS)
    print(f"two points: median of {ROUNDS} rounds, in ms")
    print(f"plain {bare:.3f}  recorded {recorded:.3f}  ratio {recorded / bare:.1f}")
    print(f"allowed: 5 × {bare:.3f} + 5 = {5 * bare + 5:.3f}")
    print("\nnodes  plain ms  recorded ms  recorded µs a node")
    for length in LENGTHS:
        bare, recorded = medians(lambda length=length: chain(length), 10)
        nodes = 2 * length
        print(f"{nodes:5}  {bare:8.2f}  {recorded:11.1f}  {recorded / nodes * 1e3:18.0f}")


if __name__ == "__main__":
    main()
