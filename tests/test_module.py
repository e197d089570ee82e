"""The fit by nn, against the fit by hand, bare loops in torch's idiom and closed forms."""

import inspect
import warnings
from functools import partial
from itertools import chain, repeat

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from linreg_tutorial import (
    DivergenceWarning,
    LineNet,
    fit_manual,
    fit_module,
    gradient_by_autograd,
    mean_squared_error,
    noisy_line,
    two_points,
)

X, T = two_points()
COLUMNS = X.reshape(-1, 1), T.reshape(-1, 1)

# All that torch.optim has, but for two: SparseAdam takes no dense gradients, Muon only matrices.
OPTIMIZERS = [
    optimizer
    for optimizer in vars(torch.optim).values()
    if inspect.isclass(optimizer)
    and issubclass(optimizer, torch.optim.Optimizer)
    and optimizer not in (torch.optim.Optimizer, torch.optim.SparseAdam, torch.optim.Muon)
]


def network(inputs=1, outputs=1):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(inputs, 3), nn.Tanh(), nn.Linear(3, outputs))


def bare_loop(net, optimizer, batches, **options):
    """Fit ``net`` to one batch after the other, as one would without the package."""
    optimizer = optimizer(net.parameters(), **options)
    loss = nn.MSELoss()

    def error_at(x, t):
        optimizer.zero_grad()
        error = loss(net(x), t)
        error.backward()
        return error

    for batch in batches:
        if isinstance(optimizer, torch.optim.LBFGS):
            optimizer.step(partial(error_at, *batch))
        else:
            error_at(*batch)
            optimizer.step()


def assert_same_parameters(net, other):
    mine, theirs = dict(net.named_parameters()), dict(other.named_parameters())
    assert mine.keys() == theirs.keys()
    for name, parameter in mine.items():
        assert torch.equal(parameter, theirs[name]), name


# A line


class Net(nn.Module):
    """The article's class of section 10."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x):
        return self.linear(x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_the_usual_way_computes_the_same_as_by_hand(dtype):
    x, t = X.to(dtype), T.to(dtype)
    # Numbers up to 8, some ten roundings a step, and no step enlarges what a step before left.
    tolerance = 100 * 10 * 8 * torch.finfo(dtype).eps
    assert fit_module(x, t).max_difference(fit_manual(x, t)) < tolerance


@pytest.mark.parametrize(
    "make",
    [LineNet, Net, lambda: nn.Sequential(nn.Linear(1, 1)), lambda: nn.Linear(1, 1)],
    ids=["LineNet", "article's class", "Sequential", "Linear"],
)
def test_every_way_to_write_a_line_gives_a_slope_and_an_intercept(make):
    net = make().double()
    weight, bias = net.parameters()
    a, b = weight.item(), bias.item()
    history = fit_module(X.double(), T.double(), net, steps=10)
    by_hand = fit_manual(X.double(), T.double(), a=a, b=b, steps=10)
    # Ten steps of ten roundings of numbers up to 30 or so.
    assert history.max_difference(by_hand) < 10 * 10 * 30 * torch.finfo(torch.float64).eps
    assert (history.a[0], history.b[0]) == (a, b)


def test_a_hundred_steps_end_where_the_article_does():
    last = fit_module(X, T)[-1]
    assert (last.step, f"{last.a:.4f}", f"{last.b:.4f}") == (100, "2.0393", "0.9364")


def test_rows_and_columns_of_points_are_fitted_alike():
    assert fit_module(X, T).max_difference(fit_module(*COLUMNS)) == 0.0


def test_a_line_starts_where_it_is_told_to():
    net = LineNet(a=-2.5, b=3)
    assert net(torch.tensor([[0.0], [2.0]])).tolist() == [[3.0], [-2.0]]


def test_a_line_that_is_not_told_where_starts_like_any_linear_layer():
    torch.manual_seed(7)
    linear = nn.Linear(1, 1)
    torch.manual_seed(7)
    net = LineNet()
    assert (net.linear.weight.item(), net.linear.bias.item()) == (
        linear.weight.item(),
        linear.bias.item(),
    )


def test_only_the_given_half_of_a_start_is_fixed():
    torch.manual_seed(7)
    bias = LineNet().linear.bias.item()
    torch.manual_seed(7)
    net = LineNet(a=5.0)
    assert (net.linear.weight.item(), net.linear.bias.item()) == (5.0, bias)


# Optimizers


def test_all_optimizers_of_torch_are_tried():
    assert {torch.optim.SGD, torch.optim.Adam, torch.optim.LBFGS} < set(OPTIMIZERS)


@pytest.mark.parametrize("make", [LineNet, network], ids=["line", "network"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.__name__)
def test_every_optimizer_ends_exactly_where_the_bare_loop_does(optimizer, make):
    torch.manual_seed(0)
    net = make()
    torch.manual_seed(0)
    other, start = make(), make()
    start.load_state_dict(net.state_dict())
    fit_module(X, T, net, optimizer=optimizer, lr=0.02, steps=20)
    bare_loop(other, optimizer, repeat(COLUMNS, 20), lr=0.02)
    assert_same_parameters(net, other)
    with pytest.raises(AssertionError):
        assert_same_parameters(net, start)


def test_an_optimizer_of_matrices_ends_exactly_where_the_bare_loop_does():
    def matrices():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(1, 3, bias=False), nn.Linear(3, 1, bias=False))

    net, other = matrices(), matrices()
    fit_module(X, T, net, optimizer=torch.optim.Muon, lr=0.02, steps=5)
    bare_loop(other, torch.optim.Muon, repeat(COLUMNS, 5), lr=0.02)
    assert_same_parameters(net, other)


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        (torch.optim.SGD, {"momentum": 0.9}),
        (torch.optim.SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
        (torch.optim.Adam, {"betas": (0.5, 0.6), "amsgrad": True}),
        (torch.optim.LBFGS, {"max_iter": 3, "line_search_fn": "strong_wolfe"}),
    ],
)
def test_options_reach_the_optimizer(optimizer, options):
    net, other = network(), network()
    fit_module(X, T, net, optimizer=optimizer, lr=0.02, steps=20, **options)
    bare_loop(other, optimizer, repeat(COLUMNS, 20), lr=0.02, **options)
    assert_same_parameters(net, other)
    without = network()
    fit_module(X, T, without, optimizer=optimizer, lr=0.02, steps=20)
    with pytest.raises(AssertionError):
        assert_same_parameters(net, without)


def test_momentum_carries_the_steps_before_along():
    history = fit_module(X.double(), T.double(), momentum=0.5, steps=30)
    hessian = torch.tensor([[5.0, 3.0], [3.0, 2.0]], dtype=torch.float64)
    solution = torch.tensor([2.0, 1.0], dtype=torch.float64)
    place, velocity = torch.tensor([1.0, 0.0], dtype=torch.float64), torch.zeros(2).double()
    for a, b in zip(history.a, history.b, strict=True):
        # Thirty steps of ten roundings of numbers up to 16.
        torch.testing.assert_close(torch.stack([a, b]), place, rtol=0, atol=1e-12)
        velocity = 0.5 * velocity + hessian @ (place - solution)
        place = place - 0.1 * velocity


def test_an_optimizer_of_the_reader_s_own_needs_no_closure():
    class Plain(torch.optim.Optimizer):
        def __init__(self, parameters, lr):
            super().__init__(parameters, {"lr": lr})

        @torch.no_grad()
        def step(self):
            for group in self.param_groups:
                for parameter in group["params"]:
                    parameter -= group["lr"] * parameter.grad

    own, by_torch = LineNet(a=1.0, b=0.0), LineNet(a=1.0, b=0.0)
    fit_module(X, T, own, optimizer=Plain, steps=20)
    fit_module(X, T, by_torch, steps=20)
    # The update of torch rounds once where this one rounds twice.
    assert own.linear.weight.item() == pytest.approx(by_torch.linear.weight.item(), rel=1e-5)


# Any module


class Wide(nn.Module):
    """Two layers, one parameter of its own, one that no prediction needs."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.scale = nn.Parameter(torch.tensor(-1.5))
        self.unused = nn.Parameter(torch.tensor(-3.0))
        self.unused_matrix = nn.Parameter(torch.full((2, 2), -3.0))
        self.hidden = nn.Linear(2, 4)
        self.out = nn.Linear(4, 1)

    def forward(self, x):
        return self.scale * self.out(torch.tanh(self.hidden(x)))


def wide_points(n=12, outputs=1):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, 2, generator=generator, dtype=torch.float64)
    return x, torch.randn(n, outputs, generator=generator, dtype=torch.float64)


def test_every_row_of_a_network_holds_what_autograd_finds_there():
    net = Wide().double()
    x, t = wide_points()
    history = fit_module(x, t, net, steps=5)
    used = [name for name in history.values if not name.startswith("unused")]
    for row in range(6):
        values = {
            name: column[row].clone().requires_grad_() for name, column in history.values.items()
        }
        error = ((torch.func.functional_call(net, values, (x,)) - t) ** 2).mean()
        gradients = torch.autograd.grad(error, [values[name] for name in used])
        assert history.error[row].item() == pytest.approx(error.item(), rel=1e-14)
        for name, gradient in zip(used, gradients, strict=True):
            # The same sums of 12 terms, perhaps in another order.
            torch.testing.assert_close(
                history.gradients[name][row], gradient, rtol=1e-13, atol=1e-15
            )


def test_the_history_of_a_network_has_the_names_and_shapes_of_its_parameters():
    history = fit_module(*wide_points(), Wide().double(), steps=5)
    shapes = {name: tuple(column.shape) for name, column in history.values.items()}
    assert shapes == {
        "scale": (6,),
        "unused": (6,),
        "unused_matrix": (6, 2, 2),
        "hidden.weight": (6, 4, 2),
        "hidden.bias": (6, 4),
        "out.weight": (6, 1, 4),
        "out.bias": (6,),
    }
    assert {name: tuple(column.shape) for name, column in history.gradients.items()} == shapes


@pytest.mark.parametrize("name", ["unused", "unused_matrix"])
def test_the_gradient_of_an_unused_parameter_is_zero(name):
    history = fit_module(*wide_points(), Wide().double(), steps=3)
    gradients = history.gradients[name]
    assert (gradients == 0).all() and not gradients.signbit().any()
    assert (history.values[name] == -3.0).all()


def test_a_frozen_parameter_stays_and_is_not_in_the_history():
    net = network()
    net[0].weight.requires_grad_(False)
    frozen, free = net[0].weight.clone(), net[2].weight.clone()
    history = fit_module(X, T, net, steps=5)
    assert list(history.values) == ["0.bias", "2.weight", "2.bias"]
    assert torch.equal(net[0].weight, frozen)
    assert not torch.equal(net[2].weight, free)


def test_a_line_through_a_fixed_point_is_fitted_by_its_slope_alone():
    net = LineNet(a=1.0, b=0.0).double()
    net.linear.bias.requires_grad_(False)
    history = fit_module(X.double(), T.double(), net)
    # e = mean((t - a·x)²) is least at a = Σxt / Σx² = 13/5; a step shrinks the way by 1 - 0.1·5.
    exact = 2.6 + (1 - 2.6) * 0.5 ** torch.arange(101.0, dtype=torch.float64)
    torch.testing.assert_close(history.values["linear.weight"], exact, rtol=0, atol=1e-14)
    with pytest.raises(AttributeError, match=r"Its parameters are linear\.weight"):
        _ = history.a


def test_another_parameter_beside_a_line_is_not_taken_for_its_slope():
    class Scaled(Net):
        def __init__(self):
            super().__init__()
            self.linear.weight.requires_grad_(False)
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, x):
            return self.scale * self.linear(x)

    assert list(fit_module(X, T, Scaled(), steps=1).values) == ["scale", "linear.bias"]


def test_several_inputs_are_fitted_to_the_least_squares_solution():
    x, t = wide_points()
    net = nn.Linear(2, 1).double()
    fit_module(x, t, net, steps=3000)
    design = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    solution = torch.linalg.lstsq(design, t).solution.flatten()
    found = torch.cat([net.weight.detach().flatten(), net.bias.detach()])
    torch.testing.assert_close(found, solution, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("inputs", "outputs"), [(2, 1), (1, 2)])
def test_a_layer_of_several_numbers_is_not_called_a_line(inputs, outputs):
    x, t = torch.ones(3, inputs), torch.ones(3, outputs)
    history = fit_module(x, t, nn.Linear(inputs, outputs), steps=1)
    assert list(history.values) == ["weight", "bias"]


def test_several_outputs_are_fitted_exactly_as_by_the_bare_loop():
    x, t = (values.float() for values in wide_points(outputs=2))
    net, other = network(2, 2), network(2, 2)
    fit_module(x, t, net, steps=20)
    bare_loop(other, torch.optim.SGD, repeat((x, t), 20), lr=0.1)
    assert_same_parameters(net, other)


def test_a_line_of_noisy_points_is_fitted_as_by_hand():
    x, t = (values.double() for values in noisy_line(40))
    by_hand = fit_manual(x, t, a=0.5, b=0.5, lr=0.05)
    by_nn = fit_module(x, t, LineNet(a=0.5, b=0.5).double(), lr=0.05)
    # A hundred steps, sums of forty terms, gradients up to 100.
    assert by_nn.max_difference(by_hand) < 100 * 40 * 100 * torch.finfo(torch.float64).eps


# In place


def test_the_module_itself_is_fitted():
    net = network()
    before = list(net.parameters())
    history = fit_module(X, T, net, steps=5)
    for (name, parameter), old in zip(net.named_parameters(), before, strict=True):
        assert parameter is old
        assert torch.equal(parameter.reshape(-1), history.values[name][-1].reshape(-1))
        assert torch.equal(parameter.grad.reshape(-1), history.gradients[name][-1].reshape(-1))


def test_a_second_fit_goes_on_where_the_first_ended():
    net, whole = network(), fit_module(X, T, network(), steps=12)
    first, second = (fit_module(X, T, net, steps=steps) for steps in (5, 7))
    for name, column in whole.values.items():
        assert torch.equal(torch.cat([first.values[name][:-1], second.values[name]]), column)


def test_gradients_from_before_the_fit_do_not_pile_up():
    net = network()
    net(COLUMNS[0]).sum().backward()
    assert fit_module(X, T, net, steps=5).max_difference(fit_module(X, T, network(), steps=5)) == 0


def test_the_default_line_is_a_new_one_every_time():
    assert fit_module(X, T, steps=5).max_difference(fit_module(X, T, steps=5)) == 0.0


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.LBFGS])
def test_no_steps_leave_the_state_before_the_first_step(optimizer):
    net = LineNet(a=1.0, b=0.0)
    history = fit_module(X, T, net, optimizer=optimizer, steps=0)
    assert list(history) == [(0, 1.0, 0.0, -8.0, -5.0, 6.5)]
    assert (net.linear.weight.item(), net.linear.bias.item()) == (1.0, 0.0)


def test_the_module_predicts_once_a_step_and_once_at_the_end():
    calls = []
    net = LineNet(a=1.0, b=0.0)
    net.register_forward_hook(lambda *_: calls.append(1))
    fit_module(X, T, net, steps=10)
    assert len(calls) == 11


# Batches


def shuffling_loader(x, t, batch_size, seed):
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(TensorDataset(x, t), batch_size=batch_size, shuffle=True, generator=generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("make", [LineNet, network], ids=["line", "network"])
@pytest.mark.parametrize("batch_size", [1, 7, 32])
@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        (torch.optim.SGD, {"lr": 0.02}),
        (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
        (torch.optim.Adam, {"lr": 0.02}),
        (torch.optim.LBFGS, {"lr": 0.02, "max_iter": 3}),
    ],
    ids=["SGD", "momentum", "Adam", "LBFGS"],
)
def test_batches_lead_exactly_where_the_bare_loop_over_them_does(
    optimizer, options, batch_size, make, dtype
):
    x, t = (values.to(dtype).reshape(-1, 1) for values in noisy_line(40))
    torch.manual_seed(0)
    net = make().to(dtype)
    torch.manual_seed(0)
    other = make().to(dtype)
    loader = shuffling_loader(x, t, batch_size, seed=3)
    steps = 2 * len(loader)
    fit_module(
        x, t, net, optimizer=optimizer, batch_size=batch_size, seed=3, steps=steps, **options
    )
    bare_loop(other, optimizer, chain(loader, loader), **options)
    assert_same_parameters(net, other)


def test_a_batch_of_all_points_learns_what_the_full_run_learns():
    x, t = (values.double() for values in noisy_line(40))
    batch = fit_module(x, t, lr=0.05, batch_size=40)
    # Only the order of the sums differs: a hundred steps, forty terms, gradients up to 100.
    assert batch.max_difference(fit_module(x, t, lr=0.05)) < 100 * 40 * 100 * 2.3e-16


def used_batches(n, batch_size, steps):
    """Return the inputs of each step of a fit to ``n`` points."""
    seen = []
    net = LineNet(a=0.0, b=0.0)
    net.register_forward_hook(lambda _, inputs, y: seen.append(inputs[0].flatten().tolist()))
    fit_module(*noisy_line(n), net, lr=0.01, batch_size=batch_size, steps=steps)
    # Before the first step and after each, all points are looked at for the history.
    everything, batches = seen[0::2], seen[1::2]
    assert all(points == noisy_line(n)[0].tolist() for points in everything)
    return batches


def test_every_point_is_used_once_before_any_is_used_again():
    batches = used_batches(10, batch_size=4, steps=9)
    assert [len(batch) for batch in batches] == [4, 4, 2] * 3
    epochs = [list(chain(*batches[i : i + 3])) for i in (0, 3, 6)]
    x = noisy_line(10)[0].tolist()
    assert [sorted(epoch) for epoch in epochs] == [x] * 3
    assert len({tuple(epoch) for epoch in [x, *epochs]}) == 4, "each epoch has an order of its own"


def test_the_history_of_batches_is_that_of_all_points():
    x, t = (values.double() for values in noisy_line(40))
    history = fit_module(x, t, lr=0.02, batch_size=3, steps=30)
    for state in history:
        error = mean_squared_error(x, t, state.a, state.b).item()
        gradient = gradient_by_autograd(x, t, state.a, state.b)
        # Sums of forty terms up to 100.
        assert state.error == pytest.approx(error, rel=40 * 2.3e-16)
        assert (state.grad_a, state.grad_b) == pytest.approx(gradient, abs=40 * 100 * 2.3e-16)


def test_the_same_seed_gives_the_same_batches_and_another_seed_others():
    one, again, other = (
        fit_module(*noisy_line(40), lr=0.02, batch_size=8, steps=5, seed=seed) for seed in (0, 0, 1)
    )
    assert one.max_difference(again) == 0.0
    assert one.max_difference(other) > 0.01


def test_batches_leave_the_reader_s_random_numbers_alone():
    net = LineNet()
    before = torch.get_rng_state()
    fit_module(*noisy_line(40), net, lr=0.02, batch_size=8, steps=20)
    assert torch.equal(torch.get_rng_state(), before)


def test_no_steps_take_no_batch():
    assert used_batches(10, batch_size=4, steps=0) == []


def test_a_fit_of_batches_that_diverges_names_no_limit_of_all_points():
    # 0.15 is below the limit of all points, 0.16, and far above that of the rightmost alone, 0.06.
    history, message = diverged(*noisy_line(40), lr=0.15, batch_size=1, steps=5000)
    assert history.steps < 5000
    assert "lr <" not in message and "no fixed limit is known" in message


# Divergence


def diverged(*args, **kwargs):
    """Return the history of a fit that must diverge, and the one warning it gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = fit_module(*args, **kwargs)
    assert [warning.category for warning in caught] == [DivergenceWarning]
    assert caught[0].filename == __file__
    return history, str(caught[0].message)


def test_a_line_that_diverges_ends_where_the_bare_loop_does_and_names_the_limit():
    net, other = LineNet(a=1.0, b=0.0), LineNet(a=1.0, b=0.0)
    history, message = diverged(X, T, net, lr=0.3, steps=2000)
    bare_loop(other, torch.optim.SGD, repeat(COLUMNS, history.steps), lr=0.3)
    assert_same_parameters(net, other)
    assert not nn.MSELoss()(other(COLUMNS[0]), COLUMNS[1]).isfinite()
    assert history.error[:-1].isfinite().all() and not history.error[-1].isfinite()
    assert f"after step {history.steps}" in message
    assert "lr is 0.3;" in message and "lr < 0.2918" in message


class FixedBias(Net):
    """A line whose bias stays as it is: its limit is another one."""

    def __init__(self):
        super().__init__()
        self.linear.bias.requires_grad_(False)


def two_layers():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 3), nn.Linear(3, 1))


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (LineNet, {"optimizer": torch.optim.Adam, "lr": 1e30}),
        (LineNet, {"momentum": 0.9, "lr": 10.0}),
        (LineNet, {"weight_decay": 0.1, "lr": 10.0}),
        (FixedBias, {"lr": 10.0}),
        (two_layers, {"lr": 10.0}),
    ],
    ids=["Adam", "momentum", "weight decay", "frozen bias", "network"],
)
def test_where_no_limit_is_known_none_is_named(make, options):
    history, message = diverged(X, T, make(), steps=1000, **options)
    assert f"after step {history.steps}" in message
    assert f"lr is {options['lr']};" in message
    assert "no fixed limit is known for this module and optimizer" in message
    assert "lr <" not in message and "0.2918" not in message


def test_a_line_that_starts_too_far_is_not_blamed_on_the_rate():
    history, message = diverged(X, T, LineNet(a=1e30, b=0.0), steps=5)
    assert history.steps == 0
    assert "the start or the data are too large" in message


def test_a_rate_just_below_the_limit_converges_without_a_warning():
    # Warnings are errors here. (1 - 0.29 · 6.8541)^2000 = 0.9877^2000 = 2e-11.
    last = fit_module(X.double(), T.double(), lr=0.29, steps=2000)[-1]
    assert (last.a, last.b) == pytest.approx((2.0, 1.0), abs=1e-10)


class SquaredLine(LineNet):
    def forward(self, x):
        return self.linear(x) ** 2


class LineOfLine(LineNet):
    def forward(self, x):
        return self.linear(self.linear(x))


def test_a_line_that_is_bent_elsewhere_is_not_called_a_line():
    net = nn.Sequential(LineNet(a=1.0, b=0.0), nn.ReLU())
    assert list(fit_module(X, T, net, steps=1).values) == ["0.linear.weight", "0.linear.bias"]


@pytest.mark.parametrize("curve", [SquaredLine, LineOfLine])
def test_a_module_that_holds_a_line_but_returns_another_curve_is_not_called_a_line(curve):
    history = fit_module(*two_points(), curve(a=0.5, b=0.5), lr=0.01, steps=3)
    assert list(history.values) == ["linear.weight", "linear.bias"]
    with pytest.raises(AttributeError, match=r"no line"):
        _ = history.a


def test_a_fit_inside_no_grad_still_learns():
    with torch.no_grad():
        by_hand = fit_manual(*two_points(), steps=1)
        by_nn = fit_module(*two_points(), steps=1)
    assert by_hand[1][1:3] == pytest.approx((1.8, 0.5))
    assert by_nn[1][1:3] == pytest.approx((1.8, 0.5))


def test_a_lazy_layer_is_refused_with_the_way_out():
    net = nn.LazyLinear(1)
    x, t = (column.reshape(2, 1) for column in two_points())
    with pytest.raises(ValueError, match=r"net must know .* call net\(x\) once"):
        fit_module(x, t, net)
    net(x)
    assert fit_module(x, t, net, steps=1).steps == 1
