"""What is taken from a traceback and from warnings, and what a cell must say of itself."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output


@pytest.fixture
def failures(extension):
    return extension("failures")


@pytest.fixture
def traceback_of():
    """Return how to get what IPython prints when cells are run and the last one raises."""
    shell = InteractiveShell.instance(colors="nocolor")

    def printed(*cells: str) -> str:
        with capture_output() as captured:
            for cell in cells:
                shell.run_cell(cell, store_history=True)
        return captured.stdout

    yield printed
    InteractiveShell.clear_instance()


def test_line_and_message_of_a_traceback(failures, traceback_of):
    text = traceback_of("import json\njson.loads('{')")
    line, message = failures.told_by_traceback(text)
    assert line == "----> 2 json.loads('{')"
    assert message.startswith("JSONDecodeError: Expecting property name enclosed in double quotes")


def test_line_is_the_innermost_of_the_page(failures, traceback_of):
    """A function of an earlier cell calls what raises: its line is what the reader needs."""
    text = traceback_of("def f(x):\n    return [\n    x[1],\n    ]", "if True:\n    f({})")
    assert failures.told_by_traceback(text) == ("----> 3 x[1],", "KeyError: 1")


def test_line_loses_its_indent_and_keeps_its_blanks(failures, traceback_of):
    text = traceback_of("for i in range(3):\n    if i:\n        {'a  b': i}['c  d']")
    assert failures.told_by_traceback(text)[0] == "----> 3 {'a  b': i}['c  d']"


def test_message_of_several_lines_is_whole(failures, traceback_of):
    text = traceback_of("raise ValueError('one,\\ntwo: 3\\nthree')")
    assert failures.told_by_traceback(text)[1] == "ValueError: one,\ntwo: 3\nthree"


def test_message_that_names_its_own_kind_is_whole(failures, traceback_of):
    text = traceback_of("raise ValueError('x\\nValueError: y')")
    assert failures.told_by_traceback(text)[1] == "ValueError: x\nValueError: y"
    text = traceback_of("try:\n    {}['a']\nexcept KeyError:\n    raise OSError('x\\nOSError: y')")
    assert failures.told_by_traceback(text)[1] == "OSError: x\nOSError: y"


def test_exception_without_a_message_is_told_by_its_kind(failures, traceback_of):
    line, message = failures.told_by_traceback(traceback_of("raise ValueError"))
    assert (line, message) == ("----> 1 raise ValueError", "ValueError:")


def test_cell_that_python_cannot_read_is_told_by_its_message(failures, traceback_of):
    line, message = failures.told_by_traceback(traceback_of("a = = 1"))
    assert (line, message) == ("", "SyntaxError: invalid syntax")


def test_address_in_the_memory_is_cut(failures, traceback_of):
    text = traceback_of("raise TypeError(f'not {object()!r} but {len!r}')")
    message = "TypeError: not <object object> but <built-in function len>"
    assert failures.told_by_traceback(text)[1] == message


def test_exception_that_led_to_another_is_left_aside(failures, traceback_of):
    text = traceback_of("try:\n    {}['a']\nexcept KeyError:\n    raise OSError('no paper')")
    assert failures.told_by_traceback(text)[1] == "OSError: no paper"


def test_message_that_looks_like_the_end_of_a_traceback_is_whole(failures, traceback_of):
    text = traceback_of("raise ValueError('see\\nCell In[7], line 1\\nbelow')")
    line, message = failures.told_by_traceback(text)
    assert line.startswith("----> 1 raise ValueError")
    assert message == "ValueError: see\nCell In[7], line 1\nbelow"


WARNED = """\
/tmp/ipykernel_7/1.py:3: UserWarning: first of two
lines (Triggered internally at /build/torch/a_file.cpp:822.)
  w = torch.tensor([a, b])
/env/lib/python3.11/site-packages/torch/nn/modules/loss.py:630: UserWarning: of torch's own: 2
  return F.mse_loss(input, target)
/tmp/ipykernel_7/1.py:4: DeprecationWarning: old
  old()
<string>:1: DeprecationWarning: from a text
/tmp/ipykernel_7/1.py:5: UserWarning: see a.py:12: Error: x
  f()
loading
C:\\ipykernel_7\\1.py:6: UserWarning: w (Triggered internally at C:\\actions (x86)\\a.cpp:1.)
  g()
"""


def test_each_warning_is_told_with_the_line_of_the_page(failures):
    assert failures.told_by_warnings(WARNED) == [
        ("UserWarning: first of two\nlines", "w = torch.tensor([a, b])"),
        ("UserWarning: of torch's own: 2", ""),
        ("DeprecationWarning: old", "old()"),
        ("DeprecationWarning: from a text", ""),
        ("UserWarning: see a.py:12: Error: x", "f()"),
        ("loading", ""),
        ("UserWarning: w", "g()"),
    ]


@pytest.mark.parametrize(
    ("says", "raised", "warned", "problems"),
    [
        ({}, None, [], []),
        ({"fails": "A: b"}, "A: b and more", [], []),
        ({"fails": "A: b"}, None, [], ["must fail with “A: b”, but nothing was raised"]),
        ({"fails": "A: b"}, "B: b", [], ["must fail with “A: b”, but “B: b” was raised"]),
        ({"fails": ["A: b", "B: c"]}, "B: c", [], []),
        ({"fails": "A: b"}, "C: A: b", [], ["must fail with “A: b”, but “C: A: b” was raised"]),
        ({"warns": "W: d"}, "A: b", ["W: d"], ["fails with “A: b”: say so with :fails:"]),
        (
            {"warns": "W: d"}, None, ["X: W: d"],
            ["must warn of “W: d”, but warned of “X: W: d”",
             "warns of “X: W: d”: say so with :warns:"],
        ),
        (
            {"fails": "A"}, "A: b", [],
            ["says “A”: write the type, a colon and the beginning of the message"],
        ),
        (
            {"fails": 3}, "A: b", [],
            ["says “3”: write the type, a colon and the beginning of the message",
             "must fail with “3”, but “A: b” was raised"],
        ),
        ({"tags": ["wrong", "remove-output"]}, None, [], []),
        (
            {"tags": ["raises-exception", "remove-output"]}, None, [],
            ["hides how it fails: remove-output"],
        ),
        (
            {"tags": ["remove-stderr"], "warns": "W: d"}, None, ["W: d"],
            ["hides how it fails: remove-stderr"],
        ),
        ({}, "A: b", [], ["fails with “A: b”: say so with :fails:"]),
        ({"warns": "W: d"}, None, ["W: d and more"], []),
        ({"warns": "W: d"}, None, [], ["must warn of “W: d”, but warned of nothing"]),
        ({}, None, ["W: d"], ["warns of “W: d”: say so with :warns:"]),
        ({"warns": ["W: d", "W: e"]}, None, ["W: d", "W: e"], []),
        (
            {"warns": ["W: d", "W: e"]}, None, ["W: e"],
            ["must warn of “W: d”, but warned of “W: e”"],
        ),
        (
            {"warns": "W: d", "fails": "A: b"}, None, ["W: e"],
            [
                "must fail with “A: b”, but nothing was raised",
                "must warn of “W: d”, but warned of “W: e”",
                "warns of “W: e”: say so with :warns:",
            ],
        ),
    ],
)  # fmt: skip
def test_cell_that_does_not_do_what_it_says_is_a_problem(says, raised, warned, problems, failures):
    assert failures.problems_of(says, raised, warned) == problems
