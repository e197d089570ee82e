"""Pictures of points, lines, errors and paths, drawn on Axes that the caller gives.

Every function adds one thing to ``ax`` and returns it, so that a picture is
made of a few calls and anything about it can still be changed. The colours are
those of the whole course; the points and all text have the text colour that
matplotlib is set to, so that a dark style works too.
"""

import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.contour import QuadContourSet
from matplotlib.lines import Line2D
from torch import Tensor

from linreg_tutorial.data import in_float64
from linreg_tutorial.history import History
from linreg_tutorial.validation import check_data, check_levels, check_number

_PALETTE: dict[str, dict[str, str]] = json.loads(
    (resources.files("linreg_tutorial") / "palette.json").read_text("utf-8")
)


def colour(name: str) -> str:
    """Return one of the course's colours as ``#rrggbb``.

    Parameters
    ----------
    name
        ``"line"``, ``"forward"`` (a value), ``"gradient"``, ``"residual"`` or
        ``"second"`` (whatever is compared with the line).

    Raises
    ------
    ValueError
        If there is no such colour.

    Examples
    --------
    >>> colour("line")
    '#0072B2'
    """
    if name not in _PALETTE:
        raise ValueError(f"name must be one of {', '.join(_PALETTE)}, got {name!r}")
    shades = _PALETTE[name]
    return shades.get("base", shades["light"])


def plot_points(ax: Axes, x: Tensor, t: Tensor) -> PathCollection:
    """Draw the points (x, t), on axes from 0 to 6 or as far as they reach.

    Parameters
    ----------
    ax
        Where to draw.
    x, t
        Inputs and targets, real, of the same shape (n,).

    Raises
    ------
    TypeError, ValueError
        If the data are unusable.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot()
    >>> points = plot_points(ax, torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0]))
    >>> points.get_offsets().tolist()
    [[1.0, 3.0], [2.0, 5.0]]
    """
    check_data(x, t)
    points = ax.scatter(x, t, color=mpl.rcParams["text.color"], s=50, zorder=3)
    ax.set(
        xlabel="x",
        ylabel="t, y",
        xlim=(min(0.0, x.min().item()), max(6.0, x.max().item())),
        ylim=(min(0.0, t.min().item()), max(6.0, t.max().item())),
    )
    return points


def plot_line(ax: Axes, a: float, b: float, *, color: str | None = None, **style: Any) -> Line2D:
    """Draw the line y = a·x + b across the whole Axes.

    Parameters
    ----------
    ax
        Where to draw.
    a, b
        Slope and intercept.
    color
        Default: the colour of the line.
    **style
        Further settings of `matplotlib.axes.Axes.axline`, such as ``alpha``.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no finite number.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> plot_line(Figure().add_subplot(), a=1.0, b=0.0).get_slope()
    1.0
    """
    check_number("a", a)
    check_number("b", b)
    return ax.axline((0.0, b), slope=a, color=color or colour("line"), **style)


def plot_residuals(ax: Axes, x: Tensor, t: Tensor, a: float, b: float) -> LineCollection:
    """Draw what the line misses: a dashed segment from each prediction to its target.

    Parameters, errors: as `plot_points` and `plot_line`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot()
    >>> missed = plot_residuals(ax, torch.tensor([1.0]), torch.tensor([3.0]), a=1.0, b=0.0)
    >>> missed.get_segments()[0].tolist()
    [[1.0, 1.0], [1.0, 3.0]]
    """
    check_data(x, t)
    check_number("a", a)
    check_number("b", b)
    return ax.vlines(x, a * x + b, t, colors=colour("residual"), linestyles="dashed")


def plot_lines(ax: Axes, history: History) -> LineCollection:
    """Draw the line of every row of a history, the later the stronger.

    Parameters
    ----------
    ax
        Where to draw; its limits on the x axis are the ends of the lines.
    history
        The history of a line.

    Raises
    ------
    AttributeError
        If the fitted module is no line.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from linreg_tutorial import fit_manual, two_points
    >>> len(plot_lines(Figure().add_subplot(), fit_manual(*two_points(), steps=5)).get_segments())
    6
    """
    ends = torch.tensor(ax.get_xlim())
    heights = history.a[:, None] * ends + history.b[:, None]
    segments = [list(zip(ends.tolist(), ys, strict=True)) for ys in heights.tolist()]
    strength = np.linspace(1.0, 0.6, len(segments))[::-1]
    lines = LineCollection(segments, colors=colour("line"), alpha=strength, linewidths=1.2)
    ax.add_collection(lines, autolim=False)
    return lines


def plot_error(ax: Axes, history: History, **style: Any) -> Line2D:
    """Draw the error against the step, on a logarithmic scale.

    Parameters
    ----------
    ax
        Where to draw.
    history
        The history of any fit.
    **style
        Further settings of `matplotlib.axes.Axes.plot`, such as ``label``.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from linreg_tutorial import fit_manual, two_points
    >>> curve = plot_error(Figure().add_subplot(), fit_manual(*two_points(), steps=1))
    >>> f"{curve.get_ydata()[0]:.2f} {curve.get_ydata()[1]:.2f}"
    '6.50 0.65'
    """
    (curve,) = ax.plot(range(len(history)), history.error, **{"color": colour("line"), **style})
    ax.set(xlabel="step", ylabel="e", yscale="log")
    return curve


def plot_surface(
    ax: Axes,
    x: Tensor,
    t: Tensor,
    *,
    a: tuple[float, float] = (0.0, 4.0),
    b: tuple[float, float] = (-2.0, 4.0),
    levels: Sequence[float] = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0),
    labels: bool = True,
) -> QuadContourSet:
    """Draw the error over all slopes and intercepts as a map with contour lines.

    A line joins the places of equal error.

    Parameters
    ----------
    ax
        Where to draw.
    x, t
        Inputs and targets, real, of the same shape (n,).
    a, b
        From where to where the map reaches, along each parameter.
    levels
        At which errors to draw a line, rising, in units of t squared.
    labels
        Whether to write that error on the lines, from 0.1 on: lower ones are too
        close to each other.

    Raises
    ------
    TypeError, ValueError
        If the data are unusable, or a range or the levels do not rise.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from linreg_tutorial import two_points
    >>> plot_surface(Figure().add_subplot(), *two_points()).levels.tolist()
    [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0]
    """
    check_data(x, t)
    for name, ends in {"a": a, "b": b}.items():
        for end in ends:
            check_number(name, end)
        if ends[0] >= ends[1]:
            raise ValueError(f"{name} must be a range (low, high) that rises, got {ends}")
    levels = check_levels(levels)
    slopes = torch.linspace(*a, 161, dtype=torch.float64)
    intercepts = torch.linspace(*b, 161, dtype=torch.float64)[:, None]
    # Seen from the points' mean, slope and height there add to the error independently: the map
    # takes no more time and memory for a million points than for two.
    x, t = in_float64(x), in_float64(t)
    mean_x, mean_t = x.mean(), t.mean()
    from_x, from_t = x - mean_x, t - mean_t
    of_slope = (
        slopes**2 * (from_x**2).mean() - 2 * slopes * (from_x * from_t).mean() + (from_t**2).mean()
    )
    error = of_slope + (slopes * mean_x + intercepts - mean_t) ** 2
    contours = ax.contour(
        slopes, intercepts.flatten(), error, levels, colors=colour("residual"), linewidths=0.9
    )
    if labels:
        shown = [level for level in contours.levels if level >= 0.1]
        ax.clabel(contours, levels=shown, fmt="%g", fontsize="small")
    # One unit of a as long as one of b: only then a step is seen to go straight downhill.
    ax.set(xlabel="a", ylabel="b", xlim=a, ylim=b, aspect="equal")
    return contours


def plot_path(ax: Axes, history: History, **style: Any) -> Line2D:
    """Draw the way of a fit over (a, b), a dot a step.

    Parameters
    ----------
    ax
        Where to draw, usually on top of `plot_surface`.
    history
        The history of a line.
    **style
        Further settings of `matplotlib.axes.Axes.plot`, such as ``label``.

    Raises
    ------
    AttributeError
        If the fitted module is no line.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from linreg_tutorial import fit_manual, two_points
    >>> path = plot_path(Figure().add_subplot(), fit_manual(*two_points(), steps=2))
    >>> [round(float(a), 2) for a in path.get_xdata()]
    [1.0, 1.8, 2.05]
    """
    defaults = {"color": colour("gradient"), "marker": "o", "markersize": 3, "linewidth": 1}
    (path,) = ax.plot(history.a, history.b, **{**defaults, **style})
    return path
