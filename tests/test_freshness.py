"""Nothing stale and nothing broken is published: a small site, built, changed and built again."""

import html
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from readers import chosen

ROOT = Path(__file__).parent.parent
EXTENSIONS = ROOT / "docs" / "_ext"
KEPT = [
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "linreg_tutorial",
    "docs/conf.py",
    "docs/_ext",
    "docs/_static",
    "docs/_templates",
    "docs/inventories",
    "docs/beyond/speed.json",
    "docs/matplotlibrc",
]

HEADER = """\
---
file_format: mystnb
kernelspec:
  name: python3
---

"""

INDEX = """\
# Home

```{toctree}
course/01-measure
gallery/index
```
"""

PAGE = (
    HEADER
    + """\
# 1. Measure

```{code-cell}
import os
from linreg_tutorial import gradient_by_hand, two_points

with open(os.environ["RUNS"], "a") as runs:
    runs.write("page ")
x, t = two_points()
print("page says", gradient_by_hand(x, t, 1.0, 0.0).a)
```

A prediction of {run}`1 <x[0]>`.

```{code-cell}
import time
from matplotlib import pyplot as plt

fig, ax = plt.subplots(figsize=(2, 2))
ax.plot(x, t)
print("one piece", flush=True)
time.sleep(0.5)
print("another piece")
print("half of", end=" ")
time.sleep(0.5)
print("a line")
```
"""
)

SCRIPT = '''\
r"""
Measure
=======

Look at the gradient.
"""

import os

from linreg_tutorial import gradient_by_hand, two_points

with open(os.environ["RUNS"], "a") as runs:
    runs.write("script ")
x, t = two_points()
print("script says", gradient_by_hand(x, t, 1.0, 0.0).a)

import matplotlib.pyplot as plt

fig, ax = plt.subplots(num="Two points and a line", figsize=(2, 2))
ax.plot(x, t)
plt.show()
'''

GALLERY = "Gallery\n=======\n\nScripts.\n"

# A change of the package that moves every gradient: from -8 to -16 at the start.
TWICE = """

_once = gradient_by_hand


def gradient_by_hand(*args):
    return Gradient(*(2 * slope for slope in _once(*args)))
"""


class Site:
    """A copy of the repository with one page and one script."""

    def __init__(self, root: Path):
        self.root = root
        self.page = root / "docs" / "course" / "01-measure.md"
        self.script = root / "gallery" / "01_measure.py"
        self.html = root / "docs" / "_build" / "html"

    def write(self) -> "Site":
        for name in KEPT:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / name, self.root / name)
        for path, text in (
            (self.root / "docs" / "index.md", INDEX),
            (self.page, PAGE),
            (self.script, SCRIPT),
            (self.script.with_name("GALLERY_HEADER.rst"), GALLERY),
        ):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        return self

    def copy(self, root: Path) -> "Site":
        shutil.copytree(self.root, root)
        return Site(root)

    def build(self, *more: str, **variables: str) -> subprocess.CompletedProcess:
        """Build as `make html` does."""
        makefile = (ROOT / "Makefile").read_text("utf-8")
        options = re.search(r"^SPHINX := \S+ (.*)$", makefile, flags=re.MULTILINE)[1]
        options = options.replace("$(BUILD)", "docs/_build").split()
        # All that its page and script import: no optimizer takes a step.
        options += ["-D", "preloaded_modules=torch,matplotlib.pyplot,linreg_tutorial"]
        ours = {"PYTHONPATH": str(self.root), "RUNS": str(self.root / "runs")}
        return subprocess.run(
            [sys.executable, "-m", "sphinx", *options, *more, "docs", "docs/_build/html"],
            cwd=self.root,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | ours | variables,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
        )

    def has_run(self) -> list[str]:
        """Return what has run since the last time that one asked."""
        runs = self.root / "runs"
        names = sorted(runs.read_text().split()) if runs.exists() else []
        runs.write_text("")
        return names

    def says(self) -> str:
        """Return the HTML of the page and of the script's page."""
        course, gallery = self.html / "course", self.html / "gallery"
        pages = [*course.glob("*measure.html"), *gallery.glob("*measure.html")]
        return "\n".join(page.read_text("utf-8") for page in pages)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def rebuild(site: Site, **variables: str) -> None:
    run = site.build(**variables)
    assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Site:
    """Return a small site that was built from nothing, in a folder named ``site``."""
    folder = tmp_path_factory.mktemp("small")
    site = Site(folder / "site").write()
    rebuild(site)
    assert site.has_run() == ["page", "script"], "the first build runs everything, once"
    return site.copy(folder / "kept")


@pytest.fixture
def site(built) -> Site:
    """Return the small site as it was built, where it was built; it may be changed."""
    place = built.root.parent / "site"
    shutil.rmtree(place)
    return built.copy(place)


# Fresh


def test_build_without_a_change_runs_nothing(site):
    assert "page says -8.0" in site.says()
    assert "script says -8.0" in site.says()
    rebuild(site)
    assert site.has_run() == []
    assert "page says -8.0" in site.says()
    assert "script says -8.0" in site.says()


def test_build_leaves_its_sources_as_they_are(site):
    rebuild(site)
    assert site.page.read_text("utf-8") == PAGE
    assert site.script.read_text("utf-8") == SCRIPT
    for name in ("docs/_ext", "docs/_templates", "docs/inventories"):
        for path in filter(Path.is_file, (ROOT / name).rglob("*.[!p]*")):
            assert (site.root / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_edited_words_are_shown_and_run_nothing(site):
    replace(site.page, "A prediction of", "What comes out is")
    replace(site.root / "README.md", "# PyTorch's gradients", "# Other words")
    rebuild(site)
    assert site.has_run() == []
    assert "What comes out is" in site.says()
    assert "A prediction of" not in site.says()
    (wheel,) = (site.html / "downloads").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        assert "# Other words" in archive.read(metadata).decode()


def test_changed_package_gives_new_results_everywhere(site):
    gradients = site.root / "linreg_tutorial" / "gradients.py"
    gradients.write_text(gradients.read_text("utf-8") + TWICE, "utf-8")
    rebuild(site)
    assert site.has_run() == ["page", "script"]
    assert "page says -16.0" in site.says()
    assert "script says -16.0" in site.says()
    assert "says -8.0" not in site.says()


def test_edited_code_runs_again_and_only_there(site):
    replace(site.page, "page says", "page now says")
    rebuild(site)
    assert site.has_run() == ["page"]
    replace(site.script, "script says", "script now says")
    rebuild(site)
    assert site.has_run() == ["script"]
    assert "page now says -8.0" in site.says()
    assert "script now says -8.0" in site.says()


def test_renamed_lessons_leave_nothing_of_the_old_names(site):
    site.script.rename(site.script.with_name("02_new_measure.py"))
    site.page.rename(site.page.with_name("02-new-measure.md"))
    replace(site.root / "docs" / "index.md", "course/01-measure", "course/02-new-measure")
    rebuild(site)
    assert (site.html / "gallery" / "02_new_measure.html").exists()
    assert (site.html / "course" / "02-new-measure.html").exists()
    pages = [*site.html.rglob("*.html"), *(site.html / "downloads").rglob("*")]
    assert not [path for path in pages if re.search("01[-_]measure", path.name)]
    with zipfile.ZipFile(site.html / "downloads" / "linreg-tutorial-lessons.zip") as archive:
        assert not [name for name in archive.namelist() if re.search("01[-_]measure", name)]


def test_notebooks_learn_the_public_address_when_there_is_one(site):
    rebuild(site, GITHUB_REPOSITORY="someone/something")
    assert site.has_run() == []
    for name in ("course/01-measure", "gallery/01_measure"):
        notebook = (site.html / "downloads" / f"{name}.ipynb").read_text("utf-8")
        assert "https://github.com/someone/something/" in notebook


@pytest.fixture
def freshness(extension):
    return extension("freshness")


@pytest.mark.parametrize("changed", ["torch", "matplotlib", "numpy", "ipykernel"])
def test_another_version_of_a_package_makes_all_results_old(changed, freshness, monkeypatch):
    before = freshness.digest(ROOT)
    real = freshness.version
    monkeypatch.setattr(freshness, "version", real)
    assert freshness.digest(ROOT) == before
    monkeypatch.setattr(
        freshness, "version", lambda name: "0.0.1" if name == changed else real(name)
    )
    assert freshness.digest(ROOT) != before


def test_another_python_makes_all_results_old(freshness, monkeypatch):
    before = freshness.digest(ROOT)
    monkeypatch.setattr(freshness.platform, "python_version", lambda: "3.99.0")
    assert freshness.digest(ROOT) != before


@pytest.mark.parametrize(
    "name",
    ["linreg_tutorial/plots.py", "linreg_tutorial/palette.json", "docs/_ext/figures.py",
     "docs/_ext/kernel_config.py", "docs/matplotlibrc", "docs/beyond/speed.json"],
)  # fmt: skip
def test_everything_that_results_depend_on_is_looked_at(name, freshness, tmp_path):
    site = Site(tmp_path / "site").write()
    before = freshness.digest(site.root)
    path = site.root / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert freshness.digest(site.root) != before


# The index of messages

TROUBLE = (
    HEADER
    + """\
# When it goes wrong here

(no-paper)=
## There is no paper

```{code-cell}
:tags: [wrong, raises-exception]
:fails: "OSError: no"
:also: "OSError: no pencil"

raise OSError("no paper")
```
"""
)


def test_index_of_messages_and_search_follow_the_pages(built, tmp_path):
    site = built.copy(tmp_path / "site")
    room = site.root / "docs" / "troubleshooting"
    room.mkdir()
    pages = {"index": "# Index\n\n:::{messages}\n:::\n\n```{toctree}\n:glob:\n\n*\n```\n"}
    pages |= {"here": TROUBLE, "there": TROUBLE.replace("(no-paper)", "(no-paper-there)")}
    for name, text in pages.items():
        (room / f"{name}.md").write_text(text, "utf-8")
    replace(
        site.root / "docs" / "index.md", "gallery/index", "gallery/index\ntroubleshooting/index"
    )

    def listed() -> tuple[str, str]:
        index = (site.html / "troubleshooting" / "index.html").read_text("utf-8")
        index = html.unescape(re.sub(r"<[^>]+>", "", index[index.index("<article") :]))
        return index, (site.html / "_static" / "messages.js").read_text("utf-8")

    rebuild(site)
    for text in listed():
        assert text.count("OSError: no paper") >= 1 and text.count("There is no paper") >= 2
        assert "OSError: no pencil" in text
    replace(room / "here.md", '"no paper"', '"no ink"')
    replace(room / "here.md", "There is no paper", "There is no ink")
    rebuild(site)
    for text in listed():
        assert "OSError: no ink" in text and "There is no ink" in text
        assert "OSError: no paper" in text and "There is no paper" in text
    (room / "there.md").unlink()
    rebuild(site)
    for text in listed():
        assert "OSError: no ink" in text and "no paper" not in text


# Broken


class Break(NamedTuple):
    """What is broken, and what the failing build must say."""

    where: str
    old: str
    new: str
    said: str
    options: tuple[str, ...] = ()


def cell(code: str, *options: str) -> str:
    """Return a code cell, and below it what the small page says next."""
    head = "".join(f"{option}\n" for option in options)
    return f"```{{code-cell}}\n{head}\n{code}\n```\n\nA prediction of"


RAISES = ":tags: [wrong, raises-exception]"
WRONG_AT = PAGE[: PAGE.index("A prediction of")].count("\n") + 1
BREAKS = {
    "wrong number": Break(
        "page", "{run}`1 <x[0]>`", "{run}`1.5 <x[0]>`",
        f"course/01-measure.md:{WRONG_AT}: “1.5” says 1.5",
    ),
    "number without an expression": Break(
        "page", "{run}`1 <x[0]>`", "{run}`1`", f"course/01-measure.md:{WRONG_AT}: write"
    ),
    "number on a page without code": Break(
        "page", PAGE, "# 1. Measure\n\nThe error is {run}`3 <e>`.\n", "course/01-measure"
    ),
    "raising cell": Break(
        "page", 'print("page', 'raise OSError("no paper")\nprint("page', "OSError: no paper"
    ),
    "page without its header": Break("page", HEADER, "", "not executed to its end: course/01-meas"),
    "failure that fails no more": Break(
        "page", "A prediction of", cell("print(1)", RAISES, ":fails: 'OSError: no paper'"),
        "course/01-measure#measure: the cell must fail with “OSError: no paper”, but nothing was",
    ),
    "failure that changes its kind": Break(
        "page", "A prediction of",
        cell("raise ValueError('no paper')", RAISES, ":fails: 'OSError: no paper'"),
        "must fail with “OSError: no paper”, but “ValueError: no paper” was raised",
    ),
    "failure that changes its message": Break(
        "page", "A prediction of",
        cell("raise OSError('no ink')", RAISES, ":fails: 'OSError: no paper'"),
        "must fail with “OSError: no paper”, but “OSError: no ink” was raised",
    ),
    "failure that nobody announced": Break(
        "page", "A prediction of", cell("raise OSError('no paper')", RAISES),
        "fails with “OSError: no paper”: say so with :fails:",
    ),
    "failure above all headings": Break(
        "page", "# 1. Measure",
        cell("raise OSError('no paper')", RAISES).replace("A prediction of", "# 1. Measure"),
        "course/01-measure#: the cell fails with “OSError: no paper”: say so with :fails:",
    ),
    "warning that comes no more": Break(
        "page", "A prediction of", cell("print(1)", ":warns: 'UserWarning: odd'"),
        "must warn of “UserWarning: odd”, but warned of nothing",
    ),
    "warning that nobody announced": Break(
        "page", "A prediction of", cell("import warnings\nwarnings.warn('odd')"),
        "warns of “UserWarning: odd”: say so with :warns:",
    ),
    "cure that cures no more": Break(
        "page", "A prediction of",
        cell("grad = -16", ":tags: [fix]") .replace("A pred", "Now {run}`−8 <grad>`.\n\nA pred"),
        "“−8” says -8, the run gives -16.0",
    ),
    "broken formula": Break("page", "A prediction of", r"With $\frac{1$ of", r"formula '\\frac{1'"),
    "unresolved reference": Break(
        "page", "A prediction of", "{py:func}`linreg_tutorial.nowhere`", "linreg_tutorial.nowhere"
    ),
    "missing page": Break("page", "A prediction of", "[see](02-no-page.md)", "02-no-page.md"),
    "raising script": Break(
        "script", 'print("script', 'raise OSError("no ink")\nprint("script', "OSError: no ink"
    ),
    "script that is not executed": Break(
        "script", "Look", "See", "not executed: 01_measure.py",
        ("-D", "sphinx_gallery_conf.filename_pattern=plot_"),
    ),
    "figure without a name": Break(
        "script", 'num="Two points and a line", ', "", "01_measure.py: name the figure"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def broken(built, tmp_path_factory, request) -> Iterator[dict[str, Future]]:
    """Build a copy of the site for each break; two are built side by side."""

    def build(case: Break) -> subprocess.CompletedProcess:
        site = built.copy(tmp_path_factory.mktemp("broken") / "site")
        replace(getattr(site, case.where), case.old, case.new)
        return site.build(*case.options)

    pool = ThreadPoolExecutor(2)
    wanted = chosen(request, "broken", "what")
    yield {what: pool.submit(build, BREAKS[what]) for what in wanted}
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("what", BREAKS)
def test_build_fails_and_names_the(what, broken):
    run = broken[what].result()
    assert run.returncode != 0
    said = re.sub(r"\x1b\[[\d;]*m", "", run.stdout + run.stderr)
    assert BREAKS[what].said in said


# The same


def test_two_builds_from_nothing_print_the_same(built, tmp_path):
    second = Site(tmp_path / "another folder").write()
    rebuild(second)
    files = [path for path in second.html.rglob("*") if path.is_file()]
    names = {path.relative_to(second.html).as_posix() for path in files}
    # Sphinx's note to itself: a digest of the settings, and so of the folder's path.
    names -= {".buildinfo"}
    assert {"course/01-measure.html", "gallery/01_measure.html"} <= names
    differ = [n for n in names if (built.html / n).read_bytes() != (second.html / n).read_bytes()]
    assert differ == []


def test_output_that_comes_in_pieces_is_shown_as_one(built):
    page = (built.html / "course" / "01-measure.html").read_text("utf-8")
    assert page.count('<div class="output stream') == 2, "one for each of the two cells"
    assert "one piece\nanother piece\nhalf of a line\n" in page


def test_no_page_shows_an_address_or_a_folder_of_the_machine_that_built_it(built_site):
    pages = [*built_site.rglob("*.html"), *(built_site / "downloads").rglob("*.ipynb")]
    assert len(pages) > 60
    local = re.compile(rf"\b0x[0-9a-f]{{8,}}|{re.escape(str(ROOT))}\b|/site-packages/")
    assert [
        (p.name, found[0]) for p in pages if (found := local.search(p.read_text("utf-8")))
    ] == []
