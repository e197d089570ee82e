r"""Numbers in prose that are tied to the run.

Write what the reader shall read, and behind it the expression that gives it::

    The error falls to {run}`0.65 <e>`.

    $$
    a \leftarrow 1 - 0.1 \cdot (-8) = 1.8
    $$
    % run: 1, lr, g, a

The build evaluates the expressions in the page's own kernel, after the code
cells above the sentence; in a text before the first code cell, at the end of
the page. If a number differs from what the run gives, the build fails and
names the line. Translators see the sentence as it reads.

The checks are hidden code cells that are added when the page is read. They are
part of what the notebooks' cache looks at, so a changed number is checked and a
changed word runs nothing. They lengthen the text: a line number in a warning
of the parser counts them in, one in a message of a check does not.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxRole

_ROLE = re.compile(r"\{run\}`(?P<text>[^`]*?) <(?P<values>[^`]*)>`")
_FORMULA_CHECK = re.compile(r"^% run: (?P<values>.*)$")
_CELL = "```{code-cell}"
_FENCE = re.compile(r"^(`{3,}|~{3,})")


class Run(SphinxRole):
    """``{run}`text <expression>` ``: the text, as prose or between dollars as a formula."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the text without its expressions."""
        text = self.text.rpartition(" <")[0]
        if text.startswith("$"):
            return [nodes.math(text, text.strip("$"))], []
        return [nodes.inline(self.rawtext, text, classes=["from-the-run"])], []


def add_checks(page: str, text: str) -> str:
    """Return the text of a page with a hidden cell for each group of numbers.

    Parameters
    ----------
    page
        The file's name, for messages.
    text
        Its MyST Markdown.

    Raises
    ------
    ExtensionError
        If a number's expression is missing or not on the same line, or the number
        stands where it would not be checked.
    """
    lines = text.splitlines()
    result: list[str] = []
    pending: list[str] = []
    before_all_code: list[str] | None = None
    fence = None
    for number, line in enumerate(lines, start=1):
        if fence is not None:
            if "{run}`" in line:
                raise ExtensionError(
                    f"{page}:{number}: a number inside ``` is not checked: use ::: around prose"
                )
            closing = _FENCE.fullmatch(line.rstrip())
            fence = None if closing and closing[0].startswith(fence) else fence
        elif mark := _FENCE.match(line):
            fence = mark[0]
            if line.startswith(_CELL):
                if before_all_code is None:
                    before_all_code = pending
                else:
                    result += _cell(pending)
                pending = []
        else:
            pending += _checks(f"{page}:{number}", line, lines[: number - 1])
        result.append(line)
    return "\n".join([*result, *_cell([*pending, *(before_all_code or [])])]) + "\n"


def _checks(place: str, line: str, above: list[str]) -> list[str]:
    found = [(m["text"], m["values"]) for m in _ROLE.finditer(line)]
    if len(found) != line.count("{run}`"):
        raise ExtensionError(f"{place}: write {{run}}`number <expression>` on one line")
    if for_formula := _FORMULA_CHECK.match(line):
        found.append((_formula_that_ends(above), for_formula["values"]))
    return [f"_check({place!r}, {text!r}, {values})" for text, values in found]


def _formula_that_ends(above: list[str]) -> str:
    """Return the formula whose closing dollars are the last line of ``above``."""
    body = []
    for line in reversed(above[:-1]):
        if line.startswith("$$"):
            break
        body.insert(0, line)
    return " ".join(body)


def _cell(checks: list[str]) -> list[str]:
    if not checks:
        return []
    head = [_CELL, ":tags: [remove-cell]", "", "from number_check import check as _check"]
    return [*head, *checks, "```", ""]


def _check_pages(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Raise for a page that cannot be checked, here: pages read side by side may lose an error."""
    for path in map(env.doc2path, docnames):
        if path.suffix == ".md":
            page = path.relative_to(app.srcdir).as_posix()
            text = path.read_text("utf-8")
            if _CELL in add_checks(page, text) and _CELL not in text:
                raise ExtensionError(f"{page}: numbers to be checked, but no code cell above them")


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    if _CELL in source[0]:
        source[0] = add_checks(f"{docname}.md", source[0])


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_role("run", Run())
    app.connect("env-before-read-docs", _check_pages)
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
