"""The playground: ``:::{playground}`` puts it into a page, ``{playground}`` links into it.

The directive's elements and words stand in ``_templates/playground.html``, what
happens in ``_static/playground/``: the arithmetic without a page, and the page on
top of it. The scripts are loaded only where a playground is.

The role leads to a situation, written as the playground's own address writes it::

    {playground}`Try this step yourself <lr=0.1&steps=1>`
"""

import json
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective, SphinxRole

_ = get_translation("site")

_HOME = "playground"
# In the order in which they need each other.
_SCRIPTS = (
    "d3",
    "numbers",
    "descent",
    "arithmetic",
    "situation",
    "program",
    "tasks",
    "picture",
    "points",
    "surface",
    "playground",
)


def _tasks() -> list[dict[str, Any]]:
    """Return the tasks: what each asks for, when it is done, and the situation to begin in."""
    asked = [
        (
            _(
                "Take one step. Then move the learning rate until the error after this one step "
                "is under %(error)s."
            ),
            {"kind": "step", "error": 0.1},
            "lr=0.01",
        ),
        (
            _("Find a rate that brings the error under %(error)s in at most %(steps)s steps."),
            {"kind": "under", "error": 0.01, "steps": 20},
            "lr=0.01",
        ),
        (
            _(
                "Make plain SGD diverge: find a rate that lets the error grow to %(times)s times "
                "what it is at step 0."
            ),
            {"kind": "diverge", "times": 1000},
            "lr=0.2",
        ),
        (
            _(
                "Make the valley long and the slow direction slow: move the dots until the ground "
                "bends %(times)s times as strongly across the valley as along it. Then take "
                "%(steps)s steps."
            ),
            {"kind": "slow", "times": 1000, "steps": 10},
            "lr=0.02",
        ),
        (
            _(
                "Remember where the first step leads with the mean and the rate %(lr)s. Then "
                "choose the sum of the squares, find the rate that leads to the same place, and "
                "take that step."
            ),
            {"kind": "sum", "lr": 0.1},
            "lr=0.1",
        ),
        (
            _(
                "Tick “never reset the gradient” and step until the error is under %(error)s. "
                "Then go on until it is above %(again)s once more."
            ),
            {"kind": "swing", "error": 0.1, "again": 1},
            "lr=0.1",
        ),
    ]
    return [
        {"text": text % task, "json": json.dumps(task), "address": address}
        for text, task, address in asked
    ]


class playground(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """The place of a playground in a page."""


class Playground(SphinxDirective):
    """The directive; with ``:small:`` the playground has pictures, rate and buttons only."""

    option_spec = {"small": directives.flag}  # noqa: RUF012 - docutils wants a dict

    def run(self) -> list[nodes.Node]:
        """Return the playground's node."""
        return [playground("", small="small" in self.options)]


class PlaygroundLink(SphinxRole):
    """``{playground}`text <situation>` ``: a link to a situation."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the link; where the page lies is known when pages are written."""
        text, _, situation = self.text.rpartition(" <")
        link = nodes.reference("", text, refuri=f"#{situation.rstrip('>')}", classes=["try-it"])
        link["playground"] = True
        return [link], []


def _open(self, node: playground) -> None:
    home = self.builder.get_relative_uri(self.builder.current_docname, _HOME)
    context = {"small": node["small"], "home": home, "tasks": _tasks()}
    self.body.append(self.builder.templates.render("playground.html", context))
    raise nodes.SkipNode


def _lead_home(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the playground's address before the situation of each link."""
    for link in doctree.findall(nodes.reference):
        if link.get("playground"):
            link["refuri"] = app.builder.get_relative_uri(docname, _HOME) + link["refuri"]


def _load(app: Sphinx, pagename: str, templatename: str, context, doctree) -> None:
    found = [] if doctree is None else list(doctree.findall(playground))
    if found:
        app.add_css_file("playground/playground.css")
        is_small = all(node["small"] for node in found)
        if not is_small:
            app.add_css_file("playground/page.css")
        for name in _SCRIPTS:
            # A small playground has no tasks.
            if name != "tasks" or not is_small:
                app.add_js_file(f"playground/{name}.js", loading_method="defer")


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_node(playground, html=(_open, None), gettext=(lambda *_: None, lambda *_: None))
    app.add_directive("playground", Playground)
    app.add_role("playground", PlaygroundLink())
    app.connect("doctree-resolved", _lead_home)
    app.connect("html-page-context", _load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
