"""What the lessons of the course compute: fits of a line whose every step can be looked at.

>>> import linreg_tutorial as lt
>>> x, t = lt.two_points()
>>> history = lt.fit_manual(x, t, a=1.0, b=0.0, lr=0.1, steps=100)
>>> f"a = {history.a[-1]:.4f}, b = {history.b[-1]:.4f}"
'a = 2.0393, b = 0.9364'
"""

from linreg_tutorial.data import noisy_line, two_points
from linreg_tutorial.gradients import (
    Gradient,
    gradient_by_autograd,
    gradient_by_differences,
    gradient_by_hand,
    mean_squared_error,
)
from linreg_tutorial.graph import trace_backward
from linreg_tutorial.history import DivergenceWarning, History, State
from linreg_tutorial.manual import fit_manual
from linreg_tutorial.module import LineNet, fit_module
from linreg_tutorial.parallel import fit_parallel
from linreg_tutorial.recording import record_forward
from linreg_tutorial.surface import (
    Line,
    best_rate,
    fit_closed_form,
    hessian,
    least_squares,
    rate_limit,
)
from linreg_tutorial.trace import Edge, Node, Output, Trace

__version__ = "0.1.0"

__all__ = [
    "DivergenceWarning",
    "Edge",
    "Gradient",
    "History",
    "Line",
    "LineNet",
    "Node",
    "Output",
    "State",
    "Trace",
    "best_rate",
    "fit_closed_form",
    "fit_manual",
    "fit_module",
    "fit_parallel",
    "gradient_by_autograd",
    "gradient_by_differences",
    "gradient_by_hand",
    "hessian",
    "least_squares",
    "mean_squared_error",
    "noisy_line",
    "rate_limit",
    "record_forward",
    "trace_backward",
    "two_points",
]
