"""The playground's arithmetic, in the browser that the reader has, against PyTorch.

It runs in a worker, where there is no page: the file that the site serves, unchanged.
"""

import itertools
import json
import math
import random
from collections.abc import Iterator

import pytest
import torch
from browsing import reading

from linreg_tutorial import fit_manual, hessian, rate_limit

STEPS = 50
OPTIMIZERS = ["sgd", "momentum", "adam"]
WAYS = list(itertools.product(OPTIMIZERS, ["mean", "sum"], [True, False]))

COURSE = {
    "x": [1, 2], "t": [3, 5], "a": 1, "b": 0, "lr": 0.1, "steps": 0,
    "optimizer": "sgd", "loss": "mean", "reset": True,
}  # fmt: skip

AT_GOAL = {"a": 2, "b": 1, "e": 0, "da": 0, "db": 0, "grad": {"a": 0, "b": 0}, "kept": None}

# Each job is [name of a function of `descent`, its arguments]. JSON has no infinity.
WORKER = """([scripts, jobs]) => new Promise((resolve, reject) => {
  const code = `importScripts(${scripts.map((s) => JSON.stringify(s))});
    onmessage = ({data}) =>
      postMessage(JSON.stringify(data.map(([name, ...given]) => descent[name](...given))));`;
  const worker = new Worker(URL.createObjectURL(new Blob([code])));
  worker.onmessage = ({data}) => resolve(data);
  worker.onerror = (error) => reject(error.message);
  worker.postMessage(jobs);
})"""


@pytest.fixture(scope="module")
def descent(browser, served_site):
    """Return a function that runs jobs of the arithmetic in a browser's worker."""
    with reading(browser) as page:
        page.goto(served_site + "playground.html")
        scripts = [served_site + "_static/playground/descent.js"]

        def run(*jobs):
            # As text: thousands of rows would take Playwright longer than all steps.
            return json.loads(page.evaluate(WORKER, [scripts, list(jobs)]))

        yield run


def settings(**changes) -> dict:
    return COURSE | changes


def largest_bend(s: dict) -> float:
    """Return the largest eigenvalue of the error's second derivatives, from the points."""
    x = torch.tensor(s["x"], dtype=torch.float64)
    bend = torch.linalg.eigvalsh(hessian(x))[-1].item()
    return bend * (len(s["x"]) if s["loss"] == "sum" else 1)


def random_settings(seed: int, way: tuple[str, str, bool]) -> dict:
    """Return points, start and rate, from far too small a rate to one that diverges."""
    draw = random.Random(seed)
    optimizer, loss, reset = way
    count = draw.randint(2, 50)
    middle, spread = draw.uniform(-3, 3), draw.choice([0.1, 1, 5])
    x = [round(middle + draw.uniform(-spread, spread), 2) for _ in range(count)]
    t = [round(draw.uniform(-6, 6), 2) for _ in range(count)]
    s = settings(
        x=x, t=t, a=draw.uniform(-3, 3), b=draw.uniform(-3, 3), steps=STEPS,
        optimizer=optimizer, loss=loss, reset=reset,
    )  # fmt: skip
    part = 10 ** draw.uniform(-2, 0.5)
    return s | {"lr": part if optimizer == "adam" else part * 2 / largest_bend(s)}


def torch_rows(s: dict, steps: int) -> Iterator[list[float]]:
    """Yield a, b, e and the gradients before the first step and after each, by PyTorch."""
    x, t = (torch.tensor(s[name], dtype=torch.float64) for name in "xt")
    a, b = (torch.tensor(s[n], dtype=torch.float64, requires_grad=True) for n in "ab")
    made = {
        "sgd": lambda: torch.optim.SGD([a, b], lr=s["lr"]),
        "momentum": lambda: torch.optim.SGD([a, b], lr=s["lr"], momentum=0.9),
        "adam": lambda: torch.optim.Adam([a, b], lr=s["lr"]),
    }
    optimizer = made[s["optimizer"]]()
    reduce = torch.mean if s["loss"] == "mean" else torch.sum
    for _ in range(steps + 1):
        if s["reset"]:
            optimizer.zero_grad()
        e = reduce((t - (a * x + b)) ** 2)
        e.backward()
        yield [v.item() for v in (a, b, e, a.grad, b.grad)]
        optimizer.step()


def numbers_of(row: dict) -> list[float]:
    return [row["a"], row["b"], row["e"], row["grad"]["a"], row["grad"]["b"]]


def close(one: float, other: float) -> bool:
    """Tell whether two numbers agree to 1e-9, for large ones relative to their size."""
    return abs(one - other) <= 1e-9 * max(1.0, abs(other))


@pytest.fixture(scope="module")
def walks(descent) -> list[tuple[dict, list[dict], list[list[float]]]]:
    """Return 240 random settings, 20 of each way to step, with the browser's walk and torch's."""
    asked = [random_settings(seed, WAYS[seed % len(WAYS)]) for seed in range(20 * len(WAYS))]
    walked = descent(*(["walk", s] for s in asked))
    truths = [list(torch_rows(s, len(w) - 1)) for s, w in zip(asked, walked, strict=True)]
    return list(zip(asked, walked, truths, strict=True))


def test_every_step_is_the_one_of_pytorch(walks):
    assert len(walks) >= 200
    for s, rows, truths in walks:
        for step, (row, truth) in enumerate(zip(rows, truths, strict=True)):
            assert row["step"] == step
            found = numbers_of(row)
            assert all(map(close, found, truth)), (s, step, found, truth)


def test_walk_takes_all_steps_unless_its_error_has_passed_the_cap(walks):
    held = 0
    for _, rows, truths in walks:
        *before, last = [truth[2] for truth in truths]
        assert max(before) <= 1e12
        if len(rows) <= STEPS:
            held += 1
            assert last > 1e12
        assert all(math.isfinite(number) for row in rows for number in numbers_of(row))
    # The settings show both.
    assert 10 <= held <= len(walks) / 2


def test_random_settings_are_of_every_kind(walks):
    for way in WAYS:
        same = [s for s, *_ in walks if (s["optimizer"], s["loss"], s["reset"]) == way]
        assert len(same) == 20
        assert min(len(s["x"]) for s in same) < 12 and max(len(s["x"]) for s in same) > 38


def test_walk_can_be_gone_on_with_and_cut(descent):
    s = settings(steps=7, optimizer="adam", reset=False)
    (whole,) = descent(["walk", s])
    (first,) = descent(["walk", s | {"steps": 3}])
    assert descent(["walk", s, first], ["walk", s | {"steps": 3}, whole]) == [whole, first]


def test_courses_numbers(descent):
    (rows,) = descent(["walk", settings(steps=100)])
    history = fit_manual(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0]), steps=100)
    assert numbers_of(rows[0]) == [1, 0, 6.5, -8, -5]
    assert [rows[1]["a"], rows[1]["b"]] == [1.8, 0.5]
    assert f"{rows[100]['a']:.4f} {rows[100]['b']:.4f}" == "2.0393 0.9364"
    assert [row["a"] for row in rows] == pytest.approx([state.a for state in history], abs=1e-5)


def test_each_point_adds_what_backward_finds_for_it(descent):
    s = settings(x=[1, 2, -3.5], t=[3, 5, 0.25], a=1.5, b=-0.5)
    (found,) = descent(["pointwise", s, s["a"], s["b"]])
    for point, x, t in zip(found, s["x"], s["t"], strict=True):
        a, b = (torch.tensor(s[n], dtype=torch.float64, requires_grad=True) for n in "ab")
        y = a * x + b
        error = (t - y) ** 2
        error.backward()
        assert point == pytest.approx(
            {
                "x": x,
                "t": t,
                "y": y.item(),
                "error": error.item(),
                "da": a.grad.item(),
                "db": b.grad.item(),
            },
            abs=1e-12,
        )


def test_update_tells_where_the_next_row_is(descent, walks):
    some = [(s, rows) for s, rows, _ in walks if len(rows) > 5]
    told = descent(*(["update", s, rows[4]] for s, rows in some))
    for (_, rows), moved in zip(some, told, strict=True):
        assert (moved["a"]["to"], moved["b"]["to"]) == (rows[5]["a"], rows[5]["b"])


def test_adam_tells_its_means(descent):
    s = settings(optimizer="adam", steps=7)
    (rows,) = descent(["walk", s])
    (moved,) = descent(["update", s, rows[6]])
    x, t = torch.tensor(s["x"]).double(), torch.tensor(s["t"]).double()
    a, b = (torch.tensor(s[n], dtype=torch.float64, requires_grad=True) for n in "ab")
    optimizer = torch.optim.Adam([a, b], lr=s["lr"])
    for _ in range(7):
        optimizer.zero_grad()
        torch.mean((t - (a * x + b)) ** 2).backward()
        optimizer.step()
    for name, parameter in (("a", a), ("b", b)):
        state = optimizer.state[parameter]
        assert moved[name]["mean"] == pytest.approx(state["exp_avg"].item(), abs=1e-12)
        assert moved[name]["square"] == pytest.approx(state["exp_avg_sq"].item(), abs=1e-12)
        assert moved[name]["meanPart"] == pytest.approx(1 - 0.9**7, abs=1e-12)
        assert moved[name]["squarePart"] == pytest.approx(1 - 0.999**7, abs=1e-12)


# The ground


def test_ground_is_the_hessian_and_the_exact_solution(descent, walks):
    grounds = descent(*(["ground", s] for s, *_ in walks))
    for (s, *_), ground in zip(walks, grounds, strict=True):
        x, t = (torch.tensor(s[name], dtype=torch.float64) for name in "xt")
        count = len(s["x"]) if s["loss"] == "sum" else 1
        matrix = hessian(x) * count
        bends = torch.linalg.eigvalsh(matrix)
        found = ground["eigenvalues"]
        assert [found["along"], found["across"]] == pytest.approx(bends.tolist(), rel=1e-9)
        way = torch.tensor([math.cos(ground["direction"]), math.sin(ground["direction"])]).double()
        assert torch.allclose(matrix @ way, bends[1] * way, atol=1e-6 * bends[1].item())
        columns = torch.stack([x, torch.ones_like(x)], dim=1)
        best = torch.linalg.lstsq(columns, t.reshape(-1, 1)).solution.flatten()
        assert [ground["best"]["a"], ground["best"]["b"]] == pytest.approx(best.tolist(), rel=1e-7)
        error = torch.sum((columns @ best - t) ** 2).item() * count / len(s["x"])
        assert ground["least"] == pytest.approx(error, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("place", [0.0, 1.0, 2.5, -7.3])
def test_points_above_each_other_leave_one_direction_flat(descent, place):
    s = settings(x=[place, place, place], t=[1, 2, 6], a=0.5, b=0)
    (ground,) = descent(["ground", s])
    assert ground["eigenvalues"]["along"] == 0
    assert ground["eigenvalues"]["across"] == pytest.approx(2 * (place**2 + 1), rel=1e-12)
    # A best place is one whose line passes through the mean of the targets.
    assert ground["best"]["a"] * place + ground["best"]["b"] == pytest.approx(3, abs=1e-12)
    # Of all of them it is the one that is nearest to the start: straight across.
    move = (ground["best"]["a"] - 0.5, ground["best"]["b"] - 0)
    assert move[0] * 1 - move[1] * place == pytest.approx(0, abs=1e-12)


def test_limit_of_the_course_is_the_packages(descent):
    (limit,) = descent(["limit", settings()])
    assert limit == pytest.approx(rate_limit(torch.tensor([1.0, 2.0]).double()), rel=1e-12)
    assert f"{limit:.4f}" == "0.2918"


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
@pytest.mark.parametrize("loss", ["mean", "sum"])
def test_below_the_limit_a_walk_arrives_and_above_it_diverges(descent, optimizer, loss):
    s = settings(x=[-1, 0.5, 3], t=[2, 0, 1], optimizer=optimizer, loss=loss, steps=3000)
    limit, ground = descent(["limit", s], ["ground", s])
    slower, faster = s | {"lr": 0.98 * limit}, s | {"lr": 1.02 * limit}
    below, above = descent(["walk", slower], ["walk", faster])
    assert descent(["end", slower, below[-1]]) == ["arrived"]
    assert below[-1]["e"] == pytest.approx(ground["least"], rel=1e-9)
    assert above[-1]["step"] < 3000 and above[-1]["e"] > 1e12


@pytest.mark.parametrize("changes", [{"optimizer": "adam"}, {"reset": False}])
def test_there_is_no_limit_where_no_rate_is_known(descent, changes):
    assert descent(["limit", settings(**changes)]) == [None]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("part", [0.01, 0.1, 0.9])
def test_without_a_reset_no_rate_comes_to_rest(descent, optimizer, part):
    """What the page says of it: the walk swings past the goal again and again, at any rate."""
    s = settings(reset=False, optimizer=optimizer, steps=5000)
    (limit,) = descent(["limit", settings()])
    (rows,) = descent(["walk", s | {"lr": part * limit}])
    tail = [row["e"] for row in rows[len(rows) // 2 :]]
    assert max(tail) > 0.5
    # Past the goal: the distance in a changes its sign, again and again.
    signs = [row["a"] > 2 for row in rows]
    assert sum(one != other for one, other in itertools.pairwise(signs)) >= 6


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_adams_first_step_is_as_long_as_the_rate_on_any_ground(descent, scale):
    s = settings(t=[3 * scale, 5 * scale], optimizer="adam", steps=1, lr=0.1)
    (rows,) = descent(["walk", s])
    assert [rows[1]["a"], rows[1]["b"]] == pytest.approx([1.1, 0.1], abs=1e-8)


def test_walk_ends_at_the_goal_and_not_before(descent):
    at_goal, before = settings(a=2, b=1, steps=5), settings(lr=0.25, steps=5000)
    rows, ends = descent(["walk", at_goal], ["end", at_goal, {"step": 0, **AT_GOAL}])
    assert len(rows) == 1 and ends == "arrived"
    (rows,) = descent(["walk", before])
    assert 100 < len(rows) < 5000
    assert [rows[-1]["a"], rows[-1]["b"]] == pytest.approx([2, 1], abs=1e-8)
    assert descent(["end", before, rows[-1]], ["end", before, rows[50]]) == ["arrived", None]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_flat_ground_far_from_the_goal_is_no_arrival(descent, optimizer):
    s = settings(x=[-1e-4, 1e-4], t=[0, 0], a=50, lr=1e-5, steps=50, optimizer=optimizer)
    (rows,) = descent(["walk", s])
    assert rows[-1]["step"] == 50


LONG = [
    {"optimizer": "adam", "lr": 2},
    {"optimizer": "adam", "lr": 10},
    {"optimizer": "adam", "lr": 1, "loss": "sum", "x": [1, 2, 3, 4], "t": [3, 5, 4, 6]},
    {"optimizer": "adam", "lr": 0.1, "reset": False},
    {"optimizer": "momentum", "lr": 0.1},
    {"reset": False, "lr": 0.5},
]


@pytest.mark.parametrize("changes", LONG, ids=str)
def test_walks_of_5000_steps_stay_those_of_pytorch(descent, changes):
    s = settings(steps=5000, **changes)
    (rows,) = descent(["walk", s])
    assert len(rows) > 300
    for row, truth in zip(rows, torch_rows(s, len(rows) - 1), strict=True):
        assert all(map(close, numbers_of(row), truth)), (row, truth)


def test_without_a_reset_plain_steps_stay_bounded_up_to_their_limit(descent):
    s = settings(reset=False, steps=5000)
    (limit,) = descent(["swingLimit", s])
    assert f"{limit:.4f}" == "0.5836"
    below, above = descent(["walk", s | {"lr": 0.98 * limit}], ["walk", s | {"lr": 1.02 * limit}])
    assert below[-1]["step"] == 5000 and max(row["e"] for row in below) < 1e4
    assert above[-1]["e"] > 1e12


@pytest.mark.parametrize("rate", [0.00001, 0.01, 0.1])
def test_momentum_without_a_reset_swings_farther_at_every_rate(descent, rate):
    s = settings(reset=False, optimizer="momentum", lr=rate, steps=5000)
    (rows,) = descent(["walk", s])
    assert rows[-1]["e"] > 1e12
