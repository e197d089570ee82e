"""One gradient three ways, against exact fractions, torch and each other."""

from fractions import Fraction

import numpy as np
import pytest
import torch

import linreg_tutorial as lt

X, T = lt.two_points()
WAYS = [lt.gradient_by_hand, lt.gradient_by_autograd, lt.gradient_by_differences]
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


def exact_gradient(x, t, a, b):
    """Return ∂e/∂a and ∂e/∂b in exact fractions."""
    points = [(Fraction(p), Fraction(q)) for p, q in zip(x.tolist(), t.tolist(), strict=True)]
    misses = [(p, Fraction(a) * p + Fraction(b) - q) for p, q in points]
    n = len(points)
    return sum(2 * miss * p for p, miss in misses) / n, sum(2 * miss for _, miss in misses) / n


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("way", [lt.gradient_by_hand, lt.gradient_by_autograd])
def test_the_gradient_at_the_start_is_exactly_the_article_s(way, dtype):
    assert way(X.to(dtype), T.to(dtype), a=1.0, b=0.0) == (-8.0, -5.0)


@every_way
@pytest.mark.parametrize("shape", [(4,), (4, 1), (2, 2)])
def test_the_gradient_is_the_exact_one(way, shape):
    # Halves and quarters of four points: every intermediate result is exact in binary, and with
    # h = 1/2 so are the differences, because the error is a parabola along each parameter.
    x = torch.tensor([0.5, -1.25, 3.0, 2.0], dtype=torch.float64)
    t = torch.tensor([1.0, 0.75, -2.5, 4.0], dtype=torch.float64)
    expected = exact_gradient(x, t, 1.5, -0.25)
    exactly = {"h": 0.5} if way is lt.gradient_by_differences else {}
    assert way(x.reshape(shape), t.reshape(shape), a=1.5, b=-0.25, **exactly) == expected


@every_way
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("a", "b"), [(1, 0), (2.0, 1.0), (-7.3, 0.01), (0.0, 40.0)])
def test_all_ways_give_what_torch_gives_for_a_matrix(way, dtype, a, b):
    x, t = (values.to(dtype) for values in lt.noisy_line(30))
    place = torch.tensor([a, b], dtype=torch.float64, requires_grad=True)
    misses = torch.stack([x, torch.ones_like(x)], 1).double() @ place - t.double()
    expected = torch.autograd.grad(misses @ misses / 30, place)[0].tolist()
    # Sums of 30 terms: some 30 roundings. Differences in float64 lose e·2e-16 / h, below 1e-8.
    size = 30 * torch.finfo(dtype).eps * max(map(abs, expected))
    assert way(x, t, a, b) == pytest.approx(expected, abs=max(size, 1e-8), rel=0)


@every_way
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int64])
def test_a_number_of_numpy_costs_no_digits(way, kind):
    a, b = kind(3), kind(-2)
    assert way(X.double(), T.double(), a, b) == way(X.double(), T.double(), 3.0, -2.0)


def test_autograd_finds_the_gradient_inside_no_grad_too():
    with torch.no_grad():
        assert lt.gradient_by_autograd(X, T, a=1.0, b=0.0) == (-8.0, -5.0)


@every_way
def test_at_the_solution_the_gradient_is_zero(way):
    # The differences are 0 but for the rounding of e = h² · 5/2 and h² = 1e-8, over 2h.
    assert way(X, T, a=2.0, b=1.0) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_a_wider_difference_is_as_exact_since_the_error_is_a_parabola():
    wide = lt.gradient_by_differences(X, T, a=1.0, b=0.0, h=1024.0)
    assert wide == (-8.0, -5.0)


def test_the_error_at_the_start_is_exactly_6_5():
    # (3 - 1)² = 4 and (5 - 2)² = 9, their mean 6.5.
    assert lt.mean_squared_error(X, T, 1.0, 0.0).item() == 6.5


def test_the_error_of_tensors_leads_back_to_them():
    a, b = torch.tensor(1.0, requires_grad=True), torch.tensor(0.0, requires_grad=True)
    slopes = torch.autograd.grad(lt.mean_squared_error(X, T, a, b), (a, b))
    assert slopes == (torch.tensor(-8.0), torch.tensor(-5.0))


def test_a_column_of_slopes_is_refused_instead_of_broadcast():
    with pytest.raises(ValueError, match=r"a must be one number, got the shape \(2, 1\)"):
        lt.mean_squared_error(*lt.two_points(), torch.tensor([[1.0], [2.0]]), 0.0)


def test_a_distance_that_rounding_swallows_is_refused_instead_of_answered_with_zero():
    with pytest.raises(ValueError, match=r"h must be large enough .* got 1e-20: take 1e-4"):
        lt.gradient_by_differences(*lt.two_points(), 1.0, 0.5, h=1e-20)
