"""Answers that wait: ``:::{answer}`` folds its text, and the output above it, until it is opened.

A question stands above a code cell, the directive below it. What the cell prints
and draws moves into the fold, so that a reader can guess before looking. The hints
and solutions of exercises (`exercises`) are such folds, too.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

_ = get_translation("site")


class answer(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """A fold; its children are what it hides, its kind says what that is."""


def _titles() -> dict[str, str]:
    return {"answer": _("Open the answer"), "hint": _("Hint"), "solution": _("Solution")}


class Answer(SphinxDirective):
    """The directive: its content is the answer in words."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the fold with the parsed content."""
        self.assert_has_content()
        return [answer("", *self.parse_content_to_nodes(), kind=self.name)]


def is_cell(node: nodes.Node) -> bool:
    """Tell whether a node is a code cell, its output included."""
    return isinstance(node, nodes.container) and "cell" in node["classes"]


def cell_above(node: nodes.Element) -> nodes.container | None:
    """Return the code cell right above a node, if there is one."""
    place = node.parent.index(node)
    cell = node.parent[place - 1] if place else None
    return cell if is_cell(cell) else None


def data_in(cell: nodes.container, mark: str) -> str | None:
    """Return the data that a cell's output holds between a script element's tags, if any."""
    texts = (output.astext() for output in cell.findall(nodes.raw))
    text = next((text for text in texts if text.startswith(mark)), None)
    return text and text.removeprefix(mark).removesuffix("</script>")


class TakeOutput(SphinxTransform):
    """Move the output of the code cell right above an answer into the answer."""

    default_priority = 900

    def apply(self, **kwargs) -> None:
        """Look at each answer of the page."""
        for fold in list(self.document.findall(answer)):
            cell = cell_above(fold)
            if cell is None or fold["kind"] != "answer":
                continue
            for output in [child for child in cell if "cell_output" in child["classes"]]:
                cell.remove(output)
                fold.insert(0, output)


def _open(self, node: answer) -> None:
    title, kind = _titles()[node["kind"]], node["kind"]
    self.body.append(f'<details class="{kind}"><summary>{title}</summary>\n')


def _close(self, node: answer) -> None:
    self.body.append("</details>\n")


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_node(answer, html=(_open, _close), gettext=(lambda *_: None, lambda *_: None))
    app.add_directive("answer", Answer)
    app.add_directive("solution", Answer)
    # In place of docutils' admonition of this name.
    app.add_directive("hint", Answer, override=True)
    app.add_transform(TakeOutput)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
