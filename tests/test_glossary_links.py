"""The first use of each word of a glossary becomes a link: on small sites that Sphinx builds."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

SPHINX = [sys.executable, "-m", "sphinx", "-q", "-n", "-W"]
EXTENSIONS = Path(__file__).parent.parent / "docs" / "_ext"

CONF = f"""\
import sys
sys.path.insert(0, {str(EXTENSIONS)!r})
project = "Words"
extensions = ["myst_parser", "glossary_links"]
myst_enable_extensions = ["colon_fence", "dollarmath", "smartquotes"]
html_theme = "basic"
locale_dirs = ["locale"]
"""

INDEX = """\
# Home

```{toctree}
:glob:

**
```
"""

GLOSSARY = """\
# Glossary

:::{glossary}
:sorted:

batch
  A group of points, with a gradient.

divergence
  What never ends.

  % also: diverges

error
  How far off it is.

gradient
  A slope.

learning
  To correct.

learning rate
  How much.

loss
  The error.

mean squared error
MSE
  A mean.

step
  One correction.

  % not: step by step; equal steps
  % not: a first step
:::
"""

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'

# What a page says, and what is linked on it, in brackets.
PAGES = {
    "first-use": (
        "The gradient and the gradient.\n\nA gradient.",
        "The [gradient] and the gradient. A gradient.",
    ),
    "plurals": ("A list: gradients, losses, batches.", "A list: [gradients], [losses], [batches]."),
    "longest": ("A mean squared error is an error.", "A [mean squared error] is an [error]."),
    "inside-a-longer": (
        "A learning rate is a learning rate.",
        "A [learning rate] is a learning rate.",
    ),
    "one-entry": ("The MSE is the mean squared error.", "The [MSE] is the mean squared error."),
    "over-a-line": ("A mean\nsquared error.", "A [mean squared error]."),
    "no-whole-word": (
        "An error-free, pre-error stepper of terrors.",
        "An error-free, pre-error stepper of terrors.",
    ),
    "bold": ("A **gradient**, *losses*.", "A [gradient], [losses]."),
    "half-bold": ("A mean *squared* error.", "A mean squared error."),
    "beginning": ("Steps go on. Losses “Errors.”", "[Steps] go on. [Losses] “Errors.”"),
    "beginning-in-quotes": (
        "So. “Errors fall.” (Losses too.)",
        "So. “[Errors] fall.” ([Losses] too.)",
    ),
    "button": ("Press Step. Then a step.", "Press Step. Then a [step]."),
    "every-day": (
        "Step by step, in equal\nsteps: a first step, a step.",
        "Step by step, in equal steps: a first step, a [step].",
    ),
    "another-form": ("It diverges.", "It [diverges]."),
    "code": ("`error` and $error$, an error.", "error and error, an [error]."),
    "parentheses": ("Call error() for an error.", "Call error() for an [error]."),
    "another-link": ("An [error](https://example.org), an error.", "An error, an [error]."),
    "by-hand": ("An error, an {term}`error`.", "An error, an [error]."),
    "by-hand-in-words": ("{term}`Slopes <gradient>`, a gradient.", "[Slopes], a gradient."),
    "heading": ("## The error\n\nAn error.", "The error An [error]."),
    "title": (":::{admonition} The error\nAn error.\n:::", "The error An [error]."),
    "rubric": (":::{rubric} The error\n:::\n\nAn error.", "The error An [error]."),
    "topic": (":::{topic} The error\nAn error.\n:::", "The error An [error]."),
    "table": ("| error |\n|---|\n| error |\n\nAn error.", "error error An [error]."),
    "tip": (
        ":::{admonition} You can say\n:class: tip\n- an error.\n:::\n\nAn error.",
        "You can say an error. An [error].",
    ),
    "tip-without-a-title": (":::{tip}\nAn error.\n:::\n\nAn error.", "Tip An error. An [error]."),
    "other-box": (":::{note}\nAn error.\n:::", "Note An [error]."),
    "figure": (
        ":::{figure} a.svg\n:alt: error\n\nAn error.\n\nIts error.\n:::\n\nOne error.",
        "An error. Its error. One [error].",
    ),
    "list": ("- error\n- error", "[error] error"),
    "quote": ("> An error.", "An [error]."),
    "reference/names": ("An error.", "An error."),
}


class Site:
    """A small site and how to build it."""

    def __init__(self, root: Path):
        self.root = root
        self.html = root / "html"
        self.write("conf.py", CONF)
        self.write("index.md", INDEX)
        self.write("glossary.md", GLOSSARY)

    def write(self, name: str, text: str) -> None:
        path = self.root / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.root / "docs" / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def build(self, *options: str) -> set[str]:
        """Build what has changed; return the pages that were written."""
        before = self._times()
        run = subprocess.run(
            [*SPHINX, *options, "-d", "doctrees", "docs", "html"],
            cwd=self.root,
            env={k: v for k, v in os.environ.items() if k != "PYTHONWARNINGS"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert run.returncode == 0, run.stderr
        return {name for name, time in self._times().items() if before.get(name) != time}

    def _times(self) -> dict[str, int]:
        # What Sphinx makes anew each time: no pages of ours.
        made = {"genindex", "search"}
        pages = (page for page in self.html.rglob("*.html") if page.stem not in made)
        return {p.relative_to(self.html).as_posix()[:-5]: p.stat().st_mtime_ns for p in pages}

    def shown(self, name: str) -> str:
        """Return what a page says below its title, what is linked to the glossary in brackets."""
        page = BeautifulSoup((self.html / f"{name}.html").read_text("utf-8"), "html.parser")
        body = page.select_one(".body")
        for unseen in body.select("h1, .headerlink, img"):
            unseen.decompose()
        for link in body.select("a.term"):
            link.insert_before("[")
            link.insert_after("]")
        text = re.sub(r"\\\((.*?)\\\)", r"\1", body.get_text())
        return " ".join(text.split())

    def links(self, name: str) -> list[str]:
        page = BeautifulSoup((self.html / f"{name}.html").read_text("utf-8"), "html.parser")
        return [link["href"] for link in page.select("a.term")]


@pytest.fixture(scope="module")
def every_case(tmp_path_factory) -> Site:
    site = Site(tmp_path_factory.mktemp("words"))
    site.write("a.svg", PICTURE)
    for name, (text, _shown) in PAGES.items():
        site.write(f"{name}.md", f"# Gradient, error\n\n{text}\n")
    site.build("-j", "2")
    return site


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_says_is_linked_where_it_should_be(name, every_case):
    assert every_case.shown(name) == PAGES[name][1]


def test_links_lead_to_the_entries(every_case):
    assert every_case.links("first-use") == ["glossary.html#term-gradient"]
    assert every_case.links("one-entry") == ["glossary.html#term-MSE"]
    assert every_case.links("another-form") == ["glossary.html#term-divergence"]
    page = (every_case.html / "glossary.html").read_text("utf-8")
    for anchor in ("term-gradient", "term-MSE", "term-divergence"):
        assert f'id="{anchor}"' in page


def test_glossary_itself_is_no_carpet_of_links(every_case):
    assert every_case.links("glossary") == []


def test_no_word_may_be_a_part_of_another_in_a_language_with_blanks_only(extension):
    links = extension("glossary_links")
    glossary = links.Glossary({"勾配": ("g", "a"), "batch": ("g", "b")}, {})

    def found(text):
        return [text[use.start : use.end] for use in glossary.uses_in(text)]

    assert found("誤差の勾配は、batchごとの勾配です。") == ["勾配", "batch", "勾配"]
    assert found("batchやminibatch") == ["batch"]


# Builds one after the other


@pytest.fixture
def site(tmp_path) -> Site:
    site = Site(tmp_path)
    site.write("page.md", "# Page\n\nA first step, a gradient: one step.\n")
    site.build()
    assert site.shown("page") == "A first step, a [gradient]: one [step]."
    return site


def test_build_without_a_change_writes_nothing(site):
    assert site.build() == set()


def test_other_words_in_an_entry_write_the_glossary_alone(site):
    site.replace("glossary.md", "A slope.", "A steep slope.")
    assert "page" not in site.build()
    assert "A steep slope." in site.shown("glossary")


def test_new_entry_is_linked_on_pages_that_did_not_change(site):
    site.replace("page.md", "one step.", "one ruler.")
    site.build()
    site.replace("glossary.md", "step\n  One correction.", "ruler\n  A tool.\n\nstep\n  One.")
    assert "page" in site.build()
    assert site.shown("page") == "A first step, a [gradient]: one [ruler]."


def test_entry_that_is_gone_leaves_no_dead_link(site):
    site.replace("glossary.md", "gradient\n  A slope.\n", "")
    assert "page" in site.build()
    assert site.shown("page") == "A first step, a gradient: one [step]."


def test_what_an_entry_says_of_its_neighbours_is_followed_on_old_pages(site):
    site.replace("glossary.md", "  % not: a first step\n", "")
    assert "page" in site.build()
    assert site.shown("page") == "A first [step], a [gradient]: one step."


def test_translated_words_are_linked_on_translated_pages(site):
    def catalog(*pairs):
        head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
        return head + "".join(f'\nmsgid "{old}"\nmsgstr "{new}"\n' for old, new in pairs)

    site.write("locale/ja/LC_MESSAGES/glossary.po", catalog(("gradient", "勾配")))
    said = "A first step, a gradient: one step."
    site.write("locale/ja/LC_MESSAGES/page.po", catalog((said, "誤差の勾配は勾配です。")))
    site.build("-D", "language=ja")
    assert site.shown("page") == "誤差の[勾配]は勾配です。"
    (address,) = site.links("page")
    page = (site.html / "glossary.html").read_text("utf-8")
    assert f'id="{address.partition("#")[2]}"' in page
