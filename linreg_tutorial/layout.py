"""Where the stations of a graph stand: in columns from left to right, nothing on top of anything.

The longest way to the loss is a straight line. Other inputs stand above or below it in the order
in which the program names them, as the t and the y of t - y. That order, and a width that a phone
can show, are why this is no general layout of graphs.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from linreg_tutorial.trace import Edge, Trace

# How much more a way resists being pushed aside than one that joins it.
_STUBBORN = 1e6
_LIGHTEST = 1e-100


@dataclass(frozen=True)
class Size:
    """The room that a station needs, from its centre on: any unit of length."""

    width: float
    above: float
    below: float


@dataclass(eq=False)
class Place:
    """Something that stands in a column: a station, or an edge on its way through.

    Attributes
    ----------
    column
        Counted from 0 at the left.
    size
        The room that it needs.
    y
        The height of its centre, downward.
    """

    column: int
    size: Size
    y: float = 0.0
    # What it leads to in the next column, and how far from it to the side it wants to stand.
    wishes: list[tuple["Place", float]] = field(default_factory=list)
    weight: float = 0.0


@dataclass(frozen=True)
class Layout:
    """A place for each node, and for each edge the places that it passes through.

    Attributes
    ----------
    nodes
        The place of each node of the trace, in its order.
    routes
        For each edge of the trace the places from its source to its target.
    columns
        For each column its left and right end.
    height
        Of the whole; heights begin at 0.
    """

    nodes: list[Place]
    routes: list[list[Place]]
    columns: list[tuple[float, float]]
    height: float


def layout(
    trace: Trace, sizes: Sequence[Size], *, passage: Size, gaps: Sequence[float], row_gap: float
) -> Layout:
    """Return where everything stands.

    Parameters
    ----------
    trace
        The graph.
    sizes
        The room that each node needs.
    passage
        The room that an edge needs where it passes a column.
    gaps
        For each edge the distance that it needs between two columns.
    row_gap
        The distance between two places of a column, one below the other.

    Examples
    --------
    >>> import torch
    >>> from linreg_tutorial import record_forward, trace_backward
    >>> a = torch.tensor(1.0, requires_grad=True)
    >>> with record_forward():
    ...     e = a * 2 + 3
    >>> box = Size(10, 5, 5)
    >>> trace = trace_backward(e)
    >>> found = layout(trace, [box] * 5, passage=Size(0, 1, 1), gaps=[10] * 4, row_gap=2)
    >>> [(place.column, place.y) for place in found.nodes]
    [(0, 5.0), (0, 17.0), (1, 5.0), (1, 17.0), (2, 5.0)]
    """
    depths = _depths(trace)
    columns = _columns(trace, depths)
    nodes = [Place(column, size) for column, size in zip(columns, sizes, strict=True)]
    routes = [_route(nodes[e.source], nodes[e.target], passage) for e in trace.edges]
    _wish(trace, depths, routes, row_gap)

    standing: dict[int, list[Place]] = defaultdict(list)
    for place in dict.fromkeys([*nodes, *(place for route in routes for place in route)]):
        standing[place.column].append(place)
    for column in sorted(standing, reverse=True):
        _stack(standing[column], row_gap)
    top = min(place.y - place.size.above for place in nodes)
    for places in standing.values():
        for place in places:
            place.y -= top
    height = max(place.y + place.size.below for place in nodes)
    return Layout(nodes, routes, _ends(standing, routes, gaps), height)


def _depths(trace: Trace) -> list[int]:
    """Return how many operations the longest way to each node has; inputs come before uses."""
    depths = [0] * len(trace.nodes)
    for edge in trace.edges:
        depths[edge.target] = max(depths[edge.target], depths[edge.source] + 1)
    return depths


def _columns(trace: Trace, depths: list[int]) -> list[int]:
    """Return the column of each node: operations by depth, inputs right before their first use."""
    columns = list(depths)
    for node in trace.nodes:
        if node.is_leaf:
            columns[node.index] = min(depths[edge.target] for edge in trace.uses(node)) - 1
    return columns


def _route(source: Place, target: Place, passage: Size) -> list[Place]:
    between = [Place(column, passage) for column in range(source.column + 1, target.column)]
    return [source, *between, target]


def _wish(trace: Trace, depths: list[int], routes: list[list[Place]], row_gap: float) -> None:
    """Write down where each place wants to stand: beside what it leads to."""
    routes[-1][-1].weight = 1.0
    into: dict[int, list[tuple[Edge, list[Place]]]] = defaultdict(list)
    for edge, route in zip(trace.edges, routes, strict=True):
        into[edge.target].append((edge, route))
    # From the loss on, so that the weight of what an edge joins is known.
    for target in sorted(into, reverse=True):
        edges = into[target]
        edges.sort(key=lambda pair: pair[0].position)
        deepest = max(range(len(edges)), key=lambda i: (depths[edges[i][0].source], -i))
        straight = edges[deepest][1][-2]
        for _, route in edges:
            share = 1.0 if route[-2] is straight else 1 / _STUBBORN
            for place in route[:-1]:
                place.weight = max(place.weight, route[-1].weight * share, _LIGHTEST)
        for step in (1, -1):
            aside, previous = 0.0, straight
            for _, route in edges[deepest + step :: step] if deepest + step >= 0 else []:
                if route[-2] is straight:  # the same input twice, as in a * a
                    continue
                size, before = route[-2].size, previous.size
                room = before.below + size.above if step > 0 else before.above + size.below
                aside += room + row_gap
                route[-2].wishes.append((route[-1], step * aside))
                previous = route[-2]
        straight.wishes.append((edges[deepest][1][-1], 0.0))
    for route in routes:
        for place, following in pairwise(route[:-1]):
            place.wishes.append((following, 0.0))


def _stack(places: list[Place], row_gap: float) -> None:
    """Give the places of a column their heights: near their wishes, and clear of each other.

    That is an isotonic regression: neighbours that would collide are moved together,
    to the mean of their wishes (the pool-adjacent-violators algorithm).
    """
    wanted = {
        id(place): sum(next_.y + aside for next_, aside in place.wishes) / (len(place.wishes) or 1)
        for place in places
    }
    places.sort(key=lambda place: wanted[id(place)])
    blocks: list[tuple[float, float, int]] = []  # mean wish, weight, how many
    offset, offsets = 0.0, []
    for i, place in enumerate(places):
        if i:
            offset += places[i - 1].size.below + row_gap + place.size.above
        offsets.append(offset)
        wish, weight, count = wanted[id(place)] - offset, place.weight, 1
        while blocks and blocks[-1][0] >= wish:
            other, heavy, many = blocks.pop()
            wish = (wish * weight + other * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + many
        blocks.append((wish, weight, count))
    means = [mean for mean, _, count in blocks for _ in range(count)]
    for place, mean, offset in zip(places, means, offsets, strict=True):
        place.y = mean + offset


def _ends(
    standing: dict[int, list[Place]], routes: list[list[Place]], gaps: Sequence[float]
) -> list[tuple[float, float]]:
    """Return where each column begins and ends."""
    before = [0.0] * (max(standing) + 1)
    for route, gap in zip(routes, gaps, strict=True):
        for place in route[1:]:
            before[place.column] = max(before[place.column], gap)
    ends: list[tuple[float, float]] = []
    for column in range(len(before)):
        left = ends[-1][1] + before[column] if ends else 0.0
        ends.append((left, left + max(place.size.width for place in standing[column])))
    return ends
