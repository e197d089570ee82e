"""The fit by hand, against the article, exact fractions, a closed form and a bare loop."""

import warnings
from fractions import Fraction

import pytest
import torch

from linreg_tutorial import DivergenceWarning, fit_manual, noisy_line, rate_limit, two_points

X, T = two_points()
HESSIAN = torch.tensor([[5.0, 3.0], [3.0, 2.0]], dtype=torch.float64)
START = torch.tensor([1.0, 0.0], dtype=torch.float64)
SOLUTION = torch.tensor([2.0, 1.0], dtype=torch.float64)

both_dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


def points(dtype):
    return X.to(dtype), T.to(dtype)


def bare_loop(x, t, lr, steps, a=1.0, b=0.0):
    """Return every a, b and error of the article's own loop, which ends where the error does."""
    a = torch.tensor(a, dtype=x.dtype, requires_grad=True)
    b = torch.tensor(b, dtype=x.dtype, requires_grad=True)
    rows = []
    for _ in range(steps + 1):
        y = a * x + b
        e = torch.mean((t - y) ** 2)
        e.backward()
        rows.append((a.item(), b.item(), a.grad.item(), b.grad.item(), e.item()))
        if not e.isfinite():
            break
        a = (a - a.grad * lr).detach().requires_grad_()
        b = (b - b.grad * lr).detach().requires_grad_()
    return torch.tensor(rows, dtype=x.dtype)


def columns(history):
    return torch.stack([history.a, history.b, history.grad_a, history.grad_b, history.error], 1)


# The article's numbers


@both_dtypes
def test_the_first_gradients_are_exactly_the_article_s(dtype):
    start = fit_manual(*points(dtype), steps=0)[0]
    assert start == (0, 1.0, 0.0, -8.0, -5.0, 6.5)


@both_dtypes
def test_one_step_ends_where_the_article_does(dtype):
    one = fit_manual(*points(dtype), steps=1)[1]
    # One multiplication and one subtraction, each rounded once; the results are below 2.
    assert (one.a, one.b) == pytest.approx((1.8, 0.5), abs=2 * torch.finfo(dtype).eps)


@both_dtypes
def test_a_hundred_steps_end_where_the_article_does(dtype):
    last = fit_manual(*points(dtype), a=1.0, b=0.0, lr=0.1, steps=100)[-1]
    assert (last.step, f"{last.a:.4f}", f"{last.b:.4f}") == (100, "2.0393", "0.9364")


def test_the_article_s_settings_are_the_defaults():
    given = fit_manual(X, T, a=1.0, b=0.0, lr=0.1, steps=100)
    assert torch.equal(columns(fit_manual(X, T)), columns(given))


def test_one_step_and_then_a_hundred_more_end_a_little_nearer():
    last = fit_manual(X, T, steps=101)[-1]
    assert (f"{last.a:.4f}", f"{last.b:.4f}") == ("2.0387", "0.9374")


@pytest.mark.parametrize(
    ("lr", "a", "b"), [(0.01, "2.147", "0.761"), (0.1, "2.039", "0.936"), (0.2, "2.009", "0.986")]
)
def test_other_rates_end_where_the_course_says(lr, a, b):
    last = fit_manual(X, T, lr=lr)[-1]
    assert (f"{last.a:.3f}", f"{last.b:.3f}") == (a, b)


# Every step


@both_dtypes
def test_the_first_steps_are_those_of_exact_fractions(dtype):
    a, b, lr = Fraction(1), Fraction(0), Fraction(1, 10)
    expected = []
    for _ in range(6):
        misses = [a * 1 + b - 3, a * 2 + b - 5]
        slope, intercept = misses[0] * 1 + misses[1] * 2, misses[0] + misses[1]
        error = (misses[0] ** 2 + misses[1] ** 2) / 2
        expected.append([float(number) for number in (a, b, slope, intercept, error)])
        a, b = a - lr * slope, b - lr * intercept
    # Some ten roundings a step of numbers up to 8, and no step enlarges them.
    torch.testing.assert_close(
        columns(fit_manual(*points(dtype), steps=5)),
        torch.tensor(expected, dtype=dtype),
        rtol=0,
        atol=5 * 10 * 8 * torch.finfo(dtype).eps,
    )


@pytest.mark.parametrize("lr", [0.01, 0.1, 0.29])
def test_every_step_lies_on_the_exact_trajectory(lr):
    history = fit_manual(*points(torch.float64), lr=lr, steps=300)
    step = torch.eye(2, dtype=torch.float64) - lr * HESSIAN
    powers = torch.stack([torch.linalg.matrix_power(step, k) for k in range(301)])
    exact = SOLUTION + powers @ (START - SOLUTION)
    # 300 steps of some ten roundings of numbers below 8, at most 3e-12 if all went one way.
    torch.testing.assert_close(torch.stack([history.a, history.b], 1), exact, rtol=0, atol=3e-12)
    gradients = (exact - SOLUTION) @ HESSIAN
    torch.testing.assert_close(
        torch.stack([history.grad_a, history.grad_b], 1), gradients, rtol=0, atol=8 * 3e-12
    )


@both_dtypes
@pytest.mark.parametrize("lr", [0.1, 0.25])
def test_every_row_is_bit_by_bit_that_of_the_article_s_loop(dtype, lr):
    x, t = (values.to(dtype) for values in noisy_line(30))
    history = fit_manual(x, t, a=-1.0, b=3.0, lr=lr / 5, steps=200)
    assert torch.equal(columns(history), bare_loop(x, t, lr / 5, 200, a=-1.0, b=3.0))


def test_a_long_fit_ends_at_the_least_squares_solution():
    x, t = (values.double() for values in noisy_line(50))
    last = fit_manual(x, t, steps=2000)[-1]
    solution = torch.linalg.lstsq(torch.stack([x, torch.ones_like(x)], 1), t[:, None]).solution
    # The slow direction has shrunk to nothing; what remains is rounding.
    assert (last.a, last.b) == pytest.approx(solution.flatten().tolist(), abs=1e-12)


# What goes in and what comes out


@both_dtypes
def test_no_steps_leave_the_state_before_the_first_step(dtype):
    history = fit_manual(*points(dtype), a=2.0, b=1.0, steps=0)
    assert list(history) == [(0, 2.0, 1.0, 0.0, 0.0, 0.0)]


@both_dtypes
def test_the_history_has_the_dtype_of_the_points(dtype):
    history = fit_manual(*points(dtype), steps=3)
    assert columns(history).dtype == history.error.dtype == dtype


def test_a_column_of_points_is_fitted_as_a_row_of_them():
    column = fit_manual(X.reshape(-1, 1), T.reshape(-1, 1))
    assert torch.equal(columns(column), columns(fit_manual(X, T)))


def test_whole_numbers_may_start_a_fit():
    assert torch.equal(columns(fit_manual(X, T, a=1, b=0)), columns(fit_manual(X, T)))


def test_a_fit_leaves_the_points_as_they_were():
    x, t = two_points()
    fit_manual(x, t)
    assert torch.equal(x, X) and torch.equal(t, T)
    assert not x.requires_grad and x.grad is None


# Divergence


def diverged(*args, **kwargs):
    """Return the history of a fit that must diverge, and the one warning it gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = fit_manual(*args, **kwargs)
    assert [warning.category for warning in caught] == [DivergenceWarning]
    return history, caught[0]


def test_float32_overflows_where_the_closed_form_does():
    history, warning = diverged(X, T, lr=0.3, steps=2000)
    # The mean is a sum first: it overflows once the squares of what the line misses add up to
    # more than float32 can hold. That sum grows by 12 % a step, so rounding cannot shift it.
    ones_and_x = torch.tensor([[1.0, 1.0], [2.0, 1.0]], dtype=torch.float64)
    step = torch.eye(2, dtype=torch.float64) - 0.3 * HESSIAN
    largest = torch.finfo(torch.float32).max
    misses = START - SOLUTION
    steps = 0
    while ((ones_and_x @ misses) ** 2).sum() <= largest:
        misses = step @ misses
        steps += 1
    assert steps == 788  # the 789th time that the loop computes the error
    assert history.steps == steps
    assert f"after step {steps}" in str(warning.message)


@both_dtypes
def test_a_diverging_fit_returns_the_rows_up_to_its_first_infinite_error(dtype):
    x, t = points(dtype)
    history, _ = diverged(x, t, lr=1.0, steps=1000)
    assert history.steps < 1000
    assert not history.error[-1].isfinite()
    assert columns(history)[:-1].isfinite().all()
    assert torch.equal(columns(history), bare_loop(x, t, 1.0, 1000))


def test_the_warning_names_the_step_the_rate_and_the_rate_limit():
    _, warning = diverged(X, T, lr=0.3, steps=2000)
    message = str(warning.message)
    assert "after step 788" in message
    assert "lr is 0.3;" in message
    assert "converges for lr < 0.2918" in message


def test_the_warning_points_at_the_line_of_the_reader():
    _, warning = diverged(X, T, lr=0.3, steps=2000)
    assert warning.filename == __file__


def test_a_rate_below_the_one_that_the_warning_names_converges():
    limit = rate_limit(X)
    history = fit_manual(*points(torch.float64), lr=0.99 * limit, steps=2000)
    # (1 - 2 · 0.99)^2000 = 0.98^2000 = 3e-18, so only rounding remains.
    assert history[-1][1:3] == pytest.approx((2.0, 1.0), abs=1e-12)


def test_a_rate_just_below_the_limit_converges_without_a_warning():
    # Warnings are errors here. (1 - 0.29 · 6.8541)^2000 = 0.9877^2000 = 2e-11.
    last = fit_manual(*points(torch.float64), lr=0.29, steps=2000)[-1]
    assert (last.a, last.b) == pytest.approx((2.0, 1.0), abs=1e-10)


def test_a_limit_of_any_size_is_named_with_its_digits():
    x, t = torch.tensor([1000.0, 2000.0]), torch.tensor([3.0, 5.0])
    # The Hessian is [[5e6, 3e3], [3e3, 2]]: λ is 5e6 but for a millionth, and 2/λ = 4e-7.
    _, warning = diverged(x, t, lr=0.1)
    assert "converges for lr < 4e-07" in str(warning.message)


def test_a_rate_above_the_limit_is_no_reason_to_warn_while_the_error_is_finite():
    assert fit_manual(X, T, lr=0.3, steps=787).steps == 787


@pytest.mark.parametrize("steps", [0, 5])
def test_a_start_that_is_too_large_is_not_blamed_on_the_rate(steps):
    history, warning = diverged(X, T, a=1e30, steps=steps)
    assert history.steps == 0
    assert (history[0].a, history[0].error) == (torch.tensor(1e30).item(), float("inf"))
    assert "at the start the error is not finite" in str(warning.message)
    assert "the start or the data are too large" in str(warning.message)


def test_the_same_start_fits_float64():
    assert fit_manual(*points(torch.float64), a=1e30, steps=5).steps == 5
