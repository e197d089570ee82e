"""The glossary of the built site, and the links into it from every page."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from browsing import SITE, reading, soup
from bs4 import NavigableString

DOCS = Path(__file__).parent.parent / "docs"
HOME = "practice/glossary.html"

# What a beginner meets and will want to look up.
REQUIRED = """
    tensor, shape, dtype, leaf, gradient, partial derivative, derivative, chain rule,
    computation graph, backpropagation, forward pass, backward pass, error, loss,
    mean squared error, MSE, learning rate, step, training loop, epoch, batch, mini-batch,
    optimizer, stochastic gradient descent, SGD, parameter, slope, intercept, prediction, target,
    input, teacher data, training data, residual, miss, detach, no_grad, requires_grad, in place,
    accumulate, reset, broadcasting, layer, module, seed, divergence, Hessian, eigenvalue,
    eigenvector, held-out set, overfitting, noise, network, unit, ReLU, momentum, device,
    accelerator, process, rank, world size, all-reduce, gradient descent, least squares,
    weight, bias, column, Adam, grad_fn, note
"""
# As the Japanese article has them.
OF_THE_ARTICLE = {
    "gradient": "勾配",
    "partial derivative": "偏微分",
    "backpropagation": "誤差逆伝播",
    "error": "誤差",
    "prediction": "予測値",
    "teacher data": "教師データ",
    "learning": "学習",
    "learning rate": "学習率",
    "parameter": "パラメータ",
    "tensor": "テンソル",
    "reset": "リセット",
    "Euclidean distance": "ユークリッド距離",
    "Manhattan distance": "マンハッタン距離",
}
# Pages whose first uses are links.
PAGES = sorted(
    name
    for path in SITE.rglob("*.html")
    if (name := path.relative_to(SITE).as_posix()) != HOME
    and not name.startswith(("_", "reference/"))
    and name not in ("genindex.html", "search.html", "py-modindex.html")
) or ["index.html"]
every_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(autouse=True)
def _site(built_site):
    """Let each test fail with what to do when the site is not built."""


@cache
def entries() -> list[tuple[list, object]]:
    """Return the words of each entry, as elements, and what is said of them."""
    found, words = [], []
    for element in soup(HOME).select("dl.glossary > *"):
        if element.name == "dt":
            words.append(element)
        else:
            found.append((words, element))
            words = []
    return found


def word_of(element) -> str:
    return element.get_text().rstrip("¶").strip()


@cache
def groups() -> dict[str, list[str]]:
    """Return the words of each entry, by the first of them."""
    return {word_of(words[0]): [word_of(word) for word in words] for words, _said in entries()}


@cache
def addresses() -> dict[str, str]:
    """Return the first word of the entry to which each address leads."""
    return {word["id"]: word_of(words[0]) for words, _said in entries() for word in words}


def test_words_that_a_beginner_looks_up_are_there():
    known = {word for group in groups().values() for word in group}
    assert {" ".join(word.split()) for word in REQUIRED.split(",")} - known == set()


def test_words_stand_in_the_order_of_the_alphabet():
    first = [word_of(words[0]).lower() for words, _said in entries()]
    assert first == sorted(first)
    source = (DOCS / "practice" / "glossary.md").read_text("utf-8")
    written = re.findall(r"(?:\n\n|:sorted:\n\n)(\S.*)\n(?:\S.*\n)?  \[", source)
    assert [word.lower() for word in written] == first


def test_each_entry_has_two_sentences():
    wrong = {}
    for words, said in entries():
        _head, *body = said.find_all("p", recursive=False)
        sentences = re.split(r"(?<=[.!?])\s+", body[0].get_text().strip())
        if len(body) != 1 or len(sentences) != 2 or sentences[1][-1:] not in ".!?":
            wrong[word_of(words[0])] = sentences
    assert wrong == {}


def test_each_entry_has_its_japanese_name_said_to_be_japanese():
    japanese = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
    found = {}
    for words, said in entries():
        (name,) = said.select("p:first-child > [lang=ja]")
        assert japanese.search(name.get_text()), word_of(words[0])
        found[word_of(words[0])] = name.get_text()
    # There may be a word more, but what the article says comes first.
    other = {
        word: found[word]
        for word, name in OF_THE_ARTICLE.items()
        if not found[word].startswith(name)
    }
    assert other == {}
    for text in soup(HOME).select_one("article").find_all(string=japanese):
        assert text.find_parent(attrs={"lang": "ja"}), text


def test_each_entry_leads_to_a_page_that_says_the_word():
    silent = []
    for words, said in entries():
        (link,) = said.select("p:first-child > a")
        address = urlsplit(urljoin(HOME, link["href"]))
        page = soup(address.path)
        if address.fragment:
            assert page.find(id=address.fragment), link
        text = page.select_one("article").get_text().lower()
        spellings = [re.split(r"[ _-]", word_of(word).lower()) for word in words]
        if not any(all(part in text for part in spelling) for spelling in spellings):
            silent.append(word_of(words[0]))
    # The course says batch. The other word is the one that readers bring along.
    assert silent == ["mini-batch"]


# Links into it


def links_on(name: str) -> list:
    return soup(name).select("a.term")


@every_page
def test_links_lead_to_entries_each_once(name):
    reached = []
    for link in links_on(name):
        address = urlsplit(urljoin(name, link["href"]))
        assert address.path == HOME, link
        assert address.fragment in addresses(), link
        reached.append(addresses()[address.fragment])
    assert sorted(reached) == sorted(set(reached))


NO_PROSE = (
    "a:not(.term), code, pre, math, svg, figure, table, script, style, summary, textarea, button,"
    ".admonition-title, .admonition.tip, .topic-title, .rubric, .run-it, .playground,"
    ".exercise-title, .predict"
)


@cache
def prose_of(name: str) -> list[tuple[str, list[tuple[int, str]]]]:
    """Return the paragraphs of a page, each with its links: where, and to which entry.

    What is no prose in a paragraph is dots.
    """
    paragraphs = []
    unseen = {id(e) for outer in soup(name).select(NO_PROSE) for e in [outer, *outer.descendants]}
    for paragraph in soup(name).select("article p"):
        if id(paragraph) in unseen:
            continue
        text, links = "", []
        for piece in paragraph.descendants:
            if getattr(piece, "name", None) == "a" and "term" in piece.get("class", []):
                links.append((len(text), addresses()[urlsplit(piece["href"]).fragment]))
            if isinstance(piece, NavigableString):
                words = re.sub(r"\s", " ", piece)
                text += "." * len(words) if id(piece) in unseen else words
        paragraphs.append((text, links))
    return paragraphs


@cache
def excuses() -> dict[str, list[str]]:
    """Return, for each word, the longer words and the phrases in which it is not meant."""
    source = (DOCS / "practice" / "glossary.md").read_text("utf-8")
    every = sorted(word for group in groups().values() for word in group)
    found = {name: [n for n in every if name in n and name != n] for name in every}
    for part in re.split(r"\n\n(?=\S)", source):
        word, *_rest = part.split("\n")
        for line in re.findall(r"^  % not: (.*)$", part, re.MULTILINE):
            found[word] += [phrase.strip() for phrase in line.split(";")]
    return found


def is_excused(word: str, text: str, start: int) -> bool:
    return any(
        found.start() <= start < found.end()
        for phrase in excuses()[word]
        for found in re.finditer(re.escape(phrase), text, re.IGNORECASE)
    )


@every_page
def test_first_use_in_prose_is_the_one_that_is_linked(name):
    """Words are searched as they are written, and with an s: capitals are looked at elsewhere."""
    linked, missed = set(), []
    for text, links in prose_of(name):
        for entry, words in groups().items():
            if entry in linked:
                continue
            link = min((start for start, found in links if found == entry), default=len(text))
            for word in words:
                for use in re.finditer(rf"(?<![\w-]){re.escape(word)}s?(?![\w(]|-\w)", text[:link]):
                    if not is_excused(word, text, use.start()):
                        missed.append(text[max(0, use.start() - 40) : use.end() + 20])
        linked |= {entry for _start, entry in links}
    assert missed == []


def test_the_course_is_linked_throughout():
    few = [n for n in PAGES if re.search(r"/\d\d", n) and len(links_on(n)) < 3]
    assert few == []
    assert len(links_on("index.html")) > 5


def test_no_heading_code_caption_table_tip_or_link_is_linked_again():
    for name in PAGES:
        inside = "h1, h2, h3, h4, code, pre, table, figcaption, .admonition-title, .tip, nav, a"
        assert soup(name).select(f":is({inside}) a.term") == [], name
        assert soup(name).select("a.term code, .sidebar-drawer a.term, .toc-drawer a.term") == []


def test_reference_has_none():
    for path in (SITE / "reference").rglob("*.html"):
        assert links_on(path.relative_to(SITE).as_posix()) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_look_like_the_text_around_them_and_show_the_focus(theme, browser, served_site):
    with reading(browser, color_scheme=theme) as page:
        page.goto(f"{served_site}course/05-gradient.html")
        word = page.locator("a.term").first
        anchor = urlsplit(word.get_attribute("href")).fragment
        colour = "e => getComputedStyle(e).color"
        style = "e => getComputedStyle(e).textDecorationStyle"
        outline = "e => getComputedStyle(e).outlineStyle"
        assert word.evaluate(colour) == word.locator("..").evaluate(colour)
        assert word.evaluate(style) == "dotted" and word.evaluate(outline) == "none"
        page.keyboard.press("Tab")
        word.focus()
        assert word.evaluate(outline) == "solid" and word.evaluate(style) == "solid"
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/practice/glossary.html#{anchor}")
        assert page.locator(":target").is_visible()
