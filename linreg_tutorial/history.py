"""History: what a fit went through, step by step."""

import html
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from linreg_tutorial.data import in_float64


class DivergenceWarning(RuntimeWarning):
    """A fit was stopped because its error was no longer finite."""


def warn_divergence(step: int, lr: float, limit: float | None) -> None:
    """Say that a fit was stopped, where, and which rate would have done.

    Parameters
    ----------
    step
        After how many steps the error was no longer finite.
    lr
        The rate of the fit.
    limit
        The rate below which it converges, or None where no such rate is known.
    """
    if limit is None:
        advice = "no fixed limit is known for this module and optimizer: try a tenth of that"
    elif lr >= limit:
        advice = f"on these points plain gradient descent converges for lr < {limit:.4g}"
    else:
        advice = "the start or the data are too large for this dtype: make them smaller"
    when = f"after step {step}" if step else "at the start"
    warnings.warn(
        f"the fit diverged: {when} the error is not finite, and the history ends there. "
        f"lr is {lr}; {advice}",
        DivergenceWarning,
        stacklevel=4,
    )


class State(NamedTuple):
    """A line after ``step`` steps, as plain numbers."""

    step: int
    a: float
    b: float
    grad_a: float
    grad_b: float
    error: float


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """All states of a fit: row 0 before the first step, row k after k steps.

    A row holds the parameters, the error there, and the gradients there, from
    which step k + 1 starts. (A step that learns from a batch starts from the
    gradients of that batch. Those of the row are of all points.)

    Attributes
    ----------
    values
        For each parameter, by name, a tensor of shape ``(steps + 1, *shape)``;
        a parameter of one element gives shape (steps + 1,).
    gradients
        The gradients of the error, likewise: units of the error per unit of the
        parameter. 0 where the error does not depend on the parameter.
    error
        The mean squared error, shape (steps + 1,), in units of t squared.

    Examples
    --------
    >>> from linreg_tutorial import fit_manual, two_points
    >>> history = fit_manual(*two_points(), steps=2)
    >>> history
    History of 2 steps: error 6.5000 → 0.0709
    step         a         b     ∂e/∂a     ∂e/∂b         e
       0    1.0000    0.0000   -8.0000   -5.0000    6.5000
       1    1.8000    0.5000   -2.5000   -1.6000    0.6500
       2    2.0500    0.6600   -0.7700   -0.5300    0.0709
    >>> history.a
    tensor([1.0000, 1.8000, 2.0500])
    >>> history[1].step
    1
    """

    values: Mapping[str, Tensor]
    gradients: Mapping[str, Tensor]
    error: Tensor

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.error) - 1

    @property
    def a(self) -> Tensor:
        """The slope after each step, shape (steps + 1,)."""
        return self._of_line(self.values, "a")

    @property
    def b(self) -> Tensor:
        """The intercept after each step, shape (steps + 1,)."""
        return self._of_line(self.values, "b")

    @property
    def grad_a(self) -> Tensor:
        """∂e/∂a at each state, shape (steps + 1,)."""
        return self._of_line(self.gradients, "a")

    @property
    def grad_b(self) -> Tensor:
        """∂e/∂b at each state, shape (steps + 1,)."""
        return self._of_line(self.gradients, "b")

    def __len__(self) -> int:
        """Return the number of rows: one more than the steps."""
        return len(self.error)

    def __getitem__(self, row: int) -> State:
        """Return the line after ``row`` steps; -1 is the last one.

        Raises
        ------
        TypeError
            If ``row`` is no integer.
        IndexError
            If there is no such row.
        AttributeError
            If the fitted module is no line.
        """
        if isinstance(row, bool) or not isinstance(row, Integral):
            raise TypeError(
                f"row must be a whole number, got {row!r}: for several rows take "
                "history.a, history.b and the like"
            )
        if not -len(self) <= row < len(self):
            raise IndexError(f"row must be between 0 and {self.steps}, got {row}")
        columns = self.a, self.b, self.grad_a, self.grad_b, self.error
        return State(int(row) % len(self), *(column[row].item() for column in columns))

    def __iter__(self) -> Iterator[State]:
        """Iterate over the rows, from before the first step to the last."""
        return (self[row] for row in range(len(self)))

    def max_difference(self, other: "History") -> float:
        """Return the largest difference to ``other`` in any number of any row.

        Parameters
        ----------
        other
            The history of as many steps with the same parameters.

        Raises
        ------
        TypeError
            If ``other`` is no history.
        ValueError
            If the two have other parameters or other numbers of steps.

        Examples
        --------
        >>> from linreg_tutorial import fit_manual, two_points
        >>> one = fit_manual(*two_points(), steps=5)
        >>> one.max_difference(fit_manual(*two_points(), steps=5))
        0.0
        """
        if not isinstance(other, History):
            raise TypeError(f"other must be a History, got {type(other).__name__}")
        mine, theirs = self._columns(), other._columns()
        if {k: c.shape for k, c in mine.items()} != {k: c.shape for k, c in theirs.items()}:
            raise ValueError(
                "the two histories must have the same parameters and as many steps, got "
                f"{', '.join(self.values)} over {self.steps} steps and "
                f"{', '.join(other.values)} over {other.steps}"
            )
        largest = []
        for name, column in mine.items():
            one, other_one = in_float64(column), in_float64(theirs[name])
            difference = (one - other_one).abs()
            # inf and inf are equal, although inf - inf is nan.
            difference = difference.masked_fill(one == other_one, 0.0)
            largest.append(difference.max().item())
        # Unlike Python's max(), torch's never overlooks a nan.
        return float(torch.tensor(largest, dtype=torch.float64).max())

    def __repr__(self) -> str:
        table = self._table()
        rows = [("step", *table.names), *((step, *cells) for step, cells in table.rows)]
        first, *others = zip(*rows, strict=True)
        widths = [max(4, *map(len, first))]
        widths += [max(10, *(1 + len(cell) for cell in column)) for column in others]
        return "\n".join(
            [self._headline(), *("".join(map(str.rjust, row, widths)) for row in rows)]
        )

    def _repr_html_(self) -> str:
        table = self._table()
        head = "".join(f"<th>{html.escape(name)}</th>" for name in ("step", *table.names))
        body = "".join(
            f"<tr><th>{step}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
            for step, cells in table.rows
        )
        return (
            f'<table class="history"><caption>{html.escape(self._headline())}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _columns(self) -> dict[str, Tensor]:
        named = dict(self.values)
        named |= {f"∂e/∂{name}": column for name, column in self.gradients.items()}
        return named | {"e": self.error}

    def _headline(self) -> str:
        unit = "step" if self.steps == 1 else "steps"
        first, last = _number(self.error[0].item()), _number(self.error[-1].item())
        large = [f"{k} {tuple(v.shape[1:])}" for k, v in self.values.items() if v.dim() > 1]
        not_shown = f" (not in the table: {', '.join(large)})" if large else ""
        return f"History of {self.steps} {unit}: error {first} → {last}{not_shown}"

    def _table(self) -> "_Table":
        """All rows of a short history, both ends of a long one."""
        columns = {k: c for k, c in self._columns().items() if c.dim() == 1}
        steps = list(range(len(self)))
        shown = steps if len(steps) <= 8 else [*steps[:4], None, *steps[-3:]]
        rows = [
            ("…", ["…"] * len(columns))
            if step is None
            else (str(step), [_number(c[step].item()) for c in columns.values()])
            for step in shown
        ]
        return _Table(list(columns), rows)

    @staticmethod
    def _of_line(columns: Mapping[str, Tensor], name: str) -> Tensor:
        if name not in columns:
            raise AttributeError(
                f"this fit has no {name}: its module is no line a·x + b. Its parameters are "
                f"{', '.join(columns)}: take history.values[...] and history.gradients[...]"
            )
        return columns[name]


class Recorder:
    """Writes down the state of a running fit, once a step.

    It keeps the parameters, not copies of them: each `record` reads what they
    and their ``grad`` hold at that moment. Numbers are read one by one with
    ``item()``, which costs less than a copy of a tensor.
    """

    def __init__(self, parameters: Mapping[str, Tensor]) -> None:
        self._parameters = dict(parameters)
        self._values: dict[str, list[Any]] = {name: [] for name in parameters}
        self._gradients: dict[str, list[Any]] = {name: [] for name in parameters}
        self._errors: list[float] = []
        # What a step calls, found beforehand: a step takes microseconds, and so does a look-up.
        self._writers = [
            (p, _item if p.numel() == 1 else _copy, values.append, gradients.append)
            for p, values, gradients in zip(
                parameters.values(), self._values.values(), self._gradients.values(), strict=True
            )
        ]
        self._write_error = self._errors.append

    def record(self, error: Tensor) -> bool:
        """Write down parameters, gradients and ``error``; tell whether it is finite."""
        for parameter, read, write_value, write_gradient in self._writers:
            write_value(read(parameter))
            gradient = parameter.grad
            if gradient is None:
                gradient = torch.zeros_like(parameter)
            write_gradient(read(gradient))
        number = error.item()
        self._write_error(number)
        return isfinite(number)

    def history(self) -> History:
        """Return all that was recorded."""
        dtypes = {name: parameter.dtype for name, parameter in self._parameters.items()}
        return History(
            values={k: _column(rows, dtypes[k]) for k, rows in self._values.items()},
            gradients={k: _column(rows, dtypes[k]) for k, rows in self._gradients.items()},
            error=_column(self._errors, next(iter(dtypes.values()))),
        )


class _Table(NamedTuple):
    names: list[str]
    rows: list[tuple[str, list[str]]]


_item = Tensor.item


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().clone()


def _column(rows: list[Any], dtype: torch.dtype) -> Tensor:
    if isinstance(rows[0], Tensor):
        return torch.stack(rows)
    # The same as torch.tensor(rows, dtype=dtype), in half the time.
    return torch.from_numpy(np.array(rows)).to(dtype)


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 1e4 else f"{value:.2e}"
