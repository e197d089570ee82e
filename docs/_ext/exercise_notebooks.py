"""The exercises of a page as two notebooks: one to work in, one with the solutions.

Both have the same cells. In the first, dots stand where the reader writes; in the
second, what stands on the page. Below each exercise a cell checks the answer. A
predicted number is compared with the one that the page's own run gave.
"""

import base64
import json
import re
import textwrap

import nbformat
from exercise_source import Exercise, Section, solved, stub_of
from nbformat.v4 import new_code_cell, new_markdown_cell
from notebooks import insert_setup, notebook_with, plain_markdown, setup_code
from sphinx.locale import get_translation

_ = get_translation("site")

KINDS = ("exercises", "solutions")


def exercise_notebook(
    section: Section,
    title: str,
    numbers: dict[str, tuple[float, list[float], float]],
    *,
    kind: str,
    wheel: str,
    published: str | None,
) -> nbformat.NotebookNode:
    """Return a page's exercises as a notebook.

    Parameters
    ----------
    section
        The exercises, as they stand in the page's text.
    title
        The page's title.
    numbers
        By the name of each exercise with a prediction: the right number, the
        mistakes' numbers, and how far from them an answer may be.
    kind
        One of `KINDS`.
    wheel, published
        As for `notebooks.setup_code`.
    """
    heading = {"exercises": _("Exercises"), "solutions": _("Solutions")}[kind]
    intro = {
        "exercises": _(
            "Write your code or your number where the dots are. Then run the cell below it: "
            "it says whether that is right. “This page” means the page of the course that has "
            "the title above."
        ),
        "solutions": _("Each exercise with its solution, and the cell that checks it."),
    }[kind]
    cells = [new_markdown_cell(f"# {title}\n\n## {heading}\n\n{intro}", id="title")]
    checks = "from linreg_tutorial.practice import check_prediction, checking"
    cells.append(new_code_cell("\n\n".join([*section.given, checks]), id="given"))
    for exercise in section.exercises:
        cells += _cells_of(exercise, numbers, is_solved=kind == "solutions")
    insert_setup(cells, setup_code(wheel, True, published))
    return notebook_with(cells)


def _cells_of(exercise: Exercise, numbers: dict, *, is_solved: bool) -> list:
    name = _("Exercise %s") % exercise.number
    place = f"exercise-{exercise.number}"
    question = _markdown(exercise.question)
    hint = f"<details><summary>{_('Hint')}</summary>\n\n{_markdown(exercise.hint)}\n\n</details>"
    cells = [new_markdown_cell(f"## {name}: {exercise.title}\n\n{question}\n\n{hint}", id=place)]
    cells += [new_code_cell(code, id=f"{place}-given-{k}") for k, code in enumerate(exercise.given)]
    answer = f"answer_{exercise.number}"
    if is_solved:
        work = [solved(code) for code in exercise.solution]
        if exercise.prediction:
            work.append(f"{answer} = {exercise.prediction.expression}")
    elif exercise.prediction:
        work = [f"{answer} = ...  # {_('your number')}"]
    else:
        work = [stub_of(code) for code in exercise.solution]
    cells += [new_code_cell(code, id=f"{place}-work-{k}") for k, code in enumerate(work)]
    if exercise.prediction:
        checks = [f'check_prediction({answer}, "{_packed(exercise, *numbers[exercise.name])}")']
    else:
        checks = exercise.checks
    body = textwrap.indent("\n".join(checks), "    ")
    check = f"# @title {_('Check')}\nwith checking({_quoted(name)}):\n{body}"
    cells.append(new_code_cell(check, id=f"{place}-check"))
    # JupyterLab folds a check, and Colab shows its title alone.
    cells[-1].metadata = {"jupyter": {"source_hidden": True}, "cellView": "form"}
    if is_solved:
        cells.append(new_markdown_cell(_markdown(exercise.explanation), id=f"{place}-words"))
    return cells


def _packed(exercise: Exercise, right: float, wrong: list[float], within: float) -> str:
    """Return what `check_prediction` compares with, so that nobody reads it by accident."""
    said = [
        f"{m.name}. {' '.join(_markdown(m.text).split())}" for m in exercise.prediction.mistakes
    ]
    known = list(zip(wrong, said, strict=True))
    data = {"right": right, "within": within, "mistakes": known}
    return base64.b64encode(json.dumps(data).encode()).decode()


def _markdown(text: str) -> str:
    """Return text for Jupyter, without the links to notebooks that need not be there."""
    return re.sub(r"\[([^\]]+)\]\([\w-]+\.ipynb[^)]*\)", r"\1", plain_markdown(text))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
