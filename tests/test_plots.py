"""The pictures: what each adds to the Axes it is given, in which colours, and nothing else."""

import io
import json
import subprocess
import sys
from importlib import resources
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from torch import nn

import linreg_tutorial as lt
from linreg_tutorial import plots

X, T = lt.two_points()
PALETTE = json.loads((resources.files(lt) / "palette.json").read_text("utf-8"))


@pytest.fixture
def ax():
    return Figure().add_subplot()


def drawn(ax):
    """Draw for real, so that what matplotlib finds only then fails here too."""
    ax.figure.savefig(io.BytesIO())


EVERY_PLOT = {
    "plot_points": lambda ax, history: plots.plot_points(ax, X, T),
    "plot_line": lambda ax, history: plots.plot_line(ax, a=1.0, b=0.0),
    "plot_residuals": lambda ax, history: plots.plot_residuals(ax, X, T, a=1.0, b=0.0),
    "plot_lines": plots.plot_lines,
    "plot_error": plots.plot_error,
    "plot_surface": lambda ax, history: plots.plot_surface(ax, X, T),
    "plot_path": plots.plot_path,
}


def test_every_plot_is_tried():
    assert set(EVERY_PLOT) == {name for name in vars(plots) if name.startswith("plot_")}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", EVERY_PLOT)
def test_every_plot_adds_one_thing_to_the_given_axes_and_returns_it(ax, name, dtype):
    added = EVERY_PLOT[name](ax, lt.fit_manual(X.to(dtype), T.to(dtype), steps=3))
    assert ax.collections + list(ax.lines) == [added]
    assert ax.figure.axes == [ax]
    drawn(ax)


# Where things are


def test_the_points_are_where_they_are_on_axes_from_0_to_6(ax):
    points = plots.plot_points(ax, X, T)
    assert points.get_offsets().tolist() == [[1.0, 3.0], [2.0, 5.0]]
    assert (ax.get_xlim(), ax.get_ylim()) == ((0.0, 6.0), (0.0, 6.0))


def test_the_axes_reach_as_far_as_the_points(ax):
    plots.plot_points(ax, torch.tensor([-2.0, 9.0]), torch.tensor([-30.0, 50.0]))
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2.0, 9.0), (-30.0, 50.0))


def test_the_line_is_where_slope_and_intercept_put_it(ax):
    line = plots.plot_line(ax, a=-0.5, b=2.0)
    assert (line.get_slope(), tuple(line.get_xy1())) == (-0.5, (0.0, 2.0))


def test_a_residual_goes_from_the_prediction_to_the_target(ax):
    segments = plots.plot_residuals(ax, X, T, a=1.0, b=0.5).get_segments()
    # y = x + 1/2: 1.5 below 3, and 2.5 below 5.
    assert [segment.tolist() for segment in segments] == [
        [[1.0, 1.5], [1.0, 3.0]],
        [[2.0, 2.5], [2.0, 5.0]],
    ]


def test_there_is_a_line_for_every_row_from_end_to_end(ax):
    ax.set(xlim=(-2.0, 4.0), ylim=(0.0, 6.0))
    history = lt.fit_manual(X.double(), T.double(), steps=4)
    segments = plots.plot_lines(ax, history).get_segments()
    assert len(segments) == 5
    for row, segment in zip(history, segments, strict=True):
        expected = [[end, row.a * end + row.b] for end in (-2.0, 4.0)]
        for place, exact in zip(segment.tolist(), expected, strict=True):
            assert place == pytest.approx(exact, abs=1e-14)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2.0, 4.0), (0.0, 6.0))


def test_the_lines_of_a_history_do_not_stretch_the_axes(ax):
    ax.plot([0.0, 6.0], [0.0, 6.0])
    limits = ax.get_xlim(), ax.get_ylim()
    plots.plot_lines(ax, lt.fit_manual(X, T, a=50.0, b=99.0, steps=4))
    ax.autoscale_view()
    assert (ax.get_xlim(), ax.get_ylim()) == limits


@pytest.mark.parametrize("steps", [0, 1, 10])
def test_the_later_a_line_the_stronger_and_the_last_one_is_full(ax, steps):
    strength = plots.plot_lines(ax, lt.fit_manual(X, T, steps=steps)).get_alpha().tolist()
    assert len(strength) == steps + 1
    assert strength[-1] == 1.0
    assert all(earlier < later for earlier, later in pairwise(strength))
    assert strength[0] > 0


def test_the_error_is_drawn_against_the_step_on_a_logarithmic_scale(ax):
    history = lt.fit_manual(X, T, steps=20)
    curve = plots.plot_error(ax, history)
    assert list(curve.get_xdata()) == list(range(21))
    assert list(curve.get_ydata()) == history.error.tolist()
    assert (ax.get_yscale(), ax.get_xlabel(), ax.get_ylabel()) == ("log", "step", "e")


def test_a_contour_joins_the_places_of_equal_error(ax):
    contours = plots.plot_surface(ax, X, T, labels=False)
    # The lines go from edge to edge of 160 cells a side. Along an edge the error is a parabola,
    # off its chord by no more than 1/8 · its second derivative · (edge)².
    off = max(5 / 8 * (4 / 160) ** 2, 2 / 8 * (6 / 160) ** 2)
    found = 0
    for level, path in zip(contours.levels, contours.get_paths(), strict=True):
        for a, b in path.vertices:
            error = ((3 - (a + b)) ** 2 + (5 - (2 * a + b)) ** 2) / 2
            assert error == pytest.approx(level, abs=off)
            found += 1
    assert found > 1000
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")
    # Only where both units are as long as each other does a step cross the lines at right angles.
    assert ax.get_aspect() == 1.0


def test_the_map_of_many_points_is_that_of_their_mean_error(ax):
    x, t = lt.noisy_line(50, noise=2.0)
    levels = [5.0, 7.0, 20.0]
    contours = plots.plot_surface(ax, x, t, levels=levels, labels=False)
    assert contours.levels.tolist() == levels
    found = 0
    for level, path in zip(levels, contours.get_paths(), strict=True):
        for a, b in path.vertices[::20]:
            # As above, with the second derivative 2 · mean(x²), below 11.
            error = sum((q - (a * p + b)) ** 2 for p, q in zip(x.tolist(), t.tolist(), strict=True))
            assert error / 50 == pytest.approx(level, abs=11 / 8 * (6 / 160) ** 2)
            found += 1
    assert found > 20


def test_a_million_points_can_be_mapped(ax):
    """With a number for each place and point it would take 200 gigabytes."""
    x = torch.linspace(0.0, 4.0, 10**6)
    contours = plots.plot_surface(ax, x, 2 * x + 1, a=(1.0, 3.0), b=(0.0, 2.0), labels=False)
    assert all(len(path.vertices) for path in contours.get_paths()[:4])


@pytest.mark.parametrize(
    ("levels", "error"),
    [
        ([], ValueError),
        ([1.0, 1.0], ValueError),
        ([2.0, 1.0], ValueError),
        ([1.0, float("nan")], ValueError),
        (5, TypeError),
        (["1"], TypeError),
    ],
    ids=str,
)
def test_levels_that_do_not_rise_are_refused(ax, levels, error):
    with pytest.raises(error, match=r"^levels must "):
        plots.plot_surface(ax, X, T, levels=levels)


def test_levels_may_be_an_array(ax):
    contours = plots.plot_surface(ax, X, T, levels=np.logspace(-1, 1, 3), labels=False)
    assert contours.levels.tolist() == [0.1, 1.0, 10.0]


def test_only_levels_from_a_tenth_on_are_labelled(ax):
    x, t = torch.tensor([0.0, 0.1]), torch.zeros(2)
    plots.plot_surface(ax, x, t, a=(-1.0, 1.0), b=(-1.0, 1.0), levels=[0.03, 0.3])
    assert {text.get_text() for text in ax.texts} == {"0.3"}


def test_the_map_far_from_0_keeps_its_digits(ax):
    """In 32 bits, 1e8 and 1e8 + 3 are the same."""
    x, t = X.double(), 2 * X.double() + 1e8
    contours = plots.plot_surface(
        ax, x, t, a=(1.0, 3.0), b=(1e8 - 2, 1e8 + 2), levels=[0.1], labels=False
    )
    (path,) = contours.get_paths()
    for a, b in path.vertices:
        error = sum((q - (a * p + b)) ** 2 for p, q in zip(x.tolist(), t.tolist(), strict=True)) / 2
        assert error == pytest.approx(0.1, abs=0.01)


def test_the_map_reaches_as_far_as_it_is_told(ax):
    contours = plots.plot_surface(ax, X, T, a=(1.0, 3.0), b=(-1.0, 2.0), labels=False)
    places = torch.cat([torch.tensor(path.vertices) for path in contours.get_paths()])
    assert places.amin(0).tolist() == [1.0, -1.0]
    assert places.amax(0).tolist() == [3.0, 2.0]
    assert (ax.get_xlim(), ax.get_ylim()) == ((1.0, 3.0), (-1.0, 2.0))


def test_the_contours_say_which_error_they_stand_for(ax):
    plots.plot_surface(ax, X, T)
    assert {"0.1", "1", "10"} <= {text.get_text() for text in ax.texts}


def test_the_contours_can_do_without_saying(ax):
    plots.plot_surface(ax, X, T, labels=False)
    assert list(ax.texts) == []


def test_the_path_goes_through_every_slope_and_intercept(ax):
    history = lt.fit_manual(X, T, steps=20)
    path = plots.plot_path(ax, history)
    assert list(path.get_xdata()) == history.a.tolist()
    assert list(path.get_ydata()) == history.b.tolist()
    assert path.get_marker() == "o"


@pytest.mark.parametrize("plot", [plots.plot_lines, plots.plot_path])
def test_a_network_has_no_lines_to_draw(ax, plot):
    net = nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1))
    with pytest.raises(AttributeError, match="its module is no line"):
        plot(ax, lt.fit_module(X, T, net, steps=1))
    assert not ax.has_data()


def test_the_error_of_a_network_can_be_drawn(ax):
    net = nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1))
    history = lt.fit_module(X, T, net, steps=3)
    assert list(plots.plot_error(ax, history).get_ydata()) == history.error.tolist()


@pytest.mark.filterwarnings("ignore::linreg_tutorial.DivergenceWarning")
@pytest.mark.parametrize("plot", [plots.plot_error, plots.plot_lines, plots.plot_path])
def test_a_diverged_fit_can_be_drawn(ax, plot):
    plot(ax, lt.fit_manual(X, T, lr=1.0, steps=100))
    drawn(ax)


# Style


@pytest.mark.parametrize(
    ("plot", "style"),
    [
        (lambda ax, **s: plots.plot_line(ax, 1.0, 0.0, **s), {"alpha": 0.5, "color": "#123456"}),
        (lambda ax, **s: plots.plot_error(ax, lt.fit_manual(X, T), **s), {"label": "by hand"}),
        (lambda ax, **s: plots.plot_error(ax, lt.fit_manual(X, T), **s), {"color": "#123456"}),
        (lambda ax, **s: plots.plot_path(ax, lt.fit_manual(X, T), **s), {"markersize": 9}),
        (lambda ax, **s: plots.plot_path(ax, lt.fit_manual(X, T), **s), {"color": "#123456"}),
    ],
)
def test_a_setting_of_the_reader_s_own_wins(ax, plot, style):
    artist = plot(ax, **style)
    assert {name: getattr(artist, f"get_{name}")() for name in style} == style


@pytest.mark.parametrize("text", ["white", "black", "#336699"])
def test_points_have_the_colour_of_the_text(text):
    with mpl.rc_context({"text.color": text}):
        points = plots.plot_points(Figure().add_subplot(), X, T)
    assert to_hex(points.get_facecolor()[0]) == to_hex(text)


@pytest.mark.parametrize(
    ("name", "colour"),
    [
        ("plot_line", "line"),
        ("plot_residuals", "residual"),
        ("plot_lines", "line"),
        ("plot_error", "line"),
        ("plot_surface", "residual"),
        ("plot_path", "gradient"),
    ],
)
def test_everything_has_its_colour_of_the_course(ax, name, colour):
    added = EVERY_PLOT[name](ax, lt.fit_manual(X, T, steps=3))
    colours = added.get_edgecolor() if added in ax.collections else [added.get_color()]
    assert {to_hex(one) for one in colours} == {plots.colour(colour).lower()}


# The colours of Okabe and Ito's palette, which the colour-blind can tell apart; grey beside them.
OKABE_ITO = {
    "line": "#0072B2",
    "forward": "#009E73",
    "gradient": "#D55E00",
    "second": "#CC79A7",
}


@pytest.mark.parametrize("name", OKABE_ITO)
def test_the_colours_are_those_of_okabe_and_ito(name):
    assert plots.colour(name) == OKABE_ITO[name]


def test_the_residual_is_grey():
    channels = bytes.fromhex(plots.colour("residual")[1:])
    assert max(channels) - min(channels) < 32


def luminance(colour):
    """Return the relative luminance of #rrggbb as WCAG 2.2 defines it."""
    channels = [channel / 255 for channel in bytes.fromhex(colour[1:])]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour, other):
    dark, light = sorted([luminance(colour), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def test_the_contrast_is_that_of_the_definition():
    # Black on white has 21 : 1. WCAG's own example of a grey that just reaches 4.5 : 1 is #767676.
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") >= 4.5 > contrast("#777777", "#ffffff")


@pytest.mark.parametrize(("shade", "background"), [("light", "#ffffff"), ("dark", "#131416")])
@pytest.mark.parametrize("name", PALETTE)
def test_text_in_every_colour_can_be_read(name, shade, background):
    assert contrast(PALETTE[name][shade], background) >= 4.5


# Importing


@pytest.mark.parametrize(
    ("module", "absent"),
    [("linreg_tutorial", "matplotlib"), ("linreg_tutorial.plots", "matplotlib.pyplot")],
)
def test_importing_draws_nothing(module, absent):
    code = (
        f"import {module}, sys; assert {module!r} in sys.modules; print({absent!r} in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert (answer.stdout, answer.stderr) == ("False\n", "")
