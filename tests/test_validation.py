"""What the package refuses: the sentence it says, the way out, and that nothing has changed."""

import doctest
import inspect
import re
from fractions import Fraction
from importlib import resources

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

import linreg_tutorial as lt
from linreg_tutorial import plots

X, T = lt.two_points()
INFINITE, NAN = float("inf"), float("nan")


def on_axes(plot, **arguments):
    return lambda x, t: plot(Figure().add_subplot(), x, t, **arguments)


TAKE_POINTS = {
    "fit_manual": lambda x, t: lt.fit_manual(x, t, steps=1),
    "fit_module": lambda x, t: lt.fit_module(x, t, steps=1),
    "fit_closed_form": lambda x, t: lt.fit_closed_form(x, t, steps=1),
    "mean_squared_error": lambda x, t: lt.mean_squared_error(x, t, 1.0, 0.0),
    "gradient_by_hand": lambda x, t: lt.gradient_by_hand(x, t, 1.0, 0.0),
    "gradient_by_autograd": lambda x, t: lt.gradient_by_autograd(x, t, 1.0, 0.0),
    "gradient_by_differences": lambda x, t: lt.gradient_by_differences(x, t, 1.0, 0.0),
    "plot_points": on_axes(plots.plot_points),
    "plot_residuals": on_axes(plots.plot_residuals, a=1.0, b=0.0),
    "plot_surface": on_axes(plots.plot_surface),
}
every_function = pytest.mark.parametrize(
    "use", [pytest.param(use, id=name) for name, use in TAKE_POINTS.items()]
)


def snapshot(*arguments):
    """Return all of some arguments that can be read, to see later that nothing has changed."""
    return [
        (value.requires_grad, value.is_meta or value.to_dense().numpy(force=True).tobytes())
        if isinstance(value, torch.Tensor)
        else repr(value)
        for value in arguments
    ]


def refusal(error, call, *fragments):
    """Return the message of ``call``, which must raise ``error`` and say ``fragments``."""
    with pytest.raises(error) as caught:
        call()
    for fragment in fragments:
        assert fragment in str(caught.value)
    return str(caught.value)


# Points that are no points. Each: x, t, the error, what it must say.

ONES = torch.ones
UNUSABLE = {
    "x is a list": ([1.0, 2.0], T, TypeError, "x must be a tensor, got list"),
    "t is a list": (X, [3.0, 5.0], TypeError, "t must be a tensor, got list"),
    "x is of numpy": (np.array([1.0, 2.0]), T, TypeError, "x must be a tensor, got ndarray"),
    "t is of numpy": (X, np.array([3.0, 5.0]), TypeError, "t must be a tensor, got ndarray"),
    "x is a number": (1.0, T, TypeError, "x must be a tensor, got float"),
    "t is missing": (X, None, TypeError, "t must be a tensor, got NoneType"),
    "x is of integers": (torch.tensor([1, 2]), T, TypeError, "x must hold real", "torch.int64"),
    "t is of integers": (X, torch.tensor([3, 5]), TypeError, "t must hold real", "torch.int64"),
    "t is of booleans": (X, T > 4, TypeError, "t must hold real", "torch.bool"),
    "x is complex": (X + 0j, T, TypeError, "x must hold real", "torch.complex64"),
    "t is complex": (X, T + 0j, TypeError, "t must hold real", "torch.complex64"),
    "x is a scalar": (X[0], T, ValueError, "x must be a row of values, got a single one"),
    "t is a scalar": (X, T[0], ValueError, "t must be a row of values, got a single one"),
    "x is empty": (X[:0], T[:0], ValueError, "x must hold one point or more", "shape (0,)"),
    "t is empty": (X, T[:0], ValueError, "t must hold one point or more", "shape (0,)"),
    "x is not a number": (X * NAN, T, ValueError, "x must be finite, got x[0] = nan"),
    "t is infinite": (X, T * INFINITE, ValueError, "t must be finite, got t[0] = inf"),
    "the last t is infinite": (
        X.reshape(2, 1),
        torch.tensor([[3.0], [-INFINITE]]),
        ValueError,
        "t must be finite, got t[1, 0] = -inf: drop that point or mend it",
    ),
    "x wants a gradient": (X.clone().requires_grad_(), T, ValueError, "x must not require"),
    "t wants a gradient": (X, T.clone().requires_grad_(), ValueError, "t must not require"),
    "one target too few": (X, T[:1], ValueError, "(2,) and (1,)", "its own target"),
    "one target too many": (X, ONES(3), ValueError, "(2,) and (3,)", "its own target"),
    "dtypes differ": (X, T.double(), ValueError, "x and t must have the same dtype", "float64"),
    "x is sparse": (X.to_sparse(), T, ValueError, "x must hold its values one by one", "to_dense"),
    "x and t have no values": (X.to("meta"), T.to("meta"), ValueError, "x must hold its values"),
    "devices differ": (X, T.to("meta"), ValueError, "x and t must be on the same device", "meta"),
}


@every_function
@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_points_are_refused_by_name(use, case):
    x, t, error, *fragments = UNUSABLE[case]
    before = snapshot(x, t)
    refusal(error, lambda: use(x, t), *fragments)
    assert snapshot(x, t) == before


@every_function
@pytest.mark.parametrize(
    ("x", "t", "joint"),
    [
        (X, T.reshape(2, 1), (2, 2)),
        (X.reshape(2, 1), T, (2, 2)),
        (ONES(1, 3), ONES(3, 1, 1), (3, 1, 3)),
    ],
    ids=["t is a column", "x is a column", "t is deep"],
)
def test_different_shapes_are_refused_instead_of_broadcast(use, x, t, joint):
    assert torch.broadcast_shapes(x.shape, t.shape) == joint
    message = refusal(ValueError, lambda: use(x, t), "x and t must have the same shape")
    assert f"got {tuple(x.shape)} and {tuple(t.shape)}" in message
    assert f"broadcast them to {joint}" in message


@every_function
@pytest.mark.parametrize("shape", [(1, 6), (2, 3)])
def test_different_shapes_that_torch_would_not_mix_up_are_refused_without_that_reason(use, shape):
    x, t = ONES(6), ONES(shape)
    message = refusal(ValueError, lambda: use(x, t), f"got (6,) and {shape}", "t.reshape(x.shape)")
    assert "broadcast" not in message


@pytest.mark.parametrize("function", [lt.hessian, lt.rate_limit, lt.best_rate])
@pytest.mark.parametrize(
    ("x", "error", "said"),
    [
        ([1.0, 2.0], TypeError, "x must be a tensor, got list"),
        (torch.tensor([1, 2]), TypeError, "x must hold real numbers"),
        (X + 0j, TypeError, "x must hold real numbers"),
        (X[:0], ValueError, "x must hold one point or more"),
        (X * NAN, ValueError, "x must be finite"),
    ],
    ids=["list", "integers", "complex", "empty", "nan"],
)
def test_unusable_inputs_have_no_curvature(function, x, error, said):
    refusal(error, lambda: function(x), said)


# The way out that a message shows, followed literally. Each: x, t, the code.

WAYS_OUT = {
    "t is a column": (X, T.reshape(2, 1), "t = t.reshape(x.shape)"),
    "x is a column": (X.reshape(2, 1), T, "t = t.reshape(x.shape)"),
    "t is a square": (ONES(4), ONES(2, 2), "t = t.reshape(x.shape)"),
    "x is a list": ([1.0, 2.0], T, "torch.tensor(x, dtype=torch.float32)"),
    "t is of numpy": (X, np.array([3.0, 5.0]), "torch.tensor(t, dtype=torch.float32)"),
    "x is of integers": (torch.tensor([1, 2]), T, "x.float()"),
    "t is complex": (X, T + 0j, "t.real"),
    "t is a scalar": (X[:1], T[0], "t.reshape(1)"),
    "x is sparse": (X.to_sparse(), T, "x.to_dense()"),
    "x wants a gradient": (X.clone().requires_grad_(), T, "x.detach()"),
    "dtypes differ": (X, T.double(), "t.to(x.dtype)"),
}


@every_function
@pytest.mark.parametrize("case", WAYS_OUT)
def test_the_way_out_that_a_message_shows_leads_out(use, case):
    x, t, code = WAYS_OUT[case]
    assert code in refusal((TypeError, ValueError), lambda: use(x, t))
    mended = eval(code.removeprefix("t = "), {"x": x, "t": t, "torch": torch})
    use(*((mended, t) if code.startswith(("x", "torch.tensor(x")) else (x, mended)))


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_points_have_no_line_of_least_squares(case):
    x, t, error, *fragments = UNUSABLE[case]
    refusal(error, lambda: lt.least_squares(x, t), *fragments)


def test_flat_targets_beside_several_inputs_are_refused_with_a_way_out():
    x, t, net = ONES(3, 4), ONES(3), nn.Linear(4, 1)
    message = refusal(ValueError, lambda: lt.fit_module(x, t, net, steps=1))
    assert "t must have a column for each output" in message
    assert "(3,)" in message and "(3, 4)" in message and "pass t.reshape(-1, 1)" in message
    lt.fit_module(x, t.reshape(-1, 1), net, steps=1)


def test_a_row_without_a_target_is_refused():
    said = "x and t must have as many rows as each other, one a point, got 3 and 2"
    refusal(ValueError, lambda: lt.fit_module(ONES(3, 4), ONES(2, 1), nn.Linear(4, 1)), said)


# Numbers and counts. Each: the function, the argument, a value, the error, what it must say.


def fit(**arguments):
    return lt.fit_manual(X, T, **arguments)


def formula(**arguments):
    return lt.fit_closed_form(X, T, **arguments)


def fit_net(**arguments):
    return lt.fit_module(X, T, **arguments)


def by_differences(h):
    return lt.gradient_by_differences(X, T, 1.0, 0.0, h=h)


def line(**arguments):
    return plots.plot_line(Figure().add_subplot(), **{"a": 1.0, "b": 0.0, **arguments})


def surface(**arguments):
    return plots.plot_surface(Figure().add_subplot(), X, T, **arguments)


NUMBERS = [
    (function, name)
    for function, names in [
        (fit, ["a", "b", "lr"]),
        (formula, ["a", "b", "lr"]),
        (fit_net, ["lr"]),
        (lt.LineNet, ["a", "b"]),
        (lt.noisy_line, ["a", "b", "noise"]),
        (by_differences, ["h"]),
        (line, ["a", "b"]),
        *[
            (lambda way=way, **p: way(X, T, **{"a": 1.0, "b": 0.0, **p}), ["a", "b"])
            for way in (lt.gradient_by_hand, lt.gradient_by_autograd, lt.gradient_by_differences)
        ],
    ]
    for name in names
]


@pytest.mark.parametrize(("function", "name"), NUMBERS)
@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (NAN, ValueError, "must be finite, got nan"),
        (INFINITE, ValueError, "must be finite, got inf"),
        (-INFINITE, ValueError, "must be finite, got -inf"),
        ("1", TypeError, "must be a number such as 1.0, got str: pass float("),
        (Fraction(1, 10), TypeError, "must be a number such as 1.0, got Fraction: pass float("),
        (10**400, ValueError, "must be finite, got 1000"),
        (True, TypeError, "must be a number such as 1.0, got bool"),
        (1j, TypeError, "must be a number such as 1.0, got complex"),
        (torch.tensor(0.1), TypeError, "must be a number such as 1.0, got Tensor: pass"),
    ],
    ids=["nan", "inf", "-inf", "str", "fraction", "huge", "bool", "complex", "tensor"],
)
def test_what_is_no_finite_number_is_refused_by_name(function, name, value, error, said):
    message = refusal(error, lambda: function(**{name: value}), f"{name} {said}")
    if isinstance(value, (str, Fraction)):
        assert message.endswith(f"pass float({name})")
        function(**{name: float(value) / 10})
    if isinstance(value, torch.Tensor):
        assert message.endswith(f"pass {name}.item()")
        function(**{name: value.item()})


@pytest.mark.parametrize(
    ("function", "name", "value", "said"),
    [
        *[
            (function, "lr", value, f"lr must be above 0, got {value}: {why}")
            for function in (fit, formula, fit_net)
            for value, why in [(0, "with it no step would move"), (-0.1, "the step goes against")]
        ],
        (fit, "steps", -1, "steps must be 0 or more, got -1"),
        (formula, "steps", -1, "steps must be 0 or more, got -1"),
        (fit_net, "steps", -1, "steps must be 0 or more, got -1"),
        (fit_net, "batch_size", 0, "batch_size must be 1 or more, got 0"),
        (fit_net, "batch_size", -3, "batch_size must be 1 or more, got -3"),
        (fit_net, "batch_size", 3, "batch_size must be 2 or less, as many as there are points, go"),
        (fit_net, "seed", -1, "seed must be 0 or more, got -1"),
        (lt.noisy_line, "n", 0, "n must be 1 or more, got 0"),
        (lt.noisy_line, "seed", -1, "seed must be 0 or more, got -1"),
        (lt.noisy_line, "noise", -0.5, "noise must be 0 or more, got -0.5"),
        (by_differences, "h", 0.0, "h must be above 0, got 0.0: it is a distance, 1e-4"),
        (by_differences, "h", -1e-4, "h must be above 0, got -0.0001: it is a distance, 1e-4"),
        (surface, "a", (1.0, 1.0), "a must be a range (low, high) that rises, got (1.0, 1.0)"),
        (surface, "b", (2.0, -1.0), "b must be a range (low, high) that rises, got (2.0, -1.0)"),
        (surface, "a", (0.0, NAN), "a must be finite, got nan"),
        (plots.colour, "name", "pink", "name must be one of line, forward, gradient"),
    ],
)
def test_a_number_out_of_its_range_is_refused_by_name(function, name, value, said):
    refusal(ValueError, lambda: function(**{name: value}), said)


COUNTS = [
    (fit, "steps"),
    (formula, "steps"),
    (fit_net, "steps"),
    (fit_net, "batch_size"),
    (fit_net, "seed"),
    (lt.noisy_line, "n"),
    (lt.noisy_line, "seed"),
]


@pytest.mark.parametrize(
    ("function", "name", "value"),
    [
        (function, name, value)
        for function, name in COUNTS
        for value in [10.0, "10", True, None, torch.tensor(10)]
        # Without a batch size every step learns from all points.
        if not (name == "batch_size" and value is None)
    ],
)
def test_a_count_that_is_no_whole_number_is_refused_by_name(function, name, value):
    said = f"{name} must be a whole number such as 100, got {type(value).__name__} {value!r}: "
    refusal(TypeError, lambda: function(**{name: value}), said + f"pass int({name})")


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (ONES(2, 1), ValueError, "must be one number, got the shape (2, 1): pass one of them"),
        (torch.tensor(1), TypeError, "must be real, got torch.int64: pass"),
        (NAN, ValueError, "must be finite, got nan"),
        ("1", TypeError, "must be a number such as 1.0, got str"),
    ],
    ids=["column", "integer", "nan", "str"],
)
def test_an_error_of_several_lines_at_once_is_refused(name, value, error, said):
    parameters = {"a": 1.0, "b": 0.0, name: value}
    refusal(error, lambda: lt.mean_squared_error(X, T, **parameters), f"{name} {said}")


@pytest.mark.parametrize(("a", "h"), [(1.0, 1e-17), (1e20, 1.0)])
def test_a_distance_too_small_to_move_the_parameters_is_refused(a, h):
    said = f"h must be large enough to move a and b, got {h}: take 1e-4 for example"
    refusal(ValueError, lambda: lt.gradient_by_differences(X, T, a, 0.0, h=h), said)


# Modules and optimizers


class Returns(nn.Module):
    """A module that makes of its layer's prediction whatever it was told to."""

    def __init__(self, make):
        super().__init__()
        self.linear = nn.Linear(1, 1)
        self.make = make

    def forward(self, x):
        return self.make(self.linear(x))


class LayersInAList(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(1, 1)]

    def forward(self, x):
        return self.layers[0](x)


def frozen():
    return lt.LineNet().requires_grad_(False)


def double_bias():
    net = lt.LineNet()
    net.linear.bias.data = net.linear.bias.data.double()
    return net


SGD = torch.optim.SGD
NETS = {
    "a function": (lambda: torch.sin, TypeError, "net must be an nn.Module, got builtin"),
    "a class": (
        lambda: lt.LineNet,
        TypeError,
        "net must be an nn.Module, got type: pass LineNet()",
    ),
    "frozen": (frozen, ValueError, "net must have a parameter that requires a gradient, got none"),
    "layers in a list": (LayersInAList, ValueError, "got none", "assign its layers to self"),
    "no parameters": (nn.Tanh, ValueError, "net must have a parameter that requires a gradient"),
    "other dtype": (lambda: lt.LineNet().double(), ValueError, "net and x", "float64", "net.to(x)"),
    "one of other dtype": (double_bias, ValueError, "net and x", "linear.bias", "net.to(x)"),
    "other device": (lambda: lt.LineNet().to("meta"), ValueError, "net and x", "meta", "net.to(x)"),
    "two outputs": (
        lambda: nn.Linear(1, 2),
        ValueError,
        "net must",
        "(2, 2) and (2, 1)",
        "outputs",
    ),
    "two inputs": (lambda: nn.Linear(2, 1), ValueError, "net raised for x of shape (2, 1)"),
    "a tuple": (
        lambda: Returns(lambda y: (y, y)),
        TypeError,
        "net must return one",
        "tuple",
        "wrap",
    ),
    "flattened": (lambda: Returns(torch.flatten), ValueError, "net must", "(2,) and (2, 1)"),
    "averaged": (lambda: Returns(torch.mean), ValueError, "net must", "() and (2, 1)"),
    "detached": (lambda: Returns(torch.Tensor.detach), ValueError, "net must", "take detach()"),
}


@pytest.mark.parametrize("case", NETS)
@pytest.mark.parametrize("optimizer", [SGD, torch.optim.LBFGS])
def test_a_module_that_cannot_be_fitted_is_refused_unchanged(case, optimizer):
    make, error, *fragments = NETS[case]
    net, (x, t) = make(), lt.two_points()
    parameters = list(net.parameters()) if isinstance(net, nn.Module) else []
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, 7.0)
    gradients = [parameter.grad for parameter in parameters]
    before = snapshot(x, t, *parameters, *gradients)
    refusal(error, lambda: lt.fit_module(x, t, net, optimizer=optimizer), *fragments)
    assert snapshot(x, t, *parameters, *gradients) == before
    assert all(p.grad is g for p, g in zip(parameters, gradients, strict=True))


BAD_ARGUMENTS = {
    "x": {"x": [1.0, 2.0]},
    "t": {"t": T.reshape(2, 1)},
    "lr": {"lr": -0.1},
    "steps": {"steps": -1},
    "batch_size": {"batch_size": 0},
    "optimizer": {"optimizer": "SGD"},
    "option": {"nonsense": 1},
    "option's value": {"momentum": -1.0},
}


@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_a_refused_argument_leaves_the_module_as_it_was(case):
    net = lt.LineNet(a=1.0, b=0.0)
    net.linear.weight.grad = torch.full((1, 1), 7.0)
    gradient = net.linear.weight.grad
    with pytest.raises((TypeError, ValueError)):
        lt.fit_module(**{"x": X, "t": T, "net": net, **BAD_ARGUMENTS[case]})
    assert (net.linear.weight.item(), net.linear.bias.item()) == (1.0, 0.0)
    assert net.linear.weight.grad is gradient and gradient.item() == 7.0
    assert net.linear.bias.grad is None


@pytest.mark.parametrize("mend", ["net.to(x)", "LineNet()"])
def test_the_way_out_for_a_module_leads_out(mend):
    net = lt.LineNet if mend == "LineNet()" else lt.LineNet().double()
    refusal((TypeError, ValueError), lambda: lt.fit_module(X, T, net), f"pass {mend}")
    lt.fit_module(X, T, eval(mend, {"net": net, "x": X, "LineNet": lt.LineNet}), steps=1)


def test_an_optimizer_that_was_already_made_is_refused():
    net = lt.LineNet()
    made = SGD(net.parameters(), lr=0.1)
    message = refusal(TypeError, lambda: lt.fit_module(X, T, net, optimizer=made))
    assert message.startswith("optimizer must be a class such as torch.optim.SGD, got SGD (")
    assert message.endswith("the optimizer is made here, from the parameters of net")
    lt.fit_module(X, T, net, optimizer=type(made), steps=1)


@pytest.mark.parametrize("optimizer", [None, "SGD", 0.1])
def test_what_makes_no_optimizer_is_refused(optimizer):
    said = f"optimizer must be a class such as torch.optim.SGD, got {optimizer!r}"
    refusal(TypeError, lambda: lt.fit_module(X, T, optimizer=optimizer), said)


def test_a_function_that_returns_no_optimizer_is_refused():
    said = "optimizer must make a torch.optim.Optimizer, got NoneType"
    refusal(TypeError, lambda: lt.fit_module(X, T, optimizer=lambda parameters, lr: None), said)


# What the package promises of all it shows


PUBLIC = [
    *(getattr(lt, name) for name in lt.__all__ if inspect.isfunction(getattr(lt, name))),
    *(
        function
        for name, function in inspect.getmembers(plots, inspect.isfunction)
        if function.__module__ == plots.__name__ and not name.startswith("_")
    ),
    lt.LineNet,
    lt.History,
    lt.History.max_difference,
]


def test_the_public_functions_are_all_found():
    names = {function.__name__ for function in PUBLIC}
    assert {"fit_manual", "fit_module", "rate_limit", "two_points"} < names
    assert {"colour", "plot_points", "plot_surface", "plot_path"} < names


@pytest.mark.parametrize("function", PUBLIC, ids=lambda function: function.__qualname__)
def test_every_public_function_has_an_example_that_runs(function):
    assert "Examples\n" in inspect.getdoc(function)
    (test,) = doctest.DocTestFinder(recurse=False).find(
        function, globs=vars(inspect.getmodule(function)).copy()
    )
    result = doctest.DocTestRunner(verbose=False).run(test)
    assert result.attempted > 0 and result.failed == 0


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: lt.fit_manual(X, T, a=1e300), "a"),
        (lambda: lt.fit_manual(X, T, b=-1e300), "b"),
        (lambda: lt.fit_manual(X, T, lr=1e300), "lr"),
        (lambda: lt.fit_module(X, T, lr=1e300), "lr"),
        (lambda: lt.LineNet(1e300, 0.0), "a"),
        (lambda: lt.gradient_by_hand(X, T, 1e300, 0.0), "a"),
        (lambda: lt.noisy_line(2, a=1e300), "a"),
        (lambda: lt.noisy_line(2, seed=2**70), "seed"),
    ],
)
def test_number_that_is_too_large_is_named_before_it_becomes_infinite(call, name):
    with pytest.raises(ValueError, match=rf"^{name} must .*: pass "):
        call()


def test_large_numbers_are_welcome_where_they_fit():
    history = lt.fit_manual(X.double(), T.double(), a=1e100, steps=0)
    assert history.a.item() == 1e100


@pytest.mark.parametrize(
    "call",
    [
        lambda x: lt.fit_manual(x, T),
        lambda x: lt.fit_module(x, T),
        lambda x: lt.gradient_by_autograd(x, T, 1.0, 0.0),
        lambda x: lt.fit_parallel(x, T),
    ],
)
def test_inference_mode_is_named_as_the_cause(call):
    with torch.inference_mode():
        made_there = X + 0
        with pytest.raises(ValueError, match=r"inference_mode\(\): call this outside"):
            call(X)
    with pytest.raises(ValueError, match=r"^x must .*inference_mode\(\): pass x\.clone\(\)"):
        call(made_there)


@pytest.mark.parametrize(
    ("value", "advice"),
    [("1", "pass float(a)"), (True, "pass float(a)"), (None, "pass one that is real"),
     (1j, "pass one that is real"), (torch.tensor(1.0), "pass a.item()")],
)  # fmt: skip
def test_advice_for_a_number_can_be_followed(value, advice):
    with pytest.raises(TypeError, match=rf"^a must be a number.*{re.escape(advice)}$"):
        lt.fit_manual(X, T, a=value)


def test_every_public_name_is_documented():
    assert all(getattr(lt, name).__doc__ for name in lt.__all__)


def test_type_checkers_are_told_to_read_the_annotations():
    assert (resources.files(lt) / "py.typed").is_file()


def test_numbers_of_numpy_are_taken_like_those_of_python():
    x, t = lt.two_points()
    history = lt.fit_manual(x, t, a=np.float32(1.0), lr=np.float64(0.1), steps=np.int64(1))
    assert history[np.int64(1)][1:3] == pytest.approx((1.8, 0.5))
