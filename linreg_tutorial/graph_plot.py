"""The picture of a backward pass: values above the stations, gradients below them.

Everything is placed in points, of which a figure's inch has 72: so the text is as large as
anywhere else, and the figure is as large as the graph needs.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox

from linreg_tutorial.layout import Layout, Size, layout
from linreg_tutorial.plots import colour
from linreg_tutorial.trace import Edge, Node, Numbers, Trace, flat, written

# Of a tensor so many rows are shown, and so many numbers of a row.
_ROWS, _NUMBERS = 4, 3

# Distances in points, for text of the size 1.
_LINE, _PAD, _ROW_GAP, _GAP = 1.3, 0.35, 0.9, 1.8


def draw_graph(
    *traces: Trace, mean: Trace | None = None, factors: bool = True, num: str | None = None
) -> Axes:
    """Draw the graph of a backward pass, from the inputs on the left to the loss on the right.

    Above each station stands its value on the way forward, below it the gradient
    that arrived on the way back, row by row for a tensor. In grey at an edge: the
    local derivative, with which what arrives on the right is multiplied.

    Parameters
    ----------
    *traces
        One trace, or several of the same program, such as one for each point:
        their numbers stand one below the other.
    mean
        The trace of the mean of all of these losses: below the gradients of each
        parameter stands its gradient behind an arrow.
    factors
        Whether to write the local derivatives. Where there is no room for one it
        is left out.
    num
        The name of the figure: the title of its window.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes, which fill a new figure that is as large as the graph needs.
        Every part has a name, its ``gid``, numbered as in the trace: ``edge-4``,
        ``node-3-box``, and line by line ``node-3.1`` (its sign), ``node-3-value.1``,
        ``node-3-gradient.1``, ``edge-4-local.1``.

    Raises
    ------
    TypeError
        If something else than a trace is given.
    ValueError
        If no trace is given, or the traces are not of the same program.

    Examples
    --------
    >>> import torch
    >>> from linreg_tutorial import record_forward, trace_backward
    >>> a = torch.tensor(1.0, requires_grad=True)
    >>> with record_forward():
    ...     e = (a * 3) ** 2
    >>> ax = draw_graph(trace_backward(e, a=a, e=e))
    >>> [text.get_text() for text in ax.texts if text.get_gid() == "node-0-gradient.1"]
    ['18']
    >>> plt.close()
    """
    _check(traces, mean)
    stations = [_Station(nodes, mean) for nodes in zip(*(t.nodes for t in traces), strict=True)]
    trace = traces[0]
    em = float(mpl.rcParams["font.size"])
    locals_ = [
        _lines([trace.edges[k].local for trace in traces]) if factors and _is_shown(edge) else []
        for k, edge in enumerate(trace.edges)
    ]
    placed = layout(
        trace,
        [station.size(em) for station in stations],
        passage=Size(0.0, 0.3 * em, 0.3 * em),
        gaps=[_GAP * em + _width(lines, 0.85 * em) for lines in locals_],
        row_gap=_ROW_GAP * em,
    )
    width, height = placed.columns[-1][1], placed.height
    margin = 0.4 * em
    figure = plt.figure(num, figsize=((width + 2 * margin) / 72, (height + 2 * margin) / 72))
    # Not as an argument of figure(): then a style with a layout of its own returns after a save.
    figure.set_layout_engine("none")
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set(xlim=(-margin, width + margin), ylim=(height + margin, -margin))
    ax.axis("off")
    curves = [_curve(k, trace, placed, stations, em) for k in range(len(trace.edges))]
    taken = [box for i, s in enumerate(stations) for box in s.draw(ax, _centre(placed, i), em)]
    for k, (curve, lines) in enumerate(zip(curves, locals_, strict=True)):
        _draw_edge(ax, k, curve, em)
        taken += _draw_local(ax, k, lines, curve, curves, taken, em)
    return ax


def _check(traces: Sequence[Any], mean: Any) -> None:
    if not traces:
        raise ValueError("draw_graph must get a trace: pass what trace_backward returns")
    for trace in [*traces, *([] if mean is None else [mean])]:
        if not isinstance(trace, Trace):
            raise TypeError(
                f"draw_graph must get traces, got {type(trace).__name__}: pass what "
                "trace_backward returns"
            )
    first = _shape_of(traces[0])
    if any(_shape_of(trace) != first for trace in traces):
        raise ValueError(
            "the traces must be of the same program, got other operations or labels: draw them "
            "one by one"
        )
    if mean is not None:
        missing = {n.label for n in traces[0].nodes if n.kind == "parameter"} - {
            n.label for n in mean.nodes
        }
        if missing:
            raise ValueError(
                "mean must have the parameters of the other traces under the same labels, got "
                f"none for {', '.join(str(label) for label in missing)}"
            )


def _shape_of(trace: Trace) -> Any:
    return (
        [(node.kind, node.name, node.label) for node in trace.nodes],
        [(edge.source, edge.output, edge.target) for edge in trace.edges],
    )


# Numbers in lines


def _lines(parts: Sequence[Numbers | None]) -> list[str]:
    """Return the numbers of one or more traces, a line a row, shortened where they are many."""
    rows = [row for part in parts if part is not None for row in _rows(part)]
    if len(rows) > _ROWS:
        rows = [*rows[: _ROWS - 2], "⋮", rows[-1]]
    return rows


def _rows(part: Numbers) -> Iterator[str]:
    if not isinstance(part, list):
        yield written(part)
    elif not any(isinstance(inner, list) for inner in part):
        yield from map(written, part)
    else:
        for row in part:
            numbers = [written(number) for number in flat(row)]
            if len(numbers) > _NUMBERS:
                numbers = [*numbers[: _NUMBERS - 1], "…"]
            yield ", ".join(numbers)


def _is_shown(edge: Edge) -> bool:
    """Whether a local derivative can be read beside its edge: a table cannot."""
    return edge.local is not None and edge.rule != "mixed"


@cache
def _measure(text: str, size: float) -> tuple[float, float]:
    font = FontProperties(size=size, weight="bold")
    width, height, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return width, height


def _width(lines: Sequence[str], size: float) -> float:
    return max((_measure(line, size)[0] for line in lines), default=0.0)


# Stations


class _Station:
    """A node of the picture: a box with its sign, values above, gradients below."""

    def __init__(self, nodes: Sequence[Node], mean: Trace | None) -> None:
        node = nodes[0]
        self.index = node.index
        self.boxed = node.kind != "constant"
        self.label = node.label if node.kind == "operation" else None
        values = [[output.value for output in node.outputs] for node in nodes]
        if node.is_leaf and all(other == values[0] for other in values):
            values = values[:1]
        values = _lines([value for parts in values for value in parts])
        self.sign = [node.symbol if node.kind == "operation" else node.label or ""]
        self.values = values
        if node.kind == "constant" and not node.label:
            self.sign, self.values = values, []
        self.gradients = _lines([output.gradient for node in nodes for output in node.outputs])
        self.means: list[str] = []
        if node.kind == "parameter":
            if node.grad_before is not None:
                self.gradients = _accumulated(node)
            if mean is not None and node.label is not None:
                self.means = [f"→ {line}" for line in _lines([mean[node.label].gradient])]

    def box(self, em: float) -> tuple[float, float]:
        """Return width and height of the box in the middle."""
        height = len(self.sign) * _LINE * em + (2 * _PAD * em if self.boxed else 0.0)
        width = _width(self.sign, em) + 2 * _PAD * em
        return (max(width, height) if self.boxed else width), height

    def size(self, em: float) -> Size:
        """Return the room that it needs."""
        width, height = self.box(em)
        label = [self.label] if self.label else []
        widest = _width([*self.values, *self.gradients, *self.means, *label], em)
        above = len(self.values) + len(label)
        below = len(self.gradients) + len(self.means)
        return Size(
            max(width, widest),
            height / 2 + (above * _LINE + _PAD) * em,
            height / 2 + (below * _LINE + _PAD) * em,
        )

    def draw(self, ax: Axes, centre: tuple[float, float], em: float) -> list[Bbox]:
        """Draw it; return what it covers."""
        x, y = centre
        width, height = self.box(em)
        if self.boxed:
            corner, size = (x - width / 2, y - height / 2), (width, height)
            box = FancyBboxPatch(
                corner,
                *size,
                boxstyle=f"round,pad=0,rounding_size={0.4 * em}",
                facecolor="none",
                edgecolor=mpl.rcParams["text.color"],
                linewidth=1.0,
                gid=f"node-{self.index}-box",
            )
            ax.add_patch(box)
        top, bottom = y - height / 2, y + height / 2
        name = f"node-{self.index}"
        label = [self.label] if self.label else []
        rise = top - len(self.values) * _LINE * em
        fall = bottom + len(self.gradients) * _LINE * em
        sign_top = y - len(self.sign) * _LINE * em / 2
        bold = {"fontweight": "bold"}
        named = self.boxed or self.values
        return [
            Bbox.from_extents(x - width / 2, top, x + width / 2, bottom),
            *_write(ax, self.sign, x, sign_top, em, gid=name, **(bold if named else {})),
            *_write(ax, label, x, rise - _LINE * em, em, gid=f"{name}-label", **bold),
            *_write(ax, self.values, x, rise, em, gid=f"{name}-value", color=colour("forward")),
            *_write(
                ax, self.gradients, x, bottom, em, gid=f"{name}-gradient", color=colour("gradient")
            ),
            *_write(ax, self.means, x, fall, em, gid=f"{name}-mean", color=colour("gradient")),
        ]


def _accumulated(node: Node) -> list[str]:
    """Return what was there, what arrived, and what is there now."""
    before, arrived, after = (
        flat(part) for part in (node.grad_before, node.gradient, node.grad_after)
    )
    sums = [
        f"{written(b)} + {written(g, inner=True)} = {written(a)}"
        for b, g, a in zip(before, arrived, after, strict=True)
    ]
    return sums if len(sums) <= _ROWS else [*sums[: _ROWS - 2], "⋮", sums[-1]]


def _write(
    ax: Axes, lines: Sequence[str], x: float, top: float, em: float, *, gid: str, **style: Any
) -> list[Bbox]:
    """Write lines below ``top``, centred at ``x``; return what they cover."""
    size = style.setdefault("fontsize", em)
    step = _LINE * size
    boxes = []
    for i, line in enumerate(lines):
        middle = top + (i + 0.5) * step
        name = f"{gid}.{i + 1}"
        ax.text(x, middle, line, ha="center", va="center_baseline", gid=name, **style)
        half = _measure(line, size)[0] / 2
        boxes.append(Bbox.from_extents(x - half, top + i * step, x + half, top + (i + 1) * step))
    return boxes


# Edges


class _Curve(NamedTuple):
    """The way of an edge: its path, points on it, and the ends of the gaps that it crosses."""

    path: Path
    points: np.ndarray
    gaps: list[tuple[float, float]]

    def height(self, x: float) -> float:
        """Return how far down it is at ``x``."""
        return float(np.interp(x, self.points[:, 0], self.points[:, 1]))


def _centre(placed: Layout, node: int) -> tuple[float, float]:
    place = placed.nodes[node]
    left, right = placed.columns[place.column]
    return (left + right) / 2, place.y


def _curve(k: int, trace: Trace, placed: Layout, stations: Sequence[_Station], em: float) -> _Curve:
    """Return the way of edge ``k``: level through columns, curved between them."""
    edge, route = trace.edges[k], placed.routes[k]
    source, target = (_centre(placed, node) for node in (edge.source, edge.target))
    start = source[0] + stations[edge.source].box(em)[0] / 2 + 0.15 * em
    end = target[0] - stations[edge.target].box(em)[0] / 2 - 0.15 * em
    # What comes from above ends above what comes from below.
    port = 0.35 * em * np.sign(round(route[-2].y - route[-1].y, 6))
    if twins := [
        i
        for i, other in enumerate(trace.edges)
        if (other.source, other.target) == (edge.source, edge.target) and i != k
    ]:
        port = 0.35 * em * (1 if k > twins[0] else -1)
    heights = [place.y for place in route[:-1]] + [route[-1].y + port]
    vertices, codes = [(start, heights[0])], [Path.MOVETO]
    gaps = []
    for (place, y), (following, next_y) in pairwise(zip(route, heights, strict=True)):
        right = max(placed.columns[place.column][1], start)
        # An arrow ends level.
        left = min(placed.columns[following.column][0], end - 0.5 * em)
        middle = (right + left) / 2
        vertices += [(right, y), (middle, y), (middle, next_y), (left, next_y)]
        codes += [Path.LINETO, *3 * [Path.CURVE4]]
        gaps.append((right, left))
    vertices.append((end, heights[-1]))
    codes.append(Path.LINETO)
    path = Path(vertices, codes)
    corners = path.to_polygons(closed_only=False)[0]
    points = np.linspace(corners[:-1], corners[1:], 20, axis=1).reshape(-1, 2)
    return _Curve(path, points, gaps)


def _draw_edge(ax: Axes, k: int, curve: _Curve, em: float) -> None:
    ax.add_patch(
        FancyArrowPatch(
            path=curve.path,
            arrowstyle="-|>,head_length=0.4,head_width=0.2",
            mutation_scale=em,
            color=colour("residual"),
            linewidth=1.0,
            gid=f"edge-{k}",
        )
    )


def _draw_local(
    ax: Axes,
    k: int,
    lines: Sequence[str],
    curve: _Curve,
    curves: Sequence[_Curve],
    taken: Sequence[Bbox],
    em: float,
) -> list[Bbox]:
    """Write the local derivative where it covers nothing, or not at all; return what it covers."""
    if not lines:
        return []
    size = 0.85 * em
    lines = [f"×{line}" if line != "⋮" else line for line in lines]
    if len(set(lines)) == 1:
        lines = lines[:1]
    height = _LINE * size * len(lines)
    width = _width(lines, size)
    for x, y in _spots(curve, width, height, em):
        box = Bbox.from_extents(x - width / 2, y, x + width / 2, y + height)
        crossed = any(
            ((box.min < other.points) & (other.points < box.max)).all(axis=1).any()
            for other in curves
        )
        if not crossed and not any(box.overlaps(other) for other in taken):
            style = {"color": colour("residual"), "fontsize": size}
            return _write(ax, lines, x, y, em, gid=f"edge-{k}-local", **style)
    return []


def _spots(curve: _Curve, width: float, height: float, em: float) -> Iterator[tuple[float, float]]:
    """Yield places beside an edge, the best first: x of the middle and y of the top."""
    near = 0.15 * em
    for left, right in curve.gaps:
        for share in (0.5, 0.3, 0.7, 0.1, 0.9):
            x = left + share * (right - left)
            y = curve.height(x)
            yield from ((x, y - near - height), (x, y + near))
            # Beside an edge that is steep.
            aside = width / 2 + 2 * near
            yield from ((x + aside, y - height / 2), (x - aside, y - height / 2))
