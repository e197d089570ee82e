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

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor
from torch.autograd.graph import Node as GradFn

from linreg_tutorial.derivatives import Rule, is_custom, rules_of, same_rule
from linreg_tutorial.recording import Input, is_recording, notes_of
from linreg_tutorial.trace import Edge, Node, Numbers, Output, Trace
from linreg_tutorial.validation import check_loss, check_tensors

# PyTorch's names without "Backward0": in a reader's words, and as a sign.
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
    if is_recording():
        raise ValueError(
            "trace_backward must be called after the block `with record_forward():`, got a call "
            "within it: indent it less"
        )
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
        if _is_parameter(node) or is_custom(node) or notes_of(node).inputs is not None:
            continue
        name = _name(node)
        if name in ("CopySlices", "AsStridedBackward0"):
            raise ValueError(
                f"loss must come from values that stay as they are, got one that was changed in "
                f"part ({name}), as by y[0] = ...: make a new one, for example with torch.stack, "
                "torch.cat or torch.where"
            )
        raise ValueError(
            "loss must be computed within `with record_forward():`, from its parameters on, got "
            f"one whose way through {name} was not recorded"
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
        values: dict[GradFn, dict[int, Tensor]] = {}
        for node in self.grad_fns:
            if node in self.parameters:
                values[node] = {0: self.parameters[node].detach()}
            else:
                notes = notes_of(node)
                values[node] = notes.glimpsed | notes.values
        versions: dict[tuple[GradFn, int], int] = {}
        for entry in self._inputs():
            if way := self._way(entry):
                if versions.setdefault(way, entry.version) != entry.version:
                    raise ValueError(
                        f"loss must use each value as one and the same, got one of {_name(way[0])} "
                        "that was changed in place between two uses: make a new tensor instead"
                    )
                if entry.grad_fn is None:
                    values[way[0]][0] = entry.value  # type: ignore[assignment]
        values[self.loss.grad_fn].setdefault(self.loss.output_nr, self.loss.detach())  # type: ignore[index]
        return values

    def _labels(self, names: dict[str, Tensor]) -> dict[Any, str]:
        """Return the label of each output and of each constant that has one."""
        constants: dict[Any, Any] = {}
        for entry in self._inputs():
            if entry.tensor is not None and not self._way(entry):
                constants[id(entry.tensor)] = constants[_storage(entry.tensor)] = _key(entry)
        labels: dict[Any, str] = {}
        for name, tensor in names.items():
            node = tensor.grad_fn or self.node_of.get(id(tensor))
            if node is None:
                key = constants.get(id(tensor), constants.get(_storage(tensor)))
            else:
                known = tensor.output_nr in self.values.get(node, ())
                key = (node, tensor.output_nr) if known else None
            if key is None:
                raise ValueError(
                    f"{name} takes no part in loss: leave it out, or give the tensor that was "
                    "used within `with record_forward():`"
                )
            if key in labels:
                raise ValueError(
                    f"{name} and {labels[key]} are one and the same tensor: give it one name"
                )
            labels[key] = name
        return labels

    def _rules(self, node: GradFn) -> list[Rule | None]:
        inputs = [
            None if before is None else self.values[before][number]
            for before, number in node.next_functions
        ]
        if notes_of(node).saves_through_hooks:
            # To ask it would run these hooks, and a checkpoint's calculate everything anew.
            return same_rule(Rule("mixed"), inputs)
        count = 1 if is_custom(node) else len(node._input_metadata)
        outputs = [self.values[node].get(number) for number in range(count)]
        try:
            return rules_of(node, outputs, inputs)
        except RuntimeError as error:
            if "modified by an inplace operation" in str(error):
                raise ValueError(
                    f"loss must be computed from values that stay as they are, got one that "
                    f"{_name(node)} had saved and that was changed in place since: make a new "
                    "tensor instead"
                ) from None
            raise ValueError(
                "loss must have a graph that was not gone back before, got one that was freed at "
                f"{_name(node)}: compute it once more within `with record_forward():`"
            ) from None

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
            if way is None and (key := _key(entry)) not in self.places:
                self.places[key] = len(self.nodes)
                label = self.labels.get(key)
                self.nodes.append(_constant(len(self.nodes), label, entry.value))
        target = self._add(grad_fn, "operation")
        # What PyTorch sends has an order of its own: each input finds its own there.
        ways: dict[tuple[GradFn, int], list[int]] = defaultdict(list)
        for k, way in enumerate(grad_fn.next_functions):
            if way[0] is not None:
                ways[way].append(k)
        edges = []
        for entry, way in inputs:
            if way is None:
                edges.append((self.places[_key(entry)], 0, None, None))
            elif ways[way]:
                edges.append(self._edge(grad_fn, way, ways[way].pop(0), rules))
        for way, left in ways.items():
            edges += [self._edge(grad_fn, way, k, rules) for k in left]
        for position, (source, output, sent, rule) in enumerate(edges):
            told = (rule.name, _numbers(rule.local), rule.arriving) if rule else ()
            self.edges.append(Edge(source, output, target, position, sent, *told))

    def _edge(
        self, grad_fn: GradFn, way: tuple[GradFn, int], k: int, rules: list[Rule | None]
    ) -> tuple[int, int, Numbers | None, Rule | None]:
        return self.places[way[0]], way[1], self.sent[grad_fn][k], rules[k]

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
            Output(
                number,
                _numbers(values[number]),  # type: ignore[arg-type]
                arrived[number] if arrived else None,
                self.labels.get((grad_fn, number)),
            )
            for number in sorted(values)
        )
        name = _name(grad_fn)
        operation, symbol = _words(name) if kind == "operation" else (kind, "")
        self.nodes.append(
            Node(index, kind, operation, symbol, name, outputs, grad_before, grad_after)
        )
        return index


def _constant(index: int, label: str | None, value: Tensor | float) -> Node:
    numbers = _numbers(value) if isinstance(value, Tensor) else value
    output = Output(0, numbers, None, label)  # type: ignore[arg-type]
    return Node(index, "constant", "constant", "", None, (output,))


def _key(entry: Input) -> Any:
    """Return what makes two constants one: the same tensor unchanged; a plain number is alone."""
    return id(entry) if entry.tensor is None else (id(entry.tensor), entry.version)


def _storage(tensor: Tensor) -> Any:
    """Return what a constant has in common with a reshaped view of it, and with nothing else."""
    if tensor.numel() == 0:
        return id(tensor)
    try:
        return tensor.untyped_storage().data_ptr(), tensor.storage_offset(), tensor.numel()
    except RuntimeError:  # a sparse one has no storage of its own
        return id(tensor)


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
