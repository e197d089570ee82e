"""The data of the course: two points, and lines of many noisy points."""

import torch
from torch import Tensor

from linreg_tutorial.validation import check_count, check_number


def two_points() -> tuple[Tensor, Tensor]:
    """Return the two points (1, 3) and (2, 5), which lie on t = 2x + 1.

    Returns
    -------
    x, t : torch.Tensor
        The inputs and the targets, each float32 of shape (2,). They are new
        tensors on every call, so that changing them changes nobody else's.

    Examples
    --------
    >>> x, t = two_points()
    >>> x, t
    (tensor([1., 2.]), tensor([3., 5.]))
    """
    return torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0])


def noisy_line(
    n: int = 100,
    *,
    a: float = 2.0,
    b: float = 1.0,
    noise: float = 0.5,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """Return ``n`` points near the line t = a·x + b.

    The inputs are spread evenly over 0 ≤ x ≤ 4. Each target is off the line by
    normally distributed noise. The same ``seed`` gives the same points.

    Parameters
    ----------
    n
        How many points: 1 or more.
    a, b
        Slope and intercept of the line.
    noise
        Standard deviation of the noise, in units of t: 0 or more.
    seed
        Seed of the generator that is used for these points and no others.

    Returns
    -------
    x, t : torch.Tensor
        The inputs and the targets, each float32 of shape (n,).

    Raises
    ------
    TypeError
        If ``n`` or ``seed`` is no integer, or another argument no number.
    ValueError
        If ``n`` is below 1, ``noise`` below 0, or a number not finite.

    Examples
    --------
    >>> x, t = noisy_line(3, noise=0.0)
    >>> x, t
    (tensor([0., 2., 4.]), tensor([1., 5., 9.]))
    """
    check_count("n", n, at_least=1)
    check_count("seed", seed, at_least=0)
    for name, number in {"a": a, "b": b, "noise": noise}.items():
        check_number(name, number, torch.float32)
    if noise < 0:
        raise ValueError(f"noise must be 0 or more, got {noise}: it is a standard deviation")
    x = torch.linspace(0.0, 4.0, n)
    generator = torch.Generator().manual_seed(int(seed))
    return x, a * x + b + noise * torch.randn(n, generator=generator)


def in_float64(data: Tensor) -> Tensor:
    """Return data in float64, on the processor: not every device knows float64.

    Parameters
    ----------
    data
        A tensor of any shape, dtype and device.

    Examples
    --------
    >>> in_float64(torch.tensor([1.5]))
    tensor([1.5000], dtype=torch.float64)
    """
    return data.to("cpu", torch.float64)
