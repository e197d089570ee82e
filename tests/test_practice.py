"""What an exercise notebook says of an answer."""

import base64
import json

import pytest
import torch

from linreg_tutorial.practice import check_prediction, checking


def said_to(capsys, answer, **settings) -> str:
    known = {"right": -8.0, "within": 1e-5, "mistakes": [[8.0, "Sign. It falls."]]} | settings
    with checking("Exercise 1"):
        check_prediction(answer, base64.b64encode(json.dumps(known).encode()).decode())
    return capsys.readouterr().out.rstrip("\n")


@pytest.mark.parametrize("answer", [-8, -8.0, torch.tensor(-8.0), torch.tensor([[-8.0]]), "-8"])
def test_right_number_is_right_in_whatever_box_it_comes(answer, capsys):
    assert said_to(capsys, answer) == "Exercise 1: right"


def test_right_number_of_a_parameter_that_wants_a_gradient_is_right(capsys):
    assert said_to(capsys, torch.tensor(-8.0, requires_grad=True)) == "Exercise 1: right"


def test_mistake_is_named(capsys):
    assert said_to(capsys, 8) == "Exercise 1: not yet. Sign. It falls."


def test_other_number_is_not_yet_right_and_no_mistake_is_made_up(capsys):
    unknown = "Exercise 1: not yet. Go through it again, or open the hint."
    assert said_to(capsys, 7) == unknown
    assert said_to(capsys, float("nan")) == unknown
    assert said_to(capsys, 8 + 2e-5) == unknown


def test_as_many_decimals_as_asked_for_are_enough_and_fewer_are_not(capsys):
    assert said_to(capsys, 2.04, right=2.0393, within=0.005) == "Exercise 1: right"
    assert said_to(capsys, 2.25, right=2.0, within=0.25) == "Exercise 1: right"
    assert "again" in said_to(capsys, 2.05, right=2.0393, within=0.005)
    more = "Exercise 1: not yet. Right so far. Give more decimals."
    assert said_to(capsys, 2.7, right=2.6581, within=0.005) == more
    assert said_to(capsys, 2.8, right=2.6581, within=0.005) != more
    assert said_to(capsys, 3, right=2.6581, within=0.005) != more


def test_mistake_is_named_even_if_it_looks_like_a_rounded_number(capsys):
    said = said_to(capsys, 2.7, right=2.6581, within=0.005, mistakes=[[2.7, "Factor 2. Twice."]])
    assert said == "Exercise 1: not yet. Factor 2. Twice."


def test_dots_are_no_answer_yet(capsys):
    assert said_to(capsys, ...) == "Exercise 1: no answer yet"


@pytest.mark.parametrize(
    "answer", [None, "minus eight", (0, 5), 10**400, torch.tensor([-8.0, -5.0])]
)
def test_what_is_no_number_is_said_to_be_none(answer, capsys):
    assert "The answer should be one number, such as 0.5" in said_to(capsys, answer)


@pytest.mark.parametrize("packed", ["", "no base64!", "e30=", None])
def test_notebook_that_was_spoilt_says_so(packed):
    with pytest.raises(ValueError, match="download it again"):
        check_prediction(1, packed)


def check(capsys, block) -> str:
    with checking("Exercise 2"):
        block()
    return capsys.readouterr().out.rstrip("\n")


def fails(error: Exception):
    def block():
        raise error

    return block


def test_block_that_goes_through_is_right(capsys):
    assert check(capsys, lambda: None) == "Exercise 2: right"


def test_block_that_fails_says_its_message_and_the_notebook_goes_on(capsys):
    assert check(capsys, fails(AssertionError("two, not 3"))) == "Exercise 2: not yet. two, not 3"
    assert check(capsys, fails(AssertionError())) == "Exercise 2: not yet."


def test_name_that_nobody_has_made_is_no_answer_yet(capsys):
    with checking("Exercise 2"):
        slope_of_nobody  # noqa: B018, F821
    said = capsys.readouterr().out
    assert (
        said == "Exercise 2: no answer yet. Python says: name 'slope_of_nobody' is not defined.\n"
    )


def test_name_that_is_missing_in_the_answer_is_a_mistake_in_it(capsys):
    said = check(capsys, fails(NameError("name 'parameter' is not defined")))
    assert said == "Exercise 2: not yet. Python says: name 'parameter' is not defined."


def test_answer_that_cannot_be_used_is_not_yet_right(capsys):
    said = check(capsys, fails(TypeError("unsupported operand")))
    assert said == "Exercise 2: not yet. Python says: TypeError: unsupported operand"


def test_ctrl_c_still_stops():
    with pytest.raises(KeyboardInterrupt), checking("Exercise 2"):
        raise KeyboardInterrupt
