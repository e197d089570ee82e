"""The playground's scripts that know no page, each by itself: numbers, tasks, addresses.

They are those of the built page, in a browser; what is expected is worked out by hand.
"""

import pytest
from browsing import reading

COURSE = {
    "x": [1, 2], "t": [3, 5], "a": 1, "b": 0, "lr": 0.1, "steps": 0,
    "optimizer": "sgd", "loss": "mean", "reset": True, "squares": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def evaluate(browser, served_site):
    """Return a function that evaluates an expression in the page, with an argument."""
    with reading(browser) as page:
        page.goto(served_site + "playground.html")
        yield page.evaluate


@pytest.mark.parametrize(
    ("value", "written", "short", "exact", "python"),
    [
        (0, "0.0000", "0", "0", "z.4f"),
        (-8, "−8.0000", "−8", "−8", ".4f"),
        (100, "100.0000", "100", "100", ".4f"),
        (2.03929, "2.0393", "2.0393", "2.0393", ".4f"),
        (0.5, "0.5000", "0.5", "0.5", ".4f"),
        (0.00043791, "4.379 · 10⁻⁴", "4.379 · 10⁻⁴", "4.379 · 10⁻⁴", ".3e"),
        (-123456.7, "−1.235 · 10⁵", "−1.235 · 10⁵", "−1.235 · 10⁵", ".3e"),
        (99999.9, "99999.9000", "99999.9", "99999.9", ".4f"),
        (1e12, "1.000 · 10¹²", "1.000 · 10¹²", "1.000 · 10¹²", ".3e"),
        (5e-7, "5.000 · 10⁻⁷", "5.000 · 10⁻⁷", "5.000 · 10⁻⁷", ".3e"),
        # What is rounding is no number to show, but counts in a calculation.
        (5e-8, "0.0000", "0", "5.000 · 10⁻⁸", "z.4f"),
        (-5e-8, "0.0000", "0", "−5.000 · 10⁻⁸", "z.4f"),
        # Halfway between two: to the even one, as in Python.
        (0.03125, "0.0312", "0.0312", "0.0312", ".4f"),
        (-0.09375, "−0.0938", "−0.0938", "−0.0938", ".4f"),
        (106250, "1.062 · 10⁵", "1.062 · 10⁵", "1.062 · 10⁵", ".3e"),
        (106350, "1.064 · 10⁵", "1.064 · 10⁵", "1.064 · 10⁵", ".3e"),
    ],
)
def test_number_is_written_as_python_writes_it(evaluate, value, written, short, exact, python):
    said = evaluate(
        "(v) => [numbers.written(v), numbers.short(v), numbers.exact(v), numbers.format(v)]", value
    )
    assert said == [written, short, exact, python]
    # The same by Python itself, with the format that the program gets.
    digits, _, power = written.replace("−", "-").partition(" · 10")
    raised = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    assert float(f"{value:{python}}") == float(digits + (f"e{raised}" if raised else ""))


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("numbers.inner(-3)", "(−3)"),
        ("numbers.inner(2)", "2"),
        ("numbers.inner(0)", "0"),
        ("numbers.inner(-0)", "0"),
        ("numbers.inner(0.00005)", "(5.000 · 10⁻⁵)"),
        ("numbers.tick(1.5)", "1.5"),
        ("numbers.tick(-9999)", "−9999"),
        ("numbers.tick(20000)", "2·10⁴"),
        ("numbers.tick(-250000)", "−2.5·10⁵"),
        ("numbers.plain(-100)", "−100"),
        ("numbers.literal(1)", "1.0"),
        ("numbers.literal(-0.1)", "-0.1"),
        ("numbers.literal(1e-7)", "1e-7"),
    ],
)
def test_number_has_a_form_for_its_place(evaluate, expression, text):
    assert evaluate(expression) == text


STEP = {"kind": "step", "error": 0.1}
UNDER = {"kind": "under", "error": 0.01, "steps": 20}
DIVERGE = {"kind": "diverge", "times": 1000}
SLOW = {"kind": "slow", "times": 1000, "steps": 10}
SUM = {"kind": "sum", "lr": 0.1}
SWING = {"kind": "swing", "error": 0.1, "again": 1}
FAR = {"x": [5, 6], "lr": 0.01}


@pytest.mark.parametrize(
    ("task", "changes", "is_done"),
    [
        (STEP, {"lr": 0.15, "steps": 1}, True),
        (STEP, {"lr": 0.15, "steps": 2}, False),
        (STEP, {"lr": 0.1, "steps": 1}, False),
        (STEP, {"lr": 0.15, "steps": 1, "optimizer": "momentum"}, False),
        (STEP, {"lr": 0.075, "steps": 1, "loss": "sum"}, False),
        (STEP, {"lr": 0.15, "steps": 1, "reset": False}, False),
        (STEP, {"lr": 0.1, "steps": 1, "a": 2, "b": 0.9}, False),
        (STEP, {"lr": 0.15, "steps": 1, "t": [3, 5.1]}, False),
        (UNDER, {"steps": 4}, True),
        (UNDER, {"steps": 3}, False),
        (UNDER, {"steps": 60, "lr": 0.01}, False),
        (UNDER, {"steps": 10, "a": 2, "b": 1}, False),
        (DIVERGE, {"lr": 0.5, "steps": 4}, True),
        (DIVERGE, {"lr": 0.5, "steps": 3}, False),
        (DIVERGE, {"lr": 10, "steps": 1}, True),
        (DIVERGE, {"lr": 10, "steps": 50, "optimizer": "adam"}, False),
        (DIVERGE, {"lr": 0.25, "steps": 100, "loss": "sum"}, False),
        (DIVERGE, {"lr": 0.7, "steps": 100, "reset": False}, False),
        (SLOW, FAR | {"steps": 10}, True),
        (SLOW, FAR | {"steps": 9}, False),
        (SLOW, {"steps": 10}, False),
        (SLOW, {"x": [3, 3], "steps": 10, "lr": 0.01}, True),
        (SUM, {"loss": "sum", "lr": 0.05, "steps": 1}, True),
        (SUM, {"loss": "sum", "lr": 0.05, "steps": 0}, False),
        (SUM, {"loss": "sum", "lr": 0.051, "steps": 1}, False),
        (SUM, {"loss": "mean", "lr": 0.1, "steps": 1}, False),
        (SUM, {"loss": "sum", "lr": 0.05, "steps": 1, "optimizer": "momentum"}, False),
        (SUM, {"loss": "sum", "lr": 0.05, "steps": 1, "x": [2, 1]}, False),
        (SWING, {"reset": False, "steps": 6}, True),
        (SWING, {"reset": False, "steps": 5}, False),
        (SWING, {"optimizer": "momentum", "steps": 40}, False),
        # It begins low, so that it has not fallen.
        (
            SWING,
            {"reset": False, "steps": 30, "a": 2, "b": 1.1, "optimizer": "momentum"},
            False,
        ),
    ],
)
def test_task_is_done_by_what_it_asks_for_and_by_nothing_else(evaluate, task, changes, is_done):
    judged = evaluate(
        "([task, settings]) => tasks.isDone(task, settings, descent.walk(settings))",
        [task, COURSE | changes],
    )
    assert judged is is_done


def test_task_counts_its_steps(evaluate):
    """With some rate the error gets under 0.01 in the 21st step: one too late."""
    late = """(settings) => {
      for (let lr = 0.02; lr < 0.06; lr += 0.0001) {
        const rows = descent.walk({ ...settings, lr, steps: 21 });
        if (rows.findIndex((row) => row.e < 0.01) === 21) return { ...settings, lr, steps: 30 };
      }
    }"""
    settings = evaluate(late, COURSE)
    judge = "([task, settings]) => tasks.isDone(task, settings, descent.walk(settings))"
    assert evaluate(judge, [UNDER, settings]) is False
    assert evaluate(judge, [UNDER | {"steps": 21}, settings]) is True


@pytest.mark.parametrize(
    "address",
    [
        "x=-100,100&t=100,-100&a=-100&b=100&lr=10&steps=0",
        "lr=0.00001&steps=5000",
        "a=.5&b=-1e1",
        "optimizer=sgd&loss=mean&reset=each&squares=hidden",
    ],
)
def test_address_at_its_bounds_is_taken(evaluate, address):
    assert evaluate("(address) => situation.read(address).refused", address) == []


def test_settings_survive_their_address(evaluate):
    settings = COURSE | {"x": [0.1, -2, 3], "t": [1, 2, 1e-3], "steps": 12, "reset": False}
    back = "(settings) => situation.read(situation.write(settings)).settings"
    assert evaluate(back, settings) == settings
    assert evaluate("(settings) => situation.write(settings)", COURSE) == ""
