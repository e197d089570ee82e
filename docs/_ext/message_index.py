"""The index of all messages: each with the sections that explain it.

``:::{messages}`` puts it into a page, below a field to paste a message into. The
site's search recognises messages too, by the list that is written here for
``_static/site_search.js``.

The messages are those that ``failures`` saw below ``troubleshooting/``.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from failures import Failure
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective

_ = get_translation("site")

_ROOM = "troubleshooting/"
_INDEX = f"{_ROOM}index"


class Known(NamedTuple):
    """A message, and the pages and sections that explain it."""

    message: str
    entries: list[tuple[str, Failure]]

    @property
    def beginning(self) -> str:
        """The first sentence of the message."""
        return beginning_of(self.message)

    @property
    def was_run(self) -> bool:
        """Whether a program of this site gave the message when the site was built."""
        return any(failure.was_run for _there, failure in self.entries)


class messages(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """The place of the index in a page."""


class Messages(SphinxDirective):
    """The directive ``:::{messages}``."""

    def run(self) -> list[nodes.Node]:
        """Return the place; what stands there is known when all pages are read."""
        return [messages()]


def _fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for place in list(doctree.findall(messages)):
        index = nodes.bullet_list(classes=["messages"])
        for known in _known(app.env):
            message = nodes.literal("", known.beginning)
            line = nodes.paragraph("", "", message)
            if not known.was_run:
                line += [nodes.Text(" "), nodes.emphasis("", _("not run here"))]
            item = nodes.list_item("", line)
            links = nodes.bullet_list()
            for there, failure in known.entries:
                uri = f"{app.builder.get_relative_uri(docname, there)}#{failure.anchor}"
                link = nodes.reference("", failure.title, refuri=uri, internal=True)
                links += nodes.list_item("", nodes.paragraph("", "", link))
            item += links
            index += item
        form = nodes.raw("", _form(app, docname), format="html")
        place.replace_self([form, index])


def _known(env: BuildEnvironment) -> list[Known]:
    """Return the messages in the order of their words, the kind of error left aside."""
    found: dict[str, Known] = {}
    for docname in sorted(env.metadata):
        if docname.startswith(_ROOM):
            for failure in env.metadata[docname].get("failures", []):
                # Messages that differ in their numbers only are one.
                key = re.sub(r"\d+", "#", beginning_of(failure.message))
                known = found.setdefault(key, Known(failure.message, []))
                if failure.anchor not in {other.anchor for _there, other in known.entries}:
                    known.entries.append((docname, failure))
    return sorted(found.values(), key=lambda k: k.message.partition(": ")[2].lower())


def beginning_of(message: str) -> str:
    """Return the first sentence of a message.

    >>> beginning_of("RuntimeError: Can't call x.numpy() here. Use x.detach() instead.")
    "RuntimeError: Can't call x.numpy() here"
    """
    return re.split(r"\.\s|\n|: \[", message)[0].rstrip(".,:")


def _form(app: Sphinx, docname: str) -> str:
    label, button = _("The message you got, or the last lines of it"), _("Find it")
    search = app.builder.get_relative_uri(docname, "search")
    return (
        f'<form class="message-search" action="{search}"><label for="message">{label}</label>'
        '<textarea id="message" name="q" rows="3" required></textarea>'
        f'<button type="submit">{button}</button></form>'
    )


def _load(app: Sphinx, pagename: str, templatename: str, context, doctree) -> None:
    if pagename.startswith(_ROOM) or pagename == "search":
        app.add_css_file("failures.css")
    if pagename == _INDEX:
        app.add_js_file("message_form.js", loading_method="defer")


def _index_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Write the index anew with every other page."""
    return [_INDEX] if _INDEX in env.found_docs else []


def _write_messages(app: Sphinx, exception: Exception | None) -> None:
    """Tell the search what is known, in a script: a page in a folder can load no data."""
    if exception or app.builder.format != "html":
        return
    known = [
        {
            "message": " ".join(k.message.split()),
            "beginning": k.beginning,
            "entries": [
                {"title": f.title, "address": f"{app.builder.get_target_uri(there)}#{f.anchor}"}
                for there, f in k.entries
            ],
        }
        for k in _known(app.env)
    ]
    text = f"const KNOWN_MESSAGES = {json.dumps(known, ensure_ascii=False, indent=1)};\n"
    Path(app.outdir, "_static", "messages.js").write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_directive("messages", Messages)
    app.connect("env-updated", _index_again)
    app.connect("doctree-resolved", _fill)
    app.connect("html-page-context", _load)
    app.connect("build-finished", _write_messages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
