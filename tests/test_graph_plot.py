"""The picture of a backward pass: all its numbers are there, and none covers another."""

import time
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.transforms import Bbox
from programs import PROGRAMS, T, X, course_line, each_point, parameter, recorded
from torch import nn

import linreg_tutorial as lt
from linreg_tutorial.graph_plot import draw_graph
from linreg_tutorial.plots import colour
from linreg_tutorial.trace import flat, written


@pytest.fixture(autouse=True)
def _closed():
    """Close the figures of a test."""
    yield
    plt.close("all")


# A picture of hundreds of nodes helps nobody.
SMALL = {name: program for name, program in PROGRAMS.items() if name != "hundreds of nodes"}


def written_at(ax) -> dict[str, list[str]]:
    """Return the lines of text of a picture by the name of their part."""
    found: dict[str, list[str]] = {}
    for text in ax.texts:
        part, _, line = text.get_gid().partition(".")
        found.setdefault(part, []).append(text.get_text())
        assert int(line) == len(found[part])
    return found


def positions(ax) -> dict[str, tuple[float, float]]:
    """Return the place of the first line of each part: right and down are positive."""
    found: dict[str, tuple[float, float]] = {}
    for text in ax.texts:
        found.setdefault(text.get_gid().partition(".")[0], text.get_position())
    return found


def thirty_nodes() -> lt.Trace:
    """Return a graph with long ways, crossings, one input for many, the same one twice."""
    a, b, c = parameter(0.3), parameter([0.5, -0.7]), parameter([[1.0, 0.2], [0.3, -1.0]])
    with lt.record_forward():
        p = a * b
        q = (p + a).tanh() * p
        r = c @ q + b
        u = r * r - a
        v = torch.cat([u, q * 2]).exp()
        w = v.sum() / (1 + b.square().mean())
        e = (w - a) ** 2 + w * a.sigmoid() + (p * 3).sum()
    return lt.trace_backward(e, a=a, b=b, c=c, p=p, e=e)


# What is written


def test_line_shows_all_its_values_and_gradients():
    trace, _ = course_line()
    found = written_at(draw_graph(trace))
    for node in trace.nodes:
        name = f"node-{node.index}"
        if node.kind == "constant" and node.label is None:
            assert found[name] == ["2"]
            continue
        assert found[f"{name}-value"] == [written(n) for n in flat(node.value)]
        assert found.get(f"{name}-gradient", []) == [written(n) for n in flat(node.gradient)]
    assert [found[f"node-{trace[name].index}"] for name in "abxt"] == [["a"], ["b"], ["x"], ["t"]]
    assert [found[f"node-{trace[name].index}-label"] for name in "yds"] == [["y"], ["d"], ["s"]]
    assert found[f"node-{trace['a'].index}-gradient"] == ["−8"]
    assert found[f"node-{trace['b'].index}-gradient"] == ["−5"]


def test_local_derivatives_stand_at_their_edges():
    trace, _ = course_line()
    found = written_at(draw_graph(trace))
    at = {
        trace.nodes[edge.source].label: found.get(f"edge-{k}-local")
        for k, edge in enumerate(trace.edges)
    }
    assert {name: at[name] for name in "abyds"} == {
        "a": ["×1", "×2"], "b": ["×1"], "y": ["×1"], "d": ["×−4", "×−6"], "s": ["×0.5"],
    }  # fmt: skip
    assert at["x"] is None and at["t"] is None
    assert not any("local" in name for name in written_at(draw_graph(trace, factors=False)))


def test_numbers_of_both_points_stand_below_each_other():
    traces = each_point()
    found = written_at(draw_graph(*traces))
    a, b = (f"node-{traces[0][name].index}" for name in "ab")
    assert (found[f"{a}-gradient"], found[f"{b}-gradient"]) == (["−4", "−12"], ["−4", "−6"])
    # What is the same for both is said once.
    assert (found[f"{a}-value"], found[f"{b}-value"]) == (["1"], ["0"])
    assert found[f"node-{traces[0]['e'].index}-value"] == ["4", "9"]


def test_mean_stands_behind_the_gradients_of_the_points():
    traces, (mean, _) = each_point(), course_line()
    found = written_at(draw_graph(*traces, mean=mean))
    assert found[f"node-{traces[0]['a'].index}-mean"] == ["→ −8"]
    assert found[f"node-{traces[0]['b'].index}-mean"] == ["→ −5"]


def test_what_was_there_before_is_part_of_the_sum():
    a = parameter(1.0)
    for _ in range(2):
        with lt.record_forward():
            e = torch.mean((a * X - T) ** 2)
        trace = lt.trace_backward(e, a=a)
    assert written_at(draw_graph(trace))["node-0-gradient"] == ["−8", "+ (−8)", "= −16"]


def test_passes_one_after_the_other_all_stand_in_the_sum():
    a = parameter(1.0)
    a.grad = torch.tensor(100.0)
    traces = []
    for x, t in zip(X, T, strict=True):
        with lt.record_forward():
            e = (a * x - t) ** 2
        traces.append(lt.trace_backward(e, a=a))
    found = written_at(draw_graph(*traces))
    assert found["node-0-gradient"] == ["100", "+ (−4)", "+ (−12)", "= 84"]


def test_gradient_that_was_taken_away_at_once_is_shown_as_it_arrived():
    a = parameter(1.0)
    a.grad = torch.tensor(1.0)
    a.register_post_accumulate_grad_hook(lambda p: setattr(p, "grad", None))
    with lt.record_forward():
        e = a * 3
    trace = lt.trace_backward(e, a=a)
    assert written_at(draw_graph(trace))["node-0-gradient"] == ["3"]


def test_large_tensors_are_shortened():
    w = torch.arange(50.0).reshape(10, 5).requires_grad_()
    with lt.record_forward():
        e = w.sum()
    found = written_at(draw_graph(lt.trace_backward(e, w=w)))
    assert found["node-0-value"] == ["0, 1, …", "⋮", "45, 46, …"]


def wide_network(x):
    """Return the trace of a network of 16 units with the inputs ``x``, shape (n, 1)."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1))
    t = torch.sin(x)
    with lt.record_forward():
        y = net(x)
        e = nn.MSELoss()(y, t)
    return lt.trace_backward(e, **dict(net.named_parameters()), x=x, t=t, y=y, e=e)


def test_of_many_numbers_the_shape_is_shown_where_it_is_wanted():
    trace = wide_network(torch.linspace(-2, 2, 41).reshape(-1, 1))
    found = written_at(draw_graph(trace, shapes=True))
    for label, shape in {
        "0.weight": "(16, 1)",
        "0.bias": "(16,)",
        "2.weight": "(1, 16)",
        "y": "(41, 1)",
    }.items():
        name = f"node-{trace[label].index}"
        assert (found[f"{name}-value"], found[f"{name}-gradient"]) == ([shape], [shape])
    (relu,) = (node for node in trace.nodes if node.symbol == "relu")
    assert found[f"node-{relu.index}-gradient"] == ["(41, 16)"]
    # Few numbers are numbers still.
    bias, loss = (f"node-{trace[name].index}" for name in ("2.bias", "e"))
    assert found[f"{bias}-gradient"] == [written(trace["2.bias"].gradient[0])]
    assert found[f"{loss}-gradient"] == ["1"]
    # A shape is nothing to multiply by.
    assert not any("local" in part for part in found)


def test_shapes_of_several_passes_are_said_once():
    traces = [wide_network(torch.full((1, 1), x)) for x in (0.5, 1.0)]
    found = written_at(draw_graph(*traces, mean=traces[0], shapes=True))
    name = f"node-{traces[0]['0.bias'].index}"
    assert (found[f"{name}-gradient"], found[f"{name}-mean"]) == (["(16,)"], ["→ (16,)"])
    y = f"node-{traces[0]['y'].index}"
    assert found[f"{y}-value"] == [written(trace["y"].value[0][0]) for trace in traces]


def test_four_numbers_are_still_numbers():
    torch.manual_seed(0)
    layer = nn.Linear(1, 4)
    with lt.record_forward():
        e = layer(torch.ones(1, 1)).sum()
    trace = lt.trace_backward(e, bias=layer.bias)
    found = written_at(draw_graph(trace, shapes=True))
    assert found[f"node-{trace['bias'].index}-gradient"] == ["1", "1", "1", "1"]


def test_a_second_pass_adds_shape_to_shape():
    net = nn.Linear(1, 16)
    for _ in range(2):
        with lt.record_forward():
            e = net(torch.ones(1, 1)).sum()
        trace = lt.trace_backward(e, bias=net.bias)
    found = written_at(draw_graph(trace, shapes=True))
    name = f"node-{trace['bias'].index}-gradient"
    assert found[name] == ["(16,)", "+", "(16,)", "=", "(16,)"]


def test_a_graph_of_few_numbers_is_the_same_with_shapes():
    trace, _ = course_line()
    assert written_at(draw_graph(trace, shapes=True)) == written_at(draw_graph(trace))


# Where it stands


@pytest.mark.parametrize("program", SMALL.values(), ids=SMALL)
def test_values_stand_above_their_station_and_gradients_below(program):
    _, trace = recorded(program)
    where = positions(draw_graph(trace))
    for node in trace.nodes:
        name = f"node-{node.index}"
        if f"{name}-value" in where:
            assert where[f"{name}-value"][1] < where[name][1]
        if f"{name}-gradient" in where:
            assert where[name][1] < where[f"{name}-gradient"][1]
    for edge in trace.edges:
        assert where[f"node-{edge.source}"][0] < where[f"node-{edge.target}"][0]


def covered(ax) -> list[tuple[str, Bbox]]:
    """Return what each text and each box covers when it is drawn, in pixels."""
    ax.figure.canvas.draw()
    parts = [(text.get_gid(), text.get_window_extent()) for text in ax.texts]
    boxes = [p for p in ax.patches if isinstance(p, FancyBboxPatch)]
    parts += [(box.get_gid(), box.get_window_extent()) for box in boxes]
    # A hair less: text may touch text.
    return [(name, box.shrunk(0.98, 0.9)) for name, box in parts]


def overlaps(ax) -> list[tuple[str, str]]:
    return [
        (one, other)
        for (one, a), (other, b) in combinations(covered(ax), 2)
        if a.overlaps(b) and other != f"{one.partition('.')[0]}-box"
    ]


def crossed_texts(ax) -> list[tuple[str, str]]:
    """Return the pairs of an edge and a text that it runs through."""
    boxes = covered(ax)
    found = []
    for arrow in ax.patches:
        if not isinstance(arrow, FancyArrowPatch):
            continue
        path = arrow.get_path().transformed(arrow.get_transform())
        corners = path.to_polygons(closed_only=False)[0]
        steps = np.linspace(corners[:-1], corners[1:], 20, axis=1).reshape(-1, 2)
        for name, box in boxes:
            inside = (box.min < steps) & (steps < box.max)
            if inside.all(axis=1).any():
                found.append((arrow.get_gid(), name))
    return found


def products():
    a, b = parameter(1.0, 2.0, 3.0), parameter(4.0, 5.0, 6.0)
    return {"a": a, "b": b, "loss": (a * a * a).sum() + a @ b}


def lstm_cell():
    torch.manual_seed(0)
    cell = nn.LSTMCell(2, 3)
    h, _ = cell(torch.ones(1, 2))
    return {"h": h, "loss": h.sum()}


PICTURES = {
    "products": lambda: draw_graph(recorded(products)[1]),
    "a cell of an LSTM": lambda: draw_graph(recorded(lstm_cell)[1]),
    "the course's line": lambda: draw_graph(course_line()[0]),
    "each point": lambda: draw_graph(*each_point(), mean=course_line()[0]),
    "thirty nodes": lambda: draw_graph(thirty_nodes()),
    "a network by its shapes": lambda: draw_graph(wide_network(torch.ones(41, 1)), shapes=True),
    **{
        name: lambda program=program: draw_graph(recorded(program)[1])
        for name, program in SMALL.items()
    },
}
every_picture = pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)


@every_picture
def test_nothing_covers_anything(picture):
    assert overlaps(picture()) == []


@every_picture
def test_no_edge_runs_through_a_text(picture):
    assert crossed_texts(picture()) == []


@every_picture
def test_everything_is_inside_the_picture(picture):
    ax = picture()
    frame = ax.figure.bbox
    for name, box in covered(ax):
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1, name
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1, name


@pytest.mark.parametrize(
    "picture",
    [
        "the course's line",
        "each point",
        "products",
        "a shared parameter",
        "the same value twice",
        "matrices",
        "choices",
        "thirty nodes",
    ],
)
def test_every_factor_finds_room(picture):
    trace = {
        "the course's line": lambda: course_line()[0],
        "each point": lambda: each_point()[0],
        "products": lambda: recorded(products)[1],
        "thirty nodes": thirty_nodes,
    }.get(picture, lambda: recorded(PROGRAMS[picture])[1])()
    drawn = written_at(PICTURES[picture]())
    for k, edge in enumerate(trace.edges):
        if edge.local is not None and edge.rule != "mixed":
            assert f"edge-{k}-local" in drawn


def test_a_hundred_nodes_are_drawn_while_one_waits():
    """It takes about one second; a search that looks at everything for each factor took minutes."""
    a = parameter(0.5)
    with lt.record_forward():
        y = a * 2
        for _ in range(60):
            y = torch.tanh(y + a)
    trace = lt.trace_backward(y, a=a)
    start = time.perf_counter()
    draw_graph(trace)
    assert time.perf_counter() - start < 20


def test_parameter_without_a_name_shows_its_shape():
    w = torch.ones(2, 3, requires_grad=True)
    with lt.record_forward():
        e = w.sum()
    assert written_at(draw_graph(lt.trace_backward(e)))["node-0"] == ["(2, 3)"]


def test_the_graph_of_thirty_nodes_has_as_many():
    assert len(thirty_nodes().nodes) >= 30


def test_longest_way_is_a_straight_line():
    trace, _ = course_line()
    where = positions(draw_graph(trace))
    heights = {where[f"node-{trace[name].index}"][1] for name in "ayds"}
    assert max(heights) - min(heights) < 1e-6


def test_what_joins_the_longest_way_does_not_bend_it():
    a, b = parameter(1.0), parameter(2.0)
    with lt.record_forward():
        p = a * 2
        q = p * 3
        r = q * 4
        e = (b * 5 * 6) + r.tanh()
    trace = lt.trace_backward(e, a=a, b=b, p=p, q=q, r=r, e=e)
    where = positions(draw_graph(trace))
    heights = [where[f"node-{trace[name].index}"][1] for name in "apqre"]
    assert max(heights) - min(heights) < 0.1


@pytest.mark.parametrize(("left", "right"), [("t", "y"), ("y", "t")])
def test_inputs_stand_above_each_other_in_the_order_of_the_program(left, right):
    a = parameter(1.0)
    with lt.record_forward():
        y = a * X
        named = {"y": y, "t": T}
        e = (named[left] - named[right]).sum()
    trace = lt.trace_backward(e, a=a, **named)
    where = positions(draw_graph(trace))
    heights = {}
    for name in "yt":
        heights[name] = where[f"node-{trace[name].index}"][1]
    assert heights[left] < heights[right]


def test_the_line_is_narrow_enough_for_a_phone():
    """At 330 pixels, a 360-pixel phone without its margins, the text keeps 11 of them."""
    with mpl.rc_context({"font.size": 11}):
        width = draw_graph(course_line()[0]).figure.get_figwidth() * 96
    assert 330 / width * 11 * 96 / 72 >= 9.5


def test_a_network_by_its_shapes_is_narrow_enough_for_a_page():
    """At 700 pixels, the width of a page's text, it needs no shrinking."""
    with mpl.rc_context({"font.size": 11}):
        width = draw_graph(wide_network(torch.ones(41, 1)), shapes=True).figure.get_figwidth()
    assert width * 96 <= 700


# How it looks


def test_forward_and_gradient_have_the_colours_of_the_course():
    ax = draw_graph(course_line()[0])
    for text in ax.texts:
        part = text.get_gid().partition(".")[0].rpartition("-")[2]
        wanted = {"value": colour("forward"), "gradient": colour("gradient")}
        if part in wanted:
            assert text.get_color() == wanted[part]


def test_a_dark_style_is_followed():
    with mpl.rc_context({"text.color": "white"}):
        ax = draw_graph(course_line()[0])
    boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert {mpl.colors.to_hex(box.get_edgecolor()) for box in boxes} == {"#ffffff"}
    names = [text for text in ax.texts if text.get_fontweight() == "bold"]
    assert {mpl.colors.to_hex(text.get_color()) for text in names} == {"#ffffff"}


def test_text_in_the_file_can_be_selected_and_parts_have_names(tmp_path):
    with mpl.rc_context({"svg.fonttype": "none"}):
        ax = draw_graph(course_line()[0])
        ax.figure.savefig(tmp_path / "graph.svg")
    svg = (tmp_path / "graph.svg").read_text("utf-8")
    assert ">−8</text>" in svg
    for name in ("node-0.1", "node-0-value.1", "node-0-gradient.1", "node-0-box", "edge-0"):
        assert f'id="{name}"' in svg


def test_a_style_with_a_layout_of_its_own_does_not_disturb(tmp_path, recwarn):
    with mpl.rc_context({"figure.constrained_layout.use": True}):
        figure = draw_graph(course_line()[0]).figure
        sizes = []
        for name in ("one.png", "two.png"):
            figure.savefig(tmp_path / name)
            sizes.append(figure.axes[0].get_position().bounds)
    assert sizes == [(0.0, 0.0, 1.0, 1.0)] * 2
    assert not recwarn.list


def test_figure_has_the_name_that_was_given():
    assert draw_graph(course_line()[0], num="a graph").figure.get_label() == "a graph"


def test_drawing_the_same_again_gives_the_same(tmp_path):
    files = []
    for name in ("one", "two"):
        with mpl.rc_context({"svg.hashsalt": "x"}):
            path = tmp_path / f"{name}.svg"
            draw_graph(thirty_nodes()).figure.savefig(path, metadata={"Date": None})
        files.append(path.read_bytes())
    assert files[0] == files[1]


# Bad input


def unnamed():
    return {"loss": parameter(1.0) * 2}


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: draw_graph(), ValueError, "^draw_graph must get a trace"),
        (lambda: draw_graph(torch.ones(1)), TypeError, "^draw_graph must get traces, got Tensor"),
        (
            lambda: draw_graph(course_line()[0], thirty_nodes()),
            ValueError,
            "^the traces must be of the same program",
        ),
        (
            lambda: draw_graph(*each_point(), mean=recorded(PROGRAMS["classes"])[1]),
            ValueError,
            "^mean must have the parameters",
        ),
        (
            lambda: draw_graph(recorded(unnamed)[1], mean=course_line()[0]),
            ValueError,
            "^mean must have the parameters.*got none for one without a label",
        ),
        (lambda: draw_graph(course_line()[0], mean=1), TypeError, "^draw_graph must get traces"),
    ],
)
def test_bad_input_is_named_and_no_figure_is_left(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
    assert plt.get_fignums() == []


def test_a_program_by_nn_can_be_drawn_with_its_own_names():
    net = lt.LineNet(a=1.0, b=0.0)
    with lt.record_forward():
        loss = nn.MSELoss()(net(X.reshape(2, 1)), T.reshape(2, 1))
    trace = lt.trace_backward(loss, **dict(net.named_parameters()), x=X, t=T, loss=loss)
    found = written_at(draw_graph(trace))
    assert found[f"node-{trace['linear.weight'].index}-gradient"] == ["−8"]
    assert found[f"node-{trace['linear.bias'].index}-gradient"] == ["−5"]
