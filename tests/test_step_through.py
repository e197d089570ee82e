"""The backward pass to step through, as a reader meets it: by keyboard, by touch, by ear."""

import json
import re

import pytest
import torch
from browsing import reading, tab_to, troubles_of
from bs4 import BeautifulSoup
from programs import X, course_line, each_point, parameter

import linreg_tutorial as lt
from linreg_tutorial.trace import flat, written

PAGE = "course/06-backward.html"
FIGURE = "figure.step-through"
MEAN, POINTS = 0, 1


@pytest.fixture(scope="module")
def steps(built_site) -> list[list[dict]]:
    """Return the steps that the page holds, for the mean and for each point."""
    page = BeautifulSoup((built_site / PAGE).read_text("utf-8"), "html.parser")
    return json.loads(page.select_one(f"{FIGURE} script").string)


def numbers_of(*traces: lt.Trace) -> set[str]:
    """Return every number of some traces, as it is written."""
    found = set()
    for trace in traces:
        for node in trace.nodes:
            found |= set(map(written, flat(node.value) + flat(node.gradient)))
        for edge in trace.edges:
            found |= set(map(written, flat(edge.local) + flat(edge.sent)))
    return found


NUMBER = re.compile(r"(?<![\w.])−?\d+(?:\.\d+)?(?![\w.]*\w)")


# What it tells


def test_every_number_that_is_told_was_recorded(steps):
    mean, points = course_line()[0], each_point()
    known = numbers_of(mean, *points) | {str(len(points))}
    for way in steps:
        for step in way:
            # "when e grows by 1" holds for any e.
            text = " ".join([step["text"].partition(": when")[0], *step["lines"]])
            assert {n for n in NUMBER.findall(text) if n not in known} == set(), text


def test_search_for_numbers_finds_them():
    assert NUMBER.findall("−2 × 1 + (−3) × 2 = −8, d², 0.5.") == ["−2", "1", "−3", "2", "−8", "0.5"]


def test_values_go_forward_before_gradients_come_back(steps):
    for way in steps:
        kinds = [step["text"].partition(":")[0].partition(" ")[0] for step in way]
        first, last = kinds.index("Forward"), len(kinds) - 1 - kinds[::-1].index("Forward")
        assert kinds[first : last + 1] == ["Forward"] * (last - first + 1)
        assert kinds[last + 1] == "Now"
        assert kinds[last + 2] == "Back"


def test_each_step_spells_out_its_multiplication(steps):
    lines = [line for step in steps[MEAN] for line in step["lines"]]
    assert lines == [
        "1 × 0.5 = 0.5",
        "1 × 0.5 = 0.5",
        "0.5 × (−4) = −2",
        "0.5 × (−6) = −3",
        "−2 × 1 = −2",
        "−3 × 1 = −3",
        "−2 × 1 = −2",
        "−3 × 1 = −3",
        "−2 × 1 + (−3) × 1 = −5",
        "b.grad = −5",
        "−2 × 1 + (−3) × 2 = −8",
        "a.grad = −8",
    ]
    assert steps[POINTS][-1]["lines"] == [
        "a: (−4 + (−12)) / 2 = −8",
        "b: (−4 + (−6)) / 2 = −5",
    ]


def test_sentences_of_the_way_forward_are_what_was_calculated(steps):
    said = [[s["text"] for s in way if s["text"].startswith("Forward")] for way in steps]
    assert said[MEAN] == [
        "Forward: a × x gives (1, 2).",
        "Forward: y = a × x + b gives (1, 2).",
        "Forward: d = y − t gives (−2, −3).",
        "Forward: s = d² gives (4, 9).",
        "Forward: e = mean(s) gives 6.5.",
    ]
    assert said[POINTS] == said[MEAN][:-1]


def test_every_part_that_a_step_names_is_in_its_picture(steps, built_site):
    page = BeautifulSoup((built_site / PAGE).read_text("utf-8"), "html.parser")
    pictures = page.select(f"{FIGURE} .way")
    for i, way in enumerate(steps):
        ids = {tag["id"] for tag in pictures[i].select("[id]")}
        parts = {name.removeprefix(f"way{i}-").partition(".")[0] for name in ids}
        missing = {name for step in way for name in [*step["appear"], *step["now"]]} - parts
        # A bare number, the 2 of the square, has no value above it.
        (number,) = [tag for tag in pictures[i].select("g[id]") if tag.get_text(strip=True) == "2"
                     and re.fullmatch(rf"way{i}-node-\d+\.1", tag["id"])]  # fmt: skip
        assert missing == {number["id"].removeprefix(f"way{i}-").replace(".1", "-value")}


# What the reader does


def told(page) -> str:
    return page.locator(f"{FIGURE} .told").inner_text()


def position(page) -> tuple[int, int]:
    """Return which step is shown, and of how many."""
    shown, count = page.locator(f"{FIGURE} output").inner_text().split(" / ")
    return int(shown), int(count)


def in_sight(page, ending: str) -> list[str]:
    """Return what stands in the picture now, of the parts whose names end so."""
    return page.locator(f"{FIGURE} .way[data-shown] [id*='{ending}.']").evaluate_all(
        "all => all.filter(e => getComputedStyle(e).visibility === 'visible')"
        ".map(e => e.textContent.trim())"
    )


def test_keyboard_alone_steps_to_the_end_and_back(browser, served_site):
    with reading(browser) as page:
        troubles = troubles_of(page, served_site)
        page.goto(served_site + PAGE)
        tab_to(page, f"{FIGURE} button[data-do=next]")
        shown, count = position(page)
        assert shown == 1 and in_sight(page, "-value") == in_sight(page, "-gradient") == []
        page.keyboard.press("Enter")
        page.keyboard.press("Space")
        assert position(page)[0] == 3
        for _ in range(count - 3):
            assert "a.grad" not in told(page)
            page.keyboard.press("ArrowRight")
        assert position(page) == (count, count)
        assert "a.grad = −8" in told(page)
        gradients = in_sight(page, "-gradient")
        assert "−8" in gradients and "−5" in gradients
        # Beyond the end there is nothing.
        page.keyboard.press("ArrowRight")
        assert position(page) == (count, count)
        page.keyboard.press("ArrowLeft")
        assert "b.grad = −5" in told(page)
        assert "−8" not in in_sight(page, "-gradient")
        assert troubles == []


def test_slider_goes_to_any_step(browser, served_site):
    with reading(browser) as page:
        page.goto(served_site + PAGE)
        tab_to(page, f"{FIGURE} .controls input")
        page.keyboard.press("End")
        assert "a.grad = −8" in told(page)
        page.keyboard.press("ArrowLeft")
        assert position(page)[0] == position(page)[1] - 1
        page.keyboard.press("Home")
        assert in_sight(page, "-value") == []


def test_values_appear_station_by_station(browser, served_site):
    with reading(browser) as page:
        page.goto(served_site + PAGE)
        _, count = position(page)
        seen = []
        for _ in range(count):
            seen.append((len(in_sight(page, "-value")), len(in_sight(page, "-gradient"))))
            page.locator(f"{FIGURE} button[data-do=next]").click()
        assert seen == sorted(seen)
        assert seen[0] == (0, 0)
        values = max(value for value, _ in seen)
        assert all(gradient == 0 for value, gradient in seen if value < values)


def test_phone_reaches_the_end_by_touch(browser, served_site):
    options = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    with reading(browser, **options) as page:
        page.goto(served_site + PAGE)
        button = page.locator(f"{FIGURE} button[data-do=next]")
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 40
        for _ in range(position(page)[1] - 1):
            button.tap()
        assert "a.grad = −8" in told(page)
        assert {"−8", "−5"} <= set(in_sight(page, "-gradient"))
        # Nothing sticks out, and the text of the picture can be read.
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        picture = page.locator(f"{FIGURE} .way[data-shown] svg").bounding_box()
        assert picture["x"] >= 0 and picture["x"] + picture["width"] <= 360
        drawn = float(
            page.locator(f"{FIGURE} .way[data-shown] svg").get_attribute("viewBox").split()[2]
        )
        assert 11 * picture["width"] / drawn >= 9.5


def test_each_point_can_be_chosen_and_ends_in_the_mean(browser, served_site):
    with reading(browser) as page:
        page.goto(served_site + PAGE)
        page.keyboard.press("Tab")
        tab_to(page, f"{FIGURE} .ways button[data-way='{POINTS}']")
        page.keyboard.press("Enter")
        chosen = page.locator(f"{FIGURE} .ways button").evaluate_all(
            "all => all.map(b => b.getAttribute('aria-pressed'))"
        )
        assert chosen == ["false", "true"]
        for _ in range(position(page)[1] - 1):
            page.keyboard.press("ArrowRight")
        gradients = in_sight(page, "-gradient")
        assert {"−4", "−12", "−6"} <= set(gradients) and "−8" not in gradients
        assert in_sight(page, "-mean") == ["→ −8", "→ −5"]
        assert "(−4 + (−12)) / 2 = −8" in told(page)


def test_play_goes_to_the_end_and_stops(browser, served_site):
    with reading(browser) as page:
        page.clock.install(time=0)
        page.clock.pause_at(1000)
        page.goto(served_site + PAGE)
        _, count = position(page)
        play = page.locator(f"{FIGURE} button[data-do=play]")
        assert play.inner_text() == "Play"
        play.click()
        assert play.inner_text() == "Pause"
        for step in range(2, count + 1):
            # As long as one reads, at no more than twenty letters a second.
            page.clock.run_for(50 * len(told(page)))
            assert position(page)[0] == step - 1
            page.clock.run_for(8000)
            assert position(page)[0] >= step
            page.locator(f"{FIGURE} input").fill(str(step - 1))
            if step < count:
                play.click()
        page.clock.run_for(60_000)
        assert position(page) == (count, count) and play.inner_text() == "Play"
        # Once more from the start, and halted by the same button.
        play.click()
        assert position(page)[0] == 1
        play.click()
        page.clock.run_for(60_000)
        assert position(page)[0] == 1 and play.inner_text() == "Play"


def test_play_needs_no_help_to_reach_the_end(browser, served_site):
    with reading(browser) as page:
        page.clock.install(time=0)
        page.clock.pause_at(1000)
        page.goto(served_site + PAGE)
        page.locator(f"{FIGURE} button[data-do=play]").click()
        page.clock.run_for(200_000)
        assert position(page)[0] == position(page)[1]
        assert "a.grad = −8" in told(page)


def test_printed_page_shows_the_complete_picture(browser, served_site):
    with reading(browser) as page:
        page.goto(served_site + PAGE)
        assert in_sight(page, "-gradient") == []
        page.emulate_media(media="print")
        assert {"−8", "−5"} <= set(in_sight(page, "-gradient"))
        assert not page.locator(f"{FIGURE} .controls").is_visible()


def test_buttons_stay_where_they_are_on_a_phone(browser, served_site):
    with reading(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(served_site + PAGE)
        button = page.locator(f"{FIGURE} button[data-do=next]")
        places = set()
        for _ in range(position(page)[1]):
            places.add(page.evaluate("e => e.offsetTop", button.element_handle()))
            button.click()
        assert max(places) - min(places) <= 1


def test_each_step_is_announced(browser, served_site):
    with reading(browser) as page:
        page.goto(served_site + PAGE)
        region = page.locator(f"{FIGURE} [role=status][aria-live=polite]")
        texts = []
        for _ in range(position(page)[1]):
            texts.append(region.inner_text())
            page.locator(f"{FIGURE} button[data-do=next]").click()
        assert all(texts) and len(set(texts)) == len(texts)
        assert page.locator(f"{FIGURE} .controls button").all_inner_texts() == [
            "Back",
            "Play",
            "Next",
        ]
        slider = page.locator(f"{FIGURE} .controls input[aria-label]")
        assert slider.get_attribute("aria-valuetext") == "13 / 13"
        # One voice only: the slider's own output keeps silent.
        assert page.locator(f"{FIGURE} output[aria-live=off]").count() == 1
        assert page.locator(f"{FIGURE} .way[data-shown] svg[role=img]").get_attribute("aria-label")


@pytest.mark.parametrize(("motion", "moves"), [("no-preference", True), ("reduce", False)])
def test_dot_travels_along_the_edge_unless_motion_is_unwanted(browser, served_site, motion, moves):
    with reading(browser, reduced_motion=motion) as page:
        page.goto(served_site + PAGE)
        page.evaluate(
            "window.dots = 0; new MutationObserver((all) => all.forEach((m) => "
            "m.addedNodes.forEach((n) => { window.dots += n.nodeName === 'circle'; })))"
            f".observe(document.querySelector('{FIGURE}'), {{childList: true, subtree: true}})"
        )
        for _ in range(8):
            page.locator(f"{FIGURE} button[data-do=next]").click()
        assert bool(page.evaluate("window.dots")) is moves
        assert "0.5 × (−4) = −2" in told(page)


def test_without_scripts_the_complete_picture_stands_there(browser, served_site):
    with reading(browser, java_script_enabled=False) as page:
        page.goto(served_site + PAGE)
        pictures = page.locator(f"{FIGURE} .way")
        assert [picture.is_visible() for picture in pictures.all()] == [True, False]
        for name in ("controls", "ways", "told"):
            assert not page.locator(f"{FIGURE} .{name}").is_visible()
        shown = pictures.first.inner_text() or pictures.first.text_content()
        assert "−8" in shown and "−5" in shown and "6.5" in shown


# How it is made


@pytest.fixture
def step_through(extension):
    return extension("step_through")


def test_every_rule_has_its_sentence(step_through):
    from linreg_tutorial.trace import RULES

    sentences = step_through._sentences()
    for rule in set(RULES) - {"custom"}:
        said = sentences[rule] % dict.fromkeys(
            ("target", "source", "arrived", "local", "sent", "count"), "7"
        )
        assert "7" in said and "%" not in said


def test_operands_that_are_calculations_stand_in_brackets(step_through):
    from step_data import MARK, show

    a, b = parameter(1.0), parameter(2.0)
    with lt.record_forward():
        e = (a + b) * (a - b) ** 2 - a * b - (b - a)
    trace = lt.trace_backward(e, a=a, b=b, e=e)
    data = json.loads(show(trace, [trace]).data.removeprefix(MARK).removesuffix("</script>"))
    results = [step["says"].get("result") for step in data["mean"]["steps"]]
    assert "e = ((a + b) × (a − b)² − a × b) − (b − a)" in results


def test_other_graphs_can_be_stepped_through_too(step_through):
    from step_data import MARK, show

    a = parameter(2.0)
    with lt.record_forward():
        e = (a * X).reshape(2, 1).sum() + a
    trace = lt.trace_backward(e, a=a, e=e)
    html = show(trace, [trace]).data
    data = json.loads(html.removeprefix(MARK).removesuffix("</script>"))
    for way in data.values():
        for step in way["steps"]:
            assert step_through._told(step)["text"]
    back = [line for step in data["mean"]["steps"] for line in step["lines"]]
    assert back[-1] == f"a.grad = {written(a.grad.item())}"
    assert torch.equal(a.grad, torch.tensor(4.0))
