"""The exercises: their text is whole, each solution was run, and the notebooks check answers."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from browsing import soup
from readers import needs_of_the_package, new_reader, reader_variables, wheel_of

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [path.stem for path in sorted((DOCS / "course").glob("*.md")) if path.stem != "index"]
KINDS = ("exercises", "solutions")

every_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture
def source(extension):
    return extension("exercise_source")


def section_of(page: str, source):
    return source.read_section((DOCS / "course" / f"{page}.md").read_text("utf-8"), page)


# What a page has


@every_page
def test_page_has_three_to_five_exercises_from_a_number_to_a_program(page, source):
    exercises = section_of(page, source).exercises
    assert 3 <= len(exercises) <= 5
    assert exercises[0].prediction, "the first asks for a number"
    assert not exercises[-1].prediction, "the last asks for a program"
    assert exercises[-1].checks


@every_page
def test_prediction_knows_what_goes_wrong(page, source):
    for exercise in section_of(page, source).exercises:
        if exercise.prediction:
            assert len(exercise.prediction.mistakes) >= 2, exercise.name


@every_page
def test_program_asked_for_is_a_part_of_a_cell_or_the_whole(page, source):
    for exercise in section_of(page, source).exercises:
        if exercise.checks:
            stubs = "\n".join(map(source.stub_of, exercise.solution))
            assert "# your code" in stubs, exercise.name
            assert stubs != "\n".join(map(source.solved, exercise.solution))


@every_page
def test_built_page_shows_question_and_folds_hint_solution_and_what_it_printed(page, source):
    exercises = section_of(page, source).exercises
    boxes = soup(f"course/{page}.html").select(".exercise")
    assert [box["id"] for box in boxes] == [f"exercise-{e.name}" for e in exercises]
    for exercise, box in zip(exercises, boxes, strict=True):
        hint, solution = box.find_all("details", recursive=False)
        assert (hint["class"], solution["class"]) == (["hint"], ["solution"])
        shown = [cell.get_text() for cell in solution.select(".cell_input pre")]
        assert [code.strip() for code in shown] == [source.solved(c) for c in exercise.solution]
        if any("print(" in code for code in shown):
            assert solution.select(".cell_output pre")
        number = box.select_one(".exercise-title .exercise-number")
        assert number.get_text() == f"Exercise {exercise.number}"
        stubs = [stub.get_text().strip() for stub in box.select(".stub pre")]
        given = map(source.stub_of, exercise.solution)
        assert stubs == [code for code in given if code != source.DOTS]
        assert bool(box.select(".predict")) == bool(exercise.prediction)
        assert bool(box.select(".practice-done")) == (not exercise.prediction)


@every_page
def test_built_page_shows_no_check_and_no_mark(page):
    text = soup(f"course/{page}.html").get_text()
    assert "SOLUTION" not in text
    assert "_show(" not in text
    assert not soup(f"course/{page}.html").select(".tag_check")


@every_page
def test_exercises_stand_before_the_way_on(page):
    article = soup(f"course/{page}.html").select_one("article")
    onward = [p for p in article.select("p") if p.get_text().startswith("Next:")]
    assert len(onward) == (page != PAGES[-1])
    for paragraph in onward:
        assert paragraph.find_previous(class_="exercise"), "the exercises come first"


def test_overview_lists_every_page_with_its_exercises_and_both_notebooks(built_site, source):
    overview = soup("practice/index.html")
    rows = overview.select("table tbody tr")
    links = [row.select_one("a")["href"] for row in rows]
    assert links == [f"../course/{page}.html#exercises" for page in PAGES]
    for page, row in zip(PAGES, rows, strict=True):
        title = soup(f"course/{page}.html").select_one("h1").get_text().rstrip("¶")
        assert row.select_one("a").get_text() == title
        progress = row.select_one("[data-progress-of]")
        assert progress["data-progress-of"] == f"course/{page}"
        assert int(progress["data-all"]) == len(section_of(page, source).exercises)
        files = [a["href"] for a in row.select("a")[1:]]
        assert files == [f"../downloads/course/{page}-{kind}.ipynb" for kind in KINDS]
        assert all((built_site / "practice" / file).is_file() for file in files)
    total = sum(len(section_of(page, source).exercises) for page in PAGES)
    assert int(overview.select_one(".practice-bar")["data-all"]) == total


# What the notebooks do

# Runs notebooks in a reader's environment: each in a process of its own, forked from one that has
# imported the package. Prints what each cell printed, and the first error.
RUN = """
import contextlib, io, json, os, sys
from IPython.core.interactiveshell import InteractiveShell

jobs = json.loads(sys.stdin.read())
shell = InteractiveShell.instance()
setup = shell.run_cell(jobs[0]["cells"][0][1])
assert setup.success
import linreg_tutorial, matplotlib.pyplot

def run(job):
    printed = {}
    for name, code in job["cells"][1:]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            result = shell.run_cell(code)
        printed[name] = out.getvalue()
        if not result.success:
            error = result.error_in_exec or result.error_before_exec
            return {"printed": printed, "error": repr(error)}
    return {"printed": printed, "error": None}

for number, job in enumerate(jobs):
    child = os.fork()
    if not child:
        with open(f"{number}.json", "w") as file:
            json.dump(run(job), file)
        os._exit(0)
    os.waitpid(child, 0)
"""


def notebook(site: Path, page: str, kind: str) -> nbformat.NotebookNode:
    return nbformat.read(site / "downloads" / "course" / f"{page}-{kind}.ipynb", as_version=4)


def code_cells(site: Path, page: str, kind: str) -> list[tuple[str, str]]:
    cells = notebook(site, page, kind).cells
    return [(cell.id, cell.source) for cell in cells if cell.cell_type == "code"]


def known_in(cells: list[tuple[str, str]]) -> dict[str, dict]:
    """Return what answers are compared with, by exercise."""
    return {
        name.removesuffix("-check"): json.loads(base64.b64decode(packed[1]))
        for name, code in cells
        if (packed := re.search(r"check_prediction\(answer_\d, \"(.*)\"\)", code))
    }


def with_answers(cells: list[tuple[str, str]], answers: dict[str, float]) -> list:
    """Return the cells with numbers where the reader's belong."""
    return [
        (name, re.sub(r"= \.\.\. .*", f"= {answers[key]!r}", code))
        if (key := name.removesuffix("-work-0")) in answers and name.endswith("-work-0")
        else (name, code)
        for name, code in cells
    ]


def with_mistakes(cells: list[tuple[str, str]], known: dict[str, dict]) -> list:
    """Return the first cells, then each wrong number with the check that has a word for it."""
    code = dict(cells)
    tried = [cells[0], ("given", code["given"])]
    for name, numbers in known.items():
        for turn, (number, _) in enumerate(numbers["mistakes"]):
            answer = re.sub(r"= \.\.\. .*", f"= {number!r}", code[f"{name}-work-0"])
            tried.append((f"{name}-{turn}", f"{answer}\n{code[f'{name}-check']}"))
    return tried


@pytest.fixture(scope="module")
def ran(built_site, reader_home, tmp_path_factory) -> dict:
    """Run all notebooks with what their first cell installs: empty, solved, and with mistakes."""
    jobs = {}
    for page in PAGES:
        for kind in KINDS:
            jobs[page, kind] = code_cells(built_site, page, kind)
        known = known_in(jobs[page, "exercises"])
        jobs[page, "mistakes"] = with_mistakes(jobs[page, "exercises"], known)
        # As a reader fills it in: numbers that were worked out on paper, and programs.
        right = with_answers(jobs[page, "exercises"], {n: k["right"] for n, k in known.items()})
        solved = dict(jobs[page, "solutions"])
        jobs[page, "filled in"] = [
            (name, code if name.removesuffix("-work-0") in known else solved[name])
            for name, code in right
        ]
    wheel = wheel_of(built_site)
    folder = tmp_path_factory.mktemp("reader")
    (folder / "mine").mkdir()
    (folder / "mine" / wheel.name).write_bytes(wheel.read_bytes())
    python = new_reader(folder / "env", ["ipykernel", *needs_of_the_package(wheel)])
    setups = {cells[0] for cells in jobs.values()}
    assert len(setups) == 1, "one first cell serves all"
    run = subprocess.run(
        [python, "-c", RUN],
        input=json.dumps([{"cells": cells} for cells in jobs.values()]),
        cwd=folder / "mine",
        env=reader_variables(reader_home),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    files = (folder / "mine" / f"{number}.json" for number in range(len(jobs)))
    return {job: json.loads(file.read_text("utf-8")) for job, file in zip(jobs, files, strict=True)}


def checks_of(result: dict) -> dict[str, str]:
    """Return what each check said."""
    return {n: text.strip() for n, text in result["printed"].items() if n.endswith("-check")}


@every_page
def test_notebook_of_exercises_runs_to_its_end_and_finds_nothing_right_yet(page, ran, source):
    result = ran[page, "exercises"]
    assert result["error"] is None
    said = checks_of(result)
    assert len(said) == len(section_of(page, source).exercises)
    assert all(re.match(r"Exercise \d: (no answer|not) yet", text) for text in said.values()), said


@every_page
@pytest.mark.parametrize("kind", ["solutions", "filled in"])
def test_notebook_with_right_answers_runs_and_finds_all_of_them_right(page, kind, ran, source):
    result = ran[page, kind]
    assert result["error"] is None
    numbers = range(1, len(section_of(page, source).exercises) + 1)
    assert list(checks_of(result).values()) == [f"Exercise {n}: right" for n in numbers]


@every_page
def test_notebook_names_each_mistake(page, ran, built_site):
    known = known_in(code_cells(built_site, page, "exercises"))
    assert known
    for name, numbers in known.items():
        for turn, (_, text) in enumerate(numbers["mistakes"]):
            said = ran[page, "mistakes"]["printed"][f"{name}-{turn}"].strip()
            assert said == f"Exercise {name.removeprefix('exercise-')}: not yet. {text}"


@every_page
def test_notebook_of_exercises_gives_no_solution_away(page, built_site, source):
    cells = dict(code_cells(built_site, page, "exercises"))
    for exercise in section_of(page, source).exercises:
        place = f"exercise-{exercise.number}-work-"
        work = "\n".join(code for name, code in cells.items() if name.startswith(place))
        assert "..." in work
        for code in exercise.solution:
            assert source.solved(code) not in work
            assert "SOLUTION" not in work


@every_page
def test_solutions_printed_in_the_notebook_are_those_of_the_page(page, ran):
    shown = [
        output.get_text().strip()
        for output in soup(f"course/{page}.html").select(".solution .cell_output pre")
    ]
    printed = [
        text.strip()
        for name, text in ran[page, "solutions"]["printed"].items()
        if "-work-" in name and text.strip()
    ]
    assert printed == [text for text in shown if text]


@every_page
def test_page_and_notebook_compare_with_the_same_numbers(page, built_site):
    in_notebook = [
        [known["right"], *(number for number, _ in known["mistakes"])]
        for known in known_in(code_cells(built_site, page, "exercises")).values()
    ]
    on_page = [
        [float(form["data-answer"]), *(float(m["data-value"]) for m in form.select(".mistake"))]
        for form in soup(f"course/{page}.html").select("form.predict")
    ]
    assert in_notebook == on_page


@every_page
def test_notebook_says_of_each_mistake_what_the_page_says(page, built_site):
    known = known_in(code_cells(built_site, page, "exercises"))
    texts = [text for exercise in known.values() for _, text in exercise["mistakes"]]
    verdicts = soup(f"course/{page}.html").select("form.predict .mistake")
    for text, verdict in zip(texts, verdicts, strict=True):
        name, *said = [p.get_text() for p in verdict.select("p")]
        assert letters(text) == letters(f"{name}. {' '.join(said)}")


def letters(text: str) -> str:
    """Return a text without signs that are written in another way in Markdown."""
    return "".join(re.findall(r"\w", text))


@every_page
def test_notebook_folds_what_tells_the_answer(page, built_site):
    for kind in KINDS:
        for cell in notebook(built_site, page, kind).cells:
            if cell.id.endswith("-check"):
                assert cell.metadata == {"jupyter": {"source_hidden": True}, "cellView": "form"}
                assert cell.source.startswith("# @title Check\n")
            if re.fullmatch(r"exercise-\d", cell.id):
                assert "\n\n<details><summary>Hint</summary>\n\n" in cell.source


# Exercises that are not whole

WHOLE = """# A page

## Exercises

```{code-cell}
:tags: [given]

x = 3
```

:::{exercise} Twice
:name: twice
What is twice x?
:::

:::{hint}
Add it to itself.
:::

```{code-cell}
:tags: [solution]

### BEGIN SOLUTION
y = 2 * x
### END SOLUTION
print(y)
```

:::{predict} y
Not doubled `x`
: You gave x itself.
:::

:::{solution}
It is {run}`6 <y>`.
:::

**Next:** on.
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (":::{hint}\nAdd it to itself.\n:::\n", "", "lacks a hint"),
        (":tags: [solution]", ":tags: [check]", "below the solution's code"),
        (":::{solution}\nIt is {run}`6 <y>`.\n:::\n", "", "lacks a solution in words"),
        (":name: twice\n", "", "needs a title, a :name:"),
        (":name: twice", ":name: Two times", "needs a title, a :name:"),
        (":tags: [given]", ":tags: [hide-input]", "only a code cell tagged given"),
        ("Not doubled `x`", "Not doubled", "29: a mistake is a name, its `expression`"),
        ("`x`\n: You", "`x`\n\n: You", "29: a mistake is a name, its `expression`"),
        (":::{predict} y\n", ":::{predict} y\n:decimals: two\n", "29: :decimals: says how many"),
        (":::{hint}", ":::{note}", "note [] is no part of an exercise"),
        (":::{hint}", "A thought.\n\n:::{hint}", "16: text between the blocks of an exercise"),
        (":::{hint}", "% A thought.\n\n:::{hint}", "16: text between the blocks of an exercise"),
    ],
)
def test_exercise_that_is_not_whole_stops_the_build_with_what_is_missing(old, new, said, source):
    assert source.read_section(WHOLE, "page.md").exercises[0].name == "twice"
    assert old in WHOLE
    with pytest.raises(source.ExerciseError, match="^page.md.*" + re.escape(said)):
        source.read_section(WHOLE.replace(old, new), "page.md")


def test_two_exercises_of_one_name_stop_the_build(source):
    start, end = WHOLE.index(":::{exercise}"), WHOLE.index("**Next")
    with pytest.raises(source.ExerciseError, match="two exercises have the same name"):
        source.read_section(WHOLE[:end] + WHOLE[start:], "page.md")


def test_section_ends_at_the_way_on_or_at_the_next_heading(source):
    for end in ("**Next:** on.\n", "## Thanks\n"):
        text = WHOLE.replace("**Next:** on.\n", f"{end}\n:::{{note}}\nNo exercise.\n:::\n")
        assert len(source.read_section(text).exercises) == 1
        assert source.without_exercises(text).startswith(f"# A page\n\n{end}")


CONF = """
import sys
sys.path.insert(0, {extensions!r})
extensions = ["kernels", "checked_numbers", "answers", "exercises", "myst_nb"]
myst_enable_extensions = ["colon_fence", "deflist"]
nb_execution_mode = "force"
nb_execution_show_tb = True
html_theme = "furo"
exclude_patterns = ["_build"]

def setup(app):
    from pathlib import Path
    app.wheel = Path("lt.whl")
"""
HEADER = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n"


def build(folder: Path, page: str) -> tuple[subprocess.CompletedProcess, str]:
    """Build a site of one page; return how it went, and the page."""
    extensions = str(DOCS / "_ext")
    (folder / "_ext").symlink_to(extensions)
    (folder / "conf.py").write_text(CONF.format(extensions=extensions), "utf-8")
    (folder / "index.md").write_text(HEADER + page, "utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", ".", "_build"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": extensions, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    built = folder / "_build" / "index.html"
    return run, built.read_text("utf-8") if built.is_file() else ""


def test_number_on_the_page_is_that_of_the_run(tmp_path):
    for x in (3, 4):
        folder = tmp_path / str(x)
        folder.mkdir()
        page = WHOLE.replace("x = 3", f"x = {x}").replace("{run}`6 <y>`", "written above")
        run, built = build(folder, page)
        assert run.returncode == 0, run.stderr
        assert f'data-answer="{2.0 * x}"' in built
        assert f'data-value="{1.0 * x}"' in built


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Not doubled `x`", "Not doubled `2 * x`", "two of the numbers of twice are too close"),
        ("Not doubled `x`", "Not doubled `float('nan')`", "of a prediction should be finite"),
        (":::{predict} y\nNot doubled `x`\n: You gave x itself.\n:::",
         "```{code-cell}\n:tags: [check]\n\nassert y == 7, 'y should be 7'\n```", "y should be 7"),
        ("It is {run}`6 <y>`", "It is {run}`7 <y>`", "“7” says 7, the run gives 6"),
        (":::{hint}\nAdd it to itself.\n:::\n", "", "the exercise twice lacks a hint"),
    ],
)  # fmt: skip
def test_wrong_exercise_stops_the_build_and_is_named(old, new, said, tmp_path):
    assert old in WHOLE
    run, _ = build(tmp_path, WHOLE.replace(old, new))
    assert run.returncode != 0
    assert said in run.stderr
