"""On paper: the course on one sheet, and what every page of the site leaves out and keeps."""

import ast
import re
from pathlib import Path

import pytest
from browsing import SITE, reading, soup
from myst_nb.core.read import read_myst_markdown_notebook

SHEET = "practice/summary.html"
SOURCE = Path(__file__).parent.parent / "docs" / "practice" / "summary.md"
# Pages of other kinds: of the course, with a film, with data, of the reference, the playground.
OTHERS = [
    "course/05-gradient.html",
    "course/06-backward.html",
    "gallery/07_watch_the_line_move.html",
    "troubleshooting/reset.html",
    "reference/generated/linreg_tutorial.fit_manual.html",
    "playground.html",
    "index.html",
]
# What an engine makes of 1 pt, and how wide paper is between margins of 9 mm.
POINT = 96 / 72
WIDTHS = {"A4": (210 - 18) / 25.4 * 96, "Letter": 7.79 * 96}


def sheets_of(pdf: bytes) -> int:
    """Return the number of pages of a PDF that Chromium wrote, counted in two ways."""
    pages = len(re.findall(rb"/Type\s*/Page(?![A-Za-z])", pdf))
    # The root of the tree of pages has the greatest count.
    assert max(map(int, re.findall(rb"/Count\s+(\d+)", pdf))) == pages
    return pages


def go_dark(page) -> None:
    """Press the button until the theme is dark."""
    for _ in range(3):
        if page.evaluate("document.body.dataset.theme") != "dark":
            page.locator(".theme-toggle:visible").click()
    assert page.evaluate("document.body.dataset.theme") == "dark"


@pytest.fixture(params=["light", "dark", "dark by the button"])
def opened(request, browser, served_site):
    """Return a function that opens a page in a theme and prepares it to be printed."""
    with reading(browser, color_scheme=request.param.split()[0]) as page:

        def open_page(name: str, width: float | None = None):
            page.set_viewport_size({"width": 1440, "height": 900})
            page.goto(served_site + name)
            if request.param.endswith("button"):
                go_dark(page)
            page.emulate_media(media="print")
            if width:
                page.set_viewport_size({"width": int(width), "height": 900})
            return page

        yield open_page


# One sheet


@pytest.mark.parametrize("paper", WIDTHS)
def test_summary_prints_on_one_sheet(opened, paper):
    assert sheets_of(opened(SHEET).pdf(format=paper)) == 1


@pytest.mark.parametrize("paper", WIDTHS)
def test_summary_has_room_left_for_the_fonts_of_other_machines(browser, served_site, paper):
    with reading(browser) as page:
        page.goto(served_site + SHEET)
        page.add_style_tag(content="@media print { .one-sheet { padding-bottom: 8mm } }")
        assert sheets_of(page.pdf(format=paper)) == 1


def test_count_of_sheets_sees_a_second_one(browser, served_site):
    with reading(browser) as page:
        page.goto(served_site + SHEET)
        page.add_style_tag(content=".one-sheet { min-height: 310mm }")
        assert sheets_of(page.pdf(format="A4")) == 2


# What can be seen to be wrong with a printed page, a line each.
FAULTS = r"""(smallest) => {
  const faults = [], article = document.querySelector("article");
  const say = (what, element, text = element.textContent) =>
    faults.push(`${what}: ${element.tagName.toLowerCase()} “${text.trim().slice(0, 40)}”`);
  for (const element of document.querySelectorAll(
    "button, input, header, footer, nav, aside, .sidebar-drawer, .toc-drawer, .headerlink, " +
    ".content-icon-container, .related-pages, .controls, .ways, .sphx-glr-footer, summary"))
    if (element.checkVisibility({visibilityProperty: true, opacityProperty: true}) &&
        element.getBoundingClientRect().height && !element.closest(".answer, [open], .board"))
      say("printed", element, element.textContent || element.className);

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data, element = texts.currentNode.parentElement;
    if (!text.trim() || element.closest("script, style, noscript, template, svg")) continue;
    if (!element.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const boxes = [...range.getClientRects()].filter((box) => box.width && box.height);
    if (boxes.some((box) => box.left < -1 || box.right > innerWidth + 1))
      say("off the paper", element, text);
    if (!article.contains(element)) continue;
    // Cut off, or over the edge of its cell, its paragraph, its column.
    for (let e = element; e !== article; e = e.parentElement) {
      const style = getComputedStyle(e), box = e.getBoundingClientRect();
      const cuts = style.overflowX !== "visible";
      const holds = e.matches("td, th, pre, p, li, section, .formula") || cuts;
      if (style.position === "absolute" || style.clip !== "auto") break;
      if (holds && boxes.some((b) => b.left < box.left - 1 || b.right > box.right + 1))
        say(`over the edge of ${e.tagName.toLowerCase()}.${e.className}`, element, text);
    }
    // The small signs of a formula are small beside its letters; those count.
    const size = parseFloat(getComputedStyle(element.closest("math") ?? element).fontSize);
    if (size < smallest - 0.01) say(`${(size * 0.75).toFixed(1)} pt`, element, text);
  }
  return faults;
}"""

COLOURS = r"""() => {
  const inks = new Set(), papers = new Set();
  const see = (element) => {
    const ink = getComputedStyle(element).color;
    if (element.closest("article") && !element.closest("svg")) inks.add(ink);
    for (let e = element; e; e = e.parentElement) {
      const paper = getComputedStyle(e).backgroundColor;
      if (!/, 0\)$/.test(paper)) papers.add(paper);
    }
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (texts.currentNode.data.trim() && element.checkVisibility()) see(element);
  }
  return [[...inks], [...papers]];
}"""


@pytest.mark.parametrize("paper", WIDTHS)
def test_nothing_of_the_summary_is_cut_or_too_small_on_paper(opened, paper):
    page = opened(SHEET, WIDTHS[paper])
    assert page.evaluate(FAULTS, 7.5 * POINT) == []


def test_summary_is_black_on_white_on_paper(opened):
    inks, papers = opened(SHEET).evaluate(COLOURS)
    assert inks == ["rgb(0, 0, 0)"]
    assert set(papers) <= {"rgb(255, 255, 255)"}


@pytest.mark.parametrize("paper", WIDTHS)
def test_summary_stands_in_two_columns_on_paper(browser, served_site, paper):
    with reading(browser, viewport={"width": int(WIDTHS[paper]), "height": 900}) as page:
        page.goto(served_site + SHEET)
        page.emulate_media(media="print")
        parts = page.locator(".one-sheet > section:not(.wide), .one-sheet .pair > section").all()
        places = [(box["x"], box["y"]) for box in (part.bounding_box() for part in parts)]
        numbers, shapes, formulas, by_hand, with_nn = places
        assert numbers[0] == shapes[0] == by_hand[0] < formulas[0] == with_nn[0]
        assert numbers[1] == formulas[1] < shapes[1] < by_hand[1] == with_nn[1]


@pytest.mark.parametrize("width", [320, 360, 700, 760, 1440])
def test_every_cell_of_the_calls_can_be_read_without_scrolling_to_the_side(
    width, browser, served_site
):
    with reading(browser, viewport={"width": width, "height": 800}) as page:
        page.goto(served_site + SHEET)
        box = page.locator(".table-wrapper:has(.stacked)")
        assert box.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
        heads = page.locator(".stacked thead th")
        names = page.locator(".stacked tbody tr").first.locator(".of-column")
        assert names.all_text_contents() == heads.all_text_contents()[1:]
        # The name of a column stands above it, or in each of its cells.
        assert names.first.is_visible() != heads.first.is_visible()
        assert names.first.is_visible() == (width < 720)


def test_only_the_summary_loads_the_style_of_a_sheet():
    pages = [path for path in SITE.rglob("*.html") if "sheet.css" in path.read_text("utf-8")]
    assert pages == [SITE / SHEET]


# What the sheet says


def loops() -> list[ast.For]:
    """Return the two training loops that the sheet shows."""
    cells = read_myst_markdown_notebook(SOURCE.read_text("utf-8")).cells
    shown = [c for c in cells if c.cell_type == "code" and not c.metadata.get("tags")]
    found = [node for c in shown for node in ast.parse(c.source).body if isinstance(node, ast.For)]
    assert len(found) == 2
    return found


def rows() -> list[list]:
    """Return the cells of each row of the table of calls."""
    table = soup(SHEET).select_one(".one-sheet > section.wide table")
    return [row.find_all("td") for row in table.select("tbody tr")]


def first_column() -> str:
    return " ".join(cells[0].get_text() for cells in rows())


def row_of(call: str) -> list[str]:
    """Return the words of the row whose first column has this call."""
    (found,) = [cells for cells in rows() if call in cells[0].get_text()]
    return [cell.get_text().replace("’", "'") for cell in found]


def test_every_call_of_the_four_lines_is_in_the_table():
    called = {
        ast.unparse(node)
        for loop in loops()
        for statement in loop.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
    }
    assert {"net(x)", "loss(y, t)", "e.backward()", "optimizer.step()", "torch.no_grad()"} <= called
    assert [call for call in sorted(called) if call not in first_column()] == []


def test_every_line_of_the_loops_is_in_the_table():
    lines = {
        ast.unparse(statement).removeprefix("e = ")
        for loop in loops()
        for statement in ast.walk(loop)
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr)
    }
    # What is done to b is what is done to a.
    lines = {re.sub(r"\bb(?= -=|\.grad)", "a", line) for line in lines}
    assert len(lines) == 9
    assert [line for line in sorted(lines) if line not in first_column()] == []


@pytest.mark.parametrize(
    ("call", "writes", "leaves"),
    [
        ("e.backward()", "a.grad", "numbers in a"),
        ("optimizer.step()", "a itself", "a.grad"),
        ("zero_grad()", "None", "optimizer's state"),
        ("torch.no_grad()", "no grad_fn", "tensors from before"),
        ("y.detach()", "without grad_fn", "its grad_fn"),
        ("e.item()", "Python", "grad_fn"),
    ],
)
def test_table_says_what_a_call_writes_and_what_it_leaves_alone(call, writes, leaves):
    _, _, written, left, _ = row_of(call)
    assert writes in written and leaves in left


def test_each_row_leads_to_the_page_that_explains_it():
    assert len(rows()) == 9
    for *_, page in rows():
        number = int(page.a.get_text())
        assert re.match(rf"\.\./course/{number:02d}-[\w-]+\.html", page.a["href"])


# Every page


# Who reads in the light has nothing to lose on paper.
from_the_dark = pytest.mark.parametrize("opened", ["dark", "dark by the button"], indirect=True)


def luminance(colour: str) -> float:
    """Return how light a colour is on white, from 0 to 1."""
    *channels, alpha = [*map(float, re.findall(r"[\d.]+", colour)), 1.0][:4]
    light = sum(w * c / 255 for w, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))
    return light * alpha + 1 - alpha


@from_the_dark
@pytest.mark.parametrize("name", OTHERS)
def test_printed_page_has_nothing_to_press_nothing_cut_and_is_white(opened, name):
    # Between margins of 14 mm on A4.
    page = opened(name, (210 - 28) / 25.4 * 96)
    assert page.evaluate(FAULTS, 5 * POINT) == []
    inks, papers = page.evaluate(COLOURS)
    assert max(map(luminance, inks)) < 0.6
    assert min(map(luminance, papers), default=1) > 0.75


@from_the_dark
def test_printed_course_page_keeps_its_figures_formulas_and_answers(opened):
    page = opened("course/05-gradient.html")
    for kind in ("svg.figure", "math", "figcaption", ".cell_output", "details.answer p"):
        # Hints and solutions are printed by those who have opened them.
        parts = page.locator(f"article {kind}:not(.hint *, .solution *)")
        assert parts.count() >= 1
        for part in parts.all():
            box = part.bounding_box()
            assert part.is_visible() and box["width"] > 4 and box["height"] > 4, kind
    # In the colours of the light theme.
    blue = "getComputedStyle(document.querySelector('[style*=\"--c-line\"]')).stroke"
    assert page.evaluate(blue) == "rgb(0, 114, 178)"
    assert 3 <= sheets_of(page.pdf(format="A4")) <= 12


def test_folded_code_is_printed_only_if_it_was_opened(browser, served_site):
    with reading(browser) as page:
        page.goto(served_site + "course/05-gradient.html")
        page.emulate_media(media="print")
        code = page.locator("details.above-input").first
        assert not code.is_visible()
        code.evaluate("fold => { fold.open = true; }")
        assert code.locator("pre").is_visible()


def test_long_line_of_code_goes_on_in_the_next_line_of_paper(browser, served_site):
    with reading(browser, viewport={"width": 300, "height": 900}) as page:
        page.goto(served_site + "course/05-gradient.html")
        page.emulate_media(media="print")
        sticking_out = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length"
        code = page.locator("article .cell_input pre:visible")
        assert code.count() >= 3 and code.evaluate_all(sticking_out) == 0
