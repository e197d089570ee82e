"""Fit the usual way: any ``nn.Module`` with any optimizer of ``torch.optim``."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from linreg_tutorial.history import History, Recorder, warn_divergence
from linreg_tutorial.surface import rate_limit
from linreg_tutorial.validation import (
    check_autograd,
    check_batch_size,
    check_count,
    check_number,
    check_rate,
    check_rows,
)


class LineNet(nn.Module):
    """The line y = a·x + b as a module with one ``nn.Linear(1, 1)``.

    Parameters
    ----------
    a, b
        Slope and intercept to start from. Without them the layer starts, as
        every ``nn.Linear``, from random numbers.

    Raises
    ------
    TypeError, ValueError
        If a start is no finite number.

    Examples
    --------
    >>> LineNet(a=1.0, b=0.0)(torch.tensor([[1.0], [2.0]])).detach()
    tensor([[1.],
            [2.]])
    """

    def __init__(self, a: float | None = None, b: float | None = None) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 1)
        starts = {"a": (a, self.linear.weight), "b": (b, self.linear.bias)}
        for name, (start, parameter) in starts.items():
            if start is not None:
                check_number(name, start, parameter.dtype)
                nn.init.constant_(parameter, start)

    def forward(self, x: Tensor) -> Tensor:
        """Return the predictions, shape (n, 1), for inputs of shape (n, 1)."""
        y: Tensor = self.linear(x)
        return y


@torch.enable_grad()
def fit_module(
    x: Tensor,
    t: Tensor,
    net: nn.Module | None = None,
    *,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.SGD,
    lr: float = 0.1,
    steps: int = 100,
    batch_size: int | None = None,
    seed: int = 0,
    **options: Any,
) -> History:
    """Fit a module to points by ``nn.MSELoss`` and an optimizer.

    Parameters
    ----------
    x, t
        Inputs and targets, real: both of shape (n,), which are handed to the
        module as columns of shape (n, 1), or of shapes (n, inputs) and
        (n, outputs).
    net
        The module to fit, changed in place. It must turn ``x`` into one tensor of
        the shape of ``t``. Default: ``LineNet(a=1.0, b=0.0)``, the start of
        `fit_manual` (a ``LineNet()`` of your own starts from random numbers).
    optimizer
        An optimizer class, such as ``torch.optim.Adam``. It is called with the
        module's parameters, ``lr`` and ``options``, so that it cannot hold the
        parameters of another model.
    lr
        Learning rate, above 0.
    steps
        How many steps to take: 0 or more.
    batch_size
        How many points a step learns from, 1 to n: the next ones of a
        `torch.utils.data.DataLoader` that shuffles them. When all points were
        used, they are shuffled anew. The last batch before that is smaller if
        n is no multiple of it. Default: every step learns from all points.
    seed
        Seed of the generator that shuffles, and of nothing else.
    **options
        Further settings of the optimizer, such as ``momentum=0.9``.

    Returns
    -------
    History
        As of `fit_manual`. For a line its parameters are ``a`` and ``b``, for
        any other module they have the names of ``net.named_parameters()``.
        Error and gradients are those of all points, with a ``batch_size`` too,
        so that fits with and without can be compared. The gradient of a batch
        is not written down: for plain descent it is what the step subtracted,
        over ``lr``.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable, if the module has no parameter to fit, or if
        what it returns is not one tensor of the shape of ``t``. No parameter has
        been changed then. (A layer that counts its calls, such as BatchNorm, has
        counted one; in a whole fit it counts one more than there are steps, and
        with a ``batch_size`` one more a step, for the batch.)

    Warns
    -----
    DivergenceWarning
        Once, if the error is no longer finite; the history ends with that state.

    Examples
    --------
    >>> from linreg_tutorial import fit_manual, two_points
    >>> x, t = two_points()
    >>> fit_module(x, t).max_difference(fit_manual(x, t)) < 1e-5
    True
    >>> fit_module(x, t, batch_size=1, steps=2)
    History of 2 steps: error 6.5000 → 0.0144
    step         a         b     ∂e/∂a     ∂e/∂b         e
       0    1.0000    0.0000   -8.0000   -5.0000    6.5000
       1    2.2000    0.6000   -0.2000   -0.2000    0.0200
       2    2.2400    0.6400    0.1200    0.0000    0.0144
    >>> network = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    >>> fit_module(x, t, network, optimizer=torch.optim.Adam, steps=3).values["0.weight"].shape
    torch.Size([4, 8, 1])
    """
    check_rows(x, t)
    check_autograd(x, t)
    check_rate(lr, x.dtype)
    check_count("steps", steps, at_least=0)
    check_count("seed", seed, at_least=0)
    if batch_size is not None:
        check_batch_size(batch_size, len(x))
    if net is None:
        net = LineNet(a=1.0, b=0.0).to(x)
    parameters = _fitted_parameters(net, x)
    if x.dim() == 1:
        x, t = x.reshape(-1, 1), t.reshape(-1, 1)
    updater = _build(optimizer, parameters, lr, options)
    loss = nn.MSELoss()

    def learn_from(y: Tensor, t: Tensor) -> Tensor:
        error: Tensor = loss(y, t)
        updater.zero_grad()
        error.backward()
        return error

    batch = x, t

    def evaluate() -> Tensor:
        inputs, targets = batch
        return learn_from(net(inputs), targets)

    # LBFGS looks at several places within one step, so it wants to evaluate by itself.
    closure = inspect.signature(updater.step).parameters.get("closure")
    wanted = closure is not None and closure.default is inspect.Parameter.empty
    arguments: list[Callable[[], Any]] = [evaluate] if wanted else []
    batches = None if batch_size is None else _batches(x, t, batch_size, seed)

    y = _first_prediction(net, x, t)
    if is_line := _is_line(net, x, y):
        parameters = dict(zip("ab", parameters.values(), strict=True))
    recorder = Recorder(parameters)
    error = learn_from(y, t)
    for step in range(steps + 1):
        finite = recorder.record(error)
        if not finite:
            known = is_line and batches is None and _is_plain_descent(updater)
            limit = rate_limit(x.reshape(-1)) if known else None
            warn_divergence(step, lr, limit)
        if step == steps or not finite:
            break
        if batches is not None:
            batch = next(batches)
            if not wanted:
                evaluate()
        updater.step(*arguments)
        error = learn_from(net(x), t)
    return recorder.history()


def _fitted_parameters(net: nn.Module, x: Tensor) -> Mapping[str, Tensor]:
    """Return the parameters that a fit changes, by name."""
    if not isinstance(net, nn.Module):
        raise TypeError(
            f"net must be an nn.Module, got {type(net).__name__}"
            + (f": pass {net.__name__}()" if inspect.isclass(net) else "")
        )
    parameters = {name: p for name, p in net.named_parameters() if p.requires_grad}
    if not parameters:
        raise ValueError(
            "net must have a parameter that requires a gradient, got none: assign its layers to "
            "self in __init__, or put them into nn.Sequential or nn.ModuleList"
        )
    for name, parameter in parameters.items():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise ValueError(
                f"net must know the shape of its parameters, got {name} without one: call net(x) "
                "once before the fit"
            )
        if (parameter.dtype, parameter.device) != (x.dtype, x.device):
            raise ValueError(
                f"net and x must have the same dtype and device, got {parameter.dtype} on "
                f"{parameter.device} for {name} and {x.dtype} on {x.device} for x: "
                "pass net.to(x)"
            )
    return parameters


def _build(
    optimizer: Callable[..., torch.optim.Optimizer],
    parameters: Mapping[str, Tensor],
    lr: float,
    options: Mapping[str, Any],
) -> torch.optim.Optimizer:
    if isinstance(optimizer, torch.optim.Optimizer) or not callable(optimizer):
        raise TypeError(
            f"optimizer must be a class such as torch.optim.SGD, got {optimizer!r}: the optimizer "
            "is made here, from the parameters of net"
        )
    updater = optimizer(list(parameters.values()), lr=lr, **options)
    if not isinstance(updater, torch.optim.Optimizer):
        raise TypeError(
            f"optimizer must make a torch.optim.Optimizer, got {type(updater).__name__} from "
            f"{optimizer!r}: pass a class such as torch.optim.SGD"
        )
    return updater


def _batches(x: Tensor, t: Tensor, batch_size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches of one epoch after the other, without end."""
    generator = torch.Generator().manual_seed(int(seed))
    loader = DataLoader(
        TensorDataset(x, t), batch_size=int(batch_size), shuffle=True, generator=generator
    )
    while True:
        yield from loader


def _first_prediction(net: nn.Module, x: Tensor, t: Tensor) -> Tensor:
    """Return the prediction, having checked that it can be compared with ``t`` and learned from."""
    try:
        y = net(x)
    except RuntimeError as error:
        raise ValueError(f"net raised for x of shape {tuple(x.shape)}: {error}") from error
    if not isinstance(y, Tensor):
        raise TypeError(
            f"net must return one tensor, got {type(y).__name__}: wrap it in a module whose "
            "forward returns the prediction alone"
        )
    if y.shape != t.shape:
        raise ValueError(
            f"net must return the shape of t, got {tuple(y.shape)} and {tuple(t.shape)}: "
            "give its last layer as many outputs as t has columns"
        )
    if not y.requires_grad:
        raise ValueError(
            "net must return a prediction that leads back to its parameters, got one without a "
            "graph: take detach(), no_grad() and the like out of its forward"
        )
    return y


def _is_line(net: nn.Module, x: Tensor, y: Tensor) -> bool:
    """Whether the module is its one ``nn.Linear(1, 1)``: fits its two numbers, returns its line."""
    layers = [layer for layer in net.modules() if not list(layer.children())]
    if len(layers) != 1 or not isinstance(layer := layers[0], nn.Linear):
        return False
    fitted = [id(parameter) for parameter in net.parameters() if parameter.requires_grad]
    if layer.in_features != 1 or layer.out_features != 1:
        return False
    if fitted != [id(layer.weight), id(layer.bias)]:
        return False
    return torch.equal(y, nn.functional.linear(x, layer.weight, layer.bias))


def _is_plain_descent(optimizer: torch.optim.Optimizer) -> bool:
    """Whether each step subtracts lr times the gradient and nothing else."""
    plain = dict(torch.optim.SGD([torch.zeros(1)], lr=1.0).defaults, lr=None)
    return isinstance(optimizer, torch.optim.SGD) and dict(optimizer.defaults, lr=None) == plain
