"""The way forward, written down: what goes into each operation, left with PyTorch's own graph."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch.autograd.graph import Node as GradFn
from torch.utils._python_dispatch import TorchDispatchMode

# Where the notes lie, in the ``metadata`` of PyTorch's nodes.
_KEY = "linreg_tutorial"


@contextmanager
def record_forward() -> Iterator[None]:
    """Write down what goes into every operation of the ``with`` block.

    The notes stay with the graph that PyTorch builds there, for
    `linreg_tutorial.trace_backward`, and go when the graph goes. What goes in is
    copied, so that what is shown later is what was computed.

    Examples
    --------
    >>> import torch
    >>> from linreg_tutorial import trace_backward
    >>> a = torch.tensor(3.0, requires_grad=True)
    >>> with record_forward():
    ...     e = (a - 1) ** 2
    >>> trace_backward(e, a=a)["a"].gradient
    4.0
    """
    with _Recorder():
        yield


class _Recorder(TorchDispatchMode):
    """Sees every operation, below the layer of PyTorch that builds the graph."""

    def __init__(self) -> None:
        super().__init__()
        self._last: tuple[list[Tensor], list[Input]] | None = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Let an operation happen, and write its inputs down."""
        self._attach()
        kwargs = kwargs or {}
        inputs = [Input.of(given) for given in _given(func, args, kwargs)]
        result = func(*args, **kwargs)
        if any(entry.wants_gradient for entry in inputs):
            self._last = _tensors(result), inputs
        return result

    def __exit__(self, *exception: Any) -> None:
        """Stop writing down."""
        self._attach()
        super().__exit__(*exception)

    def _attach(self) -> None:
        """Leave the inputs of the last operation with the node that PyTorch has made for it.

        A result is linked to its node only after the operation has come back from
        `__torch_dispatch__`, so this is done when the next one comes.
        """
        if self._last is not None:
            results, inputs = self._last
            for result in results:
                if result.grad_fn is not None:
                    notes_of(result.grad_fn).inputs = inputs
        self._last = None


@dataclass(frozen=True)
class Input:
    """What went into an operation: a result, a parameter or a constant.

    Attributes
    ----------
    value
        A copy of it as it was then, or the plain number.
    tensor
        The tensor itself, None for a plain number.
    wants_gradient
        Whether it is no constant.
    grad_fn, number
        Of a result: the operation it comes from, and as which of its results.
    """

    value: Tensor | float
    tensor: Tensor | None = None
    wants_gradient: bool = False
    grad_fn: GradFn | None = None
    number: int = 0

    @classmethod
    def of(cls, given: Tensor | float) -> "Input":
        """Return what is known of a value when it goes in."""
        if not isinstance(given, Tensor):
            return cls(given)
        if given.grad_fn is None:
            return cls(given.detach().clone(), given, given.requires_grad)
        values = notes_of(given.grad_fn).values
        if given.output_nr not in values:
            values[given.output_nr] = given.detach().clone()
        return cls(values[given.output_nr], given, True, given.grad_fn, given.output_nr)


@dataclass
class Notes:
    """What is known of a node of PyTorch's.

    Attributes
    ----------
    inputs
        What went into it, or None where that was not recorded.
    values
        Copies of those of its results that were used, by their number.
    """

    inputs: list[Input] | None = None
    values: dict[int, Tensor] = field(default_factory=dict)


def notes_of(node: GradFn) -> Notes:
    """Return the notes that lie with a node; empty ones where nothing was recorded."""
    notes: Notes = node.metadata.setdefault(_KEY, Notes())
    return notes


def _given(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[Tensor | float]:
    """Yield the values among the arguments of an operation, without its options.

    The 2 in ``x**2`` is a value, the 1 in ``x.sum(dim=1)`` an option. The operation
    declares which is which: a value is a tensor or a number, an option an integer.
    """
    declared = {argument.name: str(argument.type) for argument in func._schema.arguments}
    may_be_values = {n for n, kind in declared.items() if "Tensor" in kind or "number" in kind}
    for name, value in [*zip(declared, args, strict=False), *kwargs.items()]:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)
        elif isinstance(value, (int, float)) and name in may_be_values:
            yield value


def _tensors(result: Any) -> list[Tensor]:
    if isinstance(result, Tensor):
        return [result]
    return [part for part in result if isinstance(part, Tensor)] if result else []
