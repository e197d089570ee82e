"""When it goes wrong: every wrong program fails as the page says, every right one is right.

The programs are taken out of the pages and run; what has to come out stands here.
"""

import math
import re
import warnings
from functools import cache
from pathlib import Path
from typing import NamedTuple

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch
from browsing import reading, searched, soup, troubles_of
from myst_nb.core.read import read_myst_markdown_notebook
from test_numbers import after

ROOT = Path(__file__).parent.parent
ROOM = ROOT / "docs" / "troubleshooting"

# What the course gets on the two points, from (1, 0) with rate 0.1.
START = {"a": -8.0, "b": -5.0}
STEP = {"a": 1.8, "b": 0.5}
END = dict(zip("ab", after(100, 0.1), strict=True))
RIGHT_NUMBERS = {*START.values(), *STEP.values(), *END.values()}


class Entry(NamedTuple):
    """What has to come out of an entry's programs.

    ``wrong`` holds, for each wrong program, expressions and their values; ``fix`` the
    same for the right one. ``raises`` is what each wrong program raises, or None for one
    that runs through.
    """

    page: str
    fix: dict
    wrong: tuple[dict, ...] = ({},)
    raises: tuple[tuple[str, str] | None, ...] = (None,)
    warns: tuple[str, ...] = ()


def gradient(a="a", b="b") -> dict[str, float]:
    """Return what is expected where two gradients are those of the start."""
    return {f"{a}.grad": START["a"], f"{b}.grad": START["b"]}


def of(values: dict[str, float], a="a", b="b") -> dict[str, float]:
    return {a: values["a"], b: values["b"]}


NET = ("net.weight", "net.bias")
NOT_A_LEAF = "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed"
TO_A_SCALAR = "Converting a tensor with requires_grad=True to a scalar may lead to"
NO_GRAD_FN = ("RuntimeError", "does not require grad and does not have a grad_fn")
OF_NONE = ("TypeError", "unsupported operand type(s) for *: 'float' and 'NoneType'")
TWICE = ("RuntimeError", "Trying to backward through the graph a second time")
CHANGED = ("RuntimeError", "has been modified by an inplace operation")
NO_PARAMETERS = ("ValueError", "optimizer got an empty parameter list")
AMBIGUOUS = ("RuntimeError", "Boolean value of Tensor with more than one value is ambiguous")
STEP_OF_A = {"a": STEP["a"], "b": 0}
STOPPED = {"e": 6.5, "net.weight": 1.0, "net.bias": 0.0}

ENTRIES = {
    # Reset
    "never-reset": Entry(
        "reset", of(END), wrong=({"a.grad": -16, "b.grad": -10}, {"e > 6.5": True}),
        raises=(None, None),
    ),
    "reset-too-early": Entry(
        "reset", gradient(),
        raises=(("AttributeError", "'NoneType' object has no attribute 'zero_'"),),
    ),
    "reset-before-the-step": Entry("reset", of(END, *NET), wrong=(STOPPED,)),
    # At (1.8, 0.5) the slope along a is -2.5; the first one is still in it.
    "reset-outside-the-loop": Entry(
        "reset",
        {"ends": [tuple(END.values())] * 3},
        wrong=({"slopes": [-8, -8 - 2.5]},),
    ),
    # Nine tenths of a step of 0.5 are added to it.
    "zero-or-none": Entry(
        "reset", {"walk": [STEP["b"]] * 2}, wrong=({"walk": [0.5, 0.5 + 0.45]},)
    ),
    # By hand
    "leaf-in-place": Entry(
        "update", of(STEP),
        raises=(("RuntimeError", "a leaf Variable that requires grad is being used in"),),
    ),
    "lost-leaf": Entry(
        "update", of(END),
        wrong=({"a": 1.8, "b": 0.5, "a.is_leaf": False}, {**of(END), "steps": 100}),
        raises=(OF_NONE, None),
        warns=(NOT_A_LEAF,),
    ),
    "rebound-in-no-grad": Entry("update", of(END), wrong=(of(STEP),), raises=(NO_GRAD_FN,)),
    "forward-in-no-grad": Entry("update", of(STEP), raises=(NO_GRAD_FN,)),
    "detach-in-the-way": Entry("update", gradient(), wrong=({"a.grad": None, "b.grad": -5},)),
    "data": Entry("update", gradient(), wrong=({"a.grad": 8, "b.grad": 5},)),
    "no-grad-without-parentheses": Entry(
        "update", of(STEP),
        raises=(("TypeError", "object does not support the context manager protocol"),),
    ),
    # backward()
    "second-backward": Entry(
        "backward", gradient(), wrong=(gradient(), {}), raises=(TWICE, TWICE)
    ),
    "forward-outside-the-loop": Entry("backward", of(END), wrong=(of(STEP),), raises=(TWICE,)),
    "retain-graph": Entry(
        "backward", of(END), wrong=({"walk": [1.8, 2.6, 3.4], "e": 6.5}, {}),
        raises=(None, CHANGED),
    ),
    "error-of-two-numbers": Entry(
        "backward", gradient(), wrong=({"e.tolist()": [4, 9]},),
        raises=(("RuntimeError", "grad can be implicitly created only for scalar outputs"),),
    ),
    "backward-of-ones": Entry("backward", gradient(), wrong=({"a.grad": -16, "b.grad": -10},)),
    "nothing-requires-grad": Entry(
        "backward", gradient(), wrong=({"e": 6.5, "e.grad_fn": None},), raises=(NO_GRAD_FN,)
    ),
    "loss-requires-grad": Entry(
        "backward", gradient(), wrong=({"a.grad": None, "b.grad": None, "e.grad": 1},)
    ),
    "no-parentheses": Entry(
        "backward", gradient(), wrong=({"a.grad": None, "b.grad": None}, {"a": 1.0}),
        raises=(None, OF_NONE),
    ),
    "error-made-anew": Entry(
        "backward", {**gradient(), "e": 6.5},
        wrong=({"e": 6.5}, {"e": 6.5, "a.grad": None, "b.grad": None}), raises=(NO_GRAD_FN, None),
    ),
    "number-has-no-backward": Entry(
        "backward", {**gradient(), "e": 6.5}, wrong=({"e": 6.5}, {"e": 6.5}),
        raises=(
            ("AttributeError", "'float' object has no attribute 'backward'"),
            ("AttributeError", "'MSELoss' object has no attribute 'backward'"),
        ),
    ),
    # .grad is None
    "one-without-a-request": Entry(
        "grad-is-none", gradient(), wrong=({"a.grad": -8, "b.grad": None}, STEP_OF_A),
        raises=(None, OF_NONE),
    ),
    "result-of-a-calculation": Entry(
        "grad-is-none", gradient(), wrong=({"a.is_leaf": False, "b.grad": -5},),
        warns=(NOT_A_LEAF,),
    ),
    "reshaped-parameter": Entry(
        "grad-is-none", {"w.grad.flatten().tolist()": [-8, -5]}, wrong=({"w.is_leaf": False},),
        warns=(NOT_A_LEAF,),
    ),
    "gradient-in-between": Entry(
        "grad-is-none", {"y.grad.tolist()": [-2, -3], **gradient()}, wrong=(gradient(),),
        warns=(NOT_A_LEAF,),
    ),
    "rebuilt-parameter": Entry(
        "grad-is-none", gradient(), wrong=({"a.grad": None, "w.grad.tolist()": [-8, -5]},),
        warns=(TO_A_SCALAR,),
    ),
    "parameter-left-out": Entry(
        "grad-is-none", gradient(), wrong=({"a.grad": -8, "b.grad": None},)
    ),
    "gradient-after-the-reset": Entry(
        "grad-is-none", {"seen": (-8, -5)}, wrong=({"a.grad": None, "b.grad": None, **of(STEP)},)
    ),
    "request-on-a-result": Entry(
        "grad-is-none", {**gradient(), "bare.requires_grad": False},
        raises=(("RuntimeError", "you can only change requires_grad flags of leaf variables."),),
    ),
    "non-leaf-in-the-optimizer": Entry(
        "grad-is-none", of(STEP), raises=(("ValueError", "can't optimize a non-leaf Tensor"),)
    ),
    # In place
    "saved-value-changed": Entry("in-place", gradient(), raises=(CHANGED,)),
    "which-value": Entry(
        "in-place", {**gradient(), "used": 0, "d._version": 0, "y._version": 1},
        wrong=({"y._version": 1, "d._version": 1},), raises=(CHANGED,),
    ),
    "step-between-two-backwards": Entry(
        "in-place",
        {**gradient("first.weight", "first.bias"), **of(STEP, "first.weight", "first.bias")},
        # The second layer's own gradient at the left point is -2, so its weight becomes 1.2, and
        # the -6 of the right point is multiplied with it: -2 - 6 * 1.2.
        wrong=({}, {"first.weight.grad": -2 - 6 * 1.2}), raises=(CHANGED, None),
    ),
    "part-of-a-leaf": Entry(
        "in-place", gradient(),
        raises=(("RuntimeError", "a view of a leaf Variable that requires grad is being used in"),),
    ),
    # Types and shapes
    "whole-number-parameter": Entry(
        "types-and-shapes", gradient(),
        raises=(("RuntimeError", "Only Tensors of floating point and complex dtype can require"),),
    ),
    "whole-number-inputs": Entry(
        "types-and-shapes", of(END),
        raises=(("RuntimeError", "must have the same dtype, but got Long and Float"),),
    ),
    "numpy-inputs": Entry(
        "types-and-shapes", of(END),
        raises=(("RuntimeError", "must have the same dtype, but got Double and Float"),),
    ),
    "mean-of-whole-numbers": Entry(
        "types-and-shapes", {**gradient(), "e": 6.5},
        raises=(("RuntimeError", "mean(): could not infer output dtype."),),
    ),
    "flat-inputs": Entry(
        "types-and-shapes", of(END),
        raises=(("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (1x2 and 1x1)"),),
    ),
    # The level line at the mean of 3 and 5 is the best for all four pairs.
    "column-against-row": Entry(
        "types-and-shapes", of(END), wrong=({"a": 0, "b": 4},),
        warns=("Using a target size (torch.Size([2])) that is different to the input size",),
    ),
    "column-against-row-by-hand": Entry(
        "types-and-shapes", of(END), wrong=({"a": 0, "b": 4, "e": 1, "(t - y).shape": (2, 2)},)
    ),
    "different-lengths": Entry(
        "types-and-shapes", gradient(),
        raises=(("RuntimeError", "The size of tensor a (3) must match the size of tensor b (2)"),),
    ),
    "another-device": Entry(
        "types-and-shapes", of(END),
        raises=(("RuntimeError", "Tensor on device meta is not on the expected device cpu!"),),
    ),
    "no-cuda": Entry(
        "types-and-shapes", gradient(),
        raises=(("AssertionError|RuntimeError", "CUDA|NVIDIA"),),
    ),
    # Numbers
    "numpy-of-a-tensor": Entry(
        "plots-and-numbers", gradient(),
        raises=(("RuntimeError", "Can't call numpy() on Tensor that requires grad."),),
    ),
    "plot-of-errors": Entry(
        "plots-and-numbers", {**of(END), "errors[0]": 6.5, "len(errors)": 100},
        wrong=({"len(errors)": 100},),
        raises=(("RuntimeError", "Can't call numpy() on Tensor that requires grad."),),
    ),
    # The second entry should be 1.8; both are where the second step led.
    "history-of-one-number": Entry(
        "plots-and-numbers", {"history": [1, STEP["a"]]},
        wrong=({"[h.item() for h in history]": [after(2, 0.1)[0]] * 2},),
    ),
    "sum-of-errors": Entry(
        "plots-and-numbers", {**of(END), "type(total)": float},
        wrong=({"additions": 100, "total.requires_grad": True},),
    ),
    "float-of-a-tensor": Entry(
        "plots-and-numbers", of(STEP), wrong=({"a": 1.8},), warns=(TO_A_SCALAR,)
    ),
    "item-of-two-numbers": Entry(
        "plots-and-numbers", gradient(),
        raises=(("RuntimeError", "a Tensor with 2 elements cannot be converted to Scalar"),),
    ),
    "truth-of-two-numbers": Entry("plots-and-numbers", of(END), raises=(AMBIGUOUS,)),
    "loss-not-made": Entry("plots-and-numbers", {**gradient(), "e": 6.5}, raises=(AMBIGUOUS,)),
    # Nothing moves
    "no-step": Entry("nothing-moves", of(END, *NET), wrong=(STOPPED,)),
    "step-before-backward": Entry("nothing-moves", of(END, *NET), wrong=(STOPPED,)),
    "old-model": Entry(
        "nothing-moves", of(END, *NET), wrong=({**STOPPED, "net.weight.grad": -16},)
    ),
    "layers-in-a-list": Entry(
        "nothing-moves", of(END), wrong=({"len(list(net.parameters()))": 0},),
        raises=(NO_PARAMETERS,),
    ),
    "one-layer-in-a-list": Entry(
        "nothing-moves", of(STEP, "net.hidden[0].weight", "net.hidden[0].bias"),
        wrong=({
            "net.last.weight": 1.8, "net.hidden[0].weight": 1.0, "net.hidden[0].weight.grad": -8,
            "len(list(net.parameters()))": 2,
        },),
    ),
    "plain-tensor-on-self": Entry(
        "nothing-moves", of(STEP, "net.a", "net.b"),
        wrong=({"len(list(Line().parameters()))": 0},), raises=(NO_PARAMETERS,),
    ),
    "parameters-used-up": Entry(
        "nothing-moves", of(STEP, *NET), wrong=({"len(list(net.parameters()))": 2},),
        raises=(NO_PARAMETERS,),
    ),
    "no-super": Entry(
        "nothing-moves", gradient("net.linear.weight", "net.linear.bias"),
        raises=(("AttributeError", "cannot assign module before Module.__init__() call"),),
    ),
    "no-forward": Entry(
        "nothing-moves", gradient("net.linear.weight", "net.linear.bias"),
        raises=(("NotImplementedError", 'is missing the required "forward" function'),),
    ),
    "no-return": Entry(
        "nothing-moves", gradient("net.linear.weight", "net.linear.bias"),
        raises=(("AttributeError", "'NoneType' object has no attribute 'size'"),),
    ),
    "parameters-without-parentheses": Entry(
        "nothing-moves", of(STEP, *NET), wrong=({}, {}),
        raises=(
            ("TypeError", "'method' object is not iterable"),
            ("TypeError", "params argument given to the optimizer should be an iterable"),
        ),
    ),
    # The wrong way
    "rate-too-large": Entry(
        "wrong-way", of(END),
        wrong=({
            "errors[:2]": [6.5, 7.25], "errors[787] < math.inf": True,
            "errors[788]": math.inf, "math.isnan(values[1585])": False,
            "math.isnan(values[1586])": True,
        },),
    ),
    "large-inputs": Entry("wrong-way", of(END), wrong=({"a.isnan()": True},)),
    "rate-too-small": Entry("wrong-way", of(END), wrong=({"(a, b)": after(100, 0.001)},)),
    "sum-instead-of-mean": Entry("wrong-way", of(END), wrong=({"a.isnan()": True},)),
    "sign-error": Entry("wrong-way", of(STEP), wrong=({"a": 0.2, "b": -0.5, "new_e": 18.45},)),
    "gradient-of-the-prediction": Entry(
        "wrong-way", gradient(), wrong=({"a.grad": 1.5, "b.grad": 1},)
    ),
    "root-at-an-exact-fit": Entry(
        "wrong-way", {"goal": (0, 0), "start": (-8, -5)},
        wrong=({"a.grad.isnan()": True, "b.grad.isnan()": True, "e": 0},),
    ),
    # At (1.8, 0) the line misses by 1.2 and 1.4.
    "one-after-the-other": Entry("wrong-way", of(STEP), wrong=({"a": 1.8, "b": 0.1 * 2.6},)),
    "other-numbers-each-time": Entry(
        "wrong-way", gradient(*NET),
        wrong=({"program() == program()": False},),
    ),
    # Check
    "three-ways": Entry(
        "check-a-gradient", {"tried_a": -8, "tried_b": -5, "by_hand": (-8, -5)},
        wrong=({"by_hand": (-5, -5), **gradient()},),
    ),
    "factor-two": Entry(
        "check-a-gradient", {"by_hand": (-8, -5)}, wrong=({"by_hand": (-4, -2.5)},)
    ),
    "factor-one-over-n": Entry(
        "check-a-gradient", {"by_hand": (-8, -5)}, wrong=({"by_hand": (-16, -10)},)
    ),
    "differences-in-32-bits": Entry(
        "check-a-gradient", {"tried_a": -8, "tried_b": -5},
        wrong=({"abs(tried_a + 8) > 0.5": True},),
    ),
    "gradcheck-in-32-bits": Entry(
        "check-a-gradient", gradient(),
        raises=(("GradcheckError", "Jacobian mismatch for output 0 with respect to input 0"),),
        warns=("Input #0 requires gradient and is not a double precision",),
    ),
}  # fmt: skip

PAGES = sorted({entry.page for entry in ENTRIES.values()})
WITH_MESSAGE = [a for a, e in ENTRIES.items() if any(e.raises) or e.warns]
SILENT = [a for a in ENTRIES if a not in WITH_MESSAGE]
every_entry = pytest.mark.parametrize("anchor", ENTRIES)


# The pages, taken apart


class Section(NamedTuple):
    """An entry as the page's source has it."""

    title: str
    text: str
    cells: list


def cells_of(text: str) -> list:
    """Return the code cells of a piece of a page."""
    header = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n"
    notebook = read_myst_markdown_notebook(header + text)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@cache
def sections_of(page: str) -> tuple[list, dict[str, Section]]:
    """Return the cells above the entries of a page, and the entries by anchor."""
    text = (ROOM / f"{page}.md").read_text("utf-8").partition("\n---\n")[2]
    above, *rest = re.split(r"^\(([\w-]+)\)=\n## (.*)\n", text, flags=re.MULTILINE)
    entries = {
        anchor: Section(title, body, cells_of(body))
        for anchor, title, body in zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    }
    return cells_of(above), entries


def section_of(anchor: str) -> Section:
    return sections_of(ENTRIES[anchor].page)[1][anchor]


def kind_of(cell) -> str:
    (kind,) = {"wrong", "fix"} & set(cell.metadata.get("tags", []))
    return kind


def run(cell, names: dict) -> tuple[Exception | None, list[str]]:
    """Run a cell; return what it raised and the texts of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(cell.source, "<cell>", "exec"), names)
        except Exception as error:
            raised = error
        else:
            raised = None
    texts = [str(w.message) for w in caught if "FigureCanvasAgg" not in str(w.message)]
    return raised, texts


@pytest.fixture
def names():
    """Return how to get the names that the cells above the entries of a page make."""
    matplotlib.use("agg")
    always = torch.is_warn_always_enabled()
    # Some warnings come once in a process, and a test before this one may have had it.
    torch.set_warn_always(True)

    def prepared(anchor: str) -> dict:
        made = {}
        for cell in sections_of(ENTRIES[anchor].page)[0]:
            assert run(cell, made) == (None, [])
        return made

    yield prepared
    torch.set_warn_always(always)
    plt.close("all")


def plain(value):
    """Return a tensor of one number as a number, alone or in a list or tuple."""
    if isinstance(value, list | tuple):
        return type(value)(plain(v) for v in value)
    return value.item() if isinstance(value, torch.Tensor) else value


def check(expected: dict, names: dict) -> None:
    for expression, value in expected.items():
        found = plain(eval(expression, names))
        if isinstance(value, bool | type | None):
            assert found is value, expression
        elif isinstance(value, list):
            # Pairs of numbers are compared one by one.
            assert [pytest.approx(v, abs=2e-5) for v in value] == list(found), expression
        elif found is not None:
            assert found == pytest.approx(value, abs=2e-5), expression
        else:
            raise AssertionError(f"{expression} is None")


# Each entry, run


@every_entry
def test_wrong_program_fails_in_the_stated_way(anchor, names):
    entry = ENTRIES[anchor]
    made = names(anchor)
    wrong = [cell for cell in section_of(anchor).cells if kind_of(cell) == "wrong"]
    said = []
    for cell, expected, stops in zip(wrong, entry.wrong, entry.raises, strict=True):
        raised, warned = run(cell, made)
        if stops is None:
            assert raised is None
        else:
            kind, message = stops
            assert type(raised).__name__ in kind.split("|")
            parts = message.split("|")
            assert any(part in str(raised) for part in parts), raised
        said += warned
        check(expected, made)
    for message in entry.warns:
        assert any(message in text for text in said), said
    assert entry.warns or not said


@every_entry
def test_right_program_gives_the_right_number(anchor, names):
    made = names(anchor)
    for cell in section_of(anchor).cells:
        if kind_of(cell) == "wrong":
            # A right program may go on where the wrong one has stopped.
            run(cell, made)
        else:
            assert run(cell, made) == (None, [])
            check(ENTRIES[anchor].fix, made)


@every_entry
def test_right_program_runs_alone(anchor, names):
    """A reader copies it, and not the wrong one above it."""
    made = names(anchor)
    (fix,) = [cell for cell in section_of(anchor).cells if kind_of(cell) == "fix"]
    assert run(fix, made) == (None, [])
    check(ENTRIES[anchor].fix, made)


@every_entry
def test_what_is_expected_of_a_right_program_is_a_number_of_the_course(anchor):
    def numbers(value) -> set:
        return set().union(*map(numbers, value)) if isinstance(value, list | tuple) else {value}

    found = set().union(*map(numbers, ENTRIES[anchor].fix.values()))
    assert found & RIGHT_NUMBERS


# How an entry is written


def test_pages_have_these_entries_and_no_others():
    there = {anchor: page for page in PAGES for anchor in sections_of(page)[1]}
    assert there == {anchor: entry.page for anchor, entry in ENTRIES.items()}
    assert {path.stem for path in ROOM.glob("*.md")} == {*PAGES, "index", "which-one"}


@every_entry
def test_entry_has_a_wrong_program_then_cause_then_a_right_one_then_where_to_look(anchor):
    section = section_of(anchor)
    kinds = "".join(kind_of(cell)[0] for cell in section.cells)
    assert re.fullmatch(r"w+f", kinds)
    leads = re.findall(r"^\*\*(Why\.|Do this\.|Look at)\*\*", section.text, re.MULTILINE)
    assert leads == ["Why.", "Do this.", "Look at"]
    before, _, after_cause = section.text.partition("**Do this.**")
    assert "[fix]" not in before and "[wrong" not in after_cause.partition("**Look at**")[0]
    assert re.search(r"\*\*Look at\*\* .*\]\(\.\./course/\d\d-[\w-]+\.md\)", section.text)


@every_entry
def test_cause_is_told_in_one_sentence(anchor):
    cause = re.search(r"^\*\*Why\.\*\* (.*)$", section_of(anchor).text, re.MULTILINE)[1]
    first = re.split(r"(?<=[.?!]) ", cause)[0]
    assert 8 <= len(first.split()) <= 45


@every_entry
def test_number_of_the_right_program_is_said_and_checked_by_the_build(anchor, extension):
    numbers_in = extension("number_check").numbers_in
    below = section_of(anchor).text.rpartition("[fix]")[2]
    said = {float(n) for text in re.findall(r"\{run\}`([^`]*?) <", below) for n in numbers_in(text)}
    assert {round(n, 4) for n in RIGHT_NUMBERS} & said


@every_entry
def test_program_that_stops_or_warns_says_so_to_the_build(anchor):
    """The build compares these lines with what happens."""
    entry = ENTRIES[anchor]
    wrong = [cell.metadata for cell in section_of(anchor).cells if kind_of(cell) == "wrong"]
    assert ["fails" in metadata for metadata in wrong] == [bool(stops) for stops in entry.raises]
    assert any("warns" in metadata for metadata in wrong) == bool(entry.warns)


# The ways to an entry


@pytest.fixture(autouse=True)
def _site(built_site):
    """Let each test fail with what to do when the site is not built."""


def links_in(element) -> set[str]:
    """Return the anchors that the links of an element lead to, with their pages."""
    return {a["href"] for a in element.select("a[href*='#']")}


def address(anchor: str) -> str:
    return f"{ENTRIES[anchor].page}.html#{anchor}"


@every_entry
def test_index_by_symptom_leads_to_the_entry(anchor):
    by_symptom = soup("troubleshooting/index.html").find(id="by-symptom")
    assert address(anchor) in links_in(by_symptom)


@pytest.mark.parametrize("anchor", WITH_MESSAGE)
def test_index_by_message_leads_from_the_message_to_the_entry(anchor):
    items = soup("troubleshooting/index.html").select("ul.messages > li")
    assert len(items) > 20
    leading = [item.code.get_text() for item in items if address(anchor) in links_in(item)]
    entry = ENTRIES[anchor]
    said = [stops for stops in entry.raises if stops] + [("UserWarning", w) for w in entry.warns]
    for kinds, texts in said:
        found = [
            message
            for message in leading
            if message.startswith(tuple(kinds.split("|")))
            # The index has the first sentence, and of it without its numbers.
            and any(text.rstrip(".") in message for text in texts.split("|"))
        ]
        assert found, leading


@pytest.mark.parametrize("anchor", SILENT)
def test_five_questions_lead_to_an_entry_that_has_no_message(anchor):
    article = soup("troubleshooting/which-one.html").article
    assert address(anchor) in links_in(article)


def test_there_are_five_questions():
    titles = [h2.get_text() for h2 in soup("troubleshooting/which-one.html").select("h2")]
    questions = [title for title in titles if "?" in title and re.match(r"\d\.", title)]
    assert [title[0] for title in questions] == list("12345")


@pytest.mark.parametrize("name", ["index", "course/index", "course/12-looking-back"])
def test_pages_where_readers_start_and_end_lead_here(name):
    links = {a["href"] for a in soup(f"{name}.html").article.select("a[href]")}
    assert {link.removeprefix("../") for link in links} & {"troubleshooting/index.html"}


# What is shown of a message


@pytest.mark.parametrize("page", PAGES)
def test_messages_are_shown_without_places_of_the_machine(page):
    shown = [
        block.get_text() for block in soup(f"troubleshooting/{page}.html").select(
            ".traceback, .stderr"
        )
    ]  # fmt: skip
    for text in shown:
        assert not re.search(
            r"Triggered internally|ipykernel|site-packages|\.cpp|0x[0-9a-f]+", text
        )
        assert not re.search(r"Cell In|Traceback|File ", text)
    entries = [entry for entry in ENTRIES.values() if entry.page == page]
    assert len(shown) == sum(sum(map(bool, e.raises)) + bool(e.warns) for e in entries)


@pytest.mark.parametrize("page", PAGES)
def test_message_says_which_line_of_the_program_stopped(page):
    for block in soup(f"troubleshooting/{page}.html").select(".traceback"):
        arrow, message = block.get_text().strip().split("\n", 1)
        number, line = re.fullmatch(r"-+> (\d+) (.*)", arrow).groups()
        program = block.find_parent(class_="cell").select_one(".cell_input pre").get_text()
        above = [cell.source for cell in sections_of(page)[0]]
        lines = [code.splitlines()[int(number) - 1 : int(number)] for code in [program, *above]]
        assert line in [found.strip() for place in lines for found in place]
        assert re.match(r"\w+(Error|Exception): \S", message)


# The search


def message_of(anchor: str, prepared) -> str:
    """Return what Python prints at the end when the entry's wrong program has stopped."""
    made = prepared(anchor)
    for cell in section_of(anchor).cells:
        raised, warned = run(cell, made)
        if raised:
            return f"{type(raised).__name__}: {raised}"
        if warned:
            return f"UserWarning: {warned[0]}"
    raise AssertionError("it has no message")


def found_by(browser, home: str, text: str) -> tuple[list[set[str]], list[str]]:
    """Search for a text; return the entries of each message that is recognised, and the pages."""
    with reading(browser) as page:
        troubles = troubles_of(page, home)
        searched(page, home, text)
        hrefs = "all => all.filter((a) => a.checkVisibility()).map((a) => a.href)"
        shown = page.locator("#known-messages > ul > li").all()
        known = [message.locator("a").evaluate_all(hrefs) for message in shown]
        pages = page.locator("#search-results li > a").evaluate_all(hrefs)
        # From a folder a browser may not read the pages, of which the results show a part.
        assert home.startswith("file:") or troubles == []
        shorter = len(home) + len("troubleshooting/")
        entries = [{link[shorter:] for link in links} for links in known]
        return entries, [link[len(home) :] for link in pages]


@pytest.mark.parametrize("anchor", WITH_MESSAGE)
def test_message_pasted_into_the_search_leads_to_its_entry(anchor, browser, served_site, names):
    known, pages = found_by(browser, served_site, message_of(anchor, names))
    assert address(anchor) in known[0]
    assert any(link.startswith(f"troubleshooting/{ENTRIES[anchor].page}.html") for link in pages)


TRACEBACK = """\
Traceback (most recent call last):
  File "/home/me/train.py", line 41, in <module>
    main()
  File "/home/me/train.py", line 28, in main
    y = net(x)
        ^^^^^^
  File "/home/me/env/lib/python3.12/site-packages/torch/nn/modules/linear.py", line 134, in forward
    return F.linear(input, self.weight, self.bias)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"""
LIKE_OURS = {
    "other shapes": (
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x784 and 128x10)", "flat-inputs"
    ),
    "a whole traceback": (
        TRACEBACK + "RuntimeError: mat1 and mat2 must have the same dtype, but got Double and "
        "Float",
        "numpy-inputs",
    ),
    "another tensor and version": (
        "one of the variables needed for gradient computation has been modified by an inplace "
        "operation: [torch.cuda.FloatTensor [512, 10]], which is output 0 of AsStridedBackward0, "
        "is at version 3; expected version 2 instead.",
        "saved-value-changed",
    ),
    "without the kind of error": (
        "grad can be implicitly created only for scalar outputs", "error-of-two-numbers"
    ),
    "the first sentence": ("Can't call numpy() on Tensor that requires grad", "numpy-of-a-tensor"),
    "a part from its middle": ("does not require grad and does not have a grad_fn",
                               "nothing-requires-grad"),
    "other sizes": (
        "UserWarning: Using a target size (torch.Size([32])) that is different to the input size "
        "(torch.Size([32, 1])). This will likely lead to incorrect results due to broadcasting.",
        "column-against-row",
    ),
    "another name of a class": (
        'NotImplementedError: Module [MyModel] is missing the required "forward" function',
        "no-forward",
    ),
    "a word left out": (
        "RuntimeError: grad can be created only for scalar outputs", "error-of-two-numbers"
    ),
    "the words of an old version": (
        "RuntimeError: Can't call numpy() on Variable that requires grad. "
        "Use var.detach().numpy() instead.",
        "numpy-of-a-tensor",
    ),
    "the end of a sentence": ("elements cannot be converted to Scalar", "item-of-two-numbers"),
    "the likeliest of two": (
        "a view of a leaf Variable that requires grad is being used in an in-place operation.",
        "part-of-a-leaf",
    ),
    "two graphics cards' worth of words": (
        "RuntimeError: Expected all tensors to be on the same device, but found at least two "
        "devices, cuda:1 and cpu! (when checking argument for argument mat1 in method "
        "wrapper_CUDA_addmm)",
        "another-device",
    ),
    "a driver that is missing": (
        "RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA "
        "GPU and installed a driver",
        "no-cuda",
    ),
    "capitals": ("TRYING TO BACKWARD THROUGH THE GRAPH A SECOND TIME", "second-backward"),
}  # fmt: skip


@pytest.mark.parametrize("what", LIKE_OURS)
def test_message_is_recognised_with(what, browser, served_site):
    text, anchor = LIKE_OURS[what]
    known, pages = found_by(browser, served_site, text)
    assert address(anchor) in known[0]
    assert len(known) <= 3 and pages


@pytest.mark.parametrize(
    "words",
    ["learning rate", "gradient", "the gradient is", "tensor that requires", "KeyError: 'a'",
     "IndexError: list index out of range", "how do I load a file with PyTorch and plot it",
     "with respect to input", "object has no attribute", "<b>bold</b>",
     "AttributeError: 'NoneType' object has no attribute 'shape'",
     "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
     "TypeError: unsupported operand type(s) for -: 'list' and 'float'"],
)  # fmt: skip
def test_search_for_other_words_shows_no_message(words, browser, served_site):
    with reading(browser) as page:
        searched(page, served_site, words)
        assert not page.locator("#known-messages").is_visible()
        # For a message there is advice, for words there is none.
        assert page.locator("#unknown-message").is_visible() == ("Error: " in words)


def test_search_shows_the_message_it_recognised(browser, served_site):
    with reading(browser) as page:
        searched(page, served_site, "mat1 and mat2 shapes cannot be multiplied (64x784 and 10x1)")
        shown = page.locator("#known-messages code").all_inner_texts()
        assert shown == [
            "RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x2 and 1x1)"
        ]  # fmt: skip
        # Nothing of the entry is marked: every second word of it would be.
        page.locator("#known-messages a").first.click()
        page.wait_for_url("**#flat-inputs")
        assert page.locator("span.highlighted").count() == 0


def test_words_of_a_reader_are_searched_as_they_are(browser, served_site):
    """A part of a message is no reason to look for all of it."""
    known, pages = found_by(browser, served_site, "Can't call numpy() on Tensor")
    assert address("numpy-of-a-tensor") in known[0]
    _, whole = found_by(
        browser,
        served_site,
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
    )
    assert len(pages) > len(whole)


def test_message_is_found_from_a_usb_stick(browser, built_site):
    home = built_site.as_uri() + "/"
    known, _ = found_by(browser, home, "RuntimeError: grad can be implicitly created only for")
    assert known == [{address("error-of-two-numbers")}]


def test_field_on_the_index_takes_several_lines_and_leads_to_the_entry(browser, served_site):
    with reading(browser) as page:
        page.goto(served_site + "troubleshooting/index.html")
        page.get_by_label("The message you got").fill(
            TRACEBACK + "ValueError: optimizer got an empty parameter list"
        )
        page.get_by_role("button", name="Find it").click()
        page.get_by_role("link", name="A tensor on self is no parameter").first.click()
        page.wait_for_url("**/troubleshooting/nothing-moves.html#plain-tensor-on-self")
        assert page.locator("#plain-tensor-on-self h2").is_visible()


def test_field_takes_a_text_that_is_too_long_for_an_address(browser, served_site):
    with reading(browser) as page:
        page.goto(served_site + "troubleshooting/index.html")
        field = page.get_by_label("The message you got")
        page.get_by_role("button", name="Find it").click()
        assert page.url.endswith("troubleshooting/index.html"), "an empty field is sent nowhere"
        field.fill(TRACEBACK * 40 + "ValueError: can't optimize a non-leaf Tensor\n")
        page.get_by_role("button", name="Find it").click()
        page.get_by_role("link", name="The optimizer refuses a non-leaf").wait_for()
        assert len(page.url) < 8000
