"""The surface of the error, against exact fractions, torch, and walks that are walked."""

import linecache
import warnings
from fractions import Fraction

import pytest
import torch

import linreg_tutorial as lt

X, T = lt.two_points()
ROOT = 45**0.5
# λ² - 7λ + 1 = 0, the characteristic polynomial of [[5, 3], [3, 2]].
FLAT, STEEP = (7 - ROOT) / 2, (7 + ROOT) / 2
LIMIT = 2 / STEEP


def diverged(fit, x, t, **settings):
    """Return a history and the one warning that came with it."""
    with pytest.warns(lt.DivergenceWarning) as caught:
        history = fit(x, t, **settings)
    (warning,) = caught
    return history, warning


def distances_of(history, to=(2.0, 1.0)):
    return torch.hypot(history.a.double() - to[0], history.b.double() - to[1])


# How it bends, and which rate that allows


def test_the_hessian_of_the_two_points_is_exactly_5_3_3_2():
    assert lt.hessian(X).tolist() == [[5.0, 3.0], [3.0, 2.0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_hessian_is_what_torch_differentiates_twice(dtype):
    x, t = (values.to(dtype) for values in lt.noisy_line(16))

    def error(parameters):
        a, b = parameters
        return ((a * x + b - t) ** 2).mean()

    start = torch.tensor([0.3, -2.0], dtype=dtype)
    expected = torch.autograd.functional.hessian(error, start)
    # Entries up to 13, sums of 16 terms.
    assert lt.hessian(x).dtype == dtype
    torch.testing.assert_close(lt.hessian(x), expected, rtol=16 * torch.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_rate_limit_is_two_over_the_larger_eigenvalue(dtype):
    # λ² - 7λ + 1 = 0, so λ = (7 + √45) / 2. Computed in float64 whatever x is.
    assert lt.rate_limit(X.to(dtype)) == pytest.approx(4 / (7 + 45**0.5), rel=1e-14)


@pytest.mark.parametrize("points", [lt.two_points(), lt.noisy_line(10)], ids=["two", "noisy"])
def test_just_below_the_limit_a_fit_closes_in_and_just_above_it_runs_away(points):
    x, t = (values.double() for values in points)
    limit = lt.rate_limit(x)
    below, above = (lt.fit_manual(x, t, lr=f * limit, steps=400).error for f in (0.99, 1.01))
    # Along the steepest direction a step multiplies by -0.98 or by -1.02.
    assert below[-1] < below[-2] < below[0]
    assert above[-1] > above[-2] > above[0]


def test_the_best_rate_of_the_two_points_is_two_sevenths():
    # λ + λ' = 7, the sum of the diagonal.
    assert lt.best_rate(X) == 2 / 7


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_best_rate_is_two_over_the_sum_of_the_bends_that_torch_finds(dtype):
    x, t = (values.to(dtype) for values in lt.noisy_line(16))

    def error(place):
        return ((place[0] * x.double() + place[1] - t.double()) ** 2).mean()

    bends = torch.linalg.eigvalsh(
        torch.autograd.functional.hessian(error, torch.zeros(2, dtype=torch.float64))
    )
    # The eigenvalues and the sums of 16 terms are rounded some 20 times.
    assert lt.best_rate(x) == pytest.approx(2 / bends.sum().item(), rel=20 * 2.2e-16)


def test_at_the_best_rate_both_directions_shrink_by_root_45_over_7():
    lr = lt.best_rate(X)
    assert 1 - lr * FLAT == pytest.approx(ROOT / 7, rel=1e-15)
    assert lr * STEEP - 1 == pytest.approx(ROOT / 7, rel=1e-15)


def worst_factor(x, t, lr):
    """Return how much of its distance one step leaves of the worst start, by walking.

    A step is linear in the distance: two walks, off the solution along a and along b, give its
    matrix, and the norm of the matrix is what is left of the worst start.
    """
    a, b = lt.least_squares(x, t)
    ends = [
        lt.fit_manual(x, t, a=a + da, b=b + db, lr=lr, steps=1)[-1] for da, db in ((1, 0), (0, 1))
    ]
    moved = torch.tensor([[end.a - a, end.b - b] for end in ends], dtype=torch.float64)
    return torch.linalg.matrix_norm(moved, 2).item()


def test_no_other_constant_rate_shrinks_the_worst_start_as_fast():
    best, limit = lt.best_rate(X), lt.rate_limit(X)
    x, t = X.double(), T.double()
    others = [limit * part / 20 for part in range(1, 20)] + [0.99 * best, 1.01 * best]
    at_best = worst_factor(x, t, best)
    assert at_best == pytest.approx(ROOT / 7, abs=1e-12)
    # A hundredth beside it the worst loses 0.01 · 2/7 · FLAT = 4e-4 at least.
    assert min(worst_factor(x, t, lr) for lr in others) > at_best + 4e-4


def test_inputs_that_differ_by_less_than_rounding_are_told_what_helps():
    x = torch.tensor([1e8, 1e8 + 1], dtype=torch.float64)
    for call in (lambda: lt.best_rate(x), lambda: lt.least_squares(x, T.double())):
        with pytest.raises(
            ValueError, match=r"got values from 100000000\.0 to .*subtract their mean"
        ):
            call()


@pytest.mark.parametrize("x", [X[:1], torch.full((3,), 0.1), torch.full((2, 1), 1e5)], ids=len)
def test_inputs_that_are_all_the_same_have_no_best_rate_but_half_the_limit_arrives_at_once(x):
    with pytest.raises(ValueError, match="x must hold two different inputs, got") as caught:
        lt.best_rate(x)
    assert "rate_limit(x) / 2" in str(caught.value)
    x = x.double()
    t = torch.full_like(x, 3.0)
    one = lt.fit_manual(x, t, a=2.0, b=-1.0, lr=lt.rate_limit(x) / 2, steps=1)
    # What is left of an error near 9 or, with inputs of 1e5, near 4e10 is rounding.
    assert one.error[1] <= 1e-25 * one.error[0]


# The line of least error


def test_least_squares_finds_the_line_through_two_points():
    assert lt.least_squares(X, T) == pytest.approx((2.0, 1.0), abs=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(4,), (4, 1), (2, 2)])
def test_least_squares_solves_the_normal_equations_of_exact_fractions(dtype, shape):
    x = torch.tensor([0.5, -1.25, 3.0, 2.0], dtype=dtype)
    t = torch.tensor([1.0, 0.75, -2.5, 4.0], dtype=dtype)
    points = [(Fraction(p), Fraction(q)) for p, q in zip(x.tolist(), t.tolist(), strict=True)]
    n, sx, st = len(points), sum(p for p, _ in points), sum(q for _, q in points)
    sxx, sxt = sum(p * p for p, _ in points), sum(p * q for p, q in points)
    slope = (n * sxt - sx * st) / (n * sxx - sx * sx)
    expected = float(slope), float((st - slope * sx) / n)
    # In float64 whatever the dtype is.
    assert lt.least_squares(x.reshape(shape), t.reshape(shape)) == pytest.approx(
        expected, rel=1e-14
    )


def test_no_line_near_the_solution_misses_less():
    x, t = (values.double() for values in lt.noisy_line(30))
    a, b = lt.least_squares(x, t)
    least = lt.mean_squared_error(x, t, a, b)
    for da, db in [(1e-3, 0), (-1e-3, 0), (0, 1e-3), (0, -1e-3), (1e-3, -2e-3)]:
        assert lt.mean_squared_error(x, t, a + da, b + db) > least
    assert lt.gradient_by_autograd(x, t, a, b) == pytest.approx((0.0, 0.0), abs=1e-12)


@pytest.mark.parametrize("x", [X[:1], torch.full((3,), 0.1)], ids=["one point", "the same x"])
def test_points_through_which_many_lines_lead_are_refused(x):
    with pytest.raises(ValueError, match=r"x must hold two different inputs, got .* alone"):
        lt.least_squares(x, torch.ones_like(x))


def test_inputs_far_from_zero_are_not_taken_for_the_same():
    x = torch.tensor([2001.0, 2002.0])
    # 2x + 1 at them. The table's condition number is 8e6, times 2e-16 and numbers up to 4e3.
    assert lt.least_squares(x, 2 * x + 1) == pytest.approx((2.0, 1.0), abs=1e-5)
    assert lt.best_rate(x) == pytest.approx(1 / (2001.5**2 + 0.25 + 1), rel=1e-15)


# The way by formula, against the way that is walked


@pytest.mark.parametrize("lr", [0.01, 0.1, 0.2, 2 / 7, 0.29, LIMIT, 0.3, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_the_formula_walks_where_the_loop_walks(lr, dtype):
    steps = 100 if lr <= 0.3 else 10
    x, t = X.to(dtype), T.to(dtype)
    exact = lt.fit_closed_form(x, t, lr=lr, steps=steps)
    # Ten roundings of numbers up to 16 a step. Above the limit what they leave grows as the walk
    # does, and in the error as its square.
    factor = max(1.0, abs(1 - lr * STEEP)) ** (2 * steps)
    tolerance = steps * 10 * 16 * torch.finfo(dtype).eps * factor
    assert exact.max_difference(lt.fit_manual(x, t, lr=lr, steps=steps)) < tolerance


@pytest.mark.parametrize("points", [5, 30])
def test_the_formula_holds_for_points_that_no_line_meets(points):
    x, t = (values.double() for values in lt.noisy_line(points))
    settings = {"a": -3.0, "b": 7.0, "lr": 0.9 * lt.rate_limit(x), "steps": 300}
    exact, walked = lt.fit_closed_form(x, t, **settings), lt.fit_manual(x, t, **settings)
    assert walked.error[-1] > 0.01
    # 300 steps of ten roundings of numbers up to 200.
    assert exact.max_difference(walked) < 300 * 10 * 200 * 2.2e-16


def test_the_first_rows_are_those_of_exact_fractions():
    a, b, lr = Fraction(1), Fraction(0), Fraction(1, 10)
    for row in lt.fit_closed_form(X, T, steps=5):
        misses = [a * 1 + b - 3, a * 2 + b - 5]
        slope, intercept = misses[0] * 1 + misses[1] * 2, misses[0] + misses[1]
        error = (misses[0] ** 2 + misses[1] ** 2) / 2
        expected = [float(number) for number in (a, b, slope, intercept, error)]
        # Numbers up to 8, from a formula with some ten roundings.
        assert row[1:] == pytest.approx(expected, abs=10 * 8 * 2.2e-16)
        a, b = a - lr * slope, b - lr * intercept


@pytest.mark.parametrize("shape", [(2, 1), (1, 2)])
def test_columns_and_rows_are_walked_like_points_in_a_row(shape):
    in_a_row = lt.fit_closed_form(X, T, steps=9)
    assert (
        lt.fit_closed_form(X.reshape(shape), T.reshape(shape), steps=9).max_difference(in_a_row)
        == 0
    )


def test_the_history_is_in_float64_whatever_the_points_are():
    history = lt.fit_closed_form(X, T, steps=3)
    assert history.steps == 3 and len(history) == 4
    assert history.a.dtype == history.grad_b.dtype == history.error.dtype == torch.float64


def test_no_steps_leave_the_start():
    (start,) = lt.fit_closed_form(X, T, a=1.0, b=0.0, steps=0)
    assert start[:3] == (0, 1.0, 0.0)
    assert start[3:] == pytest.approx((-8.0, -5.0, 6.5), abs=1e-13)


@pytest.mark.parametrize(
    ("x", "t"),
    [
        (torch.tensor([2.0]), torch.tensor([3.0])),
        (torch.full((3,), 0.1), torch.tensor([1.0, 2.0, 4.0])),
    ],
    ids=["one point", "the same x"],
)
def test_a_valley_with_a_flat_floor_is_walked_to_the_nearest_place_of_it(x, t):
    x, t = x.double(), t.double()
    settings = {"a": 5.0, "b": -4.0, "lr": 0.8 * lt.rate_limit(x), "steps": 200}
    exact, walked = lt.fit_closed_form(x, t, **settings), lt.fit_manual(x, t, **settings)
    # 200 steps of ten roundings of numbers up to 40.
    assert exact.max_difference(walked) < 200 * 10 * 40 * 2.2e-16
    # Along the floor, (1, -x), nothing has moved.
    moved = (
        torch.stack([exact.a - 5.0, exact.b + 4.0], 1) @ torch.tensor([1.0, -x[0].item()]).double()
    )
    assert moved.abs().max() < 1e-13


def test_above_the_limit_it_ends_at_the_same_step_as_the_loop_and_warns_once():
    x, t = X.double(), T.double()
    exact, warning = diverged(lt.fit_closed_form, x, t, lr=0.5, steps=1000)
    walked, other = diverged(lt.fit_manual, x, t, lr=0.5, steps=1000)
    assert exact.steps == walked.steps < 1000
    assert not exact.error[-1].isfinite() and exact.error[:-1].isfinite().all()
    assert exact.a.isfinite().all() and exact.grad_b.isfinite().all()
    assert str(warning.message) == str(other.message)
    # It points at the line of the reader, here that of `diverged`.
    assert warning.filename == __file__
    assert "history = fit(" in linecache.getline(__file__, warning.lineno)


def test_a_start_that_is_too_large_is_not_blamed_on_the_rate():
    history, warning = diverged(lt.fit_closed_form, X, T, a=1e200, steps=5)
    assert history.steps == 0
    assert "at the start the error is not finite" in str(warning.message)
    assert "the start or the data are too large" in str(warning.message)


def test_who_starts_at_the_solution_stays_there_at_every_rate():
    x, t = torch.tensor([-1.0, 1.0]), torch.tensor([0.0, 0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = lt.fit_closed_form(x, t, a=0.0, b=0.0, lr=1e200, steps=5)
    assert not history.error.any() and not history.a.any()


def test_nothing_of_the_caller_is_changed():
    x, t = lt.two_points()
    lt.fit_closed_form(x, t)
    lt.least_squares(x, t)
    assert x.tolist() == [1.0, 2.0] and t.tolist() == [3.0, 5.0]
    assert torch.is_grad_enabled()
