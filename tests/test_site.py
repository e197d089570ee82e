"""The built site as its readers meet it, in a browser and from a folder.

Every page is opened once, and looked at in each theme and each width of the screen; one
visit looks at many things. What needs no browser is read from the files.
"""

import os
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browsing import SITE, reading, searched, soup, tab_to, troubles_of
from sphinx_gallery.py_source_parser import split_code_and_text_blocks

ROOT = Path(__file__).parent.parent
# Without a built site one name is left, so that the tests fail and do not vanish.
PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html")
    if not path.relative_to(SITE).parts[0].startswith("_")
) or ["index.html"]
# The pages of the narrative, in their order: those of the course, and those beyond two points.
COURSE = [
    f"{folder}/{path.stem}"
    for folder in ("course", "beyond")
    for path in sorted((ROOT / "docs" / folder).glob("[0-9]*.md"))
]
GALLERY = sorted(path.stem for path in (ROOT / "gallery").glob("[0-9]*.py"))

every_page = pytest.mark.parametrize("name", PAGES)
every_course_page = pytest.mark.parametrize("topic", COURSE)
every_script = pytest.mark.parametrize("script", GALLERY)


@pytest.fixture(autouse=True)
def _site(built_site):
    """Let each test fail with what to do when the site is not built."""


# Every page, in both themes, on a phone and on a desk

# What can be seen to be wrong with a page, a line each.
LOOK = r"""() => {
  const faults = [];
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  const say = (what, element, text = element.textContent) =>
    faults.push(`${what}: ${element.tagName.toLowerCase()} “${text.trim().slice(0, 40)}”`);
  // A picture of a film whose turn it is not is no fault.
  const put_away = (element) =>
    element.closest(".frames .frame:not([data-shown]), .step-through .way:not([data-shown])");

  const numbers = (colour) => {
    const [r, g, b, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return colour.startsWith("color") ? [255 * r, 255 * g, 255 * b, alpha] : [r, g, b, alpha];
  };
  const over = (front, back) =>
    [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3]));
  const backdrop = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const layer = numbers(getComputedStyle(e).backgroundColor);
      layers.unshift(layer);
      if (layer[3] === 1) break;
    }
    return layers.reduce((back, front) => over(front, back), [255, 255, 255]);
  };
  const luminance = (colour) => colour
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((p, q) => p - q);
    return (light + 0.05) / (dark + 0.05);
  };

  const article = document.querySelector("article"), content = article.getBoundingClientRect();
  // On a phone it is a box around the article that Furo lets scroll, not the page.
  for (let e = article; e; e = e.parentElement)
    if (getComputedStyle(e).overflowX !== "visible" && e.scrollWidth > e.clientWidth)
      faults.push("the page scrolls sideways");
  const scrolls = (element) => {
    for (let e = element; e !== article; e = e.parentElement)
      if (["auto", "scroll"].includes(getComputedStyle(e).overflowX)) return true;
    return false;
  };

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data, element = texts.currentNode.parentElement;
    if (!text.trim() || element.closest("script, style, noscript, template")) continue;
    if (!element.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const svg = element.closest("svg"), style = getComputedStyle(element);
    const ink = numbers(svg ? style.fill : style.color);
    const paper = backdrop(svg?.parentElement ?? element);
    if (svg) ink[3] *= style.fillOpacity;
    for (let e = element; e; e = e.parentElement) ink[3] *= getComputedStyle(e).opacity;
    const found = contrast(over(ink, paper), paper);
    if (found < 4.5) say(`contrast ${found.toFixed(1)}`, element, text);

    if (!article.contains(element) || scrolls(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    for (const box of range.getClientRects())
      if (box.left < -1 || box.right > innerWidth + 1) say("off the screen", element, text);
  }

  for (const formula of document.querySelectorAll("math")) {
    const box = formula.getBoundingClientRect();
    if (!formula.checkVisibility({visibilityProperty: true}) || box.width < 4 || box.height < 4)
      say("unseen formula", formula);
  }
  for (const font of document.fonts)
    if (font.status === "error") faults.push(`font ${font.family}`);

  for (const figure of document.querySelectorAll("svg.figure")) {
    if (put_away(figure)) continue;
    const box = figure.getBoundingClientRect();
    const name = figure.getAttribute("aria-label") ?? "thumbnail";
    if (!figure.checkVisibility({visibilityProperty: true}) || box.width < 40 || box.height < 40)
      say("unseen figure", figure, name);
    if (box.left < content.left - 1 || box.right > content.right + 1)
      say("too wide", figure, name);
  }

  if (document.querySelectorAll("h1").length !== 1) faults.push("not one title");
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  const twice = new Set(ids.filter((id, i) => ids.indexOf(id) !== i));
  if (twice.size) faults.push(`ids that are there twice: ${[...twice].slice(0, 5)}`);
  return faults;
}"""

# What a screen reader announces by name; without one it says “link” and no more.
NAMED_ROLES = {
    "button",
    "checkbox",
    "DisclosureTriangle",
    "image",
    "link",
    "searchbox",
    "slider",
    "textbox",
}


def nameless(devtools) -> list[str]:
    """Return what a screen reader can only call by its role."""
    nodes = devtools.send("Accessibility.getFullAXTree")["nodes"]
    seen = [node for node in nodes if not node["ignored"]]
    roles = [node["role"]["value"] for node in seen if not node["name"].get("value")]
    return [f"{role} without a name" for role in roles if role in NAMED_ROLES]


LOOKS = [(theme, width) for theme in ("light", "dark") for width in (360, 1440)]


@pytest.fixture(scope="module")
def visit(browser, served_site):
    """Return a function that opens a page and tells all that is wrong in a theme and a width."""
    with reading(browser) as page:
        troubles = troubles_of(page, served_site)
        devtools = page.context.new_cdp_session(page)

        def look_at(name: str) -> dict[str, list[str]]:
            troubles.clear()
            # Nobody opens the page of search results without words to search for.
            page.goto(served_site + name.replace("search.html", "search.html?q=gradient"))
            faults = {}
            for theme, width in LOOKS:
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=theme)
                faults[f"{theme}, {width} px"] = page.evaluate(LOOK)
                # Colours have no names, so one theme will do.
                if theme == "light":
                    faults[f"names, {width} px"] = nameless(devtools)
            return faults | {"loading": troubles}

        yield look_at


@every_page
def test_page_is_whole_and_can_be_read(visit, name):
    assert {look: faults for look, faults in visit(name).items() if faults} == {}


@every_page
def test_page_has_a_language_and_a_name_for_its_tab(name):
    page = soup(name)
    assert page.html.get("lang") == "en"
    assert page.title.get_text(strip=True)


# Figures, for those who cannot see them


def figures_of(name: str) -> list:
    """Return the figures of a page; of a film, one for all its pictures."""
    found = soup(name).select("article svg.figure, article img")
    return [f for f in found if not (f.find_parent(class_="frame") and f.find_next(class_="frame"))]


@every_page
def test_figures_are_told_in_words(name):
    said = []
    for figure in figures_of(name):
        if figure.name == "svg" and figure.get("aria-hidden") == "true":
            # It only repeats the title beside it.
            assert figure.find_parent(class_="sphx-glr-thumbcontainer")
            continue
        assert figure.name == "img" or figure.get("role") == "img"
        said.append(figure.get("alt" if figure.name == "img" else "aria-label", ""))
    for text in said:
        assert len(text.split()) >= 4, f"this describes no picture: {text!r}"
        assert not re.search(r"\.(svg|png)\b|[0-9a-f]{16}", text)
    assert len(said) == len(set(said))


@every_course_page
def test_course_page_has_a_figure_with_a_caption(topic):
    captions = soup(f"{topic}.html").select("figure:has(svg[role=img]) figcaption")
    assert captions and all(caption.get_text(strip=True) for caption in captions)


@every_script
def test_gallery_page_has_a_figure(script):
    assert soup(f"gallery/{script}.html").select("article svg.figure[role=img]")


# Links, and what is loaded

_FOREIGN = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)


@cache
def anchors(path: Path) -> set[str]:
    """Return where links into a page may point to."""
    page = soup(path.relative_to(SITE).as_posix())
    return {tag["id"] for tag in page.find_all(id=True)}


def leads_somewhere(here: Path, link: str) -> bool:
    """Tell whether a link of a page ends at a file of the site, and at an anchor of it."""
    parts = urlsplit(link)
    path = unquote(parts.path)
    there = Path(os.path.normpath(here.parent / path)) if path else here
    if not (there.is_relative_to(SITE) and there.is_file() and there.stat().st_size):
        return False
    # The tests of the playground open each situation that a link leads to.
    is_situation = there == SITE / "playground.html" and "=" in parts.fragment
    return not parts.fragment or is_situation or unquote(parts.fragment) in anchors(there)


@every_page
def test_links_lead_somewhere(name):
    links = {
        tag[attribute]
        for attribute in ("href", "src", "action")
        for tag in soup(name).find_all(attrs={attribute: True})
    }
    inner = {link for link in links if not re.match(r"[a-z]+:|//", link)}
    assert inner
    assert [link for link in sorted(inner) if not leads_somewhere(SITE / name, link)] == []


@every_page
def test_page_loads_nothing_from_elsewhere(name):
    """Links may lead out; what a page needs to be read has to lie beside it."""
    for tag in soup(name).find_all(lambda tag: tag.name not in ("a", "area")):
        for attribute in ("src", "srcset", "href", "xlink:href", "data", "poster", "action"):
            assert not _FOREIGN.match(tag.get(attribute, "")), tag
        for css in (tag.get("style", ""), tag.get_text() if tag.name == "style" else ""):
            assert not re.search(r"""(?:url\(|@import)\s*["']?(?:https?:)?//""", css), tag


def test_styles_and_scripts_load_nothing_from_elsewhere():
    checked = 0
    for path in [*SITE.rglob("*.css"), *SITE.rglob("*.js")]:
        text = path.read_text("utf-8")
        for link in (
            re.findall(r"""url\(\s*["']?([^"')]+)""", text) if path.suffix == ".css" else []
        ):
            checked += 1
            assert not _FOREIGN.match(link), f"{path.name}: {link}"
            assert link.startswith(("data:", "#")) or (path.parent / urlsplit(link).path).is_file()
        assert not re.search(r"""@import\s+["']""", text), path.name
        # An address in a string is one that a script may ask; a name of SVG's is not asked.
        quoted = re.findall(r"""["'`](?:https?:)?//[\w.-]+\.[a-z]+[^"'`]*""", text)
        assert [q for q in quoted if "//www.w3.org/" not in q] == [], path.name
    assert checked > 0


# Without a server, without scripts


def theme_of(page) -> str:
    return page.evaluate("document.body.dataset.theme")


def go_dark(page) -> None:
    """Press the button until the theme is dark: there are three."""
    for _ in range(3):
        if theme_of(page) != "dark":
            page.locator(".theme-toggle:visible").click()
    assert theme_of(page) == "dark"


def ink_of_the_line(page) -> str:
    return page.evaluate(
        "getComputedStyle(document.querySelector('svg.figure path[style*=\"--c-line\"]')).stroke"
    )


@pytest.mark.parametrize("name", ["index.html", "course/05-gradient.html"])
def test_site_works_from_a_usb_stick(browser, name):
    with reading(browser) as page:
        troubles = troubles_of(page, SITE.as_uri())
        page.goto((SITE / name).as_uri())
        assert page.evaluate(LOOK) == []
        assert page.locator("svg.figure").first.is_visible()
        if name.startswith("course"):
            assert page.locator("math").first.is_visible()
            assert page.evaluate("document.fonts.check('16px \"Course Math\"')")
        before = ink_of_the_line(page)
        go_dark(page)
        assert ink_of_the_line(page) != before
        assert troubles == []


def test_search_works_from_a_usb_stick(browser):
    with reading(browser) as page:
        page.goto((SITE / "index.html").as_uri())
        page.locator("input[name=q]").fill("optimizer")
        page.keyboard.press("Enter")
        page.locator("#search-results a[href*='course/10-sequential']").first.wait_for()


def test_dark_figures_need_no_scripts(browser, served_site):
    with reading(browser, color_scheme="dark", java_script_enabled=False) as page:
        page.goto(served_site + "course/05-gradient.html")
        assert page.evaluate(LOOK) == []


# Theme


def test_theme_button_takes_figures_along(browser, served_site):
    with reading(browser, color_scheme="light") as page:
        page.goto(served_site + "course/05-gradient.html")
        seen = {}
        for _ in range(3):
            paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
            seen[theme_of(page)] = (paper, ink_of_the_line(page))
            page.locator(".theme-toggle:visible").click()
        assert set(seen) == {"auto", "light", "dark"}
        assert seen["auto"] == seen["light"]
        assert seen["dark"][0] != seen["light"][0] and seen["dark"][1] != seen["light"][1]
        go_dark(page)
        page.goto(served_site + "course/06-backward.html")
        assert theme_of(page) == "dark"


# Search


@pytest.mark.parametrize(
    ("words", "explained_on"),
    [
        ("accumulate", "course/07-one-step"),
        ("learning rate", "course/07-one-step"),
        ("partial derivative", "course/03-predict"),
        ("chain rule", "course/06-backward"),
        ("backpropagation", "course/06-backward"),
        ("optimizer", "course/10-sequential"),
        ("eigenvalue", "beyond/13-fastest-rate"),
        ("momentum", "beyond/14-other-optimizers"),
        ("batch", "beyond/15-batches"),
        ("overfitting", "beyond/16-network"),
        ("torchrun", "beyond/18-two-processes"),
        ("fit_manual", "reference/generated/linreg_tutorial.fit_manual"),
    ],
)
def test_search_finds_the_page_that_explains(browser, served_site, words, explained_on):
    with reading(browser) as page:
        troubles = troubles_of(page, served_site)
        searched(page, served_site, words)
        hits = page.locator("#search-results li > a").evaluate_all("all => all.map((a) => a.href)")
        assert any(explained_on in hit for hit in hits[:10]), hits[:10]
        assert troubles == []


# Copying


def copied(browser, address: str) -> list[str]:
    """Return what each copy button of a page puts into the clipboard."""
    with reading(browser) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(address)
        for summary in page.locator("details > summary").all():
            summary.click()
        texts = []
        for button in page.locator("button.copybtn").all():
            page.evaluate("navigator.clipboard.writeText('')")
            button.click()
            page.wait_for_function("async () => (await navigator.clipboard.readText()) !== ''")
            texts.append(page.evaluate("navigator.clipboard.readText()").strip())
        assert page.locator(".cell_output .copybtn, .sphx-glr-script-out .copybtn").count() == 0
        return texts


def cells_of(topic: str, extension) -> list[str]:
    """Return the code of a course page that its readers see, from the source."""
    text = extension("exercise_source").for_the_site(
        (ROOT / "docs" / f"{topic}.md").read_text("utf-8"), {}
    )
    # What exercises give to be filled in, too.
    block = r"^```\{code-(?:cell|block)\}(?: python)?\n(.*?)^```$"
    cells = re.findall(block, text, re.MULTILINE | re.DOTALL)
    seen = [cell for cell in cells if not re.search(r"remove-(input|cell)", cell)]
    options = re.compile(r"\A(?:---\n(?:.*\n)*?---\n|(?::.*\n)+)")
    return [options.sub("", cell).strip() for cell in seen]


@pytest.mark.parametrize("topic", ["course/05-gradient", "course/08-a-hundred-steps"])
def test_copy_button_takes_a_cells_code_and_nothing_else(browser, served_site, topic, extension):
    *cells, commands = copied(browser, f"{served_site}{topic}.html")
    assert cells == cells_of(topic, extension)
    assert commands == f"python -m pip install notebook\njupyter notebook {Path(topic).name}.ipynb"


@pytest.mark.parametrize(
    ("script", "packages"),
    [("01_fit_by_hand", "torch matplotlib"), ("18_measure_step", "torch matplotlib tqdm")],
)
def test_copy_button_takes_a_scripts_code_and_nothing_else(script, packages, browser, served_site):
    _, blocks = split_code_and_text_blocks(str(ROOT / "gallery" / f"{script}.py"))
    code = [block.content.strip() for block in blocks if block.type == "code"]
    *cells, commands = copied(browser, f"{served_site}gallery/{script}.html")
    assert cells == code
    assert commands == f"python -m pip install {packages}\npython {script}.py"


def test_copy_button_leaves_the_prompt_out(browser, served_site):
    (commands,) = copied(browser, f"{served_site}gallery/index.html")
    assert commands.splitlines()[0] == "python -m pip install torch matplotlib"
    assert "$" not in commands and len(commands.splitlines()) == 3


# The film

FILM = "gallery/07_watch_the_line_move.html"


def pictures_in_sight(page) -> list[int]:
    """Return the numbers of the film's pictures that can be seen."""
    return page.locator(".frames .frame").evaluate_all(
        "all => all.flatMap((frame, i) => frame.checkVisibility() ? [i] : [])"
    )


def test_film_obeys_the_keyboard(browser, served_site):
    with reading(browser) as page:
        page.goto(served_site + FILM)
        last = page.locator(".frames .frame").count() - 1
        assert last >= 10
        assert pictures_in_sight(page) == [0]
        tab_to(page, ".controls button[data-do=next]")
        page.keyboard.press("Enter")
        assert pictures_in_sight(page) == [1]
        page.keyboard.press("Space")
        assert pictures_in_sight(page) == [2]
        tab_to(page, ".controls input")
        page.keyboard.press("ArrowRight")
        assert pictures_in_sight(page) == [3]
        assert page.locator(".controls output").inner_text() == f"4 / {last + 1}"
        page.keyboard.press("End")
        page.keyboard.press("ArrowRight")
        assert pictures_in_sight(page) == [last]
        page.keyboard.press("ArrowLeft")
        assert pictures_in_sight(page) == [last - 1]
        for _ in range(3):
            page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.dataset.do") == "back"
        page.keyboard.press("Enter")
        assert pictures_in_sight(page) == [last - 2]


def test_film_plays_to_its_end_when_asked_and_stops(browser, served_site):
    """Asked for, it also plays for those who want less motion; by itself it never starts."""
    with reading(browser, reduced_motion="reduce") as page:
        # Time stands still but for what the test lets pass.
        page.clock.install(time=0)
        page.clock.pause_at(1000)
        page.goto(served_site + FILM)
        last = page.locator(".frames .frame").count() - 1
        interval = int(page.locator(".frames").get_attribute("data-interval"))
        tab_to(page, ".controls button[data-do=play]")
        page.keyboard.press("Enter")
        seen = []
        for _ in range(last + 3):
            seen.append(pictures_in_sight(page))
            page.clock.run_for(interval)
        assert seen == [[i] for i in range(last + 1)] + [[last], [last]]
        # Once more, and halted on the way.
        page.keyboard.press("Enter")
        page.clock.run_for(3 * interval)
        page.keyboard.press("Space")
        page.clock.run_for(10 * interval)
        assert pictures_in_sight(page) == [3]


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_film_does_not_start_by_itself(browser, served_site, motion):
    with reading(browser, reduced_motion=motion) as page:
        page.clock.install()
        page.goto(served_site + FILM)
        before = pictures_in_sight(page)
        for _ in range(5):
            page.clock.run_for(300)
            assert pictures_in_sight(page) == before
        assert page.evaluate("document.getAnimations().length") == 0


def test_film_shows_its_last_picture_without_scripts(browser, served_site):
    with reading(browser, java_script_enabled=False) as page:
        page.goto(served_site + FILM)
        assert pictures_in_sight(page) == [page.locator(".frames .frame").count() - 1]
        assert not page.locator(".controls").is_visible()


# The course's pauses


@every_course_page
def test_answers_are_folded_away_and_the_keyboard_opens_them(browser, served_site, topic):
    with reading(browser) as page:
        page.goto(f"{served_site}{topic}.html")
        answers = page.locator("details").all()
        assert answers
        for answer in answers:
            hidden = answer.locator(":scope > :not(summary)").first
            assert not hidden.is_visible()
            answer.locator("summary").focus()
            page.keyboard.press("Enter")
            assert hidden.is_visible()


@every_course_page
def test_course_page_pauses_before_each_answer(topic):
    page = soup(f"{topic}.html")
    titles = [tag.get_text() for tag in page.select(".admonition-title")]
    assert titles[0] == "After this page you can say"
    assert titles.count("Before you read on") == len(page.select("details.answer")) >= 1


@pytest.mark.parametrize(
    ("topic", "following"),
    [pair for pair in pairwise(COURSE) if Path(pair[0]).parent == Path(pair[1]).parent],
)
def test_course_page_sums_up_and_leads_on(topic, following):
    article = soup(f"{topic}.html").article
    headings = [heading.find(string=True) for heading in article.find_all("h2")]
    exercises = ["Exercises"] if topic.startswith("course/") else []
    assert headings[-1 - len(exercises) :] == ["In short", *exercises]
    leads = [p for p in article.find_all("p") if p.get_text().startswith("Next:")]
    assert [p.a["href"] for p in leads] == [f"{Path(following).name}.html"]


# From the gallery and the course to the reference, and back


def api_pages_of(script: str) -> list[str]:
    """Return the reference pages of what a script takes from the package, from its code."""
    code = (ROOT / "gallery" / f"{script}.py").read_text("utf-8")
    code = re.sub(r"^#.*", "", code, flags=re.MULTILINE)
    used = {f"linreg_tutorial.{name}" for name in re.findall(r"\blt\.(\w+)", code)}
    used |= {f"linreg_tutorial.plots.{name}" for name in re.findall(r"\bplots\.(\w+)", code)}
    names = {f"reference/generated/{name}.html" for name in used}
    return sorted(name for name in names if (SITE / name).exists())


@pytest.mark.parametrize("script", [s for s in GALLERY if api_pages_of(s)])
def test_reference_lists_the_scripts_that_use_a_function(script):
    for name in api_pages_of(script):
        assert soup(name).article.select(f'a[href$="gallery/{script}.html"]'), name


def test_package_is_used_in_the_gallery():
    assert len({name for script in GALLERY for name in api_pages_of(script)}) >= 5


@every_script
def test_names_in_a_scripts_code_lead_to_their_reference(script):
    links = [a["href"] for a in soup(f"gallery/{script}.html").select("article .highlight a[href]")]
    for page in api_pages_of(script):
        assert any(link.split("#")[0] == f"../{page}" for link in links), page
    if "import torch" in (ROOT / "gallery" / f"{script}.py").read_text("utf-8"):
        assert any(link.startswith("https://docs.pytorch.org/") for link in links)


def test_names_in_the_course_lead_to_their_reference():
    links = {
        a["href"].split("#")[0]
        for topic in COURSE
        for a in soup(f"{topic}.html").select("article a[href]")
    }
    assert "../reference/generated/linreg_tutorial.gradient_by_hand.html" in links
    assert any(link.startswith("https://docs.pytorch.org/") for link in links)


# Links that need a public address


@pytest.fixture
def source_links(extension):
    return extension("source_links")


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, None),
        ({"GITHUB_REPOSITORY": "someone/lines"}, "someone/lines"),
        ({"READTHEDOCS_GIT_CLONE_URL": "https://github.com/someone/lines.git"}, "someone/lines"),
        ({"READTHEDOCS_GIT_CLONE_URL": "https://github.com/someone/lines"}, "someone/lines"),
        (
            {"READTHEDOCS_GIT_CLONE_URL": "git@github.com:someone/two.lines.git"},
            "someone/two.lines",
        ),
        ({"READTHEDOCS_GIT_CLONE_URL": "https://gitlab.com/someone/lines.git"}, None),
    ],
)
def test_public_repository_is_known_from_the_host(source_links, environment, name):
    assert source_links.repository(environment) == name


@pytest.mark.parametrize(
    ("environment", "branch"),
    [
        ({}, "main"),
        ({"GITHUB_REF_NAME": "next"}, "next"),
        ({"READTHEDOCS_GIT_IDENTIFIER": "v2"}, "v2"),
    ],
)
def test_edit_link_leads_to_the_branch_of_the_site(source_links, environment, branch):
    assert source_links.branch_of(environment) == branch


def test_colab_opens_the_published_notebook(source_links):
    notebook = "downloads/course/05-gradient.ipynb"
    assert (SITE / notebook).is_file()
    assert source_links.colab_link("someone/lines", notebook) == (
        f"https://colab.research.google.com/github/someone/lines/blob/gh-pages/{notebook}"
    )


def test_pages_promise_no_address_that_nobody_knows(source_links):
    """On a host that tells its name, each lesson has both links; elsewhere no page has any."""
    name = source_links.repository(os.environ)
    lessons = {f"{topic}.html" for topic in COURSE} | {f"gallery/{s}.html" for s in GALLERY}
    for page in PAGES:
        links = [a["href"] for a in soup(page).find_all("a", href=True)]
        colab = [link for link in links if "//colab.research.google.com/" in link]
        edit = [link for link in links if "/edit/" in link]
        if name is None:
            assert not colab + edit, page
        elif page in lessons:
            assert len(colab) == 1 and len(edit) >= 1, page
            assert all(name in link for link in colab + edit)
