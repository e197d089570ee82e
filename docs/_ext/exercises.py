"""Exercises: a question, a field for a number that is predicted, a hint, a solution.

What stands in a page's text is described in `exercise_source`. Here its blocks
become one box for each exercise, with hint and solution folded. Above the first
stand the reader's progress, which a script in the browser keeps
(``_static/practice.js``), and the notebooks of the exercises. The words are all
here, so that they can be translated.

``{progress}`course/05-gradient` `` is the progress on a page, for the overview of
all exercises, and ``{practice-bar}`` the progress on all of them.
"""

import json
from html import escape
from pathlib import Path

from answers import answer, data_in, is_cell
from docutils import nodes
from docutils.parsers.rst import directives
from exercise_source import ExerciseError, for_the_site, read_section
from exercise_values import MARK
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.locale import get_translation
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective, SphinxRole

_ = get_translation("site")


class exercise(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """One exercise; its children are the title and all that belongs to it."""


class exercise_title(nodes.TextElement):  # noqa: N801
    """The title; its number stands before it."""


class prediction(nodes.General, nodes.Element):  # noqa: N801
    """The field for a number; its children are the mistakes."""


class mistake(nodes.General, nodes.Element):  # noqa: N801
    """What is said to a number that comes about by a mistake."""


class practice_bar(nodes.General, nodes.Element):  # noqa: N801
    """The progress on a page, or on all of them, and what clears it."""


class practice_files(nodes.General, nodes.Element):  # noqa: N801
    """The notebooks of a page's exercises."""


class progress(nodes.General, nodes.Inline, nodes.Element):  # noqa: N801
    """How many exercises of a page are done."""


# In the text


class Exercise(SphinxDirective):
    """The directive: its argument is the title, its content the question."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"name": directives.unchanged_required}  # noqa: RUF012 - docutils wants a dict

    def run(self) -> list[nodes.Node]:
        """Return the exercise, yet without what follows it."""
        text, _messages = self.parse_inline(self.arguments[0])
        title = exercise_title(self.arguments[0], "", *text)
        self.set_source_info(title)
        name = self.options["name"]
        return [exercise("", title, *self.parse_content_to_nodes(), name=name)]


class Predict(SphinxDirective):
    """The directive: its argument is the right number's expression, its content the mistakes."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"decimals": directives.nonnegative_int}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Return the field, yet without its numbers."""
        field = prediction("", decimals=self.options.get("decimals", 0))
        self.set_source_info(field)
        for part in self.parse_content_to_nodes():
            for item in part.findall(nodes.definition_list_item):
                field += self._mistake(*item.children)
        return [field]

    def _mistake(self, term: nodes.term, text: nodes.definition) -> mistake:
        """Return what is said to a mistake: its name without the expression, and the text."""
        *name, _expression = term.children
        # The blank before the expression.
        name[-1] = nodes.Text(name[-1].rstrip())
        wording = f"**{''.join(child.astext() for child in name)}**"
        named = nodes.paragraph(wording, "", nodes.strong("", "", *name))
        self.set_source_info(named)
        return mistake("", named, *text.children)


class PracticeBar(SphinxDirective):
    """The directive: the progress on all pages."""

    def run(self) -> list[nodes.Node]:
        """Return the bar."""
        pages = sorted(Path(self.env.srcdir, "course").glob("*.md"))
        for page in pages:
            self.env.note_dependency(page)
        return [practice_bar("", page="", all=sum(_how_many(page) for page in pages))]


class Progress(SphinxRole):
    """The role: its text is the name of a page."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the progress on that page."""
        if self.text not in self.env.found_docs:
            raise ExtensionError(f"{self.env.docname}: there is no page {self.text} with exercises")
        page = Path(self.env.doc2path(self.text))
        self.env.note_dependency(page)
        return [progress("", page=self.text, all=_how_many(page))], []


def _how_many(page: Path) -> int:
    section = read_section(page.read_text("utf-8"), page.name)
    return len(section.exercises) if section else 0


class Gather(SphinxTransform):
    """Move what belongs to an exercise into it."""

    # After the cells' outputs are there, and after the words were translated.
    default_priority = 900

    def apply(self, **kwargs) -> None:
        """Look at each exercise of the page, and put the progress above the first."""
        found = list(self.document.findall(exercise))
        for number, box in enumerate(found, start=1):
            box["number"] = number
            box["page"] = self.env.docname
            self._gather(box)
        if found:
            section = found[0].parent
            page = self.env.docname
            section.insert(1, practice_bar("", page=page, all=len(found)))
            section.insert(2, practice_files("", page=page))

    def _gather(self, box: exercise) -> None:
        hint, solution, field, values = None, None, None, None
        given, cells = [], []
        while (following := _following(box)) is not None:
            if isinstance(following, answer):
                if following["kind"] == "hint":
                    hint = following
                else:
                    solution = following
            elif isinstance(following, prediction):
                field = following
            elif (text := data_in(following, MARK)) is not None:
                values = json.loads(text)
            elif {"tag_given", "stub"} & set(following["classes"]):
                given.append(following)
            else:
                cells.append(following)
            box.parent.remove(following)
        for cell in reversed(cells):
            solution.insert(0, cell)
        if field is not None:
            _fill(field, values, box["name"])
        box["predicted"] = field is not None
        box.extend(part for part in (*given, field, hint, solution) if part is not None)


def _following(box: exercise) -> nodes.Node | None:
    """Return the block below an exercise, if it belongs to it."""
    place = box.parent.index(box) + 1
    block = box.parent[place] if place < len(box.parent) else None
    belongs = isinstance(block, answer | prediction | nodes.literal_block) or is_cell(block)
    return block if belongs else None


def _fill(field: prediction, values: list[float] | None, name: str) -> None:
    """Give a field its numbers, and each mistake the one that it leads to."""
    if values is None:
        raise ExtensionError(
            f"{field.source}:{field.line}: the numbers of {name} did not come out of the run"
        )
    field["name"] = name
    field["answer"] = values[0]
    field["tolerance"] = tolerance(values[0], field["decimals"])
    for wrong, value in zip(field, values[1:], strict=True):
        wrong["value"] = value
    for place, value in enumerate(values):
        if any(abs(value - other) <= 2 * field["tolerance"] for other in values[:place]):
            raise ExtensionError(
                f"{field.source}:{field.line}: two of the numbers of {name} are too close: {values}"
            )


def tolerance(value: float, decimals: int) -> float:
    """Return how far from a value a typed number may be.

    Half of the last decimal that is asked for, and as much as rounding to 32 bits
    may cost.

    >>> tolerance(2.0393, 2), tolerance(-8.0, 0)
    (0.0050020393, 8e-06)
    """
    return (0.5 * 10**-decimals if decimals else 0) + 1e-6 * max(1.0, abs(value))


# On the page


def _open_exercise(self, node: exercise) -> None:
    name = node["name"]
    self.body.append(
        f'<div class="exercise" id="exercise-{name}" data-exercise="{node["page"]}#{name}">\n'
    )


def _close_exercise(self, node: exercise) -> None:
    if not node["predicted"]:
        done = _("I have done it")
        self.body.append(
            '<p class="practice-done" hidden>'
            f'<label><input type="checkbox" autocomplete="off"> {done}</label></p>\n'
        )
    self.body.append("</div>\n")


def _open_title(self, node: exercise_title) -> None:
    number = _("Exercise %s") % node.parent["number"]
    self.body.append(
        f'<p class="exercise-title" id="{node.parent["name"]}-title">'
        f'<span class="exercise-number">{number}</span> '
    )


def _close_title(self, node: exercise_title) -> None:
    self.body.append("</p>\n")


def _open_prediction(self, node: prediction) -> None:
    name = node["name"]
    right = _("Right. See how the solution does it.")
    self.body.append(
        f'<form class="predict" data-answer="{node["answer"]!r}" '
        f'data-tolerance="{node["tolerance"]!r}" hidden>\n'
        f'<label id="{name}-label" for="{name}-number">{_("Your number")}</label> '
        f'<input id="{name}-number" type="text" autocomplete="off" spellcheck="false" '
        f'aria-labelledby="{name}-label {name}-title" aria-describedby="{name}-verdict">\n'
        f'<button type="submit">{_("Check")}</button>\n'
        f'<div class="verdicts" id="{name}-verdict" role="status">\n{_verdict("right", right)}'
    )


def _close_prediction(self, node: prediction) -> None:
    said = {
        "rounded": _("Right so far. Give more decimals."),
        "other": _("Not yet. Go through it again, or open the hint."),
        "unreadable": _(
            "This page cannot read that. Type the number alone, such as −1.25 or 3/4, without a "
            "word or a unit."
        ),
    }
    verdicts = "".join(_verdict(kind, text) for kind, text in said.items())
    self.body.append(f"{verdicts}</div>\n</form>\n")


def _verdict(kind: str, text: str) -> str:
    return f'<div class="verdict {kind}" data-verdict="{kind}" hidden><p>{text}</p></div>\n'


def _open_mistake(self, node: mistake) -> None:
    self.body.append(
        f'<div class="verdict mistake" data-verdict="mistake" data-value="{node["value"]!r}" '
        "hidden>\n"
    )


def _close_mistake(self, node: mistake) -> None:
    self.body.append("</div>\n")


def _show_bar(self, node: practice_bar) -> None:
    says = escape(_("{done} of {all} done"))
    forget = _("Clear my answers on this page") if node["page"] else _("Clear all my answers")
    undo = _("Bring them back")
    self.body.append(
        f'<div class="practice-bar" data-page="{node["page"]}" data-all="{node["all"]}" hidden>\n'
        f'<p class="practice-progress" role="status" data-says="{says}"></p>\n'
        f'<button type="button" class="practice-forget">{forget}</button>\n'
        f'<button type="button" class="practice-undo" hidden>{undo}</button>\n</div>\n'
    )
    raise nodes.SkipNode


def _show_files(self, node: practice_files) -> None:
    up, wheel = "../" * node["page"].count("/"), self.builder.app.wheel.name
    files = {
        f"{node['page']}-exercises.ipynb": _("These exercises as a notebook"),
        f"{node['page']}-solutions.ipynb": _("The same with the solutions"),
        wheel: _("The course's package, for both (%s)") % wheel,
    }
    items = "".join(
        f'<li><a href="{up}downloads/{name}" download>{title}</a></li>'
        for name, title in files.items()
    )
    intro = _(
        "Type your numbers here. Write the programs in the notebook, where a cell checks them: put "
        "it into one folder with the course's package. Below this page stands how to open it."
    )
    self.body.append(f'<p>{intro}</p>\n<ul class="practice-files">{items}</ul>\n')
    raise nodes.SkipNode


def _show_progress(self, node: progress) -> None:
    says = escape(_("{done} of {all}"))
    self.body.append(
        f'<span class="progress" data-progress-of="{node["page"]}" data-all="{node["all"]}" '
        f'data-says="{says}">{node["all"]}</span>'
    )
    raise nodes.SkipNode


# In the build


def _check_pages(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Raise for exercises that are not whole, here: pages read side by side may lose an error."""
    for path in map(env.doc2path, docnames):
        if path.suffix == ".md":
            page = path.relative_to(app.srcdir).as_posix()
            try:
                read_section(path.read_text("utf-8"), page)
            except ExerciseError as error:
                raise ExtensionError(str(error)) from None


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    prompts = {
        "code_prompt_show": str(_("Show what the exercises start from")),
        "code_prompt_hide": str(_("Hide what the exercises start from")),
    }
    source[0] = for_the_site(source[0], prompts)


def _load_script(app: Sphinx, pagename: str, templatename: str, context, doctree) -> None:
    if 'class="practice-bar"' in context.get("body", ""):
        app.add_css_file("practice.css")
        app.add_js_file("practice.js", loading_method="defer")


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    nothing = (lambda *_: None, lambda *_: None)
    for node, shown in (
        (exercise, (_open_exercise, _close_exercise)),
        (exercise_title, (_open_title, _close_title)),
        (prediction, (_open_prediction, _close_prediction)),
        (mistake, (_open_mistake, _close_mistake)),
        (practice_bar, (_show_bar, None)),
        (practice_files, (_show_files, None)),
        (progress, (_show_progress, None)),
    ):
        app.add_node(node, html=shown, gettext=nothing)
    app.add_directive("exercise", Exercise)
    app.add_directive("predict", Predict)
    app.add_directive("practice-bar", PracticeBar)
    app.add_role("progress", Progress())
    app.add_transform(Gather)
    app.connect("env-before-read-docs", _check_pages)
    # After the numbers' checks: a line that they name is one of the file.
    app.connect("source-read", _read, priority=600)
    app.connect("html-page-context", _load_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
