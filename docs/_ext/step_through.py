"""A backward pass to step through: ``:::{step-through}`` makes a figure of the output above it.

The cell above the directive returns what `step_data.show` gives: pictures and
numbers. Here the words are added, in the site's language, and the controls. The
content of the directive is the caption. Without scripts the first picture stands
there, complete.
"""

import json
import re
from html import escape
from pathlib import Path

from answers import cell_above, data_in
from docutils import nodes
from docutils.parsers.rst import directives
from figures import controls, palette, themed_svg
from script_data import MARK, script_json
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.locale import get_translation
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

_ = get_translation("site")


def _ways() -> dict[str, str]:
    return {"mean": _("Mean of the errors"), "points": _("Each point by itself")}


def _sentences() -> dict[str, str]:
    """Return what a step says, by its kind; what is in brackets comes from the run."""
    return {
        "ready": _(
            "Go forward station by station, then back edge by edge: with the buttons, the slider, "
            "or the arrow keys."
        ),
        "forward": _("Forward: %(result)s gives %(value)s."),
        "turn": _(
            "Now the way back. It starts at %(name)s with %(value)s: when %(name)s grows by 1, "
            "%(name)s grows by 1."
        ),
        "elementwise": _(
            "Back: at %(target)s arrives %(arrived)s. Times the local derivative, %(local)s, it "
            "goes on to %(source)s as %(sent)s."
        ),
        "summed": _(
            "Back: at %(target)s arrives %(arrived)s. Each number is multiplied by its local "
            "derivative, %(local)s. There is only one %(source)s for all of them, so the products "
            "add up to %(sent)s."
        ),
        "spread": _(
            "Back: at %(target)s arrives %(arrived)s. It is spread over %(count)s numbers, times "
            "the local derivative of each, %(local)s. So %(sent)s goes on to %(source)s."
        ),
        "moved": _(
            "Back: at %(target)s arrives %(arrived)s. Nothing is multiplied, only moved: %(sent)s "
            "goes on to %(source)s."
        ),
        "mixed": _(
            "Back: at %(target)s arrives %(arrived)s. Each number that goes on to %(source)s adds "
            "up several of them, each times its local derivative: %(sent)s."
        ),
        "mean": _(
            "The error of the line is the mean of the errors of its points. So its gradient is "
            "the mean of their gradients."
        ),
    }


class step_through(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """The figure; its children are the caption."""


class StepThrough(SphinxDirective):
    """The directive: its options describe the two pictures, its content is the caption."""

    has_content = True
    option_spec = {  # noqa: RUF012 - docutils wants a dict
        "alt-mean": directives.unchanged_required,
        "alt-points": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Return the figure with its caption, yet without its data."""
        self.assert_has_content()
        figure = step_through("", *self.parse_content_to_nodes(), alt=self.options)
        self.set_source_info(figure)
        return [figure]


class TakeData(SphinxTransform):
    """Move the data from the output of the cell above into the figure."""

    default_priority = 900

    def apply(self, **kwargs) -> None:
        """Look at each figure of the page."""
        for figure in list(self.document.findall(step_through)):
            cell = cell_above(figure)
            data = None if cell is None else data_in(cell, MARK)
            if data is None:
                raise ExtensionError(
                    f"{figure.source}:{figure.line}: the cell above a step-through must return "
                    "what step_data.show gives"
                )
            figure["data"] = data
            figure.parent.remove(cell)


def _told(step: dict) -> dict:
    """Return a step as the script in the browser wants it: with words."""
    return {
        "text": _sentences()[step["kind"]] % step["says"],
        **{key: step[key] for key in ("lines", "appear", "now", "back")},
    }


def _open(self, node: step_through) -> None:
    colours = palette(Path(self.builder.srcdir).parent)
    data = json.loads(node["data"])
    pictures, buttons, steps = [], [], []
    for i, (name, way) in enumerate(data.items()):
        prefix = f"way{i}-"
        svg = themed_svg(way["svg"], alt=node["alt"][f"alt-{name}"], prefix=prefix, colours=colours)
        # Both as large as each other: the width that was drawn, a third more.
        width = int(re.search(r'width="(\d+)"', svg)[1]) * 4 // 3
        pictures.append(
            f'<div class="way" data-prefix="{prefix}" style="max-width: {width}px">{svg}</div>'
        )
        buttons.append(
            f'<button type="button" data-way="{i}" aria-pressed="{str(i == 0).lower()}">'
            f"{escape(_ways()[name])}</button>"
        )
        steps.append([_told(step) for step in way["steps"]])
    group = escape(_("What the gradients are taken of"))
    self.body.append(
        '<figure class="step-through">'
        f'<div class="ways" role="group" aria-label="{group}" hidden>{"".join(buttons)}</div>'
        f"{''.join(pictures)}"
        '<div class="told" role="status" aria-live="polite" hidden></div>'
        f"{controls(len(steps[0]) - 1)}"
        f'<script type="application/json">{script_json(steps)}</script><figcaption>'
    )


def _close(self, node: step_through) -> None:
    self.body.append("</figcaption></figure>\n")


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_node(step_through, html=(_open, _close), gettext=(lambda *_: None, lambda *_: None))
    app.add_directive("step-through", StepThrough)
    app.add_transform(TakeData)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
