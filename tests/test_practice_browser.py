"""Exercises in a reader's hands: a number is judged, and what is done is remembered.

First the script by itself, on a page that is made here; then every exercise of the
built site.
"""

import json
import re
from pathlib import Path

import pytest
from browsing import SITE, reading, soup, tab_to, troubles_of
from test_playground import loaded_by
from test_site import COURSE, LOOK

ROOT = Path(__file__).parent.parent
STATIC = ROOT / "docs" / "_static"
STORED = "linreg-tutorial practice"

# A page made here, at an address that no network is asked for.

HOME = "http://reader.test/"
PAGE = "course/05-gradient"
MISTAKES = {"Sum instead of mean": -10, "Sign": 5, "Factor 2": -2.5, "Forgotten x": -8}


def field_for(name: str, answer: float, tolerance: float, mistakes: dict[str, float]) -> str:
    """Return the form of an exercise as the site writes it."""
    told = "".join(
        f'<div class="verdict mistake" data-verdict="mistake" data-value="{value}" hidden>'
        f"<p><strong>{mistake}</strong> You went another way.</p></div>"
        for mistake, value in mistakes.items()
    )
    return f"""
<form class="predict" data-answer="{answer}" data-tolerance="{tolerance}" hidden>
  <label for="{name}-number">Your number</label>
  <input id="{name}-number" type="text" autocomplete="off" spellcheck="false">
  <button type="submit">Check</button>
  <div class="verdicts" role="status">
    <div class="verdict right" data-verdict="right" hidden><p>Right.</p></div>
    {told}
    <div class="verdict" data-verdict="rounded" hidden><p>Give more decimals.</p></div>
    <div class="verdict" data-verdict="other" hidden><p>Not yet. Open the hint.</p></div>
    <div class="verdict" data-verdict="unreadable" hidden>
      <p>Type one number, such as −2.5.</p>
    </div>
  </div>
</form>"""


def exercise(number: int, name: str, answered_by: str) -> str:
    return f"""
<div class="exercise" id="exercise-{name}" data-exercise="{PAGE}#{name}">
  <p class="exercise-title"><span class="exercise-number">Exercise {number}</span> {name}</p>
  <p>What is the slope of the error along b there?</p>
  {answered_by}
  <details class="hint"><summary>Hint</summary><p>How far is each dot?</p></details>
  <details class="solution"><summary>Solution</summary><p>By hand.</p></details>
</div>"""


def bar(page: str, total: int) -> str:
    return f"""
<div class="practice-bar" data-page="{page}" data-all="{total}" hidden>
  <p class="practice-progress" role="status" data-says="{{done}} of {{all}} done"></p>
  <button type="button" class="practice-forget">Clear my answers</button>
  <button type="button" class="practice-undo" hidden>Bring them back</button>
</div>"""


TICK = '<p class="practice-done" hidden><label><input type="checkbox"> I have done it</label></p>'
CHAPTER = (
    bar(PAGE, 3)
    + exercise(1, "slope", field_for("slope", -5, 0.000001, MISTAKES))
    + exercise(2, "end", field_for("end", 2.0393, 0.005, {"Too early": 1.96}))
    + exercise(3, "program", TICK)
)
ROWS = {PAGE: 3, "course/06-backward": 2}
OVERVIEW = (
    bar("", 5)
    + "<table>"
    + "".join(
        f'<tr><td data-progress-of="{page}" data-all="{total}" data-says="{{done}} of {{all}}">'
        "</td></tr>"
        for page, total in ROWS.items()
    )
    + "</table>"
)


def answered(route) -> None:
    """Give the browser what it asks for on the page that is made here."""
    name = route.request.url.removeprefix(HOME)
    if name.startswith("_static/"):
        return route.fulfill(path=STATIC / name.removeprefix("_static/"))
    body = OVERVIEW if name.startswith("practice/") else CHAPTER
    return route.fulfill(content_type="text/html; charset=utf-8", body=whole(body, "../_static"))


def whole(body: str, static: str) -> str:
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Made here</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="{static}/practice.css">
<script defer src="{static}/practice.js"></script></head><body>{body}</body></html>"""


class Reader:
    """A page with exercises: what a reader does there, and what can be read."""

    def __init__(self, page, home: str = HOME):
        self.page, self.home = page, home
        self.troubles = troubles_of(page, home)

    def open(self, name: str = PAGE) -> "Reader":
        self.page.goto(f"{self.home}{name}.html")
        return self

    def beside(self, name: str = PAGE) -> "Reader":
        """Open a page in another tab."""
        return Reader(self.page.context.new_page(), self.home).open(name)

    def field(self, name: str = "slope"):
        return self.page.locator(f"#exercise-{name} .predict input")

    def box(self):
        return self.page.get_by_label("I have done it")

    def type(self, text: str, name: str = "slope") -> list[str]:
        """Type a number and press Enter; return what is said."""
        self.field(name).fill(text)
        self.field(name).press("Enter")
        return self.said(name)

    def said(self, name: str = "slope") -> list[str]:
        """Return the verdicts that can be seen: right, other, unreadable, or the mistake."""
        verdicts = self.page.locator(f"#exercise-{name} .verdict:visible")
        return verdicts.evaluate_all(
            "all => all.map((e) => e.querySelector('strong')?.textContent ?? e.dataset.verdict)"
        )

    def progress(self) -> str:
        return self.page.locator(".practice-progress").text_content()

    def rows(self) -> list[str]:
        return self.page.locator("[data-progress-of]").all_text_contents()

    def forget(self) -> None:
        self.page.locator(".practice-forget").click()

    def undo(self):
        return self.page.locator(".practice-undo")

    def stored(self):
        return json.loads(self.page.evaluate("k => localStorage.getItem(k)", STORED) or "null")


@pytest.fixture
def reader(browser):
    """Return the page made here, open; nothing may go wrong meanwhile."""
    with reading(browser) as page:
        page.context.route(HOME + "**", answered)
        opened = Reader(page).open()
        yield opened
        assert opened.troubles == []


# Numbers as people type them


@pytest.fixture(scope="module")
def read(browser):
    """Return the function of the script that reads a number, on a page that stores nothing."""
    with reading(browser) as page:
        page.add_script_tag(path=STATIC / "practice.js")
        yield lambda text: page.evaluate("text => practice.read(text)", text)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("-5", -5), ("−5", -5), ("–5", -5), ("—5", -5), ("‑5", -5), ("﹣5", -5), ("－5", -5),
        ("ー5", -5), ("+5", 5), ("＋5", 5), ("− 5", -5), ("5.", 5), (".5", 0.5), ("-.5", -0.5),
        ("  2.5\t", 2.5), ("\u00a02.5\u2009", 2.5), ("\u200e−2.5", -2.5), ("007", 7), ("-0", 0),
        ("2,5", 2.5), ("−0,25", -0.25), (",5", 0.5), ("５", 5), ("２．５", 2.5), ("２，５", 2.5),
        ("1e-3", 0.001), ("1E3", 1000), ("2.5e+1", 25), ("−4.379e−04", -0.0004379),
        ("1/2", 0.5), ("-1/2", -0.5), ("1 / 2", 0.5), ("1/-2", -0.5), ("1⁄2", 0.5), ("１／２", 0.5),
        ("1,5/2", 0.75), ("1÷2", 0.5), ("½", 0.5), ("−½", -0.5), ("2½", 2.5), ("-2 1/2", -2.5),
        ("1,234.5", 1234.5), ("1,234,567", 1234567),
    ],
)  # fmt: skip
def test_number_is_read_however_it_is_typed(read, typed, value):
    assert read(typed) == [pytest.approx(value, rel=1e-12)]


def test_comma_before_three_digits_may_mean_either(read):
    assert read("1,250") == [1.25, 1250]
    assert read("0,250") == [0.25]


@pytest.mark.parametrize(
    "typed",
    [
        "", "  ", "abc", "-", ".", ",", "1 2", "1.2.3", "1,2,3", "--5", "5-", "1/0", "0/0",
        "1/2/3", "/", "1/", "10²", "2₂", "1e", "e5", "1e999", "Infinity", "NaN", "0x10", "0b1",
        "1_000", "5 %", "a = 5", "5; 6", "tensor(-5.)", "<b>5</b>", "5" * 400,
    ],
)  # fmt: skip
def test_what_is_no_number_is_not_taken_for_one(read, typed):
    assert read(typed) == []


# The verdict


@pytest.mark.parametrize("typed", ["-5", "−5", "-5.0", "-10/2", "-5.0000009", " −5,00 "])
def test_right_number_is_said_to_be_right(reader, typed):
    assert reader.type(typed) == ["right"]
    assert reader.field().get_attribute("aria-invalid") is None


@pytest.mark.parametrize(("name", "value"), MISTAKES.items())
def test_mistake_is_named(reader, name, value):
    assert reader.type(str(value)) == [name]
    assert reader.field().get_attribute("aria-invalid") == "true"


@pytest.mark.parametrize("typed", ["-5.0001", "0", "50", "-1000000"])
def test_other_number_is_not_yet_right(reader, typed):
    assert reader.type(typed) == ["other"]
    assert reader.field().get_attribute("aria-invalid") == "true"


@pytest.mark.parametrize("typed", ["", "   ", "minus five", "1/0"])
def test_reader_is_told_to_type_a_number(reader, typed):
    assert reader.type(typed) == ["unreadable"]
    assert reader.field().get_attribute("aria-invalid") == "true"


@pytest.mark.parametrize(
    ("answer", "tolerance", "typed", "said"),
    [
        (2.0393, 0.005, "2.04", "right"),
        (2.0393, 0.005, "2.0393", "right"),
        (2.0393, 0.005, "2.03", "other"),
        # A half may be rounded either way; the distance, calculated, is a little over 0.005.
        (0.125, 0.005, "0.13", "right"),
        (0.125, 0.005, "0.12", "right"),
        (0.125, 0.005, "0.131", "other"),
        # As PyTorch gives it, in single precision.
        (-250.10000610351562, 0.000001, "-250.1", "right"),
        (0.30000001192092896, 0.000001, "0.3", "right"),
        (0.0, 0.000001, "-0", "right"),
        (1250.0, 0.000001, "1,250", "right"),
        (1.25, 0.000001, "1,250", "right"),
        # Less than was asked for is not wrong; but a whole number is too little to tell.
        (2.6581, 0.005001, "2.7", "rounded"),
        (-5.3333333, 0.005005, "-5,3", "rounded"),
        (2.6581, 0.005001, "2.8", "other"),
        (2.6581, 0.005001, "3", "other"),
        (77.04, 0.005001, "77.0", "Far off"),
    ],
)
def test_rounding_does_not_make_a_number_wrong(browser, answer, tolerance, typed, said):
    with reading(browser) as page:
        form = field_for("slope", answer, tolerance, {"Far off": 77.0})
        page.set_content(exercise(1, "slope", form))
        page.add_script_tag(path=STATIC / "practice.js")
        assert Reader(page).type(typed) == [said]


def test_button_does_what_enter_does(reader):
    reader.field().fill("5")
    reader.page.get_by_role("button", name="Check").first.click()
    assert reader.said() == ["Sign"]


def test_next_key_takes_the_verdict_away_and_the_hands_stay_where_they_are(reader):
    reader.field().focus()
    reader.page.keyboard.type("5")
    reader.page.keyboard.press("Enter")
    assert reader.said() == ["Sign"]
    reader.page.keyboard.press("Home")
    assert reader.said() == ["Sign"]
    reader.page.keyboard.type("-")
    assert reader.said() == [] and reader.field().get_attribute("aria-invalid") is None
    reader.page.keyboard.press("Enter")
    assert reader.said() == ["right"]


def test_verdict_is_told_to_screen_readers(reader):
    reader.type("5")
    told = reader.page.get_by_role("status").filter(has_text="Sign").filter(visible=True)
    assert told.count() == 1


# What is remembered


def test_done_stays_done_but_the_verdict_is_of_the_number_typed(reader):
    assert reader.progress() == "0 of 3 done"
    reader.type("-5")
    assert reader.progress() == "1 of 3 done"
    assert reader.type("5") == ["Sign"]
    assert reader.progress() == "1 of 3 done"
    assert reader.page.locator("#exercise-slope").get_attribute("data-done") == ""
    reader.open()
    assert (reader.progress(), reader.said()) == ("1 of 3 done", ["Sign"])
    assert reader.field().input_value() == "5"


def test_answers_are_there_again_when_one_comes_back(reader):
    reader.type(" −5,0")
    reader.type("1.96", "end")
    reader.box().check()
    reader.open("practice/index").open()
    assert reader.field().input_value() == " −5,0"
    assert (reader.said(), reader.said("end")) == (["right"], ["Too early"])
    assert reader.box().is_checked()
    assert reader.progress() == "2 of 3 done"
    assert reader.stored() == {
        f"{PAGE}#slope": {"typed": " −5,0", "done": True},
        f"{PAGE}#end": {"typed": "1.96", "done": False},
        f"{PAGE}#program": {"typed": "", "done": True},
    }


def test_tick_can_be_taken_back(reader):
    reader.box().check()
    assert reader.progress() == "1 of 3 done"
    reader.box().uncheck()
    assert reader.progress() == "0 of 3 done"
    assert reader.stored() is None


def test_browsers_back_button_brings_the_answers_back(reader):
    reader.type("-5")
    reader.open("practice/index")
    reader.page.go_back()
    assert (reader.said(), reader.progress()) == (["right"], "1 of 3 done")


def test_page_that_was_kept_aside_shows_what_happened_meanwhile(reader):
    """A browser may bring a page back as it was, without running its scripts anew."""
    entry = {f"{PAGE}#program": {"typed": "", "done": True}}
    reader.page.evaluate("([k, v]) => localStorage.setItem(k, v)", [STORED, json.dumps(entry)])
    assert reader.progress() == "0 of 3 done"
    reader.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    assert reader.progress() == "1 of 3 done" and reader.box().is_checked()


def test_overview_counts_what_the_pages_count(reader):
    reader.type("-5")
    reader.box().check()
    reader.open("practice/index")
    assert reader.rows() == ["2 of 3", "0 of 2"]
    assert reader.progress() == "2 of 5 done"


def test_overview_counts_nothing_that_is_gone_from_the_pages(reader):
    gone = [f"{PAGE}#{n}" for n in range(5)] + ["course/99-gone#one", "course/06-backward-2#x"]
    entries = {name: {"typed": "1", "done": True} for name in gone}
    reader.page.evaluate("([k, v]) => localStorage.setItem(k, v)", [STORED, json.dumps(entries)])
    reader.open("practice/index")
    assert reader.rows() == ["3 of 3", "0 of 2"]
    assert reader.progress() == "3 of 5 done"


def test_two_tabs_keep_the_answers_of_both(reader):
    other, overview = reader.beside(), reader.beside("practice/index")
    reader.type("-5")
    other.type("2.04", "end")
    for tab in (reader, other):
        tab.page.wait_for_function(
            "document.querySelector('.practice-progress').textContent === '2 of 3 done'"
        )
        assert (tab.said(), tab.said("end")) == (["right"], ["right"])
    overview.page.wait_for_function("document.body.textContent.includes('2 of 5 done')")
    assert len(reader.stored()) == 2
    overview.forget()
    reader.page.wait_for_function("document.body.textContent.includes('0 of 3 done')")
    assert reader.field().input_value() == "" and reader.said() == []
    assert other.troubles == overview.troubles == []


def test_half_typed_number_is_not_written_over_by_another_tab(reader):
    other = reader.beside()
    reader.field().fill("-1")
    other.type("-5")
    reader.page.wait_for_function("document.body.textContent.includes('1 of 3 done')")
    assert reader.field().input_value() == "-1" and reader.said() == []


# Clearing


def test_clearing_puts_everything_back_at_once(reader):
    reader.type("-5")
    reader.type("1.96", "end")
    reader.box().check()
    reader.forget()
    for _ in range(2):
        assert reader.field().input_value() == reader.field("end").input_value() == ""
        assert reader.said() == reader.said("end") == []
        assert reader.field("end").get_attribute("aria-invalid") is None
        assert not reader.box().is_checked()
        assert reader.progress() == "0 of 3 done"
        assert reader.page.locator("[data-done]").count() == 0
        assert reader.stored() is None
        reader.open()


def test_clearing_a_page_leaves_the_others_alone(reader):
    other = {"course/06-backward#one": {"typed": "3", "done": True}}
    reader.page.evaluate("([k, v]) => localStorage.setItem(k, v)", [STORED, json.dumps(other)])
    reader.type("-5")
    reader.forget()
    assert reader.stored() == other
    reader.open("practice/index")
    assert reader.rows() == ["0 of 3", "1 of 2"]


def test_overview_clears_all_pages(reader):
    reader.type("-5")
    reader.open("practice/index").forget()
    assert reader.rows() == ["0 of 3", "0 of 2"]
    assert reader.stored() is None
    assert reader.open().progress() == "0 of 3 done"


@pytest.mark.parametrize("name", [PAGE, "practice/index"])
def test_slip_of_the_finger_is_undone(reader, name):
    reader.type("-5")
    reader.type("1.96", "end")
    before = reader.stored()
    reader.open(name)
    said = reader.progress()
    assert not reader.undo().is_visible()
    tab_to(reader.page, ".practice-forget")
    # Twice, as a hand slips: the second time there is nothing left to clear.
    reader.page.keyboard.press("Enter")
    reader.page.keyboard.press("Enter")
    assert reader.stored() is None
    reader.page.keyboard.press("Tab")
    reader.page.keyboard.press("Enter")
    assert reader.stored() == before
    assert reader.progress() == said
    assert not reader.undo().is_visible()
    assert reader.page.evaluate("document.activeElement.className") == "practice-forget"
    reader.open()
    assert (reader.said(), reader.said("end")) == (["right"], ["Too early"])


def test_undoing_leaves_what_was_answered_since(reader):
    reader.type("5")
    reader.box().check()
    reader.forget()
    reader.type("-5")
    reader.undo().click()
    assert reader.said() == ["right"] and reader.box().is_checked()
    assert reader.progress() == "2 of 3 done"


def test_nothing_to_clear_is_nothing_to_bring_back(reader):
    reader.field().fill("-1")
    reader.forget()
    assert reader.field().input_value() == ""
    assert not reader.undo().is_visible()


# A store that is spoilt, full or refused

SPOILT = [
    "{", "null", "0", '"done"', "[1, null]", '{"course/05-gradient#slope": null}',
    '{"course/05-gradient#slope": {"typed": 5, "done": true}}',
    '{"course/05-gradient#slope": {"typed": "5", "done": "yes"}}',
    '{"__proto__": {"typed": "5", "done": true}}',
]  # fmt: skip


@pytest.mark.parametrize("text", SPOILT)
def test_spoilt_store_does_no_harm(reader, text):
    reader.page.evaluate("([k, v]) => localStorage.setItem(k, v)", [STORED, text])
    reader.open()
    assert reader.progress() == "0 of 3 done" and reader.said() == []
    reader.type("-5")
    reader.open()
    assert reader.progress() == "1 of 3 done"


def works_without_remembering(reader) -> None:
    """Go through all that a reader does; nothing but the memory may be missing."""
    assert reader.type("5") == ["Sign"]
    assert reader.type("-5") == ["right"]
    reader.box().check()
    assert reader.progress() == "2 of 3 done"
    reader.forget()
    assert reader.progress() == "0 of 3 done" and reader.said() == []
    reader.undo().click()
    assert reader.progress() == "2 of 3 done" and reader.said() == ["right"]
    reader.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    assert reader.progress() == "2 of 3 done"


def test_browser_that_refuses_to_store_judges_all_the_same(browser):
    with reading(browser) as page:
        # This page belongs to nobody: the browser itself refuses to store for it.
        reader = Reader(page)
        page.set_content(CHAPTER)
        page.add_script_tag(path=STATIC / "practice.js")
        denied = "try { localStorage; 'open' } catch (error) { error.name }"
        assert page.evaluate(denied) == "SecurityError"
        works_without_remembering(reader)
        assert reader.troubles == []


def test_full_store_judges_all_the_same(reader):
    reader.page.evaluate(
        """() => {
          for (let size = 2 ** 22; size >= 1; size /= 2) {
            try {
              for (let i = 0; ; i++) localStorage.setItem(`${size}.${i}`, "x".repeat(size));
            } catch {}
          }
        }"""
    )
    works_without_remembering(reader)
    assert reader.stored() is None


# Without a server; without words or requests of its own


def test_folder_without_a_server_is_enough(browser, tmp_path):
    for name in ("practice.css", "practice.js"):
        (tmp_path / name).write_bytes((STATIC / name).read_bytes())
    for name, body in ((PAGE, CHAPTER), ("practice/index", OVERVIEW)):
        path = tmp_path / f"{name}.html"
        path.parent.mkdir()
        path.write_text(whole(body, ".."), encoding="utf-8")
    with reading(browser) as page:
        reader = Reader(page, tmp_path.as_uri() + "/").open()
        assert reader.type("-5") == ["right"]
        assert reader.open("practice/index").rows() == ["1 of 3", "0 of 2"]
        assert reader.troubles == []


def test_script_says_nothing_by_itself():
    """What is said stands in the page, where it can be translated."""
    code = re.sub(r"//.*", "", (STATIC / "practice.js").read_text("utf-8"))
    strings = re.findall(r'"([^"]*)"|\'([^\']*)\'', code)
    said = [one or other for one, other in strings if re.search(r"[a-z] [a-z]", one or other)]
    assert said == ["use strict", STORED]
    assert not re.search(r"cookie|fetch|XMLHttpRequest|sendBeacon|WebSocket|import", code)


# The built site

# Without any exercise one page is left, so that the tests fail and do not vanish.
PAGES = [
    topic
    for topic in COURSE
    if "\n## Exercises\n" in (ROOT / "docs" / f"{topic}.md").read_text("utf-8")
] or [PAGE]
LOOKS = [(theme, width) for theme in ("light", "dark") for width in (360, 1440)]

every_page = pytest.mark.parametrize("name", PAGES)
# What does not depend on the exercises of a page.
some_pages = pytest.mark.parametrize("name", PAGES[::5])


@pytest.fixture
def visitor(browser, served_site):
    """Return a reader of the built site; nothing may go wrong meanwhile."""
    with reading(browser, viewport={"width": 1440, "height": 1000}) as page:
        opened = Reader(page, served_site)
        yield opened
        assert opened.troubles == []
        assert page.context.cookies() == []


def forms_of(name: str) -> dict[str, dict]:
    """Return for each exercise of a page with a field: the right number and the mistakes."""
    return {
        form.find_parent(class_="exercise")["id"].removeprefix("exercise-"): {
            "right": form["data-answer"],
            "mistakes": {
                told.strong.get_text(): told["data-value"] for told in form.select(".mistake")
            },
        }
        for form in soup(f"{name}.html").select("form.predict")
    }


def first_form() -> tuple[str, str, dict]:
    """Return a page of the site, an exercise of it that has a field, and its numbers."""
    return next((page, name, form) for page in PAGES for name, form in forms_of(page).items())


def part_title(form) -> str:
    return form.find_parent(class_="exercise").select_one(".exercise-title").get_text()


@every_page
def test_exercises_of_a_page_are_whole(name, built_site):
    page = soup(f"{name}.html")
    exercises = page.select(".exercise")
    assert len(exercises) >= 3
    for part in exercises:
        anchor = part["id"].removeprefix("exercise-")
        assert part["data-exercise"] == f"{name}#{anchor}"
        ways = part.select("form.predict, .practice-done")
        assert len(ways) == 1, "a field or a box to tick"
        assert len(part.select("details.hint")) == len(part.select("details.solution")) == 1
        assert all(way.has_attr("hidden") for way in ways)
    for form in page.select("form.predict"):
        assert form.label["for"] == form.input["id"]
        named = [page.find(id=i).get_text() for i in form.input["aria-labelledby"].split()]
        assert named == [form.label.get_text(), part_title(form)]
        assert form.input["aria-describedby"] == form.select_one(".verdicts")["id"]
        assert float(form["data-tolerance"]) > 0
        said = [verdict["data-verdict"] for verdict in form.select(".verdict")]
        assert said[0] == "right" and said[-3:] == ["rounded", "other", "unreadable"]
        assert set(said[1:-3]) == {"mistake"}
    for start in page.select(".practice-bar"):
        assert (start["data-page"], start["data-all"]) == (name, str(len(exercises)))


@every_page
def test_every_number_gets_its_verdict_and_no_other(visitor, name):
    visitor.open(name).page.wait_for_load_state("networkidle")
    asked = []
    # The browser asks for the tab's icon when it likes.
    icon = "/_static/icon.svg"
    visitor.page.on("request", lambda r: None if r.url.endswith(icon) else asked.append(r.url))
    for exercise_name, form in forms_of(name).items():
        numbers = [float(form["right"]), *map(float, form["mistakes"].values())]
        assert visitor.type(form["right"], exercise_name) == ["right"]
        for mistake, value in form["mistakes"].items():
            assert visitor.type(value, exercise_name) == [mistake]
        assert visitor.type(str(3 * max(map(abs, numbers)) + 17), exercise_name) == ["other"]
        assert visitor.type("I do not know", exercise_name) == ["unreadable"]
        assert visitor.type(form["right"].replace("-", "−"), exercise_name) == ["right"]
    assert asked == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_frequent_mistake_is_recognised_somewhere(mistake, built_site):
    forms = [form for page in PAGES for form in forms_of(page).values()]
    assert any(mistake in form["mistakes"] for form in forms)


def test_exercise_is_answered_by_keyboard_alone(visitor):
    name, exercise_name, form = first_form()
    visitor.open(name)
    tab_to(visitor.page, f"#exercise-{exercise_name} .predict input")
    visitor.page.keyboard.type("I do not know")
    visitor.page.keyboard.press("Enter")
    assert visitor.said(exercise_name) == ["unreadable"]
    visitor.page.keyboard.press("Control+a")
    visitor.page.keyboard.type(form["right"])
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate("document.activeElement.type") == "submit"
    visitor.page.keyboard.press("Space")
    assert visitor.said(exercise_name) == ["right"]
    tab_to(visitor.page, f"#exercise-{exercise_name} details.solution summary")
    visitor.page.keyboard.press("Enter")
    solution = visitor.page.locator(f"#exercise-{exercise_name} details.solution")
    assert solution.locator("p").first.is_visible()


@some_pages
def test_progress_is_kept_counted_and_cleared(visitor, name):
    visitor.open(name)
    for exercise_name, form in forms_of(name).items():
        visitor.type(form["right"], exercise_name)
    for box in visitor.page.locator(".practice-done input").all():
        box.check()
    total = visitor.page.locator(".exercise").count()
    everything = f"{total} of {total}"
    assert visitor.progress().startswith(everything)
    visitor.open(name)
    assert visitor.progress().startswith(everything)
    visitor.open("practice/index")
    row = visitor.page.locator(f'[data-progress-of="{name}"]')
    assert row.text_content() == everything
    assert visitor.progress().startswith(f"{total} of ")
    visitor.open(name).forget()
    assert visitor.progress().startswith(f"0 of {total}")
    visitor.open("practice/index")
    assert row.text_content() == f"0 of {total}"


def test_overview_lists_every_page_with_exercises(built_site):
    page = soup("practice/index.html")
    rows = {row["data-progress-of"]: row["data-all"] for row in page.select("[data-progress-of]")}
    numbers = {name: str(len(soup(f"{name}.html").select(".exercise"))) for name in PAGES}
    assert rows == numbers
    start = page.select_one(".practice-bar")
    assert start["data-page"] == ""
    assert int(start["data-all"]) == sum(map(int, rows.values()))


REFUSED = """for (const name of ["getItem", "setItem", "removeItem"]) {
  const original = Storage.prototype[name];
  Storage.prototype[name] = function (key, ...rest) {
    if (key.includes("practice")) throw new DOMException("no", "SecurityError");
    return original.call(this, key, ...rest);
  };
}"""
CORRUPT = "localStorage.setItem('linreg-tutorial practice', '{')"


@pytest.mark.parametrize("spoil", [REFUSED, CORRUPT], ids=["refused", "corrupt"])
def test_exercises_work_where_nothing_can_be_remembered(visitor, spoil):
    name, exercise_name, form = first_form()
    visitor.page.add_init_script(spoil)
    visitor.open(name)
    assert visitor.type("I do not know", exercise_name) == ["unreadable"]
    assert visitor.type(form["right"], exercise_name) == ["right"]
    assert visitor.progress().startswith("1 of ")
    visitor.open("practice/index")


def test_exercises_work_when_the_network_is_gone(visitor):
    name, exercise_name, form = first_form()
    visitor.open(name).page.wait_for_load_state("networkidle")
    visitor.page.context.set_offline(True)
    assert visitor.type(form["right"], exercise_name) == ["right"]
    for mistake, value in form["mistakes"].items():
        assert visitor.type(value, exercise_name) == [mistake]
    assert visitor.progress().startswith("1 of ")


def test_exercises_work_from_a_usb_stick(browser, built_site):
    name, exercise_name, form = first_form()
    with reading(browser) as page:
        visitor = Reader(page, SITE.as_uri() + "/").open(name)
        assert visitor.type(form["right"], exercise_name) == ["right"]
        visitor.open("practice/index")
        row = page.locator(f'[data-progress-of="{name}"]')
        assert row.text_content().startswith("1 of ")
        assert visitor.troubles == []


@some_pages
def test_question_hint_and_solution_need_no_scripts(browser, served_site, name):
    with reading(browser, java_script_enabled=False) as page:
        page.goto(f"{served_site}{name}.html")
        for part in page.locator(".exercise").all():
            assert part.locator(".exercise-title + p").is_visible()
            for fold in ("hint", "solution"):
                inside = part.locator(f"details.{fold} > :not(summary)").first
                assert not inside.is_visible()
                part.locator(f"details.{fold} > summary").click()
                assert inside.is_visible()
        # What only a script can do is not offered.
        assert (
            not page.locator(".predict, .practice-bar, .practice-done").filter(visible=True).count()
        )


@every_page
def test_exercises_can_be_read_and_touched_on_every_screen(visitor, name):
    page = visitor.page
    # Opened anew each time: colours move to those of another theme.
    for theme, width in LOOKS:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        visitor.open(name)
        page.locator(".verdict, .practice-undo").evaluate_all("all => all.map(e => e.hidden = 0)")
        page.locator(".exercise").evaluate_all("all => all.map(e => e.dataset.done = '')")
        assert page.evaluate(LOOK) == []
        small = page.locator(
            ".practice-bar button, .predict :is(input, button), .practice-done label"
        ).evaluate_all(
            "all => all.filter((e) => e.checkVisibility() && e.clientHeight < 41)"
            ".map((e) => e.outerHTML)"
        )
        assert small == []


def test_sign_tells_right_from_wrong_where_colours_are_not_seen(visitor):
    name, exercise_name, _ = first_form()
    visitor.page.emulate_media(forced_colors="active")
    visitor.open(name)
    sign = visitor.page.locator(f"#exercise-{exercise_name} .verdict p:first-child").evaluate_all(
        "all => all.map((e) => [e.parentElement.dataset.verdict === 'right',"
        " getComputedStyle(e, '::before').content.includes('✓')])"
    )
    assert all(right == ticked for right, ticked in sign)


def test_paper_shows_the_question_and_no_field(visitor):
    name, exercise_name, form = first_form()
    visitor.open(name)
    visitor.type(form["right"], exercise_name)
    visitor.page.emulate_media(media="print")
    assert visitor.page.locator(f"#exercise-{exercise_name} .exercise-title + p").is_visible()
    screen_only = visitor.page.locator(".predict, .practice-bar, .practice-done")
    assert not screen_only.filter(visible=True).count()


def test_only_pages_with_exercises_load_what_they_need(built_site):
    for path in sorted(SITE.rglob("*.html")):
        name = path.relative_to(SITE).as_posix()
        if not name.startswith("_"):
            loaded = [file for file in loaded_by(name) if "/practice." in file]
            has_some = name.removesuffix(".html") in [*PAGES, "practice/index"]
            assert len(loaded) == (2 if has_some else 0), name
