"""The picture of a backward pass: values above the stations, gradients below them.

Everything is placed in points, of which a figure's inch has 72: so the text is as large as
anywhere else, and the figure is as large as the graph needs.
"""

from collections import Counter
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
from linreg_tutorial.trace import Edge, Node, Numbers, Trace, flat, shape, written

# So many numbers are shown in full. Of more, so many rows, numbers of a row, and digits.
_FEW = 4
_ROWS, _NUMBERS, _DIGITS = 3, 2, 2

# Distances in points, for text of the size 1.
_LINE, _PAD, _MARGIN, _ROW_GAP, _GAP = 1.3, 0.35, 0.4, 0.9, 1.8

# The size of a factor beside that of all other text.
_SMALL = 0.85


def draw_graph(
    *traces: Trace,
    mean: Trace | None = None,
    factors: bool = True,
    shapes: bool = False,
    num: str | None = None,
) -> Axes:
    """Draw the graph of a backward pass, from the inputs on the left to the loss on the right.

    Above each station stands its value on the way forward, below it the gradient
    that arrived on the way back, row by row for a tensor; more than four numbers
    are shortened. In grey at an edge: the local derivative, with which what arrives
    on the right is multiplied. A parameter without a label shows its shape.

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
    shapes
        Whether more than four numbers are shown as their shape, such as (16, 1), and
        no factors that are so many: a narrow picture of a network with wide layers.
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
        If no trace is given, the traces are not of the same program, or ``mean`` lacks
        the label of a parameter.

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
    trace = traces[0]
    em = float(mpl.rcParams["font.size"])
    stations = [
        _Station(nodes, mean, shapes, em) for nodes in zip(*(t.nodes for t in traces), strict=True)
    ]
    factors_ = [
        _factor([t.edges[k].local for t in traces], shapes) if factors and _is_shown(edge) else []
        for k, edge in enumerate(trace.edges)
    ]
    placed, curves, spots = _arrange(trace, stations, factors_, em)

    margin = _MARGIN * em
    width, height = placed.columns[-1][1] + 2 * margin, placed.height + 2 * margin
    figure = plt.figure(num, figsize=(width / 72, height / 72))
    # Not as an argument of figure(): then a style with a layout of its own returns after a save.
    figure.set_layout_engine("none")
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set(xlim=(-margin, width - margin), ylim=(height - margin, -margin))
    ax.axis("off")
    for i, station in enumerate(stations):
        station.draw(ax, _centre(placed, i))
    for k, curve in enumerate(curves):
        _draw_edge(ax, k, curve, em)
        if spots[k]:
            _Text(f"edge-{k}-local", factors_[k], _SMALL * em, colour("residual")).draw(
                ax, *spots[k]
            )
    return ax


def _arrange(
    trace: Trace, stations: Sequence["_Station"], factors: Sequence[list[str]], em: float
) -> tuple[Layout, list["_Curve"], list[tuple[float, float] | None]]:
    """Return where all stands, each edge's way, and where its factor finds room.

    Where a factor finds none, the gap that its edge crosses is made wider, a few times.
    """
    gaps = [_GAP * em + _width(lines, _SMALL * em) for lines in factors]
    sizes = [station.size() for station in stations]
    sides = _sides_of_twins(trace)
    for _ in range(4):
        placed = layout(
            trace,
            sizes,
            passage=Size(0.0, 0.3 * em, 0.3 * em),
            gaps=gaps,
            row_gap=_ROW_GAP * em,
        )
        curves = [_curve(k, trace, placed, stations, sides[k], em) for k in range(len(sides))]
        spots = _spots_of_factors(placed, stations, curves, factors, em)
        crowded = [k for k, lines in enumerate(factors) if lines and spots[k] is None]
        if not crowded:
            break
        for k in crowded:
            gaps[k] += 1.5 * em
    return placed, curves, spots


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
        known = {node.label for node in mean.nodes} - {None}
        for node in traces[0].nodes:
            if node.kind == "parameter" and node.label not in known:
                raise ValueError(
                    "mean must have the parameters of the other traces under the same labels, got "
                    f"none for {node.label or 'one without a label'}"
                )


def _shape_of(trace: Trace) -> Any:
    return (
        [(node.kind, node.name, node.label) for node in trace.nodes],
        [(edge.source, edge.output, edge.target) for edge in trace.edges],
    )


# Numbers in lines


def _lines(parts: Sequence[Numbers | None], shapes: bool = False) -> list[str]:
    """Return the numbers of one or more traces, a line a row, shortened where they are many.

    With ``shapes``, return instead of many numbers the shape of each part, once if all agree.
    """
    there = [part for part in parts if part is not None]
    count = sum(len(flat(part)) for part in there)
    if shapes and count > _FEW:
        return list(dict.fromkeys(str(shape(part)) for part in there))
    digits = 4 if count <= _FEW else _DIGITS
    rows = [row for part in there for row in _rows(part, digits)]
    if count <= _FEW or len(rows) <= _ROWS:
        return rows
    return [*rows[: _ROWS - 2], "⋮", rows[-1]]


def _rows(part: Numbers, digits: int) -> Iterator[str]:
    if not isinstance(part, list):
        yield written(part, digits=digits)
    elif not any(isinstance(inner, list) for inner in part):
        yield from (written(number, digits=digits) for number in part)
    else:
        for row in part:
            numbers = [written(number, digits=digits) for number in flat(row)]
            if len(numbers) > _NUMBERS + 1:
                numbers = [*numbers[:_NUMBERS], "…"]
            yield ", ".join(numbers)


def _factor(parts: Sequence[Numbers | None], shapes: bool) -> list[str]:
    """Return the lines of a local derivative; where all its numbers are one, that one.

    With ``shapes``, many numbers have no line: a shape is nothing to multiply by.
    """
    if shapes and sum(len(flat(part)) for part in parts) > _FEW:
        return []
    lines = [f"×{line}" if line != "⋮" else line for line in _lines(parts)]
    return lines[:1] if len(set(lines)) == 1 else lines


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


class _Text(NamedTuple):
    """Lines of text below each other."""

    gid: str
    lines: Sequence[str]
    size: float
    color: str
    weight: str = "normal"

    @property
    def height(self) -> float:
        return len(self.lines) * _LINE * self.size

    @property
    def width(self) -> float:
        return _width(self.lines, self.size)

    def boxes(self, x: float, top: float) -> list[Bbox]:
        """Return what it covers, a line a box, if it is centred at ``x`` below ``top``."""
        step = _LINE * self.size
        halves = [_measure(line, self.size)[0] / 2 for line in self.lines]
        return [
            Bbox.from_extents(x - half, top + i * step, x + half, top + (i + 1) * step)
            for i, half in enumerate(halves)
        ]

    def draw(self, ax: Axes, x: float, top: float) -> None:
        """Write it there."""
        style = {"fontsize": self.size, "color": self.color, "fontweight": self.weight}
        for i, line in enumerate(self.lines):
            middle = top + (i + 0.5) * _LINE * self.size
            gid = f"{self.gid}.{i + 1}"
            ax.text(x, middle, line, ha="center", va="center_baseline", gid=gid, **style)


class _Station:
    """A node of the picture: a box with its sign, values above, gradients below."""

    def __init__(self, nodes: Sequence[Node], mean: Trace | None, shapes: bool, em: float) -> None:
        node = nodes[0]
        self.name = f"node-{node.index}"
        self.boxed = node.kind != "constant"
        self.em = em
        values = [[output.value for output in node.outputs] for node in nodes]
        if node.is_leaf and all(other == values[0] for other in values):
            values = values[:1]
        value = _lines([value for parts in values for value in parts], shapes)
        ink = mpl.rcParams["text.color"]
        label = [node.label] if node.kind == "operation" and node.label else []
        if node.kind == "operation":
            sign = [node.symbol]
        elif node.label:
            sign = [node.label]
        elif node.kind == "parameter":
            sign = [str(shape(node.value))]
        else:
            sign, value = value, []
        bare = node.kind == "constant" and not node.label
        self.sign = _Text(self.name, sign, em, ink, "normal" if bare else "bold")
        self.above = [
            _Text(f"{self.name}-label", label, em, ink, "bold"),
            _Text(f"{self.name}-value", value, em, colour("forward")),
        ]
        means = [mean[node.label].gradient] if mean and node.kind == "parameter" else []
        self.below = [
            _Text(f"{self.name}-gradient", _gradients(nodes, shapes), em, colour("gradient")),
            _Text(
                f"{self.name}-mean",
                [f"→ {m}" for m in _lines(means, shapes)],
                em,
                colour("gradient"),
            ),
        ]

    def box(self) -> tuple[float, float]:
        """Return width and height of the box in the middle."""
        pad = 2 * _PAD * self.em
        width, height = self.sign.width + pad, self.sign.height + (pad if self.boxed else 0.0)
        return (max(width, height) if self.boxed else width), height

    def size(self) -> Size:
        """Return the room that it needs."""
        width, height = self.box()
        pad = height / 2 + _PAD * self.em
        above, below = (sum(text.height for text in part) for part in (self.above, self.below))
        widest = max(text.width for text in [*self.above, *self.below])
        return Size(max(width, widest), pad + above, pad + below)

    def texts(self, centre: tuple[float, float]) -> Iterator[tuple[_Text, float, float]]:
        """Yield all of its text, with the middle and the top of each."""
        x, y = centre
        half = self.box()[1] / 2
        yield self.sign, x, y - self.sign.height / 2
        top = y - half - sum(text.height for text in self.above)
        for text in self.above:
            yield text, x, top
            top += text.height
        top = y + half
        for text in self.below:
            yield text, x, top
            top += text.height

    def covers(self, centre: tuple[float, float]) -> list[Bbox]:
        """Return what it covers there."""
        (x, y), (width, height) = centre, self.box()
        box = Bbox.from_bounds(x - width / 2, y - height / 2, width, height)
        return [box, *(box for text, *at in self.texts(centre) for box in text.boxes(*at))]

    def draw(self, ax: Axes, centre: tuple[float, float]) -> None:
        """Draw it there."""
        (x, y), (width, height) = centre, self.box()
        if self.boxed:
            box = FancyBboxPatch(
                (x - width / 2, y - height / 2),
                width,
                height,
                boxstyle=f"round,pad=0,rounding_size={0.4 * self.em}",
                facecolor="none",
                edgecolor=mpl.rcParams["text.color"],
                linewidth=1.0,
                gid=f"{self.name}-box",
            )
            ax.add_patch(box)
        for text, *at in self.texts(centre):
            text.draw(ax, *at)


def _gradients(nodes: Sequence[Node], shapes: bool) -> list[str]:
    """Return what arrived, and for a parameter that had a gradient before, the sum."""
    first, last = nodes[0], nodes[-1]
    arrived = [output.gradient for node in nodes for output in node.outputs]
    if first.grad_before is None or last.grad_after is None:
        return _lines(arrived, shapes)
    if len(flat(first.grad_before)) > 1:
        return [
            *_lines([first.grad_before], shapes),
            "+",
            *_lines(arrived, shapes),
            "=",
            *_lines([last.grad_after], shapes),
        ]
    terms = [f"+ {written(n, inner=True)}" for part in arrived for n in flat(part)]
    before, after = _lines([first.grad_before]), _lines([last.grad_after])
    return [*before, *terms, f"= {after[0]}"]


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


def _sides_of_twins(trace: Trace) -> list[int]:
    """Return −1 and 1 for edges with both ends in common, as of a × a; 0 for all others."""
    ends = [(edge.source, edge.target) for edge in trace.edges]
    first, count = {end: k for k, end in reversed([*enumerate(ends)])}, Counter(ends)
    return [0 if count[end] == 1 else 1 if k > first[end] else -1 for k, end in enumerate(ends)]


def _curve(
    k: int, trace: Trace, placed: Layout, stations: Sequence[_Station], side: int, em: float
) -> _Curve:
    """Return the way of edge ``k``: level through columns, curved between them.

    ``side`` says where it ends beside a twin.
    """
    edge, route = trace.edges[k], placed.routes[k]
    source, target = (_centre(placed, node) for node in (edge.source, edge.target))
    start = source[0] + stations[edge.source].box()[0] / 2 + 0.15 * em
    end = target[0] - stations[edge.target].box()[0] / 2 - 0.15 * em
    # What comes from above ends above what comes from below.
    port = 0.35 * em * (side or np.sign(round(route[-2].y - route[-1].y, 6)))
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


def _spots_of_factors(
    placed: Layout,
    stations: Sequence[_Station],
    curves: Sequence[_Curve],
    factors: Sequence[list[str]],
    em: float,
) -> list[tuple[float, float] | None]:
    """Return for each factor a place where it covers nothing: its middle and its top."""
    covered = [b for i, station in enumerate(stations) for b in station.covers(_centre(placed, i))]
    occupied = _Occupied(placed.columns[-1][1], placed.height, covered, curves)
    spots: list[tuple[float, float] | None] = []
    for curve, lines in zip(curves, factors, strict=True):
        text = _Text("", lines, _SMALL * em, "")
        width, height = text.width, text.height
        free = (
            (x, y)
            for x, y in _spots(curve, width, height, em)
            if occupied.has_room(Bbox.from_bounds(x - width / 2, y, width, height))
        )
        spots.append(next(free, None) if lines else None)
        if spots[-1]:
            occupied.add(text.boxes(*spots[-1]))
    return spots


class _Occupied:
    """What is covered in a picture: by boxes, and by edges, which run from left to right."""

    # How far apart the heights of an edge are looked at, in points.
    _STEP = 1.0

    def __init__(
        self, width: float, height: float, boxes: Sequence[Bbox], curves: Sequence[_Curve]
    ) -> None:
        self.width, self.height = width, height
        self.boxes = np.array([box.extents for box in boxes])
        at = np.arange(0.0, width + self._STEP, self._STEP)
        nowhere = {"left": np.nan, "right": np.nan}
        self.heights = np.array([np.interp(at, *curve.points.T, **nowhere) for curve in curves])

    def has_room(self, box: Bbox) -> bool:
        """Whether a box is inside the picture and covers nothing."""
        x0, y0, x1, y1 = box.extents
        if x0 < 0 or y0 < 0 or x1 > self.width or y1 > self.height:
            return False
        others = self.boxes.T
        apart = (others[2] <= x0) | (others[0] >= x1) | (others[3] <= y0) | (others[1] >= y1)
        if not apart.all():
            return False
        first, last = int(x0 // self._STEP), int(x1 // self._STEP) + 2
        heights = self.heights[:, first:last]
        lowest, highest = np.fmin.reduce(heights, axis=1), np.fmax.reduce(heights, axis=1)
        return not ((lowest < y1) & (highest > y0)).any()

    def add(self, boxes: Sequence[Bbox]) -> None:
        """Cover more."""
        self.boxes = np.vstack([self.boxes, [box.extents for box in boxes]])


def _spots(curve: _Curve, width: float, height: float, em: float) -> Iterator[tuple[float, float]]:
    """Yield places beside an edge, the best first: x of the middle and y of the top."""
    near = 0.15 * em
    for left, right in curve.gaps:
        for share in (0.5, 0.3, 0.7, 0.1, 0.9, 0.2, 0.8, 0.4, 0.6):
            x = left + share * (right - left)
            y = curve.height(x)
            # The steeper the edge, the farther off.
            for off in (near, near + height / 2, near + height):
                yield from ((x, y - off - height), (x, y + off))
            # Beside an edge that is steep.
            aside = width / 2 + 2 * near
            yield from ((x + aside, y - height / 2), (x - aside, y - height / 2))
