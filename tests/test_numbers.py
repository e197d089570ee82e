"""The numbers: those of the article are on their pages, and none in prose goes unchecked."""

import html
import re
from pathlib import Path

import pytest
from myst_nb.core.read import read_myst_markdown_notebook
from sphinx.errors import ExtensionError

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


# The article's numbers are on the site


def after(steps: int, lr: float) -> tuple[float, float]:
    """Return a and b after so many steps from (1, 0): the article's rule, without PyTorch."""
    a, b = 1.0, 0.0
    for _ in range(steps):
        miss_1, miss_2 = a + b - 3, 2 * a + b - 5
        a, b = a - lr * (miss_1 * 1 + miss_2 * 2), b - lr * (miss_1 + miss_2)
    return a, b


WHOLE_GRADIENT = ((9 * 1 + 5 - 3) ** 2 + (9 * 2 + 5 - 5) ** 2) / 2

# By page, as the article has them (its sections are in another count). A fraction
# is read as what stands above its line and then what stands below.
CLAIMED = {
    "course/01-two-points": ["t = 2x + 1", "tensor([1., 2.])", "tensor([3., 5.])"],
    "course/02-any-parameters": ["a = 1", "b = 0", "requires_grad=True", "None None"],
    "course/03-predict": ["tensor([1., 2.]", "tensor([2., 3.]", "∂y ∂a = x", "∂y ∂b = 1"],
    "course/04-error": ["(t − y)²", "|t − y|", "4 and 9", "4 + 9 2 = 6.5", "MSE"],
    "course/05-gradient": [
        "2(y − t)x", "tensor(-8.) tensor(-5.)", "−4 − 12 2 = −8", "−4 − 6 2 = −5",
    ],
    "course/06-backward": ["−2 − 3 = −5", "−2 · 1 − 3 · 2 = −8", "−2 and −3", "0.5"],
    "course/07-one-step": [
        "1 − 0.1 · (−8) = 1.8", "0 − 0.1 · (−5) = 0.5", f"{WHOLE_GRADIENT}", "−16", "−10",
        "detach().requires_grad_()",
    ],
    "course/08-a-hundred-steps": [
        "a = 2.0393", "b = 0.9364", "2.0387", "0.9374", "0.2918",
        "2.147", "0.761", "2.039", "0.936", "2.009", "0.986",
    ],
    "course/09-whole-program": ["range(100)", "2.0393", "0.9364"],
    "course/10-sequential": [
        "nn.Sequential(nn.Linear(1, 1))", "optim.SGD(", "lr=0.1", "nn.MSELoss", "reshape(2, 1)",
        "range(10)", "6.5", "−8", "−5",
    ],
    "course/11-class": ["class Net(nn.Module)", "self.linear", "def forward", "step 9"],
    "course/12-looking-back": ["6.5", "−8", "−5", "1.8", "0.5", "2.0393", "0.9364"],
    "index": ["−8", "−5", "1.8", "0.5"],
    "gallery/01_fit_by_hand": ["2.0393", "0.9364"],
    "gallery/06_try_five_rates": ["2.147", "0.761", "2.039", "0.936", "2.009", "0.986", "0.2918"],
}  # fmt: skip


def test_articles_numbers_follow_from_its_rule():
    ends = {(100, 0.1): "2.0393 0.9364", (101, 0.1): "2.0387 0.9374"}
    for (steps, lr), said in ends.items():
        assert "{:.4f} {:.4f}".format(*after(steps, lr)) == said
    for lr, said in {0.01: "2.147 0.761", 0.1: "2.039 0.936", 0.2: "2.009 0.986"}.items():
        assert "{:.3f} {:.3f}".format(*after(100, lr)) == said
    # The larger eigenvalue of [[5, 3], [3, 2]], the bends of the mean error.
    assert f"{2 / ((7 + 45**0.5) / 2):.4f}" == "0.2918"


def squeezed(text: str) -> str:
    """Return a text without the blanks around signs, the signs as in ASCII."""
    for sign, plain in {"−": "-", "⋅": "·", "²": "2"}.items():
        text = text.replace(sign, plain)
    return re.sub(r"\s+", " ", re.sub(r"\s*([-+=·/()\[\]|,∂])\s*", r"\1", text))


def shown_on(page: Path) -> str:
    """Return what a reader of a built page reads, pictures left out."""
    text = page.read_text("utf-8")
    text = text[text.index("<article") : text.index("</article>")]
    text = re.sub(r"<svg.*?</svg>", " ", text, flags=re.DOTALL)
    # Code is coloured letter by letter; elsewhere a tag separates two words.
    text = re.sub(r"</?span\b[^>]*>", "", text)
    return squeezed(html.unescape(re.sub(r"<[^>]+>", " ", text)))


def is_said(number: str, text: str) -> bool:
    """Tell whether a text has this number or code, and not as a part of a longer one."""
    plain = squeezed(number)
    before = {"-": r"(?<![\d.])"}.get(plain[0], r"(?<![\d.-])" if plain[0].isdigit() else "")
    return bool(re.search(rf"{before}{re.escape(plain)}(?!\d|\.\d)", text))


@pytest.mark.parametrize("page", CLAIMED)
def test_page_says_the_numbers_of_the_article(page, built_site):
    text = shown_on(built_site / f"{page}.html")
    assert [number for number in CLAIMED[page] if not is_said(number, text)] == []


# No number in prose goes unchecked

# What the course starts from: chosen by its author, computed by nobody.
GIVEN = {"0", "1", "−1", "2", "3", "5", "6", "10", "50", "100", "1000", "32", "64"}
GIVEN |= {"0.01", "0.02", "0.05", "0.1", "0.2", "0.28", "0.29", "0.3", "0.9"}
# Steps, units and draws that are chosen on the pages beyond two points.
GIVEN |= {"16", "20", "2000"}
NUMBER = re.compile(r"(?<![\w.])(?:(?<![\d)])[-−])?\d+(?:\.\d+)?(?!\d|\.\d)")
NO_PROSE = re.compile(
    r"""
      \A---\n.*?^---$                              # the page's header
    | ^(?P<fence>`{3,}).*?^(?P=fence)$             # code, its options
    | <!--.*?-->
    | ^\$\$\n[^$]*^\$\$\n%\ run:.*?$              # a formula that is checked
    | \{run\}`[^`]*`                               # a number that is checked
    | (?:\{[\w:-]+\})?(?P<ticks>`+)[^`].*?(?P=ticks)(?!`)   # code in a line, roles
    | \[(?:[Pp]age\ )?\d+(?:\.\ [^\]]*)?\]\([^)]*\)   # a link to a page that is named by its number
    | \]\([^)]*\)                                  # where a link leads
    | ^\#+\ \d+\.                                  # the number of a page, of a question
    | ^\([\w-]+\)=$                               # the address of a section
    | ^\s*\d+\.\s | \b(?:[Pp]art|question)\ \d+     # of a part of a list
    | \d+\ March\ 2022 | 2022-03-16
    """,
    flags=re.VERBOSE | re.MULTILINE | re.DOTALL,
)


def unchecked(text: str) -> list[str]:
    """Return the numbers in a page's prose and formulas that no run has to confirm."""
    # Lines stay lines: what stands at the start of one matters.
    prose = NO_PROSE.sub(lambda m: "\n" * m[0].count("\n") or " ", text)
    return [
        f"line {number}: {found[0]}"
        for number, line in enumerate(prose.splitlines(), start=1)
        for found in NUMBER.finditer(line)
        if found[0] not in GIVEN
    ]


PROSE = [p for p in sorted(DOCS.rglob("*.md")) if "_build" not in p.parts]


@pytest.mark.parametrize("page", PROSE, ids=lambda path: path.relative_to(DOCS).as_posix())
def test_page_has_no_computed_number_that_nothing_checks(page):
    assert unchecked(page.read_text("utf-8")) == []


def captions_of(text: str) -> list[str]:
    """Return what stands below a page's figures, and what is said to those who cannot see them."""
    found = []
    for cell in read_myst_markdown_notebook(text).cells if text.startswith("---") else ():
        options = cell.metadata.get("mystnb", {})
        found += [options.get("figure", {}).get("caption", "")]
        found += [options.get("image", {}).get("alt", "")]
    return [*filter(None, found), *re.findall(r"^:alt[\w-]*: (.*)$", text, re.MULTILINE)]


@pytest.mark.parametrize("page", PROSE, ids=lambda path: path.relative_to(DOCS).as_posix())
def test_captions_have_no_computed_number(page):
    """They cannot be checked, so they say what to look at and leave the numbers to the picture."""
    assert [
        found for caption in captions_of(page.read_text("utf-8")) for found in unchecked(caption)
    ] == []


def test_the_search_for_captions_finds_them():
    page = (DOCS / "course" / "05-gradient.md").read_text("utf-8")
    caption, description = captions_of(page)
    assert caption.startswith("Left: the error") and description.startswith("Two parabolas")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The error is 6.5.", ["line 1: 6.5"]),
        ("One\ntwo −8 and\n-5.", ["line 2: −8", "line 3: -5"]),
        ("$$\ne = 6.5\n$$\n", ["line 2: 6.5"]),
        ("$e = 7$", ["line 1: 7"]),
        ("$$\ne = 6.5\n$$\n% run: e\nand 7", ["line 5: 7"]),
        ("It is {run}`6.5 <e>`, not {run}`7 <f>`, but 8", ["line 1: 8"]),
        ("```{code-cell}\nx = 7\n```\n9", ["line 4: 9"]),
        ("`7` and ``{run}`8` `` and [page 7](07-one-step.md), [7. Take](07-x.md)", []),
        ("[7 dots](07-dots.md)", ["line 1: 7"]),
        ("# 7. Take 8 steps\n\n1. One\n9. Nine", ["line 1: 8"]),
        ("0.1 and 100 and (1, 3) and 32 bits", []),
        ("x2, s_7, 1.2.3", []),
        ("7x, 2.99²", ["line 1: 7", "line 1: 2.99"]),
        ("1. One\n\nPart 7 of 8", ["line 3: 8"]),
    ],
)
def test_the_search_for_unchecked_numbers_finds_them(text, found):
    assert unchecked(text) == found


# How a number is compared


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2.0393 and 0.9364", ["2.0393", "0.9364"]),
        ("−8 and -5", ["-8", "-5"]),
        ("(−12 − 4)/2 = −8", ["-12", "4", "2", "-8"]),
        ("1 - 0.1 \\cdot (-8) = 1.8", ["1", "0.1", "-8", "1.8"]),
        ("7-3 and 7−3 and a-3", ["7", "3", "7", "3", "3"]),
        ("x^2 + a_1 + s^{3} + x2", []),
        (r"\frac{-4 - 12}{2}", ["-4", "12", "2"]),
        ("It is 6.5. Then 7.", ["6.5", "7"]),
        ("1.5x as much", []),
        ("2.99² and s₁", ["2.99"]),
        ("no number", []),
    ],
)
def test_numbers_of_a_sentence_are_found_with_their_signs(text, numbers, extension):
    assert extension("number_check").numbers_in(text) == numbers


@pytest.mark.parametrize(
    ("typed", "value", "right"),
    [
        ("2.04", 2.0393, True),
        ("2.03", 2.0393, False),
        ("2.0393", 2.03934, True),
        ("2.0393", 2.03936, False),
        ("0.5", 0.4501, True),
        ("0.5", 0.4499, False),
        ("0.65", 0.6500000357627869, True),
        ("2.5", 2.45, True),
        ("2", 2.0393, False),
        ("2", 2.0000001, True),
        ("14", 14.00001, False),
        ("-8", -8.0, True),
        ("8", -8.0, False),
        ("-8", 8.0, False),
        ("-0.5", 0.5, False),
        ("222.5", 222.49999, True),
        ("1", float("nan"), False),
        ("1.0", float("inf"), False),
    ],
)
def test_typed_number_must_be_what_the_run_gives_to_its_last_digit(typed, value, right, extension):
    assert extension("number_check").says(typed, value) is right


def test_check_takes_numbers_and_tensors_and_both_signs(extension):
    import torch

    check = extension("number_check").check
    check("here:1", "−8 and -5", torch.tensor(-8.0), -5)
    check("here:1", "$-2 - 3 = -5$", -2, 3, torch.tensor([[-5.0]]))
    check("here:1", "not a number")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("−8", (8,)),
        ("6.5", (6.6,)),
        ("6.5 and 0.65", (6.5,)),
        ("6.5", (6.5, 0.65)),
        ("none", (1,)),
        ("1.5x", (1,)),
    ],
)
def test_check_names_place_and_sentence_of_a_wrong_number(text, values, extension):
    with pytest.raises(AssertionError) as caught:
        extension("number_check").check("course/07.md:12", text, *values)
    assert str(caught.value).startswith(f"course/07.md:12: “{text}” ")


# Where the checks go

CELL = "```{code-cell}\ne = 6.5\n```\n"


def checks_and_cells(text: str) -> list[str]:
    """Return the cells of a page that was prepared: the checks, or "cell" for one of its own."""
    cells = re.findall(r"^```\{code-cell\}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    found = []
    for cell in cells:
        checks = re.findall(r"^_check\((.*)\)$", cell, flags=re.MULTILINE)
        assert (":tags: [remove-cell]" in cell) == bool(checks), "checks are hidden, nothing else"
        found += checks or ["cell"]
    return found


def test_number_after_a_cell_is_checked_before_the_next_cell(extension):
    text = CELL + "It is {run}`6.5 <e>`.\n" + CELL
    prepared = extension("checked_numbers").add_checks("p.md", text)
    assert checks_and_cells(prepared) == ["cell", "'p.md:4', '6.5', e", "cell"]


def test_number_before_the_first_cell_is_checked_at_the_end(extension):
    text = "It will be {run}`6.5 <e>`.\n" + CELL + "Text.\n"
    prepared = extension("checked_numbers").add_checks("p.md", text)
    assert checks_and_cells(prepared) == ["cell", "'p.md:1', '6.5', e"]


def test_numbers_after_the_last_cell_are_checked_in_their_order(extension):
    text = CELL + "{run}`6.5 <e>` or {run}`1 and 2 <f, g[0]>`\n\n| {run}`3 <h>` |\n"
    prepared = extension("checked_numbers").add_checks("p.md", text)
    assert checks_and_cells(prepared) == [
        "cell", "'p.md:4', '6.5', e", "'p.md:4', '1 and 2', f, g[0]", "'p.md:6', '3', h",
    ]  # fmt: skip


def test_formula_is_checked_as_a_whole(extension):
    text = CELL + "$$\na = 1 \\quad\nb = 2\n$$\n% run: a, b\n"
    prepared = extension("checked_numbers").add_checks("p.md", text)
    assert checks_and_cells(prepared)[1:] == [r"'p.md:8', 'a = 1 \\quad b = 2', a, b"]


@pytest.mark.parametrize("fence", ["```", "````", "~~~"])
def test_what_is_shown_as_code_is_no_check_and_a_number_in_it_is_an_error(fence, extension):
    add_checks = extension("checked_numbers").add_checks
    text = f"{CELL}{fence}md\n$$\n% run: e\n{fence}\n"
    assert add_checks("p.md", text) == text
    with pytest.raises(ExtensionError, match=r"^p\.md:5: "):
        add_checks("p.md", f"{CELL}{fence}md\n{{run}}`6.5 <e>`\n{fence}\n")


@pytest.mark.parametrize("role", ["{run}`6.5`", "{run}`6.5\n<e>`", "{run}`6.5 (e)`"])
def test_number_without_its_expression_is_an_error_with_file_and_line(role, extension):
    with pytest.raises(ExtensionError, match=r"^p\.md:5: "):
        extension("checked_numbers").add_checks("p.md", f"{CELL}\nIt is {role}.\n")


def test_text_of_the_page_stays_as_it_is(extension):
    text = f"# Title\n\n{CELL}\nIt is {{run}}`6.5 <e>`.\n"
    prepared = extension("checked_numbers").add_checks("p.md", text)
    assert prepared.startswith(text)
