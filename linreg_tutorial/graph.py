"""The backward pass of any loss, recorded: what PyTorch sends through its graph, number by number.

A recording takes two lines::

    with record_forward():
        y = a * x + b
        e = torch.mean((t - y) ** 2)
    trace = trace_backward(e, a=a, b=b, x=x, t=t, y=y)

`record_forward` writes down what goes into each operation while the loss is computed, and leaves
it with the graph that PyTorch itself writes. `trace_backward` runs one backward pass, an ordinary
one, and writes down what arrives at each operation and what it sends on. Nothing is computed by a
formula of ours: values and gradients are read where they pass, and the local derivatives come from
PyTorch's own backward functions, each asked alone.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import Tensor
from torch.autograd.graph import Node as GradFn

from linreg_tutorial.derivatives import Rule, is_custom, rules_of, with_gaps
from linreg_tutorial.recording import Input, notes_of
from linreg_tutorial.validation import check_loss, check_tensors

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

_OPERATIONS = {
    "Abs": ("absolute value", "|·|"),
    "Add": ("add", "+"),
    "Addmm": ("matrix product plus bias", "@ +"),
    "Clone": ("copy", "copy"),
    "Div": ("divide", "/"),
    "Dot": ("scalar product", "@"),
    "Expand": ("repeat", "repeat"),
    "Linear": ("matrix product plus bias", "@ +"),
    "Mean": ("mean", "mean"),
    "Mm": ("matrix product", "@"),
    "MseLoss": ("mean of the squared differences", "mse"),
    "Mul": ("multiply", "×"),
    "Mv": ("matrix product", "@"),
    "Neg": ("change the sign", "−"),
    "Pow": ("power", "^"),
    "Rsub": ("subtract from", "−"),
    "Sqrt": ("square root", "√"),
    "Sub": ("subtract", "−"),
    "Sum": ("sum", "Σ"),
    "T": ("transpose", "T"),
    "ToCopy": ("change the dtype", "dtype"),
    "Transpose": ("transpose", "T"),
    "UnsafeView": ("reshape", "reshape"),
    "View": ("reshape", "reshape"),
}


# What a trace holds


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
    """

    number: int
    value: Numbers
    gradient: Numbers | None


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
    label
        The name that the caller gave, or None.
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
    label: str | None
    outputs: tuple[Output, ...]
    grad_before: Numbers | None = None
    grad_after: Numbers | None = None

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
    """

    source: int
    output: int
    target: int
    position: int
    sent: Numbers | None = None
    rule: str | None = None
    local: Numbers | None = None


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
        """Return the node with a label.

        Raises
        ------
        KeyError
            If no node has it.
        """
        for node in self.nodes:
            if node.label == label:
                return node
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

        Numbers are written to four significant digits. Where only the table of a
        large operation would tell, the list is empty.

        Examples
        --------
        >>> import torch
        >>> from linreg_tutorial import record_forward
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
        return [
            f"{_sum_of_products(products)} = {written(number)}"
            for products, number in zip(terms, flat(edge.sent), strict=True)
        ]

    def explain(self, edge: Edge) -> str:
        """Return what an edge does to a gradient, in words and, where they tell it, in numbers.

        Examples
        --------
        >>> import torch
        >>> from linreg_tutorial import record_forward
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
        >>> from linreg_tutorial import record_forward
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


# Following the way back


def trace_backward(loss: Tensor, /, **names: Tensor) -> Trace:
    """Run one backward pass from ``loss`` and write down all that it sends.

    Afterwards every ``.grad`` is what ``loss.backward()`` leaves there, and the
    graph is freed as after any backward pass.

    Parameters
    ----------
    loss
        One number, computed within `record_forward`, shape () or of one element.
    **names
        Labels for tensors of the calculation: parameters, constants, and any
        result on the way. Those of a module: ``**dict(net.named_parameters())``.

    Returns
    -------
    Trace
        Its nodes and edges, in plain numbers.

    Raises
    ------
    TypeError
        If ``loss`` or a named object is no tensor, or the loss is not real.
    ValueError
        If the loss is not one number, has no graph or one that was freed, was not
        recorded, or if a named tensor took no part. Nothing was computed then.

    Examples
    --------
    >>> import torch
    >>> from linreg_tutorial import record_forward, two_points
    >>> x, t = two_points()
    >>> a = torch.tensor(1.0, requires_grad=True)
    >>> b = torch.tensor(0.0, requires_grad=True)
    >>> with record_forward():
    ...     y = a * x + b
    ...     e = torch.mean((t - y) ** 2)
    >>> trace_backward(e, a=a, b=b, x=x, t=t, y=y, e=e)
    Backward pass through 5 operations, 2 parameters, 3 constants
                                value   gradient
    a  parameter                1       -8
    x  constant                 [1, 2]
       multiply (MulBackward0)  [1, 2]  [-2, -3]
    b  parameter                0       -5
    y  add (AddBackward0)       [1, 2]  [-2, -3]
    t  constant                 [3, 5]
       subtract (SubBackward0)  [2, 3]  [2, 3]
       constant                 2
       power (PowBackward0)     [4, 9]  [0.5, 0.5]
    e  mean (MeanBackward0)     6.5     1
    """
    check_loss(loss)
    check_tensors(names)
    grad_fns = _ordered(loss.grad_fn)  # type: ignore[arg-type]
    _check_recorded(grad_fns)
    return _Tracing(loss, grad_fns, names).run()


def _ordered(root: GradFn) -> list[GradFn]:
    """Return the nodes of a graph, inputs before what uses them; no recursion, it may be deep."""
    found: dict[GradFn, None] = {}
    todo = [(root, False)]
    seen = set()
    while todo:
        node, inputs_done = todo.pop()
        if inputs_done:
            found[node] = None
        elif node not in seen:
            seen.add(node)
            todo.append((node, True))
            todo += [
                (before, False) for before, _ in reversed(_sources(node)) if before not in seen
            ]
    return list(found)


def _sources(node: GradFn) -> list[tuple[GradFn, int]]:
    return [(before, number) for before, number in node.next_functions if before is not None]


def _check_recorded(grad_fns: list[GradFn]) -> None:
    for node in grad_fns:
        # A torch.autograd.Function is no operation that a recording meets; its inside is.
        if not (_is_parameter(node) or is_custom(node) or notes_of(node).inputs):
            raise ValueError(
                "loss must be computed within `with record_forward():`, from its parameters on "
                f"and without changing a result in place, got one whose way through {_name(node)} "
                "was not recorded"
            )


def _is_parameter(node: GradFn) -> bool:
    return _name(node) == "AccumulateGrad"


def _name(node: GradFn) -> str:
    return node.name().rpartition("::")[2]


class _Tracing:
    """One pass: what is asked of PyTorch before it, what is heard during it, the result."""

    def __init__(self, loss: Tensor, grad_fns: list[GradFn], names: dict[str, Tensor]) -> None:
        self.loss = loss
        self.grad_fns = grad_fns
        self.parameters = {node: node.variable for node in grad_fns if _is_parameter(node)}
        self.node_of = {id(leaf): node for node, leaf in self.parameters.items()}
        self.values = self._values()
        self.labels = self._labels(names)
        self.arrived: dict[GradFn, list[Numbers | None]] = {}
        self.sent: dict[GradFn, list[Numbers | None]] = {}
        # In the trace: the nodes so far, and the place of each of PyTorch's, and of each constant.
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.places: dict[Any, int] = {}

    def run(self) -> Trace:
        """Ask, listen, and put together."""
        rules = {n: self._rules(n) for n in self.grad_fns if n not in self.parameters}
        before = {node: _numbers(leaf.grad) for node, leaf in self.parameters.items()}
        self._listen()
        for grad_fn in self.grad_fns:
            if grad_fn in self.parameters:
                after = _numbers(self.parameters[grad_fn].grad)
                self._add(grad_fn, "parameter", before[grad_fn], after)
            else:
                self._add_operation(grad_fn, rules[grad_fn])
        order = tuple(self.places[grad_fn] for grad_fn in self.arrived)
        return Trace(tuple(self.nodes), tuple(self.edges), order)

    def _way(self, entry: Input) -> tuple[GradFn, int] | None:
        """Return where in PyTorch's graph an input comes from; None for a constant."""
        node = entry.grad_fn or self.node_of.get(id(entry.tensor))
        return node and (node, entry.number)

    def _inputs(self) -> Iterator[Input]:
        for node in self.grad_fns:
            yield from notes_of(node).inputs or []

    def _values(self) -> dict[GradFn, dict[int, Tensor]]:
        """Return what each node gave when it was used."""
        values = {
            node: {0: self.parameters[node].detach()}
            if node in self.parameters
            else dict(notes_of(node).values)
            for node in self.grad_fns
        }
        for entry in self._inputs():
            if entry.grad_fn is None and (way := self._way(entry)):
                values[way[0]][0] = entry.value  # type: ignore[assignment]
        values[self.loss.grad_fn][self.loss.output_nr] = self.loss.detach()  # type: ignore[index]
        return values

    def _labels(self, names: dict[str, Tensor]) -> dict[Any, str]:
        """Return the label of each output and of each constant that has one."""
        constants = {
            _storage(entry.tensor): _constant_key(entry)
            for entry in self._inputs()
            if entry.tensor is not None and not self._way(entry)
        }
        labels: dict[Any, str] = {}
        for name, tensor in names.items():
            node = tensor.grad_fn or self.node_of.get(id(tensor))
            if node is None:
                key = constants.get(_storage(tensor))
            else:
                known = tensor.output_nr in self.values.get(node, ())
                key = (node, tensor.output_nr) if known else None
            if key is None:
                raise ValueError(
                    f"{name} takes no part in loss: leave it out, or give the tensor that was "
                    "used within `with record_forward():`"
                )
            labels[key] = name
        return labels

    def _rules(self, node: GradFn) -> list[Rule | None]:
        count = 1 if is_custom(node) else len(node._input_metadata)
        outputs = [self.values[node].get(number) for number in range(count)]
        inputs = [
            None if before is None else self.values[before][number]
            for before, number in node.next_functions
        ]
        try:
            return rules_of(node, outputs, inputs)
        except RuntimeError as error:
            if "second time" in str(error) or "already been freed" in str(error):
                raise ValueError(
                    "loss must have a graph that was not gone back before, got one that was freed "
                    f"at {_name(node)}: compute it once more within `with record_forward():`"
                ) from None
            raise ValueError(
                f"loss cannot be followed back through {_name(node)}: {error}"
            ) from error

    def _listen(self) -> None:
        handles = []
        try:
            for node in self.grad_fns:
                handles.append(node.register_prehook(self._hears(self.arrived, node)))
                if node not in self.parameters:
                    handles.append(node.register_hook(self._hears(self.sent, node)))
            self.loss.backward()
        finally:
            for handle in handles:
                handle.remove()

    @staticmethod
    def _hears(notes: dict[GradFn, list[Numbers | None]], node: GradFn) -> Any:
        def hear(gradients: Sequence[Tensor | None], *_: Any) -> None:
            notes[node] = [_numbers(gradient) for gradient in gradients]

        return hear

    def _add_operation(self, grad_fn: GradFn, rules: list[Rule | None]) -> None:
        inputs = [(entry, self._way(entry)) for entry in notes_of(grad_fn).inputs or []]
        for entry, way in inputs:
            if way is None and (key := _constant_key(entry)) not in self.places:
                self.places[key] = len(self.nodes)
                label = self.labels.get(key)
                self.nodes.append(_constant(len(self.nodes), label, entry.value))
        target = self._add(grad_fn, "operation")
        # What PyTorch sends has an order of its own: each input finds its own there.
        ways = {k: way for k, way in enumerate(grad_fn.next_functions) if way[0] is not None}
        position = 0
        for entry, way in inputs:
            if way is None:
                self.edges.append(Edge(self.places[_constant_key(entry)], 0, target, position))
            elif (k := next((k for k, other in ways.items() if other == way), None)) is not None:
                self._add_edge(ways.pop(k), target, position, self.sent[grad_fn][k], rules[k])
            else:
                continue
            position += 1
        for k, way in ways.items():
            self._add_edge(way, target, position, self.sent[grad_fn][k], rules[k])
            position += 1

    def _add_edge(
        self,
        way: tuple[GradFn, int],
        target: int,
        position: int,
        sent: Numbers | None,
        rule: Rule | None,
    ) -> None:
        source, output = self.places[way[0]], way[1]
        name, local = rule or (None, None)
        self.edges.append(Edge(source, output, target, position, sent, name, _numbers(local)))

    def _add(
        self,
        grad_fn: GradFn,
        kind: str,
        grad_before: Numbers | None = None,
        grad_after: Numbers | None = None,
    ) -> int:
        index = self.places[grad_fn] = len(self.nodes)
        values = self.values[grad_fn]
        arrived = self.arrived.get(grad_fn, [])
        outputs = tuple(
            Output(number, values[number].tolist(), arrived[number] if arrived else None)
            for number in sorted(values)
        )
        label = next((found for n in values if (found := self.labels.get((grad_fn, n)))), None)
        name = _name(grad_fn)
        operation, symbol = _words(name) if kind == "operation" else (kind, "")
        self.nodes.append(
            Node(index, kind, operation, symbol, name, label, outputs, grad_before, grad_after)
        )
        return index


def _constant(index: int, label: str | None, value: Tensor | float) -> Node:
    numbers = value.tolist() if isinstance(value, Tensor) else value
    output = Output(0, numbers, None)
    return Node(index, "constant", "constant", "", None, label, (output,))


def _constant_key(entry: Input) -> Any:
    """Return what makes two constants one: the same tensor; a plain number is alone."""
    return id(entry if entry.tensor is None else entry.tensor)


def _storage(tensor: Tensor) -> Any:
    """Return what a constant and a reshaped view of it have in common."""
    return tensor.untyped_storage().data_ptr(), tensor.storage_offset(), tensor.numel()


def _words(name: str) -> tuple[str, str]:
    """Return what an operation does, in a reader's words and as a sign."""
    plain = re.sub(r"Backward\d*$", "", name)
    if plain in _OPERATIONS:
        return _OPERATIONS[plain]
    words = " ".join(re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", plain)).lower() or plain
    return words, words


def _numbers(tensor: Tensor | None) -> Numbers | None:
    if tensor is None:
        return None
    return (tensor.to_dense() if tensor.is_sparse else tensor).tolist()


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


def written(number: float, *, inner: bool = False) -> str:
    """Return a number to four significant digits, with a true minus.

    Parameters
    ----------
    number
        The number.
    inner
        Whether it stands behind a sign, so that a negative one needs brackets.

    >>> written(-8.0), written(2.03934), written(-3.0, inner=True), written(1e-9)
    ('−8', '2.039', '(−3)', '1e−09')
    """
    text = f"{number:.4g}".replace("-", "−").replace("inf", "∞")
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
        return f"shape {_shape(numbers)}"
    if isinstance(numbers, list):
        return f"[{', '.join(map(_short, numbers))}]"
    return written(numbers).replace("−", "-")


def _shape(numbers: Numbers) -> tuple[int, ...]:
    if not isinstance(numbers, list):
        return ()
    return (len(numbers), *(_shape(numbers[0]) if numbers else ()))


def _terms(edge: Edge, arrived: Numbers) -> list[list[tuple[float, float]]]:
    """Return for each number that is sent the pairs (what arrived, local derivative) it adds up."""
    gradient, local = np.array(arrived), np.array(edge.local)
    sent = np.array(edge.sent)
    if edge.rule == "mixed":
        return [list(zip(gradient.flat, column, strict=True)) for column in local.T]
    if edge.rule == "summed":
        places = np.broadcast_to(np.arange(sent.size).reshape(sent.shape), gradient.shape)
    else:
        fitting = (
            np.broadcast_to(gradient.reshape(shape), sent.shape)
            for shape in with_gaps(gradient.shape, sent.shape)
        )
        gradient = next(
            g
            for g in fitting
            if np.allclose(g * local.reshape(sent.shape), sent, rtol=1e-3, equal_nan=True)
        )
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
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
