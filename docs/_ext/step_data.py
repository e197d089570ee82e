"""The backward pass of a page, as data for its figure to step through.

Runs inside the kernel of a page. What it returns holds pictures, numbers and
signs, no words: those are the site's, in its language (`step_through`).
"""

import io
from collections.abc import Sequence

from IPython.display import HTML
from matplotlib import pyplot as plt
from script_data import MARK, script_json

from linreg_tutorial import Edge, Node, Trace
from linreg_tutorial.graph_plot import draw_graph
from linreg_tutorial.trace import flat, written


def show(mean: Trace, points: Sequence[Trace]) -> HTML:
    """Return the data of two ways to look at one calculation, as an output of a cell.

    Parameters
    ----------
    mean
        The trace of the mean of the errors.
    points
        The trace of each point's own error.
    """
    data = {"mean": _way([mean], None), "points": _way(points, mean)}
    return HTML(f"{MARK}{script_json(data)}</script>")


def _way(traces: Sequence[Trace], mean: Trace | None) -> dict:
    figure = draw_graph(*traces, mean=mean).figure
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    plt.close(figure)
    return {"svg": file.getvalue(), "steps": _Steps(traces, mean).all()}


class _Steps:
    """The steps of a figure: which parts each adds, which it points at, what it tells."""

    def __init__(self, traces: Sequence[Trace], mean: Trace | None) -> None:
        self.traces = traces
        self.mean = mean
        self.trace = traces[0]

    def all(self) -> list[dict]:
        """Return the steps: the way forward, the turn, the way back, the mean."""
        steps = [_step("ready", [], [])]
        steps += [self._forward(n) for n in self.trace.nodes if n.kind == "operation"]
        loss = self.trace.loss
        place = f"node-{loss.index}"
        says = {"name": self._name(loss), "value": self._gradient(loss)}
        steps.append(_step("turn", [f"{place}-gradient"], [f"{place}-box"], says))
        steps += self._back()
        if self.mean is not None:
            steps.append(self._mean())
        return steps

    def _forward(self, node: Node) -> dict:
        edges = self.trace.inputs(node)
        sources = [self.trace.nodes[edge.source] for edge in edges]
        appear = [f"node-{n.index}-value" for n in [*sources, node]]
        now = [f"node-{node.index}-box", *(f"edge-{self._number(edge)}" for edge in edges)]
        result = self._expression(node)
        if node.label:
            result = f"{node.label} = {result}"
        return _step("forward", appear, now, {"result": result, "value": self._value(node)})

    def _back(self) -> list[dict]:
        steps = []
        left = {node.index: len(self.trace.uses(node)) for node in self.trace.nodes}
        for index in self.trace.order:
            for edge in self.trace.inputs(self.trace.nodes[index]):
                left[edge.source] -= 1
                if edge.rule is not None:
                    steps.append(self._edge(edge, is_last=left[edge.source] == 0))
        return steps

    def _edge(self, edge: Edge, *, is_last: bool) -> dict:
        k = self._number(edge)
        source, target = self.trace.nodes[edge.source], self.trace.nodes[edge.target]
        alike = [trace.edges[k] for trace in self.traces]
        local = [number for e in alike for number in flat(e.local)]
        says = {
            "target": self._name(target),
            "source": self._name(source),
            "arrived": self._gradient(target),
            "local": _listed(local if len(set(local)) > 1 else local[:1]),
            "sent": _listed([number for e in alike for number in flat(e.sent)]),
            "count": str(len(local)),
        }
        lines = [line for t, e in zip(self.traces, alike, strict=True) for line in t.arithmetic(e)]
        appear = [f"edge-{k}-local"]
        if is_last:
            appear.append(f"node-{source.index}-gradient")
            if source.kind == "parameter" and self.mean is None:
                lines.append(f"{source.label}.grad = {_listed(flat(source.grad_after))}")
        now = [f"edge-{k}", f"node-{source.index}-box"]
        return _step(edge.rule, appear, now, says, lines, back=True)

    def _mean(self) -> dict:
        parameters = [node for node in self.trace.nodes if node.kind == "parameter"]
        lines = []
        for node in parameters:
            parts = [trace.nodes[node.index].gradient for trace in self.traces]
            first, *others = parts
            total = " + ".join([written(first), *(written(p, inner=True) for p in others)])
            mean = written(self.mean[node.label].gradient)
            lines.append(f"{node.label}: ({total}) / {len(parts)} = {mean}")
        appear = [f"node-{node.index}-mean" for node in parameters]
        return _step("mean", appear, [f"node-{n.index}-box" for n in parameters], {}, lines)

    def _number(self, edge: Edge) -> int:
        return self.trace.edges.index(edge)

    def _value(self, node: Node) -> str:
        return _listed([n for trace in self.traces for n in flat(trace.nodes[node.index].value)])

    def _gradient(self, node: Node) -> str:
        return _listed([n for trace in self.traces for n in flat(trace.nodes[node.index].gradient)])

    def _name(self, node: Node) -> str:
        return node.label or self._expression(node)

    def _expression(self, node: Node) -> str:
        """Return a calculation as it is written: a × x, d², mean(s)."""
        if node.kind != "operation":
            # A bare number is the same for every point.
            return node.label or _listed(flat(node.value))
        sources = [self.trace.nodes[edge.source] for edge in self.trace.inputs(node)]
        names = [self._name(source) for source in sources]
        if len(names) == 2 and len(node.symbol) == 1:
            # An operand that is a calculation itself stands in brackets.
            names = [
                f"({name})"
                if source.kind == "operation" and not self._binds(source, node)
                else name
                for name, source in zip(names, sources, strict=True)
            ]
            if node.symbol == "^" and names[1] in ("2", "3"):
                return names[0] + {"2": "²", "3": "³"}[names[1]]
            return f" {node.symbol} ".join(names)
        return f"{node.symbol}({', '.join(names)})"

    @staticmethod
    def _binds(inner: Node, outer: Node) -> bool:
        """Whether an operand needs no brackets: it has a name, or a stronger sign."""
        strong = (inner.symbol, outer.symbol) in (("×", "+"), ("×", "−"))
        strong = strong or (inner.symbol == "^" and outer.symbol != "^")
        return bool(inner.label) or len(inner.symbol) > 1 or strong


def _step(
    kind: str,
    appear: list[str],
    now: list[str],
    says: dict[str, str] | None = None,
    lines: list[str] | None = None,
    back: bool = False,
) -> dict:
    return {
        "kind": kind,
        "appear": appear,
        "now": now,
        "says": says or {},
        "lines": lines or [],
        "back": back,
    }


def _listed(numbers: Sequence[float]) -> str:
    text = ", ".join(map(written, numbers))
    return text if len(numbers) == 1 else f"({text})"
