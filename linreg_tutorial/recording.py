"""The way forward, written down: what goes into each operation, left with PyTorch's own graph."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import Node as GradFn
from torch.utils._python_dispatch import TorchDispatchMode

# Where the notes lie, in the ``metadata`` of PyTorch's nodes.
_KEY = "linreg_tutorial"

_is_recording: ContextVar[bool] = ContextVar("is_recording", default=False)


@contextmanager
def record_forward() -> Iterator[None]:
    """Write down what goes into every operation of the ``with`` block.

    The notes stay with the graph that PyTorch builds there, for
    `linreg_tutorial.trace_backward`, and go when the graph goes. What goes into an
    operation of the graph is copied, so that what is shown later is what was
    computed.

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
    before = _is_recording.set(True)
    try:
        with _Recorder():
            yield
    finally:
        _is_recording.reset(before)


def is_recording() -> bool:
    """Whether this is called within `record_forward`."""
    return _is_recording.get()


class _Recorder(TorchDispatchMode):
    """Sees every operation, below the layer of PyTorch that builds the graph."""

    def __init__(self) -> None:
        super().__init__()
        self._last: tuple[list[Tensor], list[Input], bool] | None = None
        # Each tensor, as it is, is copied once. It is kept so that its id stays its own.
        self._copies: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Let an operation happen, and write its inputs down."""
        self._attach()
        kwargs = kwargs or {}
        given = list(_given(func, args, kwargs))
        wanted = [value for value in given if isinstance(value, Tensor) and value.requires_grad]
        is_in_graph = bool(wanted) and torch.is_grad_enabled()
        # Before the operation: it may change them.
        inputs = [self._input(value) for value in given] if is_in_graph else []
        if not is_in_graph:
            for tensor in wanted:
                self._glimpse(tensor)
        result = func(*args, **kwargs)
        if is_in_graph:
            self._last = _tensors(result), inputs, _saves_through_hooks()
        return result

    def __exit__(self, *exception: Any) -> None:
        """Stop writing down."""
        self._attach()
        self._copies.clear()
        super().__exit__(*exception)

    def _attach(self) -> None:
        """Leave the inputs of the last operation with the node that PyTorch has made for it.

        A result is linked to its node only after the operation has come back from
        `__torch_dispatch__`, so this is done when the next one comes.
        """
        if self._last is not None:
            results, inputs, through_hooks = self._last
            for node in {result.grad_fn for result in results} - {None}:
                notes = notes_of(node)
                if notes.inputs is None:
                    notes.inputs, notes.saves_through_hooks = inputs, through_hooks
        self._last = None

    def _input(self, value: Tensor | float) -> "Input":
        if not isinstance(value, Tensor):
            return Input(value)
        copy = self._copy(value)
        if value.grad_fn is None:
            return Input(copy, value, value.requires_grad, version=_version(value))
        notes_of(value.grad_fn).values.setdefault(value.output_nr, copy)
        # Not the tensor itself: an operation in place makes it its own result, a circle.
        return Input(copy, None, True, value.grad_fn, value.output_nr, _version(value))

    def _glimpse(self, tensor: Tensor) -> None:
        """Note a result that is used outside the graph, as within a Function of one's own."""
        if tensor.grad_fn is not None:
            glimpsed = notes_of(tensor.grad_fn).glimpsed
            if tensor.output_nr not in glimpsed:
                glimpsed[tensor.output_nr] = self._copy(tensor)

    def _copy(self, tensor: Tensor) -> Tensor:
        key = id(tensor), _version(tensor)
        if key not in self._copies:
            self._copies[key] = tensor, tensor.detach().clone()
        return self._copies[key][1]


@dataclass(frozen=True)
class Input:
    """What went into an operation: a result, a parameter or a constant.

    Attributes
    ----------
    value
        A copy of it as it was then, or the plain number.
    tensor
        A parameter or a constant itself; None for a result and for a plain number.
    wants_gradient
        Whether it is no constant.
    grad_fn, number
        Of a result: the operation it comes from, and as which of its results.
    version
        How often the tensor had been changed in place.
    """

    value: Tensor | float
    tensor: Tensor | None = None
    wants_gradient: bool = False
    grad_fn: GradFn | None = None
    number: int = 0
    version: int = 0


@dataclass
class Notes:
    """What is known of a node of PyTorch's.

    Attributes
    ----------
    inputs
        What went into it, or None where that was not recorded.
    values
        Copies of those of its results that the graph uses, by their number.
    glimpsed
        Copies of those that were used elsewhere.
    saves_through_hooks
        Whether what it has saved is packed by somebody's hooks, as by a checkpoint.
    """

    inputs: list[Input] | None = None
    values: dict[int, Tensor] = field(default_factory=dict)
    glimpsed: dict[int, Tensor] = field(default_factory=dict)
    saves_through_hooks: bool = False


def notes_of(node: GradFn) -> Notes:
    """Return the notes that lie with a node; empty ones where nothing was recorded."""
    notes: Notes = node.metadata.setdefault(_KEY, Notes())
    return notes


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _saves_through_hooks() -> bool:
    return torch._C._autograd._top_saved_tensors_default_hooks(False) is not None


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
