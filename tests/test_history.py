"""What a history shows of a fit: its rows, its table, its differences."""

from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from torch import nn

from linreg_tutorial import History, State, fit_manual, fit_module, two_points
from linreg_tutorial.history import Recorder


def line_history(steps, scale=1.0):
    """Return a history of made-up numbers: in row k, the column c holds (k + 1) · scale · c."""
    row = torch.arange(1.0, steps + 2, dtype=torch.float64) * scale
    return History(
        values={"a": row, "b": 2 * row}, gradients={"a": 3 * row, "b": 4 * row}, error=5 * row
    )


def network_history(steps=3):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1))
    return fit_module(*two_points(), net, steps=steps)


def cells(line):
    return line.split()


# Rows


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (0, State(0, 1.0, 2.0, 3.0, 4.0, 5.0)),
        (2, State(2, 3.0, 6.0, 9.0, 12.0, 15.0)),
        (-1, State(3, 4.0, 8.0, 12.0, 16.0, 20.0)),
        (-4, State(0, 1.0, 2.0, 3.0, 4.0, 5.0)),
    ],
)
def test_a_row_is_the_line_after_that_many_steps(row, expected):
    assert line_history(3)[row] == expected


@pytest.mark.parametrize("row", [4, -5])
def test_a_row_that_is_not_there_is_refused(row):
    with pytest.raises(IndexError, match=f"row must be between 0 and 3, got {row}"):
        line_history(3)[row]


@pytest.mark.parametrize("row", [1.0, "1", True, slice(0, 2), None])
def test_a_row_that_is_no_whole_number_is_refused_with_a_way_out(row):
    with pytest.raises(TypeError, match=r"row must be a whole number, got .*take history\.a"):
        line_history(3)[row]


def test_a_row_number_of_numpy_gives_the_same_plain_numbers():
    state = line_history(3)[np.int64(-1)]
    assert state == line_history(3)[3]
    assert type(state.step) is int


def test_iterating_gives_every_row_in_order():
    history = line_history(2)
    assert list(history) == [history[0], history[1], history[2]]
    assert (len(history), history.steps) == (3, 2)


def test_a_row_holds_plain_numbers():
    step, *numbers = fit_manual(*two_points(), steps=1)[1]
    assert type(step) is int and {type(number) for number in numbers} == {float}


def test_a_history_cannot_be_rewritten():
    with pytest.raises(AttributeError):
        line_history(1).error = torch.zeros(2)


# The table


def test_the_table_shows_every_row_of_a_short_fit():
    assert repr(line_history(1)).splitlines() == [
        "History of 1 step: error 5.0000 → 10.0000",
        "step         a         b     ∂e/∂a     ∂e/∂b         e",
        "   0    1.0000    2.0000    3.0000    4.0000    5.0000",
        "   1    2.0000    4.0000    6.0000    8.0000   10.0000",
    ]


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        (0, ["0"]),
        (7, ["0", "1", "2", "3", "4", "5", "6", "7"]),
        (8, ["0", "1", "2", "3", "…", "6", "7", "8"]),
        (100, ["0", "1", "2", "3", "…", "98", "99", "100"]),
    ],
)
def test_the_table_of_a_long_fit_shows_both_its_ends(steps, shown):
    lines = repr(line_history(steps)).splitlines()
    assert [cells(line)[0] for line in lines[2:]] == shown


def wide_histories():
    """Return histories whose numbers, names or steps need more room than usual."""
    bare_linear = nn.Linear(1, 1, bias=False)
    return {
        "large numbers": line_history(2, scale=-1e153),
        "ten thousands": line_history(2, scale=-9999.99996),
        "long names": fit_module(*two_points(), nn.Sequential(bare_linear), steps=2),
        "many steps": line_history(12_345),
        "network": network_history(),
    }


@pytest.mark.parametrize("name", wide_histories())
def test_columns_never_run_into_each_other(name):
    _, head, *rows = repr(wide_histories()[name]).splitlines()
    assert {len(cells(row)) for row in rows} == {len(cells(head))}
    assert {len(row) for row in rows} == {len(head)}


@pytest.mark.parametrize("name", ["short", "long", *wide_histories()])
def test_the_notebook_shows_the_same_table(name):
    more = {"short": line_history(2), "long": line_history(50)}
    history = (wide_histories() | more)[name]
    table = ElementTree.fromstring(history._repr_html_())
    assert table.tag == "table"
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    headline, *lines = repr(history).splitlines()
    assert table.findtext("caption") == headline
    assert rows == [cells(line) for line in lines]


def test_a_name_with_signs_of_html_does_not_break_the_notebook():
    columns = {"<b>&": torch.ones(2)}
    history = History(values=columns, gradients=columns, error=torch.ones(2))
    table = ElementTree.fromstring(history._repr_html_())
    assert [cell.text for cell in table.find("thead/tr")] == ["step", "<b>&", "∂e/∂<b>&", "e"]


@pytest.mark.filterwarnings("ignore::linreg_tutorial.DivergenceWarning")
def test_a_diverged_fit_still_has_a_table():
    history = fit_manual(*two_points(), a=1e30)
    assert cells(repr(history).splitlines()[-1])[-1] == "inf"


# Modules that are no line


def test_a_network_shows_its_single_numbers_and_names_the_others():
    headline, head, *rows = repr(network_history(steps=3)).splitlines()
    assert headline.startswith("History of 3 steps: error ")
    assert headline.endswith(" (not in the table: 0.weight (2, 1), 0.bias (2,), 2.weight (1, 2))")
    assert cells(head) == ["step", "2.bias", "∂e/∂2.bias", "e"]
    assert len(rows) == 4


@pytest.mark.parametrize("name", ["a", "b", "grad_a", "grad_b"])
def test_asking_a_network_for_a_slope_says_what_it_has_instead(name):
    with pytest.raises(
        AttributeError, match=f"this fit has no {name[-1]}: its module is no line"
    ) as error:
        getattr(network_history(), name)
    assert "0.weight, 0.bias, 2.weight, 2.bias" in str(error.value)
    assert "take history.values[...] and history.gradients[...]" in str(error.value)


def test_asking_a_network_for_a_row_says_the_same():
    with pytest.raises(AttributeError, match="its module is no line"):
        network_history()[0]


# Differences


@pytest.mark.parametrize("kind", ["values", "gradients", "error"])
def test_a_difference_anywhere_is_found(kind):
    one, other = line_history(4), line_history(4)
    column = other.error if kind == "error" else getattr(other, kind)["b"]
    column[2] -= 0.125
    assert one.max_difference(other) == other.max_difference(one) == 0.125


def test_the_largest_of_several_differences_counts():
    # The largest number of row k is 5 (k + 1): doubled, the last row is off by 5 · 5.
    assert line_history(4).max_difference(line_history(4, scale=2.0)) == 25.0


def test_fits_of_different_dtypes_can_be_compared():
    x, t = two_points()
    difference = fit_manual(x, t).max_difference(fit_manual(x.double(), t.double()))
    # Not the same roundings, and of numbers up to 8 over a hundred steps.
    assert 0 < difference < 100 * 8 * torch.finfo(torch.float32).eps


def test_networks_are_compared_in_every_number():
    one, other = network_history(), network_history()
    assert one.max_difference(other) == 0.0
    other.values["0.weight"][2, 1, 0] += 8.0
    # Added to a number below 1, a sum of 8 is rounded by up to half of 2⁻²⁰.
    assert one.max_difference(other) == pytest.approx(8.0, abs=2**-20)


def test_equal_infinities_are_no_difference():
    one, other = line_history(2), line_history(2)
    one.error[2] = other.error[2] = float("inf")
    assert one.max_difference(other) == 0.0
    other.error[2] = 1.0
    assert one.max_difference(other) == float("inf")


@pytest.mark.parametrize("column", ["values", "error"])
def test_a_nan_is_never_overlooked(column):
    one, other = line_history(2), line_history(2)
    (other.error if column == "error" else other.values["a"])[1] = float("nan")
    difference = one.max_difference(other)
    assert difference != difference


@pytest.mark.parametrize(
    ("other", "described"),
    [
        (line_history(2), "a, b over 3 steps and a, b over 2"),
        (network_history(3), "a, b over 3 steps and 0.weight, 0.bias, 2.weight, 2.bias over 3"),
    ],
    ids=["steps", "parameters"],
)
def test_fits_that_do_not_match_are_not_compared(other, described):
    with pytest.raises(ValueError, match="the same parameters and as many steps") as error:
        line_history(3).max_difference(other)
    assert str(error.value).endswith(described)


@pytest.mark.parametrize("other", [None, 1.0, torch.zeros(4)], ids=["None", "float", "tensor"])
def test_what_is_no_history_is_not_compared(other):
    kind = type(other).__name__
    with pytest.raises(TypeError, match=f"other must be a History, got {kind}"):
        line_history(3).max_difference(other)


# Recording


def test_what_was_recorded_stays_when_the_parameters_move_on():
    number = torch.tensor(1.0, requires_grad=True)
    several = torch.tensor([1.0, 2.0], requires_grad=True)
    recorder = Recorder({"number": number, "several": several})
    for _ in range(2):
        number.grad, several.grad = torch.tensor(3.0), torch.tensor([4.0, 5.0])
        recorder.record(torch.tensor(6.0))
        for tensor in (number.grad, several.grad, number.data, several.data):
            tensor += 10
    history = recorder.history()
    assert history.values["number"].tolist() == [1.0, 11.0]
    assert history.values["several"].tolist() == [[1.0, 2.0], [11.0, 12.0]]
    assert history.gradients["number"].tolist() == [3.0, 3.0]
    assert history.gradients["several"].tolist() == [[4.0, 5.0], [4.0, 5.0]]


@pytest.mark.parametrize("error", [1.0, float("inf"), float("nan")])
def test_the_recorder_tells_whether_the_error_is_finite(error):
    recorder = Recorder({"a": torch.tensor(1.0)})
    assert recorder.record(torch.tensor(error)) is (error == 1.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16], ids=str)
def test_recording_rounds_nothing(dtype):
    third = torch.tensor(1 / 3, dtype=dtype, requires_grad=True)
    recorder = Recorder({"a": third})
    third.grad = third.detach() / 3
    recorder.record(third.detach() / 7)
    history = recorder.history()
    recorded = torch.cat([history.values["a"], history.gradients["a"], history.error])
    assert torch.equal(recorded, torch.stack([third.detach(), third.grad, third.detach() / 7]))
