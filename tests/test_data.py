"""The points that everything else is computed from."""

import numpy as np
import pytest
import torch

from linreg_tutorial import noisy_line, two_points


def test_the_two_points_are_the_article_s():
    x, t = two_points()
    assert (x.tolist(), t.tolist()) == ([1.0, 2.0], [3.0, 5.0])
    assert (x.dtype, t.dtype) == (torch.float32, torch.float32)
    assert not x.requires_grad and not t.requires_grad


def test_changing_the_points_changes_nobody_else_s():
    x, t = two_points()
    x += 1
    t.zero_()
    assert [values.tolist() for values in two_points()] == [[1.0, 2.0], [3.0, 5.0]]


def test_without_noise_every_point_is_on_the_line():
    x, t = noisy_line(5, a=-3.0, b=0.5, noise=0.0)
    # Quarters and small integers are exact in float32.
    assert x.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert t.tolist() == [0.5, -2.5, -5.5, -8.5, -11.5]


def test_one_point_is_enough():
    x, t = noisy_line(1, noise=0.0)
    assert (x.tolist(), t.tolist()) == ([0.0], [1.0])


@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_the_noise_has_the_deviation_that_was_asked_for(noise):
    n = 40_000
    x, t = noisy_line(n, noise=noise)
    off = t - (2 * x + 1)
    # Standard errors: noise / √n for the mean, noise / √(2n) for the deviation. Five of them.
    assert off.mean().item() == pytest.approx(0.0, abs=5 * noise / n**0.5)
    assert off.std().item() == pytest.approx(noise, abs=5 * noise / (2 * n) ** 0.5)


def test_the_same_seed_gives_the_same_points_and_another_seed_others():
    (x, t), (x_again, t_again), (_, t_other) = (noisy_line(20, seed=s) for s in (3, 3, 4))
    assert torch.equal(x, x_again) and torch.equal(t, t_again)
    assert not torch.equal(t, t_other)


def test_counts_of_numpy_are_taken_like_those_of_python():
    points, again = noisy_line(np.int64(20), seed=np.int64(3)), noisy_line(20, seed=3)
    assert torch.equal(torch.stack(points), torch.stack(again))


def test_noisy_points_leave_the_reader_s_random_numbers_alone():
    before = torch.get_rng_state()
    noisy_line(20, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
