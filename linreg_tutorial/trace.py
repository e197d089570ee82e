"""What a trace of a backward pass holds: plain numbers, in nodes and edges, and what they say."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

# A number, or a list of what a list may hold: what ``Tensor.tolist()`` returns.
Numbers = float | list[Any]

RULES = {
    "elementwise": "each number that arrives is multiplied by the local derivative at its place",
    "summed": "one input served {n} places: what arrives there, times the local derivative of "
    "each, is added up",
    "spread": "one number arrives and is spread over {n} places, times the local derivative of "
    "each",
    "moved": "nothing is multiplied: each number goes back to the place it came from",
    "mixed": "each number that is sent adds up all that arrive, each times its local derivative",
    "custom": "the backward of a torch.autograd.Function decides",
}


@dataclass(frozen=True)
class Output:
    """A result of a node.

    Attributes
    ----------
    number
        Which of the node's results, from 0 on.
    value
        What the program computed: a number, or nested lists of numbers.
    gradient
        What arrived for it on the way back, of the shape of ``value``, in units
        of the loss per unit of the value; None where nothing can arrive.
    label
        The name that the caller gave, or None.
    """

    number: int
    value: Numbers
    gradient: Numbers | None
    label: str | None = None


@dataclass(frozen=True)
class Node:
    """A station of the graph.

    Attributes
    ----------
    index
        Its place in ``Trace.nodes``: inputs come before what uses them.
    kind
        ``"parameter"`` (a leaf that wants a gradient), ``"constant"`` (an input
        that gets none) or ``"operation"``.
    operation
        What it does, in a reader's words.
    symbol
        The same as a sign, for pictures.
    name
        PyTorch's own name, such as ``"MulBackward0"``; ``"AccumulateGrad"`` for a
        parameter, None for a constant.
    outputs
        Its results that are used, mostly one.
    grad_before, grad_after
        Of a parameter: its ``.grad`` before and after the pass. The difference is
        what ``AccumulateGrad`` added.
    """

    index: int
    kind: str
    operation: str
    symbol: str
    name: str | None
    outputs: tuple[Output, ...]
    grad_before: Numbers | None = None
    grad_after: Numbers | None = None

    @property
    def label(self) -> str | None:
        """The name that the caller gave, those of several outputs with commas, or None."""
        return ", ".join(output.label for output in self.outputs if output.label) or None

    @property
    def value(self) -> Numbers:
        """The value of its only output, or of its first one."""
        return self.outputs[0].value

    @property
    def gradient(self) -> Numbers | None:
        """The gradient that arrived for its only output, or for its first one."""
        return self.outputs[0].gradient

    @property
    def is_leaf(self) -> bool:
        """Whether it is a parameter or a constant, from which the graph starts."""
        return self.kind != "operation"


@dataclass(frozen=True)
class Edge:
    """A way of a value forward into an operation, and of its gradient back.

    Attributes
    ----------
    source, output
        From which node, and from which of its outputs, the value comes.
    target, position
        Into which node it goes, and as which of its inputs.
    sent
        The gradient that the target sent back to the source; None to a constant.
    rule
        How ``sent`` follows from what arrived at the target, a key of `RULES`;
        None for a constant.
    local
        ∂output/∂input at this place: of the shape of the output for
        ``"elementwise"`` and ``"summed"``, of the input for ``"spread"``, a table
        with a row for each number of the output and a column for each of the
        input for ``"mixed"`` where that is small; None elsewhere.
    arriving
        For ``"spread"`` the shape in which what arrives is multiplied by ``local``.
    """

    source: int
    output: int
    target: int
    position: int
    sent: Numbers | None = None
    rule: str | None = None
    local: Numbers | None = None
    arriving: tuple[int, ...] | None = None


@dataclass(frozen=True, repr=False)
class Trace:
    """One backward pass, written down in plain numbers.

    Attributes
    ----------
    nodes
        All stations, inputs before what uses them; the last one is the loss.
    edges
        All ways between them, by target.
    order
        The indices of the nodes in the order in which the gradients reached them.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    order: tuple[int, ...]

    def __getitem__(self, label: str) -> Node:
        """Return the node with a label; of its outputs, the one that has it.

        Raises
        ------
        KeyError
            If no node has it.
        """
        for node in self.nodes:
            for output in node.outputs:
                if output.label == label:
                    return replace(node, outputs=(output,))
        known = ", ".join(node.label for node in self.nodes if node.label) or "none"
        raise KeyError(f"no node is called {label!r}: the labels are {known}")

    @property
    def loss(self) -> Node:
        """The node from which the gradients start."""
        return self.nodes[-1]

    def inputs(self, node: Node) -> list[Edge]:
        """Return the edges into a node, in the order of its inputs."""
        return [edge for edge in self.edges if edge.target == node.index]

    def uses(self, node: Node) -> list[Edge]:
        """Return the edges out of a node: on each a part of its gradient comes back."""
        return [edge for edge in self.edges if edge.source == node.index]

    def arithmetic(self, edge: Edge) -> list[str]:
        """Return the multiplications that an edge stands for, one line a number that is sent.

        Numbers are written to four significant digits. The list is empty where only
        the table of a large operation would tell, and where a hook of somebody's has
        changed what was sent.

        Examples
        --------
        >>> import torch
        >>> from linreg_tutorial import record_forward, trace_backward
        >>> a = torch.tensor(1.0, requires_grad=True)
        >>> x = torch.tensor([1.0, 2.0])
        >>> with record_forward():
        ...     e = (a * x - 3).square().sum()
        >>> trace = trace_backward(e, a=a)
        >>> trace.arithmetic(trace.uses(trace["a"])[0])
        ['−4 × 1 + (−2) × 2 = −8']
        """
        if edge.rule is None or edge.sent is None:
            return []
        if edge.rule == "moved":
            return [written(number) for number in flat(edge.sent)]
        if edge.local is None:
            return []
        terms = _terms(edge, self.nodes[edge.target].gradient)
        sums = np.array([sum(g * factor for g, factor in products) for products in terms])
        if not np.allclose(sums, flat(edge.sent), rtol=0.05, atol=1e-6, equal_nan=True):
            return []
        return [
            f"{_sum_of_products(products)} = {written(number)}"
            for products, number in zip(terms, flat(edge.sent), strict=True)
        ]

    def explain(self, edge: Edge) -> str:
        """Return what an edge does to a gradient, in words and, where they tell it, in numbers.

        Examples
        --------
        >>> import torch
        >>> from linreg_tutorial import record_forward, trace_backward
        >>> a = torch.tensor([2.0, 4.0], requires_grad=True)
        >>> with record_forward():
        ...     e = a.mean()
        >>> trace = trace_backward(e, a=a)
        >>> print(trace.explain(trace.uses(trace["a"])[0]))
        one number arrives and is spread over 2 places, times the local derivative of each
          1 × 0.5 = 0.5
          1 × 0.5 = 0.5
        """
        if edge.rule is None:
            return "a constant gets no gradient"
        arrived, sent = self.nodes[edge.target].gradient, edge.sent
        sizes = sorted([len(flat(arrived)), len(flat(sent))])
        words = RULES[edge.rule].format(n=sizes[1] // max(sizes[0], 1))
        return "\n  ".join([words, *self.arithmetic(edge)])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as dicts, lists, strings and numbers, ready for JSON.

        What JSON has no number for, an infinity or a nan, becomes a string.

        Examples
        --------
        >>> import json, torch
        >>> from linreg_tutorial import record_forward, trace_backward
        >>> a = torch.tensor(3.0, requires_grad=True)
        >>> with record_forward():
        ...     e = a * a
        >>> json.loads(json.dumps(trace_backward(e).to_dict()))["order"]
        [1, 0]
        """
        return _plain(asdict(self))

    def __repr__(self) -> str:
        counts = [
            f"{count} {kind}{'' if count == 1 else 's'}"
            for kind in ("operation", "parameter", "constant")
            if (count := sum(node.kind == kind for node in self.nodes))
        ]
        rows = [("", "", "value", "gradient")]
        for node in self.nodes:
            what = node.operation if node.kind == "operation" else node.kind
            name = f" ({node.name})" if node.kind == "operation" else ""
            shown = [
                "; ".join("" if part is None else _short(part) for part in parts)
                for parts in zip(*((o.value, o.gradient) for o in node.outputs), strict=True)
            ]
            rows.append((node.label or "", what + name, *shown))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([f"Backward pass through {', '.join(counts)}", *lines])


# Numbers as text


def flat(numbers: Numbers | None) -> list[float]:
    """Return the numbers of nested lists in one list, row by row.

    >>> flat([[1.0, 2.0], [3.0, 4.0]]), flat(5.0), flat(None)
    ([1.0, 2.0, 3.0, 4.0], [5.0], [])
    """
    if numbers is None:
        return []
    if not isinstance(numbers, list):
        return [numbers]
    return [number for part in numbers for number in flat(part)]


def written(number: float, *, digits: int = 4, inner: bool = False) -> str:
    """Return a number as text, with a true minus.

    Parameters
    ----------
    number
        The number.
    digits
        How many significant digits it gets.
    inner
        Whether it stands behind a sign, so that a negative one needs brackets.

    >>> written(-8.0), written(2.03934), written(-3.0, inner=True), written(1e-9)
    ('−8', '2.039', '(−3)', '1e−09')
    """
    text = f"{number:.{digits}g}".replace("-", "−").replace("inf", "∞")
    return f"({text})" if inner and text.startswith("−") else text


def _sum_of_products(products: list[tuple[float, float]]) -> str:
    written_out = [
        f"{written(g, inner=i > 0)} × {written(factor, inner=True)}"
        for i, (g, factor) in enumerate(products)
    ]
    if len(written_out) > 6:
        written_out[3:-1] = ["…"]
    return " + ".join(written_out)


def _short(numbers: Numbers) -> str:
    """Return numbers for a table: all of a few, the shape of many."""
    if len(flat(numbers)) > 6:
        return f"shape {shape(numbers)}"
    if isinstance(numbers, list):
        return f"[{', '.join(map(_short, numbers))}]"
    return written(numbers).replace("−", "-")


def shape(numbers: Numbers) -> tuple[int, ...]:
    """Return how nested lists are nested, as a tensor's shape.

    >>> shape([[1.0, 2.0]]), shape(3.0)
    ((1, 2), ())
    """
    if not isinstance(numbers, list):
        return ()
    return (len(numbers), *(shape(numbers[0]) if numbers else ()))


def _terms(edge: Edge, arrived: Numbers) -> list[list[tuple[float, float]]]:
    """Return for each number that is sent the pairs (what arrived, local derivative) it adds up."""
    gradient, local = np.array(arrived), np.array(edge.local)
    sent = np.array(edge.sent)
    if edge.rule == "mixed":
        return [list(zip(gradient.flat, column, strict=True)) for column in local.T]
    if edge.rule == "summed":
        places = np.broadcast_to(np.arange(sent.size).reshape(sent.shape), gradient.shape)
    else:
        arriving = local.shape if edge.arriving is None else edge.arriving
        gradient = np.broadcast_to(gradient.reshape(arriving), local.shape)
        places = np.arange(sent.size)
    terms: list[list[tuple[float, float]]] = [[] for _ in range(sent.size)]
    for place, g, factor in zip(places.flat, gradient.flat, local.flat, strict=True):
        terms[place].append((float(g), float(factor)))
    return terms


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return value
